/*
 * Samples and statements in tables of schema pgmend, in the watched database or another: partitions by
 * day, retention, minutes and hours made of ticks. Written on a connection of its own, in batches, so
 * that a slow store never delays a tick; what does not fit into the bounded queue is counted.
 */
#pragma once

#include "monitor/monitor.h"

struct store_options {
    const char *db_url;      /* where the tables are */
    const char *view_schema; /* of the plan's view; NULL: public */
    int64_t keep_raw_us;     /* 0: 2 days */
    int64_t keep_minutes_us; /* 0: 14 days */
    int64_t keep_hours_us;   /* 0: 400 days */
    int64_t batch_us;        /* how often it writes; 0: 10 s */
};

/* Makes schema and tables where they are missing, before anything is watched. */
bool store_begin(struct ctx *ctx, struct loop *loop, const struct store_options *options,
    struct store **ret) MUST_CHECK;
void store_tick(struct store *store, const struct watched *watched);
const char *store_error(const struct store *store);
int64_t store_dropped(const struct store *store);
/* Writes what is left, for at most wait_us, and closes. */
void store_end(struct store *store, int64_t wait_us);
