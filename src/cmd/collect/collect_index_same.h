/* Whether an index does what another one of the same table does as well. */
#pragma once

#include "base/text.h"

/*
 * By what follows the table in CREATE INDEX: both are B-trees with the same condition, and the keys of the first,
 * whichever way they are ordered, are the first keys of the second.
 */
bool collected_index_is_covered(struct arena *arena, const char *definition, const char *by);
