/* What only the server knows of a statement: types, what is volatile, what equality means. */
#include "base/json.h"
#include "queries/rewrite/rewrite_part.h"
#include "sql.h"

#define PREPARED "pgmend_rewrite"

static const char timeout_ms[] = "10000";

static bool
begin(struct ctx *ctx, struct db *db, struct db_transaction *ret)
{
    struct sql_queries_rewrite_settings_rows ignored;

    return db_begin(ctx, db, "READ ONLY", ret) &&
           sql_queries_rewrite_settings(ctx, db, &ignored, .timeout = timeout_ms);
}

bool
rewrite_ask_types(struct ctx *ctx, struct db *db, const char *sql, struct rewrite_types *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_queries_rewrite_types_rows rows;

    *ret = (struct rewrite_types){ 0 };
    if (!begin(ctx, db, &transaction) ||
        !db_exec(ctx, db, arena_printf(ctx->arena, "PREPARE " PREPARED " AS %s", sql)))
        return false;

    /* A prepared statement outlives the transaction. */
    if (!sql_queries_rewrite_types(ctx, db, &rows, .name = PREPARED) ||
        !db_exec(ctx, db, "DEALLOCATE " PREPARED))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        VEC_PUSH(ctx->arena, ret,
            (struct rewrite_type){
                .type = rows.items[i].type,
                .name = rows.items[i].type_name,
                .has_array = rows.items[i].has_array,
                .is_array = rows.items[i].is_array,
                .is_number = rows.items[i].is_number,
            });
    return true;
}

static const char *
place_name(struct arena *arena, size_t column)
{
    return arena_printf(arena, "v%zu", column + 1);
}

/* The statement as a table that gives no rows but is there, with its columns named by their places. */
static const char *
as_table(struct arena *arena, const struct rewrite_loop *loop, size_t columns)
{
    struct buffer buffer = { .arena = arena };

    buffer_printf(&buffer,
        " FROM (SELECT) AS one LEFT JOIN (SELECT * FROM (\n%s\n) AS d LIMIT 0) AS d", loop->sql);
    for (size_t i = 0; i < columns; i++)
        buffer_printf(&buffer, "%s%s", i ? ", " : "(", place_name(arena, i));
    buffer_printf(&buffer, "%s ON true", columns ? ")" : "");
    return buffer_text(&buffer);
}

static const char *const *
nulls(struct arena *arena, const struct rewrite_loop *loop)
{
    return ARENA_ARRAY(arena, const char *, loop->param_count + 1);
}

static bool
ask_row(struct ctx *ctx, struct db *db, const struct rewrite_loop *loop, const char *sql,
    struct result *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    return begin(ctx, db, &transaction) &&
           db_query(ctx, db, sql, nulls(ctx->arena, loop), loop->param_count, ret);
}

bool
rewrite_ask_columns(struct ctx *ctx, struct db *db, struct rewrite_loop *loop)
{
    struct buffer types = { .arena = ctx->arena };
    struct result names;
    struct result row;
    int64_t type = 0;

    if (!ask_row(ctx, db, loop,
            arena_printf(ctx->arena, "SELECT * FROM (\n%s\n) AS d LIMIT 0", loop->sql), &names))
        return false;
    for (size_t i = 0; i < names.columns; i++)
        buffer_printf(&types,
            "%s pg_catalog.pg_typeof(d.%s)::pg_catalog.oid,"
            " pg_catalog.format_type(pg_catalog.pg_typeof(d.%s), -1)",
            i ? "," : "", place_name(ctx->arena, i), place_name(ctx->arena, i));
    loop->columns = ARENA_ARRAY(ctx->arena, struct rewrite_column, names.columns + 1);
    loop->column_count = names.columns;
    if (names.columns == 0)
        return true;

    const char *sql = arena_printf(
        ctx->arena, "SELECT%s%s", buffer_text(&types), as_table(ctx->arena, loop, names.columns));

    if (!ask_row(ctx, db, loop, sql, &row))
        return false;
    for (size_t i = 0; i < names.columns && row.rows == 1; i++) {
        const char *oid = result_cell(&row, 0, 2 * i);

        loop->columns[i] = (struct rewrite_column){
            .name = names.names[i],
            .type = oid && text_to_int64(oid, &type) ? (uint32_t)type : 0,
            .type_name = result_cell(&row, 0, 2 * i + 1),
        };
    }
    return true;
}

static json_t *
names_json(const struct shape_name *names, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "schema", names[i].schema, "name",
                                        names[i].name, "is_operator", names[i].is_operator));
    return list;
}

/* The function's name stands among the outputs themselves. */
static bool
is_on_top(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->top_calls.count; i++)
        if (strcmp(shape->top_calls.items[i].name, name) == 0)
            return true;
    return false;
}

/* All columns of a unique index have one value each. */
static bool
ask_unique(struct ctx *ctx, struct db *db, const struct shape *shape, bool *ret)
{
    struct sql_queries_rewrite_unique_rows indexes;
    struct text_list fixed;

    *ret = false;
    shape_fixed_columns(shape, ctx->arena, &fixed);
    if (fixed.count == 0)
        return true;

    const json_t *range =
        json_object_get(json_array_get(json_object_get(shape->body, "fromClause"), 0), "RangeVar");

    if (!sql_queries_rewrite_unique(ctx, db, &indexes,
            .schema_name = json_get_text(ctx->arena, range, "schemaname", ""),
            .table_name = json_get_text(ctx->arena, range, "relname", "")))
        return false;
    for (size_t i = 0; i < indexes.count && !*ret; i++) {
        json_t *columns CLEANUP(json_release) = NULL;
        const json_t *column;
        size_t j;

        if (!json_parse(ctx, "the columns of an index", indexes.items[i].columns, &columns))
            return false;
        *ret = true;
        json_array_foreach(columns, j, column) *ret =
            *ret && text_list_has(&fixed, json_string_value(column));
    }
    return true;
}

static void
judge_calls(struct ctx *ctx, const struct sql_queries_rewrite_functions_rows *calls, bool is_unique,
    struct rewrite_piece *piece)
{
    bool is_set = false;

    for (size_t i = 0; i < calls->count; i++) {
        const struct sql_queries_rewrite_functions *call = &calls->items[i];

        if (call->is_volatile && !piece->refusal)
            piece->refusal = arena_printf(ctx->arena, "calls the volatile %s %s%s",
                call->is_operator ? "operator" : "function", call->name,
                call->is_operator ? "" : "()");
        if (call->is_operator || !is_on_top(&piece->shape, call->name))
            continue;
        is_set |= call->gives_rows;
        piece->has_aggregate |= call->is_aggregate;
        piece->may_gather |= call->may_gather;
    }
    piece->rows = shape_rows_of(&piece->shape, piece->has_aggregate, is_set);
    if (piece->may_gather && !piece->has_aggregate)
        piece->rows = SHAPE_MANY;
    if (piece->rows == SHAPE_MANY && is_unique && !is_set)
        piece->rows = SHAPE_ONE_AT_MOST;
}

bool
rewrite_ask_calls(struct ctx *ctx, struct db *db, struct rewrite_piece *piece)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const struct shape *shape = &piece->shape;
    json_t *calls CLEANUP(json_release) = names_json(shape->calls.items, shape->calls.count);
    json_t *tables CLEANUP(json_release) =
        names_json(shape->relations.items, shape->relations.count);
    struct sql_queries_rewrite_functions_rows functions;
    struct sql_queries_rewrite_relations_rows relations;
    const char *other = piece->refusal;
    bool is_unique;

    piece->refusal = NULL;
    if (!begin(ctx, db, &transaction) ||
        !sql_queries_rewrite_functions(
            ctx, db, &functions, .named = json_text(ctx->arena, calls)) ||
        !sql_queries_rewrite_relations(
            ctx, db, &relations, .named = json_text(ctx->arena, tables)) ||
        !ask_unique(ctx, db, shape, &is_unique))
        return false;
    judge_calls(ctx, &functions, is_unique, piece);
    if (relations.count && !piece->refusal)
        piece->refusal =
            arena_printf(ctx->arena, "reads %s, which calls the volatile function %s()",
                relations.items[0].relation, relations.items[0].function);
    piece->is_unsafe = piece->refusal != NULL;
    if (!piece->refusal)
        piece->refusal = other;
    return true;
}

bool
rewrite_ask_collation(struct ctx *ctx, struct db *db, const struct rewrite_loop *loop,
    size_t column, bool *ret_is_default)
{
    const char *place = place_name(ctx->arena, column);
    struct result row;

    *ret_is_default = true;

    /* What is not collatable has no collation to be asked for; a text of any type has one. */
    const char *sql = arena_printf(ctx->arena,
        "SELECT t.typcollation <> 0 FROM pg_catalog.pg_type AS t WHERE t.oid = %u",
        loop->columns[column].type);
    const struct rewrite_loop none = { 0 };

    if (!ask_row(ctx, db, &none, sql, &row))
        return false;
    if (row.rows != 1 || !text_equal(result_cell(&row, 0, 0), "t"))
        return true;
    sql = arena_printf(ctx->arena,
        "SELECT pg_catalog.pg_collation_for(d.%s) OPERATOR(pg_catalog.=) '\"default\"'%s", place,
        as_table(ctx->arena, loop, loop->column_count));
    if (!ask_row(ctx, db, loop, sql, &row))
        return false;
    *ret_is_default = row.rows == 1 && text_equal(result_cell(&row, 0, 0), "t");
    return true;
}

/* Whether the collation of an output takes no two different texts for equal. */
static bool
ask_deterministic(
    struct ctx *ctx, struct db *db, const struct rewrite_loop *loop, size_t column, bool *ret)
{
    const char *sql = arena_printf(ctx->arena,
        "SELECT (SELECT c.collisdeterministic FROM pg_catalog.pg_collation AS c"
        " WHERE c.oid = pg_catalog.pg_collation_for(d.%s)::pg_catalog.regcollation)%s",
        place_name(ctx->arena, column), as_table(ctx->arena, loop, loop->column_count));
    struct result row;

    if (!ask_row(ctx, db, loop, sql, &row))
        return false;
    *ret = row.rows == 1 && text_equal(result_cell(&row, 0, 0), "t");
    return true;
}

bool
rewrite_ask_equality(struct ctx *ctx, struct db *db, const struct rewrite_loop *loop, size_t column,
    uint32_t key_type, struct rewrite_equality *ret)
{
    struct sql_queries_rewrite_equality_rows rows;
    bool is_default = true;
    bool is_good = true;

    *ret = (struct rewrite_equality){ 0 };
    {
        struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

        if (!begin(ctx, db, &transaction) ||
            !sql_queries_rewrite_equality(
                ctx, db, &rows, .column_type = loop->columns[column].type, .key_type = key_type))
            return false;
    }
    if (rows.count != 1)
        return true;
    *ret = (struct rewrite_equality){ .is_default = rows.items[0].is_default,
        .is_exact = rows.items[0].is_exact };
    if (!rewrite_ask_collation(ctx, db, loop, column, &is_default))
        return false;
    if (!is_default && !ask_deterministic(ctx, db, loop, column, &is_good))
        return false;
    ret->is_exact = ret->is_exact && is_good;
    return true;
}
