/* Which indexes no server used, and which of those stay all the same. */
#pragma once

#include "index/state/state.h"

struct unused_index {
    const struct index_state *index;
    const char *why;     /* why it stays, a clause; NULL: it may go */
    const char *caution; /* what to think of before it goes, a clause; or NULL */
};

struct unused {
    const char *early; /* why it is too early to tell, a clause; then there are no items; or NULL */
    int64_t window_us; /* that all servers were counting; -1: not known */
    VEC(struct unused_index) items; /* that may go, the biggest first */
    VEC(struct unused_index) kept;  /* not used, and needed all the same */
    int64_t bytes;                  /* of items */
};

/*
 * Why an index must not be dropped although nobody scans it: it enforces something, or others rest on it;
 * a clause. NULL: it may.
 */
const char *index_why_kept(struct arena *arena, const struct index_state *index);

void unused_find(
    struct arena *arena, const struct index_states *states, int64_t least_us, struct unused *ret);
