#include "base/log.h"
#include "db/connection.h"
#include "db/query.h"

const char *
query_text(const struct query *query, int major)
{
    if (major < query->min_major || (query->max_major && major > query->max_major))
        return NULL;
    for (size_t i = 0; i < query->variant_count; i++) {
        const struct query_variant *variant = &query->variants[i];

        if (!variant->max_major || major <= variant->max_major)
            return variant->text;
    }
    return NULL;
}

static bool
fill_row(
    struct ctx *ctx, const struct query *query, const struct result *result, size_t row, void *item)
{
    for (size_t column = 0; column < query->column_count; column++) {
        const struct field *field = &query->columns[column];
        const char *text = result_cell(result, row, column);

        if (!text && field->type == FIELD_TEXT)
            continue;
        if (!text)
            return error_set(ctx, ERR_FAILED, "query \"%s\": %s is null", query->name, field->name);
        if (!field_parse(ctx, field, text, item))
            return error_wrap(ctx, "query \"%s\"", query->name);
    }
    return true;
}

static bool
fill_rows(struct ctx *ctx, const struct query *query, const struct result *result, struct rows *ret)
{
    char *items = arena_alloc(ctx->arena, query->row_size * result->rows);

    if (result->columns != query->column_count)
        return error_set(ctx, ERR_FAILED, "query \"%s\": the server gave %zu columns, not %zu",
            query->name, result->columns, query->column_count);
    for (size_t row = 0; row < result->rows; row++)
        if (!fill_row(ctx, query, result, row, items + row * query->row_size))
            return false;
    ret->items = items;
    ret->count = result->rows;
    return true;
}

bool
db_select(
    struct ctx *ctx, struct db *db, const struct query *query, const void *args, void *ret_rows)
{
    const char *text = query_text(query, db_major(db));
    const char **params = ARENA_ARRAY(ctx->arena, const char *, query->arg_count + 1);
    struct result result;

    if (!text)
        return error_set(ctx, ERR_UNSUPPORTED, "query \"%s\" is not for PostgreSQL %s", query->name,
            db_version_text(db));
    for (size_t i = 0; i < query->arg_count; i++)
        params[i] = field_text(ctx->arena, &query->args[i], args);
    log_debug("query %s", query->name);
    if (!db_query(ctx, db, text, params, query->arg_count, &result))
        return error_wrap(ctx, "query \"%s\"", query->name);
    return !ret_rows || fill_rows(ctx, query, &result, ret_rows);
}
