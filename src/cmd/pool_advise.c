#include <math.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/out.h"
#include "monitor/plain.h"
#include "pool/advice.h"

enum { MOST_PROCESSES = 1000, MOST_CPUS = 4096, SHOWN_COLUMNS = 100 };

static const int64_t most_window_us = INT64_C(24) * 3600 * 1000000;
static const double most_growth = 1000;

struct options {
    int64_t window;
    int32_t processes;
    int32_t cpus;
    double growth;
};

static const struct field options[] = {
    /* "for" can be no member's name. */
    { .name = "for",
        .type = FIELD_INT64,
        .offset = offsetof(struct options, window),
        .unit = UNIT_US,
        .arg = "TIME",
        .standard = "60s",
        .help = "how long to measure; it should be a busy time" },
    FIELD(struct options, processes, .arg = "N", .standard = "1",
        .help = "processes of the application, each of which has a pool of its own"),
    FIELD(struct options, cpus, .arg = "N", .standard = "0",
        .help = "processors of the server (default: this machine's, when the server is on it)"),
    FIELD(struct options, growth, .arg = "FACTOR", .standard = "1",
        .help = "size for so many times the load that is measured"),
};

static bool
check_options(struct ctx *ctx, const struct options *opts)
{
    if (opts->window < 100000 || opts->window > most_window_us)
        return error_set(ctx, ERR_USAGE, "--for %s: a time from 100ms to 24h is needed",
            text_from_us(ctx->arena, opts->window));
    if (opts->processes < 1 || opts->processes > MOST_PROCESSES)
        return error_set(ctx, ERR_USAGE, "--processes %d: a number from 1 to %d is needed",
            opts->processes, MOST_PROCESSES);
    if (opts->cpus < 0 || opts->cpus > MOST_CPUS)
        return error_set(
            ctx, ERR_USAGE, "--cpus %d: a number from 1 to %d is needed", opts->cpus, MOST_CPUS);
    if (!isfinite(opts->growth) || opts->growth <= 0 || opts->growth > most_growth)
        return error_set(ctx, ERR_USAGE, "--growth %g: a number above 0, at most %.0f, is needed",
            opts->growth, most_growth);
    return true;
}

/* By a socket or the loopback address the server is on this machine. */
static int64_t
find_cpus(const struct options *opts, const struct db *db)
{
    const char *host = db_host(db);
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    if (opts->cpus > 0)
        return opts->cpus;
    if (text_is_empty(host) || *host == '/' || text_equal(host, "localhost") ||
        text_equal(host, "127.0.0.1") || text_equal(host, "::1"))
        return count > 0 ? count : 0;
    return 0;
}

static void
print_hazards(struct arena *arena, FILE *out, const struct pool_hazards *hazards)
{
    fputs("\nTransaction pooling\n", out);
    for (size_t i = 0; i < hazards->count; i++) {
        const struct pool_hazard *hazard = &hazards->items[i];

        out_mark_line(out, MARK_WARN, "%s%s: %zu statement%s, %lld calls", hazard->title,
            text_equal(hazard->certainty, "perhaps") ? " (perhaps)" : "", hazard->statements,
            hazard->statements == 1 ? "" : "s", (long long)hazard->calls);
        for (size_t k = 0; k < hazard->evidence.count; k++)
            fprintf(
                out, "        %s\n", plain_cut(arena, hazard->evidence.items[k], SHOWN_COLUMNS));
        fprintf(out, "      what happens      %s\n", hazard->breaks);
        fprintf(out, "      instead           %s\n", hazard->remedy);
        fprintf(out, "      PgBouncer < 1.21  %s\n", hazard->old_pooler);
        fprintf(out, "      PgBouncer 1.21+   %s\n", hazard->new_pooler);
    }
    if (hazards->count == 0 && hazards->is_safe)
        out_mark_line(out, MARK_OK, "nothing was seen that it would break");
    for (size_t i = 0; i < hazards->gaps.count; i++)
        out_mark_line(out, MARK_INFO, "%s", plain_text(arena, hazards->gaps.items[i]));
}

static void
print_text(struct ctx *ctx, FILE *out, const struct pool_report *report)
{
    const struct pool_advice *advice = &report->advice;

    fprintf(out, "Pool of %s: %s\n\n", plain_text(ctx->arena, report->database),
        pool_verdict_name(advice->verdict));
    fprintf(out, "  in each process   pool_size %lld, max_overflow %lld\n",
        (long long)advice->process.size, (long long)advice->process.overflow);
    fprintf(out, "  by one pooler     %lld connections\n", (long long)advice->needed);
    fprintf(out, "  at most           %lld of %lld that are there\n\nWhy\n",
        (long long)advice->total, (long long)advice->available);
    for (size_t i = 0; i < advice->reasons.count; i++)
        fprintf(out, "  - %s\n", advice->reasons.items[i]);
    if (report->load.why_unknown)
        fprintf(out, "  - statements are not known: %s\n",
            plain_text(ctx->arena, report->load.why_unknown));
    print_hazards(ctx->arena, out, &report->hazards);
    fprintf(out, "\nSQLAlchemy\n%s\nPgBouncer\n%s\nreplyx-api\n%s\n", report->sqlalchemy,
        report->pgbouncer, report->replyx);
    fputs("Nothing was changed.\n", out);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct pool_report report = { .database = db_name(run->db) };

    if (!check_options(ctx, opts))
        return false;
    if (!pool_measure(ctx, run->db, opts->window, &report.load, &report.limits) ||
        !pool_find_hazards(ctx, run->db, &report.hazards))
        return false;
    report.limits.cpus = find_cpus(opts, run->db);
    report.limits.processes = opts->processes;
    report.limits.growth = opts->growth;
    pool_advise(ctx->arena, &report.load, &report.limits, &report.advice);
    report.sqlalchemy = pool_for_sqlalchemy(ctx->arena, &report.advice, &report.hazards);
    report.pgbouncer = pool_for_pgbouncer(ctx->arena, run->db, &report.advice, &report.hazards);
    report.replyx = pool_for_replyx(ctx->arena, &report.load, &report.advice, &report.limits);
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = pool_report_json(&report);

        out_json(run->out, json);
        return true;
    }
    print_text(ctx, run->out, &report);
    out_next(run->out, "pgmend monitor");
    return true;
}

const struct command cmd_pool_advise = {
    .path = "pool advise",
    .summary = "say how many connections are needed, and what a pooler would break",
    .details =
        "Looks at pg_stat_activity many times a second for the time given, and at pg_stat_statements "
        "before and after. From the connections in use, the rate of transactions and the limits of the "
        "server follow the sizes of the pools, each step with its numbers. The statements that "
        "pg_stat_statements holds are looked through for what breaks when a pooler gives each "
        "transaction another session. Settings are printed for SQLAlchemy, PgBouncer and replyx-api. "
        "Nothing is changed.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend pool advise\n"
                "pgmend pool advise --for 5m --processes 4 --cpus 16\n"
                "pgmend pool advise --for 10s --growth 3 --json",
    .next = "pgmend monitor",
    .run = run,
};
