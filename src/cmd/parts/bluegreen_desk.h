/* What the commands of a blue-green pair share: finding it, the lock, progress, how it is shown. */
#pragma once

#include "bluegreen/bluegreen.h"
#include "cli/command.h"
#include "cli/out.h"

/* The database of --db-url, in a session of ours: a switch closes it and opens it again. */
bool bluegreen_connect(struct ctx *ctx, const struct run *run, enum access access, struct db **ret)
    MUST_CHECK;

/*
 * The pair that it is of; both sides have to answer when need_both. The run lock of every side that answers is
 * taken for access to write. bluegreen_close() is the caller's, also after a failure.
 */
struct bluegreen_entrance {
    const char *other_url;
    enum access access;
    bool need_both;
    bool may_be_none; /* no error, but is_none, when the database is of no pair */
};
bool bluegreen_enter(struct ctx *ctx, const struct run *run,
    const struct bluegreen_entrance *entrance, struct bluegreen *ret) MUST_CHECK;

/* Progress on standard error as steps of a long work tell it. */
struct bluegreen_progress {
    struct progress progress;
    const char *what;
    struct step_watch watch;
};
void bluegreen_progress_begin(struct bluegreen_progress *progress, const char *what);
void bluegreen_progress_end(struct bluegreen_progress *progress);

/* "blue   app @ host:5432   live": a side a line. */
void bluegreen_print_sides(struct ctx *ctx, FILE *out, const struct bluegreen *pair);
/* What makes the other side live. */
const char *bluegreen_switch_command(const struct bluegreen *pair);
json_t *bluegreen_sides_json(const struct bluegreen *pair);
