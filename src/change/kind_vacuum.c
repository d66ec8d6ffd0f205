/* VACUUM, so that index-only scans need not look into the table. Nothing is to be undone. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/kind_part.h"

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_change_table_now table;
    bool is_found;

    (void)journal;
    return work_find_table(ctx, db, change, &table, &is_found);
}

static bool
look(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch)
{
    return rollout_look_at_build(ctx, rollout, db_backend_pid(rollout->db), watch) &&
           rollout_check_room(ctx, rollout);
}

/* An attempt waits for the table's lock as short as every other one. */
static bool
attempt(struct ctx *ctx, struct rollout *rollout, const struct change *change)
{
    struct rollout_watch watch = {
        .what = arena_printf(ctx->arena, "cleaning up %s", change_relation(ctx->arena, change)),
        .look = look,
        .ratio = -1,
    };
    const char *timeout =
        arena_printf(ctx->arena, "%lld", (long long)(rollout->limits.first_lock_us / 1000));

    return db_set(ctx, rollout->db, "lock_timeout", timeout) &&
           rollout_run(ctx, rollout, change->statement, &watch);
}

static bool
vacuum(struct ctx *ctx, struct rollout *rollout, const struct change *change,
    struct rollout_outcome *ret)
{
    int64_t started = clock_us();

    for (int number = 0; !attempt(ctx, rollout, change); number++) {
        bool is_worth_it = is_lock_trouble(ctx)
                               ? clock_us() - started < rollout->limits.wait_us
                               : is_passing(ctx) && number < rollout->limits.retries;

        ret->attempts = number + 2;
        if (!is_worth_it || interrupt_signal() ||
            (!db_is_connected(rollout->db) && !rollout_reconnect(ctx, rollout)))
            return false;
        if (!rollout_pause(number + 1))
            return interrupt_error(ctx, interrupt_signal());
        error_clear(ctx);
    }
    ret->us = clock_us() - started;
    return true;
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    json_t *json CLEANUP(json_release) = work_about(change);

    if (!work_begin(ctx, rollout, change, json_text(ctx->arena, json), &entry))
        return false;
    ret->attempts = 1;
    if (!vacuum(ctx, rollout, change, ret))
        return work_fail(ctx, rollout, &entry);
    json_object_set_new(json, "us", json_integer(ret->us));
    ret->result = "vacuumed";
    return work_succeed(ctx, rollout, &entry, json_text(ctx->arena, json), ret);
}

/* What a vacuum did before it was cut off stays, and does no harm. */
static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    return journal_update(ctx, &rollout->journal, entry, ENTRY_FAILED, NULL);
}

static bool
look_back(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    (void)ctx;
    (void)db;
    (void)entry;
    *ret_now = "nothing to undo";
    return true;
}

const struct change_kind kind_vacuum = {
    .name = KIND_VACUUM,
    .judge = judge,
    .look = look_back,
    .apply = apply,
    .heal = heal,
};
