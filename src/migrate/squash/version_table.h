/* Alembic's version table in a database that is not ours. */
#pragma once

#include "migrate/squash/squash.h"

/*
 * The revisions in it, sorted; *ret_is_there is false when Alembic would find no such table.
 * schema NULL: the first one in the search_path of the session's role. ERR_RIGHTS when it may not
 * be read.
 */
bool version_table_read(struct ctx *ctx, struct db *db, const char *schema, const char *name,
    struct text_list *ret, bool *ret_is_there) MUST_CHECK;
