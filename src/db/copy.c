#include "db/copy.h"

#include "base/interrupt.h"
#include "db/connection.h"

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

bool
db_copy_begin(struct ctx *ctx, struct db *db, const char *sql)
{
    PGresult *result CLEANUP(db_clear_result) = NULL;
    ExecStatusType status;

    if (!PQsendQuery(db->conn, sql))
        return db_error_of_connection(ctx, db, "starting a COPY");
    if (!db_flush(ctx, db) || !db_next_result(ctx, db, &result))
        return error_wrap(ctx, "starting a COPY");
    status = PQresultStatus(result);
    if (status == PGRES_COPY_IN)
        return true;
    if (status == PGRES_FATAL_ERROR)
        db_error_of_result(ctx, db, result);
    else
        error_set(ctx, ERR_FAILED, "the statement is not a COPY FROM STDIN");
    skip_results(db, status);
    return error_wrap(ctx, "starting a COPY");
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
