/* What the tests of the stage share: a database with tenants of known sizes, and its target. */
#pragma once

#include "support/test.h"

#include "base/crypto.h"
#include "db/db.h"
#include "db/ident.h"
#include "vector/stage/measure.h"
#include "vector/stage/stage.h"

enum { DIMS = 16, LIMIT = 10 };

struct stand {
    struct ctx ctx;
    struct db *admin; /* in database postgres */
    struct db *db;    /* in our database */
    const char *database;
    struct vector_target target;
    struct vector_stage_options options;
    struct vector_stage stage;
};

static inline void
must(struct stand *stand, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", stand->ctx.error.message,
            stand->ctx.error.detail ? stand->ctx.error.detail : "no detail");
}

static inline struct db *
connect_to(struct stand *stand, const char *database, enum access access)
{
    struct db_options options = {
        .database = database, .application = "test_vector", .access = access
    };
    struct db *db = NULL;

    must(stand, db_open(&stand->ctx, &options, &db));
    return db;
}

static inline void
sql(struct stand *stand, const char *statement)
{
    must(stand, db_exec(&stand->ctx, stand->db, statement));
}

static inline const char *
value_in(struct stand *stand, struct db *db, const char *statement)
{
    const char *value = NULL;

    must(stand, db_value(&stand->ctx, db, statement, NULL, 0, &value));
    return value ? value : "(null)";
}

static inline int64_t
number_in(struct stand *stand, struct db *db, const char *statement)
{
    int64_t number = -1;

    assert_true(text_to_int64(value_in(stand, db, statement), &number));
    return number;
}

/* The target by hand: what the tests of this folder know does not come from what they test. */
static inline void
set_target(struct stand *stand)
{
    struct vector_target *target = &stand->target;

    *target = (struct vector_target){
        .schema = "app data",
        .table = "Chunks",
        .table_oid = (uint32_t)number_in(
            stand, stand->db, "SELECT '\"app data\".\"Chunks\"'::regclass::oid"),
        .key = "id",
        .key_type = "bigint",
        .column = "embedding",
        .type = "vector",
        .dims = DIMS,
        .metric = METRIC_COSINE,
        .tenant = "assistant_id",
        .tenant_type = "integer",
        .limit = LIMIT,
        .extension_schema = "ext",
        .extension_version = "0.8.0",
        .extension_number = 800,
    };
    VEC_PUSH(stand->ctx.arena, &target->filters,
        (struct vector_filter){
            .column = "importance", .type = "integer", .operator= ">=", .value = "4" });
}

/* Rows of a tenant: vectors by the seed of the session, importance 1 to 10 in turn. */
static inline void
add_rows(struct stand *stand, int tenant, int rows)
{
    sql(stand,
        arena_printf(stand->ctx.arena,
            "INSERT INTO \"app data\".\"Chunks\" (assistant_id, importance, chunk, embedding,"
            " mood, size) SELECT %d, n %% 10 + 1, 'chunk ' || n, (SELECT"
            " array_agg(random() - .5 + m * 0) FROM generate_series(1, %d) AS m WHERE n > 0)"
            "::ext.vector, 'good', n FROM generate_series(1, %d) AS n",
            tenant, DIMS, rows));
}

static inline struct stand *
stand_new(void)
{
    struct arena *arena = arena_new();
    struct stand *stand = ARENA_NEW(arena, struct stand);

    stand->ctx.arena = arena;
    stand->database = arena_printf(arena, "test_vector_%s", random_hex(arena, 6));
    stand->admin = connect_to(stand, "postgres", ACCESS_WRITE);
    must(stand, db_exec(&stand->ctx, stand->admin,
                    arena_printf(arena, "CREATE DATABASE %s TEMPLATE template0", stand->database)));
    stand->db = connect_to(stand, stand->database, ACCESS_WRITE);
    sql(stand, "CREATE SCHEMA ext");
    sql(stand, "CREATE EXTENSION vector SCHEMA ext");
    sql(stand, "CREATE SCHEMA \"app data\"");
    sql(stand, "CREATE TYPE \"app data\".mood AS ENUM ('good', 'bad')");
    sql(stand, "CREATE DOMAIN \"app data\".small AS int CHECK (VALUE > 0)");
    sql(stand, "CREATE TABLE \"app data\".\"Chunks\" (id bigserial PRIMARY KEY, assistant_id int,"
               " gone int, importance int NOT NULL, chunk text COMPRESSION pglz COLLATE \"C\","
               " embedding ext.vector(16), mood \"app data\".mood, size \"app data\".small,"
               " words tsvector GENERATED ALWAYS AS (to_tsvector('simple', chunk)) STORED)"
               " WITH (fillfactor = 80, toast_tuple_target = 200)");
    sql(stand, "ALTER TABLE \"app data\".\"Chunks\" DROP COLUMN gone");
    sql(stand, "ALTER TABLE \"app data\".\"Chunks\" ALTER embedding SET STORAGE PLAIN");
    sql(stand, "SELECT setseed(.25)");
    set_target(stand);
    stand->options = (struct vector_stage_options){
        .server = stand->admin,
        .most_rows = 100000,
        .most_bytes = INT64_C(1) << 30,
        .queries = 20,
        .seed = 7,
    };
    return stand;
}

static inline void
stand_free(struct stand *stand)
{
    vector_stage_close(&stand->stage);
    db_close(stand->db);
    must(stand, db_exec(&stand->ctx, stand->admin,
                    arena_printf(stand->ctx.arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)",
                        stand->database)));
    db_close(stand->admin);
    arena_free(stand->ctx.arena);
}

static inline bool
open_stage(struct stand *stand)
{
    return vector_stage_open(
        &stand->ctx, stand->db, &stand->target, &stand->options, NULL, &stand->stage);
}
