/* The plan with steps that was begun last, as it stands. */
#pragma once

#include <stdio.h>

#include "base/json.h"
#include "change/step.h"

struct status_step {
    const char *step;
    const char *title;
    const char *state; /* of its record; "cut off" when nobody works on it, "not begun" */
    const char *why;
    int32_t phase;
    const char *manual;
    const char *promise;
    const char *run;
    const char *started_at;
    const char *ended_at;
};

struct status_plan {
    bool is_there;
    const char *trouble; /* why what is kept of it cannot be shown, or NULL */
    const char *hash;
    const char *created_at;
    VEC(struct status_step) steps;
};

/* is_running: a pgmend is changing the database now. */
bool status_plan_look(struct ctx *ctx, struct db *db, bool is_running, struct status_plan *ret)
    MUST_CHECK;

/* Nothing where no plan with steps was begun. */
void status_plan_print(struct ctx *ctx, FILE *out, const struct status_plan *plan);

/* Of a plan that is there. The caller owns it. */
json_t *status_plan_json(const struct status_plan *plan);

/* Steps that are cut off or failed: somebody has to go on or go back. */
size_t status_plan_unfinished(const struct status_plan *plan);
