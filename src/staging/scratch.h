/*
 * Databases of our own: backups are restored into them, plans and migrations tried in them. Their
 * name holds the session that made them, pgmend_scratch_<pid>_<start of the session>_<random>, so
 * that the next run knows which ones have no owner any more.
 */
#pragma once

#include "db/db.h"

struct scratch {
    struct db *admin;
    const char *name; /* NULL: there is none */
};

/* How a database sorts and spells. */
struct scratch_locale {
    const char *encoding;
    const char *collate;
    const char *ctype;
    const char *provider; /* c, i or b */
    const char *locale;   /* of ICU or the built-in provider, or NULL */
};

/* Makes an empty one of this locale, or a copy of the database template. */
bool scratch_create(struct ctx *ctx, struct db *admin, const struct scratch_locale *locale,
    const char *scratch_template, struct scratch *ret) MUST_CHECK;

/* Makes an empty one with the locale of the database of db, or a copy of the database template. */
bool scratch_create_like(
    struct ctx *ctx, struct db *db, const char *scratch_template, struct scratch *ret) MUST_CHECK;

/*
 * Makes a copy of a whole database, which nobody but admin may be connected to. by_file: of its files, with a
 * checkpoint before and after and hardly any WAL; else block by block through WAL. PostgreSQL 14 knows only files.
 */
bool scratch_create_copy(struct ctx *ctx, struct db *admin, const char *database, bool by_file,
    struct scratch *ret) MUST_CHECK;

/* A name that the next run drops when this session is gone: for a database that is put aside. */
bool scratch_name_free(struct ctx *ctx, struct db *admin, const char **ret) MUST_CHECK;

/* Drops it, whatever happened before and even when a signal came; the error stays. */
void scratch_drop(struct scratch *scratch);

/*
 * Opens again what a killed swap of databases left closed, and drops the scratch databases of dead
 * runs; a sentence for each.
 */
bool scratch_heal(struct ctx *ctx, struct db *admin, struct text_list *ret_notes) MUST_CHECK;
