/* Plans about partitions, for the commands and for "pgmend plan". */
#pragma once

#include "change/partition.h"
#include "change/plan.h"

/* A sealed plan of one change: the table becomes partitioned. What stands in its way makes the change blocked. */
bool partition_planning_table(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct plan *ret) MUST_CHECK;

/* A sealed plan that makes the next partitions; without changes when enough are there. */
bool partition_planning_extend(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct plan *ret) MUST_CHECK;
