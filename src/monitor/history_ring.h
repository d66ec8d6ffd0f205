/*
 * Values by number (of a tick, a minute, ten minutes): the newest so many blocks of them. A block is
 * there only when something was written into it, so what had no value takes no room.
 */
#pragma once

#include "base/arena.h"

enum { RING_TICKS = 120, RING_SLOTS = 60 }; /* of a block */

/* A minute, or ten. Its numbers are good to seven digits. */
struct slot {
    float mean;
    float least;
    float most;
    uint32_t count; /* ticks with a value; 0: a gap */
};

struct ring_block {
    union {
        double ticks[RING_TICKS]; /* NaN: a gap */
        struct slot slots[RING_SLOTS];
        struct ring_block *next; /* a free one */
    };
};

struct ring {
    struct ring_block **blocks;
    int64_t block_count;
    int64_t per_block;
    int64_t newest; /* number of the newest block; -1: none yet */
};

/* Where blocks come from and go back to. */
struct ring_pool {
    struct arena *arena;
    struct ring_block *unused;
    size_t block_count; /* made so far */
};

/* Holds at least `items` values behind the newest. */
void ring_init(struct ring *ring, struct arena *arena, int64_t items, int64_t per_block);
/* Forgets everything. */
void ring_clear(struct ring *ring, struct ring_pool *pool);
/* Forgets what is newer than the item. */
void ring_rewind(struct ring *ring, struct ring_pool *pool, int64_t item);

double *ring_tick_put(struct ring *ring, struct ring_pool *pool, int64_t item);
struct slot *ring_slot_put(struct ring *ring, struct ring_pool *pool, int64_t item);
/* NaN, and a slot without a count, where nothing is known. */
double ring_tick(const struct ring *ring, int64_t item);
struct slot ring_slot(const struct ring *ring, int64_t item);
