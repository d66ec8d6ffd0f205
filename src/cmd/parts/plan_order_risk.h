/*
 * What a change may do to those who work meanwhile, and how long it takes to be rid of it again. The rule is told
 * in docs/plan.md.
 */
#pragma once

#include "change/change.h"
#include "db/db.h"

/* Rows written a second of a table; by OID. */
struct plan_writes {
    uint32_t table_oid;
    double per_second;
};

struct plan_load {
    struct plan_writes *items;
    size_t count;
    size_t capacity;
};

/* How often the tables of changes are written, by the server's counters since their reset. */
bool plan_load_read(struct ctx *ctx, struct db *db, const struct change *changes, size_t count,
    struct plan_load *ret) MUST_CHECK;

/* "low", "medium" or "high": the worst of the changes by its lock, its size, its time and who writes there. */
const char *plan_risk(const struct change *changes, size_t count, const struct plan_load *load);

/* 1, 2 or 4: what a gain is divided by. */
int plan_risk_weight(const char *risk);

/* Estimated time to undo them, microseconds; -1: not known. */
int64_t plan_undo_us(const struct change *changes, size_t count);
