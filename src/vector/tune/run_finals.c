/* What comes after all candidates were measured. */
#include "vector/tune/decide.h"
#include "vector/tune/run.h"

/* How much dearer than the cheapest one may be and still be a finalist. */
static const double near = 2;

/*
 * Ways that order by an exact distance, or by one that no other index serves: for these the
 * planner chooses the same index whatever stands beside it.
 */
static bool
can_stand_beside(const struct vector_method *method)
{
    return method->family == FAMILY_EXACT || method->family == FAMILY_BITS;
}

static bool
is_good(const struct run *run, const struct vector_candidate *candidate)
{
    struct goal_gap gap = goal_gap_of(run->tuning, candidate);

    return goal_gap_is_none(&gap) && candidate->can_be_applied &&
           candidate_is_safe(&run->tuning->target, &candidate->method) &&
           candidate->rung == RUNG_LAST && candidate->method.scope == SCOPE_GLOBAL;
}

static double
least_cpu(const struct run *run)
{
    double least = 0;

    for (size_t i = 0; i < run->tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &run->tuning->candidates.items[i];
        double cpu = candidate->overall.cpu_us_p95.value;

        if (is_good(run, candidate) && (least <= 0 || cpu < least))
            least = cpu;
    }
    return least;
}

/* Copies of the vector in the row are two, and a page has room for one: the cheaper one. */
static bool
is_better_copy(const struct run *run, const struct vector_candidate *candidate)
{
    for (size_t i = 0; i < run->tuning->candidates.count; i++) {
        const struct vector_candidate *other = &run->tuning->candidates.items[i];

        if (other != candidate && is_good(run, other) && other->method.family == FAMILY_EXACT &&
            other->method.element != ELEMENT_COLUMN &&
            other->overall.cpu_us_p95.value < candidate->overall.cpu_us_p95.value)
            return false;
    }
    return true;
}

static void
find_finalists(struct ctx *ctx, const struct run *run, struct group *ret, size_t *ret_builds,
    size_t *ret_others)
{
    double limit = near * least_cpu(run);

    *ret = (struct group){ 0 };
    *ret_builds = 0;
    *ret_others = 0;
    for (size_t i = 0; i < run->tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &run->tuning->candidates.items[i];
        bool is_copy =
            candidate->method.family == FAMILY_EXACT && candidate->method.element != ELEMENT_COLUMN;
        bool is_new = true;

        if (!is_good(run, candidate) || candidate->overall.cpu_us_p95.value > limit ||
            (is_copy && !is_better_copy(run, candidate)))
            continue;
        if (!can_stand_beside(&candidate->method)) {
            *ret_others += 1;
            continue;
        }
        for (size_t j = 0; j < ret->count && is_new; j++)
            is_new = !vector_method_same_build(
                &candidate->method, &run->tuning->candidates.items[ret->items[j]].method);
        *ret_builds += is_new;
        VEC_PUSH(ctx->arena, ret, i);
    }
}

/* Makes room for the new shots; the old ones come back when the measuring fails. */
static bool
measure_again(struct ctx *ctx, struct run *run, const struct group *finalists)
{
    const struct vector_method **methods =
        ARENA_ARRAY(ctx->arena, const struct vector_method *, finalists->count);
    struct vector_shots *kept = ARENA_ARRAY(ctx->arena, struct vector_shots, finalists->count);
    const struct build_wish wish = { .methods = methods, .count = finalists->count };
    struct halving_chosen all = { 0 };
    struct vector_build build;
    bool is_done;

    for (size_t i = 0; i < finalists->count; i++)
        methods[i] = &run->tuning->candidates.items[finalists->items[i]].method;
    for (size_t i = 0; i < run->stage->queries.count; i++)
        VEC_PUSH(ctx->arena, &all, i);
    if (!builder_stand(ctx, &run->builder, &wish, &build))
        return false;
    for (size_t i = 0; i < finalists->count; i++) {
        kept[i] = run->shots.items[finalists->items[i]];
        run->shots.items[finalists->items[i]] = (struct vector_shots){ 0 };
    }
    is_done = run_measure(ctx, run, finalists, &all);
    for (size_t i = 0; i < finalists->count; i++) {
        if (!is_done)
            run->shots.items[finalists->items[i]] = kept[i];
        run_summarise(ctx, run, finalists->items[i]);
    }
    return is_done;
}

bool
run_finals(struct ctx *ctx, struct run *run)
{
    struct group finalists;
    struct text_list *notes = &run->tuning->notes;
    size_t builds;
    size_t others;

    find_finalists(ctx, run, &finalists, &builds, &others);
    if (others > 0 && builds + others > 1)
        text_list_add(ctx->arena, notes,
            "approximate indexes were measured one after the other, not side by side: a machine "
            "that was busy in between shows in their times");
    if (builds < 2)
        return true;
    vector_progress(run->observer, "measuring the best ones side by side", -1, -1);
    if (measure_again(ctx, run, &finalists)) {
        text_list_add(ctx->arena, notes,
            arena_printf(ctx->arena,
                "the times of the best %zu are of one run in which they stood side by side",
                finalists.count));
        return true;
    }
    if (run_is_over(ctx, run))
        return false;
    text_list_add(ctx->arena, notes,
        arena_printf(ctx->arena, "the best ones could not be measured side by side: %s",
            ctx->error.message));
    error_clear(ctx);
    return builder_clear(ctx, &run->builder);
}

/* Whether tenants of a bucket have an index of their own, for which the base does not count. */
static bool
has_special(const struct vector_tuning *tuning, size_t bucket)
{
    for (size_t i = 0; i < tuning->sizes.tenants.count; i++) {
        const struct vector_tenant *tenant = &tuning->sizes.tenants.items[i];

        if (tenant->bucket == bucket && tenant->value &&
            vector_choice_method(&tuning->choice, tenant->value) != &tuning->choice.base)
            return true;
    }
    return false;
}

/* Only for bits there is something to measure, so only they have to stand once more. */
bool
run_growth(struct ctx *ctx, struct run *run)
{
    const struct vector_method *method = &run->tuning->choice.base;
    const struct build_wish wish = { .methods = &method, .count = 1 };
    struct vector_candidate chosen;
    struct vector_build build;

    if (!run->tuning->has_choice || !can_stand_beside(method))
        return true;
    chosen = run->tuning->candidates.items[0];
    while (chosen.buckets.count > 0 && has_special(run->tuning, chosen.buckets.count - 1))
        chosen.buckets.count--;
    vector_progress(run->observer, "looking at what growth changes", -1, -1);
    if ((method->family != FAMILY_BITS || builder_stand(ctx, &run->builder, &wish, &build)) &&
        extra_drift(ctx, &run->builder, &chosen, &run->tuning->notes))
        return true;
    if (run_is_over(ctx, run))
        return false;
    text_list_add(ctx->arena, &run->tuning->notes,
        arena_printf(
            ctx->arena, "what growth changes could not be measured: %s", ctx->error.message));
    error_clear(ctx);
    return true;
}
