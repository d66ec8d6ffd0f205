/* A growable array in an arena: struct { T *items; size_t count; size_t capacity; }. */
#pragma once

#include "base/arena.h"

#define VEC(type)        \
    struct {             \
        type *items;     \
        size_t count;    \
        size_t capacity; \
    }

/* Appends a value (an expression of the item type). */
#define VEC_PUSH(arena, vec, ...)                                                           \
    do {                                                                                    \
        if ((vec)->count == (vec)->capacity)                                                \
            (vec)->items =                                                                  \
                vec_grow((arena), (vec)->items, &(vec)->capacity, sizeof((vec)->items[0])); \
        (vec)->items[(vec)->count++] = (__VA_ARGS__);                                       \
    } while (0)

/* A copy of the items with at least twice the room; the old ones stay in the arena. */
void *vec_grow(struct arena *arena, const void *items, size_t *capacity, size_t size);
