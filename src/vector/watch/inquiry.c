#include "vector/watch/inquiry.h"

#include "db/ident.h"
#include "sql.h"
#include "vector/install/install.h"
#include "vector/target/target.h"

/* A search that takes longer than this is as good as none. */
enum { TIMEOUT_US = 10000000, ROUNDS = 2 };

/* The choice may come from another database, or the table may have been made anew. */
static bool
find_table(struct ctx *ctx, struct db *db, struct vector_target *target)
{
    struct sql_catalog_table_rows tables;
    const char *name = vector_table(ctx->arena, target);

    if (!sql_catalog_table(ctx, db, &tables, .name = name))
        return false;
    if (tables.count != 1)
        return error_set(ctx, ERR_NOT_FOUND, "table %s does not exist", name);
    target->table_oid = tables.items[0].oid;
    return true;
}

/* The least importance is an argument of the function. */
static bool
is_least_importance(const struct vector_target *target, const struct vector_filter *filter)
{
    return text_equal(filter->column, target->importance) && text_equal(filter->operator, ">=");
}

/*
 * Whether the function asks what was measured: conditions by "=" and "<>" stand in it, the least
 * importance is an argument, others it does not have.
 */
static bool
can_express(const struct vector_target *target)
{
    for (size_t i = 0; i < target->filters.count; i++) {
        const struct vector_filter *filter = &target->filters.items[i];
        bool is_fixed = text_equal(filter->operator, "=") || text_equal(filter->operator, "<>");

        if (!is_least_importance(target, filter) &&
            (!is_fixed || text_equal(filter->column, target->importance)))
            return false;
    }
    return true;
}

static const char *
arguments_of(const struct vector_functions *functions, const char *name)
{
    for (size_t i = 0; i < functions->items.count; i++)
        if (text_equal(functions->items.items[i].name, name))
            return functions->items.items[i].arguments;
    return "";
}

static bool
find_function(struct ctx *ctx, struct inquiry *inquiry)
{
    static const char *const name = "search_embeddings_basic";
    struct vector_functions functions;
    struct sql_vector_check_function_rows found;

    if (!vector_functions_make(ctx, &inquiry->choice, "public", &functions) ||
        !sql_vector_check_function(ctx, inquiry->db, &found, .name = name,
            .table = vector_table(ctx->arena, &inquiry->choice.target),
            .arguments = arguments_of(&functions, name)))
        return error_wrap(ctx, "looking for %s", name);
    if (found.count == 0)
        return true;
    inquiry->function_schema = found.items[0].schema;
    if (found.items[0].is_callable && can_express(&inquiry->choice.target))
        inquiry->function = db_qualified(ctx->arena, found.items[0].schema, name);
    return true;
}

bool
inquiry_open(
    struct ctx *ctx, struct db *db, const struct vector_choice *choice, struct inquiry *ret)
{
    *ret = (struct inquiry){ .db = db, .choice = *choice };
    return find_table(ctx, db, &ret->choice.target) && find_function(ctx, ret) &&
           vector_sizes_load(ctx, db, &ret->choice.target, &ret->sizes);
}

/* NULL: none was measured. */
static const char *
least_importance(struct arena *arena, const struct vector_target *target)
{
    for (size_t i = 0; i < target->filters.count; i++)
        if (is_least_importance(target, &target->filters.items[i]))
            return db_literal(arena, target->filters.items[i].value);
    return NULL;
}

/*
 * The very call that applications make; its first column is the key, its order the answer's. The
 * least importance is given when it was measured, else it is left to the function.
 */
static const char *
call_sql(struct arena *arena, const struct inquiry *inquiry)
{
    const struct vector_target *target = &inquiry->choice.target;
    const char *least = target->importance ? least_importance(arena, target) : NULL;
    struct buffer sql = { .arena = arena };

    buffer_printf(&sql, "SELECT r.key::pg_catalog.text FROM %s(", inquiry->function);
    if (target->tenant)
        buffer_printf(&sql, "$1::%s, ", target->tenant_type);
    buffer_printf(&sql, "$2::%s, $3::pg_catalog.int4",
        db_qualified(arena, target->extension_schema, target->type));
    if (least)
        buffer_printf(&sql, ", %s::pg_catalog.float8", least);
    buffer_add(&sql, ") WITH ORDINALITY AS r(key) ORDER BY r.ordinality");
    return buffer_text(&sql);
}

/* The statement of a method, as the functions hold it; tenant: SQL. */
static const char *
method_sql(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const char *tenant)
{
    const char **filters = ARENA_ARRAY(arena, const char *, target->filters.count + 1);
    const struct vector_search search = {
        .tenant = target->tenant ? tenant : NULL,
        .vector = "$2",
        .limit = "$3",
        .filters = filters,
        .selected = arena_printf(arena, "t.%s", db_ident(arena, target->key)),
    };

    for (size_t i = 0; i < target->filters.count; i++)
        filters[i] = arena_printf(arena, "%s::%s",
            db_literal(arena, target->filters.items[i].value), target->filters.items[i].type);
    return vector_search_sql(arena, target, method, &search);
}

static bool
measure(struct ctx *ctx, struct inquiry *inquiry, const struct vector_probe *probe,
    const size_t *chosen, size_t chosen_count)
{
    struct vector_measurement measurement = {
        .db = inquiry->db,
        .target = &inquiry->choice.target,
        .queries = &inquiry->queries,
        .answers = &inquiry->answers,
        .chosen = chosen,
        .chosen_count = chosen_count,
        .rounds = ROUNDS,
        .timeout_us = TIMEOUT_US,
    };

    if (chosen && chosen_count == 0)
        return true;
    if (!vector_measure(ctx, &measurement, probe, 1, &inquiry->shots))
        return false;
    inquiry->meter = measurement.meter;
    return true;
}

/* Without the function: the statement of the method that each tenant has. */
static bool
measure_statements(struct ctx *ctx, struct inquiry *inquiry)
{
    const struct vector_choice *choice = &inquiry->choice;
    const struct vector_target *target = &choice->target;
    size_t count = inquiry->queries.count;

    for (size_t way = 0; way <= choice->specials.count; way++) {
        const struct vector_method *method =
            way == 0 ? &choice->base : &choice->specials.items[way - 1].method;
        const char **sql = ARENA_ARRAY(ctx->arena, const char *, count);
        size_t *chosen = ARENA_ARRAY(ctx->arena, size_t, count);
        size_t chosen_count = 0;
        struct vector_parts parts;
        struct vector_probe probe = {
            .name = vector_method_name(ctx->arena, method),
            .sql = method_sql(ctx->arena, target, method,
                arena_printf(ctx->arena, "$1::%s", target->tenant_type)),
        };

        for (size_t i = 0; i < count; i++) {
            const char *tenant = inquiry->queries.items[i].tenant;

            if (vector_choice_method(choice, tenant) != method)
                continue;
            chosen[chosen_count++] = i;
            /* A partial index is found by the value itself only. */
            if (method->scope == SCOPE_TENANT && tenant)
                sql[i] = method_sql(ctx->arena, target, method,
                    arena_printf(
                        ctx->arena, "%s::%s", db_literal(ctx->arena, tenant), target->tenant_type));
        }
        vector_method_parts(ctx->arena, target, method, NULL, "", &parts);
        probe.settings = parts.settings;
        probe.sql_by_tenant = sql;
        if (!measure(ctx, inquiry, &probe, chosen, chosen_count))
            return false;
    }
    return true;
}

bool
inquiry_ask(struct ctx *ctx, struct inquiry *inquiry, int32_t queries, int64_t seed,
    const struct vector_observer *observer)
{
    const struct vector_stage_options options = { .queries = queries, .seed = seed };
    struct vector_probe probe = { .name = inquiry->function };

    inquiry->shots = (struct vector_shots){ 0 };
    inquiry->queries = (struct vector_queries){ 0 };
    if (!vector_queries_sample(ctx, inquiry->db, &inquiry->choice.target, &inquiry->sizes, &options,
            &inquiry->queries) ||
        !vector_answers_load(ctx, inquiry->db, &inquiry->choice.target, &inquiry->queries, observer,
            &inquiry->answers))
        return false;
    vector_progress(observer, "asking the installed search", -1, -1);
    if (inquiry->function) {
        probe.sql = call_sql(ctx->arena, inquiry);
        if (!measure(ctx, inquiry, &probe, NULL, 0))
            return false;
    } else if (!measure_statements(ctx, inquiry)) {
        return false;
    }
    return true;
}

const struct vector_expectation *
inquiry_expected(const struct vector_choice *choice, const struct vector_bucket *bucket)
{
    for (size_t i = 0; i < choice->expected.count; i++)
        if (choice->expected.items[i].least_rows == bucket->least_rows &&
            choice->expected.items[i].measure.queries > 0)
            return &choice->expected.items[i];
    return NULL;
}

bool
inquiry_is_below(const struct vector_measure *measure, double wanted, double tolerance)
{
    return measure->queries > 0 && measure->recall.value < wanted - tolerance &&
           measure->recall.high < wanted - tolerance;
}
