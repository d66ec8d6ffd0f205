#include "base/memory.h"

static int exit_status = 1;

void
memory_set_exit_status(int status)
{
    exit_status = status;
}

/* Not abort(): a core of a machine without memory helps nobody, and what runs at exit tidies up. */
void
memory_exhausted(size_t size)
{
    if (size > 0)
        fprintf(stderr, "pgmend: out of memory (asked for %zu bytes)\n", size);
    else
        fputs("pgmend: out of memory\n", stderr);
    exit(exit_status);
}

void *
memory_alloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (!memory)
        memory_exhausted(size);
    return memory;
}

void *
memory_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (!memory)
        memory_exhausted(size);
    return memory;
}

void *
memory_resize(void *memory, size_t size)
{
    void *resized = realloc(memory, size > 0 ? size : 1);

    if (!resized)
        memory_exhausted(size);
    return resized;
}

char *
memory_text(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_alloc(size), text, size);
}
