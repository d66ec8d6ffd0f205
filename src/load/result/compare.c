#include "load/result/compare.h"

#include <math.h>

#include "base/vec.h"
#include "load/result/compare_part.h"
#include "load/result/resample.h"
#include "load/result/sparse.h"
#include "load/result/student.h"

const char *const load_verdict_words[] = {
    [LOAD_BETTER] = "better",
    [LOAD_WORSE] = "worse",
    [LOAD_SAME] = "not distinguishable",
};

/* Slices are kept to 0.8 %: what differs by less than 1 % is never called different. */
#define LEAST_RATIO 0.01
/* Nor are shares of errors that differ by less than one request of 10,000. */
#define LEAST_SHARE 0.0001
#define CHANCE      0.05

enum { LEAST_SLICES = 8 };
/* An only run of fewer blocks, or an interval of which one end is this many times the other, tells nothing. */
enum { LEAST_BLOCKS = 4, MOST_WIDE = 1000 };
/* None in n: with 95 % less than 3 of n (Hanley and Lippman-Hand 1983). */
#define NONE_SEEN 3

struct measure_kind {
    const char *name;
    double least_answers; /* below, there are not ten beyond the quantile */
    bool is_latency;
    bool is_ratio;
    bool is_more_better;
};

static const struct measure_kind kinds[LOAD_MEASURE_COUNT] = {
    [LOAD_RATE] = { "rate", 1, false, true, true },
    [LOAD_MEAN] = { "mean", 30, true, true, false },
    [LOAD_P50] = { "p50", 20, true, true, false },
    [LOAD_P95] = { "p95", 200, true, true, false },
    [LOAD_P99] = { "p99", 1000, true, true, false },
    [LOAD_ERRORS] = { "errors", 0, false, false, false },
};

/* One side of the comparison of a kind of request, or of all. */
struct half {
    struct load_side side;
    struct load_spread spread;
    double values[LOAD_MEASURE_COUNT]; /* of whole runs, from their full histograms */
    double answers;
    double requests; /* answers and errors */
    double elapsed_us;
    double lag_us; /* by how much latencies may be the generator's own fault */
    size_t least_slices;
    bool is_timeless; /* a run has not lasted at all: there is no rate */
};

struct pair {
    const char *step; /* NULL: all */
    struct half before;
    struct half after;
    double chance; /* of an interval that misses the truth */
};

static const struct load_step_record *
step_named(const struct load_record *record, const char *name)
{
    for (size_t i = 0; i < record->step_count; i++)
        if (text_equal(record->steps[i].name, name))
            return &record->steps[i];
    return NULL;
}

/* Adds a step's slices to those of the steps before. */
static void
add_step(struct arena *arena, const struct load_step_record *step, struct load_run_slices *run,
    int64_t *errors)
{
    for (size_t i = 0; i < run->count; i++) {
        load_sparse_join(arena, &run->slices[i], &step->slices[i], &run->slices[i]);
        errors[i] += step->slice_errors[i];
    }
}

static void
take_run(struct arena *arena, const struct load_record *record, const char *step,
    struct load_run_slices *run)
{
    int64_t *errors = ARENA_ARRAY(arena, int64_t, record->slice_count + 1);

    *run = (struct load_run_slices){
        .count = record->slice_count,
        .slice_us = (double)record->slice_us,
        .slices = ARENA_ARRAY(arena, struct load_sparse, record->slice_count + 1),
        .errors = errors,
    };
    for (size_t i = 0; i < record->step_count; i++)
        if (!step || text_equal(record->steps[i].name, step))
            add_step(arena, &record->steps[i], run, errors);
}

static void
take_values(
    struct arena *arena, const struct load_records *records, const char *name, struct half *half)
{
    struct histogram *latency = histogram_new(arena);
    double errors = 0;
    double elapsed_us = 0;

    for (size_t i = 0; i < records->count; i++) {
        const struct load_record *record = &records->items[i];

        for (size_t j = 0; j < record->step_count; j++) {
            const struct load_step_record *step = &record->steps[j];

            if (name && !text_equal(step->name, name))
                continue;
            histogram_merge(latency, step->latency);
            for (size_t k = LOAD_GOOD + 1; k < LOAD_OUTCOME_COUNT; k++)
                errors += (double)step->outcomes[k];
        }
        elapsed_us += (double)record->elapsed_us;
        half->is_timeless = half->is_timeless || record->elapsed_us <= 0;
        if (load_record_is_bottleneck(record))
            half->lag_us = fmax(half->lag_us, (double)histogram_quantile_us(record->lag, 0.99));
    }
    half->answers = (double)latency->count;
    half->requests = half->answers + errors;
    half->elapsed_us = elapsed_us;
    half->values[LOAD_RATE] = elapsed_us > 0 ? half->answers * 1e6 / elapsed_us : NAN;
    half->values[LOAD_MEAN] = histogram_mean_us(latency);
    half->values[LOAD_P50] = (double)histogram_quantile_us(latency, 0.50);
    half->values[LOAD_P95] = (double)histogram_quantile_us(latency, 0.95);
    half->values[LOAD_P99] = (double)histogram_quantile_us(latency, 0.99);
    half->values[LOAD_ERRORS] = half->requests > 0 ? errors / half->requests : NAN;
}

static void
take_half(struct arena *arena, const struct load_records *records, const char *step, uint64_t seed,
    struct half *half)
{
    struct load_run_slices *runs = ARENA_ARRAY(arena, struct load_run_slices, records->count);
    size_t count = 0;

    *half = (struct half){ .least_slices = SIZE_MAX };
    for (size_t i = 0; i < records->count; i++) {
        size_t slices = records->items[i].slice_count;

        half->least_slices = slices < half->least_slices ? slices : half->least_slices;
        if (slices > 0)
            take_run(arena, &records->items[i], step, &runs[count++]);
    }
    half->side = (struct load_side){ .runs = runs, .count = count };
    take_values(arena, records, step, half);
    if (count > 0)
        load_resample(arena, &half->side, seed, &half->spread);
}

static int
compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

/* A draw from few units spreads less than what they were drawn from. */
static double
widening(double units)
{
    return units > 1 ? sqrt(units / (units - 1)) : 1;
}

/* What replicates of a measure are compared by: ratios by their logarithm. */
static double
scale_of(enum load_measure measure, double value)
{
    return kinds[measure].is_ratio ? log(value) : value;
}

/*
 * The middle of the replicates. It is not quite the estimate, as moving blocks hold the first and the last
 * slices less often; what counts is how far they lie from each other.
 */
static double
middle_of(const struct load_spread *spread, enum load_measure measure)
{
    double sum = 0;
    double count = 0;

    for (size_t i = 0; i < LOAD_REPLICATES; i++) {
        double value = scale_of(measure, spread->replicates[measure][i]);

        if (isfinite(value)) {
            sum += value;
            count++;
        }
    }
    return count > 0 ? sum / count : NAN;
}

static double
variance_of(const double *numbers, size_t count)
{
    double mean = 0;
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        mean += numbers[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        sum += (numbers[i] - mean) * (numbers[i] - mean);
    return count > 1 ? sum / (double)(count - 1) : 0;
}

/* Degrees of freedom of a difference; source: Satterthwaite 1946. */
static double
degrees_of(double before, double before_units, double after, double after_units)
{
    double first = before_units > 2 ? before_units - 1 : 1;
    double second = after_units > 2 ? after_units - 1 : 1;

    if (before + after <= 0)
        return first + second;
    return (before + after) * (before + after) / (before * before / first + after * after / second);
}

/* Of a rate of nothing the logarithm is not known; its bound is set otherwise (bound_of_silence). */
static bool
is_silent(const struct half *half, enum load_measure measure)
{
    return measure == LOAD_RATE && half->answers == 0;
}

/* How far a replicate is from the middle of all. */
static double
deviation_of(const struct half *half, enum load_measure measure, double middle, size_t i)
{
    if (is_silent(half, measure))
        return 0;
    return (scale_of(measure, half->spread.replicates[measure][i]) - middle) *
           widening(half->spread.units);
}

/*
 * How far off the difference may be, below and above. The bootstrap's quantiles are those of a normal
 * distribution where there is enough to draw from; with few blocks or runs they are too near, and Student's
 * distribution tells by how much. False: too few replicates had an answer.
 */
static bool
bounds_of(struct arena *arena, const struct pair *pair, enum load_measure measure, double *ret_low,
    double *ret_high)
{
    double *differences = ARENA_ARRAY(arena, double, LOAD_REPLICATES);
    double *parts[2] = { ARENA_ARRAY(arena, double, LOAD_REPLICATES),
        ARENA_ARRAY(arena, double, LOAD_REPLICATES) };
    const struct load_spread *spreads[2] = { &pair->before.spread, &pair->after.spread };
    const double middles[2] = { middle_of(spreads[0], measure), middle_of(spreads[1], measure) };
    size_t count = 0;
    double degrees;
    double factor;

    for (size_t i = 0; i < LOAD_REPLICATES; i++) {
        double before = deviation_of(&pair->before, measure, middles[0], i);
        double after = deviation_of(&pair->after, measure, middles[1], i);

        if (!isfinite(before) || !isfinite(after))
            continue;
        parts[0][count] = before;
        parts[1][count] = after;
        differences[count++] = after - before;
    }
    if (count < LOAD_REPLICATES * 9 / 10)
        return false;
    degrees = degrees_of(variance_of(parts[0], count), pair->before.spread.units,
        variance_of(parts[1], count), pair->after.spread.units);
    factor = load_student_quantile(pair->chance, degrees) / 1.959964;
    qsort(differences, count, sizeof(differences[0]), compare_doubles);
    *ret_low = differences[(size_t)(0.025 * (double)count)] * factor;
    *ret_high = differences[(size_t)(0.975 * (double)count) - 1] * factor;
    return true;
}

static const char *
why_not(const struct pair *pair, enum load_measure measure)
{
    const struct half *halves[] = { &pair->before, &pair->after };
    const struct measure_kind *kind = &kinds[measure];
    bool is_one_silent = is_silent(&pair->before, measure) != is_silent(&pair->after, measure);

    for (size_t i = 0; i < COUNT_OF(halves); i++) {
        if (halves[i]->least_slices == 0 ||
            (halves[i]->side.count == 1 && halves[i]->least_slices < LEAST_SLICES))
            return "a run is shorter than 8 seconds";
        if (measure == LOAD_RATE && halves[i]->is_timeless)
            return "a run has not lasted at all";
        if (halves[i]->answers < kind->least_answers && !is_one_silent)
            return "too few answers";
    }
    return NULL;
}

/*
 * Errors are events: even where slices look alike, their number could have been another one (binomial).
 * Where there was none, or nothing else, the formula has no width, and the rule of three tells it.
 */
static void
allow_for_chance(const struct pair *pair, struct load_difference *difference)
{
    double before = difference->before * (1 - difference->before) / pair->before.requests;
    double after = difference->after * (1 - difference->after) / pair->after.requests;
    double change = difference->after - difference->before;
    double least = 1.959964 * sqrt(before + after);
    double of_before = fmin(1, NONE_SEEN / pair->before.requests);
    double of_after = fmin(1, NONE_SEEN / pair->after.requests);
    double down =
        hypot(difference->before <= 0 ? of_before : 0, difference->after >= 1 ? of_after : 0);
    double up =
        hypot(difference->before >= 1 ? of_before : 0, difference->after <= 0 ? of_after : 0);

    if (!isfinite(least))
        return;
    difference->low = fmax(-1, fmin(difference->low, change - hypot(least, down)));
    difference->high = fmin(1, fmax(difference->high, change + hypot(least, up)));
}

/* A side that answered nothing had less than three answers in its time: what the other one's rate is held to. */
static void
bound_of_silence(const struct pair *pair, struct load_difference *difference)
{
    double deviation_low = difference->low;
    double deviation_high = difference->high;

    if (pair->before.answers == 0) {
        double most = NONE_SEEN * 1e6 / pair->before.elapsed_us;

        difference->low = difference->after / most * exp(deviation_low);
        difference->high = INFINITY;
    } else {
        double most = NONE_SEEN * 1e6 / pair->after.elapsed_us;

        difference->low = 0;
        difference->high = most / difference->before * exp(deviation_high);
    }
}

/* Numbers that no one can use are not shown: there is no interval then, and no verdict. */
static void
refuse_the_absurd(const struct pair *pair, struct load_difference *difference)
{
    const struct half *halves[] = { &pair->before, &pair->after };
    /* One end alone is known of a side that answered nothing, or of a latency that may be all lag. */
    bool is_open = isinf(difference->high) || difference->low <= 0;
    bool is_short = false;
    bool is_absurd = difference->is_ratio ? !(difference->high <= difference->low * MOST_WIDE)
                                          : !(difference->high - difference->low < 1);

    if (difference->is_ratio && is_open)
        return;
    for (size_t i = 0; i < COUNT_OF(halves); i++)
        is_short =
            is_short || (halves[i]->side.count == 1 && halves[i]->spread.units < LEAST_BLOCKS);
    if (difference->why_not || (!is_absurd && !is_short))
        return;
    difference->why_not = is_short ? "a run is too short to tell: 20 seconds are needed"
                                   : "too few answers or runs to tell";
    difference->low = NAN;
    difference->high = NAN;
}

/* A generator that was late itself has made latencies longer, by up to its lag. */
static void
allow_for_lag(const struct pair *pair, struct load_difference *difference)
{
    double after = difference->after - pair->after.lag_us;
    double before = difference->before - pair->before.lag_us;

    if (before <= 0) {
        difference->why_not = "the generator was later than that itself";
        return;
    }
    difference->low *= fmax(after, 0) / difference->after;
    difference->high *= difference->before / before;
}

static enum load_verdict
verdict_of(const struct load_difference *difference, bool is_more_better)
{
    double none = difference->is_ratio ? 1 : 0;
    double least = difference->is_ratio ? LEAST_RATIO : LEAST_SHARE;
    double change = difference->is_ratio ? difference->after / difference->before - 1
                                         : difference->after - difference->before;

    /* Comparing with what is no number is never true: it must not come out as worse. */
    if (difference->why_not || isnan(change) || isnan(difference->low) || isnan(difference->high) ||
        fabs(change) < least || (difference->low <= none && difference->high >= none))
        return LOAD_SAME;
    return (difference->low > none) == is_more_better ? LOAD_BETTER : LOAD_WORSE;
}

static struct load_difference
difference_of(struct arena *arena, const struct pair *pair, enum load_measure measure)
{
    const struct measure_kind *kind = &kinds[measure];
    struct load_difference difference = {
        .step = pair->step,
        .measure = kind->name,
        .before = pair->before.values[measure],
        .after = pair->after.values[measure],
        .low = NAN,
        .high = NAN,
        .is_ratio = kind->is_ratio,
        .verdict = LOAD_SAME,
        .why_not = why_not(pair, measure),
    };

    if (difference.why_not)
        return difference;
    if (!bounds_of(arena, pair, measure, &difference.low, &difference.high)) {
        difference.why_not = "too few answers";
        return difference;
    }
    if (is_silent(&pair->before, measure) || is_silent(&pair->after, measure)) {
        bound_of_silence(pair, &difference);
    } else if (kind->is_ratio) {
        double ratio = difference.after / difference.before;

        difference.low = ratio * exp(difference.low);
        difference.high = ratio * exp(difference.high);
    } else {
        difference.low += difference.after - difference.before;
        difference.high += difference.after - difference.before;
    }
    if (kind->is_latency)
        allow_for_lag(pair, &difference);
    if (!kind->is_ratio)
        allow_for_chance(pair, &difference);
    refuse_the_absurd(pair, &difference);
    difference.verdict = verdict_of(&difference, kind->is_more_better);
    return difference;
}

struct comparing {
    struct arena *arena;
    const struct load_records *before;
    const struct load_records *after;
    struct load_comparison *ret;
    size_t capacity;
};

static void
compare_step(struct comparing *comparing, const char *step, double chance)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct pair pair = { .step = step, .chance = chance };
    struct load_comparison *ret = comparing->ret;

    take_half(scratch, comparing->before, step, 1, &pair.before);
    take_half(scratch, comparing->after, step, 2, &pair.after);
    for (int i = 0; i < LOAD_MEASURE_COUNT; i++) {
        if (ret->count == comparing->capacity)
            ret->items =
                vec_grow(comparing->arena, ret->items, &comparing->capacity, sizeof(ret->items[0]));
        ret->items[ret->count++] = difference_of(scratch, &pair, (enum load_measure)i);
    }
}

/* Whether all runs of a side have a step of this name. */
static bool
all_have(const struct load_records *records, const char *name)
{
    for (size_t i = 0; i < records->count; i++)
        if (!step_named(&records->items[i], name))
            return false;
    return true;
}

static bool
has_only_one(const struct load_records *records)
{
    for (size_t i = 0; i < records->count; i++)
        if (records->items[i].step_count != 1)
            return false;
    return true;
}

bool
load_compare(struct ctx *ctx, const struct load_records *before, const struct load_records *after,
    struct load_comparison *ret)
{
    struct comparing comparing = {
        .arena = ctx->arena, .before = before, .after = after, .ret = ret
    };
    struct text_list steps = { 0 };

    *ret = (struct load_comparison){ 0 };
    if (before->count == 0 || after->count == 0)
        return error_set(ctx, ERR_INPUT, "there is nothing to compare");
    if (!load_compare_refuse(ctx, before, after))
        return false;
    for (size_t i = 0; i < before->items[0].step_count; i++) {
        const char *name = before->items[0].steps[i].name;

        if (all_have(before, name) && all_have(after, name) && !text_list_has(&steps, name))
            text_list_add(ctx->arena, &steps, name);
    }
    if (steps.count == 0)
        return error_set(ctx, ERR_INPUT, "the runs have no step in common");
    load_compare_warn(ctx->arena, before, after, &ret->warnings);
    compare_step(&comparing, NULL, CHANCE);
    /* The only step of all runs is what "all" has told already. */
    if (steps.count == 1 && has_only_one(before) && has_only_one(after))
        return true;
    for (size_t i = 0; i < steps.count; i++)
        compare_step(&comparing, steps.items[i], CHANCE / (double)steps.count);
    return true;
}
