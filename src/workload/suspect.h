/*
 * N+1 suspected from counters alone: between two readings one statement was called as often as another
 * gave rows. Weak: callers are not told apart. For "queries nplusone" and the monitor.
 */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"

struct suspect_statement {
    int64_t query_id;
    int64_t user_id;
    const char *query;
    double calls; /* between the readings */
    double rows;
    double total_ms;
};

struct suspect {
    size_t parent; /* of the statements given */
    size_t child;
    double ratio;   /* calls of the child by rows of the parent */
    double repeats; /* rows a call of the parent */
    double score;   /* 0 … 1 */
};

struct suspects {
    struct suspect *items;
    size_t count;
    size_t capacity;
};

/* Pairs of one user, the child's time first. Only reads whose text fits: see suspect.c for the rules. */
void suspects_find(struct arena *arena, const struct suspect_statement *statements, size_t count,
    struct suspects *ret);
