/*
 * A plan as scripts for psql: one for each step and one for its undo, and all.sql and undo.sql, which run them in
 * order. Without gates, journal and proof, which only "pgmend apply" has.
 */
#pragma once

#include "change/plan.h"
#include "db/db.h"

/* ERR_USAGE when the folder is there and holds anything that was not written by plan_sql_write(). */
bool plan_sql_check_folder(struct ctx *ctx, const char *folder) MUST_CHECK;

/* Replaces what an earlier plan wrote there. */
bool plan_sql_write(struct ctx *ctx, struct db *db, const struct plan *plan, const char *folder)
    MUST_CHECK;

/* -- for plan_sql*.c -- */

/* The statements that do a change, each ended, and those that undo it. */
bool plan_sql_do(struct ctx *ctx, struct db *db, const struct change *change, struct buffer *ret)
    MUST_CHECK;
bool plan_sql_undo(struct ctx *ctx, struct db *db, const struct change *change, struct buffer *ret)
    MUST_CHECK;
