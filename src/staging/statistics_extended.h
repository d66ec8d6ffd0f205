/* Extended statistics: what the server knows of columns together. */
#pragma once

#include "db/db.h"

/*
 * Carries numbers of distinct groups and dependencies of columns to the statistics objects of the same names; what
 * cannot be carried (lists of common groups, statistics of expressions) is told.
 */
bool statistics_carry_extended(
    struct ctx *ctx, struct db *from, struct db *db, struct text_list *ret_notes) MUST_CHECK;
