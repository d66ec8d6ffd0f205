#include "support/test.h"

#include "support/cli_table.h"

/* Selects by a NULL-terminated list of words. */
static bool
select_words(struct ctx *ctx, const char *const *words, struct invocation *ret)
{
    char *argv[16] = { NULL };
    int argc = 0;

    for (; words[argc]; argc++)
        argv[argc] = arena_strdup(ctx->arena, words[argc]);
    return command_select(ctx, argc, argv, ret);
}

static void
the_longest_words_win(void **state)
{
    static const struct {
        const char *words[6];
        const struct command *command;
        const char *rest;
    } cases[] = {
        { { "index", "apply", "a.sql" }, &sample_apply, "a.sql" },
        { { "plan" }, &sample_plan, "" },
        { { "plan", "show" }, &sample_plan_show, "" },
        { { "plan", "shown" }, &sample_plan, "shown" },
        { { "plan", "--json", "show" }, &sample_plan, "--json show" },
        { { "--db-url", "plan", "index", "unused", "-q" }, &sample_unused, "--db-url plan -q" },
        { { "--json", "-q", "--db-url=x", "plan", "show" }, &sample_plan_show,
            "--json -q --db-url=x" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text_list rest = { 0 };
        struct invocation asked;

        assert_true(select_words(ctx, cases[i].words, &asked));
        assert_ptr_equal(asked.command, cases[i].command);
        for (int j = 0; j < asked.argc; j++)
            text_list_add(ctx->arena, &rest, asked.argv[j]);
        assert_string_equal(text_list_join(ctx->arena, &rest, " "), cases[i].rest);
    }
}

static void
without_a_command_the_group_is_told(void **state)
{
    static const struct {
        const char *words[4];
        const char *group;
        bool asks_help;
        bool asks_version;
    } cases[] = {
        { { NULL }, "", false, false },
        { { "--help" }, "", true, false },
        { { "-V" }, "", false, true },
        { { "index" }, "index", false, false },
        { { "index", "--help" }, "index", true, false },
        { { "--help", "backup" }, "backup", true, false },
        { { "--db-url", "x" }, "", false, false },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct invocation asked;

        assert_true(select_words(ctx, cases[i].words, &asked));
        assert_null(asked.command);
        assert_string_equal(asked.words, cases[i].group);
        assert_int_equal(asked.asks_help, cases[i].asks_help);
        assert_int_equal(asked.asks_version, cases[i].asks_version);
    }
}

static void
an_unknown_command_is_refused_with_what_looks_like_it(void **state)
{
    static const struct {
        const char *words[4];
        const char *message;
        const char *hint;
    } cases[] = {
        { { "idnex", "apply" }, "unknown command \"idnex\"",
            "Did you mean \"pgmend index apply\"" },
        { { "index", "aply" }, "unknown command \"index aply\"",
            "Did you mean \"pgmend index apply\"" },
        { { "unused" }, "unknown command \"unused\"", "Did you mean \"pgmend index unused\"?" },
        { { "back" }, "unknown command \"back\"",
            "Did you mean \"pgmend backup create\" or \"pgmend backup restore\"?" },
        { { "xylophone" }, "unknown command \"xylophone\"", "\"pgmend --help\"" },
        { { "index", "xylophone" }, "unknown command \"index xylophone\"",
            "\"pgmend index --help\"" },
        { { "" }, "unknown command \"\"", "pgmend" },
        { { "index apply" }, "unknown command \"index apply\"", "pgmend index apply" },
        { { "--jso", "plan" }, "unknown option \"--jso\"", "after its name" },
        { { "-j4", "index" }, "unknown option \"-j4\"", "after its name" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct invocation asked;

        assert_false(select_words(ctx, cases[i].words, &asked));
        assert_error(ctx, ERR_USAGE, cases[i].message);
        assert_non_null(ctx->error.hint);
        if (!strstr(ctx->error.hint, cases[i].hint))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].hint, ctx->error.hint);
    }
}

static void
words_are_compared_as_wholes(void **state)
{
    (void)state;
    assert_true(command_is_below("index apply", ""));
    assert_true(command_is_below("index apply", "index"));
    assert_true(command_is_below("index apply", "index apply"));
    assert_false(command_is_below("index apply", "ind"));
    assert_false(command_is_below("index", "index apply"));
}

static void
json_is_seen_among_arguments_that_are_wrong(void **state)
{
    char *with[] = { (char[]){ "--nonsense" }, (char[]){ "--json" } };
    char *behind[] = { (char[]){ "--" }, (char[]){ "--json" } };

    (void)state;
    assert_true(command_asks_json(2, with));
    assert_false(command_asks_json(1, with));
    assert_false(command_asks_json(2, behind));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_longest_words_win),
        test_with_ctx(without_a_command_the_group_is_told),
        test_with_ctx(an_unknown_command_is_refused_with_what_looks_like_it),
        test_with_ctx(words_are_compared_as_wholes),
        test_with_ctx(json_is_seen_among_arguments_that_are_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
