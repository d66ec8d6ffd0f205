/* Looks at the database before and after the rows come. */
#pragma once

#include "data/load.h"

/* ERR_NOT_FOUND or ERR_CONFLICT unless every table exists with the columns that we fill. */
bool check_columns(struct ctx *ctx, struct db *db, const struct loading *loading) MUST_CHECK;

/* Keeps others from writing until the transaction ends; ERR_CONFLICT if a table has rows. */
bool check_empty(struct ctx *ctx, struct db *db, const struct loading *loading) MUST_CHECK;

/* ERR_VERIFICATION if a row refers to one that does not exist. */
bool check_foreign_keys(struct ctx *ctx, struct db *db, const struct loading *loading) MUST_CHECK;
