#include "load/histogram.h"

#include <math.h>

struct histogram *
histogram_new(struct arena *arena)
{
    return ARENA_NEW(arena, struct histogram);
}

/* How often the number must be halved to lie below 2 * HISTOGRAM_HALF. */
static unsigned
doublings_of(uint64_t us)
{
    unsigned doublings = 0;

    while (us >> doublings >= 2 * HISTOGRAM_HALF)
        doublings++;
    return doublings;
}

static size_t
cell_of(int64_t us)
{
    unsigned doublings = doublings_of((uint64_t)us);

    if (doublings > HISTOGRAM_DOUBLINGS)
        return HISTOGRAM_CELLS - 1;
    return (size_t)doublings * HISTOGRAM_HALF + (size_t)(us >> doublings);
}

/* The longest latency that is counted in the cell. */
static int64_t
longest_of(size_t cell)
{
    size_t doublings = cell < 2 * HISTOGRAM_HALF ? 0 : cell / HISTOGRAM_HALF - 1;
    int64_t first = (int64_t)(cell - doublings * HISTOGRAM_HALF);

    return ((first + 1) << doublings) - 1;
}

void
histogram_record(struct histogram *histogram, int64_t us)
{
    if (us < 0)
        us = 0;
    if (histogram->count == 0 || us < histogram->min_us)
        histogram->min_us = us;
    if (us > histogram->max_us)
        histogram->max_us = us;
    histogram->count++;
    histogram->sum_us += us;
    histogram->cells[cell_of(us)]++;
}

void
histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    if (other->count == 0)
        return;
    if (histogram->count == 0 || other->min_us < histogram->min_us)
        histogram->min_us = other->min_us;
    if (other->max_us > histogram->max_us)
        histogram->max_us = other->max_us;
    histogram->count += other->count;
    histogram->sum_us += other->sum_us;
    for (size_t i = 0; i < HISTOGRAM_CELLS; i++)
        histogram->cells[i] += other->cells[i];
}

int64_t
histogram_quantile_us(const struct histogram *histogram, double share)
{
    int64_t wanted = (int64_t)ceil(share * (double)histogram->count);
    int64_t seen = 0;

    if (wanted < 1)
        wanted = 1;
    for (size_t i = 0; i < HISTOGRAM_CELLS; i++) {
        seen += histogram->cells[i];
        if (seen < wanted)
            continue;

        int64_t longest = longest_of(i);
        bool is_last = i == HISTOGRAM_CELLS - 1; /* also holds what is too long for any cell */

        return !is_last && longest < histogram->max_us ? longest : histogram->max_us;
    }
    return histogram->max_us;
}

double
histogram_mean_us(const struct histogram *histogram)
{
    return histogram->count > 0 ? (double)histogram->sum_us / (double)histogram->count : 0;
}
