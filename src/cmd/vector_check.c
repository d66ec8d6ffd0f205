#include <math.h>

#include "base/clock.h"
#include "change/journal.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/vector_screen.h"
#include "cmd/parts/vector_wish.h"
#include "finding/render.h"
#include "sql.h"
#include "vector/watch/check.h"

enum { STATUS_FINDINGS = 3, LEAST_QUERIES = 2 };

struct options {
    struct vector_wish wish;
    int32_t queries;
    int64_t seed;
    bool record;
    bool exit_code;
};

/* clang-format off */
static const struct field options[] = {
    VECTOR_WISH_FIELDS(struct options),
    FIELD(struct options, queries, .arg = "N", .standard = "20",
        .help = "questions to ask of the tenants of each size; more tell finer"),
    FIELD(struct options, seed, .arg = "NUMBER", .standard = "1",
        .help = "which questions are chosen by chance: the same number, the same ones"),
    FIELD(struct options, record, .momentary = true,
        .help = "keep what was measured in schema pgmend, where the monitor looks for it"),
    FIELD(struct options, exit_code, .momentary = true,
        .help = "exit with 3 when there is a finding"),
};

/* A line of the table. */
struct line {
    const char *bucket;
    int64_t queries;
    const char *expected;
    const char *recall;
    int64_t short_results;
    const char *cpu_p50;
    const char *cpu_p95;
    const char *wall_p95;
};

static const struct field columns[] = {
    FIELD(struct line, bucket, .help = "tenants"),
    FIELD(struct line, queries, .help = "questions"),
    FIELD(struct line, expected, .help = "expected recall"),
    FIELD(struct line, recall, .help = "measured recall (95 %)"),
    FIELD(struct line, short_results, .help = "short"),
    FIELD(struct line, cpu_p50, .help = "CPU p50"),
    FIELD(struct line, cpu_p95, .help = "CPU p95"),
    FIELD(struct line, wall_p95, .help = "wall p95"),
};
/* clang-format on */

/* ---- progress ---- */

static bool
check(
    struct ctx *ctx, struct run *run, const struct vector_choice *choice, struct vector_check *ret)
{
    const struct options *opts = run->options;
    const struct vector_check_questions questions = { .count = opts->queries, .seed = opts->seed };
    struct vector_screen screen;
    bool is_good;

    is_good = vector_check_run(
        ctx, run->db, choice, &questions, vector_screen_begin(&screen, "check"), ret);
    vector_screen_end(&screen);
    return is_good;
}

/* ---- what is printed ---- */

static const char *
time_text(struct arena *arena, const struct vector_interval *interval)
{
    return isfinite(interval->value) ? text_from_us(arena, llround(interval->value)) : "-";
}

static struct line
line_of(
    struct arena *arena, const char *name, const struct vector_measure *measure, double expected)
{
    if (measure->queries == 0)
        return (struct line){ .bucket = name,
            .expected = "-",
            .recall = "-",
            .cpu_p50 = "-",
            .cpu_p95 = "-",
            .wall_p95 = "-" };
    return (struct line){
        .bucket = name,
        .queries = measure->queries,
        .expected = expected >= 0 ? arena_printf(arena, "%.3f", expected) : "-",
        .recall = arena_printf(arena, "%.3f (%.3f-%.3f)", measure->recall.value,
            measure->recall.low, measure->recall.high),
        .short_results = measure->short_results,
        .cpu_p50 = time_text(arena, &measure->cpu_us_p50),
        .cpu_p95 = time_text(arena, &measure->cpu_us_p95),
        .wall_p95 = time_text(arena, &measure->wall_us_p95),
    };
}

static void
print_buckets(struct ctx *ctx, FILE *out, const struct vector_check *check)
{
    size_t count = check->buckets.count;
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, count + 1);

    for (size_t i = 0; i < count; i++)
        lines[i] = line_of(ctx->arena, check->buckets.items[i].name,
            &check->buckets.items[i].measure, check->buckets.items[i].expected);
    lines[count] = line_of(ctx->arena, "all", &check->overall, -1);
    out_table(out, columns, COUNT_OF(columns), lines, count + 1, sizeof(lines[0]));
}

static void
print_text(struct ctx *ctx, const struct run *run, const struct vector_check *check)
{
    const struct vector_choice *choice = &check->choice;
    const struct render render = {
        .findings = &check->findings,
        .subject = vector_table(ctx->arena, &choice->target),
        .more = "--verbose shows all",
        .is_verbose = true,
    };

    if (choice->chosen_at)
        fprintf(run->out, "%s of %s, searched by %s, chosen %s%s\n\n", choice->target.column,
            vector_table(ctx->arena, &choice->target),
            vector_method_name(ctx->arena, &choice->base), choice->chosen_at,
            choice->was_measured ? "" : " without measuring");
    if (check->buckets.count > 0) {
        print_buckets(ctx, run->out, check);
        fprintf(run->out, "\n%s rows; asked: %s; CPU time by %s\n",
            text_from_count(ctx->arena, check->rows),
            check->function ? check->function : "the statements of the method",
            meter_kind_text(check->meter));
    } else if (choice->chosen_at) {
        fputs("The table is empty: there is nothing to measure.\n", run->out);
    }
    render_text(run->out, &render);
    if (check->findings.count > 0) {
        out_next(run->out, choice->chosen_at ? "pgmend vector tune"
                                             : "pgmend vector survey, then "
                                               "pgmend vector tune");
        return;
    }
    if (choice->retune)
        fprintf(run->out, "%s\n", choice->retune);
    out_next(run->out, "pgmend vector check again in a week");
}

static json_t *
interval_json(const struct vector_interval *interval)
{
    if (!isfinite(interval->value))
        return json_null();
    return json_pack("{s:f, s:f, s:f}", "value", interval->value, "low",
        isfinite(interval->low) ? interval->low : interval->value, "high",
        isfinite(interval->high) ? interval->high : interval->value);
}

static json_t *
measure_json(const char *name, const struct vector_measure *measure, double expected)
{
    json_t *json = json_pack("{s:s, s:I, s:I}", "bucket", name, "queries",
        (json_int_t)measure->queries, "short_results", (json_int_t)measure->short_results);

    json_object_set_new(json, "expected_recall", expected >= 0 ? json_real(expected) : json_null());
    if (measure->queries == 0)
        return json;
    json_object_set_new(json, "recall", interval_json(&measure->recall));
    json_object_set_new(json, "recall_least", json_real(measure->recall_least));
    json_object_set_new(json, "cpu_us_p50", interval_json(&measure->cpu_us_p50));
    json_object_set_new(json, "cpu_us_p95", interval_json(&measure->cpu_us_p95));
    json_object_set_new(json, "wall_us_p50", interval_json(&measure->wall_us_p50));
    json_object_set_new(json, "wall_us_p95", interval_json(&measure->wall_us_p95));
    return json;
}

static void
print_json(struct ctx *ctx, const struct run *run, const struct vector_check *check)
{
    json_t *buckets = json_array();
    json_t *findings = json_array();
    json_t *json CLEANUP(json_release) = json_object();

    for (size_t i = 0; i < check->buckets.count; i++)
        json_array_append_new(
            buckets, measure_json(check->buckets.items[i].name, &check->buckets.items[i].measure,
                         check->buckets.items[i].expected));
    for (size_t i = 0; i < check->findings.count; i++)
        json_array_append_new(findings, render_json_finding(&check->findings.items[i]));
    json_object_set_new(
        json, "table", json_string(vector_table(ctx->arena, &check->choice.target)));
    json_object_set_new(json, "column", json_string(check->choice.target.column));
    json_object_set_new(json, "is_installed", json_boolean(check->choice.chosen_at != NULL));
    if (check->choice.chosen_at) {
        json_object_set_new(json, "choice", vector_choice_to_json(&check->choice));
        json_object_set_new(json, "rows", json_integer(check->rows));
        json_object_set_new(
            json, "function", check->function ? json_string(check->function) : json_null());
        json_object_set_new(json, "cpu_time_by", json_string(meter_kind_text(check->meter)));
        json_object_set_new(json, "overall", measure_json("all", &check->overall, -1));
    }
    json_object_set_new(json, "buckets", buckets);
    json_object_set_new(json, "findings", findings);
    json_object_set_new(json, "counts", render_json_counts(&check->findings));
    out_json(run->out, json);
}

/* The session that looks is read-only by the server's word; what is kept goes through another. */
static bool
record(struct ctx *ctx, const struct run *run, const struct vector_check *found)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    const struct db_options write = { .application = "pgmend/vector check",
        .access = ACCESS_WRITE };
    const struct vector_target *target = &found->choice.target;
    json_t *json CLEANUP(json_release) =
        json_pack("{s:f, s:I, s:f}", "recall", found->overall.recall.value, "findings",
            (json_int_t)found->findings.count, "at", (double)clock_wall_us() / 1e6);

    return db_open_like(ctx, run->db, &write, &db) && journal_install(ctx, db) &&
           sql_change_put_value(ctx, db,
               .name = arena_printf(ctx->arena, "vector-check:%s.%s.%s", target->schema,
                   target->table, target->column),
               .value = json_text(ctx->arena, json));
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct vector_target target;
    struct vector_choice choice;
    struct vector_check found;
    bool is_installed;

    if (opts->queries < LEAST_QUERIES)
        return error_set(ctx, ERR_USAGE, "--queries must be %d or more", LEAST_QUERIES);
    if (!vector_target_find(ctx, run->db, &opts->wish, &target) ||
        !vector_choice_load(ctx, run->db, &target, &choice, &is_installed))
        return false;
    if (!is_installed)
        vector_check_nothing(ctx->arena, &target, &found);
    else if (!check(ctx, run, &choice, &found))
        return false;
    if (opts->record && is_installed && !record(ctx, run, &found))
        return error_wrap(ctx, "keeping what was measured");
    findings_sort(&found.findings);
    if (run->global->json)
        print_json(ctx, run, &found);
    else
        print_text(ctx, run, &found);
    if (opts->exit_code && found.findings.count > 0)
        run->status = STATUS_FINDINGS;
    return true;
}

const struct command cmd_vector_check = {
    .path = "vector check",
    .summary = "measure whether the installed vector search still finds the right answers",
    .details =
        "Asks the installed functions the questions that \"vector tune\" would ask (logged ones, "
        "else rows of the table), a number for tenants of each size, and compares their answers "
        "with an exact search of the same moment. Recall and times stand beside what was measured "
        "when the search was chosen, with the interval that so few questions leave.\n\n"
        "Findings tell of recall below the goal or the prediction, results shorter than they "
        "should be, tenants that outgrew what was measured, and of what the search rests on: "
        "indexes, stored columns and their triggers, functions, the version of pgvector. Nothing "
        "is written, unless --record keeps recall and findings in schema pgmend: the alert "
        "vector-recall looks there. Run it by a timer, once a week, with --exit-code or --record.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend vector check\n"
                "pgmend vector check --queries 100 --json\n"
                "pgmend vector check --table knowledge_embeddings --exit-code\n"
                "pgmend vector check --record\n",
    .next = "pgmend vector tune",
    .run = run,
};
