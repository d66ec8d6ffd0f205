/* One connection to PostgreSQL. */
#pragma once

#include "base/ctx.h"
#include "base/temporary.h"
#include "base/text.h"

struct db;

enum access {
    ACCESS_NONE, /* needs no database */
    ACCESS_READ, /* the session is read-only */
    ACCESS_WRITE,
};

enum { DB_OLDEST_MAJOR = 14, DB_NEWEST_MAJOR = 18 };

struct db_options {
    const char *url;         /* conninfo string or URI; NULL: DATABASE_URL, then libpq's PG* */
    const char *database;    /* instead of the one in the URL, or NULL */
    const char *application; /* "pgmend/index apply" */
    enum access access;
    int64_t connect_timeout_us;   /* 0: 10 s */
    int64_t statement_timeout_us; /* 0: none */
    int64_t lock_timeout_us;      /* 0: none */
};

/*
 * Connects and pins down the session: search_path, time-outs, read-only or not. Refuses servers
 * older than DB_OLDEST_MAJOR. Errors never show a password.
 */
bool db_open(struct ctx *ctx, const struct db_options *options, struct db **ret) MUST_CHECK;

/* Another session to the same place; the fields of options that are NULL are as db's. */
bool db_open_like(struct ctx *ctx, const struct db *db, const struct db_options *options,
    struct db **ret) MUST_CHECK;

/*
 * Whether anybody says which database: the URL, or the environment. For what can do without one, and
 * must not take whatever stands at the default place.
 */
bool db_is_named(const char *url);

/* Whether it can be read (NULL: the environment), without connecting. ERR_USAGE. */
bool db_check_url(struct ctx *ctx, const char *url) MUST_CHECK;

void db_close(struct db *db);
void db_cleanup(struct db **db);

/* 15 for PostgreSQL 15.18. */
int db_major(const struct db *db);
int db_version(const struct db *db);              /* 150018 */
const char *db_version_text(const struct db *db); /* "15.18" */
const char *db_name(const struct db *db);
const char *db_user(const struct db *db);
const char *db_host(const struct db *db); /* name, or folder of the socket */
const char *db_port(const struct db *db);
int db_backend_pid(const struct db *db);
bool db_is_connected(const struct db *db);

/* "replyx @ db:5432": for people, without user or password. */
const char *db_label(struct arena *arena, const struct db *db);

/* Runs one statement that gives no rows, or whose rows do not matter. */
bool db_exec(struct ctx *ctx, struct db *db, const char *sql) MUST_CHECK;

/* A result as text: cell (row, column) is at cells[row * columns + column], NULL for SQL NULL. */
struct result {
    const char **cells;
    const char **names;
    size_t rows;
    size_t columns;
    int64_t affected; /* rows touched by the command, 0 if it has no such number */
};

/* Runs one statement with $1… as text. */
bool db_query(struct ctx *ctx, struct db *db, const char *sql, const char *const *params,
    size_t count, struct result *ret) MUST_CHECK;

/* The only cell of the only row; NULL when there is no row or the cell is NULL. */
bool db_value(struct ctx *ctx, struct db *db, const char *sql, const char *const *params,
    size_t count, const char **ret) MUST_CHECK;

const char *result_cell(const struct result *result, size_t row, size_t column);

/* Begins, and rolls back unless db_commit() was called; for CLEANUP(db_transaction_end). */
struct db_transaction {
    struct db *db;
};
bool db_begin(struct ctx *ctx, struct db *db, const char *modes, struct db_transaction *ret)
    MUST_CHECK;
bool db_commit(struct ctx *ctx, struct db_transaction *transaction) MUST_CHECK;
void db_transaction_end(struct db_transaction *transaction);

/*
 * One long statement while the caller does other things: db_send(), then db_wait() until it says
 * *ret_done. db_wait() waits at most wait_us, and returns false when the statement failed or a
 * signal asked us to stop; in the second case the statement is still running: db_cancel_wait().
 */
bool db_send(struct ctx *ctx, struct db *db, const char *sql) MUST_CHECK;
bool db_wait(struct ctx *ctx, struct db *db, int64_t wait_us, bool *ret_done) MUST_CHECK;

/* Asks the server to cancel what db is doing; safe while a statement runs. */
void db_cancel(struct db *db);

/* Cancels and takes the end of the running statement; false if it did not end within limit_us. */
bool db_cancel_wait(struct db *db, int64_t limit_us);

/*
 * Until the transaction ends, names without a schema mean what they mean to the application: the search_path
 * of role and database, not ours.
 */
bool db_use_own_path(struct ctx *ctx, struct db *db) MUST_CHECK;

/* Sets a parameter of the session. */
bool db_set(struct ctx *ctx, struct db *db, const char *name, const char *value) MUST_CHECK;

/*
 * Environment for pg_dump, pg_restore, pgbench and psql: host, port, user, database, and a
 * password only by way of a private PGPASSFILE that db_child_env_end() removes. No argument of a
 * child ever holds a password.
 */
struct db_child_env {
    const char *const *env; /* NULL-terminated */
    struct temporary passfile;
};
bool db_child_env_begin(struct ctx *ctx, const struct db *db, const char *database,
    struct db_child_env *ret) MUST_CHECK;
void db_child_env_end(struct db_child_env *env);

/*
 * ERR_UNSUPPORTED when a pooler in transaction mode stands between: session locks and
 * CONCURRENTLY cannot be trusted through one.
 */
bool db_require_direct(struct ctx *ctx, struct db *db) MUST_CHECK;

/* ERR_UNSUPPORTED when the server is a standby. */
bool db_require_primary(struct ctx *ctx, struct db *db) MUST_CHECK;

/* ERR_UNSUPPORTED when the server is a standby or its sessions are read-only. */
bool db_require_writable(struct ctx *ctx, struct db *db) MUST_CHECK;
