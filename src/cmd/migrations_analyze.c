#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/changed_files.h"
#include "migrate/report/report.h"

enum { STATUS_FINDINGS = 3, PROGRESS_AFTER_US = 1000000 };

struct options {
    const char *format;
    bool sarif;
    bool github;
    const char *output;
    const char *fail_on;
    const char *since;
    bool changed_files;
    const char *base;
    int32_t server_version;
    uint32_t jobs;
    const char *section;
    struct text_list rule;
    struct text_list ignore;
    bool schema;
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
static const char *const majors[] = { "14", "15", "16", "17", "18", NULL };

static const struct field options[] = {
    FIELD(struct options, format, .arg = "FORMAT", .choices = formats,
        .help = "what to write (default: what the suffix of --output says, else text)"),
    FIELD(struct options, sarif, .momentary = true,
        .help = "the same as --format sarif"),
    FIELD(struct options, github, .momentary = true,
        .help = "the same as --format github: annotations of a workflow run"),
    FIELD(struct options, output, .arg = "FILE", .letter = 'o', .momentary = true,
        .help = "write it there; the suffix .json, .sarif, .md, .html or .txt chooses the format"),
    FIELD(struct options, fail_on, .arg = "SEVERITY", .choices = severities,
        .help = "exit with status 3 when there is a finding at least so severe"),
    FIELD(struct options, since, .arg = "REVISION",
        .help = "only findings that have to do with revisions after this one"),
    FIELD(struct options, changed_files,
        .help = "only findings that have to do with files that git says are changed"),
    FIELD(struct options, base, .arg = "COMMIT", .standard = "HEAD",
        .help = "changed against what, as origin/main; with --changed-files"),
    FIELD(struct options, server_version, .arg = "MAJOR", .standard = "15", .choices = majors,
        .help = "the major version of PostgreSQL that locks and rewrites are judged by"),
    FIELD(struct options, jobs, .arg = "N", .standard = "0",
        .help = "threads that read files; 0: one a processor"),
    FIELD(struct options, section, .arg = "NAME",
        .help = "section of alembic.ini, as of alembic --name (default: alembic)"),
    FIELD(struct options, rule, .arg = "RULE",
        .help = "only findings of this rule"),
    FIELD(struct options, ignore, .arg = "RULE",
        .help = "no findings of this rule"),
    FIELD(struct options, schema,
        .help = "add the schema after the last revision to the JSON document"),
};
/* clang-format on */

/* Where the history is, and which files of it are asked about. */
struct target {
    const char *place; /* NULL: to be found */
    struct text_list files;
};

static bool
read_operands(struct ctx *ctx, const struct text_list *operands, struct target *ret)
{
    *ret = (struct target){ 0 };
    for (size_t i = 0; i < operands->count; i++) {
        const char *operand = operands->items[i];

        if (text_ends_with(operand, ".py")) {
            struct stat status;

            if (lstat(operand, &status) != 0)
                return error_set_errno(ctx, "could not look at \"%s\"", operand);
            text_list_add(ctx->arena, &ret->files, operand);
        } else if (ret->place) {
            error_set(ctx, ERR_USAGE, "\"%s\" and \"%s\" are two histories", ret->place, operand);
            return error_hint(ctx, "One folder or alembic.ini at a time; after it only files "
                                   "whose names end in .py.");
        } else {
            ret->place = operand;
        }
    }
    return true;
}

/* Without a place: the nearest alembic.ini, else the folder of the first file. */
static bool
find_environment(
    struct ctx *ctx, const struct target *target, const char *section, struct environment *ret)
{
    const char *first = target->files.count > 0 ? target->files.items[0] : NULL;
    const char *slash = first ? strrchr(first, '/') : NULL;

    if (environment_find(ctx, target->place, section, ret))
        return true;
    if (target->place || !first || section || ctx->error.kind != ERR_NOT_FOUND)
        return false;
    error_clear(ctx);
    return environment_find(
        ctx, slash ? arena_strndup(ctx->arena, first, (size_t)(slash - first)) : ".", section, ret);
}

static bool
check_rules(struct ctx *ctx, const char *option, const struct text_list *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (rule_find(ids->items[i]))
            continue;
        error_set(ctx, ERR_USAGE, "%s: there is no rule \"%s\"", option, ids->items[i]);
        return error_hint(ctx, "pgmend migrations rules lists them.");
    }
    return true;
}

static bool
format_of(struct ctx *ctx, const struct run *run, enum format *ret)
{
    const struct options *opts = run->options;
    const bool asked[FORMAT_COUNT] = {
        [FORMAT_JSON] = run->global->json,
        [FORMAT_SARIF] = opts->sarif,
        [FORMAT_GITHUB] = opts->github,
    };
    size_t count = 0;

    *ret = FORMAT_TEXT;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (asked[i] || (opts->format && strcmp(opts->format, formats[i]) == 0)) {
            *ret = (enum format)i;
            count++;
        }
    }
    if (count > 1)
        return error_set(ctx, ERR_USAGE, "more than one format was asked for");
    if (count > 0 || !opts->output)
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

struct screen {
    struct progress progress;
    int64_t started_us;
};

static void
show_progress(void *self, size_t done, size_t total)
{
    struct screen *screen = self;
    int64_t elapsed_us = clock_us() - screen->started_us;
    double ratio = total > 0 ? (double)done / (double)total : 1;

    if (elapsed_us >= PROGRESS_AFTER_US)
        progress_show(&screen->progress, "revisions", "reading", ratio, elapsed_us);
}

static const char *
names_of(struct arena *arena, const struct graph *graph, const size_t *nodes, size_t count)
{
    enum { MOST_NAMES = 3 };
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < count && i < MOST_NAMES; i++) {
        const struct revision *revision = graph->nodes[nodes[i]].revision;

        buffer_printf(&text, "%s%s", i > 0 ? ", " : "",
            render_clean(arena, revision->id ? revision->id : revision->file));
    }
    if (count > MOST_NAMES)
        buffer_printf(&text, " and %zu more", count - MOST_NAMES);
    return buffer_text(&text);
}

static const char *
counted(struct arena *arena, size_t count, const char *one, const char *many)
{
    return arena_printf(
        arena, "%s %s", text_from_count(arena, (int64_t)count), count == 1 ? one : many);
}

static void
print_graph(struct ctx *ctx, FILE *out, const struct report *report)
{
    const struct graph *graph = &report->analysis->graph;
    struct arena *arena = ctx->arena;
    enum out_mark mark = graph->heads.count == 1 && graph->bases.count == 1 ? MARK_OK : MARK_WARN;

    if (graph->count == 0) {
        out_mark_line(out, MARK_WARN, "graph     there are no revisions here");
        return;
    }
    if (graph->is_broken_1_8 || graph->is_broken_1_19)
        mark = MARK_FAIL;
    out_mark_line(out, mark, "graph     %s (%s), %s (%s), %s, %s",
        counted(arena, graph->heads.count, "head", "heads"),
        names_of(arena, graph, graph->heads.items, graph->heads.count),
        counted(arena, graph->bases.count, "base", "bases"),
        names_of(arena, graph, graph->bases.items, graph->bases.count),
        counted(arena, report->merges, "merge", "merges"),
        counted(arena, report->branch_points, "branch point", "branch points"));
    for (size_t i = 0; i < graph->problems.count; i++) {
        const struct graph_problem *problem = &graph->problems.items[i];

        if (!problem->is_fatal_1_8 && !problem->is_fatal_1_19)
            continue;
        out_mark_line(out, MARK_FAIL, "alembic   %s: %s",
            problem->is_fatal_1_8 && problem->is_fatal_1_19 ? "refuses to load it"
            : problem->is_fatal_1_8                         ? "1.8 refuses to load it"
                                                            : "1.19 refuses to load it",
            render_clean(arena, problem->alembic ? problem->alembic : "an exception"));
        break;
    }
}

static bool
is_order_disputed(const struct graph *graph)
{
    return graph->order.count == graph->order_1_8.count && graph->order.count > 0 &&
           memcmp(graph->order.items, graph->order_1_8.items,
               graph->order.count * sizeof(graph->order.items[0])) != 0;
}

static void
print_replay(struct ctx *ctx, FILE *out, const struct report *report)
{
    const struct replay_result *replay = &report->analysis->replay;
    const char *answer = report_replay_answer(report);

    if (strcmp(answer, "yes") == 0)
        out_mark_line(out, MARK_OK, "replay    every statement fits what those before it made");
    else if (strcmp(answer, "unknown") == 0)
        out_mark_line(out, MARK_WARN, "replay    no certain failure, but not everything is known");
    else if (replay->revision)
        out_mark_line(out, MARK_FAIL, "replay    stops at %s:%u with %s: %s",
            render_clean(ctx->arena, render_path(replay->place.file)), replay->place.line,
            replay->error.sqlstate, render_clean(ctx->arena, replay->error.message));
    else
        out_mark_line(out, MARK_FAIL, "replay    Alembic cannot load the history");
}

static void
print_consolidation(struct ctx *ctx, FILE *out, const struct consolidation *consolidation)
{
    if (consolidation->goal >= consolidation->revisions)
        return;
    out_mark_line(out, MARK_INFO, "squash    %s could become %zu; %s",
        counted(ctx->arena, consolidation->revisions, "revision", "revisions"), consolidation->goal,
        consolidation->blockers.count == 0
            ? "nothing is in the way"
            : arena_printf(ctx->arena, "%s to be decided first",
                  counted(ctx->arena, consolidation->blockers.count, "thing", "things")));
}

static void
print_head(struct ctx *ctx, FILE *out, const struct report *report)
{
    const struct history *history = &report->analysis->history;
    bool is_full = report->coverage[COVERAGE_FULL] == history->count;

    fprintf(out, "%s in %s\n\n", report->render.subject,
        render_clean(
            ctx->arena, text_list_join(ctx->arena, &history->environment.locations, ", ")));
    print_graph(ctx, out, report);
    if (is_order_disputed(&report->analysis->graph))
        out_mark_line(out, MARK_INFO,
            "order     Alembic 1.8, which reads folders unsorted, applies it in another one");
    out_mark_line(out, is_full ? MARK_OK : MARK_WARN,
        "coverage  %zu understood in full, %zu in part, %zu not; %s",
        report->coverage[COVERAGE_FULL], report->coverage[COVERAGE_PARTIAL],
        report->coverage[COVERAGE_NONE],
        counted(ctx->arena, report->step_count, "statement", "statements"));
    print_replay(ctx, out, report);
    print_consolidation(ctx, out, &report->analysis->consolidation);
    fputc('\n', out);
}

static void
write_document(
    struct ctx *ctx, FILE *out, enum format format, const struct report *report, bool with_schema)
{
    switch (format) {
    case FORMAT_TEXT:
        print_head(ctx, out, report);
        render_text(out, &report->render);
        break;
    case FORMAT_JSON:
        analysis_json(out, report, with_schema);
        break;
    case FORMAT_SARIF:
        render_sarif(out, &report->render);
        break;
    case FORMAT_GITHUB:
        render_github(out, &report->render);
        break;
    case FORMAT_MARKDOWN:
        render_markdown(out, &report->render);
        break;
    case FORMAT_HTML:
        analysis_html(ctx, out, report);
        break;
    case FORMAT_COUNT:
        break;
    }
}

static bool
write_file(struct ctx *ctx, const struct run *run, enum format format, const struct report *report)
{
    const struct options *opts = run->options;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    bool is_written;

    if (!out)
        return error_set_errno(ctx, "could not write \"%s\"", opts->output);
    write_document(ctx, out, format, report, opts->schema);
    fclose(out);
    is_written = file_write(ctx, opts->output, text, length, 0644);
    free(text);
    return is_written;
}

static void
print_next(const struct run *run, const struct report *report)
{
    const struct options *opts = run->options;

    if (findings_count(report->render.findings, SEVERITY_ADVICE) == 0)
        out_next(run->out, "pgmend migrations graph");
    else if (opts->output)
        out_next(run->out, "pgmend migrations rules RULE");
    else
        out_next(run->out, "pgmend migrations rules RULE, or all as a page: pgmend migrations "
                           "analyze --output report.html");
}

static bool
print(struct ctx *ctx, struct run *run, enum format format, const struct analysis *analysis)
{
    const struct options *opts = run->options;
    struct report report;

    report_init(ctx, analysis, "--verbose shows each", run->global->verbose, &report);
    if (opts->output) {
        if (!write_file(ctx, run, format, &report))
            return false;
        if (run->global->quiet)
            return true;
        print_head(ctx, run->out, &report);
        fprintf(run->out, "%s\nWritten to %s.\n", render_summary(ctx->arena, &report.render),
            render_clean(ctx->arena, opts->output));
    } else {
        write_document(ctx, run->out, format, &report, opts->schema);
    }
    if (opts->output || format == FORMAT_TEXT)
        print_next(run, &report);
    return true;
}

/* The severity that makes the command fail; SEVERITY_COUNT: none. */
static enum severity
limit_of(const struct options *opts)
{
    for (int i = 0; opts->fail_on && i < SEVERITY_COUNT; i++)
        if (strcmp(opts->fail_on, severity_name((enum severity)i)) == 0)
            return (enum severity)i;
    return SEVERITY_COUNT;
}

static void
free_history(struct analysis *analysis)
{
    history_free(&analysis->history);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct analysis analysis CLEANUP(free_history) = { 0 };
    struct screen screen = { .started_us = clock_us() };
    const struct history_progress progress = { &screen, show_progress };
    struct environment environment;
    struct target target;
    enum format format;
    bool is_done;

    if (!format_of(ctx, run, &format) || !check_rules(ctx, "--rule", &opts->rule) ||
        !check_rules(ctx, "--ignore", &opts->ignore) ||
        !read_operands(ctx, &run->operands, &target) ||
        !find_environment(ctx, &target, opts->section, &environment))
        return false;
    if (opts->changed_files &&
        !changed_files(ctx, &environment.locations, opts->base, &target.files))
        return false;
    progress_begin(&screen.progress);
    is_done = analysis_run(ctx, &environment,
        &(const struct analysis_options){
            .server_major = opts->server_version,
            .jobs = opts->jobs,
            .since = opts->since,
            .files = target.files.count > 0 || opts->changed_files ? &target.files : NULL,
            .rules = opts->rule.count > 0 ? &opts->rule : NULL,
            .without_rules = &opts->ignore,
            .progress = &progress,
        },
        &analysis);
    progress_end(&screen.progress);
    if (!is_done || !print(ctx, run, format, &analysis))
        return false;
    if (limit_of(opts) < SEVERITY_COUNT && findings_count(&analysis.findings, limit_of(opts)) > 0)
        run->status = STATUS_FINDINGS;
    return true;
}

const struct command cmd_migrations_analyze = {
    .path = "migrations analyze",
    .summary = "understand an Alembic history and find what is wrong with it",
    .details =
        "Reads the revisions of a versions folder, or of the folder or alembic.ini that names it "
        "(without an operand: the nearest alembic.ini), as text: no Python and no statement is "
        "run, no database is asked. From them it knows the graph as Alembic sees it, what each "
        "revision does, and the schema after each one; so it finds what Alembic or the server "
        "would refuse, what blocks a running application, and what loses data.\n\n"
        "Files named after the folder narrow the findings to those that have to do with them, as "
        "--since and --changed-files do. A comment silences a finding of its line or the next: "
        "# pgmend: ignore RULE -- why.\n\n"
        "The exit status is 0 whatever is found, unless --fail-on says otherwise; then 3.",
    .operands = "[DIR|alembic.ini] [FILE.py ...]",
    .max_operands = SIZE_MAX,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend migrations analyze migrations/versions\n"
                "pgmend migrations analyze alembic.ini --output migration_report.json\n"
                "pgmend migrations analyze --changed-files --base origin/main --github "
                "--fail-on error",
    .next = "pgmend migrations rules",
    .run = run,
};
