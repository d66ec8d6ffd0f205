#include <sys/stat.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/load_progress.h"
#include "cmd/parts/load_screen.h"
#include "db/target.h"
#include "load/engine/engine.h"
#include "load/facts/facts.h"
#include "load/report/page.h"
#include "load/target.h"

struct options {
    const char *target;
    struct text_list allow;
    struct text_list define;
    const char *duration; /* texts: 0 is a wish, too */
    const char *ramp_up;
    const char *warm_up;
    const char *clients;
    double rate;
    double scale;
    int64_t seed;
    bool until_signal;
    bool check;
    const char *output;
    const char *html;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, target, .arg = "ADDRESS:PORT",
        .help = "the API that is asked, instead of the scenario's; SQL: a pooler to go through"),
    FIELD(struct options, allow, .momentary = true, .arg = "HOST",
        .help = "address, network or database host beside this machine that may be loaded"),
    FIELD(struct options, define, .letter = 'D', .arg = "NAME=VALUE",
        .help = "a constant of the scenario or the scripts"),
    FIELD(struct options, duration, .arg = "TIME",
        .help = "how long it counts, at most 4h (as the scenario says; a folder: 20s)"),
    FIELD(struct options, ramp_up, .arg = "TIME",
        .help = "in which the users come, instead of the scenario's"),
    FIELD(struct options, warm_up, .arg = "TIME",
        .help = "after that and before it counts, instead of the scenario's"),
    FIELD(struct options, clients, .letter = 'c', .arg = "N",
        .help = "a folder of scripts: sessions at once (4)"),
    FIELD(struct options, rate, .arg = "N", .standard = "0",
        .help = "a folder: transactions a second in all; 0: each session one after the other"),
    FIELD(struct options, scale, .arg = "N", .standard = "1",
        .help = "so many times the scenario's users and rates"),
    FIELD(struct options, seed, .arg = "N", .standard = "1",
        .help = "of all random numbers: the same seed draws the same"),
    FIELD(struct options, until_signal,
        .help = "run until Ctrl-C or SIGTERM, which then is a good end"),
    FIELD(struct options, check, .momentary = true,
        .help = "only read the scenario, and say what it would do"),
    FIELD(struct options, output, .letter = 'o', .momentary = true, .arg = "FILE",
        .help = "write the result as JSON, for load compare, load model and report"),
    FIELD(struct options, html, .momentary = true, .arg = "FILE",
        .help = "write a page with curves and percentiles"),
};
/* clang-format on */

enum { STATUS_GOALS = 10, USUAL_CLIENTS = 4 };
#define USUAL_US INT64_C(20000000)

static bool
is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* ---- the scenario ---- */

/* A folder has neither times nor numbers of its own. */
static bool
fill_folder(struct ctx *ctx, const struct options *opts, struct load_scenario *scenario)
{
    struct load_group *group = &scenario->groups[0];
    int64_t clients = USUAL_CLIENTS;

    if (opts->clients &&
        (!text_to_int64(opts->clients, &clients) || clients < 1 || clients > LOAD_MOST_USERS))
        return error_set(ctx, ERR_USAGE, "the number of clients must be 1 to %d", LOAD_MOST_USERS);
    group->users = (int32_t)clients;
    group->rate = opts->rate;
    group->is_closed = opts->rate <= 0;
    scenario->users = clients;
    scenario->duration_us = USUAL_US;
    return true;
}

/* What would be ignored is refused. */
static bool
check_meaning(struct ctx *ctx, const struct options *opts, bool is_of_folder)
{
    if (opts->output && opts->html && text_equal(opts->output, opts->html))
        return error_set(ctx, ERR_USAGE, "--output and --html name the same file");
    if (is_of_folder && opts->scale != 1)
        return error_set(ctx, ERR_USAGE, "--scale is for scenario files; a folder has --clients");
    if (is_of_folder || (!opts->clients && opts->rate <= 0))
        return true;
    error_set(ctx, ERR_USAGE, "--clients and --rate are for folders of scripts");
    return error_hint(ctx, "A scenario file says itself how many users there are; --scale 0.5 "
                           "halves them.");
}

static bool
check_options(struct ctx *ctx, const struct options *opts)
{
    if (!(opts->rate >= 0) || opts->rate > LOAD_MOST_RATE)
        return error_set(ctx, ERR_USAGE, "the rate must be 0 to %d", LOAD_MOST_RATE);
    if (!(opts->scale > 0) || opts->scale > 1000)
        return error_set(ctx, ERR_USAGE, "--scale must be more than 0, and at most 1000");
    if (opts->seed < 0)
        return error_set(ctx, ERR_USAGE, "--seed must not be negative");
    return true;
}

static bool
check_times(struct ctx *ctx, const struct load_scenario *scenario)
{
    if (scenario->duration_us < 1000000 || scenario->duration_us > LOAD_LONGEST_US)
        return error_set(ctx, ERR_USAGE, "the duration must be one second to four hours");
    if (scenario->ramp_up_us < 0 || scenario->ramp_up_us > LOAD_LONGEST_US ||
        scenario->warm_up_us < 0 || scenario->warm_up_us > LOAD_LONGEST_US)
        return error_set(ctx, ERR_USAGE, "ramp-up and warm-up must be at most four hours");
    return true;
}

static bool
take_time(struct ctx *ctx, const char *option, const char *text, int64_t *us)
{
    if (!text || text_to_us(text, us))
        return true;
    error_set(ctx, ERR_USAGE, "%s: \"%s\" is no time", option, text);
    return error_hint(ctx, "Times are written 250ms, 5s, 10m or 1h; 0 is none.");
}

static bool
read_scenario(struct ctx *ctx, struct run *run, struct db *db, struct load_scenario *ret)
{
    const struct options *opts = run->options;
    const char *path = run->operands.items[0];
    const struct load_scenario_options wanted = {
        .defines = opts->define,
        .db = db,
        .scale = opts->scale,
        .needs_values = !opts->check,
    };

    if (!check_options(ctx, opts) || !check_meaning(ctx, opts, is_folder(path)))
        return false;
    if (is_folder(path)) {
        if (!load_scenario_of_folder(ctx, path, &wanted, ret) || !fill_folder(ctx, opts, ret))
            return false;
    } else if (!load_scenario_read(ctx, path, &wanted, ret)) {
        return false;
    }
    if (opts->until_signal)
        ret->duration_us = LOAD_LONGEST_US;
    return take_time(ctx, "--duration", opts->duration, &ret->duration_us) &&
           take_time(ctx, "--ramp-up", opts->ramp_up, &ret->ramp_up_us) &&
           take_time(ctx, "--warm-up", opts->warm_up, &ret->warm_up_us) && check_times(ctx, ret);
}

/* Before a password is sent there. */
static bool
check_server(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;
    struct db_target target;

    return db_target_read(ctx, run->global->db_url, &target) &&
           load_target_check_host(ctx, target.host, &opts->allow);
}

/*
 * One is needed for SQL and for values that are drawn from it; beside HTTP it is watched if anybody has
 * named it.
 */
static bool
open_db(struct ctx *ctx, const struct run *run, struct db **ret)
{
    const struct options *opts = run->options;
    const char *path = run->operands.items[0];
    const struct db_options wanted = {
        .url = run->global->db_url, .application = "pgmend/load run", .access = ACCESS_READ
    };
    bool is_needed = is_folder(path);

    if (!is_needed && !load_scenario_asks_database(ctx, path, &is_needed))
        return false;
    if (opts->check || (!is_needed && !db_is_named(run->global->db_url)))
        return true;
    if (is_folder(path) && !check_server(ctx, run))
        return false;
    if (db_open(ctx, &wanted, ret))
        return true;
    if (is_needed || ctx->error.kind != ERR_CONNECTION)
        return false;
    /* An API can be asked while its database is down; that may be what the run is about. */
    log_warn("PostgreSQL is not watched: %s", ctx->error.message);
    error_clear(ctx);
    return true;
}

/* ---- the run ---- */

/* With a target the sessions go there: a pooler in front of the database. */
static const char *
sql_target(struct arena *arena, const struct db *db, const char *target)
{
    const char *label = db_label(arena, db);

    return target ? arena_printf(arena, "%s by way of %s", label, target) : label;
}

static bool
measure(struct ctx *ctx, const struct run *run, const struct load_scenario *scenario,
    const struct db *db, struct load_record *record)
{
    const struct options *opts = run->options;
    const char *target = opts->target ? opts->target : scenario->target;
    const struct load_watch_options watched = {
        .db = db,
        .target = scenario->kind == LOAD_HTTP ? target : NULL,
    };
    struct load_watch *watch = NULL;
    struct load_progress *progress = NULL;

    load_record_begin(ctx->arena, scenario, record);
    record->defines = opts->define;
    record->target = target;
    if (scenario->kind == LOAD_SQL)
        record->target = sql_target(ctx->arena, db, opts->target);
    if (!load_watch_new(ctx, &watched, &watch))
        return false;
    progress = load_progress_new(ctx, scenario, opts->output, watch);

    const struct load_options wanted = {
        .target = opts->target,
        .allowed = opts->allow,
        .db = db,
        .seed = (uint64_t)opts->seed,
        .until_signal = opts->until_signal,
        .progress = load_progress_tell,
        .counting = load_progress_count,
        .data = progress,
    };
    bool is_good = load_engine_run(ctx, scenario, &wanted, record);

    load_progress_end(progress);
    load_watch_end(watch);
    is_good =
        is_good && load_watch_facts(ctx, watch, record) && load_goals_check(ctx, scenario, record);
    load_watch_free(watch);
    return is_good;
}

static bool
goals_are_met(const struct load_record *record)
{
    for (size_t i = 0; i < record->goal_count; i++) {
        if (!record->goals[i].is_known || !record->goals[i].is_met)
            return false;
    }
    return true;
}

/* With goals they alone decide; without any, every error is one too many. */
static int
status_of(const struct run *run, const struct load_record *record)
{
    const struct options *opts = run->options;
    int signal = interrupt_signal();

    if (record->is_stopped && !opts->until_signal && signal)
        return 128 + signal;
    if (record->goal_count > 0)
        return goals_are_met(record) ? 0 : STATUS_GOALS;
    return load_record_errors(record) + record->unanswered > 0 ? error_exit_status(ERR_FAILED) : 0;
}

static void
print(struct ctx *ctx, struct run *run, const struct load_record *record, json_t *json)
{
    const struct options *opts = run->options;

    if (run->global->json) {
        out_json(run->out, json);
        return;
    }
    load_screen_print(ctx, run->out, record);
    if (opts->output)
        out_next(
            run->out, "pgmend load compare BEFORE.json %s", text_shell(ctx->arena, opts->output));
    else
        out_next(run->out, "pgmend load run %s --output FILE --html FILE",
            text_shell(ctx->arena, run->operands.items[0]));
}

/* Printed first: a full disk must not cost what was measured. */
static bool
show(struct ctx *ctx, struct run *run, const struct load_record *record)
{
    const struct options *opts = run->options;
    const struct load_page page = { .run = record };
    json_t *json CLEANUP(json_release) = load_record_json(record);

    print(ctx, run, record, json);
    run->status = status_of(run, record);
    return (!opts->output || json_write_file(ctx, opts->output, json)) &&
           (!opts->html || load_page_write(ctx, opts->html, &page));
}

/* As they were given, for a command to be repeated. */
static const char *
defines_text(struct arena *arena, const struct text_list *defines)
{
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < defines->count; i++)
        buffer_printf(&text, " -D %s", text_shell(arena, defines->items[i]));
    return buffer_text(&text);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct load_scenario scenario = { 0 };
    struct load_record record = { 0 };

    if (!file_check_place(ctx, opts->output) || !file_check_place(ctx, opts->html) ||
        !open_db(ctx, run, &db) || !read_scenario(ctx, run, db, &scenario))
        return false;
    if (opts->check) {
        load_screen_scenario(ctx, run->out, &scenario);
        out_next(run->out, "pgmend load run %s%s", text_shell(ctx->arena, run->operands.items[0]),
            defines_text(ctx->arena, &opts->define));
        return true;
    }
    return measure(ctx, run, &scenario, db, &record) && show(ctx, run, &record);
}

const struct command cmd_load_run = {
    .path = "load run",
    .summary = "put load on an API or a database, and measure it honestly",
    .details =
        "Runs a scenario (docs/load.md) of users who ask an HTTP API or a database, or all *.sql "
        "scripts of a folder, written for pgbench, each as likely as the others.\n\n"
        "A request's latency counts from the moment at which it was due by the schedule, so a server "
        "that stalls cannot hide it. When pgmend itself was too late (p99 above 1 ms), it says so: "
        "latencies are then upper bounds.\n\n"
        "It loads this machine only; --allow names others. Ctrl-C ends a run and shows what was "
        "measured. Scripts and requests may write: what they do is theirs.\n\n"
        "With goals in the scenario the exit status is 10 unless all of them are met; without any "
        "it is 1 when a request failed or was not answered.",
    .operands = "SCENARIO.ini|DIR",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend load run replyx/load/plan.ini --output after.json --html after.html\n"
                "pgmend load run scripts --duration 20s -D users=2000 -D scale=10\n"
                "pgmend load run scripts --until-signal --output during.json",
    .next = "pgmend load compare",
    .run = run,
};
