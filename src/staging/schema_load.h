/*
 * The definitions of a database put into another one, as far as they go: what cannot be made there (an
 * extension that is not installed, and what hangs on it) is told and left out. No rows.
 */
#pragma once

#include "db/db.h"
#include "staging/tool.h"

/* The text of a plain pg_dump, or any SQL file with definitions; name is for messages. */
bool schema_load_text(struct ctx *ctx, struct db *db, const char *name, const char *text,
    struct text_list *ret_left_out) MUST_CHECK;

/* pg_dump --schema-only of from, put into db. */
bool schema_load_from(struct ctx *ctx, struct db *db, struct db *from,
    const struct dump_tools *tools, struct text_list *ret_left_out) MUST_CHECK;
