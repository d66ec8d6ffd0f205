/* Suspicions from counters: which pairs are named, and which are not. */
#include "support/test.h"

#include "workload/suspect.h"

static const struct suspect_statement parent = {
    .query_id = 1,
    .user_id = 10,
    .query = "SELECT id, name FROM assistants WHERE user_id = $1",
    .calls = 200,
    .rows = 460,
    .total_ms = 20,
};

static struct suspect_statement
child(const char *query, double calls)
{
    return (struct suspect_statement){
        .query_id = 2, .user_id = 10, .query = query, .calls = calls, .rows = calls, .total_ms = 90
    };
}

static size_t
count_with(struct ctx *ctx, struct suspect_statement other)
{
    const struct suspect_statement statements[] = { parent, other };
    struct suspects suspects;

    suspects_find(ctx->arena, statements, 2, &suspects);
    return suspects.count;
}

static void
as_many_calls_as_rows_are_suspected(void **state)
{
    struct ctx *ctx = *state;
    const struct suspect_statement statements[] = {
        child("SELECT count(*) FROM dialogs WHERE assistant_id = $1 AND started_at > $2", 460),
        parent
    };
    struct suspects suspects;

    suspects_find(ctx->arena, statements, 2, &suspects);
    assert_int_equal(suspects.count, 1);
    assert_int_equal(suspects.items[0].child, 0);
    assert_int_equal(suspects.items[0].parent, 1);
    assert_true(suspects.items[0].ratio == 1);
    assert_true(suspects.items[0].repeats == 2.3);
    assert_true(suspects.items[0].score == 1);
}

static void
what_does_not_fit_is_not(void **state)
{
    struct ctx *ctx = *state;
    const char *query = "SELECT count(*) FROM dialogs WHERE assistant_id = $1";
    struct suspect_statement other = child(query, 460);

    /* 400 calls on 460 rows: somebody else calls it, too, or skips some. */
    assert_int_equal(count_with(ctx, child(query, 400)), 1);
    assert_int_equal(count_with(ctx, child(query, 200)), 0);
    assert_int_equal(count_with(ctx, child(query, 900)), 0);
    other.user_id = 11;
    assert_int_equal(count_with(ctx, other), 0);
    assert_int_equal(count_with(ctx, child("SELECT 1 FROM plans WHERE owner = $1", 460)), 0);
    assert_int_equal(
        count_with(ctx, child("UPDATE dialogs SET a = 1 WHERE assistant_id = $1", 460)), 0);
    assert_int_equal(count_with(ctx, child(NULL, 460)), 0);
    assert_int_equal(count_with(ctx, child("", 460)), 0);
}

static void
the_row_that_is_referred_to_is_found_too(void **state)
{
    struct ctx *ctx = *state;
    struct suspect_statement statements[] = { parent,
        child("SELECT * FROM assistants WHERE id = $1", 460) };
    struct suspects suspects;

    statements[0].query = "SELECT id, assistant_id FROM bot_instances WHERE user_id = $1";
    suspects_find(ctx->arena, statements, 2, &suspects);
    assert_int_equal(suspects.count, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(as_many_calls_as_rows_are_suspected),
        test_with_ctx(what_does_not_fit_is_not),
        test_with_ctx(the_row_that_is_referred_to_is_found_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
