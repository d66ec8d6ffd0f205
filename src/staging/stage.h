/*
 * Staging copies by name: databases with a mark in their comment that says that they are ours, of what, since
 * when. Without the mark nothing is ever overwritten, renamed or dropped.
 */
#pragma once

#include "sql.h"
#include "staging/scratch.h"

/* ERR_NOT_FOUND; ERR_CONFLICT when it is a database without our mark. */
bool stage_find(struct ctx *ctx, struct db *db, const char *name, struct sql_staging_copies *ret)
    MUST_CHECK;

/* ERR_CONFLICT when something stands under the name; a staging copy of ours may with is_refresh. */
bool stage_check_name(struct ctx *ctx, struct db *db, const char *name, bool is_refresh) MUST_CHECK;

/* What a finished copy is to be. */
struct stage {
    const char *name;
    const char *source;  /* name of the database that it is a copy of */
    const char *cluster; /* its system identifier, or NULL */
    const char *way;     /* dump, template or backup */
    size_t masked;       /* columns */
    bool is_public;      /* everybody may connect, as to the source */
    bool is_refresh; /* the copy of this name is put aside in the same transaction, then dropped */
    bool ends_sessions; /* of the old copy; else they are ERR_CONFLICT */
};

/*
 * Gives the scratch database its name and its mark, and opens it to others. When it fails there is still the
 * scratch database, and an old copy is as it was.
 */
bool stage_name(struct ctx *ctx, struct scratch *scratch, const struct stage *stage) MUST_CHECK;

/* Closes a scratch database to all but owner and superusers, until it has its name. */
bool stage_close(struct ctx *ctx, struct db *admin, const char *database) MUST_CHECK;

/* Drops a staging copy; ERR_CONFLICT names the sessions that are in it, unless they are to be ended. */
bool stage_drop(struct ctx *ctx, struct db *db, const char *name, bool ends_sessions) MUST_CHECK;
