/* One child asked for all keys by one condition: = ANY, and grouped by key. */
#include <stdlib.h>

#include "db/ident.h"
#include "queries/rewrite/rewrite_part.h"

enum { TYPE_FLOAT4 = 700, TYPE_FLOAT8 = 701 };

/* Words that take the place of others in the child's text. */
struct edit {
    size_t start;
    size_t end;
    const char *text;
};
struct edits {
    struct edit *items;
    size_t count;
    size_t capacity;
};

/* The child with its one key. */
struct keyed {
    struct rewriting *rewriting;
    const struct rewrite_piece *piece;
    size_t slot; /* of the key among its parameters */
    struct shape_equality equality;
    const char *condition; /* what it becomes */
};

static int
compare_edits(const void *a, const void *b)
{
    const struct edit *left = a;
    const struct edit *right = b;

    return (left->start > right->start) - (left->start < right->start);
}

static const char *
apply(struct arena *arena, const char *text, struct edits *edits)
{
    struct buffer buffer = { .arena = arena };
    size_t done = 0;

    qsort(edits->items, edits->count, sizeof(edits->items[0]), compare_edits);
    for (size_t i = 0; i < edits->count; i++) {
        buffer_append(&buffer, text + done, edits->items[i].start - done);
        buffer_add(&buffer, edits->items[i].text);
        done = edits->items[i].end;
    }
    buffer_add(&buffer, text + done);
    return buffer_text(&buffer);
}

/* The condition, and all other parameters. */
static void
edit_values(struct rewrite_writing *writing, const struct keyed *keyed, struct edits *edits)
{
    struct arena *arena = keyed->rewriting->ctx->arena;
    const struct shape *shape = &keyed->piece->shape;

    for (size_t i = 0; i < shape->params.count; i++) {
        const struct shape_param *param = &shape->params.items[i];

        if ((size_t)param->number - 1 == keyed->slot)
            continue;
        VEC_PUSH(arena, edits,
            (struct edit){
                param->start, param->end, rewrite_value_text(writing, keyed->piece, param) });
    }
    VEC_PUSH(arena, edits,
        (struct edit){ keyed->equality.start, keyed->equality.end, keyed->condition });
}

/* NULL, and the place of the key: the child has one. */
static const char *
find_key(struct keyed *keyed)
{
    const struct rewrite_piece *piece = keyed->piece;

    if (piece->refusal)
        return piece->refusal;
    if (piece->key_count == 0)
        return "takes no key";
    if (!piece->is_of_key)
        return "takes another key";
    if (piece->key_count > 1)
        return "takes the key more than once";
    for (size_t i = 0; i < piece->loop->param_count; i++)
        if (piece->slots[i].is_key)
            keyed->slot = i;
    return NULL;
}

/* NULL, and what it becomes: the key is compared in one condition. */
static const char *
find_condition(struct keyed *keyed)
{
    const struct rewriting *rewriting = keyed->rewriting;
    const struct rewrite_piece *piece = keyed->piece;

    if (!piece->slots[keyed->slot].has_array || piece->slots[keyed->slot].is_array)
        return "takes a key of a type of which there are no arrays";
    if (!shape_key_equality(
            &piece->shape, rewriting->ctx->arena, (int32_t)keyed->slot + 1, &keyed->equality))
        return "does not compare the key by = with a column that all rows are filtered by";
    keyed->condition = arena_printf(rewriting->ctx->arena, "%s = ANY($1::%s[])",
        keyed->equality.column, piece->loop->params[keyed->slot].type_name);
    return NULL;
}

/* What "=" means for the first output of a statement that has $1 and the parameters so far. */
static bool
ask_equality(struct rewrite_writing *writing, const struct keyed *keyed, const char *sql,
    struct rewrite_equality *ret)
{
    struct rewriting *rewriting = keyed->rewriting;
    struct rewrite_loop loop = { .sql = sql, .param_count = writing->params.count + 1 };

    return rewrite_ask_columns(rewriting->ctx, rewriting->db, &loop) &&
           rewrite_ask_equality(
               rewriting->ctx, rewriting->db, &loop, 0, keyed->piece->slots[keyed->slot].type, ret);
}

/* Only a lost server is an error; what it does not take is a reason. */
static bool
refuse_or_fail(struct rewrite_writing *writing)
{
    struct rewriting *rewriting = writing->rewriting;
    struct ctx *ctx = rewriting->ctx;

    if (ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED)
        return error_wrap(ctx, "preparing the rewrite");
    rewrite_refuse(rewriting, writing->rewrite.form, NULL,
        arena_printf(ctx->arena, "the server does not take it: %s", ctx->error.message));
    error_clear(ctx);
    return true;
}

/* "key", or a name like it that no output has. */
static const char *
key_name(const struct keyed *keyed)
{
    struct rewriting *rewriting = keyed->rewriting;
    const struct rewrite_loop *loop = keyed->piece->loop;
    const char *name = rewrite_free_name(rewriting, "key");

    for (size_t i = 0; i < loop->column_count; i++) {
        if (strcmp(loop->columns[i].name, name) != 0)
            continue;
        name = rewrite_free_name(rewriting, arena_printf(rewriting->ctx->arena, "%s_", name));
        i = 0;
    }
    return name;
}

static const char *
any_sql(struct rewrite_writing *writing, const struct keyed *keyed, const char *name)
{
    struct arena *arena = keyed->rewriting->ctx->arena;
    const struct shape *shape = &keyed->piece->shape;
    size_t outputs = shape_outputs_start(shape);
    size_t order = shape->is_ordered ? shape_order_start(shape) : 0;
    struct edits edits = { 0 };
    const char *sql;

    edit_values(writing, keyed, &edits);
    VEC_PUSH(arena, &edits,
        (struct edit){ outputs, outputs,
            arena_printf(arena, " %s AS %s,", keyed->equality.column, db_ident(arena, name)) });
    if (order)
        VEC_PUSH(arena, &edits,
            (struct edit){ order, order, arena_printf(arena, " %s,", db_ident(arena, name)) });
    sql = apply(arena, shape->sql, &edits);
    return order ? sql : arena_printf(arena, "%s\n ORDER BY %s", sql, db_ident(arena, name));
}

static void
add_child_columns(struct rewrite_writing *writing, const struct rewrite_loop *loop)
{
    for (size_t i = 0; i < loop->column_count; i++)
        VEC_PUSH(writing->rewriting->ctx->arena, &writing->columns, loop->columns[i]);
}

bool
rewrite_write_any(struct rewriting *rewriting, size_t child)
{
    struct keyed keyed = { .rewriting = rewriting, .piece = &rewriting->children[child] };
    struct rewrite_writing writing = rewrite_writing_new(rewriting, REWRITE_ANY);
    const char *why = find_key(&keyed);
    struct rewrite_equality equality;
    const char *name;

    if (!why)
        why = shape_why_not_plain(&keyed.piece->shape, keyed.piece->may_gather);
    if (!why)
        why = find_condition(&keyed);
    if (why) {
        rewrite_refuse(rewriting, REWRITE_ANY, keyed.piece, why);
        return true;
    }
    name = key_name(&keyed);
    writing.rewrite.sql = any_sql(&writing, &keyed, name);
    writing.rewrite.key_type = keyed.piece->loop->params[keyed.slot].type_name;
    writing.rewrite.child = child;
    if (!ask_equality(&writing, &keyed, writing.rewrite.sql, &equality))
        return refuse_or_fail(&writing);
    if (!equality.is_default || !equality.is_exact) {
        rewrite_refuse(rewriting, REWRITE_ANY, keyed.piece,
            "compares values that may be equal and yet look different, so rows cannot be sorted out"
            " by key");
        return true;
    }
    VEC_PUSH(rewriting->ctx->arena, &writing.columns,
        (struct rewrite_column){ .name = name,
            .type = keyed.piece->slots[keyed.slot].type,
            .type_name = writing.rewrite.key_type });
    add_child_columns(&writing, keyed.piece->loop);
    writing.rewrite.why =
        "the key is compared once, by the type's own equality, with a column by which all rows are"
        " filtered: the rows of all keys together are the rows of each, and the column says whose"
        " they are";
    return rewrite_end(&writing);
}

/* The aggregates of all keys that have rows, and the key before them. */
static const char *
groups_sql(struct rewrite_writing *writing, const struct keyed *keyed)
{
    struct arena *arena = keyed->rewriting->ctx->arena;
    const struct shape *shape = &keyed->piece->shape;
    size_t outputs = shape_outputs_start(shape);
    struct edits edits = { 0 };

    edit_values(writing, keyed, &edits);
    VEC_PUSH(arena, &edits,
        (struct edit){ outputs, outputs, arena_printf(arena, " %s,", keyed->equality.column) });
    return arena_printf(
        arena, "%s\n GROUP BY %s", apply(arena, shape->sql, &edits), keyed->equality.column);
}

static void
grouped_sql(struct rewrite_writing *writing, const struct keyed *keyed,
    const struct shape_aggregates *aggregates, const char *groups)
{
    struct rewriting *rewriting = keyed->rewriting;
    struct arena *arena = rewriting->ctx->arena;
    const struct rewrite_loop *loop = keyed->piece->loop;
    const char *has = rewrite_has_name(arena, keyed->piece);
    struct buffer outputs = { .arena = arena };
    struct buffer names = { .arena = arena };

    rewrite_add_number(writing, "key_ord");
    rewrite_add_truth(writing, has);
    buffer_printf(&outputs, "SELECT k.ord AS key_ord, true AS %s", has);
    for (size_t i = 0; i < loop->column_count; i++) {
        const char *name = rewrite_add_column(writing, &loop->columns[i]);

        buffer_printf(&names, ", %s", name);
        if (aggregates->items[i].is_null)
            buffer_printf(&outputs, ", g.%s", name);
        else
            buffer_printf(
                &outputs, ", coalesce(g.%s, %s) AS %s", name, aggregates->items[i].otherwise, name);
    }

    const char *key = db_ident(arena, "key");

    writing->rewrite.key_type = loop->params[keyed->slot].type_name;
    writing->rewrite.sql = arena_printf(arena,
        "%s\n"
        "  FROM pg_catalog.unnest($1::%s[]) WITH ORDINALITY AS k(%s, ord)\n"
        "  LEFT JOIN (\n%s\n"
        "       ) AS g(%s%s) ON g.%s = k.%s\n"
        " ORDER BY k.ord",
        buffer_text(&outputs), writing->rewrite.key_type, key, groups, key, buffer_text(&names),
        key, key);
}

static const char *
why_not_grouped(const struct keyed *keyed, struct shape_aggregates *ret)
{
    const struct rewrite_loop *loop = keyed->piece->loop;
    const char *why =
        shape_why_not_grouped(&keyed->piece->shape, keyed->rewriting->ctx->arena, ret);

    if (why)
        return why;
    if (ret->count != loop->column_count)
        return "has outputs that are not written down";
    for (size_t i = 0; i < ret->count; i++)
        if (ret->items[i].is_sum &&
            (loop->columns[i].type == TYPE_FLOAT4 || loop->columns[i].type == TYPE_FLOAT8))
            return "adds up floating-point numbers, which depends on the order of the rows";
    return NULL;
}

bool
rewrite_write_grouped(struct rewriting *rewriting, size_t child)
{
    struct keyed keyed = { .rewriting = rewriting, .piece = &rewriting->children[child] };
    struct rewrite_writing writing = rewrite_writing_new(rewriting, REWRITE_GROUPED);
    struct shape_aggregates aggregates;
    const char *why = find_key(&keyed);
    struct rewrite_equality equality;
    const char *groups;

    if (!why)
        why = why_not_grouped(&keyed, &aggregates);
    if (!why)
        why = find_condition(&keyed);
    if (why) {
        rewrite_refuse(rewriting, REWRITE_GROUPED, keyed.piece, why);
        return true;
    }
    text_list_add(rewriting->ctx->arena, &writing.names, "key");
    groups = groups_sql(&writing, &keyed);
    if (!ask_equality(&writing, &keyed, groups, &equality))
        return refuse_or_fail(&writing);
    if (!equality.is_default) {
        rewrite_refuse(rewriting, REWRITE_GROUPED, keyed.piece,
            "compares the key by another equality than the one that groups go by");
        return true;
    }
    writing.rewrite.child = child;
    writing.seen_from = rewriting->input->child_count;
    grouped_sql(&writing, &keyed, &aggregates, groups);
    writing.rewrite.why =
        "the key is compared once, by the equality that groups go by, with a column by which all"
        " rows are filtered, and for a key without rows each aggregate has a known value";
    return rewrite_end(&writing);
}
