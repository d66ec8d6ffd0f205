/*
 * Whether a check tells what is wrong with an installed search, and nothing else: each rule's own
 * examples are run against a healthy one. Recall is computed here a second time, by the server.
 */
#include <math.h>

#include "test_vector_plan_support.h"
#include "vector/watch/check.h"

enum { DIMS = 64, ROWS = 3000, TENANTS = 20, CANDIDATES = 100, QUESTIONS = 20 };

/* Vectors around 40 topics, with noise; questions are near rows. */
static const char *const set_up_sql[] = {
    "SET search_path = public",
    "SELECT setseed(0.125)",
    "CREATE TABLE topics AS SELECT g AS topic, (SELECT array_agg(random() - .5) FROM "
    "generate_series(1, 64 + 0 * g))::real[]::vector AS middle FROM generate_series(0, 39) AS g",
    "CREATE TABLE chunks (id serial PRIMARY KEY, assistant_id int, importance int NOT NULL DEFAULT "
    "10, embedding vector(64)) WITH (autovacuum_enabled = false)",
    "INSERT INTO chunks (assistant_id, embedding) SELECT g % 20, middle + (SELECT "
    "array_agg((random() - .5) * 1.5) FROM generate_series(1, 64 + 0 * g))::real[]::vector FROM "
    "generate_series(1, 3000) AS g JOIN topics ON topic = g % 40",
    "CREATE TABLE query_embeddings_cache (id serial PRIMARY KEY, query_text text, embedding "
    "vector(64))",
    "INSERT INTO query_embeddings_cache (query_text, embedding) SELECT 'q' || id, embedding + "
    "(SELECT array_agg((random() - .5) * .1) FROM generate_series(1, 64 + 0 * id))::real[]::vector "
    "FROM chunks WHERE id % 150 = 7",
    "ANALYZE",
};

static struct vector_filter filters[] = { { "importance", "integer", ">=", "5" } };

static struct vector_target
target(void)
{
    return (struct vector_target){ .schema = "public",
        .table = "chunks",
        .key = "id",
        .key_type = "integer",
        .column = "embedding",
        .type = "vector",
        .dims = DIMS,
        .tenant = "assistant_id",
        .tenant_type = "integer",
        .filters = { filters, 1, 1 },
        .limit = 10,
        .importance = "importance",
        .extension_schema = "public",
        .extension_version = "0.8.0",
        .extension_number = 800,
        .rows = ROWS,
        .storage = "extended",
        .is_nullable = true };
}

static struct vector_choice
choice_of(struct bench *bench, int32_t candidates, double expected)
{
    struct vector_target wanted = target();
    struct vector_choice choice;

    wanted.extension_version =
        bench_value(bench, "SELECT extversion FROM pg_extension WHERE extname = 'vector'");

    vector_choice_exact(bench->ctx.arena, &wanted, &choice);
    choice.base = (struct vector_method){ .family = FAMILY_BITS, .candidates = candidates };
    choice.recall = .95;
    choice.recall_worst = .9;
    choice.was_measured = true;
    VEC_PUSH(bench->ctx.arena, &choice.expected,
        (struct vector_expectation){ .bucket = "100-999 rows",
            .least_rows = 100,
            .most_rows = 999,
            .measure = { .queries = 40, .recall = { expected, expected - .01, 1 } } });
    return choice;
}

/* Everything of the choice, as an apply would leave it. */
static struct plan
install(struct bench *bench, int32_t candidates, double expected)
{
    struct vector_choice choice = choice_of(bench, candidates, expected);
    struct plan plan;

    bench_exec(bench, "SET search_path = pg_catalog, pg_temp");
    plan = plan_choice(bench, &choice, false);
    apply(bench, &plan);
    bench_exec(bench, "SET search_path = public");
    return plan;
}

static int
set_up(void **state)
{
    struct bench *bench = bench_new("vector_check", "public");

    for (size_t i = 0; i < COUNT_OF(set_up_sql); i++)
        bench_exec(bench, set_up_sql[i]);
    install(bench, CANDIDATES, .97);
    bench_exec(bench, "VACUUM (ANALYZE) chunks");
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

/* As the command does it: read-only, with the search_path pinned. */
static struct db *
connect_to_read(struct bench *bench)
{
    struct db_options options = {
        .database = bench->database, .application = "test", .access = ACCESS_READ
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static struct vector_check
check(struct bench *bench, int32_t queries)
{
    struct db *db CLEANUP(db_cleanup) = connect_to_read(bench);
    const struct vector_check_questions questions = { .count = queries, .seed = 1 };
    struct vector_target wanted = target();
    struct vector_choice choice;
    struct vector_check found;
    bool is_installed;

    must(bench, vector_choice_load(&bench->ctx, db, &wanted, &choice, &is_installed));
    if (!is_installed)
        vector_check_nothing(bench->ctx.arena, &wanted, &found);
    else
        must(bench, vector_check_run(&bench->ctx, db, &choice, &questions, NULL, &found));
    return found;
}

static bool
has(const struct vector_check *found, const char *id)
{
    for (size_t i = 0; i < found->findings.count; i++)
        if (text_equal(found->findings.items[i].rule->id, id))
            return true;
    return false;
}

static const char *
told(struct bench *bench, const struct vector_check *found)
{
    struct buffer text = { .arena = bench->ctx.arena };

    for (size_t i = 0; i < found->findings.count; i++)
        buffer_printf(
            &text, "%s: %s\n", found->findings.items[i].rule->id, found->findings.items[i].message);
    return buffer_text(&text);
}

/* Statements of an example, or a command of pgmend. */
static void
run_example(struct bench *bench, const char *example)
{
    if (text_equal(example, "pgmend vector install")) {
        install(bench, CANDIDATES, .97);
        return;
    }
    for (const char *at = example; *at;) {
        size_t length = strcspn(at, ";");

        bench_exec(bench, arena_strndup(bench->ctx.arena, at, length));
        at += length + (at[length] == ';');
        at += strspn(at, " ");
    }
}

static void
a_healthy_one_has_no_finding(void **state)
{
    struct bench *bench = *state;
    struct vector_check found = check(bench, 30);

    assert_string_equal(told(bench, &found), "");
    assert_int_equal(found.buckets.count, 1);
    assert_int_equal(found.rows, ROWS);
    assert_string_equal(found.function, "public.search_embeddings_basic");
    assert_true(fabs(found.buckets.items[0].expected - .97) < 1e-9);
    assert_int_equal(found.buckets.items[0].measure.queries, 30);
    assert_int_equal(found.overall.short_results, 0);
}

/*
 * With the twenty logged questions alone, recall is what the server finds by itself: the tenant of
 * a question is that of the nearest row.
 */
static void
recall_is_what_the_server_computes(void **state)
{
    struct bench *bench = *state;
    double expected;
    struct vector_check found;

    install(bench, 12, .5);
    assert_true(text_to_double(
        bench_value(bench,
            "SELECT avg((SELECT count(*) FROM search_embeddings_basic(n.assistant_id, q.embedding, "
            "10, NULL) AS f WHERE f.id IN (SELECT c.id FROM chunks AS c WHERE c.assistant_id = "
            "n.assistant_id ORDER BY (c.embedding <=> q.embedding) + 0 LIMIT 10)) / 10.0) FROM "
            "query_embeddings_cache AS q CROSS JOIN LATERAL (SELECT c.assistant_id FROM chunks AS c "
            "ORDER BY (c.embedding <=> q.embedding) + 0 LIMIT 1) AS n"),
        &expected));
    assert_true(expected > .2 && expected < .95);
    found = check(bench, QUESTIONS);
    assert_int_equal(found.overall.queries, QUESTIONS);
    if (fabs(found.overall.recall.value - expected) > 1e-6)
        fail_msg("the server computes %f, the check %f", expected, found.overall.recall.value);
    assert_true(found.overall.recall.low < expected && expected < found.overall.recall.high);
    assert_true(has(&found, "recall-below-goal"));
    assert_false(has(&found, "recall-below-prediction"));
    install(bench, CANDIDATES, .97);
}

static void
each_rule_fires_and_passes(void **state)
{
    struct bench *bench = *state;

    for (const struct rule *rule = vector_check_rules; rule->id; rule++) {
        struct vector_check found;

        run_example(bench, rule->fires);
        found = check(bench, 10);
        if (!has(&found, rule->id))
            fail_msg("%s does not fire on: %s\n%s", rule->id, rule->fires, told(bench, &found));
        for (size_t i = 0; i < found.findings.count; i++) {
            assert_true(strlen(found.findings.items[i].message) > 10);
            assert_string_equal(found.findings.items[i].object, "public.chunks.embedding");
        }
        run_example(bench, rule->passes);
        found = check(bench, 10);
        if (has(&found, rule->id))
            fail_msg("%s fires still after: %s\n%s", rule->id, rule->passes, told(bench, &found));
        bench_exec(bench, "VACUUM (ANALYZE) chunks");
    }
}

/* Each of them says one thing: an index under another name is as good, a lost column is told. */
static void
other_states(void **state)
{
    struct bench *bench = *state;
    struct vector_check found;

    bench_exec(bench, "ALTER INDEX chunks_embedding_bits_search RENAME TO another_name");
    found = check(bench, 10);
    assert_string_equal(told(bench, &found), "");
    bench_exec(bench, "ALTER INDEX another_name RENAME TO chunks_embedding_bits_search");
    bench_exec(bench, "DROP TRIGGER chunks_embedding_bits_fill ON chunks");
    found = check(bench, 10);
    assert_non_null(strstr(told(bench, &found), "is not there"));
    assert_true(has(&found, "trigger-disabled"));
    bench_exec(bench, "CREATE TRIGGER chunks_embedding_bits_fill BEFORE INSERT OR UPDATE ON chunks "
                      "FOR EACH ROW EXECUTE FUNCTION chunks_embedding_bits_fill()");
    bench_exec(bench, "DROP FUNCTION search_embeddings_basic(int, vector, int, float8)");
    found = check(bench, 10);
    assert_null(found.function);
    assert_true(has(&found, "functions-changed"));
    assert_false(has(&found, "recall-below-goal"));
    install(bench, CANDIDATES, .97);
}

static bool
prove(struct bench *bench, const char *proof, const char **ret_text)
{
    struct db *db CLEANUP(db_cleanup) = connect_to_read(bench);
    json_t *json CLEANUP(json_release) = NULL;

    must(bench, json_parse(&bench->ctx, "proof", proof, &json));
    return vector_prove(&bench->ctx, db, json, NULL, ret_text);
}

static void
what_was_predicted_is_proven(void **state)
{
    struct bench *bench = *state;
    struct plan plan = install(bench, CANDIDATES, .97);
    const char *text = "";

    must(bench, prove(bench, plan.proof, &text));
    assert_non_null(strstr(text, "100-999 rows: predicted 0.9700, measured"));
    assert_non_null(strstr(text, "public.search_embeddings_basic"));
}

/* The record says 100 candidates, the functions that stand there take 10. */
static void
another_function_than_planned_is_no_proof(void **state)
{
    struct bench *bench = *state;
    struct plan plan = install(bench, CANDIDATES, .97);
    struct vector_choice worse = choice_of(bench, 10, .97);
    struct vector_functions functions;
    const char *text = "";

    must(bench, vector_functions_make(&bench->ctx, &worse, "public", &functions));
    for (size_t i = 0; i < functions.items.count; i++)
        bench_exec(bench, functions.items.items[i].statement);
    assert_false(prove(bench, plan.proof, &text));
    assert_error(&bench->ctx, ERR_VERIFICATION, "100-999 rows");
    assert_non_null(strstr(bench->ctx.error.message, "predicted 0.9700"));
    error_clear(&bench->ctx);
    install(bench, CANDIDATES, .97);
    must(bench, prove(bench, plan.proof, &text));
}

/* .01 is forgiven, .03 is not, as soon as the questions can tell; K of all rows finds everything. */
static void
the_tolerance_is_one_in_a_hundred(void **state)
{
    struct bench *bench = *state;
    double measured;
    struct vector_check found;
    struct plan plan;
    const char *text = "";

    install(bench, 40, .5);
    found = check(bench, 160);
    measured = found.overall.recall.value;
    assert_true(measured > .6 && measured < .99);
    plan = install(bench, 40, measured + .005);
    must(bench, prove(bench, plan.proof, &text));
    plan = install(bench, 40, measured + .1);
    assert_false(prove(bench, plan.proof, &text));
    assert_error(&bench->ctx, ERR_VERIFICATION, "100-999 rows");
    error_clear(&bench->ctx);
    plan = install(bench, 400, 1);
    must(bench, prove(bench, plan.proof, &text));
    assert_non_null(strstr(text, "measured 1.0000"));
    install(bench, CANDIDATES, .97);
}

/* Tenants of a size that was never measured have to meet the goal. */
static void
a_size_that_was_not_measured(void **state)
{
    struct bench *bench = *state;
    const char *text = "";
    struct plan plan;

    bench_exec(bench, "UPDATE chunks SET assistant_id = 0");
    plan = install(bench, 10, .97);
    assert_false(prove(bench, plan.proof, &text));
    assert_error(&bench->ctx, ERR_VERIFICATION, "1,000-9,999 rows: goal 0.9000");
    error_clear(&bench->ctx);
    plan = install(bench, 3000, .97);
    must(bench, prove(bench, plan.proof, &text));
    bench_exec(bench, "UPDATE chunks SET assistant_id = id % 20");
    install(bench, CANDIDATES, .97);
}

static void
too_few_rows_are_no_proof(void **state)
{
    struct bench *bench = *state;
    struct plan plan = install(bench, CANDIDATES, .97);
    const char *text = "";

    bench_exec(bench, "ALTER TABLE chunks DISABLE TRIGGER ALL");
    bench_exec(bench, "UPDATE chunks SET embedding_bits = NULL WHERE id % 25 > 0");
    assert_false(prove(bench, plan.proof, &text));
    assert_error(&bench->ctx, ERR_VERIFICATION, "returned fewer rows than there are");
    error_clear(&bench->ctx);
    bench_exec(bench, "ALTER TABLE chunks ENABLE TRIGGER ALL");
    bench_exec(bench, "UPDATE chunks SET importance = 10");
}

static void
proofs_that_are_none(void **state)
{
    struct bench *bench = *state;
    const char *text = "";

    assert_false(prove(bench, "{ \"kind\": \"rows\" }", &text));
    assert_error(&bench->ctx, ERR_INPUT, "\"rows\"");
    error_clear(&bench->ctx);
    assert_false(prove(bench, "{ \"kind\": \"vector\", \"choice\": 3 }", &text));
    assert_error(&bench->ctx, ERR_INPUT, "JSON object");
    error_clear(&bench->ctx);
}

static void
an_empty_table(void **state)
{
    struct bench *bench = *state;
    struct plan plan = install(bench, CANDIDATES, .97);
    struct vector_check found;
    const char *text = "";

    bench_exec(bench, "BEGIN");
    bench_exec(bench, "TRUNCATE chunks");
    bench_exec(bench, "COMMIT");
    must(bench, prove(bench, plan.proof, &text));
    assert_string_equal(text, "there are no rows to search");
    found = check(bench, 10);
    assert_int_equal(found.buckets.count, 0);
    assert_int_equal(found.findings.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_one_has_no_finding),
        cmocka_unit_test(recall_is_what_the_server_computes),
        cmocka_unit_test(each_rule_fires_and_passes),
        cmocka_unit_test(other_states),
        cmocka_unit_test(what_was_predicted_is_proven),
        cmocka_unit_test(another_function_than_planned_is_no_proof),
        cmocka_unit_test(the_tolerance_is_one_in_a_hundred),
        cmocka_unit_test(a_size_that_was_not_measured),
        cmocka_unit_test(too_few_rows_are_no_proof),
        cmocka_unit_test(proofs_that_are_none),
        cmocka_unit_test(an_empty_table),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
