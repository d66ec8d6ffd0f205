#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "change/journal.h"
#include "change/lock.h"
#include "cli/command.h"
#include "cli/out.h"
#include "finding/render.h"
#include "migrate/squash/catch_up.h"

struct options {
    const char *archive;
    const char *alembic;
    const char *section;
    struct text_list url_env;
    int64_t lock_timeout;
    int64_t timeout;
    bool dry_run;
};

static const struct field options[] = {
    FIELD(struct options, archive, .arg = "DIR", .momentary = true,
        .help = "the folder with the old revisions (default: looked for in versions_archive)"),
    FIELD(struct options, alembic, .arg = "COMMAND",
        .help = "how Alembic is called, as \"poetry run alembic\" (default: found by itself)"),
    FIELD(struct options, section, .arg = "NAME",
        .help = "section of alembic.ini, as of alembic --name (default: alembic)"),
    FIELD(struct options, url_env, .arg = "NAME",
        .help = "a further environment variable that env.py takes the database's URL from"),
    FIELD(struct options, lock_timeout, .unit = UNIT_US, .arg = "TIME", .standard = "0",
        .help = "how long a statement waits for a lock; 0: as env.py says"),
    FIELD(struct options, timeout, .unit = UNIT_US, .arg = "TIME", .standard = "0",
        .help = "how long the whole run may take; 0: any time"),
    FIELD(
        struct options, dry_run, .momentary = true, .help = "show what would be run, run nothing"),
};

struct step_watch {
    const struct options *options;
    const struct catch_up *plan;
    size_t done;
};

/* A setting of the session that env.py may still change. */
static bool
opened(void *self, struct ctx *ctx, struct db *db, size_t session)
{
    const struct step_watch *watch = self;

    (void)session;
    if (watch->options->lock_timeout <= 0)
        return true;
    return db_set(ctx, db, "lock_timeout",
        arena_printf(ctx->arena, "%lldms", (long long)(watch->options->lock_timeout / 1000)));
}

static bool
after(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    struct step_watch *watch = self;

    (void)ctx;
    if (statement->is_failed || text_is_empty(statement->version))
        return true;
    watch->done++;
    log_info("%zu of %zu: %s", watch->done, watch->plan->missing.count, statement->version);
    return true;
}

static const char *
title_of(const struct revision *revision)
{
    return revision->message ? revision->message : "";
}

static void
print_plan(struct ctx *ctx, struct run *run, const struct environment *environment,
    const struct catch_up *plan)
{
    const struct options *opts = run->options;

    fprintf(run->out, "%s stands at %s.\n%s has %zu revision%s that it lacks, up to %s:\n\n",
        plan->database.label, catch_up_standing(ctx->arena, &plan->database.revisions),
        render_path(plan->archive), plan->missing.count, plan->missing.count == 1 ? "" : "s",
        plan->head);
    for (size_t i = 0; i < plan->missing.count; i++) {
        const struct revision *revision = plan->graph.nodes[plan->missing.items[i]].revision;

        fprintf(run->out, "  %s  %s\n", revision->id, title_of(revision));
    }
    fputc('\n', run->out);
    if (opts->lock_timeout <= 0 && !environment->sets_lock_timeout)
        out_mark_line(run->out, MARK_WARN,
            "env.py sets no lock_timeout: a statement that waits for a lock makes everyone else "
            "wait behind it. --lock-timeout 5s sets one.");
    fflush(run->out);
}

static json_t *
to_json(const struct catch_up *plan, const char *result, const struct alembic_outcome *outcome)
{
    json_t *from = json_array();
    json_t *missing = json_array();

    for (size_t i = 0; i < plan->database.revisions.count; i++)
        json_array_append_new(from, render_json_text(plan->database.revisions.items[i]));
    for (size_t i = 0; i < plan->missing.count; i++) {
        const struct revision *revision = plan->graph.nodes[plan->missing.items[i]].revision;

        json_array_append_new(
            missing, json_pack("{s:o, s:o, s:o}", "revision", render_json_text(revision->id),
                         "file", render_json_text(render_path(revision->file)), "message",
                         render_json_text(revision->message)));
    }
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:I}", "database",
        render_json_text(plan->database.label), "result", result, "from", from, "to",
        render_json_text(plan->head), "archive", render_json_text(plan->archive), "missing",
        missing, "statements", (json_int_t)(outcome ? outcome->statements : 0), "us",
        (json_int_t)(outcome ? outcome->us : 0));
}

static void
print_json(struct run *run, const struct catch_up *plan, const char *result,
    const struct alembic_outcome *outcome)
{
    json_t *document CLEANUP(json_release) = to_json(plan, result, outcome);

    out_json(run->out, document);
}

/* The run in the journal says where the database stood; there is nothing that rollback could do. */
static bool
run_journaled(struct ctx *ctx, struct run *run, struct alembic *alembic,
    const struct catch_up *plan, struct alembic_outcome *ret)
{
    struct step_watch watch = { .options = run->options, .plan = plan };
    const struct alembic_watcher watcher = { .self = &watch, .opened = opened, .after = after };
    const struct journal_run about = {
        .command = arena_printf(ctx->arena, "%s %s -> %s", run->command->path,
            catch_up_standing(ctx->arena, &plan->database.revisions), plan->head),
        .state_dir = run->global->state_dir,
    };
    struct journal journal;
    struct error why;
    bool is_good, is_ended;
    int signal_number;

    if (!journal_begin(ctx, run->db, &about, &journal))
        return error_state(ctx, "Alembic was not started.");
    is_good = catch_up_run(ctx, run->db, alembic, plan, &watcher, ret);
    why = ctx->error;
    signal_number = interrupt_take();
    is_ended =
        db_is_connected(run->db) &&
        journal_end(ctx, &journal, is_good ? RUN_DONE : RUN_FAILED, is_good ? NULL : why.message);
    interrupt_put(signal_number);
    if (!is_good)
        ctx->error = why;
    else if (!is_ended)
        error_state(ctx, "%s stands at %s.", plan->database.label, plan->head);
    return is_good && is_ended;
}

static bool
catch_up(struct ctx *ctx, struct run *run, const struct environment *environment,
    const struct catch_up *plan)
{
    const struct options *opts = run->options;
    const struct alembic_options how = {
        .command = opts->alembic,
        .section = opts->section,
        .url_envs = &opts->url_env,
        .timeout_us = opts->timeout,
    };
    struct alembic alembic CLEANUP(alembic_end) = { 0 };
    struct alembic_outcome outcome = { 0 };

    if (!alembic_begin(ctx, environment, &how, &alembic))
        return error_state(ctx, "Nothing was changed.");
    if (!confirm_typed(ctx, run->global,
            arena_printf(ctx->arena, "Alembic %s will run them on the database itself.",
                alembic.version ? alembic.version : ""),
            db_name(run->db)))
        return false;
    if (!run_lock_take(ctx, run->db, run->command->path) ||
        !catch_up_recheck(ctx, run->db, environment, plan) ||
        !run_journaled(ctx, run, &alembic, plan, &outcome))
        return false;
    if (run->global->json) {
        print_json(run, plan, "done", &outcome);
        return true;
    }
    out_mark_line(run->out, MARK_OK, "%s stands at %s, the old head: %zu statements in %s",
        plan->database.label, plan->head, outcome.statements, text_from_us(ctx->arena, outcome.us));
    out_next(run->out, plan->is_last ? "alembic upgrade head" : "pgmend migrations catch-up");
    return true;
}

static bool
say_nothing(struct ctx *ctx, struct run *run, const struct catch_up *plan)
{
    if (run->global->json)
        print_json(run, plan, "nothing to do", NULL);
    else if (plan->database.is_empty)
        fprintf(run->out,
            "%s stands at no revision: there is nothing to catch up, \"alembic upgrade head\" makes "
            "everything.\n",
            plan->database.label);
    else
        fprintf(run->out,
            "%s stands at %s, which the version folder has: there is nothing to catch up.\n",
            plan->database.label, catch_up_standing(ctx->arena, &plan->database.revisions));
    return true;
}

static bool
decide(struct ctx *ctx, struct run *run, const struct environment *environment,
    const struct catch_up *plan)
{
    const struct options *opts = run->options;

    if (plan->needs_nothing)
        return say_nothing(ctx, run, plan);
    if (plan->missing.count == 0)
        return error_set(ctx, ERR_INPUT,
            "%s stands at the head of \"%s\" (%s), which the version folder does not know",
            plan->database.label, plan->archive, plan->head);
    if (!run->global->json)
        print_plan(ctx, run, environment, plan);
    if (!opts->dry_run)
        return catch_up(ctx, run, environment, plan);
    if (run->global->json)
        print_json(run, plan, "dry run", NULL);
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct environment environment;
    struct catch_up plan = { 0 };
    bool is_good;

    if (!db_require_direct(ctx, run->db) || !db_require_writable(ctx, run->db) ||
        !environment_find(ctx, run->operands.count > 0 ? run->operands.items[0] : NULL,
            opts->section, &environment))
        return false;
    is_good = catch_up_find(ctx, run->db, &environment, opts->archive, &plan) &&
              decide(ctx, run, &environment, &plan);
    history_free(&plan.history);
    return is_good;
}

const struct command cmd_migrations_catch_up = {
    .path = "migrations catch-up",
    .summary = "bring a database to the head of a history that was consolidated since",
    .details =
        "A database that stands at a revision which only the archive has cannot be upgraded from "
        "the consolidated folder: its revisions are gone from there. This runs the project's own "
        "Alembic with the archived revisions on the database, up to the old head, which the "
        "consolidated folder has too; from there on \"alembic upgrade head\" works again.\n\n"
        "It shows where the database stands and which revisions are going to be run, asks for the "
        "database's name, takes pgmend's lock, and looks afterwards that the version table holds "
        "the old head and nothing else. The run stands in \"pgmend history\"; rollback does not "
        "undo it.\n\n"
        "DIR is a folder with alembic.ini, an alembic.ini, or a versions folder; without it the "
        "nearest alembic.ini from here up is taken.",
    .operands = "[DIR]",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend migrations catch-up --dry-run\n"
                "pgmend migrations catch-up migrations --lock-timeout 5s\n",
    .next = "pgmend migrations graph",
    .run = run,
};
