#include "base/interrupt.h"
#include "base/log.h"
#include "base/term.h"
#include "change/journal.h"
#include "change/lock.h"
#include "cmd/backup_show.h"
#include "db/ident.h"
#include "staging/scratch.h"

struct options {
    const char *backup_dir;
    const char *into;
    bool swap;
    bool other_server;
    const char *drop_old;
    bool heal;
    bool accept_rights;
    int32_t jobs;
    const char *scratch_template;
    const char *maintenance_db;
    const char *bin_dir;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "folder of backups; default is backups in the state folder"),
    FIELD(struct options, into, .arg = "DATABASE",
        .help = "the new database; it must not exist"),
    FIELD(struct options, swap,
        .help = "put the restored database into the place of the live one, which is kept"),
    FIELD(struct options, other_server,
        .help = "allow a backup of another server"),
    FIELD(struct options, drop_old, .arg = "DATABASE",
        .help = "drop a database that an earlier --swap has kept"),
    FIELD(struct options, heal,
        .help = "only clean up after a run that was killed: open the live database, drop scratch databases"),
    FIELD(struct options, accept_rights,
        .help = "swap although owners or grants are not as they were"),
    FIELD(struct options, jobs, .letter = 'j', .arg = "N", .standard = "2",
        .help = "tables and indexes that are restored at once"),
    FIELD(struct options, scratch_template, .arg = "DATABASE",
        .help = "make the new database from this one, which has the extensions"),
    FIELD(struct options, maintenance_db, .arg = "DATABASE", .standard = "postgres",
        .help = "database to be connected to while databases are created and renamed"),
    FIELD(struct options, bin_dir, .arg = "DIR",
        .help = "folder of pg_dump and pg_restore, instead of PATH"),
};

static const struct field loss_columns[] = {
    FIELD(struct backup_loss, table),
    FIELD(struct backup_loss, rows_then, .help = "in the backup"),
    FIELD(struct backup_loss, rows_now, .help = "now"),
    FIELD(struct backup_loss, is_new, .help = "not in the backup"),
};
/* clang-format on */

/* What one restore works with. */
struct work {
    struct run *run;
    const struct options *opts;
    struct db *admin;
    struct db *live; /* NULL unless --swap */
    struct backup_restore_options with;
    struct backup_side side;
    struct backup_loss *losses;
    size_t loss_count;
    const char *old;
};

static bool
open_database(struct ctx *ctx, const struct work *work, const char *database, struct db **ret)
{
    struct db_options open = {
        .url = work->run->global->db_url,
        .database = database,
        .application = "pgmend/backup restore",
        .access = ACCESS_WRITE,
    };

    return db_open(ctx, &open, ret);
}

static bool
heal(struct ctx *ctx, struct work *work)
{
    struct text_list notes = { 0 };
    json_t *document CLEANUP(json_release) = NULL;

    if (!scratch_heal(ctx, work->admin, &notes))
        return false;
    if (work->run->global->json) {
        document = json_object();
        json_object_set_new(document, "healed", backup_list_json(&notes));
        out_json(work->run->out, document);
        return true;
    }
    for (size_t i = 0; i < notes.count; i++)
        out_mark_line(work->run->out, MARK_OK, "%s", notes.items[i]);
    if (notes.count == 0)
        out_mark_line(work->run->out, MARK_OK, "there is nothing to clean up");
    return true;
}

static bool
drop_old(struct ctx *ctx, struct work *work)
{
    const char *name = work->opts->drop_old;
    json_t *document CLEANUP(json_release) = NULL;

    if (!confirm_typed(ctx, work->run->global,
            arena_printf(
                ctx->arena, "This drops database \"%s\" for ever. Type its name to go on", name),
            name) ||
        !backup_drop_old(ctx, work->admin, name))
        return error_state(ctx, "Nothing was dropped.");
    if (work->run->global->json) {
        document = json_object();
        json_object_set_new(document, "dropped", json_string(name));
        out_json(work->run->out, document);
    } else {
        out_mark_line(work->run->out, MARK_OK, "database %s was dropped", name);
    }
    return true;
}

static void
print_losses(struct ctx *ctx, const struct work *work)
{
    /* A question goes to standard error, and so does what one must know to answer it. */
    FILE *out = work->run->global->json ? stderr : work->run->out;
    int64_t rows = 0;

    for (size_t i = 0; i < work->loss_count; i++)
        if (work->losses[i].rows_now > work->losses[i].rows_then)
            rows += work->losses[i].rows_now - work->losses[i].rows_then;
    if (work->loss_count == 0) {
        out_mark_line(out, MARK_OK, "nothing was written to %s since the backup", work->side.live);
        return;
    }
    out_mark_line(out, MARK_WARN,
        "the swap takes away what was written since the backup: %zu tables have other content, "
        "with %s more rows in all",
        work->loss_count, text_from_count(ctx->arena, rows));
    out_table(out, loss_columns, COUNT_OF(loss_columns), work->losses, work->loss_count,
        sizeof(work->losses[0]));
    fflush(out);
}

static bool
consent(struct ctx *ctx, struct work *work)
{
    if (work->side.lost_rights.count > 0 && !work->opts->accept_rights) {
        error_set(ctx, ERR_RIGHTS, "owners or grants are not as they were, the first of %zu: %s",
            work->side.lost_rights.count, work->side.lost_rights.items[0]);
        return error_hint(ctx, "Restore as superuser, or swap nevertheless with --accept-rights.");
    }
    if (!backup_restore_losses(ctx, work->live, &work->with, &work->losses, &work->loss_count))
        return false;
    print_losses(ctx, work);
    return confirm_typed(ctx, work->run->global,
        arena_printf(ctx->arena,
            "Database \"%s\" is replaced by its backup %s, and kept under another name; its "
            "sessions are ended. Type the name of the database to go on",
            work->side.live, work->side.backup),
        work->side.live);
}

/* After the swap there is another database of that name: its journal gets the entry too. */
static bool
end_journal(struct ctx *ctx, struct work *work, struct journal *before, struct journal_entry *entry,
    bool is_good)
{
    struct journal_run run = { .command = "backup restore --swap",
        .state_dir = work->run->global->state_dir };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct journal journal;
    const char *why = ctx->error.message;
    json_t *detail CLEANUP(json_release) = json_object();

    json_object_set_new(detail, "backup", json_string(work->side.backup));
    json_object_set_new(detail, "kept_as", work->old ? json_string(work->old) : json_null());
    if (!open_database(ctx, work, work->side.live, &db))
        return false;
    before->db = db;
    return journal_begin(ctx, db, &run, &journal) &&
           journal_update(ctx, &journal, entry, is_good ? ENTRY_DONE : ENTRY_FAILED,
               json_text(ctx->arena, detail)) &&
           journal_end(ctx, before, is_good ? RUN_DONE : RUN_FAILED, why) &&
           journal_end(ctx, &journal, is_good ? RUN_DONE : RUN_FAILED, why);
}

/* The outcome stays what it is when only the journal cannot be written. */
static void
finish_journal(struct ctx *ctx, struct work *work, struct journal *before,
    struct journal_entry *entry, bool is_good)
{
    struct error error = ctx->error;
    int signal_number = interrupt_take();

    if (!end_journal(ctx, work, before, entry, is_good))
        log_warn("the journal could not be written: %s", ctx->error.message);
    ctx->error = error;
    interrupt_put(signal_number);
}

static bool
swap(struct ctx *ctx, struct work *work)
{
    struct journal_run run = { .command = "backup restore --swap",
        .state_dir = work->run->global->state_dir };
    struct journal_entry entry = {
        .kind = "restore database",
        .object = db_ident(ctx->arena, work->side.live),
        .statement = arena_printf(ctx->arena,
            "restored from backup %s, swapped by ALTER DATABASE "
            "... RENAME",
            work->side.backup),
    };
    struct journal journal;

    if (!consent(ctx, work))
        return error_state(ctx, "The live database was not touched.");
    if (!journal_begin(ctx, work->live, &run, &journal) || !journal_start(ctx, &journal, &entry))
        return error_state(ctx, "The live database was not touched.");

    /* Our own session would be in the way of the rename; the lock goes with it, and from here on
     * nobody else gets in. */
    db_close(work->live);
    work->live = NULL;

    bool is_good = backup_restore_swap(ctx, &work->side, &work->old);

    finish_journal(ctx, work, &journal, &entry, is_good);
    return is_good;
}

static void
print(struct ctx *ctx, struct work *work)
{
    const char *name = work->opts->swap ? work->side.live : work->opts->into;
    FILE *out = work->run->out;
    json_t *document CLEANUP(json_release) = NULL;

    if (work->run->global->json) {
        document = json_object();
        json_object_set_new(document, "database", json_string(name));
        json_object_set_new(document, "backup", json_string(work->side.backup));
        json_object_set_new(document, "restore_us", json_integer(work->side.restore_us));
        json_object_set_new(document, "analyze_us", json_integer(work->side.analyze_us));
        json_object_set_new(document, "kept_as", work->old ? json_string(work->old) : json_null());
        json_object_set_new(document, "losses",
            out_json_rows(loss_columns, COUNT_OF(loss_columns), work->losses, work->loss_count,
                sizeof(struct backup_loss)));
        out_json(out, document);
        return;
    }
    out_mark_line(out, MARK_OK, "database %s holds backup %s: restored in %s, compared, analysed",
        name, work->side.backup, text_from_us(ctx->arena, work->side.restore_us));
    if (!work->opts->swap) {
        if (work->side.lost_rights.count > 0)
            out_mark_line(out, MARK_WARN,
                "%zu owners or grants are not as they were, the first: %s",
                work->side.lost_rights.count, work->side.lost_rights.items[0]);
        out_next(
            out, "look at the database, then pgmend backup restore %s --swap", work->side.backup);
        return;
    }
    out_mark_line(out, MARK_INFO, "the database as it was before is kept as %s", work->old);
    out_next(
        out, "pgmend status, and when all is well pgmend backup restore --drop-old %s", work->old);
}

static bool
restore(struct ctx *ctx, struct work *work)
{
    struct backup_progress progress;
    bool is_good = true;

    backup_progress_begin(&progress, "backup restore");
    work->with.watch = &progress.watch;
    is_good = backup_restore_side(ctx, work->admin, &work->with, &work->side);
    backup_progress_end(&progress);
    work->with.watch = NULL;
    backup_print_notes(&work->side.notes);
    if (!is_good)
        return false;
    if (!work->opts->swap) {
        is_good = backup_restore_name(ctx, &work->side, work->opts->into);
    } else {
        is_good = open_database(ctx, work, work->side.live, &work->live) &&
                  run_lock_take(ctx, work->live, "backup restore") && swap(ctx, work);
        db_cleanup(&work->live);
    }
    backup_restore_abandon(&work->side);
    if (is_good)
        print(ctx, work);
    return is_good;
}

static bool
check_options(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;
    int tasks = (run->operands.count > 0) + (opts->drop_old != NULL) + opts->heal;

    if (opts->jobs < 1 || opts->jobs > 64)
        return error_set(ctx, ERR_USAGE, "--jobs is 1 to 64");
    if (tasks != 1)
        return error_set(
            ctx, ERR_USAGE, "one of a BACKUP, --drop-old DATABASE and --heal is needed");
    if (run->operands.count > 0 && opts->swap == (opts->into != NULL)) {
        error_set(ctx, ERR_USAGE, "either --into DATABASE or --swap is needed");
        return error_hint(ctx, "--into makes a new database beside the live one, --swap replaces "
                               "the live one.");
    }
    /* To ask after an hour of restoring whether anybody is there would be late. */
    if (opts->swap && !run->global->yes && (run->global->no_input || !term_is_terminal(stdin))) {
        error_set(ctx, ERR_USAGE, "--swap asks a question, and there is no terminal to answer it");
        return error_hint(ctx, "--yes answers it.");
    }
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct work work = {
        .run = run,
        .opts = opts,
        .with = {
            .folder = backup_folder(ctx, run, opts->backup_dir),
            .name = run->operands.count > 0 ? run->operands.items[0] : NULL,
            .into = opts->into,
            .is_swap = opts->swap,
            .is_other_server = opts->other_server,
            .scratch_template = opts->scratch_template,
            .jobs = opts->jobs,
            .bin_folder = opts->bin_dir,
        },
    };
    bool is_good;

    if (!check_options(ctx, run))
        return false;
    if (!open_database(ctx, &work, opts->maintenance_db, &work.admin))
        return error_wrap(ctx, "connecting to the maintenance database");
    is_good = opts->heal       ? heal(ctx, &work)
              : opts->drop_old ? drop_old(ctx, &work)
                               : restore(ctx, &work);
    db_close(work.admin);
    return is_good;
}

const struct command cmd_backup_restore = {
    .path = "backup restore",
    .summary = "restore a backup beside the live database, or in its place",
    .details =
        "Checks the backup, restores it into a new database and compares that with what was "
        "recorded. With --into the new database gets that name; nothing else changes."
        "\n\n"
        "With --swap it then takes the place of the live database (rollback level 3): what "
        "was written since the backup is counted and shown before the name of the database "
        "has to be typed; connections are closed, both databases renamed in one "
        "transaction, and the former live one is kept as NAME_before_TIME until it is "
        "dropped with --drop-old. Settings, owner and grants of the database are taken over."
        "\n\n"
        "A failure at any step leaves the live database as it was. After a kill, the next "
        "backup verify or backup restore, or --heal, opens a database that a swap had closed "
        "and drops scratch databases.",
    .operands = "BACKUP",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend backup restore app-20261122T133000Z --into app_yesterday\n"
                "pgmend backup restore app-20261122T133000Z --swap\n"
                "pgmend backup restore --drop-old app_before_20261122134500\n",
    .next = "pgmend status",
    .run = run,
};
