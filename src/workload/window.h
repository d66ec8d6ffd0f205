/*
 * Two windows of counters, one before a change and one after it, compared statement by statement. Blocks per call are
 * counted and so exact; times are samples, of which pg_stat_statements keeps mean and standard deviation: the
 * spread within a window follows from both readings (Chan, Golub and LeVeque 1979), and whether two means
 * differ is Welch's test (Welch 1947, for weighted sums Satterthwaite 1946).
 */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "workload/workload.h"

/* A statement of any user within a window. */
struct window_statement {
    const char *fingerprint;
    const char *query;
    bool is_lost; /* an unknown part of its calls is missing: it was evicted meanwhile */
    double calls;
    double ms;       /* of a call */
    double variance; /* of a call's time, in ms²; NaN: of fewer than two calls */
    double blocks;   /* of a call: read or hit */
    double rows;     /* of a call */
};

struct workload_window {
    double seconds;
    bool
        was_reset; /* the counters, or the server began anew: what is here is not the whole window */
    int64_t evicted;
    VEC(struct window_statement) statements;
    struct map by_fingerprint;
};

/* What happened between the readings; points into both. Statements without a fingerprint are left out. */
void workload_window(struct arena *arena, const struct workload *before,
    const struct workload *after, double seconds, struct workload_window *ret);

/* Adds one that is not in it yet. */
void workload_window_add(
    struct arena *arena, struct workload_window *window, const struct window_statement *statement);

/* NULL: it was not called. */
const struct window_statement *window_find(
    const struct workload_window *window, const char *fingerprint);

/* A statement that was called in both windows. */
struct window_pair {
    const struct window_statement *before;
    const struct window_statement *after;
    double wanted; /* share of its cost that has to be saved at least */
};

struct window_pairs {
    struct window_pair *items;
    size_t count;
    size_t capacity;
};

/* A difference of times with what chance allows. */
struct window_difference {
    double ms;      /* before minus after: above 0 is faster */
    double error;   /* standard error of it */
    double degrees; /* of freedom; at least 1 */
};

/* Of statements together: a mean call, weighted by the calls after. */
struct window_sum {
    double calls_before;
    double calls_after;
    double ms_before;
    double ms_after;
    double blocks_before;
    double blocks_after;
    double wanted_ms; /* that a call has to save at least */
    double wanted_blocks;
    struct window_difference time;
};

void window_add_up(const struct window_pairs *pairs, struct window_sum *ret);

/* factor × the time before, minus that after. */
struct window_difference window_compare(const struct window_pair *pair, double factor);
