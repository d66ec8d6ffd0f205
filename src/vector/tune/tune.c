#include "vector/tune/tune.h"

#include "base/clock.h"
#include "base/map.h"
#include "vector/tune/decide.h"
#include "vector/tune/run.h"

void
run_add(struct ctx *ctx, struct run *run, const struct vector_method *method)
{
    struct vector_candidate candidate = { .method = *method,
        .name = vector_method_name(ctx->arena, method),
        .build_cpu_us = -1,
        .can_be_applied = candidate_can_be_applied(method),
        .is_plan = candidate_is_plan(method) };

    VEC_PUSH(ctx->arena, &run->tuning->candidates, candidate);
    VEC_PUSH(ctx->arena, &run->shots, (struct vector_shots){ 0 });
    VEC_PUSH(ctx->arena, &run->done, false);
}

/* "held-out rows: 150", in the order in which they come. */
static void
count_sources(struct arena *arena, const struct vector_queries *queries, struct text_list *ret)
{
    struct map seen = { .arena = arena };

    for (size_t i = 0; i < queries->count; i++) {
        const char *source = queries->items[i].source ? queries->items[i].source : "unknown";
        size_t count = 0;

        if (map_get(&seen, source))
            continue;
        map_set(&seen, source, ret);
        for (size_t j = i; j < queries->count; j++) {
            const char *other = queries->items[j].source ? queries->items[j].source : "unknown";

            count += text_equal(source, other);
        }
        text_list_add(arena, ret, arena_printf(arena, "%s: %zu", source, count));
    }
}

static void
start(struct ctx *ctx, struct run *run, const struct vector_goal *goal)
{
    struct vector_tuning *tuning = run->tuning;
    const struct vector_stage *stage = run->stage;

    *tuning = (struct vector_tuning){ .target = stage->target,
        .sizes = stage->sizes,
        .goal = *goal,
        .sample_rows = stage->rows,
        .is_whole = stage->is_whole,
        .query_count = (int64_t)stage->queries.count,
        .started_us = clock_wall_us() };
    count_sources(ctx->arena, &stage->queries, &tuning->sources);
    for (size_t i = 0; i < stage->notes.count; i++)
        text_list_add(ctx->arena, &tuning->notes, stage->notes.items[i]);
    candidate_tenants(ctx->arena, &stage->sizes, &stage->queries, &run->tenants);
}

static bool
add_candidates(struct ctx *ctx, struct run *run, const char *use)
{
    struct vector_methods methods;

    if (!vector_candidates(ctx, &run->stage->target, &run->stage->sizes, use, &methods))
        return false;
    for (size_t i = 0; i < methods.count; i++)
        run_add(ctx, run, &methods.items[i]);
    return true;
}

/* Those of the first one's build that were not dealt with yet. */
static struct group
group_of(struct ctx *ctx, struct run *run, size_t first)
{
    const struct vector_method *method = &run->tuning->candidates.items[first].method;
    struct group group = { 0 };

    for (size_t i = first; i < run->tuning->candidates.count; i++) {
        if (run->done.items[i] ||
            !vector_method_same_build(method, &run->tuning->candidates.items[i].method))
            continue;
        run->done.items[i] = true;
        VEC_PUSH(ctx->arena, &group, i);
    }
    return group;
}

static void
show(const struct run *run, size_t place)
{
    double ratio = (double)place / (double)run->tuning->candidates.count;
    int64_t spent_us = clock_us() - run->start_us;

    vector_progress(run->observer, run->tuning->candidates.items[place].name, ratio,
        place > 0 ? (int64_t)((double)spent_us * (1 - ratio) / ratio) : -1);
}

static bool
measure_all(struct ctx *ctx, struct run *run)
{
    if (!extra_write_us(ctx, &run->builder, NULL, &run->bare_write_us))
        return false;
    for (size_t i = 0; i < run->tuning->candidates.count; i++) {
        struct group group;

        if (run->done.items[i])
            continue;
        show(run, i);
        group = group_of(ctx, run, i);
        if (!run_group(ctx, run, &group))
            return false;
    }
    return run_finals(ctx, run);
}

/* Of those that were asked for: the plan's own, else the one that misses the goal least. */
static void
choose_used(struct arena *arena, struct vector_tuning *tuning, const char *use)
{
    size_t found = tuning->candidates.count;
    double least = 0;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];
        struct goal_gap gap = goal_gap_of(tuning, candidate);
        double distance = goal_gap_distance(&gap) - (candidate->is_plan ? 1e6 : 0);

        if (!candidate_is_used(&candidate->method, use) || candidate->overall.queries == 0 ||
            candidate->method.scope == SCOPE_TENANT || !candidate->can_be_applied)
            continue;
        if (found == tuning->candidates.count || distance < least) {
            found = i;
            least = distance;
        }
    }
    if (found < tuning->candidates.count)
        vector_choose(arena, tuning, found);
}

static bool
is_chosen_used(const struct vector_tuning *tuning, const char *use)
{
    if (tuning->has_choice && candidate_is_used(&tuning->choice.base, use))
        return true;
    for (size_t i = 0; i < tuning->choice.specials.count; i++)
        if (candidate_is_used(&tuning->choice.specials.items[i].method, use))
            return true;
    return false;
}

static void
add_notes(struct ctx *ctx, struct run *run)
{
    struct vector_tuning *tuning = run->tuning;
    bool is_forced = false;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        is_forced = is_forced || (candidate->is_plan && candidate->was_built);
    }
    if (is_forced && tuning->target.tenant)
        text_list_add(ctx->arena, &tuning->notes,
            "approximate indexes without a btree beside them were measured with the planner made "
            "to use them; with one beside them it chose freely");
    if (tuning->meter == METER_WALL)
        text_list_add(ctx->arena, &tuning->notes,
            "the CPU time of the server cannot be seen from here: wall time stands in its place");
}

static bool
run_all(struct ctx *ctx, struct run *run, const struct vector_goal *goal, const char *use)
{
    struct vector_stage *stage = run->stage;

    start(ctx, run, goal);
    if (stage->queries.count == 0)
        return error_set(ctx, ERR_INPUT, "there are no questions to measure with");
    if (!add_candidates(ctx, run, use) ||
        !vector_answers_load(
            ctx, stage->db, &stage->target, &stage->queries, run->observer, &run->answers) ||
        !builder_open(ctx, stage, run->observer, &run->builder) || !measure_all(ctx, run))
        return false;
    vector_decide(ctx->arena, run->tuning);
    if (use && !is_chosen_used(run->tuning, use))
        choose_used(ctx->arena, run->tuning, use);
    if (!run_growth(ctx, run))
        return false;
    run->builder.is_last = true;
    if (!builder_clear(ctx, &run->builder))
        return false;
    add_notes(ctx, run);
    run->tuning->elapsed_us = clock_us() - run->start_us;
    return true;
}

bool
vector_tune(struct ctx *ctx, struct vector_stage *stage, const struct vector_goal *goal,
    const char *use, const struct vector_observer *observer, struct vector_tuning *ret)
{
    struct run run = { .stage = stage,
        .observer = observer,
        .tuning = ret,
        .start_us = clock_us(),
        .builder = { .meter = { .schedstat = -1, .stat = -1 } } };
    bool is_done = run_all(ctx, &run, goal, use);

    builder_close(&run.builder);
    return is_done || error_wrap(ctx, "tuning %s", vector_table(ctx->arena, &stage->target));
}
