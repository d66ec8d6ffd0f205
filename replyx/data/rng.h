/*
 * Random numbers that depend on nothing but (seed, stream, index), so that each row can be made
 * alone and a change in one table does not shift another. Sources: xoshiro256** by Blackman and
 * Vigna (2018) for the numbers, splitmix64 by Steele, Lea and Flood (2014) for its start.
 */
#pragma once

#include "base/base.h"

/* One for each use: two uses of a stream would give equal numbers. */
enum rng_stream {
    RNG_USER = 1,
    RNG_USER_PLAN,
    RNG_USER_TRADE,
    RNG_USER_SHARE,
    RNG_ASSISTANT,
    RNG_ASSISTANT_PLAN,
    RNG_ASSISTANT_TIMES,
    RNG_ASSISTANT_SHARE,
    RNG_DIALOG,
    RNG_DIALOG_PLAN,
    RNG_DIALOG_SUBJECT,
    RNG_DIALOG_TIMES,
    RNG_DIALOG_SHARE,
    RNG_HANDOFF,
    RNG_MESSAGE,
    RNG_MESSAGE_TEXT,
    RNG_MESSAGE_TIMES,
    RNG_DOCUMENT,
    RNG_DOCUMENT_PLAN,
    RNG_KNOWLEDGE,
    RNG_KNOWLEDGE_SHARE,
    RNG_CHUNK_TEXT,
    RNG_CHUNK_ROW,
    RNG_CACHE,
    RNG_NOISE_POOL,
    RNG_VECTOR,
    RNG_QUESTION,
    RNG_BOT,
    RNG_POOL,
    RNG_USAGE,
    RNG_TRANSACTION,
    RNG_TRANSACTION_ROW,
    RNG_TRANSACTION_SHARE,
    RNG_PROMO,
    RNG_PROMO_USE,
    RNG_PROMO_ROW,
    RNG_REFERRAL,
    RNG_REFERRAL_ROW,
    RNG_DIALOG_RATING,
    RNG_MESSAGE_RATING,
    RNG_FEEDBACK,
    RNG_AUDIT,
    RNG_DATASET,
    RNG_DATASET_TIME,
    RNG_DATASET_ROW,
    RNG_EXAMPLE,
    RNG_PATTERN,
    RNG_FEATURE,
    RNG_WIDGET,
    RNG_TELEGRAM,
    RNG_OPENAI,
    RNG_OPERATOR,
};

struct rng {
    uint64_t state[4];
};

static inline uint64_t
rng_splitmix(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9e3779b97f4a7c15));

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static inline struct rng
rng_start(uint64_t seed, enum rng_stream stream, uint64_t index)
{
    uint64_t key = seed;
    struct rng rng;

    key = rng_splitmix(&key) ^ ((uint64_t)stream << 48) ^ index;
    for (size_t i = 0; i < COUNT_OF(rng.state); i++)
        rng.state[i] = rng_splitmix(&key);
    return rng;
}

static inline uint64_t
rng_next(struct rng *rng)
{
    uint64_t *state = rng->state;
    uint64_t middle = state[1] * 5;
    uint64_t result = ((middle << 7) | (middle >> 57)) * 9;
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = (state[3] << 45) | (state[3] >> 19);
    return result;
}

/* 0 … limit - 1; limit must not be 0. The bias of one in 2^32/limit does not matter here. */
static inline uint32_t
rng_below(struct rng *rng, uint32_t limit)
{
    return (uint32_t)(((rng_next(rng) >> 32) * limit) >> 32);
}

/* low … high. */
static inline int32_t
rng_between(struct rng *rng, int32_t low, int32_t high)
{
    return low + (int32_t)rng_below(rng, (uint32_t)(high - low) + 1);
}

/* 0 <= x < 1. */
static inline double
rng_ratio(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

static inline bool
rng_chance(struct rng *rng, double probability)
{
    return rng_ratio(rng) < probability;
}

/*
 * About normal with mean 0 and deviation 1: four uniform numbers added (Irwin-Hall), so never
 * beyond 3.46.
 */
static inline double
rng_normal(struct rng *rng)
{
    uint64_t bits = rng_next(rng);
    double sum = (double)(bits & 0xffff) + (double)((bits >> 16) & 0xffff) +
                 (double)((bits >> 32) & 0xffff) + (double)(bits >> 48);

    return (sum / 65536 - 2) * 1.7320508;
}
