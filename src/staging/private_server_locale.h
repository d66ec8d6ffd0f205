/* How the databases of a private server sort and spell: as a live one does, where that can be had. */
#pragma once

#include "db/db.h"

struct server_locale {
    const char *encoding;
    const char *collate;
    const char *ctype;
    char provider;      /* c, i or b */
    const char *locale; /* of ICU or the built-in provider, or NULL */
};

/* That of the database like; NULL: UTF8 and C.UTF-8. */
bool server_locale_read(
    struct ctx *ctx, struct db *like, struct arena *arena, struct server_locale *ret) MUST_CHECK;

/* What settling leaves behind: an empty database of that locale, to be renamed. */
#define SERVER_SPARE_DATABASE "pgmend_spare"

/*
 * Changes it to one that the server of db can have, and makes the spare database. Whether the collation is C is kept, because the
 * planner uses a B-tree for LIKE only then; a sentence for what is not.
 */
bool server_locale_settle(struct ctx *ctx, struct db *db, struct server_locale *locale,
    struct text_list *ret_notes) MUST_CHECK;

/* CREATE DATABASE with it. */
const char *server_locale_create(
    struct arena *arena, const struct server_locale *locale, const char *database);
