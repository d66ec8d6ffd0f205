/*
 * Memory of one piece of work (a command, a request, a tick), freed all at once. Running out of
 * memory ends the program with a message: no caller could do better.
 */
#pragma once

#include <stdarg.h>

#include "base/base.h"

struct arena;

struct arena *arena_new(void);

/* Frees everything taken from the arena. NULL is allowed. */
void arena_free(struct arena *arena);

/* Frees everything, keeps the arena for the next turn. */
void arena_reset(struct arena *arena);

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);

void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* The bytes handed out since the arena was made or reset. */
size_t arena_used(const struct arena *arena);

/* For CLEANUP: frees the arena that *arena points to. */
void arena_cleanup(struct arena **arena);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))
