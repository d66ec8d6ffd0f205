/*
 * PostgreSQL's own log as executed statements: jsonlog, csvlog, or stderr with a known prefix. Read
 * as a stream: a file of any length takes the memory of its open sessions only.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "workload/statement.h"
#include "workload/traced_value.h"

enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JSON, LOG_FORMAT_CSV, LOG_FORMAT_TEXT };

struct log_options {
    enum log_format format;
    const char *prefix;   /* log_line_prefix of text logs; NULL: found from the lines themselves */
    const char *database; /* lines of others are left out and counted; NULL: all */
    bool keeps_values;
    bool keeps_sql;
    const struct value_key *key; /* of the values' hashes; NULL: one of its own */
};

struct log_counts {
    int64_t lines;
    int64_t statements;
    int64_t other_databases;
    int64_t without_database; /* lines of the server itself */
    int64_t broken;           /* that are not as the format wants, cut off or mixed */
    int64_t without_duration; /* statements that were logged without how long they took */
    int64_t foreign;          /* of messages in another language (lc_messages), not understood */
};

struct log_reader;

bool log_reader_new(struct ctx *ctx, const struct log_options *options, struct templates *templates,
    traced_sink *sink, void *data, struct log_reader **ret) MUST_CHECK;
void log_reader_free(struct log_reader *reader);

/*
 * Reads a file ("-": standard input) to its end. Files of one log are given oldest first; a statement
 * may begin in one and end in the next. ERR_INPUT "FILE:LINE: …" when the file as a whole is none of
 * the formats; single broken lines are counted.
 */
bool log_reader_file(struct ctx *ctx, struct log_reader *reader, const char *path) MUST_CHECK;
/* Bytes of a log that is being written; what is no whole line waits for the rest. name: for errors. */
bool log_reader_bytes(struct ctx *ctx, struct log_reader *reader, const char *name,
    const void *data, size_t length) MUST_CHECK;
/* What is still open (a statement whose duration did not come) is given to the sink. */
bool log_reader_finish(struct ctx *ctx, struct log_reader *reader) MUST_CHECK;
struct log_counts log_reader_counts(const struct log_reader *reader);
/* "jsonlog", "csvlog", "stderr, prefix '%m [%p] %q%u@%d '": what it took the last file for. */
const char *log_reader_format(const struct log_reader *reader);
/* Sessions that have ended since the last call, for detect_end_session(). */
size_t log_reader_ended(struct log_reader *reader, const uint64_t **ret_sessions);
