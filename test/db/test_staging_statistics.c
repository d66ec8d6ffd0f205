/*
 * The planner reckons the same on a private server without rows as in the database whose statistics, sizes
 * and settings it was given: the database itself, with real rows and indexes, is the reference.
 */
#include "support/test.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/explain.h"
#include "staging/schema_load.h"
#include "staging/statistics.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *live;
    struct private_server *server;
    struct db *scratch;
    struct text_list notes;
    struct text_list left_out;
};

/* Sizes are such that an index of each kind is worth using and has several levels. */
static const char *const schema[] = {
    "CREATE EXTENSION pg_trgm",
    "CREATE EXTENSION vector",
    "CREATE EXTENSION btree_gin",
    "CREATE TYPE mood AS ENUM ('sad', 'glad', 'mad')",
    "CREATE DOMAIN small AS int CHECK (value >= 0)",
    "CREATE TABLE away (x int)",
    "CREATE TABLE t (id bigint PRIMARY KEY, gone int, a int, b text, c timestamptz, m mood, s small,"
    " tags int[], doc jsonb, words tsvector, part int, r int4range, u uuid, n numeric)",
    "ALTER TABLE t DROP COLUMN gone",
    "INSERT INTO t SELECT g, g % 1000, md5((g % 20000)::text), '2026-01-01'::timestamptz + g * interval '1 min',"
    " (CASE WHEN g % 50 = 0 THEN 'mad' WHEN g % 3 = 0 THEN 'sad' ELSE 'glad' END)::mood, g % 40,"
    " ARRAY[g % 100, g % 7, g % 1001], jsonb_build_object('k', g % 500, 'v', md5((g % 300)::text)),"
    " to_tsvector('english', 'word' || g % 300 || ' other' || g % 7), g % 20, int4range(g, g + g % 100),"
    " md5(g::text)::uuid, g / 7.0 FROM generate_series(1, 60000) g",
    "CREATE INDEX t_a_c ON t (a, c DESC)",
    "CREATE INDEX t_b ON t (b text_pattern_ops)",
    "CREATE INDEX t_c ON t (c) INCLUDE (a)",
    "CREATE INDEX t_mad ON t (c) WHERE m = 'mad'",
    "CREATE INDEX t_lower ON t (lower(b))",
    "CREATE INDEX t_upper ON t (left(b, 3), a) WHERE part < 5",
    "CREATE INDEX t_u ON t USING hash (u)",
    "CREATE INDEX t_trgm ON t USING gin (b gin_trgm_ops)",
    "CREATE INDEX t_doc ON t USING gin (doc jsonb_path_ops)",
    "CREATE INDEX t_tags ON t USING gin (tags)",
    "CREATE INDEX t_words ON t USING gin (words)",
    "CREATE INDEX t_english ON t USING gin (to_tsvector('english', b))",
    "CREATE INDEX t_brin ON t USING brin (c) WITH (pages_per_range = 16)",
    "CREATE INDEX t_r ON t USING gist (r)",
    "CREATE STATISTICS t_ext (ndistinct, dependencies, mcv) ON a, part FROM t",
    "CREATE TABLE v (id int PRIMARY KEY, o int, e vector(16))",
    "INSERT INTO v SELECT g, g % 10, (SELECT array_agg(random())::vector FROM generate_series(1, 16) WHERE g > 0)"
    " FROM generate_series(1, 3000) g",
    "CREATE INDEX v_e ON v USING hnsw (e vector_l2_ops)",
    "CREATE TABLE p (id int, at date, k int, PRIMARY KEY (at, id)) PARTITION BY RANGE (at)",
    "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
    "INSERT INTO p SELECT g, '2026-01-01'::date + g % 59, g % 200 FROM generate_series(1, 30000) g",
    "CREATE INDEX p_k ON p (k)",
    "CREATE TABLE child (id bigint PRIMARY KEY, t_id bigint REFERENCES t, x int)",
    "INSERT INTO child SELECT g, g % 30000 + 1, g % 10 FROM generate_series(1, 90000) g",
    "CREATE INDEX child_t ON child (t_id)",
    "CREATE MATERIALIZED VIEW mv AS SELECT id, a FROM t WHERE a < 500",
    "CREATE INDEX mv_a ON mv (a)",
    "CREATE TABLE old (id int, x int)",
    "CREATE TABLE young () INHERITS (old)",
    "INSERT INTO young SELECT g, g % 100 FROM generate_series(1, 20000) g",
    "CREATE INDEX young_x ON young (x)",
    "CREATE VIEW seen AS SELECT t.id, t.a, child.x FROM t JOIN child ON child.t_id = t.id",
};

/* Some pages are not all visible afterwards. No rows in the pending lists of GIN: they come and go. */
static const char *const after[] = {
    "VACUUM (ANALYZE)",
    "DELETE FROM t WHERE id % 10 = 3 AND id > 45000",
    "ANALYZE",
};

struct expected {
    const char *sql;
    double tolerance; /* relative */
};

/*
 * 0.1 % is room for rounding alone. GIN's meta page counts entries that no view shows, so that the planner takes
 * what it takes for an index that was never vacuumed: 5 %.
 */
static const struct expected expected[] = {
    { "SELECT * FROM t", 0.001 },
    { "SELECT * FROM t WHERE id = 77", 0.001 },
    { "SELECT * FROM t WHERE id IN (1, 2, 3, 500, 10000)", 0.001 },
    { "SELECT * FROM t WHERE a = 5", 0.001 },
    { "SELECT * FROM t WHERE a = 5 AND c > '2026-01-20'", 0.001 },
    { "SELECT * FROM t WHERE a = 5 ORDER BY c DESC LIMIT 10", 0.001 },
    { "SELECT * FROM t WHERE a = 5 AND part = 5", 0.001 },
    { "SELECT a, part, count(*) FROM t GROUP BY a, part", 0.001 },
    { "SELECT * FROM t WHERE b LIKE 'abc%'", 0.001 },
    { "SELECT * FROM t WHERE b = md5('17')", 0.001 },
    { "SELECT c, a FROM t WHERE c BETWEEN '2026-01-10' AND '2026-01-11'", 0.001 },
    { "SELECT c FROM t WHERE m = 'mad' AND c < '2026-01-20' ORDER BY c", 0.001 },
    { "SELECT * FROM t WHERE m = 'mad'", 0.001 },
    { "SELECT * FROM t WHERE lower(b) = 'x'", 0.001 },
    { "SELECT * FROM t WHERE lower(b) > 'fe'", 0.001 },
    { "SELECT * FROM t WHERE left(b, 3) = 'abc' AND part < 5", 0.001 },
    { "SELECT * FROM t WHERE u = md5('9')::uuid", 0.001 },
    { "SELECT * FROM t WHERE s = 7 AND a < 20", 0.001 },
    { "SELECT * FROM t WHERE n > 8000", 0.001 },
    { "SELECT * FROM t WHERE b ILIKE '%abcd%'", 0.05 },
    { "SELECT * FROM t WHERE doc @> '{\"k\": 7}'", 0.05 },
    { "SELECT * FROM t WHERE tags @> ARRAY[77, 1000]", 0.05 },
    { "SELECT * FROM t WHERE words @@ to_tsquery('english', 'word77')", 0.05 },
    { "SELECT * FROM t WHERE to_tsvector('english', b) @@ to_tsquery('english', 'x')", 0.05 },
    { "SELECT * FROM v ORDER BY e <-> '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]' LIMIT 5", 0.001 },
    { "SELECT * FROM v WHERE o = 3", 0.001 },
    { "SELECT * FROM p WHERE k = 5", 0.001 },
    { "SELECT * FROM p WHERE at = '2026-01-05' AND id = 4", 0.001 },
    { "SELECT count(*) FROM p WHERE k < 20", 0.001 },
    { "SELECT * FROM seen WHERE a = 3", 0.001 },
    { "SELECT * FROM child JOIN t ON t.id = child.t_id WHERE child.x = 3", 0.001 },
    { "SELECT * FROM t WHERE EXISTS (SELECT FROM child WHERE child.t_id = t.id) AND a < 10",
        0.001 },
    { "SELECT * FROM mv WHERE a = 7", 0.001 },
    { "SELECT * FROM old WHERE x = 7", 0.001 },
    { "SELECT x, count(*) FROM old GROUP BY x", 0.001 },
    { "UPDATE t SET n = 1 WHERE a = 5 AND c > '2026-01-20'", 0.001 },
    { "DELETE FROM child WHERE t_id = 50", 0.001 },
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
carry(struct bench *bench)
{
    struct text_list notes = { 0 };
    struct dump_tools tools;
    const struct private_server_options options = { .major = db_major(bench->live),
        .like = bench->live };

    must(bench,
        dump_tools_find(&bench->ctx, NULL, db_major(bench->live), &tools, &notes) &&
            private_server_start(&bench->ctx, &options, &bench->server, &bench->notes) &&
            private_server_open(&bench->ctx, bench->server, "copy", &bench->scratch) &&
            schema_load_from(&bench->ctx, bench->scratch, bench->live, &tools, &bench->left_out) &&
            statistics_carry(
                &bench->ctx, bench->live, bench->server, bench->scratch, &bench->notes) &&
            statistics_carry_settings(&bench->ctx, bench->live, bench->scratch) &&
            db_set(&bench->ctx, bench->scratch, "search_path", "public"));
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "staging_statistics_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)) &&
            db_exec(&bench->ctx, admin,
                arena_printf(
                    arena, "ALTER DATABASE %s SET random_page_cost = 1.7", bench->database)));
    bench->live = connect_to(bench, bench->database);
    must(bench, db_set(&bench->ctx, bench->live, "search_path", "public"));
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        must(bench, db_exec(&bench->ctx, bench->live, schema[i]));
    for (size_t i = 0; i < COUNT_OF(after); i++)
        must(bench, db_exec(&bench->ctx, bench->live, after[i]));
    carry(bench);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    db_cleanup(&bench->live);
    db_cleanup(&bench->scratch);
    private_server_cleanup(&bench->server);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    db_cleanup(&admin);
    arena_free(bench->ctx.arena);
    return 0;
}

static double
cost_of(struct bench *bench, struct db *db, const char *sql, struct text_list *ret_indexes)
{
    struct explain_plan plan;
    const char *json;

    must(bench,
        db_value(&bench->ctx, db, arena_printf(bench->ctx.arena, "EXPLAIN (FORMAT JSON) %s", sql),
            NULL, 0, &json) &&
            explain_read(&bench->ctx, json, &plan));
    *ret_indexes = plan.indexes;
    return plan.cost;
}

static void
test_same_costs(void **state)
{
    struct bench *bench = *state;
    size_t bad = 0;

    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        struct text_list live_indexes;
        struct text_list scratch_indexes;
        double live = cost_of(bench, bench->live, expected[i].sql, &live_indexes);
        double scratch = cost_of(bench, bench->scratch, expected[i].sql, &scratch_indexes);
        const char *live_names = text_list_join(bench->ctx.arena, &live_indexes, " ");
        const char *names = text_list_join(bench->ctx.arena, &scratch_indexes, " ");
        double difference = fabs(scratch / live - 1);

        print_message("# %+8.4f %% %10.2f %10.2f %s: %s\n", (scratch / live - 1) * 100, live,
            scratch, names, expected[i].sql);
        if (difference <= expected[i].tolerance && text_equal(live_names, names))
            continue;
        bad++;
        print_message("# differs: %s, there %s\n", expected[i].sql, live_names);
    }
    assert_int_equal(bad, 0);
}

/* Bytes on disk of a folder's files; holes do not count. */
static int64_t
disk_use(struct bench *bench, const char *folder)
{
    struct text_list names;
    int64_t bytes = 0;
    struct stat info;

    must(bench, file_list(&bench->ctx, folder, &names));
    for (size_t i = 0; i < names.count; i++) {
        const char *path = file_join(bench->ctx.arena, folder, names.items[i]);

        if (lstat(path, &info) == 0 && S_ISREG(info.st_mode))
            bytes += (int64_t)info.st_blocks * 512;
    }
    return bytes;
}

static int64_t
number(struct bench *bench, const char *sql)
{
    const char *text;
    int64_t value;

    must(bench, db_value(&bench->ctx, bench->scratch, sql, NULL, 0, &text));
    assert_non_null(text);
    assert_true(text_to_int64(text, &value));
    return value;
}

/* Three gigabytes are four files, cost nothing, and go again; the planner's price is a page for a page. */
static void
test_large_and_sparse(void **state)
{
    struct bench *bench = *state;
    struct text_list none;
    const char *folder = file_join(bench->ctx.arena, private_server_data(bench->server),
        arena_printf(bench->ctx.arena, "base/%lld",
            (long long)number(
                bench, "SELECT oid::text FROM pg_database WHERE datname = current_database()")));
    int64_t before = disk_use(bench, folder);
    double small = cost_of(bench, bench->scratch, "SELECT * FROM v", &none);
    int64_t blocks = number(bench, "SELECT (pg_relation_size('v') / 8192)::text");

    must(bench,
        statistics_set_blocks(&bench->ctx, bench->server, bench->scratch, "public", "v", 400000));
    assert_int_equal(number(bench, "SELECT (pg_relation_size('v') / 8192)::text"), 400000);
    assert_true(fabs(cost_of(bench, bench->scratch, "SELECT * FROM v", &none) / small /
                         (400000.0 / (double)blocks) -
                     1) < 0.001);
    assert_true(disk_use(bench, folder) - before < 1 << 20);
    must(bench,
        statistics_set_blocks(&bench->ctx, bench->server, bench->scratch, "public", "v", blocks));
    assert_true(fabs(cost_of(bench, bench->scratch, "SELECT * FROM v", &none) - small) < 0.01);
    print_message("# %lld kB on disk\n", (long long)before / 1024);
}

/* Who may not read a table is told so; who may read all needs no superuser. */
static void
test_without_superuser(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *role = arena_printf(arena, "statistics_%d", (int)getpid());
    const struct db_options options = {
        .url = arena_printf(arena, "user=%s dbname=%s", role, bench->database),
        .application = "test",
        .access = ACCESS_READ,
    };
    static const char sql[] = "SELECT * FROM t WHERE a = 5 AND c > '2026-01-20'";
    struct db *poor = NULL;
    struct text_list told = { 0 };
    struct text_list none;
    double live = cost_of(bench, bench->live, sql, &none);

    must(bench,
        db_exec(&bench->ctx, bench->live, arena_printf(arena, "CREATE ROLE %s LOGIN", role)));
    must(bench, db_open(&bench->ctx, &options, &poor));
    must(bench, statistics_carry(&bench->ctx, poor, bench->server, bench->scratch, &told));
    assert_non_null(strstr(text_list_join(arena, &told, "; "), "may not read the statistics"));
    assert_true(fabs(cost_of(bench, bench->scratch, sql, &none) / live - 1) > 0.01);

    told = (struct text_list){ 0 };
    must(bench, db_exec(&bench->ctx, bench->live,
                    arena_printf(arena, "GRANT pg_read_all_data TO %s", role)));
    must(bench, statistics_carry(&bench->ctx, poor, bench->server, bench->scratch, &told));
    assert_null(strstr(text_list_join(arena, &told, "; "), "may not read the statistics of"));
    assert_true(fabs(cost_of(bench, bench->scratch, sql, &none) / live - 1) < 0.001);
    db_cleanup(&poor);
    must(bench, db_exec(&bench->ctx, bench->live, arena_printf(arena, "DROP ROLE %s", role)));
}

static void
test_told(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench->left_out.count, 0);
    /* From 17 on a view shows what the server knows of ranges. */
    if (db_major(bench->live) >= 17) {
        assert_int_equal(bench->notes.count, 0);
        return;
    }
    assert_int_equal(bench->notes.count, 1);
    assert_non_null(strstr(bench->notes.items[0], "statistics of ranges"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_same_costs),
        cmocka_unit_test(test_large_and_sparse),
        cmocka_unit_test(test_without_superuser),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
