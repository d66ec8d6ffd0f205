/*
 * Why a piece of work failed. A function that can fail returns bool and leaves the reason in its
 * context: error_set() at the source, error_wrap() on the way up. Nobody logs what he returns;
 * main, the HTTP layer and the daemon loop report.
 */
#pragma once

#include "base/base.h"

struct ctx;

/* Kind, exit status, HTTP status, name in JSON. */
#define ERROR_KINDS(X)                           \
    X(ERR_NONE, 0, 200, "none")                  \
    X(ERR_FAILED, 1, 500, "failed")              \
    X(ERR_INPUT, 1, 400, "input")                \
    X(ERR_NOT_FOUND, 1, 404, "not_found")        \
    X(ERR_CONFLICT, 1, 409, "conflict")          \
    X(ERR_IDENTITY, 1, 401, "identity")          \
    X(ERR_BUSY, 1, 503, "busy")                  \
    X(ERR_LIMIT, 1, 429, "limit")                \
    X(ERR_IO, 1, 500, "io")                      \
    X(ERR_SERVER, 1, 500, "server")              \
    X(ERR_TIMEOUT, 1, 504, "timeout")            \
    X(ERR_UNSUPPORTED, 1, 501, "unsupported")    \
    X(ERR_USAGE, 2, 400, "usage")                \
    X(ERR_CONFIG, 2, 500, "configuration")       \
    X(ERR_GATE, 4, 409, "gate")                  \
    X(ERR_UNDONE, 5, 500, "undone")              \
    X(ERR_ATTENTION, 6, 500, "attention")        \
    X(ERR_LOCKED, 7, 409, "locked")              \
    X(ERR_CONNECTION, 8, 503, "connection")      \
    X(ERR_RIGHTS, 8, 403, "rights")              \
    X(ERR_STALE, 9, 409, "stale")                \
    X(ERR_VERIFICATION, 10, 500, "verification") \
    X(ERR_INTERRUPTED, 130, 500, "interrupted")  \
    X(ERR_TERMINATED, 143, 500, "terminated")

#define ERROR_ENUM(kind, status, http, name) kind,
enum error_kind { ERROR_KINDS(ERROR_ENUM) ERROR_KIND_COUNT };
#undef ERROR_ENUM

struct error {
    enum error_kind kind;
    char sqlstate[6];    /* of the server's answer, else empty */
    const char *message; /* outermost context first: "reading plan: could not open …" */
    const char *detail;  /* what the server said beyond its first line, or NULL */
    const char *hint;    /* sentences: what to do about it, or NULL */
    const char *state;   /* a sentence: in which state the database is now, or NULL */
};

/* Sets the error and returns false, so that a failure is one line: return error_set(…). */
bool error_set(struct ctx *ctx, enum error_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts context in front of the message, "context: message", and returns false. */
bool error_wrap(struct ctx *ctx, const char *format, ...) PRINTF_LIKE(2, 3);

/* Says what the user can do; the last call wins. Returns false. */
bool error_hint(struct ctx *ctx, const char *format, ...) PRINTF_LIKE(2, 3);

/* Says in which state the database is now; the last call wins. Returns false. */
bool error_state(struct ctx *ctx, const char *format, ...) PRINTF_LIKE(2, 3);

void error_clear(struct ctx *ctx);

/* Sets "…: strerror(errno)". */
bool error_set_errno(struct ctx *ctx, const char *format, ...) PRINTF_LIKE(2, 3);

int error_exit_status(enum error_kind kind);
int error_http_status(enum error_kind kind);
const char *error_kind_name(enum error_kind kind);

/*
 * The compiler shall see that these always return false, or it warns of results that are unset
 * after "return error_set(…)".
 */
static inline bool
error_false(bool result)
{
    (void)result;
    return false;
}

#define error_set(...)       error_false(error_set(__VA_ARGS__))
#define error_wrap(...)      error_false(error_wrap(__VA_ARGS__))
#define error_hint(...)      error_false(error_hint(__VA_ARGS__))
#define error_state(...)     error_false(error_state(__VA_ARGS__))
#define error_set_errno(...) error_false(error_set_errno(__VA_ARGS__))
