/* Groups by rate: requests come as they come, and take the user that has been idle longest. */
#include <math.h>

#include "load/engine/parts.h"

/* INT64_MAX: none comes any more. */
static int64_t
next_due_us(const struct load_engine *engine, const struct load_crowd *crowd)
{
    if (crowd->next_us > (double)(engine->end_us - 1))
        return INT64_MAX;
    return (int64_t)ceil(crowd->next_us);
}

static void
draw_next(struct load_crowd *crowd)
{
    const struct load_group *group = crowd->group;
    double burst = group->burst > 1 ? group->burst : 1;

    crowd->next_us += load_draw_exponential(&crowd->random, burst / group->rate * 1e6);
}

/* Geometric, from 1 on. Source: Devroye 1986, Non-Uniform Random Variate Generation, X.2. */
static int64_t
draw_burst(struct load_crowd *crowd)
{
    double burst = crowd->group->burst;

    if (burst <= 1)
        return 1;
    return 1 + (int64_t)floor(log1p(-load_draw(&crowd->random)) / log1p(-1 / burst));
}

void
load_arrivals_begin(struct load_engine *engine, struct load_crowd *crowd)
{
    crowd->next_us = INFINITY;
    if (crowd->group->rate <= 0 || crowd->group->users == 0)
        return;
    crowd->next_us = (double)engine->start_us;
    draw_next(crowd);
}

/* What nobody could take was one of the mix, by weight or in turn, as it would have been. */
static size_t
step_of_nobody(struct load_crowd *crowd)
{
    const struct load_group *group = crowd->group;

    return group->mix_until ? load_step_drawn(group, &crowd->random)
                            : group->mix[crowd->failed++ % group->mix_count];
}

static void
fail_arrival(struct load_engine *engine, struct load_crowd *crowd, int64_t due_us, int64_t now_us,
    bool is_late)
{
    struct load_event event = { .step = step_of_nobody(crowd),
        .group = (size_t)(crowd - engine->crowds),
        .outcome = is_late ? LOAD_LATE : LOAD_UNCONNECTED,
        .due_us = due_us,
        .sent_us = now_us,
        .at_us = now_us,
        .statements = -1,
        .message = is_late ? engine->late : engine->cause };

    if (event.message[0] == '\0')
        event.message = NULL;
    load_recorder_add(engine->recorder, &event);
}

static bool
has_hope(const struct load_crowd *crowd)
{
    return crowd->open > 0 || crowd->hopeful > 0;
}

/* NULL: all are at work, or have no connection. */
static struct load_user *
take_resting(struct load_engine *engine, struct load_crowd *crowd)
{
    while (crowd->resting.count > 0) {
        struct load_user *user = &engine->users[load_ring_pop(&crowd->resting)];

        user->is_resting = false;
        if (user->state == USER_IDLE && !user->is_due)
            return user;
    }
    return NULL;
}

static void
arrive(struct load_engine *engine, struct load_crowd *crowd, int64_t due_us, int64_t now_us)
{
    struct load_user *user = take_resting(engine, crowd);

    if (user) {
        load_user_set_due(user, due_us);
    } else if (has_hope(crowd)) {
        load_ring_push(&crowd->pending, due_us);
        engine->owed++;
    } else {
        fail_arrival(engine, crowd, due_us, now_us, false);
    }
}

/* What waits for longer than an answer may take is over, and what waits for nobody. */
static void
drop_pending(struct load_engine *engine, struct load_crowd *crowd, int64_t now_us)
{
    bool is_hopeless = !has_hope(crowd);

    while (crowd->pending.count > 0) {
        int64_t due_us = load_ring_first(&crowd->pending);

        if (!is_hopeless && due_us + engine->scenario->limit_us > now_us)
            return;
        load_ring_pop(&crowd->pending);
        engine->owed--;
        fail_arrival(engine, crowd, due_us, now_us, !is_hopeless);
    }
}

static void
come(struct load_engine *engine, struct load_crowd *crowd, int64_t now_us)
{
    while (next_due_us(engine, crowd) <= now_us && engine->ready.count < SENDS_A_TURN) {
        int64_t due_us = next_due_us(engine, crowd);
        /* While users are still to come there is as much of the rate as there are of them. */
        double share = (double)crowd->came / (double)crowd->group->users;

        for (int64_t left = draw_burst(crowd); left > 0; left--) {
            if (share >= 1 || load_draw(&crowd->random) < share)
                arrive(engine, crowd, due_us, now_us);
        }
        draw_next(crowd);
    }
}

void
load_arrivals_come(struct load_engine *engine, int64_t now_us)
{
    for (size_t i = 0; i < engine->scenario->group_count; i++) {
        struct load_crowd *crowd = &engine->crowds[i];

        if (crowd->group->rate <= 0)
            continue;
        drop_pending(engine, crowd, now_us);
        come(engine, crowd, now_us);
    }
}

int64_t
load_arrivals_next_us(const struct load_engine *engine)
{
    int64_t next_us = INT64_MAX;

    for (size_t i = 0; i < engine->scenario->group_count; i++) {
        const struct load_crowd *crowd = &engine->crowds[i];

        if (crowd->group->rate > 0 && next_due_us(engine, crowd) < next_us)
            next_us = next_due_us(engine, crowd);
        if (crowd->pending.count == 0)
            continue;

        int64_t over_us = load_ring_first(&crowd->pending) + engine->scenario->limit_us;

        if (over_us < next_us)
            next_us = over_us;
    }
    return next_us;
}

int64_t
load_arrivals_end(struct load_engine *engine, int64_t now_us)
{
    int64_t count = 0;

    for (size_t i = 0; i < engine->scenario->group_count; i++) {
        struct load_crowd *crowd = &engine->crowds[i];
        bool is_unconnected = crowd->open == 0 && !engine->record->is_stopped;

        while (crowd->pending.count > 0) {
            int64_t due_us = load_ring_pop(&crowd->pending);

            engine->owed--;
            if (is_unconnected)
                fail_arrival(engine, crowd, due_us, now_us, false);
            else
                count += due_us >= engine->counted_us ? 1 : 0;
        }
    }
    return count;
}
