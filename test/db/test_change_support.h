/*
 * What the tests of changes share: a database with one table, a run that is open, a change of each
 * kind. What is expected is asked of the server by statements of the test's own.
 */
#pragma once

#include <unistd.h>

#include "change/kind.h"
#include "change/plan.h"
#include "db/db.h"

struct bench {
    struct ctx ctx;
    struct db *db;
    struct rollout rollout;
    const char *database;
    const char *folder;
    struct text_list notes;
};

static inline void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail",
            bench->ctx.error.state ? bench->ctx.error.state : "no state");
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
run(struct bench *bench, const char *sql)
{
    must(bench, db_exec(&bench->ctx, bench->db, sql));
}

static inline const char *
ask(struct bench *bench, const char *sql)
{
    const char *answer = NULL;

    must(bench, db_value(&bench->ctx, bench->db, sql, NULL, 0, &answer));
    return answer ? answer : "(null)";
}

static inline void
assert_answer(struct bench *bench, const char *sql, const char *wanted)
{
    assert_string_equal(ask(bench, sql), wanted);
}

static inline void
keep_note(void *data, const char *text)
{
    struct bench *bench = data;

    text_list_add(bench->ctx.arena, &bench->notes, arena_strdup(bench->ctx.arena, text));
}

static inline void
begin_run(struct bench *bench)
{
    const struct journal_run about = { .command = "test", .state_dir = bench->folder };
    const struct rollout_observer observer = { .note = keep_note, .data = bench };

    must(bench, rollout_open(&bench->ctx, bench->db, &about, &observer, &bench->rollout));
    must(bench, rollout_heal(&bench->ctx, &bench->rollout));
}

static inline int
set_up_all(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "change_kinds_%d", (int)getpid());
    bench->folder = test_folder(&bench->ctx);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_to(bench, bench->database);
    *state = bench;
    return 0;
}

static inline int
tear_down_all(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    must(bench, file_remove(&bench->ctx, bench->folder));
    arena_free(bench->ctx.arena);
    return 0;
}

/* A table of 1,000 rows whose keys have gaps, and nothing of pgmend. */
static inline int
set_up(void **state)
{
    struct bench *bench = *state;

    must(bench, file_remove(&bench->ctx, bench->folder));
    must(bench, file_make_folder(&bench->ctx, bench->folder));
    run(bench, "SET client_min_messages = error");
    run(bench, "DROP SCHEMA IF EXISTS app CASCADE");
    run(bench, "DROP SCHEMA IF EXISTS pgmend CASCADE");
    run(bench, "CREATE SCHEMA app");
    run(bench, "CREATE TABLE app.t (id bigint PRIMARY KEY, a int, note text)");
    run(bench, "INSERT INTO app.t SELECT i * 3, i % 17, 'row ' || i::text"
               " FROM pg_catalog.generate_series(1, 1000) AS i");
    run(bench, "CREATE INDEX t_a ON app.t (a)");
    bench->notes = (struct text_list){ 0 };
    begin_run(bench);
    return 0;
}

static inline int
tear_down(void **state)
{
    struct bench *bench = *state;

    rollout_close(&bench->rollout);
    bench->rollout = (struct rollout){ 0 };
    return 0;
}

static inline uint32_t
table_oid(struct bench *bench)
{
    int64_t oid = 0;

    assert_true(text_to_int64(ask(bench, "SELECT 'app.t'::regclass::oid"), &oid));
    return (uint32_t)oid;
}

static inline struct change
about_table(struct bench *bench, const char *kind, const char *name)
{
    return (struct change){
        .kind = kind, .schema = "app", .table = "t", .table_oid = table_oid(bench), .name = name
    };
}

static inline struct change
column_change(struct bench *bench)
{
    struct change change = about_table(bench, KIND_COLUMN, "twice");

    change.type = "bigint";
    return change;
}

static inline struct change
trigger_change(struct bench *bench)
{
    struct change change = about_table(bench, KIND_TRIGGER, "t_twice");

    change.column = "twice";
    change.statement = "CREATE OR REPLACE FUNCTION app.t_twice() RETURNS trigger LANGUAGE plpgsql"
                       " AS 'BEGIN NEW.twice := NEW.a * 2; RETURN NEW; END'";
    change.definition = "CREATE TRIGGER t_twice BEFORE INSERT OR UPDATE ON app.t FOR EACH ROW"
                        " EXECUTE FUNCTION app.t_twice()";
    return change;
}

static inline struct change
fill_change(struct bench *bench)
{
    struct change change = about_table(bench, KIND_FILL, "twice");

    change.column = "twice";
    change.expression = "a * 2";
    change.key = "id";
    return change;
}

static inline struct change
function_change(const char *body)
{
    return (struct change){
        .kind = KIND_FUNCTION,
        .schema = "app",
        .name = "answer",
        .arguments = "integer",
        .statement = body,
    };
}

#define ANSWER_42                                                                             \
    "CREATE OR REPLACE FUNCTION app.answer(n integer) RETURNS integer LANGUAGE sql IMMUTABLE" \
    " AS 'SELECT 42 + n'"

static inline struct change
record_change(const char *value)
{
    return (struct change){ .kind = KIND_RECORD, .name = "vector:app.t.x", .definition = value };
}

/* Does it, as apply does; the result's words in *ret, or NULL. */
static inline bool
try_change(struct bench *bench, struct change change, struct rollout_outcome *ret)
{
    change_compose(bench->ctx.arena, &change);
    return rollout_create(&bench->ctx, &bench->rollout, &change, ret);
}

static inline void
do_change(struct bench *bench, struct change change, const char *result)
{
    struct rollout_outcome outcome;

    must(bench, try_change(bench, change, &outcome));
    assert_string_equal(outcome.result, result);
}

static inline struct journal_entry
last_entry(struct bench *bench)
{
    struct journal_entries entries;

    must(bench, journal_load(&bench->ctx, bench->db, &entries));
    assert_true(entries.count > 0);
    return entries.items[entries.count - 1];
}

static inline void
undo_last(struct bench *bench, const char *result)
{
    struct journal_entries entries;
    struct rollout_outcome outcome;

    must(bench, journal_load(&bench->ctx, bench->db, &entries));
    for (size_t i = entries.count; i-- > 0;) {
        if (!rollout_can_undo(&entries.items[i]))
            continue;
        must(bench, rollout_undo(&bench->ctx, &bench->rollout, &entries.items[i], &outcome));
        assert_string_equal(outcome.result, result);
        return;
    }
    fail_msg("there is nothing to undo");
}

#define test_with_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
