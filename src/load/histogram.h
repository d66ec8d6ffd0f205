/*
 * Latencies counted so that any quantile is right to three significant digits, in fixed memory,
 * and so that two counts can be added. The layout is that of Gil Tene's HdrHistogram: numbers up
 * to 2047 have a cell each; each further doubling of the range has 1024 cells.
 */
#pragma once

#include "base/arena.h"

/* An hour in microseconds, the longest load run, fits; what is longer counts as this. */
enum { HISTOGRAM_DOUBLINGS = 22 };
enum { HISTOGRAM_HALF = 1024, HISTOGRAM_CELLS = HISTOGRAM_HALF * (HISTOGRAM_DOUBLINGS + 2) };

struct histogram {
    int64_t count;
    int64_t sum_us;
    int64_t min_us; /* exact; 0 while nothing was recorded */
    int64_t max_us; /* exact */
    /* How many of count have no place in their cell, because it is full: quantiles leave them out. */
    int64_t unplaced;
    uint32_t cells[HISTOGRAM_CELLS]; /* 96 kB */
};

struct histogram *histogram_new(struct arena *arena);

/* Counts one latency; below zero (a clock that was set back) counts as zero. */
void histogram_record(struct histogram *histogram, int64_t us);

/* Adds what other counted. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* As new; costs only what was recorded. */
void histogram_reset(struct histogram *histogram);

/*
 * The smallest recorded latency that at least this share (0..1) of all are not longer than, or
 * up to 0.1 % more. 0 when nothing was recorded.
 */
int64_t histogram_quantile_us(const struct histogram *histogram, double share);

/* Exact. 0 when nothing was recorded. */
double histogram_mean_us(const struct histogram *histogram);

/* The cell that counts this latency, and the longest latency that a cell counts. */
size_t histogram_cell(int64_t us);
int64_t histogram_cell_us(size_t cell);
