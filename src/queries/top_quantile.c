#include "queries/top_quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST = 64,        /* times that are kept as they are */
    STEPS = 32,        /* buckets between a power of two and the next */
    STEP_BITS = 5,     /* log2 of that */
    BUCKETS = 32 * 30, /* up to 2^34 us, four hours; what is longer counts as that */
    FEWEST_CALLS = 20, /* below it there is no 95th percentile to speak of */
};

/* 95 % of a normal distribution lie below its mean and so many deviations. */
static const double QUANTILE_95 = 1.6448536269514722;

static size_t
bucket_of(uint64_t us)
{
    unsigned int bits = 0;

    if (us < STEPS)
        return (size_t)us;
    while (us >> (bits + 1) != 0)
        bits++;

    size_t at =
        (size_t)(bits - STEP_BITS + 1) * STEPS + (size_t)((us >> (bits - STEP_BITS)) & (STEPS - 1));

    return at < BUCKETS ? at : BUCKETS - 1;
}

/* The middle of what falls into a bucket. */
static double
bucket_us(size_t bucket)
{
    if (bucket < STEPS)
        return (double)bucket;

    unsigned int shift = (unsigned int)(bucket / STEPS) - 1;
    double start = (double)((uint64_t)(STEPS + bucket % STEPS) << shift);
    double width = (double)((uint64_t)1 << shift);

    return start + (width - 1) / 2;
}

static void
spread(struct arena *arena, struct top_times *times)
{
    times->buckets = ARENA_ARRAY(arena, uint32_t, BUCKETS);
    for (size_t i = 0; i < FIRST; i++)
        times->buckets[bucket_of((uint64_t)times->first[i])]++;
}

void
top_times_add(struct arena *arena, struct top_times *times, int64_t us)
{
    uint64_t time = us < 0 ? 0 : (uint64_t)us;

    if (!times->first)
        times->first = ARENA_ARRAY(arena, int64_t, FIRST);
    if (times->count == FIRST)
        spread(arena, times);
    if (times->count < FIRST)
        times->first[times->count] = (int64_t)time;
    else
        times->buckets[bucket_of(time)]++;
    times->count++;
    times->total_us += (double)time;
    if ((int64_t)time > times->max_us)
        times->max_us = (int64_t)time;
}

static int
compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

double
top_times_p95_us(const struct top_times *times)
{
    int64_t rank = (times->count * 95 + 99) / 100; /* the nearest rank, from 1 */
    int64_t sorted[FIRST];

    if (times->count == 0)
        return -1;
    if (!times->buckets) {
        memcpy(sorted, times->first, (size_t)times->count * sizeof(sorted[0]));
        qsort(sorted, (size_t)times->count, sizeof(sorted[0]), compare_times);
        return (double)sorted[rank - 1];
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        rank -= times->buckets[i];
        if (rank <= 0)
            return fmin(bucket_us(i), (double)times->max_us);
    }
    return (double)times->max_us;
}

double
top_estimate_p95_ms(int64_t calls, double mean_ms, double variance, double max_ms)
{
    if (calls < FEWEST_CALLS || mean_ms <= 0 || variance < 0)
        return -1;

    double spread_of_logs = log1p(variance / (mean_ms * mean_ms));
    double middle = log(mean_ms) - spread_of_logs / 2;
    double estimate = exp(middle + QUANTILE_95 * sqrt(spread_of_logs));

    return max_ms > 0 ? fmin(estimate, max_ms) : estimate;
}
