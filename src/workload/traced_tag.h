/* What the application says about a statement in a comment of its text. */
#pragma once

#include "workload/statement.h"

/*
 * Reads the comments at the beginning and the end of a text of this length: sqlcommenter's
 * key='url-encoded', marginalia's key:value (both with commas between), and a traceparent alone. What is
 * not told is NULL; the texts are in the arena.
 */
void traced_tag_read(struct arena *arena, const char *sql, size_t length, struct traced_tag *ret);
