/* What "index bloat" and "index reindex --bloat-over" ask alike. */
#pragma once

#include "cmd/parts/index_state.h"
#include "index/state/bloat.h"

/* "40%", "40" → 0.4; ERR_USAGE. */
bool index_state_ratio(struct ctx *ctx, const char *option, const char *text, double *ret)
    MUST_CHECK;

/*
 * Estimates, and reads those of at most most_bytes (below 0: none), with progress on the screen. Those smaller
 * than least_bytes are left out.
 */
bool index_state_bloat(struct ctx *ctx, struct run *run, const struct index_states *states,
    int64_t most_bytes, int64_t least_bytes, struct index_bloats *ret) MUST_CHECK;
