/* A plan with steps as people read it, by phase. */
#pragma once

#include <stdio.h>

#include "base/text.h"
#include "change/plan.h"

/* brief: a line a step, for who has seen it already. */
void print_plan_steps(struct ctx *ctx, FILE *out, const struct plan *plan, bool is_brief);

/* What the changes of a step cost together, as estimated. */
struct plan_cost {
    int64_t us;
    int64_t bytes;
    int64_t wal_bytes;
    const char *lock; /* the strongest of its tables; NULL: by hand */
    const char *blocks;
};
void plan_cost_of(const struct plan *plan, const struct plan_step *step, struct plan_cost *ret);

/* "1.2 s", or "?" below 0. */
const char *plan_time_text(struct arena *arena, int64_t us);

/* What was not looked at, as a list; nothing when there is none. */
void plan_notes_print(struct arena *arena, FILE *out, const struct text_list *notes);
