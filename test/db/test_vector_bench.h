/* A database of its own with pgvector, for the tests of searches and of the installed functions. */
#pragma once

#include "support/test.h"

#include <unistd.h>

#include "db/db.h"
#include "db/ident.h"
#include "vector/method/method.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *db;
};

static inline void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static inline struct db *
bench_connect(struct bench *bench, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static inline void
bench_exec(struct bench *bench, const char *sql)
{
    if (!db_exec(&bench->ctx, bench->db, sql))
        fail_msg("%s: %s", bench->ctx.error.message, sql);
}

static inline const char *
bench_value(struct bench *bench, const char *sql)
{
    const char *value;

    if (!db_value(&bench->ctx, bench->db, sql, NULL, 0, &value))
        fail_msg("%s: %s", bench->ctx.error.message, sql);
    return value;
}

static inline struct result
bench_rows(struct bench *bench, const char *sql)
{
    struct result result;

    if (!db_query(&bench->ctx, bench->db, sql, NULL, 0, &result))
        fail_msg("%s: %s", bench->ctx.error.message, sql);
    return result;
}

/* The statement fails, and its message holds the text. */
static inline void
bench_fails(struct bench *bench, const char *sql, const char *text)
{
    struct result result;

    if (db_query(&bench->ctx, bench->db, sql, NULL, 0, &result))
        fail_msg("did not fail: %s", sql);
    if (!strstr(bench->ctx.error.message, text))
        fail_msg("\"%s\" is not in \"%s\": %s", text, bench->ctx.error.message, sql);
    error_clear(&bench->ctx);
}

/* A new database; the extension stands in a schema of its own, which no search_path names. */
static inline struct bench *
bench_new(const char *name, const char *extension_schema)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "%s_%d", name, (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = bench_connect(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = bench_connect(bench, bench->database);
    bench_exec(bench,
        arena_printf(arena, "CREATE SCHEMA IF NOT EXISTS %s", db_ident(arena, extension_schema)));
    bench_exec(bench, arena_printf(arena, "CREATE EXTENSION vector SCHEMA %s",
                          db_ident(arena, extension_schema)));
    return bench;
}

static inline void
bench_free(struct bench *bench)
{
    db_cleanup(&bench->db);

    struct db *admin CLEANUP(db_cleanup) = bench_connect(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    db_cleanup(&admin);
    arena_free(bench->ctx.arena);
}
