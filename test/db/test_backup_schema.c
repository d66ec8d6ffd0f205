/* The rows of a backup in a schema that something else made. */
#include "backup/backup.h"
#include "db/test_backup_support.h"

static const char big[] =
    "CREATE SCHEMA app;"
    "CREATE TYPE app.mood AS ENUM ('good', 'bad');"
    "CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(99) UNIQUE, height float8,"
    "  doubled float8 GENERATED ALWAYS AS (height * 2) STORED, born timestamptz);"
    "CREATE TABLE app.\"Имя таблицы\" (id int GENERATED ALWAYS AS IDENTITY, mood app.mood,"
    "  user_id bigint REFERENCES users, boss bigint);"
    "CREATE TABLE app.circle_a (id int PRIMARY KEY, b int);"
    "CREATE TABLE app.circle_b (id int PRIMARY KEY, a int REFERENCES app.circle_a);"
    "ALTER TABLE app.circle_a ADD FOREIGN KEY (b) REFERENCES app.circle_b;"
    "CREATE TABLE measured (at date, v int) PARTITION BY RANGE (at);"
    "CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM (MINVALUE) TO (MAXVALUE);"
    "CREATE TABLE prices (name text PRIMARY KEY, cents int);"
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
    "  $$ BEGIN RAISE 'a trigger ran'; END $$;";

static const char rows[] =
    "INSERT INTO users (email, height, born) SELECT 'u' || g, g / 3.0, '2026-01-01'::timestamptz +"
    "  g * interval '1 hour' FROM generate_series(1, 300) g;"
    "INSERT INTO app.\"Имя таблицы\" (mood, user_id) SELECT 'bad', g FROM generate_series(1, 9) g;"
    "INSERT INTO app.circle_a VALUES (1, NULL);"
    "INSERT INTO app.circle_b VALUES (7, 1);"
    "UPDATE app.circle_a SET b = 7;"
    "INSERT INTO measured VALUES ('2026-01-01', 1);"
    "INSERT INTO prices VALUES ('basic', 900), ('pro', 2900);"
    "INSERT INTO alembic_version VALUES ('0123456789ab');"
    "CREATE TRIGGER refuse BEFORE INSERT ON prices EXECUTE FUNCTION refuse();"
    "SELECT setval('users_id_seq', 700);"
    "CREATE SCHEMA pgmend; CREATE TABLE pgmend.journal (id int); INSERT INTO pgmend.journal "
    "  VALUES (1);";

struct case_state {
    struct bench *bench;
    const char *fresh; /* database with the schema only */
    struct db *db;     /* in it */
};

static void
run_shell(struct bench *bench, const char *command)
{
    const char *argv[] = { "bash", "-ec", command, NULL };
    const struct process_options options = { .argv = argv, .timeout_us = 60000000 };
    struct process process;

    must(bench, process_run(&bench->ctx, &options, &process));
}

/* Several statements at once. */
static void
run_script(struct bench *bench, const char *database, const char *statements)
{
    struct arena *arena = bench->ctx.arena;
    const char *path = file_join(arena, bench->state, "script.sql");

    must(bench, file_write(&bench->ctx, path, statements, strlen(statements), 0600));
    run_shell(bench, arena_printf(arena, "psql -qX -v ON_ERROR_STOP=1 -d %s -f '%s' >/dev/null",
                         database, path));
}

static void
make_backup(struct bench *bench)
{
    const struct backup_create_options create = {
        .folder = bench->backups,
        .name = "one",
        .format = "custom",
        .jobs = 1,
        .lock_wait_us = 10000000,
    };
    const struct backup_verify_options check = {
        .folder = bench->backups, .name = "one", .jobs = 1
    };
    struct backup_info info;
    struct text_list differences = { 0 }, notes = { 0 };
    struct db *db = connect_to(bench, bench->database);

    must(bench, backup_create(&bench->ctx, db, &create, &info, &notes));
    db_close(db);

    must(bench, backup_verify(&bench->ctx, bench->admin, &check, &info, &differences, &notes));
}

/* One backup, and one database with its schema, from which each test takes a copy. */
static int
set_up_all(void **state)
{
    struct bench *bench = bench_new(NULL);
    struct arena *arena = bench->ctx.arena;
    const char *empty = arena_printf(arena, "%s_empty", bench->database);

    run_script(bench, bench->database, big);
    run_script(bench, bench->database, rows);
    make_backup(bench);
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "CREATE DATABASE %s TEMPLATE template0", empty)));
    run_shell(
        bench, arena_printf(arena,
                   "pg_dump -s -N pgmend -d %s | psql -qX -v ON_ERROR_STOP=1 -d %s >/dev/null",
                   bench->database, empty));
    /* What the new history itself puts there. */
    run_script(bench, empty,
        "ALTER TABLE prices DISABLE TRIGGER ALL;"
        "INSERT INTO prices VALUES ('basic', 900), ('old', 1);"
        "ALTER TABLE prices ENABLE TRIGGER ALL;"
        "INSERT INTO alembic_version VALUES ('ffffffffffff')");
    *state = bench;
    return 0;
}

static int
tear_down_all(void **state)
{
    bench_free(*state);
    return 0;
}

static int
set_up(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    struct case_state *self = ARENA_NEW(arena, struct case_state);

    self->bench = bench;
    self->fresh = arena_printf(arena, "%s_%s", bench->database, random_hex(arena, 3));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "CREATE DATABASE %s TEMPLATE %s_empty", self->fresh,
                        bench->database)));
    self->db = connect_to(bench, self->fresh);
    *state = self;
    return 0;
}

static int
tear_down(void **state)
{
    struct case_state *self = *state;

    db_close(self->db);
    drop_database(self->bench, self->fresh);
    return 0;
}

static bool
prove(struct case_state *self, const char **ret_sentence, struct text_list *ret_differences)
{
    const struct backup_schema_proof options = {
        .folder = self->bench->backups, .name = "one", .jobs = 1
    };

    return backup_prove_schema(
        &self->bench->ctx, self->db, &options, ret_sentence, ret_differences);
}

static void
test_equal_schema(void **state)
{
    struct case_state *self = *state;
    struct text_list differences;
    const char *sentence;

    must(self->bench, prove(self, &sentence, &differences));
    assert_holds(sentence, "315 rows of 7 tables");
    assert_int_equal(differences.count, 0);
    assert_string_equal(
        value_in(self->bench, self->db, "SELECT version_num FROM public.alembic_version"),
        "0123456789ab");
    assert_string_equal(
        value_in(self->bench, self->db, "SELECT nextval('public.users_id_seq')"), "701");
    /* It may be done again: the tables are emptied first. */
    must(self->bench, prove(self, &sentence, &differences));
}

static void
refused(struct case_state *self, const char *change, const char *why)
{
    struct text_list differences;
    const char *sentence;
    bool is_found = false;

    run_script(self->bench, self->fresh, change);
    assert_false(prove(self, &sentence, &differences));
    assert_int_equal(self->bench->ctx.error.kind, ERR_VERIFICATION);
    assert_true(differences.count > 0);
    for (size_t i = 0; i < differences.count; i++)
        is_found |= strstr(differences.items[i], why) != NULL;
    if (!is_found)
        fail_msg("%s: \"%s\" is not in \"%s\"", change, why, differences.items[0]);
    assert_null(sentence);
    error_clear(&self->bench->ctx);
}

static void
test_column_gone(void **state)
{
    refused(*state, "ALTER TABLE public.users DROP COLUMN email", "users");
}

static void
test_column_at_another_place(void **state)
{
    refused(*state,
        "DROP TABLE public.prices; CREATE TABLE public.prices (cents int, name text PRIMARY KEY)",
        "table public.prices has other content");
}

static void
test_column_of_another_type(void **state)
{
    refused(*state, "ALTER TABLE public.users ALTER COLUMN born TYPE date",
        "table public.users has other content");
}

static void
test_constraint_that_rows_break(void **state)
{
    refused(*state, "ALTER TABLE public.users ALTER COLUMN email TYPE varchar(2)",
        "table users: value too long");
}

static void
test_column_too_many(void **state)
{
    refused(*state, "ALTER TABLE public.prices ADD COLUMN more int DEFAULT 1",
        "table public.prices has other content");
}

static void
test_table_on_one_side(void **state)
{
    refused(*state, "DROP TABLE app.circle_a CASCADE; CREATE TABLE app.circle_c (id int)",
        "table app.circle_a is in the backup only");
    refused(*state, "SELECT 1", "table app.circle_c is in the new schema only");
}

static void
test_sequence_gone(void **state)
{
    refused(*state,
        "DROP TABLE app.\"Имя таблицы\"; CREATE TABLE app.\"Имя таблицы\" (id int, mood app.mood, "
        "user_id bigint, boss bigint)",
        "Имя таблицы_id_seq");
}

static void
test_unverified(void **state)
{
    struct case_state *self = *state;
    struct text_list differences;
    const char *sentence;
    const char *proof =
        file_join(self->bench->ctx.arena, self->bench->backups, "one/verified.json");
    const char *aside = file_join(self->bench->ctx.arena, self->bench->state, "verified.json");

    must(self->bench, file_rename(&self->bench->ctx, proof, aside));
    assert_false(prove(self, &sentence, &differences));
    must(self->bench, file_rename(&self->bench->ctx, aside, proof));
    assert_error(&self->bench->ctx, ERR_GATE, "was never verified");
    error_clear(&self->bench->ctx);
    assert_string_equal(
        value_in(self->bench, self->db, "SELECT version_num FROM public.alembic_version"),
        "ffffffffffff");
}

/* Foreign keys are in the way of whoever may not put them off. */
static void
test_no_superuser(void **state)
{
    struct case_state *self = *state;
    struct bench *bench = self->bench;
    const char *role = arena_printf(bench->ctx.arena, "%s_role", bench->database);
    struct text_list differences;
    const char *sentence;

    run_script(bench, self->fresh,
        arena_printf(bench->ctx.arena,
            "CREATE ROLE %s; GRANT pg_read_all_data, pg_write_all_data TO %s", role, role));
    must(bench, db_exec(&bench->ctx, self->db,
                    arena_printf(bench->ctx.arena, "SET SESSION AUTHORIZATION %s", role)));
    assert_false(prove(self, &sentence, &differences));
    assert_error(&bench->ctx, ERR_RIGHTS, "is no superuser");
    error_clear(&bench->ctx);
    must(bench, db_exec(&bench->ctx, self->db, "RESET SESSION AUTHORIZATION"));
    run_script(bench, self->fresh,
        arena_printf(bench->ctx.arena, "DROP OWNED BY %s; DROP ROLE %s", role, role));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_equal_schema, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_column_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_column_at_another_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_column_of_another_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_constraint_that_rows_break, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_column_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_on_one_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sequence_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unverified, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_superuser, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
