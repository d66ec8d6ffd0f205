#include "support/test.h"

#include "cli/secret.h"
#include "support/cli_table.h"

static void
passwords_are_overwritten_and_the_rest_is_kept(void **state)
{
    static const struct {
        const char *text;
        const char *scrubbed;
    } cases[] = {
        { "postgresql://app:secret@db:5432/replyx?sslmode=require",
            "postgresql://app:xxxxxx@db:5432/replyx?sslmode=require" },
        { "postgresql+psycopg2://app:se@cr:et@db/replyx",
            "postgresql+psycopg2://app:xxxxxxxx@db/replyx" },
        { "postgresql://app:@db/replyx", "postgresql://app:@db/replyx" },
        { "postgresql://app@db/replyx", "postgresql://app@db/replyx" },
        { "postgresql://db:5432/replyx", "postgresql://db:5432/replyx" },
        { "postgresql://db/replyx?user=a&password=secret&x=1",
            "postgresql://db/replyx?user=a&password=xxxxxx&x=1" },
        { "host=db password=secret user=app", "host=db password=xxxxxx user=app" },
        { "password = 'se cr\\'et' user=app", "password = xxxxxxxxxx' user=app" },
        { "PASSWORD=secret sslpassword=other", "PASSWORD=xxxxxx sslpassword=xxxxx" },
        { "password='open", "password=xxxxx" },
        { "the password is safe", "the password is safe" },
        { "", "" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *text = arena_strdup(ctx->arena, cases[i].text);
        bool found = secret_scrub(text);

        assert_string_equal(text, cases[i].scrubbed);
        assert_int_equal(found, strcmp(cases[i].text, cases[i].scrubbed) != 0);
    }
}

static void
arguments_lose_passwords_and_secret_options(void **state)
{
    static const char *const before[] = { "pgmend", "--db-url=postgresql://a:b@c/d", "--token",
        "1234", "--token=56", "--name", "--name=x", "host=h password=p", "--token" };
    static const char *const after[] = { "pgmend", "--db-url=postgresql://a:x@c/d", "--token",
        "xxxx", "--token=xx", "--name", "--name=x", "host=h password=x", "--token" };
    struct ctx *ctx = *state;
    char *argv[COUNT_OF(before)];

    for (size_t i = 0; i < COUNT_OF(before); i++)
        argv[i] = arena_strdup(ctx->arena, before[i]);
    command_scrub((int)COUNT_OF(before), argv);
    for (size_t i = 0; i < COUNT_OF(before); i++)
        assert_string_equal(argv[i], after[i]);
    command_scrub(0, argv);
}

static void
settings_with_a_password_are_known(void **state)
{
    (void)state;
    assert_true(secret_is_in("db_url", "postgresql://a:b@c"));
    assert_true(secret_is_in("token", "1"));
    assert_false(secret_is_in("token", ""));
    assert_false(secret_is_in("db_url", "postgresql://a@c"));
    assert_false(secret_is_in("jobs", "1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(passwords_are_overwritten_and_the_rest_is_kept),
        test_with_ctx(arguments_lose_passwords_and_secret_options),
        test_with_ctx(settings_with_a_password_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
