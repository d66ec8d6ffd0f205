/*
 * A server and a clock that are simulated: the engine's time is the test's, answers come when the test
 * says so, and nothing sleeps. Times are us from the run's begin.
 */
#pragma once

#include "support/test.h"

#include <math.h>
#include <signal.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/vec.h"
#include "load/engine/parts.h"
#include "load/scenario/world.h"

#define MS     INT64_C(1000)
#define SECOND INT64_C(1000000)

enum sim_kind { SIM_CONNECTED, SIM_REFUSED, SIM_ANSWERED, SIM_LOST };

struct sim_event {
    enum sim_kind kind;
    struct load_connection *connection;
    int64_t life; /* of the connection when it was made: an old one is forgotten */
};

struct sim_send {
    int64_t at_us;
    size_t user;
    size_t step;
    int64_t turn;    /* since the connection was opened, from 0 */
    int64_t idle_us; /* since when the connection had nothing to do */
};

struct sim {
    struct ctx *ctx;
    /* What the test says. */
    int64_t connect_us;
    int64_t service_us;
    int64_t stall_us; /* answers of between these two come at the end of it */
    int64_t stall_end_us;
    int64_t down_us; /* connections are lost, and refused */
    int64_t down_end_us;
    int64_t signal_us;    /* Ctrl-C comes; 0: it does not */
    int64_t oversleep_us; /* so much later than asked for the engine wakes up */
    size_t bad_answers;   /* so many first answers are failures */
    bool is_silent;       /* connecting is never answered … */
    bool is_silent_down;  /* … while it is down */
    bool is_closing;      /* each answer is the connection's last one */
    bool is_missing;      /* nothing can be sent: a value is missing */
    /* What happened. */
    VEC(struct sim_send) sends;
    VEC(int64_t) connects;
    int64_t connecting;
    int64_t most_connecting;
    int64_t disconnects;
    size_t moments;
    int64_t counting[2];
    /* The machinery. */
    int64_t start_us;
    int64_t now_us;
    int64_t idle_turns;
    bool was_down;
    const struct load_step *steps;
    VEC(struct load_connection *) connections;
    VEC(struct sim_event) events;
    struct load_schedule schedule;
    struct load_record record;
};

struct load_connection {
    struct sim *sim;
    struct load_user *user;
    size_t number;
    int64_t life;
    int64_t turn;
    int64_t idle_us;
    int64_t opened_us;
    bool is_open;
    bool is_connecting;
};

static inline int64_t
sim_time(const struct sim *sim)
{
    return sim->now_us - sim->start_us;
}

static inline void
sim_plan(struct load_connection *connection, enum sim_kind kind, int64_t at_us)
{
    struct sim *sim = connection->sim;
    struct sim_event event = { .kind = kind, .connection = connection, .life = connection->life };

    load_schedule_push(&sim->schedule, sim->start_us + at_us, (uint32_t)sim->events.count);
    VEC_PUSH(sim->ctx->arena, &sim->events, event);
}

static inline bool
sim_open(struct ctx *ctx, const struct load_scenario *scenario, const struct load_options *options,
    struct edge_set *edges, void **ret)
{
    (void)ctx;
    (void)scenario;
    (void)edges;
    *ret = options->data;
    return true;
}

static inline void
sim_close(void *shared)
{
    (void)shared;
}

static inline struct load_connection *
sim_add(void *shared, struct load_user *user, struct load_scope *scope)
{
    struct sim *sim = shared;
    struct load_connection *connection = ARENA_NEW(sim->ctx->arena, struct load_connection);

    (void)scope;
    connection->sim = sim;
    connection->user = user;
    connection->number = sim->connections.count;
    VEC_PUSH(sim->ctx->arena, &sim->connections, connection);
    return connection;
}

static inline bool
sim_is_down(const struct sim *sim)
{
    return sim_time(sim) >= sim->down_us && sim_time(sim) < sim->down_end_us;
}

static inline bool
sim_connect(struct load_connection *connection)
{
    struct sim *sim = connection->sim;

    assert_false(connection->is_open);
    assert_false(connection->is_connecting);
    connection->is_connecting = true;
    connection->life++;
    VEC_PUSH(sim->ctx->arena, &sim->connects, sim_time(sim));
    sim->connecting++;
    if (sim->connecting > sim->most_connecting)
        sim->most_connecting = sim->connecting;
    if (!sim->is_silent && !(sim->is_silent_down && sim_is_down(sim)))
        sim_plan(connection, sim_is_down(sim) ? SIM_REFUSED : SIM_CONNECTED,
            sim_time(sim) + sim->connect_us);
    return true;
}

static inline void
sim_send(struct load_connection *connection, const struct load_step *step)
{
    struct sim *sim = connection->sim;
    struct sim_send send = { .at_us = sim_time(sim),
        .user = connection->number,
        .step = (size_t)(step - sim->steps),
        .turn = connection->turn++,
        .idle_us = connection->idle_us };
    int64_t answer_us = sim_time(sim) + sim->service_us;

    assert_true(connection->is_open);
    assert_true(connection->idle_us >= 0);
    connection->idle_us = -1;
    VEC_PUSH(sim->ctx->arena, &sim->sends, send);
    if (sim->is_missing) {
        struct load_answer answer = {
            .outcome = LOAD_UNSENT, .at_us = sim->now_us, .statements = -1
        };

        connection->idle_us = sim_time(sim);
        load_user_answered(connection->user, &answer);
        return;
    }
    if (answer_us >= sim->stall_us && answer_us < sim->stall_end_us)
        answer_us = sim->stall_end_us + sim->service_us;
    sim_plan(connection, SIM_ANSWERED, answer_us);
}

static inline void
sim_disconnect(struct load_connection *connection)
{
    struct sim *sim = connection->sim;

    if (connection->is_connecting)
        sim->connecting--;
    if (connection->is_open || connection->is_connecting)
        sim->disconnects++;
    connection->is_open = false;
    connection->is_connecting = false;
    connection->life++;
}

static inline void
sim_answer(struct load_connection *connection)
{
    struct sim *sim = connection->sim;
    struct load_answer answer = { .outcome = LOAD_GOOD,
        .status = 200,
        .at_us = sim->now_us,
        .bytes = 100,
        .statements = -1,
        .is_closing = sim->is_closing };

    if (sim->bad_answers > 0) {
        sim->bad_answers--;
        answer.outcome = LOAD_FAILED;
        answer.message = "status 500";
    }
    connection->idle_us = sim_time(sim);
    if (sim->is_closing) {
        connection->is_open = false;
        connection->life++;
    }
    load_user_answered(connection->user, &answer);
}

static inline void
sim_happen(const struct sim_event *event)
{
    struct load_connection *connection = event->connection;
    struct sim *sim = connection->sim;

    if (event->life != connection->life)
        return;
    if (connection->is_connecting)
        sim->connecting--;
    connection->is_connecting = false;
    switch (event->kind) {
    case SIM_CONNECTED:
        connection->is_open = true;
        connection->turn = 0;
        connection->opened_us = sim_time(sim);
        connection->idle_us = sim_time(sim);
        load_user_connected(connection->user);
        break;
    case SIM_REFUSED:
        load_user_lost(connection->user, LOAD_UNCONNECTED, "connection refused");
        break;
    case SIM_LOST:
        connection->is_open = false;
        load_user_lost(connection->user, LOAD_RESET, "connection reset");
        break;
    case SIM_ANSWERED:
        sim_answer(connection);
        break;
    }
}

static inline void
sim_go_down(struct sim *sim)
{
    sim->was_down = true;
    for (size_t i = 0; i < sim->connections.count; i++) {
        if (sim->connections.items[i]->is_open)
            sim_plan(sim->connections.items[i], SIM_LOST, sim_time(sim));
    }
}

static inline int64_t
sim_now(void *data)
{
    return ((struct sim *)data)->now_us;
}

static inline void
sim_wait(void *data, struct edge_set *edges, int64_t wait_us)
{
    struct sim *sim = data;
    int64_t until_us = sim->now_us + wait_us;
    int64_t next_us = load_schedule_next_us(&sim->schedule);

    (void)edges;
    /* An engine that turns without waiting would hang here. */
    sim->idle_turns = next_us <= until_us || wait_us > 0 ? 0 : sim->idle_turns + 1;
    assert_true(sim->idle_turns < 100000);
    if (!sim->was_down && sim_time(sim) >= sim->down_us)
        sim_go_down(sim);
    if (sim->signal_us > 0 && sim_time(sim) >= sim->signal_us) {
        sim->signal_us = 0;
        interrupt_put(SIGINT);
    }
    if (next_us > until_us) {
        sim->now_us = until_us + (wait_us > 0 ? sim->oversleep_us : 0);
        return;
    }
    if (sim->now_us < next_us)
        sim->now_us = next_us;

    struct sim_event event = sim->events.items[load_schedule_pop(&sim->schedule).user];

    sim_happen(&event);
}

static inline void
sim_progress(void *data, const struct load_record *record, const struct load_moment *moment)
{
    struct sim *sim = data;

    assert_ptr_equal(record, &sim->record);
    assert_non_null(moment);
    sim->moments++;
}

static inline void
sim_counting(void *data, bool is_begin)
{
    struct sim *sim = data;

    assert_int_equal(sim->counting[is_begin ? 0 : 1], -1);
    sim->counting[is_begin ? 0 : 1] = sim_time(sim);
}

/* Nothing happens of its own accord: no stall, no outage. */
static inline struct sim *
sim_new(struct ctx *ctx)
{
    struct sim *sim = ARENA_NEW(ctx->arena, struct sim);

    sim->ctx = ctx;
    sim->schedule.arena = ctx->arena;
    sim->service_us = MS;
    sim->stall_us = INT64_MAX;
    sim->stall_end_us = INT64_MAX;
    sim->down_us = INT64_MAX;
    sim->down_end_us = INT64_MAX;
    sim->counting[0] = -1;
    sim->counting[1] = -1;
    sim->now_us = clock_us();
    sim->start_us = sim->now_us;
    return sim;
}

/* A scenario of one group; the test changes what it needs. Steps: "a", "b", "c", "in". */
static inline struct load_scenario
sim_scenario(struct ctx *ctx, int32_t users, int64_t duration_us)
{
    static const char *const names[] = { "a", "b", "c", "in" };
    struct load_step *steps = ARENA_ARRAY(ctx->arena, struct load_step, COUNT_OF(names));
    struct load_group *group = ARENA_NEW(ctx->arena, struct load_group);
    size_t *mix = ARENA_NEW(ctx->arena, size_t);

    for (size_t i = 0; i < COUNT_OF(names); i++)
        steps[i].name = names[i];
    *group = (struct load_group){ .name = "users", .users = users, .mix = mix, .mix_count = 1 };
    return (struct load_scenario){ .name = "test",
        .duration_us = duration_us,
        .limit_us = 10 * SECOND,
        .steps = steps,
        .step_count = COUNT_OF(names),
        .groups = group,
        .group_count = 1,
        .users = users,
        .world = load_world_new(ctx->arena) };
}

static inline bool
sim_run_with(struct sim *sim, const struct load_scenario *scenario, bool until_signal)
{
    static const struct load_transport transport = { .open = sim_open,
        .close = sim_close,
        .add = sim_add,
        .connect = sim_connect,
        .send = sim_send,
        .disconnect = sim_disconnect };
    struct load_clock clock = { .now_us = sim_now, .wait = sim_wait, .data = sim };
    struct load_options options = { .seed = 42,
        .until_signal = until_signal,
        .progress = sim_progress,
        .counting = sim_counting,
        .data = sim };
    struct load_engine engine = { .ctx = sim->ctx,
        .scenario = scenario,
        .options = &options,
        .transport = &transport,
        .clock = &clock,
        .record = &sim->record };

    sim->steps = scenario->steps;
    load_record_begin(sim->ctx->arena, scenario, &sim->record);
    return load_engine_run_by(&engine);
}

/* Runs to the end. */
static inline const struct load_record *
sim_run(struct sim *sim, const struct load_scenario *scenario)
{
    if (!sim_run_with(sim, scenario, false))
        fail_msg("%s", sim->ctx->error.message);
    assert_true(sim->record.is_complete);
    return &sim->record;
}

/* All requests of a record, answered or not. */
static inline int64_t
sim_total(const struct load_record *record)
{
    return load_record_count(record, LOAD_GOOD) + load_record_errors(record) + record->unanswered;
}

/* Within so many standard deviations: five are passed by chance once in 1.7 million times. */
static inline void
assert_near(double value, double mean, double deviation)
{
    if (value < mean - 5 * deviation || value > mean + 5 * deviation)
        fail_msg("%.3f is not within 5 x %.3f of %.3f", value, deviation, mean);
}
