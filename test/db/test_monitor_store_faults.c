/* A store that is down, full, without rights, and taken away again. */
#include "test_monitor_store_support.h"

static void
a_store_that_is_down_gets_all_when_it_is_back(void **state)
{
    struct bench *bench = *state;
    PGconn *admin = connect_to("dbname=postgres");
    int64_t now = clock_wall_us();

    open_store(bench);
    tick(bench, now - 100 * S, 1);
    run_until(bench, "SELECT count(*) = 1 FROM pgmend.sample");
    ask_on(bench, admin,
        arena_printf(bench->ctx.arena, "ALTER DATABASE %s CONNECTION LIMIT 0", bench->database));
    /* A superuser is let in all the same: so nobody is. */
    ask_on(bench, admin,
        arena_printf(
            bench->ctx.arena, "ALTER DATABASE %s ALLOW_CONNECTIONS false", bench->database));
    ask_on(bench, admin,
        arena_printf(bench->ctx.arena,
            "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
            " WHERE application_name = 'pgmend/monitor store' AND datname = '%s'",
            bench->database));
    for (int i = 0; i < 30; i++) {
        tick(bench, now - (90 - i) * S, i);
        run_for(bench, 20000);
    }
    assert_non_null(store_error(bench->store));
    assert_answer(bench, "SELECT count(*) FROM pgmend.sample", "1");
    ask_on(bench, admin,
        arena_printf(
            bench->ctx.arena, "ALTER DATABASE %s ALLOW_CONNECTIONS true", bench->database));
    run_until(bench, "SELECT count(*) = 31 FROM pgmend.sample");
    /* And its own processes are ended again and again while ticks come. */
    for (int i = 0; i < 30; i++) {
        tick(bench, now - (50 - i) * S, i);
        run_for(bench, 20000);
        ask_on(bench, admin,
            arena_printf(bench->ctx.arena,
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'pgmend/monitor store' AND datname = '%s'",
                bench->database));
    }
    run_until(bench, "SELECT count(*) = 61 FROM pgmend.sample");
    assert_int_equal(store_dropped(bench->store), 0);
    assert_answer(bench, "SELECT sum(value[1]) FROM pgmend.sample", "871");
    PQfinish(admin);
}

static void
what_does_not_fit_is_counted(void **state)
{
    struct bench *bench = *state;
    PGconn *holder = connect_to(url_of(bench, ""));
    int64_t now = clock_wall_us();
    const int ticks = 3000;

    open_store(bench);
    tick(bench, now - 80000 * S, -1);
    run_until(bench, "SELECT count(*) = 1 FROM pgmend.sample");
    ask_on(bench, holder, "BEGIN");
    ask_on(bench, holder, "LOCK TABLE pgmend.sample IN ACCESS EXCLUSIVE MODE");
    /* About 20 kB each. */
    for (int i = 0; i < ticks; i++) {
        begin_tick(bench, now - (ticks - i) * S);
        for (int j = 0; j < 300; j++)
            add(bench, &load, arena_printf(bench->tick_arena, "%d a label of some length", j), i);
        store_tick(bench->store, &bench->watched);
        if (i % 100 == 0)
            run_for(bench, 1000);
    }
    for (int64_t end = clock_us() + LONG_US; !store_error(bench->store) && clock_us() < end;)
        run_for(bench, 50000);
    assert_non_null(store_error(bench->store));
    assert_true(store_dropped(bench->store) > 1000);
    ask_on(bench, holder, "ROLLBACK");
    PQfinish(holder);
    store_end(bench->store, LONG_US);
    bench->store = NULL;
    /* The newest are there. */
    assert_answer(bench,
        arena_printf(bench->ctx.arena,
            "SELECT max(value[1]) = %d AND count(*) > 50 FROM pgmend.sample", ticks - 1),
        "t");
}

static void
every_tick_is_stored_or_counted(void **state)
{
    struct bench *bench = *state;
    int64_t now = clock_wall_us();

    open_store(bench);
    /* The monitor's clock jumps a year ahead, and back. */
    tick(bench, now - 3 * S, 1);
    tick(bench, now + 366 * 86400 * S, 2);
    tick(bench, now - 2 * S, 3);
    run_until(bench, "SELECT count(*) = 2 FROM pgmend.sample");
    run_for(bench, 100000);
    assert_int_equal(store_dropped(bench->store), 1);
    assert_answer(
        bench, "SELECT string_agg(value[1]::text, ' ' ORDER BY ts) FROM pgmend.sample", "1 3");
}

/* --- rights --- */

static void
expect_refusal(struct bench *bench, const char *schema, enum error_kind kind, const char *hint)
{
    const struct store_options options = { .db_url = url_of(bench, "user=store_role"),
        .view_schema = schema };

    error_clear(&bench->ctx);
    if (store_begin(&bench->ctx, bench->loop, &options, &bench->store))
        fail_msg("it was not refused");
    assert_int_equal(bench->ctx.error.kind, kind);
    assert_non_null(bench->ctx.error.hint);
    if (!strstr(bench->ctx.error.hint, hint))
        fail_msg("\"%s\" is not in \"%s\"", hint, bench->ctx.error.hint);
}

static void
a_role_without_rights_is_told_what_to_grant(void **state)
{
    struct bench *bench = *state;
    const char *grant = arena_printf(
        bench->ctx.arena, "GRANT CREATE ON DATABASE %s TO store_role;", bench->database);

    ask(bench, "DROP ROLE IF EXISTS store_role");
    ask(bench, "CREATE ROLE store_role LOGIN");
    ask(bench, "REVOKE CREATE ON SCHEMA public FROM public");
    expect_refusal(bench, NULL, ERR_RIGHTS, grant);
    /* What the hint says helps, each time a step further. */
    ask(bench, grant);
    expect_refusal(bench, NULL, ERR_RIGHTS, "GRANT USAGE, CREATE ON SCHEMA public TO store_role;");
    assert_answer(bench, "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmend'", "0");
    expect_refusal(bench, "nowhere", ERR_NOT_FOUND, "--schema SCHEMA");
    ask(bench, "GRANT USAGE, CREATE ON SCHEMA public TO store_role");
    ask(bench, "CREATE TABLE public.pg_stat_statements_snapshot (ts timestamptz)");
    expect_refusal(bench, NULL, ERR_CONFLICT, "--schema SCHEMA");
    ask(bench, "DROP TABLE public.pg_stat_statements_snapshot");

    const struct store_options options = { .db_url = url_of(bench, "user=store_role") };

    error_clear(&bench->ctx);
    must(bench, store_begin(&bench->ctx, bench->loop, &options, &bench->store));
    store_end(bench->store, 0);
    bench->store = NULL;
    /* And the tables of another role. */
    ask(bench, "CREATE ROLE store_other");
    ask(bench, "ALTER TABLE pgmend.sample OWNER TO store_other");
    expect_refusal(bench, NULL, ERR_RIGHTS, "GRANT store_other TO store_role;");
    ask(bench, "ALTER TABLE pgmend.sample OWNER TO store_role");
    ask(bench, "DROP OWNED BY store_role CASCADE");
    ask(bench, "DROP ROLE store_role");
    ask(bench, "DROP ROLE store_other");
}

static void
uninstall_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    struct sql_change_schema_exists_rows rows;
    struct db *db;

    open_store(bench);
    tick(bench, clock_wall_us() - S, 1);
    run_until(bench, "SELECT count(*) = 1 FROM pgmend.sample");
    store_end(bench->store, 0);
    bench->store = NULL;
    db = open_db(bench);
    must(bench, sql_change_schema_exists(&bench->ctx, db, &rows));
    assert_null(rows.items[0].foreign_objects);
    /* A view of somebody's own stands in the way, as it should. */
    ask(bench, "CREATE VIEW public.mine AS SELECT * FROM pgmend.metric_history");
    assert_false(sql_change_drop_tables(&bench->ctx, db));
    ask(bench, "DROP VIEW public.mine");
    error_clear(&bench->ctx);
    must(bench, sql_change_drop_tables(&bench->ctx, db) && sql_change_drop_schema(&bench->ctx, db));
    assert_answer(bench,
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('public', 'pgmend')",
        "0");
    db_close(db);
}

/* Who removes the tables is not given them again, until somebody begins a store there. */
static void
tables_that_were_removed_stay_so_until_a_store_begins(void **state)
{
    struct bench *bench = *state;
    struct store *other;
    struct db *db;
    int64_t now = clock_wall_us(), at = now - 900 * S;

    open_store(bench);
    tick(bench, at, 1);
    run_until(bench, "SELECT count(*) = 1 FROM pgmend.sample");
    db = open_db(bench);
    must(bench, sql_change_drop_tables(&bench->ctx, db) && sql_change_drop_schema(&bench->ctx, db));
    db_close(db);
    /* What waited for the tables is dropped with the error, or in the next round. */
    for (int i = 0; i < 1000 && !(store_error(bench->store) && store_dropped(bench->store) > 0);
         i++) {
        tick(bench, at += S / 10, 2);
        run_for(bench, 30000);
    }
    assert_non_null(store_error(bench->store));
    assert_non_null(strstr(store_error(bench->store), "pgmend uninstall"));
    assert_non_null(strstr(store_error(bench->store), "Start the monitor again"));
    assert_true(store_dropped(bench->store) > 0);
    run_for(bench, 300000); /* it has tried again, by now or by the end of the test */
    assert_answer(bench, "SELECT to_regnamespace('pgmend') IS NULL", "t");

    const struct store_options options = { .db_url = url_of(bench, ""), .batch_us = 50000 };

    must(bench, store_begin(&bench->ctx, bench->loop, &options, &other));
    for (int i = 0; i < 2000 && store_error(bench->store); i++) {
        tick(bench, at += S / 10, 3);
        run_for(bench, 30000);
    }
    assert_null(store_error(bench->store));
    run_until(bench, "SELECT count(*) > 0 AND min(value[1]) = 3 FROM pgmend.sample");
    assert_answer(bench, "SELECT count(*) FROM pgmend.monitored_server", "1");
    store_end(other, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_store(a_store_that_is_down_gets_all_when_it_is_back),
        test_with_store(what_does_not_fit_is_counted),
        test_with_store(every_tick_is_stored_or_counted),
        test_with_store(a_role_without_rights_is_told_what_to_grant),
        test_with_store(uninstall_leaves_nothing),
        test_with_store(tables_that_were_removed_stay_so_until_a_store_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
