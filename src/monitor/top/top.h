/* Sessions, statements, locks, progress and tables of a server, alive on a terminal. */
#pragma once

#include "monitor/top/frame.h"
#include "monitor/watch/look.h"

extern const struct top_view *const top_views[];
extern const size_t top_view_count;

/* By name; NULL: there is none. */
const struct top_view *top_view_find(const char *name);

/* Asks what the view and the lines above it are made of. */
bool top_look(struct ctx *ctx, struct look *look, const struct top_view *view) MUST_CHECK;

struct top_options {
    const struct top_view *view;
    int64_t interval_us;
    const char *filter; /* or NULL */
};

/*
 * Shows until the user has seen enough; the terminal is as it was afterwards. A lost connection is
 * opened again. db stays the caller's.
 */
bool top_run(struct ctx *ctx, struct db *db, const struct top_options *options) MUST_CHECK;

/* -- for the files of this folder -- */

/* Cancels the statement of a session, or ends it; what came of it, for people. */
const char *top_signal(
    struct arena *arena, struct db *db, const struct watched *server, int32_t pid, bool is_end);
