/* What was collected, as a plan: phases, order, ids. */
#pragma once

#include "cmd/collect/collect.h"
#include "cmd/parts/plan_order_risk.h"

/*
 * Order within a phase: what the others rest on, then by gain divided by the weight of the risk, then what rests
 * on the others; ties by title. The same steps give the same order, however they were collected.
 */
void plan_order_sort(struct collected *collected);

/*
 * Numbers the steps and lines up their changes in *ret, which is sealed for the database. Steps that have no
 * risk yet get it by their changes.
 */
bool plan_order(struct ctx *ctx, struct db *db, struct collected *collected, struct plan *ret)
    MUST_CHECK;
