/* Expressions give what pgbench itself makes of them: it prints each by its debug(). */
#include "support/test.h"

#include <string.h>

#include "base/process.h"
#include "load/scenario/scope.h"
#include "load/scenario/world.h"

static const char *const expressions[] = {
    "1 + 2 * 3 - 4 / 5 % 6",
    "-7 / 2",
    "-7 % 2",
    "7 % -2",
    "- 2 + 3",
    "2 - 3 - 4",
    "-9223372036854775808",
    "-9223372036854775808 % -1",
    "1 | 6 & 4",
    "1 # 3 | 8 & 12",
    "1 << 3 + 1",
    "256 >> 2 >> 1",
    "~1 | 2",
    "~1 + 2",
    "3 * ~2 + 1",
    "- ~5",
    "1 + 2 < 4",
    "not 1 < 2 or true",
    "true or false and false",
    "not false and false",
    "1 = 1 is true",
    "null is null",
    "(1 > 2) is not false",
    "null and false",
    "null or true",
    "not null is null",
    "1 <> 2",
    "1 != 1",
    "2 >= 2.0",
    "case when 1 > 2 then 3 when 2 > 1 then 4 else 5 end",
    "case when null then 1 else 2 end",
    "5 / 2.0",
    "1e3 + .5",
    "2.5 * 3",
    "int(2.5)",
    "int(3.5)",
    "int(-2.5)",
    "double(7) / 2",
    "abs(-17)",
    "abs(-1.5)",
    "greatest(5, 4, 3, 2)",
    "greatest(1, 2.5)",
    "least(5, 4.5, 6)",
    "mod(54, 32)",
    "pi()",
    "power(2.0, 10)",
    "pow(2, -1)",
    "sqrt(2)",
    "ln(2.718281828459045)",
    "exp(1)",
    "hash(10, 5432)",
    "hash_fnv1a(-3, 7)",
    "hash_murmur2(9223372036854775807, -1)",
    "random(4, 4)",
    "random_zipfian(4, 4, 1.5)",
    "random_gaussian(4, 4, 2.5)",
    "random_exponential(4, 4, 2.5)",
};

/* The value in ours: as pgbench's debug() prints it. */
static const char *
ours(struct ctx *ctx, const char *expression)
{
    struct load_scenario scenario = { .world = load_world_new(ctx->arena) };
    const struct load_step step = { .name = "a", .assignment_count = 1 };
    struct buffer buffer = { .arena = ctx->arena };

    if (!load_world_assign(ctx, scenario.world, "x", expression, "x:1"))
        fail_msg("%s", ctx->error.message);

    struct load_scope *scope = load_scope_new(ctx->arena, &scenario, 0, 1);
    const struct load_template *value = load_world_variable(ctx->arena, scenario.world, "x");

    load_scope_begin(scope, &step);
    if (!load_template_write(value, scope, &buffer))
        fail_msg("%s: %s", expression, load_scope_problem(scope));
    return buffer_text(&buffer);
}

static void
expressions_give_what_pgbench_makes_of_them(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "x.sql");
    struct buffer script = { .arena = ctx->arena };
    struct process process;

    for (size_t i = 0; i < COUNT_OF(expressions); i++)
        buffer_printf(&script, "\\set x debug(%s)\n", expressions[i]);
    buffer_add(&script, "SELECT 1;\n");
    assert_true(file_write(ctx, path, script.data, script.length, 0600));

    const char *argv[] = { "pgbench", "-n", "-t", "1", "-f", path, "postgres", NULL };

    if (!process_run(
            ctx, &(struct process_options){ .argv = argv, .timeout_us = 60000000 }, &process))
        fail_msg("%s", ctx->error.message);

    const char *at = buffer_text(&process.err);

    for (size_t i = 0; i < COUNT_OF(expressions); i++) {
        const char *result = ours(ctx, expressions[i]);
        const char *line = strstr(at, "): ");
        const char *value;
        size_t length;

        assert_non_null(line);
        /* "debug(script=0,command=1): int 5", and "null" without a value. */
        line += strlen("): ");
        length = strcspn(line, "\n");
        at = line + length;
        value = memchr(line, ' ', length);
        value = value ? value + 1 : "";
        length = *value ? (size_t)(at - value) : 0;
        if (strlen(result) != length || strncmp(result, value, length) != 0)
            fail_msg(
                "%s is %s here, and %.*s in pgbench", expressions[i], result, (int)length, value);
    }
    assert_true(file_remove(ctx, folder));
}

static bool
read_values(
    struct ctx *ctx, struct db *db, const char *path, const char *query, struct load_scenario *ret)
{
    const struct load_scenario_options options = { .db = db, .needs_values = true };
    const char *text = arena_printf(ctx->arena,
        "[values v]\nquery = %s\npick = in turn\n[request a]\npath = /${v.id}/${v.name}\n"
        "[users u]\ncount = 1\nthink = 1s\nmix = a\n",
        query);

    error_clear(ctx);
    assert_true(file_write(ctx, path, text, strlen(text), 0600));
    return load_scenario_read(ctx, path, &options, ret);
}

static void
values_come_from_the_database(void **state)
{
    static const struct {
        const char *query;
        const char *message;
    } bad[] = {
        { "SELECT id FROM people WHERE false", "x.ini:2: [values v] has no rows" },
        { "SELECT id FROM nosuch", "x.ini:2: [values v]" },
        { "DELETE FROM people RETURNING id", "x.ini:2: [values v]" },
        { "SELECT 1 AS id; DELETE FROM people", "x.ini:2: [values v]" },
        { "SELECT g AS id FROM generate_series(1, 1000001) AS g",
            "x.ini:2: [values v] has more than" },
        { "SELECT 1 AS id, 2 AS id", "x.ini:2: two columns are called" },
        { "SELECT 1 / 0 AS id", "x.ini:2: [values v]" },
    };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "x.ini");
    struct db_options options = {
        .url = "", .database = "postgres", .access = ACCESS_WRITE, .application = "pgmend/test"
    };
    struct db *own CLEANUP(db_cleanup) = NULL;
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct load_scenario scenario;
    struct buffer buffer = { .arena = ctx->arena };

    assert_true(db_open(ctx, &options, &own));
    assert_true(db_exec(ctx, own, "DROP DATABASE IF EXISTS pgmend_test_load_values"));
    assert_true(db_exec(ctx, own, "CREATE DATABASE pgmend_test_load_values"));
    options.database = "pgmend_test_load_values";
    assert_true(db_open(ctx, &options, &db));
    assert_true(db_exec(ctx, db,
        "CREATE TABLE public.people AS SELECT g AS id, CASE g WHEN 1 THEN 'a b' END AS name"
        " FROM generate_series(1, 30000) AS g"));
    /* Without a schema, with a semicolon and a comment at the end. */
    if (!read_values(ctx, db, path, "SELECT id, name FROM people ORDER BY id -- all", &scenario))
        fail_msg("%s", ctx->error.message);

    struct load_scope *scope = load_scope_new(ctx->arena, &scenario, 0, 1);

    for (int i = 0; i < 30000; i++) {
        const char *wanted = i == 0 ? "/1/a%20b" : arena_printf(ctx->arena, "/%d/", i + 1);

        load_scope_begin(scope, &scenario.steps[0]);
        buffer.length = 0;
        assert_true(load_template_write(scenario.steps[0].path, scope, &buffer));
        assert_string_equal(buffer_text(&buffer), wanted);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(read_values(ctx, db, path, bad[i].query, &scenario));
        if (!strstr(ctx->error.message, bad[i].message))
            fail_msg("\"%s\" for %s", ctx->error.message, bad[i].query);
    }
    db_close(db);
    db = NULL;
    assert_true(db_exec(ctx, own, "DROP DATABASE pgmend_test_load_values"));
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(expressions_give_what_pgbench_makes_of_them),
        test_with_ctx(values_come_from_the_database),
    };

    return cmocka_run_group_tests_name("load_pgbench", tests, NULL, NULL);
}
