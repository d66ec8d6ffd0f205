/* What db's own files know of a connection; nobody else includes this. */
#pragma once

#include <libpq-fe.h>

#include "db/db.h"
#include "db/query.h"
#include "db/rights.h"

enum { DB_MAX_PARAMS = 64, DB_PIN_PARAMS = 4, DB_CONNECT_TIMEOUT_US = 10000000 };

struct db {
    PGconn *conn;
    struct arena *arena;
    struct db_options options;  /* as given, copied; url has been made libpq's own */
    const char *password;       /* or NULL: what must never be shown */
    struct db_notices *notices; /* who listens to the server's messages, or NULL: the log */
    const char *statement;      /* that db_run() runs, or NULL: what a refusal was about */
    const char *version_text;
    int version;
};

/* What libpq is given; the last name is NULL. */
struct db_params {
    const char *names[DB_MAX_PARAMS];
    const char *values[DB_MAX_PARAMS];
    size_t count;
};

/* One without a connection; options are copied. */
struct db *db_new(const struct db_options *options);

/* Reads the URL, and adds what every session of ours asks for; remembers the password. */
bool db_params_read(struct ctx *ctx, struct db *db, struct db_params *ret) MUST_CHECK;
/* The parameter, else the environment variable that libpq would look at; NULL: neither. */
const char *db_params_get(
    const struct db_params *params, const char *name, const char *environment);

/* Adds one, or changes its value; the last one must be followed by a NULL name again. */
void db_params_set(struct db_params *params, const char *name, const char *value);

/* Why libpq could not connect; or that there was no answer in time. Return false. */
bool db_error_of_connecting(struct ctx *ctx, struct db *db);
bool db_error_of_waiting(struct ctx *ctx);

/* Remembers the server's version; false when it is too old, or too new to be changed. */
bool db_check_version(struct ctx *ctx, struct db *db) MUST_CHECK;

/* The statement that pins a session down, and its parameters. */
extern const char db_pin_sql[];
void db_pin_params(struct arena *arena, const struct db *db, const char *ret[DB_PIN_PARAMS]);

/* ERR_UNSUPPORTED for a session whose server process is not the one that was connected to. */
bool db_error_of_pooler(struct ctx *ctx);

/* The server's messages to the log, with --verbose. */
void db_log_notice(void *unused, const PGresult *result);

/* Turns what libpq or the server said into the context's error; returns false. */
bool db_error_of_result(struct ctx *ctx, struct db *db, const PGresult *result);
bool db_error_of_connection(struct ctx *ctx, struct db *db, const char *doing);

/* Hints at the right that is missing, by the server's words and db->statement; none where it gave a hint itself. */
void db_hint_rights(struct ctx *ctx, const struct db *db, const char *message);

/*
 * Waits for the next result of what was sent; NULL in *ret_result: no more. A signal cancels the
 * statement, takes its end and is ERR_INTERRUPTED.
 */
bool db_next_result(struct ctx *ctx, struct db *db, PGresult **ret_result) MUST_CHECK;

/* Runs a statement; the result is the caller's to clear. */
bool db_run(struct ctx *ctx, struct db *db, const char *sql, const char *const *params,
    size_t count, PGresult **ret) MUST_CHECK;

/* A result as cells, and as the rows of a query; both are copies in the arena. */
void db_copy_cells(struct arena *arena, const PGresult *result, struct result *ret);
bool db_copy_rows(struct ctx *ctx, const struct query *query, const PGresult *result,
    struct rows *ret) MUST_CHECK;

/* Whether all its columns may be asked for in the binary format: cheaper to print and to read. */
bool db_rows_can_be_binary(const struct query *query);

/* The arguments of a query as text. */
const char *const *db_query_params(
    struct arena *arena, const struct query *query, const void *args);

/* Sends what is still in libpq's buffer. */
bool db_flush(struct ctx *ctx, struct db *db) MUST_CHECK;

void db_clear_result(PGresult **result);
