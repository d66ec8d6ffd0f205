/* The configuration file: pgmend.ini, in the style of PgBouncer and pgBackRest. */
#pragma once

#include "base/vec.h"
#include "cli/command.h"

struct config_entry {
    const char *section; /* "pgmend", "index", "index apply" */
    const char *name;
    const char *value;
    int line;
};

struct config {
    const char *path;
    VEC(struct config_entry) entries;
};

/*
 * The file to read: the given one, else $PGMEND_CONFIG, else the first that exists of
 * ./pgmend.ini, pgmend/pgmend.ini in the user's configuration folder, /etc/pgmend/pgmend.ini.
 * NULL if there is none.
 */
const char *config_find(struct arena *arena, const char *given);

/* Reads and checks all of it against all commands; ERR_CONFIG with "file:line:". */
bool config_load(struct ctx *ctx, const char *path, struct config *ret) MUST_CHECK;

/* The same for text that is already read; name stands for it in errors. */
bool config_parse(struct ctx *ctx, const char *name, const char *text, size_t length,
    struct config *ret) MUST_CHECK;

/* The same without knowing which names there may be, for a program with settings of its own. */
bool config_read(struct ctx *ctx, const char *path, struct config *ret) MUST_CHECK;

/* How many words of the command's path the section names, 0 for [pgmend]; -1: not for it. */
int config_rank(const struct config_entry *entry, const struct command *command);
