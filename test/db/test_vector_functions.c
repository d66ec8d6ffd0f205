/*
 * The functions that applications call, on a table as ReplyX has it: each gives what a brute-force
 * statement gives that was written here, from the definition of the function alone.
 */
#include "test_vector_functions_support.h"

/* Key and distance, in the order of the answer. */
#define ANSWER "string_agg(s.id || ':' || round(s.distance::numeric, 5), ' ' ORDER BY s.ordinality)"

static const int questions[] = { 3, 333, 640, 725 };

static void
basic_gives_the_nearest_ones(void **state)
{
    static const char *const least[] = { "1", "4.5", "8" };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        for (size_t k = 0; k < COUNT_OF(least); k++) {
            const char *vector = question_near(bench, questions[i]);
            int assistant = questions[i] <= 600 ? 1 : questions[i] <= 720 ? 2 : 3;

            same(bench,
                sql_of(bench,
                    "SELECT " ANSWER " FROM public.search_embeddings_basic(assistant_id => %d,"
                    " query_vector => %s::public.vector, result_limit => 12, min_importance => %s)"
                    " WITH ORDINALITY s",
                    assistant, vector, least[k]),
                sql_of(bench,
                    "SELECT string_agg(b.id || ':' || round(b.d::numeric, 5), ' ' ORDER BY b.d, b.id)"
                    " FROM (SELECT id, (embedding OPERATOR(public.<=>) %s) + 0 AS d FROM"
                    " public.knowledge_embeddings WHERE assistant_id = %d AND importance >= %s"
                    " ORDER BY 2, 1 LIMIT 12) b",
                    vector, assistant, least[k]));
        }
    }
}

static void
basic_has_its_columns_and_defaults(void **state)
{
    struct bench *bench = *state;
    const char *vector = question_near(bench, 640);
    struct result rows = bench_rows(
        bench, sql_of(bench, "SELECT * FROM public.search_embeddings_basic(2, %s)", vector));
    static const char *const names[] = { "id", "chunk_text", "doc_type", "importance", "distance",
        "score" };

    assert_int_equal(rows.rows, 10);
    assert_int_equal(rows.columns, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(rows.names[i], names[i]);
    same(bench,
        sql_of(bench,
            "SELECT string_agg(concat_ws('|', s.chunk_text, s.doc_type, s.importance,"
            " pg_typeof(s.importance), round((s.score - 1 + s.distance)::numeric, 9)), ' ' ORDER BY"
            " s.id) FROM public.search_embeddings_basic(2, %s) s",
            vector),
        sql_of(bench,
            "SELECT string_agg(concat_ws('|', k.chunk_text, k.doc_type, k.importance, 'integer',"
            " '0.000000000'), ' ' ORDER BY k.id) FROM (SELECT * FROM public.knowledge_embeddings"
            " WHERE assistant_id = 2 ORDER BY embedding OPERATOR(public.<=>) %s LIMIT 10) k",
            vector));
}

#define COUNT_FOUND "SELECT count(*) FROM public.search_embeddings_basic(%s, %s, %s, %s)"

static void
limits(void **state)
{
    struct bench *bench = *state;
    const char *vector = question_near(bench, 3);

    assert_string_equal(bench_value(bench, sql_of(bench, COUNT_FOUND, "1", vector, "0", "1")), "0");
    assert_string_equal(
        bench_value(bench, sql_of(bench, COUNT_FOUND, "1", vector, "NULL", "1")), "10");
    assert_string_equal(
        bench_value(bench, sql_of(bench, COUNT_FOUND, "1", vector, "700", "1")), "600");
    assert_string_equal(
        bench_value(bench, sql_of(bench, COUNT_FOUND, "1", vector, "700", "NULL")), "600");
    assert_string_equal(
        bench_value(bench, sql_of(bench, COUNT_FOUND, "3", vector, "10", "1")), "7");
    assert_string_equal(
        bench_value(bench, sql_of(bench, COUNT_FOUND, "99", vector, "10", "1")), "0");
    assert_string_equal(
        bench_value(bench, sql_of(bench, COUNT_FOUND, "NULL", vector, "10", "1")), "0");
    assert_string_equal(
        bench_value(bench, sql_of(bench, COUNT_FOUND, "1", "NULL", "10", "1")), "0");
    bench_fails(bench, sql_of(bench, COUNT_FOUND, "1", vector, "-1", "1"),
        "result_limit must not be negative, and is -1");
}

static void
bad_questions(void **state)
{
    struct bench *bench = *state;
    const char *zero = "array_fill(0::float4, ARRAY[32])::public.vector";

    bench_fails(bench, "SELECT * FROM public.search_embeddings_basic(1, '[1,2,3]')",
        "expected 32 dimensions, not 3");
    bench_fails(bench, "SELECT * FROM public.search_embeddings_basic(99, '[1,2,3]')",
        "expected 32 dimensions, not 3");
    bench_fails(bench, "SELECT * FROM public.search_embeddings_basic(1, '[1,NaN,3]')", "NaN");
    bench_fails(bench, sql_of(bench, "SELECT * FROM public.search_embeddings_basic(1, %s)", zero),
        "query_vector has length zero");
    bench_fails(bench,
        sql_of(bench, "SELECT * FROM public.search_embeddings_hybrid(1, %s, 'цена')", zero),
        "query_vector has length zero");
    bench_fails(bench,
        sql_of(bench, "SELECT * FROM public.batch_vector_search(1, ARRAY[%s, %s])",
            question_near(bench, 3), zero),
        "vector number 2 of query_vectors has length zero");
}

static void
by_doc_type_knows_only_the_types(void **state)
{
    struct bench *bench = *state;
    const char *vector = question_near(bench, 333);

    same(bench,
        sql_of(bench,
            "SELECT " ANSWER " FROM public.search_embeddings_by_doc_type(1, %s,"
            " ARRAY['договор', 'faq', NULL], 15) WITH ORDINALITY s",
            vector),
        sql_of(bench,
            "SELECT string_agg(b.id || ':' || round(b.d::numeric, 5), ' ' ORDER BY b.d, b.id)"
            " FROM (SELECT id, (embedding OPERATOR(public.<=>) %s) + 0 AS d FROM"
            " public.knowledge_embeddings WHERE assistant_id = 1 AND doc_type IN ('договор', 'faq')"
            " ORDER BY 2, 1 LIMIT 15) b",
            vector));
    assert_string_equal(
        bench_value(bench,
            sql_of(bench, "SELECT count(*) FROM public.search_embeddings_by_doc_type(1, %s, '{}')",
                vector)),
        "0");
    assert_string_equal(
        bench_value(bench,
            sql_of(bench, "SELECT count(*) FROM public.search_embeddings_by_doc_type(1, %s, NULL)",
                vector)),
        "0");
}

/* The plan's formula over the fifty nearest, for ten. */
static void
multi_stage_orders_five_times_as_many(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        const char *vector = question_near(bench, questions[i]);
        int assistant = questions[i] <= 600 ? 1 : questions[i] <= 720 ? 2 : 3;

        same(bench,
            sql_of(bench,
                "SELECT string_agg(s.id || ':' || round(s.score::numeric, 5), ' ' ORDER BY"
                " s.ordinality) FROM public.search_embeddings_multi_stage(%d, %s, 10)"
                " WITH ORDINALITY s",
                assistant, vector),
            sql_of(bench,
                "SELECT string_agg(c.id || ':' || round(c.score::numeric, 5), ' ' ORDER BY c.score"
                " DESC) FROM (SELECT b.id, 0.6 * (1 - b.d) + 0.3 * b.importance / 10.0 + 0.1 *"
                " (b.doc_type IS NOT NULL)::int AS score FROM (SELECT *, (embedding"
                " OPERATOR(public.<=>) %s) + 0 AS d FROM public.knowledge_embeddings WHERE"
                " assistant_id = %d ORDER BY d LIMIT 50) b ORDER BY score DESC LIMIT 10) c",
                vector, assistant));
    }
}

static void
batch_answers_each_question(void **state)
{
    struct bench *bench = *state;
    const char *one = question_near(bench, 3);
    const char *two = question_near(bench, 500);
    const char *call = sql_of(bench,
        "FROM public.batch_vector_search(1, ARRAY[%s, NULL, %s]::public.vector[], 6)"
        " WITH ORDINALITY s",
        one, two);

    same(bench,
        sql_of(bench,
            "SELECT string_agg(s.query_number || '/' || s.id, ' ' ORDER BY s.ordinality) %s", call),
        sql_of(bench,
            "SELECT (SELECT string_agg('1/' || s.id, ' ' ORDER BY s.ordinality) FROM"
            " public.search_embeddings_basic(1, %s, 6) WITH ORDINALITY s) || ' ' || (SELECT"
            " string_agg('3/' || s.id, ' ' ORDER BY s.ordinality) FROM"
            " public.search_embeddings_basic(1, %s, 6) WITH ORDINALITY s)",
            one, two));
    assert_string_equal(
        bench_value(bench, "SELECT count(*) FROM public.batch_vector_search(1, NULL)"), "0");
    assert_string_equal(
        bench_value(bench, "SELECT count(*) FROM public.batch_vector_search(1, '{}')"), "0");
    bench_fails(bench, "SELECT * FROM public.batch_vector_search(1, ARRAY['[1]'::public.vector])",
        "expected 32 dimensions, not 1");
}

/* ---- hybrid ---- */

/* The two sides, by hand: the question's words are given as a tsquery of their stems. */
static const char *
fusion_oracle(struct bench *bench, const char *vector, const char *words, const char *score)
{
    return sql_of(bench,
        "WITH v AS (SELECT id, d, row_number() OVER (ORDER BY d, id) AS n FROM (SELECT id,"
        " (embedding OPERATOR(public.<=>) %s) + 0 AS d FROM public.knowledge_embeddings WHERE"
        " assistant_id = 1 ORDER BY 2, 1 LIMIT 50) a),"
        " x AS (SELECT id, r, row_number() OVER (ORDER BY r DESC, id) AS n FROM (SELECT id,"
        " ts_rank(to_tsvector('russian', chunk_text), %s::tsquery, 1)::float8 AS r FROM"
        " public.knowledge_embeddings WHERE assistant_id = 1 AND to_tsvector('russian', chunk_text)"
        " @@ %s::tsquery ORDER BY 2 DESC, 1 LIMIT 50) a),"
        " f AS (SELECT COALESCE(v.id, x.id) AS id, %s AS score FROM v FULL JOIN x USING (id))"
        " SELECT string_agg(z.id || ':' || round(z.score::numeric, 6), ' ' ORDER BY z.score DESC,"
        " z.d, z.id) FROM (SELECT f.*, k.embedding OPERATOR(public.<=>) %s AS d FROM f JOIN"
        " public.knowledge_embeddings k USING (id) ORDER BY score DESC, d, id LIMIT 10) z",
        vector, words, words, score, vector);
}

static const char *
hybrid_call(struct bench *bench, const char *vector, const char *text, const char *weight)
{
    return sql_of(bench,
        "SELECT string_agg(s.id || ':' || round(s.score::numeric, 6), ' ' ORDER BY s.ordinality)"
        " FROM public.search_embeddings_hybrid(assistant_id => 1, query_vector => %s,"
        " query_text => %s, result_limit => 10%s) WITH ORDINALITY s",
        vector, text, weight);
}

static const char reciprocal[] = "COALESCE(1.0 / (60 + v.n), 0) + COALESCE(1.0 / (60 + x.n), 0)";

/* A question as people put it: its ending differs, most of its words are in no chunk. */
static const char question_text[] = "'Сколько стоит возвращать договора с гарантией?'";
static const char question_words[] = "'скольк | сто | возвраща | договор | гарант'";

static void
hybrid_fuses_reciprocal_ranks(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < 2; i++) {
        const char *vector = question_near(bench, questions[i]);

        same(bench, hybrid_call(bench, vector, question_text, ""),
            fusion_oracle(bench, vector, question_words, reciprocal));
        same(bench, hybrid_call(bench, vector, question_text, ", vector_weight => NULL"),
            fusion_oracle(bench, vector, question_words, reciprocal));
    }
}

static void
hybrid_weighs_normalised_scores(void **state)
{
    static const char *const weights[] = { "0", "0.3", "1" };
    struct bench *bench = *state;
    const char *vector = question_near(bench, 333);

    for (size_t i = 0; i < COUNT_OF(weights); i++)
        same(bench,
            hybrid_call(
                bench, vector, question_text, sql_of(bench, ", vector_weight => %s", weights[i])),
            fusion_oracle(bench, vector, question_words,
                sql_of(bench,
                    "%s * COALESCE(((SELECT max(d) FROM v) - v.d) / (SELECT max(d) - min(d) FROM v),"
                    " 0) + (1 - %s) * COALESCE((x.r::float8 - (SELECT min(r::float8) FROM x)) /"
                    " (SELECT max(r::float8) - min(r::float8) FROM x), 0)",
                    weights[i], weights[i])));
    bench_fails(bench, hybrid_call(bench, vector, question_text, ", vector_weight => 1.5"),
        "vector_weight must be between 0 and 1, and is 1.5");
    bench_fails(bench, hybrid_call(bench, vector, question_text, ", vector_weight => 'NaN'"),
        "vector_weight must be between 0 and 1, and is NaN");
}

#define KEYS                                                        \
    "SELECT string_agg(s.id::text, ' ' ORDER BY s.ordinality) FROM" \
    " public.search_embeddings_%s WITH ORDINALITY s"

static void
hybrid_with_one_side(void **state)
{
    static const char *const no_words[] = { "NULL", "''", "'и на с, но или'", "'?!'" };
    struct bench *bench = *state;
    const char *vector = question_near(bench, 3);

    for (size_t i = 0; i < COUNT_OF(no_words); i++)
        same(bench, sql_of(bench, KEYS, sql_of(bench, "hybrid(1, %s, %s)", vector, no_words[i])),
            sql_of(bench, KEYS, sql_of(bench, "basic(1, %s)", vector)));
    same(bench, sql_of(bench, KEYS, "hybrid(1, NULL, 'возврат курьера', 5)"),
        "SELECT string_agg(b.id::text, ' ' ORDER BY b.r DESC, b.id) FROM (SELECT id,"
        " ts_rank(to_tsvector('russian', chunk_text), 'возврат | курьер', 1) AS r FROM"
        " public.knowledge_embeddings WHERE assistant_id = 1 AND to_tsvector('russian', chunk_text)"
        " @@ 'возврат | курьер' ORDER BY 2 DESC, 1 LIMIT 5) b");
    assert_string_equal(
        bench_value(bench, "SELECT count(*) FROM public.search_embeddings_hybrid(1, NULL, NULL)"),
        "0");
    assert_null(bench_value(
        bench, "SELECT max(distance) FROM public.search_embeddings_hybrid(1, NULL, 'возврат')"));
}

/* Words that mean something to tsquery are words all the same. */
static void
hybrid_takes_any_text(void **state)
{
    static const char *const texts[] = { "'it''s \\ слово'", "'a & b | !c <-> (d'", "'\\'",
        "'http://x.ru/a''b\\c?d=1'", "'😀 возврат'", "repeat('возврат слово ', 2000)" };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        bench_rows(bench,
            sql_of(bench, "SELECT * FROM public.search_embeddings_hybrid(1, NULL, %s)", texts[i]));
    bench_exec(bench, "SET standard_conforming_strings = off");
    same(bench,
        "SELECT count(*) > 0 FROM public.search_embeddings_hybrid(1, NULL, E'x\\\\y''z возврат')",
        "SELECT true");
    bench_exec(bench, "RESET standard_conforming_strings");
}

/* ---- the others ---- */

static void
profiles_are_set(void **state)
{
    struct bench *bench = *state;
    const char *now = "SELECT current_setting('ivfflat.probes') || ' ' ||"
                      " current_setting('hnsw.ef_search') || ' ' ||"
                      " current_setting('hnsw.iterative_scan') || ' ' ||"
                      " current_setting('ivfflat.iterative_scan')";

    assert_non_null(strstr(bench_value(bench, "SELECT public.set_vector_search_params('accurate')"),
        "accurate: ivfflat.probes = 20, hnsw.ef_search = 200"));
    assert_string_equal(bench_value(bench, now), "20 200 relaxed_order relaxed_order");
    bench_exec(bench, "BEGIN");
    assert_non_null(
        strstr(bench_value(bench, "SELECT public.set_vector_search_params('fast', true)"),
            "until the end of the transaction"));
    assert_string_equal(bench_value(bench, now), "1 40 off off");
    bench_exec(bench, "COMMIT");
    assert_string_equal(bench_value(bench, now), "20 200 relaxed_order relaxed_order");
    bench_value(bench, "SELECT public.set_vector_search_params('balanced')");
    assert_string_equal(bench_value(bench, now), "10 100 relaxed_order relaxed_order");
    bench_fails(bench, "SELECT public.set_vector_search_params('exact')",
        "unknown profile 'exact': there are fast, balanced and accurate");
    bench_fails(bench, "SELECT public.set_vector_search_params(NULL)", "unknown profile NULL");
}

/* In a session that has not seen a vector yet, pgvector's settings are unknown to the server. */
static void
profiles_in_a_new_session(void **state)
{
    struct bench *bench = *state;
    struct db *db CLEANUP(db_cleanup) = bench_connect(bench, bench->database);
    const char *value;

    must(bench, db_exec(&bench->ctx, db, "SELECT public.set_vector_search_params('accurate')"));
    must(bench,
        db_value(&bench->ctx, db, "SELECT current_setting('hnsw.ef_search')", NULL, 0, &value));
    assert_string_equal(value, "200");
}

/* As the plan calls it. */
static void
analysis_has_a_row_for_each_method(void **state)
{
    struct bench *bench = *state;
    struct result rows;

    bench_exec(bench, "CREATE INDEX by_hnsw ON public.knowledge_embeddings USING hnsw (embedding"
                      " public.vector_cosine_ops)");
    bench_exec(bench, "CREATE INDEX by_bits ON public.knowledge_embeddings USING hnsw"
                      " ((public.binary_quantize(embedding)::bit(32)) public.bit_hamming_ops)");
    bench_exec(bench, "CREATE INDEX \"by l2 %s'\" ON public.knowledge_embeddings USING ivfflat"
                      " (embedding public.vector_l2_ops) WITH (lists = 5)");
    bench_value(bench, "SELECT public.set_vector_search_params('accurate')");
    rows = bench_rows(bench, "SELECT * FROM analyze_vector_search_performance(1, NULL)");
    assert_int_equal(rows.rows, 5);
    assert_string_equal(result_cell(&rows, 0, 0), "exact");
    assert_string_equal(result_cell(&rows, 1, 0), "installed: exact");
    assert_string_equal(result_cell(&rows, 2, 0), "ivfflat index by l2 %s'");
    assert_string_equal(result_cell(&rows, 2, 3), "by l2 %s'");
    assert_string_equal(result_cell(&rows, 3, 0), "hnsw index by_bits");
    assert_non_null(strstr(result_cell(&rows, 3, 3), "by_bits"));
    assert_string_equal(result_cell(&rows, 4, 0), "hnsw index by_hnsw");
    assert_string_equal(result_cell(&rows, 4, 3), "by_hnsw");
    for (size_t i = 0; i < rows.rows; i++) {
        double recall = strtod(result_cell(&rows, i, 4), NULL);

        assert_true(strtod(result_cell(&rows, i, 1), NULL) > 0);
        assert_string_equal(result_cell(&rows, i, 2), "10");
        /* L2 is another order than cosine when the lengths differ, so not all of it is right. */
        assert_true(i < 2 ? recall == 1 : recall <= 1 && recall > 0.3);
    }
    assert_string_equal(
        bench_value(bench, "SELECT count(*) FROM analyze_vector_search_performance(99, NULL)"),
        "0");
    assert_string_equal(bench_value(bench, "SHOW enable_seqscan"), "on");
    assert_string_equal(bench_value(bench, "SHOW hnsw.ef_search"), "200");
    bench_exec(bench, "DROP INDEX public.by_hnsw, public.by_bits, public.\"by l2 %s'\"");
}

#define DUPLICATES                                                                       \
    "SELECT by_hash || ' ' || by_value || ' ' || duplicates || ' ' || deleted || ' ' ||" \
    " left_over FROM public.cleanup_duplicate_embeddings(%s)"

#define REPEAT                                                                    \
    "INSERT INTO public.knowledge_embeddings (user_id, assistant_id, chunk_text," \
    " embedding, importance, chunk_hash) SELECT 1, %s, %s, embedding, %s, %s"     \
    " FROM public.knowledge_embeddings WHERE %s"

static void
cleanup_removes_repetitions_in_batches(void **state)
{
    struct bench *bench = *state;

    assert_string_equal(bench_value(bench, sql_of(bench, DUPLICATES, "")), "0 0 0 0 0");
    bench_exec(bench, "BEGIN");
    /* The same hash, more important: the old one goes. The same hash elsewhere: nothing goes. */
    bench_exec(
        bench, sql_of(bench, REPEAT, "assistant_id", "'anders'", "11", "chunk_hash", "id = 5"));
    bench_exec(bench, sql_of(bench, REPEAT, "3", "chunk_text", "1", "chunk_hash", "id = 6"));
    /* The same text and vector without a hash, less important: the new ones go. */
    bench_exec(bench,
        sql_of(bench, REPEAT, "assistant_id", "chunk_text", "0", "NULL", "id BETWEEN 10 AND 14"));
    /* The same, as important: the older one goes. */
    bench_exec(bench,
        sql_of(bench, REPEAT, "assistant_id", "chunk_text", "importance", "NULL", "id = 20"));
    /* No assistant is an assistant too. */
    bench_exec(bench, sql_of(bench, REPEAT, "NULL", "chunk_text", "0", "NULL", "id = 730"));
    /* The same vector with another text says something else. */
    bench_exec(bench, sql_of(bench, REPEAT, "assistant_id", "'neu'", "0", "NULL", "id = 30"));
    assert_string_equal(bench_value(bench, sql_of(bench, DUPLICATES, "")), "1 7 8 0 8");
    assert_string_equal(
        bench_value(bench, sql_of(bench, DUPLICATES, "dry_run => true")), "1 7 8 0 8");
    assert_string_equal(bench_value(bench, sql_of(bench, DUPLICATES, "false, 3")), "1 7 8 3 5");
    assert_string_equal(bench_value(bench, sql_of(bench, DUPLICATES, "false, 3")), "0 5 5 3 2");
    assert_string_equal(
        bench_value(bench, sql_of(bench, DUPLICATES, "dry_run => false")), "0 2 2 2 0");
    assert_string_equal(bench_value(bench, sql_of(bench, DUPLICATES, "false")), "0 0 0 0 0");
    assert_string_equal(
        bench_value(bench, "SELECT string_agg(g::text, ' ' ORDER BY g) FROM generate_series(1, 737)"
                           " g WHERE g NOT IN (SELECT id FROM public.knowledge_embeddings)"),
        "5 20");
    assert_string_equal(
        bench_value(bench, "SELECT count(*) FROM public.knowledge_embeddings"), "739");
    bench_exec(bench, "ROLLBACK");
    bench_fails(bench, sql_of(bench, DUPLICATES, "NULL"), "dry_run must be true or false");
    bench_fails(bench, sql_of(bench, DUPLICATES, "true, 0"), "batch_size at least 1");
}

static void
advice_without_a_measurement(void **state)
{
    struct bench *bench = *state;
    const char *text = bench_value(bench, "SELECT auto_tune_vector_search()");

    assert_non_null(strstr(text, "There are 737 rows with a vector of 32 dimensions"));
    assert_non_null(strstr(text, "the largest assistant has 600"));
    assert_non_null(strstr(text, "pgmend vector tune"));
}

static int
set_up(void **state)
{
    struct bench *bench = bench_new("vector_functions", "public");
    struct vector_target target = replyx_target();
    struct vector_choice choice;

    bench_exec(bench, "SET search_path = public");
    replyx_set_up(bench);
    vector_choice_exact(bench->ctx.arena, &target, &choice);
    assert_int_equal(install(bench, &choice, "public").left_out.count, 0);
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
        cmocka_unit_test(basic_gives_the_nearest_ones),
        cmocka_unit_test(basic_has_its_columns_and_defaults),
        cmocka_unit_test(limits),
        cmocka_unit_test(bad_questions),
        cmocka_unit_test(by_doc_type_knows_only_the_types),
        cmocka_unit_test(multi_stage_orders_five_times_as_many),
        cmocka_unit_test(batch_answers_each_question),
        cmocka_unit_test(hybrid_fuses_reciprocal_ranks),
        cmocka_unit_test(hybrid_weighs_normalised_scores),
        cmocka_unit_test(hybrid_with_one_side),
        cmocka_unit_test(hybrid_takes_any_text),
        cmocka_unit_test(profiles_are_set),
        cmocka_unit_test(profiles_in_a_new_session),
        cmocka_unit_test(analysis_has_a_row_for_each_method),
        cmocka_unit_test(cleanup_removes_repetitions_in_batches),
        cmocka_unit_test(advice_without_a_measurement),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
