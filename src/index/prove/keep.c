/* Promises in schema pgmend: a value each, named for the index. */
#include "base/clock.h"
#include "db/explain.h"
#include "db/ident.h"
#include "index/prove/promise.h"
#include "index/sample/query.h"
#include "sql.h"

#define PREFIX "index.promise."

static const char *
value_name(struct arena *arena, const struct promise *promise)
{
    return arena_printf(arena, PREFIX "%s", db_qualified(arena, promise->schema, promise->name));
}

/* All users' calls of a statement, as far as pg_stat_statements knows. */
static void
put_counts(const struct workload *workload, struct promise_statement *statement)
{
    for (size_t i = 0; i < workload->count; i++) {
        const struct workload_statement *item = &workload->items[i];

        if (!text_equal(item->fingerprint, statement->fingerprint))
            continue;
        statement->has_counts = true;
        statement->calls += (double)item->calls;
        statement->total_ms += item->total_ms;
        statement->blocks += (double)(item->blocks_hit + item->blocks_read);
    }
}

/* Whether a plan of the statement reads the index now that it is there. */
static bool
is_in_plan(struct ctx *ctx, struct db *db, struct query_maker *maker,
    const struct promise_statement *statement, const char *index, bool *ret)
{
    const struct intake_statement taken = { .text = statement->query,
        .fingerprint = statement->fingerprint,
        .source = "promise",
        .calls = 1,
        .total_ms = -1,
        .rows = -1,
        .is_read = true };
    static const struct explain_options options;
    struct index_query query;

    if (!query_make(ctx, maker, &taken, &query))
        return false;
    for (size_t i = 0; !query.problem && i < query.instances.count && !*ret; i++) {
        struct explain_plan plan;

        if (explain_statement(ctx, db, query.instances.items[i].sql, &options, &plan))
            *ret = text_list_has(&plan.indexes, index);
        else if (ctx->error.kind == ERR_CONNECTION)
            return false;
        error_clear(ctx);
    }
    return true;
}

/* Two sessions, as the maker's is its own until it ends. */
static bool
ask_planner(struct ctx *ctx, struct db *db, struct promises *promises)
{
    const struct facts_options wanted = { .has_values = true };
    struct db *other CLEANUP(db_cleanup) = NULL;
    const struct db_options options = { .access = ACCESS_READ, .application = "pgmend/proof" };
    struct query_maker *maker = NULL;
    struct facts facts;
    bool is_good;

    if (!facts_load(ctx, db, &wanted, &facts) || !db_open_like(ctx, db, &options, &other) ||
        !query_maker_begin(ctx, other, &facts, NULL, &maker))
        return false;
    is_good = true;
    for (size_t i = 0; is_good && i < promises->count; i++) {
        struct promise *promise = &promises->items[i];

        for (size_t j = 0; is_good && j < promise->statements.count && !promise->is_taken; j++)
            is_good = is_in_plan(
                ctx, db, maker, &promise->statements.items[j], promise->name, &promise->is_taken);
    }
    query_maker_end(maker);
    return is_good;
}

static bool
keep(struct ctx *ctx, struct db *writer, const struct promise *promise)
{
    struct promise copy = *promise;
    const struct promises one = { .items = &copy, .count = 1 };
    json_t *json CLEANUP(json_release) = promises_to_json(&one);

    return sql_change_put_value(
        ctx, writer, .name = value_name(ctx->arena, promise), .value = json_text(ctx->arena, json));
}

static const char *
say(struct arena *arena, const struct promises *promises)
{
    struct text_list idle = { 0 };

    for (size_t i = 0; i < promises->count; i++)
        if (!promises->items[i].is_taken)
            text_list_add(arena, &idle, promises->items[i].name);
    if (idle.count == 0)
        return arena_printf(arena,
            "the planner takes %s; \"pgmend index prove\" tells what that brings once it was used",
            promises->count == 1 ? "the index" : "each index");
    return arena_printf(arena,
        "the planner takes %zu of %zu; not yet for what was promised: %s. \"pgmend index prove\" "
        "tells which pay",
        promises->count - idle.count, promises->count, text_list_join(arena, &idle, ", "));
}

bool
promises_begin(
    struct ctx *ctx, struct db *writer, struct db *db, const json_t *proof, const char **ret_text)
{
    struct promises promises;
    struct workload workload;
    const char *now = clock_text(ctx->arena, clock_wall_us());
    bool has_counts;

    if (!promises_from_json(ctx, proof, &promises))
        return error_wrap(ctx, "reading the plan's promises");
    has_counts = workload_read(ctx, db, &workload);
    if (!has_counts && ctx->error.kind == ERR_CONNECTION)
        return false;
    error_clear(ctx);
    if (!ask_planner(ctx, db, &promises))
        return error_wrap(ctx, "asking the planner for the new indexes");
    for (size_t i = 0; i < promises.count; i++) {
        struct promise *promise = &promises.items[i];

        promise->applied_at = now;
        for (size_t j = 0; has_counts && j < promise->statements.count; j++)
            put_counts(&workload, &promise->statements.items[j]);
        if (!keep(ctx, writer, promise))
            return error_wrap(ctx, "keeping what %s was built for", promise->name);
    }
    *ret_text = say(ctx->arena, &promises);
    return true;
}

bool
promises_load(struct ctx *ctx, struct db *db, struct promises *ret)
{
    struct sql_index_promises_rows rows;

    *ret = (struct promises){ 0 };
    if (!sql_index_promises(ctx, db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        json_t *json CLEANUP(json_release) = NULL;
        struct promises one;

        if (!json_parse(ctx, rows.items[i].name, rows.items[i].value, &json) ||
            !promises_from_json(ctx, json, &one))
            return error_wrap(ctx, "reading %s of schema pgmend", rows.items[i].name);
        for (size_t j = 0; j < one.count; j++)
            VEC_PUSH(ctx->arena, ret, one.items[j]);
    }
    return true;
}

bool
promise_forget(struct ctx *ctx, struct db *writer, const struct promise *promise)
{
    return sql_change_delete_value(ctx, writer, .name = value_name(ctx->arena, promise));
}
