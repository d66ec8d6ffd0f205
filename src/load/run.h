/* Load by PostgreSQL's own pgbench on a folder of scripts, measured per script. */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "db/db.h"
#include "load/histogram.h"

enum { LOAD_MOST_CLIENTS = 100 };
#define LOAD_LONGEST_US INT64_C(3600000000)

struct load_options {
    const char *folder;
    int64_t duration_us; /* of the whole run; with until_signal its upper limit */
    int32_t clients;
    double rate;              /* transactions a second, 0: as many as possible */
    bool until_signal;        /* ends cleanly on SIGINT or SIGTERM */
    bool allow_remote;        /* the server need not be on this machine */
    struct text_list defines; /* "name=value" for the scripts */
    const char *pgbench;      /* the program */
};

struct load_script {
    const char *name;
    struct text_list fingerprints; /* of its statements, "" where the grammar does not know one */
    struct histogram *latency;     /* of transactions that did not fail */
    int64_t failed;                /* transactions that failed for good (deadlock, serialization) */
};

/* A second of the run. */
struct load_second {
    int64_t at; /* seconds since 1970 */
    int64_t calls;
    int64_t sum_us;
    int64_t max_us;
};

struct load_result {
    const struct load_options *options;
    const char *version;       /* of pgbench */
    int64_t started_us;        /* wall clock */
    int64_t elapsed_us;        /* in which pgbench ran */
    int64_t slices;            /* runs of pgbench */
    int64_t aborted;           /* clients that pgbench gave up because of an error */
    int64_t broken;            /* slices that failed as a whole (no connection) */
    struct text_list messages; /* the first lines of what went wrong */
    struct load_script *scripts;
    size_t script_count;
    struct load_second *seconds;
    size_t second_count;
    size_t second_capacity;
};

/*
 * Runs the load. Errors of the server under load are counted, not returned: ERR_FAILED comes only
 * when pgbench cannot run at all. ERR_USAGE for limits, and for a server elsewhere.
 */
bool load_run(struct ctx *ctx, struct db *db, const struct load_options *options,
    struct load_result *ret) MUST_CHECK;

/* A folder of sockets, an abstract socket or a loopback address. */
bool load_host_is_local(const char *host);

int64_t load_calls(const struct load_result *result);

/* Failed transactions, aborted clients and broken slices. */
int64_t load_errors(const struct load_result *result);

/* As pgmend report reads it. Caller owns it. */
json_t *load_json(const struct load_result *result);
