/* What a role lacks, as a hint. */
#pragma once

#include "db/db.h"

/*
 * Hints at what it takes to use schema pgmend: to read it in a session that only reads, else to write it; creates:
 * to make tables in it too. Returns false.
 */
bool db_hint_own_schema(struct ctx *ctx, const struct db *db, bool creates);
