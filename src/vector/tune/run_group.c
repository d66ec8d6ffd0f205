/* The candidates of one build: built, asked in rungs, removed. */
#include <inttypes.h>

#include "base/clock.h"
#include "vector/tune/run.h"

/* Of the time that is left, a build may take this much; the rest is for measuring. */
static const double share_for_building = 0.8;
static const int64_t minute_us = 60000000;

bool
run_is_over(const struct ctx *ctx, const struct run *run)
{
    return ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED ||
           !db_is_connected(run->stage->db);
}

static struct vector_candidate *
candidate_at(const struct run *run, const struct group *group, size_t place)
{
    return &run->tuning->candidates.items[group->items[place]];
}

static void
set_problem(struct run *run, const struct group *group, const char *problem)
{
    for (size_t i = 0; i < group->count; i++)
        candidate_at(run, group, i)->problem = problem;
}

/* Why there is no time for a build, with what would be enough; NULL: there is. */
static const char *
time_problem(struct arena *arena, const struct run *run, int64_t expected_us)
{
    int64_t limit_us = run->tuning->goal.time_us;
    int64_t spent_us = clock_us() - run->start_us;
    int64_t left_us = limit_us > spent_us ? limit_us - spent_us : 0;
    int64_t needed_us = spent_us + (int64_t)((double)expected_us / share_for_building);

    if (limit_us == 0 ||
        (left_us > 0 && (double)expected_us <= (double)left_us * share_for_building))
        return NULL;
    return arena_printf(arena,
        "not built: it would take about %s, and %s of the %s that were allowed are left; --time "
        "%" PRId64 "m allows it",
        text_from_us(arena, expected_us), text_from_us(arena, left_us),
        text_from_us(arena, limit_us), needed_us / minute_us + 1);
}

static void
keep_build(struct run *run, const struct group *group, const struct vector_build *build)
{
    for (size_t i = 0; i < group->count; i++) {
        struct vector_candidate *candidate = candidate_at(run, group, i);

        candidate->was_built = true;
        candidate->build_us = build->us;
        candidate->build_cpu_us = build->cpu_us;
        candidate->index_bytes = build->index_bytes;
        candidate->column_bytes = build->column_bytes;
    }
}

typedef const char *verdict_of(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate);

/* Those that are asked on; the others say why not. */
static struct group
survivors_of(struct ctx *ctx, struct run *run, const struct group *group, verdict_of *judge)
{
    struct group ret = { 0 };

    for (size_t i = 0; i < group->count; i++) {
        struct vector_candidate *candidate = candidate_at(run, group, i);
        const char *verdict = judge(ctx->arena, run->tuning, candidate);

        if (!verdict)
            VEC_PUSH(ctx->arena, &ret, group->items[i]);
        else
            candidate->problem = verdict;
    }
    return ret;
}

static bool
ask(struct ctx *ctx, struct run *run, const struct group *group,
    const struct halving_chosen *chosen, size_t rung)
{
    if (!run_measure(ctx, run, group, chosen))
        return false;
    for (size_t i = 0; i < group->count; i++) {
        run_summarise(ctx, run, group->items[i]);
        candidate_at(run, group, i)->rung = rung;
    }
    return true;
}

static bool
climb(struct ctx *ctx, struct run *run, struct group group)
{
    const struct vector_queries *queries = &run->stage->queries;

    for (size_t rung = 0; rung < RUNG_COUNT && group.count > 0; rung++) {
        const struct vector_method *method = &candidate_at(run, &group, 0)->method;
        struct halving_chosen chosen;

        halving_queries(ctx->arena, queries, method->scope == SCOPE_TENANT ? &run->tenants : NULL,
            rung, &chosen);
        if (rung == 0) {
            struct halving_chosen first;

            halving_split(ctx->arena, queries, &chosen, &first, &chosen);
            if (!ask(ctx, run, &group, &first, rung))
                return false;
            group = survivors_of(ctx, run, &group, halving_is_slow);
        }
        if (!ask(ctx, run, &group, &chosen, rung))
            return false;
        if (rung < RUNG_LAST)
            group = survivors_of(ctx, run, &group, halving_verdict);
    }
    return true;
}

/* Twice the largest K that was tried, while none of them finds what is asked for. */
static bool
next_bits(const struct run *run, const struct group *group, struct vector_method *ret)
{
    int32_t most = 0;

    for (size_t i = 0; i < group->count; i++) {
        const struct vector_candidate *candidate = candidate_at(run, group, i);
        struct goal_gap gap = goal_gap_of(run->tuning, candidate);

        if (candidate->method.family != FAMILY_BITS || (gap.recall <= 0 && gap.recall_worst <= 0))
            return false;
        if (candidate->method.candidates > most) {
            most = candidate->method.candidates;
            *ret = candidate->method;
        }
    }
    ret->candidates = most * 2;
    return most > 0 && ret->candidates <= MOST_RANKED_FACTOR * run->stage->target.limit;
}

static bool
climb_bits(
    struct ctx *ctx, struct run *run, const struct group *group, const struct vector_build *build)
{
    struct group all = { 0 };
    struct vector_method method = { 0 };

    for (size_t i = 0; i < group->count; i++)
        VEC_PUSH(ctx->arena, &all, group->items[i]);
    while (next_bits(run, &all, &method)) {
        struct group added = { 0 };

        run_add(ctx, run, &method);
        VEC_PUSH(ctx->arena, &added, run->tuning->candidates.count - 1);
        VEC_PUSH(ctx->arena, &all, added.items[0]);
        run->done.items[added.items[0]] = true;
        keep_build(run, &added, build);
        if (!climb(ctx, run, added))
            return false;
    }
    return true;
}

/* Writes go to the copy itself, so partitions are left out; a scan is what it is compared with. */
static bool
measure_writes(struct ctx *ctx, struct run *run, const struct group *group)
{
    const struct vector_method *method = &candidate_at(run, group, 0)->method;
    int64_t us;

    if (method->scope == SCOPE_HASH || method->scope == SCOPE_LIST)
        return true;
    if (!extra_write_us(ctx, &run->builder, method->family == FAMILY_SCAN ? NULL : method, &us))
        return false;
    for (size_t i = 0; i < run->tuning->candidates.count; i++) {
        struct vector_candidate *candidate = &run->tuning->candidates.items[i];

        if (us > 0 && run->bare_write_us > 0 && candidate->was_built &&
            vector_method_same_build(method, &candidate->method))
            candidate->write_cost =
                us > run->bare_write_us ? (double)us / (double)run->bare_write_us : 1;
    }
    return true;
}

/*
 * Beside the indexes of single tenants stands what serves all others, as it will in the live table:
 * the planner has the same choice there. It is not part of their cost.
 */
static bool
stand(
    struct ctx *ctx, struct run *run, const struct vector_method *method, struct vector_build *ret)
{
    static const struct vector_method exact = { .family = FAMILY_EXACT };
    const struct vector_method *const methods[] = { method, &exact };
    const struct build_wish alone = { .methods = methods, .count = 1, .tenants = &run->tenants };
    const struct build_wish others = { .methods = &methods[1], .count = 1 };
    const struct build_wish both = { .methods = methods, .count = 2, .tenants = &run->tenants };
    struct vector_build build;

    if (method->scope != SCOPE_TENANT)
        return builder_stand(ctx, &run->builder, &alone, ret);
    if (!builder_stand(ctx, &run->builder, &others, &build) ||
        !builder_stand(ctx, &run->builder, &both, ret))
        return false;
    ret->us -= build.us;
    ret->cpu_us -= ret->cpu_us >= 0 && build.cpu_us >= 0 ? build.cpu_us : 0;
    ret->index_bytes -= build.index_bytes;
    ret->column_bytes -= build.column_bytes;
    return true;
}

static bool
work(struct ctx *ctx, struct run *run, const struct group *group)
{
    struct vector_method method = candidate_at(run, group, 0)->method;
    struct vector_build build;

    if (!stand(ctx, run, &method, &build))
        return false;
    keep_build(run, group, &build);
    return climb(ctx, run, *group) && climb_bits(ctx, run, group, &build) &&
           measure_writes(ctx, run, group);
}

static bool
is_for_tenants(const struct vector_method *method)
{
    return method->scope == SCOPE_TENANT || method->scope == SCOPE_LIST;
}

/* What everything is compared with is measured however short the time is. */
static bool
is_needed(const struct vector_method *method)
{
    return method->family == FAMILY_EXACT && method->element == ELEMENT_COLUMN;
}

bool
run_group(struct ctx *ctx, struct run *run, const struct group *group)
{
    struct vector_method method = candidate_at(run, group, 0)->method;
    int64_t expected_us = builder_estimate_us(&run->builder, &method, &run->tenants);
    const char *problem = is_needed(&method) ? NULL : time_problem(ctx->arena, run, expected_us);

    if (!problem && is_for_tenants(&method) && run->tenants.count == 0)
        problem = "not built: no large tenant is in the copy";
    if (problem) {
        set_problem(run, group, problem);
        return true;
    }
    for (size_t i = 0; i < group->count && method.scope == SCOPE_TENANT; i++)
        for (size_t j = 0; j < run->tenants.count; j++)
            VEC_PUSH(ctx->arena, &candidate_at(run, group, i)->tenants, run->tenants.items[j]);
    if (work(ctx, run, group))
        return true;
    if (run_is_over(ctx, run))
        return false;
    vector_note(run->observer, ctx->error.message);
    for (size_t i = 0; i < run->tuning->candidates.count; i++) {
        struct vector_candidate *candidate = &run->tuning->candidates.items[i];

        if (vector_method_same_build(&candidate->method, &method) && !candidate->problem) {
            candidate->problem = ctx->error.message;
            candidate->buckets.count = 0;
            candidate->overall = (struct vector_measure){ 0 };
        }
    }
    error_clear(ctx);
    return builder_clear(ctx, &run->builder) || error_wrap(ctx, "tidying up the copy");
}
