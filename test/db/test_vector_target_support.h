/* A database with pgvector and the tables of a search application, for the tests of target/. */
#pragma once

#include "support/test.h"

#include "db/db.h"
#include "vector/target/target.h"

struct bench {
    struct ctx ctx;
    struct db *admin;
    struct db *db;
    const char *database;
};

static inline void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static inline struct db *
connect_to(struct bench *bench, const char *database, enum access access)
{
    const struct db_options options = {
        .database = database, .application = "test", .access = access
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static inline void
sql(struct bench *bench, const char *statement)
{
    must(bench, db_exec(&bench->ctx, bench->db, statement));
}

static inline const char *
value(struct bench *bench, const char *statement)
{
    const char *text = NULL;

    must(bench, db_value(&bench->ctx, bench->db, statement, NULL, 0, &text));
    return text;
}

static inline void
drop_database(struct bench *bench)
{
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)",
                        bench->database)));
}

static inline int
bench_begin(void **state, const char *database)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = database;
    bench->admin = connect_to(bench, "postgres", ACCESS_WRITE);
    drop_database(bench);
    must(bench,
        db_exec(&bench->ctx, bench->admin, arena_printf(arena, "CREATE DATABASE %s", database)));
    bench->db = connect_to(bench, database, ACCESS_WRITE);
    sql(bench, "SET search_path = public");
    sql(bench, "CREATE EXTENSION pg_stat_statements");
    sql(bench, "CREATE EXTENSION vector");
    /* A vector that depends on a number alone, of any number of dimensions. */
    sql(bench, "CREATE FUNCTION v(seed bigint, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS"
               " $$ SELECT array_agg(hashint8(seed * 1000 + i) / 2147483648.0)::vector"
               " FROM generate_series(1, dims) AS i $$");
    *state = bench;
    return 0;
}

static inline int
bench_end(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    drop_database(bench);
    db_close(bench->admin);
    arena_free(bench->ctx.arena);
    return 0;
}

/* Forgets the statements of this database. */
static inline void
forget_statements(struct bench *bench)
{
    sql(bench, "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database"
               " WHERE datname = current_database()), 0)");
}

/* An empty schema and empty statistics. */
static inline void
start_anew(struct bench *bench)
{
    error_clear(&bench->ctx);
    sql(bench, "DROP SCHEMA IF EXISTS shop CASCADE");
    sql(bench, "CREATE SCHEMA shop");
    sql(bench, "ALTER DATABASE " DATABASE " SET search_path = shop, public");
    sql(bench, "SET search_path = shop, public");
    forget_statements(bench);
}

/*
 * The tables of ReplyX that matter here; rows: of tenant 1, the others have fewer. The session that
 * looks is opened anew, as the settings of the database are read at its start.
 */
static inline void
make_replyx(struct bench *bench, int rows, int tenants, int dims)
{
    struct arena *arena = bench->ctx.arena;

    sql(bench, "CREATE TABLE users (id int PRIMARY KEY)");
    sql(bench, "CREATE TABLE assistants (id int PRIMARY KEY, user_id int REFERENCES users)");
    sql(bench, "CREATE TABLE documents (id int PRIMARY KEY)");
    sql(bench, arena_printf(arena,
                   "CREATE TABLE knowledge_embeddings (id serial PRIMARY KEY,"
                   " user_id int NOT NULL REFERENCES users, assistant_id int REFERENCES assistants,"
                   " doc_id int NOT NULL REFERENCES documents, chunk_index int NOT NULL,"
                   " chunk_text text NOT NULL, embedding vector(%d) NOT NULL, doc_type varchar,"
                   " importance int DEFAULT 10, token_count int, chunk_hash varchar(64),"
                   " source varchar, created_at timestamp DEFAULT now())",
                   dims));
    sql(bench, "INSERT INTO users SELECT 1");
    sql(bench, "INSERT INTO documents SELECT 1");
    sql(bench, arena_printf(arena,
                   "INSERT INTO assistants SELECT i, 1 FROM generate_series(1, %d) i", tenants));
    sql(bench, arena_printf(arena,
                   "INSERT INTO knowledge_embeddings (user_id, assistant_id, doc_id, chunk_index,"
                   " chunk_text, embedding, doc_type, importance, chunk_hash)"
                   " SELECT 1, a, 1, i, 'Кусок текста номер ' || i, v(a * 1000000 + i, %d), 'faq',"
                   " i %% 10 + 1, md5(a || '-' || i)"
                   " FROM generate_series(1, %d) a, generate_series(1, GREATEST(%d / a, 1)) i",
                   dims, tenants, rows));
    sql(bench, "ANALYZE");
}

static inline struct db *
look(struct bench *bench)
{
    return connect_to(bench, bench->database, ACCESS_READ);
}

/* Finds the one target with a session of its own. */
static inline bool
find_target(struct bench *bench, const struct vector_wish *wish, struct vector_target *ret)
{
    struct db *db CLEANUP(db_cleanup) = look(bench);

    error_clear(&bench->ctx);
    return vector_target_find(&bench->ctx, db, wish, ret);
}
