/*
 * What the planner knows, carried from one database into another with the same schema and no rows: rows and
 * pages of tables and indexes, statistics of columns, settings of the planner. On a private server the files
 * get their sizes too, as sparse ones, because the planner takes page counts from them.
 */
#pragma once

#include "staging/private_server.h"

/*
 * db: a superuser's session on the server. Statistics that our role may not read in from are counted and
 * told. Views of its own (pg_stats) are all that is read, so no superuser is needed there.
 */
bool statistics_carry(struct ctx *ctx, struct db *from, struct private_server *server,
    struct db *db, struct text_list *ret_notes) MUST_CHECK;

/*
 * The same without the sizes of files, into a copy that has the rows: any database of our own, by a superuser's
 * session in it.
 */
bool statistics_carry_values(
    struct ctx *ctx, struct db *from, struct db *db, struct text_list *ret_notes) MUST_CHECK;

/* Settings that change plans, of the session from as its application has them, for the session db. */
bool statistics_carry_settings(struct ctx *ctx, struct db *from, struct db *db) MUST_CHECK;

/* The file of a relation gets this many blocks (more or fewer), all of it holes. */
bool statistics_set_blocks(struct ctx *ctx, struct private_server *server, struct db *db,
    const char *schema, const char *name, int64_t blocks) MUST_CHECK;
