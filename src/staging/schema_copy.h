/* A scratch database with the schema of a live one and no rows: where a plan is rehearsed. */
#pragma once

#include "staging/scratch.h"
#include "staging/tool.h"

/*
 * pg_dump --schema-only of db, without schema pgmend, restored into a new scratch database. The
 * caller drops it with scratch_drop(), also after a failure. scratch_template: a database that has
 * the extensions, for roles that may not create them, or NULL.
 */
bool schema_copy_create(struct ctx *ctx, struct db *db, const struct dump_tools *tools,
    const char *scratch_template, struct scratch *ret) MUST_CHECK;

/* The definition of a database as pg_dump writes it, without schema pgmend and random keys. */
bool schema_copy_dump(struct ctx *ctx, struct db *db, const struct dump_tools *tools,
    const char *database, const char **ret_text) MUST_CHECK;
