#include <math.h>

#include "vector/report/scale.h"

enum { MOST_SHOWN = 26 };

static const char *
role_of(
    const struct vector_tuning *tuning, const struct vector_candidate *candidate, bool is_chosen)
{
    if (is_chosen && !tuning->has_choice)
        return "nearest";
    if (is_chosen)
        return candidate->is_present ? "winner, now" : "winner";
    if (candidate->is_plan)
        return candidate->is_present ? "plan, now" : "plan";
    return candidate->is_present ? "now" : "";
}

/* Rows of the tenants with these values. */
static int64_t
rows_of(const struct vector_sizes *sizes, const char *const *values, size_t count)
{
    int64_t rows = 0;

    for (size_t i = 0; i < sizes->tenants.count; i++)
        for (size_t k = 0; k < count; k++)
            if (text_equal(sizes->tenants.items[i].value, values[k]))
                rows += sizes->tenants.items[i].rows;
    return rows;
}

/* Adds name and price of the tenants that have an index of their own. */
static void
add_special(struct arena *arena, const struct vector_tuning *tuning,
    const struct vector_special *special, struct vector_candidate *chosen)
{
    const char *name = vector_method_name(arena, &special->method);
    const struct vector_candidate *built = NULL;
    size_t count = special->tenants.count;
    int64_t rows;
    double share;

    chosen->name = arena_printf(
        arena, "%s; %zu tenant%s: %s", chosen->name, count, count == 1 ? "" : "s", name);
    for (size_t i = 0; i < tuning->candidates.count; i++)
        if (text_equal(tuning->candidates.items[i].name, name))
            built = &tuning->candidates.items[i];
    rows = built ? rows_of(&tuning->sizes, built->tenants.items, built->tenants.count) : 0;
    if (rows == 0)
        return;
    share = (double)rows_of(&tuning->sizes, special->tenants.items, count) / (double)rows;
    chosen->index_bytes += (int64_t)(share * (double)built->index_bytes);
    chosen->build_us += (int64_t)(share * (double)built->build_us);
}

/* The mean of the buckets, which were asked equally often; of times the slowest bucket's. */
static struct vector_measure
combine(const struct vector_candidate *chosen)
{
    struct vector_measure ret = { .recall_least = 1 };
    double count = 0;

    for (size_t i = 0; i < chosen->buckets.count; i++) {
        const struct vector_measure *bucket = &chosen->buckets.items[i];
        double before = count / (count + 1);

        if (bucket->queries == 0)
            continue;
        count++;
        ret.queries += bucket->queries;
        ret.short_results += bucket->short_results;
        ret.recall_least = fmin(ret.recall_least, bucket->recall_least);
        ret.recall.value = ret.recall.value * before + bucket->recall.value / count;
        ret.recall.low = ret.recall.low * before + bucket->recall.low / count;
        ret.recall.high = ret.recall.high * before + bucket->recall.high / count;
        if (bucket->cpu_us_p50.value > ret.cpu_us_p50.value)
            ret.cpu_us_p50 = bucket->cpu_us_p50;
        if (bucket->cpu_us_p95.value > ret.cpu_us_p95.value)
            ret.cpu_us_p95 = bucket->cpu_us_p95;
        if (bucket->wall_us_p50.value > ret.wall_us_p50.value)
            ret.wall_us_p50 = bucket->wall_us_p50;
        if (bucket->wall_us_p95.value > ret.wall_us_p95.value)
            ret.wall_us_p95 = bucket->wall_us_p95;
    }
    return ret;
}

/*
 * The chosen way as it will be: where some tenants get an index of their own that is not the first
 * candidate, but made of several.
 */
static const struct vector_candidate *
find_chosen(struct arena *arena, const struct vector_tuning *tuning)
{
    const struct vector_candidate *base = &tuning->candidates.items[0];
    struct vector_candidate *chosen;

    if (tuning->choice.specials.count == 0)
        return base;
    chosen = arena_memdup(arena, base, sizeof(*base));
    chosen->buckets.items = ARENA_ARRAY(arena, struct vector_measure, tuning->sizes.buckets.count);
    chosen->buckets.count = chosen->buckets.capacity = tuning->sizes.buckets.count;
    for (size_t i = 0; i < chosen->buckets.count; i++) {
        const struct vector_measure *measure = vector_chosen_measure(tuning, i);

        if (measure)
            chosen->buckets.items[i] = *measure;
    }
    for (size_t i = 0; i < tuning->choice.specials.count; i++)
        add_special(arena, tuning, &tuning->choice.specials.items[i], chosen);
    chosen->overall = combine(chosen);
    return chosen;
}

static bool
is_needed(const struct vector_candidate *candidate, size_t index)
{
    return index == 0 || candidate->is_plan || candidate->is_present;
}

void
vector_tuning_shown(
    struct arena *arena, const struct vector_tuning *tuning, struct vector_shown_list *ret)
{
    size_t room = MOST_SHOWN;

    *ret = (struct vector_shown_list){ 0 };
    for (size_t i = 0; i < tuning->candidates.count; i++)
        if (candidate_is_drawn(&tuning->candidates.items[i]) &&
            is_needed(&tuning->candidates.items[i], i) && room > 0)
            room--;
    for (size_t i = 0; i < tuning->candidates.count && ret->count < MOST_SHOWN; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];
        const char *letter = arena_printf(arena, "%c", (char)('A' + ret->count));
        bool is_chosen = i == 0;

        if (!candidate_is_drawn(candidate))
            continue;
        if (!is_needed(candidate, i)) {
            if (!candidate->is_pareto || room == 0)
                continue;
            room--;
        }
        VEC_PUSH(arena, ret,
            (struct vector_shown){
                .candidate = is_chosen ? find_chosen(arena, tuning) : candidate,
                .letter = letter,
                .role = role_of(tuning, candidate, is_chosen),
                .is_winner = is_chosen,
            });
    }
}

const struct vector_shown *
vector_shown_plan(const struct vector_shown_list *shown)
{
    const struct vector_shown *best = NULL;

    for (size_t i = 0; i < shown->count; i++)
        if (shown->items[i].candidate->is_plan &&
            (!best || shown->items[i].candidate->overall.recall.value >
                          best->candidate->overall.recall.value))
            best = &shown->items[i];
    return best;
}

double
vector_worst_recall(const struct vector_tuning *tuning, const struct vector_candidate *candidate,
    size_t *ret_bucket)
{
    double worst = -1;

    for (size_t i = 0; i < candidate->buckets.count && i < tuning->sizes.buckets.count; i++) {
        const struct vector_measure *measure = &candidate->buckets.items[i];

        if (measure->queries == 0 || (worst >= 0 && measure->recall.value >= worst))
            continue;
        worst = measure->recall.value;
        if (ret_bucket)
            *ret_bucket = i;
    }
    return worst;
}

const struct vector_measure *
vector_chosen_measure(const struct vector_tuning *tuning, size_t bucket)
{
    const char *name = tuning->sizes.buckets.items[bucket].name;
    const struct vector_candidate *chosen =
        tuning->candidates.count > 0 ? &tuning->candidates.items[0] : NULL;

    for (size_t i = 0; i < tuning->choice.expected.count; i++)
        if (text_equal(tuning->choice.expected.items[i].bucket, name) &&
            tuning->choice.expected.items[i].measure.queries > 0)
            return &tuning->choice.expected.items[i].measure;
    if (!chosen || bucket >= chosen->buckets.count || chosen->buckets.items[bucket].queries == 0)
        return NULL;
    return &chosen->buckets.items[bucket];
}

const char *
vector_recall_text(struct arena *arena, double recall)
{
    /* The small addend undoes that 0.9995 is a little less in binary. */
    return arena_printf(arena, "%.4f", floor(recall * 10000 + 1e-6) / 10000);
}

const char *
vector_recall_range(struct arena *arena, const struct vector_interval *recall)
{
    double half = fmax(recall->value - recall->low, recall->high - recall->value);

    return arena_printf(arena, "%s ±%.3f", vector_recall_text(arena, recall->value),
        ceil(fmax(half, 0) * 1000 - 1e-6) / 1000);
}

const char *
vector_short_text(struct arena *arena, const struct vector_measure *measure)
{
    double share =
        measure->queries > 0 ? (double)measure->short_results / (double)measure->queries : 0;

    if (measure->short_results == 0)
        return "0";
    return arena_printf(arena, "%.1f%%", fmax(share * 100, 0.1));
}

const char *
vector_time_name(enum meter_kind meter)
{
    return meter == METER_WALL ? "wall" : "CPU";
}
