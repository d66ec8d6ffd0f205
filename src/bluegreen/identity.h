/* Tables without a key: they get REPLICA IDENTITY FULL, journaled, and lose it again at the end. */
#pragma once

#include "bluegreen/bluegreen.h"
#include "change/journal.h"

#define BLUEGREEN_IDENTITY_KIND "replica identity"

/* Of blue's tables, each in a short try at its lock. */
bool bluegreen_set_identities(struct ctx *ctx, struct bluegreen *pair, struct journal *journal)
    MUST_CHECK;

/* What stands in the journal comes back to what it was. */
bool bluegreen_reset_identities(struct ctx *ctx, struct bluegreen *pair, struct journal *journal)
    MUST_CHECK;
