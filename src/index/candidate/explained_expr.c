#include <string.h>

#include "index/candidate/explained_text.h"

/* Deeper nesting than people write; what is below is a leaf. */
enum { MOST_DEPTH = 200 };

struct reading {
    struct arena *arena;
    const struct explained_text *source;
    int depth;
};

static struct explained_expr *read_range(struct reading *reading, size_t first, size_t end);

/* Finds a token of this text outside of brackets; end when there is none. */
static size_t
find(const struct explained_text *source, size_t first, size_t end, const char *text)
{
    for (size_t i = first; i < end; i = source->partner[i] + 1)
        if (explained_token_is(source, i, text) && source->tokens[i].kind != SQL_NAME)
            return i;
    return end;
}

static void
add_item(struct reading *reading, struct explained_expr *expr, size_t first, size_t end)
{
    struct explained_expr **items =
        ARENA_ARRAY(reading->arena, struct explained_expr *, expr->count + 1);

    if (first >= end)
        return;
    if (expr->count > 0)
        memcpy(items, expr->items, sizeof(items[0]) * expr->count);
    items[expr->count++] = read_range(reading, first, end);
    expr->items = items;
}

static void
split(struct reading *reading, struct explained_expr *expr, size_t first, const char *at)
{
    size_t end = expr->end;

    while (first < end) {
        size_t next = find(reading->source, first, end, at);

        /* The range's own closing bracket is not among its tokens. */
        add_item(reading, expr, first, next);
        first = next + 1;
    }
}

static bool
read_boolean(struct reading *reading, struct explained_expr *expr)
{
    const struct explained_text *source = reading->source;

    if (find(source, expr->first, expr->end, "AND") < expr->end) {
        expr->kind = EXPLAINED_AND;
        split(reading, expr, expr->first, "AND");
    } else if (find(source, expr->first, expr->end, "OR") < expr->end) {
        expr->kind = EXPLAINED_OR;
        split(reading, expr, expr->first, "OR");
    } else if (explained_token_is(source, expr->first, "NOT") &&
               source->tokens[expr->first].kind == SQL_KEYWORD && expr->end > expr->first + 1) {
        expr->kind = EXPLAINED_NOT;
        add_item(reading, expr, expr->first + 1, expr->end);
    } else {
        return false;
    }
    return true;
}

/* x IS [NOT] NULL, TRUE, FALSE; any other test is a leaf. */
static bool
read_test(struct reading *reading, struct explained_expr *expr)
{
    const struct explained_text *source = reading->source;
    size_t is = find(source, expr->first, expr->end, "IS");
    size_t what = is + 1;

    if (is >= expr->end || is == expr->first)
        return false;
    if (what < expr->end && explained_token_is(source, what, "NOT")) {
        expr->is_negated = true;
        what++;
    }
    if (what + 1 != expr->end)
        return true;
    if (explained_token_is(source, what, "NULL"))
        expr->kind = EXPLAINED_NULL_TEST;
    else if (explained_token_is(source, what, "TRUE") || explained_token_is(source, what, "FALSE"))
        expr->kind = EXPLAINED_TRUTH_TEST;
    else
        return true;
    expr->is_true = explained_token_is(source, what, "TRUE");
    add_item(reading, expr, expr->first, is);
    return true;
}

static const char *
slice(struct reading *reading, size_t first, size_t end)
{
    const struct sql_token *tokens = reading->source->tokens;

    return arena_strndup(reading->arena, reading->source->text + tokens[first].start,
        tokens[end - 1].end - tokens[first].start);
}

static bool
is_operator(const struct explained_text *source, size_t token)
{
    if (source->tokens[token].kind == SQL_OPERATOR)
        return !explained_token_is(source, token, "::");
    return explained_token_is(source, token, "OPERATOR") && token + 1 < source->count &&
           explained_token_is(source, token + 1, "(");
}

static void
read_right(struct reading *reading, struct explained_expr *expr, size_t right)
{
    const struct explained_text *source = reading->source;

    if (right + 1 < expr->end && source->tokens[right].kind == SQL_KEYWORD &&
        source->partner[right + 1] == expr->end - 1) {
        expr->is_any = explained_token_is(source, right, "ANY");
        expr->is_all = explained_token_is(source, right, "ALL");
        if (expr->is_any || expr->is_all)
            right++;
    }
    add_item(reading, expr, right, expr->end);
}

static bool
read_operator(struct reading *reading, struct explained_expr *expr)
{
    const struct explained_text *source = reading->source;
    size_t at = expr->end, right;

    for (size_t i = expr->first; i < expr->end; i = source->partner[i] + 1) {
        if (!is_operator(source, i))
            continue;
        if (at < expr->end)
            return true; /* two of them without brackets: not what the server writes */
        at = i;
    }
    if (at == expr->end || at == expr->first)
        return at == expr->first;
    right = at + 1;
    expr->name = slice(reading, at, at + 1);
    if (source->tokens[at].kind != SQL_OPERATOR) {
        size_t close = source->partner[at + 1];

        expr->name = slice(reading, close - 1, close);
        right = close + 1;
    }
    if (right >= expr->end)
        return true;
    expr->kind = EXPLAINED_OPERATOR;
    add_item(reading, expr, expr->first, at);
    read_right(reading, expr, right);
    return true;
}

/* What is cast stands in parentheses or is a constant; else the cast is of a part: x AT TIME ZONE 'UTC'::text. */
static bool
is_one(const struct explained_text *source, size_t first, size_t end)
{
    if (explained_token_is(source, first, "ARRAY") && first + 1 < end)
        first++;
    return source->partner[first] == end - 1;
}

static bool
read_cast(struct reading *reading, struct explained_expr *expr)
{
    const struct explained_text *source = reading->source;
    size_t at = expr->end;

    for (size_t i = expr->first; i < expr->end; i = source->partner[i] + 1)
        if (explained_token_is(source, i, "::"))
            at = i;
    if (at == expr->end || at == expr->first || at + 1 == expr->end ||
        !is_one(source, expr->first, at))
        return false;
    expr->kind = EXPLAINED_CAST;
    expr->name = slice(reading, at + 1, expr->end);
    add_item(reading, expr, expr->first, at);
    return true;
}

static bool
read_column(struct explained_expr *expr)
{
    const struct explained_text *source = expr->source;

    for (size_t i = 0; i < source->columns.count; i++) {
        const struct explained_column *column = &source->columns.items[i];

        if (column->first != expr->first || column->end != expr->end || !column->name)
            continue;
        expr->kind = EXPLAINED_COLUMN;
        expr->alias = column->alias;
        expr->name = column->name;
        return true;
    }
    return false;
}

static void
read_call(struct reading *reading, struct explained_expr *expr)
{
    const struct explained_text *source = reading->source;
    size_t close = expr->end - 1;
    size_t open = source->partner[close];

    if (!explained_token_is(source, close, ")") || open == expr->first || open < expr->first)
        return;
    if (open == expr->first + 1 && explained_token_is(source, expr->first, "ROW")) {
        size_t end = expr->end;

        expr->kind = EXPLAINED_ROW;
        expr->end = close;
        split(reading, expr, open + 1, ",");
        expr->end = end;
        return;
    }
    if (open != expr->first + 1 &&
        !(open == expr->first + 3 && explained_token_is(source, expr->first + 1, ".")))
        return;
    if (source->tokens[open - 1].kind != SQL_NAME && source->tokens[open - 1].kind != SQL_KEYWORD)
        return;
    expr->kind = EXPLAINED_FUNCTION;
    expr->name = slice(reading, open - 1, open);
}

static struct explained_expr *
read_range(struct reading *reading, size_t first, size_t end)
{
    const struct explained_text *source = reading->source;
    struct explained_expr *expr = ARENA_NEW(reading->arena, struct explained_expr);

    while (end > first + 2 && explained_token_is(source, first, "(") &&
           source->partner[first] == end - 1) {
        first++;
        end--;
    }
    *expr = (struct explained_expr){
        .kind = EXPLAINED_OTHER, .source = source, .first = first, .end = end
    };
    if (reading->depth >= MOST_DEPTH)
        return expr;
    reading->depth++;
    if (!read_boolean(reading, expr) && !read_test(reading, expr) &&
        !read_operator(reading, expr) && !read_cast(reading, expr) && !read_column(expr))
        read_call(reading, expr);
    reading->depth--;
    return expr;
}

struct explained_expr *
explained_expr_read(
    struct arena *arena, const struct explained_text *source, size_t first, size_t end)
{
    struct reading reading = { .arena = arena, .source = source };

    return first < end ? read_range(&reading, first, end) : NULL;
}
