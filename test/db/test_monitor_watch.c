/*
 * Watching a server to which everything happens: sessions and processes killed and stopped, locks,
 * missing rights, no connection left, restarts. It says what it sees, and recovers by itself.
 */
#include <math.h>

#include "test_monitor_support.h"

/* The pid of our session in the server. */
static int
backend_of(struct bench *bench)
{
    const char *pid = bench_value(bench,
        "SELECT pid::text FROM pg_stat_activity WHERE application_name = 'pgmend/monitor'"
        " ORDER BY backend_start DESC LIMIT 1");

    assert_non_null(pid);
    return (int)strtol(pid, NULL, 10);
}

static bool
has_ticked_thrice(struct bench *bench)
{
    return bench->server->is_up && bench->server->tick >= 3;
}

static void
a_tick_reads_all_that_is_due(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting_rows settings;

    bench_watch(bench);
    assert_false(bench->server->is_up);
    assert_string_equal(bench->server->database, "postgres");
    assert_non_null(strstr(bench->server->name, "postgres @ /"));
    bench_until(bench, "the first tick", is_up);
    assert_int_equal(bench->server->tick, 1);
    assert_int_equal(bench->server->major, db_major(bench->admin));
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        const struct reading *reading = &bench->server->now[i];

        assert_true(reading->is_known);
        assert_true(reading->is_fresh);
        if (!reading->is_good)
            fail_msg("%s: %s", collectors[i].name, reading->error.message);
        assert_false(bench->server->before[i].is_known);
    }
    bench_must(bench, sql_monitor_setting(&bench->ctx, bench->admin, &settings));
    assert_int_equal(bench->server->now[COLLECT_SETTING].rows.count, settings.count);

    bench_until(bench, "the third tick", has_ticked_thrice);

    const struct reading *fast = &bench->server->now[COLLECT_DATABASE];
    const struct reading *slow = &bench->server->now[COLLECT_SETTING];

    assert_true(fast->is_fresh);
    assert_true(bench->server->before[COLLECT_DATABASE].is_good);
    assert_true(fast->at_us > bench->server->before[COLLECT_DATABASE].at_us);
    assert_false(slow->is_fresh);
    assert_true(slow->is_good);
    assert_false(bench->server->before[COLLECT_SETTING].is_known);
    assert_false(bench->server->is_gap);
}

/* Up to 14 a session tells its counts when it gets idle, at most twice a second. */
static void
flush_statistics(struct bench *bench)
{
    bench_run(
        bench, db_major(bench->admin) >= 15 ? "SELECT pg_stat_force_next_flush()" : "SELECT 1");
}

static int64_t
count_inserted(const struct bench *bench)
{
    const struct reading *reading = &bench->server->now[COLLECT_TABLE];

    for (size_t i = 0; i < reading->rows.count; i++) {
        const struct sql_monitor_table *row = &READING_ROWS(reading, struct sql_monitor_table)[i];

        if (text_equal(row->relname, "watched"))
            return row->n_tup_ins;
    }
    return -1;
}

static bool
has_counted_rows(struct bench *bench)
{
    flush_statistics(bench);
    return count_inserted(bench) > 0;
}

/* Counters of two readings differ by what happened between, as the server itself counts it. */
static void
two_readings_show_what_happened_between(void **state)
{
    struct bench *bench = *state;

    bench->options.intervals_us[COLLECT_TABLE] = BENCH_TICK_US;
    bench_run(bench, "DROP TABLE IF EXISTS public.watched");
    bench_run(bench, "CREATE TABLE public.watched (a int)");
    flush_statistics(bench);
    bench_watch(bench);
    bench_until(bench, "three ticks", has_ticked_thrice);
    bench_run(bench, "INSERT INTO public.watched SELECT generate_series(1, 137)");
    flush_statistics(bench);

    bench_until(bench, "all rows are counted", has_counted_rows);
    assert_int_equal(count_inserted(bench), 137);
    bench_run(bench, "DROP TABLE public.watched");
}

static const enum collector_id with_rates[] = { COLLECT_SERVER, COLLECT_DATABASE,
    COLLECT_STATEMENTS_INFO, COLLECT_STATEMENT, COLLECT_CHECKPOINT, COLLECT_WAL };

static void
once_means_two_full_ticks(void **state)
{
    struct bench *bench = *state;

    bench->options.is_once = true;
    bench_watch(bench);
    bench_until(bench, "the first tick", is_up);
    assert_int_equal(bench->server->tick, 1);
    bench->ticks = 0;
    bench_until(bench, "the second tick", is_up);
    assert_int_equal(bench->server->tick, 2);
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        assert_true(bench->server->now[i].is_fresh);
    for (size_t i = 0; i < COUNT_OF(with_rates); i++)
        assert_true(bench->server->before[with_rates[i]].is_known);
    /* Of what no rate is made the one before is not kept. */
    assert_false(bench->server->before[COLLECT_TABLE].is_known);
}

static void
a_killed_session_comes_back_without_a_gap(void **state)
{
    struct bench *bench = *state;

    bench_watch(bench);
    bench_until(bench, "three ticks", has_ticked_thrice);
    bench_value(bench,
        arena_printf(bench->ctx.arena, "SELECT pg_terminate_backend(%d)::text", backend_of(bench)));
    bench_until(bench, "down", is_down);
    assert_int_equal(bench->server->error.kind, ERR_CONNECTION);
    assert_non_null(strstr(bench->server->error.message, "administrator command"));
    assert_true(bench->server->down_since_wall_us > 0);
    bench_until(bench, "up again", is_up);
    assert_int_equal(bench->server->down_since_wall_us, 0);
    assert_false(bench->server->is_gap);
    assert_null(bench->server->gap);
    assert_true(bench->server->before[COLLECT_DATABASE].is_good);
}

static void
a_stopped_process_is_found_within_the_limit(void **state)
{
    struct bench *bench = *state;
    int pid;

    bench->options.statement_timeout_us = 200000;
    bench_watch(bench);
    bench_until(bench, "up", is_up);
    pid = backend_of(bench);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    bench_until(bench, "down", is_down);
    kill(pid, SIGCONT);
    assert_int_equal(bench->server->error.kind, ERR_TIMEOUT);
    bench_until(bench, "up again", is_up);
}

static int
postmaster_of(struct bench *bench)
{
    const char *pid =
        bench_value(bench, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");

    return (int)strtol(pid, NULL, 10);
}

static bool
has_tried_in_vain(struct bench *bench)
{
    return is_down(bench) && bench->server->error.message &&
           strstr(bench->server->error.message, "no answer in time");
}

/* A postmaster that hangs still has a socket that takes connections. */
static void
a_hung_postmaster_is_told_and_outlived(void **state)
{
    struct bench *bench = *state;
    int pid;

    bench_watch(bench);
    bench_until(bench, "up", is_up);
    pid = postmaster_of(bench);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    bench_value(bench,
        arena_printf(bench->ctx.arena, "SELECT pg_terminate_backend(%d)::text", backend_of(bench)));
    bench_until(bench, "no answer", has_tried_in_vain);
    assert_int_equal(bench->server->error.kind, ERR_CONNECTION);
    kill(pid, SIGCONT);
    bench_until(bench, "up again", is_up);
}

static struct cluster *the_cluster;

static void
a_restart_is_a_gap(void **state)
{
    struct bench *bench = *state;

    bench_watch(bench);
    bench_until(bench, "three ticks", has_ticked_thrice);
    db_close(bench->admin);
    bench->admin = NULL;
    cluster_do(the_cluster, "stop");
    bench_until(bench, "down", is_down);
    cluster_start(the_cluster);
    bench_open_admin(bench);
    bench_until(bench, "up again", is_up);
    assert_true(bench->server->is_gap);
    assert_string_equal(bench->server->gap, "the server was restarted");
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        assert_false(bench->server->before[i].is_known);
    bench->ticks = 0;
    bench_until(bench, "the tick after", is_up);
    assert_false(bench->server->is_gap);
}

/* One killed process makes the server throw away its shared memory and its statistics. */
static void
a_crash_is_a_gap(void **state)
{
    struct bench *bench = *state;

    bench_watch(bench);
    bench_until(bench, "three ticks", has_ticked_thrice);
    assert_int_equal(kill(db_backend_pid(bench->admin), SIGKILL), 0);
    bench_until(bench, "down", is_down);
    db_close(bench->admin);
    bench->admin = NULL;
    bench_until(bench, "up again", is_up);
    assert_true(bench->server->is_gap);
    assert_non_null(strstr(bench->server->gap, "statistics were reset"));
    bench_open_admin(bench);
}

static bool
has_gap_text(struct bench *bench)
{
    return bench->server->gap;
}

static void
a_reset_forgets_only_what_it_reset(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        bench->options.intervals_us[i] = BENCH_TICK_US;
    /* A database that was never reset has no time of it to compare with. */
    bench_run(bench, "SELECT pg_stat_reset()");
    bench_watch(bench);
    bench_until(bench, "three ticks", has_ticked_thrice);
    bench_run(bench, "SELECT public.pg_stat_statements_reset()");
    bench_until(bench, "the reset of statements", has_gap_text);
    assert_string_equal(bench->server->gap, "pg_stat_statements was reset");
    assert_false(bench->server->is_gap);
    assert_false(bench->server->before[COLLECT_STATEMENT].is_known);
    assert_true(bench->server->before[COLLECT_DATABASE].is_good);
    bench_run(bench, "SELECT pg_stat_reset()");
    bench_until(bench, "the reset of the database", has_gap_text);
    assert_string_equal(bench->server->gap, "the statistics of the database were reset");
    assert_true(bench->server->before[COLLECT_STATEMENT].is_good);
}

static bool
table_has_failed(struct bench *bench)
{
    const struct reading *reading = &bench->server->now[COLLECT_TABLE];

    return reading->is_known && !reading->is_good;
}

static bool
table_is_good(struct bench *bench)
{
    return bench->server->now[COLLECT_TABLE].is_good;
}

/* Who has a table for himself holds up those who ask its size, but not the others. */
static void
a_locked_table_costs_its_collector_and_no_other(void **state)
{
    struct bench *bench = *state;

    bench->options.lock_timeout_us = 20000;
    bench->options.intervals_us[COLLECT_TABLE] = BENCH_TICK_US;
    bench_run(bench, "DROP TABLE IF EXISTS public.locked");
    bench_run(bench, "CREATE TABLE public.locked AS SELECT 1 AS a");
    bench_watch(bench);
    bench_until(bench, "a good tick", table_is_good);
    bench_run(bench, "BEGIN");
    bench_run(bench, "LOCK TABLE pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE");
    bench_until(bench, "a refused lock", table_has_failed);
    assert_true(bench->server->is_up);
    assert_int_equal(bench->server->now[COLLECT_TABLE].error.kind, ERR_TIMEOUT);
    assert_string_equal(bench->server->now[COLLECT_TABLE].error.sqlstate, "55P03");
    assert_true(bench->server->now[COLLECT_DATABASE].is_good);
    bench_run(bench, "ROLLBACK");
    bench_until(bench, "good again", table_is_good);
    bench_run(bench, "DROP TABLE public.locked");
}

static void
a_role_without_rights_reads_what_it_may(void **state)
{
    struct bench *bench = *state;
    int64_t asked[COLLECTOR_COUNT];
    size_t good = 0;

    bench_run(bench, "DROP ROLE IF EXISTS poor");
    bench_run(bench, "CREATE ROLE poor LOGIN");
    bench_run(bench, "CREATE SCHEMA IF NOT EXISTS pgmend");
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        bench->options.intervals_us[i] = BENCH_TICK_US;
    bench->given.db_url = "user=poor";
    bench_watch(bench);
    bench_until(bench, "up", is_up);
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        const struct reading *reading = &bench->server->now[i];

        assert_true(reading->is_known);
        asked[i] = reading->at_us;
        good += reading->is_good;
        if (reading->is_good)
            continue;
        print_message("# %s: %s\n", collectors[i].name, reading->error.message);
        assert_int_equal(reading->error.kind, ERR_RIGHTS);
        assert_non_null(reading->error.hint);
        assert_string_equal(reading->error.hint, collectors[i].needs);
    }
    assert_true(good > COLLECTOR_COUNT / 2);
    bench_until(bench, "three ticks", has_ticked_thrice);
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        const struct reading *reading = &bench->server->now[i];

        /* What was refused is not asked in each tick. */
        assert_true(reading->is_good ? reading->at_us > asked[i] : reading->at_us == asked[i]);
    }
    watch_free(bench->watch);
    bench->watch = NULL;
    bench_run(bench, "DROP ROLE poor");
}

static void
a_full_server_is_told_with_what_to_do(void **state)
{
    enum { MOST = 200 };
    struct bench *bench = *state;
    struct db *others[MOST];
    size_t count = 0;
    struct db_options options = { .application = "others", .access = ACCESS_READ };

    while (count < MOST && db_open(&bench->ctx, &options, &others[count]))
        count++;
    assert_true(count > 10 && count < MOST);
    bench_watch(bench);
    bench_until(bench, "refused", is_down);
    assert_int_equal(bench->server->error.kind, ERR_CONNECTION);
    assert_non_null(strstr(bench->server->error.message, "too many clients"));
    assert_non_null(strstr(bench->server->error.hint, "No connection is left"));
    for (size_t i = 0; i < count; i++)
        db_close(others[i]);
    bench_until(bench, "up", is_up);
}

static bool
is_slowed(struct bench *bench)
{
    return bench->server->slowed >= 2;
}

static bool
is_quick_again(struct bench *bench)
{
    return bench->server->slowed == 0;
}

static void
it_asks_less_often_when_it_costs_too_much(void **state)
{
    struct bench *bench = *state;

    bench->options.interval_us = 10000;
    bench->options.most_cost_ratio = 1e-9;
    bench_watch(bench);
    bench_until(bench, "slowed twice", is_slowed);
    assert_true(bench->server->missed > 0);
    assert_true(bench->server->cost_ratio > 0 || bench->server->tick > 0);
    watch_free(bench->watch);
    bench->options.most_cost_ratio = 1e9;
    bench_watch(bench);
    bench_until(bench, "three ticks", has_ticked_thrice);
    assert_true(is_quick_again(bench));
}

static void
a_bad_url_is_refused_and_a_wrong_place_is_told(void **state)
{
    struct bench *bench = *state;

    bench->given.db_url = "postgresql://me:geheim@[::1/x";
    assert_false(
        watch_new(&bench->ctx, &bench->monitor, &bench->given, &bench->options, &bench->watch));
    assert_error(&bench->ctx, ERR_USAGE, "URL");
    assert_null(strstr(bench->ctx.error.message, "geheim"));
    bench->watch = NULL;
    assert_int_equal(bench->monitor.watches.count, 0);

    bench->given.db_url = "postgresql://me:geheim@127.0.0.1:1/x";
    bench_watch(bench);
    bench_until(bench, "down", is_down);
    assert_null(strstr(bench->server->name, "geheim"));
    assert_null(strstr(bench->server->error.message, "geheim"));
}

static struct rusage
used(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage;
}

static bool
all_have_ticked_thrice(struct bench *bench)
{
    for (size_t i = 0; i < bench->monitor.servers.count; i++)
        if (bench->monitor.servers.items[i]->tick < 3)
            return false;
    return true;
}

/* Of the databases of one server the first watch asks what is the same in all. */
static void
a_hundred_sessions_are_watched_by_one_process(void **state)
{
    enum { WATCHES = 100, DATABASES = 10 };
    struct bench *bench = *state;
    struct setup_server *given = ARENA_ARRAY(bench->ctx.arena, struct setup_server, WATCHES);

    for (int i = 0; i < DATABASES; i++)
        bench_run(bench, arena_printf(bench->ctx.arena, "CREATE DATABASE many%d", i));
    bench->options.interval_us = 1000000;
    for (size_t i = 0; i < WATCHES; i++) {
        given[i].db_url = arena_printf(bench->ctx.arena, "dbname=many%zu", i % DATABASES);
        bench_must(bench,
            watch_new(&bench->ctx, &bench->monitor, &given[i], &bench->options, &bench->watch));
    }
    bench->watch = NULL;
    bench->server = bench->monitor.servers.items[WATCHES - 1];
    for (size_t i = 0; i < WATCHES; i++)
        watch_start(bench->monitor.watches.items[i]);

    struct rusage before = used();

    bench_until(bench, "three ticks of all", all_have_ticked_thrice);

    struct rusage after = used();
    int64_t cpu_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                     after.ru_utime.tv_usec - before.ru_utime.tv_usec +
                     (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
                     after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    size_t leaders = 0;

    print_message("# %d watches: %.2f ms of CPU a tick and watch, %ld kB resident at most\n",
        WATCHES, (double)cpu_us / 1000 / (double)bench->ticks, after.ru_maxrss);
    for (size_t i = 0; i < WATCHES; i++) {
        const struct watched *server = bench->monitor.servers.items[i];

        assert_true(server->is_up);
        leaders += server->now[COLLECT_ACTIVITY].is_known;
        assert_true(server->now[COLLECT_TABLE].is_good);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(server->name, bench->monitor.servers.items[j]->name);
    }
    assert_int_equal(leaders, 1);
    while (bench->monitor.watches.count > 0)
        watch_free(bench->monitor.watches.items[0]);
    for (int i = 0; i < DATABASES; i++)
        bench_run(bench, arena_printf(bench->ctx.arena, "DROP DATABASE many%d WITH (FORCE)", i));
}

static int
begin(void **state)
{
    int result = cluster_set_up(state);

    the_cluster = *state;
    return result;
}

static int
end(void **state)
{
    *state = the_cluster;
    return cluster_tear_down(state);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_on_bench(a_tick_reads_all_that_is_due),
        test_on_bench(two_readings_show_what_happened_between),
        test_on_bench(once_means_two_full_ticks),
        test_on_bench(a_killed_session_comes_back_without_a_gap),
        test_on_bench(a_stopped_process_is_found_within_the_limit),
        test_on_bench(a_hung_postmaster_is_told_and_outlived),
        test_on_bench(a_restart_is_a_gap),
        test_on_bench(a_crash_is_a_gap),
        test_on_bench(a_reset_forgets_only_what_it_reset),
        test_on_bench(a_locked_table_costs_its_collector_and_no_other),
        test_on_bench(a_role_without_rights_reads_what_it_may),
        test_on_bench(a_full_server_is_told_with_what_to_do),
        test_on_bench(it_asks_less_often_when_it_costs_too_much),
        test_on_bench(a_bad_url_is_refused_and_a_wrong_place_is_told),
        test_on_bench(a_hundred_sessions_are_watched_by_one_process),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
