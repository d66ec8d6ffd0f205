/* One section of an alembic.ini, as Python's configparser reads it. */
#pragma once

#include "base/ctx.h"
#include "base/map.h"
#include "base/text.h"

struct ini {
    struct map values;         /* name → const char *, not interpolated */
    struct text_list sections; /* of the file */
    bool has_section;
};

/* Sets "here" to the folder of the file. Names of [DEFAULT] count where the section lacks them. */
bool ini_read(struct ctx *ctx, const char *path, const char *section, struct ini *ret) MUST_CHECK;

/*
 * The value with %(name)s and %% put in; *ret is NULL if the name is not there. ERR_INPUT for
 * names that are not there and for circles.
 */
bool ini_get(struct ctx *ctx, const struct ini *ini, const char *name, const char **ret) MUST_CHECK;
