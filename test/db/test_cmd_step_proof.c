/*
 * Steps that are proven under real traffic: sessions of the test ask while a step is done, and what is promised of it is
 * true or not. What blocks a call reads is known from the table's size, not from our own reckoning.
 */
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/json.h"
#include "cmd/parts/step_proof.h"
#include "lang/sql.h"
#include "test_change_support.h"

#define BY_CUSTOMER "SELECT count(note) FROM app.big WHERE customer = %d"
#define BY_DAY      "SELECT count(note) FROM app.big WHERE day = %d AND note <> ''"
#define BY_OTHER    "SELECT app.held(%d), count(*) FROM app.small"

struct traffic {
    struct ctx ctx;
    struct db *db;
    const char *const *statements; /* each with one %d; ends with NULL */
    atomic_bool is_over;
    bool has_failed;
    pthread_t thread;
};

static void *
ask_on(void *data)
{
    struct traffic *traffic = data;

    for (int i = 0; !atomic_load(&traffic->is_over) && !traffic->has_failed; i++) {
        for (size_t j = 0; traffic->statements[j] && !traffic->has_failed; j++) {
            struct buffer sql = { .arena = traffic->ctx.arena };
            const char *mark = strstr(traffic->statements[j], "%d");

            buffer_append(&sql, traffic->statements[j], (size_t)(mark - traffic->statements[j]));
            buffer_printf(&sql, "%d%s", 17 * i % 500, mark + 2);
            traffic->has_failed = !db_exec(&traffic->ctx, traffic->db, buffer_text(&sql));
        }
        clock_sleep_us(5000);
    }
    return NULL;
}

static void
begin_traffic(struct bench *bench, struct traffic *traffic, const char *const *statements)
{
    *traffic = (struct traffic){ .ctx = { .arena = arena_new() },
        .db = connect_to(bench, bench->database),
        .statements = statements };
    atomic_init(&traffic->is_over, false);
    assert_int_equal(pthread_create(&traffic->thread, NULL, ask_on, traffic), 0);
}

static void
end_traffic(struct traffic *traffic)
{
    atomic_store(&traffic->is_over, true);
    assert_int_equal(pthread_join(traffic->thread, NULL), 0);
    if (traffic->has_failed)
        fail_msg("the traffic: %s", traffic->ctx.error.message);
    db_close(traffic->db);
    arena_free(traffic->ctx.arena);
}

static const struct step_proving proving = { .window_us = 1500000,
    .within_us = 25000000,
    .least_calls = 20 };

static int
set_up_tables(void **state)
{
    struct bench *bench;

    set_up(state);
    bench = *state;
    run(bench, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public");
    run(bench, "CREATE TABLE app.big (id int PRIMARY KEY, customer int, day int, note text)");
    run(bench, "INSERT INTO app.big SELECT i, i % 500, i % 365, repeat('x', 150)"
               " FROM pg_catalog.generate_series(1, 20000) AS i");
    run(bench, "CREATE TABLE app.small AS SELECT 1 AS a");
    run(bench, "CREATE TABLE app.flag AS SELECT 0::float8 AS seconds");
    run(bench, "CREATE FUNCTION app.held(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
               " PERFORM pg_catalog.pg_sleep(f.seconds) FROM app.flag f; RETURN n; END $$");
    run(bench, "ANALYZE app.big");
    /* Of this database alone: others run beside it. */
    run(bench, "SELECT public.pg_stat_statements_reset(0, (SELECT oid FROM pg_database"
               " WHERE datname = current_database()), 0)");
    return 0;
}

/* The promise that an index makes the statement cheaper by nine tenths; NULL: it promises nothing. */
static struct plan_step
index_step(struct bench *bench, const char *name, const char *statement)
{
    struct arena *arena = bench->ctx.arena;
    json_t *promise = json_pack("{s:s, s:s, s:s, s:s, s:[]}", "schema", "app", "table", "big",
        "name", name, "made_at", "2026-01-01T00:00:00Z", "statements");
    json_t *json CLEANUP(json_release) =
        json_pack("{s:s, s:[o]}", "kind", "index", "promises", promise);

    if (statement) {
        const char *fingerprint;
        struct buffer sql = { .arena = arena };

        buffer_append(&sql, statement, (size_t)(strstr(statement, "%d") - statement));
        buffer_printf(&sql, "$1%s", strstr(statement, "%d") + 2);
        must(bench, sql_fingerprint(&bench->ctx, buffer_text(&sql), &fingerprint));
        json_array_append_new(json_object_get(promise, "statements"),
            json_pack("{s:s, s:s, s:f, s:f}", "fingerprint", fingerprint, "query",
                buffer_text(&sql), "cost_before", 1000., "cost_after", 100.));
    }
    return (struct plan_step){ .id = "1.1", .phase = 1, .proof = json_text(arena, json) };
}

static struct plan_step
workload_step(const char *proof)
{
    return (struct plan_step){ .id = "1.2", .phase = 1, .proof = proof };
}

/* As a run does it: window, step, verdict. */
static struct step_verdict
prove(struct bench *bench, const struct plan_step *step, const struct step_proving *how,
    const char *change)
{
    struct step_window *window;
    struct step_verdict verdict = { 0 };

    must(bench, step_window_open(&bench->ctx, bench->db, &bench->rollout, &window));
    must(bench, step_proof_begin(&bench->ctx, window, step, how));
    run(bench, change);
    must(bench, step_proof_end(&bench->ctx, window, step, how, &verdict));
    print_message("# %s\n", verdict.text);
    return verdict;
}

static void
assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* A number of the statement whose query names the column. */
static double
number_of(struct bench *bench, const char *story, const char *column, const char *key)
{
    json_t *json CLEANUP(json_release) = NULL;
    size_t i;
    json_t *item;

    must(bench, json_parse(&bench->ctx, "story", story, &json));
    assert_true(json_get_double(json, "seconds", 0) > 0);
    json_array_foreach(json_object_get(json, "statements"), i,
        item) if (strstr(json_get_text(bench->ctx.arena, item, "query", ""),
                      column)) return json_get_double(item, key, -1);
    fail_msg("no statement about %s in %s", column, story);
    return -1;
}

static const char *const customers[] = { BY_CUSTOMER, NULL };
static const char *const customers_and_days[] = { BY_CUSTOMER, BY_DAY, NULL };
static const char *const others[] = { BY_OTHER, NULL };

static void
an_index_that_pays(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step = index_step(bench, "big_customer", BY_CUSTOMER);
    struct traffic traffic;
    struct step_verdict verdict;
    double pages;

    begin_traffic(bench, &traffic, customers);
    verdict = prove(bench, &step, &proving, "CREATE INDEX big_customer ON app.big (customer)");
    end_traffic(&traffic);
    assert_int_equal(verdict.kind, STEP_HOLDS);
    assert_holds(verdict.text, "app.big_customer: it pays: ");
    /* A scan of the whole table reads each page once; afterwards 40 rows on 40 pages and the index. */
    assert_true(text_to_double(
        ask(bench, "SELECT pg_relation_size('app.big') / current_setting('block_size')::int"),
        &pages));
    assert_true(pages > 400);
    assert_true(number_of(bench, verdict.before, "customer", "blocks") == pages);
    assert_true(number_of(bench, verdict.after, "customer", "blocks") <= 50);
    assert_true(number_of(bench, verdict.after, "customer", "calls") >= 20);
    assert_true(number_of(bench, verdict.after, "customer", "rows") == 1);
    assert_answer(bench, "SELECT count(*) FROM pgmend.value WHERE name LIKE '%big_customer'", "1");
    must(bench, step_proof_forget(&bench->ctx, bench->rollout.db, &step));
    assert_answer(bench, "SELECT count(*) FROM pgmend.value WHERE name LIKE '%big_customer'", "0");
}

static void
an_index_that_does_not(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step = index_step(bench, "big_id2", BY_CUSTOMER);
    struct traffic traffic;
    struct step_verdict verdict;

    begin_traffic(bench, &traffic, customers_and_days);
    verdict = prove(bench, &step, &proving, "CREATE INDEX big_id2 ON app.big (id, note)");
    end_traffic(&traffic);
    assert_int_equal(verdict.kind, STEP_BREAKS);
    assert_holds(verdict.text, "app.big_id2: no");
}

/* What a user's own script builds is judged by all that read the table. */
static void
an_index_of_a_script(void **state)
{
    struct bench *bench = *state;
    struct plan_step step = index_step(bench, "big_day", NULL);
    struct traffic traffic;
    struct step_verdict verdict;

    begin_traffic(bench, &traffic, customers_and_days);
    verdict = prove(bench, &step, &proving, "CREATE INDEX big_day ON app.big (day)");
    assert_int_equal(verdict.kind, STEP_HOLDS);
    step = index_step(bench, "big_idle", NULL);
    verdict = prove(bench, &step, &proving, "CREATE INDEX big_idle ON app.big (note, id)");
    assert_int_equal(verdict.kind, STEP_BREAKS);
    step = index_step(bench, "big_rule", NULL);
    verdict = prove(bench, &step, &proving, "CREATE UNIQUE INDEX big_rule ON app.big (id, day)");
    assert_int_equal(verdict.kind, STEP_HOLDS);
    assert_holds(verdict.text, "keeps rows out");
    end_traffic(&traffic);
}

static void
without_traffic(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step = index_step(bench, "big_customer", BY_CUSTOMER);
    const struct step_proving quick = {
        .window_us = 100000, .within_us = 300000, .least_calls = 20
    };
    struct step_verdict verdict =
        prove(bench, &step, &quick, "CREATE INDEX big_customer ON app.big (customer)");

    assert_int_equal(verdict.kind, STEP_OPEN);
    assert_holds(verdict.text, "called 0 times within ");
    assert_holds(verdict.text, "20 are wanted");
    assert_holds(verdict.text, "apply again later");
}

/* The run was killed after the step: a later one has what is kept, and no window before. */
static void
of_an_earlier_run(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step = index_step(bench, "big_customer", BY_CUSTOMER);
    const struct step_proving once = { .window_us = 1500000, .within_us = 0, .least_calls = 20 };
    struct traffic traffic;
    struct step_window *window;
    struct step_verdict verdict;

    begin_traffic(bench, &traffic, customers);
    verdict = prove(bench, &step, &once, "CREATE INDEX big_customer ON app.big (customer)");
    assert_int_equal(verdict.kind, STEP_OPEN);
    must(bench, step_window_open(&bench->ctx, bench->db, &bench->rollout, &window));
    must(bench, step_proof_end(&bench->ctx, window, &step, &proving, &verdict));
    assert_int_equal(verdict.kind, STEP_HOLDS);
    assert_holds(verdict.text, "pays since it was built");
    must(bench, step_proof_forget(&bench->ctx, bench->rollout.db, &step));
    verdict.before = NULL;
    must(bench, step_proof_end(&bench->ctx, window, &step, &proving, &verdict));
    assert_int_equal(verdict.kind, STEP_OPEN);
    assert_holds(verdict.text, "what its statements cost before the step is not known");
    end_traffic(&traffic);
}

/* The window before, written down before the step, serves a later run as it would have served this one. */
static void
with_a_window_that_was_kept(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step =
        workload_step("{\"kind\":\"workload\",\"relations\":[\"app.big\"],\"least_gain\":0.3}");
    struct traffic traffic;
    struct step_window *window;
    struct step_verdict verdict = { 0 };
    const char *story;

    begin_traffic(bench, &traffic, customers);
    must(bench, step_window_open(&bench->ctx, bench->db, &bench->rollout, &window));
    assert_null(step_proof_before(bench->ctx.arena, window));
    must(bench, step_proof_begin(&bench->ctx, window, &step, &proving));
    story = step_proof_before(bench->ctx.arena, window);
    assert_non_null(story);
    assert_true(number_of(bench, story, "customer", "calls") >= 20);
    run(bench, "CREATE INDEX big_customer ON app.big (customer)");
    must(bench, step_window_open(&bench->ctx, bench->db, &bench->rollout, &window));
    verdict.before = story;
    must(bench, step_proof_end(&bench->ctx, window, &step, &proving, &verdict));
    end_traffic(&traffic);
    print_message("# %s\n", verdict.text);
    assert_int_equal(verdict.kind, STEP_HOLDS);
    assert_true(number_of(bench, verdict.before, "customer", "blocks") ==
                number_of(bench, story, "customer", "blocks"));
}

static void
nothing_got_slower(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step = workload_step(
        "{\"kind\":\"workload\",\"relations\":[\"app.small\"],\"least_gain\":0,\"most_loss\":0.2}");
    struct traffic traffic;
    struct step_verdict verdict;

    /* Their time is a sleep: a busy machine does not alter it much. */
    run(bench, "UPDATE app.flag SET seconds = .01");
    begin_traffic(bench, &traffic, others);
    verdict = prove(bench, &step, &proving, "COMMENT ON TABLE app.small IS 'nothing'");
    end_traffic(&traffic);
    assert_int_equal(verdict.kind, STEP_HOLDS);
    assert_holds(verdict.text, "nothing got slower");
}

static void
something_got_slower(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step =
        workload_step("{\"kind\":\"workload\",\"relations\":[],\"least_gain\":0}");
    struct traffic traffic;
    struct step_verdict verdict;

    begin_traffic(bench, &traffic, others);
    verdict = prove(bench, &step, &proving, "UPDATE app.flag SET seconds = .03");
    end_traffic(&traffic);
    assert_int_equal(verdict.kind, STEP_BREAKS);
    assert_holds(verdict.text, "got slower");
}

/* Faster was promised of statements that are as they were. */
static void
nothing_got_faster(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step =
        workload_step("{\"kind\":\"workload\",\"relations\":[\"app.small\"],\"least_gain\":0.3}");
    struct traffic traffic;
    struct step_verdict verdict;

    run(bench, "UPDATE app.flag SET seconds = .01");
    begin_traffic(bench, &traffic, others);
    verdict = prove(bench, &step, &proving, "COMMENT ON TABLE app.small IS 'nothing'");
    end_traffic(&traffic);
    assert_int_equal(verdict.kind, STEP_BREAKS);
    assert_holds(verdict.text, "no gain");
}

/* Counters that are set back while it is measured: no claim. */
static void
counters_that_are_reset(void **state)
{
    struct bench *bench = *state;
    const struct plan_step step = index_step(bench, "big_customer", BY_CUSTOMER);
    const struct step_proving quick = {
        .window_us = 100000, .within_us = 1500000, .least_calls = 1
    };
    struct traffic traffic;
    struct step_window *window;
    struct step_verdict verdict = { 0 };

    begin_traffic(bench, &traffic, customers);
    must(bench, step_window_open(&bench->ctx, bench->db, &bench->rollout, &window));
    /* Between opening and closing of the window before. */
    while (strcmp(ask(bench, "SELECT count(*) > 0 FROM public.pg_stat_statements WHERE calls > 150"
                             " AND query LIKE '%app.big WHERE customer%'"),
               "t") != 0)
        clock_sleep_us(10000);
    must(bench, step_window_open(&bench->ctx, bench->db, &bench->rollout, &window));
    run(bench, "SELECT public.pg_stat_statements_reset(0, (SELECT oid FROM pg_database"
               " WHERE datname = current_database()), 0)");
    must(bench, step_proof_begin(&bench->ctx, window, &step, &quick));
    run(bench, "CREATE INDEX big_customer ON app.big (customer)");
    must(bench, step_proof_end(&bench->ctx, window, &step, &quick, &verdict));
    end_traffic(&traffic);
    assert_int_equal(verdict.kind, STEP_OPEN);
    assert_holds(verdict.text, "began anew");
}

static void
what_is_not_known_is_refused(void **state)
{
    struct bench *bench = *state;
    struct plan plan = { 0 };

    VEC_PUSH(bench->ctx.arena, &plan.steps, workload_step("{\"kind\":\"workload\"}"));
    VEC_PUSH(bench->ctx.arena, &plan.steps, ((struct plan_step){ .id = "1.3" }));
    assert_true(step_proof_require_known(&bench->ctx, &plan));
    VEC_PUSH(bench->ctx.arena, &plan.steps, workload_step("{\"kind\":\"oracle\"}"));
    assert_false(step_proof_require_known(&bench->ctx, &plan));
    assert_error(&bench->ctx, ERR_UNSUPPORTED, "cannot prove \"oracle\"");
    error_clear(&bench->ctx);
}

#define proof_test(test) cmocka_unit_test_setup_teardown(test, set_up_tables, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        proof_test(an_index_that_pays),
        proof_test(an_index_that_does_not),
        proof_test(an_index_of_a_script),
        proof_test(without_traffic),
        proof_test(of_an_earlier_run),
        proof_test(with_a_window_that_was_kept),
        proof_test(nothing_got_slower),
        proof_test(something_got_slower),
        proof_test(nothing_got_faster),
        proof_test(counters_that_are_reset),
        proof_test(what_is_not_known_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
