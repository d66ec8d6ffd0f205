/* Small sets of numbers as rising arrays. */
#include "index/choose/part.h"

bool
id_set_has(const struct id_set *set, uint32_t id)
{
    size_t low = 0;
    size_t high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->items[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && set->items[low] == id;
}

bool
id_set_is_in(const struct id_set *narrow, const struct id_set *wide)
{
    size_t k = 0;

    if (narrow->count > wide->count)
        return false;
    for (size_t i = 0; i < narrow->count; i++) {
        while (k < wide->count && wide->items[k] < narrow->items[i])
            k++;
        if (k == wide->count || wide->items[k] != narrow->items[i])
            return false;
    }
    return true;
}

struct id_set
id_set_and(struct arena *arena, const struct id_set *a, const struct id_set *b)
{
    uint32_t *items;
    size_t count = 0;

    if (a->count > b->count)
        return id_set_and(arena, b, a);
    items = ARENA_ARRAY(arena, uint32_t, a->count);
    for (size_t i = 0; i < a->count; i++)
        if (id_set_has(b, a->items[i]))
            items[count++] = a->items[i];
    return (struct id_set){ .items = items, .count = count };
}

struct id_set
id_set_without(struct arena *arena, const struct id_set *a, const struct id_set *b)
{
    uint32_t *items = ARENA_ARRAY(arena, uint32_t, a->count);
    size_t count = 0;

    for (size_t i = 0; i < a->count; i++)
        if (!id_set_has(b, a->items[i]))
            items[count++] = a->items[i];
    return (struct id_set){ .items = items, .count = count };
}

struct id_set
id_set_with(struct arena *arena, const struct id_set *a, const struct id_set *b)
{
    uint32_t *items = ARENA_ARRAY(arena, uint32_t, a->count + b->count);
    size_t count = 0;
    size_t i = 0;
    size_t k = 0;

    while (i < a->count || k < b->count) {
        if (k == b->count || (i < a->count && a->items[i] < b->items[k])) {
            items[count++] = a->items[i++];
        } else {
            if (i < a->count && a->items[i] == b->items[k])
                i++;
            items[count++] = b->items[k++];
        }
    }
    return (struct id_set){ .items = items, .count = count };
}
