/* What the files env*.c share. */
#pragma once

#include "migrate/history/history.h"

/*
 * Reads what env.py says into the environment, statically: what it imports the metadata from is
 * looked for below the folders. A file that cannot be read leaves the naming unknown.
 */
void environment_read_script(
    struct ctx *ctx, const char *path, const struct text_list *folders, struct environment *ret);
