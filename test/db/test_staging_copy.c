/* Names and marks of staging copies: what is ours, what is not, and what a finished copy becomes. */
#include "support/test.h"

#include "staging/copy.h"
#include "staging/stage.h"
#include "test_change_support.h"

static const char *
copy_name(struct bench *bench)
{
    return arena_printf(bench->ctx.arena, "%s_copy", bench->database);
}

static void
drop_copy(struct bench *bench)
{
    run(bench, arena_printf(bench->ctx.arena, "DROP DATABASE IF EXISTS %s", copy_name(bench)));
}

static struct stage
stage_of(struct bench *bench)
{
    return (struct stage){ .name = copy_name(bench),
        .source = "a database of x on y",
        .cluster = "7",
        .way = "dump",
        .masked = 3 };
}

/* A scratch database of the session becomes a copy with a mark that is read again, whatever names hold. */
static void
the_mark_is_read_again(void **state)
{
    const struct scratch_locale locale = { .encoding = "UTF8", .collate = "C", .ctype = "C" };
    struct bench *bench = *state;
    struct stage stage = stage_of(bench);
    struct scratch scratch CLEANUP(scratch_drop) = { 0 };
    struct sql_staging_copies copy;

    must(bench, scratch_create(&bench->ctx, bench->db, &locale, NULL, &scratch));
    must(bench, stage_close(&bench->ctx, bench->db, scratch.name));
    must(bench, stage_name(&bench->ctx, &scratch, &stage));
    assert_null(scratch.name);
    must(bench, stage_find(&bench->ctx, bench->db, stage.name, &copy));
    assert_string_equal(copy.source, "a database of x on y");
    assert_string_equal(copy.cluster, "7");
    assert_string_equal(copy.way, "dump");
    assert_int_equal(copy.masked, 3);
    assert_true(copy.age >= 0 && copy.age < 600 * INT64_C(1000000));
    /* The database that it was made of was closed to others, so this one is. */
    assert_answer(bench,
        arena_printf(bench->ctx.arena,
            "SELECT has_database_privilege('pg_monitor', '%s', 'CONNECT')", stage.name),
        "f");
    assert_false(stage_check_name(&bench->ctx, bench->db, stage.name, false));
    assert_error(&bench->ctx, ERR_CONFLICT, "already");
    must(bench, stage_check_name(&bench->ctx, bench->db, stage.name, true));
    must(bench, stage_drop(&bench->ctx, bench->db, stage.name, false));
    assert_false(stage_find(&bench->ctx, bench->db, stage.name, &copy));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "no staging copy");
}

static void
what_is_not_ours(void **state)
{
    static const char *const comments[] = {
        "NULL",
        "'staging'",
        "'pgmend staging'",
        "'pgmend staging made at yesterday from dump, 0 columns masked, of x on ?'",
        "'pgmend staging made at 2026-01-01T00:00:00Z from memory, 0 columns masked, of x on ?'",
        "'see: pgmend staging made at 2026-01-01T00:00:00Z from dump, 0 columns masked, of x on ?'",
    };
    struct bench *bench = *state;
    const char *name = copy_name(bench);

    drop_copy(bench);
    run(bench, arena_printf(bench->ctx.arena, "CREATE DATABASE %s", name));
    for (size_t i = 0; i < COUNT_OF(comments); i++) {
        run(bench,
            arena_printf(bench->ctx.arena, "COMMENT ON DATABASE %s IS %s", name, comments[i]));
        if (stage_drop(&bench->ctx, bench->db, name, true))
            fail_msg("this was dropped: %s", comments[i]);
        assert_error(&bench->ctx, ERR_CONFLICT, "not marked");
        assert_false(stage_check_name(&bench->ctx, bench->db, name, true));
        assert_error(&bench->ctx, ERR_CONFLICT, "not marked");
    }
    drop_copy(bench);
}

static void
names_that_are_refused(void **state)
{
    struct bench *bench = *state;

    assert_false(stage_check_name(&bench->ctx, bench->db, "", false));
    assert_error(&bench->ctx, ERR_USAGE, "1 to 63 bytes");
    assert_false(stage_check_name(&bench->ctx, bench->db,
        "a123456789b123456789c123456789d123456789e123456789f123456789gggg", false));
    assert_error(&bench->ctx, ERR_USAGE, "1 to 63 bytes");
    assert_false(stage_check_name(&bench->ctx, bench->db, "pgmend_scratch_1_2_ab", false));
    assert_error(&bench->ctx, ERR_USAGE, "may be dropped");
    assert_false(stage_check_name(&bench->ctx, bench->db, "template1", true));
    assert_error(&bench->ctx, ERR_CONFLICT, "not marked");
}

/* A difference of one byte in one row is seen, and forgiven only where the table is masked. */
static void
copies_are_compared(void **state)
{
    struct bench *bench = *state;
    struct text_list none = { 0 };
    struct text_list masked = { 0 };
    struct content expected;
    size_t tables;

    run(bench, "DROP SCHEMA IF EXISTS pgmend CASCADE");
    must(bench, content_load_all(&bench->ctx, bench->db, &expected));
    must(bench, copy_compare(&bench->ctx, bench->db, &expected, &none, &tables));
    assert_int_equal(tables, 1);
    run(bench, "UPDATE app.t SET note = note || 'x' WHERE id = 30");
    assert_false(copy_compare(&bench->ctx, bench->db, &expected, &none, &tables));
    assert_error(&bench->ctx, ERR_VERIFICATION, "1 difference");
    assert_non_null(strstr(bench->ctx.error.detail, "app.t"));
    text_list_add(bench->ctx.arena, &masked, "app.t");
    must(bench, copy_compare(&bench->ctx, bench->db, &expected, &masked, &tables));
    run(bench, "DELETE FROM app.t WHERE id = 30");
    assert_false(copy_compare(&bench->ctx, bench->db, &expected, &masked, &tables));
    assert_error(&bench->ctx, ERR_VERIFICATION, "1 difference");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(the_mark_is_read_again),
        test_with_bench(what_is_not_ours),
        test_with_bench(names_that_are_refused),
        test_with_bench(copies_are_compared),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
