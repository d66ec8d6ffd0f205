/* The query within a statement that holds one: DECLARE x CURSOR FOR …, PREPARE x AS …, EXPLAIN …. */
#include <strings.h>

#include "base/text.h"
#include "index/sample/sample_part.h"

enum { MOST_LAYERS = 4 };

bool
sample_token_is(const char *sql, const struct sql_token *token, const char *word)
{
    size_t length = token->end - token->start;

    return strlen(word) == length && strncasecmp(sql + token->start, word, length) == 0;
}

bool
sample_tokens(struct ctx *ctx, const char *sql, struct sql_tokens *ret)
{
    size_t count = 0;

    if (!sql_tokens(ctx, sql, ret))
        return false;
    for (size_t i = 0; i < ret->count; i++)
        if (ret->items[i].kind != SQL_COMMENT)
            ret->items[count++] = ret->items[i];
    ret->count = count;
    return true;
}

const char *
sample_edited(struct arena *arena, const char *sql, const struct sample_edits *edits)
{
    struct buffer buffer = { .arena = arena };
    size_t done = 0;

    for (size_t i = 0; i < edits->count; i++) {
        const struct sample_edit *edit = &edits->items[i];

        buffer_append(&buffer, sql + done, edit->start - done);
        buffer_add(&buffer, edit->text);
        done = edit->end;
    }
    buffer_add(&buffer, sql + done);
    return buffer_text(&buffer);
}

size_t
sample_count_params(struct ctx *ctx, const char *sql)
{
    struct sql_tokens tokens;
    int64_t most = 0;

    if (!sample_tokens(ctx, sql, &tokens))
        return 0;
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        int64_t number;

        if (token->kind == SQL_PARAM &&
            text_to_int64(
                arena_strndup(ctx->arena, sql + token->start + 1, token->end - token->start - 1),
                &number) &&
            number > most)
            most = number;
    }
    return (size_t)most;
}

void
sample_find_params(
    const char *sql, const struct sql_tokens *tokens, bool *ret_is_there, size_t count)
{
    for (size_t i = 0; i < tokens->count; i++) {
        const struct sql_token *token = &tokens->items[i];
        size_t number = token->kind == SQL_PARAM ? strtoul(sql + token->start + 1, NULL, 10) : 0;

        if (number > 0 && number <= count)
            ret_is_there[number - 1] = true;
    }
}

/* Statements whose text is not a query; problem NULL: they may be planned, or hold what may. */
struct leading {
    const char *word;
    const char *problem;
    const char *remedy;
};

static const struct leading leadings[] = {
    { "call", "it calls a procedure, which has no plan",
        "With pg_stat_statements.track = all the statements within are counted by themselves." },
    { "do", "it is a block of code, which has no plan",
        "With pg_stat_statements.track = all the statements within are counted by themselves." },
    { "execute", "it executes a prepared statement whose text it does not hold",
        "The statement is counted under the text that was prepared." },
    { "fetch", "it reads from a cursor whose query it does not hold",
        "The query stands in the DECLARE of the cursor." },
    { "move", "it moves a cursor whose query it does not hold",
        "The query stands in the DECLARE of the cursor." },
    { "refresh", "it refreshes a materialized view, whose query it does not hold",
        "Give the view's query in a file of SQL." },
};

static const char *const queries[] = { "select", "with", "insert", "update", "delete", "merge",
    "values", "table" };

static bool
is_query(const char *sql, const struct sql_token *token)
{
    for (size_t i = 0; i < COUNT_OF(queries); i++)
        if (sample_token_is(sql, token, queries[i]))
            return true;
    return sql[token->start] == '(';
}

/* The first token after this one that stands outside of parentheses and is the word; count: none. */
static size_t
find_word(const char *sql, const struct sql_tokens *tokens, size_t from, const char *word)
{
    size_t depth = 0;

    for (size_t i = from; i < tokens->count; i++) {
        char first = sql[tokens->items[i].start];

        if (tokens->items[i].kind == SQL_PUNCTUATION && first == '(')
            depth++;
        else if (tokens->items[i].kind == SQL_PUNCTUATION && first == ')' && depth > 0)
            depth--;
        else if (depth == 0 && sample_token_is(sql, &tokens->items[i], word))
            return i;
    }
    return tokens->count;
}

/* Behind the parentheses that open at this token. */
static size_t
after_parentheses(const char *sql, const struct sql_tokens *tokens, size_t at)
{
    size_t depth = 0;

    for (; at < tokens->count; at++) {
        if (tokens->items[at].kind != SQL_PUNCTUATION)
            continue;
        if (sql[tokens->items[at].start] == '(')
            depth++;
        else if (sql[tokens->items[at].start] == ')' && --depth == 0)
            return at + 1;
    }
    return at;
}

static size_t
after_explain(const char *sql, const struct sql_tokens *tokens)
{
    size_t at = 1;

    if (at < tokens->count && sql[tokens->items[at].start] == '(' && tokens->count > at + 1 &&
        !is_query(sql, &tokens->items[at + 1]))
        at = after_parentheses(sql, tokens, at);
    while (at < tokens->count && (sample_token_is(sql, &tokens->items[at], "analyze") ||
                                     sample_token_is(sql, &tokens->items[at], "analyse") ||
                                     sample_token_is(sql, &tokens->items[at], "verbose")))
        at++;
    return at;
}

/* Where the query begins, the number of tokens when there is none; *end: behind its last token. */
static size_t
inner_query(const char *sql, const struct sql_tokens *tokens, size_t *end)
{
    const struct sql_token *first = &tokens->items[0];
    size_t at = tokens->count;

    if (sample_token_is(sql, first, "declare")) {
        at = find_word(sql, tokens, 1, "for") + 1;
    } else if (sample_token_is(sql, first, "prepare")) {
        at = find_word(sql, tokens, 1, "as") + 1;
    } else if (sample_token_is(sql, first, "explain")) {
        at = after_explain(sql, tokens);
    } else if (sample_token_is(sql, first, "copy") && tokens->count > 1 &&
               sql[tokens->items[1].start] == '(') {
        at = 2;
        *end = after_parentheses(sql, tokens, 1) - 1;
    } else if (sample_token_is(sql, first, "create") &&
               (find_word(sql, tokens, 1, "table") < 4 ||
                   find_word(sql, tokens, 1, "materialized") < 3)) {
        at = find_word(sql, tokens, 1, "as") + 1;
        /* WITH DATA, WITH NO DATA */
        if (*end > at && sample_token_is(sql, &tokens->items[*end - 1], "data"))
            *end -= sample_token_is(sql, &tokens->items[*end - 2], "no") ? 3 : 2;
    }
    return at < *end ? at : tokens->count;
}

/* The only query among statements of one text, such as BEGIN; SELECT …; COMMIT. */
static void
take_only(struct ctx *ctx, struct sample_text *text)
{
    struct sql_statements statements;
    const char *found = NULL;

    if (!sql_split(ctx, NULL, text->sql, &statements)) {
        error_clear(ctx);
        return;
    }
    for (size_t i = 0; i < statements.count; i++) {
        struct sql_tokens tokens;

        if (!sample_tokens(ctx, statements.items[i].text, &tokens) || tokens.count == 0)
            continue;
        if (statements.count > 1 && !is_query(statements.items[i].text, &tokens.items[0]))
            continue;
        if (found) {
            text->problem = "the text holds several queries";
            text->remedy = "Give them as statements of their own.";
            return;
        }
        found = statements.items[i].text;
    }
    error_clear(ctx);
    if (found)
        text->sql = found;
    else if (statements.count != 1)
        text->problem = statements.count == 0 ? "the text is empty" : "the text holds no query";
}

static void
name_problem(struct sample_text *text, const struct sql_token *first)
{
    for (size_t i = 0; i < COUNT_OF(leadings); i++) {
        if (sample_token_is(text->sql, first, leadings[i].word)) {
            text->problem = leadings[i].problem;
            text->remedy = leadings[i].remedy;
            return;
        }
    }
    if (!is_query(text->sql, first))
        text->problem = "a utility statement";
}

void
sample_unwrap(struct ctx *ctx, const char *sql, struct sample_text *ret)
{
    *ret = (struct sample_text){ .sql = sql };
    take_only(ctx, ret);
    for (int layer = 0; layer < MOST_LAYERS && !ret->problem; layer++) {
        struct sql_tokens tokens;

        if (!sample_tokens(ctx, ret->sql, &tokens)) {
            error_clear(ctx); /* the server says what is wrong with it */
            return;
        }
        if (tokens.count == 0)
            return;

        size_t end = tokens.count;
        size_t start = inner_query(ret->sql, &tokens, &end);

        if (start >= tokens.count) {
            name_problem(ret, &tokens.items[0]);
            return;
        }

        size_t from = tokens.items[start].start;

        text_list_add(ctx->arena, &ret->mended,
            arena_printf(ctx->arena, "the query within %.*s",
                (int)(tokens.items[0].end - tokens.items[0].start),
                ret->sql + tokens.items[0].start));
        ret->sql = arena_strndup(ctx->arena, ret->sql + from, tokens.items[end - 1].end - from);
    }
}
