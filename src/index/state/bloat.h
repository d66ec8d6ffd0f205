/*
 * How much of an index is waste: estimated for B-trees from the planner's statistics, or read from every
 * page by the extension pgstattuple.
 */
#pragma once

#include "index/state/state.h"

struct index_bloat {
    const struct index_state *index;
    int64_t waste;    /* bytes that a rebuild would give back; -1: not known */
    double ratio;     /* of its size; NaN: not known */
    bool is_exact;    /* by pgstattuple */
    const char *note; /* why it was not read, or what else was seen, a clause; or NULL */
};

struct index_bloats {
    struct index_bloat *items; /* the most waste first */
    size_t count;
    size_t capacity;
    const char *why_not_exact; /* why none could be read exactly, a clause; or NULL */
};

/* Estimates all B-trees of at least 1 MB; least_bytes leaves out smaller ones. */
bool index_bloat_estimate(struct ctx *ctx, struct db *db, const struct index_states *states,
    int64_t least_bytes, struct index_bloats *ret) MUST_CHECK;

/*
 * Reads every page of each (a shared lock that stops nobody but DROP and REINDEX), none that is bigger than
 * most_bytes. What cannot be read keeps its estimate and says why. progress may be NULL.
 */
struct index_bloat_options {
    int64_t most_bytes;
    void (*progress)(void *data, const char *object, double ratio, int64_t elapsed_us);
    void *data;
};
bool index_bloat_read(struct ctx *ctx, struct db *db, const struct index_bloat_options *options,
    struct index_bloats *bloats) MUST_CHECK;
