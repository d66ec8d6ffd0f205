/* The manifest of a backup: manifest.json, and SHA256SUMS, which `sha256sum -c` reads too. */
#pragma once

#include "staging/content.h"

#define MANIFEST_FILE     "manifest.json"
#define MANIFEST_SUMS     "SHA256SUMS"
#define MANIFEST_VERIFIED "verified.json"

enum { MANIFEST_VERSION = 1 };

struct manifest_file {
    const char *path; /* below the backup's folder */
    int64_t bytes;
    const char *sha256;
};

struct manifest {
    const char *name;
    const char *format; /* "directory" or "custom" */
    const char *pgmend_version;
    const char *dump_version;
    const char *server_version;
    int32_t server_number;         /* 150020 */
    const char *system_identifier; /* NULL: the role may not ask for it */
    int32_t timeline;              /* 0: unknown */
    const char *lsn;               /* NULL: unknown */
    const char *database;
    uint32_t database_oid;
    int64_t database_bytes;
    const char *encoding;
    const char *collate;
    const char *ctype;
    const char *locale_provider; /* c, i or b */
    const char *locale;
    const char *owner;
    const char *snapshot_at; /* the moment that the backup shows */
    int64_t snapshot_us;     /* the same, microseconds since 1970 */
    int64_t duration_us;
    int32_t jobs;
    struct content content;
    VEC(struct manifest_file) files;
    const char *sha256; /* of manifest.json itself; set by manifest_read() and manifest_write() */
};

/* Where pg_dump put the archive. */
const char *manifest_archive(
    struct arena *arena, const char *folder, const struct manifest *manifest);

/* Sizes and sums of all files of the archive, into manifest->files; each is flushed to disk. */
bool manifest_add_files(struct ctx *ctx, const char *folder, struct manifest *manifest) MUST_CHECK;

/* Writes manifest.json and SHA256SUMS. */
bool manifest_write(struct ctx *ctx, const char *folder, struct manifest *manifest) MUST_CHECK;

/* Reads manifest.json; anything wrong is ERR_VERIFICATION. Sums are not looked at. */
bool manifest_read(struct ctx *ctx, const char *folder, struct manifest *ret) MUST_CHECK;

/*
 * Compares the folder with the manifest: no file more or less, all of the recorded size, and
 * unless is_quick of the recorded sum. One sentence for each thing that is wrong.
 */
bool manifest_check(struct ctx *ctx, const char *folder, const struct manifest *manifest,
    bool is_quick, struct text_list *ret_wrong) MUST_CHECK;

/* What a successful verification leaves beside the manifest. */
struct manifest_verified {
    const char *verified_at;
    int64_t verified_us;
    const char *pgmend_version;
    const char *server_version; /* where it was restored */
    const char *server;         /* "host:port" */
    int64_t restore_us;         /* what pg_restore took */
    int64_t duration_us;
    const char *manifest_sha256;
};

bool manifest_write_verified(
    struct ctx *ctx, const char *folder, const struct manifest_verified *verified) MUST_CHECK;

/* False without an error when there is none; *ret_why says what is wrong with it, else NULL. */
bool manifest_read_verified(struct ctx *ctx, const char *folder, const struct manifest *manifest,
    struct manifest_verified *ret, const char **ret_why);
