/* A backup in a few words, of its manifest. */
#pragma once

#include "backup/backup.h"
#include "backup/manifest.h"

/* Everything but whether it is verified. */
struct backup_info info_of_manifest(
    struct arena *arena, const char *path, const struct manifest *manifest);

/* The path of a backup by its name or, with NULL, of the newest. */
bool info_find_path(struct ctx *ctx, const char *folder, const char *name, const char **ret_path)
    MUST_CHECK;
