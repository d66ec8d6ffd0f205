/* Advice on indexes as a plan for "pgmend apply", with what was promised for each of them. */
#pragma once

#include "change/plan.h"
#include "index/advice/advice.h"

/*
 * What can be built online in one statement is in it; what cannot (a partitioned table, an extension that is
 * missing) is left to the script, and counted in *ret_left.
 */
bool index_advice_plan(struct ctx *ctx, struct db *db, const struct advice *advice,
    struct plan *ret, size_t *ret_left) MUST_CHECK;
