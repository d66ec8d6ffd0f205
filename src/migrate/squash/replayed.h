/* What the files replay*.c and prove*.c share: a run of Alembic in a scratch database, in steps. */
#pragma once

#include "migrate/squash/squash.h"

/* An empty scratch database like that of db, and a session in it. */
bool replayed_begin(
    struct ctx *ctx, struct db *db, const char *scratch_template, struct replayed *ret) MUST_CHECK;

/* Loads a file of pg_dump --schema-only; anything but SQL in it is refused. */
bool replayed_baseline(struct ctx *ctx, const struct replayed *replayed, const char *path)
    MUST_CHECK;

/*
 * Runs "alembic COMMAND TARGET" and adds what was seen to the counts of replayed. With a graph the
 * statements about rows and the first revision of each object are kept too.
 */
struct replayed_command {
    const struct alembic *alembic;
    const char *command;
    const char *target;
    const struct graph *graph; /* or NULL */
};
bool replayed_run(
    struct ctx *ctx, const struct replayed_command *command, struct replayed *replayed) MUST_CHECK;

/* Reads schema and content as they are now. */
bool replayed_look(struct ctx *ctx, struct replayed *replayed) MUST_CHECK;

/* Watches a run for replayed_run(); see alembic_watcher. */
struct replayed_watch {
    struct replayed *replayed;
    const struct graph *graph;
    size_t first_open;    /* of replayed->data: their revision is not known yet */
    int64_t last_oid;     /* the highest one that was seen */
    struct map made;      /* "tables 16384" → id of the revision that made it */
    const char *revision; /* the last one that Alembic wrote down, or NULL */
};
bool replayed_watch_begin(struct ctx *ctx, struct replayed_watch *watch) MUST_CHECK;
bool replayed_watch_statement(
    void *self, struct ctx *ctx, const struct alembic_statement *statement) MUST_CHECK;

/* After the run: statements that are still open belong to the revision that failed, or the last. */
bool replayed_watch_end(struct ctx *ctx, struct replayed_watch *watch) MUST_CHECK;

/* The steps that the statements about rows come from, where that is certain. */
void replayed_find_places(const struct graph *graph, struct replayed *replayed);
