/*
 * Where the statements of "queries trace" go, whichever way they were seen: to the detector and into a
 * file. It never fails: a file that cannot be written any more is told of once, and the rest goes on.
 */
#pragma once

#include "cli/command.h"
#include "queries/detect/detect.h"
#include "queries/trace/trace_file.h"

struct query_desk;

struct query_desk_options {
    struct detect_options detect;
    const char *output; /* the trace's file; NULL: none */
    int64_t most_bytes;
    bool keeps_values;
    const char *source; /* "wire", "log" */
};

bool query_desk_open(
    struct ctx *ctx, const struct query_desk_options *options, struct query_desk **ret) MUST_CHECK;
void query_desk_cleanup(struct query_desk **desk);

struct templates *query_desk_templates(struct query_desk *desk);
/* A traced_sink, and what is told of a session's end; by one thread. */
bool query_desk_take(struct ctx *ctx, void *desk, const struct traced_statement *statement);
void query_desk_end_session(void *data, uint64_t session);
/* By the same thread, when nothing has come for a moment: puts into the file what waits. */
void query_desk_tick(struct ctx *ctx, struct query_desk *desk);
/* How long was looked, for what is told "a day"; before the end. */
void query_desk_set_span(struct query_desk *desk, int64_t span_us);
/* So far; by any thread. */
uint64_t query_desk_statements(const struct query_desk *desk);

/* Puts the file in its place and gives the findings, which live as long as the desk. */
bool query_desk_finish(
    struct ctx *ctx, struct query_desk *desk, int64_t lost, struct query_findings *ret) MUST_CHECK;
