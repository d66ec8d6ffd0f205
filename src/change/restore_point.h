/*
 * Named points in the WAL to which a server can be recovered (PITR), set before a phase of a plan. They cost
 * nothing, and are of use only to who archives the WAL and has a base backup from before.
 */
#pragma once

#include "base/vec.h"
#include "db/db.h"

struct restore_point {
    const char *name; /* "pgmend_1a2b3c4d_phase2" */
    const char *lsn;
    const char *set_at;
};

struct restore_points {
    struct restore_point *items; /* oldest first */
    size_t count;
    size_t capacity;
};

/* "pgmend_<first 8 of the hash>_phase<N>". */
const char *restore_point_name(struct arena *arena, const char *plan_hash, int32_t phase);

/*
 * Sets one where the WAL is archived and the role may; *ret_text is then a sentence with its name, its LSN and how to
 * recover, else NULL, or a sentence about what went wrong. False only for a signal or a lost connection: a plan does
 * not stop for it. Where schema pgmend is there, the point is kept in it.
 */
bool restore_point_set(struct ctx *ctx, struct db *db, const char *name, const char **ret_text)
    MUST_CHECK;

/* Why there are no restore points here and how to have them, a sentence; NULL: they can be set. */
bool restore_point_advice(struct ctx *ctx, struct db *db, const char **ret) MUST_CHECK;

/* Those that are kept; none where schema pgmend is not there. */
bool restore_points_load(struct ctx *ctx, struct db *db, struct restore_points *ret) MUST_CHECK;
