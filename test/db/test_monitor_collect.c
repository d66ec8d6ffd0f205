/*
 * The collectors on a real server: each answers, also to a role without rights, what they say is what
 * the server's own views say, and Prometheus can read all of it.
 */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "db/db.h"
#include "monitor/collect/derive.h"
#include "monitor/collect/text.h"
#include "sql.h"

struct bench {
    struct ctx ctx;
    const char *database;
    const char *role;
    struct db *db; /* writes */
    struct db *watcher;
};

static struct db *
open_as(struct bench *bench, const char *user, enum access access)
{
    struct db *db;
    struct db_options options = {
        .url = arena_printf(bench->ctx.arena, "dbname=%s%s%s", bench->database,
            user ? " user=" : "", user ? user : ""),
        .application = "monitor test",
        .access = access,
    };

    if (!db_open(&bench->ctx, &options, &db))
        fail_msg("%s", bench->ctx.error.message);
    return db;
}

static void
run(struct bench *bench, struct db *db, const char *sql)
{
    if (!db_exec(&bench->ctx, db, sql))
        fail_msg("%s: %s", sql, bench->ctx.error.message);
}

static const char *
value(struct bench *bench, const char *sql)
{
    const char *text;

    if (!db_value(&bench->ctx, bench->db, sql, NULL, 0, &text))
        fail_msg("%s: %s", sql, bench->ctx.error.message);
    return text ? text : "";
}

static double
number(struct bench *bench, const char *sql)
{
    double result;

    assert_true(text_to_double(value(bench, sql), &result));
    return result;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    struct db *admin;

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "monitor_collect_%d", (int)getpid());
    bench->role = arena_printf(arena, "monitor_lame_%d", (int)getpid());
    if (!db_open(&bench->ctx,
            &(struct db_options){ .url = "dbname=postgres", .access = ACCESS_WRITE }, &admin))
        fail_msg("%s", bench->ctx.error.message);
    run(bench, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database));
    run(bench, admin, arena_printf(arena, "CREATE ROLE %s LOGIN", bench->role));
    db_close(admin);
    bench->db = open_as(bench, NULL, ACCESS_WRITE);
    run(bench, bench->db, "CREATE SCHEMA \"odd \"\"place\"");
    run(bench, bench->db, "CREATE EXTENSION pg_stat_statements SCHEMA \"odd \"\"place\"");
    run(bench, bench->db, "CREATE TABLE public.things (id int8 PRIMARY KEY, name text, wide text)");
    run(bench, bench->db,
        "INSERT INTO public.things SELECT n, 'thing ' || n, pg_catalog.repeat('x', 100)"
        " FROM pg_catalog.generate_series(1, 20000) AS n");
    run(bench, bench->db, "CREATE INDEX things_name ON public.things (name)");
    /* Its counts are told when it ends; those of VACUUM must come after them. */
    db_close(bench->db);
    bench->db = open_as(bench, NULL, ACCESS_WRITE);
    run(bench, bench->db, "VACUUM (ANALYZE) public.things");
    bench->watcher = open_as(bench, NULL, ACCESS_READ);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;
    struct db *admin;

    db_close(bench->db);
    db_close(bench->watcher);
    assert_true(db_open(&bench->ctx,
        &(struct db_options){ .url = "dbname=postgres", .access = ACCESS_WRITE }, &admin));
    run(bench, admin, arena_printf(bench->ctx.arena, "DROP DATABASE %s (FORCE)", bench->database));
    run(bench, admin, arena_printf(bench->ctx.arena, "DROP ROLE %s", bench->role));
    db_close(admin);
    arena_free(bench->ctx.arena);
    return 0;
}

/* What watch/ does in a tick, with a session that blocks. */
static void
look(struct bench *bench, struct db *db, struct watched *server)
{
    server->is_up = true;
    server->major = db_major(db);
    server->name = "test";
    server->tick++;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        struct reading *now = &server->now[i];
        struct ctx ctx = { .arena = arena_new() };
        int64_t start_us = clock_us();

        arena_free(server->before[i].arena);
        server->before[i] = *now;
        *now = (struct reading){ .arena = ctx.arena, .is_known = true, .is_fresh = true };
        now->is_good = db_select(&ctx, db, collectors[i].query,
            collector_args(ctx.arena, (enum collector_id)i, 0), &now->rows);
        now->error = ctx.error;
        now->at_us = clock_us();
        now->elapsed_us = now->at_us - start_us;
    }
    server->at_us = clock_us();
    server->samples.arena = bench->ctx.arena;
}

static void
forget(struct watched *server)
{
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        arena_free(server->now[i].arena);
        arena_free(server->before[i].arena);
    }
    statement_texts_free(server->texts);
}

static void
all_are_good(const struct watched *server)
{
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        if (!server->now[i].is_good)
            fail_msg("%s: %s", collectors[i].name, server->now[i].error.message);
}

static const struct sample *
sample_of(const struct watched *server, const char *name, const char *label)
{
    const struct sample *sample =
        sample_find(&server->samples, name, (const char *[]){ label, NULL });

    if (!sample)
        fail_msg("no %s{%s}", name, label ? label : "");
    return sample;
}

/* The column of a collector's metric exists, so that no series is lost by a slip of the pen. */
static void
every_metric_and_label_is_a_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        const struct query *query = collectors[i].query;
        struct text_list columns = { 0 };
        struct arena *arena = arena_new();

        assert_string_equal(query->name + strlen("monitor/"), collectors[i].name);
        for (size_t j = 0; j < query->column_count; j++)
            text_list_add(arena, &columns, query->columns[j].name);
        for (size_t j = 0; j < collectors[i].metric_count; j++)
            if (!text_list_has(&columns, collectors[i].metrics[j].column))
                fail_msg("%s: %s", collectors[i].name, collectors[i].metrics[j].column);
        for (size_t j = 0; collectors[i].labels && collectors[i].labels[j]; j++)
            if (!text_list_has(&columns, collectors[i].labels[j]))
                fail_msg("%s: %s", collectors[i].name, collectors[i].labels[j]);
        assert_true(query->arg_count <= 1);
        assert_true((query->arg_count == 1) == (collector_most_rows((enum collector_id)i) > 0));
        arena_free(arena);
    }
}

static void
tables_count_as_the_server_s_views_do(void **state)
{
    struct bench *bench = *state;
    struct watched server = { 0 };

    run(bench, bench->db, "DELETE FROM public.things WHERE id <= 3000");
    run(bench, bench->db, "UPDATE public.things SET wide = wide WHERE id BETWEEN 4000 AND 4009");
    run(bench, bench->db, "SELECT count(*) FROM public.things WHERE name = 'thing 7777'");
    /* A session tells its counts at most once a second, and when it ends. */
    db_close(bench->db);
    bench->db = open_as(bench, NULL, ACCESS_WRITE);
    /* Before 15 a process of its own collects them, now and then. */
    for (int i = 0; i < 300; i++) {
        look(bench, bench->watcher, &server);
        all_are_good(&server);
        if (((struct sql_monitor_table *)server.now[COLLECT_TABLE].rows.items)->n_tup_upd == 10)
            break;
        clock_sleep_us(100000);
    }
    derive_samples(&server);
    assert_true(
        sample_of(&server, "pg_stat_user_tables_n_tup_del", bench->database)->value == 3000);
    assert_true(
        sample_of(&server, "pg_stat_user_tables_n_tup_ins", bench->database)->value == 20000);
    assert_true(sample_of(&server, "pg_stat_user_tables_n_tup_upd", bench->database)->value == 10);
    assert_true(sample_of(&server, "pg_stat_user_tables_idx_scan", bench->database)->value ==
                number(bench, "SELECT idx_scan FROM pg_catalog.pg_stat_user_tables"));
    /* Vacuum counted the pages that there are. */
    assert_true(
        sample_of(&server, "pg_stat_user_tables_table_size_bytes", bench->database)->value >=
        number(bench, "SELECT pg_catalog.pg_relation_size('public.things')"));
    assert_true(sample_of(&server, "pg_statio_user_tables_heap_blocks_hit", NULL)->value <=
                number(bench, "SELECT heap_blks_hit FROM pg_catalog.pg_statio_user_tables"));
    assert_int_equal(server.now[COLLECT_INDEX].rows.count, 2);

    /* 3,010 of 20,000 rows are dead, as far as the server knows. */
    const struct sample *dead = sample_of(&server, "pgmend_dead_rows_ratio", bench->database);

    assert_true(fabs(dead->value - 3010.0 / 20000) < 0.01);
    assert_true(sample_of(&server, "pgmend_invalid_indexes", NULL)->value == 0);
    assert_true(
        sample_of(&server, "pg_settings_work_mem_bytes", NULL)->value ==
        number(bench, "SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem'))"));
    assert_true(sample_of(&server, "pg_settings_checkpoint_timeout_seconds", NULL)->value ==
                number(bench, "SELECT EXTRACT(epoch FROM pg_catalog.current_setting("
                              "'checkpoint_timeout')::interval)"));
    forget(&server);
}

static void
sessions_say_who_blocks_whom(void **state)
{
    struct bench *bench = *state;
    struct watched server = { 0 };
    struct db *waiter = open_as(bench, NULL, ACCESS_WRITE);
    const struct sql_monitor_session *waiting = NULL;
    const struct sql_monitor_session *blocking = NULL;

    run(bench, bench->db, "BEGIN");
    run(bench, bench->db, "LOCK TABLE public.things");
    assert_true(db_send(&bench->ctx, waiter, "SELECT pg_catalog.count(*) FROM public.things"));
    for (int i = 0; i < 600 && !waiting; i++) {
        clock_sleep_us(100000);
        look(bench, bench->watcher, &server);
        all_are_good(&server);

        const struct reading *reading = &server.now[COLLECT_SESSION];
        const struct sql_monitor_session *rows = reading->rows.items;

        for (size_t j = 0; j < reading->rows.count; j++) {
            assert_int_not_equal(rows[j].pid, db_backend_pid(bench->watcher));
            if (rows[j].pid == db_backend_pid(waiter) && rows[j].blocked_by)
                waiting = &rows[j];
            if (rows[j].pid == db_backend_pid(bench->db))
                blocking = &rows[j];
        }
    }
    assert_non_null(waiting);
    assert_non_null(blocking);
    assert_string_equal(
        waiting->blocked_by, arena_printf(bench->ctx.arena, "%d", db_backend_pid(bench->db)));
    assert_string_equal(waiting->query, "SELECT pg_catalog.count(*) FROM public.things");
    assert_string_equal(waiting->wait_event_type, "Lock");
    assert_int_equal(blocking->blocks, 1);
    assert_string_equal(blocking->state, "idle in transaction");
    derive_samples(&server);
    assert_true(sample_of(&server, "pgmend_blocked_sessions", NULL)->value == 1);
    assert_true(sample_of(&server, "pgmend_idle_in_transaction_seconds", NULL)->value > 0);
    run(bench, bench->db, "ROLLBACK");
    db_close(waiter);
    forget(&server);
}

static void
statements_are_counted_between_two_looks(void **state)
{
    struct bench *bench = *state;
    struct watched server = { .texts = statement_texts_new(0) };
    struct statement_rates rates;
    const struct statement_rate *found = NULL;
    struct rows texts;
    int64_t id;

    look(bench, bench->watcher, &server);
    for (int i = 0; i < 7; i++)
        run(bench, bench->db, "SELECT pg_catalog.pg_sleep(0.02), 'secret'");
    clock_sleep_us(200000);
    look(bench, bench->watcher, &server);
    all_are_good(&server);
    assert_true(text_to_int64(
        value(bench, "SELECT queryid FROM \"odd \"\"place\".pg_stat_statements AS s"
                     "  JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid"
                     " WHERE query LIKE '%pg_sleep($1), $2' AND datname = current_database()"),
        &id));
    derive_statements(bench->ctx.arena, &server, &rates);
    for (size_t i = 0; i < rates.count; i++)
        if (rates.items[i].query_id == id)
            found = &rates.items[i];
    assert_non_null(found);
    assert_int_equal(found->calls, 7);
    assert_true(found->seconds >= 7 * 0.02 && found->mean_seconds >= 0.02);
    assert_true(found->is_new);
    assert_true(rates.span_s >= 0.2);
    assert_null(statement_text(&server, id));

    const void *args = statement_texts_wanted(server.texts, bench->ctx.arena, &server);

    assert_non_null(args);
    assert_true(
        db_select(&bench->ctx, bench->watcher, &query_monitor_statement_text, args, &texts));
    statement_texts_take(server.texts, args, &texts);
    assert_string_equal(statement_text(&server, id), "SELECT pg_catalog.pg_sleep($1), $2");
    assert_null(statement_texts_wanted(server.texts, bench->ctx.arena, &server));
    forget(&server);
}

/* Our path ends where the extension is only between the two queries that need it. */
static void
the_search_path_is_back_after_a_tick(void **state)
{
    struct bench *bench = *state;
    struct watched server = { 0 };
    const char *path;

    look(bench, bench->watcher, &server);
    assert_true(db_value(&bench->ctx, bench->watcher,
        "SELECT pg_catalog.current_setting('search_path')", NULL, 0, &path));
    assert_string_equal(path, "pg_catalog, pg_temp");
    assert_string_equal(
        ((struct sql_monitor_statements_info *)server.now[COLLECT_STATEMENTS_INFO].rows.items)
            ->search_path,
        "pg_catalog, pg_temp, \"odd \"\"place\"");
    forget(&server);
}

static void
an_index_that_is_not_valid_is_seen(void **state)
{
    struct bench *bench = *state;
    struct watched server = { 0 };

    run(bench, bench->db, "INSERT INTO public.things VALUES (100001, 'twice'), (100002, 'twice')");
    assert_false(db_exec(&bench->ctx, bench->db,
        "CREATE UNIQUE INDEX CONCURRENTLY \"not unique\" ON public.things (name)"));
    error_clear(&bench->ctx);
    look(bench, bench->watcher, &server);
    all_are_good(&server);
    derive_samples(&server);
    assert_true(sample_of(&server, "pgmend_invalid_indexes", NULL)->value == 1);

    const struct sql_monitor_index_state *row = server.now[COLLECT_INDEX_STATE].rows.items;

    assert_string_equal(row->indexrelname, "not unique");
    assert_string_equal(row->relname, "things");
    assert_false(row->is_building);
    assert_true(row->is_unique);
    run(bench, bench->db, "DROP INDEX public.\"not unique\"");
    forget(&server);
}

/* It sees less, but nothing of it is an error, and nothing that it does not see is told. */
static void
a_role_without_rights_gets_answers(void **state)
{
    struct bench *bench = *state;
    struct watched server = { 0 };
    struct db *lame = open_as(bench, bench->role, ACCESS_READ);

    look(bench, lame, &server);
    /* Only what is behind the schema that it may not use, and the reason is told. */
    assert_false(server.now[COLLECT_STATEMENT].is_good);
    server.now[COLLECT_STATEMENT].is_good = true;
    server.now[COLLECT_STATEMENT].rows.count = 0;
    all_are_good(&server);

    const struct sql_monitor_server *row = server.now[COLLECT_SERVER].rows.items;
    const struct sql_monitor_statements_info *info = server.now[COLLECT_STATEMENTS_INFO].rows.items;

    assert_false(row->is_superuser);
    assert_false(row->sees_all_stats);
    assert_null(row->data_directory);
    assert_non_null(strstr(info->problem, "GRANT USAGE ON SCHEMA \"odd \"\"place\""));
    derive_samples(&server);
    assert_null(sample_find(&server.samples, "pgmend_blocked_sessions", NULL));
    assert_null(sample_find(&server.samples, "pg_wal_size_bytes", NULL));
    assert_non_null(sample_find(&server.samples, "pgmend_connections_used_ratio", NULL));
    run(bench, bench->db,
        arena_printf(
            bench->ctx.arena, "GRANT USAGE ON SCHEMA \"odd \"\"place\" TO %s", bench->role));
    look(bench, lame, &server);
    all_are_good(&server);
    run(bench, bench->db,
        arena_printf(
            bench->ctx.arena, "REVOKE USAGE ON SCHEMA \"odd \"\"place\" FROM %s", bench->role));
    db_close(lame);
    forget(&server);
}

static void
an_old_extension_is_told_with_its_remedy(void **state)
{
    struct bench *bench = *state;
    struct watched server = { 0 };

    run(bench, bench->db, "DROP EXTENSION pg_stat_statements");
    run(bench, bench->db,
        "CREATE EXTENSION pg_stat_statements SCHEMA \"odd \"\"place\" VERSION '1.8'");
    look(bench, bench->watcher, &server);

    const struct sql_monitor_statements_info *info = server.now[COLLECT_STATEMENTS_INFO].rows.items;

    assert_true(server.now[COLLECT_STATEMENTS_INFO].is_good);
    assert_non_null(strstr(info->problem, "ALTER EXTENSION pg_stat_statements UPDATE"));
    assert_false(server.now[COLLECT_STATEMENT].is_good);
    run(bench, bench->db, "DROP EXTENSION pg_stat_statements");
    look(bench, bench->watcher, &server);
    info = server.now[COLLECT_STATEMENTS_INFO].rows.items;
    assert_non_null(strstr(info->problem, "CREATE EXTENSION pg_stat_statements"));
    run(bench, bench->db, "CREATE EXTENSION pg_stat_statements SCHEMA \"odd \"\"place\"");
    look(bench, bench->watcher, &server);
    all_are_good(&server);
    forget(&server);
}

/* A table under ACCESS EXCLUSIVE, as during ALTER TABLE, must not hold up any collector. */
static void
a_locked_table_holds_up_nothing(void **state)
{
    struct bench *bench = *state;
    struct watched server = { 0 };

    assert_true(db_set(&bench->ctx, bench->watcher, "lock_timeout", "100ms"));
    run(bench, bench->db, "BEGIN");
    run(bench, bench->db, "ALTER TABLE public.things ADD COLUMN more int4");
    look(bench, bench->watcher, &server);
    all_are_good(&server);
    run(bench, bench->db, "ROLLBACK");
    forget(&server);
}

/*
 * promtool's complaints about names of our own are bugs; those of postgres_exporter are kept for the
 * sake of the dashboards that use them.
 */
static const char *const inherited[] = { "pg_settings_", "pg_stat_user_tables_",
    "pg_statio_user_tables_", "pg_stat_database_", "pg_stat_archiver_", "pg_stat_bgwriter_",
    "pg_stat_activity_", "pg_database_wraparound_", "pg_locks_", "pg_replication_", "pg_roles_",
    "pg_stat_checkpointer_" };

static void
check_complaint(const char *line)
{
    for (size_t i = 0; i < COUNT_OF(inherited); i++)
        if (text_starts_with(line, inherited[i]))
            return;
    fail_msg("promtool: %s", line);
}

static void
prometheus_likes_our_names(void **state)
{
    struct bench *bench = *state;
    struct watched server = { 0 };
    struct buffer out = { .arena = bench->ctx.arena };
    const char *folder = test_folder(&bench->ctx);
    const char *path = file_join(bench->ctx.arena, folder, "metrics");
    struct process process;

    if (access("/usr/bin/promtool", X_OK) != 0)
        skip();
    look(bench, bench->watcher, &server);
    clock_sleep_us(150000);
    look(bench, bench->watcher, &server);
    server.host_now = (struct host_facts){ .is_known = true,
        .at_us = 2000000,
        .cpus = 2,
        .cpu_busy_total = 10,
        .cpu_all_total = 20,
        .memory_bytes = 1000,
        .disk_bytes = 1000,
        .server_rss_bytes = 10,
        .server_cpu_total = 5 };
    server.host_before = (struct host_facts){ .is_known = true, .cpus = 2, .server_cpu_total = 4 };
    derive_samples(&server);
    metric_print(&out, &(struct metric_source){ .samples = &server.samples }, 1);
    assert_true(file_write(&bench->ctx, path, buffer_text(&out), out.length, 0600));
    assert_true(process_run(&bench->ctx,
        &(struct process_options){
            .argv = (const char *[]){ "sh", "-c",
                "promtool check metrics < \"$1\" 2>&1; test $? -ne 1", "sh", path, NULL } },
        &process));

    char *line = arena_strdup(bench->ctx.arena, buffer_text(&process.out));

    while (*line) {
        size_t length = strcspn(line, "\n");
        char *next = line + length + (line[length] == '\n');

        line[length] = '\0';
        check_complaint(line);
        line = next;
    }
    assert_true(file_remove(&bench->ctx, folder));
    forget(&server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_and_label_is_a_column),
        cmocka_unit_test(tables_count_as_the_server_s_views_do),
        cmocka_unit_test(sessions_say_who_blocks_whom),
        cmocka_unit_test(statements_are_counted_between_two_looks),
        cmocka_unit_test(the_search_path_is_back_after_a_tick),
        cmocka_unit_test(an_index_that_is_not_valid_is_seen),
        cmocka_unit_test(a_role_without_rights_gets_answers),
        cmocka_unit_test(an_old_extension_is_told_with_its_remedy),
        cmocka_unit_test(a_locked_table_holds_up_nothing),
        cmocka_unit_test(prometheus_likes_our_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
