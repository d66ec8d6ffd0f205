/*
 * How much a measure of a run could have come out differently: its slices are drawn again and again with
 * replacement, in blocks, because neighbouring slices are alike (the moving-block bootstrap; Kuensch 1989).
 */
#pragma once

#include "load/result/record.h"

enum load_measure {
    LOAD_RATE,
    LOAD_MEAN,
    LOAD_P50,
    LOAD_P95,
    LOAD_P99,
    LOAD_ERRORS,
    LOAD_MEASURE_COUNT
};

enum { LOAD_REPLICATES = 2000 };

/* Slices of all kinds of requests, or of one, of one run. */
struct load_run_slices {
    size_t count;
    double slice_us;
    struct load_sparse *slices;
    const int64_t *errors;
};

struct load_side {
    const struct load_run_slices *runs;
    size_t count;
};

struct load_spread {
    double estimate[LOAD_MEASURE_COUNT]; /* of all slices as they are; NaN: there is none */
    double *replicates[LOAD_MEASURE_COUNT];
    double units; /* blocks of the only run, or runs: how many things were drawn from */
};

/* Drawn from the same seed each time, so that the same runs give the same answer. */
void load_resample(
    struct arena *arena, const struct load_side *side, uint64_t seed, struct load_spread *ret);
