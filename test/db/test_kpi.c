/* KPIs against a real server: what is recorded, what is measured, and what nobody knows. */
#include "support/test.h"

#include <math.h>

#include "base/clock.h"
#include "change/journal.h"
#include "db/db.h"
#include "monitor/kpi/kpi.h"
#include "report/store.h"
#include "sql.h"

#define DATABASE "pgmend_test_kpi"
#define READER   "pgmend_test_kpi_reader"

struct bench {
    struct ctx ctx;
    struct db *admin;
    struct db *db;
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_to(struct bench *bench, const char *database, enum access access)
{
    const struct db_options options = {
        .database = database, .application = "test", .access = access
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

static double
number(struct bench *bench, const char *query)
{
    const char *text;
    double value = NAN;

    must(bench, db_value(&bench->ctx, bench->db, query, NULL, 0, &text));
    if (!text || !text_to_double(text, &value))
        fail_msg("%s: %s", query, text ? text : "NULL");
    return value;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->admin = connect_to(bench, "postgres", ACCESS_WRITE);
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE));
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE DATABASE " DATABASE));
    bench->db = connect_to(bench, DATABASE, ACCESS_WRITE);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE));
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP ROLE IF EXISTS " READER));
    db_close(bench->admin);
    arena_free(bench->ctx.arena);
    return 0;
}

static const struct kpi *
load(struct bench *bench, const char *name)
{
    struct kpis *kpis = ARENA_NEW(bench->ctx.arena, struct kpis);

    must(bench, kpi_load(&bench->ctx, bench->db, kpis));
    for (size_t i = 0; i < kpis->count; i++)
        if (text_equal(kpis->items[i].name, name))
            return &kpis->items[i];
    fail_msg("there is no %s", name);
    return NULL;
}

static void
record(struct bench *bench, const char *name, double value, const char *at)
{
    struct kpi_value one = { .name = name, .value = value };

    if (at)
        must(bench, kpi_read_time(&bench->ctx, at, &one.at_wall_us));
    must(bench, kpi_record(&bench->ctx, bench->db, &one, 1));
}

static bool
is_near(double a, double b)
{
    return fabs(a - b) < 1e-9 * (1 + fabs(b));
}

/* An entry of the journal, as a change on that day has made it. */
static void
change_on(struct bench *bench, const char *at)
{
    must(bench, journal_install(&bench->ctx, bench->db));
    sql(bench,
        arena_printf(bench->ctx.arena,
            "INSERT INTO pgmend.journal (entry, run, kind, object, statement, state, started_at) "
            "VALUES ('%s', 'r', 'create index', 'i', 's', 'done', '%s'), "
            "('%s f', 'r', 'create index', 'i', 's', 'failed', '2001-01-01')",
            at, at, at));
}

/* Values that people tell, with the server's own regr_slope() beside the trend. */
static void
test_recorded(void **state)
{
    struct bench *bench = *state;
    const struct kpi *kpi;

    assert_true(isnan(load(bench, "complaints")->now));
    record(bench, "complaints", 10, "2026-03-01");
    record(bench, "complaints", 9, "2026-03-05");
    record(bench, "complaints", 3, "2026-04-01T12:00:00Z");
    record(bench, "complaints", 0.5, "2026-04-09");
    kpi = load(bench, "complaints");
    assert_true(is_near(kpi->before, 10) && is_near(kpi->now, 0.5));
    assert_int_equal(kpi->state, KPI_MET);
    assert_true(is_near(
        kpi->trend, number(bench, "SELECT regr_slope(value, extract(epoch from at) / 604800) "
                                  "FROM pgmend.kpi_value WHERE name = 'complaints'")));
    assert_non_null(strstr(kpi->source, "2026-04-09T00:00:00Z"));
    change_on(bench, "2026-03-10");
    kpi = load(bench, "complaints");
    assert_true(is_near(kpi->before, 10));
    assert_string_equal(kpi->deadline, "2026-03-24");
    /* Told again for the same time: replaced. */
    record(bench, "complaints", 0.4, "2026-04-09");
    assert_true(is_near(load(bench, "complaints")->now, 0.4));
    assert_int_equal(load(bench, "complaints")->value_count, 4);
    record(bench, "churn", 0.2, "2026-03-11");
    assert_true(isnan(load(bench, "churn")->before));
    assert_int_equal(load(bench, "churn")->state, KPI_LATE);
}

struct visit {
    struct bench *bench;
    struct loop *loop;
    struct evented *evented;
    const struct kpi_value *value;
    json_t *json;
    const char *error;
};

static void
visit_asked(void *data, const struct kpis *kpis, const struct error *error)
{
    struct visit *visit = data;

    if (error)
        visit->error = arena_strdup(visit->bench->ctx.arena, error->message);
    else if (kpis)
        visit->json = kpi_json(kpis);
    loop_stop(visit->loop);
}

static void
visit_told(void *data, const struct error *error)
{
    struct visit *visit = data;

    if (error)
        visit_asked(visit, NULL, error);
    else
        kpi_ask(visit->evented, visit->bench->ctx.arena, visit_asked, visit);
}

static void
visit_opened(void *data, const struct error *error)
{
    struct visit *visit = data;

    if (error)
        visit_asked(visit, NULL, error);
    else if (visit->value)
        kpi_tell(visit->evented, visit->bench->ctx.arena, visit->value, visit_told, visit);
    else
        kpi_ask(visit->evented, visit->bench->ctx.arena, visit_asked, visit);
}

static void
visit(struct bench *bench, const struct kpi_value *value, struct visit *ret)
{
    const struct db_options options = {
        .database = DATABASE, .application = "test", .access = ACCESS_WRITE
    };
    const struct evented_events events = { visit_opened, visit_opened, ret };

    *ret = (struct visit){ .bench = bench, .value = value };
    must(bench, loop_new(&bench->ctx, &ret->loop));
    must(bench, evented_open(&bench->ctx, ret->loop, &options, &events, &ret->evented));
    loop_run(ret->loop);
    evented_close(ret->evented);
    loop_free(ret->loop);
}

static void
test_refused(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    const struct kpi_value mixed[] = {
        { .name = "churn", .value = 0.1 },
        { .name = "chrn", .value = 0.1, .place = "x.csv:3" },
    };
    const struct kpi_value nothing = { .name = "churn", .value = NAN };
    const struct kpi_value future = { .name = "churn", .at_wall_us = INT64_C(4102444800000000) };
    const struct kpi_value hostile = { .name = "x'); DROP TABLE pgmend.kpi; --" };

    assert_false(kpi_record(ctx, bench->db, mixed, 2));
    assert_error(ctx, ERR_INPUT, "x.csv:3: there is no KPI \"chrn\"");
    assert_non_null(strstr(ctx->error.hint, "churn"));
    assert_true(is_near(number(bench, "SELECT count(*) FROM pgmend.kpi_value"), 0));
    assert_false(kpi_record(ctx, bench->db, &nothing, 1));
    assert_error(ctx, ERR_INPUT, "is no number");
    assert_false(kpi_record(ctx, bench->db, &future, 1));
    assert_error(ctx, ERR_INPUT, "in the future");
    assert_false(kpi_record(ctx, bench->db, &hostile, 1));
    assert_error(ctx, ERR_INPUT, "there is no KPI");
    assert_true(is_near(number(bench, "SELECT count(*) FROM pgmend.kpi"), 0));

    const struct kpi_definition share = { .name = "share", .unit = "ratio", .target = NAN };
    const struct kpi_value above = { .name = "share", .value = 1.5 };
    struct kpi_definition bad = { .name = "share", .target = NAN, .title = "\x1b[2J" };
    struct visit now;

    must(bench, kpi_define(ctx, bench->db, &share));
    assert_false(kpi_record(ctx, bench->db, &above, 1));
    assert_error(ctx, ERR_INPUT, "1.5 is no share between 0 and 1 for share");
    visit(bench, &above, &now);
    assert_string_equal(now.error, "1.5 is no share between 0 and 1 for share");
    assert_false(kpi_define(ctx, bench->db, &bad));
    assert_error(ctx, ERR_INPUT, "control characters");
    bad = (struct kpi_definition){ .name = "complaints", .target = -1 };
    assert_false(kpi_define(ctx, bench->db, &bad));
    assert_error(ctx, ERR_INPUT, "less than nothing");
}

/* A goal of one's own, and a plan's goal with another target. */
static void
test_own(void **state)
{
    struct bench *bench = *state;
    struct kpi_definition definition = {
        .name = "exports", .title = "exports <b>an hour</b>", .target = 500, .unit = "count"
    };
    const struct kpi *kpi;

    must(bench, kpi_define(&bench->ctx, bench->db, &definition));
    record(bench, "exports", 120, NULL);
    kpi = load(bench, "exports");
    assert_string_equal(kpi->group, "own");
    assert_string_equal(kpi->title, "exports <b>an hour</b>");
    assert_int_equal(kpi->state, KPI_OPEN);
    definition = (struct kpi_definition){
        .name = "exports", .target = NAN, .less_is_better = "true", .deadline = "2020-01-01"
    };
    must(bench, kpi_define(&bench->ctx, bench->db, &definition));
    kpi = load(bench, "exports");
    assert_true(is_near(kpi->target, 500));
    assert_string_equal(kpi->deadline, "2020-01-01");
    assert_int_equal(kpi->state, KPI_MET);
    definition = (struct kpi_definition){ .name = "cache-hit", .target = 0.99 };
    must(bench, kpi_define(&bench->ctx, bench->db, &definition));
    assert_true(is_near(load(bench, "cache-hit")->target, 0.99));
    assert_string_equal(load(bench, "cache-hit")->title, "cache hit ratio");
    definition = (struct kpi_definition){ .name = "Not a name", .target = NAN };
    assert_false(kpi_define(&bench->ctx, bench->db, &definition));
    assert_error(&bench->ctx, ERR_INPUT, "cannot be the name");
}

static void
add_snapshot(
    struct bench *bench, const char *name, const char *at, const char *reset, const char *rows)
{
    sql(bench,
        arena_printf(bench->ctx.arena,
            "WITH s AS (INSERT INTO pgmend.snapshot (name, taken_at, server_start, server_version, "
            "stats_reset, evicted, most_entries, hidden, settings) VALUES ('%s', '%s', '%s', '15', "
            "'%s', 0, 5000, 0, '{}') RETURNING id) "
            "INSERT INTO pgmend.snapshot_statement SELECT s.id, 10, v.id, true, v.query, NULL, "
            "v.calls, v.ms, 0, 0, 0, 0, 0, v.hit, v.read, 0, 0, 0, '' FROM s, (VALUES %s) "
            "AS v (id, query, calls, ms, hit, read)",
            name, at, reset, reset, rows));
}

/*
 * Worked out by hand. Before: 8,500 of 10,000 blocks. Between the snapshots: 19,400 more hits of
 * 20,000, so 0.97. Searches: 10 calls in 4 s, then 90 more in 0.9 s. After the reset: 99 of 100 blocks
 * is too little to say anything, so the stretch before stays the latest.
 */
static void
test_snapshots(void **state)
{
    struct bench *bench = *state;
    struct snapshot snapshot;
    const struct snapshot_options options = { .name = "real" };
    const struct kpi *kpi;

    sql(bench, "CREATE EXTENSION pg_stat_statements SCHEMA public");
    must(bench, snapshot_take(&bench->ctx, bench->db, &options, &snapshot));
    sql(bench, "DELETE FROM pgmend.snapshot");
    change_on(bench, "2026-03-10");
    add_snapshot(bench, "before", "2026-03-09", "2026-03-01",
        "(1, 'SELECT 1', 5, 9.0, 8000, 1400), "
        "(2, 'SELECT x FROM e ORDER BY v <=> $1 LIMIT $2', 10, 4000.0, 500, 100)");
    kpi = load(bench, "cache-hit");
    assert_true(is_near(kpi->before, 0.85) && is_near(kpi->now, 0.85));
    add_snapshot(bench, "after", "2026-03-12", "2026-03-01",
        "(1, 'SELECT 1', 5, 9.0, 27000, 1900), "
        "(2, 'SELECT x FROM e ORDER BY v <=> $1 LIMIT $2', 100, 4900.0, 900, 200), "
        "(3, 'UPDATE e SET s = v <-> $1', 7, 7000.0, 0, 0)");
    kpi = load(bench, "cache-hit");
    assert_true(is_near(kpi->before, 0.85) && is_near(kpi->now, 0.97));
    assert_int_equal(kpi->state, KPI_MET);
    assert_non_null(strstr(kpi->source, "snapshot after"));
    assert_non_null(strstr(kpi->before_source, "snapshot before"));
    kpi = load(bench, "vector-search");
    assert_true(is_near(kpi->before, 0.4) && is_near(kpi->now, 0.01));
    assert_int_equal(kpi->state, KPI_MET);
    add_snapshot(bench, "reset", "2026-03-14", "2026-03-13", "(1, 'SELECT 1', 5, 9.0, 99, 1)");
    assert_true(is_near(load(bench, "cache-hit")->now, 0.97));
    /* Counted anew since the reset, so nothing is subtracted. */
    add_snapshot(bench, "later", "2026-03-15", "2026-03-14", "(1, 'SELECT 1', 5, 9.0, 960, 40)");
    assert_true(is_near(load(bench, "cache-hit")->now, 0.96));
    /* What is told of the same goal counts by its time. */
    record(bench, "cache-hit", 0.5, "2026-03-14");
    assert_true(is_near(load(bench, "cache-hit")->now, 0.96));
    record(bench, "cache-hit", 0.6, "2026-03-16");
    assert_true(is_near(load(bench, "cache-hit")->now, 0.6));
}

/* Without anything else the server's own counters, as the server divides them. */
static void
test_database(void **state)
{
    struct bench *bench = *state;
    const struct kpi *kpi;

    sql(bench, "CREATE TABLE public.t AS SELECT g FROM generate_series(1, 200000) g");
    sql(bench, "SELECT count(*) FROM public.t");
    db_close(bench->db);
    bench->db = connect_to(bench, DATABASE, ACCESS_READ);
    kpi = load(bench, "cache-hit");
    assert_true(fabs(kpi->now - number(bench,
                                    "SELECT blks_hit::float8 / (blks_hit + blks_read) FROM "
                                    "pg_stat_database WHERE datname = current_database()")) < 0.02);
    assert_non_null(strstr(kpi->source, "pg_stat_database"));
}

static void
make_store(struct bench *bench)
{
    struct ctx *ctx = &bench->ctx;

    must(bench, journal_install(ctx, bench->db));
    must(bench, sql_monitor_create_store_server(ctx, bench->db));
    must(bench, sql_monitor_create_store_series(ctx, bench->db));
    must(bench, sql_monitor_create_store_sample_minute(ctx, bench->db));
    must(bench, sql_monitor_create_store_sample_hour(ctx, bench->db));
    sql(bench, "CREATE TABLE pgmend.sample_hour_all PARTITION OF pgmend.sample_hour DEFAULT");
    sql(bench, "CREATE TABLE pgmend.sample_minute_all PARTITION OF pgmend.sample_minute DEFAULT");
    sql(bench, "INSERT INTO pgmend.series (metric, labels, seen) VALUES "
               "('pgmend_host_cpu_busy_ratio', '', '2026-03-01'), "
               "('pgmend_cache_hit_ratio', 'datname=\"" DATABASE "\"', '2026-03-01'), "
               "('pgmend_cache_hit_ratio', 'datname=\"another\"', '2026-03-01'), "
               "('pgmend_up', '', '2026-03-01')");
}

/*
 * Hours of ten days with the CPU at 0.7 before 10 March, 12:00, and at 0.4 after it, but for one hour
 * at 0.1 that has a tenth of the ticks; and minutes at 0.3 behind the last hour. By hand: the day before
 * last is 0.4; the last day has an hour of 360 ticks and 30 minutes of 6, 0.3 each.
 */
static void
test_stored(void **state)
{
    struct bench *bench = *state;
    const struct kpi *kpi;

    make_store(bench);
    sql(bench, "INSERT INTO pgmend.sample_hour SELECT 1, h, '{4,1,2,3}', ARRAY[1, "
               "CASE WHEN h < '2026-03-10 12:00Z' THEN 0.7 WHEN h = '2026-03-19 20:00Z' THEN 0.1 "
               "ELSE 0.4 END, 0.97, 0.2], '{}', '{}', CASE WHEN h = '2026-03-19 20:00Z' THEN "
               "'{36,36,36,36}' ELSE '{360,360,360,360}'::int[] END FROM generate_series("
               "timestamptz '2026-03-09 00:00Z', timestamptz '2026-03-20 00:00Z', '1 hour') h");
    sql(bench,
        "INSERT INTO pgmend.sample_minute SELECT 1, m, '{1}', '{0.3}', '{}', '{}', '{6}' FROM "
        "generate_series(timestamptz '2026-03-20 00:00Z', timestamptz '2026-03-20 01:29Z', "
        "'1 minute') m");
    change_on(bench, "2026-03-10 12:00Z");
    kpi = load(bench, "db-cpu");
    assert_true(is_near(kpi->before, 0.7));
    assert_true(is_near(kpi->now, (360 * 0.4 + 180 * 0.3) / 540));
    assert_non_null(strstr(kpi->source, "until 2026-03-20T01:30:00Z"));
    assert_non_null(strstr(kpi->before_source, "until 2026-03-10T00:00:00Z"));
    /* Days 9, 10 before and after noon, 11 to 19, and 20. */
    assert_int_equal(kpi->value_count, 13);
    kpi = load(bench, "cache-hit");
    assert_true(is_near(kpi->now, 0.97));
    assert_true(isnan(load(bench, "api-p95")->now));
}

/* Who may read nothing is told what is missing, and that is no error; nothing is written without it. */
static void
test_rights(void **state)
{
    struct bench *bench = *state;
    const struct db_options options = {
        .url = "dbname=" DATABASE " user=" READER, .application = "test", .access = ACCESS_WRITE
    };
    const struct kpi_value value = { .name = "churn", .value = 0.1 };
    struct db *reader = NULL;
    struct kpis kpis;

    record(bench, "churn", 0.1, NULL);
    sql(bench, "CREATE ROLE " READER " LOGIN");
    must(bench, db_open(&bench->ctx, &options, &reader));
    must(bench, kpi_load(&bench->ctx, reader, &kpis));
    for (size_t i = 0; i < kpis.count; i++)
        if (text_equal(kpis.items[i].name, "churn")) {
            assert_true(isnan(kpis.items[i].now));
            assert_non_null(strstr(kpis.items[i].source, "may not read all of schema pgmend"));
            assert_null(strstr(kpis.items[i].source, "pgmend kpi record"));
        }
    assert_false(kpi_record(&bench->ctx, reader, &value, 1));
    assert_int_equal(bench->ctx.error.kind, ERR_RIGHTS);
    assert_non_null(
        strstr(bench->ctx.error.hint, "UPDATE ON pgmend.kpi, pgmend.kpi_value TO " READER ";"));
    assert_null(strstr(bench->ctx.error.hint, "CREATE"));

    /* What it names is enough to read, and what is said of recording is enough to record. */
    /* One command each: a prepared statement holds no more. */
    for (const char *at = kpis.grant; *at; at += strspn(at, "; ")) {
        size_t length = strcspn(at, ";");

        sql(bench, arena_strndup(bench->ctx.arena, at, length));
        at += length;
    }
    must(bench, kpi_load(&bench->ctx, reader, &kpis));
    assert_null(kpis.grant);
    for (size_t i = 0; i < kpis.count; i++)
        if (text_equal(kpis.items[i].name, "churn"))
            assert_true(is_near(kpis.items[i].now, 0.1));
    assert_false(kpi_record(&bench->ctx, reader, &value, 1));
    assert_int_equal(bench->ctx.error.kind, ERR_RIGHTS);
    assert_non_null(strstr(bench->ctx.error.hint, "GRANT SELECT, INSERT, UPDATE ON pgmend.kpi"));
    sql(bench, "GRANT SELECT, INSERT, UPDATE ON pgmend.kpi, pgmend.kpi_value TO " READER);
    must(bench, kpi_record(&bench->ctx, reader, &value, 1));
    db_close(reader);
    sql(bench, "DROP OWNED BY " READER);
}

/* The page's way to them, which never waits, tells the same. */
static void
test_evented(void **state)
{
    struct bench *bench = *state;
    const struct kpi_value good = {
        .name = "churn", .value = 0.07, .at_wall_us = INT64_C(1772323200000000), .note = "a 'b'"
    };
    const struct kpi_value bad = { .name = "chrun", .value = 0.07 };
    struct kpis kpis;
    struct visit now;

    visit(bench, NULL, &now);
    assert_null(now.error);
    assert_int_equal(json_array_size(now.json), 11);
    json_release(&now.json);
    visit(bench, &bad, &now);
    assert_string_equal(now.error, "there is no KPI \"chrun\"");
    visit(bench, &good, &now);
    assert_null(now.error);
    assert_true(is_near(load(bench, "churn")->now, 0.07));
    json_release(&now.json);
    make_store(bench);
    change_on(bench, "2026-03-10");
    sql(bench,
        "INSERT INTO pgmend.sample_hour VALUES (1, '2026-03-09 00:00Z', '{1,2}', '{0.7,0.9}', "
        "'{}', '{}', '{9,9}')");
    visit(bench, NULL, &now);
    must(bench, kpi_load(&bench->ctx, bench->db, &kpis));

    json_t *same CLEANUP(json_release) = kpi_json(&kpis);

    assert_true(json_equal(now.json, same));
    json_release(&now.json);
}

#define test_with_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(test_recorded),
        test_with_bench(test_refused),
        test_with_bench(test_own),
        test_with_bench(test_snapshots),
        test_with_bench(test_database),
        test_with_bench(test_stored),
        test_with_bench(test_rights),
        test_with_bench(test_evented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
