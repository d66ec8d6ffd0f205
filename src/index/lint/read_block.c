/* Statements that hide in a DO block or a routine: CREATE INDEX as a constant, or as plain words. */
#include <strings.h>

#include "base/json.h"
#include "index/lint/statement.h"
#include "lang/sql.h"

/* The words of a block that does no more than ask and execute. */
static const char *const plain_words[] = { "begin", "if", "then", "execute", "end", "else",
    "elsif" };

static const char *
body_of(const json_t *node)
{
    static const char *const members[] = { "args", "options" };

    for (size_t m = 0; m < COUNT_OF(members); m++) {
        size_t i;
        json_t *item;

        json_array_foreach(json_object_get(node, members[m]), i, item)
        {
            const json_t *option = json_object_get(item, "DefElem");
            const json_t *value = json_object_get(option, "arg");
            const json_t *list = json_object_get(json_object_get(value, "List"), "items");

            if (!text_equal(json_string_value(json_object_get(option, "defname")), "as"))
                continue;
            if (list)
                value = json_array_get(list, 0);
            return json_string_value(json_object_get(json_object_get(value, "String"), "sval"));
        }
    }
    return NULL;
}

static bool
is_word(const char *text, const struct sql_token *token, const char *word)
{
    return token->end - token->start == strlen(word) &&
           strncasecmp(text + token->start, word, strlen(word)) == 0;
}

/* What stands between simple quotes, with two of them for one. */
static const char *
constant_of(struct arena *arena, const char *text, const struct sql_token *token)
{
    size_t length = 0;
    char *value;

    if (text[token->start] != '\'' || token->end - token->start < 2)
        return NULL;
    value = arena_strndup(arena, text + token->start + 1, token->end - token->start - 2);
    for (size_t i = 0; value[i]; i++) {
        if (value[i] == '\'' && value[i + 1] == '\'')
            i++;
        value[length++] = value[i];
    }
    value[length] = '\0';
    return value;
}

static bool
is_create_index(struct ctx *ctx, const char *text, bool *ret_concurrently)
{
    struct lint_statement inner = { .text = text };
    bool is_index = lint_read_head(ctx, &inner);

    *ret_concurrently |= is_index && inner.concurrently.end > 0;
    return is_index;
}

/* From this word to the semicolon. */
static const char *
statement_from(struct arena *arena, const char *body, const struct sql_tokens *tokens, size_t at)
{
    size_t start = tokens->items[at].start;

    while (at < tokens->count && body[tokens->items[at].start] != ';')
        at++;
    return arena_strndup(
        arena, body + start, (at < tokens->count ? tokens->items[at].start : strlen(body)) - start);
}

/* EXECUTE 'CREATE INDEX …', and what else is in the block: only conditions, or more. */
static void
read_body(struct ctx *ctx, const char *body, struct lint_statement *statement)
{
    struct sql_tokens tokens;
    bool begins = true;

    if (!sql_tokens(ctx, body, &tokens)) {
        error_clear(ctx);
        return;
    }
    statement->is_plain_block = true;
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        const char *inner = NULL;
        bool is_plain = false;

        if (token->kind == SQL_COMMENT)
            continue;
        if (token->kind == SQL_CONSTANT)
            inner = constant_of(ctx->arena, body, token);
        else if (begins && is_word(body, token, "create"))
            inner = statement_from(ctx->arena, body, &tokens, i);
        if (inner && is_create_index(ctx, inner, &statement->has_concurrently)) {
            text_list_add(ctx->arena, &statement->inner, inner);
            is_plain = true;
        }
        for (size_t k = 0; begins && k < COUNT_OF(plain_words); k++)
            is_plain |= is_word(body, token, plain_words[k]);
        if (begins && !is_plain)
            statement->is_plain_block = false;
        /* IF ends with THEN, everything else with a semicolon; BEGIN and ELSE need neither. */
        begins = body[token->start] == ';' || is_word(body, token, "begin") ||
                 is_word(body, token, "then") || is_word(body, token, "else");
    }
}

void
lint_read_block(struct ctx *ctx, const json_t *node, struct lint_statement *statement)
{
    const char *body = body_of(node);

    if (body)
        read_body(ctx, body, statement);
    statement->is_plain_block &= statement->inner.count > 0;
}
