#include "base/vec.h"

void *
vec_grow(struct arena *arena, const void *items, size_t *capacity, size_t size)
{
    size_t larger = *capacity ? *capacity * 2 : 8;
    void *copy = arena_alloc(arena, larger * size);

    if (*capacity)
        memcpy(copy, items, *capacity * size);
    *capacity = larger;
    return copy;
}
