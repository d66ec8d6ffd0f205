/* What the tests of the doctor share: a server that is well, made of rows by hand. */
#pragma once

#include <math.h>

#include "monitor/doctor/doctor.h"
#include "monitor/doctor/facts.h"
#include "monitor/plain.h"
#include "sql.h"

struct bench {
    struct ctx ctx;
    struct watched server;
    struct doctor_facts facts;
    struct sql_monitor_server about;
    struct sql_monitor_database database;
    struct sql_monitor_database database_before;
};

static const double now_epoch = 1.8e9;

static inline void
put(struct reading *reading, const void *rows, size_t count)
{
    reading->is_known = reading->is_good = true;
    reading->rows = (struct rows){ .items = (void *)(uintptr_t)rows, .count = count };
}

#define PUT(bench, id, ...) put(&(bench)->server.now[id], __VA_ARGS__, COUNT_OF(__VA_ARGS__))

/* A server that is well. */
static inline int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->server.name = "shop @ db:5432";
    bench->server.database = "shop";
    bench->server.is_up = true;
    bench->server.facts = &bench->facts;
    bench->facts.disk_rotates = -1;
    bench->about = (struct sql_monitor_server){ .now_epoch = now_epoch,
        .started_epoch = now_epoch - 864000,
        .max_connections = 100,
        .reserved_connections = 3,
        .connections = 20,
        .autovacuum = true,
        .track_counts = true,
        .track_io_timing = true };
    bench->database = (struct sql_monitor_database){ .datname = "shop",
        .blks_hit = 990000,
        .blks_read = 10000,
        .xact_commit = 100000,
        .checksum_failures = 0,
        .stats_reset = now_epoch - 864000 };
    put(&bench->server.now[COLLECT_SERVER], &bench->about, 1);
    put(&bench->server.now[COLLECT_DATABASE], &bench->database, 1);
    *state = bench;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct bench *bench = *state;

    arena_free(bench->ctx.arena);
    return 0;
}

#define test_with_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
