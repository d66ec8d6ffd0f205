/* The user's own databases beside their history: where they stand, and what differs. */
#include <sys/stat.h>

#include "change/journal.h"
#include "db/test_migrate_squash_support.h"

static const char *const nothing[] = { NULL };

static int
set_up(void **state)
{
    *state = bench_new(NULL);
    return 0;
}

static int
tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

static struct db *
connect_readonly(struct bench *bench, const char *url, const char *database)
{
    struct db_options options = {
        .url = url, .database = database, .application = "test", .access = ACCESS_READ
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static const struct revision_text line[] = {
    { "d1", NULL, nothing, nothing },
    { "d2", "d1", nothing, nothing },
    { "d3", "d2", nothing, nothing },
};

static struct squash_database
ask(struct project *project, const char *database)
{
    struct bench *bench = project->bench;
    struct db *db = connect_readonly(bench, NULL, database);
    struct squash_database found;

    must(bench,
        squash_ask_database(&bench->ctx, db, &project->environment, &project->graph, "d3", &found));
    db_close(db);
    return found;
}

static void
set_revisions(struct bench *bench, const char *values)
{
    sql(bench, "TRUNCATE alembic_version");
    sql(bench, arena_printf(bench->ctx.arena, "INSERT INTO alembic_version VALUES %s", values));
}

static void
test_databases(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct squash_database found;

    project_new(bench, line, COUNT_OF(line), "", &project);
    found = ask(&project, bench->database);
    assert_true(found.is_empty && found.is_known && !found.is_at_head && !found.todo);
    assert_int_equal(found.revisions.count, 0);

    sql(bench, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)");
    found = ask(&project, bench->database);
    assert_true(found.is_empty && !found.is_at_head && !found.todo);

    set_revisions(bench, "('d3')");
    found = ask(&project, bench->database);
    assert_true(!found.is_empty && found.is_known && found.is_at_head && !found.todo);
    assert_holds(found.label, bench->database);

    set_revisions(bench, "('d1')");
    found = ask(&project, bench->database);
    assert_true(!found.is_empty && found.is_known && !found.is_at_head);
    assert_holds(found.todo, "pgmend migrations catch-up --db-url ");

    set_revisions(bench, "('d2'), ('d1')");
    found = ask(&project, bench->database);
    assert_int_equal(found.revisions.count, 2);
    assert_string_equal(found.revisions.items[0], "d1");
    assert_true(found.is_known && !found.is_at_head && found.todo);

    set_revisions(bench, "('d3'), ('feedc0ffee01')");
    found = ask(&project, bench->database);
    assert_true(!found.is_known && !found.is_at_head);
    assert_holds(found.todo, "revision feedc0ffee01");
    assert_holds(found.todo, "nothing can be promised");
    assert_null(strstr(found.todo, "catch-up"));
    project_free(&project);
}

/* The call that is proposed, run by a shell with psql in pgmend's place, gets there. */
static void
test_call(void **state)
{
    struct bench *bench = bench_new("it's \"a\" $HOME\\база; `x`");
    struct project project;
    struct squash_database found;

    (void)state;
    project_new(bench, line, COUNT_OF(line), "", &project);
    sql(bench, "CREATE TABLE alembic_version (version_num varchar(32))");
    set_revisions(bench, "('d1')");
    found = ask(&project, bench->database);
    print_message("# %s\n", found.todo);

    static const char start[] = "pgmend migrations catch-up --db-url ";

    assert_true(text_starts_with(found.todo, start));

    const char *argv[] = { "sh", "-c",
        arena_printf(bench->ctx.arena, "psql -XAt -c 'SELECT pg_catalog.current_database()' -d %s",
            found.todo + strlen(start)),
        NULL };

    assert_string_equal(
        output_of(bench, argv), arena_printf(bench->ctx.arena, "%s\n", bench->database));
    project_free(&project);
    bench_free(bench);
}

static void
test_other_places(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    struct project project;
    struct squash_database found;
    const char *role = arena_printf(arena, "reader_%s", random_hex(arena, 4));

    project_new(bench, line, COUNT_OF(line),
        ", version_table='Ver \"1\"', version_table_schema='Схема'", &project);
    assert_string_equal(project.environment.version_table, "Ver \"1\"");
    sql(bench, "CREATE SCHEMA \"Схема\"");
    sql(bench, "CREATE TABLE \"Схема\".\"Ver \"\"1\"\"\" (version_num varchar(32))");
    sql(bench, "CREATE TABLE \"Ver \"\"1\"\"\" (version_num varchar(32))");
    sql(bench, "INSERT INTO \"Схема\".\"Ver \"\"1\"\"\" VALUES ('d3')");
    found = ask(&project, bench->database);
    assert_true(found.is_at_head);

    /* Without a schema it is the role's own search_path that counts, as for Alembic. */
    project.environment.version_table_schema = NULL;
    found = ask(&project, bench->database);
    assert_true(found.is_empty);
    sql(bench,
        arena_printf(arena, "ALTER DATABASE %s SET search_path = \"$user\", \"Схема\", public",
            db_ident(arena, bench->database)));
    found = ask(&project, bench->database);
    assert_true(found.is_at_head);

    sql(bench, arena_printf(arena, "CREATE ROLE %s", role));

    struct db *db = connect_to(bench, bench->database);

    must(
        bench, db_exec(&bench->ctx, db, arena_printf(arena, "SET SESSION AUTHORIZATION %s", role)));
    assert_false(
        squash_ask_database(&bench->ctx, db, &project.environment, &project.graph, "d3", &found));
    assert_error(&bench->ctx, ERR_RIGHTS, "may not read \"Схема\".\"Ver \"\"1\"\"\"");
    assert_holds(bench->ctx.error.hint, "GRANT SELECT");
    error_clear(&bench->ctx);
    db_close(db);
    sql(bench, arena_printf(arena, "DROP ROLE %s", role));
    project_free(&project);
}

/* clang-format off */
static const char *const drift_up[] = {
    "CREATE TABLE users (id int PRIMARY KEY, email text, born date)",
    "CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users) PARTITION BY HASH (id)",
    "CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    NULL
};
static const char *const grants_up[] = { "GRANT SELECT ON users TO PUBLIC", NULL };
/* clang-format on */
static const struct revision_text drift_history[] = {
    { "g1", NULL, drift_up, nothing },
    { "g2", "g1", grants_up, nothing },
};

/* The target gets what pg_dump says of A. */
static void
copy_schema(struct bench *bench, const struct replayed *replayed)
{
    const char *argv[] = { "bash", "-c",
        "set -o pipefail; pg_dump -s \"$1\" | psql -qX -v ON_ERROR_STOP=1 -d \"$2\"", "bash",
        replayed->scratch.name, bench->database, NULL };

    output_of(bench, argv);
    sql(bench, "INSERT INTO public.alembic_version VALUES ('g1')");
}

static void
find_drift(struct bench *bench, const struct replayed *replayed, struct squash_drift *ret)
{
    struct db *db = connect_readonly(bench, NULL, bench->database);

    must(bench,
        squash_find_drift(&bench->ctx, db, &replayed->schema, "public.alembic_version", ret));
    db_close(db);
    for (size_t i = 0; i < ret->differences.count; i++)
        print_message("# %s\n", difference_text(bench->ctx.arena, &ret->differences.items[i]));
}

/* An index of pgmend's, with the journal that its own code writes. */
static void
make_index(struct bench *bench, const char *name, const char *state)
{
    struct arena *arena = bench->ctx.arena;
    const struct journal_run run = { .command = "index apply", .state_dir = bench->state };
    struct journal_entry entry = {
        .kind = "create index",
        .object = arena_printf(arena, "public.%s", name),
        .relation = "public.users",
        .statement = arena_printf(arena, "CREATE INDEX %s ON public.users (born)", name),
    };
    struct journal journal;

    must(bench, journal_begin(&bench->ctx, bench->db, &run, &journal));
    must(bench, journal_start(&bench->ctx, &journal, &entry));
    sql(bench, entry.statement);
    must(bench, journal_update(&bench->ctx, &journal, &entry, state, NULL));
    must(bench, journal_end(&bench->ctx, &journal, RUN_DONE, NULL));
}

static void
test_drift(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct replayed replayed;
    struct squash_drift drift;
    const char *role = arena_printf(bench->ctx.arena, "owner_%s", random_hex(bench->ctx.arena, 4));

    project_new(bench, drift_history, 1, "", &project);
    replay(&project, &replayed);
    copy_schema(bench, &replayed);
    find_drift(bench, &replayed, &drift);
    assert_int_equal(drift.differences.count, 0);
    assert_int_equal(drift.accepted.count, 0);
    assert_int_equal(drift.revisions.count, 1);
    assert_string_equal(drift.revisions.items[0], "g1");
    assert_string_equal(drift.server_version, db_version_text(bench->admin));
    assert_holds(drift.label, bench->database);

    /* What is no drift: owners, rights where the history has none, the version table, pgmend. */
    sql(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s", role));
    sql(bench, arena_printf(bench->ctx.arena, "ALTER TABLE users OWNER TO %s", role));
    sql(bench, "GRANT SELECT ON orders TO PUBLIC");
    sql(bench, "ALTER TABLE alembic_version ADD note text");
    make_index(bench, "ix_pgmend", ENTRY_DONE);
    find_drift(bench, &replayed, &drift);
    assert_int_equal(drift.differences.count, 0);
    assert_int_equal(drift.accepted.count, 1);
    assert_holds(drift.accepted.items[0], "public.ix_pgmend");

    /* What is: an index that the journal does not call done, and others. */
    make_index(bench, "ix_failed", ENTRY_FAILED);
    sql(bench, "CREATE INDEX ix_own ON users (email)");
    sql(bench, "ALTER TABLE users ALTER email SET NOT NULL");
    find_drift(bench, &replayed, &drift);
    assert_int_equal(drift.accepted.count, 1);
    assert_int_equal(drift.differences.count, 3);
    for (size_t i = 0; i < drift.differences.count; i++)
        assert_int_equal(drift.differences.items[i].statements.count, 1);
    sql(bench, "DROP INDEX ix_own, ix_failed");
    sql(bench, "ALTER TABLE users ALTER email DROP NOT NULL");
    find_drift(bench, &replayed, &drift);
    assert_int_equal(drift.differences.count, 0);

    /* An index that the history has is none of the journal's when it is missing in the target. */
    sql(bench, "DROP TABLE orders_0");
    find_drift(bench, &replayed, &drift);
    assert_true(drift.differences.count > 0);
    sql(bench, arena_printf(bench->ctx.arena, "DROP TABLE users CASCADE"));
    sql(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
    replayed_end(&replayed);
    project_free(&project);
}

static void
test_grants(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct replayed replayed;
    struct squash_drift drift;

    project_new(bench, drift_history, 2, "", &project);
    replay(&project, &replayed);
    copy_schema(bench, &replayed);
    find_drift(bench, &replayed, &drift);
    assert_int_equal(drift.differences.count, 0);
    sql(bench, "REVOKE SELECT ON users FROM PUBLIC");
    find_drift(bench, &replayed, &drift);
    assert_int_equal(drift.differences.count, 1);
    assert_string_equal(drift.differences.items[0].identity, "public.users");
    assert_string_equal(drift.differences.items[0].attribute, "acl");
    replayed_end(&replayed);
    project_free(&project);
}

/* A target that once was restored from a dump has the server's second wording of some things. */
static void
test_restored(void **state)
{
    static const char *const up[] = {
        "CREATE TABLE users (kind varchar(9) CONSTRAINT k CHECK (kind IN ('a', 'b')), n int)", NULL
    };
    static const struct revision_text history[] = { { "w1", NULL, up, nothing } };
    struct bench *bench = *state;
    struct project project;
    struct replayed replayed;
    struct squash_drift drift;
    struct text_list forgiven = { 0 };

    project_new(bench, history, 1, "", &project);
    replay(&project, &replayed);
    copy_schema(bench, &replayed);
    must(bench, squash_reword(&bench->ctx, bench->admin, NULL, NULL, &replayed));
    assert_true(replayed.rewording.is_known);
    find_drift(bench, &replayed, &drift);
    assert_true(drift.differences.count > 0);
    squash_forgive_wording(bench->ctx.arena, &replayed.rewording, &drift.differences, &forgiven);
    assert_int_equal(drift.differences.count, 0);
    assert_true(forgiven.count > 0);

    /* The same constraint with another meaning is none of that. */
    sql(bench, "ALTER TABLE users DROP CONSTRAINT k, "
               "ADD CONSTRAINT k CHECK (kind IN ('a', 'b', 'c'))");
    find_drift(bench, &replayed, &drift);
    squash_forgive_wording(bench->ctx.arena, &replayed.rewording, &drift.differences, &forgiven);
    assert_true(drift.differences.count > 0);
    replayed_end(&replayed);
    project_free(&project);
}

/* A server that is in recovery: it is read like any other, but nothing can be made there. */
static void
test_standby(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    struct project project;
    struct replayed replayed;
    struct squash_database found;
    struct squash_drift drift;
    const char *script = test_source(ctx, "script/cluster");
    const char *folder = file_join(ctx->arena, bench->state, "standby");
    const char *start[] = { "bash", "-c",
        "set -e; \"$1\" start \"$2\" --scratch >/dev/null; \"$1\" stop \"$2\"; "
        "home=$(sed -n s/^home=//p \"$2/place\"); touch \"$home/data/standby.signal\"; "
        "chown --reference=\"$home/data/PG_VERSION\" \"$home/data/standby.signal\"; "
        "\"$1\" start \"$2\" --scratch >/dev/null; sed -n s/^socket=//p \"$2/place\" | tr -d '\\n'",
        "bash", script, folder, NULL };
    const char *stop[] = { script, "remove", folder, NULL };

    assert_int_equal(chmod(bench->state, 0755), 0);
    project_new(bench, drift_history, 1, "", &project);
    replay(&project, &replayed);

    struct db *db = connect_readonly(bench,
        arena_printf(ctx->arena, "host=%s port=5432 user=postgres", output_of(bench, start)),
        "postgres");
    const struct replay_request request = request_of(&project);
    struct replayed none;
    const char *is_standby = value_in(bench, db, "SELECT pg_catalog.pg_is_in_recovery()");
    bool is_replayed = squash_replay(ctx, db, &request, &none);
    const struct error refused = ctx->error;
    bool is_asked =
        squash_ask_database(ctx, db, &project.environment, &project.graph, "g1", &found);
    bool is_compared =
        squash_find_drift(ctx, db, &replayed.schema, "public.alembic_version", &drift);

    /* The server goes first, for a failure below would leave it. */
    db_close(db);
    output_of(bench, stop);
    assert_string_equal(is_standby, "t");
    assert_false(is_replayed);
    assert_int_equal(refused.kind, ERR_UNSUPPORTED);
    assert_holds(refused.message, "is a standby");
    assert_holds(refused.hint, "--scratch-url URL");
    assert_true(is_asked && found.is_empty);
    assert_true(is_compared && drift.differences.count > 0);
    replayed_end(&replayed);
    project_free(&project);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_databases, set_up, tear_down),
        cmocka_unit_test(test_call),
        cmocka_unit_test_setup_teardown(test_other_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drift, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_grants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_standby, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
