#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/out.h"
#include "cmd/parts/index_lint_output.h"
#include "cmd/parts/query_input.h"
#include "staging/private_server.h"
#include "staging/schema_load.h"

enum { STATUS_FINDINGS = 3, MOST_ROUNDS = 4, MOST_SCHEMA = 256 << 20 };

struct options {
    const char *schema;
    struct text_list workload;
    struct text_list log;
    const char *log_format;
    const char *log_prefix;
    const char *what_if;
    bool check_data;
    bool fix;
    bool in_place;
    const char *format;
    const char *output;
    const char *fail_on;
    struct text_list rule;
    struct text_list ignore;
    const char *bin_dir;
};

/* In the order of enum whatif_way. */
static const char *const ways[] = { "auto", "hypopg", "scratch", NULL };
static const char *const severities[] = { "advice", "warning", "error", NULL };

static const struct field options[] = {
    FIELD(struct options, schema, .momentary = true, .arg = "DUMP.sql",
        .help =
            "check against this plain dump of the schema, in a server of our own, in place of a "
            "database"),
    FIELD(struct options, workload, .momentary = true, .arg = "counters|FILE",
        .help =
            "measure each index by these statements: pg_stat_statements, a file of SQL, or a folder "
            "of them; may be given several times"),
    FIELD(struct options, log, .momentary = true, .arg = "FILE",
        .help = "measure by the statements of a log of the server; may be given several times"),
    FIELD(struct options, log_format, .arg = "FORMAT", .standard = "auto",
        .choices = query_log_formats, .help = "of the logs"),
    FIELD(struct options, log_prefix, .arg = "TEXT",
        .help = "log_line_prefix of a text log, when it cannot be told from the lines"),
    FIELD(struct options, what_if, .arg = "WAY", .standard = "auto", .choices = ways,
        .help = "how indexes are tried for the workload: by HypoPG, or on a scratch server"),
    FIELD(struct options, check_data,
        .help = "ask the rows themselves whether a UNIQUE index would fail; reads whole tables"),
    FIELD(struct options, fix, .momentary = true,
        .help =
            "write the corrected script, in place of the findings, to --output or standard output"),
    FIELD(struct options, in_place, .momentary = true,
        .help = "with --fix: replace the script itself"),
    FIELD(struct options, format, .arg = "FORMAT", .choices = index_lint_formats,
        .help = "what to write (default: what the suffix of --output says, else text)"),
    FIELD(struct options, output, .arg = "FILE", .letter = 'o', .momentary = true,
        .help = "write it there; the suffix .json, .sarif, .md or .txt chooses the format"),
    FIELD(struct options, fail_on, .arg = "SEVERITY", .choices = severities,
        .help = "exit with status 3 when there is a finding at least so severe"),
    FIELD(struct options, rule, .arg = "RULE", .help = "only findings of this rule"),
    FIELD(struct options, ignore, .arg = "RULE", .help = "no findings of this rule"),
    FIELD(struct options, bin_dir, .arg = "DIR",
        .help = "programs of a server, for --schema and the scratch server (default: looked for)"),
};

/* What the script is checked against. */
struct target {
    struct private_server *server; /* of --schema, or NULL */
    struct db *db;
    const char *label;
    struct text_list notes;
};

static void
target_end(struct target *target)
{
    db_cleanup(&target->db);
    private_server_cleanup(&target->server);
}

static bool
check_rules(struct ctx *ctx, const char *option, const struct text_list *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (lint_rule_find(ids->items[i]))
            continue;
        error_set(ctx, ERR_USAGE, "%s: there is no rule \"%s\"", option, ids->items[i]);
        return error_hint(ctx, "docs/index-lint.md lists them.");
    }
    return true;
}

/*
 * What stands in the folder could be replaced whatever the file's own mode, so that is asked; by root, who may
 * write anything, the mode itself.
 */
static bool
check_in_place(struct ctx *ctx, const char *path)
{
    struct stat about;

    if (stat(path, &about) != 0 || ((about.st_mode & 0222) != 0 && access(path, W_OK) == 0))
        return true;
    error_set(ctx, ERR_RIGHTS, "%s is read-only", path);
    return error_hint(ctx, "Write the corrected script to another file with --output.");
}

static bool
check_options(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;
    const char *script = run->operands.items[0];

    if (opts->in_place && !opts->fix)
        return error_set(ctx, ERR_USAGE, "--in-place goes with --fix only");
    if (opts->in_place && (opts->output || text_equal(script, "-")))
        return error_set(ctx, ERR_USAGE,
            "--in-place replaces the script: it goes without --output "
            "and not with standard input");
    if (opts->in_place && !check_in_place(ctx, script))
        return false;
    if (opts->fix && (opts->format || run->global->json))
        return error_set(
            ctx, ERR_USAGE, "--fix writes a script: it goes without --format and --json");
    if (opts->fix && text_equal(opts->output, script)) {
        error_set(ctx, ERR_USAGE, "--output names the script itself");
        return error_hint(ctx, "To replace it, say --in-place.");
    }
    if (opts->schema && opts->check_data)
        return error_set(ctx, ERR_USAGE, "--check-data needs a database: --schema has no rows");
    if (opts->schema && text_list_has(&opts->workload, "counters"))
        return error_set(ctx, ERR_USAGE, "--workload counters needs a database, not --schema");
    return check_rules(ctx, "--rule", &opts->rule) && check_rules(ctx, "--ignore", &opts->ignore) &&
           (!opts->output || file_check_place(ctx, opts->output));
}

static bool
open_schema(struct ctx *ctx, const struct options *opts, struct target *ret)
{
    const struct private_server_options wanted = { .bin_folder = opts->bin_dir };
    size_t length;
    const char *text;

    if (!file_read_most(ctx, opts->schema, MOST_SCHEMA, &text, &length))
        return error_wrap(ctx, "reading the schema");
    if (strlen(text) != length) {
        error_set(ctx, ERR_INPUT, "%s is no plain dump: it holds a NUL byte", opts->schema);
        return error_hint(ctx, "pg_dump --schema-only --format plain writes one.");
    }
    if (!private_server_start(ctx, &wanted, &ret->server, &ret->notes) ||
        !private_server_open(ctx, ret->server, "lint", &ret->db) ||
        !schema_load_text(ctx, ret->db, opts->schema, text, &ret->notes))
        return error_wrap(ctx, "loading %s", opts->schema);
    ret->label = arena_printf(ctx->arena, "%s, loaded into PostgreSQL %s of our own", opts->schema,
        db_version_text(ret->db));
    return true;
}

static bool
open_database(struct ctx *ctx, const struct run *run, struct target *ret)
{
    const struct db_options wanted = {
        .url = run->global->db_url,
        .application = "pgmend/index lint",
        .access = ACCESS_READ,
    };

    if (!db_open(ctx, &wanted, &ret->db))
        return false;
    ret->label = arena_printf(
        ctx->arena, "%s, PostgreSQL %s", db_label(ctx->arena, ret->db), db_version_text(ret->db));
    return true;
}

/* Sources after one another, as one workload. */
static bool
add_intake(struct ctx *ctx, struct intake *into, const struct intake *from)
{
    if (!into->source) {
        *into = *from;
        return true;
    }
    for (size_t i = 0; i < from->count; i++)
        VEC_PUSH(ctx->arena, into, from->items[i]);
    into->has_times &= from->has_times;
    into->source = arena_printf(ctx->arena, "%s, %s", into->source, from->source);
    return true;
}

static bool
take_in(struct ctx *ctx, const struct run *run, struct db *db, struct intake *ret)
{
    const struct options *opts = run->options;
    const struct log_options log = {
        .format = query_log_format(opts->log_format),
        .prefix = opts->log_prefix,
        .database = opts->schema ? NULL : db_name(db),
        .keeps_values = true,
        .keeps_sql = true,
    };
    struct text_list files = { 0 };
    struct intake part = { 0 };

    for (size_t i = 0; i < opts->workload.count; i++)
        if (!text_equal(opts->workload.items[i], "counters"))
            text_list_add(ctx->arena, &files, opts->workload.items[i]);
    if (files.count < opts->workload.count &&
        (!intake_counters(ctx, db, NULL, &part) || !add_intake(ctx, ret, &part)))
        return false;
    part = (struct intake){ 0 };
    if (files.count > 0 && (!intake_files(ctx, &files, &part) || !add_intake(ctx, ret, &part)))
        return false;
    part = (struct intake){ 0 };
    return opts->log.count == 0 ||
           (intake_logs(ctx, &opts->log, &log, &part) && add_intake(ctx, ret, &part));
}

static struct lint_options
lint_options_of(const struct run *run, const struct intake *workload)
{
    const struct options *opts = run->options;
    struct lint_options ret = {
        .has_rows = !opts->schema,
        .check_data = opts->check_data,
        .workload = workload->source ? workload : NULL,
        .bin_folder = opts->bin_dir,
        .rules = &opts->rule,
        .without_rules = &opts->ignore,
    };

    for (size_t i = 0; ways[i]; i++)
        if (text_equal(ways[i], opts->what_if))
            ret.way = (enum whatif_way)i;
    return ret;
}

/* Statements that stood in a block get CONCURRENTLY in the next round. */
static bool
has_blocking(const struct lint *lint)
{
    for (size_t i = 0; i < lint->findings.count; i++)
        if (lint->findings.items[i].rule == lint_rule(LINT_NOT_CONCURRENT) &&
            !lint->findings.items[i].silenced)
            return true;
    return false;
}

/*
 * Corrects until no round finds another error: what was mended may turn out to be wrong in another way, as an
 * expression that parses now and is not immutable. ret_left: errors that are there still.
 */
static bool
correct(struct ctx *ctx, const struct run *run, struct db *db, const struct lint *first,
    const char **ret, struct findings *ret_left)
{
    const struct intake none = { 0 };
    const struct lint_options wanted = lint_options_of(run, &none);
    struct lint lint = *first;

    *ret_left = (struct findings){ 0 };
    for (int round = 0; round < MOST_ROUNDS; round++) {
        struct lint_script script;

        *ret = lint_corrected(ctx, &lint);
        if (!lint_script_parse(ctx, first->script.file, *ret, strlen(*ret), &script)) {
            /* All that is left are comments. */
            error_clear(ctx);
            return true;
        }
        if (!lint_run(ctx, db, &script, &wanted, &lint))
            return false;
        if (findings_count(&lint.findings, SEVERITY_ERROR) == 0 && !has_blocking(&lint))
            return true;
    }
    *ret_left = lint.findings;
    return true;
}

/* The script may be on standard output: these go to standard error. */
static void
warn_of_errors(const struct findings *left)
{
    size_t count = findings_count(left, SEVERITY_ERROR);

    if (count == 0)
        return;
    fprintf(stderr, "pgmend: warning: %zu %s left in the corrected script, first:\n", count,
        count == 1 ? "error is" : "errors are");
    for (size_t i = 0; i < left->count; i++) {
        const struct finding *finding = &left->items[i];

        if (finding->severity != SEVERITY_ERROR || finding->silenced)
            continue;
        fprintf(stderr, "  line %u: %s (%s)\n", finding->place.line, finding->message,
            finding->rule->id);
        return;
    }
}

/* In its old mode, and where a link leads rather than in its place. */
static bool
replace_script(struct ctx *ctx, const char *path, const char *text)
{
    struct stat about;
    char *target = realpath(path, NULL);
    bool is_good;

    if (!target || stat(target, &about) != 0) {
        error_set(ctx, ERR_INPUT, "%s: %s", path, strerror(errno));
        free(target);
        return false;
    }
    is_good = file_write(ctx, target, text, strlen(text), (int)(about.st_mode & 07777));
    free(target);
    return is_good;
}

static bool
write_fixed(struct ctx *ctx, struct run *run, struct db *db, const struct lint *lint)
{
    const struct options *opts = run->options;
    const char *path = opts->in_place ? run->operands.items[0] : opts->output;
    struct findings left;
    const char *text;

    if (!correct(ctx, run, db, lint, &text, &left))
        return false;
    warn_of_errors(&left);
    if (!path) {
        fputs(text, run->out);
        return true;
    }
    if (opts->in_place ? !replace_script(ctx, path, text)
                       : !file_write(ctx, path, text, strlen(text), 0644))
        return false;
    if (run->global->quiet)
        return true;
    fprintf(run->out, "Written to %s.\n", path);
    out_next(run->out, "pgmend index lint %s, then pgmend index apply %s",
        text_shell(ctx->arena, path), text_shell(ctx->arena, path));
    return true;
}

static bool
print(struct ctx *ctx, struct run *run, enum index_lint_format format,
    const struct index_lint_page *page)
{
    const struct options *opts = run->options;
    const char *script = run->operands.items[0];

    if (opts->output && !index_lint_write_file(ctx, opts->output, format, page))
        return false;
    if (opts->output && run->global->quiet)
        return true;
    if (!opts->output || format != INDEX_LINT_TEXT)
        index_lint_write(ctx, run->out, opts->output ? INDEX_LINT_TEXT : format, page);
    if (opts->output)
        fprintf(run->out, "Written to %s.\n", opts->output);
    if (!opts->output && format != INDEX_LINT_TEXT)
        return true;
    if (text_equal(script, "-"))
        return true;
    if (findings_count(&page->lint->findings, SEVERITY_WARNING) == 0)
        out_next(run->out, "pgmend plan %s", text_shell(ctx->arena, script));
    else
        out_next(run->out, "pgmend index lint %s --fix -o corrected.sql",
            text_shell(ctx->arena, script));
    return true;
}

static enum severity
limit_of(const struct options *opts)
{
    for (int i = 0; opts->fail_on && i < SEVERITY_COUNT; i++)
        if (text_equal(opts->fail_on, severity_name((enum severity)i)))
            return (enum severity)i;
    return SEVERITY_COUNT;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct target target CLEANUP(target_end) = { 0 };
    struct lint_script script;
    struct intake workload = { 0 };
    enum index_lint_format format;
    struct lint lint;

    if (!check_options(ctx, run) ||
        !index_lint_format(
            ctx, opts->format, run->global->json, opts->fix ? NULL : opts->output, &format) ||
        !lint_script_read(ctx, run->operands.items[0], &script) ||
        !(opts->schema ? open_schema(ctx, opts, &target) : open_database(ctx, run, &target)) ||
        !take_in(ctx, run, target.db, &workload))
        return false;

    const struct lint_options wanted = lint_options_of(run, &workload);

    if (!lint_run(ctx, target.db, &script, &wanted, &lint))
        return false;
    for (size_t i = 0; i < target.notes.count; i++)
        text_list_add(ctx->arena, &lint.notes, target.notes.items[i]);

    const struct index_lint_page page = {
        .lint = &lint,
        .against = target.label,
        .is_verbose = run->global->verbose,
    };

    if (!(opts->fix ? write_fixed(ctx, run, target.db, &lint) : print(ctx, run, format, &page)))
        return false;
    if (limit_of(opts) < SEVERITY_COUNT && findings_count(&lint.findings, limit_of(opts)) > 0)
        run->status = STATUS_FINDINGS;
    return true;
}

const struct command cmd_index_lint = {
    .path = "index lint",
    .summary = "say what in a script of indexes would fail or be useless, before it runs",
    .details =
        "Reads a script of CREATE INDEX statements and checks each one: names that are not there, "
        "what the server would refuse (it tries the statement on an empty temporary copy of the "
        "table, in a transaction that is rolled back), what fails or blocks once there are rows, "
        "what IF NOT EXISTS hides, and indexes that are there already or that no query can use. "
        "Queries in the script tell about use; with --workload or --log every index is tried by "
        "the planner, as if it were there.\n\n"
        "Nothing is changed. --fix writes the script again with every fault mended, or made a "
        "comment with its reason. A comment silences a finding of its line or the next: "
        "-- pgmend: ignore RULE -- why.\n\n"
        "The exit status is 0 whatever is found, unless --fail-on says otherwise; then 3.",
    .operands = "FILE.sql",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples =
        "pgmend index lint indexes.sql\n"
        "pgmend index lint indexes.sql --workload counters\n"
        "pgmend index lint indexes.sql --schema schema.sql --format github --fail-on error\n"
        "pgmend index lint indexes.sql --fix -o corrected.sql",
    .next = "pgmend plan",
    .run = run,
};
