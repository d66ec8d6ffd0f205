#include "data/topic.h"

#include <math.h>

enum {
    POOL_SIZE = 1024 * 1024,
    SECTION_CHUNKS = 4,
};

/* What a direction belongs to; part of its key. */
enum part {
    PART_ALL,
    PART_TOPIC,
    PART_ASSISTANT,
    PART_DOCUMENT,
    PART_SECTION,
    PART_CHUNK,
    PART_QUESTION,
    PART_JITTER
};

/* Share of each part in the squared length of a chunk's vector. */
static const float chunk_shares[] = {
    [PART_ALL] = 0.12F,
    [PART_TOPIC] = 0.20F,
    [PART_ASSISTANT] = 0.08F,
    [PART_DOCUMENT] = 0.14F,
    [PART_SECTION] = 0.12F,
    [PART_CHUNK] = 0.34F,
};

void
topics_make(struct arena *arena, uint64_t seed, uint32_t count, struct topics *ret)
{
    float *pool = ARENA_ARRAY(arena, float, POOL_SIZE + VECTOR_SIZE);
    struct rng rng = rng_start(seed, RNG_NOISE_POOL, 0);

    for (size_t i = 0; i < POOL_SIZE + VECTOR_SIZE; i++)
        pool[i] = (float)rng_normal(&rng);
    *ret = (struct topics){ .pool = pool, .seed = seed, .count = count };
}

/*
 * Adds a random direction of about the given length. It is the sum of two slices of the pool: so
 * many pairs exist that no two keys get the same, at the cost of two additions a number.
 */
static void
add_direction(
    const struct topics *topics, enum part part, uint64_t key, float length, float *values)
{
    struct rng rng = rng_start(topics->seed, RNG_VECTOR, ((uint64_t)part << 44) ^ key);
    const float *one = topics->pool + rng_below(&rng, POOL_SIZE);
    const float *other = topics->pool + rng_below(&rng, POOL_SIZE);
    float scale = length / sqrtf(2.0F * VECTOR_SIZE);

    for (size_t i = 0; i < VECTOR_SIZE; i++)
        values[i] += scale * (one[i] + other[i]);
}

static void
normalise(float *values)
{
    double sum = 0;
    float scale;

    for (size_t i = 0; i < VECTOR_SIZE; i++)
        sum += (double)values[i] * (double)values[i];
    scale = (float)(1 / sqrt(sum));
    for (size_t i = 0; i < VECTOR_SIZE; i++)
        values[i] *= scale;
}

static uint64_t
document_key(const struct topic_place *place, uint32_t number)
{
    return ((uint64_t)place->document << 16) + number;
}

/* What a chunk shares with others. */
static void
add_context(const struct topics *topics, const struct topic_place *place, float *values)
{
    uint64_t keys[] = {
        [PART_ALL] = 0,
        [PART_TOPIC] = place->topic,
        [PART_ASSISTANT] = place->assistant,
        [PART_DOCUMENT] = place->document,
        [PART_SECTION] = document_key(place, place->chunk / SECTION_CHUNKS),
    };

    for (size_t part = 0; part < COUNT_OF(keys); part++)
        add_direction(topics, (enum part)part, keys[part], sqrtf(chunk_shares[part]), values);
}

void
topic_chunk(const struct topics *topics, const struct topic_place *place, float *ret)
{
    memset(ret, 0, sizeof(*ret) * VECTOR_SIZE);
    add_context(topics, place, ret);
    add_direction(topics, PART_CHUNK, document_key(place, place->chunk),
        sqrtf(chunk_shares[PART_CHUNK]), ret);
    normalise(ret);
}

void
topic_question(
    const struct topics *topics, const struct topic_place *place, uint64_t question, float *ret)
{
    struct rng rng = rng_start(topics->seed, RNG_QUESTION, question);
    float focus = 0.1F + 0.4F * (float)rng_ratio(&rng);
    float own = 0.7F + 0.7F * (float)rng_ratio(&rng);

    memset(ret, 0, sizeof(*ret) * VECTOR_SIZE);
    add_context(topics, place, ret);
    add_direction(topics, PART_CHUNK, document_key(place, place->chunk), focus, ret);
    add_direction(topics, PART_QUESTION, question, own, ret);
    normalise(ret);
}

void
topic_jitter(const struct topics *topics, uint64_t key, float *values)
{
    add_direction(topics, PART_JITTER, key, 0.01F, values);
    normalise(values);
}
