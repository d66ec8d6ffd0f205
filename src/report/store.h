/* Snapshots of what a database does, kept in its own schema pgmend. */
#pragma once

#include "base/text.h"
#include "db/db.h"
#include "db/explain.h"
#include "workload/workload.h"

struct snapshot_options {
    const char *name;
    const char *queries;      /* folder of pgbench scripts whose plans are wanted, or NULL */
    struct text_list defines; /* "name=value" for the scripts' variables */
    bool replace;             /* an older snapshot of this name goes away */
};

struct snapshot_plan {
    const char *script;
    int64_t number;          /* of the statement in its script, from 1 */
    int64_t statement_count; /* of the script */
    const char *query;       /* as in the script */
    const char *fingerprint; /* or NULL */
    const char *used_values; /* "user=8000" */
    bool has_plan;
    struct explain_plan plan;
    const char *problem; /* why there is no plan */
};

struct snapshot_index {
    uint32_t index_id;
    const char *schema;
    const char *table_name;
    const char *name;
    const char *definition;
    bool is_valid;
    int64_t size_bytes;
    int64_t scans;
};

struct snapshot_table {
    uint32_t table_id;
    const char *schema;
    const char *name;
    int64_t live_rows; /* the server's estimate */
    int64_t table_bytes;
    int64_t index_bytes;
    int64_t seq_scans;
    int64_t seq_rows_read;
    int64_t index_scans;
};

struct snapshot {
    int64_t id;
    const char *name;
    const char *server_version;
    const char *database_reset; /* of the counters of tables and indexes; NULL: never */
    const char *settings;       /* JSON object */
    struct workload workload;
    struct snapshot_plan *plans;
    size_t plan_count;
    struct snapshot_index *indexes;
    size_t index_count;
    struct snapshot_table *tables;
    size_t table_count;
};

struct snapshot_summary {
    const char *name;
    const char *taken_at;
    int64_t statements;
    int64_t plans;
};

/*
 * Reads counters, sizes, settings and plans and stores them. ERR_CONFLICT when there is a
 * snapshot of this name and it may not be replaced.
 */
bool snapshot_take(struct ctx *ctx, struct db *db, const struct snapshot_options *options,
    struct snapshot *ret) MUST_CHECK;

/* The newest first; none when no snapshot was ever taken. */
bool snapshot_list(struct ctx *ctx, struct db *db, struct snapshot_summary **ret, size_t *ret_count)
    MUST_CHECK;

/* ERR_NOT_FOUND with the names that there are. */
bool snapshot_load(struct ctx *ctx, struct db *db, const char *name, struct snapshot *ret)
    MUST_CHECK;
