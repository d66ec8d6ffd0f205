/* Backups that are made, proven, found and restored. */
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "db/test_backup_support.h"

static int
set_up(void **state)
{
    struct bench *bench = bench_new(NULL);

    sql(bench,
        "CREATE TABLE users (id bigserial PRIMARY KEY, name text CHECK (name IN ('a', 'b')), "
        "height float8, born timestamptz, note varchar(9) CHECK (note IN ('x', 'y')))");
    sql(bench, "INSERT INTO users (name, height, born, note) SELECT 'a', random(), now(), 'x' "
               "FROM generate_series(1, 500)");
    sql(bench, "CREATE INDEX ON users (lower(name)) WHERE id > 3");
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

static mode_t
mode_of(struct bench *bench, const char *name)
{
    struct stat found;
    const char *path = file_join(bench->ctx.arena, bench->backups, name);

    assert_int_equal(lstat(path, &found), 0);
    return found.st_mode & 07777;
}

static void
test_create_and_verify(void **state)
{
    struct bench *bench = *state;
    const char *said;

    sql(bench, "CREATE SCHEMA \"Схема \"\"1\"\"\"");
    sql(bench,
        "CREATE TABLE \"Схема \"\"1\"\"\".\"we'ird\n\\! touch x; drop table u; --\" (\"ключ\" int)");
    sql(bench,
        "INSERT INTO \"Схема \"\"1\"\"\".\"we'ird\n\\! touch x; drop table u; --\" VALUES (1), (1)");
    sql(bench, "CREATE SEQUENCE down INCREMENT -1");
    sql(bench, "SELECT nextval('down'), setval('users_id_seq', 700, false)");
    sql(bench, "CREATE TABLE empty ()");
    sql(bench, "SELECT lo_from_bytea(0, 'large')");
    sql(bench, "CREATE TABLE alembic_version (version_num varchar(32))");
    sql(bench, "INSERT INTO alembic_version VALUES ('abc123')");
    /* Dropped columns shift the numbers of those behind them. */
    sql(bench, "CREATE TABLE dropped (a int, b int, c int CHECK (c > 0), UNIQUE (c))");
    sql(bench, "ALTER TABLE dropped DROP COLUMN a");
    sql(bench, "CREATE TABLE measured (at date, v int) PARTITION BY RANGE (at)");
    sql(bench,
        "CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM (MINVALUE) TO (MAXVALUE)");
    sql(bench, "INSERT INTO measured VALUES ('2026-01-01', 1)");
    for (int i = 0; i < 2; i++) {
        const char *format = i ? "custom" : "directory";

        said = run_pgmend(bench, 0,
            arena_printf(bench->ctx.arena, "backup create --format %s --name n%d", format, i));
        assert_holds(said, "sums recorded");
        said = run_pgmend(bench, 0, arena_printf(bench->ctx.arena, "backup verify n%d --json", i));
        assert_holds(said, "\"is_verified\": true");
        assert_holds(said, "\"alembic_version\": \"abc123\"");
    }
    assert_int_equal(mode_of(bench, "n0"), 0700);
    assert_int_equal(mode_of(bench, "n0/data"), 0700);
    assert_int_equal(mode_of(bench, "n0/manifest.json"), 0600);
    assert_int_equal(mode_of(bench, "n0/data/toc.dat"), 0600);
    assert_int_equal(mode_of(bench, "n1/data.dump"), 0600);
    said = run_pgmend(bench, 0, "backup list");
    assert_holds(said, "yes, restored in");
    assert_string_equal(count_scratch(bench), "0");
    assert_int_equal(count_backups(bench, "."), 0);
    run_pgmend(bench, 1, "backup create --name n0");
}

static void
test_hostile_database_name(void **state)
{
    static const char *const names[] = { "-h evil", "host=evil dbname=postgres", "a'b\\\"c" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct bench *bench = bench_new(names[i]);

        sql(bench, "CREATE TABLE t AS SELECT 7 AS seven");
        run_pgmend(bench, 0, "backup create --name b --verify");

        const char *into = arena_printf(bench->ctx.arena, "%s=x'", bench->database);

        /* The name has blanks, so it goes another way than through run_pgmend(). */
        const char *argv[] = { getenv("PGMEND"), "--state-dir", bench->state, "backup", "restore",
            "b", "--into", into, NULL };
        const char *env[] = { "DATABASE_URL=", NULL };
        struct process_options options = { .argv = argv, .env = env };
        struct process process;

        must(bench, process_run(&bench->ctx, &options, &process));

        struct db *db = connect_to(bench, into);

        assert_string_equal(value_in(bench, db, "SELECT seven FROM public.t"), "7");
        db_close(db);
        bench_free(bench);
    }
}

static void
test_find_verified(void **state)
{
    struct bench *bench = *state;
    struct backup_info info;
    const char *why = NULL;

    assert_false(backup_find_verified(&bench->ctx, bench->backups, bench->db, 0, &info, &why));
    assert_int_equal(bench->ctx.error.kind, ERR_NONE);
    assert_holds(why, "there is no backup of database");
    run_pgmend(bench, 0, "backup create --name b");
    assert_false(backup_find_verified(&bench->ctx, bench->backups, bench->db, 0, &info, &why));
    assert_holds(why, "never verified");
    run_pgmend(bench, 0, "backup verify");
    assert_true(
        backup_find_verified(&bench->ctx, bench->backups, bench->db, 3600000000, &info, &why));
    assert_null(why);
    assert_string_equal(info.name, "b");
    assert_true(info.restore_us > 0);
    assert_false(backup_find_verified(&bench->ctx, bench->backups, bench->db, 1, &info, &why));
    assert_holds(why, "older than");

    struct db *other = connect_to(bench, "postgres");

    assert_false(backup_find_verified(&bench->ctx, bench->backups, other, 0, &info, &why));
    assert_holds(why, "no backup of database");
    db_close(other);
    assert_int_equal(truncate(file_join(bench->ctx.arena, bench->backups, "b/data/toc.dat"), 9), 0);
    assert_false(backup_find_verified(&bench->ctx, bench->backups, bench->db, 0, &info, &why));
    assert_holds(why, "files changed");
    assert_int_equal(bench->ctx.error.kind, ERR_NONE);
}

static void
test_concurrent_writes(void **state)
{
    struct bench *bench = *state;
    struct db *writer = connect_to(bench, bench->database);
    struct process dump;

    sql(bench, "INSERT INTO users (name, height) SELECT 'b', i FROM generate_series(1, 30000) i");
    must(bench, db_send(&bench->ctx, writer,
                    "DO $$ BEGIN FOR i IN 1..10000000 LOOP"
                    " INSERT INTO public.users (name, height) VALUES ('a', i);"
                    " UPDATE public.users SET height = -i WHERE id % 997 = i % 997;"
                    " DELETE FROM public.users WHERE id = i * 3; COMMIT; END LOOP; END $$"));
    start_pgmend(bench, "backup create --name b", &dump);
    must(bench, process_wait(&bench->ctx, &dump));
    assert_int_equal(dump.status, 0);
    assert_true(db_cancel_wait(writer, WAIT_LIMIT_US));
    db_close(writer);
    run_pgmend(bench, 0, "backup verify");
}

static void
test_restore_into(void **state)
{
    struct bench *bench = *state;
    const char *into = arena_printf(bench->ctx.arena, "%s_copy", bench->database);
    const char *words = arena_printf(bench->ctx.arena, "backup restore b --into %s", into);

    run_pgmend(bench, 0, "backup create --name b");
    run_pgmend(bench, 0, words);
    assert_holds(run_pgmend(bench, 1, words), "exists already");

    struct db *db = connect_to(bench, into);

    assert_string_equal(value_in(bench, db, "SELECT count(*) FROM public.users"), "500");
    assert_string_equal(value_in(bench, db,
                            "SELECT last_analyze IS NOT NULL OR n_live_tup >= 0 FROM "
                            "pg_catalog.pg_stat_user_tables WHERE relname = 'users'"),
        "t");
    db_close(db);
    assert_string_equal(count_scratch(bench), "0");
    run_pgmend(bench, 2, "backup restore b");
    run_pgmend(bench, 2, "backup restore b --swap");
    run_pgmend(bench, 2, "backup restore");
}

static void
test_swap(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *name = bench->database;
    const char *said;

    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena,
                        "ALTER DATABASE %s SET search_path TO \"$user\", public, \"a b\"", name)));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "ALTER DATABASE %s SET work_mem = '7MB'", name)));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "ALTER DATABASE %s CONNECTION LIMIT 33", name)));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "REVOKE ALL ON DATABASE %s FROM PUBLIC", name)));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena,
                        "GRANT CONNECT ON DATABASE %s TO pg_monitor WITH GRANT OPTION", name)));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "COMMENT ON DATABASE %s IS 'it''s ours'", name)));
    run_pgmend(bench, 0, "backup create --name b");
    sql(bench, "DELETE FROM users WHERE id <= 100");
    sql(bench, "INSERT INTO users (name) SELECT 'b' FROM generate_series(1, 350)");
    sql(bench, "CREATE TABLE later AS SELECT 1 AS one");

    const char *described = arena_printf(arena,
        "SELECT concat(datconnlimit, ' ', datacl, ' ', shobj_description(oid, 'pg_database'), ' ',"
        " datallowconn, ' ', (SELECT setconfig FROM pg_catalog.pg_db_role_setting"
        " WHERE setdatabase = d.oid)) FROM pg_catalog.pg_database d WHERE datname = '%s'",
        name);
    const char *before = value_in(bench, bench->admin, described);

    said = run_pgmend(bench, 0, "backup restore b --swap --yes");
    assert_holds(said, "2 tables have other content, with 251 more rows");
    assert_holds(said, "kept as");
    assert_string_equal(value_in(bench, bench->admin, described), before);
    /* Our session was in the way. */
    db_close(bench->db);
    bench->db = connect_to(bench, name);
    assert_string_equal(value_in(bench, bench->db, "SELECT count(*) FROM public.users"), "500");
    assert_string_equal(value_in(bench, bench->db, "SELECT to_regclass('public.later')"), "(null)");
    assert_string_equal(
        value_in(bench, bench->db, "SELECT concat(kind, ' ', state) FROM pgmend.journal"),
        "restore database done");

    const char *old = value_in(bench, bench->admin,
        arena_printf(arena,
            "SELECT datname FROM pg_catalog.pg_database WHERE datname ~ '^%s_before_[0-9]{14}$'",
            name));
    struct db *db = connect_to(bench, old);

    assert_string_equal(value_in(bench, db, "SELECT count(*) FROM public.users"), "750");
    db_close(db);
    assert_holds(
        run_pgmend(bench, 1, arena_printf(arena, "backup restore --drop-old %s --yes", name)),
        "not put aside");
    run_pgmend(bench, 2, arena_printf(arena, "backup restore --drop-old %s --no-input", old));
    run_pgmend(bench, 0, arena_printf(arena, "backup restore --drop-old %s --yes", old));
    assert_string_equal(count_scratch(bench), "0");
}

static void
test_row_security(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *role = arena_printf(arena, "r_%s", bench->database);

    sql(bench, "ALTER TABLE users ENABLE ROW LEVEL SECURITY");
    sql(bench, "CREATE POLICY p ON users USING (id < 10)");
    sql(bench, arena_printf(arena, "CREATE ROLE %s LOGIN", role));
    sql(bench, arena_printf(arena, "GRANT USAGE ON SCHEMA public TO %s", role));
    assert_holds(run_pgmend(bench, 8, arena_printf(arena, "backup create --db-url user=%s", role)),
        "may not read table");
    sql(bench, arena_printf(arena, "GRANT pg_read_all_data TO %s", role));

    const char *said =
        run_pgmend(bench, 8, arena_printf(arena, "backup create --db-url user=%s", role));

    assert_holds(said, "row-level security hides rows of table");
    assert_holds(said, "BYPASSRLS");
    assert_int_equal(count_backups(bench, ""), 0);
    sql(bench, arena_printf(arena, "ALTER ROLE %s BYPASSRLS", role));
    run_pgmend(bench, 0, arena_printf(arena, "backup create --db-url user=%s --name b", role));
    run_pgmend(bench, 0, "backup verify b");
    sql(bench, arena_printf(arena, "DROP OWNED BY %s", role));
    sql(bench, arena_printf(arena, "DROP ROLE %s", role));
}

static void
test_names(void **state)
{
    struct bench *bench = *state;

    run_pgmend(bench, 2, "backup create --name ../up");
    run_pgmend(bench, 2, "backup create --name .hidden");
    run_pgmend(bench, 2, "backup verify --quick ../../etc");
    assert_int_equal(count_backups(bench, ""), 0);
    assert_int_equal(chmod(bench->backups, 0777), 0);
    assert_holds(run_pgmend(bench, 2, "backup create"), "others may write");
    assert_int_equal(chmod(bench->backups, 0700), 0);
}

/* A plain role: no extension can be created, so the scratch database is made from a template. */
static void
test_without_superuser(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *role = arena_printf(arena, "r_%s", bench->database);
    const char *template = arena_printf(arena, "%s_template", bench->database);

    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "CREATE ROLE %s LOGIN CREATEDB", role)));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "ALTER DATABASE %s OWNER TO %s", bench->database, role)));
    sql(bench, arena_printf(arena, "ALTER TABLE users OWNER TO %s", role));
    sql(bench, "CREATE EXTENSION pg_stat_statements");
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "CREATE DATABASE %s OWNER %s", template, role)));

    struct db *db = connect_to(bench, template);

    must(bench, db_exec(&bench->ctx, db, "CREATE EXTENSION pg_stat_statements SCHEMA public"));
    db_close(db);
    run_pgmend(bench, 0, arena_printf(arena, "backup create --db-url user=%s --name b", role));
    assert_holds(run_pgmend(bench, 8, arena_printf(arena, "backup verify --db-url user=%s", role)),
        "--scratch-template");
    run_pgmend(bench, 0,
        arena_printf(
            arena, "backup verify --db-url user=%s --scratch-template %s", role, template));
    db_close(bench->db);
    bench->db = NULL;
    drop_database(bench, bench->database);
    drop_database(bench, template);
    must(bench, db_exec(&bench->ctx, bench->admin, arena_printf(arena, "DROP ROLE %s", role)));
}

static void
test_other_server(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *cluster = test_source(&bench->ctx, "script/cluster");
    const char *folder = arena_printf(arena, "/tmp/pgmend-other-%s", random_hex(arena, 4));
    const char *start[] = { cluster, "start", folder, "--scratch", NULL };
    const char *remove[] = { cluster, "remove", folder, NULL };
    struct process_options options = { .argv = start };
    struct process process;

    run_pgmend(bench, 0, "backup create --name b");
    must(bench, process_run(&bench->ctx, &options, &process));

    const char *where = arena_printf(arena, "host=%s/socket", folder);
    const char *said = run_pgmend(
        bench, 1, arena_printf(arena, "backup restore b --into copy --db-url %s", where));

    assert_holds(said, "the backup is of another server");
    run_pgmend(bench, 0,
        arena_printf(arena, "backup restore b --into copy --other-server --db-url %s", where));
    options.argv = remove;
    must(bench, process_run(&bench->ctx, &options, &process));
}

#define backup_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        backup_test(test_create_and_verify),
        backup_test(test_hostile_database_name),
        backup_test(test_find_verified),
        backup_test(test_concurrent_writes),
        backup_test(test_restore_into),
        backup_test(test_swap),
        backup_test(test_row_security),
        backup_test(test_names),
        backup_test(test_without_superuser),
        backup_test(test_other_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
