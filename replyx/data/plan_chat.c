/* Dialogs, their messages in the order of time, and when people took over. */
#include <assert.h>

#include "data/prose.h"
#include "data/world.h"

enum {
    LARGEST_ASSISTANT = 1000, /* dialogs */
    LARGEST_DIALOG = 10000,   /* messages */
    HANDOFF_MESSAGES = 4,     /* nobody asks for a person before */
    NEWEST_DIALOG_S = 600,
    MATURE_DAYS = 60,
};

uint64_t
message_key(const struct event *message)
{
    return ((uint64_t)message->owner << 16) ^ message->number;
}

/* Who came a short time ago has had few dialogs so far. */
static double *
maturity(struct arena *arena, const struct world *world)
{
    double *factors = ARENA_ARRAY(arena, double, world->scale.assistants);

    for (size_t i = 0; i < world->scale.assistants; i++) {
        double days =
            (double)(world->now_us - world->assistants[i].created_us) / (double)US_PER_DAY;

        factors[i] = days / (days + MATURE_DAYS);
    }
    return factors;
}

static void
plan_dialogs(struct arena *arena, struct world *world)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct share share = {
        .total = world->scale.dialogs,
        .none_ratio = 0.12,
        .sigma = 1.3,
        .most = LARGEST_ASSISTANT,
        .planted = world->scale.assistants / 800,
        .decay = 0.5,
        .factors = maturity(scratch, world),
    };
    uint32_t *counts =
        share_out(scratch, &share, world->scale.assistants, world->seed, RNG_ASSISTANT_SHARE);
    struct timeline begun = { .events = ARENA_ARRAY(scratch, struct event, world->scale.dialogs) };
    int64_t newest = world->now_us - NEWEST_DIALOG_S * US_PER_SECOND;

    for (uint32_t i = 0; i < world->scale.assistants; i++) {
        struct rng rng = rng_start(world->seed, RNG_DIALOG_TIMES, i);

        for (uint32_t number = 0; number < counts[i]; number++) {
            int64_t us = world_time_after(world, &rng, world->assistants[i].created_us, 0.8);

            us = world_by_day(world, &rng, us);
            begun.events[begun.count++] = (struct event){ us < newest ? us : newest, i, number };
        }
    }
    timeline_sort(&begun);
    world->dialogs = ARENA_ARRAY(arena, struct dialog, begun.count);
    for (size_t i = 0; i < begun.count; i++) {
        world->dialogs[i].started_us = begun.events[i].us;
        world->dialogs[i].assistant = begun.events[i].owner;
    }
}

static int64_t
seconds_between(struct rng *rng, int32_t low, int32_t high)
{
    return low * US_PER_SECOND + (int64_t)(rng_ratio(rng) * (high - low) * (double)US_PER_SECOND);
}

/* How long the next message takes: answers come in seconds, customers think, or come back later. */
static int64_t
pause_before(struct rng *rng, uint32_t number)
{
    if (number % 2 == 1)
        return seconds_between(rng, 1, 9);
    if (rng_chance(rng, 0.06))
        return seconds_between(rng, 3600, 72 * 3600);
    return seconds_between(rng, 4, rng_chance(rng, 0.3) ? 600 : 90);
}

/* Times of a dialog's messages; a dialog that would go on after now is told faster. */
static void
plan_times(const struct world *world, uint32_t index, struct event *events)
{
    const struct dialog *dialog = &world->dialogs[index];
    struct rng rng = rng_start(world->seed, RNG_MESSAGE_TIMES, index);
    int64_t us = dialog->started_us;
    int64_t room = world->now_us - dialog->started_us;
    int64_t length;

    for (uint32_t number = 0; number < dialog->messages; number++) {
        us += number == 0 ? seconds_between(&rng, 0, 3) : pause_before(&rng, number);
        events[number] = (struct event){ us, index, number };
    }
    length = us - dialog->started_us;
    if (length < room)
        return;
    assert(room > LARGEST_DIALOG);
    for (uint32_t number = 0; number < dialog->messages; number++) {
        double part = (double)(events[number].us - dialog->started_us) / (double)length;

        /* The number keeps the order where rounding would lose it. */
        events[number].us =
            dialog->started_us + (int64_t)((double)(room - LARGEST_DIALOG) * part) + number;
    }
}

/* Sets what depends on the messages of a dialog. */
static void
look_at_messages(struct world *world, struct dialog *dialog, const struct event *events)
{
    struct user *user = &world->users[world->assistants[dialog->assistant].user];
    enum sender second;

    dialog->last_us = dialog->started_us;
    dialog->first_response_s = -1;
    if (dialog->messages > 0)
        dialog->last_us = events[dialog->messages - 1].us;
    if (dialog->last_us > user->active_us)
        user->active_us = dialog->last_us;
    if (dialog->messages < 2)
        return;
    second = message_sender(world, &events[1]);
    if (second == SENDER_ASSISTANT || second == SENDER_MANAGER)
        dialog->first_response_s = (float)(events[1].us - events[0].us) / (float)US_PER_SECOND;
}

static void
plan_messages(struct arena *arena, struct world *world)
{
    struct share share = {
        .total = world->scale.messages,
        .none_ratio = 0.04,
        .sigma = 1.3,
        .most = LARGEST_DIALOG,
        .planted = world->scale.dialogs / 10000,
        .decay = 0.5,
    };
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    uint32_t *counts =
        share_out(scratch, &share, world->scale.dialogs, world->seed, RNG_DIALOG_SHARE);
    struct timeline *messages = &world->messages;

    messages->events = ARENA_ARRAY(arena, struct event, world->scale.messages);
    for (uint32_t i = 0; i < world->scale.dialogs; i++) {
        struct rng rng = rng_start(world->seed, RNG_DIALOG_PLAN, i);
        struct dialog *dialog = &world->dialogs[i];
        struct event *events = messages->events + messages->count;

        dialog->messages = counts[i];
        dialog->is_silent = rng_chance(&rng, 0.03);
        dialog->has_handoff = counts[i] >= HANDOFF_MESSAGES && rng_chance(&rng, 0.07);
        plan_times(world, i, events);
        look_at_messages(world, dialog, events);
        messages->count += counts[i];
    }
    timeline_sort(messages);
}

static void
plan_handoffs(struct arena *arena, struct world *world)
{
    size_t limit = 0;
    struct timeline *handoffs = &world->handoffs;

    for (uint32_t i = 0; i < world->scale.dialogs; i++)
        limit += world->dialogs[i].has_handoff ? HANDOFF_RESOLVED : 0;
    handoffs->events = ARENA_ARRAY(arena, struct event, limit + 1);
    for (uint32_t i = 0; i < world->scale.dialogs; i++) {
        struct handoff handoff;
        int64_t times[HANDOFF_RESOLVED];

        if (!world->dialogs[i].has_handoff)
            continue;
        dialog_handoff(world, i, &handoff);
        times[0] = handoff.requested_us;
        times[1] = handoff.started_us;
        times[2] = handoff.resolved_us;
        for (uint32_t step = 0; step < handoff.status; step++)
            handoffs->events[handoffs->count++] = (struct event){ times[step], i, step };
    }
    timeline_sort(handoffs);
}

void
chat_plan(struct arena *arena, struct world *world)
{
    plan_dialogs(arena, world);
    plan_messages(arena, world);
    plan_handoffs(arena, world);
}

void
dialog_handoff(const struct world *world, uint32_t dialog, struct handoff *ret)
{
    const struct dialog *about = &world->dialogs[dialog];
    struct rng rng = rng_start(world->seed, RNG_HANDOFF, dialog);
    double length = (double)(about->last_us - about->started_us);
    int64_t age;

    *ret = (struct handoff){ .status = HANDOFF_NONE };
    if (!about->has_handoff)
        return;
    ret->requested_us = about->started_us + (int64_t)(length * (0.2 + 0.6 * rng_ratio(&rng)));
    ret->started_us = world_until_now(world, ret->requested_us + seconds_between(&rng, 20, 1200));
    ret->resolved_us = world_until_now(world, ret->started_us + seconds_between(&rng, 300, 5400));
    age = world->now_us - ret->requested_us;
    /* What is old has been dealt with, but for some that everybody forgot. */
    ret->status = HANDOFF_RESOLVED;
    if (rng_chance(&rng, age < 3 * US_PER_DAY ? 0.5 : 0.02))
        ret->status = HANDOFF_ACTIVE;
    if (rng_chance(&rng, age < 3 * US_PER_DAY ? 0.3 : 0.04))
        ret->status = HANDOFF_REQUESTED;
    ret->manager = world_operator(world, rng_below(&rng, world->scale.users));
    ret->reason = rng_chance(&rng, 0.03) ? NULL : prose_pick(&rng, &words_reason);
    ret->rng = rng;
}

/* Whether a person was answering at the time of the message. */
static bool
is_taken_over(const struct world *world, const struct event *message)
{
    struct handoff handoff;

    if (!world->dialogs[message->owner].has_handoff)
        return false;
    dialog_handoff(world, message->owner, &handoff);
    if (handoff.status < HANDOFF_ACTIVE || message->us < handoff.started_us)
        return false;
    return handoff.status == HANDOFF_ACTIVE || message->us < handoff.resolved_us;
}

enum sender
message_sender(const struct world *world, const struct event *message)
{
    struct rng rng = rng_start(world->seed, RNG_MESSAGE, message_key(message));
    bool is_answer = message->number % 2 == 1;

    if (rng_chance(&rng, 0.05))
        is_answer = !is_answer; /* somebody writes twice */
    if (!is_answer)
        return SENDER_USER;
    if (is_taken_over(world, message))
        return rng_chance(&rng, 0.1) ? SENDER_SYSTEM : SENDER_MANAGER;
    return world->dialogs[message->owner].is_silent ? SENDER_USER : SENDER_ASSISTANT;
}

uint32_t
dialog_owner(const struct world *world, uint32_t dialog)
{
    return world->assistants[world->dialogs[dialog].assistant].user;
}
