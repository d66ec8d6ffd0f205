/*
 * Hypothetical indexes of HypoPG against the server's own: what it would use is what EXPLAIN of psql's kind
 * says with the index really built, in a read-only session, and nothing is left in anybody else's.
 */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "index/whatif/whatif.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *db;
    struct facts facts;
    struct whatif *whatif;
};

static const char *const schema[] = {
    "CREATE EXTENSION hypopg",
    "CREATE TABLE public.t (id int PRIMARY KEY, a int, b int, c text)",
    "INSERT INTO public.t SELECT g, g % 5000, g % 100, 'x' || g FROM generate_series(1, 50000) g",
    "CREATE TABLE public.\"Odd \\ \"\"T\" (\"A \\ \"\"b\" int, c text)",
    "INSERT INTO public.\"Odd \\ \"\"T\" SELECT g, 'y' FROM generate_series(1, 20000) g",
    "CREATE TABLE public.p (a int, b int) PARTITION BY RANGE (a)",
    "CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM (0) TO (20000)",
    "CREATE TABLE public.p2 PARTITION OF public.p FOR VALUES FROM (20000) TO (50000)",
    "INSERT INTO public.p SELECT g, g % 7 FROM generate_series(1, 40000) g",
    "ANALYZE",
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_to(struct bench *bench, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static void
run(struct bench *bench, const char *sql)
{
    must(bench, db_exec(&bench->ctx, bench->db, sql));
}

static void
open_whatif(struct bench *bench)
{
    struct facts_options wanted = { 0 };
    struct whatif_options options = {
        .db = bench->db, .facts = &bench->facts, .way = WHATIF_HYPOPG
    };

    must(bench, facts_load(&bench->ctx, bench->db, &wanted, &bench->facts));
    must(bench, whatif_open(&bench->ctx, &options, &bench->whatif));
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "whatif_hypopg_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_to(bench, bench->database);
    run(bench, "SELECT pg_catalog.set_config('search_path', 'public', false)");
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        run(bench, schema[i]);
    open_whatif(bench);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    whatif_close(bench->whatif);
    db_cleanup(&bench->db);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin,
            arena_printf(bench->ctx.arena, "DROP DATABASE %s WITH (FORCE)", bench->database)));
    db_cleanup(&admin);
    arena_free(bench->ctx.arena);
    return 0;
}

static const struct fact_table *
table_of(struct bench *bench, const char *name)
{
    const struct fact_table *table = facts_table(&bench->facts, "public", name);

    assert_non_null(table);
    return table;
}

/* The number of what follows the table in CREATE INDEX; 0 with the problem. */
static uint32_t
try_add(struct bench *bench, const char *table, const char *method, const char *definition,
    const char **ret_problem)
{
    struct index_candidate candidate = {
        .table = table_of(bench, table), .method = method, .definition = definition
    };
    uint32_t number = 0;

    must(bench, whatif_add(&bench->ctx, bench->whatif, &candidate, 0, &number, ret_problem));
    return number;
}

static uint32_t
add(struct bench *bench, const char *table, const char *definition)
{
    const char *problem = NULL;
    uint32_t number = try_add(bench, table, "btree", definition, &problem);

    if (number == 0)
        fail_msg("%s", problem);
    return number;
}

static struct whatif_plan
plan_with(struct bench *bench, const char *sql, const uint32_t *numbers, size_t count)
{
    struct whatif_set set = { .numbers = numbers, .count = count };
    struct whatif_plan plan;

    must(bench, whatif_plan(&bench->ctx, bench->whatif, sql, &set, false, &plan));
    return plan;
}

/* The cost that the server itself gives, with the index built for real and away again. */
static double
real_cost(struct bench *bench, const char *index, const char *sql)
{
    struct arena *arena = bench->ctx.arena;
    struct result result;
    double cost = -1;

    if (index)
        run(bench, arena_printf(arena, "CREATE INDEX really ON %s", index));
    must(bench,
        db_query(&bench->ctx, bench->db, arena_printf(arena, "EXPLAIN %s", sql), NULL, 0, &result));

    const char *at = strstr(result_cell(&result, 0, 0), "..");

    assert_non_null(at);
    cost = strtod(at + 2, NULL);
    if (index)
        run(bench, "DROP INDEX public.really");
    return cost;
}

static void
assert_near(double value, double wanted, double part)
{
    if (fabs(value - wanted) > part * wanted + 0.5)
        fail_msg("%f is not %f", value, wanted);
}

static void
test_costs(void **state)
{
    static const char *const cases[][2] = {
        { "USING btree (a)", "SELECT * FROM public.t WHERE a = 7" },
        { "USING btree (a, b DESC)", "SELECT * FROM public.t WHERE a = 7 ORDER BY b DESC LIMIT 3" },
        { "USING btree (a) INCLUDE (b)", "SELECT b FROM public.t WHERE a < 30" },
        { "USING btree (b) WHERE a < 100", "SELECT * FROM public.t WHERE b = 3 AND a < 100" },
        { "USING btree (b, id)", "UPDATE public.t SET c = 'z' WHERE b = 3 AND id = 103" },
        { "USING btree (c text_pattern_ops)", "SELECT * FROM public.t WHERE c LIKE 'x4999%'" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t number = add(bench, "t", cases[i][0]);
        struct whatif_plan before = plan_with(bench, cases[i][1], NULL, 0);
        struct whatif_plan after = plan_with(bench, cases[i][1], &number, 1);
        double wanted = real_cost(
            bench, arena_printf(bench->ctx.arena, "public.t %s", cases[i][0]), cases[i][1]);

        assert_near(before.cost, real_cost(bench, NULL, cases[i][1]), 0.0001);
        assert_near(after.cost, wanted, 0.12);
        assert_true(after.cost < before.cost);
        assert_int_equal(before.used.count, 0);
        assert_int_equal(after.used.count, 1);
        assert_int_equal(after.used.items[0], number);
    }
}

/* A set shows exactly itself, in any order of sets; the real index is told by its own name. */
static void
test_sets(void **state)
{
    static const char sql[] = "SELECT * FROM public.t WHERE a = 7 OR b = 200";
    struct bench *bench = *state;
    uint32_t numbers[] = { add(bench, "t", "USING btree (a)"), add(bench, "t", "USING btree (b)") };
    struct whatif_plan both = plan_with(bench, sql, numbers, 2);
    struct whatif_plan key;

    assert_int_equal(both.used.count, 2); /* a BitmapOr */
    assert_int_equal(plan_with(bench, sql, numbers, 1).used.count, 0);
    assert_int_equal(plan_with(bench, sql, &numbers[1], 1).used.count, 0);
    assert_true(plan_with(bench, sql, numbers, 2).cost == both.cost);
    assert_int_equal(plan_with(bench, sql, NULL, 0).used.count, 0);
    key = plan_with(bench, "SELECT * FROM public.t WHERE id = 7", numbers, 2);
    assert_int_equal(key.used.count, 0);
    assert_int_equal(key.existing.count, 1);
    assert_string_equal(key.existing.items[0], "public.t_pkey");
}

static void
test_odd_names(void **state)
{
    struct bench *bench = *state;
    uint32_t number = add(bench, "Odd \\ \"T", "USING btree (\"A \\ \"\"b\") WHERE c <> '\\\",{'");
    struct whatif_plan plan = plan_with(bench,
        "SELECT * FROM public.\"Odd \\ \"\"T\" WHERE \"A \\ \"\"b\" = 5 AND c <> '\\\",{'", &number,
        1);

    assert_int_equal(plan.used.count, 1);
}

static void
test_partitioned(void **state)
{
    struct bench *bench = *state;
    uint32_t number = add(bench, "p", "USING btree (a)");
    struct whatif_plan plan =
        plan_with(bench, "SELECT * FROM public.p WHERE a IN (7, 30000)", &number, 1);

    assert_int_equal(plan.used.count, 1);
    assert_int_equal(plan.used.items[0], number);
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *method;
        const char *definition;
        const char *problem;
    } cases[] = {
        { "gin", "USING gin (c)", "gin" },
        { "btree", "USING btree (nowhere)", "nowhere" },
        { "btree", "USING btree (a) WHERE c = now()::text", "IMMUTABLE" },
        { "btree", "USING btree (", "syntax" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *problem = NULL;

        assert_int_equal(try_add(bench, "t", cases[i].method, cases[i].definition, &problem), 0);
        assert_non_null(problem);
        assert_non_null(strstr(problem, cases[i].problem));
    }
}

/* What is wrong with a statement is an error of its own, and the next one goes on. */
static void
test_bad_statements(void **state)
{
    static const char *const statements[] = { "SELECT nowhere FROM public.t", "SELECT (",
        "VACUUM public.t" };
    struct bench *bench = *state;
    uint32_t number = add(bench, "t", "USING btree (a)");
    struct whatif_set set = { .numbers = &number, .count = 1 };
    int64_t calls = whatif_calls(bench->whatif);

    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        struct whatif_plan plan;

        assert_false(whatif_plan(&bench->ctx, bench->whatif, statements[i], &set, false, &plan));
        assert_int_equal(bench->ctx.error.kind, ERR_FAILED);
        error_clear(&bench->ctx);
    }
    assert_int_equal(
        plan_with(bench, "SELECT * FROM public.t WHERE a = 7", &number, 1).used.count, 1);
    assert_int_equal(whatif_calls(bench->whatif), calls + 4);
}

/* HypoPG numbers about 2,500 at a time; sets come and go. */
static void
test_many(void **state)
{
    enum { COUNT = 400, TURNS = 30 };
    struct bench *bench = *state;
    uint32_t numbers[COUNT];

    for (int i = 0; i < COUNT; i++)
        numbers[i] = add(bench, "t",
            arena_printf(bench->ctx.arena, "USING btree (a, b) WHERE id > %d", i + 100000));
    for (int i = 0; i < TURNS; i++) {
        size_t first = (size_t)i % 2 * (COUNT / 2);

        assert_true(
            plan_with(bench, "SELECT * FROM public.t WHERE a = 7", &numbers[first], COUNT / 2)
                .cost > 0);
    }
}

/* Nothing of it is in the database, nor counted among what the application runs. */
static void
test_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    uint32_t number = add(bench, "t", "USING btree (a)");
    const char *count = NULL;

    (void)plan_with(bench, "SELECT 4711 FROM public.t WHERE a = 7", &number, 1);
    must(bench, db_value(&bench->ctx, bench->db,
                    "SELECT count(*)::text FROM pg_catalog.pg_index i"
                    " WHERE i.indrelid = 'public.t'::pg_catalog.regclass",
                    NULL, 0, &count));
    assert_string_equal(count, "1");
    must(bench, db_value(&bench->ctx, whatif_db(bench->whatif), "SHOW transaction_read_only", NULL,
                    0, &count));
    assert_string_equal(count, "on");
    must(bench, db_value(&bench->ctx, bench->db,
                    "SELECT count(*)::text FROM pg_catalog.pg_locks l"
                    " WHERE l.relation = 'public.t'::pg_catalog.regclass",
                    NULL, 0, &count));
    assert_string_equal(count, "0");
}

/* A database without the extension is told how to get it, and is not changed. */
static void
test_not_there(void **state)
{
    struct bench *bench = *state;
    struct whatif_options options = {
        .db = bench->db, .facts = &bench->facts, .way = WHATIF_HYPOPG
    };
    struct whatif *whatif = NULL;

    run(bench, "DROP EXTENSION hypopg");
    assert_false(whatif_open(&bench->ctx, &options, &whatif));
    assert_error(&bench->ctx, ERR_UNSUPPORTED, "not in this database");
    assert_non_null(strstr(bench->ctx.error.message, "CREATE EXTENSION hypopg"));
    error_clear(&bench->ctx);
    run(bench, "CREATE EXTENSION hypopg");
}

/* Who may not switch counting off leaves one entry, whatever is planned; and its mistakes end with them. */
static void
test_ordinary_role(void **state)
{
    static const struct whatif_set none;
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *role = arena_printf(arena, "whatif_role_%d", (int)getpid());
    struct db_options asked = { .url = arena_printf(arena, "user=%s", role),
        .database = bench->database,
        .application = "test",
        .access = ACCESS_READ };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct whatif_options options = { .facts = &bench->facts, .way = WHATIF_HYPOPG };
    struct whatif *whatif = NULL;
    const char *count = NULL;

    run(bench, "CREATE EXTENSION pg_stat_statements");
    run(bench, arena_printf(arena, "CREATE ROLE %s LOGIN", role));
    run(bench, arena_printf(arena, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO %s", role));
    must(bench, db_open(&bench->ctx, &asked, &db));
    options.db = db;
    must(bench, whatif_open(&bench->ctx, &options, &whatif));
    for (int i = 0; i < 8; i++) {
        struct whatif_plan plan;
        const char *sql = arena_printf(
            arena, "SELECT * FROM public.t WHERE %s = %d", i % 4 == 3 ? "nowhere" : "a", i);

        assert_int_equal(whatif_plan(&bench->ctx, whatif, sql, &none, false, &plan), i % 4 != 3);
        error_clear(&bench->ctx);
    }
    whatif_close(whatif);
    must(bench, db_value(&bench->ctx, bench->db,
                    arena_printf(arena,
                        "SELECT count(*)::text FROM public.pg_stat_statements s"
                        " JOIN pg_catalog.pg_roles r ON r.oid = s.userid"
                        " WHERE r.rolname = '%s' AND s.query LIKE 'EXPLAIN%%'",
                        role),
                    NULL, 0, &count));
    assert_string_equal(count, "1");
    db_cleanup(&db);
    run(bench, arena_printf(arena, "DROP OWNED BY %s", role));
    run(bench, arena_printf(arena, "DROP ROLE %s", role));
}

/* The session is ended under it: a failure that is no statement's. */
static void
test_lost(void **state)
{
    struct bench *bench = *state;
    struct whatif_set none = { 0 };
    struct whatif_plan plan;

    run(bench, arena_printf(bench->ctx.arena, "SELECT pg_terminate_backend(%d, 5000)",
                   db_backend_pid(whatif_db(bench->whatif))));
    assert_false(
        whatif_plan(&bench->ctx, bench->whatif, "SELECT 1 FROM public.t", &none, false, &plan));
    assert_int_equal(bench->ctx.error.kind, ERR_CONNECTION);
    error_clear(&bench->ctx);
    whatif_close(bench->whatif);
    open_whatif(bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_odd_names),
        cmocka_unit_test(test_partitioned),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bad_statements),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_leaves_nothing),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_ordinary_role),
        cmocka_unit_test(test_lost),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
