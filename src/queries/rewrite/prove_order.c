/*
 * What SQL leaves open: the order of rows that tie, and which of them come when there is a LIMIT. Answers
 * that differ only in that are the same. To tell, the statement is run with its sort keys as further
 * columns, with and without its LIMIT.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "lang/sql.h"
#include "queries/rewrite/prove_part.h"

enum { MOST_CANDIDATES = 100000, MOST_SORT_KEYS = 16 };

/* Where the parts of the outermost SELECT stand, by number of token; 0: it has no such part. */
struct layout {
    const char *sql;
    const struct sql_tokens *tokens;
    size_t select;
    size_t from;
    size_t order; /* ORDER of ORDER BY */
    size_t limit; /* first of LIMIT, OFFSET and FETCH */
    size_t end;   /* behind all tokens */
    bool is_set;  /* UNION and its kin */
};

static bool
is_word(const struct layout *layout, size_t at, const char *word)
{
    const struct sql_token *token = &layout->tokens->items[at];
    size_t length = strlen(word);

    return at < layout->tokens->count && token->kind == SQL_KEYWORD &&
           token->end - token->start == length &&
           strncasecmp(layout->sql + token->start, word, length) == 0;
}

static int
depth_step(const struct layout *layout, size_t at)
{
    const struct sql_token *token = &layout->tokens->items[at];

    if (token->kind != SQL_PUNCTUATION)
        return 0;
    switch (layout->sql[token->start]) {
    case '(':
    case '[':
        return 1;
    case ')':
    case ']':
        return -1;
    default:
        return 0;
    }
}

static void
note_word(struct layout *layout, size_t at)
{
    if (is_word(layout, at, "select") && !layout->select)
        layout->select = at + 1;
    else if (is_word(layout, at, "union") || is_word(layout, at, "except") ||
             is_word(layout, at, "intersect"))
        layout->is_set = true;
    else if (is_word(layout, at, "from") && !layout->from && at > 0 &&
             !is_word(layout, at - 1, "distinct"))
        layout->from = at;
    else if (is_word(layout, at, "order") && is_word(layout, at + 1, "by"))
        layout->order = at;
    else if (!layout->limit && layout->from &&
             (is_word(layout, at, "limit") || is_word(layout, at, "offset") ||
                 is_word(layout, at, "fetch")))
        layout->limit = at;
}

static void
read_layout(const char *sql, const struct sql_tokens *tokens, struct layout *ret)
{
    int depth = 0;

    *ret = (struct layout){ .sql = sql, .tokens = tokens, .end = tokens->count };
    for (size_t i = 0; i < tokens->count; i++) {
        depth += depth_step(ret, i);
        if (depth == 0)
            note_word(ret, i);
    }
}

static const char *
text_between(struct arena *arena, const struct layout *layout, size_t first, size_t end)
{
    size_t start = layout->tokens->items[first].start;

    return arena_strndup(arena, layout->sql + start, layout->tokens->items[end - 1].end - start);
}

/* The expression alone: without ASC, DESC, USING <, NULLS LAST. */
static size_t
end_of_expression(const struct layout *layout, size_t first, size_t end)
{
    if (end - first > 2 && is_word(layout, end - 2, "nulls"))
        end -= 2;
    if (end - first > 1 && (is_word(layout, end - 1, "asc") || is_word(layout, end - 1, "desc")))
        end--;
    if (end - first > 2 && is_word(layout, end - 2, "using"))
        end -= 2;
    return end;
}

/* Names of the columns that the statement gives. */
struct outputs {
    const char *const *names;
    size_t count;
};

/* The place, from 1, of the output that a lonely name or number means; 0: it is another thing. */
static size_t
place_of(const char *text, const struct outputs *outputs)
{
    size_t length = strlen(text);
    int64_t number;

    if (isdigit((unsigned char)*text))
        return text_to_int64(text, &number) && number >= 1 && (size_t)number <= outputs->count
                   ? (size_t)number
                   : 0;
    for (size_t i = 0; i < outputs->count; i++) {
        const char *name = outputs->names[i];

        if (*text == '"' && length >= 2 && strlen(name) == length - 2 &&
            strncmp(name, text + 1, length - 2) == 0)
            return i + 1;
        if (*text != '"' && strcasecmp(name, text) == 0)
            return i + 1;
    }
    return 0;
}

/* The sort keys as texts for the list of outputs: places are given as outputs' numbers. */
struct keys {
    const char *added[MOST_SORT_KEYS];
    size_t added_count;
    size_t places[MOST_SORT_KEYS];
    size_t place_count;
    bool is_known;
};

static void
add_key(struct arena *arena, const struct layout *layout, size_t first, size_t end,
    const struct outputs *outputs, struct keys *keys)
{
    size_t stop = end_of_expression(layout, first, end);
    const char *text = text_between(arena, layout, first, stop);
    size_t place = stop - first == 1 ? place_of(text, outputs) : 0;

    if (keys->added_count == MOST_SORT_KEYS || keys->place_count == MOST_SORT_KEYS)
        keys->is_known = false;
    else if (place > 0)
        keys->places[keys->place_count++] = place;
    else
        keys->added[keys->added_count++] = text;
}

static void
read_keys(struct arena *arena, const struct layout *layout, const struct outputs *outputs,
    struct keys *ret)
{
    size_t end = layout->limit > layout->order ? layout->limit : layout->end;
    size_t first = layout->order + 2;
    int depth = 0;

    *ret = (struct keys){ .is_known = true };
    if (!layout->order)
        return;
    for (size_t i = first; i < end && ret->is_known; i++) {
        const struct sql_token *token = &layout->tokens->items[i];

        depth += depth_step(layout, i);
        if (depth == 0 && token->kind == SQL_PUNCTUATION && layout->sql[token->start] == ',') {
            add_key(arena, layout, first, i, outputs, ret);
            first = i + 1;
        }
    }
    if (first < end)
        add_key(arena, layout, first, end, outputs, ret);
    /* Outputs of UNION cannot be added to, and a SELECT without FROM has one row. */
    if (ret->added_count > 0 && (layout->is_set || !layout->from))
        ret->is_known = false;
}

static const char *
compose(struct arena *arena, const struct layout *layout, const struct keys *keys, bool has_limit)
{
    struct buffer buffer = { .arena = arena };
    size_t from = layout->from ? layout->tokens->items[layout->from].start : strlen(layout->sql);
    size_t end = layout->limit && !has_limit ? layout->tokens->items[layout->limit].start
                                             : strlen(layout->sql);

    buffer_append(&buffer, layout->sql, from);
    for (size_t i = 0; i < keys->added_count; i++)
        buffer_printf(&buffer, ", %s AS pgmend_sort_%zu ", keys->added[i], i + 1);
    if (end > from)
        buffer_append(&buffer, layout->sql + from, end - from);
    if (!has_limit && layout->limit)
        buffer_printf(&buffer, " LIMIT %d", MOST_CANDIDATES);
    return buffer_text(&buffer);
}

void
prove_order_read(struct arena *arena, const char *sql, const char *const *names, size_t count,
    struct prove_order *ret)
{
    struct ctx scratch = { .arena = arena };
    struct sql_tokens all;
    struct sql_tokens tokens = { 0 };
    struct layout layout;
    struct keys keys;

    *ret = (struct prove_order){ 0 };
    if (!sql_tokens(&scratch, sql, &all))
        return;
    for (size_t i = 0; i < all.count; i++)
        if (all.items[i].kind != SQL_COMMENT)
            VEC_PUSH(arena, &tokens, all.items[i]);
    read_layout(sql, &tokens, &layout);
    ret->is_ordered = layout.order > 0;
    ret->is_limited = layout.limit > 0;
    if (!layout.select || (!layout.order && !layout.limit))
        return;
    read_keys(arena, &layout, &(struct outputs){ names, count }, &keys);
    if (!keys.is_known)
        return;
    ret->places = arena_memdup(arena, keys.places, sizeof(keys.places));
    ret->place_count = keys.place_count;
    ret->added_count = keys.added_count;
    ret->with_keys = compose(arena, &layout, &keys, true);
    ret->without_limit = compose(arena, &layout, &keys, false);
}

/* A row and its sort keys as one text, and how often the statement gives it. */
struct candidate {
    const char *text;
    size_t left;
};

static const char *
sort_tuple(
    struct arena *arena, const struct prove_order *order, size_t columns, const char *const *cells)
{
    const char *keys[2 * MOST_SORT_KEYS];
    size_t count = 0;

    for (size_t i = 0; i < order->place_count; i++)
        keys[count++] = cells[order->places[i] - 1];
    for (size_t i = 0; i < order->added_count; i++)
        keys[count++] = cells[columns + i];
    return prove_tuple(arena, keys, count);
}

static void
gather_candidates(struct arena *arena, const struct prove_child *child, const struct result *result,
    struct map *candidates)
{
    for (size_t i = 0; i < result->rows; i++) {
        const char *const *cells = &result->cells[i * result->columns];
        const char *text = arena_printf(arena, "%s/%s", prove_tuple(arena, cells, child->columns),
            sort_tuple(arena, &child->order, child->columns, cells));
        struct candidate *candidate = map_get(candidates, text);

        if (!candidate) {
            candidate = ARENA_NEW(arena, struct candidate);
            map_set(candidates, text, candidate);
        }
        candidate->left++;
    }
}

bool
prove_is_open(struct proving *proving, const struct prove_child *child, const char *const *args,
    const char *const **rows, size_t count, bool *ret)
{
    struct ctx *ctx = proving->ctx;
    struct map candidates = { .arena = ctx->arena };
    struct prove_statement with;
    struct prove_statement without;
    struct result sorted;
    struct result all;
    const char *why = NULL;

    *ret = false;
    if (!child->order.with_keys)
        return true;
    if (!prove_prepare_again(proving, child->order.with_keys, &child->statement, &with) ||
        (with.name && !prove_try(proving, prove_call(ctx->arena, &with, args, with.type_count),
                          &sorted, &why)))
        return false;
    if (!with.name || why || sorted.rows != count ||
        sorted.columns != child->columns + child->order.added_count)
        return true;
    if (!prove_prepare_again(proving, child->order.without_limit, &child->statement, &without) ||
        (without.name &&
            !prove_try(
                proving, prove_call(ctx->arena, &without, args, without.type_count), &all, &why)))
        return false;
    if (!without.name || why)
        return true;
    gather_candidates(ctx->arena, child, &all, &candidates);
    for (size_t i = 0; i < count; i++) {
        const char *const *cells = &sorted.cells[i * sorted.columns];
        struct candidate *candidate = map_get(&candidates,
            arena_printf(ctx->arena, "%s/%s", prove_tuple(ctx->arena, rows[i], child->columns),
                sort_tuple(ctx->arena, &child->order, child->columns, cells)));

        if (!candidate || candidate->left == 0)
            return true;
        candidate->left--;
    }
    *ret = true;
    return true;
}
