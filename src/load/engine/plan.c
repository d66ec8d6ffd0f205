/* What a virtual user does next, and when. */
#include <math.h>

#include "load/engine/parts.h"

/* Before a sign-in that failed is tried again, by who has no think time. */
#define START_AGAIN_US 1000000
/* Before a request is tried again that could not be written, by who has no think time. */
#define UNSENT_AGAIN_US 100000

double
load_group_think_us(const struct load_group *group)
{
    switch (group->think) {
    case THINK_FIXED:
    case THINK_EXPONENTIAL:
        return (double)group->think_us;
    case THINK_UNIFORM:
        return ((double)group->think_us + (double)group->think_most_us) / 2;
    case THINK_NONE:
        break;
    }
    return 0;
}

int64_t
load_user_think(struct load_user *user)
{
    const struct load_group *group = load_user_crowd(user)->group;
    double mean = (double)group->think_us;

    switch (group->think) {
    case THINK_FIXED:
        return group->think_us;
    case THINK_UNIFORM:
        return llround(mean + load_draw(&user->random) * ((double)group->think_most_us - mean));
    case THINK_EXPONENTIAL:
        return llround(load_draw_exponential(&user->random, mean));
    case THINK_NONE:
        break;
    }
    return 0;
}

static void
begin_session(struct load_user *user, int64_t from_us)
{
    const struct load_group *group = load_user_crowd(user)->group;

    user->position = 0;
    user->session_end_us = INT64_MAX;
    if (group->session_us > 0)
        user->session_end_us =
            from_us + llround(load_draw_exponential(&user->random, (double)group->session_us));
}

static void
plan_at(struct load_user *user, int64_t at_us)
{
    struct load_engine *engine = user->engine;

    if (user->is_planned || at_us >= engine->end_us)
        return;
    user->is_planned = true;
    load_schedule_push(&engine->dues, at_us, load_user_number(user));
}

/*
 * Users do not come in step with each other: where in its think time one is when it comes is anywhere.
 * (For exponential ones the rest is as long as the whole: they have no memory.)
 */
void
load_user_come(struct load_user *user, int64_t now_us)
{
    struct load_crowd *crowd = load_user_crowd(user);

    crowd->came++;
    begin_session(user, now_us);
    if (crowd->group->rate <= 0 && !crowd->is_eager) {
        double share = crowd->group->think == THINK_EXPONENTIAL ? 1 : load_draw(&user->random);
        double think_us = (double)load_user_think(user);

        user->due_us = now_us + llround(share * think_us);
        plan_at(user, user->due_us);
    }
    load_link_ask(user, now_us);
}

/* Another person comes in its place. */
static void
leave(struct load_user *user, int64_t at_us, int64_t from_us)
{
    struct load_engine *engine = user->engine;

    load_scope_renew(user->scope);
    begin_session(user, from_us);
    if (user->state != USER_IDLE)
        return;
    engine->transport->disconnect(user->connection);
    load_link_gone(user);
    load_link_ask(user, at_us);
}

void
load_user_set_due(struct load_user *user, int64_t due_us)
{
    struct load_engine *engine = user->engine;

    user->due_us = due_us;
    if (!user->is_due) {
        user->is_due = true;
        engine->owed++;
    }
    if (user->state == USER_IDLE && !user->is_ready) {
        user->is_ready = true;
        load_ring_push(&engine->ready, load_user_number(user));
    }
}

void
load_user_rest(struct load_user *user)
{
    struct load_crowd *crowd = load_user_crowd(user);

    if (user->position < crowd->group->start_count) {
        load_user_set_due(user, user->free_us);
    } else if (crowd->pending.count > 0) {
        int64_t due_us = load_ring_pop(&crowd->pending);

        user->engine->owed--;
        if (due_us >= user->engine->counted_us)
            user->engine->record->waited++;
        load_user_set_due(user, due_us);
    } else if (!user->is_resting) {
        user->is_resting = true;
        load_ring_push(&crowd->resting, load_user_number(user));
    }
}

static void
plan_by_rate(struct load_user *user, int64_t at_us, enum load_outcome outcome)
{
    bool is_starting = user->position < load_user_crowd(user)->group->start_count;

    if (at_us >= user->session_end_us)
        leave(user, at_us, at_us);
    else if (is_starting && outcome != LOAD_GOOD)
        plan_at(user, at_us + START_AGAIN_US);
    else if (user->state == USER_IDLE)
        load_user_rest(user);
}

static void
plan_eager(struct load_user *user, int64_t at_us, enum load_outcome outcome)
{
    if (at_us >= user->session_end_us)
        leave(user, at_us, at_us);
    if (at_us >= user->engine->end_us)
        return;
    if (outcome == LOAD_UNSENT)
        plan_at(user, at_us + UNSENT_AGAIN_US);
    else if (user->state == USER_IDLE)
        load_user_set_due(user, at_us);
}

void
load_user_plan(struct load_user *user, int64_t at_us, enum load_outcome outcome)
{
    struct load_engine *engine = user->engine;
    const struct load_crowd *crowd = load_user_crowd(user);
    int64_t due_us;

    if (crowd->group->rate > 0) {
        plan_by_rate(user, at_us, outcome);
        return;
    }
    if (crowd->is_eager) {
        plan_eager(user, at_us, outcome);
        return;
    }
    due_us = (crowd->group->is_closed ? at_us : user->due_us) + load_user_think(user);
    if (due_us >= user->session_end_us)
        leave(user, at_us, due_us);
    if (due_us >= engine->end_us)
        return;
    if (due_us < at_us && due_us >= engine->counted_us && outcome != LOAD_UNCONNECTED)
        engine->record->waited++;
    user->due_us = due_us;
    plan_at(user, due_us);
}

void
load_user_reach(struct load_user *user, int64_t now_us)
{
    const struct load_crowd *crowd = load_user_crowd(user);
    bool has_schedule = crowd->group->rate <= 0 && !crowd->is_eager;

    user->is_planned = false;
    if (has_schedule && user->state == USER_PAUSING)
        load_user_fail_due(user, now_us);
    else if (has_schedule)
        load_user_set_due(user, user->due_us);
    else if (user->state == USER_IDLE && !user->is_due && !user->is_resting)
        load_user_set_due(user, now_us);
}
