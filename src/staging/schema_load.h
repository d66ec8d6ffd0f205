/*
 * The definitions of a database put into one on a private server, as far as they go: what cannot be made there
 * (an extension that is not installed, and what hangs on it) is told and left out. No rows, no roles, no rights.
 *
 * A dump is somebody else's text. Its definitions are made by a role that is no superuser
 * (PRIVATE_SERVER_OWNER); what would run code or reach outside (DO, queries, COPY of a program, servers) is
 * not run at all, and told.
 */
#pragma once

#include "db/db.h"
#include "staging/tool.h"

/*
 * The text of a plain pg_dump, or any SQL file with definitions; name is for messages. db: a superuser's
 * session from private_server_open(); ERR_UNSUPPORTED elsewhere. ERR_INPUT when the text cannot be split.
 */
bool schema_load_text(struct ctx *ctx, struct db *db, const char *name, const char *text,
    struct text_list *ret_left_out) MUST_CHECK;

/* pg_dump --schema-only of from, put into db. */
bool schema_load_from(struct ctx *ctx, struct db *db, struct db *from,
    const struct dump_tools *tools, struct text_list *ret_left_out) MUST_CHECK;
