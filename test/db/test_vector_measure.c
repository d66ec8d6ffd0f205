/* The truth against distances computed here, and what is told of ways to search. */
#include <math.h>

#include "db/test_vector_stage_support.h"
#include "vector/stage/meter.h"

enum { TENANTS = 4, QUERIES_EACH = 5 };

/* A row of the table as we read it. */
struct row {
    const char *key;
    const char *tenant;
    int64_t importance;
    double values[DIMS];
    bool has_vector;
    double distance;
};

struct table {
    struct row *rows;
    size_t count;
};

static void
read_values(const char *text, double *ret)
{
    const char *at = text + 1;

    for (int i = 0; i < DIMS; i++) {
        char *end;

        ret[i] = (double)strtof(at, &end);
        at = end + 1;
    }
}

static struct table
read_table(struct stand *stand)
{
    struct result result;
    struct table table = { 0 };

    must(stand, db_query(&stand->ctx, stand->db,
                    "SELECT id, assistant_id, importance, embedding FROM \"app data\".\"Chunks\"",
                    NULL, 0, &result));
    table.count = result.rows;
    table.rows = ARENA_ARRAY(stand->ctx.arena, struct row, result.rows);
    for (size_t i = 0; i < result.rows; i++) {
        struct row *row = &table.rows[i];

        row->key = result_cell(&result, i, 0);
        row->tenant = result_cell(&result, i, 1);
        assert_true(text_to_int64(result_cell(&result, i, 2), &row->importance));
        row->has_vector = result_cell(&result, i, 3) != NULL;
        if (row->has_vector)
            read_values(result_cell(&result, i, 3), row->values);
    }
    return table;
}

static double
cosine_distance(const double *a, const double *b)
{
    double ab = 0, aa = 0, bb = 0;

    for (int i = 0; i < DIMS; i++) {
        ab += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    return 1 - ab / sqrt(aa * bb);
}

static int
compare_rows(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;

    return (left->distance > right->distance) - (left->distance < right->distance);
}

/* The rows that a search may find, nearest first: a copy of the table's. */
static struct table
search_by_hand(struct stand *stand, const struct table *table, const struct vector_query *query)
{
    struct table found = { .rows = ARENA_ARRAY(stand->ctx.arena, struct row, table->count) };
    double asked[DIMS];

    read_values(query->values, asked);
    for (size_t i = 0; i < table->count; i++) {
        struct row row = table->rows[i];

        if (!row.has_vector || row.importance < 4 || !text_equal(row.tenant, query->tenant))
            continue;
        row.distance = cosine_distance(row.values, asked);
        if (!isnan(row.distance))
            found.rows[found.count++] = row;
    }
    qsort(found.rows, found.count, sizeof(*found.rows), compare_rows);
    return found;
}

/* Rows and questions: the live table serves as well as a copy. */
static void
fill(struct stand *stand, struct vector_queries *queries)
{
    for (int tenant = 1; tenant <= TENANTS; tenant++)
        add_rows(stand, tenant, tenant == TENANTS ? 9 : tenant * 60);
    sql(stand, "ANALYZE \"app data\".\"Chunks\"");
    for (int i = 0; i < TENANTS * QUERIES_EACH; i++)
        VEC_PUSH(stand->ctx.arena, queries,
            (struct vector_query){
                .tenant = arena_printf(stand->ctx.arena, "%d", i % TENANTS + 1),
                .bucket = i % TENANTS == TENANTS - 1,
                .values = value_in(stand, stand->db,
                    "SELECT array_agg(random() - .5)::ext.vector FROM generate_series(1, 16)"),
                .source = "test",
            });
}

static void
load(struct stand *stand, const struct vector_queries *queries, struct vector_answers *ret)
{
    must(stand, vector_answers_load(&stand->ctx, stand->db, &stand->target, queries, NULL, ret));
    assert_int_equal(ret->count, queries->count);
}

static void
check_answers(
    struct stand *stand, const struct vector_queries *queries, const struct vector_answers *answers)
{
    struct table table = read_table(stand);

    for (size_t i = 0; i < queries->count; i++) {
        const struct vector_answer *answer = &answers->items[i];
        struct table found = search_by_hand(stand, &table, &queries->items[i]);
        size_t due = found.count < LIMIT ? found.count : LIMIT;

        assert_int_equal(answer->due, due);
        assert_true(answer->keys.count >= due);
        for (size_t at = 0; at < due; at++)
            assert_true(text_list_has(&answer->keys, found.rows[at].key));
        /* What is listed beyond those that are due ties with the last one. */
        for (size_t at = due; at < found.count; at++)
            if (text_list_has(&answer->keys, found.rows[at].key))
                assert_true(found.rows[at].distance - found.rows[due - 1].distance < 1e-6);
    }
}

static void
the_truth_is_what_all_distances_say(void **state)
{
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;

    fill(stand, &queries);
    load(stand, &queries, &answers);
    check_answers(stand, &queries, &answers);
    /* The 9 rows of the last tenant have importance 2 to 10, and 7 of them pass. */
    assert_int_equal(answers.items[TENANTS - 1].due, 7);
}

/* An index that finds next to nothing, and a planner that would rather not do anything else. */
static void
no_approximate_index_serves_the_truth(void **state)
{
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;

    fill(stand, &queries);
    sql(stand, "CREATE INDEX ON \"app data\".\"Chunks\" USING hnsw (embedding"
               " ext.vector_cosine_ops) WITH (m = 2, ef_construction = 4)");
    sql(stand, "CREATE INDEX ON \"app data\".\"Chunks\" USING ivfflat (embedding"
               " ext.vector_cosine_ops) WITH (lists = 50)");
    sql(stand, "SET enable_seqscan = off");
    sql(stand, "SET enable_sort = off");
    sql(stand, "SET hnsw.ef_search = 1");
    load(stand, &queries, &answers);
    check_answers(stand, &queries, &answers);
}

static void
rows_without_a_distance_are_no_answers(void **state)
{
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;

    fill(stand, &queries);
    sql(stand, "UPDATE \"app data\".\"Chunks\" SET embedding = NULL WHERE assistant_id = 4 AND"
               " importance = 5");
    sql(stand, "UPDATE \"app data\".\"Chunks\" SET embedding = array_fill(0, '{16}')::ext.vector"
               " WHERE assistant_id = 4 AND importance IN (6, 7)");
    load(stand, &queries, &answers);
    check_answers(stand, &queries, &answers);
    assert_int_equal(answers.items[TENANTS - 1].due, 4);
}

static void
of_rows_that_tie_any_is_right(void **state)
{
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;

    fill(stand, &queries);
    sql(stand, "UPDATE \"app data\".\"Chunks\" SET embedding = (SELECT embedding FROM \"app"
               " data\".\"Chunks\" WHERE assistant_id = 2 LIMIT 1) WHERE assistant_id = 1");
    load(stand, &queries, &answers);
    /* 60 rows, of which 7 of 10 pass the filter. */
    assert_int_equal(answers.items[0].due, 10);
    assert_int_equal(answers.items[0].keys.count, 42);
}

static const char exact_search[] =
    "SELECT t.id FROM \"app data\".\"Chunks\" AS t WHERE t.assistant_id = $1 AND t.importance >= 4"
    " ORDER BY t.embedding OPERATOR(ext.<=>) $2 LIMIT $3";

static void
measure(struct stand *stand, const struct vector_queries *queries,
    const struct vector_answers *answers, const struct vector_probe *probes, size_t count,
    struct vector_shots *shots)
{
    struct vector_measurement measurement = {
        .db = stand->db,
        .target = &stand->target,
        .queries = queries,
        .answers = answers,
        .rounds = 2,
        .timeout_us = 30000000,
    };

    must(stand, vector_measure(&stand->ctx, &measurement, probes, count, shots));
    assert_int_not_equal(measurement.meter, METER_KIND_COUNT);
}

/*
 * An exact search finds all; half of the limit half; the other order of distance only what those
 * two orders share, which is counted here again; a row that comes again and again counts once.
 */
static void
recall_is_the_share_of_the_right_rows(void **state)
{
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;
    struct vector_shots shots[5] = { 0 };
    struct vector_probe probes[] = {
        { .name = "exact", .sql = exact_search },
        { .name = "half", .sql = arena_printf(stand->ctx.arena, "%s::int / 2", exact_search) },
        { .name = "other",
            .sql = "SELECT t.id FROM \"app data\".\"Chunks\" AS t WHERE"
                   " t.assistant_id = $1 AND t.importance >= 4 ORDER BY t.id LIMIT"
                   " $3 + length($2::text) * 0" },
        { .name = "again",
            .sql = "SELECT first_value(t.id) OVER (ORDER BY t.embedding"
                   " OPERATOR(ext.<=>) $2) FROM \"app data\".\"Chunks\" AS t WHERE"
                   " t.assistant_id = $1 AND t.importance >= 4 LIMIT $3" },
        { .name = "nothing", .sql = "SELECT 1 WHERE false" },
    };
    struct table table;

    fill(stand, &queries);
    load(stand, &queries, &answers);
    measure(stand, &queries, &answers, probes, 5, shots);
    table = read_table(stand);
    for (size_t i = 0; i < queries.count; i++) {
        struct table found = search_by_hand(stand, &table, &queries.items[i]);
        size_t due = found.count < LIMIT ? found.count : LIMIT;
        size_t shared = 0;

        for (size_t at = 0; at < due; at++) {
            size_t before = 0;

            for (size_t other = 0; other < found.count; other++)
                before += strtoll(found.rows[other].key, NULL, 10) <
                          strtoll(found.rows[at].key, NULL, 10);
            shared += before < LIMIT;
        }
        assert_int_equal(shots[0].items[i].query, i);
        assert_true(shots[0].items[i].recall == 1);
        assert_false(shots[0].items[i].is_short);
        assert_true(fabs(shots[1].items[i].recall - 5.0 / (double)due) < 1e-9);
        assert_true(shots[1].items[i].is_short);
        assert_true(fabs(shots[2].items[i].recall - (double)shared / (double)due) < 1e-9);
        assert_true(fabs(shots[3].items[i].recall - 1.0 / (double)due) < 1e-9);
        assert_false(shots[3].items[i].is_short);
        assert_true(shots[4].items[i].recall == 0);
        assert_true(shots[4].items[i].is_short);
        assert_true(shots[0].items[i].wall_us > 0 && shots[0].items[i].cpu_us >= 0);
    }
}

/* Only the chosen ones, by statements of their own where there are any. */
static void
queries_can_be_chosen_and_have_own_statements(void **state)
{
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;
    struct vector_shots shots[1] = { 0 };
    const size_t chosen[] = { 6, 3 };
    const char *own[TENANTS * QUERIES_EACH] = { NULL };
    struct vector_probe probe = {
        .name = "own", .sql = "SELECT 1 WHERE false", .sql_by_tenant = own
    };
    struct vector_measurement measurement = {
        .db = stand->db,
        .target = &stand->target,
        .queries = &queries,
        .answers = &answers,
        .chosen = chosen,
        .chosen_count = 2,
    };

    /* Tenant 3 is a literal, and one that looks like a parameter stands beside it. */
    own[6] = "SELECT t.id FROM \"app data\".\"Chunks\" AS t WHERE t.assistant_id = 3 AND '$1' <>"
             " t.chunk AND t.importance >= 4 ORDER BY t.embedding OPERATOR(ext.<=>) $2 LIMIT 10";
    fill(stand, &queries);
    load(stand, &queries, &answers);
    must(stand, vector_measure(&stand->ctx, &measurement, &probe, 1, shots));
    assert_int_equal(shots[0].count, 2);
    assert_int_equal(shots[0].items[0].query, 6);
    assert_true(shots[0].items[0].recall == 1);
    assert_int_equal(shots[0].items[1].query, 3);
    assert_true(shots[0].items[1].recall == 0);
}

static void
settings_are_for_the_query_alone(void **state)
{
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;
    struct vector_shots shots[2] = { 0 };
    struct vector_probe probes[] = {
        { .name = "set",
            .sql = "SELECT t.id FROM \"app data\".\"Chunks\" AS t WHERE"
                   " current_setting('hnsw.ef_search') = '77' AND"
                   " current_setting('max_parallel_workers_per_gather') = '0' AND"
                   " current_setting('transaction_read_only') = 'on' LIMIT 10" },
        { .name = "unset",
            .sql = "SELECT t.id FROM \"app data\".\"Chunks\" AS t WHERE"
                   " current_setting('hnsw.ef_search') = '77' LIMIT 10" },
    };

    fill(stand, &queries);
    load(stand, &queries, &answers);
    text_list_add(stand->ctx.arena, &probes[0].settings, "hnsw.ef_search=77");
    text_list_add(stand->ctx.arena, &probes[0].settings, "work_mem=64MB");
    sql(stand, "SET max_parallel_workers_per_gather = 2");
    measure(stand, &queries, &answers, probes, 2, shots);
    for (size_t i = 0; i < queries.count; i++) {
        assert_false(shots[0].items[i].is_short);
        assert_true(shots[1].items[i].is_short);
    }
    assert_string_equal(value_in(stand, stand->db, "SHOW hnsw.ef_search"), "40");
    assert_string_equal(value_in(stand, stand->db, "SHOW max_parallel_workers_per_gather"), "2");
}

static void
what_fails_is_named(void **state)
{
    static const struct {
        const char *sql;
        const char *setting;
        enum error_kind kind;
        const char *says;
    } cases[] = {
        { "SELECT t.nothing FROM \"app data\".\"Chunks\" AS t", NULL, ERR_SERVER, "nothing" },
        { "INSERT INTO \"app data\".\"Chunks\" (importance, chunk) VALUES (length($1), $2 || $3)"
          " RETURNING id",
            NULL, ERR_UNSUPPORTED, "read-only" },
        { "SELECT 1 / 0", NULL, ERR_SERVER, "division by zero" },
        { exact_search, "hnsw.ef_search=100000", ERR_SERVER, "hnsw.ef_search" },
        { exact_search, "hnsw.ef_search", ERR_INPUT, "NAME=VALUE" },
    };
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;

    fill(stand, &queries);
    load(stand, &queries, &answers);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct vector_shots shots[1] = { 0 };
        struct vector_probe probe = { .name = "the bad one", .sql = cases[i].sql };
        struct vector_measurement measurement = {
            .db = stand->db, .target = &stand->target, .queries = &queries, .answers = &answers
        };

        if (cases[i].setting)
            text_list_add(stand->ctx.arena, &probe.settings, cases[i].setting);
        error_clear(&stand->ctx);
        assert_false(vector_measure(&stand->ctx, &measurement, &probe, 1, shots));
        assert_error(&stand->ctx, cases[i].kind, cases[i].says);
        assert_error(&stand->ctx, cases[i].kind, "the bad one");
        assert_string_equal(value_in(stand, stand->db, "SELECT 'ok'"), "ok");
    }
    assert_string_equal(
        value_in(stand, stand->db, "SELECT count(*) FROM \"app data\".\"Chunks\""), "369");
}

static void
one_that_takes_too_long_has_found_nothing(void **state)
{
    struct stand *stand = *state;
    struct vector_queries queries = { 0 };
    struct vector_answers answers;
    struct vector_shots shots[1] = { 0 };
    struct vector_probe probe = { .name = "slow", .sql = "SELECT pg_sleep(60)" };
    struct vector_measurement measurement = {
        .db = stand->db,
        .target = &stand->target,
        .queries = &queries,
        .answers = &answers,
        .rounds = 3,
        .timeout_us = 60000,
    };

    fill(stand, &queries);
    queries.count = 2;
    load(stand, &queries, &answers);
    must(stand, vector_measure(&stand->ctx, &measurement, &probe, 1, shots));
    assert_int_equal(shots[0].count, 2);
    assert_true(shots[0].items[1].recall == 0);
    assert_true(shots[0].items[1].is_short);
    assert_int_equal(shots[0].items[1].wall_us, 60000);
    assert_int_equal(shots[0].items[1].cpu_us, 60000);
}

/* Ten times the work, and a sleep: in CPU time they differ by far more than a busy machine can. */
static void
check_meter(struct stand *stand, enum meter_kind kind)
{
    static const char *const statements[] = {
        "SELECT count(md5(n::text)) FROM generate_series(1, 20000) AS n",
        "SELECT count(md5(n::text)) FROM generate_series(1, 400000) AS n",
        "SELECT pg_sleep(.3)",
    };
    int64_t us[COUNT_OF(statements)];
    struct meter meter;
    bool works;

    must(stand, meter_try(&stand->ctx, stand->db, kind, &meter, &works));
    assert_true(works);
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        struct db_transaction transaction = { 0 };
        const char *settings = meter_settings(&meter);

        must(stand, db_begin(&stand->ctx, stand->db, "READ ONLY", &transaction));
        if (settings)
            sql(stand, settings);
        meter_start(&meter);
        sql(stand, statements[i]);
        us[i] = meter_end_us(&meter);
        db_transaction_end(&transaction);
    }
    meter_close(&meter);
    assert_true(us[0] > 500);
    assert_true(us[1] > us[0] * 4);
    assert_true(us[2] < us[1] / 2 && us[2] < 150000);
}

static void
cpu_time_is_read_from_the_kernel(void **state)
{
    struct stand *stand = *state;
    struct meter meter;
    bool works;

    must(stand, meter_try(&stand->ctx, stand->db, METER_SCHEDSTAT, &meter, &works));
    if (!works) {
        print_message("# schedstat of the server cannot be read here\n");
        skip();
    }
    meter_close(&meter);
    check_meter(stand, METER_SCHEDSTAT);
}

/* Within another meter's work, as a build measures and asks in the same session. */
static void
cpu_time_is_told_by_the_server(void **state)
{
    struct stand *stand = *state;
    struct meter outer;
    bool works;

    must(stand, meter_try(&stand->ctx, stand->db, METER_STATEMENT_LOG, &outer, &works));
    assert_true(works);
    check_meter(stand, METER_STATEMENT_LOG);
    sql(stand, "DO $$ BEGIN RAISE NOTICE 'heard'; END $$");
    meter_close(&outer);
    sql(stand, "DO $$ BEGIN RAISE NOTICE 'not heard'; END $$");
    assert_string_equal(value_in(stand, stand->db, "SHOW log_statement_stats"), "off");
}

static void
who_may_not_see_cpu_time_has_wall_time(void **state)
{
    struct stand *stand = *state;
    struct meter meter;
    bool works;

    sql(stand,
        arena_printf(stand->ctx.arena, "CREATE ROLE %s_reader NOSUPERUSER", stand->database));
    sql(stand, arena_printf(stand->ctx.arena, "SET ROLE %s_reader", stand->database));
    must(stand, meter_try(&stand->ctx, stand->db, METER_STATEMENT_LOG, &meter, &works));
    assert_false(works);
    must(stand, meter_try(&stand->ctx, stand->db, METER_WALL, &meter, &works));
    assert_true(works);
    meter_start(&meter);
    sql(stand, "SELECT pg_sleep(.05)");
    assert_true(meter_end_us(&meter) >= 50000);
    meter_close(&meter);
    sql(stand, "RESET ROLE");
    sql(stand, arena_printf(stand->ctx.arena, "DROP ROLE %s_reader", stand->database));
}

static int
set_up(void **state)
{
    *state = stand_new();
    return 0;
}

static int
tear_down(void **state)
{
    stand_free(*state);
    return 0;
}

#define test_with_stand(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_stand(the_truth_is_what_all_distances_say),
        test_with_stand(no_approximate_index_serves_the_truth),
        test_with_stand(rows_without_a_distance_are_no_answers),
        test_with_stand(of_rows_that_tie_any_is_right),
        test_with_stand(recall_is_the_share_of_the_right_rows),
        test_with_stand(queries_can_be_chosen_and_have_own_statements),
        test_with_stand(settings_are_for_the_query_alone),
        test_with_stand(what_fails_is_named),
        test_with_stand(one_that_takes_too_long_has_found_nothing),
        test_with_stand(cpu_time_is_read_from_the_kernel),
        test_with_stand(cpu_time_is_told_by_the_server),
        test_with_stand(who_may_not_see_cpu_time_has_wall_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
