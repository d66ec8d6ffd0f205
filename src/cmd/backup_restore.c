#include "base/term.h"
#include "cmd/backup_show.h"
#include "cmd/parts/rollback_swap.h"
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
/* clang-format on */

/* What one restore works with. */
struct work {
    struct run *run;
    const struct options *opts;
    struct rollback_swap swap;
};

static bool
heal(struct ctx *ctx, struct work *work)
{
    struct text_list notes = { 0 };
    json_t *document CLEANUP(json_release) = NULL;

    if (!scratch_heal(ctx, work->swap.admin, &notes))
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
        !backup_drop_old(ctx, work->swap.admin, name))
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
print(struct ctx *ctx, struct work *work)
{
    const char *name = work->opts->swap ? work->swap.side.live : work->opts->into;
    FILE *out = work->run->out;
    json_t *document CLEANUP(json_release) = NULL;

    if (work->run->global->json) {
        document = json_object();
        json_object_set_new(document, "database", json_string(name));
        json_object_set_new(document, "backup", json_string(work->swap.side.backup));
        json_object_set_new(document, "restore_us", json_integer(work->swap.side.restore_us));
        json_object_set_new(document, "analyze_us", json_integer(work->swap.side.analyze_us));
        json_object_set_new(
            document, "kept_as", work->swap.old ? json_string(work->swap.old) : json_null());
        json_object_set_new(document, "losses",
            out_json_rows(rollback_loss_columns, rollback_loss_column_count, work->swap.losses,
                work->swap.loss_count, sizeof(struct backup_loss)));
        out_json(out, document);
        return;
    }
    out_mark_line(out, MARK_OK, "database %s holds backup %s: restored in %s, compared, analysed",
        name, work->swap.side.backup, text_from_us(ctx->arena, work->swap.side.restore_us));
    if (!work->opts->swap) {
        if (work->swap.side.lost_rights.count > 0)
            out_mark_line(out, MARK_WARN,
                "%zu owners or grants are not as they were, the first: %s",
                work->swap.side.lost_rights.count, work->swap.side.lost_rights.items[0]);
        out_next(out, "look at the database, then pgmend backup restore %s --swap",
            text_shell(ctx->arena, work->swap.side.backup));
        return;
    }
    out_mark_line(out, MARK_INFO, "the database as it was before is kept as %s", work->swap.old);
    out_next(out, "pgmend status, and when all is well pgmend backup restore --drop-old %s",
        text_shell(ctx->arena, work->swap.old));
}

static bool
restore(struct ctx *ctx, struct work *work)
{
    struct backup_progress progress;
    bool is_good = true;

    backup_progress_begin(&progress, "backup restore");
    work->swap.with.watch = &progress.watch;
    is_good = backup_restore_side(ctx, work->swap.admin, &work->swap.with, &work->swap.side);
    backup_progress_end(&progress);
    work->swap.with.watch = NULL;
    backup_print_notes(&work->swap.side.notes);
    if (!is_good)
        return false;
    if (!work->opts->swap)
        is_good = backup_restore_name(ctx, &work->swap.side, work->opts->into);
    else
        is_good = rollback_swap_lock(ctx, &work->swap, work->swap.side.live) &&
                  rollback_swap_do(ctx, &work->swap);
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
        .swap = {
            .run = run,
            .command = "backup restore",
            .accept_rights = opts->accept_rights,
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
        },
    };
    bool is_good;

    if (!check_options(ctx, run))
        return false;
    if (!rollback_swap_connect(ctx, &work.swap, opts->maintenance_db, &work.swap.admin))
        return error_wrap(ctx, "connecting to the maintenance database");
    is_good = opts->heal       ? heal(ctx, &work)
              : opts->drop_old ? drop_old(ctx, &work)
                               : restore(ctx, &work);
    rollback_swap_close(&work.swap);
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
        "has to be typed; sessions are ended, both databases renamed in one "
        "transaction, and the former live one is kept as NAME_before_TIME until it is "
        "dropped with --drop-old. Settings, owner and grants of the database are taken over."
        "\n\n"
        "A failure or a kill at any step leaves the live database as it was, open, or replaced. "
        "After a kill, the next backup verify or backup restore, or --heal, drops scratch "
        "databases. \"pgmend rollback --level database\" does the same behind a PgBouncer "
        "without a failed query.",
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
