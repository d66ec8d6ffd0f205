#include "index/candidate/explained_text.h"

#include <string.h>

static bool
is_word(const struct sql_token *token)
{
    return token->kind == SQL_NAME || (token->kind == SQL_KEYWORD && !token->is_reserved);
}

bool
explained_token_is(const struct explained_text *source, size_t token, const char *text)
{
    const struct sql_token *at = &source->tokens[token];
    size_t length = strlen(text);

    return token < source->count && at->end - at->start == length &&
           memcmp(source->text + at->start, text, length) == 0;
}

static const char *
unquoted(struct arena *arena, const struct explained_text *source, size_t token)
{
    const struct sql_token *at = &source->tokens[token];
    const char *text = source->text + at->start;
    size_t length = at->end - at->start, out = 0;
    char *copy;

    if (length < 2 || (text[0] != '"' && text[0] != '\''))
        return arena_strndup(arena, text, length);
    copy = arena_alloc(arena, length);
    for (size_t i = 1; i + 1 < length; i++) {
        copy[out++] = text[i];
        if (text[i] == text[0])
            i++;
    }
    return copy;
}

static bool
is_opener(const struct explained_text *source, size_t token)
{
    return explained_token_is(source, token, "(") || explained_token_is(source, token, "[") ||
           (source->tokens[token].kind == SQL_KEYWORD && explained_token_is(source, token, "CASE"));
}

static bool
is_closer(const struct explained_text *source, size_t token)
{
    return explained_token_is(source, token, ")") || explained_token_is(source, token, "]") ||
           (source->tokens[token].kind == SQL_KEYWORD && explained_token_is(source, token, "END"));
}

static bool
is_pair(const struct explained_text *source, size_t open, size_t close)
{
    if (explained_token_is(source, open, "("))
        return explained_token_is(source, close, ")");
    if (explained_token_is(source, open, "["))
        return explained_token_is(source, close, "]");
    return explained_token_is(source, close, "END");
}

static bool
find_partners(struct arena *arena, struct explained_text *source)
{
    size_t *open = ARENA_ARRAY(arena, size_t, source->count + 1);
    size_t depth = 0;

    source->partner = ARENA_ARRAY(arena, size_t, source->count + 1);
    for (size_t i = 0; i < source->count; i++) {
        source->partner[i] = i;
        if (is_opener(source, i)) {
            open[depth++] = i;
        } else if (is_closer(source, i)) {
            if (depth == 0)
                return false;
            source->partner[i] = open[--depth];
            source->partner[open[depth]] = i;
            if (!is_pair(source, open[depth], i))
                return false;
        }
    }
    return depth == 0;
}

/* Whether a name at this place begins something else than a column: a type, a collation, a part of a name. */
static bool
is_no_column(const struct explained_text *source, size_t token)
{
    if (token == 0)
        return false;
    return explained_token_is(source, token - 1, "::") ||
           explained_token_is(source, token - 1, ".") ||
           explained_token_is(source, token - 1, "COLLATE") ||
           explained_token_is(source, token - 1, "OPERATOR");
}

/* alias.column or alias.*, which begins at this token; false: it is something else. */
static bool
read_qualified(struct arena *arena, const struct explained_text *source, size_t token,
    struct explained_column *ret)
{
    bool is_all = explained_token_is(source, token + 2, "*");
    enum sql_token_kind kind = source->tokens[token + 2].kind;

    if (!is_all && kind != SQL_NAME && kind != SQL_KEYWORD)
        return false;
    if (token + 3 < source->count && explained_token_is(source, token + 3, "("))
        return false;
    *ret = (struct explained_column){ .alias = unquoted(arena, source, token),
        .name = is_all ? NULL : unquoted(arena, source, token + 2),
        .first = token,
        .end = token + 3 };
    return true;
}

static bool
read_alone(struct arena *arena, const struct explained_text *source, size_t token,
    const struct explained_alone *alone, struct explained_column *ret)
{
    if (!alone || (token + 1 < source->count && explained_token_is(source, token + 1, "(")))
        return false;
    *ret = (struct explained_column){ .alias = alone->alias,
        .name = unquoted(arena, source, token),
        .first = token,
        .end = token + 1 };
    return facts_column(alone->table, ret->name) != NULL;
}

static void
find_columns(
    struct arena *arena, struct explained_text *source, const struct explained_alone *alone)
{
    for (size_t i = 0; i < source->count; i++) {
        struct explained_column column;
        bool is_found;

        if (!is_word(&source->tokens[i]) || is_no_column(source, i))
            continue;
        if (i + 2 < source->count && explained_token_is(source, i + 1, "."))
            is_found = read_qualified(arena, source, i, &column);
        else
            is_found = read_alone(arena, source, i, alone, &column);
        if (is_found)
            VEC_PUSH(arena, &source->columns, column);
    }
}

struct explained_text *
explained_text_read(struct ctx *ctx, const char *text, const struct explained_alone *alone)
{
    struct explained_text *source = ARENA_NEW(ctx->arena, struct explained_text);
    struct sql_tokens tokens = { 0 };

    if (!sql_tokens(ctx, text, &tokens)) {
        error_clear(ctx);
        return NULL;
    }
    *source =
        (struct explained_text){ .text = text, .tokens = tokens.items, .count = tokens.count };
    if (source->count == 0 || !find_partners(ctx->arena, source))
        return NULL;
    find_columns(ctx->arena, source, alone);
    return source;
}

const char *
explained_expr_bare(struct arena *arena, const struct explained_expr *expr)
{
    const struct explained_text *source = expr->source;
    struct buffer text = { .arena = arena };
    size_t at = source->tokens[expr->first].start;
    size_t end = source->tokens[expr->end - 1].end;

    for (size_t i = 0; i < source->columns.count; i++) {
        const struct explained_column *column = &source->columns.items[i];
        size_t start = source->tokens[column->first].start;

        if (column->first < expr->first || column->end > expr->end)
            continue;
        buffer_append(&text, source->text + at, start - at);
        at = source->tokens[column->end - 1].start;
    }
    buffer_append(&text, source->text + at, end - at);
    return buffer_text(&text);
}

static bool
is_literal_word(const struct explained_text *source, size_t token)
{
    return explained_token_is(source, token, "true") ||
           explained_token_is(source, token, "false") ||
           explained_token_is(source, token, "NULL") || explained_token_is(source, token, "ARRAY");
}

bool
explained_expr_is_literal(const struct explained_expr *expr)
{
    const struct explained_text *source = expr->source;
    bool is_type = false;

    for (size_t i = expr->first; i < expr->end; i++) {
        const struct sql_token *token = &source->tokens[i];

        bool is_word = token->kind == SQL_NAME || token->kind == SQL_KEYWORD;

        if (token->kind == SQL_PARAM || (is_word && !is_type && !is_literal_word(source, i)))
            return false;
        if (explained_token_is(source, i, ","))
            is_type = false;
        if (token->kind != SQL_OPERATOR)
            continue;
        is_type = explained_token_is(source, i, "::");
        if (!is_type)
            return false;
    }
    return true;
}

const char *
explained_expr_value(struct arena *arena, const struct explained_expr *expr)
{
    const struct explained_text *source = expr->source;

    while (expr->kind == EXPLAINED_CAST)
        expr = expr->items[0];
    if (expr->end != expr->first + 1)
        return NULL;
    if (explained_token_is(source, expr->first, "true"))
        return "t";
    if (explained_token_is(source, expr->first, "false"))
        return "f";
    if (source->tokens[expr->first].kind != SQL_CONSTANT)
        return NULL;
    return unquoted(arena, source, expr->first);
}

const char *
explained_expr_alias(const struct explained_expr *expr, bool *ret_is_mixed)
{
    const struct explained_text *source = expr->source;
    const char *alias = NULL;

    *ret_is_mixed = false;
    for (size_t i = 0; i < source->columns.count; i++) {
        const struct explained_column *column = &source->columns.items[i];

        if (column->first < expr->first || column->end > expr->end)
            continue;
        if (alias && !text_equal(alias, column->alias))
            *ret_is_mixed = true;
        alias = column->alias;
    }
    return *ret_is_mixed ? NULL : alias;
}

bool
explained_expr_is_fixed(const struct explained_expr *expr)
{
    static const char *const moving[] = { "SubPlan", "InitPlan", "now", "random", "clock_timestamp",
        "CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP",
        "CURRENT_USER", "SESSION_USER", "USER", "statement_timestamp", "current_setting" };
    const struct explained_text *source = expr->source;

    for (size_t i = expr->first; i < expr->end; i++) {
        if (source->tokens[i].kind == SQL_PARAM)
            return false;
        for (size_t j = 0; j < COUNT_OF(moving); j++)
            if (explained_token_is(source, i, moving[j]))
                return false;
    }
    return true;
}
