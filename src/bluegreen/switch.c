/*
 * The other side becomes the live one. Clients are held by the pooler; writers that go past it are shut out; the
 * last write comes over; sequences follow; the slot for the way back is set to this very point; clients are
 * moved and let go; then the replication is turned round. Up to the move everything can be taken back.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "bluegreen/part.h"
#include "db/ident.h"
#include "db/pgbouncer.h"
#include "sql.h"

enum {
    SESSIONS_LIMIT_US = 5000000,
    START_LIMIT_US = 60000000,
    TICK_US = 20000,
    CHECK_SHARE = 4,
    NAMED_SESSIONS = 5
};

struct switching {
    struct bg_move move;
    struct bluegreen *pair;
    const struct bluegreen_switch_options *options;
    struct pgbouncer_guard *guard;
    const char *schema; /* of the target: what drift is measured by when it is live */
    int64_t paused_at;
};

static void
note(const struct switching *switching, const char *text)
{
    if (switching->options->patience.note)
        switching->options->patience.note(switching->options->patience.data, text);
}

/* ---- before the pause ---- */

static bool
find_entries(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;
    struct pgbouncer_databases found;
    struct db *live = pair->dbs[pair->state.live];

    if (!pgbouncer_find(ctx, switching->move.pooler, live, db_name(live), &found))
        return false;
    for (size_t i = 0; i < found.count; i++)
        text_list_add(ctx->arena, &switching->move.entries, found.items[i].name);
    if (found.count > 0)
        return true;
    error_set(
        ctx, ERR_NOT_FOUND, "no database of PgBouncer leads to %s", db_label(ctx->arena, live));
    return error_hint(ctx, "SHOW DATABASES in its console says where they lead.");
}

/* Somebody's lock shall not keep us waiting, least of all while clients are held. */
static bool
limit_locks(struct ctx *ctx, struct bluegreen *pair)
{
    return db_set(ctx, pair->dbs[BLUE], "lock_timeout", "3s") &&
           db_set(ctx, pair->dbs[GREEN], "lock_timeout", "3s");
}

/* A subscription that was just enabled needs some seconds before its worker starts. */
static bool
look_until_working(struct ctx *ctx, const struct bluegreen *pair, struct bluegreen_look *ret)
{
    int64_t end = clock_us() + START_LIMIT_US;

    for (;;) {
        if (!bluegreen_look(ctx, pair, ret))
            return false;
        if (ret->is_working || !ret->is_enabled || clock_us() > end)
            return true;
        if (!clock_sleep_us(TICK_US))
            return interrupt_error(ctx, interrupt_signal());
    }
}

static bool
check_ready(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;
    struct bluegreen_look look;
    struct text_list drift;
    struct sql_bluegreen_server_rows server;

    if (!look_until_working(ctx, pair, &look) || !bluegreen_drift(ctx, pair, &drift) ||
        !sql_bluegreen_server(ctx, pair->dbs[pair->state.live], &server))
        return false;
    if (look.has_subscription && !look.is_enabled) {
        error_set(ctx, ERR_GATE, "the replication stands still: its subscription is disabled");
        return error_hint(ctx, "Enable it again: %s", bluegreen_enable_command(ctx->arena, pair));
    }
    if (!look.has_subscription || !look.has_slot || !look.is_working || look.ready < look.tables) {
        error_set(ctx, ERR_GATE,
            "the replication is not complete: %" PRId64 " of %" PRId64 " tables follow%s",
            look.ready, look.tables, look.is_working ? "" : ", and it stands still");
        return error_hint(ctx, "\"pgmend bluegreen status\" says what it waits for.");
    }
    if (look.lag_bytes > switching->options->lag_bytes) {
        error_set(ctx, ERR_GATE, "%s is %s behind, more than --max-lag",
            bluegreen_side_name(switching->options->target),
            text_from_bytes(ctx->arena, look.lag_bytes));
        return error_hint(ctx, "Wait until it has caught up: clients would be held so long.");
    }
    if (drift.count > 0) {
        error_set(ctx, ERR_GATE, "the schema was changed since the replication began: %s%s",
            drift.items[0],
            drift.count > 1 ? arena_printf(ctx->arena, " (and %zu more)", drift.count - 1) : "");
        return error_hint(ctx, "Definitions are not replicated: \"pgmend bluegreen abandon\", then "
                               "create again; or take the change back.");
    }
    if (!pair->state.verified_at) {
        error_set(ctx, ERR_GATE, "the two databases were not compared since the last switch");
        return error_hint(ctx, "Run \"pgmend bluegreen verify\" first.");
    }
    if (server.count == 1 && server.items[0].prepared > 0)
        return error_set(ctx, ERR_GATE,
            "%" PRId64 " prepared transactions could still be committed where nobody sees them",
            server.items[0].prepared);
    return true;
}

/* They are no rows of a table: filled on the target, without holding anybody. */
static bool
refresh_views(struct ctx *ctx, struct switching *switching)
{
    struct db *db = switching->pair->dbs[switching->options->target];
    struct sql_bluegreen_others_rows rows;

    if (!sql_bluegreen_others(ctx, db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        if (text_equal(rows.items[i].kind, "materialized view") &&
            !bg_exec(ctx, db, "REFRESH MATERIALIZED VIEW %s", rows.items[i].name))
            return error_wrap(ctx, "filling materialized view %s", rows.items[i].name);
    return true;
}

/* The slot for the way back is made here, as it waits for open transactions; it is set in the pause. */
static bool
arm(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;
    int target = switching->options->target;
    const char *schema = pair->schema;

    pair->state.clients_name = arena_strdup(ctx->arena, db_name(pair->dbs[pair->state.live]));
    pair->state.pooler_file = switching->options->pooler_file;
    if (!bg_check_move(ctx, &switching->move) || !refresh_views(ctx, switching) ||
        !bluegreen_record(ctx, pair, BG_ARMING) || !bg_publish(ctx, pair, target) ||
        !bg_make_slot(ctx, pair, pair->state.live, &switching->options->patience) ||
        !bg_take_schema(ctx, pair, target))
        return error_wrap(ctx, "preparing the way back");
    switching->schema = pair->schema;
    pair->schema = schema;
    return true;
}

/* ---- in the pause ---- */

static int64_t
time_left(const struct switching *switching)
{
    return switching->options->pause_us - (clock_us() - switching->paused_at);
}

static bool
pause_clients(struct ctx *ctx, struct switching *switching)
{
    struct bg_move *move = &switching->move;

    if (!pgbouncer_guard(ctx, move->pooler, &move->entries, &switching->guard) ||
        !bluegreen_record(ctx, switching->pair, BG_PAUSING))
        return false;
    switching->paused_at = clock_us();
    for (size_t i = 0; i < move->entries.count; i++)
        if (!pgbouncer_pause(ctx, move->pooler, move->entries.items[i], time_left(switching)))
            return error_wrap(ctx, "holding the clients");
    fault_point("bluegreen");
    return true;
}

static bool
refuse_direct(struct ctx *ctx, const struct sql_bluegreen_sessions_rows *rows)
{
    struct buffer names = { .arena = ctx->arena };

    for (size_t i = 0; i < rows->count && i < NAMED_SESSIONS; i++)
        buffer_printf(&names, "%s%s from %s (process %" PRId32 "%s%s)", i ? ", " : "",
            rows->items[i].role, rows->items[i].address, rows->items[i].pid,
            *rows->items[i].application ? ", " : "", rows->items[i].application);
    error_set(ctx, ERR_GATE, "%zu sessions go past the pooler: %s%s", rows->count,
        buffer_text(&names), rows->count > NAMED_SESSIONS ? ", …" : "");
    return error_hint(ctx, "They would go on writing where nobody looks: have them go through "
                           "PgBouncer, or --end-direct ends them.");
}

/* The pooler's own connections are gone with the pause; whoever is here now goes past it. */
static bool
close_direct(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;
    int live = pair->state.live;
    uint32_t id = pair->state.sides[live].id;
    int64_t start = clock_us();
    struct sql_bluegreen_sessions_rows rows;
    struct sql_bluegreen_end_sessions_rows ended;

    if (!bluegreen_record(ctx, pair, BG_CLOSING) || !bg_close_writers(ctx, pair->dbs[live], true))
        return false;
    for (;;) {
        int64_t waited = clock_us() - start;

        if (!sql_bluegreen_sessions(ctx, pair->dbs[live], &rows, .database = id))
            return false;
        if (rows.count == 0)
            return true;
        /* What the pooler has let go needs a moment to end. */
        if (!switching->options->end_direct && waited > SESSIONS_LIMIT_US / 10)
            return refuse_direct(ctx, &rows);
        if (waited > SESSIONS_LIMIT_US)
            return error_set(ctx, ERR_TIMEOUT, "%zu sessions did not end", rows.count);
        if (switching->options->end_direct && waited > SESSIONS_LIMIT_US / 20) {
            if (!sql_bluegreen_end_sessions(ctx, pair->dbs[live], &ended, .database = id))
                return error_wrap(ctx, "ending sessions that go past the pooler");
            switching->move.ret->ended += (size_t)ended.items[0].ended;
        }
        if (!clock_sleep_us(TICK_US))
            return interrupt_error(ctx, interrupt_signal());
    }
}

static bool
drain(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;
    struct bluegreen_switched *ret = switching->move.ret;
    const char *difference;

    if (!bluegreen_record(ctx, pair, BG_DRAINING) ||
        !bluegreen_wait_applied(ctx, pair, time_left(switching), &ret->drain_us) ||
        !bluegreen_verify_still(
            ctx, pair, time_left(switching) / CHECK_SHARE, &ret->tables_checked, &difference))
        return false;
    if (difference) {
        pair->state.verified_at = NULL;
        return error_set(ctx, ERR_VERIFICATION, "the databases differ: %s", difference);
    }
    return bg_carry_sequences(ctx, pair, switching->options->target,
        switching->options->sequence_margin, &ret->sequences);
}

/*
 * The commit of our own record has flushed all that was applied before; the slot passes over that, so that what
 * came from there does not go back, and the first write of a client does.
 */
static bool
set_way_back(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;
    struct db *db = pair->dbs[switching->options->target];
    const char *slot = bluegreen_slot(ctx->arena, &pair->state, pair->state.live);
    struct sql_bluegreen_advance_slot_rows rows;

    if (!bg_enable(ctx, pair, switching->options->target, false) ||
        !db_set(ctx, db, "synchronous_commit", "on") || !bluegreen_record(ctx, pair, BG_MOVING) ||
        !sql_bluegreen_advance_slot(ctx, db, &rows, .name = slot))
        return error_wrap(ctx, "setting the point from which the way back begins");
    if (rows.count == 1 && rows.items[0].is_there)
        return true;
    return error_set(ctx, ERR_VERIFICATION, "replication slot %s did not advance", slot);
}

static bool
resume(struct ctx *ctx, struct switching *switching)
{
    struct bg_move *move = &switching->move;
    bool is_good = true;

    for (size_t i = 0; i < move->entries.count; i++)
        is_good = pgbouncer_resume(ctx, move->pooler, move->entries.items[i]) && is_good;
    if (is_good)
        pgbouncer_unguard(&switching->guard);
    return is_good;
}

/* ---- taking back, going on ---- */

/* As it was before: the live side takes writes, the other one follows. Also after a signal. */
static bool
take_back(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;
    int live = pair->state.live;
    int target = switching->options->target;
    int signal_number = interrupt_take();
    bool is_good =
        bluegreen_require_both(ctx, pair) && bg_close_writers(ctx, pair->dbs[live], false) &&
        bg_unmove_file(ctx, &switching->move) && bg_close_writers(ctx, pair->dbs[target], true);

    is_good = resume(ctx, switching) && is_good;
    is_good = is_good && bg_enable(ctx, pair, target, true) && bg_drop_slot(ctx, pair, live);
    pair->state.lines_before = NULL;
    is_good = is_good && bluegreen_record(ctx, pair, BG_FOLLOWING);
    interrupt_put(signal_number);
    return is_good;
}

/* The former live side follows from now on; nothing of the old direction is left. */
static bool
turn(struct ctx *ctx, struct bluegreen *pair)
{
    int live = pair->state.live;
    int former = bluegreen_other(live);

    return (bg_close_writers(ctx, pair->dbs[live], false) &&
               bg_close_writers(ctx, pair->dbs[former], true) &&
               bg_drop_subscription(ctx, pair, live) && bg_drop_slot(ctx, pair, live) &&
               bg_subscribe(ctx, pair, former, false) &&
               bluegreen_record(ctx, pair, BG_FOLLOWING)) ||
           error_wrap(ctx, "turning the replication round");
}

static bool
become_live(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;

    pair->state.live = switching->options->target;
    pair->state.switched_at = clock_text(ctx->arena, clock_wall_us());
    pair->state.verified_at = NULL;
    pair->state.lines_before = NULL;
    pair->state.moving = (struct text_list){ 0 };
    if (switching->schema)
        pair->schema = switching->schema;
    else if (!bg_take_schema(ctx, pair, pair->state.live))
        return false;
    return bluegreen_record(ctx, pair, BG_TURNING);
}

static bool
finish(struct ctx *ctx, struct switching *switching)
{
    bool is_resumed = resume(ctx, switching);

    switching->move.ret->pause_us = clock_us() - switching->paused_at;
    if (is_resumed && become_live(ctx, switching) && turn(ctx, switching->pair))
        return true;
    if (ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED)
        ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "Run \"pgmend bluegreen switch\" again: it finishes this.");
    return error_state(ctx,
        "%s is live, its writes are kept for the way back; the replication was "
        "not turned round yet.",
        bluegreen_side_name(switching->options->target));
}

static bool
open_pooler(struct ctx *ctx, struct switching *switching)
{
    return pgbouncer_open(ctx, switching->options->pooler_url, &switching->move.pooler);
}

/* With the clients at the target there is no way but on. */
static bool
fail(struct ctx *ctx, struct switching *switching)
{
    struct error error = ctx->error;
    bool is_moved = false;

    if (switching->pair->dbs[BLUE] && switching->pair->dbs[GREEN] &&
        bluegreen_step_of(&switching->pair->state) == BG_MOVING &&
        bg_are_moved(ctx, &switching->move, &is_moved) && is_moved)
        return finish(ctx, switching);
    if (take_back(ctx, switching)) {
        ctx->error = error;
        return error_state(ctx, "Nothing has changed: %s is live, its clients go on, %s follows.",
            bluegreen_side_name(switching->pair->state.live),
            bluegreen_side_name(switching->options->target));
    }
    ctx->error = error;
    ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "Run \"pgmend bluegreen switch\" again: it looks how far it came.");
    return error_state(ctx, "%s is live, but may refuse writes until this is put right.",
        bluegreen_side_name(switching->pair->state.live));
}

static void
end_switching(struct switching *switching)
{
    pgbouncer_unguard(&switching->guard);
    pgbouncer_cleanup(&switching->move.pooler);
}

/* Opens the pooler too. */
static bool
check(struct ctx *ctx, struct switching *switching)
{
    return (limit_locks(ctx, switching->pair) && open_pooler(ctx, switching) &&
               find_entries(ctx, switching) && check_ready(ctx, switching) &&
               bg_check_move(ctx, &switching->move)) ||
           error_state(ctx, "Nothing was changed.");
}

bool
bluegreen_check_switch(
    struct ctx *ctx, struct bluegreen *pair, const struct bluegreen_switch_options *options)
{
    struct bluegreen_switched ignored = { 0 };
    struct switching switching CLEANUP(end_switching) = {
        .move = { .pair = pair, .options = options, .ret = &ignored },
        .pair = pair,
        .options = options,
    };
    bool is_good = check(ctx, &switching);

    pair->state.lines_before = NULL;
    return is_good;
}

bool
bluegreen_switch(struct ctx *ctx, struct bluegreen *pair,
    const struct bluegreen_switch_options *options, struct bluegreen_switched *ret)
{
    struct switching switching CLEANUP(end_switching) = {
        .move = { .pair = pair, .options = options, .ret = ret },
        .pair = pair,
        .options = options,
    };

    *ret = (struct bluegreen_switched){ 0 };
    if (!check(ctx, &switching))
        return false;
    ret->entries = switching.move.entries;
    note(&switching, "preparing the way back");
    if (!arm(ctx, &switching))
        return fail(ctx, &switching);
    note(&switching, "holding the clients");
    if (!pause_clients(ctx, &switching) || !close_direct(ctx, &switching) ||
        !drain(ctx, &switching) || !set_way_back(ctx, &switching) ||
        !bg_close_writers(ctx, pair->dbs[options->target], false) ||
        !bg_move_clients(ctx, &switching.move))
        return fail(ctx, &switching);
    fault_point("bluegreen");
    return finish(ctx, &switching);
}

/* What the run that was killed worked with; the clients' name tells which entries. */
static bool
find_held_entries(struct ctx *ctx, struct switching *switching)
{
    struct bluegreen *pair = switching->pair;

    for (int side = BLUE; side < BLUEGREEN_SIDES; side++) {
        struct pgbouncer_databases found;

        if (!pgbouncer_find(
                ctx, switching->move.pooler, pair->dbs[side], db_name(pair->dbs[side]), &found))
            return false;
        for (size_t i = 0; i < found.count; i++)
            if (!text_list_has(&switching->move.entries, found.items[i].name))
                text_list_add(ctx->arena, &switching->move.entries, found.items[i].name);
    }
    return true;
}

bool
bluegreen_heal_switch(struct ctx *ctx, struct bluegreen *pair,
    const struct bluegreen_switch_options *options, bool *ret_moved)
{
    struct bluegreen_switched ignored = { 0 };
    struct bluegreen_switch_options as_before = *options;
    enum bluegreen_step step = bluegreen_step_of(&pair->state);
    struct switching switching CLEANUP(end_switching) = {
        .move = { .pair = pair, .options = &as_before, .ret = &ignored },
        .pair = pair,
        .options = &as_before,
    };

    *ret_moved = false;
    if (step < BG_ARMING || step > BG_TURNING)
        return true;
    if (step == BG_TURNING) {
        *ret_moved = true;
        return turn(ctx, pair);
    }
    as_before.target = bluegreen_other(pair->state.live);
    as_before.pooler_file = pair->state.pooler_file;
    if (!open_pooler(ctx, &switching) || !find_held_entries(ctx, &switching) ||
        (step == BG_MOVING && !bg_are_moved(ctx, &switching.move, ret_moved)))
        return error_wrap(ctx, "putting right what a switch that was cut off has left");
    switching.paused_at = clock_us();
    if (*ret_moved)
        return finish(ctx, &switching);
    return take_back(ctx, &switching) ||
           error_wrap(ctx, "putting right what a switch that was cut off has left");
}
