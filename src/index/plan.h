/* From a script to a plan: what each statement would do to this database, without doing it. */
#pragma once

#include "change/change.h"
#include "db/db.h"
#include "index/script.h"

/*
 * Each statement is tried on an empty temporary copy of its table, inside a transaction that is
 * rolled back: so the server itself says whether it is right and how it would write it. Statements
 * that cannot be done are in the plan too, as ACTION_BLOCKED with the reason.
 */
bool index_plan(struct ctx *ctx, struct db *db, const struct index_script *script, struct plan *ret)
    MUST_CHECK;
