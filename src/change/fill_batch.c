/* One batch of a fill: the next rows by the order of the key, written in one transaction. */
#include "base/clock.h"
#include "change/fill.h"
#include "db/ident.h"

/* Longer than any batch that is meant: a hundred times what it aims at. */
#define BATCH_TIMEOUT "60s"

static const char *
relation_of(struct arena *arena, const struct fill *fill)
{
    return change_relation(arena, &fill->about);
}

static const char *
key_literal(struct arena *arena, const struct fill *fill, const char *key)
{
    return arena_printf(arena, "%s::%s", db_literal(arena, key), fill->key_type);
}

/* Rows after the last key that was done, up to and with the last one of the batch. */
static const char *
range_of(struct arena *arena, const struct fill *fill, const char *last_key)
{
    const char *key = db_ident(arena, fill->key);
    const char *end = arena_printf(arena, "%s <= %s", key, key_literal(arena, fill, last_key));

    if (!fill->last_key)
        return end;
    return arena_printf(
        arena, "%s > %s AND %s", key, key_literal(arena, fill, fill->last_key), end);
}

/*
 * Compared byte by byte as rows are: not every type has an operator, and those of an extension are
 * not on our search_path.
 */
static const char *
differs(struct arena *arena, const struct fill *fill)
{
    return arena_printf(arena, "pg_catalog.record_image_ne(ROW(%s), ROW(CAST((%s) AS %s)))",
        db_ident(arena, fill->column), fill->expression, fill->type);
}

bool
fill_try(struct ctx *ctx, struct db *db, const struct fill *fill)
{
    return db_exec(ctx, db,
        arena_printf(ctx->arena, "SELECT %s FROM ONLY %s LIMIT 0", differs(ctx->arena, fill),
            relation_of(ctx->arena, fill)));
}

bool
fill_next(
    struct ctx *ctx, struct db *db, const struct fill *fill, int64_t rows, struct fill_batch *ret)
{
    const char *key = db_ident(ctx->arena, fill->key);
    const char *after = fill->last_key ? arena_printf(ctx->arena, "WHERE %s > %s", key,
                                             key_literal(ctx->arena, fill, fill->last_key))
                                       : "";
    struct result result;

    *ret = (struct fill_batch){ 0 };
    if (!db_query(ctx, db,
            arena_printf(ctx->arena,
                "SELECT s.k::pg_catalog.text, pg_catalog.count(*) OVER () FROM (SELECT %s AS k FROM "
                "ONLY %s %s ORDER BY %s LIMIT %lld) AS s ORDER BY s.k DESC LIMIT 1",
                key, relation_of(ctx->arena, fill), after, key, (long long)rows),
            NULL, 0, &result))
        return error_wrap(ctx, "looking for the next rows of %s", relation_of(ctx->arena, fill));
    if (result.rows != 1)
        return true;
    ret->last_key = result_cell(&result, 0, 0);
    if (!text_to_int64(result_cell(&result, 0, 1), &ret->rows))
        return error_set(ctx, ERR_FAILED, "the server's count is not a number");
    return true;
}

static bool
set_limits(struct ctx *ctx, struct rollout *rollout, const struct fill *fill)
{
    const char *wait =
        arena_printf(ctx->arena, "%lldms", (long long)(rollout->limits.first_lock_us / 1000));
    const char *params[] = { wait, BATCH_TIMEOUT };
    struct result ignored;

    /* Rows that a policy hides would be left out without a word; so it is an error. */
    if (!db_query(ctx, rollout->db,
            "SELECT pg_catalog.set_config('lock_timeout', $1, true),"
            " pg_catalog.set_config('statement_timeout', $2, true),"
            " pg_catalog.set_config('row_security', 'off', true)",
            params, COUNT_OF(params), &ignored))
        return false;
    return !fill->is_silent ||
           db_exec(ctx, rollout->db, "SET LOCAL session_replication_role = replica");
}

/* A column that was there before us may hold what is not ours to replace. */
static bool
require_ours(struct ctx *ctx, struct db *db, const struct fill *fill, const char *range)
{
    const char *column = db_ident(ctx->arena, fill->column);
    const char *key;

    if (fill->is_own)
        return true;
    if (!db_value(ctx, db,
            arena_printf(ctx->arena,
                "SELECT %s::pg_catalog.text FROM ONLY %s WHERE %s AND %s IS NOT NULL AND %s LIMIT 1",
                db_ident(ctx->arena, fill->key), relation_of(ctx->arena, fill), range, column,
                differs(ctx->arena, fill)),
            NULL, 0, &key))
        return false;
    if (!key)
        return true;
    return error_set(ctx, ERR_CONFLICT,
        "column %s was not added by pgmend and holds another value in the row with %s = %s", column,
        db_ident(ctx->arena, fill->key), key);
}

static bool
tell_journal(struct ctx *ctx, struct db *db, const struct fill *fill,
    const struct journal_entry *entry, const struct fill_batch *batch)
{
    struct fill after = *fill;
    struct sql_change_put_entry_rows rows;

    after.last_key = batch->last_key;
    after.seen += batch->rows;
    after.filled += batch->filled;
    return sql_change_put_entry(ctx, db, &rows, .entry = entry->entry, .run = entry->run,
        .kind = entry->kind, .object = entry->object, .relation = entry->relation,
        .statement = entry->statement, .undo = entry->undo, .state = ENTRY_STARTED,
        .started_at = entry->started_at, .ended_at = clock_text(ctx->arena, clock_wall_us()),
        .detail = fill_detail(ctx, &after));
}

bool
fill_rows(struct ctx *ctx, struct rollout *rollout, const struct fill *fill,
    const struct journal_entry *entry, struct fill_batch *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct result result;
    int64_t started = clock_us();
    const char *range = range_of(ctx->arena, fill, ret->last_key);
    const char *update = arena_printf(ctx->arena, "UPDATE ONLY %s SET %s = %s WHERE %s AND %s",
        relation_of(ctx->arena, fill), db_ident(ctx->arena, fill->column), fill->expression, range,
        differs(ctx->arena, fill));

    if (!db_begin(ctx, rollout->db, NULL, &transaction) || !set_limits(ctx, rollout, fill) ||
        !require_ours(ctx, rollout->db, fill, range) ||
        !db_query(ctx, rollout->db, update, NULL, 0, &result))
        return false;
    ret->filled = result.affected;
    /* The later passes begin anew when they are cut off: nothing is to be remembered of them. */
    if ((fill->pass == 1 || ret->filled > 0) && !tell_journal(ctx, rollout->db, fill, entry, ret))
        return error_wrap(ctx, "writing into the journal how far it is");
    if (!db_commit(ctx, &transaction))
        return false;
    ret->us = clock_us() - started;
    return true;
}
