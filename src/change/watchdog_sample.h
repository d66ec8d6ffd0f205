/* For the files of the watchdog: one look at the database. */
#pragma once

#include <math.h>

#include "db/db.h"

enum { WATCHDOG_REPLICAS = 32 };

/* A statement that was called often enough before; compared with what it was then. */
struct watchdog_statement {
    uint32_t user_id;
    int64_t query_id;
    bool is_top_level;
    double usual_ms; /* of a call, before */
    int64_t calls;   /* as the last sample had it */
    double total_ms;
};

/* A replica, and since when its position is the same. */
struct watchdog_replica {
    int32_t pid;
    bool is_behind;
    double replayed;
    int64_t since_us;
};

/* What the next sample is compared with. All of it is of a size that does not grow. */
struct watchdog_memory {
    int64_t taken_us;
    int64_t commits;
    int64_t rollbacks;
    double wal_bytes; /* NaN: not known */
    struct watchdog_statement *statements;
    size_t statement_count;
    bool has_statements;
    const char *path; /* search_path in which pg_stat_statements is found */
    struct watchdog_replica replicas[WATCHDOG_REPLICAS];
    size_t replica_count;
};

/* NaN: could not be asked, or there was too little to tell. */
struct watchdog_sample {
    double lock_waiters;
    double longest_us;
    const char *blocker; /* whom most of them wait for, or NULL */
    double lag_us;
    double lag_bytes;
    const char *laggard; /* the replica that is furthest behind, or NULL */
    double slower_ratio;
    double error_ratio;
    double wal_per_second;
};

/* Takes the counters that samples are compared with; ctx->arena has to live as long as they are taken. */
bool watchdog_remember(struct ctx *ctx, struct db *db, struct watchdog_memory *ret) MUST_CHECK;

/* Fails only when the connection is lost or a signal came. */
bool watchdog_take(struct ctx *ctx, struct db *db, struct watchdog_memory *memory,
    struct watchdog_sample *ret) MUST_CHECK;
