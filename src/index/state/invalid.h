/* Indexes that the server does not use although they are there: how that came about and what to do. */
#pragma once

#include "index/state/state.h"

struct invalid_index {
    const struct index_state *index;
    const char *cause;  /* how it came to be, a clause */
    const char *cost;   /* what it does to writes meanwhile, a clause */
    const char *remedy; /* what to do, a clause */
    bool is_building;   /* somebody is at work on it, or may be */
    bool refuses_rows;  /* unique, and enforced although it is not usable */
    bool can_be_dropped;
};

struct invalid_indexes {
    struct invalid_index *items; /* those that refuse rows first */
    size_t count;
    size_t capacity;
};

void invalid_indexes_find(
    struct arena *arena, const struct index_states *states, struct invalid_indexes *ret);
