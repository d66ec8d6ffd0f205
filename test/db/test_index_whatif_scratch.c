/*
 * What a scratch server says of indexes that are not there is what the database says once they are: each is
 * really built, and the plans are compared.
 */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/explain.h"
#include "index/whatif/whatif.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *live;
    struct facts facts;
    struct whatif *whatif;
};

static const char *const schema[] = {
    "CREATE EXTENSION vector",
    "CREATE SCHEMA \"Odd\"",
    "CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz, k int, doc jsonb)",
    "INSERT INTO t SELECT g, g % 1000, md5((g % 20000)::text), '2026-01-01'::timestamptz + g * interval '1 min',"
    " (g * 7919) % 5000, jsonb_build_object('k', g % 500) FROM generate_series(1, 60000) g",
    "CREATE INDEX t_k ON t (k)",
    "CREATE TABLE v (id int PRIMARY KEY, e vector(16))",
    "INSERT INTO v SELECT g, (SELECT array_agg(random())::vector FROM generate_series(1, 16) WHERE g > 0)"
    " FROM generate_series(1, 3000) g",
    "CREATE TABLE p (id int, at date, k int, PRIMARY KEY (at, id)) PARTITION BY RANGE (at)",
    "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
    "INSERT INTO p SELECT g, '2026-01-01'::date + g % 59, g % 200 FROM generate_series(1, 30000) g",
    "CREATE INDEX p_k ON p (k)",
    "CREATE TABLE \"Odd\".\"T t\" (id int PRIMARY KEY, \"X\" int)",
    "INSERT INTO \"Odd\".\"T t\" SELECT g, g % 100 FROM generate_series(1, 20000) g",
    "VACUUM (ANALYZE)",
};

struct trial {
    const char *schema;
    const char *table;
    const char *method;
    const char *definition;
    const char *predicate;
    const char *extension;
    const char *sql;
    double tolerance;
};

/*
 * An expression has no statistics before its index is analysed, neither here nor there: both are compared before
 * that. The size is told as it turned out, so what is compared is the planner, not our reckoning of sizes. Partial
 * indexes: the number of rows is the planner's guess here and counted there.
 */
static const struct trial trials[] = {
    { "public", "t", "btree", "USING btree (a)", NULL, NULL, "SELECT * FROM t WHERE a = 5", 0.001 },
    { "public", "t", "btree", "USING btree (a, c DESC)", NULL, NULL,
        "SELECT * FROM t WHERE a = 5 ORDER BY c DESC LIMIT 10", 0.001 },
    { "public", "t", "btree", "USING btree (c) INCLUDE (a)", NULL, NULL,
        "SELECT c, a FROM t WHERE c BETWEEN '2026-01-10' AND '2026-01-11'", 0.001 },
    { "public", "t", "btree", "USING btree (b text_pattern_ops)", NULL, NULL,
        "SELECT * FROM t WHERE b LIKE 'abc%'", 0.001 },
    { "public", "t", "btree", "USING btree (lower(b))", NULL, NULL,
        "SELECT * FROM t WHERE lower(b) = 'x'", 0.001 },
    { "public", "t", "btree", "USING btree (c) WHERE (k < 50)", "(k < 50)", NULL,
        "SELECT c FROM t WHERE k < 50 ORDER BY c LIMIT 100", 0.02 },
    { "public", "t", "gin", "USING gin (b gin_trgm_ops)", NULL, "pg_trgm",
        "SELECT * FROM t WHERE b LIKE '%abcdef%'", 0.05 },
    { "public", "t", "gin", "USING gin (doc jsonb_path_ops)", NULL, NULL,
        "SELECT * FROM t WHERE doc @> '{\"k\": 7}'", 0.05 },
    { "public", "t", "brin", "USING brin (c) WITH (pages_per_range = 16)", NULL, NULL,
        "SELECT * FROM t WHERE c BETWEEN '2026-01-10' AND '2026-01-11'", 0.001 },
    { "public", "t", "hash", "USING hash (a)", NULL, NULL, "SELECT * FROM t WHERE a = 5", 0.001 },
    { "public", "v", "hnsw", "USING hnsw (e vector_l2_ops)", NULL, NULL,
        "SELECT * FROM v ORDER BY e <-> '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]' LIMIT 5",
        0.001 },
    { "public", "p", "btree", "USING btree (id)", NULL, NULL, "SELECT * FROM p WHERE id = 5",
        0.001 },
    { "Odd", "T t", "btree", "USING btree (\"X\")", NULL, NULL,
        "SELECT * FROM \"Odd\".\"T t\" WHERE \"X\" = 5", 0.001 },
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

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    const struct facts_options wanted = { .has_values = false };

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "whatif_scratch_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->live = connect_to(bench, bench->database);
    must(bench, db_set(&bench->ctx, bench->live, "search_path", "public"));
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        must(bench, db_exec(&bench->ctx, bench->live, schema[i]));

    struct whatif_options options = {
        .db = bench->live, .facts = &bench->facts, .way = WHATIF_SCRATCH, .path = "public"
    };

    must(bench, facts_load(&bench->ctx, bench->live, &wanted, &bench->facts) &&
                    whatif_open(&bench->ctx, &options, &bench->whatif));
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
    db_cleanup(&bench->live);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    db_cleanup(&admin);
    arena_free(bench->ctx.arena);
    return 0;
}

static struct index_candidate
candidate_of(struct bench *bench, const struct trial *trial)
{
    struct index_candidate candidate = {
        .table = facts_table(&bench->facts, trial->schema, trial->table),
        .method = trial->method,
        .definition = trial->definition,
        .predicate = trial->predicate,
    };

    assert_non_null(candidate.table);
    if (trial->extension)
        text_list_add(bench->ctx.arena, &candidate.extensions, trial->extension);
    return candidate;
}

static uint32_t
add(struct bench *bench, const struct trial *trial, int64_t bytes)
{
    const struct index_candidate candidate = candidate_of(bench, trial);
    uint32_t number = 0;
    const char *problem = NULL;

    must(bench, whatif_add(&bench->ctx, bench->whatif, &candidate, bytes, &number, &problem));
    if (problem)
        fail_msg("%s: %s", trial->definition, problem);
    return number;
}

static struct whatif_plan
plan_with(struct bench *bench, const char *sql, const uint32_t *numbers, size_t count)
{
    const struct whatif_set set = { .numbers = numbers, .count = count };
    struct whatif_plan plan;

    must(bench, whatif_plan(&bench->ctx, bench->whatif, sql, &set, false, &plan));
    return plan;
}

/* Builds the index for real, asks, and drops it; its size goes to *ret_bytes. */
static double
real_cost(struct bench *bench, const struct trial *trial, int64_t *ret_bytes)
{
    struct arena *arena = bench->ctx.arena;
    struct explain_plan plan;
    const char *json;
    const char *bytes;

    if (trial->extension)
        must(
            bench, db_exec(&bench->ctx, bench->live,
                       arena_printf(arena, "CREATE EXTENSION IF NOT EXISTS %s", trial->extension)));
    must(bench,
        db_exec(&bench->ctx, bench->live,
            arena_printf(arena, "CREATE INDEX real_one ON \"%s\".\"%s\" %s", trial->schema,
                trial->table, trial->definition)) &&
            db_value(&bench->ctx, bench->live,
                arena_printf(arena,
                    "SELECT sum(pg_relation_size(i.indexrelid))::bigint::text FROM pg_index i"
                    " WHERE i.indexrelid IN (SELECT relid FROM pg_partition_tree('\"%s\".real_one')"
                    " UNION SELECT '\"%s\".real_one'::regclass)",
                    trial->schema, trial->schema),
                NULL, 0, &bytes) &&
            db_value(&bench->ctx, bench->live,
                arena_printf(arena, "EXPLAIN (FORMAT JSON) %s", trial->sql), NULL, 0, &json) &&
            explain_read(&bench->ctx, json, &plan) &&
            db_exec(&bench->ctx, bench->live,
                arena_printf(arena, "DROP INDEX \"%s\".real_one", trial->schema)));
    assert_true(text_to_int64(bytes, ret_bytes));
    return plan.cost;
}

static void
test_as_if_built(void **state)
{
    struct bench *bench = *state;
    size_t bad = 0;

    for (size_t i = 0; i < COUNT_OF(trials); i++) {
        int64_t bytes = 0;
        double real = real_cost(bench, &trials[i], &bytes);
        double without = plan_with(bench, trials[i].sql, NULL, 0).cost;
        uint32_t number = add(bench, &trials[i], bytes);
        struct whatif_plan plan = plan_with(bench, trials[i].sql, &number, 1);

        print_message("# %+8.4f %% %10.2f %10.2f (%10.2f without) %s\n",
            (plan.cost / real - 1) * 100, real, plan.cost, without, trials[i].definition);
        if (!(fabs(plan.cost / real - 1) <= trials[i].tolerance) || plan.used.count != 1 ||
            plan.used.items[0] != number || plan.cost >= without)
            bad++;
        /* Hidden again, it is as if it had never been. */
        assert_true(plan_with(bench, trials[i].sql, NULL, 0).cost == without);
    }
    assert_int_equal(bad, 0);
}

static void
test_hidden_as_if_dropped(void **state)
{
    struct bench *bench = *state;
    static const char *const names[] = { "t_k", "t_pkey", "p_k" };
    static const char *const sqls[] = { "SELECT * FROM t WHERE k = 7",
        "SELECT * FROM t WHERE id = 7", "SELECT * FROM p WHERE k = 7" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct fact_table *table = facts_table(&bench->facts, "public", i < 2 ? "t" : "p");
        const struct fact_index *index = NULL;
        const char *name = names[i];
        struct whatif_plan plan;

        assert_non_null(table);
        for (size_t k = 0; k < table->index_count; k++)
            if (text_equal(table->indexes[k].name, name))
                index = &table->indexes[k];
        assert_non_null(index);

        const struct whatif_set set = { .hidden = &index, .hidden_count = 1 };
        double with = plan_with(bench, sqls[i], NULL, 0).cost;

        must(bench, whatif_plan(&bench->ctx, bench->whatif, sqls[i], &set, false, &plan));
        assert_true(plan.cost > with * 2);
        assert_int_equal(plan.existing.count, 0);
        assert_true(plan_with(bench, sqls[i], NULL, 0).cost == with);
    }
}

static void
test_refused(void **state)
{
    struct bench *bench = *state;
    struct trial trial = trials[0];
    uint32_t number;
    const char *problem;

    trial.definition = "USING btree (no_such)";

    const struct index_candidate bad = candidate_of(bench, &trial);

    must(bench, whatif_add(&bench->ctx, bench->whatif, &bad, 8192, &number, &problem));
    assert_non_null(problem);
    assert_non_null(strstr(problem, "no_such"));
    assert_int_equal(number, 0);

    trial.definition = "USING btree (a)";
    trial.extension = "no_such_extension";

    const struct index_candidate missing = candidate_of(bench, &trial);

    must(bench, whatif_add(&bench->ctx, bench->whatif, &missing, 8192, &number, &problem));
    assert_non_null(problem);
    assert_int_equal(plan_with(bench, "SELECT * FROM t WHERE a = 5", NULL, 0).used.count, 0);
}

/* Three hundred on one table are added and stay out of sight; none slows a plan of its own table down. */
static void
test_many(void **state)
{
    struct bench *bench = *state;
    struct trial trial = trials[0];
    double before = plan_with(bench, trial.sql, NULL, 0).cost;
    uint32_t numbers[300];
    int64_t began = clock_us();

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        trial.definition = arena_printf(bench->ctx.arena, "USING btree (a, (k + %zu))", i);
        numbers[i] = add(bench, &trial, 1 << 20);
    }
    print_message(
        "# %zu added in %.0f ms\n", COUNT_OF(numbers), (double)(clock_us() - began) / 1000);
    began = clock_us();
    assert_true(plan_with(bench, trial.sql, NULL, 0).cost == before);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct whatif_plan plan = plan_with(bench, trial.sql, &numbers[i], 1);

        assert_int_equal(plan.used.count, 1);
        assert_int_equal(plan.used.items[0], numbers[i]);
    }
    print_message(
        "# %zu planned in %.0f ms\n", COUNT_OF(numbers), (double)(clock_us() - began) / 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_if_built),
        cmocka_unit_test(test_hidden_as_if_dropped),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
