/* When two answers say the same: expectations are by RFC 8259, for which the order of members is none. */
#include "support/test.h"

#include "replyx/shadow.h"

static void
the_same_said_otherwise_is_the_same(void **state)
{
    static const char *const pairs[][2] = {
        { "", "" },
        { "not JSON", "not JSON" },
        { "[1,2]", "[1, 2]" },
        { "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "{\"b\":{\"d\":3,\"c\":2},\"a\":1}" },
        { "\"\\u0416\"", "\"Ж\"" },
        { "[0.10]", "[0.1]" },
        { "null", " null " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (!shadow_is_same(pairs[i][0], pairs[i][1]))
            fail_msg("%s is not %s", pairs[i][0], pairs[i][1]);
}

static void
anything_else_is_a_difference(void **state)
{
    static const char *const pairs[][2] = {
        { "", "null" },
        { "not JSON", "NOT JSON" },
        { "[1,2]", "[2,1]" },
        { "{\"a\":1}", "{\"a\":1,\"b\":null}" },
        { "{\"a\":1}", "{\"a\":\"1\"}" },
        { "{\"a\":null}", "{}" },
        { "[1]", "[1" },
        { "[9007199254740993]", "[9007199254740992]" },
        { "\"a\"", "\"a \"" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (shadow_is_same(pairs[i][0], pairs[i][1]) || shadow_is_same(pairs[i][1], pairs[i][0]))
            fail_msg("%s is %s", pairs[i][0], pairs[i][1]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_said_otherwise_is_the_same),
        cmocka_unit_test(anything_else_is_a_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
