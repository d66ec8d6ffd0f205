/* What facts say is what the server says: of sizes, rows, statistics, indexes, rights. */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "db/db.h"
#include "index/facts/facts.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *db;
};

static const char *const schema[] = {
    "CREATE SCHEMA \"Own\"",
    "CREATE SCHEMA pgmend",
    "CREATE TABLE pgmend.journal (a int)",
    "CREATE EXTENSION pg_trgm SCHEMA \"Own\"",
    "CREATE DOMAIN public.word AS varchar(40)",
    "CREATE DOMAIN public.short AS public.word",
    "CREATE TYPE public.mood AS ENUM ('sad', 'glad')",
    "CREATE TABLE t (id int PRIMARY KEY, kind text, note public.short, \"At\" timestamptz NOT NULL,"
    " body jsonb, list int[], feeling mood, plain text COLLATE \"C\", place point, fixed char(12))"
    " WITH (fillfactor = 80)",
    "INSERT INTO t SELECT g, CASE WHEN g % 10 < 7 THEN 'it''s, \"so\"' ELSE NULL END, 'n' || g % 50,"
    " '2026-01-01'::timestamptz + g * interval '1 min', '{}', ARRAY[g % 3], 'sad', 'p' || g"
    " FROM generate_series(1, 20000) AS g",
    ("CREATE INDEX t_lower ON t (lower(kind), \"At\" DESC NULLS LAST) INCLUDE (id) WITH (fillfactor = 70)"
     " WHERE note IS NOT NULL"),
    "CREATE INDEX t_like ON t (plain text_pattern_ops, note COLLATE \"POSIX\")",
    "CREATE UNIQUE INDEX t_whole ON t (id, (t IS NULL))",
    "ALTER TABLE t ADD CONSTRAINT t_once UNIQUE (\"At\", id)",
    "CREATE TABLE never (a int, b varchar(20), c text)",
    "INSERT INTO never SELECT g, g::text, 'x' FROM generate_series(1, 3000) AS g",
    "CREATE TABLE tiny (a int)",
    "INSERT INTO tiny VALUES (1)",
    "CREATE TABLE \"Own\".\"T x\" (a int REFERENCES t (id), b int, c int)",
    "CREATE TABLE pair (x int, y int, PRIMARY KEY (x, y))",
    "ALTER TABLE \"Own\".\"T x\" ADD CONSTRAINT two FOREIGN KEY (c, b) REFERENCES pair (x, y)",
    "CREATE TABLE part (a int, b int) PARTITION BY RANGE (a)",
    "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20) PARTITION BY LIST (a)",
    "CREATE TABLE part_2_1 PARTITION OF part_2 DEFAULT",
    "CREATE INDEX part_b ON part (b)",
    "INSERT INTO part SELECT g % 20, g FROM generate_series(1, 10000) AS g",
    "CREATE TABLE secret (a int, b text)",
    "INSERT INTO secret SELECT g, g FROM generate_series(1, 100) AS g",
    "CREATE UNLOGGED TABLE light (a int)",
    "ANALYZE t",
    "ANALYZE part",
    "ANALYZE part_2",
    "ANALYZE secret",
    "INSERT INTO t SELECT g FROM generate_series(20001, 20000) AS g",
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
    bench->database = arena_printf(arena, "index_facts_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));

    /* A session hands its counts over at the latest when it ends. */
    struct db *maker CLEANUP(db_cleanup) = connect_to(bench, bench->database);

    must(bench, db_set(&bench->ctx, maker, "search_path", "public"));
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        must(bench, db_exec(&bench->ctx, maker, schema[i]));
    db_cleanup(&maker);
    bench->db = connect_to(bench, bench->database);
    must(bench, db_exec(&bench->ctx, bench->db, "CREATE TEMPORARY TABLE gone (a int)"));
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
    arena_free(bench->ctx.arena);
    return 0;
}

static const char *
ask(struct bench *bench, const char *sql)
{
    const char *value;

    must(bench, db_value(&bench->ctx, bench->db, sql, NULL, 0, &value));
    return value ? arena_strdup(bench->ctx.arena, value) : NULL;
}

static double
ask_number(struct bench *bench, const char *sql)
{
    const char *text = ask(bench, sql);
    double number = 0;

    assert_non_null(text);
    assert_true(text_to_double(text, &number));
    return number;
}

static struct facts
load(struct bench *bench)
{
    struct facts_options options = { .has_values = true };
    struct facts facts;

    must(bench, facts_load(&bench->ctx, bench->db, &options, &facts));
    return facts;
}

static const struct fact_index *
find_index(const struct fact_table *table, const char *name)
{
    for (size_t i = 0; i < table->index_count; i++)
        if (strcmp(table->indexes[i].name, name) == 0)
            return &table->indexes[i];
    fail_msg("no index %s", name);
    return NULL;
}

static void
test_tables(void **state)
{
    struct bench *bench = *state;
    struct facts facts = load(bench);

    assert_int_equal(facts.count,
        (size_t)ask_number(bench,
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r','p') AND n.nspname IN ('public', 'Own')"));
    assert_null(facts_table(&facts, "pgmend", "journal"));
    assert_null(facts_table(&facts, "pg_catalog", "pg_class"));
    assert_string_equal(facts.trgm_schema, "Own");
    assert_true(facts.can_have_trgm);
    assert_null(facts.gin_schema);
    assert_int_equal(facts.unreadable, 0);

    const struct fact_table *t = facts_table(&facts, "public", "t");

    assert_non_null(t);
    assert_ptr_equal(map_get(&facts.by_name, "public.t"), t);
    assert_string_equal(facts_table(&facts, "Own", "T x")->qualified, "\"Own\".\"T x\"");
    assert_int_equal(t->bytes, (int64_t)ask_number(bench, "SELECT pg_relation_size('public.t')"));
    assert_int_equal(t->fillfactor, 80);
    assert_int_equal(t->column_count, 10);
    assert_true(t->may_read && t->analyzed_at);
    assert_true(facts_table(&facts, "public", "light")->is_unlogged);
    assert_true(facts_table(&facts, "public", "never")->rows < 0);
    assert_null(facts_table(&facts, "public", "never")->analyzed_at);
    assert_true(t->inserts >= 20000);
}

/* The planner itself says how many rows it takes a table to have. */
static void
test_rows(void **state)
{
    static const char *const names[] = { "t", "never", "tiny", "part", "part_1", "light", "pair" };
    struct bench *bench = *state;

    /* Half as much again since the last count, so that scaling shows. */
    must(bench, db_exec(&bench->ctx, bench->db,
                    "INSERT INTO public.t SELECT g, 'later', 'n', now() + g * interval '1 s'"
                    " FROM generate_series(100001, 110000) AS g"));

    struct facts facts = load(bench);

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct fact_table *table = facts_table(&facts, "public", names[i]);
        const char *plan =
            ask(bench, arena_printf(bench->ctx.arena,
                           "EXPLAIN (FORMAT JSON) SELECT * FROM public.%s", names[i]));
        const char *rows = strstr(plan, "\"Plan Rows\": ");
        double wanted;

        assert_non_null(rows);
        wanted = strtod(rows + strlen("\"Plan Rows\": "), NULL);
        if (fabs(table->planner_rows - wanted) > 1)
            fail_msg("%s: %.0f rows, the planner has %.0f", names[i], table->planner_rows, wanted);
    }
    assert_true(facts_table(&facts, "public", "t")->rows > 22000);
}

static void
test_columns(void **state)
{
    struct bench *bench = *state;
    struct facts facts = load(bench);
    const struct fact_table *t = facts_table(&facts, "public", "t");
    const struct fact_column *kind = facts_column(t, "kind");

    assert_null(facts_column(t, "Kind"));
    assert_true(kind->has_statistics && !kind->is_not_null && kind->has_btree);
    assert_true(fabs(kind->null_share - 0.3) < 0.02);
    assert_int_equal(kind->common_count, 1);
    assert_string_equal(kind->common[0], "it's, \"so\"");
    assert_true(fabs(kind->common_shares[0] - 0.7) < 0.02);

    const struct fact_column *at = facts_column(t, "At");

    assert_true(at->is_not_null && at->bound_count == 101);
    assert_string_equal(at->bounds[100],
        ask(bench,
            "SELECT (histogram_bounds::text::text[])[101] FROM pg_stats WHERE tablename = 't' AND attname = "
            "'At'"));
    assert_true(fabs(at->distinct - t->planner_rows) < 1);

    const struct fact_column *note = facts_column(t, "note");

    assert_string_equal(note->base_type, "varchar");
    assert_string_equal(note->type, "public.short");
    assert_true(note->has_btree && fabs(note->distinct - 50) < 0.5);
    assert_true(facts_column(t, "feeling")->has_btree);
    assert_true(facts_column(t, "list")->has_btree);
    assert_false(facts_column(t, "place")->has_btree);
    assert_true(facts_column(t, "plain")->has_c_collation);
    assert_int_equal(facts_column(t, "list")->category, 'A');
    assert_int_equal(facts_column(t, "id")->type_length, 4);
    assert_string_equal(facts_column(t, "fixed")->type, "character(12)");
    assert_false(facts_column(facts_table(&facts, "public", "never"), "a")->has_statistics);
    assert_true(facts_column(facts_table(&facts, "public", "part"), "b")->has_statistics);
}

static void
test_indexes(void **state)
{
    struct bench *bench = *state;
    struct facts facts = load(bench);
    const struct fact_table *t = facts_table(&facts, "public", "t");
    const struct fact_index *lower = find_index(t, "t_lower");

    assert_int_equal(t->index_count, 5);
    assert_int_equal(lower->key_count, 2);
    assert_int_equal(lower->include_count, 1);
    assert_string_equal(lower->keys[0].text, "lower(kind)");
    assert_null(lower->keys[0].column);
    assert_string_equal(lower->keys[1].text, "\"At\"");
    assert_string_equal(lower->keys[1].column, "At");
    assert_true(lower->keys[1].is_descending && !lower->keys[1].is_nulls_first);
    assert_string_equal(lower->include[0].text, "id");
    assert_string_equal(lower->predicate, "(note IS NOT NULL)");
    assert_string_equal(lower->options, "fillfactor=70");
    assert_string_equal(text_list_join(bench->ctx.arena, &lower->columns, " "), "id kind note At");
    assert_true(lower->is_valid && !lower->is_unique);
    assert_int_equal(
        lower->bytes, (int64_t)ask_number(bench, "SELECT pg_relation_size('public.t_lower')"));

    const char *whole = ask(bench, "SELECT pg_get_indexdef('public.t_lower'::regclass)");

    assert_true(text_ends_with(whole, lower->definition));
    assert_true(text_starts_with(lower->definition, "USING btree (lower(kind)"));

    const struct fact_index *like = find_index(t, "t_like");

    assert_string_equal(like->keys[0].opclass, "text_pattern_ops");
    assert_false(like->keys[0].is_default_class);
    assert_string_equal(like->keys[0].collation, "");
    assert_string_equal(like->keys[1].collation, "\"POSIX\"");
    assert_true(find_index(t, "t_pkey")->is_constraint && find_index(t, "t_pkey")->is_primary);
    assert_true(find_index(t, "t_once")->is_constraint);
    assert_int_equal(find_index(t, "t_once")->columns.count, 2);
    assert_false(like->is_constraint);
    assert_true(facts_table(&facts, "public", "part_1")->indexes[0].is_partition_of);
    assert_string_equal(facts_table(&facts, "public", "part_2_1")->parent, "public.part_2");
}

static void
test_foreign_keys(void **state)
{
    struct bench *bench = *state;
    struct facts facts = load(bench);
    const struct fact_table *table = facts_table(&facts, "Own", "T x");

    assert_int_equal(table->foreign_key_count, 2);
    assert_string_equal(table->foreign_keys[0].target, "public.t");
    assert_string_equal(table->foreign_keys[1].name, "two");
    assert_string_equal(
        text_list_join(bench->ctx.arena, &table->foreign_keys[1].columns, ","), "c,b");
}

/* A role that may read one table of all learns sizes of all and statistics of that one. */
static void
test_rights(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *role = arena_printf(arena, "facts_reader_%d", (int)getpid());
    struct facts facts;
    struct facts_options options = { .has_values = true };

    must(bench, db_exec(&bench->ctx, bench->db, arena_printf(arena, "CREATE ROLE %s", role)));
    must(bench, db_exec(&bench->ctx, bench->db,
                    arena_printf(arena, "GRANT SELECT ON public.t TO %s", role)));
    must(bench,
        db_exec(&bench->ctx, bench->db, arena_printf(arena, "SET SESSION AUTHORIZATION %s", role)));

    bool is_good = facts_load(&bench->ctx, bench->db, &options, &facts);

    must(bench, db_exec(&bench->ctx, bench->db, "RESET SESSION AUTHORIZATION"));
    must(bench, db_exec(&bench->ctx, bench->db,
                    arena_printf(arena, "REVOKE ALL ON public.t FROM %s", role)));
    must(bench, db_exec(&bench->ctx, bench->db, arena_printf(arena, "DROP ROLE %s", role)));
    must(bench, is_good);
    assert_int_equal(facts.unreadable, facts.count - 1);
    assert_true(facts_column(facts_table(&facts, "public", "t"), "kind")->has_statistics);
    assert_true(facts_table(&facts, "public", "t")->may_read);

    const struct fact_table *secret = facts_table(&facts, "public", "secret");

    assert_false(secret->may_read);
    assert_false(facts_column(secret, "a")->has_statistics);
    assert_int_equal(secret->rows, 100);
}

/* A table that somebody locks exclusively does not hold us up; nor does one that is dropped. */
static void
test_locked(void **state)
{
    struct bench *bench = *state;
    struct db *other CLEANUP(db_cleanup) = connect_to(bench, bench->database);
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    must(bench, db_begin(&bench->ctx, other, NULL, &transaction));
    must(bench, db_exec(&bench->ctx, other, "LOCK TABLE public.t"));
    must(bench, db_exec(&bench->ctx, other, "DROP TABLE public.pair CASCADE"));
    must(bench, db_set(&bench->ctx, bench->db, "lock_timeout", "5s"));

    struct facts facts = load(bench);

    must(bench, db_set(&bench->ctx, bench->db, "lock_timeout", "0"));
    assert_true(facts_table(&facts, "public", "t")->bytes > 0);
    assert_int_equal(facts_table(&facts, "public", "t")->index_count, 0);
    assert_true(facts_table(&facts, "public", "t")->is_held);
    assert_true(facts_table(&facts, "public", "pair")->is_held);
    assert_false(facts_table(&facts, "public", "part")->is_held);
    assert_int_equal(facts_table(&facts, "public", "part")->index_count, 1);
}

static void
test_schemas(void **state)
{
    struct bench *bench = *state;
    struct facts_options options = { 0 };
    struct facts facts;

    text_list_add(bench->ctx.arena, &options.schemas, "Own");
    text_list_add(bench->ctx.arena, &options.schemas, "no\"t, \\here");
    must(bench, facts_load(&bench->ctx, bench->db, &options, &facts));
    assert_int_equal(facts.count, 1);
    assert_string_equal(facts.items[0].name, "T x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_indexes),
        cmocka_unit_test(test_foreign_keys),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_schemas),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("index_facts", tests, set_up, tear_down);
}
