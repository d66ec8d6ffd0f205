/*
 * What the trial on an empty copy promises is what the server then builds: for every form of
 * CREATE INDEX the planned definition is the index's own, and planning again finds it there.
 */
#include "support/test.h"

#include <unistd.h>

#include "change/plan.h"
#include "db/db.h"
#include "index/plan.h"

struct bench {
    struct ctx ctx;
    const char *database;
    const char *folder;
    struct db *db;
};

static const char *const schema[] = {
    "CREATE SCHEMA \"Own\"",
    "CREATE TYPE \"Own\".mood AS ENUM ('sad', 'glad')",
    "CREATE DOMAIN \"Own\".word AS text CHECK (value <> '')",
    "CREATE COLLATION \"Own\".numeric (provider = icu, locale = 'en-u-kn-true')",
    "CREATE FUNCTION public.half(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2'",
    "CREATE TABLE t (id int PRIMARY KEY, a int, b text, c varchar(20), d timestamptz, e jsonb,"
    " f int[], g tsvector, h \"Own\".mood, i \"Own\".word, j int4range, k inet, l point,"
    " m int GENERATED ALWAYS AS (a * 2) STORED, \"N n\" text, o numeric(10, 2), p uuid, q date)",
    "INSERT INTO t (id, a, b, c, o) SELECT g, g % 7, g::text, 'x', g FROM generate_series(1, 50) g",
    "CREATE TABLE \"Own\".\"T\" (LIKE t INCLUDING ALL)",
    "CREATE MATERIALIZED VIEW v AS SELECT id, a, b FROM t",
    "CREATE TABLE part (a int, b int) PARTITION BY RANGE (a)",
    "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10)",
};

/* What follows CREATE [UNIQUE] INDEX CONCURRENTLY x. */
static const char *const forms[] = {
    "ON t (a)",
    "ON public.t USING btree (a DESC, b ASC NULLS FIRST)",
    "ON t (b text_pattern_ops, c varchar_pattern_ops)",
    "ON t (b COLLATE \"C\", c COLLATE \"Own\".numeric DESC NULLS LAST)",
    "ON t (a) INCLUDE (b, \"N n\")",
    "ON t (a) WHERE b IS NOT NULL AND h = 'glad'",
    "ON t (a) WHERE d > '2026-01-01 00:00+00'::timestamptz",
    "ON t (a) WHERE c IN ('x', 'y') OR c LIKE 'z%'",
    "ON t (lower(b), upper(c::text))",
    "ON t ((a + 1), (coalesce(b, '') || c))",
    "ON t ((o * 2)) WITH (fillfactor = 70, deduplicate_items = off)",
    "ON t (half(a))",
    "ON t (public.half(a)) WHERE half(a) > 3",
    "ON t (date_trunc('day', d AT TIME ZONE 'UTC'))",
    "ON t ((e ->> 'name'), ((e -> 'n')::int))",
    "ON t USING gin (e jsonb_path_ops)",
    "ON t USING gin (e, f) WITH (fastupdate = off)",
    "ON t USING gin (to_tsvector('russian', b))",
    "ON t USING gin (g)",
    "ON t USING gist (j, l) WITH (buffering = auto)",
    "ON t USING gist (k inet_ops)",
    "ON t USING spgist (l quad_point_ops)",
    "ON t USING hash (p)",
    "ON t USING brin (d timestamptz_minmax_ops, q) WITH (pages_per_range = 32)",
    "ON t (h, i)",
    "ON t (m)",
    "ON t ((t.a + t.id))",
    "ON t (\"N n\", (\"N n\" || '\"'))",
    "ON t ((CASE WHEN a > 3 THEN b ELSE c END))",
    "ON t ((b ~ '^x\\.y'))",
    "ON t (a) TABLESPACE pg_default",
    "ON t (a) WITH (fillfactor = 80) TABLESPACE pg_default WHERE a > 1",
    "ON \"Own\".\"T\" (a, \"N n\")",
    "ON \"Own\" . \"T\" ((a % 3)) WHERE \"N n\" <> ''",
    "ON v (a)",
    "ON part_1 (b)",
    "ON t (id, b) INCLUDE (a) WHERE (a IS NOT NULL)",
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

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "index_plan_%d", (int)getpid());
    bench->folder = test_folder(&bench->ctx);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_to(bench, bench->database);
    must(bench, db_set(&bench->ctx, bench->db, "search_path", "public"));
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        must(bench, db_exec(&bench->ctx, bench->db, schema[i]));
    must(bench, db_set(&bench->ctx, bench->db, "search_path", "pg_catalog, pg_temp"));
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;

    db_cleanup(&bench->db);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    db_cleanup(&admin);
    must(bench, file_remove(&bench->ctx, bench->folder));
    arena_free(bench->ctx.arena);
    return 0;
}

static struct plan
plan_of(struct bench *bench, const char *text)
{
    const char *path = file_join(bench->ctx.arena, bench->folder, "x.sql");
    struct index_script script = { 0 };
    struct plan plan;

    must(bench, file_write(&bench->ctx, path, text, strlen(text), 0600));
    must(bench, index_script_read(&bench->ctx, path, &script));
    must(bench, index_plan(&bench->ctx, bench->db, &script, &plan));
    return plan;
}

static enum change_action
action_of(struct bench *bench, const char *head, const char *name, const char *form)
{
    return plan_of(bench, arena_printf(bench->ctx.arena, "%s %s %s;", head, name, form))
        .items[0]
        .action;
}

static void
build_and_compare(struct bench *bench, const char *head, const char *form)
{
    struct plan plan = plan_of(bench, arena_printf(bench->ctx.arena, "%s x %s;", head, form));
    const struct change *change = &plan.items[0];

    if (change->action != ACTION_CREATE)
        fail_msg("%s: %s", form, change->problem);
    must(bench, db_exec(&bench->ctx, bench->db, change->statement));
    if (action_of(bench, head, "x", form) != ACTION_NONE)
        fail_msg("%s: built, and planning again does not find it", change->statement);
    if (action_of(bench, head, "y", form) != ACTION_EQUIVALENT)
        fail_msg("%s: built, and not found under another name", change->statement);
    must(bench, db_exec(&bench->ctx, bench->db, change->undo));
    if (action_of(bench, head, "x", form) != ACTION_CREATE)
        fail_msg("%s: not undone", change->statement);
}

static void
what_is_planned_is_what_is_built(void **state)
{
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        build_and_compare(*state, "CREATE INDEX CONCURRENTLY", forms[i]);
}

static void
unique_ones_too(void **state)
{
    static const char *const unique[] = { "ON t (id, a)", "ON t (id DESC, b) WHERE a > 2",
        "ON t ((id + 0), lower(b))", "ON t (id, (a % 2)) INCLUDE (c)", "ON v (id)" };

    for (size_t i = 0; i < COUNT_OF(unique); i++)
        build_and_compare(*state, "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS", unique[i]);
}

static void
nulls_not_distinct_since_15(void **state)
{
    struct bench *bench = *state;

    if (db_major(bench->db) < 15)
        skip();
    build_and_compare(bench, "CREATE UNIQUE INDEX", "ON t (id) NULLS NOT DISTINCT WHERE id > 1");
}

static void
pgvector_ones_where_it_is(void **state)
{
    static const char *const vectors[] = {
        "ON w USING ivfflat (v vector_cosine_ops) WITH (lists = 4) WHERE id > 1",
        "ON w USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 32)",
    };
    struct bench *bench = *state;

    if (!db_exec(&bench->ctx, bench->db, "CREATE EXTENSION vector SCHEMA public"))
        skip();
    must(bench,
        db_exec(&bench->ctx, bench->db, "CREATE TABLE public.w (id int, v public.vector(3))"));
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        build_and_compare(bench, "CREATE INDEX CONCURRENTLY", vectors[i]);
}

/* The query that looks for duplicates finds them exactly where the server would refuse the index. */
static void
duplicates_are_found_where_the_server_finds_them(void **state)
{
    static const char *const unique[] = { "ON u (a)", "ON u (a, b)", "ON u (a) WHERE a > 1",
        "ON u (a) WHERE a < 3", "ON u (b)", "ON u (lower(b))", "ON u ((a % 2), b)", "ON u (n)",
        "ON u (n, a)", "ON u (b) WHERE n IS NULL", "ON u (b COLLATE \"C\")" };
    struct bench *bench = *state;

    must(bench, db_exec(&bench->ctx, bench->db, "CREATE TABLE public.u (a int, b text, n int)"));
    must(bench, db_exec(&bench->ctx, bench->db,
                    "INSERT INTO public.u VALUES (1, 'x', NULL), (2, 'X', NULL), (3, 'y', NULL),"
                    " (3, 'z', 1)"));
    for (size_t i = 0; i < COUNT_OF(unique); i++) {
        struct plan plan =
            plan_of(bench, arena_printf(bench->ctx.arena, "CREATE UNIQUE INDEX x %s", unique[i]));
        const char *key;
        bool is_built;

        must(bench, plan.items[0].action == ACTION_CREATE);
        must(bench, db_value(&bench->ctx, bench->db, plan.items[0].duplicates, NULL, 0, &key));
        is_built = db_exec(&bench->ctx, bench->db, plan.items[0].statement);
        if (is_built != (key == NULL))
            fail_msg("%s: the query says %s, the server %s", unique[i], key ? key : "no duplicates",
                is_built ? "built it" : "refused");
        must(bench, db_exec(&bench->ctx, bench->db, "DROP INDEX IF EXISTS public.x"));
    }
}

static void
planning_leaves_nothing_behind(void **state)
{
    static const char count[] =
        "SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class)"
        " || ' ' || (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks AS l"
        " WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'"
        " AND l.relation >= 16384) || ' ' || pg_catalog.current_setting('search_path')";
    struct bench *bench = *state;
    const char *before;
    const char *after;

    must(bench, db_value(&bench->ctx, bench->db, count, NULL, 0, &before));
    plan_of(bench, "CREATE INDEX x ON t (a); CREATE INDEX y ON t (nothing);"
                   "CREATE INDEX z ON missing (a);");
    must(bench, db_value(&bench->ctx, bench->db, count, NULL, 0, &after));
    assert_string_equal(after, before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_planned_is_what_is_built),
        cmocka_unit_test(unique_ones_too),
        cmocka_unit_test(nulls_not_distinct_since_15),
        cmocka_unit_test(pgvector_ones_where_it_is),
        cmocka_unit_test(duplicates_are_found_where_the_server_finds_them),
        cmocka_unit_test(planning_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
