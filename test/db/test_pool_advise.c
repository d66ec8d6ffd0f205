/*
 * Pools by what was measured: Erlang's formula against its textbook form, a load that is known because the
 * test makes it, and habits that are planted in pg_stat_statements.
 */
#include "support/test.h"

#include <math.h>

#include "base/clock.h"
#include "base/process.h"
#include "db/db.h"
#include "pool/advice.h"
#include "pool/statement.h"

#define DATABASE "pgmend_test_pool_advise"
#define READER   "pgmend_test_pool_advise_reader"

enum { SLEEPERS = 3, WINDOW_US = 500000 };

struct bench {
    struct ctx ctx;
    struct db *admin;
    struct db *db;
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s", bench->ctx.error.message);
}

static struct db *
connect_as(struct bench *bench, const char *database, const char *url, const char *application)
{
    const struct db_options options = {
        .url = url, .database = database, .application = application, .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static const char *
value(struct bench *bench, struct db *db, const char *sql)
{
    const char *cell = NULL;

    must(bench, db_value(&bench->ctx, db, sql, NULL, 0, &cell));
    return cell;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    *state = bench;
    bench->admin = connect_as(bench, "postgres", NULL, "test");
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE));
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP ROLE IF EXISTS " READER));
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE ROLE " READER " LOGIN"));
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE DATABASE " DATABASE));
    bench->db = connect_as(bench, DATABASE, NULL, "pgmend/pool advise");
    must(bench,
        db_exec(&bench->ctx, bench->db, "CREATE EXTENSION pg_stat_statements SCHEMA public"));
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    if (bench->admin) {
        must(bench, db_exec(&bench->ctx, bench->admin,
                        "DROP DATABASE IF EXISTS " DATABASE " WITH (FORCE)"));
        must(bench, db_exec(&bench->ctx, bench->admin, "DROP ROLE IF EXISTS " READER));
    }
    db_close(bench->admin);
    arena_free(bench->ctx.arena);
    return 0;
}

/* ---- numbers ---- */

/* The sum as textbooks print it, with factorials. */
static double
erlang_c(double load, int count)
{
    double term = 1;
    double sum = 0;

    for (int k = 0; k < count; k++) {
        sum += term;
        term *= load / (k + 1);
    }
    term *= count / (count - load);
    return term / (sum + term);
}

static void
erlang_s_formula_is_the_textbook_s(void **state)
{
    static const double loads[] = { 0.3, 1, 2.5, 7, 19.5 };

    (void)state;
    /* By hand: a = 1, c = 2: 1 / 3. a = 2, c = 3: 4 / 9. */
    assert_true(fabs(pool_wait_ratio(1, 2) - 1.0 / 3) < 1e-12);
    assert_true(fabs(pool_wait_ratio(2, 3) - 4.0 / 9) < 1e-12);
    for (size_t i = 0; i < COUNT_OF(loads); i++)
        for (int count = (int)loads[i] + 1; count < 60; count++)
            assert_true(fabs(pool_wait_ratio(loads[i], count) - erlang_c(loads[i], count)) < 1e-9);
    assert_true(pool_wait_ratio(2, 2) == 1);
    assert_true(pool_wait_ratio(0, 1) == 0);

    /* The first count at which at most one in a hundred waits, by the factorial form. */
    assert_int_equal(pool_count_for(0.5, 0.01), 4);
    assert_int_equal(pool_count_for(1, 0.01), 5);
    assert_int_equal(pool_count_for(2, 0.01), 7);
    assert_int_equal(pool_count_for(5, 0.01), 12);
    assert_int_equal(pool_count_for(10, 0.01), 19);
    assert_int_equal(pool_count_for(20, 0.01), 32);
}

static struct pool_load
load_of(double active, double in_transaction, int64_t peak)
{
    return (struct pool_load){
        .seconds = 60,
        .samples = 500,
        .active = active,
        .in_transaction = in_transaction,
        .in_use = active + in_transaction,
        .in_use_peak = peak,
        .others_peak = 7,
    };
}

static struct pool_limits
limits_of(int64_t most, int64_t cpus, int64_t processes)
{
    return (struct pool_limits){
        .most_connections = most,
        .reserved = 3,
        .database_limit = -1,
        .role_limit = -1,
        .cpus = cpus,
        .processes = processes,
        .growth = 1,
    };
}

static bool
says(const struct pool_advice *advice, const char *part)
{
    for (size_t i = 0; i < advice->reasons.count; i++)
        if (strstr(advice->reasons.items[i], part))
            return true;
    return false;
}

static void
known_loads_give_known_advice(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    struct pool_load load = load_of(2, 0, 6);
    struct pool_limits limits = limits_of(100, 8, 1);
    struct pool_advice advice;

    /* 2 busy on average: 7. 8 processors: 17 at a time. 100 - 3 - 7 = 90. Peak 6 x 1.5 = 9. */
    pool_advise(arena, &load, &limits, &advice);
    assert_int_equal(advice.needed, 7);
    assert_int_equal(advice.useful, 17);
    assert_int_equal(advice.available, 90);
    assert_int_equal(advice.process.size, 7);
    assert_int_equal(advice.process.overflow, 4); /* half of 7, since 9 - 7 is less */
    assert_int_equal(advice.verdict, POOL_FITS);

    /* Four processes with 0.5 each need 4 each, 16 together. */
    limits.processes = 4;
    pool_advise(arena, &load, &limits, &advice);
    assert_int_equal(advice.needed, 7);
    assert_int_equal(advice.process.size, 4);
    assert_int_equal(advice.total, 4 * (4 + 2));
    assert_int_equal(advice.verdict, POOL_FITS);

    /* Ten times the load on one: 32; the processors are the limit. */
    limits.processes = 1;
    limits.growth = 10;
    pool_advise(arena, &load, &limits, &advice);
    assert_int_equal(advice.needed, 32);
    assert_int_equal(advice.process.size, 17);
    assert_int_equal(advice.verdict, POOL_OVERLOADED);

    /* Half of the time in use nothing runs: twice as many are useful, 2 x 2 x 8 + 2. */
    load = load_of(2, 2, 6);
    limits.growth = 1;
    pool_advise(arena, &load, &limits, &advice);
    assert_int_equal(advice.useful, 34);
    assert_int_equal(advice.needed, 10); /* 4 in use */

    /* A hundred processes with 0.02 each take two each, and there are 90. */
    load = load_of(2, 0, 6);
    limits.processes = 100;
    pool_advise(arena, &load, &limits, &advice);
    assert_int_equal(advice.verdict, POOL_NEEDS_POOLER);
    assert_true(says(&advice, "do not fit"));

    /* Room for 5 in all. */
    limits = limits_of(15, 8, 1);
    pool_advise(arena, &load, &limits, &advice);
    assert_int_equal(advice.available, 5);
    assert_int_equal(advice.verdict, POOL_TOO_SMALL);
    assert_int_equal(advice.process.size, 5);
    assert_int_equal(advice.process.overflow, 0);
}

/* ---- a load that is known ---- */

static void
connections_in_use_are_counted(void **state)
{
    struct bench *bench = *state;
    struct db *sleepers[SLEEPERS];
    struct db *idle = connect_as(bench, DATABASE, NULL, "idler");
    struct db *holder = connect_as(bench, DATABASE, NULL, "holder");
    struct pool_load load;
    struct pool_limits limits = { 0 };

    for (int i = 0; i < SLEEPERS; i++) {
        sleepers[i] = connect_as(bench, DATABASE, NULL, "sleeper");
        must(bench, db_send(&bench->ctx, sleepers[i], "SELECT pg_sleep(600)"));
    }
    must(bench, db_exec(&bench->ctx, holder, "BEGIN"));
    must(bench, db_exec(&bench->ctx, holder, "SELECT 1"));
    while (!text_equal(value(bench, bench->admin,
                           "SELECT count(*) FROM pg_stat_activity WHERE datname = '" DATABASE
                           "' AND application_name = 'sleeper' AND state = 'active'"),
        "3"))
        clock_sleep_us(10000);
    must(bench, pool_measure(&bench->ctx, bench->db, WINDOW_US, &load, &limits));
    assert_true(load.active == SLEEPERS);
    assert_true(load.in_transaction == 1);
    assert_true(load.idle == 1);
    assert_true(load.in_use == SLEEPERS + 1);
    assert_true(load.in_use_p95 == SLEEPERS + 1);
    assert_int_equal(load.in_use_peak, SLEEPERS + 1);
    assert_int_equal(load.open_peak, SLEEPERS + 2);
    assert_true(load.waiting == 0);
    assert_true(load.samples > 2);
    assert_true(load.others_peak >= 2); /* ours, and admin's */
    assert_string_equal(arena_printf(bench->ctx.arena, "%lld", (long long)limits.most_connections),
        value(bench, bench->db, "SHOW max_connections"));
    for (int i = 0; i < SLEEPERS; i++) {
        assert_true(db_cancel_wait(sleepers[i], 30000000));
        db_close(sleepers[i]);
    }
    db_close(holder);
    db_close(idle);
}

static void
locks_that_are_waited_for_are_told_apart(void **state)
{
    struct bench *bench = *state;
    struct db *holder = connect_as(bench, DATABASE, NULL, "holder");
    struct db *waiter = connect_as(bench, DATABASE, NULL, "waiter");
    struct pool_load load;
    struct pool_limits limits = { 0 };

    must(bench, db_exec(&bench->ctx, holder, "BEGIN"));
    must(bench, db_exec(&bench->ctx, holder, "SELECT pg_advisory_xact_lock(77)"));
    must(bench, db_send(&bench->ctx, waiter, "SELECT pg_advisory_xact_lock(77)"));
    while (!text_equal(value(bench, bench->admin,
                           "SELECT count(*) FROM pg_stat_activity WHERE datname = '" DATABASE
                           "' AND wait_event_type = 'Lock'"),
        "1"))
        clock_sleep_us(10000);
    must(bench, pool_measure(&bench->ctx, bench->db, WINDOW_US, &load, &limits));
    assert_true(load.waiting == 1);
    assert_true(load.active == 1);
    assert_true(load.oldest_idle_seconds > 0);
    assert_true(db_cancel_wait(waiter, 30000000));
    db_close(waiter);
    db_close(holder);
}

/* 0.05 s each, one after the other: never less than that, and only these are counted. */
static void
little_s_law_by_statements(void **state)
{
    struct bench *bench = *state;
    struct buffer script = { .arena = bench->ctx.arena };
    struct process process;
    struct pool_load load;
    struct pool_limits limits = { 0 };

    for (int i = 0; i < 30; i++)
        buffer_add(&script, "SELECT pg_sleep(0.05) AS nap;\n");

    const char *path = arena_printf(bench->ctx.arena, "%s/naps.sql", test_folder(&bench->ctx));
    FILE *file = fopen(path, "we");
    const char *const argv[] = { "psql", "-X", "-q", "-d", DATABASE, "-f", path, NULL };
    struct process_options options = { .argv = argv, .timeout_us = 60000000 };

    assert_non_null(file);
    fputs(buffer_text(&script), file);
    fclose(file);
    must(bench, process_start(&bench->ctx, &options, &process));
    while (text_equal(
        value(bench, bench->admin,
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%AS nap%' AND datname "
            "= '" DATABASE "'"),
        "0"))
        clock_sleep_us(10000);
    must(bench, pool_measure(&bench->ctx, bench->db, 1000000, &load, &limits));
    must(bench, process_wait(&bench->ctx, &process));
    assert_int_equal(process.status, 0);
    assert_true(load.knows_statements);
    assert_true(load.statements_per_second > 0);
    /* One at a time: at most twenty a second, plus the one that began before. */
    assert_true(load.statements_per_second <= 20 + 1 / load.seconds);
    assert_true(load.statement_seconds >= 0.05);
    assert_true(fabs(load.busy - load.statements_per_second * load.statement_seconds) < 1e-9);
}

static void
without_rights_it_is_refused(void **state)
{
    struct bench *bench = *state;
    struct db *other = connect_as(bench, DATABASE, NULL, "other");
    struct db *reader = connect_as(bench, DATABASE, "user=" READER, "pgmend/pool advise");
    struct pool_load load;
    struct pool_limits limits;

    assert_false(pool_measure(&bench->ctx, reader, 100000, &load, &limits));
    assert_int_equal(bench->ctx.error.kind, ERR_RIGHTS);
    assert_non_null(strstr(bench->ctx.error.hint, "pg_read_all_stats"));
    error_clear(&bench->ctx);
    db_close(reader);
    db_close(other);
}

/* ---- habits ---- */

static const struct {
    const char *text;
    enum statement_habit habit;
} habits[] = {
    { "SET search_path = tenant_1", HABIT_SEARCH_PATH },
    { "set session search_path to tenant_1", HABIT_SEARCH_PATH },
    { "/* api */ SET SCHEMA 'x'", HABIT_SEARCH_PATH },
    { "SET statement_timeout = '5s'", HABIT_SET },
    { "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", HABIT_SET },
    { "SET ROLE boss", HABIT_ROLE },
    { "SET SESSION AUTHORIZATION boss", HABIT_ROLE },
    { "SET LOCAL work_mem = '64MB'", HABIT_NONE },
    { "SET TRANSACTION READ ONLY", HABIT_NONE },
    { "SET CONSTRAINTS ALL DEFERRED", HABIT_NONE },
    { "SET TIME ZONE 'UTC'", HABIT_NONE },
    { "SET client_encoding = 'UTF8'", HABIT_NONE },
    { "SELECT set_config('a.b', 'c', false)", HABIT_SET },
    { "SELECT set_config('search_path', coalesce($1, 'x'), false)", HABIT_SEARCH_PATH },
    { "SELECT set_config('a.b', f(1, false), true)", HABIT_NONE },
    { "SELECT set_config($1, $2, $3)", HABIT_SET_CONFIG },
    { "SELECT pg_catalog.set_config($1, $2, $3)", HABIT_NONE },
    { "PREPARE p (int) AS SELECT $1", HABIT_SQL_PREPARE },
    { "EXECUTE p(1)", HABIT_SQL_PREPARE },
    { "PREPARE TRANSACTION 'x'", HABIT_NONE },
    { "LISTEN jobs", HABIT_LISTEN },
    { "NOTIFY jobs", HABIT_NONE },
    { "SELECT pg_advisory_lock($1)", HABIT_ADVISORY },
    { "SELECT pg_try_advisory_lock_shared($1, $2)", HABIT_ADVISORY },
    { "SELECT pg_advisory_xact_lock($1)", HABIT_NONE },
    { "SELECT 'pg_advisory_lock(1)'", HABIT_NONE },
    { "CREATE TEMP TABLE t (a int)", HABIT_TEMPORARY },
    { "CREATE LOCAL TEMPORARY TABLE t AS SELECT 1", HABIT_TEMPORARY },
    { "CREATE TEMP TABLE t (a int) ON COMMIT DROP", HABIT_NONE },
    { "CREATE TEMP TABLE t (a int) ON COMMIT DELETE ROWS", HABIT_TEMPORARY },
    { "SELECT 1 AS a INTO TEMP t", HABIT_TEMPORARY },
    { "CREATE TABLE temp (a int)", HABIT_NONE },
    { "DECLARE c CURSOR WITH HOLD FOR SELECT 1", HABIT_HOLD },
    { "DECLARE c CURSOR FOR SELECT 1", HABIT_NONE },
    { "LOAD 'auto_explain'", HABIT_LOAD },
    { "SELECT currval('s')", HABIT_SEQUENCE },
    { "INSERT INTO t VALUES ($1) RETURNING id", HABIT_NONE },
    { "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;",
        HABIT_PROTOCOL_PREPARE },
    { "SELECT 'open", HABIT_NONE },
    { "", HABIT_NONE },
};

static void
statements_are_told_apart(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(habits); i++)
        if (statement_habit(&bench->ctx, habits[i].text) != habits[i].habit)
            fail_msg("%s: %d", habits[i].text, statement_habit(&bench->ctx, habits[i].text));
}

static const struct pool_hazard *
find(const struct pool_hazards *hazards, const char *name)
{
    for (size_t i = 0; i < hazards->count; i++)
        if (text_equal(hazards->items[i].name, name))
            return &hazards->items[i];
    return NULL;
}

static void
planted_habits_are_found(void **state)
{
    static const char *const planted[] = { "PREPARE plan_1 (int) AS SELECT $1 + 1",
        "EXECUTE plan_1(1)", "SET search_path = public, pg_catalog",
        "SET statement_timeout = '61s'", "SELECT set_config('x.y', 'z', false)", "LISTEN jobs",
        "SELECT pg_advisory_lock(4711)", "CREATE TEMP TABLE scratch_1 (a int)", "BEGIN",
        "DECLARE held CURSOR WITH HOLD FOR SELECT 1", "COMMIT", "LOAD 'plpgsql'",
        "SET LOCAL work_mem = '1MB'", "NOTIFY jobs" };
    static const struct {
        const char *name;
        const char *evidence;
    } wanted[] = { { "prepared_sql", "plan_1" }, { "search_path", "SET search_path" },
        { "set", "SET statement_timeout = '61s'" },
        { "set_config", "SELECT set_config($1, $2, $3)" }, { "listen", "LISTEN jobs" },
        { "advisory_lock", "pg_advisory_lock" }, { "temporary_table", "scratch_1" },
        { "cursor_with_hold", "DECLARE held" }, { "load", "LOAD 'plpgsql'" } };
    struct bench *bench = *state;
    struct db *planter = connect_as(bench, DATABASE, NULL, "planter");
    struct pool_hazards before;
    struct pool_hazards hazards;

    /* How replyx-api follows its flags is no habit that a pooler breaks: it goes past it. */
    must(bench, db_exec(&bench->ctx, planter, "LISTEN pgmend_flag"));
    must(bench, pool_find_hazards(&bench->ctx, bench->db, &before));
    assert_null(find(&before, "listen"));
    assert_true(before.is_known);
    assert_null(find(&before, "set"));
    for (size_t i = 0; i < COUNT_OF(planted); i++)
        must(bench, db_exec(&bench->ctx, planter, planted[i]));
    must(bench, pool_find_hazards(&bench->ctx, bench->db, &hazards));
    assert_false(hazards.is_safe);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        const struct pool_hazard *hazard = find(&hazards, wanted[i].name);
        const char *evidence;

        if (!hazard)
            fail_msg("%s is not found", wanted[i].name);
        evidence = text_list_join(bench->ctx.arena, &hazard->evidence, "\n");
        /* From 18 on pg_stat_statements leaves out the values of SET. */
        const char *words = strcmp(wanted[i].name, "set") == 0 && db_major(bench->db) >= 18
                                ? "SET statement_timeout = $1"
                                : wanted[i].evidence;

        if (!strstr(evidence, words))
            fail_msg("%s: %s", wanted[i].name, evidence);
    }
    assert_non_null(
        strstr(text_list_join(bench->ctx.arena, &find(&hazards, "advisory_lock")->evidence, "\n"),
            "1 held now by 1 sessions"));
    assert_null(find(&hazards, "role"));
    assert_null(find(&hazards, "sequence_state"));
    db_close(planter);
}

/* ---- the command ---- */

static void
the_command_prints_json(void **state)
{
    struct bench *bench = *state;
    const char *program = getenv("PGMEND");
    const char *const argv[] = { program, "pool", "advise", "--for", "300ms", "--processes", "2",
        "--cpus", "4", "--db-url", "dbname=" DATABASE, "--json", NULL };
    struct process_options options = { .argv = argv, .timeout_us = 60000000 };
    struct process process;
    json_t *json CLEANUP(json_release) = NULL;
    const json_t *advice;

    if (!program)
        skip();
    must(bench, process_run(&bench->ctx, &options, &process));
    must(bench, json_parse(&bench->ctx, "output", buffer_text(&process.out), &json));
    advice = json_object_get(json, "advice");
    assert_true(json_get_int(advice, "pool_size", 0) >= 1);
    assert_int_equal(json_get_int(json_object_get(json, "limits"), "processes", 0), 2);
    assert_true(json_array_size(json_object_get(advice, "reasons")) >= 4);
    assert_non_null(
        strstr(json_get_text(bench->ctx.arena, json_object_get(json, "settings"), "pgbouncer", ""),
            "default_pool_size = "));
}

/* What a line "name = N" says. */
static long
setting(const char *text, const char *name)
{
    char line[64];
    const char *at;

    (void)snprintf(line, sizeof(line), "\n%s = ", name);
    at = strstr(text, line);
    assert_non_null(at);
    return strtol(at + strlen(line), NULL, 10);
}

/* All that a worker opens: both pools, their shared connections, the one that follows the flags. */
static void
settings_of_replyx_fit_what_is_there(void **state)
{
    struct bench *bench = *state;

    for (int64_t most = 20; most <= 200; most += 20)
        for (int64_t processes = 1; processes <= 2; processes++) {
            struct pool_load load = load_of(3, 1, 9);
            struct pool_limits limits = limits_of(most, 4, processes);
            struct pool_advice advice;
            const char *text;
            long each;

            pool_advise(bench->ctx.arena, &load, &limits, &advice);
            text = pool_for_replyx(bench->ctx.arena, &load, &advice, &limits);
            each = setting(text, "pool_size") + setting(text, "max_overflow") +
                   setting(text, "shared_size") + setting(text, "background_size") +
                   setting(text, "background_overflow") + 1 + 1;
            if (strstr(text, "does not fit"))
                assert_int_equal(each, 5);
            else
                assert_true(each * processes <= most - 3 - 7);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erlang_s_formula_is_the_textbook_s),
        cmocka_unit_test(settings_of_replyx_fit_what_is_there),
        cmocka_unit_test(known_loads_give_known_advice),
        cmocka_unit_test(connections_in_use_are_counted),
        cmocka_unit_test(locks_that_are_waited_for_are_told_apart),
        cmocka_unit_test(little_s_law_by_statements),
        cmocka_unit_test(without_rights_it_is_refused),
        cmocka_unit_test(statements_are_told_apart),
        cmocka_unit_test(planted_habits_are_found),
        cmocka_unit_test(the_command_prints_json),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
