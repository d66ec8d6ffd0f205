/* How long a restore will take, by what its verification took. */
#pragma once

#include "backup/backup.h"

struct rollback_prediction {
    int64_t restore_us; /* of the restore alone; -1: nobody has measured one */
    int64_t whole_us;   /* with comparing, and counting what was written since; -1 */
    double growth;      /* of the database since the backup; 1: as large as then */
    const char *text;   /* sentences */
};

/* Of the backups in a folder, the one of this name or the newest that is verified; of this database. */
bool rollback_find_backup(struct ctx *ctx, const char *folder, const char *name, struct db *live,
    struct backup_info *ret) MUST_CHECK;

/* bytes: of the live database now. */
bool rollback_predict(struct ctx *ctx, const char *folder, const struct backup_info *backup,
    int64_t bytes, struct rollback_prediction *ret) MUST_CHECK;
