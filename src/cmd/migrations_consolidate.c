#include "base/clock.h"
#include "base/file.h"
#include "cmd/parts/consolidation.h"

enum { TARGET_MOST = 1000 };

/* clang-format off */
static const char *const groupings[] = { "domain", "period", "file", NULL };

static const struct field options[] = {
    FIELD(struct consolidate_options, target, .letter = 't', .arg = "N", .standard = "7",
        .help = "how many revisions there shall be at most"),
    FIELD(struct consolidate_options, group_by, .arg = "HOW", .standard = "domain",
        .choices = groupings,
        .help = "what goes together: what tables are about, when they came, or the old files' order"),
    FIELD(struct consolidate_options, out, .letter = 'o', .arg = "DIR", .momentary = true,
        .help = "write the new revisions there and leave the version folder as it is"),
    FIELD(struct consolidate_options, dry_run, .letter = 'n', .momentary = true,
        .help = "make and prove everything, put nothing in place"),
    FIELD(struct consolidate_options, undo, .momentary = true,
        .help = "put the folder back as it was before the last consolidation"),
    FIELD(struct consolidate_options, merge_heads, .momentary = true,
        .help = "only write the revision that merges the heads"),
    FIELD(struct consolidate_options, baseline, .arg = "FILE.sql",
        .help = "what stood in the database before the first revision, as pg_dump -s wrote it"),
    FIELD(struct consolidate_options, database, .arg = "URL",
        .help = "another database that lives by this history: it must be at the head too"),
    FIELD(struct consolidate_options, data_proof, .arg = "BACKUP",
        .help = "restore the rows of this backup into the new schema and compare them"),
    FIELD(struct consolidate_options, backup_dir, .arg = "DIR",
        .help = "folder of backups; default is backups in the state folder"),
    FIELD(struct consolidate_options, accept_drift,
        .help = "go on although the target differs from what the history makes"),
    FIELD(struct consolidate_options, accept_behind,
        .help = "go on although a database is not at the head: it will need migrations catch-up"),
    FIELD(struct consolidate_options, accept_undecided,
        .help = "go on although statements of the history depend on where they run"),
    FIELD(struct consolidate_options, allow_local_changes,
        .help = "go on although git knows of changes in the version folder"),
    FIELD(struct consolidate_options, sql_only,
        .help = "write op.execute() only, no op.create_table()"),
    FIELD(struct consolidate_options, scratch_url, .arg = "URL",
        .help = "the server for scratch databases, of the same major version; default: the target's"),
    FIELD(struct consolidate_options, scratch_template, .arg = "DATABASE",
        .help = "make scratch databases from this one, which has the extensions"),
    FIELD(struct consolidate_options, alembic, .arg = "COMMAND",
        .help = "how Alembic is called, as \"poetry run alembic\"; default: it is looked for"),
    FIELD(struct consolidate_options, url_env, .arg = "NAME",
        .help = "an environment variable that env.py takes its URL from"),
    FIELD(struct consolidate_options, plain_env,
        .help = "use a small env.py instead of the history's own, which may need the application"),
    FIELD(struct consolidate_options, section, .arg = "NAME",
        .help = "section of alembic.ini, as of alembic --name (default: alembic)"),
    FIELD(struct consolidate_options, bin_dir, .arg = "DIR",
        .help = "folder of pg_dump, pg_restore and psql, instead of PATH"),
};
/* clang-format on */

static bool
undo(struct ctx *ctx, struct consolidate *work)
{
    struct text_list archives = { 0 };
    struct squash_place place;

    if (!environment_find(ctx, work->run->operands.count > 0 ? work->run->operands.items[0] : NULL,
            work->opts->section, &work->environment) ||
        !squash_place_begin(
            ctx, work->environment.locations.items[0], true, &work->lock, &work->notes) ||
        !squash_archives(ctx, &work->environment, &archives))
        return false;
    if (archives.count == 0) {
        error_set(ctx, ERR_NOT_FOUND, "there is no consolidation to undo: no archive beside \"%s\"",
            work->environment.locations.items[0]);
        return error_state(ctx, "Nothing was changed.");
    }
    if (!squash_undo(ctx, &work->environment, archives.items[0], &place))
        return error_wrap(ctx, "undoing the consolidation");
    if (work->run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:s, s:s}", "restored", place.folder, "from", archives.items[0]);

        out_json(work->run->out, json);
        return true;
    }
    out_mark_line(work->run->out, MARK_OK, "%s is byte for byte what it was before", place.folder);
    out_next(work->run->out, "pgmend migrations analyze");
    return true;
}

static bool
merge(struct ctx *ctx, struct consolidate *work)
{
    struct squash_file file;

    if (!squash_merge_heads(ctx, &work->analysis, &file))
        return false;

    const char *path = file_join(ctx->arena, work->environment.locations.items[0], file.name);

    if (file_exists(path))
        return error_set(ctx, ERR_CONFLICT, "\"%s\" is there already", path);
    if (!file_write(ctx, path, file.text, strlen(file.text), 0644))
        return false;
    if (work->run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:s, s:s}", "merge", file.id, "file", path);

        out_json(work->run->out, json);
        return true;
    }
    out_mark_line(work->run->out, MARK_OK, "%zu heads are merged by %s: %s",
        work->analysis.graph.heads.count, file.id, path);
    fprintf(work->run->out, "\nBring every database to it with \"alembic upgrade head\", then "
                            "consolidate.\n");
    out_next(work->run->out, "pgmend migrations consolidate");
    return true;
}

static bool
consolidate(struct ctx *ctx, struct consolidate *work)
{
    bool is_good = consolidate_begin(ctx, work);

    if (is_good && work->opts->merge_heads)
        return merge(ctx, work);
    is_good = is_good && consolidate_make(ctx, work) && consolidate_prove(ctx, work) &&
              consolidate_check(ctx, work) && consolidate_place(ctx, work);
    progress_end(&work->progress);
    if (work->old.db && (is_good || work->has_proof || work->has_drift))
        consolidate_print(ctx, work);
    if (is_good)
        return true;
    return work->is_placed ||
           error_state(ctx, "The version folder and the databases are as they were.");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct consolidate work CLEANUP(consolidate_end) = {
        .run = run,
        .opts = run->options,
        .started_us = clock_us(),
        .lock.fd = -1,
    };

    if (work.opts->target < 1 || work.opts->target > TARGET_MOST)
        return error_set(ctx, ERR_USAGE, "--target is 1 to %d", TARGET_MOST);
    if (work.opts->undo)
        return undo(ctx, &work);
    progress_begin(&work.progress);
    return consolidate(ctx, &work);
}

const struct command cmd_migrations_consolidate = {
    .path = "migrations consolidate",
    .summary = "replace an Alembic history by a few revisions that make the same database",
    .details =
        "Runs the history with the real Alembic in a scratch database, writes 5 to 7 revisions "
        "from the schema and the rows that are then there, runs these in another scratch database "
        "up, down and up again, and compares both completely: every object and attribute of the "
        "catalogue, the rows, the sequences, and what pg_dump says. Only when nothing differs the "
        "new files take the place of the old ones, in one step; the old folder is kept beside it."
        "\n\n"
        "The last new revision keeps the id of the old head: a database that is at the head "
        "needs nothing and nothing is written to it. --db-url names the database whose schema is "
        "compared with the history's, read-only; the scratch databases are made on its server "
        "and dropped at the end. Databases that are not at the head are told apart and block."
        "\n\n"
        "The exit status is 10 when the proof finds a difference, 4 when something else is in "
        "the way.",
    .operands = "[DIR|alembic.ini]",
    .max_operands = 1,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct consolidate_options),
    .examples = "pgmend migrations consolidate --db-url $DATABASE_URL --dry-run\n"
                "pgmend migrations consolidate migrations --db-url $DATABASE_URL --target 5\n"
                "pgmend migrations consolidate --undo\n",
    .next = "pgmend migrations graph",
    .run = run,
};
