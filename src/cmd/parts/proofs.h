/*
 * What has to hold after a plan was applied. A plan carries it as JSON with a member "kind"; a
 * feature that makes such plans has a row in proofs.c. A plan that does not hold is undone.
 */
#pragma once

#include "change/plan.h"
#include "change/rollout.h"

/* Refuses a plan whose proof this pgmend does not know, before anything is done. */
bool proof_require_known(struct ctx *ctx, const struct plan *plan) MUST_CHECK;

/*
 * Proves what was applied; *ret_text says what holds, NULL when the plan carries no proof. When it
 * does not hold, everything that was done for this plan since it last held is undone: ERR_UNDONE,
 * or ERR_ATTENTION naming what is left.
 */
bool proof_check(struct ctx *ctx, struct rollout *rollout, const struct plan *plan,
    const char **ret_text) MUST_CHECK;

/* Whether changes of this plan stand whose proof was cut off. Leaves a true *ret as it is. */
bool proof_is_due(struct ctx *ctx, struct db *db, const struct plan *plan, bool *ret) MUST_CHECK;

/* Marks runs of which nothing stands as undone; the error in ctx stays. Returns false. */
bool proof_settle(struct ctx *ctx, struct rollout *rollout);
