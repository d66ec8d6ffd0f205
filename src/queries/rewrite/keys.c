#include "queries/rewrite/keys.h"

#include <inttypes.h>

#include "db/ident.h"
#include "queries/rewrite/keys_part.h"
#include "sql.h"

/* Tables up to this many rows are read as a whole; of larger ones as many rows, by pages. */
#define WHOLE_ROWS 100000.0

static const char timeout_sql[] = "SELECT pg_catalog.set_config('statement_timeout', $1, true)";

struct sampling {
    struct ctx *ctx;
    struct db *db;
    const struct keys_wanted *wanted;
    struct sql_queries_key_column column;
    const char *name; /* quoted */
    struct text_list *ret;
    struct text_list *notes;
};

/* One question; what the server says against it is a note. */
static bool
ask(struct sampling *sampling, const char *what, const char *sql)
{
    struct ctx *ctx = sampling->ctx;
    struct result result;

    if (!db_exec(ctx, sampling->db, "SAVEPOINT pgmend_keys"))
        return false;
    if (db_query(ctx, sampling->db, sql, NULL, 0, &result)) {
        for (size_t i = 0; i < result.rows; i++)
            if (result_cell(&result, i, 0))
                text_list_add(ctx->arena, sampling->ret, result_cell(&result, i, 0));
        return db_exec(ctx, sampling->db, "RELEASE SAVEPOINT pgmend_keys");
    }
    if (!ctx->error.sqlstate[0] || ctx->error.kind == ERR_INTERRUPTED ||
        ctx->error.kind == ERR_TERMINATED || !db_is_connected(sampling->db))
        return false;
    text_list_add(ctx->arena, sampling->notes,
        arena_printf(ctx->arena, "%s could not be sampled: %s", what, ctx->error.message));
    error_clear(ctx);
    return db_exec(ctx, sampling->db, "ROLLBACK TO SAVEPOINT pgmend_keys");
}

/* What a large table is read by; "" for a small one. */
static const char *
sample_of(const struct sampling *sampling, double rows)
{
    if (rows <= WHOLE_ROWS)
        return "";
    return arena_printf(sampling->ctx->arena, " TABLESAMPLE SYSTEM (%.6f) REPEATABLE (%" PRIu64 ")",
        100 * WHOLE_ROWS / rows, sampling->wanted->seed % 1000000);
}

/* The same seed gives the same order. */
static const char *
shuffle(const struct sampling *sampling, const char *expression)
{
    return arena_printf(sampling->ctx->arena, "pg_catalog.md5(%s::text || '%" PRIu64 "')",
        expression, sampling->wanted->seed);
}

static bool
ask_column(struct sampling *sampling)
{
    struct arena *arena = sampling->ctx->arena;
    const char *random = shuffle(sampling, "s.k");
    size_t part = sampling->wanted->most / 6 + 1;

    return ask(sampling, "the column that the key is compared with",
        arena_printf(arena,
            "WITH s AS MATERIALIZED (SELECT t.%s AS k, count(*) AS n FROM %s AS t%s"
            " WHERE t.%s IS NOT NULL GROUP BY 1)"
            " SELECT x.k::text FROM ((SELECT k FROM s ORDER BY n DESC, %s LIMIT %zu) UNION ALL"
            " (SELECT k FROM s ORDER BY n, %s LIMIT %zu) UNION ALL"
            " (SELECT k FROM s ORDER BY %s LIMIT %zu)) AS x(k)",
            sampling->name, sampling->column.table_name, sample_of(sampling, sampling->column.rows),
            sampling->name, random, part, random, part, random, part));
}

static bool
ask_referenced(struct sampling *sampling)
{
    struct arena *arena = sampling->ctx->arena;
    const struct sql_queries_key_column *column = &sampling->column;
    size_t part = sampling->wanted->most / 6 + 1;

    if (!column->ref_table)
        return true;

    const char *key = db_ident(arena, column->ref_column);
    const char *random = shuffle(sampling, arena_printf(arena, "r.%s", key));
    const char *from =
        arena_printf(arena, "%s AS r%s", column->ref_table, sample_of(sampling, column->ref_rows));

    return ask(sampling, "the table that the key refers to",
               arena_printf(arena, "SELECT r.%s::text FROM %s ORDER BY %s LIMIT %zu", key, from,
                   random, part)) &&
           ask(sampling, "keys without rows",
               arena_printf(arena,
                   "SELECT r.%s::text FROM %s WHERE NOT EXISTS (SELECT FROM %s AS t"
                   " WHERE t.%s = r.%s) ORDER BY %s LIMIT %zu",
                   key, from, column->table_name, sampling->name, key, random, part));
}

/* One that is in no table. */
static bool
ask_nowhere(struct sampling *sampling)
{
    struct arena *arena = sampling->ctx->arena;
    const struct sql_queries_key_column *column = &sampling->column;

    if (text_equal(column->type, "uuid"))
        text_list_add(arena, sampling->ret, "00000000-0000-4000-8000-000000000000");
    else if (text_equal(column->category, "S"))
        text_list_add(arena, sampling->ret, "pgmend: no such key");
    else if (text_equal(column->category, "N"))
        return ask(sampling, "the largest key",
                   arena_printf(arena, "SELECT (max(t.%s) + 1)::text FROM %s AS t", sampling->name,
                       column->table_name)) &&
               (!column->ref_table ||
                   ask(sampling, "the largest key referred to",
                       arena_printf(arena, "SELECT (max(r.%s) + 1)::text FROM %s AS r",
                           db_ident(arena, column->ref_column), column->ref_table)));
    return true;
}

static bool
sample_column(struct sampling *sampling)
{
    return ask_column(sampling) && ask_referenced(sampling) && ask_nowhere(sampling);
}

/* The first place whose table is there and has such a column. */
static bool
find_column(struct sampling *sampling, const struct keys_places *places, bool *ret_found)
{
    struct ctx *ctx = sampling->ctx;

    *ret_found = false;
    for (size_t i = 0; i < places->places.count && !*ret_found; i++) {
        const struct keys_place *place = &places->places.items[i];

        for (size_t k = 0; k < places->tables.count && !*ret_found; k++) {
            const struct keys_table *table = &places->tables.items[k];
            struct sql_queries_key_column_rows rows;

            if (*place->qualifier && !text_equal(place->qualifier, table->alias))
                continue;
            if (!sql_queries_key_column(
                    ctx, sampling->db, &rows, .relation = table->name, .name = place->column))
                return false;
            if (rows.count != 1)
                continue;
            *ret_found = true;
            sampling->column = rows.items[0];
            sampling->name = db_ident(ctx->arena, place->column);
        }
    }
    return true;
}

bool
keys_sample(struct ctx *ctx, struct db *db, const struct keys_wanted *wanted, struct text_list *ret,
    struct text_list *notes)
{
    struct sampling sampling = {
        .ctx = ctx, .db = db, .wanted = wanted, .ret = ret, .notes = notes
    };
    struct keys_places places;
    const char *before;
    const char *ignored;
    const char *timeout = "2000";
    bool is_found;

    keys_places_read(ctx->arena, wanted->sql, wanted->number, &places);
    if (!find_column(&sampling, &places, &is_found))
        return false;
    if (!is_found) {
        text_list_add(ctx->arena, notes,
            arena_printf(ctx->arena,
                "$%d is not compared with a column of a table: no values of it could be sampled",
                wanted->number));
        return true;
    }
    return db_value(ctx, db, "SHOW statement_timeout", NULL, 0, &before) &&
           db_value(ctx, db, timeout_sql, &timeout, 1, &ignored) && sample_column(&sampling) &&
           db_value(ctx, db, timeout_sql, &before, 1, &ignored);
}

const char *
keys_array(struct arena *arena, const struct text_list *keys)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, "{");
    for (size_t i = 0; i < keys->count; i++) {
        const char *text = keys->items[i];

        buffer_add(&buffer, i ? "," : "");
        if (!text) {
            buffer_add(&buffer, "NULL");
            continue;
        }
        buffer_add(&buffer, "\"");
        for (; *text; text++)
            buffer_printf(&buffer, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
        buffer_add(&buffer, "\"");
    }
    buffer_add(&buffer, "}");
    return buffer_text(&buffer);
}
