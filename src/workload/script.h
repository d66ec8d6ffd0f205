/*
 * pgbench scripts as statements: what report and load need to know a script's queries again in
 * pg_stat_statements, and to ask for their plans.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"

struct script_statement {
    const char *text;        /* as in the script, with :variables */
    const char *sql;         /* with $1 in their place, as pgbench -M prepared sends it */
    const char *fingerprint; /* NULL when the grammar here does not know the statement */
    const char *sample;      /* with representative values in their place, or NULL */
    const char *values;      /* "user=8000 limit=50": those values; "" when there are none */
    const char *problem;     /* why sample or fingerprint is NULL, or NULL */
    struct text_list names;  /* the variable of each $n; "${…}": an expression */
    size_t line;             /* from 1 */
};

/* A line with a backslash: a command of pgbench's, not SQL. */
struct script_command {
    const char *name; /* "set", "sleep", "gset" … */
    const char *rest; /* of the line, and of those on which it is continued */
    size_t line;
    size_t before; /* so many statements stand before it */
    bool ends;     /* the statement before it, instead of a semicolon */
};

struct script {
    const char *name; /* the file's name without .sql */
    const char *path;
    struct script_statement *items;
    size_t count;
    size_t capacity;
    struct script_command *commands;
    size_t command_count;
};

struct scripts {
    struct script *items;
    size_t count;
    size_t capacity;
};

/*
 * Reads the folder's *.sql files in the order of their names. defines are "name=value", as
 * pgbench -D. Values of \set are the middle of random ranges; all \set lines of a script are
 * evaluated before its statements. ERR_NOT_FOUND when there is no script.
 */
bool script_read_folder(struct ctx *ctx, const char *folder, const struct text_list *defines,
    struct scripts *ret) MUST_CHECK;

/* The same of one script's text. */
bool script_read(struct ctx *ctx, const char *name, const char *text,
    const struct text_list *defines, struct script *ret) MUST_CHECK;
