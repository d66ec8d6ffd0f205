/*
 * What is said of indexes that are there: which are doubled, which are not used and stay, which are broken.
 * Each case is a table of its own; that a needless index is needless is asked of the planner: without it
 * the other one serves the same query.
 */
#include "support/test.h"

#include "index/state/duplicate.h"
#include "index/state/invalid.h"
#include "index/state/unused.h"
#include "sql.h"
#include "test_change_support.h"

static struct index_states
load(struct bench *bench)
{
    static const struct text_list none;
    struct index_states states;

    must(bench, index_states_load(&bench->ctx, bench->db, &none, &states));
    return states;
}

/* "needless<stays" of an index, or "" when it is needed. */
static const char *
needless_beside(struct bench *bench, const char *name)
{
    struct index_states states = load(bench);
    struct index_duplicates found;

    index_duplicates_find(bench->ctx.arena, &states, &found);
    for (size_t i = 0; i < found.count; i++)
        if (text_equal(found.items[i].needless->row->name, name))
            return found.items[i].stays->row->name;
    return "";
}

static void
make_pair(struct bench *bench, const char *narrow, const char *wide)
{
    run(bench, "DROP TABLE IF EXISTS app.pair");
    run(bench, "CREATE TABLE app.pair (a int, b int, c text, d text COLLATE \"C\")");
    run(bench, "INSERT INTO app.pair SELECT i, i, i, i FROM generate_series(1, 2000) AS i");
    run(bench, arena_printf(bench->ctx.arena, "CREATE %s", narrow));
    run(bench, arena_printf(bench->ctx.arena, "CREATE %s", wide));
}

static void
what_another_one_serves(void **state)
{
    static const struct {
        const char *narrow;
        const char *wide;
        const char *query;
    } cases[] = {
        { "INDEX n ON app.pair (a)", "INDEX w ON app.pair (a, b)", "a = 5" },
        { "INDEX n ON app.pair (a)", "INDEX w ON app.pair (a DESC, b)", "a = 5" },
        { "INDEX n ON app.pair (a, b DESC)", "INDEX w ON app.pair (a DESC, b, c)", "a = 5" },
        { "INDEX n ON app.pair (a) INCLUDE (c)", "INDEX w ON app.pair (a, c)", "a = 5" },
        { "INDEX n ON app.pair (a) INCLUDE (c)", "INDEX w ON app.pair (a) INCLUDE (b, c)",
            "a = 5" },
        { "INDEX n ON app.pair ((a + 1))", "INDEX w ON app.pair ((a + 1), b)", "a + 1 = 5" },
        { "INDEX n ON app.pair (a) WHERE b > 3", "INDEX w ON app.pair (a, c) WHERE b > 3",
            "a = 5 AND b > 3" },
        { "INDEX n ON app.pair (a)", "UNIQUE INDEX w ON app.pair (a)", "a = 5" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct result plan;
        bool is_served = false;

        make_pair(bench, cases[i].narrow, cases[i].wide);
        if (!text_equal(needless_beside(bench, "n"), "w"))
            fail_msg("%s is not needless beside %s", cases[i].narrow, cases[i].wide);
        assert_string_equal(needless_beside(bench, "w"), "");
        run(bench, "DROP INDEX app.n");
        run(bench, "SET enable_seqscan = off");
        must(bench, db_query(&bench->ctx, bench->db,
                        arena_printf(bench->ctx.arena, "EXPLAIN SELECT * FROM app.pair WHERE %s",
                            cases[i].query),
                        NULL, 0, &plan));
        for (size_t row = 0; row < plan.rows; row++)
            is_served |= strstr(result_cell(&plan, row, 0), "Index Cond") != NULL;
        run(bench, "RESET enable_seqscan");
        if (!is_served)
            fail_msg("the planner does not use %s for %s", cases[i].wide, cases[i].query);
    }
}

static void
what_is_not_the_same(void **state)
{
    static const struct {
        const char *narrow;
        const char *wide;
    } cases[] = {
        { "INDEX n ON app.pair (b)", "INDEX w ON app.pair (a, b)" },
        { "INDEX n ON app.pair (a, b)", "INDEX w ON app.pair (a DESC, b)" },
        { "INDEX n ON app.pair (a NULLS FIRST)", "INDEX w ON app.pair (a, b)" },
        { "INDEX n ON app.pair (c text_pattern_ops)", "INDEX w ON app.pair (c, a)" },
        { "INDEX n ON app.pair (c COLLATE \"C\")", "INDEX w ON app.pair (c, a)" },
        { "INDEX n ON app.pair (a) WHERE b > 3", "INDEX w ON app.pair (a, c)" },
        { "INDEX n ON app.pair (a) WHERE b > 3", "INDEX w ON app.pair (a, c) WHERE b > 4" },
        { "INDEX n ON app.pair (a) INCLUDE (c)", "INDEX w ON app.pair (a, b)" },
        { "UNIQUE INDEX n ON app.pair (a)", "INDEX w ON app.pair (a, b)" },
        { "UNIQUE INDEX n ON app.pair (a)", "UNIQUE INDEX w ON app.pair (a, b)" },
        { "INDEX n ON app.pair USING hash (a)", "INDEX w ON app.pair (a)" },
        { "INDEX n ON app.pair USING brin (a) WITH (pages_per_range = 8)",
            "INDEX w ON app.pair USING brin (a) WITH (pages_per_range = 16)" },
        { "INDEX n ON app.pair ((a + 1))", "INDEX w ON app.pair ((a + 2), b)" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        make_pair(bench, cases[i].narrow, cases[i].wide);
        if (*needless_beside(bench, "n"))
            fail_msg("%s is told to be needless beside %s", cases[i].narrow, cases[i].wide);
    }
}

/* Of equal ones exactly one stays: that of the constraint, else the older one. */
static void
one_of_equals_stays(void **state)
{
    struct bench *bench = *state;

    make_pair(bench, "INDEX n ON app.pair (a)", "INDEX w ON app.pair (a)");
    run(bench, "CREATE INDEX x ON app.pair (a)");
    assert_string_equal(needless_beside(bench, "n"), "");
    assert_string_equal(needless_beside(bench, "w"), "n");
    assert_string_equal(needless_beside(bench, "x"), "n");
    make_pair(bench, "UNIQUE INDEX n ON app.pair (a)", "INDEX w ON app.pair (b)");
    run(bench, "ALTER TABLE app.pair ADD CONSTRAINT k UNIQUE (a)");
    assert_string_equal(needless_beside(bench, "n"), "k");
    assert_string_equal(needless_beside(bench, "k"), "");
}

static const char *
why_kept(struct bench *bench, const char *name)
{
    struct index_states states = load(bench);
    const struct index_state *index;
    const char *why;

    must(bench, index_states_find(&bench->ctx, &states, name, &index));
    why = index_why_kept(bench->ctx.arena, index);
    return why ? why : "";
}

static void
assert_kept(struct bench *bench, const char *name, const char *because)
{
    if (!strstr(why_kept(bench, name), because))
        fail_msg("%s: \"%s\" is not in \"%s\"", name, because, why_kept(bench, name));
}

/* Each of several may go alone: what each of them carries is needed to see that all may not. */
static void
assert_carries(struct bench *bench, const char *name, const char *keys)
{
    struct index_states states = load(bench);
    const struct index_state *index;

    must(bench, index_states_find(&bench->ctx, &states, name, &index));
    assert_string_equal(index->row->carried_keys, keys);
}

static void
names_that_need_quotes(void **state)
{
    struct bench *bench = *state;
    struct index_states states;
    const struct index_state *index;

    run(bench, "CREATE INDEX \"UP\" ON app.t (note)");
    states = load(bench);
    must(bench, index_states_find(&bench->ctx, &states, "\"UP\"", &index));
    must(bench, index_states_find(&bench->ctx, &states, "UP", &index));
    must(bench, index_states_find(&bench->ctx, &states, "app.\"UP\"", &index));
    assert_false(index_states_find(&bench->ctx, &states, "t", &index));
    assert_non_null(strstr(bench->ctx.error.message, "is a table, not an index"));
    error_clear(&bench->ctx);
}

static void
what_stays_though_unused(void **state)
{
    struct bench *bench = *state;

    run(bench,
        "CREATE TABLE app.child (id int, t_id bigint REFERENCES app.t, x int NOT NULL, y int,"
        " r int4range, EXCLUDE USING gist (r WITH &&))");
    run(bench, "CREATE INDEX child_t ON app.child (t_id)");
    run(bench, "CREATE UNIQUE INDEX child_x ON app.child (x)");
    run(bench, "CREATE INDEX child_y ON app.child (y)");
    run(bench, "CREATE UNIQUE INDEX t_target ON app.t (a, id)");
    run(bench,
        "CREATE TABLE app.other (a int, id bigint, FOREIGN KEY (a, id) REFERENCES app.t (a, id))");
    run(bench, "CLUSTER app.child USING child_y");
    assert_kept(bench, "app.t_pkey", "primary key");
    assert_kept(bench, "child_r_excl", "exclusion constraint");
    assert_kept(bench, "child_t", "foreign key child_t_id_fkey");
    assert_kept(bench, "child_x", "unique");
    assert_kept(bench, "child_y", "CLUSTER");
    assert_kept(bench, "t_target", "foreign key other_a_id_fkey");
    run(bench, "CREATE INDEX child_t_too ON app.child (t_id, y)");
    assert_string_equal(why_kept(bench, "child_t"), "");
    assert_carries(bench, "child_t",
        "\x1f"
        "child_t_id_fkey\x1f");
    assert_carries(bench, "child_t_too",
        "\x1f"
        "child_t_id_fkey\x1f");
    assert_carries(bench, "child_y", "");
    run(bench, "ALTER TABLE app.child REPLICA IDENTITY USING INDEX child_x");
    run(bench, "ALTER TABLE app.child SET WITHOUT CLUSTER");
    assert_string_equal(why_kept(bench, "child_y"), "");
    assert_string_equal(why_kept(bench, "t_a"), "");
}

static void
too_early_says_nothing(void **state)
{
    struct bench *bench = *state;
    struct index_states states = load(bench);
    struct unused unused;

    unused_find(bench->ctx.arena, &states, INT64_C(3650) * 86400 * 1000000, &unused);
    assert_non_null(unused.early);
    assert_int_equal(unused.items.count, 0);
    unused_find(bench->ctx.arena, &states, 1, &unused);
    assert_null(unused.early);
}

/* A failed build by its two ways, and one that goes on. */
static void
how_unusable_ones_came_to_be(void **state)
{
    struct bench *bench = *state;
    struct index_states states;
    struct invalid_indexes found;

    run(bench, "INSERT INTO app.t VALUES (1, 1, 'row 1')");
    assert_false(
        db_exec(&bench->ctx, bench->db, "CREATE UNIQUE INDEX CONCURRENTLY t_once ON app.t (note)"));
    error_clear(&bench->ctx);
    run(bench, "CREATE TABLE app.part (id int) PARTITION BY RANGE (id)");
    run(bench, "CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM (0) TO (9)");
    run(bench, "CREATE INDEX part_id ON ONLY app.part (id)");
    states = load(bench);
    invalid_indexes_find(bench->ctx.arena, &states, &found);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.items[0].index->row->name, "part_id");
    assert_false(found.items[0].can_be_dropped);
    assert_non_null(strstr(found.items[0].remedy, "ATTACH PARTITION"));
    assert_string_equal(found.items[1].index->row->name, "t_once");
    assert_true(found.items[1].can_be_dropped);
    assert_non_null(strstr(found.items[1].cause, "CREATE INDEX CONCURRENTLY failed"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(what_another_one_serves),
        test_with_bench(what_is_not_the_same),
        test_with_bench(one_of_equals_stays),
        test_with_bench(what_stays_though_unused),
        test_with_bench(names_that_need_quotes),
        test_with_bench(too_early_says_nothing),
        test_with_bench(how_unusable_ones_came_to_be),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
