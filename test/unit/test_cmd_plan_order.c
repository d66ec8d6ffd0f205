/* The order of the steps of a plan, and the risk of its changes, against what docs/plan.md says. */
#include "support/test.h"

#include <math.h>

#include "cmd/collect/collect_index_same.h"
#include "cmd/parts/plan_order.h"

static void
add(struct ctx *ctx, struct collected *collected, const char *title, int32_t phase, double gain)
{
    struct collected_step step = {
        .step = { .title = title,
            .phase = phase,
            .gain_ratio = gain,
            .risk = "low",
            .manual = "x" },
    };

    VEC_PUSH(ctx->arena, collected, step);
}

static const char *
order_of(struct ctx *ctx, struct collected *collected)
{
    struct text_list titles = { 0 };

    plan_order_sort(collected);
    for (size_t i = 0; i < collected->count; i++)
        text_list_add(ctx->arena, &titles, collected->items[i].step.title);
    return text_list_join(ctx->arena, &titles, " ");
}

static void
sorts_by_phase_then_gain(void **state)
{
    struct ctx *ctx = *state;
    struct collected collected = { 0 };

    add(ctx, &collected, "late", 4, 0.9);
    add(ctx, &collected, "small", 1, 0.1);
    add(ctx, &collected, "unknown", 1, NAN);
    add(ctx, &collected, "big", 1, 0.5);
    assert_string_equal(order_of(ctx, &collected), "big small unknown late");
}

static void
divides_gain_by_risk(void **state)
{
    struct ctx *ctx = *state;
    struct collected collected = { 0 };

    /* 0.4 / 4 = 0.1; 0.3 / 2 = 0.15; 0.12 / 1 = 0.12 */
    add(ctx, &collected, "high", 1, 0.4);
    add(ctx, &collected, "medium", 1, 0.3);
    add(ctx, &collected, "low", 1, 0.12);
    collected.items[0].step.risk = "high";
    collected.items[1].step.risk = "medium";
    assert_string_equal(order_of(ctx, &collected), "medium low high");
}

static void
keeps_what_others_rest_on_first(void **state)
{
    struct ctx *ctx = *state;
    struct collected collected = { 0 };

    add(ctx, &collected, "drop", 1, 0.9);
    add(ctx, &collected, "index", 1, 0.2);
    add(ctx, &collected, "backup", 1, NAN);
    collected.items[0].place = PLACE_LAST;
    collected.items[2].place = PLACE_FIRST;
    assert_string_equal(order_of(ctx, &collected), "backup index drop");
}

static void
is_the_same_whatever_came_first(void **state)
{
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();
    static const char *const titles[] = { "a", "b", "c", "d", "e", "f", "g" };

    for (int round = 0; round < 50; round++) {
        struct collected collected = { 0 };

        for (size_t i = 0; i < COUNT_OF(titles); i++)
            add(ctx, &collected, titles[i], 1, i % 2 ? NAN : 0.25);
        for (size_t i = collected.count - 1; i > 0; i--) {
            size_t other = test_random_below(&random, i + 1);
            struct collected_step step = collected.items[i];

            collected.items[i] = collected.items[other];
            collected.items[other] = step;
        }
        assert_string_equal(order_of(ctx, &collected), "a c e g b d f");
    }
}

static const char *
risk(const struct change *change, double writes)
{
    struct plan_writes of_table = { .table_oid = 7, .per_second = writes };
    const struct plan_load load = { .items = &of_table, .count = 1 };

    return plan_risk(change, 1, &load);
}

static void
reckons_risk_by_lock_size_time_and_writes(void **state)
{
    const struct change small = {
        .kind = KIND_INDEX, .table_oid = 7, .lock = "SHARE UPDATE EXCLUSIVE", .table_bytes = 1 << 20
    };
    struct change change = small;

    (void)state;
    assert_string_equal(risk(&change, 10), "low");
    assert_string_equal(risk(&change, 1001), "medium");
    change.table_bytes = INT64_C(11) << 30;
    assert_string_equal(risk(&change, 10), "medium");
    change.table_bytes = INT64_C(101) << 30;
    assert_string_equal(risk(&change, 10), "high");
    change = small;
    change.us = INT64_C(31) * 60 * 1000000;
    assert_string_equal(risk(&change, 10), "medium");
    change.us = INT64_C(5) * 3600 * 1000000;
    assert_string_equal(risk(&change, 10), "high");
    change = small;
    change.lock = "ACCESS EXCLUSIVE";
    assert_string_equal(risk(&change, 10), "medium");
    change = small;
    change.is_unique = true;
    assert_string_equal(risk(&change, 10), "medium");
    change = (struct change){ .kind = KIND_DROP, .lock = "SHARE UPDATE EXCLUSIVE" };
    assert_string_equal(risk(&change, 0), "medium");
    change = (struct change){ .kind = KIND_SETTING, .lock = "none" };
    assert_string_equal(risk(&change, 0), "medium");
    change =
        (struct change){ .kind = KIND_SETTING, .table = "t", .lock = "SHARE UPDATE EXCLUSIVE" };
    assert_string_equal(risk(&change, 0), "low");
}

static void
says_what_an_undo_takes(void **state)
{
    struct change changes[] = {
        { .kind = KIND_INDEX, .undo = "DROP INDEX CONCURRENTLY i" },
        { .kind = KIND_VACUUM, .undo = "nothing" },
        { .kind = KIND_DROP, .undo = "CREATE INDEX CONCURRENTLY i ON t (a)" },
    };

    (void)state;
    assert_int_equal(plan_undo_us(changes, 1), 200000);
    assert_int_equal(plan_undo_us(changes, 2), 200000);
    /* Nobody knows how long the index takes that has to be built again. */
    assert_int_equal(plan_undo_us(changes, 3), -1);
    changes[2].us = 5000000;
    assert_int_equal(plan_undo_us(changes, 3), 5200000);
}

struct pair {
    const char *definition;
    const char *by;
    bool is_covered;
};

static void
knows_which_index_does_the_same(void **state)
{
    static const struct pair pairs[] = {
        { "USING btree (a)", "USING btree (a, b)", true },
        { "USING btree (a, b)", "USING btree (a)", false },
        { "USING btree (a DESC, b)", "USING btree (a, b DESC NULLS LAST)", true },
        { "USING btree (b, a)", "USING btree (a, b)", false },
        { "USING btree (lower(a))", "USING btree (lower(a), b)", true },
        { "USING btree (f(a, b))", "USING btree (f(a, c), b)", false },
        { "USING btree (a) WHERE (b > 1)", "USING btree (a)", false },
        { "USING btree (a) WHERE (b > 1)", "USING btree (a, c) WHERE (b > 1)", true },
        { "USING btree (a) INCLUDE (b)", "USING btree (a)", false },
        { "USING btree (\"x),y\")", "USING btree (\"x),y\", z)", true },
        { "USING gin (a)", "USING gin (a, b)", false },
        { "USING btree (a", "USING btree (a, b)", false },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (collected_index_is_covered(ctx->arena, pairs[i].definition, pairs[i].by) !=
            pairs[i].is_covered)
            fail_msg("%s by %s", pairs[i].definition, pairs[i].by);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(sorts_by_phase_then_gain),
        test_with_ctx(divides_gain_by_risk),
        test_with_ctx(keeps_what_others_rest_on_first),
        test_with_ctx(is_the_same_whatever_came_first),
        test_with_ctx(reckons_risk_by_lock_size_time_and_writes),
        test_with_ctx(says_what_an_undo_takes),
        test_with_ctx(knows_which_index_does_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
