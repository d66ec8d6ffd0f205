#include "load/engine/engine.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "load/engine/parts.h"

/* So often it looks at seconds that are over, at least. */
#define LONGEST_WAIT_US INT64_C(50000)
/* Without any connection after this time there is nothing to be measured. */
#define REFUSED_US INT64_C(1000000)
#define SILENT_US  INT64_C(10000000)
enum { REFUSALS = 3 };

static void
make_users(struct load_engine *engine)
{
    const struct load_scenario *scenario = engine->scenario;
    uint64_t seed = engine->options->seed;
    uint32_t number = 0;

    engine->users = ARENA_ARRAY(engine->arena, struct load_user, (size_t)scenario->users);
    engine->crowds = ARENA_ARRAY(engine->arena, struct load_crowd, scenario->group_count);
    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct load_group *group = &scenario->groups[i];

        engine->crowds[i] = (struct load_crowd){ .group = group,
            .is_eager = group->rate <= 0 && load_group_think_us(group) <= 0,
            .random = seed ^ ((uint64_t)(i + 1) << 48),
            .resting = { .arena = engine->arena },
            .pending = { .arena = engine->arena } };
        load_draw(&engine->crowds[i].random);
        for (int32_t j = 0; j < group->users && number < scenario->users; j++, number++) {
            struct load_user *user = &engine->users[number];
            double share = ((double)j + 0.5) / group->users;
            /* Even if they all come at once, they come in this order. */
            int64_t ramp_up_us =
                scenario->ramp_up_us > scenario->users ? scenario->ramp_up_us : scenario->users;

            user->engine = engine;
            user->group = (uint16_t)i;
            user->random = seed + ((uint64_t)number << 20);
            user->random = (uint64_t)(load_draw(&user->random) * 0x1p53) ^ seed;
            user->scope = load_scope_new(engine->arena, scenario, number, seed);
            user->connection = engine->transport->add(engine->shared, user, user->scope);
            load_schedule_push(
                &engine->links, engine->start_us + (int64_t)(share * (double)ramp_up_us), number);
        }
        load_arrivals_begin(engine, &engine->crowds[i]);
    }
}

/* Whether nothing is left to be waited for. */
static bool
is_drained(const struct load_engine *engine)
{
    return engine->busy == 0 && engine->owed == 0 &&
           load_schedule_next_us(&engine->dues) >= engine->end_us;
}

static void
tell_counting(const struct load_engine *engine, bool is_begin)
{
    if (engine->options->counting)
        engine->options->counting(engine->options->data, is_begin);
}

static void
end_counting(struct load_engine *engine)
{
    if (engine->phase == PHASE_COUNTED)
        tell_counting(engine, false);
    engine->phase = PHASE_DRAIN;
}

/*
 * The caller's Ctrl-C ends the schedule here. What must end now does not wait for answers; a run that is
 * ended this way by intention does, and the signal is kept for the caller.
 */
static bool
is_stopped(struct load_engine *engine, int64_t now_us)
{
    int signal = interrupt_signal();

    if (!signal)
        return false;
    if (engine->end_us > now_us)
        engine->end_us = now_us;
    if (!engine->options->until_signal || engine->phase == PHASE_RAMP) {
        engine->record->is_stopped = true;
        return true;
    }
    engine->signal = interrupt_take();
    return false;
}

/* Whether the run is over. */
static bool
turn_phase(struct load_engine *engine, int64_t now_us)
{
    if (is_stopped(engine, now_us))
        return true;
    if (engine->sent >= LOAD_MOST_REQUESTS) {
        engine->is_cut = true;
        engine->end_us = engine->end_us < now_us ? engine->end_us : now_us;
    }
    if (engine->phase == PHASE_RAMP && now_us >= engine->counted_us) {
        engine->phase = PHASE_COUNTED;
        load_recorder_start(engine->recorder, engine->counted_us);
        tell_counting(engine, true);
    }
    if (engine->phase != PHASE_DRAIN && now_us >= engine->end_us)
        end_counting(engine);
    return engine->phase == PHASE_DRAIN &&
           (is_drained(engine) || now_us >= engine->end_us + LOAD_DRAIN_US);
}

static void
reach_dues(struct load_engine *engine, int64_t now_us)
{
    while (load_schedule_next_us(&engine->dues) <= now_us &&
           load_schedule_next_us(&engine->dues) < engine->end_us &&
           engine->ready.count < SENDS_A_TURN)
        load_user_reach(&engine->users[load_schedule_pop(&engine->dues).user], now_us);
}

static void
send_ready(struct load_engine *engine)
{
    for (int i = 0; i < SENDS_A_TURN && engine->ready.count > 0; i++) {
        struct load_user *user = &engine->users[load_ring_pop(&engine->ready)];

        user->is_ready = false;
        if (user->state == USER_IDLE && user->is_due)
            load_user_send(user);
    }
}

static void
tick(struct load_engine *engine, int64_t now_us)
{
    const struct load_moment *moment = load_recorder_tick(engine->recorder, now_us, engine->open);

    if (moment && engine->options->progress)
        engine->options->progress(engine->options->data, engine->record, moment);
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
next_us(const struct load_engine *engine, int64_t now_us)
{
    int64_t next = now_us + LONGEST_WAIT_US;

    if (engine->ready.count > 0)
        return now_us;
    if (engine->queue.count > 0 && engine->connecting < MOST_CONNECTING)
        return now_us;
    if (engine->phase == PHASE_RAMP)
        next = least(next, engine->counted_us);
    if (engine->phase != PHASE_DRAIN)
        next = least(next, engine->end_us);
    if (load_schedule_next_us(&engine->dues) < engine->end_us)
        next = least(next, load_schedule_next_us(&engine->dues));
    next = least(next, load_schedule_next_us(&engine->links));
    if (engine->oldest)
        next = least(next, engine->oldest->limit_us);
    return least(next, load_arrivals_next_us(engine));
}

/* Whether nobody has ever answered the door, for so long that nobody will. */
static bool
is_nobody_there(const struct load_engine *engine, int64_t now_us)
{
    int64_t elapsed_us = now_us - engine->start_us;

    if (engine->has_connected)
        return false;
    return elapsed_us >= SILENT_US || (engine->refusals >= REFUSALS && elapsed_us >= REFUSED_US);
}

static bool
run(struct load_engine *engine)
{
    for (;;) {
        int64_t now_us = load_engine_now(engine);
        int64_t wait_us;

        /* However short the run was: refusals alone are no measurement. */
        if (turn_phase(engine, now_us))
            return engine->has_connected || engine->refusals == 0 || engine->record->is_stopped;
        if (is_nobody_there(engine, now_us))
            return false;
        load_links_come(engine, now_us);
        load_links_sweep(engine, now_us);
        load_arrivals_come(engine, now_us);
        reach_dues(engine, now_us);
        send_ready(engine);
        load_links_open(engine);
        tick(engine, now_us);
        now_us = load_engine_now(engine);
        wait_us = next_us(engine, now_us) - now_us;
        engine->clock->wait(engine->clock->data, engine->edges, wait_us > 0 ? wait_us : 0);
    }
}

/* Requests that were due and that nobody can say anything of: the server's stall must not hide them. */
static int64_t
unanswered_of(struct load_user *user)
{
    struct load_engine *engine = user->engine;
    const struct load_crowd *crowd = load_user_crowd(user);
    bool is_open_loop = crowd->group->rate <= 0 && !crowd->group->is_closed && !crowd->is_eager;
    int64_t due_us = user->due_us;
    int64_t count = 0;

    if (user->state != USER_BUSY && !user->is_due && !(is_open_loop && user->is_planned))
        return 0;
    while (due_us < engine->end_us) {
        count += due_us >= engine->counted_us ? 1 : 0;
        if (!is_open_loop)
            break;
        due_us += load_user_think(user);
    }
    return count;
}

/* What was due at a user that got no connection till the end. */
static void
fail_unconnected(struct load_user *user)
{
    int64_t now_us = load_engine_now(user->engine);
    int64_t before_us;

    if (user->state == USER_BUSY || user->state == USER_IDLE || !user->is_due)
        return;
    do {
        before_us = user->due_us;
        load_user_fail_due(user, now_us);
    } while (user->due_us != before_us);
    user->is_planned = false;
}

static int64_t
unanswered(struct load_engine *engine)
{
    int64_t count = 0;

    for (int64_t i = 0; i < engine->scenario->users; i++) {
        if (!engine->record->is_stopped)
            fail_unconnected(&engine->users[i]);
        count += unanswered_of(&engine->users[i]);
    }
    return count + load_arrivals_end(engine, load_engine_now(engine));
}

static void
finish(struct load_engine *engine)
{
    struct load_record *record = engine->record;
    const struct load_moment *last =
        record->moment_count > 0 ? &record->moments[record->moment_count - 1] : NULL;
    const struct load_moment none = { 0 };

    if (engine->phase == PHASE_COUNTED)
        end_counting(engine);
    record->unanswered = unanswered(engine);
    load_recorder_end(engine->recorder, engine->end_us);
    record->is_complete = !record->is_stopped && !engine->is_cut;
    if (engine->options->progress)
        engine->options->progress(engine->options->data, record, last ? last : &none);
    interrupt_put(engine->signal);
}

static bool
nobody_there(struct load_engine *engine)
{
    struct ctx *ctx = engine->ctx;

    error_set(ctx, ERR_CONNECTION, "not one connection could be opened: %s",
        engine->cause[0] ? engine->cause : "there was no answer at all");
    error_hint(ctx, "Nothing was measured. Is the server running, and is this its address?");
    return false;
}

static bool
run_with_edges(struct load_engine *engine)
{
    const struct load_scenario *scenario = engine->scenario;
    struct ctx *ctx = engine->ctx;
    bool result;

    if (!engine->transport->open(ctx, scenario, engine->options, engine->edges, &engine->shared))
        return false;
    engine->dues.arena = engine->arena;
    engine->links.arena = engine->arena;
    engine->ready.arena = engine->arena;
    engine->queue.arena = engine->arena;
    engine->late = arena_printf(
        ctx->arena, "no answer within %s", text_from_us(ctx->arena, scenario->limit_us));
    engine->late_link = arena_printf(
        ctx->arena, "no connection within %s", text_from_us(ctx->arena, scenario->limit_us));
    engine->recorder = load_recorder_new(ctx->arena, engine->record);
    engine->start_us = load_engine_now(engine);
    engine->counted_us = engine->start_us + scenario->ramp_up_us + scenario->warm_up_us;
    engine->end_us = engine->counted_us + scenario->duration_us;
    make_users(engine);
    result = run(engine) || nobody_there(engine);
    if (result)
        finish(engine);
    engine->transport->close(engine->shared);
    return result;
}

bool
load_engine_run_by(struct load_engine *engine)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    bool result;

    engine->arena = arena;
    engine->record->seed = engine->options->seed;
    if (!load_limits_check(engine->ctx, engine->scenario, engine->options) ||
        !load_limits_descriptors(engine->ctx, engine->scenario->users) ||
        !edge_set_new(engine->ctx, &engine->edges))
        return false;
    result = run_with_edges(engine);
    edge_set_free(engine->edges);
    return result;
}

static int64_t
now_by_machine(void *data)
{
    (void)data;
    return clock_us();
}

static void
wait_by_machine(void *data, struct edge_set *edges, int64_t wait_us)
{
    (void)data;
    edge_wait(edges, wait_us);
}

bool
load_engine_run(struct ctx *ctx, const struct load_scenario *scenario,
    const struct load_options *options, struct load_record *record)
{
    static const struct load_clock machine = { .now_us = now_by_machine, .wait = wait_by_machine };
    struct load_engine engine = {
        .ctx = ctx,
        .scenario = scenario,
        .options = options,
        .transport = scenario->kind == LOAD_SQL ? &load_sql_transport : &load_http_transport,
        .clock = &machine,
        .record = record,
    };
    struct load_punctual punctual;
    bool result;

    load_punctual_begin(&punctual);
    result = load_engine_run_by(&engine);
    load_punctual_end(&punctual);
    return result;
}
