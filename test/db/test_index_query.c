/*
 * Statements as pg_stat_statements really shows them can be planned: each is run, its text is read from there, and
 * what is made of it is given to the server again by psql's way, EXPLAIN.
 */
#include "support/test.h"

#include <unistd.h>

#include "base/json.h"
#include "db/db.h"
#include "index/facts/facts.h"
#include "index/sample/query.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *db;   /* a superuser's */
    struct db *plan; /* read-only: the maker's */
    struct facts facts;
    struct query_maker *maker;
};

static const char *const schema[] = {
    "CREATE EXTENSION pg_stat_statements",
    "CREATE EXTENSION pg_trgm",
    "CREATE EXTENSION vector",
    "CREATE SCHEMA app",
    "CREATE TYPE app.mood AS ENUM ('sad', 'glad')",
    "CREATE TABLE app.users (id int PRIMARY KEY, email text NOT NULL, org_id int, status text,"
    " mood app.mood, is_on boolean, born date, key uuid)",
    "INSERT INTO app.users SELECT g, 'User' || g || '@Example.org', g % 200,"
    " CASE WHEN g % 1000 = 0 THEN 'asked' WHEN g % 10 = 0 THEN 'open' ELSE 'none' END,"
    " CASE WHEN g % 20 = 0 THEN 'sad' ELSE 'glad' END::app.mood, g % 50 = 0,"
    " '1980-01-01'::date + g % 10000, md5(g::text)::uuid FROM generate_series(1, 20000) g",
    "CREATE TABLE app.events (id bigint PRIMARY KEY, user_id int REFERENCES app.users, at timestamptz,"
    " body jsonb, tags text[], words tsvector, place vector(3), price numeric(10, 2), span tstzrange)",
    "INSERT INTO app.events SELECT g, 1 + g % 20000, '2026-01-01'::timestamptz + g * interval '5 min',"
    " jsonb_build_object('kind', CASE WHEN g % 100 = 0 THEN 'rare' ELSE 'usual' END, 'n', g % 7),"
    " ARRAY['tag' || g % 30, 'all'], to_tsvector('simple', 'word' || g % 40 || ' text'),"
    " format('[%s,%s,%s]', g % 5, g % 7, g % 11)::vector, g / 100.0,"
    " tstzrange('2026-01-01'::timestamptz + g * interval '5 min', '2026-01-01'::timestamptz"
    " + g * interval '5 min' + interval '1 hour') FROM generate_series(1, 20000) g",
    "CREATE TABLE app.parts (id int, at date, v int) PARTITION BY RANGE (at)",
    "CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "CREATE TABLE app.parts_2 PARTITION OF app.parts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
    "INSERT INTO app.parts SELECT g, '2026-01-01'::date + g % 59, g FROM generate_series(1, 2000) g",
    "CREATE VIEW app.active AS SELECT id, email AS mail, org_id FROM app.users WHERE status <> 'none'",
    "CREATE PROCEDURE app.work() LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE app.secret (id int)",
    "CREATE TABLE app.quotes (v text)",
    "INSERT INTO app.quotes SELECT v FROM unnest(ARRAY[E'it''s; DROP TABLE app.secret; --',"
    " E'back\\\\slash '' \\\\'';', E'$1 \"x\" $$']) v, generate_series(1, 30)",
    "CREATE FUNCTION app.slow() RETURNS int IMMUTABLE LANGUAGE plpgsql"
    " AS 'BEGIN PERFORM pg_sleep(60); RETURN 1; END'",
    "CREATE FUNCTION app.deletes() RETURNS int LANGUAGE plpgsql"
    " AS 'BEGIN DELETE FROM app.quotes; RETURN 1; END'",
    "CREATE FUNCTION app.sly() RETURNS int IMMUTABLE LANGUAGE plpgsql"
    " AS 'BEGIN RETURN app.deletes(); END'",
    "CREATE ROLE index_query_reader LOGIN",
    "GRANT USAGE ON SCHEMA app TO index_query_reader",
    "GRANT SELECT ON app.users TO index_query_reader",
    "ANALYZE",
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_to(struct bench *bench, const char *database, enum access access)
{
    struct db_options options = { .database = database, .application = "test", .access = access };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "index_query_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres", ACCESS_WRITE);

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_to(bench, bench->database, ACCESS_WRITE);
    must(bench, db_set(&bench->ctx, bench->db, "search_path", "app, public"));
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        must(bench, db_exec(&bench->ctx, bench->db, schema[i]));
    bench->plan = connect_to(bench, bench->database, ACCESS_READ);
    must(bench, facts_load(&bench->ctx, bench->plan,
                    &(const struct facts_options){ .has_values = true }, &bench->facts));
    must(bench,
        query_maker_begin(&bench->ctx, bench->plan, &bench->facts, "app, public", &bench->maker));
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    query_maker_end(bench->maker);
    db_close(bench->plan);
    db_close(bench->db);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres", ACCESS_WRITE);

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    must(bench, db_exec(&bench->ctx, admin, "DROP ROLE index_query_reader"));
    arena_free(bench->ctx.arena);
    return 0;
}

/* Runs a statement and gives back what pg_stat_statements shows of it. */
static const char *
shown(struct bench *bench, const char *sql)
{
    static const char ask[] =
        "SELECT query FROM public.pg_stat_statements WHERE dbid = (SELECT oid FROM"
        " pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) AND query !~"
        " 'pg_stat_statements' AND query !~ '^(BEGIN|COMMIT|SET|CLOSE|DEALLOCATE)'";
    const char *text;

    must(bench, db_exec(&bench->ctx, bench->db, "SELECT public.pg_stat_statements_reset()"));
    must(bench, db_exec(&bench->ctx, bench->db, sql));
    must(bench, db_value(&bench->ctx, bench->db, ask, NULL, 0, &text));
    if (!text)
        fail_msg("not in pg_stat_statements, or not alone: %s", sql);
    return text;
}

static struct index_query
make_of(struct bench *bench, const char *text)
{
    struct intake_statement *statement = ARENA_NEW(bench->ctx.arena, struct intake_statement);
    struct index_query query;

    *statement = (struct intake_statement){ .text = text, .source = "pg_stat_statements" };
    must(bench, query_make(&bench->ctx, bench->maker, statement, &query));
    return query;
}

/* Everything that there must be, seen by another session than the maker's. NULL: all is well. */
static const char *
check(struct bench *bench, const struct index_query *query)
{
    double shares = 0;

    if (query->problem)
        return query->problem;
    assert_in_range(query->instances.count, 1, QUERY_MOST_INSTANCES);
    for (size_t i = 0; i < query->instances.count; i++) {
        const struct query_instance *instance = &query->instances.items[i];

        shares += instance->share;
        assert_non_null(instance->from);
        if (!db_exec(&bench->ctx, bench->db,
                arena_printf(bench->ctx.arena, "EXPLAIN %s", instance->sql)))
            return arena_printf(
                bench->ctx.arena, "%s: %s", instance->sql, bench->ctx.error.message);
    }
    assert_true(shares > 0.999 && shares < 1.001);
    if (query->generic_plan) {
        json_t *plan CLEANUP(json_release) = NULL;

        must(bench, json_parse(&bench->ctx, "plan", query->generic_plan, &plan));
        assert_non_null(json_object_get(json_array_get(plan, 0), "Plan"));
    }
    return query->generic_plan ? NULL : "no generic plan";
}

static bool
has_part(const struct index_query *query, const char *part)
{
    for (size_t i = 0; part && i < query->instances.count; i++)
        if (strstr(query->instances.items[i].sql, part))
            return true;
    return part == NULL;
}

static void
print_query(const struct index_query *query)
{
    if (!getenv("PGMEND_SHOW"))
        return;
    print_message("# %s\n#   mended: %s\n", query->sql, query->mended ? query->mended : "-");
    if (query->problem)
        print_message(
            "#   problem: %s (%s)\n", query->problem, query->remedy ? query->remedy : "-");
    for (size_t i = 0; i < query->instances.count; i++)
        print_message("#   %.3f %s\n#         [%s]\n", query->instances.items[i].share,
            query->instances.items[i].sql, query->instances.items[i].from);
}

/* Statements of every kind, and what has to be in one of the instances. */
static const struct {
    const char *sql;
    const char *part; /* NULL: nothing certain */
} kinds[] = {
    { "SELECT * FROM users WHERE email = 'x'", "@Example.org'::text" },
    { "SELECT * FROM users WHERE lower(email) = 'x'", "@example.org'::text" },
    { "SELECT * FROM users WHERE lower(email) = lower('X') LIMIT 1", "@example.org'" },
    { "SELECT * FROM events WHERE at > now() - interval '30 days'", "seconds'::interval" },
    { "SELECT * FROM events WHERE at > now() - INTERVAL '3' DAY", "::interval" },
    { "SELECT * FROM events WHERE at > now() - interval '1 02:03:04' DAY TO SECOND(3)",
        "::interval" },
    { "SELECT * FROM events WHERE at > now() - '3 days'::interval", "seconds'::interval" },
    { "SELECT * FROM events WHERE at > date '2026-01-01'", NULL },
    { "SELECT * FROM events WHERE at > timestamp '2026-01-01 10:00'", NULL },
    { "SELECT * FROM events WHERE at > timestamp(3) with time zone '2026-01-01 10:00'", NULL },
    { "SELECT * FROM events WHERE at > timestamptz '2026-01-01 10:00'", NULL },
    { "SELECT * FROM events WHERE at::time > time '10:00'", NULL },
    { "SELECT * FROM events WHERE body @> jsonb '{\"a\": 1}'", NULL },
    { "SELECT * FROM users WHERE mood = app.mood 'sad'", "'sad'" },
    { "SELECT * FROM events WHERE price > numeric(10,2) '3.4' AND id < double precision '3'",
        NULL },
    { "SELECT EXTRACT(year FROM at), count(1) FROM events GROUP BY EXTRACT(year FROM at)", NULL },
    { "SELECT date_trunc('day', at), count(*) FROM events GROUP BY date_trunc('day', at)"
      " ORDER BY date_trunc('day', at) DESC",
        "date_trunc('day'" },
    { "SELECT DISTINCT lower(email) || 'x' FROM users ORDER BY lower(email) || 'x'", NULL },
    { "SELECT id FROM users WHERE email = U&'d!0061t' UESCAPE '!' OR email = E'a\\nb'", NULL },
    { "SELECT id FROM users WHERE email='x'and id=3", NULL },
    { "SELECT id FROM users WHERE position('a' in email) > 1", NULL },
    { "SELECT id FROM users WHERE substring(email from 2 for 3) = 'abc'", NULL },
    { "SELECT id FROM users WHERE trim(both 'x' from email) = 'abc'", NULL },
    { "SELECT id FROM users ORDER BY id LIMIT 10 OFFSET 40", "LIMIT 10 OFFSET 20" },
    { "SELECT id FROM users ORDER BY id FETCH FIRST 7 ROWS ONLY", NULL },
    { "SELECT 1 + 2, 'a' || 'b', -5, abs(-3)", NULL },
    { "SELECT count(1) FROM users WHERE 1 = 1 AND true", NULL },
    { "SELECT * FROM users WHERE id IN (1, 2, 3) AND status = 'asked'", "'asked'::text" },
    { "SELECT * FROM users WHERE id = ANY (ARRAY[1, 2, 3])", NULL },
    { "SELECT * FROM users WHERE id = ANY ('{1,2,3}')", "'{\"" },
    { "SELECT * FROM users WHERE (org_id, id) > (3, 4) ORDER BY org_id, id LIMIT 5", NULL },
    { "SELECT * FROM users WHERE email LIKE 'User1%'", "%'::text" },
    { "SELECT * FROM users WHERE email ILIKE '%user1%'", "'%" },
    { "SELECT * FROM users WHERE email LIKE '%' || 'er1' || '%'", NULL },
    { "SELECT * FROM users WHERE email ~ '^User1'", NULL },
    { "SELECT * FROM users WHERE email % 'User1'", NULL },
    { "SELECT * FROM users WHERE similarity(email, 'User1') > 0.3", NULL },
    { "SELECT * FROM users WHERE born + 7 > '2026-01-01' AND born - interval '1 day' < now()",
        NULL },
    { "SELECT * FROM users WHERE is_on = true AND key = '00000000-0000-0000-0000-000000000001'",
        "'::uuid" },
    { "SELECT * FROM events WHERE body @> '{\"kind\": \"rare\"}'", "{\"kind\":\"usual\"}'::jsonb" },
    { "SELECT * FROM events WHERE body ->> 'kind' = 'rare'", "'usual'::text" },
    { "SELECT * FROM events WHERE (body ->> 'n')::int = 3", NULL },
    { "SELECT * FROM events WHERE body ? 'kind'", "'kind'::text" },
    { "SELECT * FROM events WHERE body ?| ARRAY['kind', 'n']", "'kind'::text" },
    { "SELECT * FROM events WHERE tags @> ARRAY['tag3']", "'tag" },
    { "SELECT * FROM events WHERE tags && '{tag3,tag4}'", "tag" },
    { "SELECT * FROM events WHERE 'tag3' = ANY (tags)", "'tag" },
    { "SELECT * FROM events WHERE words @@ to_tsquery('simple', 'word3')", "'word" },
    { "SELECT * FROM events WHERE words @@ plainto_tsquery('word3 text')", NULL },
    { "SELECT * FROM events WHERE to_tsvector('simple', body ->> 'kind') @@ to_tsquery('rare')",
        NULL },
    { "SELECT id FROM events ORDER BY place <=> '[1,2,3]' LIMIT 5", "]'::vector" },
    { "SELECT id FROM events WHERE span @> '2026-01-02'::timestamptz",
        "::timestamp with time zone" },
    { "SELECT id FROM events WHERE span && tstzrange '[2026-01-02,2026-01-03)'", "::tstzrange" },
    { "SELECT id FROM events WHERE at BETWEEN '2026-01-02' AND '2026-01-03'", NULL },
    { "SELECT id FROM events WHERE at < '2026-03-02' ORDER BY at DESC LIMIT 20", NULL },
    { "SELECT u.email, e.at FROM users u JOIN events e ON e.user_id = u.id WHERE u.org_id = 3"
      " AND e.at > '2026-02-01'",
        NULL },
    { "WITH recent AS (SELECT id, user_id AS who FROM events) SELECT * FROM recent r"
      " WHERE r.who = 5",
        NULL },
    { "SELECT * FROM (SELECT * FROM users UNION ALL SELECT * FROM users) x WHERE x.status = 'open'",
        "'open'::text" },
    { "SELECT * FROM active WHERE org_id = 3", NULL },
    { "SELECT * FROM users WHERE EXISTS (SELECT 1 FROM events e WHERE e.user_id = users.id"
      " AND e.body ->> 'kind' = 'rare')",
        NULL },
    { "SELECT id, CASE WHEN status = 'none' THEN 1 ELSE 2 END FROM users ORDER BY 1, 2 LIMIT 3",
        NULL },
    { "SELECT rank() OVER (PARTITION BY org_id ORDER BY id), coalesce(status, 'x') FROM users",
        NULL },
    { "SELECT to_char(at, 'YYYY') FROM events WHERE at AT TIME ZONE 'UTC' > '2026-02-01'", NULL },
    { "SELECT * FROM generate_series(1, 10) g WHERE g > 3", NULL },
    { "SELECT * FROM unnest('{1,2}'::int[]) x JOIN users ON users.id = x", NULL },
    { "SELECT u.* FROM users u JOIN (VALUES (1), (2)) v(id) ON u.id = v.id", NULL },
    { "SELECT * FROM users TABLESAMPLE system (10) WHERE id > 5", NULL },
    { "SELECT * FROM users WHERE org_id = 3 FOR UPDATE", NULL },
    { "SELECT * FROM parts WHERE at = '2026-01-05'", NULL },
    { "INSERT INTO users (id, email, status) VALUES (-1, 'a', 'b') ON CONFLICT (id) DO UPDATE"
      " SET email = 'c'",
        NULL },
    { "UPDATE users SET status = 'x' WHERE id = -1 AND status = 'none'", "'none'" },
    { "UPDATE users SET org_id = v.n FROM (VALUES (1, 2), (3, 4)) AS v(id, n) WHERE users.id = v.id"
      " AND users.id < 0",
        NULL },
    { "DELETE FROM events USING users WHERE events.user_id = users.id AND users.email = 'nobody'",
        NULL },
    { "MERGE INTO users u USING (SELECT -7 AS id) s ON u.id = s.id WHEN MATCHED THEN DO NOTHING",
        NULL },
    { "VALUES (1, 'a'), (2, 'b')", NULL },
    { "EXPLAIN SELECT * FROM users WHERE id = 7", NULL },
    { "CREATE TEMP TABLE made AS SELECT * FROM users WHERE id = 4 WITH NO DATA", NULL },
    { "COPY (SELECT * FROM users WHERE id = 4) TO PROGRAM 'cat >/dev/null'", NULL },
};

static void
plans_what_the_server_shows(void **state)
{
    struct bench *bench = *state;
    size_t failed = 0;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const char *text = shown(bench, kinds[i].sql);
        struct index_query query = make_of(bench, text);
        const char *problem = check(bench, &query);

        print_query(&query);
        if (!problem && !has_part(&query, kinds[i].part))
            problem = arena_printf(bench->ctx.arena, "\"%s\" is not in \"%s\"", kinds[i].part,
                query.instances.items[0].sql);
        if (problem)
            print_message("# %s\n# shown as %s\n#   %s\n", kinds[i].sql, text, problem);
        failed += problem != NULL;
    }
    assert_int_equal(failed, 0);
}

/* Texts that cannot be planned, and why. */
static const struct {
    const char *text;
    const char *problem;
    const char *remedy; /* a part of it; NULL: none is needed */
} refused[] = {
    { "SELECT * FROM gone WHERE id = $1", "relation \"gone\" does not exist", "temporary" },
    { "SELECT * FROM users WHERE gone = $1", "column \"gone\" does not exist", "dropped" },
    { "SELECT gone(id, $1) FROM users", "function gone(integer, unknown) does not exist",
        "search_path" },
    { "SELECT * FROM users WHERE id = $1 AND (", "syntax error at end of input", "cut off" },
    { "SELECT * FROM users WHERE email = 'cut o", "unterminated quoted string", "cut off" },
    { "SELECT * FROM users WHERE id = slow() AND org_id = $1",
        "canceling statement due to statement timeout", "two seconds" },
    { "SELECT * FROM users WHERE id = sly() AND org_id = $1",
        "cannot execute DELETE in a read-only transaction", "read-only" },
    { "CALL app.work()", "it calls a procedure", "track = all" },
    { "DO $$ BEGIN PERFORM 1; END $$", "it is a block of code", "track = all" },
    { "FETCH $1 FROM c", "it reads from a cursor", "DECLARE" },
    { "EXECUTE p(3)", "it executes a prepared statement", "prepared" },
    { "REFRESH MATERIALIZED VIEW v", "it refreshes a materialized view", "file of SQL" },
    { "SET work_mem = $1", "a utility statement", NULL },
    { "VACUUM users", "a utility statement", NULL },
    { "SELECT 1; SELECT 2", "the text holds several queries", "of their own" },
    { "", "the text is empty", NULL },
    { "/* nothing */", "the text is empty", NULL },
};

static void
names_what_cannot_be_planned(void **state)
{
    struct bench *bench = *state;
    const char *count;

    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct index_query query = make_of(bench, refused[i].text);

        print_query(&query);
        if (!query.problem || !strstr(query.problem, refused[i].problem))
            fail_msg("%s: %s", refused[i].text, query.problem ? query.problem : "no problem");
        if (refused[i].remedy && (!query.remedy || !strstr(query.remedy, refused[i].remedy)))
            fail_msg("%s: %s", refused[i].text, query.remedy ? query.remedy : "no remedy");
        assert_int_equal(query.instances.count, 0);

        /* A failure is nothing to the next statement. */
        query = make_of(bench, "SELECT * FROM users WHERE id = $1");
        assert_null(query.problem);
        assert_non_null(query.generic_plan);
    }
    must(bench,
        db_value(&bench->ctx, bench->db, "SELECT count(*) FROM app.quotes", NULL, 0, &count));
    assert_string_equal(count, "90");
    must(bench,
        db_value(&bench->ctx, bench->plan,
            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_statements", NULL, 0, &count));
    assert_string_equal(count, "0");
}

static struct index_query
make_of_list(struct bench *bench, int count)
{
    struct buffer buffer = { .arena = bench->ctx.arena };

    buffer_add(&buffer, "SELECT * FROM users WHERE id IN ($1");
    for (int i = 2; i <= count; i++)
        buffer_printf(&buffer, ", $%d", i);
    buffer_add(&buffer, ")");
    return make_of(bench, buffer_text(&buffer));
}

/* As many as no client can send; the server alone would take them. */
static void
refuses_too_many_placeholders(void **state)
{
    struct bench *bench = *state;
    struct index_query query = make_of_list(bench, 5000);

    assert_null(query.problem);
    assert_non_null(query.generic_plan);
    assert_int_equal(query.types.count, 5000);
    query = make_of_list(bench, 65536);
    assert_non_null(query.problem);
    assert_non_null(strstr(query.problem, "65536 placeholders"));
}

/* Each form that stands around a query, as 15 shows it with constants and 16 with placeholders. */
static void
takes_queries_out(void **state)
{
    static const char *const texts[][2] = {
        { "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM users WHERE id = 5",
            "SELECT * FROM users WHERE id = 5" },
        { "declare c binary no scroll cursor for SELECT id FROM users WHERE id = $1",
            "SELECT id FROM users WHERE id = $1" },
        { "PREPARE p (int, text) AS SELECT * FROM users WHERE id = $1 AND email = $2",
            "SELECT * FROM users WHERE id = $1 AND email = $2" },
        { "EXPLAIN (ANALYZE, BUFFERS) SELECT 1", "SELECT 1" },
        { "EXPLAIN ANALYZE VERBOSE SELECT 1", "SELECT 1" },
        { "EXPLAIN (SELECT 1)", "(SELECT 1)" },
        { "BEGIN; SELECT id FROM users; COMMIT", "SELECT id FROM users" },
        { "COPY (SELECT id FROM users WHERE id = $1) TO STDOUT (FORMAT csv)",
            "SELECT id FROM users WHERE id = $1" },
        { "CREATE UNLOGGED TABLE n (a) WITH (fillfactor = 70) AS SELECT id FROM users WITH NO DATA",
            "SELECT id FROM users" },
        { "CREATE MATERIALIZED VIEW IF NOT EXISTS n AS SELECT id FROM users WITH DATA",
            "SELECT id FROM users" },
        { "/* a */ SELECT id FROM users -- b\n;", "SELECT id FROM users" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct index_query query = make_of(bench, texts[i][0]);

        if (query.problem)
            fail_msg("%s: %s", texts[i][0], query.problem);
        assert_string_equal(query.sql, texts[i][1]);
        assert_non_null(query.generic_plan);
    }
}

static double
count_of(struct bench *bench, const char *sql)
{
    const char *text;

    if (!db_value(&bench->ctx, bench->db, sql, NULL, 0, &text))
        fail_msg("%s: %s", sql, bench->ctx.error.message);
    return strtod(text, NULL);
}

/* A skewed column gives a common, a middle and a rare value, by how many rows they really have. */
static void
shares_are_those_of_rows(void **state)
{
    struct bench *bench = *state;
    struct index_query query = make_of(bench, "SELECT * FROM users WHERE status = $1");
    double all = count_of(bench, "SELECT count(*) FROM app.users");

    assert_int_equal(query.instances.count, 3);
    for (size_t i = 0; i < query.instances.count; i++) {
        const struct query_instance *instance = &query.instances.items[i];
        double rows = count_of(
            bench, arena_printf(bench->ctx.arena, "SELECT count(*) FROM (%s) x", instance->sql));

        assert_true(rows > 0);
        assert_true(instance->share > 0.8 * rows / all - 0.001);
        assert_true(instance->share < 1.2 * rows / all + 0.001);
    }
    assert_string_equal(query.instances.items[0].from, "values of app.users.status");
    assert_string_equal(query.types.items[0], "text");

    query = make_of(bench, "SELECT * FROM users WHERE org_id = $1");
    assert_int_equal(query.instances.count, 1);
}

/* What the values promise: a narrow or recent slice, rows that are there. */
static const struct {
    const char *text;
    double least; /* rows of 20,000 */
    double most;
} slices[] = {
    { "SELECT * FROM events WHERE at > $1", 600, 1400 },
    { "SELECT * FROM events WHERE at < $1", 600, 1400 },
    { "SELECT * FROM events WHERE at BETWEEN $1 AND $2", 600, 1400 },
    { "SELECT * FROM events WHERE at >= $1 AND at < $2", 600, 1400 },
    { "SELECT * FROM events WHERE at > now() - $1::interval", 600, 1400 },
    { "SELECT * FROM events WHERE at > now() - $1", 600, 1400 },
    { "SELECT * FROM events WHERE at < now() - interval $1", 600, 1400 },
    { "SELECT * FROM users WHERE lower(email) = $1", 1, 1 },
    { "SELECT * FROM users WHERE lower(email) = lower($1)", 1, 1 },
    { "SELECT * FROM users WHERE email ILIKE $1", 1, 20000 },
    { "SELECT * FROM users WHERE email LIKE $1 || $2", 1, 20000 },
    { "SELECT * FROM users WHERE email ~ $1", 1, 20000 },
    { "SELECT * FROM users WHERE id IN ($1, $2, $3)", 3, 3 },
    { "SELECT * FROM users WHERE id IN ($1 /*, ... */)", 3, 3 },
    { "SELECT * FROM users WHERE id = ANY ($1)", 3, 3 },
    { "SELECT * FROM users WHERE mood = $1", 500, 20000 },
    { "SELECT * FROM events WHERE body @> $1", 1, 20000 },
    { "SELECT * FROM events WHERE body ->> $1 = $2", 1, 20000 },
    { "SELECT * FROM events WHERE (body ->> $1)::int = $2", 1, 20000 },
    { "SELECT * FROM events WHERE body ? $1", 1, 20000 },
    { "SELECT * FROM events WHERE tags @> $1", 1, 20000 },
    { "SELECT * FROM events WHERE tags && ARRAY[$1, $2]", 1, 20000 },
    { "SELECT * FROM events WHERE $1 = ANY (tags)", 1, 20000 },
    { "SELECT * FROM events WHERE words @@ to_tsquery($1, $2)", 1, 20000 },
    { "SELECT 1 FROM users u JOIN (VALUES ($1), ($2)) v(id) ON u.id = v.id", 2, 2 },
    { "SELECT 1 FROM users a JOIN events b ON b.user_id = a.id WHERE a.id = $1 AND b.user_id = $1",
        1, 20 },
    { "SELECT * FROM quotes WHERE v = $1", 30, 30 },
    { "SELECT * FROM parts WHERE at = $1", 1, 100 },
    { "SELECT * FROM active WHERE org_id = $1", 0, 100 },
};

static void
values_find_rows(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(slices); i++) {
        struct index_query query = make_of(bench, slices[i].text);

        print_query(&query);
        if (query.problem)
            fail_msg("%s: %s", slices[i].text, query.problem);
        for (size_t n = 0; n < query.instances.count; n++) {
            const char *count = arena_printf(bench->ctx.arena, "SELECT count(*) %s",
                strstr(query.instances.items[n].sql, "FROM"));
            double rows = count_of(bench, count);

            if (rows < slices[i].least || rows > slices[i].most)
                fail_msg("%s: %g rows", query.instances.items[n].sql, rows);
        }
    }
}

/* Texts with constants that were really seen are taken before values are made up. */
static void
takes_what_was_seen(void **state)
{
    struct bench *bench = *state;
    struct intake_statement statement = { .text = "SELECT * FROM users WHERE id = $1",
        .source = "app.log:99" };
    struct index_query query;

    for (int i = 1; i <= 7; i++)
        text_list_add(bench->ctx.arena, &statement.samples,
            arena_printf(bench->ctx.arena, "SELECT * FROM users WHERE id = %d", i));
    must(bench, query_make(&bench->ctx, bench->maker, &statement, &query));
    assert_null(query.problem);
    assert_int_equal(query.instances.count, 3);
    assert_string_equal(query.instances.items[0].sql, "SELECT * FROM users WHERE id = 1");
    assert_string_equal(query.instances.items[1].sql, "SELECT * FROM users WHERE id = 4");
    assert_string_equal(query.instances.items[2].sql, "SELECT * FROM users WHERE id = 7");
    assert_string_equal(query.instances.items[0].from, "seen in app.log:99");
    assert_non_null(query.generic_plan);

    /* The types of placeholders cannot be found out here, but the constants say it all. */
    statement.text = "SELECT gone($1)";
    must(bench, query_make(&bench->ctx, bench->maker, &statement, &query));
    assert_null(query.problem);
    assert_null(query.generic_plan);
    assert_int_equal(query.instances.count, 3);
}

static const char *
show(struct bench *bench, struct db *db, const char *name)
{
    const char *value;

    must(bench, db_value(&bench->ctx, db, arena_printf(bench->ctx.arena, "SHOW %s", name), NULL, 0,
                    &value));
    return value;
}

/* With NULL for the key the server would leave all partitions out of the plan. */
static void
generic_plan_has_partitions(void **state)
{
    struct bench *bench = *state;
    struct index_query query = make_of(bench, "SELECT * FROM parts WHERE at = $1 AND v = $2");

    assert_non_null(query.generic_plan);
    assert_non_null(strstr(query.generic_plan, "\"parts_1\""));
    assert_non_null(strstr(query.generic_plan, "\"parts_2\""));
    assert_non_null(strstr(query.generic_plan, "$2"));
    assert_string_equal(show(bench, bench->plan, "enable_partition_pruning"), "on");
}

/* A role without rights: what it may not read is named; what it does leaves hardly a trace in the counters. */
static void
works_without_rights(void **state)
{
    struct bench *bench = *state;
    struct db_options options = { .database = bench->database,
        .application = "test",
        .access = ACCESS_WRITE,
        .url = "user=index_query_reader" };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct query_maker *maker;
    struct index_query query;
    struct intake_statement statement = { .source = "x" };

    must(bench, db_open(&bench->ctx, &options, &db));
    must(bench, db_exec(&bench->ctx, bench->db, "SELECT public.pg_stat_statements_reset()"));
    must(bench, query_maker_begin(&bench->ctx, db, &bench->facts, "app", &maker));
    assert_string_equal(show(bench, db, "default_transaction_read_only"), "on");
    statement.text = "SELECT * FROM secret WHERE id = $1";
    must(bench, query_make(&bench->ctx, maker, &statement, &query));
    assert_string_equal(query.problem, "permission denied for table secret");
    assert_non_null(strstr(query.remedy, "GRANT SELECT"));
    for (int i = 0; i < 40; i++) {
        statement.text = arena_printf(bench->ctx.arena, "SELECT id + %d FROM users%s", i,
            i % 2 ? "" : " WHERE status = $1 AND email LIKE $2");
        must(bench, query_make(&bench->ctx, maker, &statement, &query));
        assert_null(query.problem);
        assert_non_null(query.generic_plan);
    }
    query_maker_end(maker);
    assert_string_equal(show(bench, db, "default_transaction_read_only"), "off");
    assert_string_equal(show(bench, db, "search_path"), "pg_catalog, pg_temp");
    assert_string_equal(show(bench, db, "statement_timeout"), "0");
    assert_string_equal(show(bench, db, "plan_cache_mode"), "auto");
    assert_true(count_of(bench, "SELECT count(*) FROM public.pg_stat_statements WHERE query ~*"
                                " 'explain|from users'") <= 4);
}

/* When the session is lost that is no problem of the statement. */
static void
says_when_the_session_is_lost(void **state)
{
    struct bench *bench = *state;
    struct db *db CLEANUP(db_cleanup) = connect_to(bench, bench->database, ACCESS_READ);
    struct intake_statement statement = { .text = "SELECT $1", .source = "x" };
    struct query_maker *maker;
    struct index_query query;
    const char *ended;

    must(bench, query_maker_begin(&bench->ctx, db, &bench->facts, NULL, &maker));
    must(bench, db_value(&bench->ctx, bench->db,
                    arena_printf(bench->ctx.arena, "SELECT pg_terminate_backend(%d, 10000)",
                        db_backend_pid(db)),
                    NULL, 0, &ended));
    assert_string_equal(ended, "t");
    assert_false(query_make(&bench->ctx, maker, &statement, &query));
    assert_int_equal(bench->ctx.error.kind, ERR_CONNECTION);
    query_maker_end(maker);
    error_clear(&bench->ctx);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_what_the_server_shows),
        cmocka_unit_test(names_what_cannot_be_planned),
        cmocka_unit_test(refuses_too_many_placeholders),
        cmocka_unit_test(takes_queries_out),
        cmocka_unit_test(shares_are_those_of_rows),
        cmocka_unit_test(values_find_rows),
        cmocka_unit_test(takes_what_was_seen),
        cmocka_unit_test(generic_plan_has_partitions),
        cmocka_unit_test(works_without_rights),
        cmocka_unit_test(says_when_the_session_is_lost),
    };

    return cmocka_run_group_tests_name("index query", tests, set_up, tear_down);
}
