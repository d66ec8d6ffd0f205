/* What the tests of backups share: a database of their own, pgmend as a program, a folder. */
#pragma once

#include "support/test.h"

#include <signal.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/process.h"
#include "db/db.h"
#include "db/ident.h"

enum { WAIT_LIMIT_US = 20000000 };

struct bench {
    struct ctx ctx;
    struct db *admin; /* in database postgres */
    struct db *db;    /* in our database */
    const char *database;
    const char *state; /* --state-dir */
    const char *backups;
};

static inline void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static inline struct db *
connect_to(struct bench *bench, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static inline void
sql(struct bench *bench, const char *statement)
{
    must(bench, db_exec(&bench->ctx, bench->db, statement));
}

static inline const char *
value_in(struct bench *bench, struct db *db, const char *statement)
{
    const char *value = NULL;

    must(bench, db_value(&bench->ctx, db, statement, NULL, 0, &value));
    return value ? value : "(null)";
}

/*
 * Scratch databases belong to the whole server, so two programs that look for leftovers take turns;
 * the session, and with it the lock, lasts as long as the program.
 */
static inline void
take_turn(struct bench *bench)
{
    static struct db *turn;

    if (turn)
        return;
    turn = connect_to(bench, "postgres");
    must(bench, db_exec(&bench->ctx, turn, "SELECT pg_catalog.pg_advisory_lock(1112884043)"));
}

/* A bench with an empty database of the given name. */
static inline struct bench *
bench_new(const char *database)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = database ? arena_printf(arena, "%s %s", database, random_hex(arena, 4))
                               : arena_printf(arena, "test_backup_%s", random_hex(arena, 6));
    bench->state = test_folder(&bench->ctx);
    bench->backups = file_join(arena, bench->state, "backups");
    take_turn(bench);
    bench->admin = connect_to(bench, "postgres");
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "CREATE DATABASE %s TEMPLATE template0",
                        db_ident(arena, bench->database))));
    bench->db = connect_to(bench, bench->database);
    sql(bench, "SELECT pg_catalog.set_config('search_path', 'public', false)");
    return bench;
}

static inline void
drop_database(struct bench *bench, const char *name)
{
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)",
                        db_ident(bench->ctx.arena, name))));
}

static inline void
bench_free(struct bench *bench)
{
    struct result result;

    db_close(bench->db);
    drop_database(bench, bench->database);
    must(bench,
        db_query(&bench->ctx, bench->admin,
            "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, $1)",
            &bench->database, 1, &result));
    for (size_t i = 0; i < result.rows; i++)
        drop_database(bench, result_cell(&result, i, 0));
    must(bench, file_remove(&bench->ctx, bench->state));
    db_close(bench->admin);
    arena_free(bench->ctx.arena);
}

#define MAX_WORDS 24

/* Starts "pgmend --state-dir … WORDS", the words parted by blanks. */
static inline void
start_pgmend(struct bench *bench, const char *words, struct process *ret)
{
    struct arena *arena = bench->ctx.arena;
    const char *program = getenv("PGMEND");
    const char *argv[MAX_WORDS] = { program, "--state-dir", bench->state };
    const char *env[] = { "DATABASE_URL=", arena_printf(arena, "PGDATABASE=%s", bench->database),
        NULL };
    size_t count = 3;

    if (!program)
        fail_msg("PGMEND is not set: run the tests by script/test or meson test");
    while (*words) {
        size_t length = strcspn(words, " ");

        assert_true(count + 1 < MAX_WORDS);
        argv[count++] = arena_strndup(arena, words, length);
        words += length + (words[length] == ' ');
    }

    struct process_options options = {
        .argv = argv, .env = env, .timeout_us = 60000000, .own_group = true
    };

    must(bench, process_start(&bench->ctx, &options, ret));
}

/* Runs it, expects the exit status, and gives what it printed on both. */
static inline const char *
run_pgmend(struct bench *bench, int status, const char *words)
{
    struct process process;

    start_pgmend(bench, words, &process);
    must(bench, process_wait(&bench->ctx, &process));

    const char *said = arena_printf(
        bench->ctx.arena, "%s%s", buffer_text(&process.out), buffer_text(&process.err));

    if (process.status != status)
        fail_msg("pgmend %s: status %d instead of %d: %s", words, process.status, status, said);
    return said;
}

static inline void
assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* Names in the folder of backups, unfinished ones too. */
static inline size_t
count_backups(struct bench *bench, const char *start)
{
    struct text_list names = { 0 };
    size_t count = 0;

    must(bench, file_list(&bench->ctx, bench->backups, &names));
    for (size_t i = 0; i < names.count; i++)
        count += text_starts_with(names.items[i], start);
    return count;
}

static inline const char *
count_scratch(struct bench *bench)
{
    return value_in(bench, bench->admin,
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_database WHERE datname ~ '^pgmend_scratch_'");
}

/* Looks again and again until the query says "t". */
static inline void
wait_until(struct bench *bench, const char *query)
{
    int64_t end = clock_us() + WAIT_LIMIT_US;

    while (!text_equal(value_in(bench, bench->admin, query), "t")) {
        if (clock_us() > end)
            fail_msg("never came true: %s", query);
        clock_sleep_us(10000);
    }
}
