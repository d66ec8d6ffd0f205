#include "db/copy.h"

#include <poll.h>

#include "base/interrupt.h"
#include "db/connection.h"

enum { PIECE_BYTES = 256 * 1024, STEP_MS = 100 };

/* Takes what is left of the COPY's results; the first error counts. */
static bool
take_results(struct ctx *ctx, struct db *db, int64_t *ret_rows)
{
    bool is_good = true;

    for (;;) {
        PGresult *result CLEANUP(db_clear_result) = NULL;

        if (!db_next_result(ctx, db, &result))
            return false;
        if (!result)
            return is_good;
        if (!is_good)
            continue;
        if (PQresultStatus(result) == PGRES_COMMAND_OK)
            (void)text_to_int64(PQcmdTuples(result), ret_rows);
        else
            is_good = db_error_of_result(ctx, db, result);
    }
}

/*
 * Ends a COPY whose bytes cannot be sent any more, so that the connection takes the ROLLBACK. The
 * error that brought us here stays.
 */
static void
give_up(struct db *db)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    int signal_number = interrupt_take();
    int64_t ignored = 0;

    if (db_is_connected(db) && PQputCopyEnd(db->conn, "stopped by the client") >= 0 &&
        db_flush(&scratch, db))
        (void)!take_results(&scratch, db, &ignored);
    if (signal_number)
        interrupt_put(signal_number);
}

/* Takes the end of a statement that was no COPY FROM STDIN. */
static void
skip_results(struct db *db, ExecStatusType status)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    int64_t ignored = 0;
    char *line = NULL;

    /* libpq tells of a COPY TO again and again until its rows have been read. */
    if (status == PGRES_COPY_OUT) {
        db_cancel(db);
        while (PQgetCopyData(db->conn, &line, 0) > 0)
            PQfreemem(line);
    }
    (void)!take_results(&scratch, db, &ignored);
}

static bool
start(struct ctx *ctx, struct db *db, const char *sql, ExecStatusType wanted)
{
    PGresult *result CLEANUP(db_clear_result) = NULL;
    ExecStatusType status;

    if (!PQsendQuery(db->conn, sql))
        return db_error_of_connection(ctx, db, "starting a COPY");
    if (!db_flush(ctx, db) || !db_next_result(ctx, db, &result))
        return error_wrap(ctx, "starting a COPY");
    status = PQresultStatus(result);
    if (status == wanted)
        return true;
    if (status == PGRES_FATAL_ERROR)
        db_error_of_result(ctx, db, result);
    else
        error_set(ctx, ERR_FAILED, "the statement is not a COPY %s",
            wanted == PGRES_COPY_IN ? "FROM STDIN" : "TO STDOUT");
    if (status == PGRES_COPY_IN)
        give_up(db);
    else
        skip_results(db, status);
    return error_wrap(ctx, "starting a COPY");
}

bool
db_copy_begin(struct ctx *ctx, struct db *db, const char *sql)
{
    return start(ctx, db, sql, PGRES_COPY_IN);
}

bool
db_copy_put(struct ctx *ctx, struct db *db, const void *data, size_t length)
{
    int signal_number = interrupt_signal();

    if (signal_number) {
        give_up(db);
        return interrupt_error(ctx, signal_number);
    }
    if (length > INT32_MAX) {
        give_up(db);
        return error_set(ctx, ERR_INPUT, "too many bytes for one piece of a COPY: %zu", length);
    }
    /* The connection does not block, so libpq would keep what the server has not taken yet. */
    if (!db_flush(ctx, db)) {
        give_up(db);
        return error_wrap(ctx, "sending rows");
    }
    if (PQputCopyData(db->conn, data, (int)length) == 1 && PQflush(db->conn) >= 0)
        return true;
    db_error_of_connection(ctx, db, "sending rows");
    give_up(db);
    return false;
}

bool
db_copy_end(struct ctx *ctx, struct db *db, int64_t *ret_rows)
{
    *ret_rows = 0;
    if (!db_flush(ctx, db)) {
        give_up(db);
        return error_wrap(ctx, "sending rows");
    }
    if (PQputCopyEnd(db->conn, NULL) < 0)
        return db_error_of_connection(ctx, db, "ending a COPY");
    if (!db_flush(ctx, db) || !take_results(ctx, db, ret_rows))
        return error_wrap(ctx, "copying");
    return true;
}

bool
db_copy_read_begin(struct ctx *ctx, struct db *db, const char *sql)
{
    return start(ctx, db, sql, PGRES_COPY_OUT);
}

void
db_copy_read_stop(struct db *db)
{
    int signal_number = interrupt_take();

    if (db_is_connected(db))
        skip_results(db, PGRES_COPY_OUT);
    if (signal_number)
        interrupt_put(signal_number);
}

static bool
heed_signal(struct ctx *ctx, struct db *db)
{
    int signal_number = interrupt_signal();

    if (!signal_number)
        return true;
    db_copy_read_stop(db);
    return interrupt_error(ctx, signal_number);
}

/* Waits for more bytes; they are taken from the socket as they come, and no faster than asked. */
static bool
wait_for_rows(struct ctx *ctx, struct db *db)
{
    struct pollfd fd = { .fd = PQsocket(db->conn), .events = POLLIN };

    if (!heed_signal(ctx, db))
        return false;
    poll(&fd, 1, STEP_MS);
    return PQconsumeInput(db->conn) || db_error_of_connection(ctx, db, "reading rows");
}

bool
db_copy_read(struct ctx *ctx, struct db *db, struct buffer *piece, bool *ret_is_end)
{
    size_t before = piece->length;
    int64_t rows;

    *ret_is_end = false;
    if (!heed_signal(ctx, db))
        return false;
    while (piece->length - before < PIECE_BYTES) {
        char *row = NULL;
        int length = PQgetCopyData(db->conn, &row, 1);

        if (length > 0) {
            buffer_append(piece, row, (size_t)length);
            PQfreemem(row);
        } else if (length == 0) {
            if (!wait_for_rows(ctx, db))
                return false;
        } else if (length == -1) {
            *ret_is_end = true;
            return take_results(ctx, db, &rows) || error_wrap(ctx, "reading rows");
        } else {
            db_error_of_connection(ctx, db, "reading rows");
            return false;
        }
    }
    return true;
}
