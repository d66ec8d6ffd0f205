/* What the files about plans share. */
#pragma once

#include "change/plan.h"

#define PLAN_FORMAT       "pgmend-plan-1"
#define PLAN_FORMAT_STEPS "pgmend-plan-2" /* of a plan with steps */

/* Members that only some kinds of change have: left out where they are not. */
extern const struct field plan_more_fields[];
extern const size_t plan_more_field_count;

/* What the plan does: the same statements and steps on the same database give the same hash. */
const char *plan_digest(struct ctx *ctx, const struct plan *plan);

/*
 * ERR_INPUT unless the steps cover the changes one after the other, none missing and none twice, with ids of
 * their own that fit their phases. A plan without steps is fine.
 */
bool plan_check_steps(struct ctx *ctx, const struct plan *plan) MUST_CHECK;

/* Appends what the hash covers of the steps. */
void plan_digest_steps(struct arena *arena, const struct plan *plan, struct buffer *ret);

/* The caller owns it. */
json_t *plan_steps_json(const struct plan *plan);

bool plan_read_steps(struct ctx *ctx, const json_t *json, struct plan *ret) MUST_CHECK;

/* A plan as JSON; ERR_VERIFICATION when its statements do not give its hash. */
bool plan_from_json(struct ctx *ctx, const json_t *json, struct plan *ret) MUST_CHECK;
