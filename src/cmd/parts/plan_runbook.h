/* The rollback runbook of a plan, as Markdown: what to do, at which level, how long it takes, whom to tell. */
#pragma once

#include "change/plan.h"
#include "db/db.h"

struct plan_runbook {
    const struct plan *plan;
    const char *file; /* of the plan, or NULL */
    const char *backup_dir;
};

/* Only times that were measured, or estimates that are said to be ones. */
bool plan_runbook_write(struct ctx *ctx, struct db *db, const struct plan_runbook *runbook,
    const char *path) MUST_CHECK;
