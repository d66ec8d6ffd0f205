/* What a rollback has to do with plans of steps: how far "--to STEP" goes, and records that follow the journal. */
#pragma once

#include "change/journal.h"

/* With which "--to" undoes all steps of the plan. */
#define ROLLBACK_TO_START "start"

struct step_rollback {
    struct text_list runs;  /* of the plan that is undone */
    struct text_list steps; /* that are after the one that is gone back to */
};

/*
 * Reads "--to" against the newest plan with steps of which something stands, or else the one that was begun
 * last. ERR_NOT_FOUND when there is no such plan or it has no such step.
 */
bool rollback_steps_find(struct ctx *ctx, struct db *db, const char *to, struct step_rollback *ret)
    MUST_CHECK;

/* Whether an entry belongs to one of those steps. */
bool rollback_steps_have(const struct step_rollback *rollback, const struct journal_entry *entry);

/*
 * Brings the records of all steps in line with the journal after something was undone: what is undone as a whole
 * is undone, and its promises are forgotten; what is undone in part is unfinished. Done twice it is the same.
 */
bool rollback_steps_settle(struct ctx *ctx, struct db *db) MUST_CHECK;

/* What of a step's changes stands, by the newest entry of each. */
struct step_standing {
    size_t standing; /* done and undoable, or cut off */
    size_t undone;
};

/* runs: ids of the runs of the step's plan. */
struct step_standing step_standing_of(struct arena *arena, const struct journal_entries *entries,
    const struct text_list *runs, const char *step);

/* The ids of the runs of a plan. */
bool plan_runs(struct ctx *ctx, struct db *db, const char *plan_hash, struct text_list *ret)
    MUST_CHECK;
