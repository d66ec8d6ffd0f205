#include "base/log.h"
#include "db/connection.h"

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

bool
db_select(
    struct ctx *ctx, struct db *db, const struct query *query, const void *args, void *ret_rows)
{
    const char *text = query_text(query, db_major(db));
    PGresult *result CLEANUP(db_clear_result) = NULL;

    if (!text)
        return error_set(ctx, ERR_UNSUPPORTED, "query \"%s\" is not for PostgreSQL %s", query->name,
            db_version_text(db));
    log_debug("query %s", query->name);
    if (!db_run(ctx, db, text, db_query_params(ctx->arena, query, args), query->arg_count, &result))
        return error_wrap(ctx, "query \"%s\"", query->name);
    return !ret_rows || db_copy_rows(ctx, query, result, ret_rows);
}
