/*
 * Choosing: the cheapest way that finds the right answers, unless a simpler or a much smaller one
 * is nearly as cheap.
 */
#include "vector/tune/decide.h"

/* So much dearer may be what is less than half as large. */
static const double cpu_for_size = 1.25;
static const double size_worth_it = 2;

enum { COMPLEXITY_SCAN = 0, COMPLEXITY_UNKNOWN = 9 };

/* How much a method asks of those who keep it running: fewer parts are less. */
static int
complexity_of(const struct vector_method *method)
{
    switch (method->family) {
    case FAMILY_SCAN:
        return COMPLEXITY_SCAN;
    case FAMILY_EXACT:
        if (method->element == ELEMENT_COLUMN)
            return 1;
        return method->element == ELEMENT_HALF ? 2 : 3;
    case FAMILY_BITS:
        return 4;
    case FAMILY_HNSW:
        return method->element == ELEMENT_BIT ? 6 : 5;
    case FAMILY_IVFFLAT:
        return method->element == ELEMENT_BIT ? 8 : 7;
    case FAMILY_COUNT:
        break;
    }
    return COMPLEXITY_UNKNOWN;
}

static bool
is_complete(const struct vector_candidate *candidate)
{
    return candidate->overall.queries > 0 && candidate->method.scope != SCOPE_TENANT;
}

/* All numbers of those that went out early are of fewer queries, so only the others compare. */
static size_t
last_rung(const struct vector_tuning *tuning)
{
    size_t last = 0;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        if (is_complete(candidate) && candidate->rung > last)
            last = candidate->rung;
    }
    return last;
}

static bool
is_no_worse(const struct vector_tuning *tuning, const struct vector_candidate *a,
    const struct vector_candidate *b)
{
    return a->overall.recall.value >= b->overall.recall.value &&
           a->overall.cpu_us_p95.value <= b->overall.cpu_us_p95.value &&
           goal_bytes(tuning, a) <= goal_bytes(tuning, b);
}

static bool
is_on_front(const struct vector_tuning *tuning, const struct vector_candidate *candidate)
{
    size_t last = last_rung(tuning);

    if (!is_complete(candidate) || candidate->rung < last)
        return false;
    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *other = &tuning->candidates.items[i];

        if (other == candidate || !is_complete(other) || other->rung < last)
            continue;
        if (is_no_worse(tuning, other, candidate) && !is_no_worse(tuning, candidate, other))
            return false;
    }
    return true;
}

static void
mark(struct vector_tuning *tuning)
{
    for (size_t i = 0; i < tuning->candidates.count; i++) {
        struct vector_candidate *candidate = &tuning->candidates.items[i];
        struct goal_gap gap = goal_gap_of(tuning, candidate);

        candidate->meets_goal = goal_gap_is_none(&gap);
        candidate->is_pareto = is_on_front(tuning, candidate);
    }
}

/* Whether it can serve all tenants of the live table; what went out early can not. */
static bool
can_be_base(const struct vector_tuning *tuning, const struct vector_candidate *candidate)
{
    return is_complete(candidate) && candidate->can_be_applied &&
           candidate_is_safe(&tuning->target, &candidate->method) &&
           candidate->rung == last_rung(tuning);
}

static bool
is_eligible(const struct vector_tuning *tuning, const struct vector_candidate *candidate)
{
    return can_be_base(tuning, candidate) && candidate->meets_goal;
}

static double
worst_recall(const struct vector_candidate *candidate)
{
    double worst = 1;

    for (size_t i = 0; i < candidate->buckets.count; i++) {
        const struct vector_measure *measure = &candidate->buckets.items[i];

        if (measure->queries > 0 && measure->recall.value < worst)
            worst = measure->recall.value;
    }
    return worst;
}

/* Simpler first; of the same build the one that finds more; else the cheaper one. */
static bool
is_preferred(const struct vector_candidate *a, const struct vector_candidate *b)
{
    int simpler = complexity_of(&a->method) - complexity_of(&b->method);

    if (simpler != 0)
        return simpler < 0;
    if (vector_method_same_build(&a->method, &b->method) && worst_recall(a) != worst_recall(b))
        return worst_recall(a) > worst_recall(b);
    return a->overall.cpu_us_p95.value < b->overall.cpu_us_p95.value;
}

static const struct vector_candidate *
find_cheapest(const struct vector_tuning *tuning)
{
    const struct vector_candidate *found = NULL;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        if (is_eligible(tuning, candidate) &&
            (!found || candidate->overall.cpu_us_p95.value < found->overall.cpu_us_p95.value))
            found = candidate;
    }
    return found;
}

static const struct vector_candidate *
find_simplest(const struct vector_tuning *tuning, const struct vector_candidate *cheapest)
{
    const struct vector_candidate *found = cheapest;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        if (is_eligible(tuning, candidate) && !goal_surely_cheaper(cheapest, candidate) &&
            is_preferred(candidate, found))
            found = candidate;
    }
    return found;
}

static const struct vector_candidate *
find_smaller(const struct vector_tuning *tuning, const struct vector_candidate *chosen)
{
    const struct vector_candidate *found = chosen;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];
        double limit = chosen->overall.cpu_us_p95.value * cpu_for_size;

        if (is_eligible(tuning, candidate) && candidate->overall.cpu_us_p95.value <= limit &&
            goal_bytes(tuning, candidate) * size_worth_it < goal_bytes(tuning, chosen) &&
            goal_bytes(tuning, candidate) < goal_bytes(tuning, found))
            found = candidate;
    }
    return found;
}

/* The mean over all queries when each bucket is served by what the decision has for it. */
static double
expected_recall(const struct decision *decision)
{
    double sum = 0;
    double queries = 0;

    for (size_t i = 0; i < decision->base->buckets.count; i++) {
        struct vector_measure measure = decide_expected(decision, i);

        sum += measure.recall.value * (double)measure.queries;
        queries += (double)measure.queries;
    }
    return queries > 0 ? sum / queries : 0;
}

/* Nothing meets the goal alone: the cheapest that does with indexes for the large tenants. */
static bool
decide_rescued(struct arena *arena, const struct vector_tuning *tuning, struct decision *ret)
{
    bool is_found = false;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];
        struct decision decision = { .base = candidate, .meets_goal = true };

        if (!can_be_base(tuning, candidate) || !decide_specials(arena, tuning, &decision) ||
            expected_recall(&decision) < tuning->goal.recall)
            continue;
        if (!is_found ||
            candidate->overall.cpu_us_p50.value < ret->base->overall.cpu_us_p50.value) {
            *ret = decision;
            is_found = true;
        }
    }
    return is_found;
}

static const struct vector_candidate *
find_nearest(const struct vector_tuning *tuning)
{
    const struct vector_candidate *found = NULL;
    double least = 0;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];
        struct goal_gap gap = goal_gap_of(tuning, candidate);
        double distance = goal_gap_distance(&gap);

        if (!is_complete(candidate) || !candidate->can_be_applied ||
            !candidate_is_safe(&tuning->target, &candidate->method))
            continue;
        if (!found || distance < least || (distance <= least && is_preferred(candidate, found))) {
            found = candidate;
            least = distance;
        }
    }
    return found;
}

static struct decision
decide(struct arena *arena, const struct vector_tuning *tuning)
{
    struct decision decision = { .meets_goal = true };
    const struct vector_candidate *cheapest = find_cheapest(tuning);

    if (cheapest) {
        const struct vector_candidate *simplest = find_simplest(tuning, cheapest);

        decision.base = find_smaller(tuning, simplest);
        decision.cheapest = simplest != cheapest && decision.base == simplest ? cheapest : NULL;
        decision.outweighed = decision.base != simplest ? simplest : NULL;
        if (!decide_specials(arena, tuning, &decision) ||
            expected_recall(&decision) < tuning->goal.recall)
            decision.specials.count = 0;
        return decision;
    }
    if (decide_rescued(arena, tuning, &decision))
        return decision;
    return (struct decision){ .base = find_nearest(tuning) };
}

struct ranked {
    int group; /* the chosen one, those measured, the others */
    double cpu_us;
    size_t place;
    struct vector_candidate candidate;
};

static int
compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a;
    const struct ranked *right = b;

    if (left->group != right->group)
        return left->group - right->group;
    if (left->cpu_us < right->cpu_us || left->cpu_us > right->cpu_us)
        return left->cpu_us < right->cpu_us ? -1 : 1;
    return (left->place > right->place) - (left->place < right->place);
}

static void
sort(struct arena *arena, struct vector_tuning *tuning, const struct vector_candidate *chosen)
{
    size_t count = tuning->candidates.count;
    struct ranked *ranked = ARENA_ARRAY(arena, struct ranked, count + 1);

    for (size_t i = 0; i < count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];
        int group = candidate->overall.queries > 0 ? 1 : 2;

        ranked[i] = (struct ranked){ .group = candidate == chosen ? 0 : group,
            .cpu_us = candidate->overall.cpu_us_p95.value,
            .place = i,
            .candidate = *candidate };
    }
    qsort(ranked, count, sizeof(ranked[0]), compare_ranked);
    for (size_t i = 0; i < count; i++)
        tuning->candidates.items[i] = ranked[i].candidate;
}

void
vector_decide(struct arena *arena, struct vector_tuning *tuning)
{
    struct decision decision;

    mark(tuning);
    decision = decide(arena, tuning);
    tuning->has_choice = decision.base && decision.meets_goal;
    decide_tell(arena, tuning, &decision);
    sort(arena, tuning, decision.base);
}

void
vector_choose(struct arena *arena, struct vector_tuning *tuning, size_t candidate)
{
    struct decision decision = { .base = &tuning->candidates.items[candidate] };

    mark(tuning);
    decision.meets_goal = decision.base->meets_goal;
    tuning->has_choice = decision.meets_goal;
    decide_tell(arena, tuning, &decision);
    sort(arena, tuning, decision.base);
}
