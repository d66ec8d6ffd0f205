/* Sequences are written down by hand, with the numbers that a person would count. */
#include "support/test.h"

#include "queries/check/check.h"

static const struct template parent = { .number = 0, .kind = TEMPLATE_READ, .text = "SELECT p" };
static const struct template child = { .number = 1, .kind = TEMPLATE_READ, .text = "SELECT c" };
static const struct template begins = { .kind = TEMPLATE_TRANSACTION, .text = "BEGIN" };
static const struct template resets = { .kind = TEMPLATE_SESSION, .text = "DISCARD ALL" };

struct step {
    const struct template *template;
    uint64_t session;
    uint64_t transaction;
    int64_t started_us;
    const char *route;
    const char *request;
};

static void
count(struct ctx *ctx, const struct step *steps, size_t step_count, struct check_routes *ret)
{
    struct check_counter *counter = check_counter_new(ctx->arena, 0);

    for (size_t i = 0; i < step_count; i++) {
        const struct traced_statement statement = {
            .template = steps[i].template,
            .session = steps[i].session,
            .transaction = steps[i].transaction,
            .started_us = steps[i].started_us,
            .elapsed_us = 100,
            .rows = 2,
            .tag = { .route = steps[i].route, .request = steps[i].request },
        };

        assert_true(check_counter_take(ctx, counter, &statement));
    }
    check_counter_finish(counter, ret);
    check_counter_free(counter);
}

static void
assert_route(const struct check_route *route, const char *name, int64_t requests, int64_t most)
{
    assert_string_equal(route->name, name);
    assert_int_equal(route->requests, requests);
    assert_int_equal(route->most, most);
}

static void
requests_end_with_tag_transaction_pause_and_reset(void **state)
{
    static const struct step by_pause[] = {
        { &parent, 1, 0, 1000, NULL, NULL }, { &child, 1, 0, 2000, NULL, NULL },
        { &parent, 2, 0, 2500, NULL, NULL },   /* another session does not end it */
        { &child, 1, 0, 52000, NULL, NULL },   /* 49.9 ms of silence */
        { &parent, 1, 0, 103000, NULL, NULL }, /* 50.9 ms */
    };
    static const struct step by_transaction[] = {
        { &begins, 1, 1, 1000, NULL, NULL },
        { &parent, 1, 1, 1200, NULL, NULL },
        { &child, 1, 1, 9000000, NULL, NULL }, /* it thinks as long as it likes */
        { &begins, 1, 2, 9000200, NULL, NULL },
        { &parent, 1, 2, 9000400, NULL, NULL },
    };
    static const struct step by_tag[] = {
        { &parent, 1, 0, 1000, "/b", "r1" },
        { &child, 1, 0, 9000000, "/b", "r1" },
        { &parent, 1, 0, 9000200, "/b", "r2" },
        { &parent, 1, 0, 9000400, "/a", NULL },
    };
    static const struct step by_reset[] = {
        { &parent, 1, 0, 1000, NULL, NULL },
        { &resets, 1, 0, 1200, NULL, NULL },
        { &parent, 1, 0, 1400, NULL, NULL },
    };
    struct ctx *ctx = *state;
    struct check_routes routes;

    count(ctx, by_pause, COUNT_OF(by_pause), &routes);
    assert_int_equal(routes.count, 1);
    assert_route(&routes.items[0], "statement: SELECT p", 3, 3);
    assert_int_equal(routes.items[0].median, 1);
    assert_false(routes.items[0].is_tagged);
    count(ctx, by_transaction, COUNT_OF(by_transaction), &routes);
    assert_route(&routes.items[0], "statement: SELECT p", 2, 2);
    assert_true(routes.items[0].rows > 2.99 && routes.items[0].rows < 3.01);
    count(ctx, by_tag, COUNT_OF(by_tag), &routes);
    assert_int_equal(routes.count, 2);
    assert_route(&routes.items[0], "/a", 1, 1);
    assert_route(&routes.items[1], "/b", 2, 2);
    count(ctx, by_reset, COUNT_OF(by_reset), &routes);
    assert_route(&routes.items[0], "statement: SELECT p", 2, 1);
}

static void
compared_side_by_side(void **state)
{
    struct check_statement before[] = { { .text = "SELECT c", .most = 3 } };
    struct check_statement after[] = { { .text = "SELECT c", .most = 7 },
        { .text = "SELECT d", .most = 2 } };
    struct check_route old[] = {
        { .name = "a", .most = 4, .statements = before, .statement_count = 1 },
        { .name = "c", .most = 9 }, { .name = "d", .most = 1 }
    };
    struct check_route new[] = {
        { .name = "a", .most = 10, .statements = after, .statement_count = 2 },
        { .name = "b", .most = 5 }, { .name = "c", .most = 8 }
    };
    const struct check_routes left = { .items = old, .count = 3 };
    const struct check_routes right = { .items = new, .count = 3 };
    static const enum check_verdict wanted[] = { CHECK_MORE, CHECK_NEW, CHECK_FEWER,
        CHECK_VANISHED };
    struct check_results results = { 0 };
    struct ctx *ctx = *state;

    check_compare(ctx->arena, &left, &right, 5, &results);
    assert_int_equal(results.count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        assert_int_equal(results.items[i].verdict, wanted[i]);
    assert_int_equal(results.failed, 1);
    assert_string_equal(results.items[0].message,
        "10 statements a request instead of 4; 7 times instead of 3: SELECT c");
    results = (struct check_results){ 0 };
    check_compare(ctx->arena, &left, &right, 6, &results);
    assert_int_equal(results.failed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(requests_end_with_tag_transaction_pause_and_reset),
        test_with_ctx(compared_side_by_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
