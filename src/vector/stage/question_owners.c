/* Whose question it is: the tenant's that owns the row nearest to it. */
#include "db/ident.h"
#include "vector/stage/stage_parts.h"

/*
 * One read of the table: each vector is taken out of TOAST once (subvector() gives a copy) and
 * compared with all questions, which stand in memory. Before 0.7.0 there is no subvector().
 */
static const char *
owners_statement(struct arena *arena, const struct vector_target *target)
{
    const char *extension = db_ident(arena, target->extension_schema);
    const char *table = vector_table(arena, target);
    const char *tenant = db_ident(arena, target->tenant);
    const char *column = arena_printf(arena, "t.%s", db_ident(arena, target->column));
    struct buffer sql = { .arena = arena };

    if (target->extension_number >= 700)
        column = arena_printf(arena, "%s.subvector(%s, 1, %d)", extension, column, target->dims);
    buffer_printf(&sql,
        "WITH q AS MATERIALIZED (SELECT u.number, u.text::%s.%s AS v FROM"
        " pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS u (text, number)),"
        " nearest AS (SELECT d.number, r.tenant, pg_catalog.min(d.distance) AS distance FROM"
        " (SELECT t.%s::pg_catalog.text AS tenant, %s AS v FROM %s AS t WHERE t.%s IS NOT NULL AND"
        " t.%s IS NOT NULL OFFSET 0) AS r",
        extension, db_ident(arena, target->type), tenant, column, table, tenant,
        db_ident(arena, target->column));
    buffer_printf(&sql,
        " CROSS JOIN LATERAL (SELECT q.number, r.v OPERATOR(%s.%s) q.v AS distance FROM q OFFSET"
        " 0) AS d WHERE d.distance OPERATOR(pg_catalog.<>) 'NaN'::pg_catalog.float8"
        " GROUP BY d.number, r.tenant)"
        " SELECT DISTINCT ON (n.number) n.number, n.tenant FROM nearest AS n"
        " ORDER BY n.number, n.distance, n.tenant",
        extension, vector_metric_operator(target->metric));
    return buffer_text(&sql);
}

bool
stage_owners_find(struct ctx *ctx, const struct asking *asking, struct stage_given *given)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct text_list questions = { 0 };
    struct result result;
    size_t *places;

    if (!asking->target->tenant)
        return true;
    places = ARENA_ARRAY(ctx->arena, size_t, given->count);
    for (size_t i = 0; i < given->count; i++) {
        if (given->items[i].tenant)
            continue;
        places[questions.count] = i;
        text_list_add(ctx->arena, &questions, given->items[i].values);
    }
    if (questions.count == 0)
        return true;

    const char *params[] = { stage_array(ctx->arena, &questions) };

    vector_progress(asking->observer, "looking for the tenants of logged questions", -1, -1);
    if (!db_begin(ctx, asking->db, "READ ONLY", &transaction) ||
        !db_exec(ctx, asking->db, "SET LOCAL work_mem = '32MB'") ||
        !db_query(
            ctx, asking->db, owners_statement(ctx->arena, asking->target), params, 1, &result))
        return error_wrap(ctx, "looking for the tenants of the questions");
    for (size_t row = 0; row < result.rows; row++) {
        int64_t number;

        if (text_to_int64(result_cell(&result, row, 0), &number) && number >= 1 &&
            (size_t)number <= questions.count)
            given->items[places[number - 1]].tenant = result_cell(&result, row, 1);
    }
    return true;
}
