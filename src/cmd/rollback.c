#include "base/interrupt.h"
#include "catalog/inventory.h"
#include "change/kind.h"
#include "cli/out.h"
#include "cmd/parts/code_level.h"
#include "cmd/parts/database_level.h"
#include "cmd/parts/health_tell.h"
#include "cmd/parts/roll_out.h"
#include "cmd/parts/rollback_idle.h"
#include "cmd/parts/rollback_steps.h"
#include "sql.h"

struct options {
    const char *run;
    const char *to;
    bool all;
    int64_t limit;
    const char *level;
    struct text_list flag;
    const char *reason;
    const char *release_command;
    int64_t release_timeout;
    const char *pgbouncer;
    int64_t pause_limit;
    const char *confirm;
    const char *backup_dir;
    int32_t jobs;
    bool accept_rights;
    const char *scratch_template;
    const char *maintenance_db;
    const char *bin_dir;
    bool recipe;
    const char *health_url;
    int64_t health_timeout;
};

static const char *const levels[] = { "changes", "index", "code", "database", NULL };

static const struct field options[] = {
    FIELD(struct options, run, .momentary = true, .arg = "ID",
        .help = "undo this run (see \"pgmend history\")"),
    FIELD(struct options, to, .momentary = true, .arg = "STEP",
        .help = "undo all steps of the last plan after this one (\"start\": all of them)"),
    FIELD(struct options, all, .momentary = true,
        .help = "undo everything that pgmend did and that still stands"),
    FIELD(struct options, limit, .unit = UNIT_US, .arg = "TIME", .standard = "5m",
        .help = "how long each drop is tried while sessions stand in its way"),
    FIELD(struct options, level, .momentary = true, .choices = levels, .standard = "changes",
        .help =
            "changes of the database, of them index only; code: every feature flag to 0, at once; or "
            "database: a verified backup in its place"),
    FIELD(struct options, flag, .momentary = true, .arg = "NAME",
        .help = "with --level code: only this flag; may be given several times"),
    FIELD(struct options, reason, .momentary = true, .arg = "TEXT", .standard = "rollback",
        .help = "with --level code: why, for journal and \"pgmend flags list\""),
    FIELD(struct options, release_command, .arg = "COMMAND",
        .help = "with --level code: then run this by /bin/sh, to bring back the release before"),
    FIELD(struct options, release_timeout, .unit = UNIT_US, .arg = "TIME", .standard = "2m",
        .help = "how long that may take"),
    FIELD(struct options, pgbouncer, .arg = "URL",
        .help = "with --level database: console of the PgBouncer whose clients wait meanwhile"),
    FIELD(struct options, pause_limit, .unit = UNIT_US, .arg = "TIME", .standard = "10s",
        .help = "how long running transactions of its clients may take to end"),
    FIELD(struct options, confirm, .momentary = true, .arg = "DATABASE",
        .help = "with --level database and --yes: the name that would have to be typed"),
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "with --level database: where backups are (default: backups in the state folder)"),
    FIELD(struct options, jobs, .letter = 'j', .arg = "N", .standard = "2",
        .help = "with --level database: tables and indexes that are restored at once"),
    FIELD(struct options, accept_rights, .momentary = true,
        .help = "with --level database: although owners or grants are not as they were"),
    FIELD(struct options, scratch_template, .arg = "DATABASE",
        .help = "with --level database: make the new one from this, which has the extensions"),
    FIELD(struct options, maintenance_db, .arg = "DATABASE", .standard = "postgres",
        .help = "with --level database: to be connected to meanwhile"),
    FIELD(struct options, bin_dir, .arg = "DIR",
        .help = "with --level database: folder of pg_restore, instead of PATH"),
    FIELD(struct options, recipe, .momentary = true,
        .help = "with --level database: only print how to recover to a restore point (PITR)"),
    FIELD(struct options, health_url, .arg = "URL",
        .help = "of the application: has to answer 2xx afterwards, else the exit status is 10"),
    FIELD(struct options, health_timeout, .unit = UNIT_US, .arg = "TIME", .standard = "5s",
        .help = "how long that answer may take"),
};

struct choice {
    struct journal_entries entries; /* newest first */
    const char *catalogue;          /* before the oldest of their runs, or NULL */
    const char *run;                /* of the oldest */
    struct text_list runs;          /* that they are of, newest first */
    size_t skipped;                 /* that were altered since */
    size_t idle;                    /* of flags that had nothing left to undo */
    size_t already;            /* of others: they were gone, or as before, or cannot be undone */
    struct error why;          /* of the first of them */
    struct health_told health; /* afterwards */
};

/* Operands are numbers of entries, each of which must be there and undoable. */
static bool
check_operands(struct ctx *ctx, const struct text_list *operands, const struct choice *choice)
{
    for (size_t i = 0; i < operands->count; i++) {
        bool is_found = false;
        int64_t id;

        if (!text_to_int64(operands->items[i], &id))
            return error_set(
                ctx, ERR_USAGE, "\"%s\" is not the number of a journal entry", operands->items[i]);
        for (size_t j = 0; j < choice->entries.count; j++)
            is_found |= choice->entries.items[j].id == id;
        if (!is_found) {
            error_set(ctx, ERR_NOT_FOUND, "journal entry %s is not there, or not one that stands",
                operands->items[i]);
            error_hint(ctx, "\"pgmend history\" lists runs and entries.");
            return error_state(ctx, "Nothing was changed.");
        }
    }
    return true;
}

/*
 * The run and those that went on with the same plan, as after one that was killed: each of them
 * did a part of the same work.
 */
static bool
find_runs_of_plan(struct ctx *ctx, struct db *db, const char *run, struct text_list *ret)
{
    struct sql_change_runs_rows runs;
    const char *plan_hash = NULL;

    *ret = (struct text_list){ 0 };
    if (!run)
        return true;
    text_list_add(ctx->arena, ret, run);
    if (!sql_change_runs(ctx, db, &runs))
        return false;
    for (size_t i = 0; i < runs.count; i++)
        if (text_equal(runs.items[i].id, run))
            plan_hash = runs.items[i].plan_hash;
    for (size_t i = 0; plan_hash && i < runs.count; i++)
        if (text_equal(runs.items[i].plan_hash, plan_hash) && !text_list_has(ret, runs.items[i].id))
            text_list_add(ctx->arena, ret, runs.items[i].id);
    return true;
}

/* The last plan's runs, a run named by its id, entries by their numbers, or everything. */
static bool
is_chosen(const struct options *opts, const struct text_list *operands,
    const struct text_list *last_runs, const struct journal_entry *entry)
{
    if (opts->all)
        return true;
    for (size_t i = 0; i < operands->count; i++) {
        int64_t id;

        if (text_to_int64(operands->items[i], &id) && id == entry->id)
            return true;
    }
    if (operands->count > 0)
        return false;
    return opts->run ? text_equal(entry->run, opts->run) : text_list_has(last_runs, entry->run);
}

/* Whether the level takes it: "index" leaves columns, triggers, settings and flags alone. */
static bool
is_of_level(const struct options *opts, const struct journal_entry *entry)
{
    return !text_equal(opts->level, "index") || text_equal(entry->kind, KIND_INDEX) ||
           text_equal(entry->kind, KIND_DROP) || text_equal(entry->kind, KIND_REINDEX);
}

/* The newest run of which something stands that is there to be undone. */
static const char *
find_last_run(const struct options *opts, const struct journal_entries *entries)
{
    for (size_t i = entries->count; i-- > 0;)
        if (rollout_can_undo(&entries->items[i]) &&
            change_kind_find(entries->items[i].kind)->undo && is_of_level(opts, &entries->items[i]))
            return entries->items[i].run;
    return NULL;
}

static bool
choose(struct ctx *ctx, struct run *run, struct db *db, struct choice *ret)
{
    const struct options *opts = run->options;
    struct journal_entries all;
    struct text_list last_runs;
    struct step_rollback steps;

    *ret = (struct choice){ 0 };
    if (!journal_load(ctx, db, &all) ||
        !find_runs_of_plan(ctx, db, find_last_run(opts, &all), &last_runs) ||
        (opts->to && !rollback_steps_find(ctx, db, opts->to, &steps)))
        return false;
    for (size_t i = all.count; i-- > 0;) {
        const struct journal_entry *entry = &all.items[i];

        if (!rollout_can_undo(entry) || !is_of_level(opts, entry))
            continue;
        if (opts->to ? !rollback_steps_have(&steps, entry)
                     : !is_chosen(opts, &run->operands, &last_runs, entry))
            continue;
        VEC_PUSH(ctx->arena, &ret->entries, *entry);
        if (!text_list_has(&ret->runs, entry->run))
            text_list_add(ctx->arena, &ret->runs, entry->run);
        ret->run = entry->run;
    }
    if (!check_operands(ctx, &run->operands, ret))
        return false;
    if (ret->entries.count > 0 || !opts->run)
        return true;
    error_set(
        ctx, ERR_NOT_FOUND, "run %s is not in the journal, or nothing of it stands", opts->run);
    error_hint(ctx, "\"pgmend history\" lists runs and entries.");
    return error_state(ctx, "Nothing was changed.");
}

/* The catalogue as it was before the run began; NULL if other changes of ours still stand on it. */
static bool
find_catalogue(struct ctx *ctx, struct db *db, struct choice *choice)
{
    struct sql_change_runs_rows runs;

    if (!sql_change_runs(ctx, db, &runs))
        return false;
    for (size_t i = 0; i < runs.count; i++)
        if (text_equal(runs.items[i].id, choice->run))
            choice->catalogue = runs.items[i].catalogue;
    return true;
}

/* Compares with what was recorded before; a difference is told, not an error: it may be anybody's. */
static bool
compare(struct ctx *ctx, struct db *db, const struct choice *choice, const char **ret_differences,
    bool *ret_known)
{
    const char *now;

    *ret_known = choice->catalogue != NULL;
    *ret_differences = NULL;
    if (!choice->catalogue)
        return true;
    return inventory_take(ctx, db, &now) &&
           inventory_compare(ctx, choice->catalogue, now, ret_differences);
}

/* One that somebody altered since stays; the others are undone all the same. */
static void
skip(struct ctx *ctx, const struct run *run, struct choice *choice, const char *name,
    json_t *ret_changes)
{
    choice->skipped++;
    if (!choice->why.message)
        choice->why = ctx->error;
    json_array_append_new(ret_changes, json_pack("{s:s, s:s, s:s}", "object", name, "result",
                                           "not touched", "why", ctx->error.message));
    if (!run->global->json)
        out_mark_line(run->out, MARK_FAIL, "%s  not touched: %s", name, ctx->error.message);
    error_clear(ctx);
}

/* What was filled goes only when its column goes. */
static bool
is_column_chosen(const struct choice *choice, const char *object)
{
    for (size_t i = 0; i < choice->entries.count; i++)
        if (text_equal(choice->entries.items[i].kind, KIND_COLUMN) &&
            text_equal(choice->entries.items[i].object, object))
            return true;
    return false;
}

/* Its rows go with the column, which is undone as well. */
static bool
is_filled_column(const struct choice *choice, const struct rollout_outcome *outcome)
{
    return text_equal(outcome->kind, KIND_FILL) && is_column_chosen(choice, outcome->name);
}

static void
print_outcome(struct ctx *ctx, FILE *out, const struct rollout_outcome *outcome)
{
    if (text_equal(outcome->kind, KIND_INDEX) && text_equal(outcome->result, "dropped"))
        out_mark_line(out, MARK_OK, "%s  dropped: the planner ignored it after %s, gone after %s",
            outcome->name, text_from_us(ctx->arena, outcome->effect_us),
            text_from_us(ctx->arena, outcome->us));
    else
        out_mark_line(out, MARK_OK, "%s  %s", outcome->name, outcome->result);
    fflush(out);
}

static bool
undo_all(struct ctx *ctx, struct run *run, struct rollout *rollout, struct screen *screen,
    struct choice *choice, json_t *ret_changes)
{
    for (size_t i = 0; i < choice->entries.count; i++) {
        struct rollout_outcome outcome = { 0 };
        bool is_good = !interrupt_signal() || interrupt_error(ctx, interrupt_signal());

        is_good = is_good && rollout_undo(ctx, rollout, &choice->entries.items[i], &outcome);
        screen_end(screen);
        if (!is_good && ctx->error.kind == ERR_CONFLICT) {
            skip(ctx, run, choice, outcome.name, ret_changes);
            continue;
        }
        if (!is_good)
            return error_wrap(ctx, "undone %zu of %zu, then", i, choice->entries.count);
        if (text_equal(outcome.kind, KIND_FILL) && !is_column_chosen(choice, outcome.name))
            outcome.result = "what was filled stays in the column, which is not undone here";
        choice->idle += text_equal(outcome.kind, KIND_FLAG) && !outcome.is_done;
        choice->already += !outcome.is_done && !text_equal(outcome.kind, KIND_FLAG) &&
                           !is_filled_column(choice, &outcome);
        json_array_append_new(ret_changes,
            json_pack("{s:s, s:s, s:I, s:I}", "object", outcome.name, "result", outcome.result,
                "effect_us", (json_int_t)outcome.effect_us, "us", (json_int_t)outcome.us));
        if (!run->global->json &&
            (outcome.is_done || !text_equal(outcome.kind, KIND_FLAG) || choice->entries.count == 1))
            print_outcome(ctx, run->out, &outcome);
    }
    return true;
}

/* What of other runs stands: nobody shall take the database for untouched. */
static bool
print_standing(struct ctx *ctx, struct run *run, struct db *db)
{
    struct journal_entries entries;
    struct text_list runs = { 0 };
    size_t count = 0;

    if (!journal_load(ctx, db, &entries))
        return false;
    for (size_t i = entries.count; i-- > 0;) {
        const struct journal_entry *entry = &entries.items[i];

        if (!rollout_can_undo(entry) || !change_kind_find(entry->kind)->undo)
            continue;
        count++;
        if (!text_list_has(&runs, entry->run))
            text_list_add(ctx->arena, &runs, entry->run);
    }
    if (count > 0)
        fprintf(run->out,
            "%zu %s of %s %s still %s: \"pgmend rollback\" again undoes the last, \"pgmend rollback "
            "--all\" all of them.\n",
            count, count == 1 ? "change" : "changes", runs.count == 1 ? "run" : "runs",
            text_list_join(ctx->arena, &runs, ", "), count == 1 ? "stands" : "stand");
    return true;
}

/* "2 undone", and apart from them what was gone before we came, or leaves nothing to be undone. */
static const char *
count_undone(struct arena *arena, const struct choice *choice)
{
    const char *undone = arena_printf(arena, "%zu undone", choice->entries.count - choice->already);

    if (choice->already == 0)
        return undone;
    return arena_printf(arena, "%s, %zu had nothing left to undo", undone, choice->already);
}

static void
print_result(struct ctx *ctx, struct run *run, const struct choice *choice, const char *differences,
    bool is_known, json_t *changes)
{
    const struct options *opts = run->options;

    if (run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:O, s:o, s:s?, s:o}", "changes", changes, "catalogue_is_as_before",
                is_known && choice->skipped == 0 ? json_boolean(!differences) : json_null(),
                "catalogue_differences", differences, "health", health_json(&choice->health));

        out_json(run->out, json);
        return;
    }
    if (choice->runs.count > 1 && !opts->all && !opts->to && run->operands.count == 0)
        fprintf(run->out, "\nThese runs went on with the same plan and are undone together: %s.",
            text_list_join(ctx->arena, &choice->runs, ", "));
    if (choice->entries.count == 0 && choice->skipped == 0)
        fprintf(
            run->out, "\nNothing of it was left to undo: its flags are off, or as they were.\n");
    else if (choice->skipped > 0)
        fprintf(run->out, "\n%s, %zu not touched: what was altered since stays.\n",
            count_undone(ctx->arena, choice), choice->skipped);
    else if (is_known && !differences)
        fprintf(run->out, "\n%s. %s before run %s (apart from schema pgmend).\n",
            count_undone(ctx->arena, choice),
            text_equal(opts->level, "index") ? "The indexes are what they were"
                                             : "The catalogue is what it was",
            choice->run);
    else if (is_known)
        fprintf(run->out,
            "\n%s. The catalogue differs from what it was before run %s in: %s.\nThat is "
            "other work done since, or another change of pgmend that stands.\n",
            count_undone(ctx->arena, choice), choice->run, differences);
    else
        fprintf(run->out, "\n%s.\n", count_undone(ctx->arena, choice));
}

static struct health_options
health_options(const struct options *opts)
{
    return (struct health_options){ .url = opts->health_url, .timeout_us = opts->health_timeout };
}

/* By a session of its own: the look shortens its time-outs. */
static bool
ask_health(struct ctx *ctx, struct run *run, struct db *db, struct health_told *ret)
{
    const struct health_options how = health_options(run->options);
    const struct db_options open = { .access = ACCESS_READ };
    struct db *other CLEANUP(db_cleanup) = NULL;

    if (!db_open_like(ctx, db, &open, &other))
        return error_wrap(ctx, "asking whether the service is well");
    if (!health_take(ctx, other, &how, ret))
        return false;
    if (!ret->is_well)
        run->status = error_exit_status(ERR_VERIFICATION);
    return true;
}

static bool
undo_chosen(struct ctx *ctx, struct run *run, struct rollout *rollout, struct screen *screen)
{
    const struct options *opts = run->options;
    json_t *changes CLEANUP(json_release) = json_array();
    struct choice choice;
    const char *differences;
    bool is_known;

    if (!rollout_heal(ctx, rollout) || !choose(ctx, run, rollout->db, &choice))
        return false;
    if (choice.entries.count > 0 && (!find_catalogue(ctx, rollout->db, &choice) ||
                                        !undo_all(ctx, run, rollout, screen, &choice, changes)))
        return false;
    /* Before steps that stay there is no catalogue to compare with. */
    if (opts->to)
        choice.catalogue = NULL;
    if (!compare(ctx, rollout->db, &choice, &differences, &is_known))
        return false;
    if (!sql_change_settle_runs(ctx, rollout->db) || !rollback_steps_settle(ctx, rollout->db))
        return false;
    if (choice.entries.count == 0 && !run->global->json) {
        fprintf(run->out, "There is nothing to undo.\n");
        return true;
    }
    if (choice.skipped > 0 && choice.skipped == choice.entries.count) {
        ctx->error = choice.why;
        return false;
    }
    choice.entries.count -= choice.skipped + choice.idle;
    if (!ask_health(ctx, run, rollout->db, &choice.health))
        return error_state(ctx, "What was chosen is undone.");
    print_result(ctx, run, &choice, differences, is_known, changes);
    if (!run->global->json) {
        if (!print_standing(ctx, run, rollout->db))
            return false;
        health_print(run->out, &choice.health);
        out_next(run->out, "pgmend history");
    }
    if (choice.skipped > 0)
        run->status = error_exit_status(ERR_CONFLICT);
    return true;
}

static bool
go_back_in_code(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct code_level level = {
        .names = &opts->flag,
        .reason = opts->reason,
        .release_command = opts->release_command,
        .release_timeout_us = opts->release_timeout,
        .health = health_options(opts),
    };

    if (opts->run || opts->all || opts->to || run->operands.count > 0)
        return error_set(ctx, ERR_USAGE, "--level code takes no entries: name flags by --flag");
    return rollback_code(ctx, run, &level);
}

static bool
go_back_in_database(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct database_level level = {
        .backup = run->operands.count > 0 ? run->operands.items[0] : NULL,
        .backup_dir = opts->backup_dir,
        .pgbouncer = opts->pgbouncer,
        .pause_limit_us = opts->pause_limit,
        .confirm = opts->confirm,
        .maintenance_db = opts->maintenance_db,
        .scratch_template = opts->scratch_template,
        .bin_dir = opts->bin_dir,
        .jobs = opts->jobs,
        .accept_rights = opts->accept_rights,
        .health = health_options(opts),
    };

    if (opts->run || opts->all || opts->to || run->operands.count > 1)
        return error_set(ctx, ERR_USAGE, "--level database takes the name of a backup, or nothing");
    if (opts->jobs < 1 || opts->jobs > 64)
        return error_set(ctx, ERR_USAGE, "--jobs is 1 to 64");
    return opts->recipe ? rollback_recipe(ctx, run) : rollback_database(ctx, run, &level);
}

/* Sets ERR_USAGE for an option of another level. */
static bool
check_options(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;
    bool is_database = text_equal(opts->level, "database");

    if (opts->flag.count > 0 && !text_equal(opts->level, "code"))
        return error_set(ctx, ERR_USAGE, "--flag is for --level code");
    if (!is_database && (opts->recipe || opts->confirm || opts->accept_rights))
        return error_set(ctx, ERR_USAGE, "%s is for --level database",
            opts->recipe    ? "--recipe"
            : opts->confirm ? "--confirm"
                            : "--accept-rights");
    if (opts->to && (opts->run || opts->all || run->operands.count > 0))
        return error_set(ctx, ERR_USAGE, "--to takes no entries, and neither --run nor --all");
    return true;
}

static bool
print_nothing(struct run *run)
{
    fprintf(run->out, run->global->json ? "{\"schema_version\": 1, \"changes\": [], "
                                          "\"catalogue_is_as_before\": null, "
                                          "\"catalogue_differences\": null}\n"
                                        : "There is nothing to undo.\n");
    return true;
}

/* Entries, a run or a step that has to be there; who names none asks for the last one of what stands. */
static bool
names_what(const struct run *run)
{
    const struct options *opts = run->options;

    return opts->run || opts->to || run->operands.count > 0;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct screen *screen = screen_new(ctx->arena);
    struct rollout_observer observer = screen_observer(screen);
    struct rollout rollout CLEANUP(rollout_close) = { 0 };
    const struct journal_run about = {
        .command = run->command->path,
        .state_dir = run->global->state_dir,
    };
    bool is_there;
    bool is_good;

    if (!check_options(ctx, run))
        return false;
    if (text_equal(opts->level, "code"))
        return go_back_in_code(ctx, run);
    if (text_equal(opts->level, "database"))
        return go_back_in_database(ctx, run);
    if (!journal_is_installed(ctx, run->db, &is_there))
        return false;
    if (!is_there)
        return print_nothing(run);
    if (!rollout_open(ctx, run->db, &about, &observer, &rollout))
        return ctx->error.kind == ERR_RIGHTS && !names_what(run) && rollback_is_idle(ctx, run) &&
               print_nothing(run);
    rollout.limits.drop_us = opts->limit;
    is_good = undo_chosen(ctx, run, &rollout, screen);
    screen_end(screen);
    return end_run(ctx, &rollout, is_good);
}

const struct command cmd_rollback = {
    .path = "rollback",
    .summary = "undo the last run, or the named entries of the journal, online",
    .details =
        "Drops, with DROP INDEX CONCURRENTLY, the indexes that the journal says pgmend built, "
        "newest first; takes back columns, triggers and functions that it made, and builds indexes "
        "again that it dropped. What somebody altered since is not touched. It says apart when the "
        "planner began to ignore an index (the effect) and when it was gone, and compares the "
        "catalogue with what was recorded before the run. --level index undoes indexes alone.\n\n"
        "--level code instead sets the feature flags of pgmend flags back to 0: everybody gets the "
        "original code again, within a second, whatever else pgmend is doing. A flag that was "
        "turned off stays off until somebody sets it. With --release-command it then runs what "
        "brings the release before back.\n\n"
        "--level database restores a verified backup beside the live database, compares it, shows "
        "what was written since, and after the name of the database was typed renames both in one "
        "transaction. Behind a PgBouncer in transaction mode no query fails: its clients wait for "
        "that moment.\n\n"
        "Every rollback ends with a look at whether the service is well; exit status 10 says that "
        "it was done and the service is not.",
    .operands = "[ENTRY ... | BACKUP]",
    .min_operands = 0,
    .max_operands = SIZE_MAX,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend rollback\n"
                "pgmend rollback 17\n"
                "pgmend rollback --to 1.2\n"
                "pgmend rollback --level code\n"
                "pgmend rollback --level database --pgbouncer postgresql://admin@pooler:6432/",
    .next = "pgmend history",
    .run = run,
};
