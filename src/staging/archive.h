/* What pg_restore does with an archive. Never psql: it would run commands that a dump holds. */
#pragma once

#include "base/process.h"
#include "db/db.h"
#include "staging/tool.h"
#include "staging/watch.h"

/* Reads the archive from the first byte to the last: a truncated one is seen here. */
bool archive_read_through(struct ctx *ctx, const struct dump_tools *tools, const char *archive,
    const struct step_watch *watch) MUST_CHECK;

struct archive_restore {
    const struct dump_tools *tools;
    const char *archive;
    const char *database;
    int32_t jobs;
    bool has_owners; /* owners as they were; else everything is ours */
    bool has_grants;
    bool has_extensions; /* create the extensions; else they are there already */
    bool has_comments;   /* of extensions, which only their owner may set */
    /*
     * Only the rows, into tables that are there, with triggers and foreign keys off (which only a
     * superuser may do) unless triggers_stay; without entries that begin with one of left_out
     * ("TABLE DATA pgmend "). NULL: the whole archive.
     */
    const struct archive_data {
        const struct text_list *left_out;
        bool triggers_stay;
    } * data;
    const struct step_watch *watch;
};

/* Restores into a database on the server of db, which is empty; stops at the first error. */
bool archive_restore(struct ctx *ctx, struct db *db, const struct archive_restore *restore,
    int64_t *ret_us) MUST_CHECK;

/* Sets the error for a pg_dump or pg_restore that ended with a status other than 0. */
bool archive_failure(struct ctx *ctx, struct process *process);
