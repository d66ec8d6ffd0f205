/*
 * "queries trace --enable-logging": the server's own log as the source. The few settings that are needed
 * are set for a while, with what was there before in the journal, and put back in every case.
 */
#pragma once

#include "cli/command.h"
#include "workload/statement.h"

struct query_logging_options {
    double sample_rate; /* of transactions, 0 … 1; 0: all */
    int64_t for_us;     /* 0: until Ctrl-C */
    const char
        *log_file; /* the server's log as this program can read it; NULL: asked of the server */
    const char *database; /* lines of others are left out; NULL: that of the connection */
    bool keeps_values;
    bool keeps_sql;
    const char *state_dir; /* NULL: run->global's */
};

/* Where statements go. */
struct query_logging_sink {
    struct templates *templates;
    traced_sink *take;
    void (*ended)(void *data, uint64_t session); /* may be NULL */
    void (*idle)(void *data); /* the log was read to its end as it is now; may be NULL */
    void *data;               /* of all */
};

/* What was seen, for the caller's summary. */
struct query_logging_result {
    int64_t statements;
    int64_t lost;       /* of log lines that could not be read */
    int64_t elapsed_us; /* how long the log was read; 0: it never was */
};

/*
 * Sets, reads until the time is over or Ctrl-C (which is no failure), puts back, and prints what it
 * cost. On failure the error's state says how the settings stand; the sink has what was seen before.
 */
bool query_logging_run(struct ctx *ctx, const struct run *run,
    const struct query_logging_options *options, const struct query_logging_sink *sink,
    struct query_logging_result *ret) MUST_CHECK;
