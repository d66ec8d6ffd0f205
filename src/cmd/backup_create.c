#include "change/lock.h"
#include "cmd/backup_show.h"

struct options {
    const char *backup_dir;
    const char *format;
    int32_t jobs;
    int64_t lock_wait_timeout;
    int32_t compress;
    const char *name;
    bool verify;
    const char *scratch_template;
    const char *bin_dir;
};

static const char *const formats[] = { "directory", "custom", NULL };

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "folder for backups; default is backups in the state folder"),
    FIELD(struct options, format, .letter = 'F', .arg = "FORMAT", .standard = "directory",
        .choices = formats, .help = "directory (parallel) or custom (one file)"),
    FIELD(struct options, jobs, .letter = 'j', .arg = "N", .standard = "2",
        .help = "tables that are dumped at once, in the directory format"),
    FIELD(struct options, lock_wait_timeout, .unit = UNIT_US, .arg = "TIME", .standard = "10s",
        .help = "how long to wait for tables that somebody changes"),
    FIELD(struct options, compress, .letter = 'Z', .arg = "LEVEL", .standard = "1",
        .help = "0 (none) to 9"),
    FIELD(struct options, name, .arg = "NAME", .help = "default is made of database and time"),
    FIELD(struct options, verify, .help = "restore it at once into a scratch database, and compare"),
    FIELD(struct options, scratch_template, .arg = "DATABASE",
        .help = "with --verify: make the scratch database from this one"),
    FIELD(struct options, bin_dir, .arg = "DIR",
        .help = "folder of pg_dump and pg_restore, instead of PATH"),
};
/* clang-format on */

static bool
verify(struct ctx *ctx, struct run *run, const char *name, struct backup_info *info,
    struct text_list *notes)
{
    const struct options *opts = run->options;
    struct db_options write = { .access = ACCESS_WRITE };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct backup_progress progress;
    struct text_list differences = { 0 };

    backup_progress_begin(&progress, "backup verify");

    const struct backup_verify_options with = {
        .folder = backup_folder(ctx, run, opts->backup_dir),
        .name = name,
        .scratch_template = opts->scratch_template,
        .jobs = opts->jobs,
        .bin_folder = opts->bin_dir,
        .watch = &progress.watch,
    };
    bool is_good = db_open_like(ctx, run->db, &write, &db) &&
                   backup_verify(ctx, db, &with, info, &differences, notes);

    backup_progress_end(&progress);
    return is_good;
}

static void
print(struct ctx *ctx, struct run *run, const struct backup_info *info)
{
    out_mark_line(run->out, MARK_OK, "backup %s of %s: %s in %s, %s tables, %s rows, sums recorded",
        info->name, info->database, text_from_bytes(ctx->arena, info->bytes),
        text_from_us(ctx->arena, info->duration_us), text_from_count(ctx->arena, info->tables),
        text_from_count(ctx->arena, info->rows));
    if (!info->is_verified) {
        out_next(run->out, "pgmend backup verify %s", text_shell(ctx->arena, info->name));
        return;
    }
    out_mark_line(run->out, MARK_OK,
        "restored into a scratch database in %s and equal: a level 3 rollback takes about that long",
        text_from_us(ctx->arena, info->restore_us));
    out_next(run->out, "pgmend backup list");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct backup_progress progress;
    struct backup_info info;
    struct text_list notes = { 0 };

    if (opts->jobs < 1 || opts->jobs > 64 || opts->compress < 0 || opts->compress > 9)
        return error_set(ctx, ERR_USAGE, "--jobs is 1 to 64, and --compress 0 to 9");
    if (opts->lock_wait_timeout < 1000)
        return error_set(ctx, ERR_USAGE, "--lock-wait-timeout is at least 1ms");
    if (!run_lock_take(ctx, run->db, "backup create"))
        return false;
    backup_progress_begin(&progress, "backup create");

    const struct backup_create_options with = {
        .folder = backup_folder(ctx, run, opts->backup_dir),
        .name = opts->name,
        .format = opts->format,
        .jobs = opts->jobs,
        .compress = opts->compress,
        .lock_wait_us = opts->lock_wait_timeout,
        .bin_folder = opts->bin_dir,
        .watch = &progress.watch,
    };
    bool is_good = backup_create(ctx, run->db, &with, &info, &notes);

    backup_progress_end(&progress);
    if (is_good && opts->verify)
        is_good = verify(ctx, run, info.name, &info, &notes);
    backup_print_notes(&notes);
    if (!is_good)
        return false;
    if (run->global->json) {
        json_t *document CLEANUP(json_release) = json_object();

        json_object_set_new(document, "backup", backup_info_json(&info));
        json_object_set_new(document, "notes", backup_list_json(&notes));
        out_json(run->out, document);
    } else {
        print(ctx, run, &info);
    }
    return true;
}

const struct command cmd_backup_create = {
    .path = "backup create",
    .summary = "make a backup of one consistent snapshot",
    .details = "Dumps the database with pg_dump, and in the same snapshot counts the rows of every "
               "table and sums up their content, so that a restore can be compared with it. The "
               "archive is read once from beginning to end, and its files are written down with "
               "their SHA-256 in manifest.json. Nothing gets the name of a backup before all of "
               "that is done; an interrupted run leaves nothing behind."
               "\n\n"
               "While it runs, index builds and other changes by pgmend are refused, because they "
               "would wait for the dump's snapshot.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend backup create --verify\n"
                "pgmend backup create --format custom --backup-dir /mnt/backups --name before-17\n",
    .next = "pgmend backup verify",
    .run = run,
};
