/* Short DDL: all statements or none of them, never in front of a queue for long. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/kind_part.h"

bool
is_lock_trouble(const struct ctx *ctx)
{
    static const char *const states[] = { "55P03", "40P01" };

    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (text_equal(ctx->error.sqlstate, states[i]))
            return true;
    return false;
}

bool
is_passing(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_CONNECTION || is_lock_trouble(ctx) ||
           text_equal(ctx->error.sqlstate, "57014");
}

static bool
look_at_ddl(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch)
{
    return rollout_look_at_build(ctx, rollout, db_backend_pid(rollout->db), watch);
}

static bool
require_done(struct ctx *ctx, struct rollout *rollout, const struct ddl *ddl)
{
    bool is_done;

    if (!ddl->is_done(ctx, rollout->db, ddl->data, &is_done))
        return false;
    if (is_done)
        return true;
    return error_set(ctx, ERR_VERIFICATION,
        "the server reported success, but the catalogue does not show it as planned");
}

static bool
attempt(struct ctx *ctx, struct rollout *rollout, const struct ddl *ddl)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct rollout_watch watch = { .what = ddl->what, .look = look_at_ddl, .ratio = -1 };
    int64_t limit_us = rollout->limits.first_lock_us < ddl->limit_us ? rollout->limits.first_lock_us
                                                                     : ddl->limit_us;
    const char *timeout = arena_printf(ctx->arena, "SET LOCAL lock_timeout = '%lldms'",
        (long long)(limit_us > 1000 ? limit_us / 1000 : 1));

    if (!db_begin(ctx, rollout->db, NULL, &transaction) || !db_exec(ctx, rollout->db, timeout))
        return false;
    for (size_t i = 0; i < ddl->statements.count; i++)
        if (!rollout_run(ctx, rollout, ddl->statements.items[i], &watch))
            return false;
    return require_done(ctx, rollout, ddl) && db_commit(ctx, &transaction) &&
           require_done(ctx, rollout, ddl);
}

/*
 * After a failure: whether it came to be all the same (the connection was lost after the commit, a
 * signal came while it was on its way). The error stays when it did not.
 */
static bool
has_come_true(struct ctx *ctx, struct rollout *rollout, const struct ddl *ddl)
{
    struct error why = ctx->error;
    int signal_number = interrupt_take();
    bool is_done = false;
    bool is_known = (db_is_connected(rollout->db) || rollout_reconnect(ctx, rollout)) &&
                    ddl->is_done(ctx, rollout->db, ddl->data, &is_done);

    interrupt_put(signal_number);
    if (is_known && is_done)
        error_clear(ctx);
    else
        ctx->error = why;
    return is_known && is_done;
}

static bool
give_up(struct ctx *ctx, const struct rollout *rollout, const struct ddl *ddl, int64_t started_us)
{
    const char *waited = text_from_us(ctx->arena, clock_us() - started_us);

    if (!is_lock_trouble(ctx))
        return false;
    error_wrap(ctx, "tried for %s, %s at a time", waited,
        text_from_us(ctx->arena, rollout->limits.first_lock_us));
    ctx->error.kind = ERR_TIMEOUT;
    return error_hint(ctx,
        "A long transaction holds what %s needs: \"pgmend status\" while it runs names it. End it, "
        "or wait for it, then run the same command again.",
        ddl->what);
}

bool
ddl_run(
    struct ctx *ctx, struct rollout *rollout, const struct ddl *ddl, struct rollout_outcome *ret)
{
    int64_t started = clock_us();

    for (int number = 0;; number++) {
        ret->attempts = number + 1;
        if (attempt(ctx, rollout, ddl) || has_come_true(ctx, rollout, ddl))
            break;

        bool is_in_time = clock_us() - started < ddl->limit_us;
        bool is_worth_it =
            is_lock_trouble(ctx) || (is_passing(ctx) && number < rollout->limits.retries);

        if (!is_worth_it || !is_in_time || interrupt_signal() || !db_is_connected(rollout->db))
            return give_up(ctx, rollout, ddl, started);
        if (number == 0)
            rollout_note(rollout,
                arena_printf(ctx->arena, "%s: %s; trying again, without making others wait",
                    ddl->what, ctx->error.message));
        if (!rollout_pause(number + 1))
            return interrupt_error(ctx, interrupt_signal());
        error_clear(ctx);
    }
    ret->us = clock_us() - started;
    return true;
}
