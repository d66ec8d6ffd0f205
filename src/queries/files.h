/*
 * Statements out of files, whatever they are: traces that pgmend wrote, and logs of PostgreSQL, told
 * apart by how they begin.
 */
#pragma once

#include "queries/trace/trace_file.h"
#include "workload/log.h"

struct query_files_options {
    struct log_options log;
    struct templates *templates;
    traced_sink *sink;
    void (*ended)(void *data, uint64_t session); /* a session of a log is over; may be NULL */
    void *data;                                  /* of both */
};

struct query_files {
    size_t traces;
    size_t logs;
    const char *log_format; /* of the last log; NULL: there was none */
    struct log_counts log;
    int64_t lost;  /* statements that a trace had no room for */
    bool is_cut;   /* the end of a trace is missing */
    bool has_wire; /* a trace was taken on the wire */
};

/* Files of one log are given oldest first; "-" is a log on standard input. */
bool query_files_read(struct ctx *ctx, const struct text_list *paths,
    const struct query_files_options *options, struct query_files *ret) MUST_CHECK;
