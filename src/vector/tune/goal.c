#include "vector/tune/goal.h"

/* Gains below these are not worth anything less simple, and not worth an approximate index. */
static const double least_gain = 0.25;
static const double least_approximate_gain = 0.5;

/* And below this a search spends more time in being sent and planned than in finding. */
static const double least_saved_us = 2000;

/* How much worse a wrong answer is than a slow one. */
static const double recall_weight = 10;

/* Of shares that were computed in floating point. */
static const double rounding = 1e-9;

static double
above(double value, double least)
{
    return value > least ? value - least : 0;
}

double
goal_bytes(const struct vector_tuning *tuning, const struct vector_candidate *candidate)
{
    double bytes = (double)(candidate->index_bytes + candidate->column_bytes);

    if (tuning->is_whole || tuning->sample_rows <= 0 || candidate->method.scope == SCOPE_TENANT ||
        tuning->sizes.rows <= tuning->sample_rows)
        return bytes;
    return bytes * (double)tuning->sizes.rows / (double)tuning->sample_rows;
}

bool
goal_bucket_is_met(const struct vector_goal *goal, const struct vector_measure *measure)
{
    return measure->queries > 0 && measure->short_results == 0 &&
           measure->recall.value >= goal->recall_worst - rounding &&
           (goal->p95_us == 0 || measure->wall_us_p95.value <= (double)goal->p95_us);
}

struct goal_gap
goal_gap_of(const struct vector_tuning *tuning, const struct vector_candidate *candidate)
{
    const struct vector_goal *goal = &tuning->goal;
    const struct vector_measure *overall = &candidate->overall;
    struct goal_gap gap = { 0 };
    double worst = 2;
    double slowest = -1;

    if (overall->queries == 0)
        return (struct goal_gap){ .recall = 1, .recall_worst = 1, .short_results = 1 };
    gap.recall = above(goal->recall, overall->recall.value + rounding);
    gap.short_results = (double)overall->short_results / (double)overall->queries;
    for (size_t i = 0; i < candidate->buckets.count; i++) {
        const struct vector_measure *measure = &candidate->buckets.items[i];

        if (measure->queries > 0 && measure->recall.value < worst) {
            worst = measure->recall.value;
            gap.worst_bucket = i;
        }
        if (measure->queries > 0 && measure->wall_us_p95.value > slowest) {
            slowest = measure->wall_us_p95.value;
            gap.slowest_bucket = i;
        }
    }
    gap.worst = worst;
    gap.recall_worst = above(goal->recall_worst, worst + rounding);
    if (goal->p95_us > 0)
        gap.p95 = above(slowest / (double)goal->p95_us, 1);
    if (goal->most_bytes > 0)
        gap.bytes = above(goal_bytes(tuning, candidate) / (double)goal->most_bytes, 1);
    return gap;
}

bool
goal_gap_is_none(const struct goal_gap *gap)
{
    return gap->recall <= 0 && gap->recall_worst <= 0 && gap->short_results <= 0 && gap->p95 <= 0 &&
           gap->bytes <= 0;
}

double
goal_gap_distance(const struct goal_gap *gap)
{
    return recall_weight * (gap->recall + gap->recall_worst + gap->short_results) + gap->p95 +
           gap->bytes;
}

const char *
goal_share_text(struct arena *arena, double share)
{
    return arena_printf(arena, "%.4g %%", share * 100);
}

static void
add_part(struct buffer *text, const char *part)
{
    buffer_printf(text, "%s%s", text->length > 0 ? "; " : "", part);
}

static const char *
bucket_name(const struct vector_tuning *tuning, size_t bucket)
{
    return bucket < tuning->sizes.buckets.count ? tuning->sizes.buckets.items[bucket].name : "all";
}

const char *
goal_gap_text(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate, const struct goal_gap *gap)
{
    const struct vector_goal *goal = &tuning->goal;
    struct buffer text = { .arena = arena };

    if (candidate->overall.queries == 0)
        return "was not measured";
    if (gap->recall > 0)
        add_part(&text, arena_printf(arena, "finds %s of the right answers where %s are asked for",
                            goal_share_text(arena, candidate->overall.recall.value),
                            goal_share_text(arena, goal->recall)));
    if (gap->recall_worst > 0)
        add_part(
            &text, arena_printf(arena, "finds %s in the bucket of %s where %s are asked for",
                       goal_share_text(arena, gap->worst), bucket_name(tuning, gap->worst_bucket),
                       goal_share_text(arena, goal->recall_worst)));
    if (gap->short_results > 0)
        add_part(&text, arena_printf(arena, "returns too few rows for %s of the searches",
                            goal_share_text(arena, gap->short_results)));
    if (gap->p95 > 0)
        add_part(&text,
            arena_printf(arena, "takes %s (p95) in the bucket of %s where %s are allowed",
                text_from_us(arena, (int64_t)((gap->p95 + 1) * (double)goal->p95_us)),
                bucket_name(tuning, gap->slowest_bucket), text_from_us(arena, goal->p95_us)));
    if (gap->bytes > 0)
        add_part(&text, arena_printf(arena, "adds %s where %s are allowed",
                            text_from_bytes(arena, (int64_t)goal_bytes(tuning, candidate)),
                            text_from_bytes(arena, goal->most_bytes)));
    return buffer_text(&text);
}

static bool
is_approximate(const struct vector_candidate *candidate)
{
    return candidate->method.family == FAMILY_HNSW || candidate->method.family == FAMILY_IVFFLAT;
}

bool
goal_worth_an_index(const struct vector_measure *with, const struct vector_measure *without)
{
    double saved_us = without->cpu_us_p95.value - with->cpu_us_p95.value;

    return saved_us >= least_approximate_gain * without->cpu_us_p95.value &&
           saved_us >= least_saved_us && with->cpu_us_p95.high < without->cpu_us_p95.low;
}

bool
goal_surely_cheaper(const struct vector_candidate *a, const struct vector_candidate *b)
{
    const struct vector_measure *slowest_a = NULL;
    const struct vector_measure *slowest_b = NULL;

    bool is_risk = is_approximate(a) && !is_approximate(b);
    double gain = is_risk ? least_approximate_gain : least_gain;
    double saved_us = b->overall.cpu_us_p95.value - a->overall.cpu_us_p95.value;

    if (saved_us < gain * b->overall.cpu_us_p95.value || (is_risk && saved_us < least_saved_us))
        return false;
    if (a->overall.cpu_us_p95.high < b->overall.cpu_us_p95.low)
        return true;
    for (size_t i = 0; i < a->buckets.count && i < b->buckets.count; i++) {
        const struct vector_measure *measure = &b->buckets.items[i];

        if (measure->queries == 0 || a->buckets.items[i].queries == 0)
            continue;
        if (!slowest_b || measure->cpu_us_p50.value > slowest_b->cpu_us_p50.value) {
            slowest_a = &a->buckets.items[i];
            slowest_b = measure;
        }
    }
    return slowest_b && slowest_a->cpu_us_p50.high < slowest_b->cpu_us_p50.low;
}
