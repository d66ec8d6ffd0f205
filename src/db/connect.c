#include <poll.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "db/connection.h"

enum { STEP_MS = 100 };

static bool
wait_until_connected(struct ctx *ctx, struct db *db)
{
    int64_t limit = db->options.connect_timeout_us;
    int64_t end = clock_us() + (limit ? limit : (int64_t)DB_CONNECT_TIMEOUT_US);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status != PGRES_POLLING_OK) {
        struct pollfd fd = { .fd = PQsocket(db->conn) };
        int signal_number = interrupt_signal();

        if (signal_number)
            return interrupt_error(ctx, signal_number);
        if (clock_us() > end)
            return db_error_of_waiting(ctx);
        fd.events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (poll(&fd, 1, STEP_MS) <= 0)
            continue;
        status = PQconnectPoll(db->conn);
        if (status == PGRES_POLLING_FAILED)
            return db_error_of_connecting(ctx, db);
    }
    return true;
}

static bool
pin_session(struct ctx *ctx, struct db *db)
{
    const char *params[DB_PIN_PARAMS];
    struct result result;

    db_pin_params(ctx->arena, db, params);
    if (!db_query(ctx, db, db_pin_sql, params, COUNT_OF(params), &result))
        return error_wrap(ctx, "preparing the session");
    return true;
}

static bool
open_connection(struct ctx *ctx, struct db *db)
{
    struct db_params params;

    if (!db_params_read(ctx, db, &params))
        return false;
    db->conn = PQconnectStartParams(params.names, params.values, 0);
    if (!db->conn)
        return error_set(ctx, ERR_CONNECTION, "could not connect: out of memory");
    if (PQstatus(db->conn) == CONNECTION_BAD)
        return db_error_of_connecting(ctx, db);
    PQsetNoticeReceiver(db->conn, db_log_notice, NULL);
    if (!wait_until_connected(ctx, db) || !db_check_version(ctx, db))
        return false;
    PQsetnonblocking(db->conn, 1);
    return pin_session(ctx, db);
}

bool
db_open(struct ctx *ctx, const struct db_options *options, struct db **ret)
{
    struct db *db = db_new(options);

    if (!open_connection(ctx, db)) {
        db_close(db);
        return false;
    }
    *ret = db;
    return true;
}

bool
db_open_like(
    struct ctx *ctx, const struct db *db, const struct db_options *options, struct db **ret)
{
    struct db_options merged = *options;

    if (!merged.url)
        merged.url = db->options.url;
    if (!merged.database)
        merged.database = db->options.database;
    if (!merged.application)
        merged.application = db->options.application;
    if (merged.access == ACCESS_NONE)
        merged.access = db->options.access;
    return db_open(ctx, &merged, ret);
}

void
db_close(struct db *db)
{
    if (!db)
        return;
    PQfinish(db->conn);
    arena_free(db->arena);
}

void
db_cleanup(struct db **db)
{
    db_close(*db);
    *db = NULL;
}
