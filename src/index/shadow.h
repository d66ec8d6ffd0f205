/* An index tried on an empty temporary copy of its table. */
#pragma once

#include "db/db.h"
#include "index/script.h"
#include "sql.h"

/*
 * What the server makes of the statement; *ret_problem is set instead when the server refuses it.
 * Nothing remains: the transaction is rolled back. False when the trial itself could not be made.
 */
bool shadow_try(struct ctx *ctx, struct db *db, const struct script_index *index,
    const struct sql_catalog_table *table, struct sql_index_shadow *ret, const char **ret_problem)
    MUST_CHECK;
