#include "base/interrupt.h"
#include "db/connection.h"

bool
db_begin(struct ctx *ctx, struct db *db, const char *modes, struct db_transaction *ret)
{
    const char *sql = modes ? arena_printf(ctx->arena, "BEGIN %s", modes) : "BEGIN";

    ret->db = NULL;
    if (!db_exec(ctx, db, sql))
        return error_wrap(ctx, "beginning a transaction");
    ret->db = db;
    return true;
}

bool
db_commit(struct ctx *ctx, struct db_transaction *transaction)
{
    struct db *db = transaction->db;

    /* A failed transaction answers COMMIT with ROLLBACK, and without an error. */
    if (PQtransactionStatus(db->conn) != PQTRANS_INTRANS)
        return error_set(ctx, ERR_FAILED, "could not commit: the transaction had failed");
    transaction->db = NULL;
    if (!db_exec(ctx, db, "COMMIT"))
        return error_wrap(ctx, "committing");
    return true;
}

void
db_transaction_end(struct db_transaction *transaction)
{
    struct db *db = transaction->db;

    transaction->db = NULL;
    if (!db || !db_is_connected(db))
        return;

    /* The error that brought us here must stay, and a signal must not stop the clean-up. */
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    int signal_number = interrupt_take();

    (void)!db_exec(&scratch, db, "ROLLBACK");
    interrupt_put(signal_number);
}
