#include "base/clock.h"
#include "db/explain.h"
#include "db/ident.h"
#include "sql.h"
#include "vector/stage/stage.h"

/* More rows than these that tie with the last one are not listed: any of them is right. */
enum { MOST_TIES = 10000 };

/*
 * WITH TIES, so that of rows at the same distance any is right. "+ 0" makes the order one that no
 * approximate index gives. A row without a vector, or without a distance (a vector of length zero
 * has no cosine), is no answer.
 */
static const char *
exact_search(struct arena *arena, const struct vector_target *target)
{
    struct buffer sql = { .arena = arena };
    const char *extension = db_ident(arena, target->extension_schema);

    buffer_printf(&sql, "SELECT t.%s::pg_catalog.text, ((t.%s OPERATOR(%s.%s) $2::%s.%s)",
        db_ident(arena, target->key), db_ident(arena, target->column), extension,
        vector_metric_operator(target->metric), extension, db_ident(arena, target->type));
    buffer_printf(&sql,
        " OPERATOR(pg_catalog.+) 0::pg_catalog.float8) AS distance FROM %s AS t WHERE t.%s IS NOT"
        " NULL AND ",
        vector_table(arena, target), db_ident(arena, target->column));
    if (target->tenant)
        buffer_printf(&sql, "t.%s OPERATOR(pg_catalog.=) $1::%s", db_ident(arena, target->tenant),
            target->tenant_type);
    else
        buffer_add(&sql, "$1::pg_catalog.text IS NULL");
    for (size_t i = 0; i < target->filters.count; i++) {
        const struct vector_filter *filter = &target->filters.items[i];

        buffer_printf(&sql, " AND t.%s OPERATOR(pg_catalog.%s) %s::%s",
            db_ident(arena, filter->column), filter->operator, db_literal(arena, filter->value),
            filter->type);
    }
    buffer_add(&sql, " ORDER BY distance FETCH FIRST ($3::pg_catalog.int8) ROWS WITH TIES");
    return arena_printf(arena,
        "SELECT * FROM (%s) AS nearest WHERE nearest.distance OPERATOR(pg_catalog.<>) "
        "'NaN'::pg_catalog.float8",
        buffer_text(&sql));
}

/* Truth that came from an approximate index would prove everything. */
static bool
check_plan(struct ctx *ctx, struct db *db, const struct vector_target *target, const char *sql,
    const char *const *params)
{
    struct sql_vector_stage_approximate_rows indexes;
    const char *json;
    struct explain_plan plan;

    if (!sql_vector_stage_approximate(ctx, db, &indexes, .table_oid = target->table_oid) ||
        !db_value(ctx, db, arena_printf(ctx->arena, "EXPLAIN (FORMAT json, VERBOSE off) %s", sql),
            params, 3, &json) ||
        !json || !explain_read(ctx, json, &plan))
        return error_wrap(ctx, "looking at the plan of the exact search");
    for (size_t i = 0; i < indexes.count; i++)
        if (text_list_has(&plan.indexes, indexes.items[i].name))
            return error_set(ctx, ERR_FAILED,
                "the exact search would be served by the approximate index \"%s\"",
                indexes.items[i].name);
    return true;
}

static void
keep_answer(
    struct arena *arena, const struct result *result, size_t limit, struct vector_answer *ret)
{
    *ret = (struct vector_answer){ .due = result->rows < limit ? result->rows : limit };
    if (result->rows > MOST_TIES)
        return;
    for (size_t row = 0; row < result->rows; row++)
        text_list_add(arena, &ret->keys, arena_strdup(arena, result_cell(result, row, 0)));
}

/* Results of a query go into an arena of its own, so that only the keys stay. */
static bool
load_answer(struct ctx *ctx, struct db *db, const struct vector_target *target, const char *sql,
    const struct vector_query *query, struct vector_answer *ret)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx apart = { .arena = arena };
    const char *params[] = { query->tenant, query->values,
        arena_printf(arena, "%d", target->limit) };
    struct result result;

    if (!db_query(&apart, db, sql, params, COUNT_OF(params), &result)) {
        error_set(ctx, apart.error.kind, "%s", apart.error.message);
        return error_wrap(ctx, "searching exactly");
    }
    keep_answer(ctx->arena, &result, (size_t)target->limit, ret);
    return true;
}

bool
vector_answers_load(struct ctx *ctx, struct db *db, const struct vector_target *target,
    const struct vector_queries *queries, const struct vector_observer *observer,
    struct vector_answers *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *sql = exact_search(ctx->arena, target);
    int64_t start_us = clock_us();

    *ret = (struct vector_answers){ 0 };
    if (queries->count == 0)
        return true;
    if (!db_begin(ctx, db, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", &transaction))
        return false;

    const char *params[] = { queries->items[0].tenant, queries->items[0].values, "10" };

    if (!check_plan(ctx, db, target, sql, params))
        return false;
    for (size_t i = 0; i < queries->count; i++) {
        struct vector_answer answer;
        double ratio = (double)(i + 1) / (double)queries->count;
        int64_t spent_us;

        if (!load_answer(ctx, db, target, sql, &queries->items[i], &answer))
            return false;
        VEC_PUSH(ctx->arena, ret, answer);
        spent_us = clock_us() - start_us;
        vector_progress(observer, "searching exactly for the right answers", ratio,
            (int64_t)((double)spent_us / ratio) - spent_us);
    }
    return true;
}
