/* Advice on indexes as a plan for "pgmend apply", with what was promised for each of them. */
#pragma once

#include "change/plan.h"
#include "index/advice/advice.h"

/* The indexes that can be built online in one statement, as changes; the others are left out. */
struct index_advice_changes {
    struct plan plan;                      /* sealed, without a proof */
    VEC(const struct advice_index *) of;   /* what each change is for, by its position */
    VEC(const struct advice_index *) left; /* on a partitioned table, or an extension is missing */
};
bool index_advice_changes(struct ctx *ctx, struct db *db, const struct advice *advice,
    struct index_advice_changes *ret) MUST_CHECK;

/*
 * What is promised of these indexes, as JSON for a plan or a step. names: under which they are built, by
 * position; NULL: as advised.
 */
const char *index_advice_proof(struct arena *arena, const struct advice *advice,
    const struct advice_index *const *indexes, const char *const *names, size_t count);

/*
 * All in one plan. What cannot be built online in one statement is left to the script, and counted in
 * *ret_left.
 */
bool index_advice_plan(struct ctx *ctx, struct db *db, const struct advice *advice,
    struct plan *ret, size_t *ret_left) MUST_CHECK;
