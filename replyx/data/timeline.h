/* What happened, in the order of time: the rows of a table that grows as people use it. */
#pragma once

#include "base/arena.h"

struct event {
    int64_t us;      /* since 2000-01-01 */
    uint32_t owner;  /* row of the owner (a dialog, an assistant, a user), from 0 */
    uint32_t number; /* which of the owner's events, from 0 */
};

struct timeline {
    struct event *events;
    size_t count;
};

/* Sorts by time; events of the same time stay as they were. Needs the memory twice. */
void timeline_sort(struct timeline *timeline);

/* Says how total things are shared among owners. */
struct share {
    int64_t total;
    double none_ratio; /* owners that get nothing */
    double sigma;      /* of the log-normal weights of the others */
    uint32_t most;     /* nobody gets more */
    uint32_t planted;  /* this many owners of the first half get most / rank^decay */
    double decay;
    const double *factors; /* for the weight of each owner; NULL: all the same */
};

/*
 * The number of things of each of count owners; they add up to total. seed and stream as in rng.h.
 */
uint32_t *share_out(
    struct arena *arena, const struct share *share, size_t count, uint64_t seed, int stream);
