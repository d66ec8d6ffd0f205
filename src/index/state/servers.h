/* The counters of a cluster's servers; private to state.c. */
#pragma once

#include "index/state/state.h"

/* Fills servers, connected and the uses of all items. */
bool index_servers_read(struct ctx *ctx, struct db *db, const struct text_list *replicas,
    struct index_states *states) MUST_CHECK;
