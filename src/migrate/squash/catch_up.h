/* A database that stands at a revision which a consolidation has moved into the archive. */
#pragma once

#include "migrate/squash/squash.h"

struct catch_up {
    struct squash_database database;
    bool needs_nothing;      /* its revisions are in the version folder as it is now */
    const char *archive;     /* the folder that knows its revisions */
    const char *head;        /* of the archive */
    bool is_last;            /* the version folder goes on from there; else a newer archive does */
    struct history history;  /* of the archive */
    struct graph graph;      /* of the archive */
    VEC(size_t) missing;     /* nodes in the order in which Alembic applies them */
    struct text_list looked; /* archives that were looked into */
};

/*
 * Looks where the database of db stands and which archive brings it further. archive: the only one
 * to look into; NULL: all beside the version folder, newest first. ERR_NOT_FOUND when none knows
 * its revisions. history_free(&ret->history) is the caller's, also after a failure.
 */
bool catch_up_find(struct ctx *ctx, struct db *db, const struct environment *environment,
    const char *archive, struct catch_up *ret) MUST_CHECK;

/* Reads the version table again; ERR_STALE when it is not what catch_up_find() saw. */
bool catch_up_recheck(struct ctx *ctx, struct db *db, const struct environment *environment,
    const struct catch_up *plan) MUST_CHECK;

/*
 * Runs the user's Alembic on the database itself, with the archive as its version folder, up to
 * the old head, and sees that the version table says so. watcher: told of each statement, or NULL.
 * An error says where the database stands now.
 */
bool catch_up_run(struct ctx *ctx, struct db *db, struct alembic *alembic,
    const struct catch_up *plan, const struct alembic_watcher *watcher, struct alembic_outcome *ret)
    MUST_CHECK;

/* "a1, b2", or "no revision". */
const char *catch_up_standing(struct arena *arena, const struct text_list *revisions);
