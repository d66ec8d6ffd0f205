#include "base/memory.h"

#include <unistd.h>

static int exit_status = 1;

void
memory_set_exit_status(int status)
{
    exit_status = status;
}

/*
 * Not abort(): a core of a machine without memory helps nobody. Not exit(): a library that is just setting itself up
 * would be waited for by its own tidying up, for ever. Half a result on standard output is of no use.
 */
void
memory_exhausted(size_t size)
{
    if (size > 0)
        fprintf(stderr, "pgmend: out of memory (asked for %zu bytes)\n", size);
    else
        fputs("pgmend: out of memory\n", stderr);
    _exit(exit_status);
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
