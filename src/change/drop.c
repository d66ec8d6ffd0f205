/* Dropping an index without stopping anybody, and without giving up half-way. */
#include "base/clock.h"
#include "change/rollout.h"
#include "db/ident.h"
#include "sql.h"

/*
 * lock_timeout bounds the waits of DROP INDEX CONCURRENTLY too, and after one the index is left
 * INVALID: so each attempt is short and the next one goes on where it stopped.
 */
enum { ATTEMPT_MS = 10000, BRIEF_MS = 300 };

bool
rollout_find_index(struct ctx *ctx, struct db *db, const char *schema, const char *name,
    struct sql_catalog_index *ret)
{
    struct sql_catalog_index_rows rows;

    *ret = (struct sql_catalog_index){ 0 };
    if (!sql_catalog_index(ctx, db, &rows, .schema = schema, .name = name))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

/* Notes when the planner began to ignore the index. */
static bool
look_at_drop(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch)
{
    struct sql_catalog_index index;

    if (!rollout_find_index(ctx, rollout->watch, watch->schema, watch->name, &index))
        return false;
    if (!watch->effect_us && (!index.oid || !index.is_valid))
        watch->effect_us = clock_us();
    return rollout_look_at_build(ctx, rollout, db_backend_pid(rollout->db), watch);
}

static bool
is_worth_a_retry(const struct ctx *ctx)
{
    static const char *const states[] = { "55P03", "40P01", "57014" };

    if (ctx->error.kind == ERR_CONNECTION)
        return true;
    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (text_equal(ctx->error.sqlstate, states[i]))
            return true;
    return false;
}

/*
 * An unusable index that refuses rows (unique, ready) must go at once: the short exclusive lock of
 * a plain DROP is tried first, CONCURRENTLY otherwise.
 */
static bool
attempt_drop(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch, bool is_plain,
    int64_t left_us)
{
    const char *index = db_qualified(ctx->arena, watch->schema, watch->name);
    const char *sql =
        arena_printf(ctx->arena, "DROP INDEX %s%s", is_plain ? "" : "CONCURRENTLY ", index);
    int64_t left_ms = left_us / 1000 > BRIEF_MS ? left_us / 1000 : BRIEF_MS;
    int64_t limit_ms = is_plain ? BRIEF_MS : left_ms < ATTEMPT_MS ? left_ms : ATTEMPT_MS;
    const char *timeout = arena_printf(ctx->arena, "%lld", (long long)limit_ms);

    return db_set(ctx, rollout->db, "lock_timeout", timeout) &&
           rollout_run(ctx, rollout, sql, watch);
}

/* After a failed attempt: whether there shall be another one, on a connection that works. */
static bool
prepare_retry(struct ctx *ctx, struct rollout *rollout, int attempt, int64_t end_us)
{
    if (!is_worth_a_retry(ctx) || clock_us() > end_us || !rollout_pause(attempt) ||
        (!db_is_connected(rollout->db) && !rollout_reconnect(ctx, rollout)))
        return false;
    error_clear(ctx);
    return true;
}

bool
rollout_drop(struct ctx *ctx, struct rollout *rollout, const char *schema, const char *name,
    int64_t limit_us, struct rollout_outcome *ret)
{
    int64_t started = clock_us();
    struct rollout_watch watch = {
        .what = arena_printf(ctx->arena, "dropping %s", db_qualified(ctx->arena, schema, name)),
        .look = look_at_drop,
        .schema = schema,
        .name = name,
        .ratio = -1,
    };

    for (int attempt = 0;; attempt++) {
        struct sql_catalog_index index = { 0 };
        bool is_known = rollout_find_index(ctx, rollout->db, schema, name, &index);
        bool is_harmful = !index.is_valid && index.is_unique && index.is_ready;

        ret->attempts = attempt;
        if (is_known && !index.oid)
            break;
        if (is_known && !watch.effect_us && !index.is_valid)
            watch.effect_us = started;
        if (is_known && attempt_drop(ctx, rollout, &watch, is_harmful && attempt % 2 == 0,
                            started + limit_us - clock_us()))
            continue; /* looks whether it is gone */
        if (!prepare_retry(ctx, rollout, attempt, started + limit_us))
            return error_wrap(ctx, "dropping %s, tried for %s", name,
                text_from_us(ctx->arena, clock_us() - started));
    }
    ret->us = clock_us() - started;
    ret->effect_us = watch.effect_us ? watch.effect_us - started : ret->us;
    return true;
}
