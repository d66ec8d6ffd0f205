/* How fast a server builds, as far as the journal tells. */
#pragma once

#include "change/journal.h"

/* hnsw and ivfflat, whose builds compute distances and are slower. */
bool estimate_is_vector_method(const char *method);

/* Bytes of heap and index a second that builds of this access method got through here. */
double estimate_build_rate(
    struct ctx *ctx, const struct journal_entries *journal, const char *method);
