/* A plan as a file, and whether it still fits the database. */
#pragma once

#include "base/json.h"
#include "change/change.h"
#include "db/db.h"

/* Sets the hash and the digests of the tables' shape; ERR_INPUT when its steps do not fit its changes. */
bool plan_seal(struct ctx *ctx, struct db *db, struct plan *plan) MUST_CHECK;

/*
 * ERR_STALE when the tables look other than when the plan was made; names the plan's age. Of a plan
 * with steps that was begun already only database and server are looked at: each step is checked
 * before it is done. Tables that a restore has given other OIDs are found again by their names.
 */
bool plan_check_fresh(struct ctx *ctx, struct db *db, struct plan *plan) MUST_CHECK;

/* The same of the tables of one step, which may have been altered since the plan was begun. */
bool plan_check_step_fresh(struct ctx *ctx, struct db *db, const struct plan *plan,
    const struct plan_step *step) MUST_CHECK;

size_t plan_count(const struct plan *plan, enum change_action action);
size_t plan_pending(const struct plan *plan);

/* "Foundation and critical fixes" of phase 1. */
const char *plan_phase_title(int32_t phase);

/* The step that a change belongs to; NULL when the plan has no steps. */
const struct plan_step *plan_step_of(const struct plan *plan, size_t change);

/* A step by its id; NULL: the plan has none of this id. */
const struct plan_step *plan_step_find(const struct plan *plan, const char *id);

/* The caller owns it. */
json_t *plan_json(const struct plan *plan);

bool plan_write(struct ctx *ctx, const char *path, const struct plan *plan) MUST_CHECK;

/* Refuses (ERR_VERIFICATION) a file whose statements do not give its hash. */
bool plan_read(struct ctx *ctx, const char *path, struct plan *ret) MUST_CHECK;
