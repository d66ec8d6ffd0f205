#include "support/test.h"

#include "base/file.h"
#include "cli/plain.h"

struct settings_of_test {
    const char *name;
    int32_t count;
    int64_t wait;
    bool loud;
    struct text_list hosts;
    const char *now;
    const char *config;
    bool help;
};

static const struct field fields[] = {
    FIELD(struct settings_of_test, name, .arg = "NAME", .standard = "anna", .help = "a name"),
    FIELD(struct settings_of_test, count, .arg = "N", .standard = "3", .letter = 'c',
        .help =
            "how many of them there are, which is said in so many words that it has to be wrapped"),
    FIELD(struct settings_of_test, wait, .unit = UNIT_US, .standard = "2s", .help = "wait"),
    FIELD(struct settings_of_test, loud, .letter = 'l', .help = "loud"),
    FIELD(struct settings_of_test, hosts, .arg = "HOST", .help = "hosts"),
    FIELD(struct settings_of_test, now, .arg = "TIME", .momentary = true, .help = "now"),
    FIELD(struct settings_of_test, config, .arg = "FILE", .momentary = true, .help = "file"),
    FIELD(struct settings_of_test, help, .letter = 'h', .momentary = true, .help = "help"),
};

static const struct plain plain = {
    .program = "testing",
    .prefix = "PLAIN_TEST_",
    .about = "Does nothing.",
    .examples = "  testing --loud",
    .variable = "PLAIN_TEST_OTHER_HOST",
    .fields = fields,
    .field_count = COUNT_OF(fields),
};

static bool
parse(struct ctx *ctx, const char *const *argv, struct settings_of_test *ret)
{
    char *copy[16] = { 0 };
    int argc = 0;

    for (; argv[argc]; argc++)
        copy[argc] = arena_strdup(ctx->arena, argv[argc]);
    *ret = (struct settings_of_test){ 0 };
    error_clear(ctx);
    return plain_parse(ctx, &plain, argc, copy, ret);
}

#define PARSE(ctx, ret, ...) parse((ctx), (const char *const[]){ __VA_ARGS__ NULL }, (ret))

static void
defaults_and_arguments(void **state)
{
    struct settings_of_test got;

    assert_true(PARSE(*state, &got, ));
    assert_string_equal(got.name, "anna");
    assert_int_equal(got.count, 3);
    assert_int_equal(got.wait, 2000000);
    assert_false(got.loud);
    assert_int_equal(got.hosts.count, 0);
    assert_true(PARSE(*state, &got, "--name", "bob", "--count=7", "-l", "--hosts", "a",
        "--hosts=b,c", "--wait", "5ms", "--now", "then", ));
    assert_string_equal(got.name, "bob");
    assert_int_equal(got.count, 7);
    assert_int_equal(got.wait, 5000);
    assert_true(got.loud);
    assert_int_equal(got.hosts.count, 2);
    assert_string_equal(got.hosts.items[1], "b,c");
    assert_string_equal(got.now, "then");
    assert_true(PARSE(*state, &got, "--loud", "--no-loud", "-c", "-4", ));
    assert_false(got.loud);
    assert_int_equal(got.count, -4);
}

static void
what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *argument;
        const char *message;
    } wrong[] = {
        { "--nmae=x", "unknown option \"--nmae\"" }, { "bob", "unknown argument \"bob\"" },
        { "-x", "unknown option \"-x\"" }, { "-", "unknown option \"-\"" },
        { "--", "unknown option \"--\"" }, { "", "unknown argument \"\"" },
        { "--name", "--name needs a value" }, { "--count=many", "\"many\"" },
        { "--count=99999999999", "\"99999999999\"" }, { "--wait=soon", "\"soon\"" },
        { "--loud=perhaps", "\"perhaps\"" },
        { "--json", "unknown option \"--json\"" }, /* one of pgmend's own */
    };
    struct settings_of_test got;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (PARSE(*state, &got, wrong[i].argument, ))
            fail_msg("\"%s\" is taken", wrong[i].argument);
        assert_error((struct ctx *)*state, ERR_USAGE, wrong[i].message);
        assert_non_null(((struct ctx *)*state)->error.hint);
    }
    assert_false(PARSE(*state, &got, "--nmae=x", ));
    assert_string_equal(((struct ctx *)*state)->error.hint, "Did you mean \"name\"?");
    /* With --help nothing else is looked at, not even what a file would say. */
    assert_true(PARSE(*state, &got, "-h", "--config=/nonexistent/file", ));
    assert_true(got.help);
}

static const char *
write_file(struct ctx *ctx, const char *text)
{
    const char *path = file_join(ctx->arena, test_folder(ctx), "plain.ini");

    assert_true(file_write(ctx, path, text, strlen(text), 0600));
    return path;
}

static void
the_stronger_source_wins(void **state)
{
    struct ctx *ctx = *state;
    const char *path = write_file(ctx, "; settings\n[testing]\nname = file\ncount = 10\n"
                                       "hosts = f1\nhosts = f2\nloud = true\n");
    struct settings_of_test got;

    assert_true(PARSE(ctx, &got, "--config", path, ));
    assert_string_equal(got.name, "file");
    assert_int_equal(got.count, 10);
    assert_true(got.loud);
    assert_string_equal(text_list_join(ctx->arena, &got.hosts, " "), "f1 f2");

    setenv("PLAIN_TEST_OTHER_HOST", "other", 1);
    assert_true(PARSE(ctx, &got, "--config", path, ));
    assert_string_equal(text_list_join(ctx->arena, &got.hosts, " "), "f1 f2");
    assert_true(PARSE(ctx, &got, ));
    assert_string_equal(text_list_join(ctx->arena, &got.hosts, " "), "other");

    setenv("PLAIN_TEST_NAME", "environment", 1);
    setenv("PLAIN_TEST_HOSTS", "e1,,e2", 1);
    setenv("PLAIN_TEST_NOW", "never", 1);
    setenv("PLAIN_TEST_WAIT", "", 1);
    assert_true(PARSE(ctx, &got, "--config", path, "--no-loud", ));
    assert_string_equal(got.name, "environment");
    assert_int_equal(got.count, 10);
    assert_int_equal(got.wait, 2000000);
    assert_false(got.loud);
    assert_null(got.now);
    assert_string_equal(text_list_join(ctx->arena, &got.hosts, " "), "e1 e2");

    assert_true(PARSE(ctx, &got, "--config", path, "--name=argument", "--hosts=a1", ));
    assert_string_equal(got.name, "argument");
    assert_string_equal(text_list_join(ctx->arena, &got.hosts, " "), "a1");
    setenv("PLAIN_TEST_COUNT", "x", 1);
    assert_false(PARSE(ctx, &got, ));
    assert_error(ctx, ERR_USAGE, "PLAIN_TEST_COUNT");
    for (const char *const *at = (const char *const[]){ "PLAIN_TEST_OTHER_HOST", "PLAIN_TEST_NAME",
             "PLAIN_TEST_HOSTS", "PLAIN_TEST_NOW", "PLAIN_TEST_WAIT", "PLAIN_TEST_COUNT", NULL };
         *at; at++)
        unsetenv(*at);
}

static void
a_wrong_file_is_refused_with_its_line(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *text;
        const char *message;
    } wrong[] = {
        { "[testing]\nname = a\nnonsense = 1\n", ":3: unknown setting \"nonsense\"" },
        { "[testing]\nnow = x\n", ":2: unknown setting \"now\"" },
        { "[testing]\nno-loud = true\n", ":2: unknown setting \"no-loud\"" },
        { "[other]\nname = x\n", ":2: unknown section [other]" },
        { "name = x\n", ":1: unknown section []" },
        { "[testing]\ncount = x\n", ":2: " },
        { "[testing]\nwhat is this\n", ":2: " },
    };
    struct settings_of_test got;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *path = write_file(ctx, wrong[i].text);

        if (PARSE(ctx, &got, "--config", path, ))
            fail_msg("\"%s\" is taken", wrong[i].text);
        assert_error(ctx, ERR_CONFIG, wrong[i].message);
        assert_true(text_starts_with(ctx->error.message, path));
    }
    assert_false(PARSE(ctx, &got, "--config=/nonexistent/file", ));
    assert_error(ctx, ERR_CONFIG, "/nonexistent/file");
}

static void
help_shows_every_option(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    plain_help(out, &plain);
    fclose(out);
    assert_true(text_starts_with(text, "Usage: testing [OPTION]...\n\nDoes nothing.\n"));
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        char option[32];

        snprintf(option, sizeof(option), "--%s", fields[i].name);
        if (!fields[i].letter && !strstr(text, option))
            fail_msg("%s is not in \"%s\"", option, text);
    }
    assert_non_null(strstr(text, "  -c, --count N\n        how many"));
    assert_non_null(strstr(text, "(default: anna)"));
    assert_non_null(strstr(text, "PLAIN_TEST_"));
    assert_non_null(strstr(text, "Examples:\n  testing --loud\n"));
    for (const char *line = text; line; line = strchr(line + 1, '\n'))
        assert_true(strcspn(line + 1, "\n") <= 100);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(defaults_and_arguments),
        test_with_ctx(what_is_wrong_is_said),
        test_with_ctx(the_stronger_source_wins),
        test_with_ctx(a_wrong_file_is_refused_with_its_line),
        test_with_ctx(help_shows_every_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
