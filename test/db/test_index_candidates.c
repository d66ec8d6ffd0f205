/*
 * Candidates that plans of the server give: written down by hand what has to be among them, and every one that
 * comes out is built on the server.
 */
#include "support/test.h"

#include <glob.h>
#include <libpq-fe.h>
#include <unistd.h>

#include "db/db.h"
#include "db/ident.h"
#include "index/candidate/candidate.h"
#include "index/sample/query.h"
#include "test_sql_contract_replyx.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *db;
    PGconn *conn; /* for what the program itself would refuse: results of several statements */
    struct facts facts;
};

static const char *const schema[] = {
    "CREATE SCHEMA ext",
    "CREATE SCHEMA \"Own\"",
    "CREATE EXTENSION pg_trgm SCHEMA ext",
    "CREATE EXTENSION vector SCHEMA ext",
    "CREATE TYPE mood AS ENUM ('sad', 'glad', 'calm')",
    "CREATE DOMAIN word AS varchar(40)",
    "CREATE TABLE users (id int PRIMARY KEY, email varchar(255), name text, is_active bool NOT NULL,"
    " status varchar(20), feeling mood, nick word, deleted_at timestamptz, data jsonb,"
    " created_at timestamptz NOT NULL, \"Up\" int, birth timestamp)",
    "INSERT INTO users SELECT g, 'u' || g || '@x', 'name ' || g % 700, g % 10 <> 0,"
    " CASE WHEN g % 20 = 0 THEN 'blocked' ELSE 'active' END, 'glad', 'n' || g % 50,"
    " CASE WHEN g % 10 = 0 THEN now() END, '{\"k\": 1}', '2026-01-01'::timestamptz + g * interval '1 min',"
    " g % 3, '2026-01-01'::timestamp + g * interval '1 h' FROM generate_series(1, 5000) AS g",
    "CREATE TABLE dialogs (id int PRIMARY KEY, user_id int REFERENCES users (id), kind int,"
    " started_at timestamptz, title text COLLATE \"C\", tags int[], words tsvector, span int4range,"
    " net inet, place point, body text)",
    "INSERT INTO dialogs SELECT g, g % 5000 + 1, g % 5, '2026-01-01'::timestamptz + g * interval '1 min',"
    " 't' || g, ARRAY[g % 9], to_tsvector('english', 'word' || g), int4range(g, g + 5), '10.0.0.1',"
    " point(g, g), repeat('text ', 40) FROM generate_series(1, 20000) AS g",
    "CREATE TABLE chunks (id int PRIMARY KEY, dialog_id int, v ext.vector(3), wide ext.vector(2500),"
    " half ext.halfvec(3))",
    "INSERT INTO chunks SELECT g, g % 100, ARRAY[g, 1, 2]::ext.vector(3), NULL,"
    " ARRAY[g, 1, 2]::ext.halfvec(3) FROM generate_series(1, 2000) AS g",
    "CREATE TABLE events (id bigint, at timestamptz NOT NULL, kind text, user_id int)"
    " PARTITION BY RANGE (at)",
    "CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "INSERT INTO events SELECT g, '2025-06-01'::timestamptz + g * interval '2 h', 'k' || g % 7, g % 900"
    " FROM generate_series(1, 5000) AS g",
    "CREATE TABLE \"Own\".\"T\" (\"order\" int, b int)",
    "INSERT INTO \"Own\".\"T\" SELECT g, g % 10 FROM generate_series(1, 1000) AS g",
    "CREATE TABLE served (a int, b int, c int, d text)",
    "INSERT INTO served SELECT g % 50, g % 7, g, 'd' FROM generate_series(1, 2000) AS g",
    "CREATE INDEX served_ab ON served (a, b DESC)",
    "CREATE INDEX served_c ON served (c) WHERE a IS NOT NULL",
    /* Values that are short in the table, because they are toasted, and too long for an entry of a B-tree. */
    "CREATE TABLE wides (id int, user_id int, code char(10), note text, label varchar(200), v ext.vector(1536),"
    " body text, mixed text)",
    "INSERT INTO wides SELECT g, g % 20, 'c' || g % 7, 'note ' || g, 'l' || g % 9,"
    " (SELECT array_agg(random() + 0 * g + 0 * i) FROM generate_series(1, 1536) AS i)::ext.vector, x.line,"
    " CASE WHEN g % 2 = 0 THEN 'short' ELSE x.line END FROM generate_series(1, 100) AS g,"
    " LATERAL (SELECT string_agg(md5(g || '-' || i), '') FROM generate_series(1, 150) AS i) AS x (line)",
    "CREATE VIEW active AS SELECT id, lower(email) AS mail, created_at FROM users WHERE is_active",
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
connect_to(struct bench *bench, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static void
run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
}

static struct bench *
begin(const char *kind)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "candidates_%s_%d", kind, (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->conn = PQconnectdb(arena_printf(arena, "dbname=%s", bench->database));
    assert_int_equal(PQstatus(bench->conn), CONNECTION_OK);
    run(bench->conn, "SET client_min_messages = warning");
    return bench;
}

static void
load_facts(struct bench *bench)
{
    struct facts_options options = { .has_values = true };

    bench->db = connect_to(bench, bench->database);
    must(bench, facts_load(&bench->ctx, bench->db, &options, &bench->facts));
}

static int
set_up(void **state)
{
    struct bench *bench = begin("all");

    for (size_t i = 0; i < COUNT_OF(schema); i++)
        run(bench->conn, schema[i]);
    run(bench->conn, "SET search_path = public, ext");
    load_facts(bench);
    *state = bench;
    return 0;
}

static int
set_up_replyx(void **state)
{
    struct bench *bench = begin("replyx");

    contract_create_replyx(&bench->ctx, bench->conn, run);
    load_facts(bench);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    PQfinish(bench->conn);
    db_cleanup(&bench->db);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    db_cleanup(&admin);
    arena_free(bench->ctx.arena);
    return 0;
}

static const char *
value(struct bench *bench, const char *sql)
{
    PGresult *result = PQexec(bench->conn, sql);
    const char *text;

    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) < 1)
        fail_msg("%s: %s", sql, PQerrorMessage(bench->conn));
    text = arena_strdup(bench->ctx.arena, PQgetvalue(result, 0, 0));
    PQclear(result);
    return text;
}

/* The plan with placeholders as placeholders, as PostgreSQL 14 and 15 have to be asked for it. */
static const char *
generic_plan(struct bench *bench, const char *sql)
{
    struct arena *arena = bench->ctx.arena;
    struct buffer explain = { .arena = arena };
    int64_t count;
    const char *plan;

    run(bench->conn, "SET plan_cache_mode = force_generic_plan");
    run(bench->conn, arena_printf(arena, "PREPARE x AS %s", sql));
    assert_true(text_to_int64(
        value(bench,
            "SELECT COALESCE(array_length(parameter_types, 1), 0) FROM pg_prepared_statements"),
        &count));
    buffer_add(&explain, "EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE x");
    for (int64_t i = 0; i < count; i++)
        buffer_add(&explain, i == 0 ? "(NULL" : ", NULL");
    if (count > 0)
        buffer_add(&explain, ")");
    plan = value(bench, buffer_text(&explain));
    run(bench->conn, "DEALLOCATE x");
    return plan;
}

static void
add(struct bench *bench, struct index_candidates *candidates, const char *sql, size_t position)
{
    struct index_query query = { .sql = sql, .generic_plan = generic_plan(bench, sql) };

    must(bench, index_candidates_add(&bench->ctx, candidates, &query, position));
}

static const struct index_candidate *
find(const struct index_candidates *candidates, const char *definition)
{
    for (size_t i = 0; i < candidates->items.count; i++) {
        const struct index_candidate *candidate = candidates->items.items[i];
        const char *dot = strchr(definition, ' ');
        size_t length = (size_t)(dot - definition);

        if (strlen(candidate->table->name) == length &&
            strncmp(candidate->table->name, definition, length) == 0 &&
            text_equal(candidate->definition, dot + 1))
            return candidate;
    }
    return NULL;
}

static const char *
all_of(struct bench *bench, const struct index_candidates *candidates)
{
    struct buffer text = { .arena = bench->ctx.arena };

    for (size_t i = 0; i < candidates->items.count; i++)
        buffer_printf(&text, "\n    %s %s", candidates->items.items[i]->table->name,
            candidates->items.items[i]->definition);
    return buffer_text(&text);
}

/* The server takes each of them, with rows of the table in it. */
static void
build_all(struct bench *bench, const struct index_candidates *candidates)
{
    struct arena *arena = bench->ctx.arena;

    for (size_t i = 0; i < candidates->items.count; i++) {
        const struct index_candidate *candidate = candidates->items.items[i];

        run(bench->conn, "BEGIN");
        run(bench->conn,
            arena_printf(arena, "CREATE TEMP TABLE copy (LIKE %s)", candidate->table->qualified));
        run(bench->conn, arena_printf(arena, "INSERT INTO copy SELECT * FROM %s LIMIT 100",
                             candidate->table->qualified));
        run(bench->conn, arena_printf(arena, "CREATE INDEX ON copy %s", candidate->definition));
        run(bench->conn, "ROLLBACK");
    }
}

/* "table definition"; a "!" before it: must not be there. */
struct expected {
    const char *sql;
    const char *definitions[8];
};

static const struct expected expected[] = {
    /* equality, order, limit; the more selective equality first, and each alone */
    { "SELECT id FROM dialogs WHERE kind = $1 AND user_id = $2 ORDER BY started_at DESC, id LIMIT 10",
        { "dialogs USING btree (user_id, kind, started_at DESC, id)",
            "dialogs USING btree (user_id, kind, started_at DESC)",
            "dialogs USING btree (user_id, started_at DESC)", "dialogs USING btree (user_id)",
            "dialogs USING btree (kind)", "dialogs USING btree (user_id, kind)" } },
    { "SELECT 1 FROM dialogs WHERE user_id = $1 AND started_at > now() - $2::interval",
        { "dialogs USING btree (user_id, started_at)", "dialogs USING btree (started_at)" } },
    { "SELECT * FROM dialogs ORDER BY kind DESC NULLS LAST, started_at NULLS FIRST LIMIT 5",
        { "dialogs USING btree (kind DESC NULLS LAST, started_at NULLS FIRST)" } },
    /* joins: each side is looked up by the other's value, with its own equalities */
    { "SELECT d.* FROM dialogs d JOIN users u ON d.user_id = u.id WHERE u.email = $1"
      " AND d.kind = $2 ORDER BY d.started_at LIMIT 5",
        { "users USING btree (email)", "dialogs USING btree (user_id, kind, started_at)",
            "dialogs USING btree (user_id)", "dialogs USING btree (kind, started_at)",
            "!users USING btree (id)" } },
    /* the order is by a column that the join makes equal */
    { "SELECT u.id FROM users u JOIN dialogs d ON d.user_id = u.id WHERE d.kind = $1"
      " ORDER BY u.id LIMIT 3",
        { "dialogs USING btree (kind, user_id)" } },
    { "SELECT (SELECT max(d.started_at) FROM dialogs d WHERE d.user_id = u.id) FROM users u"
      " WHERE EXISTS (SELECT FROM chunks c WHERE c.dialog_id = u.\"Up\")",
        { "dialogs USING btree (user_id, started_at)", "chunks USING btree (dialog_id)",
            "users USING btree (\"Up\")" } },
    /* expressions as the server writes them; views are followed */
    { "SELECT created_at FROM active WHERE mail = $1",
        { "users USING btree (lower((email)::text))",
            "!users USING btree (lower((email)::text)) WHERE (is_active)" } },
    { "SELECT 1 FROM users WHERE data ->> 'k' = $1",
        { "users USING btree (((data ->> 'k'::text)))" } },
    { "SELECT 1 FROM users WHERE (data ->> 'k')::int > $1",
        { "users USING btree ((((data ->> 'k'::text))::integer))" } },
    { "SELECT date_trunc('day', birth), count(*) FROM users GROUP BY 1",
        { "users USING btree (date_trunc('day'::text, birth))" } },
    { "SELECT 1 FROM users WHERE nick = $1 AND feeling = $2",
        { "users USING btree (nick, feeling)" } },
    /* lists, OR, keyset pages */
    { "SELECT 1 FROM dialogs WHERE user_id = ANY ($1) AND kind = $2 AND started_at < $3",
        { "dialogs USING btree (kind, user_id, started_at)", "dialogs USING btree (user_id)" } },
    { "SELECT * FROM dialogs WHERE user_id = $1 OR title = $2",
        { "dialogs USING btree (user_id)", "dialogs USING btree (title)" } },
    { "SELECT * FROM dialogs WHERE kind = $1 AND (user_id = $2 OR title = $3)",
        { "dialogs USING btree (user_id, kind)", "dialogs USING btree (title, kind)",
            "dialogs USING btree (kind)" } },
    { "SELECT * FROM dialogs WHERE (started_at, id) < ($1, $2) ORDER BY started_at DESC, id DESC"
      " LIMIT 9",
        { "dialogs USING btree (started_at, id)",
            "dialogs USING btree (started_at DESC, id DESC)" } },
    /* groups, DISTINCT, extremes */
    { "SELECT DISTINCT ON (user_id) user_id, started_at, id FROM dialogs"
      " ORDER BY user_id, started_at DESC",
        { "dialogs USING btree (user_id, started_at DESC)" } },
    { "SELECT kind, count(*) FROM dialogs WHERE user_id = $1 GROUP BY kind",
        { "dialogs USING btree (user_id, kind)" } },
    { "SELECT min(started_at), max(user_id) FROM dialogs",
        { "dialogs USING btree (started_at)", "dialogs USING btree (user_id)" } },
    /* predicates: constants of the text that leave few rows */
    { "SELECT id FROM users WHERE status = 'blocked' AND email = $1",
        { "users USING btree (email) WHERE ((status)::text = 'blocked'::text)",
            "users USING btree (email, status)" } },
    { "SELECT id FROM users WHERE status = 'active' AND email = $1",
        { "users USING btree (email, status)", "users USING btree (email)",
            "!users USING btree (email) WHERE ((status)::text = 'active'::text)" } },
    { "SELECT id FROM users WHERE NOT is_active ORDER BY created_at LIMIT 5",
        { "users USING btree (created_at) WHERE (NOT is_active)",
            "users USING btree (is_active, created_at)" } },
    { "SELECT id FROM users WHERE deleted_at IS NOT NULL AND status = 'blocked' ORDER BY created_at",
        { "users USING btree (created_at) WHERE ((deleted_at IS NOT NULL) AND"
          " ((status)::text = 'blocked'::text))",
            "users USING btree (created_at) WHERE (deleted_at IS NOT NULL)" } },
    { "SELECT id FROM users WHERE status <> 'active' AND \"Up\" = $1",
        { "users USING btree (\"Up\") WHERE ((status)::text <> 'active'::text)" } },
    /* index-only scans; not with wide text */
    { "SELECT kind FROM dialogs WHERE user_id = $1",
        { "dialogs USING btree (user_id) INCLUDE (kind)" } },
    { "SELECT body FROM dialogs WHERE user_id = $1",
        { "dialogs USING btree (user_id)", "!dialogs USING btree (user_id) INCLUDE (body)" } },
    { "SELECT count(*) FROM dialogs WHERE user_id = $1 AND kind > $2",
        { "dialogs USING btree (user_id, kind)" } },
    /* where one row is found already nothing more is; included ones stand in the table's order */
    { "SELECT email FROM users WHERE id = $1 AND status = $2",
        { "users USING btree (status)", "!users USING btree (id, status)",
            "!users USING btree (id, status) INCLUDE (email)" } },
    { "SELECT \"Up\", created_at, id, nick FROM users WHERE status = $1 ORDER BY created_at",
        { "users USING btree (status, created_at) INCLUDE (id, nick, \"Up\")" } },
    /* what an entry has no room for is no key, and is not included, though pg_stats calls it narrow */
    { "SELECT id, v FROM wides WHERE user_id = $1",
        { "wides USING btree (user_id)", "!wides USING btree (user_id) INCLUDE (id, v)" } },
    { "SELECT note, code, label FROM wides WHERE user_id = $1",
        { "wides USING btree (user_id) INCLUDE (code, note, label)" } },
    { "SELECT body FROM wides WHERE user_id = $1",
        { "!wides USING btree (user_id) INCLUDE (body)" } },
    { "SELECT mixed FROM wides WHERE user_id = $1",
        { "wides USING btree (user_id)", "!wides USING btree (user_id) INCLUDE (mixed)" } },
    { "SELECT id FROM wides WHERE body = $1 AND user_id = $2 ORDER BY mixed, id",
        { "wides USING btree (user_id)", "!wides USING btree (body)",
            "!wides USING btree (body, user_id)", "!wides USING btree (user_id, body)",
            "!wides USING btree (user_id, mixed)", "!wides USING btree (mixed)" } },
    { "SELECT id FROM wides WHERE v = $1 AND note = $2",
        { "wides USING btree (note)", "!wides USING btree (v)" } },
    /* patterns */
    { "SELECT 1 FROM users WHERE name LIKE 'abc%'",
        { "users USING btree (name text_pattern_ops)",
            "users USING gin (name ext.gin_trgm_ops)" } },
    { "SELECT 1 FROM users WHERE name LIKE '%abc%'",
        { "users USING gin (name ext.gin_trgm_ops)",
            "!users USING btree (name text_pattern_ops)" } },
    { "SELECT 1 FROM users WHERE email LIKE $1", { "users USING btree (email varchar_pattern_ops)",
                                                     "users USING gin (email ext.gin_trgm_ops)" } },
    { "SELECT 1 FROM dialogs WHERE title LIKE 'abc%'", { "dialogs USING btree (title)" } },
    { "SELECT 1 FROM users WHERE lower(name) ~~* $1 AND name ~ $2 AND name OPERATOR(ext.%) $3",
        { "users USING gin (lower(name) ext.gin_trgm_ops)",
            "users USING gin (name ext.gin_trgm_ops)" } },
    /* contents */
    { "SELECT 1 FROM users WHERE data @> $1 AND data ? $2",
        { "users USING gin (data jsonb_path_ops)", "users USING gin (data)" } },
    { "SELECT 1 FROM dialogs WHERE tags @> $1 AND words @@ to_tsquery($2)",
        { "dialogs USING gin (tags)", "dialogs USING gin (words)" } },
    { "SELECT 1 FROM dialogs WHERE to_tsvector('english', body) @@ to_tsquery($1)",
        { "dialogs USING gin (to_tsvector('english'::regconfig, body))" } },
    { "SELECT 1 FROM dialogs WHERE span && $1", { "dialogs USING gist (span)" } },
    { "SELECT 1 FROM dialogs WHERE net << $1", { "dialogs USING gist (net inet_ops)" } },
    { "SELECT 1 FROM dialogs WHERE place <@ box '((0,0),(1,1))'",
        { "dialogs USING gist (place)" } },
    { "SELECT 1 FROM dialogs WHERE $1 = ANY (tags)",
        { "!dialogs USING gin (tags)", "!dialogs USING btree (tags)" } },
    /* distance */
    { "SELECT id FROM chunks ORDER BY v OPERATOR(ext.<=>) $1 LIMIT 5",
        { "chunks USING hnsw (v ext.vector_cosine_ops)" } },
    { "SELECT id FROM chunks WHERE dialog_id = $2 ORDER BY v <-> $1 LIMIT 5",
        { "chunks USING hnsw (v ext.vector_l2_ops)", "chunks USING btree (dialog_id)" } },
    { "SELECT id FROM chunks ORDER BY half <#> $1 LIMIT 5",
        { "chunks USING hnsw (half ext.halfvec_ip_ops)" } },
    { "SELECT id FROM chunks ORDER BY wide <-> $1 LIMIT 5",
        { "!chunks USING hnsw (wide ext.vector_l2_ops)" } },
    { "SELECT id FROM chunks ORDER BY v <-> $1", { "!chunks USING hnsw (v ext.vector_l2_ops)" } },
    { "SELECT id FROM dialogs ORDER BY place <-> $1 LIMIT 5", { "dialogs USING gist (place)" } },
    /* partitions: on the parent, once */
    { "SELECT id FROM events WHERE kind = $1 ORDER BY at DESC LIMIT 5",
        { "events USING btree (kind, at DESC)", "events USING btree (kind)",
            "!events_2025 USING btree (kind)" } },
    /* writes */
    { "UPDATE dialogs SET kind = 1 WHERE user_id = $1",
        { "dialogs USING btree (user_id)", "!dialogs USING btree (user_id) INCLUDE (kind)" } },
    { "DELETE FROM \"Own\".\"T\" WHERE \"order\" = $1", { "T USING btree (\"order\")" } },
    /* what an index that is there does already; better ones than it; its order seen in no Sort */
    { "SELECT c FROM served WHERE a = $1",
        { "!served USING btree (a)", "served USING btree (a) INCLUDE (c)" } },
    { "SELECT c FROM served WHERE a = $1 AND c = $2", { "served USING btree (c, a)" } },
    { "SELECT d FROM served WHERE a = $1 ORDER BY b DESC LIMIT 3",
        { "!served USING btree (a, b DESC)", "!served USING btree (a, b)" } },
    { "SELECT d FROM dialogs d WHERE kind = $1 ORDER BY id DESC LIMIT 3",
        { "dialogs USING btree (kind, id DESC)" } },
    /* what no index can do gives none that fails */
    { "SELECT 1 FROM users WHERE created_at::date = $1 AND to_char(created_at, 'YYYY') = $2",
        { "!users USING btree (((created_at)::date))" } },
    { "SELECT 1 FROM users WHERE name || $1 = 'x' OR random() < 0.1", { NULL } },
    { "SELECT kind, count(*) AS n FROM dialogs GROUP BY kind HAVING count(*) > 3 ORDER BY n DESC",
        { "dialogs USING btree (kind)", "!dialogs USING btree (count(*))" } },
};

/* How much of it is not as written down. */
static int
check(struct bench *bench, const struct expected *query)
{
    struct index_candidates candidates;
    int wrong = 0;

    index_candidates_begin(bench->ctx.arena, &bench->facts, &candidates);
    add(bench, &candidates, query->sql, 0);
    for (size_t i = 0; i < COUNT_OF(query->definitions) && query->definitions[i]; i++) {
        bool is_wanted = query->definitions[i][0] != '!';
        const char *definition = query->definitions[i] + (is_wanted ? 0 : 1);

        if (is_wanted == (find(&candidates, definition) != NULL))
            continue;
        print_message("# %s: %s is %s:%s\n", query->sql, definition,
            is_wanted ? "missing" : "there", all_of(bench, &candidates));
        wrong++;
    }
    assert_true(candidates.items.count <= 75);
    build_all(bench, &candidates);
    return wrong;
}

static void
plans_give_what_was_written_down(void **state)
{
    int wrong = 0;

    for (size_t i = 0; i < COUNT_OF(expected); i++)
        wrong += check(*state, &expected[i]);
    assert_int_equal(wrong, 0);
}

/* ReplyX before anything is made faster: all statements of all endpoints, the slow forms among them. */
static size_t
add_endpoints(struct bench *bench, struct index_candidates *candidates)
{
    glob_t found;
    size_t count;

    assert_int_equal(
        glob(test_source(&bench->ctx, "src/sql/replyx/api_*.sql"), 0, NULL, &found), 0);
    count = found.gl_pathc;
    for (size_t i = 0; i < count; i++)
        add(bench, candidates, contract_read(&bench->ctx, found.gl_pathv[i]), i);
    globfree(&found);
    return count;
}

static void
the_four_critical_indexes_are_found(void **state)
{
    static const char *const critical[] = {
        "dialog_messages USING btree (dialog_id, \"timestamp\" DESC)",
        "assistants USING btree (user_id, is_active, created_at DESC)",
        "dialogs USING btree (assistant_id, started_at DESC)",
        "knowledge_embeddings USING btree (assistant_id, importance DESC, created_at DESC)",
    };
    struct bench *bench = *state;
    struct index_candidates candidates;

    index_candidates_begin(bench->ctx.arena, &bench->facts, &candidates);
    assert_true(add_endpoints(bench, &candidates) > 40);
    for (size_t i = 0; i < COUNT_OF(critical); i++)
        if (!find(&candidates, critical[i]))
            fail_msg("%s is missing:%s", critical[i], all_of(bench, &candidates));
    build_all(bench, &candidates);
}

static void
queries_are_noted_with_what_they_asked_for(void **state)
{
    struct bench *bench = *state;
    struct index_candidates candidates;
    const struct index_candidate *found;

    index_candidates_begin(bench->ctx.arena, &bench->facts, &candidates);
    add(bench, &candidates, "SELECT 1 FROM dialogs WHERE user_id = $1", 7);
    add(bench, &candidates, "SELECT 2 FROM dialogs WHERE user_id = $1 AND kind = $2", 3);
    add(bench, &candidates, "SELECT 1 FROM dialogs WHERE user_id = $1", 7);
    found = find(&candidates, "dialogs USING btree (user_id)");
    assert_non_null(found);
    assert_int_equal(found->queries.count, 2);
    assert_int_equal(found->queries.items[0], 3);
    assert_int_equal(found->queries.items[1], 7);
    assert_string_equal(found->columns.items[0], "user_id");
    assert_int_equal(found->columns.count, 1);
}

/* A foreign key that an index begins with in another order is served. */
static void
foreign_keys_without_index_are_found(void **state)
{
    struct bench *bench = *state;
    struct index_candidates candidates;

    index_candidates_begin(bench->ctx.arena, &bench->facts, &candidates);
    index_candidates_add_references(&candidates);
    assert_int_equal(candidates.items.count, 1);
    assert_string_equal(candidates.items.items[0]->definition, "USING btree (user_id)");
    assert_true(candidates.items.items[0]->is_for_reference);
    add(bench, &candidates, "SELECT 1 FROM dialogs WHERE user_id = $1", 0);
    assert_false(candidates.items.items[0]->is_for_reference);
}

/* Constants that were put in for planning make no predicate; those of the text do. */
static void
sampled_constants_make_no_predicate(void **state)
{
    static const char sql[] =
        "EXPLAIN (VERBOSE, FORMAT JSON) SELECT id FROM users WHERE status = 'blocked' AND email = 'x'";
    struct bench *bench = *state;
    struct index_candidates candidates;

    index_candidates_begin(bench->ctx.arena, &bench->facts, &candidates);
    must(bench, index_candidates_add_plan(&bench->ctx, &candidates, value(bench, sql), 0, true));
    for (size_t i = 0; i < candidates.items.count; i++)
        assert_null(candidates.items.items[i]->predicate);
    assert_non_null(find(&candidates, "users USING btree (email, status)"));
    must(bench, index_candidates_add_plan(&bench->ctx, &candidates, value(bench, sql), 0, false));
    assert_non_null(
        find(&candidates, "users USING btree (email) WHERE ((status)::text = 'blocked'::text)"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plans_give_what_was_written_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            queries_are_noted_with_what_they_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(foreign_keys_without_index_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sampled_constants_make_no_predicate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_four_critical_indexes_are_found, set_up_replyx, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
