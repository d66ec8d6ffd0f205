/*
 * A tuning run on the screen, as picture, JSON and page. The figures are those of a measured run over
 * 100,000 vectors of 1,536 dimensions, written down by hand.
 */
#include "support/test.h"

#include <math.h>

#include "base/crypto.h"
#include "cmd/parts/vector_tune_screen.h"
#include "vector/report/report.h"

#define HOSTILE "<img src=x onerror=alert(1)>\"'&\x01</script></style>{{body}}"

enum { BUCKETS = 5 };

struct line {
    const char *name;
    struct vector_method method;
    double recall;
    double half; /* of its interval */
    double p50_ms;
    double p95_ms;
    int64_t short_results; /* of 200 */
    int64_t index_mb;
    int64_t column_mb;
    double build_s;
    double buckets[BUCKETS]; /* recall; the largest tenants last */
    bool is_pareto;
    bool is_plan;
    bool is_present;
    bool meets_goal;
    const char *problem;
};

static const struct line lines[] = {
    { .name = "bits, 100 ranked again",
        .method = { .family = FAMILY_BITS, .candidates = 100 },
        .recall = 0.9995,
        .half = 0.0011,
        .p50_ms = 1.4,
        .p95_ms = 3.2,
        .index_mb = 26,
        .column_mb = 20,
        .build_s = 0.3,
        .buckets = { 1, 1, 1, 1, 0.997 },
        .is_pareto = true,
        .meets_goal = true },
    { .name = "bits, 40 ranked again",
        .method = { .family = FAMILY_BITS, .candidates = 40 },
        .recall = 0.994,
        .half = 0.004,
        .p50_ms = 0.63,
        .p95_ms = 2.4,
        .index_mb = 26,
        .column_mb = 20,
        .build_s = 0.3,
        .buckets = { 1, 1, 1, 0.99, 0.978 },
        .is_pareto = true },
    { .name = "ivfflat, 316 lists, 1 probe",
        .method = { .family = FAMILY_IVFFLAT, .lists = 316, .probes = 1 },
        .recall = 0.372,
        .half = 0.041,
        .p50_ms = 2.0,
        .p95_ms = 4.1,
        .short_results = 86,
        .index_mb = 822,
        .build_s = 63,
        .buckets = { 0.177, 0.215, 0.568, 0.537, 0.362 },
        .is_plan = true },
    { .name = "exact, halfvec, plain",
        .method = { .family = FAMILY_EXACT, .element = ELEMENT_HALF },
        .recall = 0.9995,
        .half = 0.0011,
        .p50_ms = 0.28,
        .p95_ms = 7.0,
        .index_mb = 1,
        .column_mb = 310,
        .build_s = 0.1,
        .buckets = { 1, 1, 1, 0.997, 1 },
        .is_pareto = true,
        .meets_goal = true },
    { .name = "exact, plain vector",
        .method = { .family = FAMILY_EXACT, .element = ELEMENT_PLAIN },
        .recall = 1,
        .half = 0.001,
        .p50_ms = 0.34,
        .p95_ms = 8.8,
        .index_mb = 1,
        .column_mb = 700,
        .build_s = 0.1,
        .buckets = { 1, 1, 1, 1, 1 },
        .is_pareto = true,
        .meets_goal = true },
    { .name = "hnsw vector, global, ef 40",
        .method = { .family = FAMILY_HNSW, .m = 16, .ef_construction = 64, .ef_search = 40 },
        .recall = 0.862,
        .half = 0.03,
        .p50_ms = 2.6,
        .p95_ms = 3.5,
        .short_results = 43,
        .index_mb = 819,
        .build_s = 321,
        .buckets = { 0.5, 0.85, 0.97, 0.99, 1 } },
    { .name = "ivfflat, 316 lists, 10 probes",
        .method = { .family = FAMILY_IVFFLAT, .lists = 316, .probes = 10 },
        .recall = 0.713,
        .half = 0.04,
        .p50_ms = 9.6,
        .p95_ms = 19.5,
        .short_results = 61,
        .index_mb = 822,
        .build_s = 63,
        .buckets = { 0.4, 0.487, 0.84, 0.938, 0.898 },
        .is_plan = true },
    { .name = "exact",
        .method = { .family = FAMILY_EXACT },
        .recall = 1,
        .half = 0.001,
        .p50_ms = 0.63,
        .p95_ms = 19.7,
        .index_mb = 1,
        .build_s = 0.1,
        .buckets = { 1, 1, 1, 1, 1 },
        .is_pareto = true,
        .meets_goal = true },
    { .name = "ivfflat, 316 lists, 20 probes",
        .method = { .family = FAMILY_IVFFLAT, .lists = 316, .probes = 20 },
        .recall = 0.795,
        .half = 0.038,
        .p50_ms = 16.5,
        .p95_ms = 32.2,
        .short_results = 51,
        .index_mb = 822,
        .build_s = 63,
        .buckets = { 0.536, 0.618, 0.895, 0.953, 0.975 },
        .is_plan = true },
    { .name = "scan",
        .method = { .family = FAMILY_SCAN },
        .recall = 1,
        .half = 0.001,
        .p50_ms = 16,
        .p95_ms = 61,
        .buckets = { 1, 1, 1, 1, 1 },
        .is_pareto = true,
        .is_present = true },
    { .name = "hnsw vector, global, ef 100 relaxed",
        .method = { .family = FAMILY_HNSW, .iteration = ITERATE_RELAXED, .ef_search = 100 },
        .recall = 0.992,
        .half = 0.006,
        .p50_ms = 5,
        .p95_ms = 70,
        .short_results = 4,
        .index_mb = 819,
        .build_s = 321,
        .buckets = { 0.978, 0.98, 1, 1, 1 } },
    { .name = "hnsw halfvec, list partitions",
        .method = { .family = FAMILY_HNSW },
        .problem = "building it would take about 20 min, which --time does not leave" },
};

static const double bucket_p95_ms[BUCKETS] = { 0.46, 1.0, 1.8, 2.4, 4.9 };

static struct vector_interval
around(double value, double half, double least, double most)
{
    return (struct vector_interval){ value, fmax(value - half, least), fmin(value + half, most) };
}

static struct vector_measure
measure_of(const struct line *line, double recall, double p95_ms)
{
    return (struct vector_measure){
        .queries = 200,
        .recall = around(recall, line->half, 0, 1),
        .recall_least = recall / 2,
        .short_results = line->short_results,
        .cpu_us_p50 = around(line->p50_ms * 1000, line->p50_ms * 100, 0, 1e9),
        .cpu_us_p95 = around(p95_ms * 1000, p95_ms * 150, 0, 1e9),
        .wall_us_p50 = around(line->p50_ms * 1200, line->p50_ms * 100, 0, 1e9),
        .wall_us_p95 = around(p95_ms * 1300, p95_ms * 200, 0, 1e9),
    };
}

static void
add_candidate(struct arena *arena, struct vector_tuning *tuning, const struct line *line)
{
    struct vector_candidate candidate = {
        .method = line->method,
        .name = line->name,
        .was_built = line->recall > 0,
        .problem = line->problem,
        .build_us = (int64_t)(line->build_s * 1e6),
        .build_cpu_us = -1,
        .index_bytes = line->index_mb << 20,
        .column_bytes = line->column_mb << 20,
        .write_cost = line->build_s > 1 ? 6.2 : 1.1,
        .meets_goal = line->meets_goal,
        .is_pareto = line->is_pareto,
        .is_plan = line->is_plan,
        .is_present = line->is_present,
        .can_be_applied = true,
    };

    for (size_t i = 0; i < BUCKETS && candidate.was_built; i++)
        VEC_PUSH(arena, &candidate.buckets,
            measure_of(line, line->buckets[i], bucket_p95_ms[i] * line->p95_ms / 3.2));
    if (candidate.was_built)
        candidate.overall = measure_of(line, line->recall, line->p95_ms);
    VEC_PUSH(arena, &tuning->candidates, candidate);
}

static void
add_buckets(struct arena *arena, struct vector_tuning *tuning)
{
    static const struct vector_bucket buckets[BUCKETS] = {
        { "below 100 rows", 1, 99, 812, 31200 },
        { "100-499 rows", 100, 499, 140, 24100 },
        { "500-999 rows", 500, 999, 28, 18500 },
        { "1,000-9,999 rows", 1000, 9999, 19, 12339 },
        { "10,000 rows and more", 10000, INT64_MAX, 1, 13861 },
    };

    for (size_t i = 0; i < BUCKETS; i++)
        VEC_PUSH(arena, &tuning->sizes.buckets, buckets[i]);
    tuning->sizes.rows = 100000;
}

static struct vector_tuning
sample(struct arena *arena, const char *table)
{
    struct vector_tuning tuning = {
        .target = { .schema = "public",
            .table = table,
            .key = "id",
            .key_type = "integer",
            .column = "embedding",
            .type = "vector",
            .dims = 1536,
            .metric = METRIC_COSINE,
            .tenant = "assistant_id",
            .tenant_type = "integer",
            .limit = 10,
            .extension_schema = "public",
            .extension_version = "0.8.0",
            .extension_number = 800,
            .storage = "external",
            .found_in = "pg_stat_statements" },
        .goal = { .recall = 0.99, .recall_worst = 0.98, .p95_us = 100000, .time_us = 900000000 },
        .has_choice = true,
        .meter = METER_SCHEDSTAT,
        .sample_rows = 60000,
        .query_count = 200,
        .started_us = INT64_C(1790000000000000),
        .elapsed_us = 243000000,
        .present = "no index is used: the planner reads the whole table.",
    };

    VEC_PUSH(arena, &tuning.target.filters,
        (struct vector_filter){ "importance", "integer", ">=", "5" });
    add_buckets(arena, &tuning);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        add_candidate(arena, &tuning, &lines[i]);
    text_list_add(arena, &tuning.sources, "query_embeddings_cache: 120");
    text_list_add(arena, &tuning.sources, "held-out rows: 80");
    text_list_add(arena, &tuning.notes,
        "pgvector 0.8.0 builds hnsw without parallel workers here: "
        "0.8.2 mends a buffer overflow.");
    tuning.choice = (struct vector_choice){
        .target = tuning.target,
        .base = lines[0].method,
        .recall = 0.99,
        .recall_worst = 0.98,
        .why = "It meets the goal in every bucket with the least CPU time at the 95th percentile.",
        .retune = "When a tenant grows beyond 20,000 rows, or pgmend vector check says so.",
        .vector_weight = -1,
        .chosen_at = "2026-09-21T14:13:20Z",
        .was_measured = true,
    };
    return tuning;
}

static const struct vector_shown *
find_shown(const struct vector_shown_list *shown, const char *name)
{
    for (size_t i = 0; i < shown->count; i++)
        if (text_equal(shown->items[i].candidate->name, name))
            return &shown->items[i];
    return NULL;
}

static void
the_winner_the_front_the_plan_and_today_are_shown(void **state)
{
    struct ctx *ctx = *state;
    const struct vector_tuning tuning = sample(ctx->arena, "knowledge_embeddings");
    struct vector_shown_list shown;

    vector_tuning_shown(ctx->arena, &tuning, &shown);
    assert_int_equal(shown.count, 9);
    assert_string_equal(shown.items[0].letter, "A");
    assert_string_equal(shown.items[0].role, "winner");
    assert_string_equal(find_shown(&shown, "ivfflat, 316 lists, 1 probe")->role, "plan");
    assert_string_equal(find_shown(&shown, "scan")->role, "now");
    assert_string_equal(find_shown(&shown, "scan")->letter, "I");
    assert_null(find_shown(&shown, "hnsw vector, global, ef 40"));
    assert_null(find_shown(&shown, "hnsw halfvec, list partitions"));
    assert_string_equal(
        vector_shown_plan(&shown)->candidate->name, "ivfflat, 316 lists, 20 probes");
}

static void
a_long_front_never_pushes_out_plan_and_today(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, "t");
    const struct vector_candidate plan = tuning.candidates.items[8];
    const struct vector_candidate now = tuning.candidates.items[9];
    struct vector_shown_list shown;

    tuning.candidates.count = 1;
    for (size_t i = 0; i < 60; i++) {
        struct vector_candidate other = tuning.candidates.items[0];

        other.name = arena_printf(ctx->arena, "bits, %zu ranked again", i);
        VEC_PUSH(ctx->arena, &tuning.candidates, other);
    }
    VEC_PUSH(ctx->arena, &tuning.candidates, plan);
    VEC_PUSH(ctx->arena, &tuning.candidates, now);
    vector_tuning_shown(ctx->arena, &tuning, &shown);
    assert_int_equal(shown.count, 26);
    assert_string_equal(shown.items[25].letter, "Z");
    assert_string_equal(shown.items[25].role, "now");
    assert_string_equal(shown.items[24].role, "plan");
}

static void
a_recall_is_never_rounded_up(void **state)
{
    struct ctx *ctx = *state;

    assert_string_equal(vector_recall_text(ctx->arena, 1), "1.0000");
    assert_string_equal(vector_recall_text(ctx->arena, 0.99999), "0.9999");
    assert_string_equal(vector_recall_text(ctx->arena, 0.9995), "0.9995");
    assert_string_equal(vector_recall_text(ctx->arena, 0.98), "0.9800");
    assert_string_equal(vector_recall_text(ctx->arena, 0), "0.0000");
    assert_string_equal(
        vector_recall_range(ctx->arena, &(const struct vector_interval){ 0.99, 0.981, 0.995 }),
        "0.9900 ±0.009");
}

static void
one_short_search_in_a_million_is_not_none(void **state)
{
    struct ctx *ctx = *state;
    struct vector_measure measure = { .queries = 1000000, .short_results = 1 };

    assert_string_equal(vector_short_text(ctx->arena, &measure), "0.1%");
    measure.short_results = 0;
    assert_string_equal(vector_short_text(ctx->arena, &measure), "0");
    measure.queries = 200;
    measure.short_results = 51;
    assert_string_equal(vector_short_text(ctx->arena, &measure), "25.5%");
}

static void
the_worst_bucket_is_found_and_unmeasured_ones_do_not_count(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, "t");
    struct vector_candidate *plan = &tuning.candidates.items[8];
    size_t bucket = 99;

    assert_true(fabs(vector_worst_recall(&tuning, plan, &bucket) - 0.536) < 1e-9);
    assert_int_equal(bucket, 0);
    plan->buckets.items[0].queries = 0;
    assert_true(fabs(vector_worst_recall(&tuning, plan, &bucket) - 0.618) < 1e-9);
    assert_int_equal(bucket, 1);
    assert_true(vector_worst_recall(&tuning, &tuning.candidates.items[11], NULL) < 0);
}

/* The largest tenant gets an index of its own, of 114 MB for 13,861 rows. */
static void
add_special(struct arena *arena, struct vector_tuning *tuning)
{
    struct vector_special special = {
        .method = { .family = FAMILY_HNSW,
            .element = ELEMENT_HALF,
            .scope = SCOPE_TENANT,
            .m = 16,
            .ef_construction = 64,
            .ef_search = 200 },
    };
    const struct line partial = { .name = vector_method_name(arena, &special.method),
        .method = special.method,
        .recall = 1,
        .half = 0.01,
        .p95_ms = 8.1,
        .index_mb = 114,
        .build_s = 34 };
    struct vector_expectation expectation = { .bucket = "10,000 rows and more",
        .measure = measure_of(&partial, 0.985, 8.1) };

    add_candidate(arena, tuning, &partial);
    VEC_PUSH(arena, &tuning->candidates.items[tuning->candidates.count - 1].tenants, "7");
    VEC_PUSH(arena, &tuning->sizes.tenants, (struct vector_tenant){ "7", 13861, 4 });
    text_list_add(arena, &special.tenants, "7");
    VEC_PUSH(arena, &tuning->choice.specials, special);
    VEC_PUSH(arena, &tuning->choice.expected, expectation);
}

/* (1 + 1 + 1 + 1 + 0.985) / 5 = 0.997, 26 + 114 MB, 0.3 + 34 s, and the slowest bucket's time. */
static void
a_choice_of_several_ways_is_shown_as_one(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, "t");
    const struct vector_candidate *chosen;
    struct vector_shown_list shown;

    add_special(ctx->arena, &tuning);
    assert_true(fabs(vector_chosen_measure(&tuning, 4)->recall.value - 0.985) < 1e-9);
    assert_true(fabs(vector_chosen_measure(&tuning, 0)->recall.value - 1) < 1e-9);
    vector_tuning_shown(ctx->arena, &tuning, &shown);
    chosen = shown.items[0].candidate;
    assert_true(fabs(chosen->overall.recall.value - 0.997) < 1e-9);
    assert_true(fabs(vector_worst_recall(&tuning, chosen, NULL) - 0.985) < 1e-9);
    assert_true(fabs(chosen->overall.cpu_us_p95.value - 8100) < 1e-6);
    assert_int_equal(chosen->index_bytes, INT64_C(140) << 20);
    assert_int_equal(chosen->build_us, 34300000);
    assert_non_null(strstr(chosen->name, "bits, 100 ranked again; 1 tenant: hnsw halfvec"));
    /* What was measured is left as it is. */
    assert_true(fabs(tuning.candidates.items[0].overall.recall.value - 0.9995) < 1e-9);
}

/* ---- screen ---- */

static const char *
screen_text(struct ctx *ctx, const struct vector_tuning *tuning)
{
    char *data = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&data, &length);
    const char *text;

    assert_non_null(out);
    vector_tune_print(ctx->arena, out, tuning);
    fclose(out);
    text = arena_strndup(ctx->arena, data, length);
    free(data);
    return text;
}

static void
assert_narrow(struct ctx *ctx, const char *text)
{
    char *copy = arena_strdup(ctx->arena, text);

    for (char *line = strsep(&copy, "\n"); line; line = strsep(&copy, "\n"))
        if (text_width(line) > 80)
            fail_msg("%zu columns: %s", text_width(line), line);
}

static void
the_screen_has_eighty_columns_whatever_the_names(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, "knowledge_embeddings");
    const char *text;

    add_special(ctx->arena, &tuning);
    tuning.candidates.items[1].name =
        "hnsw halfvec + btree, hash partitions 16, ef 100 relaxed, 200 again";
    text = screen_text(ctx, &tuning);
    assert_narrow(ctx, text);
    assert_non_null(strstr(text, tuning.candidates.items[1].name));
    assert_non_null(strstr(text, "*A  bits, 100 ranked again; 1 tenant: hnsw halfvec"));
    assert_non_null(strstr(text, "pH  ivfflat, 316 lists, 20 probes"));
    assert_non_null(strstr(text, "=I  scan"));
    assert_non_null(strstr(text, "importance >= 5"));
    assert_non_null(strstr(text, "which --time does not"));
}

static void
the_screen_tells_when_nothing_meets_the_goal(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, "t");

    assert_non_null(strstr(screen_text(ctx, &tuning), "bits, 100 ranked again meets the goal"));
    tuning.has_choice = false;
    assert_non_null(strstr(screen_text(ctx, &tuning), "nothing that was measured meets the goal"));
    assert_null(strstr(screen_text(ctx, &tuning), "winner"));
}

static void
names_of_others_do_not_speak_to_the_terminal(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, "\033[31mt\n");
    const char *text;

    tuning.target.column = "\033]0;owned\a";
    tuning.target.filters.items[0].value = "\033[2J";
    tuning.present = "\033[2J";
    text = screen_text(ctx, &tuning);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\a'));
}

/* ---- picture ---- */

static const char *
plot_text(struct ctx *ctx, const struct vector_tuning *tuning, int width)
{
    char *data = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&data, &length);
    const char *text;

    assert_non_null(out);
    vector_tuning_plot(out, ctx->arena, tuning, width);
    fclose(out);
    text = arena_strndup(ctx->arena, data, length);
    free(data);
    return text;
}

/* Where a letter stands among the rows of the picture; false when it is not there. */
static bool
find_letter(struct ctx *ctx, const char *plot, char letter, size_t *ret_row, size_t *ret_column)
{
    char *copy = arena_strdup(ctx->arena, plot);
    size_t row = 0;

    for (char *line = strsep(&copy, "\n"); line; line = strsep(&copy, "\n"), row++) {
        char *bar = strchr(line, '|');
        char *at = bar ? strchr(bar, letter) : NULL;

        if (!at)
            continue;
        *ret_row = row;
        *ret_column = (size_t)(at - bar);
        return true;
    }
    return false;
}

static void
the_picture_fits_and_stands_the_right_way_up(void **state)
{
    struct ctx *ctx = *state;
    const struct vector_tuning tuning = sample(ctx->arena, "t");
    const char *plot;
    size_t winner_row = 0;
    size_t winner_column = 0;
    size_t plan_row = 0;
    size_t plan_column = 0;

    setenv("LC_ALL", "C", 1);
    plot = plot_text(ctx, &tuning, 80);
    for (const char *at = plot; *at; at++)
        assert_true((unsigned char)*at < 0x80);
    for (const char *at = plot; *at; at += strcspn(at, "\n") + 1)
        assert_true(strcspn(at, "\n") <= 80);
    assert_non_null(strstr(plot, "goal 0.99"));
    /* The best of the plan's settings is H: slower and with less recall than A. */
    assert_true(find_letter(ctx, plot, 'A', &winner_row, &winner_column));
    assert_true(find_letter(ctx, plot, 'H', &plan_row, &plan_column));
    assert_true(winner_row < plan_row);
    assert_true(winner_column < plan_column);
    for (int letter = 'A'; letter <= 'I'; letter++)
        assert_true(find_letter(ctx, plot, (char)letter, &plan_row, &plan_column));
    assert_false(find_letter(ctx, plot, 'J', &plan_row, &plan_column));
    setenv("LC_ALL", "C.UTF-8", 1);
    assert_non_null(strstr(plot_text(ctx, &tuning, 80), "│"));
    unsetenv("LC_ALL");
}

static void
strange_figures_are_drawn_too(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, "t");
    struct vector_measure *measure = &tuning.candidates.items[0].overall;

    setenv("LC_ALL", "C", 1);
    tuning.candidates.count = 1;
    measure->cpu_us_p95 = (struct vector_interval){ 0, 0, 0 };
    measure->recall = (struct vector_interval){ 0, 0, 0 };
    assert_non_null(strchr(plot_text(ctx, &tuning, 10), 'A'));
    tuning.goal.recall = 1;
    measure->cpu_us_p95 = (struct vector_interval){ 9e12, 9e12, 9e12 };
    measure->recall = (struct vector_interval){ 1, 1, 1 };
    assert_non_null(strchr(plot_text(ctx, &tuning, 500), 'A'));
    tuning.candidates.count = 0;
    assert_string_equal(plot_text(ctx, &tuning, 80), "");
    unsetenv("LC_ALL");
}

/* ---- JSON ---- */

static void
json_holds_every_candidate_with_units_in_names(void **state)
{
    struct ctx *ctx = *state;
    const struct vector_tuning tuning = sample(ctx->arena, "t");
    json_t *json CLEANUP(json_release) = vector_tuning_json(&tuning);
    const json_t *candidates = json_object_get(json, "candidates");
    const json_t *plan = json_array_get(candidates, 8);
    const json_t *overall = json_object_get(plan, "overall");

    assert_int_equal(json_array_size(candidates), COUNT_OF(lines));
    assert_true(json_is_true(json_object_get(plan, "is_plan")));
    assert_int_equal(json_get_int(plan, "index_bytes", 0), INT64_C(822) << 20);
    assert_true(json_is_null(json_object_get(plan, "build_cpu_us")));
    assert_int_equal(json_get_int(overall, "short_results", 0), 51);
    assert_true(fabs(json_get_double(json_object_get(overall, "recall"), "low", 0) - 0.757) < 1e-9);
    assert_true(
        fabs(json_get_double(json_object_get(overall, "cpu_us_p95"), "value", 0) - 32200) < 1e-6);
    assert_string_equal(
        json_get_text(ctx->arena, json_array_get(json_object_get(plan, "buckets"), 4), "name", ""),
        "10,000 rows and more");
    assert_int_equal(json_get_int(json_object_get(json, "goal"), "p95_us", 0), 100000);
    assert_string_equal(json_get_text(ctx->arena, json, "started_at", ""), "2026-09-21T14:13:20Z");
    /* What was not built has no figures that could be taken for measured ones. */
    assert_true(json_is_null(json_object_get(json_array_get(candidates, 11), "overall")));
    assert_non_null(json_get_text(ctx->arena, json_array_get(candidates, 11), "problem", NULL));
}

/* ---- page ---- */

static const char *
page_of(struct ctx *ctx, const struct vector_tuning *tuning)
{
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "page.html");
    const char *text;
    size_t length;

    assert_true(vector_tuning_page(ctx, tuning, path));
    assert_true(file_read(ctx, path, &text, &length));
    assert_true(file_remove(ctx, folder));
    return text;
}

/* How often the text stands in the page. */
static size_t
count_of(const char *page, const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(page, text); at; at = strstr(at + 1, text))
        count++;
    return count;
}

/* What the policy allows must be what stands there: the hash of the style, by itself. */
static void
the_page_allows_its_own_style_and_nothing_else(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct ctx *ctx = *state;
    const struct vector_tuning tuning = sample(ctx->arena, "knowledge_embeddings");
    const char *page = page_of(ctx, &tuning);
    const char *style = strstr(page, "<style>");
    const char *end = strstr(page, "</style>");
    const char *hex;
    struct buffer base64 = { .arena = ctx->arena };
    unsigned bits = 0;
    unsigned held = 0;

    assert_non_null(style);
    assert_non_null(end);
    style += strlen("<style>");
    hex = sha256_of(ctx->arena, style, (size_t)(end - style));
    for (const char *at = hex; *at; at++) {
        bits = bits << 4 | (unsigned)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
        held += 4;
        if (held >= 6) {
            held -= 6;
            buffer_append(&base64, &digits[bits >> held & 63], 1);
        }
    }
    buffer_append(&base64, &digits[bits << (6 - held) & 63], 1);
    assert_non_null(
        strstr(page, arena_printf(ctx->arena, "style-src 'sha256-%s='", buffer_text(&base64))));
    assert_int_equal(count_of(page, "default-src 'none'"), 1);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "://"));
    assert_null(strstr(page, " style="));
    assert_null(strstr(page, "{{"));
}

static void
every_candidate_is_on_the_page_and_the_goal_too(void **state)
{
    static const char *const not_numbers[] = { "\"nan", ">nan", "-nan", "nan,", "\"inf", ">inf",
        "-inf" };
    struct ctx *ctx = *state;
    const struct vector_tuning tuning = sample(ctx->arena, "knowledge_embeddings");
    const char *page = page_of(ctx, &tuning);

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (!strstr(page, lines[i].name))
            fail_msg("\"%s\" is not on the page", lines[i].name);
    assert_non_null(strstr(page, lines[11].problem));
    assert_non_null(strstr(page, "goal 0.99"));
    assert_non_null(strstr(page, ">10×<")); /* 32.2 ms through 3.2 ms */
    assert_non_null(strstr(page, "0.9995"));
    assert_non_null(strstr(page, tuning.choice.why));
    assert_non_null(strstr(page, tuning.choice.retune));
    for (size_t i = 0; i < COUNT_OF(not_numbers); i++)
        assert_null(strstr(page, not_numbers[i]));
}

static void
names_of_others_stay_text(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, HOSTILE);
    const char *page;

    tuning.target.column = HOSTILE;
    tuning.target.tenant = HOSTILE;
    tuning.target.filters.items[0].value = HOSTILE;
    tuning.notes.items[0] = HOSTILE;
    tuning.sources.items[0] = HOSTILE;
    tuning.choice.why = HOSTILE;
    tuning.present = HOSTILE;
    tuning.candidates.items[0].problem = HOSTILE;
    tuning.candidates.items[11].problem = HOSTILE;
    page = page_of(ctx, &tuning);
    assert_null(strstr(page, "<img"));
    assert_null(strstr(page, "</script"));
    assert_null(strchr(page, '\x01'));
    assert_int_equal(count_of(page, "</style>"), 1);
    assert_int_equal(count_of(page, "<body>"), 1);
}

static void
without_a_choice_the_page_says_so(void **state)
{
    struct ctx *ctx = *state;
    struct vector_tuning tuning = sample(ctx->arena, "t");
    const char *page;

    tuning.has_choice = false;
    page = page_of(ctx, &tuning);
    assert_non_null(strstr(page, "Nothing that was measured meets the goal"));
    assert_non_null(strstr(page, "nearest"));
    assert_null(strstr(page, ">winner<"));
}

static void
a_page_that_cannot_be_written_is_an_error(void **state)
{
    struct ctx *ctx = *state;
    const struct vector_tuning tuning = sample(ctx->arena, "t");

    assert_false(vector_tuning_page(ctx, &tuning, "/nonexistent/page.html"));
    assert_error(ctx, ERR_IO, "/nonexistent");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_winner_the_front_the_plan_and_today_are_shown),
        test_with_ctx(a_long_front_never_pushes_out_plan_and_today),
        test_with_ctx(a_recall_is_never_rounded_up),
        test_with_ctx(one_short_search_in_a_million_is_not_none),
        test_with_ctx(the_worst_bucket_is_found_and_unmeasured_ones_do_not_count),
        test_with_ctx(a_choice_of_several_ways_is_shown_as_one),
        test_with_ctx(the_screen_has_eighty_columns_whatever_the_names),
        test_with_ctx(the_screen_tells_when_nothing_meets_the_goal),
        test_with_ctx(names_of_others_do_not_speak_to_the_terminal),
        test_with_ctx(the_picture_fits_and_stands_the_right_way_up),
        test_with_ctx(strange_figures_are_drawn_too),
        test_with_ctx(json_holds_every_candidate_with_units_in_names),
        test_with_ctx(the_page_allows_its_own_style_and_nothing_else),
        test_with_ctx(every_candidate_is_on_the_page_and_the_goal_too),
        test_with_ctx(names_of_others_stay_text),
        test_with_ctx(without_a_choice_the_page_says_so),
        test_with_ctx(a_page_that_cannot_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
