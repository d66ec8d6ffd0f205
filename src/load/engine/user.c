/* A virtual user's requests: sent, answered, lost. */
#include "load/engine/parts.h"

size_t
load_step_drawn(const struct load_group *group, uint64_t *random)
{
    double share = load_draw(random);

    for (size_t i = 0; i + 1 < group->mix_count; i++) {
        if (share < group->mix_until[i])
            return group->mix[i];
    }
    return group->mix[group->mix_count - 1];
}

static size_t
draw_step(struct load_user *user)
{
    const struct load_group *group = load_user_crowd(user)->group;

    if (user->position < group->start_count)
        return group->start[user->position];
    if (!group->mix_until)
        return group->mix[(user->position - group->start_count) % group->mix_count];
    return load_step_drawn(group, &user->random);
}

static void
note(struct load_user *user, const struct load_answer *answer)
{
    struct load_event event = { .step = user->step,
        .group = user->group,
        .outcome = answer->outcome,
        .due_us = user->due_us,
        .sent_us = user->sent_us,
        .at_us = answer->at_us,
        .bytes = answer->bytes,
        .statements = answer->statements,
        .message = answer->message };

    /* The clock of a kernel's time stamp is not ours to the last microsecond. */
    if (event.at_us < event.sent_us)
        event.at_us = event.sent_us;
    load_recorder_add(user->engine->recorder, &event);
}

void
load_user_send(struct load_user *user)
{
    struct load_engine *engine = user->engine;
    int64_t now_us = load_engine_now(engine);

    user->is_due = false;
    engine->owed--;
    /* Who never thinks has no schedule; what had to wait for its connection was not kept waiting by us. */
    if (load_user_crowd(user)->is_eager)
        user->due_us = now_us;
    else if (user->free_us <= user->due_us)
        load_recorder_lag(engine->recorder, user->due_us, now_us);
    user->sent_us = now_us;
    user->step = (uint32_t)draw_step(user);
    user->state = USER_BUSY;
    engine->busy++;
    engine->sent++;
    load_limit_set(user, now_us);
    engine->transport->send(user->connection, &engine->scenario->steps[user->step]);
}

/* Without the first steps (a sign-in) the others make no sense: each is taken until it is good. */
static void
advance(struct load_user *user, enum load_outcome outcome)
{
    if (user->position >= load_user_crowd(user)->group->start_count || outcome == LOAD_GOOD)
        user->position++;
}

static void
end_request(struct load_user *user, const struct load_answer *answer)
{
    struct load_engine *engine = user->engine;

    load_limit_clear(user);
    engine->busy--;
    note(user, answer);
    advance(user, answer->outcome);
}

void
load_user_connected(struct load_user *user)
{
    struct load_engine *engine = user->engine;
    struct load_crowd *crowd = load_user_crowd(user);

    if (user->state != USER_CONNECTING)
        return;
    load_limit_clear(user);
    engine->connecting--;
    engine->open++;
    crowd->open++;
    if (engine->record->most_open < engine->open)
        engine->record->most_open = engine->open;
    if (user->is_hopeful)
        crowd->hopeful--;
    user->is_hopeful = false;
    engine->has_connected = true;
    engine->is_refused = false;
    user->state = USER_IDLE;
    user->free_us = load_engine_now(engine);
    if (user->is_due)
        load_user_set_due(user, user->due_us);
    else if (crowd->group->rate > 0)
        load_user_rest(user);
}

void
load_user_answered(struct load_user *user, const struct load_answer *answer)
{
    if (user->state != USER_BUSY)
        return;
    end_request(user, answer);
    user->free_us = answer->at_us;
    if (answer->outcome != LOAD_UNSENT)
        user->failures = 0;
    user->state = USER_IDLE;
    if (answer->is_closing) {
        user->engine->transport->disconnect(user->connection);
        load_link_gone(user);
        load_link_ask(user, answer->at_us);
    }
    load_user_plan(user, answer->at_us, answer->outcome);
}

void
load_user_lost(struct load_user *user, enum load_outcome outcome, const char *message)
{
    struct load_engine *engine = user->engine;
    enum load_user_state state = user->state;
    int64_t now_us = load_engine_now(engine);
    struct load_answer answer = {
        .outcome = outcome, .message = message, .at_us = now_us, .statements = -1
    };

    if (state != USER_BUSY && state != USER_IDLE && state != USER_CONNECTING)
        return;
    if (state == USER_BUSY)
        end_request(user, &answer);
    load_link_lost(user, now_us, message);
    if (state == USER_BUSY)
        load_user_plan(user, now_us, outcome);
}

void
load_user_give_up(struct load_user *user, int64_t now_us)
{
    struct load_engine *engine = user->engine;
    struct load_answer answer = {
        .outcome = LOAD_LATE, .message = engine->late, .at_us = now_us, .statements = -1
    };

    end_request(user, &answer);
    engine->transport->disconnect(user->connection);
    load_link_gone(user);
    load_link_ask(user, now_us);
    load_user_plan(user, now_us, LOAD_LATE);
}

void
load_user_fail_due(struct load_user *user, int64_t now_us)
{
    struct load_engine *engine = user->engine;
    struct load_answer answer = { .outcome = LOAD_UNCONNECTED,
        .at_us = now_us,
        .statements = -1,
        .message = engine->cause[0] ? engine->cause : NULL };

    if (user->is_due) {
        user->is_due = false;
        engine->owed--;
    }
    user->step = (uint32_t)draw_step(user);
    user->sent_us = now_us;
    note(user, &answer);
    advance(user, LOAD_UNCONNECTED);
    load_user_plan(user, now_us, LOAD_UNCONNECTED);
}
