/*
 * The console speaks the protocol and no SQL: simple queries only, no parameters, nothing of what pins our
 * sessions down. A PAUSE that waits answers to nothing, not even to a RESUME through another connection, so it is
 * ended by closing its connection; the database stays paused then until somebody resumes it.
 */
#include "db/pgbouncer.h"

#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "db/connection.h"
#include "db/pgbouncer_part.h"

enum { STEP_MS = 100, ANSWER_US = 10000000 };

static bool
refuse_login(struct ctx *ctx, struct db *db)
{
    const char *text = PQerrorMessage(db->conn);

    if (strstr(text, "not allowed") || strstr(text, "no such user")) {
        (void)db_error_of_connecting(ctx, db);
        ctx->error.kind = ERR_RIGHTS;
        return error_hint(ctx, "The user has to be one of admin_users in the configuration file of "
                               "PgBouncer.");
    }
    /* A PostgreSQL server has no database of this name. */
    if (strstr(text, "database \"pgbouncer\" does not exist")) {
        error_set(ctx, ERR_UNSUPPORTED, "what answers there is a PostgreSQL server, no PgBouncer");
        return error_hint(ctx, "Name host and port of the pooler; PgBouncer's own port is 6432.");
    }
    (void)db_error_of_connecting(ctx, db);
    if (strstr(text, "authentication failed") || strstr(text, "no password supplied"))
        return false;
    return error_hint(ctx, "Check host and port of the pooler's URL, and that it runs there.");
}

static bool
wait_until_connected(struct ctx *ctx, struct db *db)
{
    int64_t end = clock_us() + ANSWER_US;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status != PGRES_POLLING_OK) {
        struct pollfd fd = { .fd = PQsocket(db->conn) };

        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (clock_us() > end)
            return db_error_of_waiting(ctx);
        fd.events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (poll(&fd, 1, STEP_MS) <= 0)
            continue;
        status = PQconnectPoll(db->conn);
        if (status == PGRES_POLLING_FAILED)
            return refuse_login(ctx, db);
    }
    return true;
}

static bool
check_kind(struct ctx *ctx, struct db *db)
{
    const char *version = PQparameterStatus(db->conn, "server_version");

    if (version && strstr(version, "/bouncer"))
        return true;
    error_set(ctx, ERR_UNSUPPORTED, "what answers there is not the console of a PgBouncer");
    return error_hint(ctx, "Name host and port of the pooler; PgBouncer's own port is 6432.");
}

static void
disconnect(struct pgbouncer *pgbouncer)
{
    db_cleanup(&pgbouncer->db);
}

/* Connects again, whatever there was. */
static bool
pgbouncer_connect(struct ctx *ctx, struct pgbouncer *pgbouncer)
{
    const struct db_options options = {
        .url = pgbouncer->url,
        .database = "pgbouncer",
        .application = "pgmend",
    };
    struct db_params params;

    disconnect(pgbouncer);
    pgbouncer->db = db_new(&options);

    struct db *db = pgbouncer->db;

    if (!db_params_read(ctx, db, &params))
        return false;
    db->conn = PQconnectStartParams(params.names, params.values, 0);
    if (!db->conn)
        return error_set(ctx, ERR_CONNECTION, "could not connect: out of memory");
    if (PQstatus(db->conn) == CONNECTION_BAD)
        return refuse_login(ctx, db);
    PQsetNoticeReceiver(db->conn, db_log_notice, NULL);
    if (!wait_until_connected(ctx, db) || !check_kind(ctx, db))
        return false;
    PQsetnonblocking(db->conn, 1);
    return true;
}

/* Whatever is refused has the SQLSTATE of a broken protocol: the words are all there is. */
static bool
error_of_answer(struct ctx *ctx, struct pgbouncer *pgbouncer, const PGresult *result)
{
    (void)db_error_of_result(ctx, pgbouncer->db, result);
    ctx->error.kind = ERR_SERVER;
    if (!strstr(ctx->error.message, "admin access needed"))
        return false;
    error_set(ctx, ERR_RIGHTS, "user \"%s\" may look at PgBouncer, but not command it",
        PQuser(pgbouncer->db->conn));
    return error_hint(
        ctx, "The user has to be one of admin_users in the configuration file of PgBouncer.");
}

/* Takes what has come; *ret_done: the answer is complete. */
static bool
take(struct ctx *ctx, struct pgbouncer *pgbouncer, struct result *ret, bool *ret_good,
    bool *ret_done)
{
    PGconn *conn = pgbouncer->db->conn;

    if (!PQconsumeInput(conn))
        return db_error_of_connection(ctx, pgbouncer->db, "waiting for PgBouncer");
    while (!PQisBusy(conn)) {
        PGresult *result CLEANUP(db_clear_result) = PQgetResult(conn);
        ExecStatusType status = PQresultStatus(result);

        *ret_done = !result;
        if (!result)
            return true;
        if (status == PGRES_TUPLES_OK)
            db_copy_cells(ctx->arena, result, ret);
        else if (status != PGRES_COMMAND_OK && *ret_good)
            *ret_good = error_of_answer(ctx, pgbouncer, result);
    }
    return true;
}

static bool
wait_for_answer(struct ctx *ctx, struct pgbouncer *pgbouncer, int64_t limit_us, struct result *ret)
{
    int64_t end = clock_us() + limit_us;
    bool is_good = true;
    bool is_done = false;

    for (;;) {
        struct pollfd fd = { .fd = PQsocket(pgbouncer->db->conn), .events = POLLIN };
        int64_t left = end - clock_us();

        if (!take(ctx, pgbouncer, ret, &is_good, &is_done))
            return false;
        if (is_done)
            return is_good;
        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (left <= 0)
            return error_set(ctx, ERR_TIMEOUT, "PgBouncer did not answer within %s",
                text_from_us(ctx->arena, limit_us));
        if (PQflush(pgbouncer->db->conn) > 0)
            fd.events |= POLLOUT;
        poll(&fd, 1, left / 1000 < STEP_MS ? (int)(left / 1000) + 1 : (int)STEP_MS);
    }
}

bool
pgbouncer_ask(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *command, int64_t limit_us,
    struct result *ret)
{
    *ret = (struct result){ 0 };
    if (!pgbouncer->db && !pgbouncer_connect(ctx, pgbouncer))
        goto fail;
    if (!PQsendQuery(pgbouncer->db->conn, command)) {
        (void)db_error_of_connection(ctx, pgbouncer->db, "asking PgBouncer");
        goto fail;
    }
    if (wait_for_answer(ctx, pgbouncer, limit_us ? limit_us : (int64_t)ANSWER_US, ret))
        return true;
    if (PQtransactionStatus(pgbouncer->db->conn) == PQTRANS_IDLE)
        return false; /* it was refused, and the console listens */
fail:
    disconnect(pgbouncer);
    return false;
}

const char *
pgbouncer_quoted(struct arena *arena, const char *name)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, "\"");
    for (const char *at = name; *at; at++) {
        buffer_append(&buffer, at, 1);
        if (*at == '"')
            buffer_append(&buffer, at, 1);
    }
    buffer_add(&buffer, "\"");
    return buffer_text(&buffer);
}

/* Whom the console takes for an administrator is seen by a command that does nothing. */
static bool
check_rights(struct ctx *ctx, struct pgbouncer *pgbouncer)
{
    struct result ignored;

    if (pgbouncer_ask(ctx, pgbouncer, "RESUME pgbouncer", 0, &ignored))
        return true;
    if (ctx->error.kind != ERR_SERVER)
        return false;
    error_clear(ctx);
    return true;
}

bool
pgbouncer_open(struct ctx *ctx, const char *url, struct pgbouncer **ret)
{
    struct arena *arena = arena_new();
    struct pgbouncer *pgbouncer = ARENA_NEW(arena, struct pgbouncer);

    pgbouncer->arena = arena;
    pgbouncer->url = arena_strdup(arena, url);
    if (pgbouncer_connect(ctx, pgbouncer) && check_rights(ctx, pgbouncer)) {
        *ret = pgbouncer;
        return true;
    }
    pgbouncer_cleanup(&pgbouncer);
    return error_wrap(ctx, "connecting to PgBouncer's console");
}

void
pgbouncer_cleanup(struct pgbouncer **pgbouncer)
{
    if (!*pgbouncer)
        return;

    struct arena *arena = (*pgbouncer)->arena;

    disconnect(*pgbouncer);
    *pgbouncer = NULL;
    arena_free(arena);
}
