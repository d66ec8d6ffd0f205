/* What is to be done about a change, seeing what the database holds now. */
#pragma once

#include "change/change.h"
#include "change/journal.h"

/*
 * Sets action, problem and remedy: build it, it is there already, the name is taken, an unusable
 * index stands in its place. journal tells which unusable ones are our own.
 */
bool change_judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal,
    struct change *change) MUST_CHECK;

/* Marks the change as one that cannot be done; remedy may be NULL. Returns true. */
bool change_block(struct change *change, const char *problem, const char *remedy);
