/*
 * SELECT date_trunc('day', t) … GROUP BY date_trunc('day', t) is in pg_stat_statements either with $1 and
 * $2, or with $1 and 'day': two expressions, so the server refuses the text. Which belong together is seen
 * by their tokens.
 */
#include <strings.h>

#include "base/text.h"
#include "index/sample/sample_part.h"

enum { MOST_DEPTH = 64, MOST_CHAIN = 8 };

enum clause { CLAUSE_NONE, CLAUSE_SELECT, CLAUSE_GROUP, CLAUSE_ORDER, CLAUSE_HAVING, CLAUSE_OTHER };

struct unifier {
    struct ctx *ctx;
    const char *sql;
    struct sql_tokens tokens;
    enum clause *clauses; /* of each token */
    size_t *depths;
    const char **by; /* for each $n by its number, what takes its place, or NULL */
    size_t param_count;
    bool has_any;
};

static enum clause
clause_of(const char *sql, const struct sql_token *token)
{
    static const struct {
        const char *word;
        enum clause clause;
    } words[] = { { "select", CLAUSE_SELECT }, { "from", CLAUSE_OTHER }, { "where", CLAUSE_OTHER },
        { "group", CLAUSE_GROUP }, { "having", CLAUSE_HAVING }, { "order", CLAUSE_ORDER },
        { "limit", CLAUSE_OTHER }, { "offset", CLAUSE_OTHER }, { "fetch", CLAUSE_OTHER },
        { "for", CLAUSE_OTHER }, { "window", CLAUSE_OTHER }, { "union", CLAUSE_OTHER },
        { "intersect", CLAUSE_OTHER }, { "except", CLAUSE_OTHER }, { "with", CLAUSE_OTHER } };

    if (token->kind != SQL_KEYWORD)
        return CLAUSE_NONE;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (sample_token_is(sql, token, words[i].word))
            return words[i].clause;
    return CLAUSE_NONE;
}

static void
find_clauses(struct unifier *unifier)
{
    enum clause stack[MOST_DEPTH] = { CLAUSE_NONE };
    size_t depth = 0;

    for (size_t i = 0; i < unifier->tokens.count; i++) {
        const struct sql_token *token = &unifier->tokens.items[i];
        enum clause clause = clause_of(unifier->sql, token);
        char first = unifier->sql[token->start];
        bool is_mark = token->kind == SQL_PUNCTUATION;

        if (is_mark && first == ')' && depth > 0)
            depth--;
        if (clause != CLAUSE_NONE)
            stack[depth] = clause;
        unifier->clauses[i] = stack[depth];
        unifier->depths[i] = depth;
        if (is_mark && first == '(' && depth + 1 < MOST_DEPTH) {
            depth++;
            stack[depth] = stack[depth - 1];
        }
    }
}

static bool
is_value(const struct sql_token *token)
{
    return token->kind == SQL_PARAM || token->kind == SQL_CONSTANT;
}

static bool
are_same(const char *sql, const struct sql_token *a, const struct sql_token *b)
{
    size_t length = a->end - a->start;

    return length == b->end - b->start && strncasecmp(sql + a->start, sql + b->start, length) == 0;
}

/* Whether two runs of tokens differ in constants only, one of each pair being a $n. */
static bool
are_twins(const struct unifier *unifier, size_t a, size_t b, size_t count)
{
    bool differs = false;

    for (size_t i = 0; i < count; i++) {
        const struct sql_token *one = &unifier->tokens.items[a + i];
        const struct sql_token *other = &unifier->tokens.items[b + i];

        if (are_same(unifier->sql, one, other))
            continue;
        if (!is_value(one) || !is_value(other) ||
            (one->kind == SQL_CONSTANT && other->kind == SQL_CONSTANT))
            return false;
        differs = true;
    }
    return differs;
}

static size_t
number_of(const struct unifier *unifier, const struct sql_token *token)
{
    int64_t number = 0;

    if (token->kind == SQL_PARAM)
        (void)text_to_int64(arena_strndup(unifier->ctx->arena, unifier->sql + token->start + 1,
                                token->end - token->start - 1),
            &number);
    return (size_t)number;
}

/* Remembers that one stands for the other: a constant for a $n, a lower number for a higher one. */
static void
join_values(struct unifier *unifier, const struct sql_token *a, const struct sql_token *b)
{
    size_t first = number_of(unifier, a);
    size_t second = number_of(unifier, b);
    bool goes_first = second == 0 || (first > second);
    size_t gone = goes_first ? first : second;
    const struct sql_token *kept = goes_first ? b : a;

    if (first == second || gone == 0 || gone > unifier->param_count || unifier->by[gone - 1])
        return;
    unifier->by[gone - 1] =
        arena_strndup(unifier->ctx->arena, unifier->sql + kept->start, kept->end - kept->start);
    unifier->has_any = true;
}

static bool
may_hold_twin(enum clause clause)
{
    return clause == CLAUSE_SELECT || clause == CLAUSE_GROUP || clause == CLAUSE_ORDER ||
           clause == CLAUSE_HAVING;
}

static void
join_item(struct unifier *unifier, size_t start, size_t end)
{
    size_t count = end - start;
    bool has_value = false;

    for (size_t i = start; i < end; i++)
        has_value = has_value || is_value(&unifier->tokens.items[i]);
    if (!has_value || count < 2)
        return;
    for (size_t at = 0; at + count <= unifier->tokens.count; at++) {
        if (at == start || !may_hold_twin(unifier->clauses[at]) ||
            !are_twins(unifier, start, at, count))
            continue;
        for (size_t i = 0; i < count; i++)
            join_values(unifier, &unifier->tokens.items[start + i], &unifier->tokens.items[at + i]);
    }
}

/* The end of the item of a list that begins here: a comma, the clause's end, ASC, DESC, NULLS. */
static size_t
item_end(const struct unifier *unifier, size_t start)
{
    const struct sql_tokens *tokens = &unifier->tokens;
    size_t at = start;

    for (; at < tokens->count; at++) {
        const struct sql_token *token = &tokens->items[at];
        char first = unifier->sql[token->start];

        if (unifier->depths[at] < unifier->depths[start])
            break;
        if (unifier->depths[at] > unifier->depths[start])
            continue;
        if (unifier->clauses[at] != unifier->clauses[start] ||
            (token->kind == SQL_PUNCTUATION && (first == ',' || first == ';')) ||
            sample_token_is(unifier->sql, token, "asc") ||
            sample_token_is(unifier->sql, token, "desc") ||
            sample_token_is(unifier->sql, token, "nulls"))
            break;
    }
    return at;
}

static void
join_lists(struct unifier *unifier)
{
    const struct sql_tokens *tokens = &unifier->tokens;

    for (size_t i = 0; i + 2 < tokens->count; i++) {
        if (!sample_token_is(unifier->sql, &tokens->items[i + 1], "by") ||
            !(sample_token_is(unifier->sql, &tokens->items[i], "group") ||
                sample_token_is(unifier->sql, &tokens->items[i], "order")))
            continue;
        for (size_t at = i + 2; at < tokens->count;) {
            size_t end = item_end(unifier, at);

            join_item(unifier, at, end);
            while (end < tokens->count && unifier->depths[end] == unifier->depths[at] &&
                   unifier->sql[tokens->items[end].start] != ',' &&
                   unifier->clauses[end] == unifier->clauses[at])
                end++;
            if (end >= tokens->count || unifier->sql[tokens->items[end].start] != ',')
                break;
            at = end + 1;
        }
    }
}

static const char *
final_text(const struct unifier *unifier, const char *text)
{
    for (int i = 0; i < MOST_CHAIN && *text == '$'; i++) {
        int64_t number;

        if (!text_to_int64(text + 1, &number) || !unifier->by[number - 1])
            return text;
        text = unifier->by[number - 1];
    }
    return text;
}

bool
sample_unify(struct ctx *ctx, struct sample_text *text)
{
    struct unifier unifier = { .ctx = ctx, .sql = text->sql };
    struct sample_edits edits = { 0 };

    if (!sample_tokens(ctx, text->sql, &unifier.tokens)) {
        error_clear(ctx);
        return false;
    }
    unifier.param_count = sample_count_params(ctx, text->sql);
    unifier.clauses = ARENA_ARRAY(ctx->arena, enum clause, unifier.tokens.count + 1);
    unifier.depths = ARENA_ARRAY(ctx->arena, size_t, unifier.tokens.count + 1);
    unifier.by = ARENA_ARRAY(ctx->arena, const char *, unifier.param_count + 1);
    find_clauses(&unifier);
    join_lists(&unifier);
    for (size_t i = 0; i < unifier.tokens.count; i++) {
        const struct sql_token *token = &unifier.tokens.items[i];
        size_t number = number_of(&unifier, token);

        if (number == 0 || !unifier.by[number - 1])
            continue;

        struct sample_edit edit = { .start = token->start,
            .end = token->end,
            .text = final_text(&unifier, unifier.by[number - 1]) };

        VEC_PUSH(ctx->arena, &edits, edit);
        text_list_add(
            ctx->arena, &text->mended, arena_printf(ctx->arena, "$%zu → %s", number, edit.text));
    }
    text->sql = sample_edited(ctx->arena, text->sql, &edits);
    return unifier.has_any;
}
