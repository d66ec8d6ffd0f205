/* Judged questions as they are read, and their scores against numbers worked out elsewhere. */
#include "support/test.h"

#include <math.h>

#include "vector/judge/score.h"

static const struct vector_target with_tenant = { .table = "chunks",
    .column = "embedding",
    .type = "vector",
    .dims = 3,
    .metric = METRIC_COSINE,
    .tenant = "assistant_id" };

static const struct vector_target without_tenant = { .table = "chunks",
    .column = "embedding",
    .type = "halfvec",
    .dims = 3,
    .metric = METRIC_L2 };

#define assert_near(value, wanted) assert_within((value), (wanted), 1e-9)
#define assert_within(value, wanted, most)                                                 \
    do {                                                                                   \
        if (!(fabs((value) - (wanted)) <= (most)))                                         \
            fail_msg("%s is %.12g, not %.12g", #value, (double)(value), (double)(wanted)); \
    } while (0)

static bool
parse(struct ctx *ctx, const struct vector_target *target, const char *text,
    struct judged_queries *ret)
{
    return judged_parse(ctx, "judged.jsonl", text, strlen(text), target, ret);
}

/* ---- the file ---- */

static void
questions_are_read_with_what_they_have(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf"
        "{\"query\": \"как \\\"платить\\\"\", \"embedding\": [1, -0.5, 1e-3], \"tenant\": 42, "
        "\"relevant\": {\"17\": 2, \"12\": 0.5, \"9\": 0}}\r\n"
        "\n"
        " \t\n"
        "{\"id\": 7, \"tenant\": \"б\", \"query\": null, \"embedding\": [0, 0, 0.1], "
        "\"relevant\": [3, \"x y\"]}\n"
        "{\"tenant\": -1, \"query\": \"q\", \"relevant\": [3]}";
    struct ctx *ctx = *state;
    struct judged_queries queries;
    const struct judged_query *query;

    if (!parse(ctx, &with_tenant, text, &queries))
        fail_msg("%s", ctx->error.message);
    assert_int_equal(queries.count, 3);

    query = &queries.items[0];
    assert_string_equal(query->text, "как \"платить\"");
    assert_string_equal(query->values, "[1,-0.5,0.00100000005]");
    assert_string_equal(query->tenant, "42");
    assert_int_equal(query->line, 1);
    assert_int_equal(query->keys.count, 2);
    assert_string_equal(query->keys.items[0], "17");
    assert_string_equal(query->keys.items[1], "12");
    assert_int_equal(query->grades.count, 2);
    assert_near(query->grades.items[0], 2);
    assert_near(query->grades.items[1], 0.5);

    query = &queries.items[1];
    assert_null(query->text);
    assert_string_equal(query->tenant, "б");
    assert_int_equal(query->line, 4);
    assert_int_equal(query->keys.count, 2);
    assert_string_equal(query->keys.items[0], "3");
    assert_string_equal(query->keys.items[1], "x y");
    assert_near(query->grades.items[1], 1);

    query = &queries.items[2];
    assert_null(query->values);
    assert_string_equal(query->tenant, "-1");
    assert_int_equal(query->line, 5);
}

struct wrong {
    const struct vector_target *target;
    const char *line; /* the second of the file */
    const char *message;
};

static void
what_is_wrong_is_told_with_its_line(void **state)
{
    /* clang-format off */
    static const struct wrong wrongs[] = {
        { &without_tenant, "{\"query\": \"q\", \"relevant\": [1]", "is not JSON" },
        { &without_tenant, "{\"query\": \"q\", \"query\": \"r\", \"relevant\": [1]}", "is not JSON" },
        { &without_tenant, "{\"query\": \"\xff\", \"relevant\": [1]}", "is not JSON" },
        { &without_tenant, "{\"query\": \"q\", \"embedding\": [NaN, 1, 1], \"relevant\": [1]}", "is not JSON" },
        { &without_tenant, "{\"query\": \"q\", \"embedding\": [1e999, 1, 1], \"relevant\": [1]}", "is not JSON" },
        { &without_tenant, "[{\"query\": \"q\", \"relevant\": [1]}]", "is an array, not an object" },
        { &without_tenant, "17", "is a number, not an object" },
        { &without_tenant, "{\"querry\": \"q\", \"relevant\": [1]}", "member \"querry\"" },
        { &without_tenant, "{\"query\": 3, \"relevant\": [1]}", "\"query\" is a number" },
        { &without_tenant, "{\"relevant\": [1]}", "neither \"query\" nor \"embedding\"" },
        { &without_tenant, "{\"query\": \" \", \"relevant\": [1]}", "neither \"query\" nor \"embedding\"" },
        { &without_tenant, "{\"query\": \"q\"}", "\"relevant\" is missing" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": 1}", "\"relevant\" is a number" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": []}", "names no relevant row" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": {}}", "names no relevant row" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": {\"1\": 0}}", "names no relevant row" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": {\"1\": -1}}", "grade of \"1\" is -1" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": {\"1\": 31}}", "grade of \"1\" is 31" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": {\"1\": true}}", "grade of \"1\" is a truth value" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": [1.5]}", "\"relevant\" holds a number" },
        { &without_tenant, "{\"query\": \"q\", \"relevant\": [1, \"1\"]}", "names \"1\" twice" },
        { &without_tenant, "{\"embedding\": \"[1,2,3]\", \"relevant\": [1]}", "not an array of numbers" },
        { &without_tenant, "{\"embedding\": [], \"relevant\": [1]}", "is empty" },
        { &without_tenant, "{\"embedding\": [1, 2], \"relevant\": [1]}", "2 dimensions, column chunks.embedding has 3" },
        { &without_tenant, "{\"embedding\": [1, null, 2], \"relevant\": [1]}", "dimension 2 of \"embedding\" is null" },
        { &without_tenant, "{\"embedding\": [1, 2, 65505], \"relevant\": [1]}", "dimension 3 of \"embedding\" is out of the range of halfvec" },
        { &with_tenant, "{\"embedding\": [1, 2, 4e38], \"tenant\": 1, \"relevant\": [1]}", "out of the range of vector" },
        { &with_tenant, "{\"embedding\": [0, 0.0, -0.0], \"tenant\": 1, \"relevant\": [1]}", "no direction" },
        { &with_tenant, "{\"query\": \"q\", \"relevant\": [1]}", "no \"tenant\", but the searches filter by assistant_id" },
        { &with_tenant, "{\"query\": \"q\", \"tenant\": null, \"relevant\": [1]}", "no \"tenant\"" },
        { &with_tenant, "{\"query\": \"q\", \"tenant\": true, \"relevant\": [1]}", "\"tenant\" is a truth value" },
        { &without_tenant, "{\"query\": \"q\", \"tenant\": 1, \"relevant\": [1]}", "has a \"tenant\"" },
    };
    /* clang-format on */
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        const char *good = wrongs[i].target == &with_tenant
                               ? "{\"query\": \"q\", \"tenant\": 1, \"relevant\": [1]}"
                               : "{\"query\": \"q\", \"relevant\": [1]}";
        struct judged_queries queries;

        error_clear(ctx);
        if (parse(ctx, wrongs[i].target,
                arena_printf(ctx->arena, "%s\n%s\n%s\n", good, wrongs[i].line, good), &queries))
            fail_msg("was taken: %s", wrongs[i].line);
        assert_error(ctx, ERR_INPUT, wrongs[i].message);
        assert_error(ctx, ERR_INPUT, "judged.jsonl:2:");
    }
}

static void
a_file_without_questions_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct judged_queries queries;

    assert_false(parse(ctx, &without_tenant, "", &queries));
    assert_error(ctx, ERR_INPUT, "judged.jsonl: holds no questions");
    assert_false(parse(ctx, &without_tenant, "\n \r\n", &queries));
    assert_error(ctx, ERR_INPUT, "holds no questions");
    assert_false(judged_parse(ctx, "judged.jsonl", "{}\0", 3, &without_tenant, &queries));
    assert_error(ctx, ERR_INPUT, "judged.jsonl:1:");
    assert_false(judged_read(ctx, "/nowhere/judged.jsonl", &without_tenant, &queries));
    assert_error(ctx, ERR_IO, "/nowhere/judged.jsonl");
}

/* ---- scores ---- */

static struct text_list
words(struct ctx *ctx, const char *text)
{
    struct text_list list = { 0 };

    while (*text) {
        size_t length = strcspn(text, " ");

        text_list_add(ctx->arena, &list, arena_strndup(ctx->arena, text, length));
        text += length;
        text += strspn(text, " ");
    }
    return list;
}

static struct judged_query
judged(struct ctx *ctx, const char *keys, const double *grades)
{
    struct judged_query query = { .keys = words(ctx, keys) };

    for (size_t i = 0; i < query.keys.count; i++)
        VEC_PUSH(ctx->arena, &query.grades, grades ? grades[i] : 1.0);
    return query;
}

/*
 * By hand: gains 2^grade - 1 of 7 3 7 0 1 3 over log2(2 … 7) are 13.848264; the ideal order of all
 * that is relevant, 7 7 7 3 3 3 1, gives 18.771051.
 */
static void
graded_answers_score_as_by_hand(void **state)
{
    static const double grades[] = { 3, 2, 3, 1, 2, 3, 2 };
    struct ctx *ctx = *state;
    struct judged_query query = judged(ctx, "d1 d2 d3 d5 d6 d7 d8", grades);
    struct text_list ranked = words(ctx, "d1 d2 d3 d4 d5 d6");

    assert_within(judge_ndcg(&ranked, &query, 10), 13.848264 / 18.771051, 1e-6);
    assert_near(judge_ndcg(&ranked, &query, 10), 0.7377457678129336);
    assert_near(judge_mrr(&ranked, &query, 10), 1);
    assert_near(judge_recall(&ranked, &query, 10), 5.0 / 7);
    /* At depth 3: (7 + 3/log2 3 + 7/2) / (7 + 7/log2 3 + 7/2). */
    assert_near(judge_ndcg(&ranked, &query, 3), (10.5 + 3 / log2(3)) / (10.5 + 7 / log2(3)));
    assert_near(judge_recall(&ranked, &query, 3), 3.0 / 7);
}

static void
only_the_first_ten_count(void **state)
{
    struct ctx *ctx = *state;
    struct judged_query query = judged(ctx, "k l", NULL);
    struct text_list ranked = words(ctx, "a b k c d e f g h i l");

    /* 1/log2 4 over 1 + 1/log2 3. */
    assert_near(judge_ndcg(&ranked, &query, 10), 0.5 / (1 + 1 / log2(3)));
    assert_near(judge_mrr(&ranked, &query, 10), 1.0 / 3);
    assert_near(judge_recall(&ranked, &query, 10), 0.5);
    assert_near(judge_recall(&ranked, &query, 11), 1);
    ranked = words(ctx, "a b c d e f g h i j k l");
    assert_near(judge_ndcg(&ranked, &query, 10), 0);
    assert_near(judge_mrr(&ranked, &query, 10), 0);
}

static void
a_row_that_comes_twice_counts_once(void **state)
{
    struct ctx *ctx = *state;
    struct judged_query query = judged(ctx, "k l", NULL);
    struct text_list ranked = words(ctx, "k k k");

    assert_near(judge_ndcg(&ranked, &query, 10), 1 / (1 + 1 / log2(3)));
    assert_near(judge_recall(&ranked, &query, 10), 0.5);
}

static void
no_answer_scores_nothing_and_the_best_one_all(void **state)
{
    static const double grades[] = { 0.5, 2.5, 1, 1, 1, 2.5, 3, 1, 1, 1, 1, 1 };
    struct ctx *ctx = *state;
    struct judged_query query = judged(ctx, "a b c d e f g h i j k l", grades);
    struct text_list ranked = { 0 };

    assert_near(judge_ndcg(&ranked, &query, 10), 0);
    assert_near(judge_mrr(&ranked, &query, 10), 0);
    assert_near(judge_recall(&ranked, &query, 10), 0);
    ranked = words(ctx, "g f b l k j i h e d");
    assert_near(judge_ndcg(&ranked, &query, 10), 1);
    assert_near(judge_recall(&ranked, &query, 10), 10.0 / 12);
}

/* ---- intervals ---- */

/*
 * Means of resamples of zeros and ones are binomial, so their quantiles are known: computed from
 * the sums of the binomial distribution.
 */
static void
the_interval_is_that_of_the_binomial_distribution(void **state)
{
    struct ctx *ctx = *state;
    double values[400] = { 0 };
    struct vector_interval interval;

    for (size_t i = 0; i < 30; i++)
        values[i * 3] = 1;
    interval = judge_interval(ctx->arena, values, 100);
    assert_near(interval.value, 0.30);
    assert_within(interval.low, 0.21, 0.0101);
    assert_within(interval.high, 0.39, 0.0101);

    for (size_t i = 0; i < COUNT_OF(values); i++)
        values[i] = i < 3;
    interval = judge_interval(ctx->arena, values, COUNT_OF(values));
    assert_near(interval.value, 0.0075);
    assert_within(interval.low, 0.0, 0.0001);
    assert_within(interval.high, 0.0175, 0.0026);
}

static void
the_interval_is_the_same_each_time(void **state)
{
    struct ctx *ctx = *state;
    double values[] = { 0.1, 0.9, 0.4, 0.7, 0.2 };
    struct vector_interval first = judge_interval(ctx->arena, values, COUNT_OF(values));
    struct vector_interval second = judge_interval(ctx->arena, values, COUNT_OF(values));

    assert_memory_equal(&first, &second, sizeof(first));
    assert_true(first.low >= 0.1 && first.low < first.value);
    assert_true(first.high <= 0.9 && first.high > first.value);
    assert_true(isnan(judge_interval(ctx->arena, values, 0).value));
}

/* ---- the proposal ---- */

enum { TEXT, VECTOR, RANKS, FIRST_WEIGHT, WAYS = FIRST_WEIGHT + 9, QUESTIONS = 200 };

struct scene {
    struct judge_way ways[WAYS];
    struct judge_shot shots[WAYS][QUESTIONS];
    struct test_random random;
};

static double
uniform(struct test_random *random)
{
    return (double)(test_random_next(random) >> 11) / 9007199254740992.0;
}

/* Every way is as good as any other: each score is drawn anew. */
static struct scene *
scene_new(struct ctx *ctx, uint64_t seed)
{
    struct scene *scene = ARENA_NEW(ctx->arena, struct scene);

    scene->random = (struct test_random){ .state = seed };
    for (size_t i = 0; i < WAYS; i++) {
        double weight = ((double)i - FIRST_WEIGHT + 1) / 10;

        scene->ways[i] = (struct judge_way){ .name = i == TEXT     ? "text"
                                                     : i == VECTOR ? "vector"
                                                                   : "both",
            .weight = i == RANKS  ? -1
                      : i < RANKS ? (double)NAN
                                  : weight,
            .uses_text = i != VECTOR,
            .uses_vector = i != TEXT,
            .shots = scene->shots[i] };
        for (size_t j = 0; j < QUESTIONS; j++)
            scene->shots[i][j] =
                (struct judge_shot){ .was_asked = true, .ndcg = uniform(&scene->random) };
    }
    return scene;
}

static void
add_to(struct scene *scene, size_t way, double more)
{
    for (size_t j = 0; j < QUESTIONS; j++)
        scene->shots[way][j].ndcg += more;
}

/* Sides that do not play a part. */
static void
weaken_sides(struct scene *scene)
{
    add_to(scene, TEXT, -1);
    add_to(scene, VECTOR, -1);
}

static void
a_weight_that_is_better_is_proposed(void **state)
{
    struct ctx *ctx = *state;
    struct scene *scene = scene_new(ctx, 11);
    struct judgement judgement = { 0 };

    weaken_sides(scene);
    add_to(scene, FIRST_WEIGHT + 6, 0.4);
    judge_propose(ctx->arena, scene->ways, WAYS, QUESTIONS, &judgement);
    assert_near(judgement.proposed_weight, 0.7);
    assert_non_null(strstr(judgement.why, "0.7 is the best"));
    assert_null(strstr(judgement.why, "alone"));
}

/*
 * Of nine weights that are noise the best looks better than ranks on the questions it was chosen
 * by. Tried on others it does not, in nearly all of many draws: 2.5 % is the size of the test.
 */
static void
luck_is_not_proposed(void **state)
{
    enum { DRAWS = 60, MOST_LUCKY = 6 };
    struct ctx *ctx = *state;
    size_t proposed = 0;
    size_t looked_better = 0;

    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        struct scene *scene = scene_new(ctx, seed * 7919);
        struct judgement judgement = { 0 };
        double best = -1;
        double ranks = 0;

        weaken_sides(scene);
        for (size_t i = RANKS; i < WAYS; i++) {
            double sum = 0;

            for (size_t j = 0; j < QUESTIONS; j++)
                sum += scene->shots[i][j].ndcg;
            ranks = i == RANKS ? sum : ranks;
            best = i > RANKS && sum > best ? sum : best;
        }
        looked_better += best > ranks;
        judge_propose(ctx->arena, scene->ways, WAYS, QUESTIONS, &judgement);
        proposed += judgement.proposed_weight >= 0;
        if (judgement.proposed_weight < 0)
            assert_non_null(strstr(judgement.why, "do not surely beat"));
    }
    assert_true(looked_better > DRAWS / 2);
    assert_true(proposed <= MOST_LUCKY);
}

static void
ranks_stay_when_they_are_better(void **state)
{
    struct ctx *ctx = *state;
    struct scene *scene = scene_new(ctx, 12);
    struct judgement judgement = { 0 };

    weaken_sides(scene);
    add_to(scene, RANKS, 0.4);
    judge_propose(ctx->arena, scene->ways, WAYS, QUESTIONS, &judgement);
    assert_true(judgement.proposed_weight < 0);
}

static void
one_side_that_is_better_alone_is_told(void **state)
{
    struct ctx *ctx = *state;
    struct scene *scene = scene_new(ctx, 13);
    struct judgement judgement = { 0 };

    add_to(scene, TEXT, -1);
    add_to(scene, VECTOR, 0.6);
    judge_propose(ctx->arena, scene->ways, WAYS, QUESTIONS, &judgement);
    assert_non_null(strstr(judgement.why, "The side \"vector\" alone is better"));
}

static void
few_questions_choose_nothing(void **state)
{
    struct ctx *ctx = *state;
    struct scene *scene = scene_new(ctx, 14);
    struct judgement judgement = { 0 };

    add_to(scene, FIRST_WEIGHT, 5);
    for (size_t j = 0; j < QUESTIONS - 19; j++)
        scene->shots[VECTOR][j].was_asked = false;
    judge_propose(ctx->arena, scene->ways, WAYS, QUESTIONS, &judgement);
    assert_true(judgement.proposed_weight < 0);
    assert_non_null(strstr(judgement.why, "Only 19 questions"));
    scene->shots[VECTOR][0].was_asked = true;
    judge_propose(ctx->arena, scene->ways, WAYS, QUESTIONS, &judgement);
    assert_near(judgement.proposed_weight, 0.1);
}

static void
means_are_of_the_questions_that_were_asked(void **state)
{
    struct ctx *ctx = *state;
    struct judge_shot shots[] = {
        { .was_asked = true, .ndcg = 0.5, .mrr = 1, .recall = 0.25 },
        { .was_asked = false, .ndcg = 9, .mrr = 9, .recall = 9, .is_empty = true },
        { .was_asked = true, .is_empty = true },
    };
    struct judge_way way = { .name = "text", .weight = (double)NAN, .shots = shots };
    struct judge_scores scores;

    judge_summarise(ctx->arena, &way, COUNT_OF(shots), &scores);
    assert_int_equal(scores.questions, 2);
    assert_int_equal(scores.empty, 1);
    assert_near(scores.ndcg.value, 0.25);
    assert_near(scores.mrr.value, 0.5);
    assert_near(scores.recall.value, 0.125);
    assert_near(scores.ndcg.low, 0);
    assert_near(scores.ndcg.high, 0.5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(questions_are_read_with_what_they_have),
        test_with_ctx(what_is_wrong_is_told_with_its_line),
        test_with_ctx(a_file_without_questions_is_refused),
        test_with_ctx(graded_answers_score_as_by_hand),
        test_with_ctx(only_the_first_ten_count),
        test_with_ctx(a_row_that_comes_twice_counts_once),
        test_with_ctx(no_answer_scores_nothing_and_the_best_one_all),
        test_with_ctx(the_interval_is_that_of_the_binomial_distribution),
        test_with_ctx(the_interval_is_the_same_each_time),
        test_with_ctx(a_weight_that_is_better_is_proposed),
        test_with_ctx(luck_is_not_proposed),
        test_with_ctx(ranks_stay_when_they_are_better),
        test_with_ctx(one_side_that_is_better_alone_is_told),
        test_with_ctx(few_questions_choose_nothing),
        test_with_ctx(means_are_of_the_questions_that_were_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
