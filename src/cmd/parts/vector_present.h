/* How a table's vectors are searched today, to be shown beside what was measured. */
#pragma once

#include "vector/tune/tune.h"

/*
 * Sets present, and is_present of the candidate that does the same: what the installed functions
 * search by (NULL: none are), else what the planner does with the plain search for the largest and
 * for the smallest tenant. Asks for plans only.
 */
bool vector_present(struct ctx *ctx, struct db *db, const struct vector_choice *installed,
    struct vector_tuning *tuning) MUST_CHECK;
