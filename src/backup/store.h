/* The folder with the backups: complete ones by their names, unfinished ones as .partial-…. */
#pragma once

#include "base/ctx.h"
#include "base/text.h"

/* Makes the folder or checks that nobody else may write into it. *ret_path is absolute. */
bool store_open(struct ctx *ctx, const char *folder, const char **ret_path) MUST_CHECK;

/* ERR_USAGE unless the name is letters, digits, '_', '-' and '.', and starts with one of the first
 * three. */
bool store_check_name(struct ctx *ctx, const char *name) MUST_CHECK;

/* "app-20261122T133000Z", whatever the database is called. */
const char *store_make_name(struct arena *arena, const char *database, int64_t wall_us);

/* The names of complete backups, sorted. */
bool store_list(struct ctx *ctx, const char *folder, struct text_list *ret) MUST_CHECK;

/*
 * A backup in the making. Its folder is locked as long as we or a pg_dump that we started live,
 * so that the next run can tell a dead one from one in progress.
 */
struct store_partial {
    const char *folder;
    const char *name;
    const char *path;
    int lock_fd;
};

bool store_partial_begin(
    struct ctx *ctx, const char *folder, const char *name, struct store_partial *ret) MUST_CHECK;

/* Writes down which process works for us, so that a later run can end it when we are dead. */
bool store_partial_note_child(struct ctx *ctx, const struct store_partial *partial, int pid)
    MUST_CHECK;

/* Gives the complete backup its name. */
bool store_partial_finish(struct ctx *ctx, struct store_partial *partial) MUST_CHECK;

/* Removes it; the error that led here stays. */
void store_partial_drop(struct store_partial *partial);

/* Removes what dead runs left, a sentence for each; also ends their pg_dump. */
bool store_clean(struct ctx *ctx, const char *folder, struct text_list *ret_notes) MUST_CHECK;
