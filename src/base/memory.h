/*
 * What is done when there is no memory left: a message, and the program ends as it does after any other failure. No
 * caller could do better, and what was written down of unfinished work is healed by the next run, as after a kill.
 */
#pragma once

#include "base/base.h"

/* Says so on standard error and ends the program; size is what was asked for in bytes, 0 if that is not known. */
_Noreturn void memory_exhausted(size_t size);

/* The exit status of memory_exhausted(), 1 unless set: a command may mean something else by 1. */
void memory_set_exit_status(int status);

/* malloc(), calloc() and realloc() that never give NULL; for free(), and for libraries that take such functions. */
void *memory_alloc(size_t size);
void *memory_zeroed(size_t count, size_t size);
void *memory_resize(void *memory, size_t size);

/* The text in memory for free(); never NULL. */
char *memory_text(const char *text);
