/* Which tenants get an approximate index of their own. */
#include "vector/tune/decide.h"

/* So much dearer may be what finds more. */
static const double cpu_for_recall = 1.25;

struct budget {
    size_t tenants;
    double bytes; /* below 0: no limit */
};

static bool
finds_enough(const struct vector_goal *goal, const struct vector_measure *measure)
{
    return goal_bucket_is_met(goal, measure) && measure->recall.value >= goal->recall;
}

/* Its measure in the bucket when it is for tenants and meets the goal there; else NULL. */
static const struct vector_measure *
good_measure(const struct vector_tuning *tuning, size_t place, size_t bucket)
{
    const struct vector_candidate *candidate = &tuning->candidates.items[place];

    if (candidate->method.scope != SCOPE_TENANT || bucket >= candidate->buckets.count ||
        !finds_enough(&tuning->goal, &candidate->buckets.items[bucket]))
        return NULL;
    return &candidate->buckets.items[bucket];
}

/*
 * Of those that meet the goal in this bucket the cheapest; or one that finds more and is nearly as
 * cheap, because no two builds of the same index are alike.
 */
static const struct vector_candidate *
find_candidate(const struct vector_tuning *tuning, size_t bucket)
{
    const struct vector_candidate *found = NULL;
    const struct vector_measure *best = NULL;
    double limit;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_measure *measure = good_measure(tuning, i, bucket);

        if (measure && (!best || measure->cpu_us_p95.value < best->cpu_us_p95.value)) {
            best = measure;
            found = &tuning->candidates.items[i];
        }
    }
    limit = best ? best->cpu_us_p95.value * cpu_for_recall : 0;
    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_measure *measure = good_measure(tuning, i, bucket);

        if (best && measure && measure->cpu_us_p95.value <= limit &&
            measure->recall.value > best->recall.value) {
            best = measure;
            found = &tuning->candidates.items[i];
        }
    }
    return found;
}

static bool
is_built_for(const struct vector_candidate *candidate, const char *tenant)
{
    for (size_t i = 0; i < candidate->tenants.count; i++)
        if (text_equal(candidate->tenants.items[i], tenant))
            return true;
    return false;
}

/* What such an index takes for a row, from those that were built. */
static double
bytes_per_row(const struct vector_tuning *tuning, const struct vector_candidate *candidate)
{
    double rows = 0;

    for (size_t i = 0; i < tuning->sizes.tenants.count; i++) {
        const struct vector_tenant *tenant = &tuning->sizes.tenants.items[i];

        if (tenant->value && is_built_for(candidate, tenant->value))
            rows += (double)tenant->rows;
    }
    return rows > 0 ? (double)candidate->index_bytes / rows : 0;
}

/* The largest tenants of the bucket, as many as the budget allows. */
static struct decided_special
collect(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate, size_t bucket, const struct budget *budget)
{
    struct decided_special special = {
        .candidate = candidate, .bucket = bucket, .is_whole_bucket = true
    };
    double each = bytes_per_row(tuning, candidate);

    for (size_t i = 0; i < tuning->sizes.tenants.count; i++) {
        const struct vector_tenant *tenant = &tuning->sizes.tenants.items[i];
        double bytes = each * (double)tenant->rows;

        if (tenant->bucket != bucket)
            continue;
        if (!tenant->value || tenant->rows < BIG_TENANT_ROWS ||
            special.tenants.count >= budget->tenants ||
            (budget->bytes >= 0 && special.bytes + bytes > budget->bytes)) {
            special.is_whole_bucket = false;
            continue;
        }
        text_list_add(arena, &special.tenants, tenant->value);
        special.bytes += bytes;
    }
    return special;
}

/*
 * Smaller tenants of the bucket stay with the base. When it is too slow for the bucket that is
 * because of the large ones, when it does not find enough that may be because of any.
 */
static bool
does_rescue(const struct vector_tuning *tuning, const struct decided_special *special,
    const struct vector_measure *base)
{
    size_t large = 0;

    if (special->is_whole_bucket)
        return true;
    if (base->queries == 0 || base->short_results > 0 ||
        base->recall.value < tuning->goal.recall_worst)
        return false;
    for (size_t i = 0; i < tuning->sizes.tenants.count; i++) {
        const struct vector_tenant *tenant = &tuning->sizes.tenants.items[i];

        large += tenant->bucket == special->bucket && tenant->rows >= BIG_TENANT_ROWS;
    }
    return special->tenants.count == large;
}

bool
decide_specials(struct arena *arena, const struct vector_tuning *tuning, struct decision *decision)
{
    const struct vector_candidate *base = decision->base;
    double most = (double)tuning->goal.most_bytes;
    struct budget budget = { .tenants = MOST_SPECIAL_TENANTS,
        .bytes = most > 0 ? most - goal_bytes(tuning, base) : -1 };
    bool is_met = true;

    if (most > 0 && budget.bytes < 0)
        return false;
    for (size_t bucket = base->buckets.count; bucket-- > 0;) {
        const struct vector_measure *measure = &base->buckets.items[bucket];
        const struct vector_candidate *candidate = find_candidate(tuning, bucket);
        bool is_needed = measure->queries > 0 && !goal_bucket_is_met(&tuning->goal, measure);

        if (candidate &&
            (is_needed || goal_worth_an_index(&candidate->buckets.items[bucket], measure))) {
            struct decided_special special = collect(arena, tuning, candidate, bucket, &budget);

            special.is_needed = is_needed;
            if (is_needed)
                is_met = is_met && does_rescue(tuning, &special, measure);
            if (special.tenants.count == 0)
                continue;
            budget.tenants -= special.tenants.count;
            budget.bytes -= budget.bytes >= 0 ? special.bytes : 0;
            VEC_PUSH(arena, &decision->specials, special);
        } else if (is_needed) {
            is_met = false;
        }
    }
    return is_met;
}

struct vector_measure
decide_expected(const struct decision *decision, size_t bucket)
{
    struct vector_measure measure = { 0 };

    if (bucket < decision->base->buckets.count)
        measure = decision->base->buckets.items[bucket];
    for (size_t i = 0; i < decision->specials.count; i++) {
        const struct decided_special *special = &decision->specials.items[i];
        const struct vector_measure *own = &special->candidate->buckets.items[bucket];

        if (special->bucket != bucket)
            continue;
        if (special->is_whole_bucket)
            return *own;
        /* Both serve the bucket, so no more is promised than the one that finds less. */
        if (measure.queries == 0 || own->recall.value < measure.recall.value) {
            measure.recall = own->recall;
            measure.recall_least = own->recall_least;
        }
        if (special->is_needed) {
            measure.wall_us_p50 = own->wall_us_p50;
            measure.wall_us_p95 = own->wall_us_p95;
            measure.cpu_us_p50 = own->cpu_us_p50;
            measure.cpu_us_p95 = own->cpu_us_p95;
        }
    }
    return measure;
}
