/* A backup restored into a scratch database and compared with its manifest. */
#pragma once

#include "backup/manifest.h"
#include "staging/archive.h"
#include "staging/scratch.h"

struct side {
    struct scratch scratch;
    bool has_owners;
    bool has_grants;
    int64_t restore_us;
    int64_t analyze_us;
    struct text_list differences;
    struct text_list rights; /* owners and grants that differ */
    struct text_list notes;
};

struct side_options {
    const struct manifest *manifest;
    const char *path;             /* of the backup */
    const char *scratch_template; /* or NULL */
    const struct dump_tools *tools;
    int32_t jobs;
    bool is_for_use; /* it will be a real database: owners and grants count, statistics are made */
    const struct step_watch *watch;
};

/* Reads the manifest and checks every file; ERR_VERIFICATION with what is wrong in ret_wrong. */
bool side_check_files(struct ctx *ctx, const char *path, struct manifest *ret,
    struct text_list *ret_wrong) MUST_CHECK;

/*
 * Makes the scratch database, restores and compares. True also when there are differences. When it
 * fails, and when the caller is done, scratch_drop() is the caller's.
 */
bool side_restore(struct ctx *ctx, struct db *admin, const struct side_options *options,
    struct side *ret) MUST_CHECK;

/* Sets ERR_VERIFICATION with the first of the sentences as detail. */
bool side_refuse(struct ctx *ctx, const char *what, const struct text_list *wrong);
