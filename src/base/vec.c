#include "base/vec.h"

enum { SMALL_ITEM = 32 };

void *
vec_grow(struct arena *arena, const void *items, size_t *capacity, size_t size)
{
    /* Large items often come alone. */
    size_t first = size <= SMALL_ITEM ? 8 : 2;
    size_t larger = *capacity ? *capacity * 2 : first;
    void *copy = arena_alloc(arena, larger * size);

    if (*capacity)
        memcpy(copy, items, *capacity * size);
    *capacity = larger;
    return copy;
}
