/* What stands in a dump beside SQL: lines for psql, and the rows of COPY. */
#pragma once

#include "base/text.h"

/*
 * A copy of the text with psql's backslash lines, and the rows of COPY … FROM stdin up to "\.", as blanks:
 * every byte that stays is where it was.
 */
const char *schema_load_only_sql(struct arena *arena, const char *text);
