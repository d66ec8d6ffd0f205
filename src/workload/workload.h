/*
 * What a database has been asked, by pg_stat_statements: one reading of its counters, and the
 * difference of two readings. Counters can be set back and entries evicted between readings; a
 * difference says so for each statement, and no number is made up for what was lost.
 */
#pragma once

#include "base/field.h"
#include "db/db.h"

struct workload_statement {
    int64_t user_id;
    int64_t query_id;
    bool is_top_level;
    const char *query;
    const char *fingerprint; /* NULL when the grammar here does not know the statement */
    int64_t calls;
    double total_ms;
    double mean_ms;
    double min_ms; /* since the entry was made */
    double max_ms;
    double stddev_ms;
    int64_t row_count;
    int64_t blocks_hit;
    int64_t blocks_read;
    int64_t temp_read;
    int64_t temp_written;
    double wal_bytes;
    const char *stats_since; /* "" when the extension is older than 1.11 */
};

extern const struct field workload_statement_fields[];
extern const size_t workload_statement_field_count;

struct workload {
    const char *taken_at;
    const char *server_start;
    const char *stats_reset; /* NULL: never */
    int64_t evicted;         /* entries dropped for want of room since the reset */
    int64_t most_entries;
    int64_t hidden; /* entries that our role may not read */
    struct workload_statement *items;
    size_t count;
};

/*
 * Reads the counters of this database. ERR_NOT_FOUND with a hint when the extension is not
 * there, ERR_UNSUPPORTED when it is older than 1.9.
 */
bool workload_read(struct ctx *ctx, struct db *db, struct workload *ret) MUST_CHECK;

enum workload_change {
    CHANGE_COUNTED, /* in both readings, and its counters only grew: the difference is exact */
    CHANGE_NEW,   /* first seen in the second reading: all its counts belong to the time between */
    CHANGE_RESET, /* all was reset between: the counts are only those since the reset */
    CHANGE_EVICTED,  /* its own counters began anew between: an unknown part of them is lost */
    CHANGE_VANISHED, /* only in the first reading: what happened in between is lost */
};

/* "counted", "new", … */

/* Counts, times and rows between the readings; min, max and stddev are not known for a span. */
struct workload_delta {
    enum workload_change change;
    const struct workload_statement
        *statement; /* of the second reading, of the first if vanished */
    int64_t calls;
    double total_ms;
    double mean_ms; /* 0 when there were no calls */
    int64_t row_count;
    int64_t blocks_hit;
    int64_t blocks_read;
    double wal_bytes;
};

struct workload_deltas {
    bool was_reset;     /* all counters, between the readings */
    bool was_restarted; /* the server */
    int64_t evicted;    /* entries dropped between the readings; since the reset if there was one */
    struct workload_delta *items;
    size_t count;
    size_t capacity;
};

/*
 * The statements that were called between the readings, or were lost. before may be NULL: all
 * that after counted, as CHANGE_NEW. Points into both readings.
 */
void workload_compare(struct arena *arena, const struct workload *before,
    const struct workload *after, struct workload_deltas *ret);
