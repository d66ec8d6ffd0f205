/* Asking candidates. */
#include "db/ident.h"
#include "vector/tune/run.h"

enum { ROUNDS = 2 };

/* A search that takes so much longer than is allowed need not be waited for. */
enum { TIMEOUT_FACTOR = 10 };
static const int64_t least_timeout_us = 1000000;
static const int64_t standard_timeout_us = 10000000;

static const char *
search(struct arena *arena, const struct vector_target *target, const struct vector_method *method,
    const char *tenant)
{
    const char **filters = ARENA_ARRAY(arena, const char *, target->filters.count + 1);
    struct vector_search wish = { .tenant = target->tenant ? tenant : NULL,
        .vector = "$2",
        .limit = "$3",
        .filters = filters,
        .selected = arena_printf(arena, "t.%s", db_ident(arena, target->key)) };

    for (size_t i = 0; i < target->filters.count; i++)
        filters[i] = arena_printf(arena, "%s::%s",
            db_literal(arena, target->filters.items[i].value), target->filters.items[i].type);
    return vector_search_sql(arena, target, method, &wish);
}

/* A partial index is for statements that name its tenant. */
static const char *const *
search_by_tenant(struct arena *arena, const struct run *run, const struct vector_target *target,
    const struct vector_method *method)
{
    const struct vector_queries *queries = &run->stage->queries;
    const char **statements = ARENA_ARRAY(arena, const char *, queries->count + 1);

    for (size_t i = 0; i < queries->count; i++) {
        const char *tenant = queries->items[i].tenant;

        if (tenant && text_list_has(&run->tenants, tenant))
            statements[i] = search(arena, target, method, db_literal(arena, tenant));
    }
    return statements;
}

/*
 * An approximate index without anything beside it is what is to be measured, also where the planner
 * would rather read the whole table. What is forbidden costs so much to the planner that it would
 * have the statement compiled.
 */
static bool
is_forced(const struct vector_target *target, const struct vector_method *method)
{
    return (method->family == FAMILY_HNSW || method->family == FAMILY_IVFFLAT) &&
           method->scope == SCOPE_GLOBAL && !method->with_btree && target->tenant;
}

static void
make_probe(struct arena *arena, const struct run *run, const struct vector_candidate *candidate,
    struct vector_probe *ret)
{
    const struct vector_method *method = &candidate->method;
    const struct vector_target *target = builder_target(&run->builder, method);
    struct vector_parts parts;

    vector_method_parts(arena, target, method, NULL, "", &parts);
    *ret = (struct vector_probe){ .name = candidate->name,
        .sql = search(arena, target, method, "$1"),
        .settings = parts.settings };
    if (method->scope == SCOPE_TENANT)
        ret->sql_by_tenant = search_by_tenant(arena, run, target, method);
    if (is_forced(target, method)) {
        text_list_add(arena, &ret->settings, "enable_seqscan=off");
        text_list_add(arena, &ret->settings, "enable_sort=off");
        text_list_add(arena, &ret->settings, "jit=off");
    }
}

static int64_t
timeout_us(const struct vector_goal *goal)
{
    int64_t limit = goal->p95_us * TIMEOUT_FACTOR;

    if (goal->p95_us == 0)
        return standard_timeout_us;
    return limit > least_timeout_us ? limit : least_timeout_us;
}

/* Statements and settings are needed only while they run; the shots stay. */
bool
run_measure(struct ctx *ctx, struct run *run, const struct group *group,
    const struct halving_chosen *chosen)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct vector_probe *probes = ARENA_ARRAY(arena, struct vector_probe, group->count + 1);
    struct vector_shots *shots = ARENA_ARRAY(arena, struct vector_shots, group->count + 1);
    struct vector_measurement measurement = { .db = run->stage->db,
        .target = &run->stage->target,
        .queries = &run->stage->queries,
        .answers = &run->answers,
        .chosen = chosen->items,
        .chosen_count = chosen->count,
        .rounds = ROUNDS,
        .timeout_us = timeout_us(&run->tuning->goal) };

    if (group->count == 0 || chosen->count == 0)
        return true;
    for (size_t i = 0; i < group->count; i++) {
        make_probe(arena, run, &run->tuning->candidates.items[group->items[i]], &probes[i]);
        shots[i] = run->shots.items[group->items[i]];
    }
    if (!vector_measure(ctx, &measurement, probes, group->count, shots))
        return false;
    run->tuning->meter = measurement.meter;
    for (size_t i = 0; i < group->count; i++)
        run->shots.items[group->items[i]] = shots[i];
    return true;
}

void
run_summarise(struct ctx *ctx, struct run *run, size_t place)
{
    struct vector_candidate *candidate = &run->tuning->candidates.items[place];
    const struct vector_shots *shots = &run->shots.items[place];
    const struct vector_queries *queries = &run->stage->queries;
    int32_t limit = run->stage->target.limit;

    candidate->buckets.count = 0;
    for (size_t i = 0; i < run->stage->sizes.buckets.count; i++) {
        struct vector_measure measure = { 0 };

        vector_summarise(ctx->arena, shots, queries, i, limit, &measure);
        VEC_PUSH(ctx->arena, &candidate->buckets, measure);
    }
    vector_summarise(ctx->arena, shots, queries, SIZE_MAX, limit, &candidate->overall);
}
