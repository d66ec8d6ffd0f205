#include "db/connection.h"

static void
copy_cells(struct ctx *ctx, const PGresult *result, struct result *ret)
{
    int rows = PQntuples(result);
    int columns = PQnfields(result);
    const char *tag = PQcmdTuples((PGresult *)(uintptr_t)result);

    *ret = (struct result){ .rows = (size_t)rows, .columns = (size_t)columns };
    ret->names = ARENA_ARRAY(ctx->arena, const char *, ret->columns);
    ret->cells = ARENA_ARRAY(ctx->arena, const char *, ret->rows * ret->columns);
    for (int column = 0; column < columns; column++)
        ret->names[column] = arena_strdup(ctx->arena, PQfname(result, column));
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            size_t at = (size_t)row * ret->columns + (size_t)column;

            if (!PQgetisnull(result, row, column))
                ret->cells[at] = arena_strndup(ctx->arena, PQgetvalue(result, row, column),
                    (size_t)PQgetlength(result, row, column));
        }
    }
    if (*tag)
        (void)text_to_int64(tag, &ret->affected);
}

/* Takes every result; the first error counts, the last rows are kept. */
static bool
take_all(struct ctx *ctx, struct db *db, struct result *ret)
{
    bool is_good = true;

    *ret = (struct result){ 0 };
    for (;;) {
        PGresult *result CLEANUP(db_clear_result) = NULL;

        if (!db_next_result(ctx, db, &result))
            return false;
        if (!result)
            return is_good;

        ExecStatusType status = PQresultStatus(result);

        if (!is_good)
            continue;
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
            copy_cells(ctx, result, ret);
        else
            is_good = db_error_of_result(ctx, db, result);
    }
}

bool
db_query(struct ctx *ctx, struct db *db, const char *sql, const char *const *params, size_t count,
    struct result *ret)
{
    if (!PQsendQueryParams(db->conn, sql, (int)count, NULL, params, NULL, NULL, 0))
        return db_error_of_connection(ctx, db, "sending a statement");
    return db_flush(ctx, db) && take_all(ctx, db, ret);
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
db_set(struct ctx *ctx, struct db *db, const char *name, const char *value)
{
    const char *params[] = { name, value };
    const char *ignored;

    return db_value(ctx, db, "SELECT pg_catalog.set_config($1, $2, false)", params, 2, &ignored);
}
