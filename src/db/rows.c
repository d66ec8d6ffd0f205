/* Results of libpq as ours: cells, and typed rows. */
#include <endian.h>

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

/* The same name, database or schema comes row after row: one copy does. */
static void
copy_text(
    struct arena *arena, const char *text, size_t length, const char *before, const char **ret)
{
    if (before && strncmp(before, text, length) == 0 && before[length] == '\0')
        *ret = before;
    else
        *ret = arena_strndup(arena, text, length);
}

/* The types were compared with the header's: the sizes are those of the members. */
static void
copy_binary(const struct field *field, const char *bytes, void *item)
{
    void *member = (char *)item + field->offset;
    uint64_t wide;
    uint32_t narrow;

    switch (field->type) {
    case FIELD_BOOL:
        *(bool *)member = *bytes != 0;
        break;
    case FIELD_INT32:
    case FIELD_UINT32:
        memcpy(&narrow, bytes, sizeof(narrow));
        narrow = be32toh(narrow);
        memcpy(member, &narrow, sizeof(narrow));
        break;
    case FIELD_INT64:
    case FIELD_DOUBLE:
        memcpy(&wide, bytes, sizeof(wide));
        wide = be64toh(wide);
        memcpy(member, &wide, sizeof(wide));
        break;
    case FIELD_TEXT:
    case FIELD_TEXT_LIST:
        break;
    }
}

struct copying {
    struct ctx *ctx;
    const struct query *query;
    const PGresult *result;
    bool is_binary;
};

/* before: the row before, or NULL. */
static bool
copy_cell(const struct copying *copying, int row, int column, void *item, const void *before)
{
    const struct field *field = &copying->query->columns[column];
    const char *value = PQgetvalue(copying->result, row, column);

    if (field->type == FIELD_TEXT) {
        const char *const *other =
            before ? (const void *)((const char *)before + field->offset) : NULL;

        copy_text(copying->ctx->arena, value, (size_t)PQgetlength(copying->result, row, column),
            other ? *other : NULL, (const char **)(void *)((char *)item + field->offset));
        return true;
    }
    if (copying->is_binary) {
        copy_binary(field, value, item);
        return true;
    }
    if (field_parse(copying->ctx, field, value, item))
        return true;
    return error_wrap(copying->ctx, "query \"%s\"", copying->query->name);
}

static bool
copy_row(const struct copying *copying, int row, void *item, const void *before)
{
    const struct query *query = copying->query;

    for (int i = 0; i < (int)query->column_count; i++) {
        if (!PQgetisnull(copying->result, row, i)) {
            if (!copy_cell(copying, row, i, item, before))
                return false;
        } else if (query->columns[i].type != FIELD_TEXT) {
            return error_set(copying->ctx, ERR_FAILED, "query \"%s\": %s is null", query->name,
                query->columns[i].name);
        }
    }
    return true;
}

struct binary_type {
    const char *name;
    Oid oid; /* source: pg_type.dat; these have not changed since PostgreSQL 7 */
};

/* Those whose bytes on the wire are the C member's in network order, or the text. */
static const struct binary_type binary_types[] = { { "bool", 16 }, { "name", 19 }, { "int8", 20 },
    { "int4", 23 }, { "text", 25 }, { "oid", 26 }, { "json", 114 }, { "float8", 701 } };

static Oid
binary_oid(const char *type)
{
    for (size_t i = 0; i < COUNT_OF(binary_types); i++)
        if (text_equal(binary_types[i].name, type))
            return binary_types[i].oid;
    return InvalidOid;
}

bool
db_rows_can_be_binary(const struct query *query)
{
    for (size_t i = 0; i < query->column_count; i++)
        if (binary_oid(query->column_types[i]) == InvalidOid)
            return false;
    return query->column_count > 0;
}

static bool
check_columns(struct ctx *ctx, const struct query *query, const PGresult *result)
{
    int columns = PQnfields(result);

    if ((size_t)columns != query->column_count)
        return error_set(ctx, ERR_FAILED, "query \"%s\": the server gave %d columns, not %zu",
            query->name, columns, query->column_count);
    for (int i = 0; i < columns && PQbinaryTuples(result); i++)
        if (PQftype(result, i) != binary_oid(query->column_types[i]))
            return error_set(ctx, ERR_FAILED, "query \"%s\": %s is of type %u, not %s", query->name,
                query->columns[i].name, PQftype(result, i), query->column_types[i]);
    return true;
}

bool
db_copy_rows(struct ctx *ctx, const struct query *query, const PGresult *result, struct rows *ret)
{
    const struct copying copying = {
        .ctx = ctx,
        .query = query,
        .result = result,
        .is_binary = PQbinaryTuples(result),
    };
    int rows = PQntuples(result);
    char *items = arena_alloc(ctx->arena, query->row_size * (size_t)rows);
    const char *before = NULL;

    if (!check_columns(ctx, query, result))
        return false;
    for (int row = 0; row < rows; row++) {
        char *item = items + (size_t)row * query->row_size;

        if (!copy_row(&copying, row, item, before))
            return false;
        before = item;
    }
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
