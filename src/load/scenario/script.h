/*
 * SQL scripts as steps: pgbench's format, statements with :variables and \set, \sleep and \gset lines.
 * docs/load.md says what else is different from pgbench.
 */
#pragma once

#include "load/scenario/world.h"

/*
 * Appends the script's assignments to the world and makes its statements, which also may have ${expression}
 * in them. where is the script's path, or "FILE:LINE" of the line on which its text begins: all errors
 * are ERR_INPUT that name file and line. Everything else of the step is left as it is.
 */
bool load_script_compile(struct ctx *ctx, struct load_world *world, const char *name,
    const char *text, const char *where, struct load_step *ret) MUST_CHECK;

/* The same of a file. */
bool load_script_read(struct ctx *ctx, struct load_world *world, const char *name, const char *path,
    struct load_step *ret) MUST_CHECK;
