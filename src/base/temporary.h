/*
 * Private files and folders in TMPDIR that go when their work ends. As long as it goes on they are
 * locked; what a killed process left is not, and the next one to make something removes it.
 */
#pragma once

#include "base/ctx.h"

struct temporary {
    const char *path; /* NULL: there is none */
    int lock;         /* open file that holds the lock */
};

/* An empty folder, 0700; what names its use: "alembic". */
bool temporary_folder(struct ctx *ctx, const char *what, struct temporary *ret) MUST_CHECK;

/* A file with this text, 0600. */
bool temporary_file(struct ctx *ctx, const char *what, const char *text, struct temporary *ret)
    MUST_CHECK;

/* Removes it. For CLEANUP; a second call does nothing. */
void temporary_end(struct temporary *temporary);
