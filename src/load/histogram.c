#include "load/histogram.h"

#include <math.h>

struct histogram *
histogram_new(struct arena *arena)
{
    return ARENA_NEW(arena, struct histogram);
}

size_t
histogram_cell(int64_t us)
{
    uint64_t number = us > 0 ? (uint64_t)us : 0;

    if (number < 2 * HISTOGRAM_HALF)
        return (size_t)number;

    /* How often the number must be halved to lie below 2 * HISTOGRAM_HALF, which has 11 bits. */
    unsigned doublings = 64 - 11 - (unsigned)__builtin_clzll(number);

    if (doublings > HISTOGRAM_DOUBLINGS)
        return HISTOGRAM_CELLS - 1;
    return (size_t)doublings * HISTOGRAM_HALF + (size_t)(number >> doublings);
}

int64_t
histogram_cell_us(size_t cell)
{
    size_t doublings = cell < 2 * HISTOGRAM_HALF ? 0 : cell / HISTOGRAM_HALF - 1;
    int64_t first = (int64_t)(cell - doublings * HISTOGRAM_HALF);

    return ((first + 1) << doublings) - 1;
}

/* Adds to a cell what it has room for; the rest is unplaced. */
static void
fill(struct histogram *histogram, size_t cell, uint32_t more)
{
    uint32_t room = UINT32_MAX - histogram->cells[cell];
    uint32_t placed = more < room ? more : room;

    histogram->cells[cell] += placed;
    histogram->unplaced += more - placed;
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
    fill(histogram, histogram_cell(us), 1);
}

void
histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    size_t last = histogram_cell(other->max_us);

    if (other->count == 0)
        return;
    for (size_t i = histogram_cell(other->min_us); i <= last; i++)
        if (other->cells[i] > 0)
            fill(histogram, i, other->cells[i]);
    if (histogram->count == 0 || other->min_us < histogram->min_us)
        histogram->min_us = other->min_us;
    if (other->max_us > histogram->max_us)
        histogram->max_us = other->max_us;
    histogram->count += other->count;
    histogram->sum_us += other->sum_us;
    histogram->unplaced += other->unplaced;
}

void
histogram_reset(struct histogram *histogram)
{
    size_t first = histogram_cell(histogram->min_us);
    size_t last = histogram_cell(histogram->max_us);

    memset(histogram->cells + first, 0, (last - first + 1) * sizeof(histogram->cells[0]));
    histogram->count = 0;
    histogram->sum_us = 0;
    histogram->min_us = 0;
    histogram->max_us = 0;
    histogram->unplaced = 0;
}

int64_t
histogram_quantile_us(const struct histogram *histogram, double share)
{
    int64_t wanted = (int64_t)ceil(share * (double)(histogram->count - histogram->unplaced));
    int64_t seen = 0;

    if (wanted < 1)
        wanted = 1;
    for (size_t i = histogram_cell(histogram->min_us); i < HISTOGRAM_CELLS; i++) {
        seen += histogram->cells[i];
        if (seen < wanted)
            continue;

        int64_t longest = histogram_cell_us(i);
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
