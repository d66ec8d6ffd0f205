/* Time: monotonic for intervals, wall clock only to be shown and stored. */
#pragma once

#include "base/ctx.h"

/* Microseconds since some start; never goes back. */
int64_t clock_us(void);

/* Microseconds since 1970-01-01 UTC. */
int64_t clock_wall_us(void);

/* "2026-11-22T13:30:00Z". */
const char *clock_text(struct arena *arena, int64_t wall_us);

/* The reverse of clock_text(); false if it is not such a text. */
bool clock_parse(const char *text, int64_t *ret_wall_us);

/* Sleeps; false at once when a signal asked us to stop. */
bool clock_sleep_us(int64_t us);
