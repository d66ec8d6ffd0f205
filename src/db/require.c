/* What must be so before anything is changed through a connection. */
#include "db/connection.h"

bool
db_error_of_pooler(struct ctx *ctx)
{
    error_set(ctx, ERR_UNSUPPORTED,
        "a connection pooler stands between pgmend and the server: the session is not ours alone");
    return error_hint(ctx, "Give --db-url the server's own host and port (PostgreSQL's, often "
                           "5432), not the pooler's.");
}

bool
db_require_direct(struct ctx *ctx, struct db *db)
{
    const char *pid;
    int64_t number = 0;

    if (!db_value(ctx, db, "SELECT pg_catalog.pg_backend_pid()", NULL, 0, &pid))
        return false;
    if (pid && text_to_int64(pid, &number) && number == PQbackendPID(db->conn))
        return true;
    return db_error_of_pooler(ctx);
}

bool
db_require_primary(struct ctx *ctx, struct db *db)
{
    const char *is_standby;

    if (!db_value(ctx, db, "SELECT pg_catalog.pg_is_in_recovery()", NULL, 0, &is_standby))
        return false;
    if (!text_equal(is_standby, "t"))
        return true;
    error_set(ctx, ERR_UNSUPPORTED, "the server is a standby: nothing can be changed there");
    return error_hint(ctx, "Connect to the primary.");
}

bool
db_require_writable(struct ctx *ctx, struct db *db)
{
    const char *is_read_only;

    if (!db_require_primary(ctx, db) ||
        !db_value(ctx, db, "SELECT pg_catalog.current_setting('transaction_read_only')", NULL, 0,
            &is_read_only))
        return false;
    if (text_equal(is_read_only, "on"))
        return error_set(ctx, ERR_UNSUPPORTED, "the session is read-only");
    return true;
}
