/* Types and defaults, compared with what the server itself says and does. */
#include "support/test.h"

#include "base/text.h"
#include "db/db.h"
#include "lang/sql.h"
#include "migrate/model/step.h"

struct bench {
    struct ctx ctx;
    struct db *db;
};

static bool
try_exec(struct bench *bench, const char *sql)
{
    bool is_done = db_exec(&bench->ctx, bench->db, sql);

    if (is_done)
        return true;
    if (!db_exec(&bench->ctx, bench->db, "SELECT 1"))
        fail_msg("%s", bench->ctx.error.message);
    return false;
}

/* The extended protocol takes one statement at a time. */
static void
must_exec(struct bench *bench, const char *sql)
{
    struct sql_statements statements;

    if (!sql_split(&bench->ctx, "test", sql, &statements))
        fail_msg("%s: %s", sql, bench->ctx.error.message);
    for (size_t i = 0; i < statements.count; i++)
        if (!db_exec(&bench->ctx, bench->db, statements.items[i].text))
            fail_msg("%s: %s", statements.items[i].text, bench->ctx.error.message);
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    struct db_options options = {
        .database = "postgres", .application = "test", .access = ACCESS_WRITE
    };

    bench->ctx.arena = arena;
    if (!db_open(&bench->ctx, &options, &bench->db))
        fail_msg("%s", bench->ctx.error.message);
    /* Time zones: the answer for timestamps is to be that of a server that is not in UTC. */
    must_exec(bench, "SET timezone = 'Europe/Vienna'; SET client_min_messages = error; "
                     "SET search_path = public, pg_temp;"
                     "CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok')");
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    db_close(bench->db);
    arena_free(bench->ctx.arena);
    return 0;
}

static const char *
ask(struct bench *bench, const char *sql)
{
    const char *value = NULL;

    if (!db_value(&bench->ctx, bench->db, sql, NULL, 0, &value))
        fail_msg("%s: %s", sql, bench->ctx.error.message);
    return value;
}

static const char *const spellings[] = { "bigint", "BIGINT", "int8", "\"int8\"", "bit", "bit(3)",
    "bit varying", "bit varying(5)", "varbit(5)", "bool", "boolean", "Boolean", "box", "bytea",
    "char", "char(7)", "character", "character(3)", "CHARACTER VARYING", "character varying(10)",
    "char varying(4)", "varchar", "varchar(255)", "VARCHAR ( 50 )", "national character(3)",
    "national char varying(3)", "nchar", "nchar(2)", "nchar varying(2)", "bpchar", "bpchar(3)",
    "pg_catalog.bpchar", "\"char\"", "\"bpchar\"", "cidr", "circle", "date", "double precision",
    "Double  Precision", "float", "float(1)", "float(24)", "float(25)", "float4", "float8", "inet",
    "int", "INT4", "integer", "int2", "smallint", "interval", "interval(3)", "interval year",
    "interval year to month", "INTERVAL DAY TO SECOND(2)", "interval second", "interval second(4)",
    "interval minute to second (1)", "json", "jsonb", "line", "lseg", "macaddr", "macaddr8",
    "money", "numeric", "numeric(10)", "numeric(10,2)", "NUMERIC( 10 , 2 )", "numeric(5,-2)",
    "decimal(4,1)", "dec(4,1)", "dec", "path", "pg_lsn", "point", "polygon", "real", "text", "TEXT",
    "time", "time(3)", "time with time zone", "time(2) with time zone", "time without time zone",
    "timetz", "timetz(4)", "timestamp", "timestamp(3)", "timestamp(9)",
    "timestamp without time zone", "timestamp(0) without time zone", "timestamp with time zone",
    "timestamp(3) with time zone", "TIMESTAMP  WITH  TIME  ZONE", "timestamptz", "timestamptz(6)",
    "timestamptz(2)", "\"timestamp\"(3)", "pg_catalog.\"time\"", "pg_catalog.timestamptz",
    "tsquery", "tsvector", "uuid", "xml", "name", "oid", "regclass", "int4range", "daterange",
    "integer[]", "integer[3]", "integer[][]", "text ARRAY", "text array[4]", "varchar(10)[]",
    "numeric(10,2)[]", "timestamptz(3)[]", "timestamp with time zone[]", "char[]", "bpchar[]",
    "pg_catalog.int4", "pg_catalog.varchar(3)", "interval day[]", "varchar(5) COLLATE \"C\"",
    "text collate pg_catalog.\"POSIX\"" };

static void
names_are_those_of_format_type(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        struct arena *arena = bench->ctx.arena;
        struct type type = type_parse(arena, spellings[i]);
        const char *wanted;

        /* Up to 14 a scale is not negative. */
        if (db_major(bench->db) < 15 && strchr(spellings[i], '-'))
            continue;
        must_exec(bench, "DROP TABLE IF EXISTS one");
        must_exec(bench, arena_printf(arena, "CREATE TEMP TABLE one (a %s)", spellings[i]));
        wanted = ask(bench, "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
                            "WHERE attrelid = 'one'::regclass AND attnum = 1");
        if (!text_equal(type_text(arena, &type), wanted))
            fail_msg("%s: %s, not %s", spellings[i], type_text(arena, &type), wanted);

        /* And what format_type() says is understood as the same type. */
        struct type again = type_parse(arena, wanted);

        again.collation = type.collation;
        again.dimensions = type.dimensions;
        if (!type_equal(&type, &again))
            fail_msg("%s is not the %s it came from", type_text(arena, &again), spellings[i]);
    }
}

static void
names_of_the_user_are_quoted_as_needed(void **state)
{
    static const char *const names[] = { "mood", "\"Mood\"", "\"integer\"", "\"two words\"",
        "\"q\"\"q\"", "\"select\"", "status", "MOOD" };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct arena *arena = bench->ctx.arena;
        struct type type = type_parse(arena, names[i]);
        const char *wanted;

        must_exec(bench, "BEGIN; CREATE SCHEMA mine; SET LOCAL search_path = mine");
        must_exec(bench, arena_printf(arena, "CREATE TYPE %s AS (x int)", names[i]));
        must_exec(bench, arena_printf(arena, "CREATE TABLE one (a %s)", names[i]));
        wanted = ask(bench, "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
                            "WHERE attrelid = 'mine.one'::regclass AND attnum = 1");
        must_exec(bench, "ROLLBACK");
        if (!text_equal(type_text(arena, &type), wanted))
            fail_msg("%s: %s, not %s", names[i], type_text(arena, &type), wanted);
    }
}

static const char *const pairs[] = { "boolean", "smallint", "integer", "bigint", "real",
    "double precision", "numeric", "numeric(10,2)", "numeric(12,2)", "numeric(12,4)",
    "numeric(10,0)", "money", "text", "varchar", "varchar(10)", "varchar(20)", "char(10)",
    "char(20)", "bpchar", "\"char\"", "name", "bytea", "date", "time", "time(3)", "timetz",
    "timestamp", "timestamp(3)", "timestamp(6)", "timestamptz", "timestamptz(3)", "interval",
    "interval(3)", "interval year to month", "interval day to second", "interval day",
    "interval day to second(2)", "uuid", "json", "jsonb", "xml", "inet", "cidr", "macaddr",
    "macaddr8", "bit(3)", "bit(5)", "bit varying", "bit varying(3)", "bit varying(5)", "oid",
    "regclass", "tsvector", "point", "box", "path", "polygon", "int4range", "pg_lsn", "text[]",
    "varchar[]", "varchar(10)[]", "varchar(20)[]", "integer[]", "bigint[]", "numeric(10,2)[]",
    "numeric(12,2)[]", "timestamptz[]", "jsonb[]" };

struct answer {
    bool needs_using;
    bool rewrites;
};

static const char *
filenode(struct bench *bench)
{
    return ask(bench, "SELECT pg_relation_filenode('one')");
}

/* ALTER COLUMN TYPE on an empty table: the server gives it a new file when it rewrites. */
static struct answer
change_on_server(struct bench *bench, const char *from, const char *to, bool *ret_is_possible)
{
    struct arena *arena = bench->ctx.arena;
    struct answer answer = { 0 };
    const char *before;

    must_exec(bench, "DROP TABLE IF EXISTS one");
    must_exec(bench, arena_printf(arena, "CREATE TEMP TABLE one (a %s)", from));
    before = filenode(bench);
    *ret_is_possible = true;
    if (!try_exec(bench, arena_printf(arena, "ALTER TABLE one ALTER a TYPE %s", to))) {
        if (!text_equal(bench->ctx.error.sqlstate, "42804"))
            fail_msg("%s to %s: %s", from, to, bench->ctx.error.message);
        answer.needs_using = true;
        *ret_is_possible = try_exec(
            bench, arena_printf(arena, "ALTER TABLE one ALTER a TYPE %s USING a::%s", to, to));
    }
    if (*ret_is_possible)
        answer.rewrites = !text_equal(before, filenode(bench));
    return answer;
}

static void
compare_change(struct bench *bench, const char *from_text, const char *to_text)
{
    struct arena *arena = bench->ctx.arena;
    struct type from = type_parse(arena, from_text);
    struct type to = type_parse(arena, to_text);
    bool is_possible = false;
    struct answer answer = change_on_server(bench, from_text, to_text, &is_possible);
    enum type_change change = type_change(&from, &to);

    if (answer.needs_using != type_change_needs_using(&from, &to))
        fail_msg("%s to %s: the server %s USING", from_text, to_text,
            answer.needs_using ? "needs" : "does not need");
    if (is_possible && answer.rewrites != (change == TYPE_CHANGE_REWRITE))
        fail_msg("%s to %s: %s, but here %d", from_text, to_text,
            answer.rewrites ? "the server rewrites" : "the server does not rewrite", (int)change);
    assert_int_equal(change == TYPE_CHANGE_NONE, type_equal(&from, &to));
    assert_int_not_equal(change, TYPE_CHANGE_UNKNOWN);
}

static void
changes_rewrite_and_need_using_as_on_the_server(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        for (size_t j = 0; j < COUNT_OF(pairs); j++)
            /* Up to 14 "char" is a string type, to which everything can be assigned. */
            if (db_major(bench->db) >= 15 || !text_equal(pairs[j], "\"char\""))
                compare_change(bench, pairs[i], pairs[j]);
}

/* In UTC the server changes only the catalogue; nobody knows the zone, so it counts as a rewrite. */
static void
timestamps_depend_on_the_zone(void **state)
{
    struct bench *bench = *state;
    bool is_possible = false;

    must_exec(bench, "SET timezone = 'UTC'");

    struct answer answer = change_on_server(bench, "timestamp", "timestamptz", &is_possible);

    must_exec(bench, "SET timezone = 'Europe/Vienna'");
    assert_false(answer.rewrites);

    struct type from = type_parse(bench->ctx.arena, "timestamp");
    struct type to = type_parse(bench->ctx.arena, "timestamptz");

    assert_int_equal(type_change(&from, &to), TYPE_CHANGE_REWRITE);
}

/* With USING only where the server wants one: an explicit cast cuts what an assignment refuses. */
static bool
alter_on_server(struct bench *bench, const char *to)
{
    struct arena *arena = bench->ctx.arena;

    if (try_exec(bench, arena_printf(arena, "ALTER TABLE one ALTER a TYPE %s", to)))
        return true;
    return text_equal(bench->ctx.error.sqlstate, "42804") &&
           try_exec(
               bench, arena_printf(arena, "ALTER TABLE one ALTER a TYPE %s USING a::%s", to, to));
}

static const struct lossy_row {
    const char *from;
    const char *to;
    const char *value; /* lost, if the change is lossy, else as large as can be */
    bool is_lossy;
} lossy_rows[] = {
    { "varchar(10)", "varchar(5)", "'1234567890'", true },
    { "varchar(10)", "varchar(20)", "'1234567890'", false },
    { "varchar(10)", "text", "'1234567890'", false },
    { "text", "varchar(10)", "'1234567890x'", true },
    { "text", "varchar", "'1234567890x'", false },
    { "integer", "bigint", "2147483647", false },
    { "bigint", "integer", "2147483648", true },
    { "integer", "smallint", "40000", true },
    { "integer", "real", "16777217", true },
    { "smallint", "real", "-32768", false },
    { "integer", "double precision", "2147483647", false },
    { "bigint", "double precision", "9007199254740993", true },
    { "integer", "numeric(10,0)", "2147483647", false },
    { "integer", "numeric(10,2)", "2147483647", true },
    { "integer", "numeric", "2147483647", false },
    { "numeric(9,0)", "integer", "999999999", false },
    { "numeric(10,0)", "integer", "9999999999", true },
    { "numeric(9,2)", "integer", "1.25", true },
    { "numeric(10,2)", "numeric(12,2)", "99999999.99", false },
    { "numeric(10,2)", "numeric(12,4)", "99999999.99", false },
    { "numeric(10,2)", "numeric(11,4)", "99999999.99", true },
    { "numeric(10,2)", "numeric(10,1)", "1.25", true },
    { "numeric(10,2)", "numeric", "99999999.99", false },
    { "numeric", "numeric(10,2)", "1.255", true },
    { "integer", "varchar(11)", "-2147483648", false },
    { "integer", "varchar(10)", "-2147483648", true },
    { "uuid", "varchar(36)", "'00000000-0000-0000-0000-000000000001'", false },
    { "uuid", "varchar(32)", "'00000000-0000-0000-0000-000000000001'", true },
    { "boolean", "integer", "true", false },
    { "integer", "boolean", "2", true },
    { "text", "integer", "'x'", true },
    { "text", "jsonb", "'x'", true },
    { "json", "jsonb", "'{\"a\":1, \"a\":2}'", true },
    { "jsonb", "json", "'{\"a\":1}'", false },
    { "timestamp", "date", "'2024-01-02 03:04:05'", true },
    { "date", "timestamp", "'2024-01-02'", false },
    { "timestamp", "timestamp(3)", "'2024-01-02 03:04:05.123456'", true },
    { "timestamp(3)", "timestamp", "'2024-01-02 03:04:05.123'", false },
    { "timestamptz", "timestamp", "'2024-10-27 02:30:00+02'", true },
    { "timestamp", "timestamptz", "'2024-01-02 03:04:05'", false },
    { "inet", "cidr", "'10.0.0.1/8'", true },
    { "cidr", "inet", "'10.0.0.0/8'", false },
    { "bit(3)", "bit(5)", "'101'", true },
    { "bit(3)", "bit varying", "'101'", false },
    { "integer[]", "smallint[]", "'{40000}'", true },
    { "integer[]", "bigint[]", "'{40000}'", false },
    { "integer[]", "text", "'{40000}'", false },
    { "interval", "interval(3)", "'1.123456 s'", true },
};

/* A value that comes back as another one, or not at all, is lost. */
static void
lossy_changes_lose_a_value(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(lossy_rows); i++) {
        struct arena *arena = bench->ctx.arena;
        struct type from = type_parse(arena, lossy_rows[i].from);
        struct type to = type_parse(arena, lossy_rows[i].to);
        const char *kept = NULL;

        assert_int_equal(type_change_is_lossy(&from, &to), lossy_rows[i].is_lossy);
        must_exec(bench, "DROP TABLE IF EXISTS one, two");
        must_exec(bench, arena_printf(arena,
                             "CREATE TEMP TABLE one (a %s); INSERT INTO one VALUES (%s);"
                             "CREATE TEMP TABLE two AS TABLE one",
                             lossy_rows[i].from, lossy_rows[i].value));
        if (alter_on_server(bench, lossy_rows[i].to) &&
            try_exec(bench, arena_printf(arena, "ALTER TABLE one ALTER a TYPE %s USING a::text::%s",
                                lossy_rows[i].from, lossy_rows[i].from)))
            kept = ask(bench, "SELECT a::text FROM one INTERSECT SELECT a::text FROM two");
        if (lossy_rows[i].is_lossy ? kept != NULL : kept == NULL)
            fail_msg("%s to %s: the server %s %s", lossy_rows[i].from, lossy_rows[i].to,
                kept ? "keeps" : "does not keep", lossy_rows[i].value);
    }
}

struct default_row {
    const char *type;
    const char *text;
    enum default_kind kind;
};

static const struct default_row defaults[] = {
    { "integer", "0", DEFAULT_CONSTANT },
    { "integer", "-1", DEFAULT_CONSTANT },
    { "numeric", "1.5e3", DEFAULT_CONSTANT },
    { "integer", "'0'", DEFAULT_CONSTANT },
    { "integer", "1 + 2", DEFAULT_CONSTANT },
    { "integer", "(0)", DEFAULT_CONSTANT },
    { "boolean", "true", DEFAULT_CONSTANT },
    { "boolean", "FALSE", DEFAULT_CONSTANT },
    { "boolean", "NULL", DEFAULT_CONSTANT },
    { "text", "'it''s'", DEFAULT_CONSTANT },
    { "text", "E'a\\n'", DEFAULT_CONSTANT },
    { "text", "'a' || 'b'", DEFAULT_CONSTANT },
    { "text", "upper('a')", DEFAULT_CONSTANT },
    { "text", "'x'::character varying", DEFAULT_CONSTANT },
    { "jsonb", "'{}'::jsonb", DEFAULT_CONSTANT },
    { "jsonb", "jsonb_build_object('a', 1)", DEFAULT_CONSTANT },
    { "text[]", "ARRAY[]::text[]", DEFAULT_CONSTANT },
    { "text[]", "ARRAY['a', 'b']", DEFAULT_CONSTANT },
    { "text[]", "'{}'", DEFAULT_CONSTANT },
    { "date", "CURRENT_DATE", DEFAULT_CONSTANT },
    { "timestamptz", "CURRENT_TIMESTAMP", DEFAULT_CONSTANT },
    { "timestamptz", "current_timestamp(3)", DEFAULT_CONSTANT },
    { "timestamptz", "now()", DEFAULT_CONSTANT },
    { "timestamptz", "NOW()", DEFAULT_CONSTANT },
    { "timestamptz", "transaction_timestamp()", DEFAULT_CONSTANT },
    { "timestamptz", "statement_timestamp()", DEFAULT_CONSTANT },
    { "timestamp", "timezone('utc', now())", DEFAULT_CONSTANT },
    { "timestamp", "(now() at time zone 'utc')", DEFAULT_CONSTANT },
    { "timestamptz", "now() + interval '1 day'", DEFAULT_CONSTANT },
    { "timestamptz", "pg_catalog.now()", DEFAULT_CONSTANT },
    { "name", "CURRENT_USER", DEFAULT_CONSTANT },
    { "text", "current_setting('search_path')", DEFAULT_CONSTANT },
    { "bigint", "extract(epoch from now())", DEFAULT_CONSTANT },
    { "text", "COALESCE(NULL, 'x')", DEFAULT_CONSTANT },
    { "text", "CASE WHEN true THEN 'a' ELSE 'b' END", DEFAULT_CONSTANT },
    { "timestamptz", "clock_timestamp()", DEFAULT_VOLATILE },
    { "uuid", "gen_random_uuid()", DEFAULT_VOLATILE },
    { "text", "gen_random_uuid()::text", DEFAULT_VOLATILE },
    { "double precision", "random()", DEFAULT_VOLATILE },
    { "integer", "floor(random() * 10)::int", DEFAULT_VOLATILE },
    { "text", "timeofday()", DEFAULT_VOLATILE },
    { "text", "md5(random()::text)", DEFAULT_VOLATILE },
    { "bigint", "nextval('seq')", DEFAULT_VOLATILE },
    { "bigint", "nextval('seq'::regclass)", DEFAULT_VOLATILE },
    { "integer", "own()", DEFAULT_UNKNOWN },
    { "integer", "public.own()", DEFAULT_UNKNOWN },
};

static void
defaults_rewrite_as_on_the_server(void **state)
{
    struct bench *bench = *state;

    must_exec(bench, "CREATE TEMP SEQUENCE seq");
    for (size_t i = 0; i < COUNT_OF(defaults); i++) {
        const struct default_row *row = &defaults[i];
        struct arena *arena = bench->ctx.arena;
        const char *before;
        bool rewrites;

        if (default_classify(&bench->ctx, row->text) != row->kind)
            fail_msg("%s: %d", row->text, (int)default_classify(&bench->ctx, row->text));
        if (row->kind == DEFAULT_UNKNOWN)
            continue;
        must_exec(bench, "DROP TABLE IF EXISTS one; CREATE TEMP TABLE one (i int);"
                         "INSERT INTO one VALUES (1)");
        before = filenode(bench);
        must_exec(bench,
            arena_printf(arena, "ALTER TABLE one ADD a %s DEFAULT %s", row->type, row->text));
        rewrites = !text_equal(before, filenode(bench));
        if (rewrites != (row->kind == DEFAULT_VOLATILE))
            fail_msg("%s: the server %s", row->text, rewrites ? "rewrites" : "does not rewrite");
    }
}

/* A function of which the table says that it is not volatile is volatile in no form. */
static void
functions_are_as_volatile_as_in_pg_proc(void **state)
{
    struct bench *bench = *state;
    struct result names;
    size_t known = 0;

    if (!db_query(&bench->ctx, bench->db,
            "SELECT proname, string_agg(DISTINCT provolatile::text, '') FROM pg_proc "
            "WHERE pronamespace = 'pg_catalog'::regnamespace AND proname !~ '^(RI_|pg_catalog)' "
            "GROUP BY 1 ORDER BY 1",
            NULL, 0, &names))
        fail_msg("%s", bench->ctx.error.message);
    assert_true(names.rows > 1000);
    for (size_t i = 0; i < names.rows; i++) {
        const char *name = result_cell(&names, i, 0);
        bool is_volatile = strchr(result_cell(&names, i, 1), 'v') != NULL;
        enum default_kind kind =
            default_classify(&bench->ctx, arena_printf(bench->ctx.arena, "\"%s\"('x')", name));

        known += kind != DEFAULT_UNKNOWN;
        /* 14 says so of timezone(text, timetz), by mistake. */
        if (db_major(bench->db) < 15 && text_equal(name, "timezone"))
            continue;
        if (kind != DEFAULT_UNKNOWN && is_volatile != (kind == DEFAULT_VOLATILE))
            fail_msg("%s is %s on the server", name, is_volatile ? "volatile" : "not volatile");
    }
    assert_true(known > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_format_type),
        cmocka_unit_test(names_of_the_user_are_quoted_as_needed),
        cmocka_unit_test(changes_rewrite_and_need_using_as_on_the_server),
        cmocka_unit_test(timestamps_depend_on_the_zone),
        cmocka_unit_test(lossy_changes_lose_a_value),
        cmocka_unit_test(defaults_rewrite_as_on_the_server),
        cmocka_unit_test(functions_are_as_volatile_as_in_pg_proc),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
