/* Names to pointers, in an arena: a hash table that only grows. */
#pragma once

#include "base/arena.h"

struct map_entry {
    const char *key; /* NULL: free */
    uint32_t hash;
    void *value;
};

/* { .arena = … } starts one. Keys are not copied and must outlive the map. */
struct map {
    struct arena *arena;
    struct map_entry *entries;
    size_t count; /* also of removed ones, whose value is NULL */
    size_t capacity;
};

/* The value, or NULL. */
void *map_get(const struct map *map, const char *key);

/* Sets or replaces; NULL removes. */
void map_set(struct map *map, const char *key, void *value);

/*
 * The entries in no particular order: *cursor starts at 0; NULL at the end. The map may be
 * changed between calls only by replacing or removing the entry just seen.
 */
const struct map_entry *map_next(const struct map *map, size_t *cursor);
