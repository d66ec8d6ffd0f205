/*
 * A trace as a file: JSON lines, the first of which says what it is. A template stands in a line of its
 * own before it is used. Values are hashes, unless they are kept, and those of statements that set
 * passwords always. A file that was cut off is read to the last whole line.
 */
#pragma once

#include "workload/statement.h"

struct trace_writer;

struct trace_file_options {
    bool keeps_values;
    int64_t most_bytes; /* after which nothing more is written, and counted; 0: 1 GB */
    const char *source; /* "wire", "log" */
};

/* Writes beside the file, and puts it in place when it is closed; what was there before stays till then. */
bool trace_writer_open(struct ctx *ctx, const char *path, const struct trace_file_options *options,
    struct trace_writer **ret) MUST_CHECK;
bool trace_writer_statement(struct ctx *ctx, struct trace_writer *writer,
    const struct traced_statement *statement) MUST_CHECK;
/* From time to time when nothing comes: what waits is written, so that little is lost by kill -9. */
bool trace_writer_tick(struct ctx *ctx, struct trace_writer *writer) MUST_CHECK;
/* Where it is written until it is closed. */
const char *trace_writer_path(const struct trace_writer *writer);
/* lost: statements that were not seen. */
bool trace_writer_close(struct ctx *ctx, struct trace_writer *writer, int64_t lost) MUST_CHECK;
void trace_writer_discard(struct trace_writer *writer);

struct trace_summary {
    const char *source;
    int64_t statements;
    int64_t lost;
    bool is_cut; /* the end is missing */
    bool has_values;
};

/* Whether the file begins as one of ours: to tell it from a log. */
bool trace_file_is(const char *path);
/* Gives every statement to the sink. ERR_INPUT "FILE:LINE: …". */
bool trace_file_read(struct ctx *ctx, const char *path, struct templates *templates,
    traced_sink *sink, void *data, struct trace_summary *ret) MUST_CHECK;
