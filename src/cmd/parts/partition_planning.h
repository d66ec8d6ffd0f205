/* Plans about partitions, for the commands and for "pgmend plan". */
#pragma once

#include "change/partition.h"
#include "change/plan.h"

/* A table by its name as the role would find it; ERR_NOT_FOUND. */
bool partition_planning_find(struct ctx *ctx, struct db *db, const char *name,
    const char **ret_schema, const char **ret_table) MUST_CHECK;

/* A sealed plan of one change: the table becomes partitioned. What stands in its way makes the change blocked. */
bool partition_planning_table(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct plan *ret) MUST_CHECK;

/* A sealed plan that makes the next partitions; without changes when enough are there. */
bool partition_planning_extend(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct plan *ret) MUST_CHECK;
