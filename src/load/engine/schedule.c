#include "load/engine/schedule.h"

#include "base/vec.h"

void
load_schedule_push(struct load_schedule *schedule, int64_t at_us, uint32_t user)
{
    struct load_due due = { .at_us = at_us, .user = user };
    size_t hole = schedule->count;

    VEC_PUSH(schedule->arena, schedule, due);
    while (hole > 0) {
        size_t above = (hole - 1) / 2;

        if (schedule->items[above].at_us <= at_us)
            break;
        schedule->items[hole] = schedule->items[above];
        hole = above;
    }
    schedule->items[hole] = due;
}

struct load_due
load_schedule_pop(struct load_schedule *schedule)
{
    struct load_due *items = schedule->items;
    struct load_due first = items[0];
    struct load_due last = items[--schedule->count];
    size_t hole = 0;

    for (;;) {
        size_t below = hole * 2 + 1;

        if (below >= schedule->count)
            break;
        if (below + 1 < schedule->count && items[below + 1].at_us < items[below].at_us)
            below++;
        if (last.at_us <= items[below].at_us)
            break;
        items[hole] = items[below];
        hole = below;
    }
    items[hole] = last;
    return first;
}

/* The old items stay in the arena: all of them together are not more than the new ones. */
static void
grow(struct load_ring *ring)
{
    size_t capacity = ring->capacity > 0 ? ring->capacity * 2 : 64;
    int64_t *items = ARENA_ARRAY(ring->arena, int64_t, capacity);

    for (size_t i = 0; i < ring->count; i++)
        items[i] = ring->items[(ring->head + i) & (ring->capacity - 1)];
    ring->items = items;
    ring->head = 0;
    ring->capacity = capacity;
}

void
load_ring_push(struct load_ring *ring, int64_t item)
{
    if (ring->count == ring->capacity)
        grow(ring);
    ring->items[(ring->head + ring->count++) & (ring->capacity - 1)] = item;
}

int64_t
load_ring_pop(struct load_ring *ring)
{
    int64_t item = ring->items[ring->head];

    ring->head = (ring->head + 1) & (ring->capacity - 1);
    ring->count--;
    return item;
}
