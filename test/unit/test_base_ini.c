/* Ini files: order, lines, long values, and what is refused. */
#include "support/test.h"

#include <string.h>

#include "base/ini.h"

static const struct ini_options plain = { .kind = ERR_CONFIG, .example = "[server main]" };
static const struct ini_options longer = { .kind = ERR_INPUT,
    .example = "[users web]",
    .has_long_values = true };

static bool
parse(struct ctx *ctx, const char *text, const struct ini_options *options, struct ini_file *ret)
{
    return ini_file_parse(ctx, "x.ini", text, strlen(text), options, ret);
}

static void
settings_stay_in_order_with_their_lines(void **state)
{
    struct ctx *ctx = *state;
    struct ini_file file;

    assert_true(parse(ctx,
        "\xef\xbb\xbf; a comment\r\n"
        "above = 1\r\n"
        "[ server  main ]\r\n"
        "\r\n"
        "  b = two words ; a comment\r\n"
        "# another\r\n"
        "b=\r\n"
        "bare: 1\r\n"
        "[empty]\r\n"
        "[server main]\n"
        "c = x=y;z",
        &plain, &file));
    assert_int_equal(file.sections.count, 4);
    assert_string_equal(file.sections.items[0].title, "");
    assert_string_equal(file.sections.items[0].settings.items[0].name, "above");
    assert_int_equal(file.sections.items[0].settings.items[0].line, 2);

    const struct ini_section *section = &file.sections.items[1];

    assert_string_equal(section->kind, "server");
    assert_string_equal(section->name, "main");
    assert_int_equal(section->line, 3);
    assert_int_equal(section->settings.count, 3);
    assert_string_equal(section->settings.items[0].value, "two words");
    assert_int_equal(section->settings.items[0].line, 5);
    assert_string_equal(section->settings.items[1].value, "");
    assert_true(section->settings.items[1].has_value);
    assert_string_equal(section->settings.items[2].name, "bare");
    assert_false(section->settings.items[2].has_value);
    assert_int_equal(section->settings.items[2].line, 8);
    assert_int_equal(file.sections.items[2].settings.count, 0);
    assert_int_equal(file.sections.items[3].line, 10);
    assert_string_equal(file.sections.items[3].settings.items[0].value, "x=y;z");
}

static void
indented_lines_go_on(void **state)
{
    struct ctx *ctx = *state;
    struct ini_file file;

    assert_true(parse(ctx,
        "[a]\n"
        "sql = SELECT 1 ; no comment\n"
        "  FROM t\n"
        "\n"
        "\t; a comment between\n"
        "\tWHERE x\n"
        "next =\n"
        " only this\n",
        &longer, &file));

    const struct ini_section *section = &file.sections.items[0];

    assert_int_equal(section->settings.count, 2);
    assert_string_equal(section->settings.items[0].value, "SELECT 1 ; no comment\nFROM t\nWHERE x");
    assert_true(section->settings.items[0].is_long);
    assert_int_equal(section->settings.items[0].line, 2);
    assert_string_equal(section->settings.items[1].value, "only this");
    assert_int_equal(section->settings.items[1].line, 7);
}

static void
values_and_names_of_sections_may_be_long(void **state)
{
    struct ctx *ctx = *state;
    char *text = arena_alloc(ctx->arena, 20000);
    struct ini_file file;

    memset(text, 'x', 19999);
    assert_true(parse(ctx, arena_printf(ctx->arena, "[%s]\na = %s\n", text, text), &plain, &file));
    assert_int_equal(strlen(file.sections.items[0].title), 19999);
    assert_string_equal(file.sections.items[0].settings.items[0].value, text);
    assert_false(parse(ctx, arena_printf(ctx->arena, "[a]\n\n%s = 1\n", text), &plain, &file));
    assert_error(ctx, ERR_CONFIG, "x.ini:3: the setting's name is too long");
}

static void
what_is_no_setting_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const struct ini_options *options;
        const char *message;
    } mistakes[] = {
        { "[a\nb = 1\n", 0, &plain, "x.ini:1: the section's name has no \"]\"" },
        { "[a]\nb = 1\n= 2\n", 0, &plain, "x.ini:3: the setting has no name" },
        { "[a]\n\nword\n", 0, &plain, "x.ini:3: syntax error: the line is no setting" },
        { "[a]\nb = 1\0\n", 11, &plain, "x.ini:2: the line holds a NUL byte" },
        { "[a]\n  b = 1\n", 0, &longer, "x.ini:2: the line is indented" },
        { " b = 1\n", 0, &longer, "x.ini:1: the line is indented" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        struct ini_file file;
        size_t length = mistakes[i].length ? mistakes[i].length : strlen(mistakes[i].text);

        assert_false(
            ini_file_parse(ctx, "x.ini", mistakes[i].text, length, mistakes[i].options, &file));
        assert_error(ctx, mistakes[i].options->kind, mistakes[i].message);
    }
}

static void
a_file_that_cannot_be_read_is_told(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "big.ini");
    char *text = arena_alloc(ctx->arena, 2 * 1024 * 1024);
    struct ini_file file;

    assert_false(ini_file_read(ctx, file_join(ctx->arena, folder, "none.ini"), &longer, &file));
    assert_error(ctx, ERR_INPUT, "none.ini");
    assert_false(ini_file_read(ctx, folder, &plain, &file));
    assert_error(ctx, ERR_CONFIG, folder);
    memset(text, ';', 2 * 1024 * 1024);
    assert_true(file_write(ctx, path, text, 2 * 1024 * 1024, 0600));
    assert_false(ini_file_read(ctx, path, &plain, &file));
    assert_error(ctx, ERR_CONFIG, "larger");
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(settings_stay_in_order_with_their_lines),
        test_with_ctx(indented_lines_go_on),
        test_with_ctx(values_and_names_of_sections_may_be_long),
        test_with_ctx(what_is_no_setting_is_refused_with_its_line),
        test_with_ctx(a_file_that_cannot_be_read_is_told),
    };

    return cmocka_run_group_tests_name("base_ini", tests, NULL, NULL);
}
