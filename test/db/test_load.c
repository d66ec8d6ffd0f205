/* SQL scripts by our own sessions against a real server: what arrives there, what counts as what. */
#include "support/test.h"

#include <inttypes.h>
#include <signal.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "db/db.h"
#include "load/engine/engine.h"
#include "load/scenario/scenario.h"

#define DATABASE "pgmend_test_load"
#define FEW      "pgmend_test_load_few"
/* Long enough for thousands of requests; on a machine that is busy a run is made again, a longer one. */
#define SHORT_US INT64_C(400000)
#define LONG_US  INT64_C(20000000)
enum { ENOUGH = 20 };

struct bench {
    struct ctx ctx;
    struct db *admin;
    struct db *db;
    const char *scripts; /* a folder */
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
run_sql(struct bench *bench, const char *sql)
{
    must(bench, db_exec(&bench->ctx, bench->db, sql));
}

static const char *
ask(struct bench *bench, const char *sql)
{
    const char *value = NULL;

    must(bench, db_value(&bench->ctx, bench->db, sql, NULL, 0, &value));
    return value ? value : "";
}

static int64_t
ask_number(struct bench *bench, const char *sql)
{
    int64_t number = -1;

    assert_true(text_to_int64(ask(bench, sql), &number));
    return number;
}

/* Tables stand where only the search_path of the database finds them. */
static int
begin(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    interrupt_catch();
    bench->admin = connect_to(bench, "postgres");
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE));
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP ROLE IF EXISTS " FEW));
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE DATABASE " DATABASE));
    must(bench,
        db_exec(&bench->ctx, bench->admin, "ALTER DATABASE " DATABASE " SET search_path = odd"));
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE ROLE " FEW " LOGIN CONNECTION LIMIT 2"));
    bench->db = connect_to(bench, DATABASE);
    run_sql(bench, "CREATE SCHEMA odd");
    run_sql(bench, "GRANT USAGE ON SCHEMA odd TO " FEW);
    run_sql(
        bench, "CREATE TABLE odd.note (id bigserial PRIMARY KEY, who text, n bigint, m bigint)");
    run_sql(bench, "CREATE TABLE odd.counter (id int PRIMARY KEY, n bigint NOT NULL)");
    run_sql(bench, "INSERT INTO odd.counter VALUES (1, 0)");
    *state = bench;
    return 0;
}

static int
end(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE " DATABASE " WITH (FORCE)"));
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP ROLE " FEW));
    db_close(bench->admin);
    arena_free(bench->ctx.arena);
    return 0;
}

static void
empty_tables(struct bench *bench)
{
    run_sql(bench, "TRUNCATE odd.note");
    run_sql(bench, "UPDATE odd.counter SET n = 0");
}

static int
setup(void **state)
{
    struct bench *bench = *state;

    bench->scripts = test_folder(&bench->ctx);
    empty_tables(bench);
    return 0;
}

static int
teardown(void **state)
{
    struct bench *bench = *state;

    must(bench, file_remove(&bench->ctx, bench->scripts));
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
    return (struct load_options){ .db = bench->db, .seed = 7 };
}

/* All scripts of the folder by so many clients. */
static void
read_folder(struct bench *bench, int32_t clients, struct load_scenario *ret)
{
    const struct load_scenario_options options = { 0 };

    must(bench, load_scenario_of_folder(&bench->ctx, bench->scripts, &options, ret));
    ret->duration_us = SHORT_US;
    ret->groups[0].users = clients;
    ret->users = clients;
}

static void
run_scenario(struct bench *bench, const struct load_scenario *scenario,
    const struct load_options *options, struct load_record *ret)
{
    load_record_begin(bench->ctx.arena, scenario, ret);
    must(bench, load_engine_run(&bench->ctx, scenario, options, ret));
}

static void
run_folder(struct bench *bench, int32_t clients, struct load_record *ret)
{
    const struct load_options options = options_of(bench);
    struct load_scenario *scenario = ARENA_NEW(bench->ctx.arena, struct load_scenario);

    read_folder(bench, clients, scenario);
    for (;;) {
        run_scenario(bench, scenario, &options, ret);
        if (load_record_count(ret, LOAD_GOOD) + load_record_errors(ret) >= ENOUGH ||
            scenario->duration_us > LONG_US)
            return;
        empty_tables(bench);
        scenario->duration_us *= 4;
    }
}

static const struct load_step_record *
step_of(const struct load_record *record, const char *name)
{
    for (size_t i = 0; i < record->step_count; i++)
        if (text_equal(record->steps[i].name, name))
            return &record->steps[i];
    fail_msg("no step %s", name);
    return NULL;
}

static int64_t
good_of(const struct load_record *record, const char *name)
{
    return step_of(record, name)->outcomes[LOAD_GOOD];
}

static void
assert_message(const struct load_record *record, const char *text)
{
    for (size_t i = 0; i < record->message_count; i++)
        if (strstr(record->messages[i].text, text))
            return;
    fail_msg("no message has \"%s\"; the first is \"%s\"", text,
        record->message_count > 0 ? record->messages[0].text : "(none)");
}

static void
assert_no_failure(const struct load_record *record)
{
    if (load_record_errors(record) > 0)
        fail_msg("%" PRId64 " failed: %s", load_record_errors(record),
            record->message_count > 0 ? record->messages[0].text : "(no message)");
}

static void
every_good_request_is_a_row_and_every_row_a_good_request(void **state)
{
    struct bench *bench = *state;
    struct load_record record;

    write_script(
        bench, "a.sql", "\\set n random(3, 7)\nINSERT INTO note (who, n) VALUES ('a', :n);\n");
    write_script(bench, "b.sql",
        "\\set n 5 * 2 + 1\n"
        "BEGIN;\nINSERT INTO note (who, n) VALUES ('b', :n);\n"
        "UPDATE counter SET n = n + :n WHERE id = 1;\nEND;\n");
    write_script(bench, "notes.txt", "this is no script");
    run_folder(bench, 3, &record);
    assert_no_failure(&record);
    assert_int_equal(record.step_count, 2);
    assert_int_equal(record.most_open, 3);
    assert_true(good_of(&record, "a") > 0 && good_of(&record, "b") > 0);
    assert_int_equal(record.unanswered, 0);
    assert_int_equal(
        ask_number(bench, "SELECT count(*) FROM odd.note WHERE who = 'a' AND n BETWEEN 3 AND 7"),
        good_of(&record, "a"));
    assert_int_equal(ask_number(bench, "SELECT count(*) FROM odd.note WHERE who = 'b' AND n = 11"),
        good_of(&record, "b"));
    assert_int_equal(ask_number(bench, "SELECT n FROM odd.counter"), 11 * good_of(&record, "b"));
    assert_int_equal(step_of(&record, "a")->statements, good_of(&record, "a"));
    assert_int_equal(step_of(&record, "b")->statements, 4 * good_of(&record, "b"));
    assert_int_equal(step_of(&record, "a")->fingerprints.count, 1);
    assert_int_equal(step_of(&record, "b")->fingerprints.count, 4);
}

/* The same script by pgbench itself: what both make of \set. */
static void
values_are_those_that_pgbench_makes(void **state)
{
    static const char text[] =
        "\\set a random(1, 4) * 10 - 7 % 4\n"
        "\\set b CASE WHEN :a > 20 THEN :a / 3 ELSE -:a / 3 END\n"
        "\\set c greatest(:a, 25) + abs(:b)\n"
        "INSERT INTO note (who, n, m) VALUES (concat(:a::text, ' ', :who::text), :b, :c);\n";
    static const char *who[] = { "who=bench" };
    const struct load_scenario_options defined = { .defines = { .items = who, .count = 1 } };
    struct bench *bench = *state;
    const struct load_options options = options_of(bench);
    const char *path = file_join(bench->ctx.arena, bench->scripts, "a.sql");
    const char *const argv[] = { "pgbench", "--no-vacuum", "--protocol=prepared", "-t", "200", "-D",
        "who=bench", "-f", path, NULL };
    const char *const env[] = { "PGDATABASE=" DATABASE, NULL };
    const struct process_options pgbench = { .argv = argv, .env = env, .timeout_us = 60000000 };
    static const char distinct[] =
        "SELECT string_agg(DISTINCT concat_ws(' ', who, n, m), ', ' ORDER BY "
        "concat_ws(' ', who, n, m)) FROM odd.note";
    struct load_scenario scenario;
    struct load_record record;
    struct process process;

    write_script(bench, "a.sql", text);
    must(bench, process_run(&bench->ctx, &pgbench, &process));
    const char *theirs = ask(bench, distinct);
    run_sql(bench, "TRUNCATE odd.note");
    must(bench, load_scenario_of_folder(&bench->ctx, bench->scripts, &defined, &scenario));
    scenario.duration_us = SHORT_US;
    run_scenario(bench, &scenario, &options, &record);
    assert_no_failure(&record);
    assert_true(good_of(&record, "a") > 0);
    if (good_of(&record, "a") >= 100)
        assert_string_equal(ask(bench, distinct), theirs);
}

static void
statements_are_prepared_once_a_session(void **state)
{
    struct bench *bench = *state;
    struct load_record record;

    write_script(bench, "a.sql",
        "\\set n 1\nSELECT :n::int + :n::int AS seen_here;\n"
        "INSERT INTO note (who, n) SELECT concat_ws('|', name, statement, "
        "current_setting('application_name'), "
        "current_setting('client_connection_check_interval')), "
        "(SELECT count(*) FROM pg_prepared_statements) "
        "FROM pg_prepared_statements WHERE statement LIKE '%seen_here%' "
        "AND statement NOT LIKE 'INSERT%';\n");
    run_folder(bench, 2, &record);
    assert_no_failure(&record);
    assert_true(good_of(&record, "a") > 2);
    assert_int_equal(ask_number(bench, "SELECT count(DISTINCT who) FROM odd.note"), 1);
    assert_int_equal(
        ask_number(bench, "SELECT count(*) FROM odd.note WHERE who ~ '^load_[0-9a-f]+_1\\|SELECT "
                          "\\$1::int \\+ \\$1::int AS seen_here\\|pgmend/load\\|1s$'"),
        good_of(&record, "a"));
    assert_int_equal(ask_number(bench, "SELECT max(n) FROM odd.note"), 2);
}

static void
an_error_inside_rolls_back_and_the_session_goes_on(void **state)
{
    struct bench *bench = *state;
    struct load_record record;

    write_script(bench, "bad.sql",
        "BEGIN;\nINSERT INTO note (who) VALUES ('bad');\n"
        "SELECT 1 / (n - n) FROM counter;\nCOMMIT;\n");
    write_script(bench, "good.sql", "INSERT INTO note (who) VALUES ('good');\n");
    write_script(bench, "open.sql", "BEGIN;\nINSERT INTO note (who) VALUES ('open');\n");
    run_folder(bench, 1, &record);
    assert_true(good_of(&record, "good") > 0);
    assert_int_equal(good_of(&record, "bad"), 0);
    assert_int_equal(good_of(&record, "open"), 0);
    assert_true(step_of(&record, "bad")->outcomes[LOAD_FAILED] > 0);
    assert_int_equal(load_record_errors(&record), load_record_count(&record, LOAD_FAILED));
    assert_message(&record, "22012: division by zero");
    assert_message(&record, "lacks a COMMIT");
    assert_int_equal(record.lost, 0);
    assert_int_equal(ask_number(bench, "SELECT count(*) FROM odd.note"), good_of(&record, "good"));
}

/* What was prepared is gone then: that is no pooler's doing. */
static void
a_script_that_discards_all_is_told_so(void **state)
{
    struct bench *bench = *state;
    struct load_record record;

    write_script(bench, "a.sql", "SELECT n FROM counter;\nDISCARD ALL;\n");
    run_folder(bench, 1, &record);
    assert_true(load_record_count(&record, LOAD_FAILED) > 0);
    assert_message(&record, "DISCARD or DEALLOCATE in the script, or a pooler");
    assert_message(&record, "pool_mode = session)");
}

static void
what_could_not_be_serialized_is_counted(void **state)
{
    struct bench *bench = *state;
    struct load_record record;

    write_script(bench, "a.sql",
        "\\set one 1\nBEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT n FROM counter;\n"
        "\\sleep 2 ms\nUPDATE counter SET n = n + :one;\nCOMMIT;\n");
    run_folder(bench, 4, &record);
    assert_true(load_record_count(&record, LOAD_FAILED) > 0);
    assert_message(&record, "40001: could not serialize access");
    assert_int_equal(ask_number(bench, "SELECT n FROM odd.counter"), good_of(&record, "a"));
}

static void
a_session_that_is_killed_is_opened_again(void **state)
{
    struct bench *bench = *state;
    struct load_record record;

    write_script(bench, "kill.sql", "SELECT pg_terminate_backend(pg_backend_pid());\n");
    write_script(bench, "live.sql", "INSERT INTO note (who) VALUES ('live');\n");
    run_folder(bench, 4, &record);
    assert_true(step_of(&record, "kill")->outcomes[LOAD_RESET] > 0);
    assert_int_equal(good_of(&record, "kill"), 0);
    assert_true(good_of(&record, "live") > 0);
    assert_true(record.lost > 0);
    assert_message(&record, "terminating connection due to administrator command");
    assert_int_equal(ask_number(bench, "SELECT count(*) FROM odd.note"), good_of(&record, "live"));
}

/* While the run goes on: nobody gets in any more, and who is in is thrown out. */
static void
close_the_door(void *data, bool is_begin)
{
    struct bench *bench = data;

    if (!is_begin)
        return;
    must(bench,
        db_exec(&bench->ctx, bench->admin, "ALTER DATABASE " DATABASE " ALLOW_CONNECTIONS false"));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                    "'" DATABASE "' AND application_name = 'pgmend/load'"));
}

static void
a_server_that_lets_nobody_in_is_counted(void **state)
{
    struct bench *bench = *state;
    struct load_options options = options_of(bench);
    struct load_scenario scenario;
    struct load_record record;

    write_script(bench, "a.sql", "SELECT pg_sleep(0.01);\n");
    read_folder(bench, 2, &scenario);
    scenario.warm_up_us = 100000;
    scenario.duration_us = 900000;
    options.counting = close_the_door;
    options.data = bench;
    run_scenario(bench, &scenario, &options, &record);
    must(bench,
        db_exec(&bench->ctx, bench->admin, "ALTER DATABASE " DATABASE " ALLOW_CONNECTIONS true"));
    assert_true(load_record_count(&record, LOAD_UNCONNECTED) > 0);
    assert_message(&record, "55000: database \"" DATABASE "\" is not currently accepting");
}

/* What nobody waits for any more does not go on in the server. */
static void
an_answer_that_is_late_ends_its_statement(void **state)
{
    struct bench *bench = *state;
    const struct load_options options = options_of(bench);
    struct load_scenario scenario;
    struct load_record record;
    int64_t limit_us = clock_us() + 60000000;

    write_script(bench, "a.sql", "SELECT pg_sleep(600);\n");
    read_folder(bench, 2, &scenario);
    scenario.limit_us = 300000;
    scenario.duration_us = 900000;
    run_scenario(bench, &scenario, &options, &record);
    assert_true(load_record_count(&record, LOAD_LATE) > 0);
    assert_int_equal(load_record_count(&record, LOAD_GOOD), 0);
    while (ask_number(bench, "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                             "'" DATABASE "' AND query LIKE '%pg_sleep(600)%' AND state = 'active' "
                             "AND pid <> pg_backend_pid()") > 0) {
        assert_true(clock_us() < limit_us);
        assert_true(clock_sleep_us(50000));
    }
}

static void
too_many_connections_are_refused_ones(void **state)
{
    struct bench *bench = *state;
    const struct db_options few = {
        .url = "user=" FEW, .database = DATABASE, .application = "test", .access = ACCESS_READ
    };
    struct load_options options = options_of(bench);
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct load_scenario scenario;
    struct load_record record;

    /* One of the two sessions that the role may have is this one. */
    must(bench, db_open(&bench->ctx, &few, &db));
    options.db = db;
    write_script(bench, "a.sql", "SELECT pg_sleep(0.001);\n");
    read_folder(bench, 3, &scenario);
    run_scenario(bench, &scenario, &options, &record);
    assert_int_equal(record.most_open, 1);
    assert_true(good_of(&record, "a") > 0);
    assert_message(&record, "53300: too many connections for role");
}

static void
a_row_gives_values_to_the_statements_after_it(void **state)
{
    struct bench *bench = *state;
    struct load_record record;

    write_script(bench, "a.sql",
        "\\set n random(1, 1000)\n"
        "INSERT INTO note (who, n) VALUES ('it''s :n', :n) RETURNING id, n AS number \\gset my_\n"
        "UPDATE note SET m = :my_number::bigint * 2 WHERE id = :my_id;\n");
    /* Another script's variable has the name of a column here. */
    write_script(bench, "b.sql", "\\set id -1\nSELECT :id;\n");
    write_script(bench, "c.sql",
        "INSERT INTO note (n) VALUES (0) RETURNING id \\gset\n"
        "UPDATE note SET m = :id, who = 'c' WHERE id = :id;\n");
    write_script(bench, "none.sql",
        "SELECT id AS nothing FROM note WHERE false \\gset\n"
        "SELECT :nothing;\n");
    run_folder(bench, 2, &record);
    assert_true(good_of(&record, "a") > 0);
    assert_int_equal(step_of(&record, "a")->outcomes[LOAD_FAILED], 0);
    assert_int_equal(
        ask_number(bench, "SELECT count(*) FROM odd.note WHERE m = 2 * n AND who = 'it''s :n'"),
        good_of(&record, "a"));
    assert_int_equal(ask_number(bench, "SELECT count(*) FROM odd.note WHERE m = id AND who = 'c'"),
        good_of(&record, "c"));
    assert_true(good_of(&record, "b") > 0 && good_of(&record, "c") > 0);
    assert_int_equal(good_of(&record, "none"), 0);
    assert_message(&record, "\\gset in line 1 needs one row, and there were 0");
}

static void
a_pause_is_part_of_the_request(void **state)
{
    struct bench *bench = *state;
    struct load_record record;

    write_script(bench, "a.sql", "\\set pause 10 + 15\nSELECT 1;\n\\sleep :pause ms\nSELECT 2;\n");
    run_folder(bench, 2, &record);
    assert_no_failure(&record);
    assert_true(good_of(&record, "a") > 0);
    assert_true(histogram_quantile_us(step_of(&record, "a")->latency, 0.0) >= 24900);
}

/*
 * What would be 200 MB as one result of libpq's. By the program itself, as a sanitizer that keeps what
 * was freed would be measured here instead.
 */
static void
large_results_do_not_pile_up(void **state)
{
    struct bench *bench = *state;
    const char *output = file_join(bench->ctx.arena, bench->scripts, "out.json");
    const char *const argv[] = { getenv("PGMEND"), "load", "run", bench->scripts, "--clients", "1",
        "--duration", "1s", "--output", output, NULL };
    const char *const env[] = { "PGDATABASE=" DATABASE, "ASAN_OPTIONS=quarantine_size_mb=1", NULL };
    const struct process_options options = {
        .argv = argv, .env = env, .timeout_us = INT64_C(120000000)
    };
    struct load_record record;
    struct process process;

    if (!argv[0])
        fail_msg("PGMEND is not set: run the tests by script/test or meson test");
    write_script(bench, "a.sql",
        "DO $$BEGIN RAISE NOTICE ':unknown is not for us'; END$$;\n"
        "SELECT repeat('x', 20000) FROM generate_series(1, 10000);\n");
    must(bench, process_run(&bench->ctx, &options, &process));
    must(bench, load_record_read(&bench->ctx, output, &record));
    assert_no_failure(&record);
    assert_true(good_of(&record, "a") > 0);
    assert_int_equal(step_of(&record, "a")->bytes, good_of(&record, "a") * 200000000);
    assert_true(record.rss_bytes > 0 && record.rss_bytes < 150000000);
}

static void
stop(void *data, bool is_begin)
{
    (void)data;
    if (is_begin)
        raise(SIGINT);
}

static void
a_signal_ends_a_run_with_all_that_was_measured(void **state)
{
    struct bench *bench = *state;
    struct load_options options = options_of(bench);
    struct load_scenario scenario;
    struct load_record record;

    write_script(bench, "a.sql", "INSERT INTO note (who) VALUES ('a');\n");
    read_folder(bench, 2, &scenario);
    scenario.warm_up_us = 200000;
    scenario.duration_us = INT64_C(600000000);
    options.counting = stop;
    options.until_signal = true;
    run_scenario(bench, &scenario, &options, &record);
    assert_int_equal(interrupt_take(), SIGINT);
    assert_false(record.is_stopped);
    assert_true(record.elapsed_us < 60000000);
    assert_true(ask_number(bench, "SELECT count(*) FROM odd.note") > 0);
    assert_int_equal(ask_number(bench, "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                                       "'" DATABASE "' AND state = 'idle in transaction'"),
        0);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(every_good_request_is_a_row_and_every_row_a_good_request),
        WITH_FOLDER(values_are_those_that_pgbench_makes),
        WITH_FOLDER(statements_are_prepared_once_a_session),
        WITH_FOLDER(an_error_inside_rolls_back_and_the_session_goes_on),
        WITH_FOLDER(a_script_that_discards_all_is_told_so),
        WITH_FOLDER(what_could_not_be_serialized_is_counted),
        WITH_FOLDER(a_session_that_is_killed_is_opened_again),
        WITH_FOLDER(a_server_that_lets_nobody_in_is_counted),
        WITH_FOLDER(an_answer_that_is_late_ends_its_statement),
        WITH_FOLDER(too_many_connections_are_refused_ones),
        WITH_FOLDER(a_row_gives_values_to_the_statements_after_it),
        WITH_FOLDER(a_pause_is_part_of_the_request),
        WITH_FOLDER(large_results_do_not_pile_up),
        WITH_FOLDER(a_signal_ends_a_run_with_all_that_was_measured),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
