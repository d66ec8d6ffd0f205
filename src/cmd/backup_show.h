/* What the backup commands share: where backups are, progress, and a backup on the screen. */
#pragma once

#include "backup/backup.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/out.h"

/* --backup-dir or, with NULL, the folder "backups" in the state folder. */
const char *backup_folder(struct ctx *ctx, const struct run *run, const char *given);

/* Progress on standard error; what names the command ("backup create"). */
struct backup_progress {
    struct progress progress;
    struct step_watch watch;
    const char *what;
};
void backup_progress_begin(struct backup_progress *progress, const char *what);
void backup_progress_end(struct backup_progress *progress);

/* Says on standard error what was found by the way. */
void backup_print_notes(const struct text_list *notes);

/* Caller owns it. */
json_t *backup_info_json(const struct backup_info *info);
json_t *backup_list_json(const struct text_list *list);
