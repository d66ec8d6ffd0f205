/* A file of CREATE INDEX statements, read before anything is sent to a server. */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"

/* One statement of the file; problem is set when pgmend will not run it. */
struct script_index {
    const char *source;     /* "critical.sql:12" */
    const char *text;       /* as written */
    const char *reason;     /* the comment lines before it, or NULL */
    const char *name;       /* of the index */
    const char *table;      /* as written: quoted, with schema, or not */
    const char *rest;       /* what follows the table in the statement */
    const char *tablespace; /* or NULL */
    bool is_unique;
    bool if_not_exists;
    const char *problem; /* why it is refused, or NULL */
    const char *remedy;  /* or NULL */
};

struct index_script {
    struct script_index *items;
    size_t count;
    size_t capacity;
};

/* Adds the statements of a file; "-" is standard input. Fails only if the file cannot be read. */
bool index_script_read(struct ctx *ctx, const char *path, struct index_script *script) MUST_CHECK;
