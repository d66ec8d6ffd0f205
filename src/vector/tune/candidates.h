/* What the list of candidates and the run have in common. */
#pragma once

#include "vector/tune/tune.h"

enum {
    BIG_TENANT_ROWS = 3000, /* from here on an approximate index of its own can pay */
    MOST_BUILT_TENANTS = 20,
    MOST_RANKED_FACTOR = 160, /* of the limit: K of bits goes up to 1,600 for ten rows */
};

/* The plan's own choice: an IVFFlat index over all rows, nothing beside it, 10 or 20 probes. */
bool candidate_is_plan(const struct vector_method *method);

/* Whether a live table can get it without being made anew; a scan is there to be compared only. */
bool candidate_can_be_applied(const struct vector_method *method);

/*
 * False for an approximate index over all tenants whose scan stops before the filters are
 * satisfied: what it returns hangs on which tenants are asked, so it is never chosen by itself.
 */
bool candidate_is_safe(const struct vector_target *target, const struct vector_method *method);

/* Whether the method is one of those that --use asks for; exact search is not unless asked for. */
bool candidate_is_used(const struct vector_method *method, const char *use);

/*
 * Writes for which tenants a partial index is built: those of the queries with at least
 * BIG_TENANT_ROWS rows, the largest first, MOST_BUILT_TENANTS at most.
 */
void candidate_tenants(struct arena *arena, const struct vector_sizes *sizes,
    const struct vector_queries *queries, struct text_list *ret);
