/* A plan done and undone on a copy, change by change, with what each took. */
#pragma once

#include "change/plan.h"
#include "change/rollout.h"

struct rehearsed_change {
    const char *kind;
    const char *object;
    const char *result;
    const char *skipped; /* why it was not rehearsed, or NULL */
    bool is_outside;     /* it was skipped as it touches more than a copy */
    int64_t us;
    int64_t undo_us; /* -1: there is nothing to undo */
    int64_t bytes;
    int64_t wal_bytes;
    int64_t undo_wal_bytes;
};

/* A statement of a promise, before the step and after it. */
struct rehearsed_statement {
    const char *fingerprint;
    const char *query;
    const char *sql;   /* with values of the copy */
    const char *index; /* that was promised */
    double cost_before;
    double cost_after;
    int64_t blocks_before; /* read or hit; -1: only planned */
    int64_t blocks_after;
    int64_t us_before; /* the better of two runs; -1 */
    int64_t us_after;
    bool is_taken;       /* the planner took the index */
    const char *problem; /* why it could not be measured; or NULL */
};

struct rehearsed_step {
    const struct plan_step *step; /* NULL: the plan has none */
    VEC(struct rehearsed_change) changes;
    VEC(struct rehearsed_statement) statements;
};

struct rehearsed {
    VEC(struct rehearsed_step) steps;
    size_t built;
    size_t undone;
};

struct rehearsal_place {
    struct db *copy;      /* may write */
    struct db *reader;    /* plans and reads statements there; NULL: there are no rows */
    const char *database; /* the copy */
    struct rollout_observer observer;
    const char *command;
};

/* Changes that no copy can hold: of the server, of a role, of the application. */
size_t rehearsal_left_out(const struct rehearsed *done);

/*
 * Does the plan's pending changes step by step and then undoes everything, the last first. What touches more than
 * the copy (settings of the server or a role, flags) is left out and told. Also after a failure nothing stays
 * done unless the error's state says so.
 */
bool rehearsal_run(struct ctx *ctx, const struct rehearsal_place *place, const struct plan *plan,
    struct rehearsed *ret) MUST_CHECK;

/* Undoes what a rehearsal left that was cut off; *ret_undone changes. Schema pgmend is there. */
bool rehearsal_heal(struct ctx *ctx, const struct rehearsal_place *place, size_t *ret_undone)
    MUST_CHECK;

/* The promised statements of a step (its proof as JSON), made plannable with values of the copy. */
struct rehearsal_proof;
bool rehearsal_proof_begin(
    struct ctx *ctx, const struct rehearsal_place *place, struct rehearsal_proof **ret) MUST_CHECK;
void rehearsal_proof_end(struct rehearsal_proof *proof);
bool rehearsal_proof_before(struct ctx *ctx, struct rehearsal_proof *proof, const char *json,
    struct rehearsed_step *ret) MUST_CHECK;
bool rehearsal_proof_after(
    struct ctx *ctx, struct rehearsal_proof *proof, struct rehearsed_step *step) MUST_CHECK;
