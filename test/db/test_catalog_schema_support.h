/* What the tests of schemas share: two databases with the same schema, made from the fixtures. */
#pragma once

#include "support/test.h"

#include "base/crypto.h"
#include "base/process.h"
#include "catalog/schema.h"
#include "db/ident.h"

struct bench {
    struct ctx ctx;
    const char *names[2]; /* of two databases with the same schema */
    struct db *db;        /* in the first of them */
    struct schema schema; /* of it */
};

static inline void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static inline struct db *
open_database(struct bench *bench, const char *name, enum access access)
{
    struct db_options options = { .database = name, .application = "test", .access = access };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static inline void
run_in_postgres(struct bench *bench, const char *statement)
{
    struct db *admin CLEANUP(db_cleanup) = open_database(bench, "postgres", ACCESS_WRITE);

    must(bench, db_exec(&bench->ctx, admin, statement));
}

static inline void
run_sql(struct bench *bench, const char *statement)
{
    if (!db_exec(&bench->ctx, bench->db, statement))
        fail_msg("%s: %s", statement, bench->ctx.error.message);
}

static inline const char *
value_of(struct bench *bench, const char *statement)
{
    const char *value = NULL;

    must(bench, db_value(&bench->ctx, bench->db, statement, NULL, 0, &value));
    return value;
}

static inline const char *
run_program(struct bench *bench, const char *const *argv)
{
    struct process process;
    struct process_options options = { .argv = argv, .timeout_us = 60000000 };

    must(bench, process_run(&bench->ctx, &options, &process));
    return buffer_text(&process.out);
}

/* The fixtures that this server understands, one after the other. */
static inline void
run_fixtures(struct bench *bench, const char *database, int major)
{
    static const struct {
        const char *path;
        int since;
    } fixtures[] = {
        { "test/fixtures/schema/everything.sql", 14 },
        { "test/fixtures/schema/since_15.sql", 15 },
        { "test/fixtures/schema/since_18.sql", 18 },
    };

    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        if (major >= fixtures[i].since)
            run_program(
                bench, (const char *[]){ "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                           database, "-f", test_source(&bench->ctx, fixtures[i].path), NULL });
}

static inline int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    for (size_t i = 0; i < COUNT_OF(bench->names); i++) {
        bench->names[i] = arena_printf(arena, "schema_%s", random_hex(arena, 6));
        run_in_postgres(
            bench, arena_printf(arena, "CREATE DATABASE %s TEMPLATE template0", bench->names[i]));
        /* So that the second has other numbers inside. */
        if (i > 0)
            run_program(bench, (const char *[]){ "psql", "-X", "-q", "-d", bench->names[i], "-c",
                                   "CREATE TABLE t (id serial); DROP TABLE t", NULL });

        struct db *db CLEANUP(db_cleanup) = open_database(bench, bench->names[i], ACCESS_WRITE);

        run_fixtures(bench, bench->names[i], db_major(db));
    }
    bench->db = open_database(bench, bench->names[0], ACCESS_WRITE);
    must(bench, schema_load(&bench->ctx, bench->db, &bench->schema));
    *state = bench;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    db_close(bench->db);
    for (size_t i = 0; i < COUNT_OF(bench->names); i++)
        run_in_postgres(bench,
            arena_printf(bench->ctx.arena, "DROP DATABASE %s WITH (FORCE)", bench->names[i]));
    arena_free(bench->ctx.arena);
    return 0;
}
