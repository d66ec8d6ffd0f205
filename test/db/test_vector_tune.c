/*
 * A small table of vectors about random topics, tuned for real. What is measured is compared with
 * what the test works out from the vectors by itself.
 */
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/interrupt.h"
#include "db/test_vector_bench.h"
#include "vector/target/target.h"
#include "vector/tune/tune.h"

enum { DIMS = 64, ROWS = 4000, LIMIT = 10, LEAST_IMPORTANCE = 5, QUERIES = 8 };

/* Sixty topics; the tenant says nothing about them. Tenant 1 has 3,100 rows, 2 has 400. */
static const char fill[] =
    "INSERT INTO chunks (tenant, importance, embedding, body) SELECT tenant, 1 + number % 10,"
    " (SELECT array_agg(value + .7 * sqrt(-2 * ln(1 - random())) * cos(6.2831853 * random())"
    " ORDER BY place) FROM unnest(topic.numbers) WITH ORDINALITY AS u (value, place))::vector(64),"
    " repeat('x', 100) FROM (SELECT number, 1 + (random() * 59)::int AS topic,"
    " CASE WHEN number <= 3100 THEN 1 WHEN number <= 3500 THEN 2 ELSE 10 + number % 20 END AS"
    " tenant FROM generate_series(1, 4000) AS number) AS rows JOIN topics AS topic"
    " ON topic.id = rows.topic";

static int
set_up(void **state)
{
    struct bench *bench = bench_new("vector_tune", "public");

    bench_exec(bench, "SET search_path TO public");
    bench_exec(bench, "SELECT setseed(.25)");
    bench_exec(bench, "CREATE TABLE chunks (id serial PRIMARY KEY, tenant int NOT NULL, importance"
                      " int NOT NULL, embedding vector(64) NOT NULL, body text)");
    bench_exec(bench,
        "CREATE TEMP TABLE topics AS SELECT id, (SELECT array_agg(sqrt(-2 * ln(1 - random())) *"
        " cos(6.2831853 * random())) FROM generate_series(1, 64) AS n WHERE id = id) AS numbers"
        " FROM generate_series(1, 60) AS id");
    bench_exec(bench, fill);
    bench_exec(bench, "ANALYZE chunks");
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

static const struct vector_goal usual_goal = { .recall = .99,
    .recall_worst = .98,
    .p95_us = INT64_C(60000000) };

static void
open_stage(struct bench *bench, struct vector_stage *stage)
{
    struct vector_wish wish = { .table = "public.chunks",
        .column = "embedding",
        .tenant = "tenant",
        .operator= "<=>",
        .limit = LIMIT };
    const struct vector_stage_options options = {
        .server = bench->db, .most_rows = 1000000, .queries = QUERIES, .seed = 7
    };
    struct vector_target target;

    text_list_add(bench->ctx.arena, &wish.filters, "importance >= 5");
    must(bench, vector_target_find(&bench->ctx, bench->db, &wish, &target));
    must(bench, vector_stage_open(&bench->ctx, bench->db, &target, &options, NULL, stage));
}

/* ---- brute force ---- */

struct row {
    const char *key;
    const char *tenant;
    bool passes;
    double numbers[DIMS];
    double distance;
    int hamming;
    bool is_right;
};

static void
read_vector(const char *text, double numbers[DIMS])
{
    char *at;

    assert_int_equal(text[0], '[');
    text++;
    for (size_t i = 0; i < DIMS; i++) {
        numbers[i] = strtod(text, &at);
        assert_true(at > text);
        text = at + 1;
    }
}

static struct row *
load_rows(struct bench *bench, struct db *db, size_t *ret_count)
{
    struct result result;
    struct row *rows;

    must(bench,
        db_query(&bench->ctx, db, "SELECT id, tenant, importance, embedding FROM public.chunks",
            NULL, 0, &result));
    rows = ARENA_ARRAY(bench->ctx.arena, struct row, result.rows);
    for (size_t i = 0; i < result.rows; i++) {
        rows[i].key = result_cell(&result, i, 0);
        rows[i].tenant = result_cell(&result, i, 1);
        rows[i].passes = strtol(result_cell(&result, i, 2), NULL, 10) >= LEAST_IMPORTANCE;
        read_vector(result_cell(&result, i, 3), rows[i].numbers);
    }
    *ret_count = result.rows;
    return rows;
}

static double
cosine_distance(const double *a, const double *b)
{
    double dot = 0;
    double length_a = 0;
    double length_b = 0;

    for (size_t i = 0; i < DIMS; i++) {
        dot += a[i] * b[i];
        length_a += a[i] * a[i];
        length_b += b[i] * b[i];
    }
    return 1 - dot / sqrt(length_a * length_b);
}

static int
different_signs(const double *a, const double *b)
{
    int count = 0;

    for (size_t i = 0; i < DIMS; i++)
        count += (a[i] > 0) != (b[i] > 0);
    return count;
}

/* The rows that a query may find first, with their distances. */
static size_t
collect(struct row *rows, size_t count, const struct vector_query *query, struct row **ret)
{
    double asked[DIMS];
    size_t found = 0;

    read_vector(query->values, asked);
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].passes || strcmp(rows[i].tenant, query->tenant) != 0)
            continue;
        rows[i].distance = cosine_distance(rows[i].numbers, asked);
        rows[i].hamming = different_signs(rows[i].numbers, asked);
        rows[i].is_right = false;
        ret[found++] = &rows[i];
    }
    return found;
}

static int
compare_distance(const void *a, const void *b)
{
    const struct row *left = *(const struct row *const *)a;
    const struct row *right = *(const struct row *const *)b;

    return (left->distance > right->distance) - (left->distance < right->distance);
}

static int
compare_hamming(const void *a, const void *b)
{
    const struct row *left = *(const struct row *const *)a;
    const struct row *right = *(const struct row *const *)b;

    return left->hamming - right->hamming;
}

/*
 * What bits can find: of rows at the distance of the K-th any may be taken, so there are a least
 * and a most. The right answers are among those that are ranked again, or lost.
 */
static void
bits_recall(
    struct row **found, size_t count, size_t candidates, double *ret_least, double *ret_most)
{
    size_t due = count < LIMIT ? count : LIMIT;
    size_t sure = 0;
    size_t possible = 0;

    qsort(found, count, sizeof(found[0]), compare_distance);
    for (size_t i = 0; i < due; i++)
        found[i]->is_right = true;
    qsort(found, count, sizeof(found[0]), compare_hamming);

    int edge = count > candidates ? found[candidates - 1]->hamming : DIMS + 1;

    for (size_t i = 0; i < count; i++) {
        sure += found[i]->is_right && found[i]->hamming < edge;
        possible += found[i]->is_right && found[i]->hamming <= edge;
    }
    *ret_least = due > 0 ? (double)sure / (double)due : 1;
    *ret_most = due > 0 ? (double)possible / (double)due : 1;
}

static void
check_bits(
    struct bench *bench, const struct vector_stage *stage, const struct vector_candidate *candidate)
{
    size_t count;
    struct row *rows = load_rows(bench, stage->db, &count);
    struct row **found = ARENA_ARRAY(bench->ctx.arena, struct row *, count);
    double least = 0;
    double most = 0;

    for (size_t i = 0; i < stage->queries.count; i++) {
        double least_one;
        double most_one;
        size_t rest = collect(rows, count, &stage->queries.items[i], found);

        bits_recall(found, rest, (size_t)candidate->method.candidates, &least_one, &most_one);
        least += least_one;
        most += most_one;
    }
    least /= (double)stage->queries.count;
    most /= (double)stage->queries.count;
    if (candidate->overall.recall.value < least - 1e-6 ||
        candidate->overall.recall.value > most + 1e-6)
        fail_msg("%s: measured %f, worked out %f to %f", candidate->name,
            candidate->overall.recall.value, least, most);
}

/* ---- what is left on the copy ---- */

static const char *
stage_value(struct bench *bench, const struct vector_stage *stage, const char *sql)
{
    const char *value;

    must(bench, db_value(&bench->ctx, stage->db, sql, NULL, 0, &value));
    return value;
}

static void
assert_bare(struct bench *bench, const struct vector_stage *stage)
{
    assert_string_equal(
        stage_value(bench, stage,
            "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE"
            " attrelid = 'public.chunks'::regclass AND attnum > 0 AND NOT"
            " attisdropped"),
        "id tenant importance embedding body");
    assert_string_equal(
        stage_value(bench, stage,
            "SELECT count(*) FROM pg_index WHERE indrelid = 'public.chunks'::regclass"),
        "1");
    assert_string_equal(stage_value(bench, stage,
                            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid ="
                            " c.relnamespace WHERE n.nspname = 'public' AND relkind IN ('r', 'p')"),
        "1");
}

static const struct vector_candidate *
find(const struct vector_tuning *tuning, const char *name)
{
    for (size_t i = 0; i < tuning->candidates.count; i++)
        if (strcmp(tuning->candidates.items[i].name, name) == 0)
            return &tuning->candidates.items[i];
    fail_msg("\"%s\" was not tried", name);
    return NULL;
}

static void
check_candidate(const struct vector_candidate *candidate, const struct vector_stage *stage)
{
    if (candidate->overall.queries == 0) {
        assert_non_null(candidate->problem);
        return;
    }
    assert_true(candidate->was_built);
    assert_true(candidate->overall.recall.low <= candidate->overall.recall.value);
    assert_true(candidate->overall.recall.value <= candidate->overall.recall.high);
    assert_true(candidate->overall.cpu_us_p50.value > 0);
    if (candidate->method.family != FAMILY_SCAN)
        assert_true(candidate->index_bytes > 0);
    if (candidate->rung < 2)
        assert_non_null(candidate->problem);
    else if (candidate->method.scope != SCOPE_TENANT)
        assert_int_equal(candidate->overall.queries, stage->queries.count);
}

static void
test_run(void **state)
{
    struct bench *bench = *state;
    struct vector_stage stage;
    struct vector_tuning tuning;
    size_t plans = 0;

    open_stage(bench, &stage);
    assert_int_equal(stage.rows + (int64_t)stage.queries.count, ROWS);
    must(bench, vector_tune(&bench->ctx, &stage, &usual_goal, NULL, NULL, &tuning));
    assert_bare(bench, &stage);

    for (size_t i = 0; i < tuning.candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning.candidates.items[i];

        check_candidate(candidate, &stage);
        if (candidate->method.family == FAMILY_EXACT ||
            (candidate->method.family == FAMILY_SCAN && candidate->overall.queries > 0))
            assert_int_equal(candidate->overall.short_results, 0);
        if (candidate->method.family == FAMILY_BITS && candidate->rung == 2)
            check_bits(bench, &stage, candidate);
        if (!candidate->is_plan)
            continue;
        /* Tenants are everywhere: lists that were chosen by the vector alone miss most rows. */
        plans++;
        assert_int_equal(candidate->rung, 2);
        assert_true(candidate->overall.recall.value < .95);
        assert_true(candidate->overall.short_results > 0);
        assert_false(candidate->meets_goal);
    }
    assert_int_equal(plans, 2);
    assert_true(find(&tuning, "exact")->overall.recall.value == 1);
    assert_true(find(&tuning, "exact")->meets_goal);
    assert_true(find(&tuning, "scan")->overall.recall.value == 1);

    assert_true(tuning.has_choice);
    assert_string_equal(
        vector_method_name(bench->ctx.arena, &tuning.choice.base), tuning.candidates.items[0].name);
    assert_true(tuning.candidates.items[0].meets_goal);
    assert_true(tuning.candidates.items[0].can_be_applied);
    assert_int_equal(tuning.choice.expected.count, tuning.sizes.buckets.count);
    assert_non_null(strstr(tuning.choice.why, "IVFFlat"));
    assert_int_equal(tuning.query_count, stage.queries.count);
    assert_int_equal(tuning.sources.count, 1);
    vector_stage_close(&stage);

    /* The live table is what it was. */
    assert_string_equal(bench_value(bench, "SELECT count(*) FROM chunks"), "4000");
    assert_string_equal(bench_value(bench, "SELECT count(*) FROM pg_index WHERE indrelid ="
                                           " 'chunks'::regclass"),
        "1");
}

/* K is doubled until what is asked for is found: .999 of 64 signs takes more than 200. */
static void
test_bits_grow(void **state)
{
    struct bench *bench = *state;
    struct vector_stage stage;
    struct vector_tuning tuning;
    struct vector_goal goal = usual_goal;
    int32_t most = 0;
    bool is_found = false;

    goal.recall = 1;
    goal.recall_worst = 1;
    open_stage(bench, &stage);
    must(bench, vector_tune(&bench->ctx, &stage, &goal, "bits", NULL, &tuning));
    for (size_t i = 0; i < tuning.candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning.candidates.items[i];

        assert_true(
            candidate->method.family == FAMILY_BITS || candidate->method.family == FAMILY_EXACT);
        if (candidate->method.family != FAMILY_BITS)
            continue;
        most = candidate->method.candidates > most ? candidate->method.candidates : most;
        is_found = is_found || candidate->meets_goal;
        if (candidate->rung == 2)
            check_bits(bench, &stage, candidate);
    }
    assert_true(is_found || most == 1600);
    assert_int_equal(tuning.choice.base.family, FAMILY_BITS);
    assert_true(tuning.has_choice == is_found);
    vector_stage_close(&stage);
}

static void
test_use(void **state)
{
    struct bench *bench = *state;
    struct vector_stage stage;
    struct vector_tuning tuning;

    open_stage(bench, &stage);
    must(bench, vector_tune(&bench->ctx, &stage, &usual_goal, "ivfflat", NULL, &tuning));
    /* The plan's own is what was asked for; that it misses the goal is said, not hidden. */
    assert_true(tuning.candidates.items[0].is_plan);
    assert_int_equal(tuning.choice.base.family, FAMILY_IVFFLAT);
    assert_int_equal(tuning.choice.base.lists, 63); /* the root of 4,000 is 63.2 */
    assert_false(tuning.has_choice);
    assert_non_null(strstr(tuning.choice.why, "misses the goal"));
    assert_true(find(&tuning, "exact")->meets_goal);

    assert_false(vector_tune(&bench->ctx, &stage, &usual_goal, "faiss", NULL, &tuning));
    assert_error(&bench->ctx, ERR_USAGE, "faiss");
    error_clear(&bench->ctx);
    vector_stage_close(&stage);
}

static void
test_no_time(void **state)
{
    struct bench *bench = *state;
    struct vector_stage stage;
    struct vector_tuning tuning;
    struct vector_goal goal = usual_goal;

    goal.time_us = 1;
    open_stage(bench, &stage);
    must(bench, vector_tune(&bench->ctx, &stage, &goal, NULL, NULL, &tuning));
    assert_string_equal(tuning.candidates.items[0].name, "exact");
    assert_true(tuning.has_choice);
    for (size_t i = 1; i < tuning.candidates.count; i++) {
        assert_false(tuning.candidates.items[i].was_built);
        assert_non_null(strstr(tuning.candidates.items[i].problem, "--time 1m"));
    }
    vector_stage_close(&stage);
}

/* ---- builds ---- */

static void
test_build(void **state)
{
    struct bench *bench = *state;
    const struct vector_method bits = {
        .family = FAMILY_BITS, .element = ELEMENT_BIT, .candidates = 100
    };
    struct vector_method divided = { .family = FAMILY_HNSW,
        .scope = SCOPE_HASH,
        .with_btree = true,
        .m = 4,
        .ef_construction = 16,
        .ef_search = 40,
        .partitions = 4 };
    struct vector_method partial = divided;
    struct text_list tenants = { 0 };
    struct vector_stage stage;
    struct vector_build build;

    open_stage(bench, &stage);
    must(bench, vector_build_make(&bench->ctx, &stage, &bits, NULL, NULL, &build));
    assert_string_equal(stage_value(bench, &stage,
                            "SELECT count(*) FROM public.chunks WHERE embedding_bits IS NULL OR"
                            " embedding_bits <> public.binary_quantize(embedding)"),
        "0");
    assert_string_equal(
        stage_value(bench, &stage,
            "SELECT sum(pg_relation_size(indexrelid))::text FROM pg_index WHERE indrelid ="
            " 'public.chunks'::regclass AND NOT indisprimary"),
        arena_printf(bench->ctx.arena, "%lld", (long long)build.index_bytes));
    /* 8 bytes of bits, 4 of their number, 1 to 4 of length, for some 3,980 rows */
    assert_true(build.column_bytes > 13 * 3900 && build.column_bytes < 64 * 4000);
    assert_true(build.us > 0);
    must(bench, vector_build_remove(&bench->ctx, &stage, &bits, NULL));
    assert_bare(bench, &stage);

    must(bench, vector_build_make(&bench->ctx, &stage, &divided, NULL, NULL, &build));
    assert_string_equal(stage_value(bench, &stage,
                            arena_printf(bench->ctx.arena, "SELECT count(*) FROM %s", build.table)),
        arena_printf(bench->ctx.arena, "%lld", (long long)stage.rows));
    assert_string_equal(
        stage_value(bench, &stage,
            arena_printf(bench->ctx.arena,
                "SELECT count(*) FROM pg_inherits WHERE inhparent = '%s'::regclass", build.table)),
        "4");
    assert_true(build.index_bytes > 0);
    must(bench, vector_build_remove(&bench->ctx, &stage, &divided, NULL));
    assert_bare(bench, &stage);

    partial.scope = SCOPE_TENANT;
    partial.with_btree = false;
    text_list_add(bench->ctx.arena, &tenants, "1");
    text_list_add(bench->ctx.arena, &tenants, "2");
    must(bench, vector_build_make(&bench->ctx, &stage, &partial, &tenants, NULL, &build));
    assert_string_equal(
        stage_value(bench, &stage, "SELECT count(*) FROM pg_index WHERE indpred IS NOT NULL"), "2");
    must(bench, vector_build_remove(&bench->ctx, &stage, &partial, &tenants));
    assert_bare(bench, &stage);
    vector_stage_close(&stage);
}

/* Cancels the first build of an hnsw index on the stage, from a process of its own. */
static pid_t
start_canceller(struct bench *bench, const struct vector_stage *stage)
{
    pid_t child = fork();

    if (child != 0)
        return child;

    struct arena *arena = arena_new();
    struct ctx ctx = { .arena = arena };
    struct db_options options = { .database = bench->database, .application = "canceller" };
    const char *params[] = { stage->scratch.name };
    struct db *db;

    if (!db_open(&ctx, &options, &db))
        _exit(2);
    for (int i = 0; i < 30000; i++) {
        const char *value;

        if (!db_value(&ctx, db,
                "SELECT pg_cancel_backend(pid)::text FROM pg_stat_activity WHERE query LIKE"
                " 'CREATE INDEX % USING hnsw %' AND state = 'active' AND datname = $1",
                params, COUNT_OF(params), &value))
            _exit(2);
        if (value)
            _exit(0);
        usleep(2000);
    }
    _exit(1);
}

static void
test_cancelled_build(void **state)
{
    struct bench *bench = *state;
    struct vector_stage stage;
    struct vector_tuning tuning;
    size_t cancelled = 0;
    size_t measured = 0;
    int status;

    open_stage(bench, &stage);

    pid_t child = start_canceller(bench, &stage);

    assert_true(child > 0);
    must(bench, vector_tune(&bench->ctx, &stage, &usual_goal, "hnsw", NULL, &tuning));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_bare(bench, &stage);
    for (size_t i = 0; i < tuning.candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning.candidates.items[i];

        if (candidate->method.family != FAMILY_HNSW)
            continue;
        if (candidate->overall.queries > 0) {
            measured++;
            continue;
        }
        assert_false(candidate->was_built);
        assert_non_null(strstr(candidate->problem, "building index"));
        cancelled++;
    }
    assert_true(cancelled > 0);
    assert_true(measured > cancelled);
    vector_stage_close(&stage);
}

/* Ctrl-C while an index is built. */
static void
interrupt_build(void *data, const char *what, double ratio, int64_t left_us)
{
    bool *is_done = data;

    (void)ratio;
    (void)left_us;
    if (!*is_done && strstr(what, "hnsw")) {
        *is_done = true;
        interrupt_put(SIGINT);
    }
}

static void
test_interrupted(void **state)
{
    struct bench *bench = *state;
    struct vector_stage stage;
    struct vector_tuning tuning;
    bool is_done = false;
    const struct vector_observer observer = { .progress = interrupt_build, .data = &is_done };

    open_stage(bench, &stage);

    const char *name = arena_strdup(bench->ctx.arena, stage.scratch.name);

    assert_false(vector_tune(&bench->ctx, &stage, &usual_goal, "hnsw", &observer, &tuning));
    assert_int_equal(bench->ctx.error.kind, ERR_INTERRUPTED);
    error_clear(&bench->ctx);
    vector_stage_close(&stage);
    assert_int_equal(interrupt_take(), SIGINT);
    assert_string_equal(
        bench_value(bench, arena_printf(bench->ctx.arena,
                               "SELECT count(*) FROM pg_database WHERE datname = '%s'", name)),
        "0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_bits_grow),
        cmocka_unit_test(test_use),
        cmocka_unit_test(test_no_time),
        cmocka_unit_test(test_cancelled_build),
        cmocka_unit_test(test_interrupted),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
