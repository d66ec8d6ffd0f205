/*
 * Two runs, or two sets of runs: better, worse, or not distinguishable, with intervals of 95 % by a block
 * bootstrap over the runs' slices (latencies of neighbouring requests are not independent).
 */
#pragma once

#include "load/result/record.h"

enum load_verdict { LOAD_BETTER, LOAD_WORSE, LOAD_SAME };
extern const char *const load_verdict_words[]; /* "better", "worse", "not distinguishable" */

struct load_difference {
    const char *step;    /* NULL: all requests */
    const char *measure; /* "p50", "p95", "p99", "mean", "rate", "errors" */
    double before;
    double after;
    double low; /* of after / before (errors: after - before) */
    double high;
    bool is_ratio;
    enum load_verdict verdict;
    const char *why_not; /* why nothing can be said, or NULL */
};

struct load_comparison {
    struct load_difference *items;
    size_t count;
    struct text_list
        warnings; /* other scenario, other users, incomplete, generator was the bottleneck … */
};

struct load_records {
    const struct load_record *items;
    size_t count;
};
bool load_compare(struct ctx *ctx, const struct load_records *before,
    const struct load_records *after, struct load_comparison *ret) MUST_CHECK;
json_t *load_comparison_json(const struct load_comparison *comparison);
