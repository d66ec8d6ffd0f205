#include "base/arena.h"

#include <stdalign.h>

#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#    define ONE_MALLOC_EACH 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define ONE_MALLOC_EACH 1
#    endif
#endif
#ifndef ONE_MALLOC_EACH
#    define ONE_MALLOC_EACH 0
#endif

/* With the sanitizer each allocation is a block of its own, so that overruns are seen. */
enum { BLOCK_BYTES = ONE_MALLOC_EACH ? 0 : 64 * 1024 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *blocks; /* the newest first */
    size_t used;
};

struct arena *
arena_new(void)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (!arena)
        memory_exhausted(sizeof(*arena));
    return arena;
}

static void
free_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;

        free(block);
        block = next;
    }
}

void
arena_free(struct arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena->blocks);
    free(arena);
}

/* A block of the usual size stays: who resets often does so to use it again. */
void
arena_reset(struct arena *arena)
{
    struct block *kept = arena->blocks;

    if (!kept)
        return;
    arena->used = 0;
    if (ONE_MALLOC_EACH || kept->size != BLOCK_BYTES) {
        free_blocks(kept);
        arena->blocks = NULL;
        return;
    }
    free_blocks(kept->next);
    kept->next = NULL;
    kept->used = 0;
}

void
arena_cleanup(struct arena **arena)
{
    arena_free(*arena);
    *arena = NULL;
}

static struct block *
add_block(struct arena *arena, size_t size)
{
    size_t room = size > BLOCK_BYTES ? size : (size_t)BLOCK_BYTES;
    struct block *block = malloc(sizeof(*block) + room);

    if (!block)
        memory_exhausted(room);
    block->used = 0;
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct block *block = arena->blocks;
    size_t rounded = (size + align - 1) & ~(align - 1);

    if (rounded < size)
        memory_exhausted(size);
    if (ONE_MALLOC_EACH)
        rounded = size;
    if (ONE_MALLOC_EACH || !block || block->size - block->used < rounded)
        block = add_block(arena, rounded);

    void *memory = block->data + block->used;

    block->used += rounded;
    arena->used += rounded;
    memset(memory, 0, rounded);
    return memory;
}

void *
arena_memdup(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);

    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *
arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    memcpy(copy, text, length);
    return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *
arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);

    int length = vsnprintf(NULL, 0, format, again);

    va_end(again);
    if (length < 0)
        return arena_strdup(arena, "");

    char *text = arena_alloc(arena, (size_t)length + 1);

    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    char *text = arena_vprintf(arena, format, args);

    va_end(args);
    return text;
}

size_t
arena_used(const struct arena *arena)
{
    return arena->used;
}
