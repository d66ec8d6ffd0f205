#include "monitor/history_ring.h"

#include <math.h>

void
ring_init_ticks(struct ring *ring, struct arena *arena, int64_t room)
{
    *ring = (struct ring){ .ticks = ARENA_ARRAY(arena, float, (size_t)room), .room = room };
    ring_clear(ring);
}

void
ring_init_slots(struct ring *ring, struct arena *arena, int64_t room)
{
    *ring = (struct ring){ .slots = ARENA_ARRAY(arena, struct slot, (size_t)room), .room = room };
    ring_clear(ring);
}

static void
forget(struct ring *ring, int64_t item)
{
    if (ring->ticks)
        ring->ticks[item % ring->room] = NAN;
    else
        ring->slots[item % ring->room] = (struct slot){ 0 };
}

void
ring_clear(struct ring *ring)
{
    for (int64_t i = 0; i < ring->room; i++)
        forget(ring, i);
    ring->newest = -1;
}

void
ring_rewind(struct ring *ring, int64_t item)
{
    if (ring->newest <= item)
        return;
    if (item < 0 || ring->newest - item >= ring->room) {
        ring_clear(ring);
        return;
    }
    for (; ring->newest > item; ring->newest--)
        forget(ring, ring->newest);
}

/* What was passed over has no value. */
static void
go_on_to(struct ring *ring, int64_t item)
{
    if (item - ring->newest > ring->room)
        ring_clear(ring);
    else
        for (int64_t i = ring->newest + 1; i < item; i++)
            forget(ring, i);
    if (item > ring->newest)
        ring->newest = item;
}

void
ring_put_tick(struct ring *ring, int64_t item, float value)
{
    go_on_to(ring, item);
    ring->ticks[item % ring->room] = value;
}

void
ring_put_slot(struct ring *ring, int64_t item, struct slot slot)
{
    go_on_to(ring, item);
    ring->slots[item % ring->room] = slot;
}

static bool
has_item(const struct ring *ring, int64_t item)
{
    return item >= 0 && item <= ring->newest && item > ring->newest - ring->room;
}

float
ring_tick(const struct ring *ring, int64_t item)
{
    return has_item(ring, item) ? ring->ticks[item % ring->room] : NAN;
}

struct slot
ring_slot(const struct ring *ring, int64_t item)
{
    return has_item(ring, item) ? ring->slots[item % ring->room] : (struct slot){ 0 };
}
