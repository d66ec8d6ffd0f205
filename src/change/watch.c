/* Running a long statement on one session and looking at it from another. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/rollout.h"
#include "sql.h"

enum { TICK_US = 300000, CANCEL_LIMIT_US = 10000000 };

/* How much of a build each of the server's phases is, as measured on btree builds of 1 GB. */
struct phase {
    const char *start; /* of the phase's name */
    double from;
    double share;
    bool is_waiting;
};

static const struct phase phases[] = {
    { "initializing", 0, 0, false },
    { "waiting for writers before build", 0, 0, true },
    { "building index: scanning table", 0, .45, false },
    { "building index: sorting", .45, .1, false },
    { "building index: performing k-means", .05, .15, false },
    { "building index: assigning tuples", .2, .5, false },
    { "building index: loading tuples", .55, .2, false },
    { "building index", 0, .7, false },
    { "waiting for writers before validation", .75, 0, true },
    { "index validation: scanning index", .75, .05, false },
    { "index validation: sorting", .8, .05, false },
    { "index validation: scanning table", .85, .15, false },
    { "waiting for old snapshots", 1, 0, true },
    { "waiting for readers", 1, 0, true },
};

static const struct phase *
find_phase(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(phases); i++)
        if (text_starts_with(name, phases[i].start))
            return &phases[i];
    return NULL;
}

static double
done_ratio(const struct phase *phase, const struct sql_change_progress *row)
{
    double part = 0;

    if (!phase)
        return -1;
    if (row->blocks_total > 0)
        part = (double)row->blocks_done / (double)row->blocks_total;
    else if (row->tuples_total > 0)
        part = (double)row->tuples_done / (double)row->tuples_total;
    return phase->from + phase->share * (part > 1 ? 1 : part);
}

static const char *
describe_blocker(struct ctx *ctx, const struct sql_change_progress *row)
{
    if (row->blocker_pid == 0)
        return NULL;
    return arena_printf(ctx->arena, "waits for pid %d (%s, %s, transaction of %s)",
        (int)row->blocker_pid, row->blocker ? row->blocker : "unknown",
        row->blocker_state ? row->blocker_state : "unknown",
        text_from_us(ctx->arena, row->blocker_age));
}

static void
show(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch,
    const struct sql_change_progress *row, const struct phase *phase)
{
    bool is_lock_wait = text_starts_with(row->wait_event, "Lock:");
    bool is_waiting = is_lock_wait || (phase && phase->is_waiting);
    int64_t now = clock_us();
    struct rollout_progress progress = {
        .what = watch->what,
        .phase = *row->phase    ? row->phase
                 : is_lock_wait ? "waiting for the table's lock"
                                : "starting",
        .ratio = watch->ratio,
        .elapsed_us = now - watch->started_us,
        .left_us = -1,
        .blocker = is_waiting ? describe_blocker(ctx, row) : NULL,
    };

    watch->blocker = progress.blocker;
    /* Nobody knows how long others will hold on, so there is no estimate while waiting. */
    if (!is_waiting && watch->ratio > .05 && progress.elapsed_us > 1000000)
        progress.left_us =
            (int64_t)((double)progress.elapsed_us * (1 - watch->ratio) / watch->ratio);
    if (is_waiting && !watch->waiting_since_us)
        watch->waiting_since_us = now;
    if (!is_waiting)
        watch->waiting_since_us = 0;
    if (rollout->observer.progress)
        rollout->observer.progress(rollout->observer.data, &progress);
}

bool
rollout_look_at_build(
    struct ctx *ctx, struct rollout *rollout, int pid, struct rollout_watch *watch)
{
    struct sql_change_progress_rows rows;

    if (!sql_change_progress(ctx, rollout->watch, &rows, .pid = pid))
        return false;
    if (rows.count != 1)
        return true;

    const struct sql_change_progress *row = &rows.items[0];
    const struct phase *phase = find_phase(row->phase);
    double ratio = done_ratio(phase, row);

    /* Phases repeat for partitions and sorts; what people see never goes back. */
    if (ratio > watch->ratio)
        watch->ratio = ratio;
    show(ctx, rollout, watch, row, phase);
    return true;
}

/* The statement is still running: cancel it, keeping the reason that made us stop. */
static bool
stop_statement(struct ctx *ctx, struct rollout *rollout)
{
    struct error why = ctx->error;
    bool has_ended = db_cancel_wait(rollout->db, CANCEL_LIMIT_US);

    ctx->error = why;
    if (!has_ended)
        return error_set(ctx, ERR_CONNECTION,
            "the server did not end the statement within 10 s of being asked to cancel it");
    return false;
}

/* A look must not fail the work: a watcher that lost its session connects again or goes blind. */
static bool
look(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };

    if (!rollout->watch ||
        (watch->look(&scratch, rollout, watch) &&
            (!rollout->watchdog || watchdog_look(&scratch, rollout->watchdog, rollout->watch))))
        return true;
    if (scratch.error.kind == ERR_GATE || scratch.error.kind == ERR_TIMEOUT) {
        error_set(ctx, scratch.error.kind, "%s", scratch.error.message);
        return scratch.error.hint ? error_hint(ctx, "%s", scratch.error.hint) : false;
    }
    if (!db_is_connected(rollout->watch)) {
        db_cleanup(&rollout->watch);
        struct db_options options = { .access = ACCESS_READ, .statement_timeout_us = 5000000 };

        if (!db_open_like(&scratch, rollout->db, &options, &rollout->watch))
            rollout->watch = NULL;
    }
    return true;
}

bool
rollout_run(struct ctx *ctx, struct rollout *rollout, const char *sql, struct rollout_watch *watch)
{
    bool is_done = false;

    watch->started_us = clock_us();
    if (!db_send(ctx, rollout->db, sql))
        return false;
    while (!is_done) {
        if (!db_wait(ctx, rollout->db, TICK_US, &is_done))
            return interrupt_signal() && !is_done ? stop_statement(ctx, rollout) : false;
        if (!is_done && !look(ctx, rollout, watch))
            return stop_statement(ctx, rollout);
    }
    return true;
}

void
rollout_note(struct rollout *rollout, const char *text)
{
    if (rollout->observer.note)
        rollout->observer.note(rollout->observer.data, text);
}

bool
rollout_pause(int attempt)
{
    int64_t base = 100000LL << (attempt < 6 ? attempt : 6);
    int64_t jitter = clock_wall_us() % (base / 2);

    return clock_sleep_us(base + jitter);
}
