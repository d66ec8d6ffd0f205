/* A functional dependency made known to the planner of a private server. */
#pragma once

#include "db/db.h"

struct statistics_dependency {
    const char *schema;
    const char *table;
    const char *from; /* equal values of this column … */
    const char *to;   /* … have equal values of that one */
    double degree;    /* in this share of the rows */
};

/*
 * As ANALYZE would leave it for CREATE STATISTICS (dependencies) ON from, to. db: a superuser's session on a
 * server of our own. number: makes its name unique.
 */
bool statistics_add_dependency(struct ctx *ctx, struct db *db, size_t number,
    const struct statistics_dependency *dependency) MUST_CHECK;
