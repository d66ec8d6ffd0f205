/* What a rehearsal measured, kept in schema pgmend of the live database under the plan's hash. */
#pragma once

#include "base/json.h"
#include "db/db.h"

/*
 * Keeps it. Members: plan_hash, at, with_rows, staging (or null), masked, database, database_bytes, rows, us,
 * undo_us, and steps with step, title, us, undo_us, bytes, wal_bytes, undo_wal_bytes, changes and statements. Times
 * are microseconds, -1 what was not measured.
 */
bool rehearsal_save(struct ctx *ctx, struct db *db, const char *plan_hash, const json_t *record)
    MUST_CHECK;

/* The last one of this plan; NULL in *ret: none. The caller owns it. */
bool rehearsal_load(struct ctx *ctx, struct db *db, const char *plan_hash, json_t **ret) MUST_CHECK;

/*
 * Whether the database has grown by more than a fifth beyond what was rehearsed: *ret is a sentence; NULL when
 * it has not, or was never rehearsed with rows.
 */
bool rehearsal_is_outgrown(struct ctx *ctx, struct db *db, const char *plan_hash, const char **ret)
    MUST_CHECK;

/* Rows of all tables as the server estimates them, and bytes of the database. */
bool rehearsal_measure(struct ctx *ctx, struct db *db, double *ret_rows, int64_t *ret_bytes)
    MUST_CHECK;
