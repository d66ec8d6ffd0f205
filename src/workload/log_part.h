/* What the files of the log reader share. */
#pragma once

#include "workload/log.h"

/* Bytes inside a record; not ended by NUL. */
struct slice {
    const char *data;
    size_t length;
};

/* A line of a log, or several that are one message. */
struct log_record {
    struct slice application;
    struct slice user;
    struct slice database;
    struct slice session; /* session_id, %c */
    struct slice vxid;    /* "3/12" */
    struct slice severity;
    struct slice message;
    struct slice detail;
    struct slice statement;
    int64_t time_us; /* since 1970; 0: not told */
    int64_t pid;     /* -1: not told */
    int64_t number;  /* %l, line_num; 0: not told */
    uint64_t line;   /* of the file */
    bool has_vxid;   /* the log has such a column, whatever is in it */
    bool is_cut;     /* its end was not read */
};

bool slice_equal(struct slice slice, const char *text);
bool slice_starts_with(struct slice slice, const char *text);
int64_t slice_number(struct slice slice, int64_t otherwise);

/* ---- the three forms; all unquote inside the line, which they change ---- */

/* False: the line is none. */
bool log_json_read(char *line, size_t length, struct log_record *ret);
/* A text in JSON whose opening quote stands before at; to its end when it is not closed. */
struct slice log_json_text(char *at, const char *end);
bool log_csv_read(char *line, size_t length, struct log_record *ret);

/* How log_line_prefix is written, and how a line begins that has it. */
struct log_prefix;
/* ERR_INPUT: it has neither %p nor %c, or is too long. */
bool log_prefix_new(struct ctx *ctx, const char *format, struct log_prefix **ret) MUST_CHECK;
const char *log_prefix_format(const struct log_prefix *prefix);
/* Whether a line begins with it and a word in capitals that can be a severity. */
bool log_prefix_match(
    const struct log_prefix *prefix, const char *line, size_t length, struct log_record *ret);
/* False: of another language. */
bool log_severity_is_known(struct slice severity);
/* Those that are usual, the most telling first; NULL-terminated. */
extern const char *const log_prefixes[];

/* "2026-01-01 00:00:00.123 UTC" at the beginning; how many bytes it takes, 0: none. */
size_t log_time_read(const char *text, size_t length, int64_t *ret_us);

/* ---- what a message says ---- */

enum log_message_kind {
    LOG_MESSAGE_OTHER,
    LOG_MESSAGE_DURATION,  /* how long alone */
    LOG_MESSAGE_STATEMENT, /* a text alone */
    LOG_MESSAGE_BOTH,
    LOG_MESSAGE_PLAN, /* of auto_explain: both, too */
    LOG_MESSAGE_STEP, /* parse and bind, and a portal that goes on */
    LOG_MESSAGE_CONNECTED,
    LOG_MESSAGE_GONE,
    LOG_MESSAGE_BROKEN,  /* a duration that is none */
    LOG_MESSAGE_FOREIGN, /* it looks like one of these in another language */
};

struct log_message {
    enum log_message_kind kind;
    struct slice sql;
    struct slice params; /* of auto_explain; else they are in the detail */
    int64_t elapsed_us;
    bool is_portal; /* of the extended protocol */
};

/* May change the text (JSON plans are unquoted in place). */
void log_message_read(const struct log_record *record, struct log_message *ret);

/* The part of a detail that lists parameters; empty: it lists none. */
struct slice log_params(struct slice detail);
/* The next of "$1 = '77', $2 = NULL"; false: there is none. ret_text is NULL for NULL. */
bool log_params_next(
    struct arena *arena, struct slice *params, const char **ret_text, size_t *ret_length);

/* ---- sessions ---- */

struct log_sessions;

struct log_sessions *log_sessions_new(
    const struct log_options *options, struct templates *templates, traced_sink *sink, void *data);
void log_sessions_free(struct log_sessions *sessions);
bool log_sessions_take(struct ctx *ctx, struct log_sessions *sessions,
    const struct log_record *record, struct log_counts *counts) MUST_CHECK;
bool log_sessions_finish(struct ctx *ctx, struct log_sessions *sessions, struct log_counts *counts)
    MUST_CHECK;
size_t log_sessions_ended(struct log_sessions *sessions, const uint64_t **ret);
