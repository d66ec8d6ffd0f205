#include "cmd/backup_show.h"

struct options {
    const char *backup_dir;
    bool quick;
    int32_t jobs;
    const char *scratch_template;
    const char *bin_dir;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "folder of backups; default is backups in the state folder"),
    FIELD(struct options, quick,
        .help = "check sums and read the archive, but do not restore it; needs no server"),
    FIELD(struct options, jobs, .letter = 'j', .arg = "N", .standard = "2",
        .help = "tables and indexes that are restored at once"),
    FIELD(struct options, scratch_template, .arg = "DATABASE",
        .help = "make the scratch database from this one, which has the extensions"),
    FIELD(struct options, bin_dir, .arg = "DIR",
        .help = "folder of pg_dump and pg_restore, instead of PATH"),
};
/* clang-format on */

static void
print(struct ctx *ctx, struct run *run, const struct backup_info *info)
{
    out_mark_line(run->out, MARK_OK,
        "%s: every file is as it was made, and the archive is complete", info->name);
    if (!info->is_verified) {
        out_mark_line(run->out, MARK_WARN, "it was not restored, so it does not count as verified");
        out_next(run->out, "pgmend backup verify %s", text_shell(ctx->arena, info->name));
        return;
    }
    out_mark_line(run->out, MARK_OK,
        "restored into a scratch database: %s tables with %s rows, sequences, constraints, indexes "
        "and extensions are equal",
        text_from_count(ctx->arena, info->tables), text_from_count(ctx->arena, info->rows));
    out_mark_line(run->out, MARK_INFO,
        "the restore took %s (measured): expect that of a level 3 rollback on this server",
        text_from_us(ctx->arena, info->restore_us));
    out_next(run->out, "pgmend backup list");
}

static void
print_json(struct run *run, const struct backup_info *info, const struct text_list *notes)
{
    json_t *document CLEANUP(json_release) = json_object();

    json_object_set_new(document, "backup", backup_info_json(info));
    json_object_set_new(document, "notes", backup_list_json(notes));
    out_json(run->out, document);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct db_options open = {
        .url = run->global->db_url,
        .application = "pgmend/backup verify",
        .access = ACCESS_WRITE,
    };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct backup_progress progress;
    struct backup_info info;
    struct text_list differences = { 0 };
    struct text_list notes = { 0 };

    if (opts->jobs < 1 || opts->jobs > 64)
        return error_set(ctx, ERR_USAGE, "--jobs is 1 to 64");
    if (!opts->quick && !db_open(ctx, &open, &db))
        return false;
    backup_progress_begin(&progress, "backup verify");

    const struct backup_verify_options with = {
        .folder = backup_folder(ctx, run, opts->backup_dir),
        .name = run->operands.count > 0 ? run->operands.items[0] : NULL,
        .scratch_template = opts->scratch_template,
        .jobs = opts->jobs,
        .bin_folder = opts->bin_dir,
        .watch = &progress.watch,
    };
    bool is_good = backup_verify(ctx, db, &with, &info, &differences, &notes);

    backup_progress_end(&progress);
    backup_print_notes(&notes);
    if (!is_good)
        return false;
    if (run->global->json)
        print_json(run, &info, &notes);
    else
        print(ctx, run, &info);
    return true;
}

const struct command cmd_backup_verify = {
    .path = "backup verify",
    .summary = "prove a backup by restoring and comparing it",
    .details = "Checks the size and SHA-256 of every file and reads the archive through; then "
               "restores it into a scratch database on the server of --db-url, compares rows, "
               "checksums, sequences, constraints, valid indexes and extensions with what was "
               "recorded when the backup was made, and drops the scratch database. Only a backup "
               "that was equal counts as verified."
               "\n\n"
               "A role that is no superuser cannot create extensions such as vector: give it a "
               "database that has them with --scratch-template.",
    .operands = "BACKUP",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend backup verify\n"
                "pgmend backup verify app-20261122T133000Z --jobs 4\n"
                "pgmend backup verify --quick\n",
    .next = "pgmend backup list",
    .run = run,
};
