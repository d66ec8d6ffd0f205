/* The whole catalogue of a database apart from schema pgmend, as digests to compare. */
#pragma once

#include "db/db.h"

/* JSON { "index": { "count": 12, "digest": "…" }, … } in the arena. */
bool inventory_take(struct ctx *ctx, struct db *db, const char **ret_json) MUST_CHECK;

/* The classes that differ between two inventories, as "index (12 → 16), column"; NULL: none. */
bool inventory_compare(struct ctx *ctx, const char *before, const char *after,
    const char **ret_differences) MUST_CHECK;
