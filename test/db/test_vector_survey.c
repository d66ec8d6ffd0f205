/* Traps that are really made on the server are found, and are not found when they are mended. */
#define DATABASE "pgmend_test_vector_survey"
#include "base/json.h"
#include "lang/sql.h"
#include "test_vector_target_support.h"
#include "vector/target/survey.h"

static int
setup(void **state)
{
    return bench_begin(state, DATABASE);
}

/* Scripts name the database of the documentation, and versions of pgvector that are not here. */
static const char *
adapted(struct arena *arena, const char *statement)
{
    static const char database[] = "ALTER DATABASE replyx ";
    static const char update[] = "ALTER EXTENSION vector UPDATE TO ";

    if (text_starts_with(statement, database))
        return arena_printf(arena, "ALTER DATABASE " DATABASE " %s", statement + strlen(database));
    if (text_starts_with(statement, update))
        return arena_printf(arena,
            "UPDATE pg_extension SET extversion = %s WHERE extname = 'vector'",
            statement + strlen(update));
    return statement;
}

static void
run_script(struct bench *bench, const char *script)
{
    struct sql_statements statements;

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    sql(bench, "RESET enable_seqscan");
    must(bench, sql_split(&bench->ctx, "script", script, &statements));
    for (size_t i = 0; i < statements.count; i++)
        sql(bench, adapted(bench->ctx.arena, statements.items[i].text));
    sql(bench, "SELECT pg_stat_force_next_flush()");
    sql(bench, "SELECT 1");
}

static void
survey(struct bench *bench, struct vector_survey *ret)
{
    struct db *db CLEANUP(db_cleanup) = look(bench);

    error_clear(&bench->ctx);
    must(bench, vector_survey(&bench->ctx, db, NULL, NULL, ret));
}

static const struct finding *
find(const struct vector_survey *survey, const char *rule)
{
    for (size_t i = 0; i < survey->findings.count; i++)
        if (strcmp(survey->findings.items[i].rule->id, rule) == 0)
            return &survey->findings.items[i];
    return NULL;
}

static const char *
evidence(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->evidence.count; i++)
        if (strcmp(finding->evidence.items[i].name, name) == 0)
            return finding->evidence.items[i].value;
    fail_msg("there is no evidence \"%s\"", name);
    return NULL;
}

static void
print_findings(const struct vector_survey *survey)
{
    for (size_t i = 0; i < survey->findings.count; i++)
        print_message(
            "#   %s: %s\n", survey->findings.items[i].rule->id, survey->findings.items[i].message);
    for (size_t i = 0; i < survey->notes.count; i++)
        print_message("#   note: %s\n", survey->notes.items[i]);
}

static void
test_every_rule(void **state)
{
    struct bench *bench = *state;
    const char *version =
        value(bench, "SELECT extversion FROM pg_extension WHERE extname = 'vector'");

    for (const struct rule *rule = vector_rules; rule->id; rule++) {
        struct vector_survey result;

        print_message("# %s\n", rule->id);
        assert_true(rule->summary && rule->why && rule->instead && rule->fires && rule->passes);
        run_script(bench, rule->fires);
        survey(bench, &result);
        print_findings(&result);
        if (!find(&result, rule->id))
            fail_msg("%s does not fire on its own example", rule->id);
        assert_int_equal(result.notes.count, 0);
        run_script(bench, rule->passes);
        survey(bench, &result);
        if (find(&result, rule->id))
            fail_msg("%s fires where all is well: %s", rule->id, find(&result, rule->id)->message);
        sql(bench,
            arena_printf(bench->ctx.arena,
                "UPDATE pg_extension SET extversion = '%s' WHERE extname = 'vector'", version));
    }
}

/* What the planner does with a statement, asked here by itself. */
static bool
plan_uses(struct bench *bench, const char *statement, const char *index)
{
    struct result result;

    must(bench, db_query(&bench->ctx, bench->db,
                    arena_printf(bench->ctx.arena, "EXPLAIN %s", statement), NULL, 0, &result));
    for (size_t i = 0; i < result.rows; i++)
        if (strstr(result_cell(&result, i, 0), index))
            return true;
    return false;
}

static const char *
search_of(struct bench *bench, const char *tenant)
{
    return arena_printf(bench->ctx.arena,
        "SELECT id FROM knowledge_embeddings WHERE assistant_id = %s AND importance >= 5 ORDER BY"
        " embedding <=> (SELECT v(77, 16)) LIMIT 10",
        tenant);
}

/* The traps of the plan's own index on the tables of ReplyX, and what is left when it is gone. */
static void
test_replyx(void **state)
{
    struct bench *bench = *state;
    struct vector_survey result;
    const struct finding *finding;
    const char *from;
    int64_t rows, uses = 0, all = 0;

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    make_replyx(bench, 4000, 300, 16);
    sql(bench, "CREATE INDEX idx_embeddings_assistant_importance ON knowledge_embeddings"
               " (assistant_id, importance DESC, created_at DESC)");
    sql(bench, "CREATE INDEX idx_knowledge_embeddings_ivfflat ON knowledge_embeddings USING ivfflat"
               " (embedding vector_cosine_ops) WITH (lists = 158)");
    sql(bench, "ANALYZE");
    for (int i = 0; i < 3; i++)
        sql(bench, search_of(bench, "1"));
    survey(bench, &result);
    print_findings(&result);
    assert_int_equal(result.columns.count, 1);
    assert_string_equal(result.columns.items[0].target.tenant, "assistant_id");
    assert_int_equal(result.columns.items[0].searches, 3);

    /* From which size on the planner takes the index: against its plans for every tenant. */
    finding = find(&result, "planner-flip");
    assert_non_null(finding);
    from = evidence(finding, "from_rows");
    assert_true(text_to_int64(from, &rows));
    for (int tenant = 1; tenant <= 300; tenant++) {
        const char *name = arena_printf(bench->ctx.arena, "%d", tenant);
        bool is_used = plan_uses(bench, search_of(bench, name), "idx_knowledge_embeddings_ivfflat");

        uses += is_used;
        all += is_used == (4000 / tenant >= rows);
    }
    print_message("# the planner takes it for %d tenants\n", (int)uses);
    assert_true(uses > 0 && uses < 300);
    /* Where plans cost nearly the same, the vector that is searched for may decide. */
    assert_true(all >= 297);
    assert_string_equal(evidence(finding, "iterative_scan"), "off");

    /* One probe of 158 lists finds few of a tenant's rows. */
    finding = find(&result, "low-recall");
    assert_non_null(finding);
    assert_non_null(find(&result, "no-iterative-scan"));
    assert_non_null(find(&result, "short-results"));

    sql(bench, "DROP INDEX idx_knowledge_embeddings_ivfflat");
    survey(bench, &result);
    for (size_t i = 0; i < result.findings.count; i++)
        assert_false(text_equal(result.findings.items[i].rule->group, "Plans") ||
                     text_equal(result.findings.items[i].rule->group, "Searches"));
}

/* A partial index of the one large tenant is what nobody else's plan, and no generic plan, uses. */
static void
test_partial_index(void **state)
{
    struct bench *bench = *state;
    struct vector_survey result;
    const struct finding *finding;

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    make_replyx(bench, 4000, 300, 16);
    sql(bench, "CREATE INDEX by_assistant ON knowledge_embeddings (assistant_id)");
    sql(bench, "CREATE INDEX of_one ON knowledge_embeddings USING hnsw (embedding"
               " vector_cosine_ops) WHERE assistant_id = 1");
    sql(bench, "ANALYZE");
    sql(bench, "SELECT id FROM knowledge_embeddings WHERE assistant_id = 1"
               " ORDER BY embedding <=> (SELECT v(77, 16)) LIMIT 10");
    sql(bench, "ALTER DATABASE " DATABASE " SET plan_cache_mode = force_generic_plan");
    survey(bench, &result);
    print_findings(&result);
    finding = find(&result, "generic-plan");
    assert_non_null(finding);
    assert_non_null(strstr(evidence(finding, "custom"), "of_one"));
    assert_null(strstr(evidence(finding, "generic"), "of_one"));
    assert_null(find(&result, "planner-flip"));
    sql(bench, "ALTER DATABASE " DATABASE " SET plan_cache_mode = force_custom_plan");
    survey(bench, &result);
    assert_null(find(&result, "generic-plan"));
    assert_null(find(&result, "index-not-matched"));
}

/* A hundred thousand tiny tenants, a giant, rows without a tenant. */
static void
test_many_tenants(void **state)
{
    struct bench *bench = *state;
    struct vector_survey result;
    const struct vector_facts *facts;

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    sql(bench, "CREATE TABLE \"Мои чанки\" (\"Ключ\" int PRIMARY KEY, \"Чей это\" int,"
               " \"Вектор x\" vector(4))");
    sql(bench, "INSERT INTO \"Мои чанки\" SELECT i, i, v(i, 4) FROM generate_series(1, 100000) i");
    sql(bench, "INSERT INTO \"Мои чанки\" SELECT 200000 + i, 0, v(i, 4)"
               " FROM generate_series(1, 30000) i");
    sql(bench, "INSERT INTO \"Мои чанки\" SELECT 300000 + i, NULL, v(i, 4)"
               " FROM generate_series(1, 50) i");
    sql(bench, "CREATE INDEX ON \"Мои чанки\" (\"Чей это\")");
    sql(bench, "ANALYZE");
    sql(bench, "SELECT \"Ключ\" FROM \"Мои чанки\" WHERE \"Чей это\" = 5"
               " ORDER BY \"Вектор x\" <=> '[1,2,3,4]' LIMIT 5");
    survey(bench, &result);
    print_findings(&result);
    assert_int_equal(result.notes.count, 0);
    facts = &result.columns.items[0];
    assert_string_equal(facts->target.tenant, "Чей это");
    assert_int_equal(facts->sizes.tenants.count, 100001);
    assert_true(facts->looked_at == 20000);
    assert_string_equal(evidence(find(&result, "null-tenant"), "rows"), "50");
    assert_string_equal(find(&result, "null-tenant")->object, "shop.\"Мои чанки\".\"Вектор x\"");
    /* Rows of the giant repeat none of its own, and are the tiny tenants' too. */
    assert_null(find(&result, "duplicate-vectors"));
}

static void
test_odd_tables(void **state)
{
    struct bench *bench = *state;
    struct vector_survey result;
    json_t *json;

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    sql(bench, "CREATE TABLE empty (id int PRIMARY KEY, v vector(3))");
    sql(bench, "CREATE INDEX ON empty USING hnsw (v vector_cosine_ops)");
    sql(bench, "CREATE TABLE keyless (v halfvec(3), w vector)");
    sql(bench, "INSERT INTO keyless VALUES ('[1,2,3]', '[1]'), (NULL, NULL), ('[0,0,0]', '[2,2]')");
    sql(bench, "CREATE TABLE whole (id int, v vector(3)) PARTITION BY HASH (id)");
    survey(bench, &result);
    print_findings(&result);
    assert_int_equal(result.columns.count, 3);
    assert_int_equal(result.notes.count, 1);
    assert_non_null(strstr(result.notes.items[0], "partitioned"));
    assert_non_null(find(&result, "dims-mismatch"));
    assert_non_null(find(&result, "zero-vectors"));
    json = vector_survey_json(&result);
    assert_int_equal(json_array_size(json_object_get(json, "columns")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "findings")), result.findings.count);
    json_decref(json);
}

/* A role with few rights sees what it may; without any the answer says what to grant. */
static void
test_rights(void **state)
{
    struct bench *bench = *state;
    struct vector_survey result;
    struct db *db;

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    sql(bench, "CREATE TABLE mine (id int PRIMARY KEY, v vector(3))");
    sql(bench, "CREATE TABLE theirs (id int PRIMARY KEY, v vector(3))");
    sql(bench, "INSERT INTO mine SELECT i, v(i, 3) FROM generate_series(1, 50) i");
    sql(bench, "DROP ROLE IF EXISTS pgmend_test_reader");
    sql(bench, "CREATE ROLE pgmend_test_reader");
    db = look(bench);
    must(bench, db_exec(&bench->ctx, db, "SET SESSION AUTHORIZATION pgmend_test_reader"));
    assert_false(vector_survey(&bench->ctx, db, NULL, NULL, &result));
    assert_error(&bench->ctx, ERR_RIGHTS, "may not read shop.");
    error_clear(&bench->ctx);
    sql(bench, "GRANT USAGE ON SCHEMA shop TO pgmend_test_reader");
    sql(bench, "GRANT SELECT ON mine TO pgmend_test_reader");
    must(bench, vector_survey(&bench->ctx, db, NULL, NULL, &result));
    assert_int_equal(result.columns.count, 1);
    assert_string_equal(result.columns.items[0].target.table, "mine");
    sql(bench, "ALTER TABLE mine ENABLE ROW LEVEL SECURITY");
    must(bench, vector_survey(&bench->ctx, db, NULL, NULL, &result));
    assert_true(result.columns.items[0].sizes.rows == 0);
    assert_non_null(strstr(text_list_join(bench->ctx.arena, &result.notes, " "), "row-level"));
    db_close(db);
    sql(bench, "DROP SCHEMA shop CASCADE");
    sql(bench, "DROP ROLE pgmend_test_reader");
}

/* What the survey asks is no search of the workload, and leaves nothing behind. */
static void
test_leaves_no_trace(void **state)
{
    struct bench *bench = *state;
    struct vector_survey first, second;
    struct db *db CLEANUP(db_cleanup) = NULL;
    const char *left = NULL;

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    make_replyx(bench, 500, 20, 16);
    sql(bench, "CREATE INDEX global ON knowledge_embeddings USING hnsw (embedding"
               " vector_cosine_ops)");
    sql(bench, "ANALYZE");
    sql(bench, search_of(bench, "1"));
    db = look(bench);
    must(bench, vector_survey(&bench->ctx, db, NULL, NULL, &first));
    must(bench, vector_survey(&bench->ctx, db, NULL, NULL, &second));
    assert_int_equal(first.columns.items[0].searches, 1);
    assert_int_equal(second.columns.items[0].searches, 1);
    assert_string_equal(
        second.columns.items[0].target.found_in, first.columns.items[0].target.found_in);
    must(bench,
        db_value(&bench->ctx, db, "SELECT count(*) FROM pg_prepared_statements", NULL, 0, &left));
    assert_string_equal(left, "0");
    must(bench, db_value(&bench->ctx, db, "SHOW search_path", NULL, 0, &left));
    assert_null(strstr(left, "shop"));
    must(bench, db_value(&bench->ctx, db, "SHOW statement_timeout", NULL, 0, &left));
    assert_string_equal(left, "0");
}

/* What the user says of one table is no fault of the others; of no table it is an error. */
static void
test_wish_among_many(void **state)
{
    struct bench *bench = *state;
    struct vector_survey result;
    struct db *db CLEANUP(db_cleanup) = NULL;

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    sql(bench, "CREATE TABLE a (id int PRIMARY KEY, owner int, v vector(3))");
    sql(bench, "CREATE TABLE b (id int PRIMARY KEY, v vector(3))");
    sql(bench, "INSERT INTO a SELECT i, i % 7, v(i, 3) FROM generate_series(1, 50) i");
    db = look(bench);
    must(bench,
        vector_survey(&bench->ctx, db, &(struct vector_wish){ .tenant = "owner" }, NULL, &result));
    assert_int_equal(result.columns.count, 1);
    assert_int_equal(result.columns.items[0].sizes.tenants.count, 7);
    assert_non_null(strstr(result.notes.items[0], "shop.b"));
    assert_false(
        vector_survey(&bench->ctx, db, &(struct vector_wish){ .tenant = "nobody" }, NULL, &result));
    assert_error(&bench->ctx, ERR_USAGE, "no such column \"nobody\"");
    error_clear(&bench->ctx);
    assert_false(
        vector_survey(&bench->ctx, db, &(struct vector_wish){ .limit = -5 }, NULL, &result));
    assert_error(&bench->ctx, ERR_USAGE, "--limit: -5");
    error_clear(&bench->ctx);
    assert_false(
        vector_survey(&bench->ctx, db, &(struct vector_wish){ .table = "c" }, NULL, &result));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "in c");
}

/* A table that is locked stops the survey in time, and leaves the session usable. */
static void
test_locked(void **state)
{
    struct bench *bench = *state;
    struct vector_survey result;
    struct db *db CLEANUP(db_cleanup) = NULL;
    const struct db_options options = { .database = DATABASE,
        .application = "test",
        .access = ACCESS_READ,
        .lock_timeout_us = 100000 };

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    make_replyx(bench, 50, 5, 16);
    must(bench, db_open(&bench->ctx, &options, &db));
    sql(bench, "BEGIN");
    sql(bench, "LOCK TABLE knowledge_embeddings");
    assert_false(vector_survey(&bench->ctx, db, NULL, NULL, &result));
    assert_int_equal(bench->ctx.error.kind, ERR_TIMEOUT);
    sql(bench, "ROLLBACK");
    error_clear(&bench->ctx);
    must(bench, vector_survey(&bench->ctx, db, NULL, NULL, &result));
    assert_int_equal(result.columns.count, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replyx),
        cmocka_unit_test(test_partial_index),
        cmocka_unit_test(test_many_tenants),
        cmocka_unit_test(test_odd_tables),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_leaves_no_trace),
        cmocka_unit_test(test_wish_among_many),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_every_rule),
    };

    return cmocka_run_group_tests(tests, setup, bench_end);
}
