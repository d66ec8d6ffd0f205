/*
 * Tables by ranges of time. A plain table becomes partitioned online: its old rows stay where they are, as the
 * partition of all the past, and rows of the periods to come go into partitions of their own.
 */
#pragma once

#include "change/change.h"
#include "db/db.h"

/* Rows beyond the bound are refused from the first statement until the exchange: it has to be that far away. */
enum { PARTITION_LEAST_DAYS = 3, PARTITION_MOST_AHEAD = 120 };

struct partition_wish {
    const char *schema;
    const char *table;
    const char *key;          /* the column of time */
    const char *unit;         /* "month" or "week" */
    int32_t ahead;            /* partitions that are made beforehand */
    struct text_list give_up; /* foreign keys to the table that may go; the undo brings them back */
};

/*
 * The change for plan_seal(). What stands in its way makes it blocked, with the first reason and its remedy;
 * change_judge() tells the same later.
 */
bool partition_change(struct ctx *ctx, struct db *db, const struct partition_wish *wish,
    struct change *ret) MUST_CHECK;

/* All that stands in its way, "problem" and "remedy" by turns; a remedy may be NULL. */
bool partition_obstacles(struct ctx *ctx, struct db *db, const struct partition_wish *wish,
    struct text_list *ret) MUST_CHECK;

/* What a partitioned table has: periods that begin after now, and where the last one ends. */
struct partition_state {
    uint32_t
        oid; /* 0: there is no such partitioned table, or not by ranges of one column of time */
    const char *key;
    const char *unit; /* of the last partition; NULL: it is neither a month nor a week long */
    const char *end;  /* of the last range; NULL: it has none, or it has no end */
    int32_t ahead;
    int64_t partitions;
    const char *default_name; /* quoted, or NULL */
    int64_t default_rows;     /* in it, counted up to a million */
};
bool partition_look(struct ctx *ctx, struct db *db, const char *schema, const char *table,
    struct partition_state *ret) MUST_CHECK;

/* A change for each of the periods that follow the last one, until so many begin after now. */
bool partition_extend(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct plan *ret) MUST_CHECK;
