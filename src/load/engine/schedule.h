/* What is due when, and who waits for his turn: a heap and a ring of users' numbers. */
#pragma once

#include "base/arena.h"

struct load_due {
    int64_t at_us;
    uint32_t user;
};

/* The earliest first. { .arena = … } starts one. */
struct load_schedule {
    struct arena *arena;
    struct load_due *items;
    size_t count;
    size_t capacity;
};

void load_schedule_push(struct load_schedule *schedule, int64_t at_us, uint32_t user);
/* There must be one. */
struct load_due load_schedule_pop(struct load_schedule *schedule);

/* First in, first out. { .arena = … } starts one. */
struct load_ring {
    struct arena *arena;
    int64_t *items;
    size_t head;
    size_t count;
    size_t capacity; /* a power of two */
};

void load_ring_push(struct load_ring *ring, int64_t item);
/* There must be one. */
int64_t load_ring_pop(struct load_ring *ring);

/* When the first one is due; INT64_MAX: none. */
static inline int64_t
load_schedule_next_us(const struct load_schedule *schedule)
{
    return schedule->count > 0 ? schedule->items[0].at_us : INT64_MAX;
}

/* There must be one. */
static inline int64_t
load_ring_first(const struct load_ring *ring)
{
    return ring->items[ring->head];
}
