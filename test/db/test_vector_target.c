/* Which vector columns there are and how they are searched, asked of a real server. */
#define DATABASE "pgmend_test_vector_target"
#include "test_vector_target_support.h"

static int
setup(void **state)
{
    return bench_begin(state, DATABASE);
}

static void
test_replyx_without_workload(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;

    start_anew(bench);
    make_replyx(bench, 500, 30, 16);
    sql(bench, "CREATE TABLE query_embeddings_cache (id serial PRIMARY KEY, query_hash varchar(64)"
               " UNIQUE, query_text text, embedding vector(16))");
    must(bench, find_target(bench, NULL, &target));
    assert_string_equal(target.schema, "shop");
    assert_string_equal(target.table, "knowledge_embeddings");
    assert_string_equal(target.key, "id");
    assert_string_equal(target.key_type, "integer");
    assert_string_equal(target.column, "embedding");
    assert_string_equal(target.type, "vector");
    assert_int_equal(target.dims, 16);
    assert_int_equal(target.metric, METRIC_COSINE);
    assert_string_equal(target.tenant, "assistant_id");
    assert_string_equal(target.tenant_type, "integer");
    assert_int_equal(target.filters.count, 0);
    assert_int_equal(target.limit, 10);
    assert_string_equal(target.text, "chunk_text");
    assert_string_equal(target.text_config, "russian");
    assert_false(target.is_config_column);
    assert_string_equal(target.importance, "importance");
    assert_string_equal(target.doc_type, "doc_type");
    assert_string_equal(target.chunk_hash, "chunk_hash");
    assert_string_equal(target.extension_schema, "public");
    assert_string_equal(target.extension_version,
        value(bench, "SELECT extversion FROM pg_extension WHERE extname = 'vector'"));
    assert_true(target.extension_number >= 500);
    assert_true(target.rows > 1000 && !target.is_nullable && !target.is_toasted);
    assert_non_null(target.found_in);
    sql(bench, "CREATE INDEX by_user ON knowledge_embeddings (user_id)");
    must(bench, find_target(bench, NULL, &target));
    assert_string_equal(target.tenant, "user_id");
    assert_non_null(strstr(target.found_in, "index begins with"));
    sql(bench, "CREATE INDEX idx_embeddings_assistant_importance ON knowledge_embeddings"
               " (assistant_id, importance DESC, created_at DESC)");
    must(bench, find_target(bench, NULL, &target));
    assert_string_equal(target.tenant, "assistant_id");
}

/* Columns that an earlier plan keeps true beside the user's own are no columns to be tuned. */
static void
test_kept_columns(void **state)
{
    struct bench *bench = *state;
    struct vector_targets targets;
    struct vector_target target;

    start_anew(bench);
    make_replyx(bench, 50, 3, 16);
    sql(bench, "ALTER TABLE knowledge_embeddings ADD COLUMN embedding_half halfvec(16),"
               " ADD COLUMN own_half halfvec(16)");
    must(bench, vector_targets_find(&bench->ctx, bench->db, NULL, &targets));
    assert_int_equal(targets.count, 3);
    sql(bench, "CREATE FUNCTION knowledge_embeddings_embedding_half_fill() RETURNS trigger"
               " LANGUAGE plpgsql AS E'\\nBEGIN\\n    NEW.embedding_half := NEW.embedding;\\n"
               "    RETURN NEW;\\nEND\\n'");
    sql(bench, "CREATE TRIGGER knowledge_embeddings_embedding_half_fill BEFORE INSERT OR UPDATE ON"
               " knowledge_embeddings FOR EACH ROW EXECUTE FUNCTION"
               " knowledge_embeddings_embedding_half_fill()");
    must(bench, vector_targets_find(&bench->ctx, bench->db, NULL, &targets));
    assert_int_equal(targets.count, 2);
    for (size_t i = 0; i < targets.count; i++)
        assert_string_not_equal(targets.items[i].column, "embedding_half");
    sql(bench, "ALTER TABLE knowledge_embeddings DROP COLUMN own_half");
    must(bench, find_target(bench, NULL, &target));
    assert_string_equal(target.column, "embedding");
}

/* The same search some times, as an application sends it. */
static void
search(struct bench *bench, const char *statement, int times)
{
    const char *vector = value(bench, "SELECT v(5, 16)");
    const char *params[] = { "1", vector };
    struct result result;

    for (int i = 0; i < times; i++)
        must(bench, db_query(&bench->ctx, bench->db, statement, params, COUNT_OF(params), &result));
}

static void
test_replyx_with_searches(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;

    start_anew(bench);
    make_replyx(bench, 500, 30, 16);
    search(bench,
        "SELECT id FROM knowledge_embeddings WHERE assistant_id = $1 AND importance >= 4"
        " ORDER BY embedding <-> $2::vector LIMIT 25",
        7);
    search(bench,
        "SELECT id, $1::int FROM knowledge_embeddings"
        " ORDER BY embedding <=> $2::vector LIMIT 3",
        2);
    must(bench, find_target(bench, NULL, &target));
    assert_int_equal(target.metric, METRIC_L2);
    assert_string_equal(target.tenant, "assistant_id");
    assert_int_equal(target.limit, 25);
    assert_int_equal(target.filters.count, 1);
    assert_string_equal(target.filters.items[0].column, "importance");
    assert_string_equal(target.filters.items[0].operator, ">=");
    assert_string_equal(target.filters.items[0].type, "integer");
    assert_string_equal(target.filters.items[0].value,
        value(bench, "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY importance)"
                     " FROM knowledge_embeddings"));
    assert_non_null(strstr(target.found_in, "pg_stat_statements"));

    /* Nothing but searches without any condition: there is no tenant. */
    forget_statements(bench);
    search(bench,
        "SELECT id, $1::int FROM shop.knowledge_embeddings"
        " ORDER BY embedding <=> $2::vector LIMIT 3",
        2);
    must(bench, find_target(bench, NULL, &target));
    assert_null(target.tenant);
    /* The statistics do not keep the number, and three rows may be all that a small tenant has. */
    assert_int_equal(target.limit, 10);
    assert_non_null(strstr(target.found_in, "limit: 10, the usual one"));
    assert_int_equal(target.metric, METRIC_COSINE);

    /* No searches, but other statements that find rows by their user. */
    forget_statements(bench);
    search(bench, "SELECT id, $2 FROM knowledge_embeddings WHERE user_id = $1", 5);
    must(bench, find_target(bench, NULL, &target));
    assert_string_equal(target.tenant, "user_id");
    assert_non_null(strstr(target.found_in, "other statements"));
}

static void
test_wishes(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;
    struct vector_wish wish = { .table = "Knowledge_Embeddings", .tenant = "doc_id", .limit = 7 };

    start_anew(bench);
    make_replyx(bench, 50, 5, 16);
    wish.operator= "<#>";
    text_list_add(bench->ctx.arena, &wish.filters, "importance >= 5");
    text_list_add(bench->ctx.arena, &wish.filters, "doc_type = 'it''s'");
    must(bench, find_target(bench, &wish, &target));
    assert_string_equal(target.tenant, "doc_id");
    assert_int_equal(target.metric, METRIC_INNER);
    assert_int_equal(target.limit, 7);
    assert_int_equal(target.filters.count, 2);
    assert_string_equal(target.filters.items[0].value, "5");
    assert_string_equal(target.filters.items[1].column, "doc_type");
    assert_string_equal(target.filters.items[1].type, "character varying");
    assert_string_equal(target.filters.items[1].value, "it's");

    wish = (struct vector_wish){ .table = "shop.knowledge_embeddings", .tenant = "" };
    must(bench, find_target(bench, &wish, &target));
    assert_null(target.tenant);
    wish = (struct vector_wish){ .text = "source", .text_config = "german" };
    must(bench, find_target(bench, &wish, &target));
    assert_string_equal(target.text, "source");
    assert_string_equal(target.text_config, "german");
    sql(bench, "ALTER TABLE knowledge_embeddings ADD lang regconfig");
    wish = (struct vector_wish){ .text_config = "lang" };
    must(bench, find_target(bench, &wish, &target));
    assert_true(target.is_config_column);
}

static void
test_bad_wishes(void **state)
{
    static const char *const filters[] = { "importance", "importance >= ", "1 = 1", "",
        "importance >= 5 AND id > 3", "importance >= $1", "importance LIKE 'x'",
        "importance >= 5; DROP TABLE users", "importance >= 'many'", "nothing = 5",
        "importance >= (SELECT 1)", "importance >= '5", "importance in (5)" };
    struct bench *bench = *state;
    struct vector_target target;

    start_anew(bench);
    make_replyx(bench, 50, 5, 16);
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        struct vector_wish wish = { 0 };

        print_message("# %s\n", filters[i]);
        text_list_add(bench->ctx.arena, &wish.filters, filters[i]);
        assert_false(find_target(bench, &wish, &target));
        assert_error(&bench->ctx, ERR_USAGE, "--filter");
    }
    assert_false(find_target(bench, &(struct vector_wish){ .tenant = "tenant" }, &target));
    assert_error(&bench->ctx, ERR_USAGE, "no such column \"tenant\"");
    assert_non_null(strstr(bench->ctx.error.hint, "assistant_id"));
    assert_false(find_target(bench, &(struct vector_wish){ .table = "nothing" }, &target));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "nothing");
    assert_non_null(strstr(bench->ctx.error.hint, "shop.knowledge_embeddings.embedding"));
    assert_false(find_target(bench, &(struct vector_wish){ .text = "id" }, &target));
    assert_error(&bench->ctx, ERR_USAGE, "of type integer");
    assert_false(find_target(bench, &(struct vector_wish){ .text_config = "klingon" }, &target));
    assert_error(&bench->ctx, ERR_USAGE, "klingon");
}

static void
test_ambiguous(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;

    start_anew(bench);
    sql(bench, "CREATE TABLE a (id int PRIMARY KEY)");
    sql(bench, "CREATE TABLE items (id bigint PRIMARY KEY, shelf int REFERENCES a,"
               " colour int REFERENCES a, v vector(3))");
    assert_false(find_target(bench, NULL, &target));
    assert_error(&bench->ctx, ERR_USAGE, "colour");
    assert_error(&bench->ctx, ERR_USAGE, "shelf");
    assert_non_null(strstr(bench->ctx.error.hint, "--tenant"));
    must(bench, find_target(bench, &(struct vector_wish){ .tenant = "shelf" }, &target));
    assert_string_equal(target.tenant, "shelf");
    must(bench, find_target(bench, &(struct vector_wish){ .tenant = "" }, &target));
    assert_null(target.tenant);
    sql(bench, "CREATE TABLE others (id bigint PRIMARY KEY, v vector(3))");
    assert_false(find_target(bench, NULL, &target));
    assert_error(&bench->ctx, ERR_USAGE, "which vector column");
    assert_non_null(strstr(bench->ctx.error.hint, "shop.items.v, "));
    must(bench, find_target(bench, &(struct vector_wish){ .table = "others" }, &target));
    assert_null(target.tenant);
}

static void
test_quoted_names(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;
    struct vector_sizes sizes;
    const char *params[] = { "2", "[1,2,3]" };
    struct result result;

    start_anew(bench);
    sql(bench, "CREATE TABLE \"Мои \"\"чанки\"\"\" (\"Ключ\" uuid PRIMARY KEY DEFAULT"
               " gen_random_uuid(), \"Чей это\" int, \"Вектор x\" halfvec(3), \"Вес\" int)");
    sql(bench, "INSERT INTO \"Мои \"\"чанки\"\"\" (\"Чей это\", \"Вектор x\", \"Вес\")"
               " SELECT i % 3, '[1,2,3]', i FROM generate_series(1, 30) i");
    for (int i = 0; i < 3; i++)
        must(bench,
            db_query(&bench->ctx, bench->db,
                "SELECT \"Ключ\" FROM \"Мои \"\"чанки\"\"\" WHERE \"Чей это\" = $1 AND \"Вес\" < 9"
                " ORDER BY \"Вектор x\" <-> $2::halfvec LIMIT 2",
                params, COUNT_OF(params), &result));
    must(bench, find_target(bench, NULL, &target));
    assert_string_equal(target.table, "Мои \"чанки\"");
    assert_string_equal(target.key_type, "uuid");
    assert_string_equal(target.type, "halfvec");
    assert_string_equal(target.tenant, "Чей это");
    assert_int_equal(target.metric, METRIC_L2);
    assert_string_equal(target.filters.items[0].column, "Вес");
    must(bench, find_target(bench, &(struct vector_wish){ .table = "Мои \"чанки\"" }, &target));
    must(bench, find_target(bench, &(struct vector_wish){ .table = "shop.\"Мои \"\"чанки\"\"\"" },
                    &target));
    must(bench, vector_sizes_load(&bench->ctx, bench->db, &target, &sizes));
    assert_int_equal(sizes.tenants.count, 3);
    assert_true(sizes.rows == 30 && sizes.tenants.items[0].rows == 10);
}

static void
test_not_tunable(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;
    struct vector_targets targets;

    start_anew(bench);
    sql(bench, "CREATE TABLE t (id int PRIMARY KEY, v vector)");
    assert_false(find_target(bench, NULL, &target));
    assert_error(&bench->ctx, ERR_CONFLICT, "no number of dimensions");
    sql(bench, "ALTER TABLE t ALTER v TYPE vector(3)");
    must(bench, find_target(bench, NULL, &target));
    sql(bench, "ALTER TABLE t DROP CONSTRAINT t_pkey");
    assert_false(find_target(bench, NULL, &target));
    assert_error(&bench->ctx, ERR_CONFLICT, "no primary key");
    sql(bench, "ALTER TABLE t ADD x int, ADD PRIMARY KEY (id, x)");
    assert_false(find_target(bench, NULL, &target));
    assert_error(&bench->ctx, ERR_CONFLICT, "no primary key of one column");
    /* A survey looks at it nevertheless. */
    must(bench, vector_targets_find(&bench->ctx, bench->db, NULL, &targets));
    assert_int_equal(targets.count, 1);
    assert_null(targets.items[0].key);
    sql(bench, "DROP TABLE t");
    sql(bench, "CREATE TABLE t (id int PRIMARY KEY, v vector(3)) PARTITION BY HASH (id)");
    sql(bench, "CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
    assert_false(find_target(bench, NULL, &target));
    assert_error(&bench->ctx, ERR_CONFLICT, "partitioned");
    sql(bench, "DROP TABLE t");
    assert_false(find_target(bench, NULL, &target));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "no table of this database");
}

static void
test_rights(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;
    struct vector_targets targets;
    struct db *db;

    start_anew(bench);
    make_replyx(bench, 50, 5, 16);
    sql(bench, "DROP ROLE IF EXISTS pgmend_test_nobody");
    sql(bench, "CREATE ROLE pgmend_test_nobody LOGIN");
    db = connect_to(bench, bench->database, ACCESS_READ);
    must(bench, db_exec(&bench->ctx, db, "SET SESSION AUTHORIZATION pgmend_test_nobody"));
    assert_false(vector_target_find(&bench->ctx, db, NULL, &target));
    assert_error(&bench->ctx, ERR_RIGHTS, "may not read shop.knowledge_embeddings");
    assert_non_null(strstr(bench->ctx.error.hint, "GRANT"));
    error_clear(&bench->ctx);
    assert_false(vector_targets_find(&bench->ctx, db, NULL, &targets));
    assert_int_equal(bench->ctx.error.kind, ERR_RIGHTS);
    sql(bench, "GRANT USAGE ON SCHEMA shop TO pgmend_test_nobody");
    sql(bench, "GRANT SELECT ON knowledge_embeddings TO pgmend_test_nobody");
    error_clear(&bench->ctx);
    must(bench, vector_target_find(&bench->ctx, db, NULL, &target));
    assert_string_equal(target.tenant, "assistant_id");
    db_close(db);
    sql(bench, "DROP SCHEMA shop CASCADE");
    sql(bench, "DROP ROLE pgmend_test_nobody");
}

static void
test_extension(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;

    start_anew(bench);
    make_replyx(bench, 50, 5, 16);
    sql(bench, "BEGIN");
    sql(bench, "UPDATE pg_extension SET extversion = '0.4.4' WHERE extname = 'vector'");
    assert_false(vector_target_find(&bench->ctx, bench->db, NULL, &target));
    assert_error(&bench->ctx, ERR_UNSUPPORTED, "pgvector 0.4.4 is older than 0.5.0");
    assert_non_null(strstr(bench->ctx.error.hint, "iterative scans 0.8.0"));
    error_clear(&bench->ctx);
    sql(bench, "UPDATE pg_extension SET extversion = '0.5.0' WHERE extname = 'vector'");
    must(bench, vector_target_find(&bench->ctx, bench->db, NULL, &target));
    assert_int_equal(target.extension_number, 500);
    sql(bench, "ROLLBACK");
    assert_false(vector_target_find(&bench->ctx, bench->admin, NULL, &target));
    assert_error(&bench->ctx, ERR_UNSUPPORTED, "not installed in this database");
    assert_non_null(strstr(bench->ctx.error.hint, "CREATE EXTENSION vector"));
}

/* Tenant i of 1 … 100,000 has one row, tenant 0 has 5,000, and 70 rows have none. */
static void
test_sizes(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;
    struct vector_sizes sizes;

    start_anew(bench);
    sql(bench, "CREATE TABLE chunks (id int PRIMARY KEY, tenant_id int, v vector(2))");
    sql(bench, "CREATE INDEX ON chunks (tenant_id)");
    must(bench, find_target(bench, &(struct vector_wish){ .tenant = "tenant_id" }, &target));
    must(bench, vector_sizes_load(&bench->ctx, bench->db, &target, &sizes));
    assert_true(sizes.tenants.count == 0 && sizes.buckets.count == 0 && sizes.rows == 0);
    sql(bench, "INSERT INTO chunks SELECT i, i, '[1,2]' FROM generate_series(1, 100000) i");
    sql(bench, "INSERT INTO chunks SELECT 200000 + i, 0, '[1,2]' FROM generate_series(1, 5000) i");
    sql(bench, "INSERT INTO chunks SELECT 300000 + i, NULL, '[1,2]' FROM generate_series(1, 70) i");
    sql(bench, "INSERT INTO chunks SELECT 400000 + i, 0, NULL FROM generate_series(1, 9) i");
    must(bench, vector_sizes_load(&bench->ctx, bench->db, &target, &sizes));
    assert_true(sizes.rows == 105070 && sizes.null_rows == 70);
    assert_int_equal(sizes.tenants.count, 100001);
    assert_string_equal(sizes.tenants.items[0].value, "0");
    assert_true(sizes.tenants.items[0].rows == 5000 && sizes.tenants.items[0].bucket == 1);
    assert_true(sizes.tenants.items[100000].rows == 1 && sizes.tenants.items[5].bucket == 0);
    assert_int_equal(sizes.buckets.count, 2);
    assert_string_equal(sizes.buckets.items[0].name, "below 100 rows");
    assert_true(sizes.buckets.items[0].tenants == 100000 && sizes.buckets.items[0].rows == 100000);
    assert_string_equal(sizes.buckets.items[1].name, "1,000-9,999 rows");
    assert_true(sizes.buckets.items[1].tenants == 1 && sizes.buckets.items[1].rows == 5000);

    target.tenant = NULL;
    must(bench, vector_sizes_load(&bench->ctx, bench->db, &target, &sizes));
    assert_int_equal(sizes.tenants.count, 1);
    assert_true(!sizes.tenants.items[0].value && sizes.tenants.items[0].rows == 105070);
    assert_true(sizes.null_rows == 0);
    assert_string_equal(sizes.buckets.items[0].name, "100,000-999,999 rows");
}

static void
test_toasted(void **state)
{
    struct bench *bench = *state;
    struct vector_target target;

    start_anew(bench);
    make_replyx(bench, 50, 3, 1536);
    must(bench, find_target(bench, NULL, &target));
    assert_true(target.is_toasted && target.toast_bytes > 0);
    assert_string_equal(target.storage, "external");
    /* The setting alone moves nothing. */
    sql(bench, "ALTER TABLE knowledge_embeddings ALTER embedding SET STORAGE PLAIN");
    must(bench, find_target(bench, NULL, &target));
    assert_string_equal(target.storage, "plain");
    assert_true(target.is_toasted);
    sql(bench, "CREATE TABLE copied (LIKE knowledge_embeddings INCLUDING ALL)");
    sql(bench, "INSERT INTO copied SELECT * FROM knowledge_embeddings");
    sql(bench, "ANALYZE copied");
    must(bench, find_target(bench, &(struct vector_wish){ .table = "copied" }, &target));
    assert_false(target.is_toasted);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replyx_without_workload),
        cmocka_unit_test(test_kept_columns),
        cmocka_unit_test(test_replyx_with_searches),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_bad_wishes),
        cmocka_unit_test(test_ambiguous),
        cmocka_unit_test(test_quoted_names),
        cmocka_unit_test(test_not_tunable),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_extension),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_toasted),
    };

    return cmocka_run_group_tests(tests, setup, bench_end);
}
