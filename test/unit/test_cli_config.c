#include "support/test.h"

#include <sys/stat.h>

#include "cli/config.h"
#include "support/cli_table.h"

static bool
parse(struct ctx *ctx, const char *text, struct config *ret)
{
    return config_parse(ctx, "pgmend.ini", text, strlen(text), ret);
}

static void
entries_keep_section_order_and_line(void **state)
{
    struct ctx *ctx = *state;
    struct config config;

    assert_true(parse(ctx,
        "; comment\n# comment\n\n[pgmend]\r\n  json = yes \r\n[index apply]\n"
        "min-size: 64kB ; why\n\ttables=a b\nname = \n",
        &config));
    assert_int_equal(config.entries.count, 4);
    assert_string_equal(config.entries.items[0].section, "pgmend");
    assert_string_equal(config.entries.items[0].name, "json");
    assert_string_equal(config.entries.items[0].value, "yes");
    assert_int_equal(config.entries.items[0].line, 5);
    assert_string_equal(config.entries.items[1].section, "index apply");
    assert_string_equal(config.entries.items[1].name, "min-size");
    assert_string_equal(config.entries.items[1].value, "64kB");
    assert_int_equal(config.entries.items[1].line, 7);
    assert_string_equal(config.entries.items[2].value, "a b");
    assert_string_equal(config.entries.items[3].value, "");
}

static void
a_section_is_for_the_commands_below_its_words(void **state)
{
    static const struct {
        const char *section;
        int rank;
    } cases[] = {
        { "pgmend", 0 },
        { "index", 1 },
        { "index apply", 2 },
        { "index unused", -1 },
        { "ind", -1 },
        { "backup", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config_entry entry = { .section = cases[i].section };

        assert_int_equal(config_rank(&entry, &sample_apply), cases[i].rank);
    }
}

static void
what_is_wrong_is_told_with_its_line_and_a_remedy(void **state)
{
    static const struct {
        const char *text;
        const char *message;
        const char *hint; /* or NULL: none needed */
    } cases[] = {
        { "[pgmend]\nno equals sign\n", "pgmend.ini:2: syntax error", "name = value" },
        { "[pgmend\njson = on\n", "pgmend.ini:1: syntax error", "[section]" },
        { "\n[indx]\njobs = 1\n", "pgmend.ini:3: unknown section [indx]", "[backup]" },
        { "json = on\n", "pgmend.ini:1: \"json\" stands in no section", "[pgmend]" },
        { "[index]\njbos = 1\n", "pgmend.ini:2: unknown setting \"jbos\" in section [index]",
            "pgmend index --help" },
        { "[index apply]\nmin_sze = 1\n", "pgmend.ini:2: unknown setting",
            "Did you mean \"min_size\"?" },
        { "[pgmend]\njobs = 1\n", "pgmend.ini:2: unknown setting \"jobs\" in section [pgmend]",
            "pgmend --help" },
        { "[pgmend]\nhelp = on\n", "unknown setting \"help\"", "--help" },
        { "[pgmend]\nconfig = x\n", "unknown setting \"config\"", "--help" },
        { "[index]\nno_backup = on\n", "unknown setting \"no_backup\"", "--help" },
        { "[index unused]\njobs = 1\n", "unknown setting \"jobs\" in section [index unused]",
            "pgmend index unused --help" },
        { "[index]\njobs = many\n", "pgmend.ini:2: invalid value for jobs: \"many\"", NULL },
        { "[backup create]\n\n\njobs = many\n", "pgmend.ini:4: invalid value for jobs", NULL },
        { "[pgmend]\njson = perhaps\n", "pgmend.ini:2: invalid value for json", NULL },
        { "[index]\nratio = inf\n", "pgmend.ini:2: invalid value for ratio", NULL },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config config;

        if (parse(ctx, cases[i].text, &config))
            fail_msg("case %zu was accepted", i);
        assert_error(ctx, ERR_CONFIG, cases[i].message);
        if (cases[i].hint && (!ctx->error.hint || !strstr(ctx->error.hint, cases[i].hint)))
            fail_msg("case %zu: hint \"%s\"", i, ctx->error.hint);
    }
}

static void
a_long_value_is_kept_whole(void **state)
{
    struct ctx *ctx = *state;
    struct config config;
    char *value = arena_alloc(ctx->arena, 5001);

    memset(value, 'v', 5000);
    assert_true(parse(ctx,
        arena_printf(ctx->arena,
            "; %s\n[pgmend]\ndb_url = %s ; note\nstate_dir = /x\n[index]\nname=%s=%s\n", value,
            value, value, value),
        &config));
    assert_int_equal(config.entries.count, 3);
    assert_string_equal(config.entries.items[0].value, value);
    assert_int_equal(config.entries.items[0].line, 3);
    assert_string_equal(config.entries.items[1].value, "/x");
    assert_string_equal(
        config.entries.items[2].value, arena_printf(ctx->arena, "%s=%s", value, value));
    assert_false(parse(ctx, arena_printf(ctx->arena, "[pgmend]\n%s\n", value), &config));
    assert_error(ctx, ERR_CONFIG, "pgmend.ini:2: syntax error");
    assert_false(parse(ctx, arena_printf(ctx->arena, "[pgmend]\n%s = 1\n", value), &config));
    assert_error(ctx, ERR_CONFIG, "pgmend.ini:2:");
}

static void
a_nul_byte_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct config config;

    assert_false(config_parse(ctx, "pgmend.ini", "[pgmend]\njson = o\0n\n", 20, &config));
    assert_error(ctx, ERR_CONFIG, "pgmend.ini:2: the line holds a NUL byte");
}

static void
an_empty_file_is_fine(void **state)
{
    struct ctx *ctx = *state;
    struct config config;

    assert_true(parse(ctx, "", &config));
    assert_int_equal(config.entries.count, 0);
    assert_true(parse(ctx, "\xEF\xBB\xBF[pgmend]\njson=on", &config));
    assert_int_equal(config.entries.count, 1);
}

static void
a_password_in_a_file_that_others_can_read_is_refused(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        bool is_good;
    } cases[] = {
        { "[pgmend]\ndb_url = postgresql://u:secret@h/d\n", 0600, true },
        { "[pgmend]\ndb_url = postgresql://u:secret@h/d\n", 0640, false },
        { "[pgmend]\ndb_url = postgresql://u:secret@h/d\n", 0604, false },
        { "[pgmend]\ndb_url = host=h password = 'se cret'\n", 0644, false },
        { "[index]\ntoken = 1234\n", 0644, false },
        { "[index]\ntoken = 1234\n", 0400, true },
        { "[pgmend]\ndb_url = postgresql://u@h/d\n", 0644, true },
        { "[pgmend]\ndb_url = host=h user=u\n", 0644, true },
        { "[index]\ntoken =\n", 0644, true },
    };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "pgmend.ini");

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config config;

        assert_true(file_write(ctx, path, cases[i].text, strlen(cases[i].text), 0600));
        assert_int_equal(chmod(path, cases[i].mode), 0);
        assert_int_equal(config_load(ctx, path, &config), cases[i].is_good);
        if (cases[i].is_good)
            continue;
        assert_error(ctx, ERR_CONFIG, "pgmend.ini:2: ");
        assert_non_null(strstr(ctx->error.hint, "chmod 600"));
        assert_null(strstr(ctx->error.message, "cret"));
        assert_null(strstr(ctx->error.message, "1234"));
    }
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(entries_keep_section_order_and_line),
        test_with_ctx(a_section_is_for_the_commands_below_its_words),
        test_with_ctx(what_is_wrong_is_told_with_its_line_and_a_remedy),
        test_with_ctx(a_long_value_is_kept_whole),
        test_with_ctx(a_nul_byte_is_refused),
        test_with_ctx(an_empty_file_is_fine),
        test_with_ctx(a_password_in_a_file_that_others_can_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
