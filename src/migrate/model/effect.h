/*
 * What a step does to a running server: locks, rewrites, scans. Every row was measured
 * (test/db/test_migrate_effect.c measures them again on the server it runs on).
 */
#pragma once

#include "migrate/model/model.h"

enum lock_mode {
    LOCK_NONE,
    LOCK_ACCESS_SHARE,
    LOCK_ROW_SHARE,
    LOCK_ROW_EXCLUSIVE,
    LOCK_SHARE_UPDATE_EXCLUSIVE,
    LOCK_SHARE,
    LOCK_SHARE_ROW_EXCLUSIVE,
    LOCK_EXCLUSIVE,
    LOCK_ACCESS_EXCLUSIVE,
    LOCK_MODE_COUNT,
};

const char *lock_mode_name(enum lock_mode mode); /* "ACCESS EXCLUSIVE" */

/* "blocks reads and writes", "blocks writes", "blocks other schema changes", … */
const char *lock_mode_blocks(enum lock_mode mode);

struct relation_lock {
    const struct relation *relation;
    enum lock_mode mode;
};

/* Indexes are not told of: who waits for one waits for its table. */
struct effect {
    const struct relation *table;    /* what the step is about, or NULL: not known or not one */
    VEC(struct relation_lock) locks; /* of relations that existed before the step */
    bool rewrites;                   /* every row of the table is written again */
    bool scans;                      /* every row of the table is read under the lock */
    bool builds_index;               /* under the lock */
    bool is_unknown; /* the step or a type in it is unknown: the worst is not assumed */
};

enum { SERVER_MAJOR_LEAST = 14, SERVER_MAJOR_MOST = 18 };

/* What the step does, with the model as it was before; major: 14 to 18. */
bool effect_of(struct ctx *ctx, const struct model *before, const struct step *step, int major,
    struct effect *ret) MUST_CHECK;

/* Blanks to one, letters outside quotes to small ones: SQL to look for words in. Never NULL. */
const char *sql_plain(struct arena *arena, const char *sql);
