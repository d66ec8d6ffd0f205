/* Text of the database, as a terminal may see it. */
#pragma once

#include "base/text.h"

/*
 * The text on one line, in UTF-8: line ends and tabs are blanks; other control characters, those that
 * turn the direction of writing, and bytes that are no UTF-8 are "?".
 */
const char *plain_text(struct arena *arena, const char *text);

/* The same, of at most so many terminal columns; "…" tells that something was left out. */
const char *plain_cut(struct arena *arena, const char *text, size_t columns);
