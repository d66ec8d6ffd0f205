/* The store on a real server: a database, a loop, and ticks made by hand. */
#pragma once

#include "support/test.h"

#include <libpq-fe.h>
#include <math.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/db.h"
#include "event/loop.h"
#include "monitor/store/store.h"
#include "sql.h"

static const int64_t S = 1000000;
static const int64_t LONG_US = 30000000;

static const struct metric load = { .name = "load", .is_kept = true };
static const struct metric unkept = { .name = "unkept" };
static const char *const by_name[] = { "name", NULL };

struct bench {
    struct ctx ctx;
    const char *database;
    PGconn *conn; /* the test's own look */
    struct loop *loop;
    struct store *store;
    struct arena *tick_arena;
    struct watched watched;
    const char *until; /* the loop runs until this statement says t */
    struct loop_timer *look;
    int64_t deadline_us;
};

static inline const char *
ask_on(struct bench *bench, PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    const char *answer = "";

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    if (PQntuples(result) > 0)
        answer = arena_strdup(bench->ctx.arena, PQgetvalue(result, 0, 0));
    PQclear(result);
    return answer;
}

static inline const char *
ask(struct bench *bench, const char *sql)
{
    return ask_on(bench, bench->conn, sql);
}

static inline void
assert_answer(struct bench *bench, const char *sql, const char *wanted)
{
    const char *answer = ask(bench, sql);

    if (strcmp(answer, wanted) != 0)
        fail_msg("%s: %s, not %s", sql, answer, wanted);
}

static inline void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail",
            bench->ctx.error.hint ? bench->ctx.error.hint : "no hint");
}

static inline PGconn *
connect_to(const char *conninfo)
{
    PGconn *conn = PQconnectdb(conninfo);

    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static inline const char *
url_of(struct bench *bench, const char *rest)
{
    return arena_printf(bench->ctx.arena, "dbname=%s %s", bench->database, rest);
}

static inline int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    PGconn *admin = connect_to("dbname=postgres");

    bench->ctx.arena = arena;
    bench->tick_arena = arena_new();
    bench->database = arena_printf(arena, "store_%d", (int)getpid());
    ask_on(bench, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database));
    PQfinish(admin);
    bench->conn = connect_to(url_of(bench, ""));
    ask(bench, "SET client_min_messages = error");
    ask(bench, "SET TimeZone = 'Asia/Kolkata'"); /* nothing may depend on the reader's */
    must(bench, loop_new(&bench->ctx, &bench->loop));
    bench->watched.name = "replyx @ db:5432";
    bench->watched.is_up = true;
    *state = bench;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;

    PGconn *admin = connect_to("dbname=postgres");

    store_end(bench->store, 0);
    loop_timer_free(bench->look);
    loop_free(bench->loop);
    PQfinish(bench->conn);
    ask_on(bench, admin,
        arena_printf(bench->ctx.arena, "DROP DATABASE %s WITH (FORCE)", bench->database));
    PQfinish(admin);
    arena_free(bench->tick_arena);
    arena_free(bench->ctx.arena);
    return 0;
}

static inline struct db *
open_db(struct bench *bench)
{
    const struct db_options options = {
        .url = url_of(bench, ""), .application = "test", .access = ACCESS_WRITE
    };
    struct db *db;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static inline void
open_store(struct bench *bench)
{
    const struct store_options options = { .db_url = url_of(bench, ""), .batch_us = 50000 };

    must(bench, store_begin(&bench->ctx, bench->loop, &options, &bench->store));
}

static inline void
look(void *data)
{
    struct bench *bench = data;

    if (strcmp(ask(bench, bench->until), "t") == 0)
        loop_stop(bench->loop);
    else if (clock_us() > bench->deadline_us)
        fail_msg("%s was not true in time; the store says %s", bench->until,
            store_error(bench->store) ? store_error(bench->store) : "nothing");
    else
        loop_timer_set(bench->look, 20000);
}

static inline void
run_until(struct bench *bench, const char *sql)
{
    bench->until = sql;
    bench->deadline_us = clock_us() + LONG_US;
    if (!bench->look)
        bench->look = loop_timer_new(bench->loop, look, bench);
    loop_timer_set(bench->look, 0);
    loop_run(bench->loop);
}

static inline void
stop(void *data)
{
    struct bench *bench = data;

    loop_stop(bench->loop);
}

static inline void
run_for(struct bench *bench, int64_t us)
{
    struct loop_timer *timer = loop_timer_new(bench->loop, stop, bench);

    loop_timer_set(timer, us);
    loop_run(bench->loop);
    loop_timer_free(timer);
}

static inline void
begin_tick(struct bench *bench, int64_t at_us)
{
    arena_reset(bench->tick_arena);
    bench->watched.at_wall_us = at_us;
    bench->watched.samples = (struct samples){ .arena = bench->tick_arena };
}

static inline void
add(struct bench *bench, const struct metric *metric, const char *label, double value)
{
    const char *labels[METRIC_LABELS] = { label };

    sample_add(&bench->watched.samples, metric, by_name, labels, value);
}

static inline void
tick(struct bench *bench, int64_t at_us, double value)
{
    begin_tick(bench, at_us);
    add(bench, &load, "a", value);
    store_tick(bench->store, &bench->watched);
}

#define test_with_store(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
