/* Backups that are proven: made of one snapshot, summed up, and restored before they count. */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "db/db.h"
#include "staging/archive.h"

struct backup_info {
    const char *name;
    const char *path;
    const char *database;
    const char *format;
    const char *server_version;
    const char *system_identifier; /* NULL: unknown */
    const char *alembic_version;   /* joined by commas; empty: none */
    int64_t tables;
    int64_t rows;
    int64_t bytes;          /* of the archive */
    int64_t database_bytes; /* of the database then, on disk */
    int64_t created_us;     /* the moment of the snapshot, since 1970 */
    int64_t duration_us;
    bool is_verified;
    int64_t verified_us;
    int64_t restore_us;  /* measured by the verification, 0 before */
    const char *why_not; /* a sentence: why it does not count as verified; NULL when it does */
};

struct backup_create_options {
    const char *folder;
    const char *name;   /* NULL: made of database and time */
    const char *format; /* "directory" or "custom" */
    int32_t jobs;       /* for "directory" */
    int32_t compress;   /* 0 to 9 */
    int64_t lock_wait_us;
    const char *bin_folder; /* of pg_dump and pg_restore, or NULL */
    const struct step_watch *watch;
};

/*
 * Dumps the database of db. Whatever goes wrong, nothing stays in the folder that looks like a
 * backup. ERR_GATE when there is not enough room, ERR_RIGHTS when the role does not see all rows.
 */
bool backup_create(struct ctx *ctx, struct db *db, const struct backup_create_options *options,
    struct backup_info *ret, struct text_list *ret_notes) MUST_CHECK;

struct backup_verify_options {
    const char *folder;
    const char *name;             /* NULL: the newest one */
    const char *scratch_template; /* database to make the scratch database from, or NULL */
    int32_t jobs;
    const char *bin_folder;
    const struct step_watch *watch;
};

/*
 * Proves a backup: sums, a full read, and unless db is NULL a restore into a scratch database on
 * the server of db, whose content is compared with the manifest. Only when all that is good
 * verified.json is written. ERR_VERIFICATION with ret_differences when something is not equal.
 */
bool backup_verify(struct ctx *ctx, struct db *db, const struct backup_verify_options *options,
    struct backup_info *ret, struct text_list *ret_differences, struct text_list *ret_notes)
    MUST_CHECK;

struct backup_infos {
    struct backup_info *items; /* newest first */
    size_t count;
    size_t capacity;
};

/* Backups whose manifest cannot be read are in the list too, with why_not. */
bool backup_list(struct ctx *ctx, const char *folder, struct backup_infos *ret,
    struct text_list *ret_notes) MUST_CHECK;

/*
 * The newest backup of this database on this server that was verified, is at most max_age_us old
 * (0: any age) and whose files still have their sizes. False without an error when there is none:
 * *ret_why_not is then a sentence about it; false with an error when we could not look.
 */
bool backup_find_verified(struct ctx *ctx, const char *folder, struct db *db, int64_t max_age_us,
    struct backup_info *ret, const char **ret_why_not) MUST_CHECK;

struct backup_restore_options {
    const char *folder;
    const char *name;
    const char *into;             /* the new database, or with is_swap NULL */
    bool is_swap;                 /* the restored database takes the place of the live one */
    bool is_other_server;         /* allow a backup of another server */
    const char *scratch_template; /* as for backup_verify() */
    int32_t jobs;
    const char *bin_folder;
    const struct step_watch *watch;
};

/* What a table has now that the backup does not have, or the other way round. */
struct backup_loss {
    const char *table;
    int64_t rows_then;
    int64_t rows_now;
    bool is_changed; /* the content differs, with as many rows or not */
    bool is_new;     /* not in the backup at all */
};

/* A restored and compared database that has not got its name yet. */
struct backup_side {
    struct db *admin; /* the caller's session in the maintenance database */
    const char *name;
    const char *live; /* the database of the backup */
    const char *backup;
    int64_t restore_us;
    int64_t analyze_us;
    int64_t ended; /* by the swap: sessions of the live database that were told to end */
    struct text_list notes;
    struct text_list lost_rights; /* owners and grants that are not as they were */
};

/*
 * Restores into a side database through admin, a session in another database than the live one,
 * and compares. The live database is not touched. When it fails the side database is gone.
 */
bool backup_restore_side(struct ctx *ctx, struct db *admin,
    const struct backup_restore_options *options, struct backup_side *ret) MUST_CHECK;

/* Compares the live database with the backup, table by table: what a swap would take away. */
bool backup_restore_losses(struct ctx *ctx, struct db *live,
    const struct backup_restore_options *options, struct backup_loss **ret, size_t *ret_count)
    MUST_CHECK;

/* Gives the side database the name into. */
bool backup_restore_name(struct ctx *ctx, struct backup_side *side, const char *into) MUST_CHECK;

enum backup_swap_outcome { SWAP_UNDONE, SWAP_DONE, SWAP_UNKNOWN };

/*
 * Puts the side database into the place of the live one: sessions are ended, both are renamed in one
 * transaction. Clients of the pooler (or NULL) are held back meanwhile. *ret_old is the name that the live one has
 * now, set when both were renamed, also when the pooler could not be resumed afterwards. When it fails before, the live
 * database is as it was and open; ERR_ATTENTION when that cannot be seen.
 */
struct backup_pooler;
bool backup_restore_swap(struct ctx *ctx, struct backup_side *side, struct backup_pooler *pooler,
    const char **ret_old) MUST_CHECK;

/* Drops the side database. */
void backup_restore_abandon(struct backup_side *side);

/* Drops a database that a swap put aside; ERR_CONFLICT when it is not one. */
bool backup_drop_old(struct ctx *ctx, struct db *admin, const char *name) MUST_CHECK;

struct backup_schema_proof {
    const char *folder;
    const char *name; /* NULL: the newest one */
    const char *bin_folder;
    int32_t jobs;
    const struct step_watch *watch;
};

/*
 * Proves a schema with the rows of a verified backup: empties every table of the database of into,
 * which must be one of ours, restores the rows alone, and compares rows, checksums and sequences
 * with the manifest. ret_sentence says what was compared. ERR_VERIFICATION with ret_differences
 * when the rows do not fit or come out otherwise; ERR_RIGHTS when triggers are in the way and we
 * are no superuser.
 */
bool backup_prove_schema(struct ctx *ctx, struct db *into,
    const struct backup_schema_proof *options, const char **ret_sentence,
    struct text_list *ret_differences) MUST_CHECK;
