/* Rules for masking as they stand in a file: what is understood, what is refused and where, what they match. */
#include "support/test.h"

#include "staging/mask.h"

static struct mask_rules
read_rules(struct ctx *ctx, const char *text)
{
    struct mask_rules rules;

    if (!mask_parse(ctx, "mask.ini", text, &rules))
        fail_msg("%s", ctx->error.message);
    return rules;
}

static void
rules_are_read(void **state)
{
    struct ctx *ctx = *state;
    struct mask_rules rules =
        read_rules(ctx, "; comment\n[mask]\npublic.users.email = email\n"
                        "*.phone=phone\n\"Odd.Name\".\"a\"\"b\" = constant 'it''s'\n");

    assert_int_equal(rules.items.count, 3);
    assert_string_equal(rules.items.items[0].schema, "public");
    assert_string_equal(rules.items.items[0].table, "users");
    assert_string_equal(rules.items.items[0].column, "email");
    assert_int_equal(rules.items.items[0].kind, MASK_EMAIL);
    assert_int_equal(rules.items.items[0].line, 3);
    assert_false(rules.items.items[0].is_pattern);
    assert_true(rules.items.items[1].is_pattern);
    assert_string_equal(rules.items.items[2].table, "Odd.Name");
    assert_string_equal(rules.items.items[2].column, "a\"b");
    assert_string_equal(rules.items.items[2].value, "it's");
}

static void
what_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "[mask]\nusers.email = emial\n", "mask.ini:2: there is no way \"emial\"" },
        { "[mask]\nemail = email\n", "mask.ini:2: \"email\" is not the name of a column" },
        { "[mask]\na.b.c.d = email\n", "is not the name of a column" },
        { "[mask]\nusers..email = email\n", "is not the name of a column" },
        { "[mask]\nusers.note = constant removed\n", "mask.ini:2: a constant needs its value" },
        { "[mask]\nusers.note = constant 'a' b\n", "a constant needs its value" },
        { "[mask]\nusers.note = null 'a'\n", "\"null\" takes nothing after it" },
        { "[mask]\nusers.note =\n", "has no way to mask it" },
        { "[mask]\nusers.note\n", "mask.ini:2: syntax error" },
        { "[masks]\nusers.note = null\n", "mask.ini:1: rules stand in a section [mask]" },
        { "[mask]\n", "there is no rule in it" },
        { "", "there is no rule in it" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mask_rules rules;

        if (mask_parse(ctx, "mask.ini", cases[i].text, &rules))
            fail_msg("this was taken: %s", cases[i].text);
        assert_error(ctx, ERR_INPUT, cases[i].message);
    }
}

static void
what_they_match(void **state)
{
    static const struct {
        const char *rule;
        const char *schema;
        const char *table;
        const char *column;
        bool matches;
    } cases[] = {
        { "users.email", "public", "users", "email", true },
        { "users.email", "app", "users", "email", true },
        { "public.users.email", "app", "users", "email", false },
        { "*.email", "app", "anything", "email", true },
        { "*.email", "app", "anything", "email2", false },
        { "app.*.*_token", "app", "bots", "telegram_token", true },
        { "app.*.*_token", "public", "bots", "telegram_token", false },
        { "user?.name", "app", "users", "name", true },
        { "user?.name", "app", "user", "name", false },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mask_rules rules =
            read_rules(ctx, arena_printf(ctx->arena, "[mask]\n%s = null\n", cases[i].rule));

        if (mask_rule_matches(&rules.items.items[0], cases[i].schema, cases[i].table,
                cases[i].column) != cases[i].matches)
            fail_msg(
                "%s and %s.%s.%s", cases[i].rule, cases[i].schema, cases[i].table, cases[i].column);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(rules_are_read),
        test_with_ctx(what_is_refused),
        test_with_ctx(what_they_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
