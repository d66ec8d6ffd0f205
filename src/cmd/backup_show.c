#include "cmd/backup_show.h"

#include "base/file.h"
#include "base/log.h"

static const struct field info_fields[] = {
    FIELD(struct backup_info, name),
    FIELD(struct backup_info, path),
    FIELD(struct backup_info, database),
    FIELD(struct backup_info, format),
    FIELD(struct backup_info, server_version),
    FIELD(struct backup_info, system_identifier),
    FIELD(struct backup_info, alembic_version),
    FIELD(struct backup_info, tables),
    FIELD(struct backup_info, rows),
    FIELD(struct backup_info, bytes),
    FIELD(struct backup_info, created_us),
    FIELD(struct backup_info, duration_us),
    FIELD(struct backup_info, is_verified),
    FIELD(struct backup_info, verified_us),
    FIELD(struct backup_info, restore_us),
    FIELD(struct backup_info, why_not),
};

const char *
backup_folder(struct ctx *ctx, const struct run *run, const char *given)
{
    return given ? given : file_join(ctx->arena, run->global->state_dir, "backups");
}

static void
show(void *data, const char *phase, double ratio, int64_t elapsed_us, const char *note)
{
    struct backup_progress *progress = data;

    progress_show(&progress->progress, progress->what, phase, ratio, elapsed_us, -1, note);
}

void
backup_progress_begin(struct backup_progress *progress, const char *what)
{
    progress_begin(&progress->progress);
    progress->what = what;
    progress->watch = (struct step_watch){ .show = show, .data = progress };
}

void
backup_progress_end(struct backup_progress *progress)
{
    progress_end(&progress->progress);
}

void
backup_print_notes(const struct text_list *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        log_info("note: %s", notes->items[i]);
}

json_t *
backup_info_json(const struct backup_info *info)
{
    return json_from_fields(info_fields, COUNT_OF(info_fields), info);
}

json_t *
backup_list_json(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}
