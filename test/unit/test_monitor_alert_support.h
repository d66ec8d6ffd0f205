/* A server in simulated time, and what is heard of its alerts. Included after support/test.h. */
#pragma once

#include <math.h>

#include "base/clock.h"
#include "monitor/alert/alert.h"

/* Simulated time: ticks of five seconds from a Monday noon on. */
enum { TICK_S = 5 };
static const int64_t second_us = 1000000;
static const char begin[] = "2026-11-23T12:00:00Z";

struct world {
    struct ctx *ctx;
    struct setup setup;
    struct alerts *alerts;
    struct watched server;
    int64_t begin_us;
    struct buffer
        heard; /* "fired cpu-busy 300; resolved cpu-busy 900; " seconds since the beginning */
};

static inline int64_t
seconds_of(const struct world *world, int64_t wall_us)
{
    return (wall_us - world->begin_us) / second_us;
}

static inline void
hear(void *data, const struct alert *alert)
{
    struct world *world = data;
    bool is_over = alert->state == ALERT_RESOLVED;

    buffer_printf(&world->heard, "%s%s %s%s%s%s %lld; ", alert->quiet ? "quiet " : "",
        is_over ? "resolved" : "fired", alert->rule->name, *alert->labels ? "{" : "", alert->labels,
        *alert->labels ? "}" : "", (long long)seconds_of(world, world->server.at_wall_us));
}

/* Everything heard since the last call. */
static inline const char *
heard(struct world *world)
{
    const char *text = buffer_text(&world->heard);

    world->heard = (struct buffer){ .arena = world->ctx->arena };
    return text;
}

static inline void
world_begin(struct world *world, struct ctx *ctx)
{
    *world = (struct world){ .ctx = ctx, .heard.arena = ctx->arena };
    assert_true(clock_parse(begin, &world->begin_us));
    world->server.name = "main";
    world->server.is_up = true;
    world->server.samples.arena = ctx->arena;
    world->server.at_us = INT64_C(77) * 3600 * second_us;
    world->server.at_wall_us = world->begin_us;
}

static inline void
world_watch(struct world *world)
{
    assert_true(alerts_new(world->ctx, &world->setup, &world->alerts));
    alerts_listen(world->alerts, hear, world);
}

static inline void
add(struct world *world, const struct metric *metric, const char *label, double value)
{
    static const char *const none[] = { NULL }, *const one[] = { "datname", NULL };

    sample_add(&world->server.samples, metric, label ? one : none,
        label ? (const char *[]){ label } : NULL, value);
}

/* Judges the tick and lets five seconds pass. */
static inline void
judge(struct world *world)
{
    alerts_judge(world->alerts, &world->server, NULL);
    world->server.tick++;
    world->server.at_us += TICK_S * second_us;
    world->server.at_wall_us += TICK_S * second_us;
    world->server.samples.count = 0;
    world->server.is_gap = false;
}

/* So many ticks with one value of one metric; NaN: without it. */
static inline void
ticks(struct world *world, const struct metric *metric, double value, int count)
{
    for (int i = 0; i < count; i++) {
        if (!isnan(value))
            add(world, metric, NULL, value);
        judge(world);
    }
}

static inline void
ticks_down(struct world *world, int count)
{
    world->server.is_up = false;
    for (int i = 0; i < count; i++)
        judge(world);
    world->server.is_up = true;
}

#define assert_heard(world, text) assert_string_equal(heard(world), text)
