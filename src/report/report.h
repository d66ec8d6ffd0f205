/*
 * What a change did: two stretches of time, before and after, compared statement by statement.
 *
 * Numbers of statements come from pg_stat_statements, measured in the server: calls, total time,
 * mean, rows. Quantiles come from load runs, measured by pgbench at the client, and stand beside
 * a statement only when its script consists of that statement alone. What was reset or evicted
 * in a stretch is marked, and left out of the totals.
 */
#pragma once

#include "base/json.h"
#include "base/vec.h"
#include "report/store.h"

struct report_options {
    const char *before;      /* snapshot, or "FROM..TO"; NULL: the last but one */
    const char *after;       /* the same; NULL: the last */
    const char *load_before; /* files written by pgmend load run, or NULL */
    const char *load_after;
    const char *load_during;
};

/* One side of a comparison. */
struct report_side {
    int64_t calls; /* 0: not called, or not known */
    double total_ms;
    double mean_ms;
    int64_t row_count;
    bool is_partial;   /* some of its counts are lost: not comparable */
    const char *notes; /* "reset", "evicted", or "" */
    bool has_latency;  /* the quantiles below are known */
    int64_t p50_us;
    int64_t p95_us;
    int64_t p99_us;
    const struct snapshot_plan *plan; /* or NULL */
};

struct report_query {
    const char *script; /* "messages_newest", or NULL when it is in no script */
    int64_t number;     /* of the statement in its script */
    const char *query;
    const char *fingerprint;
    struct report_side before;
    struct report_side after;
    double factor;    /* mean before / mean after; 0 when one is missing or partial */
    bool is_new_plan; /* the indexes used differ */
};

struct report_scenario_side {
    bool is_known;
    int64_t calls;
    int64_t failed;
    int64_t mean_us;
    int64_t p50_us;
    int64_t p95_us;
    int64_t p99_us;
    int64_t max_us;
};

struct report_scenario {
    const char *name;
    struct report_scenario_side before;
    struct report_scenario_side during;
    struct report_scenario_side after;
};

struct report_index {
    const char *schema;
    const char *table_name;
    const char *name;
    const char *definition;
    const char *what; /* "built", "dropped" or "kept" */
    bool is_valid;
    int64_t size_bytes;
    int64_t scans;             /* since it was built, or between the snapshots; -1 not known */
    int64_t build_us;          /* by the journal; -1 not known */
    const char *build_started; /* or NULL */
    const char *build_ended;
};

struct report_table {
    const char *schema;
    const char *name;
    int64_t live_rows;
    int64_t table_bytes;
    int64_t index_bytes_before;
    int64_t index_bytes_after;
    int64_t seq_scans; /* between the snapshots; -1 not known */
    int64_t index_scans;
};

struct report_second {
    int64_t at;
    int64_t calls;
    int64_t mean_us;
    int64_t max_us;
};

/* A load run, as its file tells. */
struct report_load {
    bool is_known;
    bool is_incomplete; /* it did not come to its end */
    const char *label;  /* "before", "during", "after" */
    const char *path;
    const char *started_at;
    int64_t elapsed_us;
    int64_t clients;
    int64_t calls;
    double calls_per_second;
    int64_t errors;
    struct text_list messages;
    struct report_second *seconds;
    size_t second_count;
};

enum { LOAD_BEFORE, LOAD_DURING, LOAD_AFTER, LOAD_COUNT };

/* A statement that a step was for, in the windows before and after it. */
struct report_step_statement {
    const char *query;
    double calls_before;
    double calls_after;
    double ms_before; /* a call; below 0: not known, as the next ones */
    double ms_after;
    double blocks_before;
    double blocks_after;
};

/* A step of the plan in force, as its record tells. */
struct report_step {
    const char *id;
    const char *title;
    int32_t phase;
    const char *state; /* "proven", "undone", …; "planned" when nothing was begun */
    const char *why;   /* what was measured or went wrong; or NULL */
    const char *promise;
    const char *manual; /* by hand: what somebody has to do */
    const char *evidence;
    double gain_ratio; /* promised; NaN: not known */
    const char *started_at;
    const char *ended_at;
    int64_t work_us;             /* of its changes, by the journal; -1: none */
    struct text_list statements; /* that were sent, and what undoes them */
    struct text_list undos;
    VEC(struct report_step_statement) measured;
};

struct report_plan {
    bool is_known;
    const char *hash;
    const char *created_at;
    VEC(struct report_step) steps;
};

/* A goal in words, as "pgmend kpi show" has it. */
struct report_kpi {
    const char *title;
    const char *before;        /* NULL: nobody measured or recorded it */
    const char *before_source; /* or NULL */
    const char
        *assumed; /* what was believed before anybody measured; or NULL. Never a measurement */
    const char *now;
    const char *target;
    const char *deadline; /* or NULL */
    const char *source;
    const char *state; /* "met", "open", "late" or "unknown" */
};

struct report_stretch {
    const char *from;    /* snapshot's name, or NULL: since the statistics began */
    const char *from_at; /* time; NULL: never reset */
    const char *to;
    const char *to_at;
};

struct report {
    const char *database;
    const char *server_version;
    const char *made_at;
    struct report_plan plan;
    VEC(struct report_kpi) kpis; /* set by the caller of report_make() */
    bool has_stretches;          /* two snapshots were compared: before and after are known */
    struct report_stretch before;
    struct report_stretch after;
    struct report_query *queries; /* those of the scripts, then others by time */
    size_t query_count;
    size_t critical_count; /* how many of them are in scripts */
    struct report_scenario *scenarios;
    size_t scenario_count;
    struct report_index *indexes;
    size_t index_count;
    struct report_table *tables;
    size_t table_count;
    struct report_load loads[LOAD_COUNT];
    double speed_up;       /* of all comparable queries, see REPORT_METHOD; 0 not known */
    size_t compared_count; /* how many queries that is */
    int64_t built_count;
    int64_t errors; /* under all known loads; -1 when there was none */
    struct text_list notes;
};

/* How the numbers were made, sentences for people. */
extern const char *const report_method[];
extern const size_t report_method_count;

/*
 * Loads the snapshots, the plan in force and files, and compares. Snapshots may be missing when a plan with
 * steps was applied and none was asked for. Writes nothing.
 */
bool report_make(struct ctx *ctx, struct db *db, const struct report_options *options,
    struct report *ret) MUST_CHECK;

/* "1.25×", "48.5×", "1 120×". */
const char *report_factor(struct arena *arena, double factor);

/* Caller owns it. */
json_t *report_json(const struct report *report);

/* A page of one file that needs no network. */
const char *report_html(struct ctx *ctx, const struct report *report);
