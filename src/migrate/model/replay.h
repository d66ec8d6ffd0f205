/* The history applied to the model in Alembic's order, with somebody watching. */
#pragma once

#include "migrate/history/history.h"
#include "migrate/model/model.h"

/* Any member may be NULL. Revisions are in the order of graph.order. */
struct replay_watcher {
    void *self;
    void (*before_revision)(void *self, const struct revision *revision, const struct model *model);
    /* verdict: of the step's conditions; VERDICT_NO steps are not applied. */
    void (*before_step)(void *self, const struct revision *revision, const struct step *step,
        enum verdict verdict, const struct model *model);
    void (*failed)(void *self, const struct revision *revision, const struct step *step,
        const struct model_error *error);
    void (*after_revision)(void *self, const struct revision *revision, const struct model *model);
};

/*
 * Applies every revision's upgrade. Transactions: one a revision (env.py's default of one for the
 * whole run is told by environment.transaction_per_migration), ended by COMMIT and autocommit
 * blocks. A failing step inside a transaction makes the server refuse the rest of the revision
 * (25P02); the replay goes on with what would fit, so that one fault does not hide the others.
 * ret->server_major says whose answers are given (0: 15); all else of it is overwritten.
 */
bool replay_run(struct ctx *ctx, const struct history *history, const struct graph *graph,
    const struct replay_watcher *watchers, size_t watcher_count, struct model *ret) MUST_CHECK;
