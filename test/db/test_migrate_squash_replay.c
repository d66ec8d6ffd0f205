/* Histories run by the real Alembic in scratch databases: what is seen, kept and carried over. */
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
    assert_nothing_left(*state);
    bench_free(*state);
    return 0;
}

static const char *
origin_of(const struct replayed *replayed, const char *identity)
{
    for (size_t i = 0; i < replayed->origins.count; i++)
        if (text_equal(replayed->origins.items[i].identity, identity))
            return replayed->origins.items[i].revision;
    return NULL;
}

/* clang-format off */
static const char *const seen_1[] = {
    "CREATE EXTENSION citext",
    "CREATE TABLE \"we\"\"ird Имя\" (id int PRIMARY KEY)",
    "CREATE TYPE mood AS ENUM ('good')",
    "INSERT INTO \"we\"\"ird Имя\" SELECT generate_series(1, 3)",
    NULL
};
static const char *const seen_2[] = {
    "CREATE TABLE first_name (id int)",
    "UPDATE \"we\"\"ird Имя\" SET id = id + 10 WHERE id > 2",
    "DELETE FROM first_name",
    "CREATE FUNCTION f(a integer, b text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "WITH gone AS (SELECT 1) INSERT INTO first_name SELECT * FROM gone",
    "SELECT count(*) FROM first_name",
    "DO $$ BEGIN INSERT INTO first_name VALUES (2); END $$",
    "DO $$ BEGIN PERFORM 1; END $$",
    "SELECT 1; TRUNCATE first_name; SELECT 2",
    NULL
};
static const char *const seen_3[] = {
    "ALTER TABLE first_name RENAME TO second_name",
    "CREATE VIEW v AS SELECT * FROM second_name",
    "CREATE SEQUENCE s",
    "SELECT setval('s', 7, false)",
    NULL
};
/* clang-format on */
static const struct revision_text seen[] = {
    { "s1", NULL, seen_1, nothing },
    { "s2", "s1", seen_2, nothing },
    { "s3", "s2", seen_3, nothing },
};

static void
test_seen(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct replayed replayed;
    static const struct {
        const char *revision;
        const char *tag;
        int64_t rows;
    } wanted[] = {
        { "s1", "INSERT 0 3", 3 },
        { "s2", "UPDATE 1", 1 },
        { "s2", "DELETE 0", 0 },
        { "s2", "INSERT 0 1", 1 },
        { "s2", "DO", -1 },
        { "s2", NULL, 0 }, /* several at once: which tag counts is not said */
        { "s3", "SELECT 1", 1 },
    };

    project_new(bench, seen, COUNT_OF(seen), "", &project);
    replay(&project, &replayed);
    for (size_t i = 0; i < replayed.data.count; i++)
        print_message("# %s: %s: %s\n", replayed.data.items[i].revision, replayed.data.items[i].tag,
            replayed.data.items[i].sql);
    assert_int_equal(replayed.data.count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_string_equal(replayed.data.items[i].revision, wanted[i].revision);
        if (!wanted[i].tag)
            continue;
        assert_string_equal(replayed.data.items[i].tag, wanted[i].tag);
        assert_int_equal(replayed.data.items[i].rows, wanted[i].rows);
    }
    /* exec_driver_sql() of the first revision: its first statement about rows is on line 10. */
    assert_non_null(replayed.data.items[0].place.file);
    assert_true(text_ends_with(replayed.data.items[0].place.file, "s1_revision.py"));
    assert_int_equal(replayed.data.items[0].place.line, 12);
    assert_string_equal(origin_of(&replayed, "public.\"we\"\"ird Имя\""), "s1");
    assert_string_equal(origin_of(&replayed, "public.mood"), "s1");
    assert_string_equal(origin_of(&replayed, "public.second_name"), "s2");
    assert_string_equal(origin_of(&replayed, "public.f(a integer, b text)"), "s2");
    assert_string_equal(origin_of(&replayed, "public.v"), "s3");
    assert_null(origin_of(&replayed, "public.citext"));
    assert_int_equal(replayed.revisions, 3);
    assert_true(replayed.statements >= 4 + 9 + 4);
    assert_int_equal(replayed.outcome.status, 0);
    assert_true(replayed.alembic_us > replayed.server_us && replayed.server_us > 0);
    replayed_end(&replayed);
    project_free(&project);
}

/* clang-format off */
static const char *const rows_up[] = {
    "CREATE SCHEMA \"Схема \"\"1\"\"\"",
    "CREATE TYPE mood AS ENUM ('good', 'it''s')",
    "CREATE DOMAIN price AS numeric(10,2)",
    "CREATE TYPE pair AS (a int, b text)",
    "CREATE TABLE zoo (id serial PRIMARY KEY, i2 smallint, i8 bigint, f4 real, f8 double precision, "
        "n numeric, n2 numeric(12,4), b boolean, c char(7), v varchar(20), t text, by bytea, j json, "
        "jb jsonb, a integer[], at text[], ts timestamp, tz timestamptz, d date, iv interval, tt time, "
        "tg inet, m money, p price, mo mood, pr pair, u uuid, r int4range, x xml, bi bit(3), ck \"char\", "
        "g integer GENERATED ALWAYS AS (i2 + 1) STORED, rc regclass, tv tsvector, pt point, nn text)",
    "INSERT INTO zoo VALUES (DEFAULT, -32768, -9223372036854775808, 'NaN', '-0', 'NaN', -12.5, true, 'ab ', "
        "'it''s', E'back\\\\slash\\n:name %s %(x)s {y} $1 \"\"\" '' тест', '\\x00ff41', '{\"b\": 1,  \"a\" : 2}', "
        "'{\"k\": [1, null]}', '{1,NULL,3}', '{\"a,b\",\"\\\"\",NULL}', '2026-01-02 03:04:05.678901', "
        "'2026-01-02 03:04:05+05:30', '-infinity', '1 year -2 mons 3 days 04:05:06.789', '24:00', '::1/64', "
        "-1234.56, 19.90, 'it''s', ROW(1, 'x,\"y'), 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[1,5)', "
        "'<a>b</a>', B'101', 'x', DEFAULT, 'pg_catalog.pg_class', 'a:1 b:2', '(1.5,-2e-300)', NULL)",
    "INSERT INTO zoo (i2, f4, f8, n, tz) VALUES (1, 1.1, 0.1::float8 + 0.2, 1e30, 'infinity'), "
        "(2, 3.4e38, 1e-307, 0.000, '2026-06-01 00:00+02')",
    "CREATE TABLE \"Схема \"\"1\"\"\".\"a table; -- named so that it has exactly sixty-three bytes!!!\" "
        "(\"Ключ 'x'\" text PRIMARY KEY, \"value\" int)",
    "INSERT INTO \"Схема \"\"1\"\"\".\"a table; -- named so that it has exactly sixty-three bytes!!!\" "
        "VALUES ('й', 1), ('a', 2)",
    "CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree, name text)",
    "ALTER TABLE tree DROP CONSTRAINT tree_up_fkey",
    "INSERT INTO tree VALUES (1, 3, 'leaf'), (2, NULL, 'root'), (3, 2, 'middle'), (4, 4, 'own')",
    "ALTER TABLE tree ADD FOREIGN KEY (up) REFERENCES tree",
    "CREATE TABLE aaa (id int PRIMARY KEY, zoo_id int REFERENCES zoo, owner int)",
    "CREATE TABLE bbb (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, aaa_id int REFERENCES aaa)",
    "ALTER TABLE aaa ADD FOREIGN KEY (owner) REFERENCES bbb",
    "INSERT INTO aaa VALUES (7, 1, NULL)",
    "INSERT INTO bbb (aaa_id) VALUES (7), (NULL)",
    "CREATE TABLE parted (day date, what int REFERENCES bbb) PARTITION BY RANGE (day)",
    "CREATE TABLE a_part PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "INSERT INTO parted VALUES ('2026-03-04', 1), ('2026-03-04', 1)",
    "CREATE SEQUENCE down INCREMENT -1",
    "SELECT nextval('down'), nextval('down')",
    "CREATE SEQUENCE untouched START 5",
    NULL
};
/* clang-format on */
static const struct revision_text rows_history[] = { { "r1", NULL, rows_up, nothing } };

static const struct seed_table *
seed_of(const struct seeds *seeds, const char *name, size_t *ret_position)
{
    for (size_t i = 0; i < seeds->tables.count; i++) {
        if (text_equal(seeds->tables.items[i].name, name)) {
            *ret_position = i;
            return &seeds->tables.items[i];
        }
    }
    fail_msg("no rows of table %s", name);
    return NULL;
}

static void
insert_row(struct bench *bench, struct db *db, const struct seed_table *table, size_t row)
{
    struct arena *arena = bench->ctx.arena;
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "INSERT INTO %s (", db_qualified(arena, table->schema, table->name));
    for (size_t i = 0; i < table->columns.count; i++)
        buffer_printf(&text, "%s%s", i ? ", " : "", db_ident(arena, table->columns.items[i]));
    buffer_printf(
        &text, ")%s VALUES (", table->has_identity_always ? " OVERRIDING SYSTEM VALUE" : "");
    for (size_t i = 0; i < table->columns.count; i++)
        buffer_printf(
            &text, "%s%s", i ? ", " : "", table->cells.items[row * table->columns.count + i]);
    buffer_add(&text, ")");
    must(bench, db_exec(&bench->ctx, db, buffer_text(&text)));
}

static void
insert_seeds(struct bench *bench, struct db *db, const struct seeds *seeds)
{
    struct arena *arena = bench->ctx.arena;

    for (size_t i = 0; i < seeds->tables.count; i++)
        for (size_t row = 0; row < seeds->tables.items[i].rows; row++)
            insert_row(bench, db, &seeds->tables.items[i], row);
    for (size_t i = 0; i < seeds->sequences.count; i++) {
        const struct seed_sequence *sequence = &seeds->sequences.items[i];

        must(bench,
            db_exec(&bench->ctx, db,
                arena_printf(arena, "SELECT pg_catalog.setval(%s, %lld, %s)",
                    db_literal(arena, db_qualified(arena, sequence->schema, sequence->name)),
                    (long long)sequence->last_value, sequence->is_called ? "true" : "false")));
    }
}

/* What pg_dump says of the rows and sequences of a database, its lines sorted. */
static const char *
dump_rows(struct bench *bench, const char *database)
{
    const char *argv[] = { "sh", "-c",
        "pg_dump -a --extra-float-digits=3 \"$1\" | grep -v '^.\\(un\\)\\?restrict ' | LC_ALL=C sort",
        "sh", database, NULL };

    return output_of(bench, argv);
}

/* The rows go into a copy of the schema that pg_dump made, one by one, and are the same there. */
static void
test_rows(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct replayed replayed;
    struct seeds seeds;
    size_t first = 0;
    size_t second = 0;

    project_new(bench, rows_history, COUNT_OF(rows_history), "", &project);
    replay(&project, &replayed);
    must(bench, squash_seeds(&bench->ctx, &replayed, NULL, "public.alembic_version", &seeds));
    for (size_t i = 0; i < seeds.left_out.count; i++)
        print_message("# %s\n", seeds.left_out.items[i]);
    assert_int_equal(seeds.left_out.count, 0);
    assert_int_equal(seeds.tables.count, 6);
    assert_int_equal(seeds.sequences.count, 3);

    const struct seed_table *tree = seed_of(&seeds, "tree", &first);

    assert_string_equal(tree->cells.items[2], "'root'");
    seed_of(&seeds, "aaa", &first);
    seed_of(&seeds, "bbb", &second);
    assert_true(first < second);
    seed_of(&seeds, "a_part", &first);
    assert_true(first > second);
    assert_true(seeds.tables.items[second].has_identity_always);

    const char *copy[] = { "sh", "-c",
        "set -o pipefail; pg_dump -s \"$1\" | psql -qX -v "
        "ON_ERROR_STOP=1 -d \"$2\"",
        "bash", replayed.scratch.name, bench->database, NULL };

    copy[0] = "bash";
    output_of(bench, copy);

    struct db *db = connect_to(bench, bench->database);

    insert_seeds(bench, db, &seeds);
    must(bench, db_exec(&bench->ctx, db, "INSERT INTO public.alembic_version VALUES ('r1')"));
    db_close(db);
    assert_string_equal(dump_rows(bench, bench->database), dump_rows(bench, replayed.scratch.name));
    replayed_end(&replayed);
    project_free(&project);
}

/* clang-format off */
static const char *const unstable_up[] = {
    "CREATE TABLE settings (key text PRIMARY KEY, value text, made_at timestamptz DEFAULT clock_timestamp(), "
        "token text DEFAULT gen_random_uuid())",
    "INSERT INTO settings (key, value) VALUES ('a', '1'), ('b', '2')",
    "CREATE TABLE roles (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text)",
    "CREATE TABLE members (id int PRIMARY KEY, role uuid REFERENCES roles)",
    "INSERT INTO roles (name) VALUES ('admin'), ('guest')",
    "INSERT INTO members SELECT 1, id FROM roles WHERE name = 'admin'",
    "CREATE TABLE steady (id int, name text)",
    "INSERT INTO steady VALUES (1, 'x'), (1, 'x')",
    "CREATE TABLE lumps (n int)",
    "INSERT INTO lumps SELECT 1 FROM generate_series(1, (SELECT oid::int8 % 100000 + 1 FROM pg_database WHERE datname = current_database()))",
    "SELECT lo_from_bytea(0, 'large')",
    "CREATE TABLE dated (d timestamptz)",
    "DO $$ BEGIN EXECUTE format('ALTER TABLE dated ALTER d SET DEFAULT %L', clock_timestamp()); END $$",
    NULL
};
/* clang-format on */
static const struct revision_text unstable_history[] = { { "u1", NULL, unstable_up, nothing } };

static void
test_unstable(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct replayed replayed;
    struct replayed again;
    struct seeds seeds;
    size_t at;

    project_new(bench, unstable_history, COUNT_OF(unstable_history), "", &project);
    replay(&project, &replayed);
    replay(&project, &again);
    must(bench, squash_seeds(&bench->ctx, &replayed, &again, "public.alembic_version", &seeds));

    const struct seed_table *settings = seed_of(&seeds, "settings", &at);
    const char *said = text_list_join(bench->ctx.arena, &seeds.left_out, "\n");

    print_message("# %s\n", said);
    assert_int_equal(settings->unstable.count, 2);
    assert_string_equal(settings->unstable.items[0], "made_at");
    assert_string_equal(settings->unstable.items[1], "token");
    assert_int_equal(seed_of(&seeds, "steady", &at)->unstable.count, 0);
    assert_int_equal(seed_of(&seeds, "roles", &at)->unstable.count, 0);
    assert_int_equal(seed_of(&seeds, "members", &at)->unstable.count, 0);
    assert_holds(said, "the keys of the rows of table public.roles (id)");
    assert_holds(said, "the keys of the rows of table public.members (role)");
    assert_holds(said, "table public.lumps had ");
    assert_holds(said, "1 large objects");
    assert_holds(said, "does not make the same schema twice");
    assert_holds(said, "public.dated.d");
    assert_int_equal(seeds.left_out.count, 5);
    assert_null(strstr(said, "settings"));
    assert_null(strstr(said, "steady"));
    replayed_end(&again);
    replayed_end(&replayed);
    project_free(&project);
}

/* Rows that refer to each other in a circle of tables, which a deferred key allowed. */
static void
test_circle(void **state)
{
    static const char *const up[] = { "CREATE TABLE a (id int PRIMARY KEY, b int)",
        "CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a)",
        "INSERT INTO a VALUES (1, 1), (2, 2)", "INSERT INTO b VALUES (1, 1)",
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b NOT VALID",
        "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t)",
        "INSERT INTO t VALUES (1, 2), (2, 1)", NULL };
    static const struct revision_text history[] = { { "c1", NULL, up, nothing } };
    struct bench *bench = *state;
    struct project project;
    struct replayed replayed;
    struct seeds seeds;

    project_new(bench, history, COUNT_OF(history), "", &project);
    replay(&project, &replayed);
    must(bench, squash_seeds(&bench->ctx, &replayed, NULL, "public.alembic_version", &seeds));

    const char *said = text_list_join(bench->ctx.arena, &seeds.left_out, "\n");

    assert_int_equal(seeds.left_out.count, 2);
    assert_holds(said, "rows of table public.t refer to each other in a circle");
    assert_holds(said, "the rows of tables public.b and public.a refer to each other");
    assert_int_equal(seeds.tables.count, 3);
    replayed_end(&replayed);
    project_free(&project);
}

struct failing {
    const char *statement;
    const char *sqlstate;
    const char *said;
};

static void
test_failures(void **state)
{
    static const struct failing cases[] = {
        { "CREATE EXTENSION no_such_extension", "0A000", "no_such_extension" },
        /* A migration that rests on a row that somebody once typed in. */
        { "INSERT INTO child VALUES (1, (SELECT id FROM parent WHERE name = 'main'))", "23502",
            "null value in column \"parent\"" },
    };
    static const char *const first[] = { "CREATE TABLE parent (id int PRIMARY KEY, name text)",
        "CREATE TABLE child (id int, parent int NOT NULL)", NULL };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const second[] = { "UPDATE parent SET name = 'x'", cases[i].statement, NULL };
        const struct revision_text history[] = { { "f1", NULL, first, nothing },
            { "f2", "f1", second, nothing }, { "f3", "f2", nothing, nothing } };
        struct project project;
        struct replayed replayed;

        project_new(bench, history, COUNT_OF(history), "", &project);

        const struct replay_request request = request_of(&project);

        assert_false(squash_replay(&bench->ctx, bench->admin, &request, &replayed));
        print_message("# %s\n# %s\n", bench->ctx.error.message, bench->ctx.error.detail);
        assert_error(&bench->ctx, ERR_FAILED, cases[i].said);
        assert_true(replayed.outcome.has_failed_statement);
        /* Before 15 a missing extension was a file that cannot be opened. */
        assert_string_equal(replayed.outcome.failed.sqlstate,
            i == 0 && db_major(bench->admin) < 15 ? "58P01" : cases[i].sqlstate);
        assert_string_equal(replayed.outcome.failed.sql, cases[i].statement);
        assert_holds(replayed.outcome.place.file, "f2_revision.py");
        assert_null(replayed.db);
        assert_int_equal(replayed.data.count, 1);
        assert_string_equal(replayed.data.items[0].revision, "f2");
        assert_nothing_left(bench);
        error_clear(&bench->ctx);
        project_free(&project);
    }
}

/* Runs the statement as the server's superuser, in database postgres. */
static void
admin(struct bench *bench, const char *statement)
{
    must(bench, db_exec(&bench->ctx, bench->admin, statement));
}

static void
test_rights(void **state)
{
    static const char *const up[] = { "CREATE TABLE t (id int)", NULL };
    static const struct revision_text history[] = { { "h1", NULL, up, nothing } };
    struct bench *bench = *state;
    struct project project;
    struct replayed replayed;
    const char *role = arena_printf(bench->ctx.arena, "role_%s", random_hex(bench->ctx.arena, 4));
    struct db *db = connect_to(bench, bench->database);

    project_new(bench, history, COUNT_OF(history), "", &project);
    admin(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s", role));
    must(bench, db_exec(&bench->ctx, db,
                    arena_printf(bench->ctx.arena, "SET SESSION AUTHORIZATION %s", role)));

    const struct replay_request request = request_of(&project);

    assert_false(squash_replay(&bench->ctx, db, &request, &replayed));
    assert_error(&bench->ctx, ERR_RIGHTS, "may not create databases");
    assert_holds(bench->ctx.error.hint, "CREATEDB");
    assert_holds(bench->ctx.error.hint, "--scratch-url URL");
    error_clear(&bench->ctx);
    must(bench, db_exec(&bench->ctx, db, "RESET SESSION AUTHORIZATION"));
    must(bench, db_exec(&bench->ctx, db, "SET default_transaction_read_only = on"));
    assert_false(squash_replay(&bench->ctx, db, &request, &replayed));
    assert_error(&bench->ctx, ERR_UNSUPPORTED, "read-only");
    error_clear(&bench->ctx);
    db_close(db);

    /* CREATEDB is all that is needed. */
    admin(bench, arena_printf(bench->ctx.arena, "ALTER ROLE %s LOGIN CREATEDB", role));

    const struct db_options options = {
        .url = arena_printf(bench->ctx.arena, "user=%s", role),
        .database = "postgres",
        .access = ACCESS_WRITE,
    };

    must(bench, db_open(&bench->ctx, &options, &db));
    must(bench, squash_replay(&bench->ctx, db, &request, &replayed));
    assert_string_equal(origin_of(&replayed, "public.t"), "h1");
    replayed_end(&replayed);
    db_close(db);
    admin(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
    project_free(&project);
}

static void
check_baseline(struct bench *bench, struct project *project, const char *text, enum error_kind kind,
    const char *said)
{
    struct replay_request request = request_of(project);
    struct replayed replayed;
    const char *path = file_join(bench->ctx.arena, bench->state, "baseline.sql");

    write_text(bench, path, text);
    request.baseline = path;

    bool is_good = squash_replay(&bench->ctx, bench->admin, &request, &replayed);

    assert_int_equal(is_good, kind == ERR_NONE);
    if (is_good) {
        const char *tag = replayed.data.count == 1 ? replayed.data.items[0].tag : NULL;

        assert_true(text_equal(tag, "INSERT 0 1"));
        replayed_end(&replayed);
    } else {
        assert_error(&bench->ctx, kind, said);
        error_clear(&bench->ctx);
    }
    assert_nothing_left(bench);
}

/* A history that starts from tables which are not its own; what psql would run is refused. */
static void
test_baseline(void **state)
{
    static const char *const up[] = { "INSERT INTO made_by_hand VALUES (1, 'x')", NULL };
    static const struct revision_text history[] = { { "b1", NULL, up, nothing } };
    struct bench *bench = *state;
    struct project project;

    project_new(bench, history, COUNT_OF(history), "", &project);
    sql(bench, "CREATE TABLE made_by_hand (id serial PRIMARY KEY, t text DEFAULT E'a;\\nb')");
    sql(bench,
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $f$BEGIN RETURN '\n\\restrict me\n'; END$f$");

    const char *argv[] = { "pg_dump", "-s", bench->database, NULL };

    check_baseline(bench, &project, output_of(bench, argv), ERR_NONE, NULL);
    check_baseline(
        bench, &project, "CREATE TABLE made_by_hand (id int, t text);\n", ERR_NONE, NULL);
    check_baseline(bench, &project, "CREATE TABLE made_by_hand (id int, t text);\n\\! touch x\n;",
        ERR_INPUT, "baseline.sql:2: a command of psql: \\! touch x");
    check_baseline(bench, &project, "SELECT 1 \\gexec\n", ERR_INPUT, "baseline.sql:1");
    check_baseline(bench, &project, "SELECT 1;\n\nCREATE TABLE t (id nosuch);\n", ERR_INPUT,
        "baseline.sql:3: type \"nosuch\" does not exist");

    const char *rows[] = { "pg_dump", bench->database, NULL };

    sql(bench, "INSERT INTO made_by_hand VALUES (1, 'it')");
    check_baseline(bench, &project, output_of(bench, rows), ERR_INPUT, "the baseline holds rows");

    const char *custom[] = { "pg_dump", "-s", "-Fc", "-f",
        file_join(bench->ctx.arena, bench->state, "custom"), bench->database, NULL };
    struct replay_request request = request_of(&project);
    struct replayed replayed;

    output_of(bench, custom);
    request.baseline = custom[4];
    assert_false(squash_replay(&bench->ctx, bench->admin, &request, &replayed));
    assert_error(&bench->ctx, ERR_INPUT, "is no text");
    error_clear(&bench->ctx);
    project_free(&project);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unstable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_circle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_baseline, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
