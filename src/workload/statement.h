/*
 * A statement as it was executed, with what was around it: whichever way it was seen (the wire, the
 * server's log, a file of either), it has this one form, and everything that looks for patterns knows
 * no other.
 */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"
#include "workload/template.h"

/*
 * A parameter, a constant or a cell of a result. Equal values have equal hashes whichever form they
 * came in (text, binary, literal); the hash is keyed by random bytes of the run, so that it tells
 * nothing about the value to who has the file alone.
 */
struct traced_value {
    uint64_t hash;    /* 0: NULL */
    const char *text; /* as the server writes it as text; NULL: not kept, or NULL */
    bool is_opaque;   /* of a type that cannot be brought to text here: equal bytes, equal hash */
};

/* One column of a result: its first values, in order. */
struct traced_column {
    const char *name;
    uint32_t type; /* OID */
    struct traced_value *values;
    size_t count;
};

/* Where a statement comes from in the application, by the comment in it; NULL: not told. */
struct traced_tag {
    const char *route;     /* "/assistants/stats", "users#index": what names the kind of request */
    const char *request;   /* the one request: trace id of traceparent, request_id */
    const char *framework; /* as the tag says: "django", "fastapi" … */
};

struct traced_statement {
    uint64_t session;     /* never the same for two sessions of one trace */
    uint64_t transaction; /* of the session, from 1; 0: none but its own */
    uint64_t line;        /* of the source: line of the log, number of the message */
    int64_t started_us;   /* since 1970; 0: not known */
    int64_t elapsed_us;   /* -1: not known */
    int64_t rows;         /* given or touched; -1: not known */
    const struct template *template;
    const char *sql;                   /* as it was sent; NULL: not kept */
    const struct traced_value *values; /* of $1 …, then of the constants in order of the text */
    size_t value_count;
    size_t param_count;                  /* of them are of $1 … */
    const struct traced_column *columns; /* of the result; NULL: not seen */
    size_t column_count;
    size_t row_count; /* rows of which the columns hold values, from the first */
    struct traced_tag tag;
    const char *application; /* application_name; NULL: not known */
    const char *database;
    const char *user;
    bool is_failed;
    bool is_after_gap; /* something before it in this session was lost */
};

/* Takes statements, each session's in order; what it points to lives until it returns. */
typedef bool traced_sink(struct ctx *ctx, void *data, const struct traced_statement *statement);
