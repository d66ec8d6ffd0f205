#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "load/run.h"

struct options {
    int64_t duration;
    int32_t clients;
    double rate;
    bool until_signal;
    bool allow_remote;
    struct text_list define;
    const char *pgbench;
    const char *output;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, duration, .unit = UNIT_US, .arg = "TIME",
        .help = "how long, from 1s to 1h (20s if not given, 1h with --until-signal)"),
    FIELD(struct options, clients, .letter = 'c', .arg = "N", .standard = "4",
        .help = "sessions at once, at most 100"),
    FIELD(struct options, rate, .arg = "N", .standard = "0",
        .help = "transactions a second in all; 0 is as many as the server gives"),
    FIELD(struct options, until_signal,
        .help = "run until Ctrl-C or SIGTERM, then report all that was measured"),
    FIELD(struct options, allow_remote,
        .help = "also against a server on another machine"),
    FIELD(struct options, define, .letter = 'D', .arg = "NAME=VALUE",
        .help = "a variable of the scripts"),
    FIELD(struct options, pgbench, .arg = "PROGRAM", .standard = "pgbench",
        .help = "the pgbench to run"),
    FIELD(struct options, output, .letter = 'o', .arg = "FILE",
        .help = "also write the result as JSON to this file, for pgmend report"),
};
/* clang-format on */

enum { USUAL_US = 20000000 };

/* A line of the table on the terminal. */
struct line {
    const char *script;
    int64_t calls;
    int64_t mean;
    int64_t p50;
    int64_t p95;
    int64_t p99;
    int64_t max;
    int64_t failed;
};

static const struct field columns[] = {
    FIELD(struct line, script),
    FIELD(struct line, calls),
    FIELD(struct line, mean, .unit = UNIT_US),
    FIELD(struct line, p50, .unit = UNIT_US),
    FIELD(struct line, p95, .unit = UNIT_US),
    FIELD(struct line, p99, .unit = UNIT_US),
    FIELD(struct line, max, .unit = UNIT_US),
    FIELD(struct line, failed),
};

static void
print_table(struct ctx *ctx, FILE *out, const struct load_result *result)
{
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, result->script_count);

    for (size_t i = 0; i < result->script_count; i++) {
        const struct load_script *script = &result->scripts[i];
        const struct histogram *latency = script->latency;

        lines[i] = (struct line){
            .script = script->name,
            .calls = latency->count,
            .mean = (int64_t)histogram_mean_us(latency),
            .p50 = histogram_quantile_us(latency, 0.50),
            .p95 = histogram_quantile_us(latency, 0.95),
            .p99 = histogram_quantile_us(latency, 0.99),
            .max = latency->max_us,
            .failed = script->failed,
        };
    }
    out_table(out, columns, COUNT_OF(columns), lines, result->script_count, sizeof(lines[0]));
}

static void
print_result(struct ctx *ctx, FILE *out, const struct load_result *result)
{
    int64_t calls = load_calls(result);
    int64_t errors = load_errors(result);
    double seconds = (double)result->elapsed_us / 1e6;

    print_table(ctx, out, result);
    fprintf(out, "\n%s transactions by %d clients in %s: %.0f a second (latency as %s saw it)\n",
        text_from_count(ctx->arena, calls), result->options->clients,
        text_from_us(ctx->arena, result->elapsed_us), seconds > 0 ? (double)calls / seconds : 0,
        result->version);
    out_mark_line(out, errors == 0 ? MARK_OK : MARK_FAIL, "%s errors under load",
        text_from_count(ctx->arena, errors));
    for (size_t i = 0; i < result->messages.count; i++)
        fprintf(out, "      %s\n", result->messages.items[i]);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct load_options load = {
        .folder = run->operands.items[0],
        .duration_us = opts->duration       ? opts->duration
                       : opts->until_signal ? LOAD_LONGEST_US
                                            : USUAL_US,
        .clients = opts->clients,
        .rate = opts->rate,
        .until_signal = opts->until_signal,
        .allow_remote = opts->allow_remote,
        .defines = opts->define,
        .pgbench = opts->pgbench,
    };
    struct load_result result;

    log_info("running the scripts in %s with %d clients%s", load.folder, load.clients,
        load.until_signal ? " until a signal comes" : "");
    if (!load_run(ctx, run->db, &load, &result))
        return false;

    json_t *json CLEANUP(json_release) = load_json(&result);

    if (opts->output && !json_write_file(ctx, opts->output, json))
        return false;
    if (load_errors(&result) > 0)
        run->status = error_exit_status(ERR_FAILED);
    if (run->global->json) {
        out_json(run->out, json);
        return true;
    }
    print_result(ctx, run->out, &result);
    if (opts->output)
        out_next(run->out, "pgmend report --load-after %s", opts->output);
    else
        out_next(run->out, "pgmend report snapshot NAME --queries %s", load.folder);
    return true;
}

const struct command cmd_load_run = {
    .path = "load run",
    .summary = "put load on a database with pgbench and measure every script",
    .details =
        "Runs PostgreSQL's pgbench on the *.sql scripts of a folder, each as likely as the "
        "others, with prepared statements, and measures the latency of each transaction: mean, "
        "quantiles to three significant digits, and every error.\n\n"
        "With --until-signal the load runs in slices of five seconds with a short pause between "
        "them, so that Ctrl-C or SIGTERM ends it within five seconds and nothing that was "
        "measured is lost.\n\n"
        "It writes nothing itself, but the scripts may. It refuses servers on other machines "
        "without --allow-remote.",
    .operands = "DIR",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend load run replyx/load/naive --duration 20s --define users=2000\n"
                "pgmend load run replyx/load/naive --until-signal --output during.json",
    .next = "pgmend report",
    .run = run,
};
