/* Connections: opened a few at a time, opened again when they were lost, given up when they take too long. */
#include <errno.h>
#include <stdio.h>

#include "load/engine/parts.h"

/* Before the second try, doubled for each further one: a server that is down is not hammered. */
#define SHORTEST_PAUSE_US INT64_C(100000)
#define LONGEST_PAUSE_US  INT64_C(5000000)

void
load_limit_set(struct load_user *user, int64_t from_us)
{
    struct load_engine *engine = user->engine;

    /* All have the same limit: who comes last ends last. */
    user->limit_us = from_us + engine->scenario->limit_us;
    user->has_limit = true;
    user->younger = NULL;
    user->older = engine->youngest;
    if (user->older)
        user->older->younger = user;
    else
        engine->oldest = user;
    engine->youngest = user;
}

void
load_limit_clear(struct load_user *user)
{
    struct load_engine *engine = user->engine;

    if (!user->has_limit)
        return;
    user->has_limit = false;
    if (user->older)
        user->older->younger = user->younger;
    else
        engine->oldest = user->younger;
    if (user->younger)
        user->younger->older = user->older;
    else
        engine->youngest = user->older;
}

static void
set_hope(struct load_user *user, bool is_hopeful)
{
    struct load_crowd *crowd = load_user_crowd(user);

    crowd->hopeful += (int64_t)is_hopeful - (int64_t)user->is_hopeful;
    user->is_hopeful = is_hopeful;
}

void
load_link_ask(struct load_user *user, int64_t now_us)
{
    struct load_engine *engine = user->engine;

    user->state = USER_QUEUED;
    set_hope(user, user->failures == 0);
    load_limit_set(user, now_us);
    if (!user->is_queued) {
        user->is_queued = true;
        load_ring_push(&engine->queue, load_user_number(user));
    }
    if (load_user_crowd(user)->is_eager && !user->is_due && now_us < engine->end_us)
        load_user_set_due(user, now_us);
}

void
load_link_gone(struct load_user *user)
{
    user->engine->open--;
    load_user_crowd(user)->open--;
    user->state = USER_PAUSING;
}

/* Not all at the same moment: between half of it and the whole. */
static int64_t
draw_pause(struct load_user *user)
{
    int64_t pause_us = LONGEST_PAUSE_US;

    if (user->failures < 7)
        pause_us = SHORTEST_PAUSE_US << (user->failures - 1);
    if (pause_us > LONGEST_PAUSE_US)
        pause_us = LONGEST_PAUSE_US;
    return llround((double)pause_us * (0.5 + load_draw(&user->random) / 2));
}

static void
pause_link(struct load_user *user, int64_t now_us, const char *message)
{
    struct load_engine *engine = user->engine;

    snprintf(engine->cause, sizeof(engine->cause), "%s", message ? message : "no connection");
    user->state = USER_PAUSING;
    set_hope(user, false);
    if (user->failures < UINT8_MAX)
        user->failures++;
    load_schedule_push(&engine->links, now_us + draw_pause(user), load_user_number(user));
    if (user->is_due)
        load_user_fail_due(user, now_us);
}

void
load_link_lost(struct load_user *user, int64_t now_us, const char *message)
{
    struct load_engine *engine = user->engine;

    if (user->state == USER_CONNECTING || user->state == USER_QUEUED) {
        load_limit_clear(user);
        if (user->state == USER_CONNECTING)
            engine->connecting--;
        engine->refusals++;
        engine->is_refused = true;
        pause_link(user, now_us, message);
        return;
    }
    load_link_gone(user);
    engine->record->lost++;
    if (user->failures > 0) {
        pause_link(user, now_us, message);
        return;
    }
    /* The first time it is tried at once: servers close what was idle for long. */
    load_link_ask(user, now_us);
    user->failures = 1;
}

void
load_links_come(struct load_engine *engine, int64_t now_us)
{
    while (load_schedule_next_us(&engine->links) <= now_us) {
        struct load_user *user = &engine->users[load_schedule_pop(&engine->links).user];

        if (user->state == USER_AWAY)
            load_user_come(user, now_us);
        else if (user->state == USER_PAUSING)
            load_link_ask(user, now_us);
    }
}

void
load_links_open(struct load_engine *engine)
{
    for (int i = 0; i < CONNECTS_A_TURN && engine->queue.count > 0; i++) {
        struct load_user *user;

        if (engine->connecting >= MOST_CONNECTING)
            return;
        user = &engine->users[load_ring_pop(&engine->queue)];
        user->is_queued = false;
        if (user->state != USER_QUEUED)
            continue;
        user->state = USER_CONNECTING;
        engine->connecting++;
        load_limit_clear(user);
        load_limit_set(user, load_engine_now(engine));
        if (!engine->transport->connect(user->connection))
            load_link_lost(user, load_engine_now(engine), strerror(errno));
    }
}

void
load_links_sweep(struct load_engine *engine, int64_t now_us)
{
    while (engine->oldest && engine->oldest->limit_us <= now_us) {
        struct load_user *user = engine->oldest;

        if (user->state == USER_BUSY) {
            load_user_give_up(user, now_us);
            continue;
        }
        /* While others get a connection, whoever waits for his turn waits for us, not for the server. */
        if (user->state == USER_QUEUED && !engine->is_refused) {
            load_limit_clear(user);
            load_limit_set(user, now_us);
            continue;
        }
        if (user->state == USER_CONNECTING)
            engine->transport->disconnect(user->connection);
        load_link_lost(user, now_us, engine->late_link);
    }
}
