#include "workload/workload.h"

#include "db/ident.h"
#include "lang/sql.h"
#include "sql.h"

/* clang-format off */
const struct field workload_statement_fields[] = {
    FIELD(struct workload_statement, user_id),
    FIELD(struct workload_statement, query_id),
    FIELD(struct workload_statement, is_top_level),
    FIELD(struct workload_statement, query),
    FIELD(struct workload_statement, fingerprint),
    FIELD(struct workload_statement, calls),
    FIELD(struct workload_statement, total_ms),
    FIELD(struct workload_statement, mean_ms),
    FIELD(struct workload_statement, min_ms),
    FIELD(struct workload_statement, max_ms),
    FIELD(struct workload_statement, stddev_ms),
    FIELD(struct workload_statement, row_count),
    FIELD(struct workload_statement, blocks_hit),
    FIELD(struct workload_statement, blocks_read),
    FIELD(struct workload_statement, temp_read),
    FIELD(struct workload_statement, temp_written),
    FIELD(struct workload_statement, wal_bytes),
    FIELD(struct workload_statement, stats_since),
};
/* clang-format on */

const size_t workload_statement_field_count = COUNT_OF(workload_statement_fields);

static bool
find_extension(struct ctx *ctx, struct db *db, const char **ret_schema)
{
    struct sql_workload_extension_rows found;

    if (!sql_workload_extension(ctx, db, &found))
        return false;
    if (found.count == 0) {
        error_set(ctx, ERR_NOT_FOUND, "pg_stat_statements is not installed in this database");
        return error_hint(ctx, "Run CREATE EXTENSION pg_stat_statements; the server needs it in "
                               "shared_preload_libraries.");
    }
    if (!found.items[0].is_loaded) {
        error_set(ctx, ERR_NOT_FOUND, "the server has not loaded pg_stat_statements");
        return error_hint(ctx, "Add it to shared_preload_libraries and restart the server.");
    }
    if (found.items[0].is_old) {
        error_set(ctx, ERR_UNSUPPORTED, "pg_stat_statements has version %s, older than 1.9",
            found.items[0].version);
        return error_hint(ctx, "Run ALTER EXTENSION pg_stat_statements UPDATE.");
    }
    *ret_schema = found.items[0].schema;
    return true;
}

static void
copy_statement(
    struct ctx *ctx, const struct sql_workload_statements *row, struct workload_statement *ret)
{
    *ret = (struct workload_statement){
        .user_id = row->user_id,
        .query_id = row->query_id,
        .is_top_level = row->is_top_level,
        .query = row->query,
        .calls = row->calls,
        .total_ms = row->total_ms,
        .mean_ms = row->mean_ms,
        .min_ms = row->min_ms,
        .max_ms = row->max_ms,
        .stddev_ms = row->stddev_ms,
        .row_count = row->row_count,
        .blocks_hit = row->blocks_hit,
        .blocks_read = row->blocks_read,
        .temp_read = row->temp_read,
        .temp_written = row->temp_written,
        .wal_bytes = row->wal_bytes,
        .stats_since = row->stats_since,
    };
    if (!sql_fingerprint(ctx, row->query, &ret->fingerprint))
        error_clear(ctx);
}

static bool
read_counters(struct ctx *ctx, struct db *db, struct workload *ret)
{
    struct sql_workload_info_rows info;
    struct sql_workload_statements_rows statements;

    if (!sql_workload_info(ctx, db, &info) || !sql_workload_statements(ctx, db, &statements))
        return false;
    if (info.count != 1)
        return error_set(ctx, ERR_FAILED, "pg_stat_statements_info gave %zu rows", info.count);
    *ret = (struct workload){
        .taken_at = info.items[0].taken_at,
        .server_start = info.items[0].server_start,
        .stats_reset = info.items[0].stats_reset,
        .evicted = info.items[0].evicted,
        .most_entries = info.items[0].most_entries,
        .hidden = info.items[0].hidden,
        .items = ARENA_ARRAY(ctx->arena, struct workload_statement, statements.count + 1),
        .count = statements.count,
    };
    for (size_t i = 0; i < statements.count; i++)
        copy_statement(ctx, &statements.items[i], &ret->items[i]);
    return true;
}

bool
workload_read(struct ctx *ctx, struct db *db, struct workload *ret)
{
    const char *schema = NULL;
    const char *usual = NULL;

    if (!find_extension(ctx, db, &schema) ||
        !db_value(ctx, db, "SELECT pg_catalog.current_setting('search_path')", NULL, 0, &usual))
        return error_wrap(ctx, "reading pg_stat_statements");

    const char *path =
        arena_printf(ctx->arena, "pg_catalog, %s, pg_temp", db_ident(ctx->arena, schema));

    if (!db_set(ctx, db, "search_path", path))
        return error_wrap(ctx, "reading pg_stat_statements");

    bool is_good = read_counters(ctx, db, ret);

    if (!is_good) {
        /* The reason must stay; inside a failed transaction its rollback resets the path too. */
        struct error why = ctx->error;

        (void)!db_set(ctx, db, "search_path", usual);
        ctx->error = why;
        return error_wrap(ctx, "reading pg_stat_statements");
    }
    return db_set(ctx, db, "search_path", usual);
}
