/*
 * Watches the whole database while a change runs: sessions that wait for locks, replicas that fall behind,
 * WAL, transactions that end in errors, statements that got slower than they were just before. After so
 * many bad samples in a row the change that runs is cancelled; what is cancelled is removed as always.
 */
#pragma once

#include "db/db.h"

struct watchdog_limits {
    int64_t interval_us;    /* between samples */
    int32_t bad_samples;    /* in a row */
    int64_t lock_waiters;   /* sessions that wait for a lock longer than a second */
    int64_t lag_us;         /* of the replica that is furthest behind */
    double slower_ratio;    /* the mean time of a call against that before */
    double error_ratio;     /* of transactions that are rolled back, beyond what it was before */
    int64_t wal_per_second; /* bytes; 0: no limit */
};

/* What the program takes when nothing else is said. */
extern const struct watchdog_limits watchdog_standard;

struct watchdog;

/* Takes the first sample, which is what the others are compared with; db may be read-only. */
bool watchdog_begin(struct ctx *ctx, struct db *db, const struct watchdog_limits *limits,
    struct watchdog **ret) MUST_CHECK;

/*
 * A sample, if the interval is over. ERR_GATE, with what was bad and by how much, after too many bad ones in
 * a row; what could not be asked is not bad. Called between two changes too.
 */
bool watchdog_look(struct ctx *ctx, struct watchdog *watchdog, struct db *db) MUST_CHECK;

/* What was seen so far, as JSON for the step's record: samples, bad ones, the worst of each. */
const char *watchdog_story(struct arena *arena, const struct watchdog *watchdog);
