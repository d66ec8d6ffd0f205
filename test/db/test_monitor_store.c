/*
 * What the store holds is compared with what the test gave it, and minutes and hours with sums that
 * plain SQL makes over a plain table of the same numbers.
 */
#include "test_monitor_store_support.h"

static void
what_was_given_is_there(void **state)
{
    struct bench *bench = *state;
    int64_t now = clock_wall_us();
    static const char hostile[] = "we\"ird\\ {NULL,'x'} \xd0\xb6";

    open_store(bench);
    for (int i = 0; i < 20; i++) {
        begin_tick(bench, now - (20 - i) * 5 * S);
        add(bench, &load, hostile, 0.1 * i);
        if (i % 2)
            add(bench, &load, "odd \xff", i);
        add(bench, &unkept, "a", 1);
        store_tick(bench->store, &bench->watched);
    }
    run_until(bench, "SELECT count(*) = 30 FROM pgmend.metric_history WHERE span = '0'");
    assert_null(store_error(bench->store));
    assert_int_equal(store_dropped(bench->store), 0);
    assert_answer(bench, "SELECT count(*) FROM pgmend.series", "2");
    assert_answer(bench,
        "SELECT count(*) FROM pgmend.metric_history"
        " WHERE labels IN ($$name=\"odd ?\"$$, $$name=\"odd \xef\xbf\xbd\"$$) AND span = '0'",
        "10");
    /* Prometheus' escapes of the label, written down by hand. */
    assert_answer(bench,
        "SELECT count(*) || ' ' || sum(value)::numeric(10, 6) FROM pgmend.metric_history"
        " WHERE metric = 'load' AND server = 'replyx @ db:5432' AND span = '0'"
        "   AND labels = $$name=\"we\\\"ird\\\\ {NULL,'x'} \xd0\xb6\"$$",
        "20 19.000000");
    assert_answer(bench,
        arena_printf(bench->ctx.arena,
            "SELECT count(DISTINCT ts) FROM pgmend.metric_history WHERE span = '0' AND"
            " (extract(epoch FROM ts) * 1000000)::int8 %% 5000000 = %lld",
            (long long)(now % (5 * S))),
        "20");
}

/* The same in memory that the next run of the same process would have. */
static void
a_second_monitor_finds_all_and_adds_to_it(void **state)
{
    struct bench *bench = *state;
    int64_t now = clock_wall_us();

    open_store(bench);
    tick(bench, now - 2 * S, 1);
    store_end(bench->store, LONG_US);
    assert_answer(bench, "SELECT count(*) FROM pgmend.sample", "1");
    open_store(bench);
    tick(bench, now - 2 * S, 5); /* there already: it stays as it is */
    tick(bench, now - S, 2);
    store_end(bench->store, LONG_US);
    bench->store = NULL;
    assert_answer(
        bench, "SELECT string_agg(value::text, ',' ORDER BY ts) FROM pgmend.sample", "{1},{2}");
    assert_answer(bench, "SELECT count(*) FROM pgmend.series", "1");
    assert_answer(bench, "SELECT count(*) FROM pgmend.monitored_server", "1");
}

/* --- statements --- */

static void
read_statements(struct bench *bench, struct arena *arena, int64_t at_us, size_t count, int round)
{
    struct reading *now = &bench->watched.now[COLLECT_STATEMENT];
    struct sql_monitor_statement *rows = ARENA_ARRAY(arena, struct sql_monitor_statement, count);

    for (size_t i = 0; i < count; i++)
        rows[i] = (struct sql_monitor_statement){ .userid = 10,
            .dbid = 5,
            .queryid = INT64_C(-9000000000000000000) + (int64_t)i * 7,
            .toplevel = true,
            .user = "u",
            .datname = "d",
            .calls = (int64_t)(i + 1) * round,
            .seconds = (double)(i + 1) * round * 0.25,
            .rows = (int64_t)(i + 2) * round,
            .blocks_hit = (int64_t)(i + 3) * round,
            .blocks_read = (int64_t)(i + 4) * round,
            .since_epoch = NAN };
    bench->watched.before[COLLECT_STATEMENT] = *now;
    *now = (struct reading){ .arena = arena,
        .is_known = true,
        .is_good = true,
        .is_fresh = true,
        .rows = { rows, count },
        .at_us = at_us,
        .at_wall_us = at_us };
}

/* As the plan has it, word for word. */
static const char THE_PLAN[] = "SELECT count(*), avg(duration) \n"
                               "FROM pg_stat_statements_snapshot \n"
                               "WHERE ts > now() - interval '5 minutes';";

static void
the_query_of_the_plan_runs_as_written(void **state)
{
    struct bench *bench = *state;
    int64_t now = clock_wall_us();
    PGresult *result;

    open_store(bench);
    result = PQexec(bench->conn, THE_PLAN);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    assert_string_equal(PQgetvalue(result, 0, 0), "0");
    PQclear(result);
    /* Four readings, the first ten minutes ago: three differences, of which two are in the time. */
    for (int i = 0; i < 4; i++) {
        int64_t at = i == 0 ? now - 900 * S : i == 1 ? now - 600 * S : now - (4 - i) * 10 * S;

        begin_tick(bench, at);
        read_statements(bench, bench->ctx.arena, at, 50, i + 1);
        bench->watched.tick = i + 1;
        store_tick(bench->store, &bench->watched);
    }
    run_until(bench, "SELECT count(*) = 150 FROM pg_stat_statements_snapshot");
    result = PQexec(bench->conn, THE_PLAN);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    /* 50 statements each; 0.25 s a call. */
    assert_string_equal(PQgetvalue(result, 0, 0), "100");
    assert_true(fabs(strtod(PQgetvalue(result, 0, 1), NULL) - 250) < 1e-3);
    PQclear(result);
    assert_answer(bench,
        "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns"
        " WHERE table_name = 'pg_stat_statements_snapshot' AND table_schema = 'public'",
        "ts server queryid userid dbid query calls duration total_ms rows blocks_hit blocks_read span");
    assert_answer(bench,
        "SELECT count(*) FROM generate_series(0, 49) i JOIN pg_stat_statements_snapshot s"
        " ON s.queryid = -9000000000000000000 + i * 7 AND s.userid = 10 AND s.dbid = 5"
        " AND s.calls = i + 1 AND s.rows = i + 2 AND s.blocks_hit = i + 3 AND s.blocks_read = i + 4"
        " AND abs(s.total_ms - (i + 1) * 250) < 0.01 AND s.server = 'replyx @ db:5432'",
        "150");
    assert_answer(bench, "SELECT count(*) FROM pgmend.statement", "50");
}

static void
tables_and_indexes_are_stored_hourly(void **state)
{
    struct bench *bench = *state;
    int64_t now = clock_wall_us();
    struct sql_monitor_table tables[] = {
        { .datname = "d",
            .schemaname = "s",
            .relname = "b\"{,",
            .seq_scan = 7,
            .n_tup_ins = 1,
            .n_tup_upd = 2,
            .n_tup_del = 4,
            .n_dead_tup = 5,
            .table_size_bytes = INT64_C(1) << 40 },
        { .datname = "d", .schemaname = "s", .relname = "a", .table_size_bytes = 8192 },
    };
    struct sql_monitor_index indexes[] = {
        { .datname = "d", .schemaname = "s", .indexrelname = "a", .idx_scan = 9, .size_bytes = 6 },
    };

    open_store(bench);
    bench->watched.now[COLLECT_TABLE] =
        (struct reading){ .is_good = true, .is_fresh = true, .rows = { tables, COUNT_OF(tables) } };
    bench->watched.now[COLLECT_INDEX] = (struct reading){
        .is_good = true, .is_fresh = true, .rows = { indexes, COUNT_OF(indexes) }
    };
    for (int i = 0; i < 4; i++)
        tick(bench, now - (4 - i) * 1801 * S, 1);
    store_end(bench->store, LONG_US);
    bench->store = NULL;
    assert_answer(bench,
        "SELECT string_agg(concat_ws(' ', kind, datname, schemaname, relname, bytes, scans, changes,"
        " dead, n), '; ' ORDER BY kind, relname) FROM (SELECT kind, datname, schemaname, relname, bytes,"
        " scans, changes, dead, count(*) AS n FROM pgmend.relation_history GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) h",
        "index d s a 6 9 0 0 2; table d s a 8192 0 0 0 2; table d s b\"{, 1099511627776 7 7 5 2");
}

static void
sessions_that_wait_are_stored_without_their_text(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_session sessions[] = {
        { .pid = 1, .datname = "d", .xact_seconds = 1, .query_seconds = NAN, .query = "secret" },
        { .pid = 2, .datname = "d", .xact_seconds = NAN, .blocked_by = "3,4", .query = "secret" },
        { .pid = 3, .application_name = "it's \"\\", .blocks = 1, .query_id = INT64_MIN },
        { .pid = 4, .xact_seconds = 100.5, .query_seconds = NAN },
    };

    open_store(bench);
    bench->watched.now[COLLECT_SESSION] = (struct reading){
        .is_good = true, .is_fresh = true, .rows = { sessions, COUNT_OF(sessions) }
    };
    tick(bench, clock_wall_us() - S, 1);
    store_end(bench->store, LONG_US);
    bench->store = NULL;
    assert_answer(bench,
        "SELECT string_agg(concat_ws(' ', pid, datname, application_name, xact_seconds, blocked_by,"
        " blocks, query_id), '; ' ORDER BY pid) FROM pgmend.session_sample",
        "2 d 3,4 0 0; 3 it's \"\\ 0 1 -9223372036854775808; 4 100.5 0 0");
    assert_answer(
        bench, "SELECT count(*) FROM pgmend.session_sample s WHERE s::text LIKE '%secret%'", "0");
}

/* --- minutes and hours --- */

/* A plain table of random ticks of two servers over three hours with holes, and the store's of it. */
static void
fill_at_random(struct bench *bench)
{
    struct sql_monitor_store_put_server_rows server;
    struct db *db = open_db(bench);

    for (int i = 1; i <= 2; i++)
        must(bench, sql_monitor_store_put_server(&bench->ctx, db, &server,
                        .name = arena_printf(bench->ctx.arena, "server %d", i)));
    db_close(db);
    ask(bench, "SELECT setseed(0.42)");
    ask(bench, "CREATE TABLE plain AS"
               " SELECT s::int2 AS server, t AS ts, k::int4 AS id, (random() * 1000 - 200) AS value"
               "   FROM generate_series(1, 2) s,"
               "        generate_series(date_trunc('hour', now()) - interval '3 hours 50 seconds',"
               "                        now() - interval '1 minute', interval '7 seconds') t,"
               "        generate_series(1, 9) k"
               "  WHERE random() < 0.7 AND NOT (t > now() - interval '100 minutes' AND"
               "                                t < now() - interval '85 minutes')");
    ask(bench, "INSERT INTO pgmend.sample (server, ts, series, value)"
               " SELECT server, ts, array_agg(id ORDER BY id), array_agg(value ORDER BY id)"
               "   FROM plain GROUP BY server, ts");
    ask(bench, "CREATE TABLE plain_statement AS"
               " SELECT server, ts, id * 3 AS id, (1 + random() * 9)::int4 AS calls,"
               "        (random() * 100)::real AS ms, (random() * 100)::int4::real AS row_count,"
               "        (random() * 1000)::int4::real AS hit, (random() * 10)::int4::real AS read"
               "   FROM plain");
    ask(bench,
        "INSERT INTO pgmend.statement_sample"
        " SELECT server, ts, 7, array_agg(step ORDER BY id), array_agg(calls ORDER BY id),"
        "        array_agg(ms ORDER BY id), array_agg(row_count ORDER BY id),"
        "        array_agg(hit ORDER BY id), array_agg(read ORDER BY id)"
        "   FROM (SELECT *, id - lag(id, 1, 0) OVER (PARTITION BY server, ts ORDER BY id) AS step"
        "           FROM plain_statement) p"
        "  GROUP BY server, ts");
}

static void
downsample(struct bench *bench, struct db *db)
{
    for (int64_t left = 1; left > 0;) {
        struct sql_monitor_store_minute_samples_rows a;
        struct sql_monitor_store_hour_samples_rows b;
        struct sql_monitor_store_minute_statements_rows c;
        struct sql_monitor_store_hour_statements_rows d;

        must(bench, sql_monitor_store_minute_samples(&bench->ctx, db, &a) &&
                        sql_monitor_store_minute_statements(&bench->ctx, db, &c) &&
                        sql_monitor_store_hour_samples(&bench->ctx, db, &b) &&
                        sql_monitor_store_hour_statements(&bench->ctx, db, &d));
        left = a.items[0].made + b.items[0].made + c.items[0].made + d.items[0].made;
    }
}

/* What plain SQL says of whole minutes or hours, against the arrays, both ways round. */
static const char DIFFERENCE[] =
    "WITH last AS (SELECT server, date_trunc('%s', max(ts), 'UTC') AS until FROM %s GROUP BY 1),"
    " wanted AS (SELECT p.server, date_trunc('%s', p.ts, 'UTC') AS ts, id, avg(value) AS mean,"
    "                   min(value) AS least, max(value) AS most, count(*)::int4 AS ticks"
    "              FROM plain p JOIN last l ON l.server = p.server AND p.ts < l.until"
    "             GROUP BY 1, 2, 3),"
    " got AS (SELECT m.server, m.ts, u.* FROM pgmend.sample_%s m,"
    "         unnest(m.series, m.mean, m.least, m.most, m.ticks) AS u (id, mean, least, most, ticks))"
    " SELECT count(*) FILTER (WHERE w.id IS NULL OR g.id IS NULL OR abs(w.mean - g.mean) > 1e-9"
    "          OR w.least <> g.least OR w.most <> g.most OR w.ticks <> g.ticks)"
    "        || ' of ' || (count(*) > %d)"
    "   FROM wanted w FULL JOIN got g ON g.server = w.server AND g.ts = w.ts AND g.id = w.id";

static const char STATEMENT_DIFFERENCE[] =
    "WITH last AS (SELECT server, date_trunc('%s', max(ts), 'UTC') AS until FROM %s GROUP BY 1),"
    " wanted AS (SELECT p.server, date_trunc('%s', p.ts, 'UTC') AS ts, id, sum(calls) AS calls,"
    "                   sum(ms::float8) AS ms, sum(row_count) AS row_count, sum(hit) AS hit,"
    "                   sum(read) AS read"
    "              FROM plain_statement p JOIN last l ON l.server = p.server AND p.ts < l.until"
    "             GROUP BY 1, 2, 3),"
    " got AS (SELECT m.server, m.ts, sum(u.step) OVER (PARTITION BY m.server, m.ts ORDER BY u.n) AS id,"
    "                u.calls, u.ms, u.row_count, u.hit, u.read"
    "           FROM pgmend.statement_%s m,"
    "         unnest(m.step, m.calls, m.ms, m.row_count, m.blocks_hit, m.blocks_read)"
    "         WITH ORDINALITY AS u (step, calls, ms, row_count, hit, read, n))"
    " SELECT count(*) FILTER (WHERE w.id IS NULL OR g.id IS NULL OR w.calls <> g.calls"
    "          OR abs(w.ms - g.ms) > 1e-6 * w.ms OR w.row_count <> g.row_count OR w.hit <> g.hit"
    "          OR w.read <> g.read) || ' of ' || (count(*) > %d)"
    "   FROM wanted w FULL JOIN got g ON g.server = w.server AND g.ts = w.ts AND g.id = w.id";

static void
assert_downsampled(struct bench *bench)
{
    static const char *const units[] = { "minute", "hour" };
    static const char *const sources[] = { "plain", "pgmend.sample_minute" };
    static const char *const statement_sources[] = { "plain_statement", "pgmend.statement_minute" };
    static const int least[] = { 2500, 50 };

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        assert_answer(bench,
            arena_printf(
                bench->ctx.arena, DIFFERENCE, units[i], sources[i], units[i], units[i], least[i]),
            "0 of true");
        assert_answer(bench,
            arena_printf(bench->ctx.arena, STATEMENT_DIFFERENCE, units[i], statement_sources[i],
                units[i], units[i], least[i]),
            "0 of true");
    }
    /* Seven seconds a reading, and the readings that each minute had. */
    assert_answer(bench,
        "SELECT count(*) FROM (SELECT server, date_trunc('minute', ts) AS ts, count(DISTINCT ts) * 7 AS n"
        " FROM plain_statement GROUP BY 1, 2) w JOIN pgmend.statement_minute m USING (server, ts)"
        " WHERE m.span <> w.n",
        "0");
}

static void
minutes_and_hours_are_what_plain_sums_say(void **state)
{
    struct bench *bench = *state;
    struct db *db;

    open_store(bench);
    fill_at_random(bench);
    db = open_db(bench);
    downsample(bench, db);
    assert_downsampled(bench);
    /* Those that had no tick are not there. */
    assert_answer(bench,
        "SELECT count(*) FROM pgmend.sample_minute WHERE ts > now() - interval '98 minutes'"
        " AND ts < now() - interval '87 minutes'",
        "0");
    db_close(db);
}

static void
doing_it_again_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct db *db;

    open_store(bench);
    fill_at_random(bench);
    db = open_db(bench);
    downsample(bench, db);
    /* As if how far it came had been forgotten, altogether or in part. */
    ask(bench, "UPDATE pgmend.store_progress SET done_until = '-infinity' WHERE server = 1");
    ask(bench, "UPDATE pgmend.store_progress SET done_until = done_until - interval '90 minutes'"
               " WHERE server = 2");
    downsample(bench, db);
    assert_downsampled(bench);
    db_close(db);
}

/* The session ends in the middle: a lock of ours holds it up, and then its process is ended. */
static void
a_crash_in_between_doubles_nothing(void **state)
{
    struct bench *bench = *state;
    static const char *const held[] = { "sample_minute", "statement_minute", "sample_hour",
        "statement_hour", "store_progress" };
    struct db *db;

    open_store(bench);
    store_end(bench->store, 0);
    bench->store = NULL;
    fill_at_random(bench);
    for (size_t i = 0; i < COUNT_OF(held); i++) {
        struct sql_monitor_store_minute_samples_rows rows;
        PGconn *holder = connect_to(url_of(bench, ""));
        bool is_done = false;
        int pid;

        db = open_db(bench);
        pid = db_backend_pid(db);
        /* The four in turn; the first finds nothing to wait for before its own table comes. */
        must(bench, sql_monitor_store_minute_samples(&bench->ctx, db, &rows));
        ask_on(bench, holder, "BEGIN");
        ask_on(bench, holder,
            arena_printf(bench->ctx.arena, "LOCK TABLE pgmend.%s IN EXCLUSIVE MODE", held[i]));
        must(bench, db_send(&bench->ctx, db,
                        query_text(i == 1   ? &query_monitor_store_minute_statements
                                   : i == 2 ? &query_monitor_store_hour_samples
                                   : i == 3 ? &query_monitor_store_hour_statements
                                            : &query_monitor_store_minute_samples,
                            db_major(db))));
        for (int64_t end = clock_us() + LONG_US; clock_us() < end; clock_sleep_us(5000))
            if (strcmp(
                    ask(bench,
                        arena_printf(bench->ctx.arena,
                            "SELECT count(*) FROM pg_locks WHERE pid = %d AND NOT granted", pid)),
                    "1") == 0)
                break;
        ask(bench, arena_printf(bench->ctx.arena, "SELECT pg_terminate_backend(%d, 10000)", pid));
        assert_false(db_wait(&bench->ctx, db, LONG_US, &is_done));
        ask_on(bench, holder, "ROLLBACK");
        PQfinish(holder);
        db_close(db);
    }
    db = open_db(bench);
    downsample(bench, db);
    assert_downsampled(bench);
    db_close(db);
}

/* Reads over all three levels: no call counts twice, none is lost where something coarser has it. */
static void
the_view_goes_on_in_minutes_and_hours(void **state)
{
    struct bench *bench = *state;
    struct db *db;
    const char *all;

    open_store(bench);
    fill_at_random(bench);
    db = open_db(bench);
    downsample(bench, db);
    all = ask(bench, "SELECT sum(calls) FROM plain_statement");
    assert_answer(bench, "SELECT sum(calls) FROM pg_stat_statements_snapshot", all);
    ask(bench,
        "DELETE FROM pgmend.statement_sample WHERE ts < date_trunc('minute', now() - interval '50 minutes')");
    assert_answer(bench, "SELECT sum(calls) FROM pg_stat_statements_snapshot", all);
    ask(bench,
        "DELETE FROM pgmend.statement_minute WHERE ts < date_trunc('hour', now() - interval '90 minutes', 'UTC')");
    assert_answer(bench, "SELECT sum(calls) FROM pg_stat_statements_snapshot", all);
    assert_answer(bench, "SELECT count(DISTINCT span) > 1 FROM pg_stat_statements_snapshot", "t");
    db_close(db);
}

/* --- partitions --- */

static void
make_partition(
    struct bench *bench, const char *table, const char *day, const char *step, const char *format)
{
    const char *name = ask(
        bench, arena_printf(bench->ctx.arena,
                   "SELECT '%s_p' || to_char((%s) AT TIME ZONE 'UTC', '%s')", table, day, format));

    ask(bench,
        arena_printf(bench->ctx.arena,
            "DO $$ BEGIN EXECUTE format('CREATE TABLE IF NOT EXISTS pgmend.%s PARTITION OF pgmend.%s FOR VALUES"
            " FROM (%%L) TO (%%L)', %s, %s + interval '%s'); END $$",
            name, table, day, day, step));
}

static const char PARTITIONS[] =
    "SELECT string_agg(to_char(to_date(right(c.relname, 8), 'YYYYMMDD')"
    "                  - (now() AT TIME ZONE 'UTC')::date, 'FM999') , ' ' ORDER BY c.relname)"
    "  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'pgmend.%s'::regclass";

static void
old_days_go_and_new_ones_come(void **state)
{
    struct bench *bench = *state;
    static const char *const days[] = { "sample", "statement_sample", "sample_minute" };
    PGconn *reader;

    open_store(bench);
    store_end(bench->store, 0);
    bench->store = NULL;
    for (size_t i = 0; i < COUNT_OF(days); i++)
        for (int day = 2; day <= 16; day += 1)
            make_partition(bench, days[i],
                arena_printf(
                    bench->ctx.arena, "date_trunc('day', now(), 'UTC') - interval '%d days'", day),
                "1 day", "YYYYMMDD");
    /* Somebody reads one of those that are to go. */
    reader = connect_to(url_of(bench, ""));
    ask_on(bench, reader, "BEGIN");
    ask_on(bench, reader, "SELECT count(*) FROM pgmend.sample_minute");
    open_store(bench);
    run_until(bench,
        arena_printf(bench->ctx.arena,
            "SELECT (SELECT count(*) FROM pg_inherits WHERE inhparent = 'pgmend.sample'::regclass) <= 6"
            "   AND (SELECT count(*) FROM pg_inherits WHERE inhparent = 'pgmend.statement_sample'::regclass) <= 6"));
    /* Two days are kept, and the day that they began in. */
    assert_answer(bench, arena_printf(bench->ctx.arena, PARTITIONS, "sample"), "-2 -1 0 1 2");
    assert_answer(
        bench, arena_printf(bench->ctx.arena, PARTITIONS, "statement_sample"), "-2 -1 0 1 2");
    assert_answer(bench,
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'pgmend.sample_minute'::regclass",
        "19");
    /* Writing goes on meanwhile. */
    tick(bench, clock_wall_us() - S, 1);
    run_until(bench, "SELECT count(*) = 1 FROM pgmend.sample");
    ask_on(bench, reader, "ROLLBACK");
    PQfinish(reader);
    store_end(bench->store, 0);
    open_store(bench);
    run_until(bench,
        "SELECT count(*) = 17 FROM pg_inherits WHERE inhparent = 'pgmend.sample_minute'::regclass");
    assert_answer(bench,
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'pgmend.sample_hour'::regclass AND inhrelid IN"
        " (to_regclass('pgmend.sample_hour_p' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')),"
        "  to_regclass('pgmend.sample_hour_p' || to_char((now() AT TIME ZONE 'UTC') + interval '1 month',"
        "                                                'YYYYMM')))",
        "2");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_store(what_was_given_is_there),
        test_with_store(a_second_monitor_finds_all_and_adds_to_it),
        test_with_store(the_query_of_the_plan_runs_as_written),
        test_with_store(tables_and_indexes_are_stored_hourly),
        test_with_store(sessions_that_wait_are_stored_without_their_text),
        test_with_store(minutes_and_hours_are_what_plain_sums_say),
        test_with_store(doing_it_again_changes_nothing),
        test_with_store(a_crash_in_between_doubles_nothing),
        test_with_store(the_view_goes_on_in_minutes_and_hours),
        test_with_store(old_days_go_and_new_ones_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
