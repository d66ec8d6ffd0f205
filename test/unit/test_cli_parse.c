#include "support/test.h"

#include <unistd.h>

#include "support/cli_table.h"

/* What a call of command_parse() gave. */
struct parsed {
    struct global_options global;
    struct apply_options own;
    struct text_list operands;
};

static bool
parse_as(
    struct ctx *ctx, const struct command *command, const char *const *words, struct parsed *ret)
{
    struct create_options create = { 0 };
    char *argv[32] = { NULL };
    int argc = 0;
    bool is_apply = command == &sample_apply;

    for (; words[argc]; argc++)
        argv[argc] = arena_strdup(ctx->arena, words[argc]);
    *ret = (struct parsed){ 0 };
    return command_parse(ctx,
        &(struct invocation){ .command = command, .argc = argc, .argv = argv }, &ret->global,
        is_apply ? (void *)&ret->own : (void *)&create, &ret->operands);
}

static bool
parse(struct ctx *ctx, const char *const *words, struct parsed *ret)
{
    return parse_as(ctx, &sample_apply, words, ret);
}

#define PARSE(ctx, ret, ...) \
    parse((ctx), (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL }, (ret))

/* A folder of its own as current one and home, and none of the variables that count. */
static int
setup(void **state)
{
    static const char *const names[] = { "PGMEND_MIN_SIZE", "PGMEND_TABLES", "PGMEND_JOBS",
        "PGMEND_DB_URL", "DATABASE_URL", "PGMEND_CONFIG", "PGMEND_STATE_DIR", "PGMEND_JSON",
        "PGMEND_HELP", "PGMEND_TOKEN", "XDG_STATE_HOME", "XDG_CONFIG_HOME" };
    const char *folder;

    test_ctx_new(state);
    folder = test_folder(*state);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unsetenv(names[i]);
    setenv("HOME", folder, 1);
    return chdir(folder);
}

static int
teardown(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = getenv("HOME");

    if (chdir("/") != 0 || !file_remove(ctx, folder))
        return -1;
    return test_ctx_free(state);
}

#define parse_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void
without_arguments_the_defaults_hold(void **state)
{
    struct ctx *ctx = *state;
    struct parsed parsed;

    assert_true(PARSE(ctx, &parsed));
    assert_int_equal(parsed.own.min_size, 1048576);
    assert_int_equal(parsed.own.jobs, 1);
    assert_true(parsed.own.backup);
    assert_string_equal(parsed.own.format, "text");
    assert_null(parsed.own.name);
    assert_int_equal(parsed.own.tables.count, 0);
    assert_int_equal(parsed.operands.count, 0);
    assert_false(parsed.global.json);
}

static void
every_way_to_write_an_option_is_read(void **state)
{
    struct ctx *ctx = *state;
    struct parsed parsed;

    assert_true(PARSE(ctx, &parsed, "a.sql", "--min-size", "64kB", "--wait=250ms", "-j4", "-n",
        "b.sql", "--no-backup", "--ratio", "-0.5", "--no-color", "-qv", "--", "--json", "-"));
    assert_int_equal(parsed.own.min_size, 65536);
    assert_int_equal(parsed.own.wait, 250000);
    assert_int_equal(parsed.own.jobs, 4);
    assert_true(parsed.own.dry_run);
    assert_false(parsed.own.backup);
    assert_true(parsed.own.ratio == -0.5);
    assert_true(parsed.global.no_color && parsed.global.quiet && parsed.global.verbose);
    assert_false(parsed.global.json);
    assert_string_equal(text_list_join(ctx->arena, &parsed.operands, " "), "a.sql b.sql --json -");

    assert_true(PARSE(ctx, &parsed, "-nj", "7", "--min_size=1", "--dry-run=no", "--color", "-t",
        "-", "-tb", "--name", "--json"));
    assert_int_equal(parsed.own.jobs, 7);
    assert_int_equal(parsed.own.min_size, 1);
    assert_false(parsed.own.dry_run);
    assert_false(parsed.global.no_color);
    assert_string_equal(text_list_join(ctx->arena, &parsed.own.tables, "|"), "-|b");
    assert_string_equal(parsed.own.name, "--json");
    assert_false(parsed.global.json);
}

static void
the_last_of_an_option_wins_and_a_list_collects(void **state)
{
    struct ctx *ctx = *state;
    struct parsed parsed;

    assert_true(PARSE(ctx, &parsed, "--jobs=2", "-j3", "--no-backup", "--backup", "-t", "a",
        "--json", "--tables=b", "--no-json"));
    assert_int_equal(parsed.own.jobs, 3);
    assert_true(parsed.own.backup);
    assert_false(parsed.global.json);
    assert_string_equal(text_list_join(ctx->arena, &parsed.own.tables, "|"), "a|b");
}

static void
wrong_arguments_are_refused(void **state)
{
    static const struct {
        const char *words[5];
        const char *message;
        const char *hint;
    } cases[] = {
        { { "--mni-size", "1" }, "unknown option \"--mni-size\"", "\"--min-size\"" },
        { { "--dry-rum" }, "unknown option \"--dry-rum\"", "\"--dry-run\"" },
        { { "--jsn" }, "unknown option \"--jsn\"", "\"--json\"" },
        { { "--nothing-like-it" }, "unknown option \"--nothing-like-it\"",
            "Try \"pgmend index apply --help\"" },
        { { "-x" }, "unknown option \"-x\"", "--help" },
        { { "-nx" }, "unknown option \"-x\"", "--help" },
        { { "--min" }, "unknown option \"--min\"", "--help" },
        { { "--no-min-size" }, "unknown option \"--no-min-size\"", "\"--min-size\"" },
        { { "--min-size" }, "option --min-size needs a value: --min-size SIZE", "--help" },
        { { "-j" }, "option -j needs a value: -j N", "--help" },
        { { "--min-size", "huge" }, "invalid value for --min-size: \"huge\"", "--help" },
        { { "-jmany" }, "invalid value for -j: \"many\"", "--help" },
        { { "--jobs=" }, "invalid value for --jobs: \"\"", "--help" },
        { { "--ratio", "nan" }, "invalid value for --ratio: \"nan\"", "--help" },
        { { "--dry-run=maybe" }, "invalid value for --dry-run: \"maybe\"", "--help" },
        { { "--format", "xml" }, "text, json, sarif", "--help" },
        { { "---json" }, "unknown option \"---json\"", "--help" },
    };
    struct ctx *ctx = *state;
    struct parsed parsed;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(parse(ctx, cases[i].words, &parsed));
        assert_error(ctx, ERR_USAGE, cases[i].message);
        assert_non_null(ctx->error.hint);
        if (!strstr(ctx->error.hint, cases[i].hint))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].hint, ctx->error.hint);
    }
}

static void
operands_and_required_options_are_counted(void **state)
{
    static const struct {
        const struct command *command;
        const char *words[6];
        const char *message; /* NULL: fine */
    } cases[] = {
        { &sample_restore, { "d", "new" }, NULL },
        { &sample_restore, { NULL }, "missing operand: DIR DATABASE" },
        { &sample_restore, { "d" }, "missing operand: DATABASE" },
        { &sample_restore, { "d", "new", "more" }, "unexpected operand \"more\"" },
        { &sample_unused, { "x" }, "unexpected operand \"x\"" },
        { &sample_plan_show, { NULL }, NULL },
        { &sample_plan_show, { "p" }, NULL },
        { &sample_plan_show, { "p", "q" }, "unexpected operand \"q\"" },
        { &sample_create, { "--output", "x" }, NULL },
        { &sample_create, { NULL }, "missing option: --output DIR" },
    };
    struct ctx *ctx = *state;
    struct parsed parsed;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool is_good = parse_as(ctx, cases[i].command, cases[i].words, &parsed);

        assert_int_equal(is_good, cases[i].message == NULL);
        if (cases[i].message)
            assert_error(ctx, ERR_USAGE, cases[i].message);
    }
}

static void
help_and_version_stop_the_reading(void **state)
{
    struct ctx *ctx = *state;
    struct parsed parsed;

    setenv("PGMEND_JOBS", "wrong", 1);
    setenv("PGMEND_CONFIG", "/nowhere/pgmend.ini", 1);
    assert_true(PARSE(ctx, &parsed, "-h", "--no-such-option"));
    assert_true(parsed.global.help);
    assert_true(PARSE(ctx, &parsed, "--version", "--no-such-option"));
    assert_true(parsed.global.version);
    assert_true(parse_as(ctx, &sample_create, (const char *const[]){ "--help", NULL }, &parsed));
    assert_true(parsed.global.help);
}

static void
the_environment_is_below_the_arguments(void **state)
{
    struct ctx *ctx = *state;
    struct parsed parsed;

    setenv("PGMEND_MIN_SIZE", "2kB", 1);
    setenv("PGMEND_TABLES", "a,,b c,", 1);
    setenv("PGMEND_JSON", "on", 1);
    setenv("PGMEND_JOBS", "", 1);
    setenv("PGMEND_HELP", "on", 1);
    assert_true(PARSE(ctx, &parsed));
    assert_int_equal(parsed.own.min_size, 2048);
    assert_string_equal(text_list_join(ctx->arena, &parsed.own.tables, "|"), "a|b c");
    assert_int_equal(parsed.own.jobs, 1);
    assert_true(parsed.global.json);
    assert_false(parsed.global.help);

    assert_true(PARSE(ctx, &parsed, "--min-size=7", "-t", "x", "--no-json"));
    assert_int_equal(parsed.own.min_size, 7);
    assert_string_equal(text_list_join(ctx->arena, &parsed.own.tables, "|"), "x");
    assert_false(parsed.global.json);

    setenv("PGMEND_JOBS", "many", 1);
    assert_false(PARSE(ctx, &parsed));
    assert_error(ctx, ERR_USAGE, "invalid value for PGMEND_JOBS: \"many\"");
}

static void
database_url_is_the_last_place_to_look(void **state)
{
    struct ctx *ctx = *state;
    struct parsed parsed;

    assert_true(PARSE(ctx, &parsed));
    assert_null(parsed.global.db_url);
    setenv("DATABASE_URL", "postgresql://a", 1);
    assert_true(PARSE(ctx, &parsed));
    assert_string_equal(parsed.global.db_url, "postgresql://a");
    setenv("PGMEND_DB_URL", "postgresql://b", 1);
    assert_true(PARSE(ctx, &parsed));
    assert_string_equal(parsed.global.db_url, "postgresql://b");
    assert_true(PARSE(ctx, &parsed, "--db-url", "postgresql://c"));
    assert_string_equal(parsed.global.db_url, "postgresql://c");
}

static void
write_config(struct ctx *ctx, const char *path, const char *text)
{
    assert_true(file_write(ctx, path, text, strlen(text), 0600));
}

static void
the_file_is_below_the_environment_and_the_special_section_wins(void **state)
{
    struct ctx *ctx = *state;
    struct parsed parsed;

    write_config(ctx, "pgmend.ini",
        "[index apply]\njobs = 5\ntables = c\n"
        "[index]\njobs = 4\nmin_size = 4kB\ntables = a\ntables = b\n"
        "[pgmend]\nverbose = on\njson = off\n"
        "[backup]\njobs = 9\n");
    assert_true(PARSE(ctx, &parsed));
    assert_int_equal(parsed.own.jobs, 5);
    assert_int_equal(parsed.own.min_size, 4096);
    assert_true(parsed.global.verbose);
    assert_string_equal(parsed.global.config, "pgmend.ini");
    assert_string_equal(text_list_join(ctx->arena, &parsed.own.tables, "|"), "c");

    setenv("PGMEND_JOBS", "6", 1);
    assert_true(PARSE(ctx, &parsed, "--no-verbose"));
    assert_int_equal(parsed.own.jobs, 6);
    assert_false(parsed.global.verbose);
}

static void
the_file_is_looked_for_in_order(void **state)
{
    struct ctx *ctx = *state;
    const char *home = getenv("HOME");
    const char *xdg = file_join(ctx->arena, home, "xdg");
    struct parsed parsed;

    assert_true(file_make_folder(ctx, ".config/pgmend"));
    write_config(ctx, ".config/pgmend/pgmend.ini", "[index]\njobs = 11\n");
    assert_true(PARSE(ctx, &parsed));
    assert_int_equal(parsed.own.jobs, 11);

    assert_true(file_make_folder(ctx, "xdg/pgmend"));
    write_config(ctx, "xdg/pgmend/pgmend.ini", "[index]\njobs = 12\n");
    setenv("XDG_CONFIG_HOME", xdg, 1);
    assert_true(PARSE(ctx, &parsed));
    assert_int_equal(parsed.own.jobs, 12);

    write_config(ctx, "pgmend.ini", "[index]\njobs = 13\n");
    assert_true(PARSE(ctx, &parsed));
    assert_int_equal(parsed.own.jobs, 13);

    write_config(ctx, "other.ini", "[index]\njobs = 14\n");
    setenv("PGMEND_CONFIG", "other.ini", 1);
    assert_true(PARSE(ctx, &parsed));
    assert_int_equal(parsed.own.jobs, 14);

    write_config(ctx, "given.ini", "[index]\njobs = 15\n");
    assert_true(PARSE(ctx, &parsed, "--config", "given.ini"));
    assert_int_equal(parsed.own.jobs, 15);

    assert_false(PARSE(ctx, &parsed, "--config=/nowhere/pgmend.ini"));
    assert_error(ctx, ERR_CONFIG, "/nowhere/pgmend.ini");
}

static void
the_state_folder_is_found(void **state)
{
    struct ctx *ctx = *state;
    const char *home = getenv("HOME");
    struct parsed parsed;

    assert_true(PARSE(ctx, &parsed));
    assert_string_equal(parsed.global.state_dir,
        geteuid() == 0 ? "/var/lib/pgmend" : file_join(ctx->arena, home, ".local/state/pgmend"));
    setenv("XDG_STATE_HOME", "/somewhere", 1);
    assert_true(PARSE(ctx, &parsed));
    assert_string_equal(parsed.global.state_dir, "/somewhere/pgmend");
    setenv("PGMEND_STATE_DIR", "/env", 1);
    assert_true(PARSE(ctx, &parsed));
    assert_string_equal(parsed.global.state_dir, "/env");
    assert_true(PARSE(ctx, &parsed, "--state-dir", "/given"));
    assert_string_equal(parsed.global.state_dir, "/given");
}

/* Pieces of which command lines are made, good and bad. */
static char *
random_argument(struct arena *arena, struct test_random *random)
{
    static const char *const pieces[] = { "--", "-", "=", "no-", "min-size", "jobs", "json", "n",
        "j", "tables", "1", "kB", "config", "help", "\xFF", "%s", "'", "x" };
    struct buffer text = { .arena = arena };
    size_t count = test_random_below(random, 5);

    for (size_t i = 0; i < count; i++)
        buffer_add(&text, pieces[test_random_below(random, COUNT_OF(pieces))]);
    return arena_strdup(arena, buffer_text(&text));
}

static void
random_arguments_are_taken_or_refused_but_never_crash(void **state)
{
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();

    for (int round = 0; round < 5000; round++) {
        char *argv[8];
        int argc = (int)test_random_below(&random, COUNT_OF(argv));
        struct global_options global;
        struct apply_options own = { 0 };
        struct text_list operands = { 0 };
        struct arena *arena = arena_new();
        struct ctx inner = { .arena = arena };
        struct invocation asked = { .command = &sample_apply, .argc = argc, .argv = argv };

        for (int i = 0; i < argc; i++)
            argv[i] = random_argument(arena, &random);
        if (command_parse(&inner, &asked, &global, &own, &operands))
            assert_true(operands.count <= (size_t)argc);
        else
            assert_true(inner.error.kind == ERR_USAGE || inner.error.kind == ERR_CONFIG);
        arena_free(arena);
    }
    assert_int_equal(ctx->error.kind, ERR_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        parse_test(without_arguments_the_defaults_hold),
        parse_test(every_way_to_write_an_option_is_read),
        parse_test(the_last_of_an_option_wins_and_a_list_collects),
        parse_test(wrong_arguments_are_refused),
        parse_test(operands_and_required_options_are_counted),
        parse_test(help_and_version_stop_the_reading),
        parse_test(the_environment_is_below_the_arguments),
        parse_test(database_url_is_the_last_place_to_look),
        parse_test(the_file_is_below_the_environment_and_the_special_section_wins),
        parse_test(the_file_is_looked_for_in_order),
        parse_test(the_state_folder_is_found),
        parse_test(random_arguments_are_taken_or_refused_but_never_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
