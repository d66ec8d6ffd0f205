#include "change/plan.h"

#include "base/file.h"
#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/collect/collect.h"
#include "cmd/parts/plan_order.h"
#include "cmd/parts/plan_runbook.h"
#include "cmd/parts/plan_sql.h"
#include "cmd/parts/print_plan_steps.h"
#include "cmd/parts/roll_out.h"

enum { PENDING = 3 };

struct options {
    const char *output;
    bool exit_code;
    const char *sql;
    const char *runbook;
    struct text_list script;
    struct text_list include;
    const char *migrations;
    struct text_list log;
    struct text_list workload;
    struct text_list trace;
    struct text_list replica;
    struct text_list skip;
    int64_t time_limit;
    const char *bin_dir;
    const char *backup_dir;
};

static const struct field options[] = {
    FIELD(struct options, output, .letter = 'o', .arg = "FILE",
        .help = "also write the plan to this file, for \"pgmend apply FILE\""),
    FIELD(struct options, exit_code, .help = "exit with 3 when there is something to do"),
    FIELD(struct options, sql, .momentary = true, .arg = "DIR",
        .help = "write a script for psql for each step and its undo, and all.sql"),
    FIELD(struct options, runbook, .momentary = true, .arg = "FILE",
        .help = "write the rollback runbook of this plan (Markdown)"),
    FIELD(struct options, script, .momentary = true, .arg = "FILE",
        .help = "whole plan: also the indexes of this script; may be given several times"),
    FIELD(struct options, include, .momentary = true, .arg = "FILE",
        .help = "whole plan: also this plan, as of \"vector tune -o\"; several times"),
    FIELD(
        struct options, migrations, .arg = "DIR", .help = "whole plan: also this Alembic history"),
    FIELD(struct options, log, .momentary = true, .arg = "FILE",
        .help = "whole plan: statements from this log, not from the counters; several times"),
    FIELD(struct options, workload, .momentary = true, .arg = "FILE",
        .help = "whole plan: statements from this file of SQL instead; several times"),
    FIELD(struct options, trace, .momentary = true, .arg = "FILE",
        .help = "whole plan: a trace of \"queries trace\", for N+1; several times"),
    FIELD(struct options, replica, .arg = "URL",
        .help = "a standby, whose use of indexes counts too; may be given several times"),
    FIELD(struct options, skip, .momentary = true, .arg = "PART",
        .help = "whole plan: do not look at index, queries, vector, settings, pool, …"),
    FIELD(struct options, time_limit, .unit = UNIT_US, .arg = "TIME", .standard = "60s",
        .help = "whole plan: of each part that could take long"),
    FIELD(struct options, bin_dir, .arg = "DIR",
        .help = "programs of a server, where indexes are tried on a scratch one"),
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "where backups are (default: backups in the state folder)"),
};

/* ---- what was asked for ---- */

static bool
check_files(struct ctx *ctx, const char *option, const struct text_list *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (!text_equal(files->items[i], "-") && !file_exists(files->items[i]))
            return error_set(
                ctx, ERR_USAGE, "--%s: there is no file \"%s\"", option, files->items[i]);
    return true;
}

static bool
check_skip(struct ctx *ctx, const struct text_list *skip)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < plan_source_count; i++)
        text_list_add(ctx->arena, &names, plan_sources[i].name);
    for (size_t i = 0; i < skip->count; i++) {
        if (text_list_has(&names, skip->items[i]))
            continue;
        error_set(ctx, ERR_USAGE, "--skip: there is no part \"%s\"", skip->items[i]);
        return error_hint(ctx, "The parts are %s.", text_list_join(ctx->arena, &names, ", "));
    }
    return true;
}

static bool
check_options(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;
    size_t whole = opts->script.count + opts->include.count + opts->log.count +
                   opts->workload.count + opts->trace.count + opts->skip.count;

    if (run->operands.count > 0 && whole > 0) {
        error_set(ctx, ERR_USAGE,
            "files were given, which are planned alone, and options of the "
            "plan of the whole");
        return error_hint(ctx, "Give scripts as --script FILE and plans as --include FILE.");
    }
    if (opts->log.count > 0 && opts->workload.count > 0)
        return error_set(ctx, ERR_USAGE, "--log and --workload are two sources of statements");
    if (opts->time_limit <= 0)
        return error_set(ctx, ERR_USAGE, "--time-limit must be more than 0");
    if (opts->runbook && text_equal(opts->runbook, opts->output))
        return error_set(ctx, ERR_USAGE, "--output and --runbook name the same file");
    return check_files(ctx, "script", &opts->script) &&
           check_files(ctx, "include", &opts->include) && check_files(ctx, "log", &opts->log) &&
           check_files(ctx, "workload", &opts->workload) &&
           check_files(ctx, "trace", &opts->trace) && check_skip(ctx, &opts->skip) &&
           file_check_place(ctx, opts->output) && file_check_place(ctx, opts->runbook) &&
           (!opts->sql || plan_sql_check_folder(ctx, opts->sql));
}

/* ---- the plan of the whole ---- */

static bool
plan_whole(struct ctx *ctx, struct run *run, struct collected *collected, struct plan *ret)
{
    const struct options *opts = run->options;
    struct progress progress;
    const struct collect_input input = {
        .run = run,
        .migrations = opts->migrations,
        .scripts = opts->script,
        .plans = opts->include,
        .logs = opts->log,
        .workloads = opts->workload,
        .traces = opts->trace,
        .replicas = opts->replica,
        .time_limit_us = opts->time_limit,
        .bin_dir = opts->bin_dir,
        .backup_dir = backup_folder(ctx, run, opts->backup_dir),
        .progress = run->global->quiet ? NULL : &progress,
    };
    bool is_good;

    if (!db_require_primary(ctx, run->db))
        return error_wrap(ctx, "planning");
    progress_begin(&progress);
    is_good = collect_all(ctx, &input, &opts->skip, collected);
    progress_end(&progress);
    return is_good && plan_order(ctx, run->db, collected, ret);
}

static bool
write_files(struct ctx *ctx, struct run *run, const struct plan *plan)
{
    const struct options *opts = run->options;
    const struct plan_runbook runbook = {
        .plan = plan,
        .file = opts->output,
        .backup_dir = backup_folder(ctx, run, opts->backup_dir),
    };

    return (!opts->sql || plan_sql_write(ctx, run->db, plan, opts->sql)) &&
           (!opts->runbook || plan_runbook_write(ctx, run->db, &runbook, opts->runbook)) &&
           (!opts->output || plan_write(ctx, opts->output, plan));
}

/* ---- what is told ---- */

static json_t *
array_of(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static void
print_json(
    struct ctx *ctx, struct run *run, const struct plan *plan, const struct collected *collected)
{
    json_t *json CLEANUP(json_release) = plan_json(plan);

    if (run->operands.count == 0) {
        json_object_set_new(json, "notes", array_of(&collected->notes));
        json_object_set_new(json, "not_looked_at", array_of(&collected->unseen));
        json_object_set_new(json, "refused", array_of(&collected->refused));
    }
    (void)ctx;
    out_json(run->out, json);
}

/* Before the plan: a short one may be short because it could not be seen what there is to do. */
static void
print_unseen(struct ctx *ctx, struct run *run, const struct collected *collected)
{
    if (collected->unseen.count > 0)
        out_mark_line(run->out, MARK_WARN, "not looked at: %s; the notes below say why",
            text_list_join(ctx->arena, &collected->unseen, ", "));
    if (collected->refused.count > 0)
        out_mark_line(run->out, MARK_WARN, "role %s lacks rights for: %s", db_user(run->db),
            text_list_join(ctx->arena, &collected->refused, ", "));
    if (collected->unseen.count > 0)
        fputc('\n', run->out);
}

static void
print_next(struct ctx *ctx, struct run *run, const struct plan *plan,
    const struct collected *collected, const char *file)
{
    bool is_begun = plan->steps.count > 0;

    if (collected->refused.count > 0)
        out_next(run->out,
            "the rights that %s lacks (pgmend doctor --grants %s --use plan), then pgmend plan "
            "again",
            db_user(run->db), text_shell(ctx->arena, db_user(run->db)));
    else if (!is_begun && plan_pending(plan) == 0 && plan_count(plan, ACTION_BLOCKED) == 0)
        out_next(run->out, "pgmend status");
    else if (!is_begun && plan_pending(plan) == 0)
        out_next(run->out, "mend what is blocked, then the same command again");
    else if (is_begun && plan_pending(plan) == 0)
        out_next(run->out, "what is to be done by hand, then pgmend plan again");
    else if (file)
        out_next(run->out, "pgmend rehearse %s, then pgmend apply %s", text_shell(ctx->arena, file),
            text_shell(ctx->arena, file));
    else if (run->operands.count > 0)
        out_next(run->out, "pgmend plan %s -o change.plan",
            text_shell_words(ctx->arena, &run->operands));
    else
        out_next(run->out, "the same command with -o change.plan");
}

static void
print_text(struct ctx *ctx, struct run *run, const struct plan *plan,
    const struct collected *collected, const char *file)
{
    const struct options *opts = run->options;

    fprintf(
        run->out, "%s, PostgreSQL %s\n\n", db_label(ctx->arena, run->db), db_version_text(run->db));
    print_unseen(ctx, run, collected);
    if (run->operands.count == 0 && plan->steps.count == 0)
        fputs(collected->unseen.count > 0 ? "Nothing to do was found where it was looked.\n"
                                          : "There is nothing to do.\n",
            run->out);
    else
        print_plan(ctx, run->out, plan, false);
    plan_notes_print(ctx->arena, run->out, &collected->notes);
    if (opts->sql)
        fprintf(run->out, "Scripts are in %s: psql -f %s/all.sql\n", opts->sql, opts->sql);
    if (opts->runbook)
        fprintf(run->out, "The rollback runbook is %s.\n", opts->runbook);
    fprintf(run->out, "Nothing was changed.\n");
    print_next(ctx, run, plan, collected, file);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct collected collected = { 0 };
    const char *file = opts->output;
    struct plan plan;
    bool is_whole = run->operands.count == 0;
    bool is_file = false;

    if (!check_options(ctx, run))
        return false;
    if (!(is_whole ? plan_whole(ctx, run, &collected, &plan) : load_plan(ctx, run, &plan)) ||
        (!is_whole && !is_plan_file(ctx, run->operands.items[0], &is_file)) ||
        !write_files(ctx, run, &plan))
        return error_state(ctx, "Nothing was changed.");
    if (opts->exit_code &&
        plan_pending(&plan) + plan_count(&plan, ACTION_BLOCKED) + plan.steps.count > 0)
        run->status = PENDING;
    if (run->global->json) {
        print_json(ctx, run, &plan, &collected);
        return true;
    }
    if (!file && is_file && !text_equal(run->operands.items[0], "-"))
        file = run->operands.items[0];
    print_text(ctx, run, &plan, &collected, file);
    return true;
}

const struct command cmd_plan = {
    .path = "plan",
    .summary = "show what would be done, why, with which lock and cost; touches nothing",
    .details =
        "Without a file it is the plan of the whole: what the workload, the settings, vector "
        "columns, migrations, logs and traces ask for, as steps in four phases, ordered by gain "
        "against risk. Each step has its locks, its room, its time, its undo and what it has to "
        "prove; \"pgmend apply\" does, proves and undoes them one by one. What pgmend cannot do "
        "itself is a step by hand, with the command; what could not be looked at is said.\n\n"
        "Files are index scripts, or one plan: they are planned alone. Each statement is tried on "
        "an empty temporary copy of its table inside a transaction that is rolled back, so "
        "mistakes are found by the server itself.",
    .operands = "[FILE.sql]...",
    .max_operands = SIZE_MAX,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend plan -o change.plan --runbook rollback.md\n"
                "pgmend plan --script critical.sql --include vector.plan --migrations migrations\n"
                "pgmend plan change.plan --sql steps\n"
                "pgmend plan replyx/indexes/critical.sql -o change.plan",
    .next = "pgmend apply",
    .run = run,
};
