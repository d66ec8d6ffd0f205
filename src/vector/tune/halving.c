#include "vector/tune/halving.h"

#include "vector/tune/candidates.h"

enum { LEAST_OF_BUCKET = 5, FIRST_OF_BUCKET = 2 };

static bool
is_asked(const struct vector_query *query, const struct text_list *tenants)
{
    return !tenants || (query->tenant && text_list_has(tenants, query->tenant));
}

/* How many queries of a bucket the rungs up to this one ask. */
static size_t
share_of_rung(size_t count, size_t rung)
{
    size_t share = count;

    if (rung == 0)
        share = (count + 3) / 4;
    else if (rung < RUNG_LAST)
        share = (count + 1) / 2;
    if (share < LEAST_OF_BUCKET)
        share = LEAST_OF_BUCKET;
    return share < count ? share : count;
}

void
halving_queries(struct arena *arena, const struct vector_queries *queries,
    const struct text_list *tenants, size_t rung, struct halving_chosen *ret)
{
    size_t buckets = 0;

    *ret = (struct halving_chosen){ 0 };
    for (size_t i = 0; i < queries->count; i++)
        buckets = queries->items[i].bucket >= buckets ? queries->items[i].bucket + 1 : buckets;
    for (size_t bucket = 0; bucket < buckets; bucket++) {
        size_t count = 0;
        size_t seen = 0;

        for (size_t i = 0; i < queries->count; i++)
            count += queries->items[i].bucket == bucket && is_asked(&queries->items[i], tenants);

        size_t first = rung > 0 ? share_of_rung(count, rung - 1) : 0;
        size_t end = share_of_rung(count, rung);

        for (size_t i = 0; i < queries->count; i++) {
            if (queries->items[i].bucket != bucket || !is_asked(&queries->items[i], tenants))
                continue;
            if (seen >= first && seen < end)
                VEC_PUSH(arena, ret, i);
            seen++;
        }
    }
}

/* What is missed even if every interval is read in the candidate's favour. */
static const char *
sure_failure(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate)
{
    const struct vector_goal *goal = &tuning->goal;
    const struct vector_measure *overall = &candidate->overall;
    bool is_sure = overall->short_results > 0 || overall->recall.high < goal->recall;
    struct goal_gap gap = goal_gap_of(tuning, candidate);

    for (size_t i = 0; i < candidate->buckets.count && !is_sure; i++) {
        const struct vector_measure *measure = &candidate->buckets.items[i];

        is_sure = measure->queries > 0 &&
                  (measure->recall.high < goal->recall_worst ||
                      (goal->p95_us > 0 && measure->wall_us_p95.low > (double)goal->p95_us));
    }
    if (!is_sure && gap.bytes <= 0)
        return NULL;
    return goal_gap_text(arena, tuning, candidate, &gap);
}

/*
 * Only by one that went the whole way, for what meets the goal after few queries may miss it in the
 * end. A tenant's own index is compared where it was measured, and everything else as a whole.
 */
static bool
is_beaten_by(const struct vector_tuning *tuning, const struct vector_candidate *candidate,
    const struct vector_candidate *other)
{
    if (!other->can_be_applied || !candidate_is_safe(&tuning->target, &other->method) ||
        other->overall.queries == 0 ||
        (other->method.scope == SCOPE_TENANT) != (candidate->method.scope == SCOPE_TENANT))
        return false;

    struct goal_gap gap = goal_gap_of(tuning, other);

    return goal_gap_is_none(&gap) && other->rung == RUNG_LAST &&
           other->overall.cpu_us_p95.high < candidate->overall.cpu_us_p95.low &&
           goal_bytes(tuning, other) <= goal_bytes(tuning, candidate);
}

void
halving_split(struct arena *arena, const struct vector_queries *queries,
    const struct halving_chosen *chosen, struct halving_chosen *ret_first,
    struct halving_chosen *ret_rest)
{
    const struct halving_chosen all = *chosen;

    *ret_first = (struct halving_chosen){ 0 };
    *ret_rest = (struct halving_chosen){ 0 };
    for (size_t i = 0; i < all.count; i++) {
        size_t bucket = queries->items[all.items[i]].bucket;
        size_t before = 0;

        for (size_t j = 0; j < i; j++)
            before += queries->items[all.items[j]].bucket == bucket;
        if (before < FIRST_OF_BUCKET)
            VEC_PUSH(arena, ret_first, all.items[i]);
        else
            VEC_PUSH(arena, ret_rest, all.items[i]);
    }
}

const char *
halving_is_slow(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate)
{
    struct goal_gap gap = goal_gap_of(tuning, candidate);

    if (candidate->is_plan || candidate->method.family == FAMILY_SCAN || tuning->goal.p95_us == 0)
        return NULL;
    for (size_t i = 0; i < candidate->buckets.count; i++) {
        const struct vector_measure *measure = &candidate->buckets.items[i];

        if (measure->queries > 0 && measure->wall_us_p50.low > (double)tuning->goal.p95_us)
            return arena_printf(arena, "left out after %lld searches: %s",
                (long long)candidate->overall.queries,
                goal_gap_text(arena, tuning, candidate, &gap));
    }
    return NULL;
}

const char *
halving_verdict(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate)
{
    const char *failure;

    if (candidate->is_plan)
        return NULL;
    if (candidate->method.family == FAMILY_SCAN)
        return "measured with some of the queries, to compare with";
    failure = sure_failure(arena, tuning, candidate);
    if (failure)
        return arena_printf(arena, "left out after %lld searches: %s",
            (long long)candidate->overall.queries, failure);
    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *other = &tuning->candidates.items[i];

        if (other != candidate && is_beaten_by(tuning, candidate, other))
            return arena_printf(arena,
                "left out after %lld searches: %s meets the goal with less CPU, %s (p95)",
                (long long)candidate->overall.queries, other->name,
                text_from_us(arena, (int64_t)other->overall.cpu_us_p95.value));
    }
    return NULL;
}
