#include "db/connection.h"

/*
 * Takes every result; the first error counts, the last good one is kept. A statement has at least one:
 * none at all is what libpq gives when it has no memory for it, and is no answer without rows.
 */
static bool
take_all(struct ctx *ctx, struct db *db, PGresult **ret)
{
    bool is_good = true;
    bool is_answered = false;

    for (;;) {
        PGresult *result CLEANUP(db_clear_result) = NULL;

        if (!db_next_result(ctx, db, &result))
            return false;
        if (!result)
            return is_good && (is_answered || db_error_of_connection(ctx, db, "taking the answer"));
        is_answered = true;

        ExecStatusType status = PQresultStatus(result);

        if (!is_good)
            continue;
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            PGresult *before = *ret;

            *ret = result;
            result = before;
        } else {
            is_good = db_error_of_result(ctx, db, result);
        }
    }
}

bool
db_run(struct ctx *ctx, struct db *db, const char *sql, const char *const *params, size_t count,
    PGresult **ret)
{
    bool is_good;

    *ret = NULL;
    if (!PQsendQueryParams(db->conn, sql, (int)count, NULL, params, NULL, NULL, 0))
        return db_error_of_connection(ctx, db, "sending a statement");
    db->statement = sql;
    is_good = db_flush(ctx, db) && take_all(ctx, db, ret);
    db->statement = NULL;
    if (!is_good)
        db_clear_result(ret);
    return is_good;
}

bool
db_query(struct ctx *ctx, struct db *db, const char *sql, const char *const *params, size_t count,
    struct result *ret)
{
    PGresult *result CLEANUP(db_clear_result) = NULL;

    *ret = (struct result){ 0 };
    if (!db_run(ctx, db, sql, params, count, &result))
        return false;
    if (result)
        db_copy_cells(ctx->arena, result, ret);
    return true;
}

bool
db_exec(struct ctx *ctx, struct db *db, const char *sql)
{
    struct result ignored;

    return db_query(ctx, db, sql, NULL, 0, &ignored);
}

bool
db_value(struct ctx *ctx, struct db *db, const char *sql, const char *const *params, size_t count,
    const char **ret)
{
    struct result result = { 0 };

    if (!db_query(ctx, db, sql, params, count, &result))
        return false;
    *ret = result.rows == 1 && result.columns == 1 ? result.cells[0] : NULL;
    return true;
}

const char *
result_cell(const struct result *result, size_t row, size_t column)
{
    return result->cells[row * result->columns + column];
}

bool
db_use_own_path(struct ctx *ctx, struct db *db)
{
    return db_exec(ctx, db, "SET LOCAL search_path TO DEFAULT");
}

bool
db_set(struct ctx *ctx, struct db *db, const char *name, const char *value)
{
    const char *params[] = { name, value };
    const char *ignored;

    return db_value(ctx, db, "SELECT pg_catalog.set_config($1, $2, false)", params, 2, &ignored);
}
