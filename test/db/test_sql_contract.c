/* Every query of ours is what its header says, on the server that PGHOST points to. */
#include "support/test.h"

#include <libpq-fe.h>
#include <unistd.h>

#include "change/journal.h"
#include "db/db.h"
#include "sql.h"
#include "test_sql_contract_replyx.h"

enum { NAME = 19, TEXT = 25, JSON = 114, TEXTS = 1009, OIDS = 1028, VARCHAR = 1043 };
enum { INT8S = 1016, FLOAT8S = 1022, TIMESTAMPTZ = 1184 };

/* A type of our headers, and the types of the server that give and take the same text. */
struct type {
    const char *name;
    Oid oids[8];
};

static const struct type types[] = {
    { "bool", { 16 } },
    { "int4", { 23 } },
    { "int8", { 20 } },
    { "oid", { 26 } },
    { "float8", { 701 } },
    { "name", { NAME } },
    { "json", { JSON } },
    { "text[]", { TEXTS } },
    { "int8[]", { INT8S } },
    { "float8[]", { FLOAT8S } },
    /* The sessions pin how times are written; lists of OIDs are literals. */
    { "text", { TEXT, NAME, VARCHAR, JSON, TIMESTAMPTZ, OIDS } },
};

struct bench {
    struct ctx ctx;
    const char *database;
    PGconn *conn;
    Oid vector; /* the type of pgvector, which is sent as text; 0: the server has none */
};

static bool
fits(const struct bench *bench, const char *name, Oid oid)
{
    if (bench->vector != 0 && oid == bench->vector)
        return strcmp(name, "text") == 0;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        for (size_t j = 0; j < COUNT_OF(types[i].oids); j++)
            if (strcmp(types[i].name, name) == 0 && types[i].oids[j] == oid)
                return true;
    return false;
}

static void
run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %.60s", PQerrorMessage(conn), sql);
    PQclear(result);
}

/* Makes what the queries are about: statements named create_… go in the order that works. */
static void
create_tables(struct bench *bench)
{
    int major = PQserverVersion(bench->conn) / 10000;
    bool has_made_one = true;

    /* Where it is on no path, as for those who keep public empty. */
    run(bench->conn, "CREATE SCHEMA extensions");
    run(bench->conn, "CREATE EXTENSION pg_stat_statements SCHEMA extensions");
    for (int round = 0; round < 10 && has_made_one; round++) {
        has_made_one = false;
        for (size_t i = 0; i < queries_all_count; i++) {
            const struct query *query = queries_all[i];
            const char *text = query_text(query, major);

            if (!text || !strstr(query->name, "/create_") || query->arg_count > 0)
                continue;

            PGresult *result = PQexec(bench->conn, text);

            has_made_one |= PQresultStatus(result) == PGRES_COMMAND_OK && round < 2;
            PQclear(result);
        }
    }
}

static bool
has_vector(PGconn *conn)
{
    PGresult *result = PQexec(conn, "SELECT FROM pg_available_extensions WHERE name = 'vector'");
    bool has = PQntuples(result) == 1;

    PQclear(result);
    return has;
}

static Oid
vector_type(PGconn *conn)
{
    PGresult *result = PQexec(conn, "SELECT 'public.vector'::regtype::oid");
    Oid oid = (Oid)strtoul(PQgetvalue(result, 0, 0), NULL, 10);

    PQclear(result);
    return oid;
}

/* The reference application's statements are about tables that have vectors. */
static bool
is_for(const struct bench *bench, const struct query *query)
{
    return bench->vector != 0 || strncmp(query->name, "replyx/", 7) != 0;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "contract_%d", (int)getpid());

    PGconn *admin = PQconnectdb("dbname=postgres");

    if (PQstatus(admin) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(admin));
    run(admin, arena_printf(arena, "CREATE DATABASE %s", bench->database));
    PQfinish(admin);
    bench->conn = PQconnectdb(arena_printf(arena, "dbname=%s", bench->database));
    if (PQstatus(bench->conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(bench->conn));
    run(bench->conn, "SET client_min_messages = error");
    create_tables(bench);
    if (has_vector(bench->conn)) {
        contract_create_replyx(&bench->ctx, bench->conn, run);
        bench->vector = vector_type(bench->conn);
    }
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;

    PGconn *admin = PQconnectdb("dbname=postgres");

    PQfinish(bench->conn);
    run(admin, arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database));
    PQfinish(admin);
    arena_free(bench->ctx.arena);
    return 0;
}

/* Adds what is wrong with a list of types to the problems. */
static void
compare_types(struct bench *bench, struct buffer *problems, const struct query *query,
    const PGresult *result, bool is_about_columns)
{
    size_t wanted = is_about_columns ? query->column_count : query->arg_count;
    int count = is_about_columns ? PQnfields(result) : PQnparams(result);

    if ((size_t)count != wanted) {
        buffer_printf(problems, "%s: %d %s, %zu in the header\n", query->name, count,
            is_about_columns ? "columns" : "parameters", wanted);
        return;
    }
    for (int i = 0; i < count; i++) {
        const char *name = is_about_columns ? query->column_types[i] : query->arg_types[i];
        Oid oid = is_about_columns ? PQftype(result, i) : PQparamtype(result, i);

        if (!fits(bench, name, oid))
            buffer_printf(problems, "%s: %s %d is of type %u, in the header %s\n", query->name,
                is_about_columns ? "column" : "parameter", i + 1, oid, name);
    }
}

static void
prepare(struct bench *bench, const struct query *query, const char *text, struct buffer *problems)
{
    PGresult *result = PQprepare(bench->conn, "", text, 0, NULL);

    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        buffer_printf(problems, "%s: %s", query->name, PQresultErrorMessage(result));
        PQclear(result);
        return;
    }
    PQclear(result);
    result = PQdescribePrepared(bench->conn, "");
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    compare_types(bench, problems, query, result, true);
    compare_types(bench, problems, query, result, false);
    PQclear(result);
}

/* Those who read pg_stat_statements look for its schema first and put it on the path. */
static void
set_path(struct bench *bench, const struct query *query, const char *path)
{
    bool reads_statements =
        strncmp(query->name, "workload/", 9) == 0 || strcmp(query->name, "load/statements") == 0 ||
        strcmp(query->name, "pool/planned") == 0 || strcmp(query->name, "monitor/statement") == 0;

    run(bench->conn, arena_printf(bench->ctx.arena, "SET search_path = %s%s", path,
                         reads_statements ? ", extensions" : ""));
}

static void
every_query_has_the_types_of_its_header(void **state)
{
    struct bench *bench = *state;
    struct buffer problems = { .arena = bench->ctx.arena };
    int major = PQserverVersion(bench->conn) / 10000;
    size_t count = 0;

    for (size_t i = 0; i < queries_all_count; i++) {
        const char *text = query_text(queries_all[i], major);

        if (!text || !is_for(bench, queries_all[i]))
            continue;
        set_path(bench, queries_all[i], "pg_catalog, pg_temp");
        prepare(bench, queries_all[i], text, &problems);
        count++;
    }
    assert_true(count > 50);
    if (problems.length > 0)
        print_error("%s", buffer_text(&problems));
    assert_int_equal(problems.length, 0);
}

/* With an attacker's path in force too: what is not qualified would be found there. */
static void
no_query_depends_on_the_search_path(void **state)
{
    struct bench *bench = *state;
    struct buffer problems = { .arena = bench->ctx.arena };
    int major = PQserverVersion(bench->conn) / 10000;

    run(bench->conn, "CREATE SCHEMA lies");
    run(bench->conn, "CREATE VIEW lies.pg_class AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_namespace AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_index AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_attribute AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_constraint AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_stat_activity AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_locks AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_settings AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_database AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_proc AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_extension AS SELECT 1 AS nothing");
    run(bench->conn, "CREATE VIEW lies.pg_stats AS SELECT 1 AS nothing");
    for (size_t i = 0; i < queries_all_count; i++) {
        const char *text = query_text(queries_all[i], major);

        set_path(bench, queries_all[i], "lies, pg_catalog");
        if (text && is_for(bench, queries_all[i]))
            prepare(bench, queries_all[i], text, &problems);
    }
    if (problems.length > 0)
        print_error("%s", buffer_text(&problems));
    assert_int_equal(problems.length, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_query_has_the_types_of_its_header),
        cmocka_unit_test(no_query_depends_on_the_search_path),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
