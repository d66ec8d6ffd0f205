/* A scratch database with the schema of a live one and no rows: where a plan is rehearsed. */
#pragma once

#include "base/process.h"
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

/*
 * The same beside other work: begin starts pg_dump, end waits for it and gives the text.
 * schema_dump_stop() ends it after a failure, and may always be called: for CLEANUP.
 */
struct schema_dump {
    struct process process;
    struct db_child_env env;
    bool is_running;
};
bool schema_dump_begin(struct ctx *ctx, struct db *db, const struct dump_tools *tools,
    const char *database, struct schema_dump *ret) MUST_CHECK;
bool schema_dump_end(struct ctx *ctx, struct schema_dump *dump, const char **ret_text) MUST_CHECK;
void schema_dump_stop(struct schema_dump *dump);
