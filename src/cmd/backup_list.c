#include "base/clock.h"
#include "cmd/backup_show.h"

struct options {
    const char *backup_dir;
};

static const struct field options[] = {
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "folder of backups; default is backups in the state folder"),
};

/* A line on the screen. */
struct line {
    const char *backup;
    const char *database;
    const char *age;
    int64_t size;
    const char *format;
    const char *server;
    const char *alembic;
    const char *verified;
};

static const struct field columns[] = {
    FIELD(struct line, backup),
    FIELD(struct line, database),
    FIELD(struct line, age),
    FIELD(struct line, size, .unit = UNIT_BYTES),
    FIELD(struct line, format),
    FIELD(struct line, server),
    FIELD(struct line, alembic),
    FIELD(struct line, verified),
};

static void
print(struct ctx *ctx, struct run *run, const struct backup_infos *infos)
{
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, infos->count);
    int64_t now = clock_wall_us();

    for (size_t i = 0; i < infos->count; i++) {
        const struct backup_info *info = &infos->items[i];
        int64_t seconds = (now - info->created_us) / 1000000;

        lines[i] = (struct line){
            .backup = info->name,
            .database = info->database,
            .age = info->created_us ? text_from_us(ctx->arena, seconds * 1000000) : NULL,
            .size = info->bytes,
            .format = info->format,
            .server = info->server_version,
            .alembic = info->alembic_version,
            .verified = info->is_verified ? arena_printf(ctx->arena, "yes, restored in %s",
                                                text_from_us(ctx->arena, info->restore_us))
                                          : arena_printf(ctx->arena, "no: %s", info->why_not),
        };
    }
    if (infos->count > 0)
        out_table(run->out, columns, COUNT_OF(columns), lines, infos->count, sizeof(lines[0]));
    else
        fputs("There are no backups.\n", run->out);
    if (infos->count == 0)
        out_next(run->out, "pgmend backup create");
    else if (!infos->items[0].is_verified)
        out_next(run->out, "pgmend backup verify %s", text_shell(ctx->arena, infos->items[0].name));
    else
        out_next(run->out, "pgmend backup restore %s --into NEW_DATABASE",
            text_shell(ctx->arena, infos->items[0].name));
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct backup_infos infos;
    struct text_list notes = { 0 };

    if (!backup_list(ctx, backup_folder(ctx, run, opts->backup_dir), &infos, &notes))
        return false;
    backup_print_notes(&notes);
    if (!run->global->json) {
        print(ctx, run, &infos);
        return true;
    }

    json_t *document CLEANUP(json_release) = json_object();
    json_t *backups = json_array();

    for (size_t i = 0; i < infos.count; i++)
        json_array_append_new(backups, backup_info_json(&infos.items[i]));
    json_object_set_new(document, "backups", backups);
    json_object_set_new(document, "notes", backup_list_json(&notes));
    out_json(run->out, document);
    return true;
}

const struct command cmd_backup_list = {
    .path = "backup list",
    .summary = "list the backups and which of them are verified",
    .details = "Newest first. Sizes are compared with the manifest, sums are not: that is what "
               "backup verify does. What an interrupted backup left is removed.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend backup list\npgmend backup list --json\n",
    .next = "pgmend backup verify",
    .run = run,
};
