/* Indexes that another one of the same table makes needless. */
#pragma once

#include "index/state/state.h"

struct index_duplicate {
    const struct index_state *needless;
    const struct index_state *stays;
    const char *kind; /* "same", "constraint", "prefix", "reversed", "included" */
    const char *why;  /* why it is safe to drop, a clause */
};

struct index_duplicates {
    struct index_duplicate *items; /* the biggest first */
    size_t count;
    size_t capacity;
};

void index_duplicates_find(
    struct arena *arena, const struct index_states *states, struct index_duplicates *ret);
