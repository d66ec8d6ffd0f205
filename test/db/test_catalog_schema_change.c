/* A schema as a file and as a digest: what changes them, and what does not. */
#include "db/test_catalog_schema_support.h"

static json_t *
json_of(struct bench *bench, const struct schema *schema)
{
    json_t *json = schema_to_json(schema);

    assert_non_null(json);
    (void)bench;
    return json;
}

static void
test_file_gives_the_same_back(void **state)
{
    struct bench *bench = *state;
    json_t *json CLEANUP(json_release) = json_of(bench, &bench->schema);
    struct schema again;

    must(bench, schema_from_json(&bench->ctx, json, &again));

    json_t *second CLEANUP(json_release) = json_of(bench, &again);

    assert_true(json_equal(json, second));
    assert_string_equal(
        schema_digest(bench->ctx.arena, &bench->schema), schema_digest(bench->ctx.arena, &again));
    assert_string_equal(again.database, bench->names[0]);
    assert_int_equal(again.server_major, db_major(bench->db));
    assert_int_equal(again.dependencies.count, bench->schema.dependencies.count);
    for (size_t i = 0; i < again.tables.count; i++) {
        const char *definition = bench->schema.tables.items[i].definition;

        assert_true((definition == NULL) == (again.tables.items[i].definition == NULL));
    }
    /* Nobody's password is in it. */
    assert_null(strstr(json_text(bench->ctx.arena, json), "never shown"));
}

/* Another database, made the same way, with other numbers inside. */
static void
test_nothing_depends_on_the_run(void **state)
{
    struct bench *bench = *state;
    struct db *other CLEANUP(db_cleanup) = open_database(bench, bench->names[1], ACCESS_READ);
    struct schema first;
    struct schema second;

    assert_string_not_equal(value_of(bench, "SELECT 'app.users'::regclass::oid"), "0");
    must(bench, schema_load_pair(&bench->ctx, bench->db, other, &first, &second));

    json_t *json CLEANUP(json_release) = json_of(bench, &first);
    json_t *same CLEANUP(json_release) = json_of(bench, &second);

    assert_false(json_equal(json, same));
    json_object_set_new(same, "database", json_string(bench->names[0]));
    assert_string_equal(json_text(bench->ctx.arena, json), json_text(bench->ctx.arena, same));
    assert_string_equal(
        schema_digest(bench->ctx.arena, &first), schema_digest(bench->ctx.arena, &second));
}

static void
test_pair_that_differs(void **state)
{
    struct bench *bench = *state;
    struct db *other CLEANUP(db_cleanup) = open_database(bench, bench->names[1], ACCESS_WRITE);
    struct schema first;
    struct schema second;

    must(bench, db_exec(&bench->ctx, other, "COMMENT ON TABLE app.things IS 'x'"));
    must(bench, schema_load_pair(&bench->ctx, bench->db, other, &first, &second));
    must(bench, db_exec(&bench->ctx, other, "COMMENT ON TABLE app.things IS NULL"));
    assert_string_equal(first.database, bench->names[0]);
    assert_string_equal(second.database, bench->names[1]);
    assert_string_equal(
        schema_digest(bench->ctx.arena, &first), schema_digest(bench->ctx.arena, &bench->schema));
    assert_string_not_equal(
        schema_digest(bench->ctx.arena, &first), schema_digest(bench->ctx.arena, &second));
    assert_int_equal(first.dependencies.count, bench->schema.dependencies.count);
    assert_int_equal(second.dependencies.count, bench->schema.dependencies.count);
    for (size_t i = 0; i < first.dependencies.count; i++)
        assert_string_equal(
            first.dependencies.items[i].on_identity, second.dependencies.items[i].on_identity);
}

/* What other people may have beside, and what is ours. */
static const char *const invisible[] = {
    ("CREATE SCHEMA pgmend CREATE TABLE t (id serial PRIMARY KEY CHECK (id > 0), u integer "
     "REFERENCES t) CREATE VIEW v AS SELECT 1 AS one CREATE SEQUENCE s"),
    "CREATE TEMPORARY TABLE users (id serial PRIMARY KEY CHECK (id > 0), u integer UNIQUE)",
    "CREATE TEMPORARY VIEW v AS SELECT 1",
    "INSERT INTO app.things VALUES (1)",
    "SELECT nextval('app.invoice_numbers')",
    "ANALYZE app.things",
};

/* Each changes one thing that pg_dump would write. */
static const char *const changes[] = {
    "CREATE SCHEMA more",
    "ALTER SCHEMA ext OWNER TO pgmend_writer",
    "COMMENT ON SCHEMA app IS NULL",
    "REVOKE USAGE ON SCHEMA app FROM \"pgmend reader\"",
    "CREATE EXTENSION citext SCHEMA ext",
    "COMMENT ON EXTENSION \"uuid-ossp\" IS 'x'",
    "ALTER TYPE app.mood RENAME VALUE 'sad' TO 'Sad'",
    "ALTER DOMAIN app.plain SET DEFAULT 1",
    "ALTER DOMAIN app.plain SET NOT NULL",
    "ALTER DOMAIN app.plain VALIDATE CONSTRAINT plain_later",
    "COMMENT ON COLUMN app.\"Postal Address\".city IS 'x'",
    "CREATE OR REPLACE FUNCTION app.no_arguments() RETURNS void LANGUAGE plpgsql AS 'BEGIN  END'",
    "ALTER FUNCTION app.no_arguments() COST 7",
    "ALTER FUNCTION app.no_arguments() SET search_path = app",
    "GRANT EXECUTE ON FUNCTION app.add(integer, integer) TO PUBLIC",
    "ALTER AGGREGATE app.rows(*) OWNER TO pgmend_writer",
    "ALTER TABLE app.users SET (fillfactor = 71)",
    "ALTER TABLE app.users SET (toast.autovacuum_enabled = true)",
    "ALTER TABLE app.scratch SET LOGGED",
    "ALTER TABLE app.users NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE app.animals REPLICA IDENTITY DEFAULT",
    "ALTER TABLE app.users SET WITHOUT CLUSTER",
    "ALTER TABLE app.dogs NO INHERIT app.things",
    "ALTER TABLE app.events DETACH PARTITION app.events_old",
    "ALTER TABLE app.typed NOT OF",
    "ALTER FOREIGN TABLE app.far_away OPTIONS (SET table_name 'x')",
    "ALTER FOREIGN TABLE app.far_away ALTER COLUMN id OPTIONS (SET other 'x')",
    "ALTER VIEW app.happy_users SET (security_barrier = false)",
    "REFRESH MATERIALIZED VIEW app.summary",
    "ALTER TABLE app.other_method ALTER COLUMN id TYPE bigint",
    "ALTER TABLE app.things RENAME COLUMN weight TO mass",
    "ALTER TABLE app.things ADD COLUMN x integer",
    "ALTER TABLE app.things ALTER COLUMN weight SET DEFAULT 1",
    "ALTER TABLE app.things ALTER COLUMN weight SET NOT NULL",
    "ALTER TABLE app.users ALTER COLUMN id SET GENERATED BY DEFAULT",
    "ALTER TABLE app.users ALTER COLUMN id SET CACHE 8",
    "ALTER TABLE app.users ALTER COLUMN name_length DROP EXPRESSION",
    "ALTER TABLE app.users ALTER COLUMN notes SET STORAGE MAIN",
    "ALTER TABLE app.users ALTER COLUMN notes SET COMPRESSION DEFAULT",
    "ALTER TABLE app.users ALTER COLUMN name SET STATISTICS -1",
    "ALTER TABLE app.users ALTER COLUMN mood RESET (n_distinct)",
    "REVOKE SELECT (id) ON app.users FROM \"pgmend reader\"",
    "COMMENT ON COLUMN app.users.id IS 'x'",
    "ALTER TABLE app.users VALIDATE CONSTRAINT users_later",
    "ALTER TABLE app.users RENAME CONSTRAINT users_local TO users_near",
    "ALTER TABLE app.\"Заказы пользователя\" ALTER CONSTRAINT fk_user DEFERRABLE",
    "COMMENT ON CONSTRAINT users_pkey ON app.users IS 'x'",
    "ALTER INDEX app.users_brin SET (pages_per_range = 17)",
    "ALTER INDEX app.users_lower ALTER COLUMN 1 SET STATISTICS 1001",
    "ALTER INDEX app.events_2024_user_id_idx RENAME TO other",
    "ALTER INDEX app.events_2024_user_id_idx SET (fillfactor = 61)",
    "COMMENT ON INDEX app.events_2024_user_id_idx IS 'x'",
    "ALTER INDEX app.events_2025_a_pkey RENAME TO other",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.users_plain'::regclass",
    "DROP INDEX app.users_plain",
    "ALTER SEQUENCE app.downwards INCREMENT BY -2",
    "ALTER SEQUENCE app.downwards CYCLE",
    "ALTER SEQUENCE app.downwards START -7",
    "ALTER SEQUENCE app.downwards OWNED BY app.things.weight",
    "ALTER TABLE app.users ENABLE TRIGGER touch_all",
    "ALTER TABLE app.events_2024 ENABLE ALWAYS TRIGGER events_touch",
    "ALTER TABLE app.events_2025_a DISABLE TRIGGER events_touch",
    "ALTER TABLE app.scratch ENABLE RULE log_update",
    "COMMENT ON RULE no_delete ON app.scratch IS NULL",
    "ALTER POLICY own_rows ON app.users TO pgmend_writer",
    "ALTER POLICY own_rows ON app.users WITH CHECK (price < 101)",
    "ALTER STATISTICS app.users_related SET STATISTICS 251",
    "DROP STATISTICS app.\"by expression\"",
    "DROP CAST (app.mood AS integer)",
    "ALTER COLLATION app.german RENAME TO german2",
    "ALTER TEXT SEARCH CONFIGURATION app.russian_english DROP MAPPING FOR word",
    "ALTER TEXT SEARCH DICTIONARY app.words (stopwords)",
    "ALTER OPERATOR app.<% (app.mood, integer) SET (RESTRICT = NONE)",
    "ALTER OPERATOR FAMILY app.weights USING btree DROP OPERATOR 1 (integer, bigint)",
    "DROP OPERATOR CLASS app.weight_ops USING btree",
    "ALTER SERVER \"другой сервер\" OPTIONS (SET host 'other')",
    "ALTER SERVER \"другой сервер\" VERSION '2'",
    "REVOKE USAGE ON FOREIGN SERVER \"другой сервер\" FROM pgmend_writer",
    "ALTER USER MAPPING FOR pgmend_writer SERVER \"другой сервер\" OPTIONS (SET user 'you')",
    "ALTER FOREIGN DATA WRAPPER nowhere OPTIONS (SET debug 'false')",
    "REVOKE USAGE ON LANGUAGE plmend FROM pgmend_writer",
    "DROP TRANSFORM FOR app.mood LANGUAGE sql",
    "DROP CONVERSION app.latin",
    "DROP TEXT SEARCH PARSER app.parser",
    "DROP TEXT SEARCH TEMPLATE app.template",
    "ALTER EVENT TRIGGER watch_ddl ENABLE",
    "ALTER PUBLICATION all_of_it SET (publish = 'insert')",
    "ALTER PUBLICATION \"some\" DROP TABLE ONLY app.cats",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE INSERT ON TABLES FROM \"pgmend reader\"",
    "ALTER DEFAULT PRIVILEGES FOR ROLE pgmend_writer GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
};

/* The digest after the statement, which is taken back; NULL with an error. */
static const char *
digest_after(struct bench *bench, const char *statement)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { .db = NULL };
    struct schema schema;

    must(bench, db_begin(&bench->ctx, bench->db, NULL, &transaction));
    if (!db_exec(&bench->ctx, bench->db, statement) ||
        !db_exec(&bench->ctx, bench->db, "SET LOCAL search_path = ''") ||
        !schema_load_here(&bench->ctx, bench->db, &schema))
        return NULL;
    return schema_digest(bench->ctx.arena, &schema);
}

static void
test_each_change_is_seen(void **state)
{
    struct bench *bench = *state;
    const char *digest = schema_digest(bench->ctx.arena, &bench->schema);
    struct buffer problems = { .arena = bench->ctx.arena };

    for (size_t i = 0; i < COUNT_OF(changes) + COUNT_OF(invisible); i++) {
        bool is_change = i < COUNT_OF(changes);
        const char *statement = is_change ? changes[i] : invisible[i - COUNT_OF(changes)];
        const char *after = digest_after(bench, statement);

        if (!after)
            buffer_printf(&problems, "%s: %s\n", statement, bench->ctx.error.message);
        else if (text_equal(after, digest) == is_change)
            buffer_printf(&problems, "%s: %s\n", is_change ? "not seen" : "seen", statement);
    }
    if (problems.length > 0)
        fail_msg("%s", buffer_text(&problems));
}

/*
 * In a database without any of the others a cheap question stands before the statement about them,
 * so each of their kinds is made alone.
 */
static void
test_each_rare_kind_is_seen_alone(void **state)
{
    static const char *const makes[] = {
        "CREATE ACCESS METHOD m TYPE TABLE HANDLER heap_tableam_handler",
        "CREATE CAST (bytea AS uuid) WITH INOUT",
        "CREATE COLLATION public.c (provider = libc, locale = 'C')",
        "CREATE CONVERSION public.c FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "CREATE FOREIGN DATA WRAPPER w",
        "CREATE LANGUAGE l HANDLER plpgsql_call_handler",
        "CREATE OPERATOR public.<< (FUNCTION = int4lt, LEFTARG = int4, RIGHTARG = int4)",
        "CREATE OPERATOR FAMILY public.f USING btree",
        "CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
        "CREATE TEXT SEARCH CONFIGURATION public.c (PARSER = pg_catalog.default)",
        "CREATE TEXT SEARCH DICTIONARY public.d (TEMPLATE = pg_catalog.simple)",
        "CREATE TEXT SEARCH TEMPLATE public.t (LEXIZE = dsimple_lexize)",
        ("CREATE TEXT SEARCH PARSER public.p (START = prsd_start, GETTOKEN = prsd_nexttoken, "
         "END = prsd_end, LEXTYPES = prsd_lextype)"),
        "CREATE PUBLICATION p",
    };
    struct bench *bench = *state;
    const char *name = arena_printf(bench->ctx.arena, "%s_empty", bench->names[0]);
    struct db *db = bench->db;

    run_in_postgres(
        bench, arena_printf(bench->ctx.arena, "CREATE DATABASE %s TEMPLATE template0", name));
    bench->db = open_database(bench, name, ACCESS_WRITE);
    for (size_t i = 0; i < COUNT_OF(makes); i++) {
        struct db_transaction transaction CLEANUP(db_transaction_end) = { .db = NULL };
        struct schema schema = { .server_major = 0 };

        must(bench, db_begin(&bench->ctx, bench->db, NULL, &transaction));
        run_sql(bench, "SET LOCAL search_path = ''");
        must(bench, schema_load_here(&bench->ctx, bench->db, &schema));
        assert_int_equal(schema.others.count, 0);
        run_sql(bench, makes[i]);
        must(bench, schema_load_here(&bench->ctx, bench->db, &schema));
        if (schema.others.count != 1)
            fail_msg("%zu others: %s", schema.others.count, makes[i]);
    }
    db_close(bench->db);
    bench->db = db;
    run_in_postgres(bench, arena_printf(bench->ctx.arena, "DROP DATABASE %s", name));
}

/* Somebody who may see nothing but the catalogue. */
static void
test_needs_no_rights(void **state)
{
    struct bench *bench = *state;
    struct schema schema;

    run_sql(bench, "SET ROLE pgmend_writer");

    bool is_good = schema_load(&bench->ctx, bench->db, &schema);

    run_sql(bench, "RESET ROLE");
    must(bench, is_good);
    assert_int_equal(schema.tables.count, bench->schema.tables.count);
    assert_int_equal(schema.others.count, bench->schema.others.count);
}

/* While another session makes and drops what we are reading. */
static void
test_changes_meanwhile(void **state)
{
    struct bench *bench = *state;
    struct db *other CLEANUP(db_cleanup) = open_database(bench, bench->names[1], ACCESS_READ);
    struct buffer script = { .arena = bench->ctx.arena };
    struct process process;
    size_t count = 0;

    for (int i = 0; i < 150; i++)
        buffer_add(&script,
            "CREATE TABLE app.moving (id serial PRIMARY KEY CHECK (id > 0), t text DEFAULT 'x');"
            "CREATE INDEX ON app.moving (lower(t)); CREATE VIEW app.moved AS TABLE app.moving;"
            "CREATE FUNCTION app.moving() RETURNS int LANGUAGE sql AS 'SELECT 1';\n"
            "DROP VIEW app.moved; DROP FUNCTION app.moving(); DROP TABLE app.moving;\n");

    const char *folder = test_folder(&bench->ctx);
    const char *file = file_join(bench->ctx.arena, folder, "moving.sql");
    struct process_options options = {
        .argv = (const char *[]){ "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
            bench->names[0], "-f", file, NULL },
        .timeout_us = 60000000,
    };

    must(bench, file_write(&bench->ctx, file, buffer_text(&script), script.length, 0600));
    must(bench, process_start(&bench->ctx, &options, &process));
    do {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx ctx = { .arena = arena };
        struct schema schema;
        struct schema second;
        bool is_good = count % 2 ? schema_load(&ctx, bench->db, &schema)
                                 : schema_load_pair(&ctx, other, bench->db, &second, &schema);

        /* That it gives up is allowed, but not that it takes half an object for a whole one. */
        if (!is_good && ctx.error.kind != ERR_CONFLICT)
            fail_msg("%s", ctx.error.message);
        count++;
        must(bench, process_poll(&bench->ctx, &process, 0));
    } while (!process.is_done);
    must(bench, file_remove(&bench->ctx, folder));
    if (process.status != 0)
        fail_msg("%s", buffer_text(&process.err));
    assert_true(count > 0);

    struct schema schema;

    must(bench, schema_load(&bench->ctx, bench->db, &schema));
    assert_string_equal(
        schema_digest(bench->ctx.arena, &schema), schema_digest(bench->ctx.arena, &bench->schema));
}

static void
test_pair_tells_which_failed(void **state)
{
    struct bench *bench = *state;
    struct db *other CLEANUP(db_cleanup) = open_database(bench, bench->names[1], ACCESS_READ);
    struct schema first;
    struct schema second;

    run_in_postgres(bench, arena_printf(bench->ctx.arena,
                               "SELECT pg_catalog.pg_terminate_backend(pid, 10000) FROM "
                               "pg_catalog.pg_stat_activity WHERE datname = '%s'",
                               bench->names[1]));
    assert_false(schema_load_pair(&bench->ctx, bench->db, other, &first, &second));
    assert_int_equal(bench->ctx.error.kind, ERR_CONNECTION);
    error_clear(&bench->ctx);
}

static void
assert_refused(struct bench *bench, json_t *json, const char *text)
{
    struct schema schema;

    assert_false(schema_from_json(&bench->ctx, json, &schema));
    assert_error(&bench->ctx, ERR_INPUT, text);
    error_clear(&bench->ctx);
    json_decref(json);
}

static json_t *
row_of(json_t *document, const char *class, size_t index)
{
    return json_array_get(json_object_get(document, class), index);
}

static void
test_bad_files(void **state)
{
    struct bench *bench = *state;
    json_t *good CLEANUP(json_release) = json_of(bench, &bench->schema);
    json_t *bad;

    assert_refused(bench, json_array(), "is not a snapshot");
    assert_refused(bench, json_object(), "is not a snapshot");
    assert_refused(bench, json_pack("{s:i}", "schema_version", 1), "\"schemas\" is not a list");
    bad = json_deep_copy(good);
    json_object_set_new(bad, "schema_version", json_integer(99));
    assert_refused(bench, bad, "newer than this pgmend");
    bad = json_deep_copy(good);
    json_object_del(row_of(bad, "columns", 2), "type");
    assert_refused(bench, bad, "columns[2]: \"type\" is missing");
    bad = json_deep_copy(good);
    json_object_set_new(row_of(bad, "columns", 0), "position", json_string("1"));
    assert_refused(bench, bad, "columns[0]: \"position\" is of another type");
    bad = json_deep_copy(good);
    json_object_set_new(row_of(bad, "columns", 0), "position", json_integer(1LL << 40));
    assert_refused(bench, bad, "too large");
    bad = json_deep_copy(good);
    json_array_append(json_object_get(bad, "schemas"), row_of(bad, "schemas", 0));
    assert_refused(bench, bad, "schema app is there twice");
    bad = json_deep_copy(good);
    json_array_set_new(json_object_get(bad, "rules"), 0, json_integer(1));
    assert_refused(bench, bad, "rules[0]: is not an object");
}

/* Rows in another order are brought into the right one. */
static void
test_file_in_another_order(void **state)
{
    struct bench *bench = *state;
    json_t *json CLEANUP(json_release) = json_of(bench, &bench->schema);
    struct schema schema;

    for (size_t class = 0; class < SCHEMA_CLASS_COUNT; class ++) {
        json_t *rows = json_object_get(json, schema_classes[class].name);
        json_t *turned = json_array();

        for (size_t i = json_array_size(rows); i > 0; i--)
            json_array_append(turned, json_array_get(rows, i - 1));
        json_object_set_new(json, schema_classes[class].name, turned);
    }
    must(bench, schema_from_json(&bench->ctx, json, &schema));
    assert_string_equal(
        schema_digest(bench->ctx.arena, &schema), schema_digest(bench->ctx.arena, &bench->schema));
}

static void
test_command(void **state)
{
    struct bench *bench = *state;
    const char *program = getenv("PGMEND");
    const char *folder = test_folder(&bench->ctx);
    const char *file = file_join(bench->ctx.arena, folder, "schema.json");
    const char *url = arena_printf(bench->ctx.arena, "dbname=%s", bench->names[0]);
    json_t *json CLEANUP(json_release) = NULL;
    json_t *printed CLEANUP(json_release) = NULL;
    struct schema schema;
    struct process process;

    if (!program)
        fail_msg("PGMEND is not set: run the tests by script/test or meson test");
    printed = json_loads(run_program(bench, (const char *[]){ program, "schema", "snapshot",
                                                "--db-url", url, NULL }),
        0, NULL);
    assert_non_null(printed);

    const char *said = run_program(bench,
        (const char *[]){ program, "schema", "snapshot", "--db-url", url, "-o", file, NULL });

    if (!strstr(said, schema_digest(bench->ctx.arena, &bench->schema)))
        fail_msg("no digest in \"%s\"", said);
    must(bench, json_read_file(&bench->ctx, file, &json));
    assert_true(json_equal(json, printed));
    must(bench, schema_from_json(&bench->ctx, json, &schema));
    assert_string_equal(
        schema_digest(bench->ctx.arena, &schema), schema_digest(bench->ctx.arena, &bench->schema));
    must(bench, file_remove(&bench->ctx, folder));

    /* A database where a file belongs. */
    struct process_options options = {
        .argv = (const char *[]){ program, "schema", "snapshot", "postgresql://a:geheim@b/c",
            "--db-url", url, NULL },
        .timeout_us = 60000000,
    };

    assert_false(process_run(&bench->ctx, &options, &process));
    assert_int_equal(process.status, 2);
    assert_null(strstr(buffer_text(&process.err), "geheim"));
    error_clear(&bench->ctx);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_gives_the_same_back),
        cmocka_unit_test(test_nothing_depends_on_the_run),
        cmocka_unit_test(test_pair_that_differs),
        cmocka_unit_test(test_each_change_is_seen),
        cmocka_unit_test(test_each_rare_kind_is_seen_alone),
        cmocka_unit_test(test_needs_no_rights),
        cmocka_unit_test(test_changes_meanwhile),
        cmocka_unit_test(test_pair_tells_which_failed),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_file_in_another_order),
        cmocka_unit_test(test_command),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
