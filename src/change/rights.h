/* The rights that a plan takes, looked at before anything is begun. */
#pragma once

#include "change/change.h"
#include "db/db.h"

/* Whether the session's role may keep a gate or what a rehearsal measured. ERR_RIGHTS, as below. */
bool rights_require_record(struct ctx *ctx, struct db *db) MUST_CHECK;

/*
 * Whether the session's role may write the journal and owns what the plan's changes are about: those that are pending,
 * and in a plan with steps those that are blocked too. ERR_RIGHTS with what helps; nothing was changed then.
 */
bool rights_require(struct ctx *ctx, struct db *db, const struct plan *plan) MUST_CHECK;
