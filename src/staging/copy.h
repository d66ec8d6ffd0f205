/*
 * A copy of a whole database, rows and all, in a scratch database: nobody but us knows its name, and when we
 * are killed the next run drops it. stage.h gives it a name.
 */
#pragma once

#include "staging/content.h"
#include "staging/scratch.h"
#include "staging/tool.h"
#include "staging/watch.h"

struct copy_options {
    const struct dump_tools *tools;
    const char *scratch_template; /* a database that has the extensions, or NULL */
    int32_t jobs;
    bool has_owners; /* owners and rights as they are: the same cluster, and a superuser */
    bool has_comments;
    const struct step_watch *watch;
};

/*
 * pg_dump and pg_restore of one snapshot, into the server of admin (which may be another one). What the
 * snapshot holds is counted and summed up meanwhile: *ret_content, without schema pgmend, which is not copied.
 * The caller drops the scratch database, also after a failure.
 */
bool copy_by_dump(struct ctx *ctx, struct db *source, struct db *admin,
    const struct copy_options *options, struct scratch *ret, struct content *ret_content)
    MUST_CHECK;

/*
 * CREATE DATABASE … TEMPLATE; source: the only session in the database, in whose name it is made. ERR_CONFLICT
 * names the sessions that are in the way.
 */
bool copy_by_template(struct ctx *ctx, struct db *source, struct scratch *ret) MUST_CHECK;

/* Removes schema pgmend, whose journal is about another database; db: in the copy. */
bool copy_drop_journal(struct ctx *ctx, struct db *db) MUST_CHECK;

/* Takes out what is of schema pgmend. */
void content_leave_out_pgmend(struct arena *arena, struct content *content);

/*
 * Compares a copy with what the snapshot held. Of tables in masked (quoted names) only the number of rows counts.
 * ERR_VERIFICATION with the differences. *ret_tables: how many were equal to the last byte.
 */
bool copy_compare(struct ctx *ctx, struct db *db, const struct content *expected,
    const struct text_list *masked, size_t *ret_tables) MUST_CHECK;
