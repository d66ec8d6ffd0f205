/* pgbench scripts as statements, and their \set expressions as representative numbers. */
#include "support/test.h"

#include "workload/expression.h"
#include "workload/script.h"

static const struct text_list no_defines;

static void
expressions_give_one_representative_number(void **state)
{
    static const struct {
        const char *text;
        const char *value; /* NULL: cannot be evaluated */
    } cases[] = {
        { "5", "5" },
        { "1 + 2 * 3", "7" },
        { "(1 + 2) * 3", "9" },
        { "10 - 2 - 3", "5" },
        { "7 / 2", "3" },
        { "-7 / 2", "-3" },
        { "7 % 4", "3" },
        { "7.0 / 2", "3.5" },
        { "random(1, 100)", "50" },
        { "random_zipfian(1, :n, 1.1)", "1000" },
        { "random_gaussian(0, 10, 2.5) + 1", "6" },
        { ":n * 10 + 1", "20001" },
        { "greatest(3, 8, 5) - least(3, 8)", "5" },
        { "abs(-4) + int(2.9)", "6" },
        { "1 / 0", NULL },
        { "5 % 0", NULL },
        { ":missing + 1", NULL },
        { ":unknown", NULL },
        { "hash(5)", NULL },
        { "random(1)", NULL },
        { "1 +", NULL },
        { "1 2", NULL },
        { "", NULL },
        { "((1)", NULL },
        { "CASE WHEN true THEN 1 END", NULL },
    };
    struct script_variable items[] = { { "n", "1" }, { "n", "2000" }, { "unknown", NULL } };
    const struct script_variables variables = { .items = items, .count = COUNT_OF(items) };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *value = NULL;
        bool is_good = expression_evaluate(ctx, cases[i].text, &variables, &value);

        assert_int_equal(is_good, cases[i].value != NULL);
        if (is_good)
            assert_string_equal(value, cases[i].value);
        else
            assert_int_equal(ctx->error.kind, ERR_INPUT);
    }
}

static void
deeply_nested_expressions_are_refused(void **state)
{
    enum { DEPTH = 100000 };
    static const struct script_variables none;
    struct ctx *ctx = *state;
    char *text = arena_alloc(ctx->arena, DEPTH + 1);
    const char *value;

    memset(text, '(', DEPTH);
    assert_false(expression_evaluate(ctx, text, &none, &value));
    assert_int_equal(ctx->error.kind, ERR_INPUT);
}

static void
variables_become_parameters_and_values(void **state)
{
    static const char text[] = "-- a comment: not :this\n"
                               "\\set user random(1, :users)\n"
                               "SELECT ':user', \"a:user\", b::int FROM t /* :user */\n"
                               " WHERE user_id = :user AND n < :limit AND m > :user;\n";
    const char *items[] = { "users=2000", "limit=it's" };
    const struct text_list defines = { .items = items, .count = COUNT_OF(items) };
    struct ctx *ctx = *state;
    struct script script;

    assert_true(script_read(ctx, "test", text, &defines, &script));
    assert_int_equal(script.count, 1);
    assert_string_equal(script.items[0].sql,
        "SELECT ':user', \"a:user\", b::int FROM t /* :user */\n"
        " WHERE user_id = $1 AND n < $2 AND m > $1");
    assert_string_equal(script.items[0].sample,
        "SELECT ':user', \"a:user\", b::int FROM t /* :user */\n"
        " WHERE user_id = '1000' AND n < 'it''s' AND m > '1000'");
    assert_string_equal(script.items[0].values, "user=1000 limit=it's");
    assert_null(script.items[0].problem);
}

static void
commands_are_no_statements_and_gset_ends_one(void **state)
{
    static const char text[] = "\\set a \\\n random(1, 9)\n"
                               "SELECT id FROM t WHERE a = :a \\gset\n"
                               "\\sleep 10 ms\n"
                               "UPDATE t SET b = 1 WHERE id = :id;\n";
    struct ctx *ctx = *state;
    struct script script;

    assert_true(script_read(ctx, "test", text, &no_defines, &script));
    assert_int_equal(script.count, 2);
    assert_string_equal(script.items[0].sample, "SELECT id FROM t WHERE a = '5'");
    assert_string_equal(script.items[1].sql, "UPDATE t SET b = 1 WHERE id = $1");
    assert_null(script.items[1].sample);
    assert_non_null(strstr(script.items[1].problem, ":id"));
    assert_non_null(script.items[1].fingerprint);
}

/* What the load needs to run it: which variable each $n is, where commands stand, which lines these are. */
static void
places_of_commands_and_names_of_parameters_are_known(void **state)
{
    static const char text[] =
        "\\set a 1\n\\set b \\\n 2\n"
        "SELECT :b, :a, :b, $$:a$$, $x$ :b $x$, ${a + 1}, ${a + 1}\n"
        "\\sleep 10 ms \nUPDATE t\n SET x = :a RETURNING y \\gset p_\nEND;\n";
    static const struct {
        const char *name;
        const char *rest;
        size_t line;
        size_t before;
        bool ends;
    } commands[] = {
        { "set", "a 1", 1, 0, false },
        { "set", "b    2", 2, 0, false },
        { "sleep", "10 ms", 5, 1, false },
        { "gset", "p_", 7, 2, true },
    };
    struct ctx *ctx = *state;
    struct script script;

    assert_true(script_read(ctx, "test", text, &no_defines, &script));
    assert_int_equal(script.count, 3);
    assert_string_equal(script.items[0].sql, "SELECT $1, $2, $1, $$:a$$, $x$ :b $x$, $3, $4");
    assert_string_equal(
        text_list_join(ctx->arena, &script.items[0].names, "|"), "b|a|${a + 1}|${a + 1}");
    assert_int_equal(script.items[0].line, 4);
    assert_int_equal(script.items[1].line, 6);
    assert_int_equal(script.items[2].line, 8);
    assert_int_equal(script.command_count, COUNT_OF(commands));
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        assert_string_equal(script.commands[i].name, commands[i].name);
        assert_string_equal(script.commands[i].rest, commands[i].rest);
        assert_int_equal(script.commands[i].line, commands[i].line);
        assert_int_equal(script.commands[i].before, commands[i].before);
        assert_int_equal(script.commands[i].ends, commands[i].ends);
    }
}

static void
a_script_has_the_fingerprint_of_what_the_server_sees(void **state)
{
    struct ctx *ctx = *state;
    struct script script;
    struct script other;

    assert_true(script_read(ctx, "a",
        "\\set d 3\nSELECT count(*) FROM t WHERE at > now() - interval '30 days' AND d = :d;",
        &no_defines, &script));
    assert_true(script_read(ctx, "b",
        "SELECT count(*)\n  FROM t\n WHERE at > now() - interval $1 AND d = $2", &no_defines,
        &other));
    assert_string_equal(script.items[0].fingerprint, other.items[0].fingerprint);
}

static void
a_statement_that_does_not_parse_is_kept_with_the_reason(void **state)
{
    struct ctx *ctx = *state;
    struct script script;

    assert_true(script_read(ctx, "test", "SELECT 1; SELEC 2;", &no_defines, &script));
    assert_int_equal(script.count, 2);
    assert_non_null(script.items[0].fingerprint);
    assert_null(script.items[1].fingerprint);
    assert_non_null(strstr(script.items[1].problem, "syntax error"));
}

static void
a_definition_without_value_is_refused(void **state)
{
    static const char *const wrong[] = { "users", "=5" };
    struct ctx *ctx = *state;
    struct script script;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *items[] = { wrong[i] };
        const struct text_list defines = { .items = items, .count = 1 };

        assert_false(script_read(ctx, "test", "SELECT 1", &defines, &script));
        assert_error(ctx, ERR_USAGE, wrong[i]);
    }
}

static void
a_folder_without_scripts_is_refused(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct scripts scripts;

    assert_false(script_read_folder(ctx, folder, &no_defines, &scripts));
    assert_error(ctx, ERR_NOT_FOUND, folder);
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(expressions_give_one_representative_number),
        test_with_ctx(deeply_nested_expressions_are_refused),
        test_with_ctx(variables_become_parameters_and_values),
        test_with_ctx(commands_are_no_statements_and_gset_ends_one),
        test_with_ctx(places_of_commands_and_names_of_parameters_are_known),
        test_with_ctx(a_script_has_the_fingerprint_of_what_the_server_sees),
        test_with_ctx(a_statement_that_does_not_parse_is_kept_with_the_reason),
        test_with_ctx(a_definition_without_value_is_refused),
        test_with_ctx(a_folder_without_scripts_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
