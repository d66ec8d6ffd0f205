/* A file with a secret in it. */
#pragma once

#include "base/ctx.h"

/*
 * Its bytes without white space at the end, in the context's arena. ERR_CONFIG when others than its
 * owner may use it, or it is shorter than least; what says in errors what it is for.
 */
bool secret_file_read(
    struct ctx *ctx, const char *path, const char *what, size_t least, const char **ret) MUST_CHECK;
