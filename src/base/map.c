#include "base/map.h"

#include <string.h>

enum { LEAST_CAPACITY = 16 };

/* Source: Fowler, Noll and Vo, FNV-1a. */
static uint32_t
hash_text(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

/* The entry of the key, or the free one where it would stand. */
static struct map_entry *
find(struct map_entry *entries, size_t capacity, const char *key, uint32_t hash)
{
    size_t i = hash & (capacity - 1);

    while (entries[i].key && (entries[i].hash != hash || strcmp(entries[i].key, key) != 0))
        i = (i + 1) & (capacity - 1);
    return &entries[i];
}

/* Room for one more; removed entries give theirs back. */
static void
grow(struct map *map)
{
    size_t live = 0, capacity = LEAST_CAPACITY;
    struct map_entry *entries;

    for (size_t i = 0; i < map->capacity; i++)
        live += map->entries[i].value != NULL;
    while (capacity < (live + 1) * 4)
        capacity *= 2;
    entries = ARENA_ARRAY(map->arena, struct map_entry, capacity);
    for (size_t i = 0; i < map->capacity; i++) {
        const struct map_entry *entry = &map->entries[i];

        if (entry->value)
            *find(entries, capacity, entry->key, entry->hash) = *entry;
    }
    map->entries = entries;
    map->capacity = capacity;
    map->count = live;
}

void *
map_get(const struct map *map, const char *key)
{
    if (map->capacity == 0)
        return NULL;
    return find(map->entries, map->capacity, key, hash_text(key))->value;
}

void
map_set(struct map *map, const char *key, void *value)
{
    uint32_t hash = hash_text(key);
    struct map_entry *entry;

    if (map->count * 2 >= map->capacity)
        grow(map);
    entry = find(map->entries, map->capacity, key, hash);
    if (!entry->key) {
        if (!value)
            return;
        entry->key = key;
        entry->hash = hash;
        map->count++;
    }
    entry->value = value;
}

const struct map_entry *
map_next(const struct map *map, size_t *cursor)
{
    while (*cursor < map->capacity) {
        const struct map_entry *entry = &map->entries[(*cursor)++];

        if (entry->key && entry->value)
            return entry;
    }
    return NULL;
}
