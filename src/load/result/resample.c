#include "load/result/resample.h"

#include <math.h>

#include "load/result/sparse.h"

/* A run's slices added up from its start, so that any block of them is one difference. */
struct sums {
    double *counts; /* a row for each slice, and one of zeros before */
    double *errors;
};

/* All that was drawn, added up. Only cells that occur in some slice have a column. */
struct pile {
    size_t width;
    uint32_t *columns; /* of a cell */
    double *first_us;  /* of a column */
    double *end_us;
    double *counts;
    double errors;
    double elapsed_us;
};

/* xorshift64* by Vigna 2016. */
static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static size_t
random_below(uint64_t *state, size_t limit)
{
    return (size_t)((next_random(state) >> 11) % limit);
}

static void
make_pile(struct arena *arena, const struct load_side *side, struct pile *pile)
{
    *pile = (struct pile){ .columns = ARENA_ARRAY(arena, uint32_t, HISTOGRAM_CELLS) };
    for (size_t i = 0; i < side->count; i++)
        for (size_t j = 0; j < side->runs[i].count; j++) {
            const struct load_sparse *slice = &side->runs[i].slices[j];

            for (size_t k = 0; k < slice->count; k++)
                pile->columns[slice->cells[k]] = 1;
        }
    pile->first_us = ARENA_ARRAY(arena, double, HISTOGRAM_CELLS);
    pile->end_us = ARENA_ARRAY(arena, double, HISTOGRAM_CELLS);
    for (uint32_t i = 0; i < HISTOGRAM_CELLS; i++) {
        if (pile->columns[i] == 0)
            continue;
        load_sparse_range_us(i, &pile->first_us[pile->width], &pile->end_us[pile->width]);
        pile->columns[i] = (uint32_t)pile->width++;
    }
    pile->counts = ARENA_ARRAY(arena, double, pile->width + 1);
}

static void
make_sums(struct arena *arena, const struct pile *pile, const struct load_run_slices *run,
    struct sums *ret)
{
    ret->counts = ARENA_ARRAY(arena, double, (run->count + 1) * pile->width + 1);
    ret->errors = ARENA_ARRAY(arena, double, run->count + 1);
    for (size_t i = 0; i < run->count; i++) {
        const struct load_sparse *slice = &run->slices[i];
        double *row = ret->counts + (i + 1) * pile->width;

        memcpy(row, ret->counts + i * pile->width, pile->width * sizeof(row[0]));
        for (size_t j = 0; j < slice->count; j++)
            row[pile->columns[slice->cells[j]]] += slice->counts[j];
        ret->errors[i + 1] = ret->errors[i] + (double)run->errors[i];
    }
}

/* Slices from the first to the last, which is not included. */
static void
add_slices(struct pile *pile, const struct sums *sums, size_t first, size_t last)
{
    const double *before = sums->counts + first * pile->width;
    const double *after = sums->counts + last * pile->width;

    for (size_t i = 0; i < pile->width; i++)
        pile->counts[i] += after[i] - before[i];
    pile->errors += sums->errors[last] - sums->errors[first];
}

/* Within a cell latencies count as evenly spread. */
static double
quantile(const struct pile *pile, double share, double calls)
{
    double wanted = share * calls;
    double seen = 0;

    for (size_t i = 0; i < pile->width; i++) {
        double count = pile->counts[i];

        if (count > 0 && seen + count >= wanted)
            return pile->first_us[i] +
                   (pile->end_us[i] - pile->first_us[i]) * (wanted - seen) / count;
        seen += count;
    }
    return pile->width > 0 ? pile->end_us[pile->width - 1] : NAN;
}

static void
measure(const struct pile *pile, double ret[LOAD_MEASURE_COUNT])
{
    double calls = 0;
    double sum = 0;

    for (size_t i = 0; i < pile->width; i++) {
        calls += pile->counts[i];
        sum += pile->counts[i] * (pile->first_us[i] + pile->end_us[i]) / 2;
    }
    ret[LOAD_RATE] = calls > 0 ? calls * 1e6 / pile->elapsed_us : NAN;
    ret[LOAD_MEAN] = calls > 0 ? sum / calls : NAN;
    ret[LOAD_P50] = calls > 0 ? quantile(pile, 0.50, calls) : NAN;
    ret[LOAD_P95] = calls > 0 ? quantile(pile, 0.95, calls) : NAN;
    ret[LOAD_P99] = calls > 0 ? quantile(pile, 0.99, calls) : NAN;
    ret[LOAD_ERRORS] = calls + pile->errors > 0 ? pile->errors / (calls + pile->errors) : NAN;
}

static void
clear(struct pile *pile)
{
    memset(pile->counts, 0, pile->width * sizeof(pile->counts[0]));
    pile->errors = 0;
    pile->elapsed_us = 0;
}

/*
 * The best length grows with the cube root of the number of slices. Twice the root rather than once: where
 * neighbours are much alike, short blocks make intervals too narrow.
 */
static size_t
block_of(size_t slices)
{
    size_t block = (size_t)lround(2 * cbrt((double)slices));

    return block < slices ? block : slices;
}

/* As many slices as the run has, in blocks of neighbours. */
static void
draw_slices(
    struct pile *pile, const struct load_run_slices *run, const struct sums *sums, uint64_t *random)
{
    size_t block = block_of(run->count);

    for (size_t drawn = 0; drawn < run->count; drawn += block) {
        size_t start = random_below(random, run->count - block + 1);
        size_t left = run->count - drawn;

        add_slices(pile, sums, start, start + (left < block ? left : block));
    }
    pile->elapsed_us += (double)run->count * run->slice_us;
}

void
load_resample(
    struct arena *arena, const struct load_side *side, uint64_t seed, struct load_spread *ret)
{
    struct sums *sums = ARENA_ARRAY(arena, struct sums, side->count);
    struct pile pile;
    uint64_t random = seed * 2 + 1;
    double measured[LOAD_MEASURE_COUNT];

    make_pile(arena, side, &pile);
    for (size_t i = 0; i < side->count; i++) {
        const struct load_run_slices *run = &side->runs[i];

        make_sums(arena, &pile, run, &sums[i]);
        add_slices(&pile, &sums[i], 0, run->count);
        pile.elapsed_us += (double)run->count * run->slice_us;
    }
    measure(&pile, ret->estimate);
    for (size_t i = 0; i < LOAD_MEASURE_COUNT; i++)
        ret->replicates[i] = ARENA_ARRAY(arena, double, LOAD_REPLICATES);
    for (size_t i = 0; i < LOAD_REPLICATES; i++) {
        clear(&pile);
        for (size_t j = 0; j < side->count; j++) {
            size_t run = random_below(&random, side->count);

            draw_slices(&pile, &side->runs[run], &sums[run], &random);
        }
        measure(&pile, measured);
        for (size_t j = 0; j < LOAD_MEASURE_COUNT; j++)
            ret->replicates[j][i] = measured[j];
    }
    ret->units = (double)side->count;
    if (side->count == 1)
        ret->units = (double)side->runs[0].count / (double)block_of(side->runs[0].count);
}
