/* Documents and the chunks they were cut into. */
#include <assert.h>
#include <math.h>

#include "data/world.h"

enum { MOST_CHUNKS = 120 };

#define KNOWING_RATIO 0.3  /* assistants that have documents */
#define COPY_RATIO    0.03 /* documents that were uploaded once more */
#define EMPTY_RATIO   0.08 /* documents that no chunk was made of */

/* The documents while they are planned, in the order of assistants. */
struct shelf {
    struct document *documents;
    uint32_t count;
    uint32_t limit;
};

/* The assistants in an order that has nothing to do with age or owner (Fisher and Yates). */
static uint32_t *
shuffled_assistants(struct arena *arena, const struct world *world)
{
    uint32_t count = world->scale.assistants;
    uint32_t *order = ARENA_ARRAY(arena, uint32_t, count);
    struct rng rng = rng_start(world->seed, RNG_KNOWLEDGE_SHARE, 0);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = rng_below(&rng, i + 1);

        order[i] = order[other];
        order[other] = i;
    }
    return order;
}

static uint32_t
document_size(struct rng *rng, uint32_t rest)
{
    uint32_t size = 1 + (uint32_t)(9 * exp(0.8 * rng_normal(rng)));

    if (size > MOST_CHUNKS)
        size = MOST_CHUNKS;
    return size < rest ? size : rest;
}

/* The documents of one assistant that have so many chunks together. */
static void
plan_assistant(const struct world *world, struct shelf *shelf, uint32_t index, uint32_t chunks)
{
    const struct assistant *assistant = &world->assistants[index];
    struct rng rng = rng_start(world->seed, RNG_DOCUMENT_PLAN, index);
    uint32_t first = shelf->count;

    while (chunks > 0) {
        struct document *document = &shelf->documents[shelf->count];
        const struct document *earlier;

        assert(shelf->count < shelf->limit);
        *document = (struct document){
            .uploaded_us = world_time_after(world, &rng, assistant->created_us, 1.5),
            .assistant = index,
            .topic = assistant->topics[rng_below(&rng, ASSISTANT_TOPICS)],
            .content = shelf->count,
            .chunks = rng_chance(&rng, EMPTY_RATIO) ? 0 : document_size(&rng, chunks),
            .is_shared = rng_chance(&rng, 0.02),
        };
        if (shelf->count > first && rng_chance(&rng, COPY_RATIO)) {
            earlier = &shelf->documents[first + rng_below(&rng, shelf->count - first)];
            if (earlier->chunks > 0 && earlier->chunks <= chunks) {
                document->is_copy = true;
                document->content = earlier->content;
                document->topic = earlier->topic;
                document->chunks = earlier->chunks;
                document->uploaded_us = world_time_after(world, &rng, earlier->uploaded_us, 1.5);
            }
        }
        chunks -= document->chunks;
        shelf->count++;
    }
}

/* Puts the documents in the order of their upload, and their chunks behind one another. */
static void
put_in_order(struct arena *arena, struct world *world, const struct shelf *shelf)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct timeline uploaded = { ARENA_ARRAY(scratch, struct event, shelf->count), shelf->count };
    uint32_t chunk = 0;

    for (uint32_t i = 0; i < shelf->count; i++)
        uploaded.events[i] = (struct event){ shelf->documents[i].uploaded_us, i, 0 };
    timeline_sort(&uploaded);
    world->document_count = shelf->count;
    world->documents = ARENA_ARRAY(arena, struct document, shelf->count);
    world->chunk_documents = ARENA_ARRAY(arena, uint32_t, world->scale.chunks);
    for (uint32_t i = 0; i < shelf->count; i++) {
        struct document *document = &world->documents[i];

        *document = shelf->documents[uploaded.events[i].owner];
        document->first_chunk = chunk;
        for (uint32_t number = 0; number < document->chunks; number++)
            world->chunk_documents[chunk++] = i;
    }
}

void
knowledge_plan(struct arena *arena, struct world *world)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    uint32_t knowing = 1 + (uint32_t)(world->scale.assistants * KNOWING_RATIO);
    uint32_t *order = shuffled_assistants(scratch, world);
    struct shelf shelf = { 0 };
    double sum = 0;
    double reached = 0;
    uint32_t given = 0;

    /* Each document but the empty ones, which are few, has a chunk. */
    shelf.limit = world->scale.chunks + world->scale.chunks / 4 + 1000;
    shelf.documents = ARENA_ARRAY(scratch, struct document, shelf.limit);
    /* Zipf's law: the assistant of rank r has a share of 1/r. */
    for (uint32_t rank = 1; rank <= knowing; rank++)
        sum += 1.0 / rank;
    for (uint32_t rank = 1; rank <= knowing; rank++) {
        uint32_t due;

        reached += 1.0 / rank;
        due = (uint32_t)(world->scale.chunks * (reached / sum) + 0.5) - given;
        given += due;
        plan_assistant(world, &shelf, order[rank - 1], due);
    }
    put_in_order(arena, world, &shelf);
}
