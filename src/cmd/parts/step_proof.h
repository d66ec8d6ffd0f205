/*
 * Proves one step of a plan: what was measured in a window before it against the same after it. Kinds of proof
 * (member "kind" of a step's JSON):
 *
 *   index     promises of indexes, as plans of "index advise" carry them; a promise without statements is
 *             judged by all statements that read its table
 *   vector    recall and speed of an installed vector search
 *   workload  {"relations": ["public.t"], "least_gain": 0.05, "most_loss": 0.2}: the statements that read these
 *             relations (none: all statements) together are faster by that share, none of them slower by that
 */
#pragma once

#include "change/plan.h"
#include "change/rollout.h"
#include "change/step.h"

struct step_proving {
    int64_t window_us;   /* the window before is at least this long; waited for if need be */
    int64_t within_us;   /* how long calls are waited for afterwards; 0: one look */
    int64_t least_calls; /* of the statements together, before anything is concluded */
};

enum step_verdict_kind {
    STEP_HOLDS,
    STEP_BREAKS, /* measured, and not what was promised: it has to be undone */
    STEP_OPEN,   /* not measurable yet */
};

struct step_verdict {
    enum step_verdict_kind kind;
    const char *text;   /* a sentence with the numbers */
    const char *before; /* JSON for the record, or NULL */
    const char *after;
};

/* The reading that windows before begin with, taken once when a run starts. */
struct step_window;
bool step_window_open(
    struct ctx *ctx, struct db *db, struct rollout *rollout, struct step_window **ret) MUST_CHECK;

/* Before a step: closes its window before, waiting until it is long enough. */
bool step_proof_begin(struct ctx *ctx, struct step_window *window, const struct plan_step *step,
    const struct step_proving *proving) MUST_CHECK;

/*
 * What was measured in the window that step_proof_begin() closed, as JSON for the record; a later run can go on
 * with it. NULL: no window was closed, or calls are not counted.
 */
const char *step_proof_before(struct arena *arena, const struct step_window *window);

/*
 * After its changes: measures until there is a verdict or the time is over, and opens the next step's window. What
 * is still open keeps its promise in schema pgmend, for "pgmend index prove". An error means that it could
 * not be looked at: the step stands, unproven. *ret has to be initialised: without step_proof_begin() in this run its
 * before is what an earlier run measured before the step, or NULL when nobody knows.
 */
bool step_proof_end(struct ctx *ctx, struct step_window *window, const struct plan_step *step,
    const struct step_proving *proving, struct step_verdict *ret) MUST_CHECK;

/* Forgets what is kept of a step that is undone. */
bool step_proof_forget(struct ctx *ctx, struct db *db, const struct plan_step *step) MUST_CHECK;

/* Refuses a plan with a proof that this program does not know. */
bool step_proof_require_known(struct ctx *ctx, const struct plan *plan) MUST_CHECK;
