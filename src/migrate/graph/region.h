/* Which revisions were written side by side. */
#pragma once

#include "migrate/history/history.h"

/*
 * The history cut at the revisions that everything before them leads to: revisions of different
 * regions cannot be parallel, so that the costly question is asked for few.
 */
struct regions {
    const struct graph *graph;
    size_t *items; /* of each node */
};

void regions_find(struct arena *arena, const struct graph *graph, struct regions *ret);

/* Neither is an ancestor of the other. */
bool regions_are_parallel(const struct regions *regions, size_t a, size_t b);
