#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/query_findings.h"
#include "cmd/parts/query_input.h"
#include "queries/detect/detect.h"
#include "queries/detect/rerun.h"
#include "queries/files.h"
#include "workload/suspect.h"
#include "workload/workload.h"

enum { STATUS_FOUND = 3 };

struct options {
    int32_t min_repeats;
    int64_t idle_gap;
    const char *format;
    const char *output;
    bool rerun;
    bool exit_code;
    int64_t span; /* --for, which C does not allow as a name */
    const char *log_format;
    const char *log_prefix;
    const char *database;
};

static const char *const formats[] = { "text", "json", "github", NULL };

static const struct field options[] = {
    FIELD(struct options, min_repeats, .arg = "N", .standard = "3",
        .help = "fewer repeats in a request are no finding"),
    FIELD(struct options, idle_gap, .unit = UNIT_US, .arg = "TIME", .standard = "50ms",
        .help = "a longer pause of a session ends a request, outside of transactions"),
    FIELD(struct options, rerun, .momentary = true,
        .help = "run parents in a log again, read-only, to see which gave a loop its values"),
    { .name = "for",
        .type = FIELD_INT64,
        .unit = UNIT_US,
        .offset = offsetof(struct options, span),
        .arg = "TIME",
        .standard = "60s",
        .momentary = true,
        .help = "without a file: time between the two readings of pg_stat_statements" },
    FIELD(struct options, format, .arg = "FORMAT", .standard = "text", .choices = formats,
        .help = "of what is printed"),
    FIELD(struct options, output, .momentary = true, .arg = "FILE",
        .help = "write the findings as JSON, for \"pgmend queries rewrite\""),
    FIELD(struct options, exit_code, .momentary = true,
        .help = "exit with 3 when there are findings"),
    FIELD(struct options, log_format, .arg = "FORMAT", .standard = "auto",
        .choices = query_log_formats, .help = "of the files that are logs"),
    FIELD(struct options, log_prefix, .arg = "TEXT",
        .help = "log_line_prefix of a text log, when it cannot be told from the lines"),
    FIELD(struct options, database, .arg = "NAME", .help = "only this database's lines of a log"),
};

static bool
take(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    (void)ctx;
    detect_take(data, statement);
    return true;
}

static void
end_session(void *data, uint64_t session)
{
    detect_end_session(data, session);
}

static bool
open_db(struct ctx *ctx, const struct run *run, struct db **ret)
{
    const struct db_options wanted = {
        .url = run->global->db_url, .application = "pgmend/queries nplusone", .access = ACCESS_READ
    };

    return db_open(ctx, &wanted, ret);
}

/* ---- files ---- */

/* Logs, and traces that were made of the server's log. */
static bool
has_no_results(const struct query_files *files)
{
    return files->logs > 0 || (files->traces > 0 && !files->has_wire);
}

/* What could not be looked at, as sentences; NULL: nothing. */
static const char *
tell_files(struct arena *arena, const struct query_files *files, const struct rerun_counts *rerun,
    bool has_rerun)
{
    struct buffer text = { .arena = arena };

    if (files->logs > 0)
        buffer_printf(&text, "Log: %s, %s lines", files->log_format,
            text_from_count(arena, files->log.lines));
    if (files->log.other_databases > 0)
        buffer_printf(
            &text, ", %s of other databases", text_from_count(arena, files->log.other_databases));
    if (files->log.broken > 0)
        buffer_printf(&text, ", %s broken", text_from_count(arena, files->log.broken));
    if (files->log.without_duration > 0)
        buffer_printf(&text, ", %s statements without a duration",
            text_from_count(arena, files->log.without_duration));
    if (files->logs > 0)
        buffer_add(&text, ".\n");
    if (files->log.foreign > 0)
        buffer_printf(&text,
            "%s lines of the log were not understood: messages must be in English (lc_messages = "
            "'C').\n",
            text_from_count(arena, files->log.foreign));
    if (has_no_results(files) && !has_rerun)
        buffer_add(&text,
            "A log holds no results: parents are told by order and names. --rerun with a database "
            "proves them.\n");
    if (has_rerun)
        buffer_printf(&text,
            "Run again: %" PRId64 " statements, %" PRId64 " parents proven; not run: %" PRId64
            " with volatile functions, %" PRId64 " refused or too slow.\n",
            rerun->ran, rerun->proven, rerun->unsafe, rerun->failed);
    if (files->is_cut)
        buffer_add(&text, "The end of a trace is missing.\n");
    if (text.length == 0)
        return NULL;
    text.data[text.length - 1] = '\0';
    return buffer_text(&text);
}

static bool
run_again(struct ctx *ctx, const struct run *run, struct detect *detect,
    struct query_findings *findings, struct rerun_counts *ret)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct samples samples;

    detect_samples(detect, findings, &samples);
    if (samples.count == 0)
        return true;
    return open_db(ctx, run, &db) && rerun_parents(ctx, db, &samples, findings, ret);
}

/* A file that holds nothing is no proof that nothing is repeated. */
static bool
refuse_nothing(struct ctx *ctx, const struct run *run, const struct query_files *files)
{
    const struct options *opts = run->options;

    error_set(ctx, ERR_INPUT, "there is no statement in %s%s%s%s",
        text_list_join(ctx->arena, &run->operands, ", "), opts->database ? " of database \"" : "",
        opts->database ? opts->database : "", opts->database ? "\"" : "");
    if (files->log.foreign > 0)
        return error_hint(ctx,
            "%s lines were not understood: messages must be in English. ALTER SYSTEM SET "
            "lc_messages = 'C'; SELECT pg_reload_conf();",
            text_from_count(ctx->arena, files->log.foreign));
    if (files->log.other_databases > 0)
        return error_hint(ctx, "%s lines are of other databases: --database.",
            text_from_count(ctx->arena, files->log.other_databases));
    if (files->logs > 0)
        return error_hint(ctx, "A log holds statements where log_min_duration_statement = 0 or "
                               "log_statement = 'all' was set, or while \"pgmend queries trace "
                               "--enable-logging\" runs.");
    return error_hint(ctx, "A trace is taken with: pgmend queries trace --listen 127.0.0.1:6432 "
                           "--output FILE");
}

static bool
read_files(struct ctx *ctx, const struct run *run, struct query_findings *ret,
    struct query_findings_screen *screen)
{
    const struct options *opts = run->options;
    const struct detect_options rules = { .min_repeats = opts->min_repeats,
        .idle_gap_us = opts->idle_gap };
    struct templates *templates = templates_new(ctx->arena);
    struct detect *detect = detect_new(ctx->arena, &rules);
    const struct query_files_options wanted = {
        .log = { .format = query_log_format(opts->log_format),
            .prefix = opts->log_prefix,
            .database = opts->database,
            .keeps_values = true },
        .templates = templates,
        .sink = take,
        .ended = end_session,
        .data = detect,
    };
    struct query_files files = { 0 };
    struct rerun_counts rerun = { 0 };
    bool is_good = query_files_read(ctx, &run->operands, &wanted, &files);

    if (is_good) {
        detect_finish(detect, ret);
        is_good = ret->statements > 0 || refuse_nothing(ctx, run, &files);
    }
    if (is_good) {
        ret->lost = files.lost;
        ret->source = files.has_wire ? "wire" : "log";
        is_good = !opts->rerun || run_again(ctx, run, detect, ret, &rerun);
        screen->is_partial = files.log.foreign > 0;
        screen->more = tell_files(ctx->arena, &files, &rerun, opts->rerun);
    }
    detect_free(detect);
    templates_free(templates);
    return is_good;
}

/* ---- counters ---- */

static const char *
fingerprint_of(struct arena *arena, const struct workload_statement *statement)
{
    return statement->fingerprint
               ? statement->fingerprint
               : arena_printf(arena, "%016" PRIx64, (uint64_t)statement->query_id);
}

static void
add_suspect(struct arena *arena, const struct workload_deltas *deltas,
    const struct suspect *suspect, double all_ms, struct query_findings *ret)
{
    const struct workload_delta *parent = &deltas->items[suspect->parent];
    const struct workload_delta *child = &deltas->items[suspect->child];
    struct query_child *children = ARENA_NEW(arena, struct query_child);
    struct query_finding finding = {
        .kind = FOUND_SUSPECT,
        .provenance = PROVENANCE_COUNTS,
        .confidence = 0.5 * suspect->score,
        .has_parent = true,
        .parent = { .fingerprint = fingerprint_of(arena, parent->statement),
            .text = parent->statement->query,
            .key_column = -1,
            .rows_mean = suspect->repeats },
        .children = children,
        .child_count = 1,
        .statement_kind = "read",
        .requests = parent->calls,
    };
    double wasted = child->total_ms * 1000 * (suspect->repeats - 1) / suspect->repeats;

    *children = (struct query_child){ .fingerprint = fingerprint_of(arena, child->statement),
        .text = child->statement->query,
        .calls = child->calls,
        .total_us = (int64_t)(child->total_ms * 1000),
        .rows_mean = (double)child->row_count / (double)child->calls };
    finding.why = arena_printf(arena,
        "Only a suspicion: between the readings it was called %" PRId64
        " times, and the parent gave "
        "%" PRId64 " rows; who called it is not known.",
        child->calls, parent->row_count);
    finding.repeats_min = finding.repeats_median = finding.repeats_p95 = finding.repeats_max =
        (int64_t)lround(suspect->repeats);
    finding.wasted_us = (int64_t)wasted;
    finding.wasted_request_us = wasted / (double)parent->calls;
    finding.wasted_day_us = ret->span_us > 0 ? wasted / (double)ret->span_us * 86400e6 : -1;
    finding.share = all_ms > 0 ? wasted / 1000 / all_ms : -1;
    finding.id = query_finding_id(arena, &finding);
    VEC_PUSH(arena, ret, finding);
}

static void
find_suspects(struct arena *arena, const struct workload_deltas *deltas, struct query_findings *ret)
{
    struct suspect_statement *statements =
        ARENA_ARRAY(arena, struct suspect_statement, deltas->count + 1);
    struct suspects suspects;
    double all_ms = 0;

    for (size_t i = 0; i < deltas->count; i++) {
        const struct workload_delta *delta = &deltas->items[i];
        bool is_whole = delta->change == CHANGE_COUNTED || delta->change == CHANGE_NEW;

        statements[i] = (struct suspect_statement){
            .query_id = delta->statement->query_id,
            .user_id = delta->statement->user_id,
            .query = delta->statement->query,
            .calls = is_whole ? (double)delta->calls : 0,
            .rows = is_whole ? (double)delta->row_count : 0,
            .total_ms = delta->total_ms,
        };
        ret->statements += delta->calls;
        all_ms += delta->total_ms;
    }
    ret->total_us = (int64_t)(all_ms * 1000);
    suspects_find(arena, statements, deltas->count, &suspects);
    for (size_t i = 0; i < suspects.count; i++)
        add_suspect(arena, deltas, &suspects.items[i], all_ms, ret);
}

static bool
read_counters(
    struct ctx *ctx, const struct run *run, struct query_findings *ret, const char **ret_more)
{
    const struct options *opts = run->options;
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct workload before;
    struct workload after;
    struct workload_deltas deltas;
    int64_t start_us = clock_us();

    *ret = (struct query_findings){ .source = "statements" };
    if (!open_db(ctx, run, &db) || !workload_read(ctx, db, &before) ||
        !query_wait(ctx, opts->span) || !workload_read(ctx, db, &after))
        return false;
    ret->span_us = clock_us() - start_us;
    workload_compare(ctx->arena, &before, &after, &deltas);
    find_suspects(ctx->arena, &deltas, ret);
    *ret_more = arena_printf(ctx->arena,
        "Looked at the counters of %zu statements over %s%s%s: callers are not told apart, so these "
        "are suspicions. \"pgmend queries trace\" or a log shows the sequence.",
        deltas.count, text_from_us(ctx->arena, ret->span_us),
        after.hidden > 0 ? "; some belong to other users and are hidden (GRANT pg_read_all_stats)"
                         : "",
        deltas.was_reset     ? "; they were reset in between"
        : deltas.evicted > 0 ? "; some were evicted in between"
                             : "");
    return true;
}

/* ---- the command ---- */

static bool
check_options(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;

    if (opts->min_repeats < 2)
        return error_set(ctx, ERR_USAGE, "--min-repeats must be 2 or more");
    if (opts->idle_gap <= 0)
        return error_set(ctx, ERR_USAGE, "--idle-gap must be above 0");
    if (run->operands.count == 0 && opts->span <= 0)
        return error_set(ctx, ERR_USAGE, "--for must be above 0");
    if (run->operands.count == 0 && opts->rerun) {
        error_set(ctx, ERR_USAGE, "--rerun is for logs, and no file was given");
        return error_hint(ctx, "pgmend queries nplusone LOG --rerun");
    }
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct query_findings findings = { 0 };
    struct query_findings_screen screen = { .file = opts->output };
    bool has_files = run->operands.count > 0;

    if (!check_options(ctx, run) || !(has_files ? read_files(ctx, run, &findings, &screen)
                                                : read_counters(ctx, run, &findings, &screen.more)))
        return false;
    if (findings.count == 0)
        screen.next = has_files ? "pgmend queries top" : "pgmend queries trace";
    else if (!has_files)
        screen.next = "pgmend queries trace";
    if (opts->output && !query_findings_write(ctx, opts->output, &findings))
        return false;
    if (findings.count > 0 && opts->exit_code)
        run->status = STATUS_FOUND;
    if (text_equal(opts->format, "github")) {
        query_findings_print_github(ctx->arena, run->out, &findings);
        return true;
    }
    if (text_equal(opts->format, "json")) {
        json_t *json CLEANUP(json_release) = query_findings_json(&findings);

        out_json(run->out, json);
        return true;
    }
    return query_findings_show(ctx, run, &findings, &screen);
}

const struct command cmd_queries_nplusone = {
    .path = "queries nplusone",
    .summary = "find statements that are run once for each row of another (N+1)",
    .details =
        "Files are traces of \"pgmend queries trace\" or logs of the server (jsonlog, csvlog, "
        "stderr; oldest first, \"-\" is standard input). The statements of each session are cut "
        "into requests: by transactions, by tags in comments (sqlcommenter, traceparent, "
        "marginalia), by application_name, else by pauses. In a request cycles of 1 to 8 "
        "statements with other values each time are looked for. The parent is the statement before "
        "them whose result holds their values, in order: a trace has seen it; for a log it is told "
        "by order and names, or with --rerun by running it again (read-only, two seconds at most, "
        "never with volatile functions). Loops without a parent and the very same statement again "
        "are findings of their own.\n\n"
        "Pages, polls, batches (IN, ANY), INSERTs one by one, and the same work for each tenant "
        "(a SET between the turns) are not reported.\n\n"
        "Without a file pg_stat_statements is read twice: a statement that was called as often as "
        "another gave rows is suspected, no more.\n\n"
        "Nothing is written to the database. Exit status: 0; with --exit-code 3 when there are "
        "findings.",
    .operands = "[FILE]...",
    .max_operands = SIZE_MAX,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples =
        "pgmend queries nplusone trace.jsonl --output findings.json\n"
        "pgmend queries nplusone /var/log/postgresql/*.json --rerun --db-url postgresql://db/app\n"
        "pgmend queries nplusone --for 5m",
    .next = "pgmend queries rewrite",
    .run = run,
};
