#include "data/world.h"

#include <math.h>

static const struct scale scales[] = {
    {
        .name = "tiny",
        .users = 120,
        .assistants = 300,
        .bots = 20,
        .dialogs = 2000,
        .messages = 20000,
        .chunks = 500,
        .transactions = 1000,
        .topics = 48,
    },
    {
        .name = "small",
        .users = 2000,
        .assistants = 3000,
        .bots = 100,
        .dialogs = 60000,
        .messages = 600000,
        .chunks = 20000,
        .transactions = 25000,
        .topics = 96,
    },
    {
        .name = "plan",
        .users = 16000,
        .assistants = 40000,
        .bots = 1000,
        .dialogs = 400000,
        .messages = 4000000,
        .chunks = 100000,
        .transactions = 200000,
        .topics = 192,
    },
    {
        .name = "xl",
        .users = 40000,
        .assistants = 100000,
        .bots = 2500,
        .dialogs = 1000000,
        .messages = 10000000,
        .chunks = 1000000,
        .transactions = 500000,
        .topics = 240,
    },
};

const struct scale *
scale_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(scales); i++) {
        if (strcmp(scales[i].name, name) == 0)
            return &scales[i];
    }
    return NULL;
}

struct world *
world_make(struct arena *arena, const struct scale *scale, uint64_t seed, int64_t now_us)
{
    struct world *world = ARENA_NEW(arena, struct world);

    world->scale = *scale;
    world->seed = seed;
    world->now_us = now_us;
    topics_make(arena, seed, scale->topics, &world->topics);
    people_plan(arena, world);
    chat_plan(arena, world);
    knowledge_plan(arena, world);
    money_plan(arena, world);
    return world;
}

int64_t
world_until_now(const struct world *world, int64_t us)
{
    return us < world->now_us ? us : world->now_us;
}

int64_t
world_by_day(const struct world *world, struct rng *rng, int64_t us)
{
    /* 22:00 to 5:00 UTC is 1:00 to 8:00 in Moscow. */
    int64_t hour = us / (3600 * US_PER_SECOND) % 24;
    int64_t later;

    if ((hour >= 5 && hour < 22) || rng_chance(rng, 0.2))
        return us;
    later = us + (7 * 3600 + (int64_t)rng_below(rng, 8 * 3600)) * US_PER_SECOND;
    return later < world->now_us ? later : us;
}

int64_t
world_time_after(const struct world *world, struct rng *rng, int64_t since, double skew)
{
    double part = pow(rng_ratio(rng), skew);

    return since + (int64_t)((double)(world->now_us - since) * part);
}

uint32_t
world_operator_count(const struct world *world)
{
    return (world->scale.users + OPERATOR_EVERY - 1 - OPERATOR_FIRST) / OPERATOR_EVERY;
}

uint32_t
world_operator(const struct world *world, uint32_t number)
{
    return OPERATOR_FIRST + number % world_operator_count(world) * OPERATOR_EVERY;
}
