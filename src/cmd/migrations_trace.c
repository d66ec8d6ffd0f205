#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/out.h"
#include "cmd/parts/trace_screen.h"
#include "migrate/report/report.h"

enum { STATUS_FAILED = 1, STATUS_FINDINGS = 3 };

struct options {
    const char *from;
    const char *to;
    const char *copy;
    bool keep_going;
    bool no_downgrade;
    bool no_probes;
    int64_t hold_limit;
    const char *alembic;
    struct text_list url_env;
    bool plain_env;
    const char *section;
    int64_t timeout;
    const char *scratch_template;
    const char *format;
    const char *output;
    const char *fail_on;
};

enum format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_SARIF,
    FORMAT_GITHUB,
    FORMAT_MARKDOWN,
    FORMAT_HTML,
    FORMAT_COUNT
};

/* clang-format off */
static const char *const formats[] = {
    [FORMAT_TEXT] = "text",
    [FORMAT_JSON] = "json",
    [FORMAT_SARIF] = "sarif",
    [FORMAT_GITHUB] = "github",
    [FORMAT_MARKDOWN] = "markdown",
    [FORMAT_HTML] = "html",
    NULL,
};

struct suffix {
    const char *text;
    enum format format;
};

static const struct suffix suffixes[] = {
    { ".json", FORMAT_JSON },
    { ".sarif", FORMAT_SARIF },
    { ".md", FORMAT_MARKDOWN },
    { ".markdown", FORMAT_MARKDOWN },
    { ".html", FORMAT_HTML },
    { ".htm", FORMAT_HTML },
    { ".txt", FORMAT_TEXT },
};

static const char *const severities[] = { "advice", "warning", "error", NULL };

static const struct field options[] = {
    FIELD(struct options, from, .arg = "REVISION",
        .help = "begin after this one; what is before it is run without looking on"),
    FIELD(struct options, to, .arg = "REVISION", .help = "the last one to run (default: every head)"),
    FIELD(struct options, copy, .arg = "DATABASE",
        .help = "run on a copy of this database, with its rows; nobody may be connected to it"),
    FIELD(struct options, keep_going,
        .help = "skip a revision that fails: it is stamped and the next one is run"),
    FIELD(struct options, no_downgrade, .help = "do not try the downgrades: each takes a copy of the scratch database"),
    FIELD(struct options, no_probes,
        .help = "open no sessions that wait as readers and writers would: waits are computed"),
    FIELD(struct options, hold_limit, .unit = UNIT_US, .arg = "TIME", .standard = "1s",
        .help = "tell of locks that block readers or writers for longer"),
    FIELD(struct options, alembic, .arg = "COMMAND",
        .help = "how Alembic is called, as \"poetry run alembic\" (default: it is looked for)"),
    FIELD(struct options, url_env, .arg = "NAME",
        .help = "an environment variable that env.py takes its URL from"),
    FIELD(struct options, plain_env,
        .help = "use a small env.py instead of the history's own, which may need the application"),
    FIELD(struct options, section, .arg = "NAME",
        .help = "section of alembic.ini, as of alembic --name (default: alembic)"),
    FIELD(struct options, timeout, .unit = UNIT_US, .arg = "TIME", .standard = "0",
        .help = "give up when one run of Alembic takes longer; 0: never"),
    FIELD(struct options, scratch_template, .arg = "DATABASE",
        .help = "make the scratch database from this one, which has the extensions "
                "(for roles that may not create them)"),
    FIELD(struct options, format, .arg = "FORMAT", .choices = formats,
        .help = "what to write (default: what the suffix of --output says, else text)"),
    FIELD(struct options, output, .arg = "FILE", .letter = 'o', .momentary = true,
        .help = "write it there; the suffix .json, .sarif, .md, .html or .txt chooses the format"),
    FIELD(struct options, fail_on, .arg = "SEVERITY", .choices = severities,
        .help = "exit with status 3 when there is a finding at least so severe"),
};
/* clang-format on */

static bool
format_of(struct ctx *ctx, const struct run *run, enum format *ret)
{
    const struct options *opts = run->options;

    *ret = run->global->json ? FORMAT_JSON : FORMAT_TEXT;
    for (int i = 0; opts->format && i < FORMAT_COUNT; i++) {
        if (strcmp(opts->format, formats[i]) != 0)
            continue;
        if (run->global->json && i != FORMAT_JSON)
            return error_set(ctx, ERR_USAGE, "more than one format was asked for");
        *ret = (enum format)i;
    }
    if (opts->format || run->global->json || !opts->output)
        return true;
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        if (text_ends_with(opts->output, suffixes[i].text)) {
            *ret = suffixes[i].format;
            return true;
        }
    }
    error_set(
        ctx, ERR_USAGE, "the suffix of \"%s\" does not say in which format to write", opts->output);
    return error_hint(ctx, "Give it .json, .sarif, .md, .html or .txt, or say --format.");
}

struct watch {
    struct progress progress;
    int64_t started_us;
};

static void
show_progress(void *self, const char *doing, const char *revision, size_t done, size_t total)
{
    struct watch *watch = self;
    int64_t elapsed_us = clock_us() - watch->started_us;
    double ratio = total > 0 ? (double)done / (double)total : -1;
    int64_t left_us = done > 0 ? elapsed_us / (int64_t)done * (int64_t)(total - done) : 0;

    progress_show(&watch->progress, "trace", doing, ratio, elapsed_us, left_us, revision);
}

static void
write_document(struct ctx *ctx, FILE *out, enum format format, const struct trace *trace,
    const struct report *report)
{
    switch (format) {
    case FORMAT_TEXT:
        trace_print_table(ctx->arena, out, trace);
        if (report->render.is_verbose)
            trace_print_details(ctx->arena, out, trace);
        trace_print_end(ctx->arena, out, trace);
        render_text(out, &report->render);
        break;
    case FORMAT_JSON:
        trace_json(out, trace);
        break;
    case FORMAT_SARIF:
        render_sarif(out, &report->render);
        break;
    case FORMAT_GITHUB:
        render_github(out, &report->render);
        break;
    case FORMAT_MARKDOWN:
        trace_markdown(out, trace, &report->render);
        break;
    case FORMAT_HTML:
        trace_html(ctx, out, trace, report);
        break;
    case FORMAT_COUNT:
        break;
    }
}

static bool
write_file(struct ctx *ctx, const char *path, enum format format, const struct trace *trace,
    const struct report *report)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    bool is_written;

    if (!out)
        return error_set_errno(ctx, "could not write \"%s\"", path);
    write_document(ctx, out, format, trace, report);
    fclose(out);
    is_written = file_write(ctx, path, text, length, 0644);
    free(text);
    return is_written;
}

static void
print_next(const struct run *run, const struct trace *trace)
{
    const struct options *opts = run->options;

    if (trace->is_stopped && !opts->keep_going)
        out_next(run->out, "pgmend migrations trace --keep-going, or mend the revision");
    else if (!run->global->verbose && !opts->output)
        out_next(run->out, "pgmend migrations trace --verbose shows statements and locks; "
                           "--output trace.json keeps everything");
    else
        out_next(run->out, "pgmend migrations consolidate");
}

static bool
print(struct ctx *ctx, struct run *run, enum format format, const struct analysis *analysis,
    const struct trace *trace)
{
    const struct options *opts = run->options;
    struct analysis observed = *analysis;
    struct report report;

    observed.findings = trace->findings;
    report_init(ctx, &observed, "--verbose shows each", run->global->verbose, &report);
    report.render.rank = NULL;
    report.render.subject = arena_printf(ctx->arena, "%zu revision%s that ran",
        trace->revisions.count, trace->revisions.count == 1 ? "" : "s");
    if (!opts->output) {
        write_document(ctx, run->out, format, trace, &report);
    } else {
        if (!write_file(ctx, opts->output, format, trace, &report))
            return false;
        if (run->global->quiet)
            return true;
        trace_print_table(ctx->arena, run->out, trace);
        trace_print_end(ctx->arena, run->out, trace);
        fprintf(run->out, "%s\nWritten to %s.\n", render_summary(ctx->arena, &report.render),
            render_clean(ctx->arena, opts->output));
    }
    if (opts->output || format == FORMAT_TEXT)
        print_next(run, trace);
    return true;
}

static void
set_status(struct run *run, const struct trace *trace)
{
    const struct options *opts = run->options;

    for (int i = 0; opts->fail_on && i < SEVERITY_COUNT; i++)
        if (strcmp(opts->fail_on, severity_name((enum severity)i)) == 0 &&
            findings_count(&trace->findings, (enum severity)i) > 0)
            run->status = STATUS_FINDINGS;
    if (trace->failures > 0)
        run->status = STATUS_FINDINGS;
    if (trace->is_stopped)
        run->status = STATUS_FAILED;
}

static void
free_history(struct analysis *analysis)
{
    history_free(&analysis->history);
}

static bool
trace(struct ctx *ctx, struct run *run, const struct analysis *analysis, struct trace *ret)
{
    const struct options *opts = run->options;
    struct alembic alembic CLEANUP(alembic_end) = { 0 };
    struct watch watch = { .started_us = clock_us() };
    const struct trace_progress progress = { &watch, show_progress };
    bool is_good;

    if (!alembic_begin(ctx, &analysis->history.environment,
            &(const struct alembic_options){
                .command = opts->alembic,
                .section = opts->section,
                .url_envs = opts->url_env.count > 0 ? &opts->url_env : NULL,
                .plain_env = opts->plain_env,
                .timeout_us = opts->timeout,
            },
            &alembic))
        return false;
    progress_begin(&watch.progress);
    is_good = trace_run(ctx, run->db, &alembic, analysis,
        &(const struct trace_options){
            .from = opts->from,
            .to = opts->to,
            .copy = opts->copy,
            .scratch_template = opts->scratch_template,
            .keep_going = opts->keep_going,
            .no_downgrade = opts->no_downgrade,
            .no_probes = opts->no_probes,
            .hold_limit_us = opts->hold_limit,
            .progress = &progress,
        },
        ret);
    progress_end(&watch.progress);
    for (size_t i = 0; i < ret->notes.count; i++)
        log_warn("%s", ret->notes.items[i]);
    return is_good;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct analysis analysis CLEANUP(free_history) = { 0 };
    struct environment environment;
    struct trace result = { 0 };
    enum format format;

    if (!format_of(ctx, run, &format) || !db_require_direct(ctx, run->db) ||
        !db_require_writable(ctx, run->db) ||
        !environment_find(ctx, run->operands.count > 0 ? run->operands.items[0] : NULL,
            opts->section, &environment) ||
        !analysis_run(ctx, &environment,
            &(const struct analysis_options){ .server_major = db_major(run->db) }, &analysis))
        return false;
    if (!trace(ctx, run, &analysis, &result)) {
        if (ctx->error.state)
            return false;
        return error_state(ctx, "No database but the scratch database was written to, and that one "
                                "is dropped.");
    }
    set_status(run, &result);
    return print(ctx, run, format, &analysis, &result);
}

const struct command cmd_migrations_trace = {
    .path = "migrations trace",
    .summary = "run a history with your own Alembic on a scratch database and see what it does",
    .details =
        "Runs each revision by itself on a database that is made for it and dropped, and says what "
        "happened: the statements and their time, every lock on a table that was there before and how "
        "long it was held, what others would have waited (sessions of ours that want to read and "
        "write measure it), tables that were written again, indexes, rows, WAL, how the catalogue "
        "changed, and whether downgrade() brings it back.\n\n"
        "--db-url says on which server; the database that it names is neither read nor written. Only "
        "the scratch database is written to. With --copy it begins as a copy of a database of that "
        "server, with its rows, so that times and waits mean something.\n\n"
        "Your env.py is loaded and your revisions are run as Python: what else they do, they do. "
        "The exit status is 1 when a revision failed, 3 when one did and --keep-going skipped it, "
        "or when --fail-on says so.",
    .operands = "[DIR|alembic.ini]",
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples =
        "pgmend migrations trace --db-url postgresql://postgres@localhost/postgres\n"
        "pgmend migrations trace alembic.ini --from 8e2b4d6f0a13 --copy staging --output trace.json",
    .next = "pgmend migrations consolidate",
    .run = run,
};
