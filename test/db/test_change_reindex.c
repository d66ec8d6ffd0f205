/* Rebuilding indexes: the catalogue says that it was done, and what cannot be rebuilt is told before. */
#include "support/test.h"

#include "test_change_support.h"

#define FILE_OF(index) "SELECT pg_catalog.pg_relation_filenode('" index "')"

static struct change
rebuild_change(struct bench *bench, const char *table, const char *name, const char *definition)
{
    struct change change = about_table(bench, KIND_REINDEX, name);
    int64_t oid = 0;

    change.table = table;
    change.definition = definition;
    assert_true(text_to_int64(
        ask(bench, arena_printf(bench->ctx.arena, "SELECT 'app.%s'::regclass::oid", table)), &oid));
    change.table_oid = (uint32_t)oid;
    return change;
}

static void
assert_refused(struct bench *bench, struct change change, const char *why)
{
    struct rollout_outcome outcome;

    assert_false(try_change(bench, change, &outcome));
    assert_error(&bench->ctx, ERR_STALE, why);
    error_clear(&bench->ctx);
}

static void
a_new_file_and_nothing_else(void **state)
{
    struct bench *bench = *state;
    const char *before = ask(bench, FILE_OF("app.t_a"));
    struct rollout_outcome outcome;

    must(bench, try_change(bench, rebuild_change(bench, "t", "t_a", "USING btree (a)"), &outcome));
    assert_true(outcome.is_done);
    assert_string_not_equal(ask(bench, FILE_OF("app.t_a")), before);
    assert_answer(bench,
        "SELECT pg_catalog.string_agg(c.relname || i.indisvalid::text, ' ' ORDER BY c.relname)"
        " FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = 'app.t'::regclass",
        "t_atrue t_pkeytrue");
    assert_string_equal(last_entry(bench).state, ENTRY_DONE);
    undo_last(bench, "nothing to undo");
}

/* The new index takes the constraint over from the old one. */
static void
a_primary_key_stays_one(void **state)
{
    struct bench *bench = *state;
    const char *before = ask(bench, FILE_OF("app.t_pkey"));

    struct rollout_outcome outcome;

    must(bench,
        try_change(bench, rebuild_change(bench, "t", "t_pkey", "USING btree (id)"), &outcome));
    assert_string_not_equal(ask(bench, FILE_OF("app.t_pkey")), before);
    assert_answer(bench,
        "SELECT k.conindid = 'app.t_pkey'::regclass FROM pg_constraint AS k"
        " WHERE k.conrelid = 'app.t'::regclass AND k.contype = 'p'",
        "t");
}

/* An index that a failed build left is made good, as long as the rows allow it. */
static void
an_unusable_one_is_made_good(void **state)
{
    struct bench *bench = *state;
    struct rollout_outcome outcome;

    run(bench, "INSERT INTO app.t VALUES (1, 1, 'row 1')");
    assert_false(
        db_exec(&bench->ctx, bench->db, "CREATE UNIQUE INDEX CONCURRENTLY t_once ON app.t (note)"));
    error_clear(&bench->ctx);
    assert_answer(
        bench, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.t_once'::regclass", "f");
    run(bench, "DELETE FROM app.t WHERE id = 1");
    must(bench,
        try_change(bench, rebuild_change(bench, "t", "t_once", "USING btree (note)"), &outcome));
    assert_answer(
        bench, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.t_once'::regclass", "t");
}

static void
what_cannot_be_rebuilt_is_told(void **state)
{
    struct bench *bench = *state;

    run(bench, "CREATE TABLE app.slot (id int, during int4range,"
               " CONSTRAINT slot_free EXCLUDE USING gist (during WITH &&))");
    run(bench, "CREATE TABLE app.part (id int) PARTITION BY RANGE (id)");
    run(bench, "CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM (0) TO (9)");
    run(bench, "CREATE INDEX part_id ON app.part (id)");
    assert_refused(bench, rebuild_change(bench, "slot", "slot_free", "USING gist (during)"),
        "exclusion constraint");
    assert_refused(
        bench, rebuild_change(bench, "part", "part_id", "USING btree (id)"), "partitioned table");
    assert_refused(bench, rebuild_change(bench, "t", "t_a", "USING btree (note)"),
        "another index than planned");
    assert_refused(bench, rebuild_change(bench, "t", "nothing", "USING btree (a)"), "not there");
    /* A part by itself can be. */
    do_change(bench, rebuild_change(bench, "part_1", "part_1_id_idx", "USING btree (id)"),
        "rebuilt, 8.0 kB before and 8.0 kB now");
    assert_answer(bench,
        "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = 'app.part_1_id_idx'::regclass",
        "app.part_id");
}

/* An unusable index that was dropped is not built again by the rollback. */
static void
a_dropped_rest_is_not_built_again(void **state)
{
    struct bench *bench = *state;
    struct change change = about_table(bench, KIND_DROP, "t_once");

    run(bench, "INSERT INTO app.t VALUES (1, 1, 'row 1')");
    assert_false(
        db_exec(&bench->ctx, bench->db, "CREATE UNIQUE INDEX CONCURRENTLY t_once ON app.t (note)"));
    error_clear(&bench->ctx);
    change.definition = "USING btree (note)";
    change.is_unique = true;
    do_change(bench, change, "dropped");
    undo_last(bench, "was unusable: nothing to build again");
    assert_answer(bench, "SELECT to_regclass('app.t_once') IS NULL", "t");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(a_new_file_and_nothing_else),
        test_with_bench(a_primary_key_stays_one),
        test_with_bench(an_unusable_one_is_made_good),
        test_with_bench(what_cannot_be_rebuilt_is_told),
        test_with_bench(a_dropped_rest_is_not_built_again),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
