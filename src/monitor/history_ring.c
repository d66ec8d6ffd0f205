#include "monitor/history_ring.h"

#include <math.h>

void
ring_init(struct ring *ring, struct arena *arena, int64_t items, int64_t per_block)
{
    /* The newest block is never full: one more keeps the promise. */
    ring->block_count = (items + per_block - 1) / per_block + 1;
    ring->blocks = ARENA_ARRAY(arena, struct ring_block *, (size_t)ring->block_count);
    ring->per_block = per_block;
    ring->newest = -1;
}

static void
give_back(struct ring *ring, struct ring_pool *pool, int64_t number)
{
    struct ring_block **block = &ring->blocks[number % ring->block_count];

    if (*block) {
        (*block)->next = pool->unused;
        pool->unused = *block;
        *block = NULL;
    }
}

void
ring_clear(struct ring *ring, struct ring_pool *pool)
{
    for (int64_t i = 0; i < ring->block_count; i++)
        give_back(ring, pool, i);
    ring->newest = -1;
}

static bool
has_block(const struct ring *ring, int64_t number)
{
    return number >= 0 && number <= ring->newest && number > ring->newest - ring->block_count &&
           ring->blocks[number % ring->block_count];
}

static void
forget_item(struct ring *ring, int64_t item)
{
    struct ring_block *block = ring->blocks[item / ring->per_block % ring->block_count];

    if (ring->per_block == RING_TICKS)
        block->ticks[item % RING_TICKS] = NAN;
    else
        block->slots[item % RING_SLOTS] = (struct slot){ 0 };
}

void
ring_rewind(struct ring *ring, struct ring_pool *pool, int64_t item)
{
    int64_t number = item < 0 ? -1 : item / ring->per_block;

    if (ring->newest < number)
        return;
    if (ring->newest - number >= ring->block_count) {
        ring_clear(ring, pool);
        return;
    }
    for (; ring->newest > number; ring->newest--)
        give_back(ring, pool, ring->newest);
    if (has_block(ring, number))
        for (int64_t i = item + 1; i / ring->per_block == number; i++)
            forget_item(ring, i);
}

static struct ring_block *
take_block(struct ring_pool *pool)
{
    struct ring_block *block = pool->unused;

    if (!block) {
        pool->block_count++;
        return ARENA_NEW(pool->arena, struct ring_block);
    }
    pool->unused = block->next;
    return block;
}

/* The block of an item that is not older than what the ring holds. */
static struct ring_block *
block_to_write(struct ring *ring, struct ring_pool *pool, int64_t item)
{
    int64_t number = item / ring->per_block;
    struct ring_block **block = &ring->blocks[number % ring->block_count];

    if (number > ring->newest + ring->block_count)
        ring_clear(ring, pool);
    else
        for (int64_t i = ring->newest + 1; i <= number; i++)
            give_back(ring, pool, i);
    if (number > ring->newest)
        ring->newest = number;
    if (!*block) {
        *block = take_block(pool);
        **block = (struct ring_block){ .slots = { { .count = 0 } } };
        for (int64_t i = 0; ring->per_block == RING_TICKS && i < RING_TICKS; i++)
            (*block)->ticks[i] = NAN;
    }
    return *block;
}

double *
ring_tick_put(struct ring *ring, struct ring_pool *pool, int64_t item)
{
    return &block_to_write(ring, pool, item)->ticks[item % RING_TICKS];
}

struct slot *
ring_slot_put(struct ring *ring, struct ring_pool *pool, int64_t item)
{
    return &block_to_write(ring, pool, item)->slots[item % RING_SLOTS];
}

double
ring_tick(const struct ring *ring, int64_t item)
{
    if (item < 0 || !has_block(ring, item / RING_TICKS))
        return NAN;
    return ring->blocks[item / RING_TICKS % ring->block_count]->ticks[item % RING_TICKS];
}

struct slot
ring_slot(const struct ring *ring, int64_t item)
{
    if (item < 0 || !has_block(ring, item / RING_SLOTS))
        return (struct slot){ 0 };
    return ring->blocks[item / RING_SLOTS % ring->block_count]->slots[item % RING_SLOTS];
}
