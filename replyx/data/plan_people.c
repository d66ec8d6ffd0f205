/* Users and their assistants: who came when, and what the assistants are about. */
#include <math.h>

#include "data/words.h"
#include "data/world.h"

enum { LARGEST_USER = 100, NEWEST_USER_S = 3600, NEWEST_ASSISTANT_S = 1800 };

static int64_t
sign_up_time(const struct world *world, struct rng *rng)
{
    double age = WORLD_DAYS * pow(rng_ratio(rng), 1.4);
    int64_t us =
        world->now_us - (int64_t)(age * (double)US_PER_DAY) - NEWEST_USER_S * US_PER_SECOND;

    return world_by_day(world, rng, us);
}

static void
plan_users(struct arena *arena, struct world *world)
{
    size_t count = world->scale.users;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct timeline came = { ARENA_ARRAY(scratch, struct event, count), count };

    for (size_t i = 0; i < count; i++) {
        struct rng rng = rng_start(world->seed, RNG_USER_PLAN, i);

        came.events[i].us = sign_up_time(world, &rng);
    }
    timeline_sort(&came);
    world->users = ARENA_ARRAY(arena, struct user, count);
    for (size_t i = 0; i < count; i++) {
        world->users[i].created_us = came.events[i].us;
        world->users[i].active_us = came.events[i].us;
    }
}

/* One to three topics; most of a user's assistants are about his trade. */
static void
choose_topics(const struct world *world, struct assistant *assistant, struct rng *rng)
{
    struct rng of_user = rng_start(world->seed, RNG_USER_TRADE, assistant->user);
    uint32_t trade = rng_below(&of_user, TRADE_COUNT);
    uint32_t variants = world->scale.topics / TRADE_COUNT;

    if (rng_chance(rng, 0.15))
        trade = rng_below(rng, TRADE_COUNT);
    for (size_t i = 0; i < ASSISTANT_TOPICS; i++) {
        bool repeats = i > 0 && rng_chance(rng, 0.5);

        assistant->topics[i] =
            repeats ? assistant->topics[0] : trade + TRADE_COUNT * rng_below(rng, variants);
    }
}

static void
plan_assistants(struct arena *arena, struct world *world)
{
    struct share share = {
        .total = world->scale.assistants,
        .none_ratio = 0.2,
        .sigma = 0.8,
        .most = LARGEST_USER,
        .planted = world->scale.users / 400,
        .decay = 0.5,
    };
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    uint32_t *counts = share_out(scratch, &share, world->scale.users, world->seed, RNG_USER_SHARE);
    int64_t newest = world->now_us - NEWEST_ASSISTANT_S * US_PER_SECOND;
    struct timeline made = { .events =
                                 ARENA_ARRAY(scratch, struct event, world->scale.assistants) };

    for (uint32_t user = 0; user < world->scale.users; user++) {
        struct rng rng = rng_start(world->seed, RNG_ASSISTANT_TIMES, user);

        world->users[user].assistants = counts[user];
        for (uint32_t number = 0; number < counts[user]; number++) {
            int64_t us = world_time_after(world, &rng, world->users[user].created_us, 3);

            us = world_by_day(world, &rng, us);
            if (us > newest)
                us = newest;
            made.events[made.count++] = (struct event){ us, user, number };
        }
    }
    timeline_sort(&made);
    world->assistants = ARENA_ARRAY(arena, struct assistant, made.count);
    for (size_t i = 0; i < made.count; i++) {
        struct rng rng = rng_start(world->seed, RNG_ASSISTANT_PLAN, i);
        struct assistant *assistant = &world->assistants[i];

        assistant->created_us = made.events[i].us;
        assistant->user = made.events[i].owner;
        assistant->is_active = !rng_chance(&rng, 0.08);
        choose_topics(world, assistant, &rng);
    }
}

void
people_plan(struct arena *arena, struct world *world)
{
    plan_users(arena, world);
    plan_assistants(arena, world);
}
