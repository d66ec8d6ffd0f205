/* Dropping and rebuilding indexes as a plan of changes. */
#pragma once

#include "change/plan.h"
#include "index/state/state.h"

/* kind: KIND_DROP or KIND_REINDEX. reason may be NULL. */
void index_state_change(struct arena *arena, const struct index_state *index, const char *kind,
    const char *reason, struct change *ret);

/* Composes, judges and seals what is in plan->items; sets everything else. */
bool index_state_plan(struct ctx *ctx, struct db *db, struct plan *plan) MUST_CHECK;
