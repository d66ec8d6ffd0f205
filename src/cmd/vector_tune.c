#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "change/plan.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/vector_present.h"
#include "cmd/parts/vector_screen.h"
#include "cmd/parts/vector_tune_screen.h"
#include "cmd/parts/vector_wish.h"
#include "vector/install/install.h"

enum { STATUS_BETTER = 3, STATUS_NOTHING = 10, LEAST_QUERIES = 5, MOST_QUERIES = 10000 };

struct options {
    double recall;
    double worst;
    int64_t p95;
    int64_t budget;
    int64_t time;
    const char *use;
    int32_t queries;
    const char *query_file;
    const char *query_column;
    int64_t sample_rows;
    int64_t sample_size;
    int64_t seed;
    const char *scratch_url;
    const char *scratch_template;
    const char *output;
    const char *html;
    const char *schema;
    bool keep_old;
    bool exit_code;
    struct vector_wish wish;
};

/* clang-format off */
static const char *const uses[] = { "exact", "bits", "hnsw", "ivfflat", "partial", "partitions", NULL };

static const struct field options[] = {
    FIELD(struct options, recall, .arg = "SHARE", .standard = "0.99",
        .help = "share of the right answers that must come back, over all questions"),
    FIELD(struct options, worst, .arg = "SHARE", .standard = "0.98",
        .help = "the same in the worst bucket of tenants of like size"),
    FIELD(struct options, p95, .unit = UNIT_US, .arg = "TIME", .standard = "100ms",
        .help = "what 95 of 100 searches may take in every bucket; 0: no limit"),
    FIELD(struct options, budget, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "0",
        .help = "what indexes and columns may take; 0: no limit"),
    FIELD(struct options, time, .unit = UNIT_US, .arg = "TIME", .standard = "15m",
        .help = "for building and measuring; what does not fit is named, not built"),
    FIELD(struct options, use, .arg = "FAMILY", .choices = uses,
        .help = "choose among these only; ivfflat: measure all, plan idx_TABLE_ivfflat with "
                "round(sqrt(rows)) lists"),
    FIELD(struct options, queries, .arg = "NUMBER", .standard = "50",
        .help = "questions for each bucket of tenants"),
    FIELD(struct options, query_file, .arg = "FILE",
        .help = "ask these: a vector a line, as [1,2,3], perhaps with the tenant and a tab before it"),
    FIELD(struct options, query_column, .arg = "TABLE.COLUMN",
        .help = "ask the vectors of this column; '' for rows of the table itself (default: one "
                "that is found, else the rows)"),
    FIELD(struct options, sample_rows, .arg = "ROWS", .standard = "200000",
        .help = "copy at most so many rows, of whole tenants"),
    FIELD(struct options, sample_size, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "4GB",
        .help = "and at most so much"),
    FIELD(struct options, seed, .arg = "NUMBER", .standard = "1",
        .help = "the same number takes the same tenants and questions again"),
    FIELD(struct options, scratch_url, .arg = "URL",
        .help = "the server for the scratch database (default: the same server)"),
    FIELD(struct options, scratch_template, .arg = "DATABASE",
        .help = "make the scratch database from this one, which has pgvector "
                "(for roles that may not create it)"),
    FIELD(struct options, output, .letter = 'o', .arg = "PLAN", .momentary = true,
        .help = "write the changes that make the winner real, for \"pgmend apply PLAN\""),
    FIELD(struct options, html, .arg = "FILE", .momentary = true,
        .help = "write a page with pictures and everything that was tried"),
    FIELD(struct options, schema, .arg = "SCHEMA", .standard = "public",
        .help = "where the search functions are made"),
    FIELD(struct options, keep_old,
        .help = "do not drop the approximate indexes that nothing uses any more"),
    FIELD(struct options, exit_code,
        .help = "exit with 3 when something better than what is installed was found"),
    VECTOR_WISH_FIELDS(struct options),
};
/* clang-format on */

/* A run: what was found and what is to be done about it. */
struct work {
    struct vector_tuning tuning;
    struct vector_choice installed;
    bool has_installed;
    bool has_plan;
    struct plan plan;
};

/* ---- options ---- */

static bool
check_share(struct ctx *ctx, const char *option, double share)
{
    if (share > 0 && share <= 1)
        return true;
    return error_set(ctx, ERR_USAGE, "%s is a share above 0 and at most 1, as 0.99", option);
}

/* What cannot be written after a quarter of an hour is better known at once. */
static bool
check_folder(struct ctx *ctx, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *folder = !slash          ? "."
                         : slash == path ? "/"
                                         : arena_strndup(ctx->arena, path, (size_t)(slash - path));

    if (!path || access(folder, W_OK) == 0)
        return true;
    return error_set_errno(ctx, "could not write \"%s\"", path);
}

static bool
check_options(struct ctx *ctx, const struct options *opts)
{
    if (!check_share(ctx, "--recall", opts->recall) || !check_share(ctx, "--worst", opts->worst))
        return false;
    if (opts->worst > opts->recall)
        return error_set(ctx, ERR_USAGE,
            "--worst %g is above --recall %g: the worst bucket cannot be better than all together",
            opts->worst, opts->recall);
    if (opts->queries < LEAST_QUERIES || opts->queries > MOST_QUERIES)
        return error_set(
            ctx, ERR_USAGE, "--queries must be from %d to %d", LEAST_QUERIES, MOST_QUERIES);
    if (opts->sample_rows < 1 || opts->sample_size < 1)
        return error_set(ctx, ERR_USAGE, "--sample-rows and --sample-size must be at least 1");
    if (opts->time < 1)
        return error_set(ctx, ERR_USAGE, "--time must be more than 0");
    if (opts->wish.limit < 0)
        return error_set(ctx, ERR_USAGE, "--limit must be at least 1");
    if (opts->query_file && opts->query_column)
        return error_set(
            ctx, ERR_USAGE, "--query-file and --query-column cannot be given together");
    return check_folder(ctx, opts->output) && check_folder(ctx, opts->html);
}

/* ---- the run ---- */

/* Another session, that may write: the one to the live database is read-only by the server's word. */
static bool
open_server(struct ctx *ctx, const struct run *run, struct db **ret)
{
    const struct options *opts = run->options;
    struct db_options write = {
        .url = opts->scratch_url, .application = "pgmend/vector tune", .access = ACCESS_WRITE
    };
    bool is_open =
        opts->scratch_url ? db_open(ctx, &write, ret) : db_open_like(ctx, run->db, &write, ret);

    if (!is_open || !db_require_direct(ctx, *ret))
        return error_wrap(ctx, "opening the server for the scratch database");
    if (db_require_writable(ctx, *ret))
        return true;
    return error_hint(ctx, "The scratch database needs a primary with pgvector: name one with "
                           "--scratch-url.");
}

/* Whatever happens, the scratch database is gone at the end. */
static bool
measure(struct ctx *ctx, struct run *run, struct db *server, const struct vector_observer *observer,
    struct work *work)
{
    const struct options *opts = run->options;
    struct vector_stage stage CLEANUP(vector_stage_close) = { 0 };
    const struct vector_stage_options sample = {
        .server = server,
        .scratch_template = opts->scratch_template,
        .most_rows = opts->sample_rows,
        .most_bytes = opts->sample_size,
        .queries = opts->queries,
        .seed = opts->seed,
        .query_file = opts->query_file,
        .query_column = opts->query_column,
    };
    const struct vector_goal goal = {
        .recall = opts->recall,
        .recall_worst = opts->worst,
        .p95_us = opts->p95,
        .most_bytes = opts->budget,
        .time_us = opts->time,
    };
    const char *use = text_equal(opts->use, "ivfflat") ? NULL : opts->use;
    struct vector_target target;

    if (!vector_target_find(ctx, run->db, &opts->wish, &target) ||
        !vector_choice_load(ctx, run->db, &target, &work->installed, &work->has_installed) ||
        !vector_stage_open(ctx, run->db, &target, &sample, observer, &stage) ||
        !vector_tune(ctx, &stage, &goal, use, observer, &work->tuning))
        return false;
    /* What was measured on the copy is said of the live table, whose OID is another. */
    work->tuning.target = target;
    work->tuning.choice.target = target;
    return true;
}

/* The changes: those of the winner, or the index that --use ivfflat asks for. */
static bool
make_plan(struct ctx *ctx, struct run *run, struct work *work)
{
    const struct options *opts = run->options;
    bool is_good;

    if (text_equal(opts->use, "ivfflat"))
        is_good = vector_ivfflat_plan(ctx, run->db, &work->tuning.target, &work->plan);
    else if (work->tuning.has_choice)
        is_good = vector_choice_plan(
            ctx, run->db, &work->tuning.choice, opts->schema, !opts->keep_old, &work->plan);
    else
        return true;
    if (!is_good || !plan_seal(ctx, run->db, &work->plan))
        return error_wrap(ctx, "making the plan");
    work->has_plan = true;
    return !opts->output || plan_write(ctx, opts->output, &work->plan);
}

/* ---- what is printed ---- */

static bool
is_same_special(struct arena *arena, const struct vector_special *a, const struct vector_special *b)
{
    if (!text_equal(vector_method_name(arena, &a->method), vector_method_name(arena, &b->method)) ||
        a->tenants.count != b->tenants.count)
        return false;
    for (size_t i = 0; i < a->tenants.count; i++)
        if (!text_list_has(&b->tenants, a->tenants.items[i]))
            return false;
    return true;
}

static bool
is_installed(struct arena *arena, const struct work *work)
{
    const struct vector_choice *a = &work->tuning.choice;
    const struct vector_choice *b = &work->installed;

    if (!work->has_installed || a->specials.count != b->specials.count ||
        !text_equal(vector_method_name(arena, &a->base), vector_method_name(arena, &b->base)))
        return false;
    for (size_t i = 0; i < a->specials.count; i++)
        if (!is_same_special(arena, &a->specials.items[i], &b->specials.items[i]))
            return false;
    return true;
}

static void
print_ivfflat(struct arena *arena, FILE *out, const struct work *work)
{
    struct vector_shown_list shown;
    const struct vector_shown *plan;

    vector_tuning_shown(arena, &work->tuning, &shown);
    plan = vector_shown_plan(&shown);
    if (!plan || shown.count == 0)
        return;
    fprintf(out, "--use ivfflat: recall %s (%s) where %s has %s\n",
        vector_recall_text(arena, plan->candidate->overall.recall.value), plan->candidate->name,
        shown.items[0].candidate->name,
        vector_recall_text(arena, shown.items[0].candidate->overall.recall.value));
}

static void
print_next(struct ctx *ctx, struct run *run, const struct work *work, bool is_current)
{
    const struct options *opts = run->options;

    if (work->has_plan && opts->output)
        out_next(run->out, "pgmend rehearse %s, then pgmend apply %s",
            text_shell(ctx->arena, opts->output), text_shell(ctx->arena, opts->output));
    else if (is_current)
        out_next(run->out, "pgmend vector check");
    else if (work->has_plan)
        out_next(run->out, "pgmend vector tune -o vector.plan writes these changes as a plan");
    else
        out_next(run->out, "pgmend vector tune with a lower --recall or --worst, a higher --p95 or "
                           "--budget, or more --time");
}

static bool
print(struct ctx *ctx, struct run *run, const struct work *work)
{
    const struct options *opts = run->options;
    bool is_current = work->tuning.has_choice && !text_equal(opts->use, "ivfflat") &&
                      is_installed(ctx->arena, work);

    if (run->global->json) {
        json_t *json CLEANUP(json_release) = vector_tuning_json(&work->tuning);

        json_object_set_new(json, "plan", work->has_plan ? plan_json(&work->plan) : json_null());
        out_json(run->out, json);
        return true;
    }
    vector_tune_print(ctx->arena, run->out, &work->tuning);
    if (text_equal(opts->use, "ivfflat"))
        print_ivfflat(ctx->arena, run->out, work);
    if (is_current)
        out_mark_line(run->out, MARK_OK, "it is what is installed: there is nothing to change");
    else if (work->has_plan)
        vector_tune_print_plan(ctx->arena, run->out, &work->plan);
    if (opts->html)
        fprintf(run->out, "The page is %s.\n", opts->html);
    if (work->has_plan && opts->output)
        fprintf(run->out, "The plan is %s.\n", opts->output);
    fputs("The live database was only read; the scratch database is gone.\n", run->out);
    print_next(ctx, run, work, is_current);
    return true;
}

static bool
tune(struct ctx *ctx, struct run *run, struct work *work)
{
    struct db *server CLEANUP(db_cleanup) = NULL;
    struct vector_screen screen;
    bool is_good;

    if (!open_server(ctx, run, &server))
        return false;
    is_good = measure(ctx, run, server, vector_screen_begin(&screen, "tune"), work);
    vector_screen_end(&screen);
    return is_good;
}

/* What was measured is worth more than the sentence about today. */
static bool
look_at_today(struct ctx *ctx, struct run *run, struct work *work)
{
    const struct vector_choice *installed = work->has_installed ? &work->installed : NULL;

    if (vector_present(ctx, run->db, installed, &work->tuning))
        return true;
    if (interrupt_signal())
        return false;
    log_warn("%s", ctx->error.message);
    error_clear(ctx);
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct work work = { 0 };

    if (!check_options(ctx, opts) || !tune(ctx, run, &work) || !look_at_today(ctx, run, &work))
        return false;
    if (opts->html && !vector_tuning_page(ctx, &work.tuning, opts->html))
        return false;
    if (!make_plan(ctx, run, &work)) {
        /* Minutes of measuring are not thrown away because there is no plan. */
        if (!run->global->json)
            vector_tune_print(ctx->arena, run->out, &work.tuning);
        return false;
    }
    if (!work.tuning.has_choice)
        run->status = STATUS_NOTHING;
    else if (opts->exit_code && !is_installed(ctx->arena, &work))
        run->status = STATUS_BETTER;
    return print(ctx, run, &work);
}

const struct command cmd_vector_tune = {
    .path = "vector tune",
    .summary = "build ways to search vectors, measure them on your rows, choose the best",
    .details =
        "Copies whole tenants of every size into a scratch database, asks it questions (logged ones "
        "where there are any, else rows that are held out), computes the right answers by exact "
        "search, and really builds the candidates: exact search by storage, stored bits with an "
        "exact second ranking, HNSW and IVFFlat over all rows, for large tenants alone and by "
        "partitions, with and without iterative scans. Each has its recall, CPU and wall time, size, "
        "build time and cost of writing, with 95 % intervals, beside the plan's own choice "
        "(IVFFlat over all rows with the square root of their number of lists) and what is done "
        "today.\n\n"
        "The live database is only read. The scratch database is made on the same server, or at "
        "--scratch-url, and is gone at the end, after Ctrl-C too. It takes disk and CPU there: for a "
        "busy server name another one.\n\n"
        "-o writes a plan for \"pgmend apply\", which then proves that recall is as measured and "
        "undoes everything when it is not. The exit status is 10 when nothing meets the goal (no "
        "plan is written then but for --use ivfflat), and with --exit-code 3 when the winner is not "
        "what is installed.\n\n"
        "In --json names end in their unit: _us microseconds, _bytes, _ratio; recall is a share of "
        "1, and an interval has value, low and high (95 %).",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend vector tune\n"
                "pgmend vector tune --table knowledge_embeddings --filter 'importance >= 5' -o "
                "vector.plan --html vector.html\n"
                "pgmend vector tune --use ivfflat -o ivfflat.plan",
    .next = "pgmend apply",
    .run = run,
};
