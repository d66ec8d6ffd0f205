/* Differences of two readings of pg_stat_statements: counted, reset, evicted. */
#include "support/test.h"

#include "workload/workload.h"

static struct workload_statement
statement(int64_t id, int64_t calls, double total_ms)
{
    return (struct workload_statement){
        .user_id = 10,
        .query_id = id,
        .is_top_level = true,
        .query = "SELECT",
        .calls = calls,
        .total_ms = total_ms,
        .row_count = calls * 2,
        .stats_since = "",
    };
}

static struct workload
reading(struct workload_statement *items, size_t count)
{
    return (struct workload){
        .taken_at = "2026-11-22 10:00:00+00",
        .server_start = "2026-11-20 10:00:00+00",
        .stats_reset = "2026-11-21 10:00:00+00",
        .items = items,
        .count = count,
    };
}

static const struct workload_delta *
delta_of(const struct workload_deltas *deltas, int64_t id)
{
    for (size_t i = 0; i < deltas->count; i++)
        if (deltas->items[i].statement->query_id == id)
            return &deltas->items[i];
    return NULL;
}

static void
counters_that_grew_give_exact_differences(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement first[] = { statement(3, 5, 50), statement(1, 100, 1000),
        statement(2, 7, 70) };
    struct workload_statement second[] = { statement(1, 150, 1100), statement(2, 7, 70),
        statement(3, 6, 90) };
    struct workload before = reading(first, 3);
    struct workload after = reading(second, 3);
    struct workload_deltas deltas;

    workload_compare(ctx->arena, &before, &after, &deltas);
    assert_int_equal(deltas.count, 2); /* 2 was not called in between */
    assert_int_equal(delta_of(&deltas, 1)->change, CHANGE_COUNTED);
    assert_int_equal(delta_of(&deltas, 1)->calls, 50);
    assert_true(delta_of(&deltas, 1)->total_ms == 100.0);
    assert_true(delta_of(&deltas, 1)->mean_ms == 2.0);
    assert_int_equal(delta_of(&deltas, 1)->row_count, 100);
    assert_true(delta_of(&deltas, 3)->mean_ms == 40.0);
    assert_false(deltas.was_reset);
    assert_false(deltas.was_restarted);
    assert_int_equal(deltas.evicted, 0);
}

static void
without_a_first_reading_all_counts_are_new(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement second[] = { statement(1, 4, 100) };
    struct workload after = reading(second, 1);
    struct workload_deltas deltas;

    workload_compare(ctx->arena, NULL, &after, &deltas);
    assert_int_equal(deltas.count, 1);
    assert_int_equal(deltas.items[0].change, CHANGE_NEW);
    assert_true(deltas.items[0].mean_ms == 25.0);
    assert_false(deltas.was_reset);
}

static void
after_a_reset_only_what_came_since_is_counted(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement first[] = { statement(1, 100, 1000), statement(2, 9, 9) };
    struct workload_statement second[] = { statement(1, 150, 300) };
    struct workload before = reading(first, 2);
    struct workload after = reading(second, 1);
    struct workload_deltas deltas;

    before.evicted = 40;
    after.evicted = 3;
    after.stats_reset = "2026-11-22 09:00:00+00";
    workload_compare(ctx->arena, &before, &after, &deltas);
    assert_true(deltas.was_reset);
    assert_int_equal(deltas.evicted, 3);
    assert_int_equal(deltas.count, 1); /* 2 was not called since the reset */
    assert_int_equal(deltas.items[0].change, CHANGE_RESET);
    assert_int_equal(deltas.items[0].calls, 150); /* not 50 */
    assert_true(deltas.items[0].mean_ms == 2.0);
}

static void
a_counter_that_fell_was_evicted(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement first[] = { statement(1, 100, 1000), statement(2, 10, 100),
        statement(3, 10, 100) };
    struct workload_statement second[] = { statement(1, 5, 20), statement(2, 10, 90),
        statement(3, 20, 200) };
    struct workload before = reading(first, 3);
    struct workload after = reading(second, 3);
    struct workload_deltas deltas;

    /* It has more calls than before, but the extension says that its entry is another one. */
    first[2].stats_since = "2026-11-21 10:00:00+00";
    second[2].stats_since = "2026-11-22 09:30:00+00";
    before.evicted = 2;
    after.evicted = 5;
    workload_compare(ctx->arena, &before, &after, &deltas);
    assert_int_equal(deltas.evicted, 3);
    assert_int_equal(delta_of(&deltas, 1)->change, CHANGE_EVICTED);
    assert_int_equal(delta_of(&deltas, 1)->calls, 5);
    assert_int_equal(delta_of(&deltas, 2)->change, CHANGE_EVICTED);
    assert_int_equal(delta_of(&deltas, 3)->change, CHANGE_EVICTED);
    assert_int_equal(delta_of(&deltas, 3)->calls, 20);
}

static void
an_entry_that_is_gone_is_said_and_has_no_numbers(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement first[] = { statement(1, 100, 1000) };
    struct workload_statement second[] = { statement(2, 3, 30) };
    struct workload before = reading(first, 1);
    struct workload after = reading(second, 1);
    struct workload_deltas deltas;

    after.server_start = "2026-11-22 09:59:00+00";
    workload_compare(ctx->arena, &before, &after, &deltas);
    assert_true(deltas.was_restarted);
    assert_int_equal(delta_of(&deltas, 1)->change, CHANGE_VANISHED);
    assert_int_equal(delta_of(&deltas, 1)->calls, 0);
    assert_int_equal(delta_of(&deltas, 2)->change, CHANGE_NEW);
}

static void
the_same_query_of_another_user_is_another_entry(void **state)
{
    struct ctx *ctx = *state;
    struct workload_statement first[] = { statement(1, 100, 1000), statement(1, 10, 10) };
    struct workload_statement second[] = { statement(1, 12, 14), statement(1, 101, 1010),
        statement(1, 1, 1) };
    struct workload before = reading(first, 2);
    struct workload after = reading(second, 3);
    struct workload_deltas deltas;

    first[1].user_id = second[0].user_id = 11;
    second[2].is_top_level = false;
    workload_compare(ctx->arena, &before, &after, &deltas);
    assert_int_equal(deltas.count, 3);
    for (size_t i = 0; i < deltas.count; i++) {
        const struct workload_delta *delta = &deltas.items[i];

        if (delta->statement->user_id == 11)
            assert_int_equal(delta->calls, 2);
        else
            assert_int_equal(delta->calls, 1);
        assert_int_equal(
            delta->change, delta->statement->is_top_level ? CHANGE_COUNTED : CHANGE_NEW);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(counters_that_grew_give_exact_differences),
        test_with_ctx(without_a_first_reading_all_counts_are_new),
        test_with_ctx(after_a_reset_only_what_came_since_is_counted),
        test_with_ctx(a_counter_that_fell_was_evicted),
        test_with_ctx(an_entry_that_is_gone_is_said_and_has_no_numbers),
        test_with_ctx(the_same_query_of_another_user_is_another_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
