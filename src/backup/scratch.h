/*
 * Databases of our own, into which backups are restored. Their name holds the session that made
 * them, pgmend_scratch_<pid>_<start of the session>_<random>, so that the next run knows which
 * ones have no owner any more.
 */
#pragma once

#include "backup/backup.h"
#include "backup/manifest.h"

struct scratch {
    struct db *admin;
    const char *name; /* NULL: there is none */
};

/*
 * Makes an empty one with the encoding and locale of the backup, or a copy of the database
 * template; in the given tablespace or, with NULL, in the standard one.
 */
bool scratch_create(struct ctx *ctx, struct db *admin, const struct manifest *manifest,
    const char *scratch_template, struct scratch *ret) MUST_CHECK;

/* Drops it, whatever happened before and even when a signal came; the error stays. */
void scratch_drop(struct scratch *scratch);
