/*
 * Judging on a server: the means are those of rankings that the test makes by itself, from what
 * ts_rank and the distance say of each row, by the published formulas.
 */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "db/db.h"
#include "vector/install/install.h"
#include "vector/judge/judge.h"

enum { ROWS = 90, QUESTIONS = 24, DEPTH = 10, TENANTS = 2 };

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *admin; /* may write */
    struct db *db;    /* as the command's */
    struct vector_target target;
    struct vector_choice choice;
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.hint ? bench->ctx.error.hint : "no hint");
}

static void
run(struct bench *bench, const char *sql)
{
    must(bench, db_exec(&bench->ctx, bench->admin, sql));
}

static struct db *
connect_to(struct bench *bench, const char *database, enum access access)
{
    struct db_options options = { .database = database, .application = "test", .access = access };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

/* ---- the table ---- */

/* Words of different lengths, so that two texts seldom have the same rank. */
static const char *
make_text(struct bench *bench, struct test_random *random, size_t least, size_t most)
{
    static const char *const words[] = { "pay", "card", "invoice", "refund", "ship", "parcel",
        "courier", "account", "password", "login", "price", "discount", "coupon", "return", "size",
        "color", "order", "cancel", "phone", "mail" };
    struct buffer text = { .arena = bench->ctx.arena };
    size_t count = least + test_random_below(random, most - least + 1);

    for (size_t i = 0; i < count; i++)
        buffer_printf(
            &text, "%s%s", i > 0 ? " " : "", words[test_random_below(random, COUNT_OF(words))]);
    return buffer_text(&text);
}

static const char *
make_vector(struct bench *bench, struct test_random *random)
{
    double parts[3];

    for (size_t i = 0; i < COUNT_OF(parts); i++)
        parts[i] = (double)test_random_below(random, 2001) / 1000 - 1.0;
    return arena_printf(bench->ctx.arena, "[%.3f,%.3f,%.3f]", parts[0], parts[1], parts[2] + 3);
}

static void
fill(struct bench *bench)
{
    struct test_random random = { .state = 77 };

    run(bench, "CREATE EXTENSION vector SCHEMA public");
    run(bench, "CREATE SCHEMA \"Odd\"");
    run(bench, "CREATE TABLE \"Odd\".\"Chunks 'n\" (\"K ey\" int PRIMARY KEY, owner int NOT NULL, "
               "\"Bo dy\" text, \"E\" public.vector(3))");
    for (int i = 1; i <= ROWS; i++) {
        /* One after the other: compilers differ in the order of arguments, and rows would differ. */
        const char *vector = make_vector(bench, &random);
        const char *text = make_text(bench, &random, 3, 40);

        run(bench, arena_printf(bench->ctx.arena,
                       "INSERT INTO \"Odd\".\"Chunks 'n\" VALUES (%d, %d, '%s', '%s')", i,
                       1 + i % TENANTS, text, vector));
    }
}

static void
install(struct bench *bench)
{
    struct vector_functions functions;

    vector_choice_exact(bench->ctx.arena, &bench->target, &bench->choice);
    must(bench, vector_functions_make(&bench->ctx, &bench->choice, "Odd", &functions));
    for (size_t i = 0; i < functions.items.count; i++)
        if (text_equal(functions.items.items[i].name, "search_embeddings_hybrid"))
            run(bench, functions.items.items[i].statement);
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    struct db *maker;

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "vector_judge_%d", (int)getpid());
    maker = connect_to(bench, "postgres", ACCESS_WRITE);
    run(&(struct bench){ .ctx = bench->ctx, .admin = maker },
        arena_printf(arena, "CREATE DATABASE %s TEMPLATE template0", bench->database));
    db_close(maker);
    bench->admin = connect_to(bench, bench->database, ACCESS_WRITE);
    bench->db = connect_to(bench, bench->database, ACCESS_READ);
    bench->target = (struct vector_target){ .schema = "Odd",
        .table = "Chunks 'n",
        .key = "K ey",
        .key_type = "integer",
        .column = "E",
        .type = "vector",
        .dims = 3,
        .metric = METRIC_COSINE,
        .tenant = "owner",
        .tenant_type = "integer",
        .limit = DEPTH,
        .text = "Bo dy",
        .text_config = "english",
        .extension_schema = "public",
        .extension_version = "0.8.0",
        .extension_number = 800 };
    fill(bench);
    install(bench);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;
    struct db *maker;

    if (!bench)
        return 0;
    db_close(bench->db);
    db_close(bench->admin);
    maker = connect_to(bench, "postgres", ACCESS_WRITE);
    must(bench,
        db_exec(&bench->ctx, maker,
            arena_printf(bench->ctx.arena, "DROP DATABASE %s WITH (FORCE)", bench->database)));
    db_close(maker);
    arena_free(bench->ctx.arena);
    return 0;
}

/* ---- rankings of the test's own ---- */

/* One row of a tenant with what it is worth to a question. */
struct row {
    int key;
    double rank; /* ts_rank; below 0: no word of the question is in it */
    double distance;
    size_t text_place; /* 0: none */
    size_t vector_place;
    double score;
};

struct scene {
    struct row rows[ROWS];
    size_t count;
};

static double
number(const struct result *result, size_t row, size_t column)
{
    double value = (double)NAN;

    if (!text_to_double(result_cell(result, row, column), &value))
        fail_msg("\"%s\" is not a number", result_cell(result, row, column));
    return value;
}

static void
read_scene(struct bench *bench, const struct judged_query *query, struct scene *ret)
{
    const char *params[] = { query->tenant, query->text, query->values };
    struct result result;

    must(bench,
        db_query(&bench->ctx, bench->admin,
            "SELECT t.\"K ey\", CASE WHEN d.tsv @@ q.tsq THEN ts_rank(d.tsv, q.tsq, 1) ELSE -1 END,"
            " t.\"E\" OPERATOR(public.<=>) $3::public.vector"
            " FROM \"Odd\".\"Chunks 'n\" AS t,"
            " LATERAL (SELECT to_tsvector('english', t.\"Bo dy\") AS tsv) AS d,"
            " (SELECT replace(plainto_tsquery('english', $2)::text, '&', '|')::tsquery AS tsq) AS q"
            " WHERE $1::text IS NULL OR t.owner::text = $1",
            params, COUNT_OF(params), &result));
    ret->count = result.rows;
    for (size_t i = 0; i < result.rows; i++)
        ret->rows[i] = (struct row){ .key = (int)number(&result, i, 0),
            .rank = number(&result, i, 1),
            .distance = number(&result, i, 2) };
    for (size_t i = 0; i < ret->count; i++) {
        struct row *row = &ret->rows[i];

        row->vector_place = 1;
        row->text_place = row->rank >= 0;
        for (size_t j = 0; j < ret->count; j++) {
            const struct row *other = &ret->rows[j];

            row->vector_place += other->distance < row->distance ||
                                 (other->distance <= row->distance && other->key < row->key);
            row->text_place +=
                row->text_place > 0 && other->rank >= 0 &&
                (other->rank > row->rank || (other->rank >= row->rank && other->key < row->key));
        }
    }
}

/* (x - min) / (max - min) over those that the text side found. */
static double
text_share(const struct scene *scene, const struct row *row)
{
    double least = (double)INFINITY;
    double most = -(double)INFINITY;

    for (size_t i = 0; i < scene->count; i++) {
        if (scene->rows[i].rank < 0)
            continue;
        least = fmin(least, scene->rows[i].rank);
        most = fmax(most, scene->rows[i].rank);
    }
    if (row->rank < 0)
        return 0;
    return most > least ? (row->rank - least) / (most - least) : 1;
}

static double
vector_share(const struct scene *scene, const struct row *row)
{
    double least = (double)INFINITY;
    double most = -(double)INFINITY;

    for (size_t i = 0; i < scene->count; i++) {
        least = fmin(least, scene->rows[i].distance);
        most = fmax(most, scene->rows[i].distance);
    }
    return most > least ? (most - row->distance) / (most - least) : 1;
}

enum way { WAY_TEXT, WAY_VECTOR, WAY_RANKS, WAY_WEIGHT };

static double
score_of(const struct scene *scene, const struct row *row, enum way way, double weight)
{
    switch (way) {
    case WAY_TEXT:
        return row->rank;
    case WAY_VECTOR:
        return -row->distance;
    case WAY_RANKS:
        return 1 / (60.0 + (double)row->vector_place) +
               (row->text_place > 0 ? 1 / (60.0 + (double)row->text_place) : 0);
    case WAY_WEIGHT:
        break;
    }
    return weight * vector_share(scene, row) + (1 - weight) * text_share(scene, row);
}

static int
compare_rows(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;

    if (fabs(left->score - right->score) > 1e-12)
        return left->score < right->score ? 1 : -1;
    /* As the functions say: of the same score the nearer one first. */
    if (left->distance != right->distance)
        return left->distance > right->distance ? 1 : -1;
    return left->key - right->key;
}

/* Keys of the first ten; the scene is a copy of its own. */
static size_t
rank_rows(struct scene scene, enum way way, double weight, int *keys)
{
    size_t count = 0;

    for (size_t i = 0; i < scene.count; i++) {
        if (way == WAY_TEXT && scene.rows[i].rank < 0)
            continue;
        scene.rows[count] = scene.rows[i];
        count++;
    }
    for (size_t i = 0; i < count; i++)
        scene.rows[i].score = score_of(&scene, &scene.rows[i], way, weight);
    /* Who asks by text alone has nothing to be near to. */
    for (size_t i = 0; i < count && way == WAY_TEXT; i++)
        scene.rows[i].distance = 0;
    qsort(scene.rows, count, sizeof(scene.rows[0]), compare_rows);
    for (size_t i = 0; i < count && i < DEPTH; i++)
        keys[i] = scene.rows[i].key;
    return count < DEPTH ? count : DEPTH;
}

/* ---- questions ---- */

struct wanted {
    double ndcg;
    double mrr;
    double recall;
};

/* Every question has grades 3, 2, 2, 1 for four rows of its tenant; the ideal is the same for all. */
static const int grades[] = { 3, 2, 2, 1 };

static void
add_to(struct wanted *wanted, const struct judged_query *query, const int *keys, size_t count)
{
    double gained = 0;
    double ideal = 7 / log2(2) + 3 / log2(3) + 3 / log2(4) + 1 / log2(5);
    size_t first = 0;
    size_t found = 0;
    size_t relevant = COUNT_OF(grades);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < COUNT_OF(grades); j++) {
            int64_t key = 0;

            assert_true(text_to_int64(query->keys.items[j], &key));
            if (key != keys[i])
                continue;
            gained += (pow(2, grades[j]) - 1) / log2((double)i + 2);
            first = first == 0 ? i + 1 : first;
            found++;
        }
    }
    wanted->ndcg += gained / ideal;
    wanted->mrr += first > 0 ? 1 / (double)first : 0;
    wanted->recall += (double)found / (double)relevant;
}

static struct judged_queries
make_questions(struct bench *bench, bool with_tenant)
{
    struct judged_queries queries = { 0 };
    struct test_random random = { .state = 4711 };

    for (size_t i = 0; i < QUESTIONS; i++) {
        size_t tenant = 1 + i % TENANTS;
        struct judged_query query = { .text = make_text(bench, &random, 2, 4),
            .values = make_vector(bench, &random),
            .tenant = with_tenant ? arena_printf(bench->ctx.arena, "%zu", tenant) : NULL,
            .line = i + 1 };

        for (size_t j = 0; j < COUNT_OF(grades); j++) {
            /* Rows of tenant t have keys with the remainder t - 1. */
            size_t key = (j * 10 + test_random_below(&random, 10)) * TENANTS + tenant - 1;

            key = key == 0 ? TENANTS * 44 : key;
            text_list_add(
                bench->ctx.arena, &query.keys, arena_printf(bench->ctx.arena, "%zu", key));
            VEC_PUSH(bench->ctx.arena, &query.grades, (double)grades[j]);
        }
        VEC_PUSH(bench->ctx.arena, &queries, query);
    }
    return queries;
}

static struct wanted
wanted_of(struct bench *bench, const struct judged_queries *queries, enum way way, double weight)
{
    struct wanted wanted = { 0 };

    for (size_t i = 0; i < queries->count; i++) {
        struct scene scene;
        int keys[DEPTH];
        size_t count;

        read_scene(bench, &queries->items[i], &scene);
        count = rank_rows(scene, way, weight, keys);
        add_to(&wanted, &queries->items[i], keys, count);
    }
    wanted.ndcg /= (double)queries->count;
    wanted.mrr /= (double)queries->count;
    wanted.recall /= (double)queries->count;
    return wanted;
}

static void
check_way(const struct judge_scores *found, const char *name, struct wanted wanted)
{
    assert_string_equal(found->way, name);
    if (fabs(found->ndcg.value - wanted.ndcg) > 1e-9 ||
        fabs(found->mrr.value - wanted.mrr) > 1e-9 ||
        fabs(found->recall.value - wanted.recall) > 1e-9)
        fail_msg("%s: nDCG %.9f, MRR %.9f, recall %.9f, not %.9f, %.9f, %.9f", name,
            found->ndcg.value, found->mrr.value, found->recall.value, wanted.ndcg, wanted.mrr,
            wanted.recall);
    assert_true(wanted.ndcg > 0.02 && wanted.ndcg < 0.98);
    assert_true(found->ndcg.low < found->ndcg.value && found->ndcg.value < found->ndcg.high);
}

static void
check_all_ways(
    struct bench *bench, const struct judged_queries *queries, const struct judgement *judgement)
{
    assert_int_equal(judgement->ways.count, 12);
    assert_int_equal(judgement->missing, 0);
    check_way(&judgement->ways.items[0], "text", wanted_of(bench, queries, WAY_TEXT, 0));
    check_way(&judgement->ways.items[1], "vector", wanted_of(bench, queries, WAY_VECTOR, 0));
    check_way(&judgement->ways.items[2], "both, reciprocal ranks",
        wanted_of(bench, queries, WAY_RANKS, 0));
    for (int i = 1; i <= 9; i++)
        check_way(&judgement->ways.items[2 + i],
            arena_printf(bench->ctx.arena, "both, 0.%d vector", i),
            wanted_of(bench, queries, WAY_WEIGHT, i / 10.0));
}

/* ---- tests ---- */

static void
scores_are_those_of_the_formulas(void **state)
{
    struct bench *bench = *state;
    struct judged_queries queries = make_questions(bench, true);
    struct judgement judgement;

    must(bench, judge_run(&bench->ctx, bench->db, &bench->choice, &queries, NULL, &judgement));
    check_all_ways(bench, &queries, &judgement);
    assert_int_equal(judgement.questions, QUESTIONS);
    assert_string_equal(judgement.function, "\"Odd\".search_embeddings_hybrid");
    assert_non_null(judgement.why);
}

/* Beyond fifty candidates a side the rankings of the test would be others: half of the rows go. */
static void
a_table_without_tenants_is_one(void **state)
{
    struct bench *bench = *state;
    struct judged_queries queries = make_questions(bench, false);
    struct judgement judgement;

    run(bench, "UPDATE \"Odd\".\"Chunks 'n\" SET owner = 1");
    run(bench, "DELETE FROM \"Odd\".\"Chunks 'n\" WHERE \"K ey\" > 88 OR \"K ey\" % 9 < 4");
    for (size_t i = 0; i < queries.count; i++)
        for (size_t j = 0; j < COUNT_OF(grades); j++) {
            int64_t key = 0;

            assert_true(text_to_int64(queries.items[i].keys.items[j], &key));
            /* The rows that are left have remainders 4 … 8; tens differ, so keys do. */
            key = ((int64_t)j * 2 + key % 2) * 9 + 4 + key % 5;
            queries.items[i].keys.items[j] = arena_printf(bench->ctx.arena, "%lld", (long long)key);
        }
    run(bench, "DROP FUNCTION \"Odd\".search_embeddings_hybrid");
    bench->target.tenant = NULL;
    bench->target.tenant_type = NULL;
    install(bench);
    must(bench, judge_run(&bench->ctx, bench->db, &bench->choice, &queries, NULL, &judgement));
    check_all_ways(bench, &queries, &judgement);
}

static struct judged_queries
parse(struct bench *bench, const char *text)
{
    struct judged_queries queries;

    must(bench, judged_parse(&bench->ctx, "q.jsonl", text, strlen(text), &bench->target, &queries));
    return queries;
}

static void
a_question_is_asked_by_what_it_has(void **state)
{
    struct bench *bench = *state;
    struct judged_queries queries = parse(bench,
        "{\"query\": \"refund\", \"tenant\": 1, \"relevant\": [2]}\n"
        "{\"query\": \"the and of\", \"tenant\": 1, \"relevant\": [2]}\n"
        "{\"query\": \"unheard\", \"tenant\": 2, \"embedding\": [1, 2, 3], \"relevant\": [1]}\n"
        "{\"tenant\": \"2\", \"embedding\": [1, 2, 3], \"relevant\": [1]}\n"
        "{\"tenant\": 3, \"embedding\": [1, 2, 3], \"relevant\": [1]}\n");
    struct judgement judgement;

    must(bench, judge_run(&bench->ctx, bench->db, &bench->choice, &queries, NULL, &judgement));
    assert_int_equal(judgement.ways.items[0].questions, 3);
    assert_int_equal(judgement.ways.items[0].empty, 2);
    assert_int_equal(judgement.ways.items[1].questions, 3);
    assert_int_equal(judgement.ways.items[1].empty, 1);
    for (size_t i = 2; i < judgement.ways.count; i++) {
        assert_int_equal(judgement.ways.items[i].questions, 1);
        assert_int_equal(judgement.ways.items[i].empty, 0);
    }
    assert_true(judgement.proposed_weight < 0);
    assert_non_null(strstr(judgement.why, "Only 1 question"));
}

static void
rows_that_are_not_there_are_named(void **state)
{
    struct bench *bench = *state;
    struct judged_queries queries =
        parse(bench, "{\"query\": \"refund\", \"tenant\": 1, \"relevant\": [2, 7, 901]}\n"
                     "\n"
                     "{\"query\": \"refund\", \"tenant\": 2, \"relevant\": [\" 007\", 902]}\n");
    struct judgement judgement;

    must(bench, judge_run(&bench->ctx, bench->db, &bench->choice, &queries, NULL, &judgement));
    assert_int_equal(judgement.missing, 3);
    assert_int_equal(judgement.missing_names.count, 3);
    assert_string_equal(judgement.missing_names.items[0], "line 1: 7 (of another tenant)");
    assert_string_equal(judgement.missing_names.items[1], "line 1: 901");
    assert_string_equal(judgement.missing_names.items[2], "line 3: 902");
}

static void
what_is_no_key_is_told_with_its_line(void **state)
{
    static const char *const lines[][2] = {
        { "{\"query\": \"q\", \"tenant\": 1, \"relevant\": [\"x'y\"]}", "\"x'y\"" },
        { "{\"query\": \"q\", \"tenant\": 1, \"relevant\": [99999999999]}", "out of range" },
        { "{\"query\": \"q\", \"tenant\": \"anna\", \"relevant\": [1]}", "\"anna\"" },
        { "{\"query\": \"q\", \"tenant\": 1, \"relevant\": [2, \"02\"]}", "row 2 twice" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct judged_queries queries = parse(
            bench, arena_printf(bench->ctx.arena,
                       "{\"query\": \"q\", \"tenant\": 1, \"relevant\": [2]}\n%s\n", lines[i][0]));
        struct judgement judgement;

        error_clear(&bench->ctx);
        assert_false(judge_run(&bench->ctx, bench->db, &bench->choice, &queries, NULL, &judgement));
        assert_error(&bench->ctx, ERR_INPUT, lines[i][1]);
        assert_error(&bench->ctx, ERR_INPUT, "line 2");
    }
}

static void
only_the_function_of_this_table_is_asked(void **state)
{
    struct bench *bench = *state;
    struct judged_queries queries =
        parse(bench, "{\"query\": \"q\", \"tenant\": 1, \"relevant\": [1]}");
    struct judgement judgement;

    run(bench, "DROP FUNCTION \"Odd\".search_embeddings_hybrid");
    run(bench, "CREATE FUNCTION public.search_embeddings_hybrid(int, public.vector, text, int, "
               "float8) RETURNS TABLE (id int) LANGUAGE sql AS 'SELECT 1'");
    assert_false(judge_run(&bench->ctx, bench->db, &bench->choice, &queries, NULL, &judgement));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "no function search_embeddings_hybrid for table");
    assert_non_null(strstr(bench->ctx.error.hint, "pgmend vector install"));
}

static void
a_lost_session_is_told_and_nothing_hangs(void **state)
{
    struct bench *bench = *state;
    struct judged_queries queries = make_questions(bench, true);
    struct judgement judgement;

    run(bench, arena_printf(bench->ctx.arena, "SELECT pg_terminate_backend(%d, 10000)",
                   db_backend_pid(bench->db)));
    assert_false(judge_run(&bench->ctx, bench->db, &bench->choice, &queries, NULL, &judgement));
    assert_int_equal(bench->ctx.error.kind, ERR_CONNECTION);
}

#define test_with_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(scores_are_those_of_the_formulas),
        test_with_bench(a_table_without_tenants_is_one),
        test_with_bench(a_question_is_asked_by_what_it_has),
        test_with_bench(rows_that_are_not_there_are_named),
        test_with_bench(what_is_no_key_is_told_with_its_line),
        test_with_bench(only_the_function_of_this_table_is_asked),
        test_with_bench(a_lost_session_is_told_and_nothing_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
