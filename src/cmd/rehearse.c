#include "base/interrupt.h"
#include "base/log.h"
#include "catalog/diff.h"
#include "change/rights.h"
#include "cli/out.h"
#include "cmd/parts/rehearsal_record.h"
#include "cmd/parts/rehearsal_run.h"
#include "cmd/parts/rehearsal_tell.h"
#include "cmd/parts/roll_out.h"
#include "cmd/parts/staging_make.h"
#include "staging/copy.h"
#include "staging/schema_copy.h"

enum { DIFFERENCES_SHOWN = 10, JOBS = 2 };

struct options {
    const char *staging;
    bool with_rows;
    const char *from;
    const char *backup_dir;
    const char *scratch_template;
    const char *maintenance_db;
    const char *bin_dir;
};

static const char *const ways[] = { "dump", "template", "backup", NULL };

static const struct field options[] = {
    FIELD(struct options, staging, .arg = "NAME", .momentary = true,
        .help = "rehearse on this staging copy, which stays"),
    FIELD(struct options, with_rows, .momentary = true,
        .help = "rehearse on a copy with all rows, made for it and dropped"),
    FIELD(struct options, from, .arg = "WAY", .standard = "dump", .choices = ways,
        .help = "with --with-rows: how it is copied, as \"staging create\" does"),
    FIELD(
        struct options, backup_dir, .arg = "DIR", .help = "with --from backup: folder of backups"),
    FIELD(struct options, scratch_template, .arg = "DATABASE",
        .help = "make the scratch database from this one, which has the extensions "
                "(for roles that may not create them)"),
    FIELD(struct options, maintenance_db, .arg = "DATABASE", .standard = "postgres",
        .help = "database to be connected to while databases are made"),
    FIELD(struct options, bin_dir, .arg = "DIR", .help = "folder of pg_dump and pg_restore"),
};

struct rehearsal {
    struct ctx *ctx;
    struct run *run;
    const struct options *options;
    const struct plan *plan;
    struct dump_tools tools;
    struct screen *screen;
    struct rehearsal_facts facts;
    struct rehearsed done;
};

/* ---- before and after ---- */

struct state {
    const char *schema; /* the dump */
    struct content content;
};

static bool
take_state(struct rehearsal *work, const char *database, struct state *ret)
{
    const struct db_options open = {
        .database = database, .application = "pgmend/rehearse", .access = ACCESS_WRITE
    };
    struct db *db CLEANUP(db_cleanup) = NULL;

    if (!schema_copy_dump(work->ctx, work->run->db, &work->tools, database, &ret->schema))
        return false;
    if (!work->facts.has_rows)
        return true;
    if (!db_open_like(work->ctx, work->run->db, &open, &db) ||
        !content_load_all(work->ctx, db, &ret->content))
        return error_wrap(work->ctx, "summing up the tables of the copy");
    content_leave_out_pgmend(work->ctx->arena, &ret->content);
    return true;
}

static bool
compare(struct rehearsal *work, const struct state *before, const struct state *after)
{
    struct text_list differences = { 0 };
    struct text_list notes = { 0 };

    if (!text_equal(before->schema, after->schema))
        return error_set(work->ctx, ERR_VERIFICATION,
            "after the rollback the copy's schema is not what it was before");
    if (!work->facts.has_rows)
        return true;
    content_compare(work->ctx->arena, &before->content, &after->content, CONTENT_WITH_RIGHTS,
        &differences, &notes);
    work->facts.tables = before->content.tables.count;
    if (differences.count == 0)
        return true;
    error_set(work->ctx, ERR_VERIFICATION,
        "after the rollback the copy does not hold what it held before");
    work->ctx->error.detail = text_list_join(work->ctx->arena, &differences, "\n");
    return false;
}

/* ---- the rehearsal itself ---- */

static bool
on_copy(struct rehearsal *work, const char *database)
{
    struct ctx *ctx = work->ctx;
    struct db *copy CLEANUP(db_cleanup) = NULL;
    struct db *reader CLEANUP(db_cleanup) = NULL;
    const struct db_options write = { .database = database, .access = ACCESS_WRITE };
    const struct db_options read = {
        .database = database, .application = "pgmend/rehearse", .access = ACCESS_READ
    };
    struct rehearsal_place place = {
        .database = database,
        .observer = screen_observer(work->screen),
        .command = "rehearse",
    };
    struct state before;
    struct state after;
    int64_t ignored;
    bool is_good;

    if (!take_state(work, database, &before) || !db_open_like(ctx, work->run->db, &write, &copy) ||
        (work->facts.has_rows && !db_open_like(ctx, work->run->db, &read, &reader)) ||
        !rehearsal_measure(ctx, copy, &work->facts.rows, &ignored))
        return false;
    place.copy = copy;
    place.reader = reader;
    is_good = rehearsal_run(ctx, &place, work->plan, &work->done);
    screen_end(work->screen);
    return is_good && take_state(work, database, &after) && compare(work, &before, &after);
}

static bool
on_schema(struct rehearsal *work)
{
    struct scratch scratch CLEANUP(scratch_drop) = { 0 };

    return schema_copy_create(
               work->ctx, work->run->db, &work->tools, work->options->scratch_template, &scratch) &&
           on_copy(work, scratch.name);
}

static bool
on_rows(struct rehearsal *work)
{
    const struct staging_options make = {
        .from = work->options->from,
        .statistics = "analyze",
        .backup_dir = work->options->backup_dir,
        .jobs = JOBS,
        .scratch_template = work->options->scratch_template,
        .maintenance_db = work->options->maintenance_db,
        .bin_dir = work->options->bin_dir,
    };
    struct staging_made made CLEANUP(staging_made_end) = { 0 };

    work->facts.has_rows = true;
    return staging_make(work->ctx, work->run, &make, "rehearse", &made) &&
           on_copy(work, made.scratch.name);
}

/* ---- on a staging copy ---- */

static bool
check_copy(struct rehearsal *work)
{
    struct ctx *ctx = work->ctx;
    struct sql_staging_copies copy;
    const char *cluster;

    if (!stage_find(ctx, work->run->db, work->options->staging, &copy) ||
        !journal_system_identifier(ctx, work->run->db, &cluster))
        return false;
    if (!text_equal(copy.source, db_name(work->run->db)) ||
        (cluster && !text_equal(copy.cluster, "?") && !text_equal(copy.cluster, cluster))) {
        error_set(ctx, ERR_CONFLICT, "\"%s\" is a copy of another database: \"%s\"%s", copy.name,
            copy.source,
            text_equal(copy.source, db_name(work->run->db)) ? " of another server" : "");
        return error_hint(ctx, "Make one of this database: pgmend staging create NAME");
    }
    work->facts.is_masked = copy.masked > 0;
    return true;
}

/* What a rehearsal left that was killed here, and the journal that it wrote. */
static bool
heal_copy(struct rehearsal *work, struct db *copy)
{
    const struct rehearsal_place place = {
        .copy = copy,
        .database = work->options->staging,
        .observer = screen_observer(work->screen),
        .command = "rehearse",
    };
    bool is_installed;
    size_t undone = 0;

    if (!journal_is_installed(work->ctx, copy, &is_installed))
        return false;
    if (!is_installed)
        return true;
    if (!rehearsal_heal(work->ctx, &place, &undone))
        return error_wrap(work->ctx, "undoing what a rehearsal left that was cut off");
    screen_end(work->screen);
    log_info("note: a rehearsal on \"%s\" was cut off: %zu change%s of it undone",
        work->options->staging, undone, undone == 1 ? " was" : "s were");
    return copy_drop_journal(work->ctx, copy);
}

static bool
is_publication(const struct difference *difference)
{
    return text_starts_with(difference->identity, "publication ") ||
           text_starts_with(difference->identity, "subscription ");
}

/* The schema as it is now; owners, rights and comments of a copy may differ. */
static bool
check_drift(struct rehearsal *work, struct db *copy)
{
    static const struct diff_options wanted = {
        .ignore_owner = true, .ignore_acl = true, .ignore_comments = true
    };
    struct ctx *ctx = work->ctx;
    struct buffer detail = { .arena = ctx->arena };
    struct differences differences = { 0 };
    struct schema found;
    struct schema live;
    size_t count = 0;

    if (!schema_load_pair(ctx, copy, work->run->db, &found, &live))
        return error_wrap(ctx, "comparing the copy with the live schema");
    schema_diff(ctx->arena, &found, &live, &wanted, &differences);
    for (size_t i = 0; i < differences.count; i++) {
        if (is_publication(&differences.items[i]))
            continue;
        if (count++ < DIFFERENCES_SHOWN)
            buffer_printf(&detail, "%s%s", count > 1 ? "\n" : "",
                difference_text(ctx->arena, &differences.items[i]));
    }
    if (count == 0)
        return true;
    error_set(ctx, ERR_STALE, "staging copy \"%s\" differs from the live schema in %zu place%s",
        work->options->staging, count, count == 1 ? "" : "s");
    ctx->error.detail = buffer_text(&detail);
    return error_hint(ctx, "pgmend staging refresh %s", work->options->staging);
}

/* The journal of the rehearsal is about the copy alone; the error and a signal stay. */
static bool
clean_copy(struct rehearsal *work, struct db *copy, bool is_good)
{
    struct error why = work->ctx->error;
    int signal_number = interrupt_take();
    bool is_clean = true;

    /* What could not be undone is known only by that journal: the next rehearsal finishes it. */
    if (is_good || !why.state || !strstr(why.state, "still has changes"))
        is_clean = copy_drop_journal(work->ctx, copy);
    interrupt_put(signal_number);
    if (is_good)
        return is_clean;
    work->ctx->error = why;
    return false;
}

static bool
on_staging(struct rehearsal *work)
{
    const struct db_options open = {
        .database = work->options->staging, .application = "pgmend/rehearse", .access = ACCESS_WRITE
    };
    struct db *copy CLEANUP(db_cleanup) = NULL;

    work->facts.has_rows = true;
    work->facts.staging = work->options->staging;
    return check_copy(work) && db_open_like(work->ctx, work->run->db, &open, &copy) &&
           heal_copy(work, copy) && check_drift(work, copy) &&
           clean_copy(work, copy, on_copy(work, work->options->staging));
}

/* ---- afterwards ---- */

static bool
record(struct rehearsal *work, const json_t *json)
{
    struct ctx *ctx = work->ctx;
    size_t left_out = rehearsal_left_out(&work->done);
    const char *note = arena_printf(ctx->arena, "%zu %s and %zu undone on a copy of the %s",
        work->done.built, plan_is_of_indexes(work->plan) ? "built" : "done", work->done.undone,
        work->facts.has_rows ? "database" : "schema");

    if (left_out > 0)
        note = arena_printf(ctx->arena,
            "%s; %zu of %zu changes not rehearsed, as no copy can hold them", note, left_out,
            left_out + work->done.built);
    if (work->facts.staging)
        note = arena_printf(ctx->arena, "%s (%s)", note, work->facts.staging);
    if (gate_record(ctx, work->run->db, "rollback", true, note, work->plan->hash) &&
        (!work->facts.has_rows ||
            gate_record(ctx, work->run->db, "staging", true, note, work->plan->hash)) &&
        rehearsal_save(ctx, work->run->db, work->plan->hash, json))
        return true;
    return error_state(ctx,
        "The rehearsal went well but could not be recorded. The live database was not changed.");
}

static bool
report(struct rehearsal *work)
{
    json_t *json CLEANUP(json_release) = rehearsal_json(work->plan, &work->done, &work->facts);

    if (!record(work, json))
        return false;
    if (work->run->global->json) {
        out_json(work->run->out, json);
        return true;
    }
    rehearsal_print(work->ctx, work->run, work->plan, &work->done, &work->facts);
    out_next(
        work->run->out, "pgmend gate %s", text_shell_words(work->ctx->arena, &work->run->operands));
    return true;
}

static bool
rehearse(struct rehearsal *work)
{
    struct run *run = work->run;

    if (!rehearsal_measure(work->ctx, run->db, &work->facts.rows, &work->facts.bytes))
        return false;
    work->facts.database = db_name(run->db);
    if (work->options->staging)
        return on_staging(work);
    return work->options->with_rows ? on_rows(work) : on_schema(work);
}

/* Whether there is anything to rehearse; *ret_is_done: no, and that was said. */
static bool
check_plan(struct ctx *ctx, struct run *run, const struct plan *plan, bool *ret_is_done)
{
    size_t blocked = plan_count(plan, ACTION_BLOCKED);

    *ret_is_done = false;
    if (blocked > 0)
        log_warn("%zu blocked statements are left out", blocked);
    if (plan_pending(plan) > 0)
        return true;
    if (blocked > 0) {
        error_set(ctx, ERR_CONFLICT, "nothing can be rehearsed: every statement is blocked");
        return error_hint(ctx, "\"pgmend plan\" says why.");
    }
    fprintf(run->out, run->global->json ? "{\"schema_version\": 1, \"built\": 0, \"undone\": 0}\n"
                                        : "The plan has nothing to do.\n");
    *ret_is_done = true;
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct plan plan;
    struct rehearsal work = {
        .ctx = ctx,
        .run = run,
        .options = run->options,
        .plan = &plan,
        .screen = screen_new(ctx->arena),
    };
    struct text_list notes = { 0 };
    bool is_done;

    if (work.options->staging && work.options->with_rows)
        return error_set(ctx, ERR_USAGE, "--staging and --with-rows cannot be given together");
    if (!db_require_direct(ctx, run->db) || !db_require_writable(ctx, run->db) ||
        !load_plan(ctx, run, &plan) || !rights_require_record(ctx, run->db) ||
        !dump_tools_find(ctx, work.options->bin_dir, db_major(run->db), &work.tools, &notes))
        return false;
    for (size_t i = 0; i < notes.count; i++)
        log_warn("%s", notes.items[i]);
    if (!check_plan(ctx, run, &plan, &is_done) || is_done)
        return is_done;
    if (!rehearse(&work)) {
        const char *left = ctx->error.state && strstr(ctx->error.state, "still has changes")
                               ? arena_printf(ctx->arena, " %s", ctx->error.state)
                               : "";

        screen_end(work.screen);
        error_wrap(ctx, "rehearsal");
        return error_state(ctx, "The live database was not changed.%s", left);
    }
    return report(&work);
}

const struct command cmd_rehearse = {
    .path = "rehearse",
    .summary = "apply a plan and undo it on a scratch copy of the schema, and compare",
    .details =
        "Copies the schema (no rows) into a scratch database on the same server, builds "
        "what the plan says with the same engine, undoes it, and compares the schema dump "
        "with the one before. When it is equal, the gate \"rollback\" is green for this "
        "very plan. The scratch database is always dropped.\n\n"
        "With --staging NAME (a copy of \"pgmend staging create\") or --with-rows (a copy made for this and "
        "dropped) the same is done with all rows, step by step: time, size and WAL of each change and of its "
        "undo are measured, promised statements are run before and after with values of the copy, and afterwards "
        "the content of every table is compared too. Then the gate \"staging\" is green as well, and what was "
        "measured is kept for the runbook and the report. A staging copy whose schema is not the live one's is "
        "refused. Settings of the server and of roles are never rehearsed: they would hold for the live "
        "database too.",
    .operands = "PLAN|FILE.sql ...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend rehearse change.plan\n"
                "pgmend rehearse change.plan --staging replyx_staging\n"
                "pgmend rehearse change.plan --with-rows --from template\n",
    .next = "pgmend apply",
    .run = run,
};
