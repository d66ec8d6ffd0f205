/* pgbench scripts as steps: what becomes a parameter, and what is refused with its line. */
#include "support/test.h"

#include "load/scenario/scope.h"
#include "load/scenario/script.h"

static struct load_world *
world_with(struct ctx *ctx, const char *name, const char *value)
{
    struct load_world *world = load_world_new(ctx->arena);

    assert_true(load_world_define(ctx, world, name, value));
    return world;
}

static void
compile(struct ctx *ctx, struct load_world *world, const char *text, struct load_step *ret)
{
    *ret = (struct load_step){ 0 };
    if (!load_script_compile(ctx, world, "a", text, "dir/a.sql", ret))
        fail_msg("%s", ctx->error.message);
}

/* The text of one parameter, in a scope of its own. */
static const char *
value_of(struct ctx *ctx, struct load_world *world, struct load_step *step, size_t statement,
    size_t param)
{
    struct load_group group = { .name = "g", .users = 1 };
    struct load_scenario *scenario = ARENA_NEW(ctx->arena, struct load_scenario);
    struct buffer value = { .arena = ctx->arena };
    struct load_scope *scope;

    *scenario = (struct load_scenario){ .kind = LOAD_SQL,
        .steps = step,
        .step_count = 1,
        .groups = &group,
        .group_count = 1,
        .users = 1,
        .world = world };
    scope = load_scope_new(ctx->arena, scenario, 0, 1);
    load_scope_begin(scope, step);
    assert_true(load_template_write(step->statements[statement].params[param], scope, &value));
    return buffer_text(&value);
}

static void
variables_and_expressions_become_parameters(void **state)
{
    static const char text[] = "-- :users is no variable here\n"
                               "\\set user :users * 2\n"
                               "SELECT ':user', a[1], b::int FROM t -- :user\n"
                               " WHERE id = :user AND n < :users AND m = :user;\n"
                               "SELECT $$ :user $$, ${1 + 1}, ${1 + 1};\n";
    struct ctx *ctx = *state;
    struct load_world *world = world_with(ctx, "users", "21");
    struct load_step step;

    compile(ctx, world, text, &step);
    assert_int_equal(step.statement_count, 2);
    assert_string_equal(step.statements[0].sql,
        "SELECT ':user', a[1], b::int FROM t -- :user\n WHERE id = $1 AND n < $2 AND m = $1");
    assert_int_equal(step.statements[0].param_count, 2);
    assert_int_equal(step.statements[0].line, 3);
    assert_string_equal(step.statements[1].sql, "SELECT $$ :user $$, $1, $2");
    assert_int_equal(step.assignment_count, 1);
    assert_string_equal(value_of(ctx, world, &step, 0, 0), "42");
    assert_string_equal(value_of(ctx, world, &step, 0, 1), "21");
    assert_string_equal(value_of(ctx, world, &step, 1, 0), "2");
}

static void
statements_end_as_they_do_for_pgbench(void **state)
{
    static const char text[] = "BEGIN;\nSELECT 1\n\\set n 5\nSELECT :n \\gset x_\n"
                               "\\sleep 250us\nSELECT :x_y; END;\n";
    static const char *const sql[] = { "BEGIN", "SELECT 1", "SELECT $1", NULL, "SELECT $1", "END" };
    struct ctx *ctx = *state;
    struct load_world *world = load_world_new(ctx->arena);
    struct load_step step;

    compile(ctx, world, text, &step);
    assert_int_equal(step.statement_count, COUNT_OF(sql));
    for (size_t i = 0; i < COUNT_OF(sql); i++) {
        if (sql[i])
            assert_string_equal(step.statements[i].sql, sql[i]);
        else
            assert_null(step.statements[i].sql);
    }
    assert_int_equal(step.statements[3].pause_unit_us, 1);
    assert_string_equal(value_of(ctx, world, &step, 3, 0), "250");
    assert_int_equal(step.statements[2].take_count, 1);
    assert_string_equal(step.statements[2].takes[0].path, "y");
}

static void
what_is_wrong_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "SELECT 1;\nSELECT :x;\n", "dir/a.sql:2: nothing defines the variable \":x\"" },
        { "\n\n\\set\nSELECT 1;\n", "dir/a.sql:3: \\set needs a name" },
        { "\\set n\nSELECT 1;\n", "dir/a.sql:1: \\set needs a name" },
        { "\\set 1n 5\nSELECT 1;\n", "dir/a.sql:1: \\set needs a name" },
        { "\\set n 1 +\nSELECT 1;\n", "dir/a.sql:1" },
        { "\\set n :unknown\nSELECT 1;\n", "dir/a.sql:1" },
        { "\\set n 1\nSELECT :n;\n\\set n 2\nSELECT :n;\n",
            "dir/a.sql:3: \"n\" is set again after a statement that uses it" },
        { "SELECT 1;\n\\if true\nSELECT 2;\n\\endif\n", "dir/a.sql:2: \\if is not known here" },
        { "\\startpipeline\nSELECT 1;\n", "dir/a.sql:1: \\startpipeline is not known here" },
        { "SELECT 1 \\aset\n", "dir/a.sql:1: \\aset is not known here" },
        { "\\shell ls\n", "dir/a.sql:1: \\shell is not known here" },
        { "SELECT 1 \\; SELECT 2;\n", "dir/a.sql:1: a backslash inside a statement" },
        { "SELECT 1;\n\\sleep 5 hours\n", "dir/a.sql:2: \\sleep needs a number" },
        { "SELECT 1;\n\\sleep\n", "dir/a.sql:2: \\sleep needs a number" },
        { "\\gset\n", "dir/a.sql:1: \\gset follows no statement" },
        { "SELECT 1 AS x \\gset\nSELECT :x;\n\\set y 1 + :x\nSELECT :y;\n",
            "dir/a.sql:3: \\set cannot use \":x\", which \\gset takes" },
        { "SELECT 1;\nSELECT 'open;\n", "dir/a.sql:2" },
        { "SELECT 1;\nCOPY t FROM STDIN;\n", "dir/a.sql:2: COPY from and to the client" },
        { "SELECT ${1 +};\n", "dir/a.sql:1" },
        { "-- nothing\n", "dir/a.sql: there is no statement in it" },
        { "", "dir/a.sql: there is no statement in it" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct load_step step = { 0 };
        bool is_good = load_script_compile(
            ctx, load_world_new(ctx->arena), "a", cases[i].text, "dir/a.sql", &step);

        if (is_good)
            fail_msg("not refused: %s", cases[i].text);
        assert_error(ctx, ERR_INPUT, cases[i].message);
        error_clear(ctx);
    }
}

static void
a_text_inside_another_file_has_that_files_lines(void **state)
{
    struct ctx *ctx = *state;
    struct load_step step = { 0 };

    assert_false(load_script_compile(
        ctx, load_world_new(ctx->arena), "a", "SELECT 1;\nSELECT :x", "plan.ini:40", &step));
    assert_error(ctx, ERR_INPUT, "plan.ini:41: nothing defines the variable \":x\"");
}

static void
write_file(struct ctx *ctx, const char *folder, const char *name, const char *text, size_t length)
{
    assert_true(file_write(ctx, file_join(ctx->arena, folder, name), text, length, 0600));
}

static void
a_folder_is_a_mix_of_all_its_scripts(void **state)
{
    static const char *defines[] = { "users=5" };
    const struct load_scenario_options options = { .defines = { .items = defines, .count = 1 } };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct load_scenario scenario;

    write_file(ctx, folder, "b.sql", "SELECT :users, :scale;", 22);
    write_file(ctx, folder, "a.sql", "SELECT 1;", 9);
    write_file(ctx, folder, "README.md", "no script", 9);
    assert_true(load_scenario_of_folder(ctx, folder, &options, &scenario));
    assert_int_equal(scenario.kind, LOAD_SQL);
    assert_int_equal(scenario.step_count, 2);
    assert_string_equal(scenario.steps[0].name, "a");
    assert_string_equal(scenario.steps[1].name, "b");
    assert_int_equal(scenario.group_count, 1);
    assert_true(scenario.groups[0].is_closed);
    assert_int_equal(scenario.groups[0].mix_count, 2);
    assert_true(scenario.groups[0].mix_until[0] == 0.5);
    assert_true(scenario.groups[0].mix_until[1] == 1.0);
    assert_true(file_remove(ctx, folder));
}

static void
a_folder_that_cannot_be_used_is_refused(void **state)
{
    static const struct load_scenario_options no_options;
    static const char *wrong[] = { "users" };
    const struct load_scenario_options bad = { .defines = { .items = wrong, .count = 1 } };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct load_scenario scenario;

    assert_false(load_scenario_of_folder(ctx, folder, &no_options, &scenario));
    assert_error(ctx, ERR_CONFIG, folder);
    write_file(ctx, folder, "a.sql", "SELECT 1;", 9);
    assert_false(load_scenario_of_folder(ctx, folder, &bad, &scenario));
    assert_error(ctx, ERR_USAGE, "\"users\" is not NAME=VALUE");
    write_file(ctx, folder, "b.sql", "SELECT '\xff';", 11);
    assert_false(load_scenario_of_folder(ctx, folder, &no_options, &scenario));
    assert_error(ctx, ERR_CONFIG, "b.sql: this is no text in UTF-8");
    write_file(ctx, folder, "b.sql", "SELECT '\0';", 11);
    assert_false(load_scenario_of_folder(ctx, folder, &no_options, &scenario));
    assert_error(ctx, ERR_CONFIG, "b.sql: this is no text in UTF-8");
    assert_true(file_remove(ctx, folder));
}

/* What -D and scripts say has to fit, and all that is missing is told at once. */
static void
names_of_a_folder_are_checked_together(void **state)
{
    static const char *given[] = { "userz=5" };
    const struct load_scenario_options none = { 0 };
    const struct load_scenario_options options = { .defines = { .items = given, .count = 1 } };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct load_scenario scenario;

    write_file(ctx, folder, "a.sql", "\\set users 5\nSELECT :users;", 27);
    assert_false(load_scenario_of_folder(ctx, folder, &options, &scenario));
    assert_error(ctx, ERR_USAGE, "-D userz=5");
    assert_non_null(strstr(ctx->error.hint, "Did you mean \"users\"?"));
    write_file(ctx, folder, "b.sql", "SELECT 1;\nSELECT :dialogs;", 26);
    assert_false(load_scenario_of_folder(ctx, folder, &none, &scenario));
    assert_error(ctx, ERR_CONFIG, "b.sql:2: nothing defines the variable \":dialogs\"");
    write_file(ctx, folder, "c.sql", "\\set x random(1, :bots)\nSELECT :x, :dialogs;", 44);
    assert_false(load_scenario_of_folder(ctx, folder, &none, &scenario));
    assert_error(ctx, ERR_CONFIG, "nothing defines these variables: \":dialogs\" (");
    assert_non_null(strstr(ctx->error.message, "c.sql:1)"));
    assert_non_null(strstr(ctx->error.hint, "-D dialogs=VALUE -D bots=VALUE"));
    assert_true(file_remove(ctx, folder));
}

/* What only values show is told with the place of what gave them. */
static void
a_wrong_value_is_told_with_its_place(void **state)
{
    struct ctx *ctx = *state;
    struct load_world *world = load_world_new(ctx->arena);
    const struct load_scenario scenario = { .world = world, .users = 1 };
    struct buffer buffer = { .arena = ctx->arena };
    struct load_step step;

    compile(ctx, world, "-- a\n\\set x 1 / 0\nSELECT :x;\nSELECT ${random(5, 1)};\n", &step);

    struct load_scope *scope = load_scope_new(ctx->arena, &scenario, 0, 1);

    load_scope_begin(scope, &step);
    assert_false(load_template_write(step.statements[0].params[0], scope, &buffer));
    assert_string_equal(load_scope_reason(scope), "dir/a.sql:2: division by zero");
    assert_ptr_equal(load_scope_reason(scope), load_scope_reason(scope));
    step.assignment_count = 0;
    load_scope_begin(scope, &step);
    assert_false(load_template_write(step.statements[1].params[0], scope, &buffer));
    assert_non_null(strstr(load_scope_reason(scope), "dir/a.sql:4: "));
    assert_non_null(strstr(load_scope_reason(scope), "empty range"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(variables_and_expressions_become_parameters),
        test_with_ctx(statements_end_as_they_do_for_pgbench),
        test_with_ctx(what_is_wrong_is_told_with_its_line),
        test_with_ctx(a_text_inside_another_file_has_that_files_lines),
        test_with_ctx(a_folder_is_a_mix_of_all_its_scripts),
        test_with_ctx(a_folder_that_cannot_be_used_is_refused),
        test_with_ctx(names_of_a_folder_are_checked_together),
        test_with_ctx(a_wrong_value_is_told_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
