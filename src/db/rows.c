/* Results of libpq as ours: cells, and typed rows. */
#include "db/connection.h"

void
db_copy_cells(struct arena *arena, const PGresult *result, struct result *ret)
{
    int rows = PQntuples(result);
    int columns = PQnfields(result);
    const char *tag = PQcmdTuples((PGresult *)(uintptr_t)result);

    *ret = (struct result){ .rows = (size_t)rows, .columns = (size_t)columns };
    ret->names = ARENA_ARRAY(arena, const char *, ret->columns);
    ret->cells = ARENA_ARRAY(arena, const char *, ret->rows * ret->columns);
    for (int column = 0; column < columns; column++)
        ret->names[column] = arena_strdup(arena, PQfname(result, column));
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            size_t at = (size_t)row * ret->columns + (size_t)column;

            if (!PQgetisnull(result, row, column))
                ret->cells[at] = arena_strndup(arena, PQgetvalue(result, row, column),
                    (size_t)PQgetlength(result, row, column));
        }
    }
    if (*tag)
        (void)text_to_int64(tag, &ret->affected);
}

static bool
copy_row(struct ctx *ctx, const struct query *query, const PGresult *result, int row, void *item)
{
    for (size_t i = 0; i < query->column_count; i++) {
        const struct field *field = &query->columns[i];
        int column = (int)i;

        if (!PQgetisnull(result, row, column)) {
            if (!field_parse(ctx, field, PQgetvalue(result, row, column), item))
                return error_wrap(ctx, "query \"%s\"", query->name);
        } else if (field->type != FIELD_TEXT) {
            return error_set(ctx, ERR_FAILED, "query \"%s\": %s is null", query->name, field->name);
        }
    }
    return true;
}

bool
db_copy_rows(struct ctx *ctx, const struct query *query, const PGresult *result, struct rows *ret)
{
    int rows = PQntuples(result);
    int columns = PQnfields(result);
    char *items = arena_alloc(ctx->arena, query->row_size * (size_t)rows);

    if ((size_t)columns != query->column_count)
        return error_set(ctx, ERR_FAILED, "query \"%s\": the server gave %d columns, not %zu",
            query->name, columns, query->column_count);
    for (int row = 0; row < rows; row++)
        if (!copy_row(ctx, query, result, row, items + (size_t)row * query->row_size))
            return false;
    ret->items = items;
    ret->count = (size_t)rows;
    return true;
}

const char *const *
db_query_params(struct arena *arena, const struct query *query, const void *args)
{
    const char **params = ARENA_ARRAY(arena, const char *, query->arg_count + 1);

    for (size_t i = 0; i < query->arg_count; i++)
        params[i] = field_text(arena, &query->args[i], args);
    return params;
}
