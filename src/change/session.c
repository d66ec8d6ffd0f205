/* The sessions of a roll-out: opening, attaching to a build that goes on, coming back. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/rollout.h"
#include "change/room.h"
#include "sql.h"

static const struct rollout_limits standard_limits = {
    .first_lock_us = 2000000,
    .wait_us = 30LL * 60 * 1000000,
    .drop_us = 5LL * 60 * 1000000,
    .reconnect_us = 60LL * 1000000,
    .wal_reserve = 256LL * 1024 * 1024,
    .retries = 3,
};

/* The next attach tick; long enough not to be felt by the server. */
enum { ATTACH_TICK_US = 500000 };

static const struct db_options watch_options = {
    .access = ACCESS_READ,
    .statement_timeout_us = 5000000,
    .application = "pgmend/watch",
};

/*
 * The client that held the lock is gone, its build goes on in the server. Shows how far it is
 * until the lock is free.
 */
static bool
attach(struct ctx *ctx, struct rollout *rollout, const struct lock_holder *holder)
{
    struct rollout_watch watch = {
        .what = "attached to the build of a pgmend that was killed",
        .started_us = clock_us(),
    };
    bool is_taken = false;

    rollout_note(rollout,
        arena_printf(ctx->arena,
            "the pgmend that held the lock (%s) is gone, its work goes on in server process %d: "
            "attached to it",
            holder->application, (int)holder->pid));
    while (!is_taken) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx tick = { .arena = arena };

        if (!clock_sleep_us(ATTACH_TICK_US)) {
            interrupt_error(ctx, interrupt_signal());
            return error_state(ctx, "The build that was attached to goes on in the server.");
        }
        (void)!rollout_look_at_build(&tick, rollout, (int)holder->pid, &watch);
        if (!run_lock_try(ctx, rollout->db, rollout->what, &is_taken))
            return false;
    }
    return true;
}

static bool
take_lock(struct ctx *ctx, struct rollout *rollout)
{
    struct lock_holder holder;
    bool is_taken;

    if (!run_lock_try(ctx, rollout->db, rollout->what, &is_taken))
        return false;
    if (is_taken)
        return true;
    if (!run_lock_holder(ctx, rollout->db, &holder))
        return false;
    if (!holder.is_held || !holder.is_orphan)
        return run_lock_refuse(ctx, &holder);
    return attach(ctx, rollout, &holder);
}

static bool
open_sessions(struct ctx *ctx, const struct db *like, struct rollout *rollout)
{
    struct db_options options = { .access = ACCESS_WRITE,
        .application = arena_printf(ctx->arena, "pgmend/%s", rollout->what) };
    struct room room;

    if (!db_open_like(ctx, like, &options, &rollout->db) ||
        !db_open_like(ctx, like, &watch_options, &rollout->watch) ||
        !db_require_direct(ctx, rollout->db) || !db_require_writable(ctx, rollout->db) ||
        !room_find(ctx, rollout->db, &room))
        return false;
    rollout->wal_path = room.is_seen ? room.wal_path : NULL;
    return true;
}

bool
rollout_open(struct ctx *ctx, const struct db *like, const struct journal_run *run,
    const struct rollout_observer *observer, struct rollout *ret)
{
    *ret = (struct rollout){
        .what = run->command,
        .limits = standard_limits,
        .observer = *observer,
    };
    if (open_sessions(ctx, like, ret) && take_lock(ctx, ret) &&
        journal_begin(ctx, ret->db, run, &ret->journal)) {
        for (size_t i = 0; i < ret->journal.notes.count; i++)
            rollout_note(ret, ret->journal.notes.items[i]);
        return true;
    }
    rollout_close(ret);
    return ctx->error.state ? false : error_state(ctx, "Nothing was changed.");
}

void
rollout_close(struct rollout *rollout)
{
    db_cleanup(&rollout->db);
    db_cleanup(&rollout->watch);
}

static bool
open_again(struct ctx *ctx, struct rollout *rollout)
{
    struct db *fresh = NULL;
    struct db_options options = { .connect_timeout_us = 5000000 };
    bool is_taken;

    if (!db_open_like(ctx, rollout->db, &options, &fresh))
        return false;
    db_close(rollout->db);
    rollout->db = fresh;
    rollout->journal.db = fresh;
    if (!run_lock_try(ctx, rollout->db, rollout->what, &is_taken))
        return false;
    if (!is_taken)
        return error_set(ctx, ERR_LOCKED, "the run lock is held by another session");
    return rollout_set(ctx, rollout);
}

bool
rollout_reconnect(struct ctx *ctx, struct rollout *rollout)
{
    int64_t end = clock_us() + rollout->limits.reconnect_us;

    rollout_note(rollout, "the connection was lost: connecting again");
    for (int attempt = 0; !open_again(ctx, rollout); attempt++) {
        if (ctx->error.kind == ERR_RIGHTS || clock_us() > end)
            return error_wrap(ctx, "connecting again");
        if (!rollout_pause(attempt)) {
            interrupt_error(ctx, interrupt_signal());
            return error_wrap(ctx, "connecting again");
        }
    }
    error_clear(ctx);

    struct db *watch = NULL;

    if (!db_open_like(ctx, rollout->db, &watch_options, &watch)) {
        error_clear(ctx);
        return true; /* blind, but able to work */
    }
    db_close(rollout->watch);
    rollout->watch = watch;
    return true;
}
