/*
 * Values by number (of a tick, of two minutes): the newest so many of them. Its room is taken when it
 * is made and never grows.
 */
#pragma once

#include "base/arena.h"

/* Two minutes. */
struct slot {
    float mean;
    uint32_t count; /* ticks with a value; 0: a gap */
};

/* Of ticks, which are values, or of slots: one of the two is NULL. */
struct ring {
    float *ticks; /* NaN: a gap */
    struct slot *slots;
    int64_t room;
    int64_t newest; /* number of the newest item; -1: none yet */
};

void ring_init_ticks(struct ring *ring, struct arena *arena, int64_t room);
void ring_init_slots(struct ring *ring, struct arena *arena, int64_t room);
/* Forgets everything. */
void ring_clear(struct ring *ring);
/* Forgets what is newer than the item. */
void ring_rewind(struct ring *ring, int64_t item);

/* The item is not older than what the ring holds. */
void ring_put_tick(struct ring *ring, int64_t item, float value);
void ring_put_slot(struct ring *ring, int64_t item, struct slot slot);
/* NaN, and a slot without a count, where nothing is known. */
float ring_tick(const struct ring *ring, int64_t item);
struct slot ring_slot(const struct ring *ring, int64_t item);
