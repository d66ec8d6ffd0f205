/*
 * The settings' advice over rows made by hand. The numbers that are expected were worked out on paper
 * from the rules that are told beside them.
 */
#include "support/test.h"

#include "test_monitor_doctor_support.h"

static const struct setting_advice *
find(const struct setting_advices *advices, const char *name)
{
    for (size_t i = 0; i < advices->count; i++)
        if (text_equal(advices->items[i].name, name))
            return &advices->items[i];
    return NULL;
}

static void
assert_advice(struct bench *bench, const char *name, const char *better, const char *words)
{
    struct setting_advices advices = { 0 };
    const struct setting_advice *advice;

    doctor_settings(bench->ctx.arena, &bench->server, &advices);
    advice = find(&advices, name);
    if (!better) {
        if (advice)
            fail_msg("%s should be left alone, not %s: %s", name, advice->better, advice->why);
        return;
    }
    if (!advice)
        fail_msg("nothing is said of %s", name);
    assert_string_equal(advice->better, better);
    if (!strstr(advice->why, words))
        fail_msg("\"%s\" is not in \"%s\"", words, advice->why);
}

enum { BUFFERS, CACHE, WORK_MEM, MAX_CONNECTIONS, PAGE_COST, TIMEOUT, WAL_SIZE, JIT, SETTINGS };

static void
put_settings(struct bench *bench, struct sql_monitor_setting *rows)
{
    rows[BUFFERS] = (struct sql_monitor_setting){ .name = "shared_buffers",
        .reset_value = "16384",
        .unit = "8kB",
        .context = "postmaster",
        .source = "default" };
    rows[CACHE] = (struct sql_monitor_setting){ .name = "effective_cache_size",
        .reset_value = "524288",
        .unit = "8kB",
        .context = "user",
        .source = "default" };
    rows[WORK_MEM] = (struct sql_monitor_setting){ .name = "work_mem",
        .reset_value = "4096",
        .unit = "kB",
        .context = "user",
        .source = "default" };
    rows[MAX_CONNECTIONS] = (struct sql_monitor_setting){ .name = "max_connections",
        .reset_value = "100",
        .context = "postmaster",
        .source = "default" };
    rows[PAGE_COST] = (struct sql_monitor_setting){
        .name = "random_page_cost", .reset_value = "4", .context = "user", .source = "default"
    };
    rows[TIMEOUT] = (struct sql_monitor_setting){ .name = "checkpoint_timeout",
        .reset_value = "300",
        .unit = "s",
        .context = "sighup",
        .source = "default" };
    rows[WAL_SIZE] = (struct sql_monitor_setting){ .name = "max_wal_size",
        .reset_value = "1024",
        .unit = "MB",
        .context = "sighup",
        .source = "default" };
    rows[JIT] = (struct sql_monitor_setting){
        .name = "jit", .reset_value = "on", .context = "user", .source = "default"
    };
    put(&bench->server.now[COLLECT_SETTING], rows, SETTINGS);
}

static void
memory_is_not_guessed(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[SETTINGS];
    struct setting_advices advices = { 0 };

    put_settings(bench, rows);
    bench->server.host_now.why_not = "the server is on another machine";
    doctor_settings(bench->ctx.arena, &bench->server, &advices);
    assert_null(find(&advices, "shared_buffers"));
    assert_null(find(&advices, "random_page_cost"));
    assert_true(advices.notes.count >= 2);
    assert_non_null(strstr(advices.notes.items[0], "the server is on another machine"));
}

static void
memory_is_shared_out(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[SETTINGS];
    struct sql_monitor_size sizes[] = { { "shop", 40 * 1073741824.0 } };
    struct sql_monitor_doctor_file_setting written[] = { { "shared_buffers", "1GB" } };
    struct setting_advices advices = { 0 };

    put_settings(bench, rows);
    PUT(bench, COLLECT_SIZE, sizes);
    bench->facts.memory_bytes = INT64_C(16) << 30;
    bench->facts.machine = "as given";
    assert_advice(bench, "shared_buffers", "4GB", "16 GB of memory as given");
    assert_advice(bench, "effective_cache_size", "12GB", "three quarters of the 16 GB");
    put(&bench->facts.answers[DOCTOR_FILE_SETTING], written, 1);
    doctor_settings(bench->ctx.arena, &bench->server, &advices);
    assert_string_equal(
        find(&advices, "shared_buffers")->undo, "ALTER SYSTEM SET shared_buffers = '1GB'");
    assert_string_equal(
        find(&advices, "effective_cache_size")->undo, "ALTER SYSTEM RESET effective_cache_size");
    assert_true(find(&advices, "shared_buffers")->needs_restart);
    assert_false(find(&advices, "effective_cache_size")->needs_restart);
    /* What is written already and waits for the restart is not said again. */
    written[0].value = "4GB";
    assert_advice(bench, "shared_buffers", NULL, NULL);
    bench->facts.answers[DOCTOR_FILE_SETTING].is_good = false;
    /* No more than the data: 0.8 GB and a quarter of it. */
    sizes[0].size_bytes = 0.8 * 1073741824.0;
    assert_advice(bench, "shared_buffers", "1GB", "no more than the data (819 MB)");
    rows[BUFFERS].source = "command line";
    assert_advice(bench, "shared_buffers", NULL, NULL);
}

/* 100 files of 20 MB want 40 MB; half of 12 GB for twice 100 connections is 30.7 MB: 28 in fours. */
static void
work_mem_follows_temp_files(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[SETTINGS];

    put_settings(bench, rows);
    rows[BUFFERS].reset_value = "524288";
    bench->facts.memory_bytes = INT64_C(16) << 30;
    bench->facts.machine = "of this machine";
    assert_advice(bench, "work_mem", NULL, NULL);
    bench->database.temp_files = 100;
    bench->database.temp_bytes = INT64_C(100) * 20 * 1048576;
    assert_advice(bench, "work_mem", "28MB", "100 temporary files of 20 MB");
    rows[MAX_CONNECTIONS].reset_value = "1000";
    assert_advice(bench, "work_mem", NULL, NULL);
}

/* What was spilled before work_mem was set says nothing of it, and is not counted twice. */
static void
work_mem_does_not_climb(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[SETTINGS];
    struct setting_advices advices = { 0 };

    put_settings(bench, rows);
    rows[WORK_MEM].source = "configuration file";
    bench->facts.memory_bytes = INT64_C(16) << 30;
    bench->facts.machine = "of this machine";
    bench->database.temp_files = 100;
    bench->database.temp_bytes = INT64_C(100) * 20 * 1048576;
    bench->about.loaded_epoch = now_epoch - 60;
    assert_advice(bench, "work_mem", NULL, NULL);
    doctor_settings(bench->ctx.arena, &bench->server, &advices);
    assert_non_null(strstr(text_list_join(bench->ctx.arena, &advices.notes, "\n"),
        "work_mem was not judged: 100 temporary files"));
    /* Twelve of 10 MB between the two looks: those it has had itself; twice 10 MB. */
    bench->database_before = bench->database;
    bench->database.temp_files += 12;
    bench->database.temp_bytes += INT64_C(12) * 10 * 1048576;
    put(&bench->server.before[COLLECT_DATABASE], &bench->database_before, 1);
    assert_advice(bench, "work_mem", "20MB", "12 temporary files of 10 MB");
    /* The statistics begin after it was set: all of them count. */
    bench->database.stats_reset = now_epoch - 30;
    bench->database.temp_files = 100;
    bench->database.temp_bytes = INT64_C(100) * 20 * 1048576;
    assert_advice(bench, "work_mem", "40MB", "100 temporary files of 20 MB");
}

/* 10 MB/s for 300 s, times 1.9, are 5.6 GB. */
static void
wal_size_follows_the_rate(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[SETTINGS];
    struct sql_monitor_checkpoint checkpoint[] = { { .timed = 1, .requested = 9 } };
    struct sql_monitor_wal wal[] = {
        { .bytes = 10485760.0 * 1000, .stats_reset = now_epoch - 1000, .full_pages = 800000 }
    };

    put_settings(bench, rows);
    PUT(bench, COLLECT_CHECKPOINT, checkpoint);
    PUT(bench, COLLECT_WAL, wal);
    assert_advice(bench, "max_wal_size", "6GB", "90.0 % of 10 checkpoints");
    assert_advice(bench, "wal_compression", "on", "800 000 whole pages are up to 62.5 %");
    assert_advice(bench, "checkpoint_timeout", "15min", "fewer checkpoints");
    checkpoint[0].timed = 100;
    assert_advice(bench, "max_wal_size", NULL, NULL);
    wal[0].full_pages = 100;
    assert_advice(bench, "wal_compression", NULL, NULL);
}

static void
disk_without_moving_parts(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[SETTINGS];

    put_settings(bench, rows);
    bench->facts.disk_rotates = 0;
    assert_advice(bench, "random_page_cost", "1.1", "without moving parts");
    bench->facts.disk_rotates = 1;
    assert_advice(bench, "random_page_cost", NULL, NULL);
}

/* 50 000 rows between two vacuums of 2 000 000 are 2.5 %. */
static void
big_tables_get_their_own(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[SETTINGS];
    struct sql_monitor_doctor_table tables[] = { { .relation = "public.\"T\"",
        .schema = "public",
        .name = "T",
        .relation_oid = 77,
        .rows_now = 2000000,
        .dead_limit = 400050,
        .written = 5,
        .scale_in_force = 0.2 } };
    struct setting_advices advices = { 0 };

    put_settings(bench, rows);
    put(&bench->facts.answers[DOCTOR_TABLE], tables, 1);
    assert_advice(bench, "autovacuum_vacuum_scale_factor", "0.025", "2 000 000 rows");
    doctor_settings(bench->ctx.arena, &bench->server, &advices);
    assert_string_equal(find(&advices, "autovacuum_vacuum_scale_factor")->change,
        "ALTER TABLE public.\"T\" SET (autovacuum_vacuum_scale_factor = '0.025')");
    assert_int_equal(find(&advices, "autovacuum_vacuum_scale_factor")->table_oid, 77);
    tables[0].scale = "0.1";
    assert_advice(bench, "autovacuum_vacuum_scale_factor", NULL, NULL);
}

/* The longest took 12 s: 36 s in tens is 40 s; a third of 36 s in tens is 20 s. */
static void
roles_get_time_outs(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[SETTINGS];
    struct sql_monitor_doctor_role roles[] = {
        { .name = "app", .sessions = 3 },
        { .name = "boss", .is_superuser = true, .sessions = 3 },
    };
    struct sql_monitor_statement statements[] = {
        { .user = "app", .calls = 5000, .seconds = 20, .max_seconds = 12 }
    };
    struct setting_advices advices = { 0 };

    put_settings(bench, rows);
    put(&bench->facts.answers[DOCTOR_ROLE], roles, 2);
    assert_advice(bench, "statement_timeout", NULL, NULL);
    PUT(bench, COLLECT_STATEMENT, statements);
    assert_advice(bench, "statement_timeout", "40s", "5 000 statements of this role took 12.0 s");
    assert_advice(bench, "lock_timeout", "20s", "12.0 s");
    assert_advice(bench, "idle_in_transaction_session_timeout", "5min", "3 sessions");
    doctor_settings(bench->ctx.arena, &bench->server, &advices);
    for (size_t i = 0; i < advices.count; i++)
        assert_false(text_equal(advices.items[i].role, "boss"));
    assert_string_equal(find(&advices, "statement_timeout")->change,
        "ALTER ROLE app SET statement_timeout = '40s'");
    roles[0].statement_timeout = "1min";
    assert_advice(bench, "statement_timeout", NULL, NULL);
    /* 4 ms on average, 12 s at most: it may be worth compiling that one. */
    assert_advice(bench, "jit", NULL, NULL);
    statements[0].max_seconds = 1;
    assert_advice(bench, "jit", "off", "5 000 statements took 4.0 ms on average");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(memory_is_not_guessed),
        test_with_bench(memory_is_shared_out),
        test_with_bench(work_mem_follows_temp_files),
        test_with_bench(work_mem_does_not_climb),
        test_with_bench(wal_size_follows_the_rate),
        test_with_bench(disk_without_moving_parts),
        test_with_bench(big_tables_get_their_own),
        test_with_bench(roles_get_time_outs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
