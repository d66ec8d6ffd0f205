#include <inttypes.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/query_input.h"
#include "monitor/plain.h"
#include "queries/check/check.h"
#include "queries/files.h"

enum { HAS_FINDINGS = 3 };

struct options {
    const char *baseline;
    bool update;
    struct text_list grown;
    const char *format;
    const char *output;
    int64_t allow;
    int64_t idle_gap;
    const char *database;
    const char *log_format;
    const char *log_prefix;
};

static const char *const formats[] = { "text", "github", "junit", NULL };

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, baseline, .arg = "FILE",
        .help = "statements a request by route, as they may be"),
    FIELD(struct options, update, .momentary = true,
        .help = "write what was seen there, instead of comparing; routes not seen stay"),
    FIELD(struct options, grown, .momentary = true, .arg = "TRACE",
        .help = "a trace of the same requests over more rows: they may not take more statements"),
    FIELD(struct options, format, .arg = "FORMAT", .standard = "text", .choices = formats,
        .help = "how the result is printed"),
    FIELD(struct options, output, .momentary = true, .arg = "FILE",
        .help = "print it into that file"),
    FIELD(struct options, allow, .arg = "N", .standard = "0",
        .help = "so many statements more a request are no failure"),
    FIELD(struct options, idle_gap, .unit = UNIT_US, .arg = "TIME", .standard = "50ms",
        .help = "silence of a session that ends a request where neither tag nor transaction does"),
    FIELD(struct options, database, .arg = "NAME", .help = "only lines of this database, of logs"),
    FIELD(struct options, log_format, .arg = "FORMAT", .standard = "auto", .choices = query_log_formats,
        .help = "of logs"),
    FIELD(struct options, log_prefix, .arg = "TEXT",
        .help = "log_line_prefix of text logs; else it is found out"),
};
/* clang-format on */

static bool
read_files(struct ctx *ctx, const struct options *opts, const struct text_list *paths,
    struct check_routes *ret)
{
    struct check_counter *counter = check_counter_new(ctx->arena, opts->idle_gap);
    struct templates *templates = templates_new(ctx->arena);
    const struct query_files_options wanted = {
        .log = { .format = query_log_format(opts->log_format),
            .prefix = opts->log_prefix,
            .database = opts->database },
        .templates = templates,
        .sink = check_counter_take,
        .ended = check_counter_end_session,
        .data = counter,
    };
    struct query_files files;
    bool is_good = query_files_read(ctx, paths, &wanted, &files);

    if (is_good) {
        check_counter_finish(counter, ret);
        if (files.lost > 0)
            log_warn("%s messages were not seen when the trace was taken: numbers may be too low",
                text_from_count(ctx->arena, files.lost));
        if (files.is_cut)
            log_warn("the end of a trace is missing: it was read as far as it goes");
    }
    check_counter_free(counter);
    templates_free(templates);
    if (is_good && ret->count == 0) {
        error_set(
            ctx, ERR_INPUT, "there is no statement in %s", text_list_join(ctx->arena, paths, ", "));
        return error_hint(ctx,
            "A trace is taken with: pgmend queries trace --listen 127.0.0.1:6432 "
            "--output FILE");
    }
    return is_good;
}

/* Routes of the old baseline that were not seen stay as they are. */
static bool
update(struct ctx *ctx, struct run *run, const struct check_routes *seen)
{
    const struct options *opts = run->options;
    struct check_routes old = { 0 };
    json_t *json CLEANUP(json_release) = NULL;
    json_t *was CLEANUP(json_release) = NULL;
    size_t kept;

    if (file_exists(opts->baseline) && !check_baseline_read(ctx, opts->baseline, &old))
        return false;
    json = check_baseline_json(seen);
    was = check_baseline_json(&old);
    json_object_update_missing(json_object_get(json, "routes"), json_object_get(was, "routes"));
    kept = json_object_size(json_object_get(json, "routes")) - seen->count;
    if (!json_write_file(ctx, opts->baseline, json))
        return false;
    if (run->global->json)
        out_json(run->out, json);
    else
        out_mark_line(run->out, MARK_OK, "%zu routes written to %s, %zu that were not seen kept",
            seen->count, opts->baseline, kept);
    return true;
}

/* ---- the screen ---- */

static json_t *
results_json(const struct check_results *results)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < results->count; i++) {
        const struct check_result *result = &results->items[i];

        json_array_append_new(rows,
            json_pack("{s:s, s:s, s:b, s:I, s:I, s:s}", "route", result->route, "verdict",
                check_verdict_name(result->verdict), "fails",
                (int)check_verdict_fails(result->verdict), "before", (json_int_t)result->before,
                "after", (json_int_t)result->after, "message", result->message));
    }
    return json_pack("{s:I, s:o}", "failed", (json_int_t)results->failed, "routes", rows);
}

/* Routes are anybody's text: on one line, and without what a terminal would obey. */
static struct check_results
plain_results(struct arena *arena, const struct check_results *results)
{
    struct check_results plain = *results;

    plain.items = ARENA_ARRAY(arena, struct check_result, results->count + 1);
    for (size_t i = 0; i < results->count; i++) {
        plain.items[i] = results->items[i];
        plain.items[i].route = plain_text(arena, results->items[i].route);
        plain.items[i].message = plain_text(arena, results->items[i].message);
    }
    return plain;
}

static void
print_text(FILE *out, const struct check_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct check_result *result = &results->items[i];
        enum out_mark mark = check_verdict_fails(result->verdict) ? MARK_FAIL
                             : result->verdict == CHECK_SAME      ? MARK_OK
                             : result->verdict == CHECK_UNPROVEN  ? MARK_WARN
                                                                  : MARK_INFO;

        out_mark_line(out, mark, "%s: %s", result->route, result->message);
    }
    fprintf(out, "\n%zu routes, %" PRId64 " failed.\n", results->count, results->failed);
}

static void
print_to(struct arena *arena, const struct run *run, FILE *out, const struct check_results *results)
{
    const struct options *opts = run->options;
    const struct check_results plain = plain_results(arena, results);

    if (run->global->json) {
        json_t *json CLEANUP(json_release) = results_json(results);

        out_json(out, json);
    } else if (text_equal(opts->format, "junit")) {
        check_print_junit(out, &plain);
    } else if (text_equal(opts->format, "github")) {
        check_print_github(out, &plain);
    } else {
        print_text(out, &plain);
    }
}

static bool
print(struct ctx *ctx, const struct run *run, const struct check_results *results)
{
    const struct options *opts = run->options;
    char *text = NULL;
    size_t length = 0;
    FILE *memory;
    bool is_good;

    if (!opts->output) {
        print_to(ctx->arena, run, run->out, results);
        if (!run->global->json && text_equal(opts->format, "text") && results->failed > 0)
            out_next(run->out, "pgmend queries nplusone %s",
                text_shell(ctx->arena,
                    opts->grown.count > 0 ? opts->grown.items[0] : run->operands.items[0]));
        return true;
    }
    memory = open_memstream(&text, &length);
    if (!memory)
        return error_set_errno(ctx, "printing");
    print_to(ctx->arena, run, memory, results);
    fclose(memory);
    is_good = file_write(ctx, opts->output, text, length, 0644);
    free(text);
    return is_good;
}

static bool
check_options(struct ctx *ctx, const struct options *opts)
{
    if (!opts->baseline && opts->grown.count == 0) {
        error_set(ctx, ERR_USAGE, "--baseline or --grown is missing: there is nothing to compare");
        return error_hint(ctx, "--baseline FILE --update makes the first baseline.");
    }
    if (opts->update && !opts->baseline)
        return error_set(ctx, ERR_USAGE, "--update needs --baseline");
    if (opts->update && opts->grown.count > 0)
        return error_set(ctx, ERR_USAGE, "--update and --grown do not go together");
    if (opts->allow < 0 || opts->idle_gap <= 0)
        return error_set(ctx, ERR_USAGE, "--allow is not below 0, --idle-gap above 0");
    return true;
}

static void
warn_untagged(const struct check_routes *routes)
{
    size_t count = 0;

    for (size_t i = 0; i < routes->count; i++)
        count += !routes->items[i].is_tagged;
    if (count > 0)
        log_info(
            "%zu of %zu kinds of request have no tag of a route (sqlcommenter, marginalia): they "
            "go by their first statement, which several routes may share.",
            count, routes->count);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct check_routes seen = { 0 }, other = { 0 };
    struct check_results results = { 0 };

    if (!check_options(ctx, opts) || !read_files(ctx, opts, &run->operands, &seen))
        return false;
    warn_untagged(&seen);
    if (opts->update)
        return update(ctx, run, &seen);
    if (opts->baseline) {
        if (!check_baseline_read(ctx, opts->baseline, &other))
            return false;
        check_compare(ctx->arena, &other, &seen, opts->allow, &results);
    }
    if (opts->grown.count > 0) {
        if (!read_files(ctx, opts, &opts->grown, &other))
            return false;
        check_growth(ctx->arena, &seen, &other, opts->allow, &results);
    }
    if (!print(ctx, run, &results))
        return false;
    run->status = results.failed > 0 ? HAS_FINDINGS : 0;
    return true;
}

const struct command cmd_queries_check = {
    .path = "queries check",
    .summary = "a test for CI: no kind of request takes more statements than it did",
    .details =
        "Reads traces (\"queries trace --output\") or logs of a run of the tests, counts the "
        "statements of each request by route, and compares the highest number of a route with the "
        "baseline, a JSON file that belongs beside the tests. Statements that begin and end "
        "transactions or set something are not counted.\n\n"
        "A request is what has one trace id (traceparent, request_id), else one transaction, else what "
        "follows without a pause. Its route is that of sqlcommenter's or marginalia's comment; without "
        "one, its first statement stands for it.\n\n"
        "With --grown the same requests were traced again over more rows: a route that then takes more "
        "statements asks once for each row. That needs no baseline.\n\n"
        "New routes and those that were not seen are told and do not fail.\n\n"
        "Exit status: 0 none takes more; 1 a file cannot be read; 2 wrong options; 3 a route takes more "
        "than it may.",
    .operands = "TRACE ...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend queries check tests.trace --baseline queries.json --update\n"
                "pgmend queries check tests.trace --baseline queries.json --format github\n"
                "pgmend queries check ten_rows.trace --grown twenty_rows.trace --format junit "
                "--output junit.xml",
    .next = "pgmend queries nplusone TRACE",
    .run = run,
};
