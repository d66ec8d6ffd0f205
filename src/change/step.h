/*
 * What became of the steps of a plan: one row a step and plan in pgmend.step, written before it begins and
 * after each thing that happens to it, and the plan itself in pgmend.plan. The journal says what was
 * changed; this says what it was for, what was measured, and why it was undone.
 */
#pragma once

#include "base/vec.h"
#include "change/plan.h"

#define STEP_RUNNING "running"
#define STEP_PROVEN  "proven"  /* done, and what was promised was measured */
#define STEP_WAITING "waiting" /* done, and not measurable yet: too few calls */
#define STEP_DONE    "done"    /* done; it promises nothing that can be measured */
#define STEP_UNDONE  "undone"  /* because it did not hold, or by a rollback: why says which */
#define STEP_UNDOING "undoing" /* it did not hold; its changes are being undone */
#define STEP_FAILED  "failed"  /* could not be done; nothing of it is left unless why says so */
#define STEP_MANUAL  "by hand" /* told to a person */
#define STEP_TICKED  "ticked"  /* by hand, and somebody says that it is done */

/* With which "why" of a step begins that a rollback undid: applying the plan does it again. */
#define STEP_WHY_ROLLBACK "rolled back"

struct step_record {
    const char *plan_hash;
    const char *step; /* "1.2" */
    int32_t phase;
    const char *title;
    const char *feature;
    const char *state;
    const char *run;     /* that did it; NULL: none */
    const char *promise; /* or NULL */
    const char *why;     /* what was measured or went wrong, a sentence; or NULL */
    const char *before;  /* JSON: what was measured in the window before; or NULL */
    const char *after;   /* the same, after */
    const char *started_at;
    const char *ended_at; /* NULL: not yet */
};

struct step_records {
    struct step_record *items; /* by plan, the oldest first, and step */
    size_t count;
    size_t capacity;
};

/* Writes it, in place of what stood there of this plan and step. Times are set by the server when NULL. */
bool step_put(struct ctx *ctx, struct db *db, const struct step_record *record) MUST_CHECK;

/* Those of one plan, or with NULL of all; none where schema pgmend is not there. */
bool step_load(struct ctx *ctx, struct db *db, const char *plan_hash, struct step_records *ret)
    MUST_CHECK;

/* NULL: nothing is known of it. */
const struct step_record *step_find(const struct step_records *records, const char *step);

/* Keeps the plan in schema pgmend, so that a later program knows its steps by its hash. */
bool plan_keep(struct ctx *ctx, struct db *db, const struct plan *plan) MUST_CHECK;

/* The kept plan of this hash, or with NULL the one kept last. False in *ret_found: there is none. */
bool plan_find_kept(
    struct ctx *ctx, struct db *db, const char *hash, struct plan *ret, bool *ret_found) MUST_CHECK;
