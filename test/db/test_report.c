/* Snapshots and reports against a real server: deltas, resets, evictions, plans. */
#include "support/test.h"

#include <math.h>

#include "db/db.h"
#include "db/explain.h"
#include "db/ident.h"
#include "report/report.h"

#define DATABASE "pgmend_test_report"

struct bench {
    struct ctx ctx;
    struct db *admin;
    struct db *db;
    const char *scripts;
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
    const struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static void
sql(struct bench *bench, const char *statement)
{
    must(bench, db_exec(&bench->ctx, bench->db, statement));
}

/* The extension lives where nobody expects it, and the tables where the usual path finds them. */
static int
setup(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    static const char script[] = "\\set user random(1, :users)\n"
                                 "SELECT name FROM items WHERE user_id = :user;\n";

    bench->ctx.arena = arena;
    bench->admin = connect_to(bench, "postgres");
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE));
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE DATABASE " DATABASE));
    bench->db = connect_to(bench, DATABASE);
    sql(bench, "CREATE SCHEMA \"Odd \"\"schema\"");
    sql(bench, "CREATE EXTENSION pg_stat_statements SCHEMA \"Odd \"\"schema\"");
    sql(bench, "CREATE TABLE public.items (user_id int, name text)");
    sql(bench,
        "INSERT INTO public.items SELECT i % 1000, 'x' || i FROM generate_series(1, 20000) i");
    sql(bench, "ANALYZE public.items");
    bench->scripts = test_folder(&bench->ctx);
    must(bench, file_write(&bench->ctx, file_join(arena, bench->scripts, "items_of_user.sql"),
                    script, strlen(script), 0600));
    sql(bench, "SELECT \"Odd \"\"schema\".pg_stat_statements_reset()");
    *state = bench;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE " DATABASE));
    db_close(bench->admin);
    must(bench, file_remove(&bench->ctx, bench->scripts));
    arena_free(bench->ctx.arena);
    return 0;
}

static void
call_items(struct bench *bench, int count)
{
    for (int i = 0; i < count; i++)
        sql(bench, "SELECT name FROM public.items WHERE user_id = 5");
}

static void
snapshot(struct bench *bench, const char *name, bool with_plans)
{
    const char *items[] = { "users=1000" };
    const struct snapshot_options options = {
        .name = name,
        .queries = with_plans ? bench->scripts : NULL,
        .defines = { .items = items, .count = 1 },
    };
    struct snapshot taken;

    must(bench, snapshot_take(&bench->ctx, bench->db, &options, &taken));
}

static void
report(struct bench *bench, const char *before, const char *after, struct report *ret)
{
    const struct report_options options = { .before = before, .after = after };

    must(bench, report_make(&bench->ctx, bench->db, &options, ret));
}

static const struct report_query *
query_with(const struct report *report, const char *text)
{
    for (size_t i = 0; i < report->query_count; i++)
        if (strstr(report->queries[i].query, text))
            return &report->queries[i];
    fail_msg("no query with \"%s\" in the report", text);
    return NULL;
}

static bool
has_note(const struct report *report, const char *text)
{
    for (size_t i = 0; i < report->notes.count; i++)
        if (strstr(report->notes.items[i], text))
            return true;
    return false;
}

static void
calls_plans_and_indexes_are_compared(void **state)
{
    struct bench *bench = *state;
    struct report made;

    /* The server's text says public.items, the script's does not: another fingerprint. */
    sql(bench, "SET search_path = public");
    for (int i = 0; i < 7; i++)
        sql(bench, "SELECT name FROM items WHERE user_id = 5");
    snapshot(bench, "before", true);
    sql(bench, "CREATE INDEX items_user ON public.items (user_id)");
    for (int i = 0; i < 12; i++)
        sql(bench, "SELECT name FROM items WHERE user_id = 6");
    sql(bench, "RESET search_path");
    snapshot(bench, "after", true);
    report(bench, NULL, NULL, &made);

    const struct report_query *query = &made.queries[0];

    assert_int_equal(made.critical_count, 1);
    assert_string_equal(query->script, "items_of_user");
    assert_int_equal(query->before.calls, 7);
    assert_int_equal(query->after.calls, 12);
    assert_int_equal(query->before.row_count, 7 * 20);
    assert_int_equal(query->after.row_count, 12 * 20);
    assert_true(query->before.mean_ms > 0);
    assert_true(query->factor > 0);
    assert_true(fabs(made.speed_up / query->factor - 1) < 1e-9);
    assert_true(query->is_new_plan);
    assert_string_equal(query->before.plan->used_values, "user=500");
    assert_true(text_list_has(&query->before.plan->plan.seq_scans, "items"));
    assert_true(text_list_has(&query->after.plan->plan.indexes, "items_user"));
    assert_int_equal(query->after.plan->plan.seq_scans.count, 0);
    assert_int_equal(made.built_count, 1);
    assert_string_equal(made.indexes[0].name, "items_user");
    assert_string_equal(made.indexes[0].what, "built");
    assert_true(made.indexes[0].size_bytes > 0);
    assert_int_equal(made.errors, -1);
}

static void
a_reset_in_between_is_said_and_not_averaged_away(void **state)
{
    struct bench *bench = *state;
    struct report made;

    call_items(bench, 50);
    snapshot(bench, "before", false);
    call_items(bench, 4);
    sql(bench, "SELECT \"Odd \"\"schema\".pg_stat_statements_reset()");
    call_items(bench, 60);
    snapshot(bench, "after", false);
    report(bench, "before", "after", &made);

    const struct report_query *query = query_with(&made, "items");

    assert_int_equal(query->before.calls, 50);
    assert_int_equal(query->after.calls, 60); /* not 10 */
    assert_string_equal(query->after.notes, "since a reset");
    assert_true(has_note(&made, "was reset in the stretch \"after\""));
}

static void
a_single_entry_that_was_reset_enters_no_total(void **state)
{
    struct bench *bench = *state;
    struct report made;

    call_items(bench, 50);
    snapshot(bench, "before", false);
    sql(bench, "SELECT \"Odd \"\"schema\".pg_stat_statements_reset(0, 0, s.queryid) FROM "
               "\"Odd \"\"schema\".pg_stat_statements s WHERE s.query LIKE '%public.items WHERE%'");
    call_items(bench, 3);
    snapshot(bench, "after", false);
    report(bench, "before", "after", &made);

    const struct report_query *query = query_with(&made, "FROM public.items WHERE");

    assert_true(query->after.is_partial);
    assert_int_equal(query->after.calls, 3);
    assert_true(query->factor == 0.0);
    assert_int_equal(made.compared_count, 0);
    assert_true(made.speed_up == 0.0);
    assert_true(has_note(&made, "lost counts in the stretch \"after\""));
}

/* As many different statements as evict all that were called once or twice. */
static void
evictions_in_between_are_said(void **state)
{
    struct bench *bench = *state;
    const char *room = NULL;
    struct report made;
    int64_t most;

    must(bench, db_value(&bench->ctx, bench->db,
                    "SELECT pg_catalog.current_setting('pg_stat_statements.max')", NULL, 0, &room));
    assert_true(text_to_int64(room, &most));
    call_items(bench, 1);
    snapshot(bench, "before", false);
    sql(bench, "SET pg_stat_statements.track = 'all'");
    sql(bench, arena_printf(bench->ctx.arena,
                   "DO $$ BEGIN FOR i IN 1..%lld LOOP EXECUTE 'CREATE TEMP TABLE IF NOT EXISTS t ("
                   "c' || i || ' int)'; END LOOP; END $$",
                   2 * (long long)most));
    snapshot(bench, "after", false);
    report(bench, "before", "after", &made);
    assert_true(has_note(&made, "dropped entries"));
    assert_true(has_note(&made, "lost counts in the stretch \"after\""));

    const struct report_query *query = query_with(&made, "FROM public.items WHERE");

    assert_true(query->after.is_partial);
    assert_int_equal(query->after.calls, 0);
    assert_true(query->factor == 0.0);
}

static void
a_name_that_is_taken_is_refused_unless_it_may_be_replaced(void **state)
{
    struct bench *bench = *state;
    struct snapshot_options options = { .name = "same" };
    struct snapshot_summary *known;
    struct snapshot taken;
    size_t count;

    snapshot(bench, "same", false);
    assert_false(snapshot_take(&bench->ctx, bench->db, &options, &taken));
    assert_error(&bench->ctx, ERR_CONFLICT, "same");
    options.replace = true;
    must(bench, snapshot_take(&bench->ctx, bench->db, &options, &taken));
    must(bench, snapshot_list(&bench->ctx, bench->db, &known, &count));
    assert_int_equal(count, 1);
}

static void
a_report_without_snapshots_says_what_to_do(void **state)
{
    struct bench *bench = *state;
    const struct report_options options = { .before = NULL };
    const struct report_options named = { .before = "a", .after = "b" };
    struct report made;

    assert_false(report_make(&bench->ctx, bench->db, &options, &made));
    assert_int_equal(bench->ctx.error.kind, ERR_NOT_FOUND);
    assert_non_null(strstr(bench->ctx.error.hint, "pgmend report snapshot before"));
    snapshot(bench, "one", false);
    assert_false(report_make(&bench->ctx, bench->db, &named, &made));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "\"a\"");
    assert_non_null(strstr(bench->ctx.error.hint, "one"));
}

static void
a_missing_extension_is_refused_with_advice(void **state)
{
    struct bench *bench = *state;
    const struct snapshot_options options = { .name = "x" };
    struct snapshot taken;

    sql(bench, "DROP EXTENSION pg_stat_statements");
    assert_false(snapshot_take(&bench->ctx, bench->db, &options, &taken));
    assert_int_equal(bench->ctx.error.kind, ERR_NOT_FOUND);
    assert_non_null(strstr(bench->ctx.error.hint, "CREATE EXTENSION pg_stat_statements"));
}

static void
explaining_changes_nothing_and_refuses_a_second_statement(void **state)
{
    static const struct explain_options options = { .analyze = true };
    struct bench *bench = *state;
    struct explain_plan plan;
    const char *rows = NULL;

    assert_false(explain_statement(&bench->ctx, bench->db, "DELETE FROM items", &options, &plan));
    assert_string_equal(bench->ctx.error.sqlstate, "25006");
    assert_false(
        explain_statement(&bench->ctx, bench->db, "SELECT 1; DROP TABLE items", &options, &plan));
    assert_string_equal(bench->ctx.error.sqlstate, "42601");
    must(bench, explain_statement(&bench->ctx, bench->db, "SELECT * FROM items", &options, &plan));
    assert_true(text_list_has(&plan.seq_scans, "items"));
    assert_int_equal(plan.indexes.count, 0);
    must(bench,
        db_value(&bench->ctx, bench->db, "SELECT count(*) FROM public.items", NULL, 0, &rows));
    assert_string_equal(rows, "20000");
}

static void
a_statement_that_plans_too_long_is_stopped(void **state)
{
    static const struct explain_options options = { .analyze = true, .timeout_us = 50000 };
    struct bench *bench = *state;
    struct explain_plan plan;

    assert_false(explain_statement(
        &bench->ctx, bench->db, "SELECT pg_catalog.pg_sleep(60)", &options, &plan));
    assert_string_equal(bench->ctx.error.sqlstate, "57014");
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(calls_plans_and_indexes_are_compared),
        WITH_BENCH(a_reset_in_between_is_said_and_not_averaged_away),
        WITH_BENCH(a_single_entry_that_was_reset_enters_no_total),
        WITH_BENCH(evictions_in_between_are_said),
        WITH_BENCH(a_name_that_is_taken_is_refused_unless_it_may_be_replaced),
        WITH_BENCH(a_report_without_snapshots_says_what_to_do),
        WITH_BENCH(a_missing_extension_is_refused_with_advice),
        WITH_BENCH(explaining_changes_nothing_and_refuses_a_second_statement),
        WITH_BENCH(a_statement_that_plans_too_long_is_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
