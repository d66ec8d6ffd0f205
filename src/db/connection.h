/* What db's own files know of a connection; nobody else includes this. */
#pragma once

#include <libpq-fe.h>

#include "db/db.h"

struct db {
    PGconn *conn;
    struct arena *arena;
    struct db_options options;  /* as given, copied; url has been made libpq's own */
    const char *password;       /* or NULL: what must never be shown */
    struct db_notices *notices; /* who listens to the server's messages, or NULL: the log */
    const char *version_text;
    int version;
};

/* Turns what libpq or the server said into the context's error; returns false. */
bool db_error_of_result(struct ctx *ctx, struct db *db, const PGresult *result);
bool db_error_of_connection(struct ctx *ctx, struct db *db, const char *doing);

/* The text with every occurrence of the password replaced. */
const char *db_redact(struct arena *arena, const char *text, const char *password);

/*
 * Waits for the next result of what was sent; NULL in *ret_result: no more. A signal cancels the
 * statement, takes its end and is ERR_INTERRUPTED.
 */
bool db_next_result(struct ctx *ctx, struct db *db, PGresult **ret_result) MUST_CHECK;

/* Sends what is still in libpq's buffer. */
bool db_flush(struct ctx *ctx, struct db *db) MUST_CHECK;

void db_clear_result(PGresult **result);
