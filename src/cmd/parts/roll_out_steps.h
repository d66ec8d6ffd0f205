/* Rolling out a plan with steps: each is begun, proven, and kept or undone on its own. */
#pragma once

#include "change/step.h"
#include "cmd/parts/roll_out.h"
#include "cmd/parts/step_proof.h"

/* What a step has come to in this run, beside its record. */
struct step_work {
    const struct plan_step *step;
    struct step_record record; /* state NULL: not begun, now or ever */
    const char *passed;        /* why it was passed over this time, a sentence; or NULL */
    json_t *changes;           /* what was done now; NULL: nothing. Released by roll_out_steps() */
};

struct stepped {
    struct run *run;
    struct plan *plan;
    const struct roll_out_options *options;
    struct gate_results *gates;
    struct rollout *rollout;
    struct screen *screen;
    struct step_window *window;
    struct text_list runs;   /* of this plan, with the one that goes on */
    struct step_work *steps; /* as many as the plan has */
    struct error why;        /* of the first step that failed */
    bool is_undone;          /* a step did not hold and was undone */
};

/* What is to be done about a step. */
enum step_way {
    STEP_PASS,  /* passed over */
    STEP_DO,    /* its changes, as far as they are not done, and its proof */
    STEP_PROVE, /* its changes stand: only the proof */
    STEP_UNDO,  /* its undoing was cut off */
    STEP_TELL,  /* by hand */
};

/* Whether something is left to be done of the plan, seen before a run begins. */
bool steps_have_work(struct ctx *ctx, struct db *db, const struct plan *plan,
    const struct roll_out_options *options, bool *ret) MUST_CHECK;

/*
 * For a look at the gates: what --step and --phase leave out is no longer pending. The changes are a copy,
 * those of the caller's plan stay as they are.
 */
void steps_leave_out(
    struct arena *arena, const struct roll_out_options *options, struct plan *plan);

/* ERR_USAGE when --step or --phase name what the plan does not have. */
bool steps_check_options(
    struct ctx *ctx, const struct plan *plan, const struct roll_out_options *options) MUST_CHECK;

/*
 * Does, proves and records one step, or undoes what is left of it. False when the run has to stop: by a signal, a lost
 * server, a gate that turned red, or because the step failed; the error's state says what became of it.
 */
bool step_do(struct ctx *ctx, struct stepped *all, struct step_work *work, enum step_way way)
    MUST_CHECK;

/* The table at the end, or the JSON document. */
void steps_print_result(struct ctx *ctx, const struct stepped *all);

/* The whole of it, once gates are green. */
bool roll_out_steps(struct ctx *ctx, struct run *run, struct plan *plan,
    const struct roll_out_options *options, struct gate_results *results) MUST_CHECK;
