/* pgbench against a real server: what is measured, what counts as an error, how a run ends. */
#include "support/test.h"

#include <signal.h>

#include "base/json.h"
#include "base/process.h"
#include "db/db.h"
#include "load/run.h"

#define DATABASE "pgmend_test_load"

enum { LIMIT_US = 30000000 };

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

static int
setup(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->admin = connect_to(bench, "postgres");
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE));
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE DATABASE " DATABASE));
    bench->db = connect_to(bench, DATABASE);
    bench->scripts = test_folder(&bench->ctx);
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
write_script(struct bench *bench, const char *name, const char *text)
{
    must(bench, file_write(&bench->ctx, file_join(bench->ctx.arena, bench->scripts, name), text,
                    strlen(text), 0600));
}

static struct load_options
options_of(const struct bench *bench)
{
    return (struct load_options){
        .folder = bench->scripts,
        .duration_us = 1000000,
        .clients = 2,
        .rate = 200,
        .pgbench = "pgbench",
    };
}

static void
each_script_is_measured(void **state)
{
    struct bench *bench = *state;
    const struct load_options options = options_of(bench);
    struct load_result result;

    write_script(bench, "a.sql", "\\set n random(1, 10)\nSELECT :n::int + 1;\n");
    write_script(bench, "b.sql", "SELECT 1;\nSELECT 2;\n");
    write_script(bench, "notes.txt", "this is no script");
    must(bench, load_run(&bench->ctx, bench->db, &options, &result));
    assert_int_equal(result.script_count, 2);
    assert_string_equal(result.scripts[0].name, "a");
    assert_int_equal(result.scripts[0].fingerprints.count, 1);
    assert_int_equal(result.scripts[1].fingerprints.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct histogram *latency = result.scripts[i].latency;

        assert_true(latency->count > 0);
        assert_true(histogram_quantile_us(latency, 0.5) > 0);
        assert_true(histogram_quantile_us(latency, 0.5) <= histogram_quantile_us(latency, 0.99));
    }
    assert_int_equal(load_errors(&result), 0);
    assert_int_equal(result.messages.count, 0);
    assert_true(result.elapsed_us >= 900000);

    int64_t in_seconds = 0;

    for (size_t i = 0; i < result.second_count; i++)
        in_seconds += result.seconds[i].calls;
    assert_int_equal(in_seconds, load_calls(&result));
}

static void
errors_of_the_server_are_counted_and_shown(void **state)
{
    struct bench *bench = *state;
    const struct load_options options = options_of(bench);
    struct load_result result;

    write_script(bench, "bad.sql", "SELECT 1 / 0;\n");
    must(bench, load_run(&bench->ctx, bench->db, &options, &result));
    assert_true(result.aborted >= 2);
    assert_true(load_errors(&result) >= 2);
    assert_int_equal(load_calls(&result), 0);
    assert_non_null(strstr(result.messages.items[0], "division by zero"));
}

static void
a_variable_without_value_is_said_at_once(void **state)
{
    struct bench *bench = *state;
    const struct load_options options = options_of(bench);
    struct load_result result;

    write_script(bench, "a.sql", "\\set n random(1, :users)\nSELECT :n;\n");
    if (load_run(&bench->ctx, bench->db, &options, &result)) {
        /* pgbench itself calls it an error of its clients. */
        assert_true(load_errors(&result) > 0);
        assert_non_null(strstr(result.messages.items[0], "users"));
        return;
    }
    assert_int_equal(bench->ctx.error.kind, ERR_FAILED);
    assert_non_null(strstr(bench->ctx.error.detail, "users"));
}

static void
what_is_out_of_bounds_is_refused(void **state)
{
    struct bench *bench = *state;
    struct load_result result;
    struct load_options cases[5];

    write_script(bench, "a.sql", "SELECT 1;\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cases[i] = options_of(bench);
    cases[0].clients = 0;
    cases[1].clients = LOAD_MOST_CLIENTS + 1;
    cases[2].duration_us = 10;
    cases[3].duration_us = LOAD_LONGEST_US + 1;
    cases[4].rate = -1;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(load_run(&bench->ctx, bench->db, &cases[i], &result));
        assert_int_equal(bench->ctx.error.kind, ERR_USAGE);
    }
}

static void
wait_for_pgbench(struct bench *bench, struct process *process)
{
    const char *sessions = "0";

    while (strcmp(sessions, "0") == 0) {
        assert_false(process->is_done);
        must(bench, process_poll(&bench->ctx, process, 50000));
        must(bench, db_value(&bench->ctx, bench->admin,
                        "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = "
                        "'" DATABASE "' AND query LIKE '%pg_catalog.pg_sleep(0.01)%'",
                        NULL, 0, &sessions));
    }
}

static void
a_signal_ends_a_run_with_all_that_was_measured(void **state)
{
    struct bench *bench = *state;
    const char *output = file_join(bench->ctx.arena, bench->scripts, "out.json");
    const char *const argv[] = { getenv("PGMEND"), "load", "run", bench->scripts, "--until-signal",
        "--clients", "2", "--output", output, NULL };
    const char *const env[] = { "PGDATABASE=" DATABASE, NULL };
    const struct process_options options = {
        .argv = argv, .env = env, .timeout_us = LIMIT_US, .own_group = true
    };
    struct process process;
    json_t *json CLEANUP(json_release) = NULL;

    if (!argv[0])
        fail_msg("PGMEND is not set: run the tests by script/test or meson test");
    write_script(bench, "a.sql", "SELECT pg_catalog.pg_sleep(0.01);\n");
    must(bench, process_start(&bench->ctx, &options, &process));
    wait_for_pgbench(bench, &process);
    kill(process.pid, SIGINT);
    must(bench, process_wait(&bench->ctx, &process));
    if (process.status != 0)
        fail_msg("status %d: %s", process.status, buffer_text(&process.err));
    must(bench, json_read_file(&bench->ctx, output, &json));
    assert_true(json_get_int(json, "calls", 0) > 0);
    assert_int_equal(json_get_int(json, "errors", -1), 0);
    assert_int_equal(json_get_int(json, "slices", 0), 1);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(each_script_is_measured),
        WITH_BENCH(errors_of_the_server_are_counted_and_shown),
        WITH_BENCH(a_variable_without_value_is_said_at_once),
        WITH_BENCH(what_is_out_of_bounds_is_refused),
        WITH_BENCH(a_signal_ends_a_run_with_all_that_was_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
