/*
 * A roll-out that is going on: steps, each of which the guard lets go on, wait or go back. What is set
 * lives for some seconds only and is renewed at each look, so that processes fall back by themselves when
 * nobody guards them any more.
 */
#pragma once

#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/arm_metrics.h"
#include "flags/guard.h"
#include "flags/store.h"

enum { ROLLOUT_MOST_STEPS = 20 };

struct flag_rollout_times {
    int64_t warm_up_us; /* not counted after a step began */
    int64_t every_us;   /* between two looks */
    int64_t blind_us;   /* without metrics, before it goes back */
    int64_t limit_us;   /* of a step without a decision */
};

struct flag_rollout {
    struct run *run;
    struct flag_rollout_times times;
    struct guard_rules rules;
    struct arm_metrics *metrics;
    const char *reason;
    int32_t steps[ROLLOUT_MOST_STEPS];
    size_t step_count;
    const char *id;    /* of the run in the journal: all steps are one */
    struct flag start; /* before it; variant NULL: there was no such flag */
    struct flag flag;  /* as it is set now */
    bool is_there;     /* it has been set at least once */
    struct progress progress;
    struct guard guard;
    struct guard_verdict verdict; /* the last one */
    size_t gaps;                  /* counters that went back */
    size_t missing;               /* sources that did not answer at the last look */
    const char *problem;          /* of the last look, or NULL */
    json_t *done;                 /* what was decided, a step an object */
};

/*
 * Goes through the steps. *ret_promoted false: it went back to 0, and the verdict says why. Interrupted
 * or failed it goes back to the percent before the step; ERR_ATTENTION when that cannot be written.
 */
bool flag_rollout_run(struct ctx *ctx, struct flag_rollout *rollout, bool *ret_promoted) MUST_CHECK;
