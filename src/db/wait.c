/* Waiting for the server without being deaf to Ctrl-C. */
#include <poll.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "db/connection.h"

enum { STEP_MS = 100, CANCEL_LIMIT_US = 5000000 };

void
db_clear_result(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

/* Waits a step for the socket; the short step sees a signal that came just before. */
static void
wait_for_socket(struct db *db, short events, int limit_ms)
{
    struct pollfd fd = { .fd = PQsocket(db->conn), .events = events };

    if (fd.fd < 0)
        return;
    poll(&fd, 1, limit_ms < STEP_MS ? limit_ms : (int)STEP_MS);
}

bool
db_flush(struct ctx *ctx, struct db *db)
{
    for (;;) {
        int left = PQflush(db->conn);

        if (left == 0)
            return true;
        if (left < 0)
            return db_error_of_connection(ctx, db, "sending a statement");

        int signal_number = interrupt_signal();

        if (signal_number)
            return interrupt_error(ctx, signal_number);
        wait_for_socket(db, POLLIN | POLLOUT, STEP_MS);
        if (!PQconsumeInput(db->conn))
            return db_error_of_connection(ctx, db, "sending a statement");
    }
}

void
db_cancel(struct db *db)
{
    char why[256];
    PGcancel *cancel = PQgetCancel(db->conn);

    if (!cancel)
        return;
    /* Nothing to do if it fails: then the statement ended by itself or the server is gone. */
    (void)PQcancel(cancel, why, sizeof(why));
    PQfreeCancel(cancel);
}

bool
db_cancel_wait(struct db *db, int64_t limit_us)
{
    int64_t end = clock_us() + limit_us;

    db_cancel(db);
    for (;;) {
        if (!PQconsumeInput(db->conn))
            return true;
        while (!PQisBusy(db->conn)) {
            PGresult *result CLEANUP(db_clear_result) = PQgetResult(db->conn);

            if (!result)
                return true;
        }
        if (clock_us() > end)
            return false;
        wait_for_socket(db, POLLIN, STEP_MS);
    }
}

bool
db_next_result(struct ctx *ctx, struct db *db, PGresult **ret_result)
{
    while (PQisBusy(db->conn)) {
        int signal_number = interrupt_signal();

        if (signal_number) {
            db_cancel_wait(db, CANCEL_LIMIT_US);
            return interrupt_error(ctx, signal_number);
        }
        wait_for_socket(db, POLLIN, STEP_MS);
        if (!PQconsumeInput(db->conn))
            return db_error_of_connection(ctx, db, "waiting for the server");
    }
    *ret_result = PQgetResult(db->conn);
    return true;
}

bool
db_send(struct ctx *ctx, struct db *db, const char *sql)
{
    /* The extended protocol takes one statement only: nothing can be hidden behind a semicolon. */
    if (!PQsendQueryParams(db->conn, sql, 0, NULL, NULL, NULL, NULL, 0))
        return db_error_of_connection(ctx, db, "sending a statement");
    return db_flush(ctx, db);
}

/* Takes all results of the statement; the first error counts, and so does none (no memory in libpq). */
static bool
take_results(struct ctx *ctx, struct db *db)
{
    bool is_good = true;
    bool is_answered = false;

    for (;;) {
        PGresult *result CLEANUP(db_clear_result) = PQgetResult(db->conn);

        if (!result)
            return is_good && (is_answered || db_error_of_connection(ctx, db, "taking the answer"));
        is_answered = true;

        ExecStatusType status = PQresultStatus(result);

        if (is_good && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            is_good = db_error_of_result(ctx, db, result);
    }
}

bool
db_wait(struct ctx *ctx, struct db *db, int64_t wait_us, bool *ret_done)
{
    int64_t end = clock_us() + wait_us;

    *ret_done = false;
    for (;;) {
        int signal_number = interrupt_signal();

        if (signal_number)
            return interrupt_error(ctx, signal_number);
        if (!PQconsumeInput(db->conn))
            return db_error_of_connection(ctx, db, "waiting for the server");
        if (!PQisBusy(db->conn)) {
            *ret_done = true;
            return take_results(ctx, db);
        }

        int64_t left = end - clock_us();

        if (left <= 0)
            return true;
        wait_for_socket(db, POLLIN, left < 1000 ? 1 : (int)(left / 1000));
    }
}
