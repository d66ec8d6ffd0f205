/*
 * The installed functions under other choices and other tables: stored bits with tenants that have
 * an index of their own, hard names, halfvec, a configuration a row, no tenant, missing roles; in
 * prepared statements, under a hostile search_path, in parallel workers, for a role with few rights.
 */
#include "test_vector_functions_support.h"

/* What both give is compared as a set of keys: an approximate index may miss a row. */
#define SHARE                                                                  \
    "SELECT (SELECT count(*) FROM (SELECT id FROM %s) f JOIN (SELECT id FROM"  \
    " public.knowledge_embeddings WHERE assistant_id = %d ORDER BY (embedding" \
    " OPERATOR(public.<=>) %s) + 0, id LIMIT %d) b USING (id))"

static void
finds(
    struct bench *bench, const char *call, int assistant, const char *vector, int limit, int least)
{
    int found = (int)strtol(
        bench_value(bench, sql_of(bench, SHARE, call, assistant, vector, limit)), NULL, 10);

    if (found < least)
        fail_msg("%s finds %d of %d", call, found, limit);
}

static const struct vector_method bits = { .family = FAMILY_BITS, .candidates = 200 };
static const struct vector_method partial = { .family = FAMILY_HNSW,
    .element = ELEMENT_HALF,
    .scope = SCOPE_TENANT,
    .m = 24,
    .ef_construction = 200,
    .ef_search = 400 };

/* Bits for all, and an index of his own for assistant 1. */
static struct vector_choice
bits_choice(struct bench *bench)
{
    struct vector_target target = replyx_target();
    struct vector_special special = { .method = partial };
    struct vector_choice choice;

    vector_choice_exact(bench->ctx.arena, &target, &choice);
    choice.base = bits;
    text_list_add(bench->ctx.arena, &special.tenants, "1");
    VEC_PUSH(bench->ctx.arena, &choice.specials, special);
    return choice;
}

static int64_t
scans(struct bench *bench, const char *index)
{
    bench_exec(bench, "SELECT pg_stat_force_next_flush()");
    return strtoll(bench_value(bench, sql_of(bench, "SELECT pg_stat_get_numscans(%s::regclass)",
                                          db_literal(bench->ctx.arena, index))),
        NULL, 10);
}

/* So few rows are faster sorted; the tests are about the rows that are many. */
static void
prefer_indexes(struct bench *bench)
{
    bench_exec(bench, "SET enable_seqscan = off");
    bench_exec(bench, "SET enable_sort = off");
}

static void
prefer_nothing(struct bench *bench)
{
    bench_exec(bench, "RESET enable_seqscan");
    bench_exec(bench, "RESET enable_sort");
}

static const char own_index[] = "public.knowledge_embeddings_embedding_hnsw_half_24_200_for_1";

static void
each_tenant_is_searched_his_way(void **state)
{
    struct bench *bench = *state;
    const char *one = question_near(bench, 333);
    const char *two = question_near(bench, 640);
    int64_t before;

    if (db_major(bench->db) < 15)
        skip();
    prefer_indexes(bench);
    before = scans(bench, own_index);
    finds(bench, sql_of(bench, "search_embeddings_basic(1, %s)", one), 1, one, 10, 9);
    assert_int_equal(scans(bench, own_index), before + 1);
    finds(bench, sql_of(bench, "search_embeddings_basic(2, %s)", two), 2, two, 10, 10);
    assert_int_equal(scans(bench, own_index), before + 1);
    /* More rows, fewer types or a higher bound than was measured: not by that index. */
    finds(bench, sql_of(bench, "search_embeddings_basic(1, %s, 40)", one), 1, one, 40, 36);
    finds(bench, sql_of(bench, "search_embeddings_multi_stage(1, %s, 50)", one), 1, one, 250, 45);
    bench_rows(bench, sql_of(bench, "SELECT * FROM search_embeddings_basic(1, %s, 10, 9)", one));
    bench_rows(
        bench, sql_of(bench, "SELECT * FROM search_embeddings_by_doc_type(1, %s, '{faq}')", one));
    assert_int_equal(scans(bench, own_index), before + 1);
    finds(bench, sql_of(bench, "batch_vector_search(1, ARRAY[%s]::public.vector[])", one), 1, one,
        10, 9);
    assert_int_equal(scans(bench, own_index), before + 2);
    prefer_nothing(bench);
}

/* No matter how often: neither the sixth plan (a generic one) nor the planner's mood changes it. */
static void
prepared_statements_keep_plan_and_answers(void **state)
{
    struct bench *bench = *state;
    const char *questions[] = { question_near(bench, 12), question_near(bench, 650) };
    int64_t before;

    if (db_major(bench->db) < 15)
        skip();
    prefer_indexes(bench);
    before = scans(bench, own_index);
    bench_exec(bench, "PREPARE find (int, public.vector) AS SELECT string_agg(id::text, ' ') FROM"
                      " search_embeddings_basic($1, $2)");
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 2; i++) {
            const char *found =
                bench_value(bench, sql_of(bench, "EXECUTE find (%d, %s)", i + 1, questions[i]));
            const char *truth = bench_value(bench,
                sql_of(bench,
                    "SELECT string_agg(id::text, ' ') FROM (SELECT id FROM knowledge_embeddings"
                    " WHERE assistant_id = %d ORDER BY (embedding <=> %s) + 0, id LIMIT 10) b",
                    i + 1, questions[i]));

            if (i == 1)
                assert_string_equal(found, truth);
        }
    }
    assert_int_equal(scans(bench, own_index), before + 10);
    bench_exec(bench, "DEALLOCATE find");
    prefer_nothing(bench);
}

/* Another's operator and table of the same name in front of the path, and a temporary one. */
static void
a_hostile_search_path_changes_nothing(void **state)
{
    static const char *const calls[][2] = { { "search_embeddings_basic(2, ", ")" },
        { "search_embeddings_multi_stage(2, ", ")" },
        { "search_embeddings_by_doc_type(2, ", ", '{faq}')" },
        { "search_embeddings_hybrid(2, ", ", 'возврат')" },
        { "batch_vector_search(2, ARRAY[", "]::public.vector[])" } };
    struct bench *bench = *state;
    const char *vector = question_near(bench, 640);
    const char *before[COUNT_OF(calls)];

    for (size_t i = 0; i < COUNT_OF(calls); i++)
        before[i] =
            bench_value(bench, sql_of(bench, "SELECT string_agg(f::text, ';') FROM public.%s%s%s f",
                                   calls[i][0], vector, calls[i][1]));
    bench_exec(bench, "BEGIN");
    bench_exec(bench, "CREATE SCHEMA evil");
    bench_exec(bench, "CREATE TABLE evil.knowledge_embeddings (LIKE public.knowledge_embeddings)");
    bench_exec(bench, "CREATE TEMP TABLE knowledge_embeddings (LIKE public.knowledge_embeddings)");
    bench_exec(bench,
        "CREATE FUNCTION evil.zero(public.vector, public.vector) RETURNS float8 LANGUAGE"
        " sql AS 'SELECT random()'");
    bench_exec(bench, "CREATE FUNCTION evil.never(int, int) RETURNS boolean LANGUAGE sql AS"
                      " 'SELECT false'");
    bench_exec(bench, "CREATE OPERATOR evil.<=> (FUNCTION = evil.zero, LEFTARG = public.vector,"
                      " RIGHTARG = public.vector)");
    bench_exec(
        bench, "CREATE OPERATOR evil.= (FUNCTION = evil.never, LEFTARG = int, RIGHTARG = int)");
    bench_exec(bench,
        "CREATE FUNCTION evil.ts_rank(tsvector, tsquery, int) RETURNS real LANGUAGE sql"
        " AS 'SELECT 0::real'");
    bench_exec(bench,
        "CREATE FUNCTION evil.to_tsvector(regconfig, text) RETURNS tsvector LANGUAGE sql"
        " AS 'SELECT NULL::tsvector'");
    bench_exec(bench, "SET LOCAL search_path = evil, pg_temp, public, pg_catalog");
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        assert_string_equal(before[i],
            bench_value(bench, sql_of(bench, "SELECT string_agg(f::text, ';') FROM public.%s%s%s f",
                                   calls[i][0], vector, calls[i][1])));
    bench_exec(bench, "ROLLBACK");
}

static void
a_role_that_may_only_read(void **state)
{
    struct bench *bench = *state;
    const char *role = sql_of(bench, "reader_%d", (int)getpid());
    const char *vector = question_near(bench, 333);

    bench_exec(bench, sql_of(bench, "CREATE ROLE %s", role));
    bench_exec(bench, sql_of(bench, "GRANT SELECT ON knowledge_embeddings TO %s", role));
    bench_exec(bench, sql_of(bench, "SET ROLE %s", role));
    finds(bench, sql_of(bench, "search_embeddings_basic(1, %s)", vector), 1, vector, 10, 9);
    bench_rows(
        bench, sql_of(bench, "SELECT * FROM search_embeddings_hybrid(1, %s, 'цена')", vector));
    bench_rows(bench, "SELECT * FROM analyze_vector_search_performance(1, NULL)");
    bench_rows(bench, "SELECT set_vector_search_params('fast')");
    bench_rows(bench, "SELECT auto_tune_vector_search()");
    bench_rows(bench, "SELECT * FROM cleanup_duplicate_embeddings()");
    bench_fails(bench, "SELECT * FROM cleanup_duplicate_embeddings(false)", "permission denied");
    bench_exec(bench, "RESET ROLE");
    bench_exec(bench, sql_of(bench, "DROP OWNED BY %s", role));
    bench_exec(bench, sql_of(bench, "DROP ROLE %s", role));
}

/*
 * In a new session, where the worker too has never seen a vector. Those that set something for
 * their search say that they are not for workers, and so are called by the leader.
 */
static void
parallel_workers_may_call_them(void **state)
{
    static const char *const schemas[] = { "plain", "public" };
    struct bench *bench = *state;
    const char *vector = question_near(bench, 333);
    struct bench other = { .ctx = bench->ctx, .database = bench->database };
    struct vector_target target = replyx_target();
    struct vector_choice choice;

    vector_choice_exact(bench->ctx.arena, &target, &choice);
    bench_exec(bench, "CREATE SCHEMA plain");
    install(bench, &choice, "plain");
    other.db = bench_connect(&other, bench->database);
    bench_exec(&other, db_major(other.db) >= 16 ? "SET debug_parallel_query = on"
                                                : "SET force_parallel_mode = on");
    for (size_t i = 0; i < COUNT_OF(schemas); i++) {
        const char *call =
            sql_of(&other, "%s.search_embeddings_hybrid(1, %s, 'цена')", schemas[i], vector);
        const char *plan =
            bench_value(&other, sql_of(&other, "EXPLAIN (FORMAT JSON) SELECT * FROM %s", call));

        assert_int_equal(strstr(plan, "Gather") != NULL, i == 0);
        bench_rows(&other, sql_of(&other, "SELECT * FROM %s", call));
        bench_exec(&other, "SET search_path = public");
        finds(&other, sql_of(&other, "%s.search_embeddings_basic(1, %s)", schemas[i], vector), 1,
            vector, 10, 9);
        bench_exec(&other, "RESET search_path");
    }
    bench_rows(&other, "SELECT plain.auto_tune_vector_search()");
    db_cleanup(&other.db);
}

/* What a search sets is over with it, also when it fails in the middle. */
static void
settings_are_put_back(void **state)
{
    struct bench *bench = *state;
    const char *vector = question_near(bench, 333);

    bench_exec(bench, "SET hnsw.ef_search = 77");
    bench_exec(bench, "BEGIN");
    finds(bench, sql_of(bench, "search_embeddings_basic(1, %s)", vector), 1, vector, 10, 9);
    assert_string_equal(bench_value(bench, "SHOW hnsw.ef_search"), "77");
    bench_exec(bench, "DO 'BEGIN PERFORM * FROM search_embeddings_basic(1, ''[1,2]'');"
                      " EXCEPTION WHEN others THEN NULL; END'");
    assert_string_equal(bench_value(bench, "SHOW hnsw.ef_search"), "77");
    bench_exec(bench, "COMMIT");
    assert_string_equal(bench_value(bench, "SHOW hnsw.ef_search"), "77");
    bench_exec(bench, "RESET hnsw.ef_search");
}

/* A session that has never seen a vector, of a role that is nobody. */
static void
anyone_may_make_them(void **state)
{
    struct bench *bench = *state;
    const char *role = sql_of(bench, "maker_%d", (int)getpid());
    struct bench other = { .ctx = bench->ctx, .database = bench->database };
    struct vector_choice choice = bits_choice(bench);
    struct vector_functions functions;

    bench_exec(bench, sql_of(bench, "CREATE ROLE %s", role));
    bench_exec(bench, "CREATE SCHEMA his");
    bench_exec(bench, sql_of(bench, "GRANT ALL ON SCHEMA his TO %s", role));
    other.db = bench_connect(&other, bench->database);
    bench_exec(&other, sql_of(bench, "SET ROLE %s", role));
    bench_exec(&other, "SET client_min_messages = warning");
    must(bench, vector_functions_make(&bench->ctx, &choice, "his", &functions));
    assert_int_equal(functions.items.count, 9);
    for (size_t i = 0; i < functions.items.count; i++)
        bench_exec(&other, functions.items.items[i].statement);
    db_cleanup(&other.db);
    bench_exec(bench, sql_of(bench, "DROP OWNED BY %s", role));
    bench_exec(bench, sql_of(bench, "DROP ROLE %s", role));
}

static void
the_analysis_tells_the_way_of_the_tenant(void **state)
{
    struct bench *bench = *state;
    struct result rows =
        bench_rows(bench, "SELECT * FROM analyze_vector_search_performance(1, NULL)");

    assert_string_equal(
        result_cell(&rows, 1, 0), "installed: hnsw halfvec, partial, m 24/200, ef 400");
    assert_true(strtod(result_cell(&rows, 1, 4), NULL) >= 0.9);
    assert_int_equal(rows.rows, 3);
    assert_string_equal(result_cell(&rows, 2, 3), strchr(own_index, '.') + 1);
    rows = bench_rows(bench, "SELECT * FROM analyze_vector_search_performance(2, NULL)");
    assert_string_equal(result_cell(&rows, 1, 0), "installed: bits, 200 ranked again");
    assert_string_equal(result_cell(&rows, 1, 4), "1");
}

static void
what_was_measured_is_told(void **state)
{
    struct bench *bench = *state;
    struct vector_choice choice = bits_choice(bench);
    struct vector_functions functions;

    choice.was_measured = true;
    choice.chosen_at = "2026-11-22T00:00:00Z";
    choice.why = "It's the cheapest.";
    choice.vector_weight = 0.35;
    VEC_PUSH(bench->ctx.arena, &choice.expected,
        (struct vector_expectation){ .bucket = "100-999 rows",
            .measure = { .recall = { .value = 0.9975 }, .wall_us_p95 = { .value = 4600 } } });
    bench_exec(bench, "BEGIN");
    functions = install(bench, &choice, "public");
    assert_string_equal(bench_value(bench, "SELECT auto_tune_vector_search()"),
        "Installed: bits, 200 ranked again\n"
        "For 1 with an index of their own: hnsw halfvec, partial, m 24/200, ef 400\n"
        "Measured: 2026-11-22T00:00:00Z\n"
        "  100-999 rows: recall 0.9975, 95 % of the searches within 4.6 ms\n"
        "Why: It's the cheapest.\n"
        "When to tune again: Run pgmend vector tune to find the fastest search that keeps the right "
        "answers.");
    assert_string_equal(
        bench_value(bench, "SELECT pg_get_expr(proargdefaults, 0) FROM pg_proc WHERE"
                           " pronamespace = 'public'::regnamespace AND proname ="
                           " 'search_embeddings_hybrid'"),
        "10, 0.35");
    for (size_t i = 0; i < functions.items.count; i++)
        bench_exec(bench, sql_of(bench, "DROP FUNCTION public.%s(%s)",
                              functions.items.items[i].name, functions.items.items[i].arguments));
    bench_exec(bench, "ROLLBACK");
}

/* ---- other tables ---- */

static const char *const other_sql[] = {
    "CREATE SCHEMA \"S;x\"",
    ("CREATE TABLE \"S;x\".\"My \"\"Chunks\n%s $pgmend$\" (\"Ключ\" uuid PRIMARY KEY DEFAULT"
     " gen_random_uuid(), \"Чей ?\" varchar(20), \"select\" real, \"тип %\" text, \"Текст\" text,"
     " \"Вектор\" public.vector(32), cfg text NOT NULL, \"words\" int, \"result_limit\" int)"),
    ("INSERT INTO \"S;x\".\"My \"\"Chunks\n%s $pgmend$\" (\"Чей ?\", \"select\", \"тип %\", \"Текст\","
     " \"Вектор\", cfg) SELECT 'o''' || assistant_id, importance / 10.0, doc_type, chunk_text ||"
     " CASE id % 2 WHEN 0 THEN ' deliveries' ELSE '' END, CASE WHEN id % 5 > 0 THEN embedding END,"
     " CASE id % 2 WHEN 0 THEN 'english' ELSE 'russian' END FROM public.knowledge_embeddings"),
    "CREATE TABLE public.bare (id bigint PRIMARY KEY, v public.halfvec(32) NOT NULL)",
    ("INSERT INTO public.bare SELECT id, embedding::public.halfvec(32) FROM"
     " public.knowledge_embeddings"),
};

static struct vector_target
hard_target(void)
{
    static struct vector_filter filters[] = { { "cfg", "text", "<>", "o'ther" } };
    struct vector_target target = replyx_target();

    target.schema = "S;x";
    target.table = "My \"Chunks\n%s $pgmend$";
    target.key = "Ключ";
    target.key_type = "uuid";
    target.tenant = "Чей ?";
    target.tenant_type = "character varying";
    target.column = "Вектор";
    target.is_nullable = true;
    target.importance = "select";
    target.doc_type = "тип %";
    target.text = "Текст";
    target.text_config = "cfg";
    target.is_config_column = true;
    target.chunk_hash = NULL;
    target.filters.items = filters;
    return target;
}

#define HARD "\"S;x\".\"My \"\"Chunks\n%%s $pgmend$\""

static void
names_that_need_quotes(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = hard_target();
    const char *vector = question_near(bench, 333);
    struct vector_choice choice;

    vector_choice_exact(bench->ctx.arena, &target, &choice);
    choice.base = bits;
    build_parts(bench, &target, &bits, NULL);
    assert_int_equal(install(bench, &choice, "S;x").left_out.count, 0);
    same(bench,
        sql_of(bench,
            "SELECT string_agg(s.id || ' ' || s.doc_type || ' ' || pg_typeof(s.importance), ',' ORDER"
            " BY s.ordinality) FROM \"S;x\".search_embeddings_by_doc_type('o''1', %s, '{faq}', 5)"
            " WITH ORDINALITY s",
            vector),
        sql_of(bench,
            "SELECT string_agg(k.\"Ключ\" || ' faq real', ',' ORDER BY k.d) FROM (SELECT *, \"Вектор\""
            " <=> %s AS d FROM " HARD " WHERE \"Чей ?\" = 'o''1' AND \"тип %%\" = 'faq' AND"
            " \"Вектор\" IS NOT NULL ORDER BY d LIMIT 5) k",
            vector));
    same(bench,
        sql_of(bench,
            "SELECT count(*) || ' ' || min(importance) FROM \"S;x\".search_embeddings_basic('o''1',"
            " %s, 1000, 0.75)",
            vector),
        "SELECT '180 0.8'");
    same(bench,
        sql_of(bench,
            "SELECT count(*) FROM \"S;x\".batch_vector_search('o''2',"
            " ARRAY[%s]::public.vector[])",
            vector),
        "SELECT 10");
    same(bench, "SELECT count(*) FROM \"S;x\".analyze_vector_search_performance('o''1')",
        "SELECT 2");
    same(bench, "SELECT duplicates FROM \"S;x\".cleanup_duplicate_embeddings()", "SELECT 0");
    assert_non_null(strstr(bench_value(bench, "SELECT \"S;x\".auto_tune_vector_search()"),
        "the largest assistant has 480"));
}

/*
 * Of rows with the English configuration "delivery" finds "deliveries", of the Russian ones
 * "гарантией" finds "гарантия"; each only in its own.
 */
static void
a_configuration_for_each_row(void **state)
{
    static const char *const words[][2] = { { "delivery", "english" }, { "гарантией", "russian" } };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(words); i++)
        same(bench,
            sql_of(bench,
                "SELECT string_agg(h.id::text, ' ' ORDER BY h.ordinality) FROM"
                " \"S;x\".search_embeddings_hybrid('o''1', NULL, '%s', 20) WITH ORDINALITY h",
                words[i][0]),
            sql_of(bench,
                "SELECT string_agg(b.id, ' ' ORDER BY b.r DESC, b.id::uuid) FROM (SELECT"
                " \"Ключ\"::text AS id, ts_rank(to_tsvector('%s', \"Текст\"), to_tsquery('%s', '%s'),"
                " 1) AS r FROM " HARD " WHERE \"Чей ?\" = 'o''1' AND cfg = '%s' AND"
                " to_tsvector('%s', \"Текст\") @@ to_tsquery('%s', '%s') ORDER BY r DESC, \"Ключ\""
                " LIMIT 20) b",
                words[i][1], words[i][1], words[i][0], words[i][1], words[i][1], words[i][1],
                words[i][0]));
}

static void
tables_that_lack_roles(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = replyx_target();
    struct vector_choice choice;
    struct vector_functions functions;
    const char *vector = question_near(bench, 333);

    target.table = "bare";
    target.key_type = "bigint";
    target.column = "v";
    target.type = "halfvec";
    target.metric = METRIC_L2;
    target.tenant = NULL;
    target.filters.count = 0;
    target.text = target.importance = target.doc_type = target.chunk_hash = NULL;
    vector_choice_exact(bench->ctx.arena, &target, &choice);
    bench_exec(bench, "CREATE SCHEMA bare");
    functions = install(bench, &choice, "bare");
    assert_int_equal(functions.items.count, 5);
    assert_string_equal(text_list_join(bench->ctx.arena, &functions.left_out, "; "),
        "search_embeddings_multi_stage: the table has no column of importance; "
        "search_embeddings_by_doc_type: the table has no column of document types; "
        "search_embeddings_hybrid: the table has no column of texts (--text COLUMN); "
        "cleanup_duplicate_embeddings: the table has no column of texts or of hashes");
    same(bench,
        sql_of(bench,
            "SELECT string_agg(s.id || ' ' || round(s.score::numeric, 6), ',' ORDER BY s.ordinality)"
            " FROM bare.search_embeddings_basic(%s, 5) WITH ORDINALITY s WHERE chunk_text IS NULL",
            vector),
        sql_of(bench,
            "SELECT string_agg(id || ' ' || round((1 / (1 + d))::numeric, 6), ',' ORDER BY d) FROM"
            " (SELECT id, v OPERATOR(public.<->) %s AS d FROM bare ORDER BY d LIMIT 5) b",
            vector));
    same(bench, "SELECT count(*) FROM bare.analyze_vector_search_performance(NULL)", "SELECT 2");
    /* Under L2 the vector of length zero is a place like any other. */
    same(bench,
        "SELECT count(*) FROM bare.search_embeddings_basic(array_fill(0::float4, ARRAY[32])"
        "::public.vector::public.halfvec)",
        "SELECT 10");
}

/* The stored words are what is searched, not those of the text. */
static void
the_stored_text_is_searched(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = replyx_target();
    struct vector_choice choice;

    vector_choice_exact(bench->ctx.arena, &target, &choice);
    choice.text_column = "Stored words";
    bench_exec(bench, "BEGIN");
    bench_exec(bench, "ALTER TABLE knowledge_embeddings ADD \"Stored words\" tsvector");
    bench_exec(bench, "UPDATE knowledge_embeddings SET \"Stored words\" = to_tsvector('russian',"
                      " 'единорог ' || id) WHERE id IN (3, 300, 700)");
    bench_exec(bench, "CREATE SCHEMA stored");
    install(bench, &choice, "stored");
    same(bench,
        "SELECT string_agg(id::text, ' ' ORDER BY id) FROM stored.search_embeddings_hybrid(1, NULL,"
        " 'видели единорогов?')",
        "SELECT '3 300'");
    same(bench, "SELECT count(*) FROM stored.search_embeddings_hybrid(1, NULL, 'возврат')",
        "SELECT 0");
    bench_exec(bench, "ROLLBACK");
}

/* A global index that takes forty rows and then looks which are the tenant's is not asked for more. */
static void
an_approximate_base_is_never_short(void **state)
{
    static const struct vector_method global = {
        .family = FAMILY_HNSW, .m = 16, .ef_construction = 64, .ef_search = 40, .with_btree = true
    };
    struct bench *bench = *state;
    struct vector_target target = replyx_target();
    const char *vector = question_near(bench, 640);
    struct vector_choice choice;

    vector_choice_exact(bench->ctx.arena, &target, &choice);
    choice.base = global;
    bench_exec(bench, "BEGIN");
    build_parts(bench, &target, &global, NULL);
    bench_exec(bench, "CREATE SCHEMA global");
    install(bench, &choice, "global");
    prefer_indexes(bench);
    finds(bench, sql_of(bench, "global.search_embeddings_basic(2, %s, 100)", vector), 2, vector,
        100, 100);
    finds(bench, sql_of(bench, "global.search_embeddings_basic(2, %s, 10, 6)", vector), 2, vector,
        120, 10);
    finds(bench, sql_of(bench, "global.search_embeddings_multi_stage(2, %s, 24)", vector), 2,
        vector, 120, 24);
    same(bench,
        sql_of(bench,
            "SELECT count(*) FROM global.search_embeddings_by_doc_type(2, %s, '{faq}', 25)",
            vector),
        "SELECT 25");
    bench_exec(bench, "ROLLBACK");
    prefer_nothing(bench);
}

static int
set_up(void **state)
{
    struct bench *bench = bench_new("vector_installed", "public");
    struct vector_choice choice;

    bench_exec(bench, "SET search_path = public");
    replyx_set_up(bench);
    for (size_t i = 0; i < COUNT_OF(other_sql); i++)
        bench_exec(bench, other_sql[i]);
    choice = bits_choice(bench);
    build_parts(bench, &choice.target, &bits, NULL);
    build_parts(bench, &choice.target, &partial, "1");
    bench_exec(bench, "VACUUM ANALYZE public.knowledge_embeddings");
    install(bench, &choice, "public");
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tenant_is_searched_his_way),
        cmocka_unit_test(prepared_statements_keep_plan_and_answers),
        cmocka_unit_test(a_hostile_search_path_changes_nothing),
        cmocka_unit_test(a_role_that_may_only_read),
        cmocka_unit_test(parallel_workers_may_call_them),
        cmocka_unit_test(settings_are_put_back),
        cmocka_unit_test(anyone_may_make_them),
        cmocka_unit_test(the_analysis_tells_the_way_of_the_tenant),
        cmocka_unit_test(what_was_measured_is_told),
        cmocka_unit_test(names_that_need_quotes),
        cmocka_unit_test(a_configuration_for_each_row),
        cmocka_unit_test(tables_that_lack_roles),
        cmocka_unit_test(the_stored_text_is_searched),
        cmocka_unit_test(an_approximate_base_is_never_short),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
