/*
 * Each way to search, really built: it finds what a brute-force statement finds that was written
 * here, whatever the names, the metric and the search_path are.
 */
#include <math.h>

#include "db/explain.h"
#include "test_vector_bench.h"

enum { DIMS = 24, ROWS = 900, TENANTS = 4, LIMIT = 10 };

/* "t" has the plain names; "My ""Chunks" has the hard ones and rows without a vector. */
static const char *const set_up_sql[] = {
    "SELECT pg_catalog.setseed(0.25)",
    "CREATE TABLE public.t (id int PRIMARY KEY, tenant int, importance int NOT NULL,"
    " kind text NOT NULL, embedding \"Ext\".vector(24) NOT NULL)",
    "INSERT INTO public.t SELECT g, g % 4, 1 + g % 10, 'k' || g % 3,"
    " (SELECT ('[' || pg_catalog.string_agg((pg_catalog.floor(pg_catalog.random() * 64 - 32) / 8)"
    "::text, ',') || ']')::\"Ext\".vector FROM pg_catalog.generate_series(1, 24 + 0 * g))"
    " FROM pg_catalog.generate_series(1, 900) g",
    "CREATE SCHEMA \"S;x\"",
    "CREATE TABLE \"S;x\".\"My \"\"Chunks\" (\"Ключ\" bigint PRIMARY KEY, \"Чей ?\" varchar(20),"
    " \"select\" smallint, kind text, \"Вектор\" \"Ext\".vector(24))",
    "INSERT INTO \"S;x\".\"My \"\"Chunks\" SELECT id, 'o''' || tenant, importance, kind,"
    " CASE WHEN id % 7 > 0 THEN embedding END FROM public.t",
    "ANALYZE",
};

static struct vector_filter plain_filters[] = { { "importance", "integer", ">=", "4" } };
static struct vector_filter hard_filters[] = { { "select", "smallint", ">=", "4" },
    { "kind", "text", "<>", "k'9" } };

static struct vector_target
plain_target(void)
{
    return (struct vector_target){ .schema = "public",
        .table = "t",
        .key = "id",
        .key_type = "integer",
        .column = "embedding",
        .type = "vector",
        .dims = DIMS,
        .tenant = "tenant",
        .tenant_type = "integer",
        .filters = { plain_filters, 1, 1 },
        .limit = LIMIT,
        .extension_schema = "Ext",
        .extension_version = "0.8.0",
        .extension_number = 800,
        .rows = ROWS,
        .storage = "extended" };
}

static struct vector_target
hard_target(void)
{
    struct vector_target target = plain_target();

    target.schema = "S;x";
    target.table = "My \"Chunks";
    target.key = "Ключ";
    target.key_type = "bigint";
    target.column = "Вектор";
    target.tenant = "Чей ?";
    target.tenant_type = "character varying";
    target.filters.items = hard_filters;
    target.filters.count = 2;
    target.is_nullable = true;
    return target;
}

/* Approximate ones are asked for so much that nothing is left out. */
static const struct vector_method methods[] = {
    { .family = FAMILY_SCAN },
    { .family = FAMILY_EXACT },
    { .family = FAMILY_EXACT, .element = ELEMENT_PLAIN },
    { .family = FAMILY_EXACT, .element = ELEMENT_HALF },
    { .family = FAMILY_EXACT, .element = ELEMENT_HALF, .candidates = 20 },
    { .family = FAMILY_BITS, .candidates = ROWS },
    { .family = FAMILY_HNSW, .m = 24, .ef_construction = 200, .ef_search = 1000 },
    { .family = FAMILY_HNSW,
        .m = 16,
        .ef_construction = 64,
        .ef_search = 400,
        .iteration = ITERATE_RELAXED,
        .with_btree = true },
    { .family = FAMILY_HNSW,
        .element = ELEMENT_HALF,
        .m = 24,
        .ef_construction = 200,
        .ef_search = 1000,
        .iteration = ITERATE_STRICT },
    { .family = FAMILY_HNSW,
        .element = ELEMENT_HALF,
        .m = 24,
        .ef_construction = 200,
        .ef_search = 1000,
        .candidates = 40 },
    { .family = FAMILY_HNSW,
        .element = ELEMENT_BIT,
        .m = 24,
        .ef_construction = 200,
        .ef_search = 1000,
        .candidates = ROWS },
    { .family = FAMILY_HNSW,
        .scope = SCOPE_TENANT,
        .m = 24,
        .ef_construction = 200,
        .ef_search = 1000 },
    { .family = FAMILY_HNSW,
        .scope = SCOPE_TENANT,
        .element = ELEMENT_HALF,
        .m = 24,
        .ef_construction = 200,
        .ef_search = 1000,
        .with_btree = true },
    { .family = FAMILY_IVFFLAT, .lists = 9, .probes = 9 },
    { .family = FAMILY_IVFFLAT,
        .element = ELEMENT_HALF,
        .lists = 9,
        .probes = 9,
        .iteration = ITERATE_RELAXED },
    { .family = FAMILY_IVFFLAT,
        .element = ELEMENT_BIT,
        .lists = 9,
        .probes = 9,
        .candidates = ROWS },
    { .family = FAMILY_IVFFLAT, .scope = SCOPE_TENANT, .lists = 3, .probes = 3 },
};

/* Columns, filled as a trigger would, and indexes; in one transaction that the caller rolls back. */
static struct vector_parts
build(struct bench *bench, const struct vector_target *target, const struct vector_method *method,
    const char *tenant)
{
    struct arena *arena = bench->ctx.arena;
    const char *table = vector_table(arena, target);
    struct vector_parts parts;

    vector_method_parts(arena, target, method, tenant, "", &parts);
    for (size_t i = 0; i < parts.columns.count; i++) {
        const struct vector_extra_column *column = &parts.columns.items[i];
        const char *name = db_ident(arena, column->name);

        assert_true(strlen(column->name) <= 63);
        bench_exec(bench,
            arena_printf(arena, "ALTER TABLE %s ADD COLUMN %s %s", table, name, column->type));
        if (column->storage)
            bench_exec(bench, arena_printf(arena, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE %s",
                                  table, name, column->storage));
        bench_exec(
            bench, arena_printf(arena, "UPDATE %s SET %s = %s", table, name, column->expression));
    }
    for (size_t i = 0; i < parts.indexes.count; i++) {
        assert_true(strlen(parts.indexes.items[i].name) <= 63);
        bench_exec(bench, arena_printf(arena, "CREATE INDEX %s ON %s %s",
                              db_ident(arena, parts.indexes.items[i].name), table,
                              parts.indexes.items[i].definition));
    }
    for (size_t i = 0; i < parts.settings.count; i++)
        bench_exec(bench, arena_printf(arena, "SET LOCAL %s", parts.settings.items[i]));
    return parts;
}

/* The distances of the true answers, by a statement that has nothing of ours. */
static struct result
brute_force(
    struct bench *bench, const struct vector_target *target, const char *tenant, const char *vector)
{
    struct arena *arena = bench->ctx.arena;
    bool is_hard = target->is_nullable;
    const char *distance = arena_printf(arena, "(%s OPERATOR(\"Ext\".%s) '%s') + 0",
        is_hard ? "\"Вектор\"" : "embedding", vector_metric_operator(target->metric), vector);

    return bench_rows(bench,
        arena_printf(arena,
            "SELECT %s FROM %s WHERE %s = %s AND %s >= 4%s ORDER BY 1, 1 + 0 LIMIT 10", distance,
            is_hard ? "\"S;x\".\"My \"\"Chunks\"" : "public.t", is_hard ? "\"Чей ?\"" : "tenant",
            db_literal(arena, tenant), is_hard ? "\"select\"" : "importance",
            is_hard ? " AND \"Вектор\" IS NOT NULL" : ""));
}

/* How many of the ten distances are the true ones; they come in order. */
static size_t
right_ones(const struct result *truth, const struct result *found)
{
    size_t right = 0;
    double last = -INFINITY;
    size_t next = 0;

    for (size_t i = 0; i < found->rows; i++) {
        double distance = strtod(result_cell(found, i, 1), NULL);

        assert_true(distance >= last - 1e-4);
        last = distance;
        while (next < truth->rows && strtod(result_cell(truth, next, 0), NULL) < distance - 1e-3)
            next++;
        if (next < truth->rows &&
            fabs(strtod(result_cell(truth, next, 0), NULL) - distance) < 1e-3) {
            right++;
            next++;
        }
    }
    return right;
}

static const char *
question(struct bench *bench, int key)
{
    return bench_value(bench, arena_printf(bench->ctx.arena,
                                  "SELECT (embedding OPERATOR(\"Ext\".+) pg_catalog.array_fill("
                                  "0.0625::float4, ARRAY[24])::\"Ext\".vector)::text"
                                  " FROM public.t WHERE id = %d",
                                  key));
}

static void
ask(struct bench *bench, const struct vector_target *target, const struct vector_method *method,
    const char *tenant)
{
    struct arena *arena = bench->ctx.arena;
    const char *filters[] = { "4", "'k''9'" };

    for (int key = 11; key < 100; key += 40) {
        const char *vector = question(bench, key);
        struct vector_search search = { .tenant = db_literal(arena, tenant),
            .vector = "$1",
            .limit = "$2",
            .filters = filters,
            .selected = arena_printf(arena, "t.%s", db_ident(arena, target->key)) };
        const char *params[] = { vector, "10" };
        const char *sql = vector_search_sql(arena, target, method, &search);
        struct result truth = brute_force(bench, target, tenant, vector);
        struct result found;
        size_t right;

        if (!db_query(&bench->ctx, bench->db, sql, params, 2, &found))
            fail_msg("%s: %s", bench->ctx.error.message, sql);
        assert_int_equal(truth.rows, LIMIT);
        right = right_ones(&truth, &found);
        /* A graph that is built by chance may have a row that nothing leads to. */
        if (right < (method->family == FAMILY_HNSW ? LIMIT - 1 : LIMIT))
            fail_msg("%s, %s: %zu of %d are right: %s", vector_method_name(arena, method),
                vector_metric_name(target->metric), right, LIMIT, sql);
    }
}

static void
try_target(struct bench *bench, struct vector_target target, const char *tenant)
{
    size_t tried = 0;

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (vector_method_problem(bench->ctx.arena, &target, &methods[i]))
            continue;
        bench_exec(bench, "BEGIN");
        build(bench, &target, &methods[i], tenant);
        if (methods[i].family == FAMILY_HNSW || methods[i].family == FAMILY_IVFFLAT)
            bench_exec(bench, "SET LOCAL enable_sort = off");
        ask(bench, &target, &methods[i], tenant);
        bench_exec(bench, "ROLLBACK");
        tried++;
    }
    assert_true(tried >= 6);
}

static void
every_way_finds_the_right_answers(void **state)
{
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        struct vector_target target = plain_target();

        target.metric = (enum vector_metric)metric;
        try_target(*state, target, "2");
    }
}

static void
names_that_need_quotes_and_missing_vectors(void **state)
{
    try_target(*state, hard_target(), "o'2");
}

/* Beyond what a halfvec can hold, and below: an angle has no length. */
static void
halves_of_any_length(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = plain_target();

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (methods[i].element != ELEMENT_HALF)
            continue;
        bench_exec(bench, "BEGIN");
        bench_exec(bench, "UPDATE public.t SET embedding = embedding OPERATOR(\"Ext\".*)"
                          " pg_catalog.array_fill(CASE WHEN id % 8 < 4 THEN 7e4 ELSE 1e-9 END"
                          "::float4, ARRAY[24])::\"Ext\".vector");
        build(bench, &target, &methods[i], "2");
        ask(bench, &target, &methods[i], "2");
        bench_exec(bench, "ROLLBACK");
    }
}

static void
without_tenant_or_filter(void **state)
{
    static const struct vector_method few[] = { { .family = FAMILY_EXACT },
        { .family = FAMILY_BITS, .candidates = ROWS } };
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_search search = { .vector = db_literal(bench->ctx.arena, question(bench, 5)),
        .limit = "12",
        .selected = "t.id" };
    struct result truth = bench_rows(bench, arena_printf(bench->ctx.arena,
                                                "SELECT embedding OPERATOR(\"Ext\".<=>) %s"
                                                " FROM public.t ORDER BY 1 LIMIT 12",
                                                search.vector));

    target.tenant = NULL;
    target.filters.count = 0;
    for (size_t i = 0; i < COUNT_OF(few); i++) {
        struct result found;

        bench_exec(bench, "BEGIN");
        build(bench, &target, &few[i], NULL);
        found = bench_rows(bench, vector_search_sql(bench->ctx.arena, &target, &few[i], &search));
        assert_int_equal(right_ones(&truth, &found), 12);
        bench_exec(bench, "ROLLBACK");
    }
}

/* K was measured for the target's limit: five times the rows have five times the candidates. */
static void
more_rows_have_more_candidates(void **state)
{
    static const struct vector_method bits = { .family = FAMILY_BITS, .candidates = 15 };
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_search search = { .tenant = "1",
        .vector = db_literal(bench->ctx.arena, question(bench, 5)),
        .selected = "t.id" };

    bench_exec(bench, "BEGIN");
    build(bench, &target, &bits, NULL);
    search.limit = "50";
    assert_int_equal(
        bench_rows(bench, vector_search_sql(bench->ctx.arena, &target, &bits, &search)).rows, 50);
    search.limit = "0";
    assert_int_equal(
        bench_rows(bench, vector_search_sql(bench->ctx.arena, &target, &bits, &search)).rows, 0);
    bench_exec(bench, "ROLLBACK");
}

static void
wrong_dimensions_are_an_error_even_where_no_row_is(void **state)
{
    static const struct vector_method ways[] = { { .family = FAMILY_EXACT },
        { .family = FAMILY_BITS, .candidates = 40 } };
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_search search = {
        .tenant = "-1", .vector = "'[1,2,3]'", .limit = "5", .selected = "t.id"
    };

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        bench_exec(bench, "BEGIN");
        build(bench, &target, &ways[i], NULL);
        bench_fails(bench, vector_search_sql(bench->ctx.arena, &target, &ways[i], &search),
            "expected 24 dimensions, not 3");
        bench_exec(bench, "ROLLBACK");
    }
}

/* An approximate index that somebody made never serves a search that is meant to be exact. */
static void
exact_stays_exact_beside_an_approximate_index(void **state)
{
    static const struct vector_method ways[] = { { .family = FAMILY_SCAN },
        { .family = FAMILY_EXACT }, { .family = FAMILY_BITS, .candidates = 40 } };
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_search search = { .tenant = "1",
        .vector = db_literal(bench->ctx.arena, question(bench, 5)),
        .limit = "5",
        .selected = "t.id" };

    bench_exec(bench,
        "CREATE INDEX other_hnsw ON public.t USING hnsw (embedding \"Ext\".vector_cosine_ops)");
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        const char *sql = vector_search_sql(bench->ctx.arena, &target, &ways[i], &search);
        struct result plan;

        bench_exec(bench, "BEGIN");
        build(bench, &target, &ways[i], NULL);
        bench_exec(bench, "SET LOCAL enable_sort = off");
        bench_exec(bench, "SET LOCAL enable_seqscan = off");
        plan = bench_rows(bench, arena_printf(bench->ctx.arena, "EXPLAIN %s", sql));
        for (size_t row = 0; row < plan.rows; row++)
            assert_null(strstr(result_cell(&plan, row, 0), "other_hnsw"));
        bench_exec(bench, "ROLLBACK");
    }
    bench_exec(bench, "DROP INDEX public.other_hnsw");
}

static const char *
plan_text(struct bench *bench, const char *sql)
{
    struct result plan =
        bench_rows(bench, arena_printf(bench->ctx.arena, "EXPLAIN (COSTS off) %s", sql));
    struct buffer text = { .arena = bench->ctx.arena };

    for (size_t row = 0; row < plan.rows; row++)
        buffer_printf(&text, "%s\n", result_cell(&plan, row, 0));
    return buffer_text(&text);
}

static void
has_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in\n%s", part, text);
}

/* What makes bits fast: the first stage never visits the table, the second only for K rows. */
static void
bits_are_read_from_the_index_alone(void **state)
{
    static const struct vector_method bits = { .family = FAMILY_BITS, .candidates = 60 };
    static const char *const filters[] = { "3" };
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_search search = {
        .tenant = "2", .limit = "10", .selected = "t.id, t.kind", .filters = filters
    };

    bench_exec(bench,
        "CREATE TABLE public.large (id int PRIMARY KEY, tenant int, importance int NOT"
        " NULL, kind text NOT NULL, embedding \"Ext\".vector(400) NOT NULL)");
    bench_exec(bench, "INSERT INTO public.large SELECT g, g % 3, g % 10, 'x',"
                      " pg_catalog.array_fill(g::float4, ARRAY[400])::\"Ext\".vector"
                      " FROM pg_catalog.generate_series(1, 3000) g");
    target.table = "large";
    target.dims = 400;
    build(bench, &target, &bits, NULL);
    bench_exec(bench, "VACUUM (FULL, ANALYZE) public.large");
    bench_exec(bench, "VACUUM public.large");
    search.vector = "pg_catalog.array_fill(7::float4, ARRAY[400])";

    const char *plan =
        plan_text(bench, vector_search_sql(bench->ctx.arena, &target, &bits, &search));

    has_text(plan, "Nested Loop");
    has_text(plan, "Index Only Scan using large_embedding_bits_search on large t");
    has_text(plan, "Index Scan using large_pkey on large t");
    has_text(plan, "Index Cond: ((tenant = 2) AND (importance >= 3))");
    assert_null(strstr(plan, "Seq Scan"));
}

/* The plan for the tenant takes the tenant's own index. */
static void
a_tenant_has_an_index_of_its_own(void **state)
{
    static const struct vector_method partial = { .family = FAMILY_HNSW,
        .scope = SCOPE_TENANT,
        .element = ELEMENT_HALF,
        .m = 16,
        .ef_construction = 64,
        .ef_search = 100 };
    struct bench *bench = *state;
    struct vector_target target = hard_target();
    struct vector_search search = { .tenant = "'o''3'",
        .vector = db_literal(bench->ctx.arena, question(bench, 5)),
        .limit = "5",
        .selected = "t.\"Ключ\"" };
    struct vector_parts parts;

    bench_exec(bench, "BEGIN");
    parts = build(bench, &target, &partial, "o'3");
    bench_exec(bench, "SET LOCAL enable_sort = off");
    has_text(plan_text(bench, vector_search_sql(bench->ctx.arena, &target, &partial, &search)),
        db_ident(bench->ctx.arena, parts.indexes.items[0].name));
    search.tenant = "'o''1'";
    assert_null(
        strstr(plan_text(bench, vector_search_sql(bench->ctx.arena, &target, &partial, &search)),
            parts.indexes.items[0].name));
    bench_exec(bench, "ROLLBACK");
}

/* pgvector says itself when an ivfflat build needs more than it was given. */
static void
the_memory_of_a_build_is_what_pgvector_asks_for(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_method method = { .family = FAMILY_IVFFLAT, .lists = 150 };
    int64_t kb = vector_build_memory(&target, &method, ROWS) / 1024;
    struct vector_parts parts;

    vector_method_parts(bench->ctx.arena, &target, &method, NULL, "", &parts);

    const char *sql = arena_printf(
        bench->ctx.arena, "CREATE INDEX memory ON public.t %s", parts.indexes.items[0].definition);

    bench_exec(bench,
        arena_printf(bench->ctx.arena, "SET maintenance_work_mem = '%ldkB'", (long)(kb * 9 / 10)));
    bench_fails(bench, sql, "memory required is");
    bench_exec(bench,
        arena_printf(bench->ctx.arena, "SET maintenance_work_mem = '%ldkB'", (long)(kb * 11 / 10)));
    bench_exec(bench, sql);
    bench_exec(bench, "DROP INDEX public.memory");
    bench_exec(bench, "RESET maintenance_work_mem");
}

static int
set_up(void **state)
{
    struct bench *bench = bench_new("vector_search", "Ext");

    for (size_t i = 0; i < COUNT_OF(set_up_sql); i++)
        bench_exec(bench, set_up_sql[i]);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_finds_the_right_answers),
        cmocka_unit_test(names_that_need_quotes_and_missing_vectors),
        cmocka_unit_test(halves_of_any_length),
        cmocka_unit_test(without_tenant_or_filter),
        cmocka_unit_test(more_rows_have_more_candidates),
        cmocka_unit_test(wrong_dimensions_are_an_error_even_where_no_row_is),
        cmocka_unit_test(exact_stays_exact_beside_an_approximate_index),
        cmocka_unit_test(bits_are_read_from_the_index_alone),
        cmocka_unit_test(a_tenant_has_an_index_of_its_own),
        cmocka_unit_test(the_memory_of_a_build_is_what_pgvector_asks_for),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
