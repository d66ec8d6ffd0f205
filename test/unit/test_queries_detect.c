/* What the detector says of sequences whose truth is plain: written down by hand, statement by statement. */
#include "support/test.h"

#include "queries/detect/detect.h"
#include "queries/detect/rerun.h"

struct scene {
    struct ctx *ctx;
    struct templates *templates;
    struct detect *detect;
    struct query_findings findings;
    int64_t now_us;
    uint64_t session;
    uint64_t transaction;
    struct traced_tag tag;
    bool has_results; /* as on the wire; a log has none */
};

static struct scene
scene_new(struct ctx *ctx, bool has_results)
{
    const struct detect_options options = { .idle_gap_us = 50000 };
    struct scene scene = {
        .ctx = ctx, .now_us = 1000000, .session = 1, .has_results = has_results
    };

    scene.templates = templates_new(ctx->arena);
    scene.detect = detect_new(ctx->arena, &options);
    return scene;
}

static struct traced_value
value_of(int64_t number)
{
    return (struct traced_value){ .hash = (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) | 1 };
}

/* A statement of 1 ms with one parameter (-1: none) whose only column "id" holds first … last. */
static void
say(struct scene *scene, const char *sql, int64_t param, int64_t first, int64_t last)
{
    struct traced_value value = value_of(param);
    size_t rows = last < first ? 0 : (size_t)(last - first + 1);
    struct traced_column column = { .name = "id", .type = 23, .count = rows };
    struct traced_statement statement = {
        .session = scene->session,
        .transaction = scene->transaction,
        .started_us = scene->now_us,
        .elapsed_us = 1000,
        .rows = scene->has_results ? (int64_t)rows : -1,
        .values = &value,
        .value_count = param >= 0,
        .param_count = param >= 0,
        .tag = scene->tag,
    };

    column.values = ARENA_ARRAY(scene->ctx->arena, struct traced_value, rows + 1);
    for (size_t i = 0; i < rows; i++)
        column.values[i] = value_of(first + (int64_t)i);
    if (scene->has_results && rows > 0) {
        statement.columns = &column;
        statement.column_count = 1;
        statement.row_count = rows;
    }
    statement.template =
        templates_find(scene->templates, sql, strlen(sql), false, scene->ctx->arena, NULL);
    detect_take(scene->detect, &statement);
    scene->now_us += 1200;
}

static const struct query_finding *
only_finding(struct scene *scene)
{
    detect_finish(scene->detect, &scene->findings);
    assert_int_equal(scene->findings.count, 1);
    return scene->findings.items;
}

static void
assert_nothing(struct scene *scene)
{
    detect_finish(scene->detect, &scene->findings);
    for (size_t i = 0; i < scene->findings.count; i++)
        print_message("# found: %s %s\n", query_finding_kind_name(scene->findings.items[i].kind),
            scene->findings.items[i].children[0].text);
    assert_int_equal(scene->findings.count, 0);
}

#define PARENT "SELECT id FROM dialogs WHERE user_id = $1 ORDER BY id"
#define CHILD  "SELECT count(*) FROM messages WHERE dialog_id = $1"
#define OTHER  "SELECT max(sent) FROM messages WHERE dialog_id = $1"

static void
a_loop_over_the_rows_of_a_parent_is_found(void **state)
{
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    scene.transaction = 1;
    say(&scene, "BEGIN", -1, 1, 0);
    say(&scene, PARENT, 7, 101, 105);
    for (int64_t id = 101; id <= 105; id++)
        say(&scene, CHILD, id, 1, 1);
    say(&scene, "COMMIT", -1, 1, 0);
    finding = only_finding(&scene);
    assert_int_equal(finding->kind, FOUND_N_PLUS_ONE);
    assert_int_equal(finding->provenance, PROVENANCE_SEEN);
    assert_string_equal(finding->parent.key_name, "id");
    assert_int_equal(finding->parent.key_column, 0);
    assert_int_equal(finding->repeats_median, 5);
    assert_int_equal(finding->requests, 1);
    assert_int_equal(finding->children[0].slots[0].origin, SLOT_KEY);
    /* Five of 1 ms, of which one round had to be. */
    assert_int_equal(finding->wasted_us, 4000);
    assert_true(finding->confidence > 0.9);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

/* The parent gives id and code; each row's child asks for both. */
static void
say_pairs(struct scene *scene, const char *child, const int64_t codes[6], bool is_other)
{
    struct traced_value ids[6];
    struct traced_value texts[6];
    struct traced_column columns[] = {
        { .name = "id", .type = 23, .values = ids, .count = 6 },
        { .name = "code", .type = 25, .values = texts, .count = 6 },
    };
    struct traced_statement statement = {
        .session = scene->session,
        .transaction = scene->transaction,
        .started_us = scene->now_us,
        .elapsed_us = 1000,
        .rows = 6,
        .columns = columns,
        .column_count = 2,
        .row_count = 6,
    };
    const char *parent = "SELECT id, code FROM p ORDER BY id";

    for (int i = 0; i < 6; i++) {
        ids[i] = value_of(100 + i);
        texts[i] = value_of(codes[i]);
    }
    statement.template =
        templates_find(scene->templates, parent, strlen(parent), false, scene->ctx->arena, NULL);
    detect_take(scene->detect, &statement);
    for (int i = 0; i < 6; i++) {
        struct traced_value values[] = { ids[i], is_other ? value_of(900 - i) : texts[i] };

        statement = (struct traced_statement){
            .session = scene->session,
            .transaction = scene->transaction,
            .started_us = scene->now_us += 1200,
            .elapsed_us = 1000,
            .rows = 0,
            .values = values,
            .value_count = 2,
            .param_count = 2,
            .template = templates_find(
                scene->templates, child, strlen(child), false, scene->ctx->arena, NULL),
        };
        detect_take(scene->detect, &statement);
    }
    scene->now_us += 200000;
}

static void
two_columns_of_a_parent_are_told_apart(void **state)
{
    static const char child[] = "SELECT v FROM c WHERE pid = $1 AND code = $2";
    static const int64_t apart[] = { 5, 6, 7, 8, 9, 10 };
    static const int64_t alike[] = { 5, 5, 6, 6, 5, 5 };

    /* The code may stay the same for some rows; in the last scene it comes from nowhere. */
    for (int i = 0; i < 4; i++) {
        struct scene scene = scene_new(*state, true);
        const struct query_finding *finding;
        const struct query_slot *slots;

        say_pairs(&scene, child, i == 1 ? alike : apart, i == 3);
        if (i > 1)
            say_pairs(&scene, child, i == 2 ? alike : apart, false);
        finding = only_finding(&scene);
        assert_int_equal(finding->kind, FOUND_N_PLUS_ONE);
        slots = finding->children[0].slots;
        assert_int_equal(slots[0].origin, SLOT_KEY);
        assert_int_equal(slots[0].column, 0);
        assert_int_equal(slots[1].origin, i == 3 ? SLOT_VARIES : SLOT_KEY);
        assert_int_equal(slots[1].column, i == 3 ? -1 : 1);
        detect_free(scene.detect);
        templates_free(scene.templates);
    }
}

static void
several_statements_a_row_are_one_finding(void **state)
{
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    say(&scene, PARENT, 7, 101, 104);
    for (int64_t id = 101; id <= 104; id++) {
        say(&scene, CHILD, id, 1, 1);
        say(&scene, "SELECT email FROM users WHERE id = $1", 7, 900, 900);
        say(&scene, OTHER, id, 1, 1);
    }
    finding = only_finding(&scene);
    assert_int_equal(finding->child_count, 3);
    assert_int_equal(finding->repeats_median, 4);
    assert_int_equal(finding->children[0].slots[0].origin, SLOT_KEY);
    /* The owner of all rows is the user whom the parent was asked for. */
    assert_int_equal(finding->children[1].slots[0].origin, SLOT_PARAM);
    assert_int_equal(finding->children[1].slots[0].column, 0);
    assert_int_equal(finding->children[2].slots[0].origin, SLOT_KEY);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
each_run_of_the_parent_is_a_request_where_nothing_ends_one(void **state)
{
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    for (int64_t user = 1; user <= 4; user++) {
        say(&scene, PARENT, user, user * 100, user * 100 + 2 + user);
        for (int64_t id = user * 100; id <= user * 100 + 2 + user; id++)
            say(&scene, CHILD, id, 1, 1);
    }
    finding = only_finding(&scene);
    assert_int_equal(finding->requests, 4);
    assert_int_equal(finding->repeats_min, 4);
    assert_int_equal(finding->repeats_max, 7);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

/* However the first few happen to stand: each request is one, of as many as were asked for. */
static void
shuffled_values_are_one_loop_in_another_order(void **state)
{
    static const int64_t orders[][8] = {
        { 3, 5, 8, 1, 2, 7, 4, 6 }, /* three in order, by chance */
        { 8, 7, 6, 5, 4, 3, 2, 1 },
        { 1, 4, 6, 7, 2, 3, 8, 5 },
    };
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        scene.transaction = i + 1;
        say(&scene, "BEGIN", -1, 1, 0);
        say(&scene, PARENT, 7, 101, 108);
        for (size_t j = 0; j < COUNT_OF(orders[i]); j++)
            say(&scene, CHILD, 100 + orders[i][j], 1, 1);
        say(&scene, "COMMIT", -1, 1, 0);
    }
    finding = only_finding(&scene);
    assert_int_equal(finding->kind, FOUND_N_PLUS_ONE);
    assert_int_equal(finding->requests, 3);
    assert_int_equal(finding->repeats_min, 8);
    assert_int_equal(finding->repeats_max, 8);
    assert_non_null(strstr(finding->why, "in another order"));
    detect_free(scene.detect);
    templates_free(scene.templates);
}

/* 'p' || id is no id: the values are not those that were seen, and its name is not guessed. */
static void
an_expression_is_no_column_of_that_name(void **state)
{
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    for (int round = 0; round < 6; round++) {
        scene.transaction = (uint64_t)round + 1;
        say(&scene, "BEGIN", -1, 1, 0);
        say(&scene, "SELECT 'p' || id FROM dialogs WHERE user_id = $1", 7, 901, 905);
        for (int64_t id = 101; id <= 105; id++)
            say(&scene, CHILD, id, 1, 1);
        say(&scene, "COMMIT", -1, 1, 0);
    }
    finding = only_finding(&scene);
    assert_int_equal(finding->kind, FOUND_LOOP);
    assert_false(finding->has_parent);
    assert_null(strstr(finding->why, "No results were seen"));
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
rows_may_be_left_out_and_others_may_come_between(void **state)
{
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    say(&scene, PARENT, 7, 101, 110);
    say(&scene, "SELECT name FROM settings WHERE id = $1", 3, 500, 500);
    for (int64_t id = 101; id <= 110; id += 2)
        say(&scene, CHILD, id, 1, 1);
    finding = only_finding(&scene);
    assert_int_equal(finding->kind, FOUND_N_PLUS_ONE);
    assert_int_equal(finding->repeats_median, 5);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
a_loop_in_a_loop_gives_both(void **state)
{
    struct scene scene = scene_new(*state, true);
    const char *inner = "SELECT body FROM replies WHERE message_id = $1";

    scene.transaction = 1;
    say(&scene, "BEGIN", -1, 1, 0);
    say(&scene, PARENT, 7, 101, 103);
    for (int64_t id = 101; id <= 103; id++) {
        say(&scene, "SELECT id FROM messages WHERE dialog_id = $1", id, id * 10, id * 10 + 1);
        say(&scene, inner, id * 10, 1, 1);
        say(&scene, inner, id * 10 + 1, 1, 1);
    }
    say(&scene, "COMMIT", -1, 1, 0);
    detect_finish(scene.detect, &scene.findings);
    assert_int_equal(scene.findings.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct query_finding *finding = &scene.findings.items[i];
        bool is_inner = strstr(finding->children[0].text, "replies");

        assert_int_equal(finding->kind, FOUND_N_PLUS_ONE);
        assert_int_equal(finding->repeats_median, is_inner ? 6 : 3);
        assert_non_null(strstr(finding->parent.text, is_inner ? "messages" : "dialogs"));
    }
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
values_of_nowhere_are_a_loop_and_the_same_again_is_a_duplicate(void **state)
{
    struct scene scene = scene_new(*state, true);
    static const int64_t keys[] = { 91, 17, 64, 33 };

    scene.transaction = 1;
    say(&scene, "BEGIN", -1, 1, 0);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        say(&scene, CHILD, keys[i], 1, 1);
    say(&scene, "COMMIT", -1, 1, 0);
    scene.transaction = 2;
    say(&scene, "BEGIN", -1, 1, 0);
    say(&scene, OTHER, 5, 1, 1);
    say(&scene, "SELECT name FROM a WHERE id = $1", 5, 1, 1);
    say(&scene, OTHER, 5, 1, 1);
    say(&scene, "SELECT name FROM b WHERE id = $1", 5, 1, 1);
    say(&scene, OTHER, 5, 1, 1);
    say(&scene, "COMMIT", -1, 1, 0);
    detect_finish(scene.detect, &scene.findings);
    assert_int_equal(scene.findings.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct query_finding *finding = &scene.findings.items[i];
        bool is_loop = finding->kind == FOUND_LOOP;

        assert_int_equal(finding->kind, is_loop ? FOUND_LOOP : FOUND_DUPLICATE);
        assert_int_equal(finding->repeats_median, is_loop ? 4 : 3);
        assert_false(finding->has_parent);
        assert_non_null(strstr(finding->children[0].text, is_loop ? "count" : "max"));
    }
    detect_free(scene.detect);
    templates_free(scene.templates);
}

/* None of these repeats what one statement could do. */
static void
pages_polls_batches_inserts_and_tenants_are_no_finding(void **state)
{
    struct scene scene = scene_new(*state, true);

    for (int64_t i = 0; i < 6; i++)
        say(&scene, "SELECT id FROM dialogs ORDER BY id LIMIT 10 OFFSET $1", i * 10, i * 10,
            i * 10 + 9);
    for (int64_t i = 0; i < 6; i++)
        say(&scene, "SELECT id FROM messages WHERE id > $1 ORDER BY id LIMIT 10", i * 10,
            i * 10 + 1, i * 10 + 10);
    for (int64_t i = 0; i < 6; i++)
        say(&scene, "SELECT id FROM messages WHERE dialog_id = ANY($1)", 5000 + i, 1, 1);
    for (int64_t i = 0; i < 6; i++)
        say(&scene, "INSERT INTO log (number) VALUES ($1)", i, 1, 0);
    for (int64_t i = 0; i < 6; i++)
        say(&scene, "SELECT 1", -1, 1, 1);
    for (int64_t i = 0; i < 6; i++) {
        say(&scene, i % 2 ? "SET search_path TO a" : "SET search_path TO b", -1, 1, 0);
        say(&scene, "SELECT count(*) FROM orders", -1, 3, 3);
    }
    for (int64_t i = 0; i < 6; i++) {
        say(&scene, "SELECT id FROM jobs WHERE state = $1", 1, 1, 0);
        scene.now_us += 1000000;
    }
    assert_nothing(&scene);
    assert_int_equal(scene.findings.statements, 48);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
two_are_too_few_and_transactions_are_kept_apart(void **state)
{
    struct scene scene = scene_new(*state, true);

    for (int64_t i = 1; i <= 6; i++) {
        scene.transaction = (uint64_t)i;
        say(&scene, "BEGIN", -1, 1, 0);
        say(&scene, CHILD, i * 31 % 7, 1, 1);
        say(&scene, CHILD, i * 17 % 5 + 50, 1, 1);
        say(&scene, "COMMIT", -1, 1, 0);
    }
    assert_nothing(&scene);
    assert_int_equal(scene.findings.requests, 6);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
a_tag_holds_a_request_together_over_transactions(void **state)
{
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    scene.tag = (struct traced_tag){ .route = "/stats", .request = "abc" };
    for (int64_t i = 1; i <= 4; i++) {
        scene.transaction = (uint64_t)i;
        say(&scene, "BEGIN", -1, 1, 0);
        say(&scene, CHILD, i * 31 % 7, 1, 1);
        say(&scene, "COMMIT", -1, 1, 0);
    }
    finding = only_finding(&scene);
    assert_int_equal(finding->kind, FOUND_LOOP);
    assert_int_equal(finding->repeats_median, 4);
    assert_int_equal(finding->route_count, 1);
    assert_string_equal(finding->routes[0], "/stats");
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
sessions_do_not_mix(void **state)
{
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    for (scene.session = 1; scene.session <= 3; scene.session++)
        say(&scene, PARENT, (int64_t)scene.session, (int64_t)scene.session * 100,
            (int64_t)scene.session * 100 + 3);
    for (int64_t i = 0; i <= 3; i++)
        for (scene.session = 1; scene.session <= 3; scene.session++)
            say(&scene, CHILD, (int64_t)scene.session * 100 + i, 1, 1);
    finding = only_finding(&scene);
    assert_int_equal(finding->requests, 3);
    assert_int_equal(finding->repeats_median, 4);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
a_log_tells_the_parent_by_order_and_names(void **state)
{
    struct scene scene = scene_new(*state, false);
    const struct query_finding *finding;

    for (int64_t i = 1; i <= 3; i++) {
        scene.transaction = (uint64_t)i;
        say(&scene, "BEGIN", -1, 1, 0);
        say(&scene, PARENT, i, 1, 0);
        for (int64_t id = 1; id <= 4; id++)
            say(&scene, CHILD, i * 100 + id, 1, 0);
        say(&scene, "COMMIT", -1, 1, 0);
    }
    finding = only_finding(&scene);
    assert_int_equal(finding->kind, FOUND_N_PLUS_ONE);
    assert_int_equal(finding->provenance, PROVENANCE_ORDER);
    assert_string_equal(finding->parent.key_name, "id");
    assert_true(finding->confidence < 0.8);
    assert_int_equal(finding->children[0].slots[0].origin, SLOT_KEY);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

/* The steps of a request are bounded, what is counted is not. */
static void
a_very_long_loop_is_counted_to_its_end(void **state)
{
    struct scene scene = scene_new(*state, true);
    const struct query_finding *finding;

    scene.transaction = 1;
    say(&scene, "BEGIN", -1, 1, 0);
    for (int64_t i = 0; i < 20000; i++)
        say(&scene, CHILD, i * 7919 % 20011, 1, 1);
    say(&scene, "COMMIT", -1, 1, 0);
    finding = only_finding(&scene);
    assert_int_equal(finding->kind, FOUND_LOOP);
    assert_int_equal(finding->requests, 1);
    assert_int_equal(finding->repeats_max, 20000);
    assert_int_equal(finding->children[0].calls, 20000);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

/* Nothing but time tells these requests apart, and three of a kind come together by chance. */
static void
requests_that_meet_by_chance_are_no_loop(void **state)
{
    struct scene scene = scene_new(*state, true);
    struct test_random random = test_random_new();

    for (int i = 0; i < 3000; i++) {
        size_t kind = test_random_below(&random, 20);
        const char *sql =
            arena_printf(scene.ctx->arena, "SELECT name FROM table_%zu WHERE id = $1", kind);

        say(&scene, sql, (int64_t)test_random_below(&random, 1000000), 7, 7);
    }
    assert_nothing(&scene);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

static void
findings_have_the_same_id_in_each_run(void **state)
{
    const char *ids[2];

    for (int run = 0; run < 2; run++) {
        struct scene scene = scene_new(*state, true);

        if (run == 1)
            say(&scene, "SELECT something FROM elsewhere", -1, 1, 1);
        say(&scene, PARENT, 7 + run, 101, 105);
        for (int64_t id = 101; id <= 105; id++)
            say(&scene, CHILD, id, 1, 1);
        ids[run] = only_finding(&scene)->id;
        detect_free(scene.detect);
        templates_free(scene.templates);
    }
    assert_string_equal(ids[0], ids[1]);
    assert_int_equal(strlen(ids[0]), 8);
}

/* Any sequence: it must end, and leave nothing behind (the sanitizers look). */
static void
any_sequence_is_survived(void **state)
{
    static const char *const sql[] = { PARENT, CHILD, OTHER, "BEGIN", "COMMIT", "ROLLBACK",
        "SELECT 1", "DISCARD ALL", "SET a = 1", "INSERT INTO log VALUES ($1)",
        "UPDATE a SET b = 1 WHERE id = $1" };
    struct scene scene = scene_new(*state, true);
    struct test_random random = test_random_new();

    for (int i = 0; i < 20000; i++) {
        int64_t first = (int64_t)test_random_below(&random, 6);
        size_t which = test_random_below(&random, COUNT_OF(sql));

        scene.session = 1 + test_random_below(&random, 3);
        say(&scene, sql[which], (int64_t)test_random_below(&random, 9) - 1, first,
            first + (int64_t)test_random_below(&random, 5) - 1);
        if (test_random_below(&random, 500) == 0)
            detect_end_session(scene.detect, scene.session);
    }
    detect_finish(scene.detect, &scene.findings);
    assert_int_equal(scene.findings.statements, 20000);
    detect_free(scene.detect);
    templates_free(scene.templates);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_loop_over_the_rows_of_a_parent_is_found),
        test_with_ctx(two_columns_of_a_parent_are_told_apart),
        test_with_ctx(several_statements_a_row_are_one_finding),
        test_with_ctx(each_run_of_the_parent_is_a_request_where_nothing_ends_one),
        test_with_ctx(shuffled_values_are_one_loop_in_another_order),
        test_with_ctx(an_expression_is_no_column_of_that_name),
        test_with_ctx(rows_may_be_left_out_and_others_may_come_between),
        test_with_ctx(a_loop_in_a_loop_gives_both),
        test_with_ctx(values_of_nowhere_are_a_loop_and_the_same_again_is_a_duplicate),
        test_with_ctx(pages_polls_batches_inserts_and_tenants_are_no_finding),
        test_with_ctx(two_are_too_few_and_transactions_are_kept_apart),
        test_with_ctx(a_tag_holds_a_request_together_over_transactions),
        test_with_ctx(sessions_do_not_mix),
        test_with_ctx(a_log_tells_the_parent_by_order_and_names),
        test_with_ctx(a_very_long_loop_is_counted_to_its_end),
        test_with_ctx(requests_that_meet_by_chance_are_no_loop),
        test_with_ctx(findings_have_the_same_id_in_each_run),
        test_with_ctx(any_sequence_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
