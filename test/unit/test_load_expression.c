/*
 * Expressions: results worked out by hand and with Python, distributions by the formulas in pgbench's
 * documentation. test/db/test_load_pgbench.c compares with pgbench itself.
 */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "load/scenario/scope.h"
#include "load/scenario/world.h"

struct bench {
    struct load_scenario scenario;
    struct load_scope *scope;
};

static struct bench
new_bench(struct ctx *ctx)
{
    struct bench bench = { 0 };

    bench.scenario.world = load_world_new(ctx->arena);
    bench.scenario.users = 10;
    return bench;
}

/* The text of ${expression}; NULL: it cannot be evaluated. */
static const char *
evaluate(struct ctx *ctx, struct bench *bench, const char *expression)
{
    struct buffer buffer = { .arena = ctx->arena };
    const struct load_template *template;
    const struct load_step step = { .name = "a" };

    if (!load_world_template(ctx, bench->scenario.world,
            arena_printf(ctx->arena, "${%s}", expression), "x.ini:7", &template))
        fail_msg("%s", ctx->error.message);
    if (!bench->scope)
        bench->scope = load_scope_new(ctx->arena, &bench->scenario, 3, 42);
    load_scope_begin(bench->scope, &step);
    return load_template_write(template, bench->scope, &buffer) ? buffer_text(&buffer) : NULL;
}

static void
arithmetic_is_that_of_the_documentation(void **state)
{
    static const struct {
        const char *expression;
        const char *result;
    } cases[] = {
        { "1 + 2 * 3", "7" },
        { "-7 / 2", "-3" },
        { "-7 % 2", "-1" },
        { "2 - 3 - 4", "-5" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "9223372036854775807", "9223372036854775807" },
        { "5 / 2.0", "2.5" },
        { "1 | 6 & 4", "4" },
        { "1 << 3 + 1", "16" },
        { "~1 | 2", "-2" },
        { "~1 + 2", "-4" },
        { "1 < 2 AND NOT 2 < 1", "true" },
        { "NULL + 1 IS NULL", "true" },
        { "FALSE AND NULL", "false" },
        { "CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'it''s' ELSE 'c' END", "it's" },
        { "CASE WHEN FALSE THEN 1 END", "" },
        { "greatest(1, 2.5, -3)", "2.5" },
        { "least(4, 2, 3)", "2" },
        { "int(5.4 + 3.8)", "9" },
        { "abs(-17)", "17" },
        { "mod(54, 32)", "22" },
        { "power(2.0, 10)", "1024" },
        { "sqrt(2.0)", "1.4142135623731" },
        { "double(5432)", "5432" },
        { "int(pi() * 1000)", "3142" },
        { "ln(exp(1.0))", "1" },
        { "'7' + 1", "8" },
        { "'a' = 'a'", "true" },
        { "'a' < 'b'", "true" },
        { "user_number", "4" },
        { "client_id", "3" },
    };
    struct ctx *ctx = *state;
    struct bench bench = new_bench(ctx);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *result = evaluate(ctx, &bench, cases[i].expression);

        if (!result || strncmp(result, cases[i].result, 15) != 0)
            fail_msg("%s is %s and should be %s", cases[i].expression, result ? result : "nothing",
                cases[i].result);
    }
}

static void
what_has_no_result_is_told(void **state)
{
    static const struct {
        const char *expression;
        const char *problem;
    } cases[] = {
        { "1 / 0", "division by zero" },
        { "9223372036854775807 + 1", "out of the range" },
        { "-9223372036854775808 / -1", "out of the range" },
        { "9223372036854775807 * 2", "out of the range" },
        { "abs(-9223372036854775808)", "out of the range" },
        { "int(1e30)", "too large" },
        { "random(5, 1)", "empty range" },
        { "random(-9223372036854775808, 9223372036854775807)", "too large a range" },
        { "random_zipfian(1, 10, 1.0)", "1.001" },
        { "random_gaussian(1, 10, 1.9)", "2 or more" },
        { "random_exponential(1, 10, 0)", "above 0" },
        { "'a' + 1", "no number" },
        { "true + 1", "boolean" },
        { "not 1", "true or false" },
        { "1 << 64", "63 bits" },
    };
    struct ctx *ctx = *state;
    struct bench bench = new_bench(ctx);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *result = evaluate(ctx, &bench, cases[i].expression);

        if (result)
            fail_msg("%s is %s", cases[i].expression, result);
        if (!strstr(load_scope_problem(bench.scope), cases[i].problem))
            fail_msg("%s: %s", cases[i].expression, load_scope_problem(bench.scope));
    }
}

static void
what_cannot_be_read_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *expression;
        const char *message;
        const char *hint;
    } cases[] = {
        { "1 +", "it ends where there should be a value", NULL },
        { "1 2", "\"2\" stands where", NULL },
        { "(1", "\")\"", NULL },
        { "1 < 2 < 3", "comparisons in a row", NULL },
        { "nosuch", "nothing defines \"nosuch\"", "-D nosuch=VALUE" },
        { "userr", "nothing defines", "Did you mean \"user\"?" },
        { "sqr(1)", "there is no function sqr()", "Did you mean sqrt()?" },
        { "permute(1, 2)", "pgbench's permute() is not known here", NULL },
        { "sqrt(1, 2)", "sqrt() has 2 arguments, and needs 1", NULL },
        { "random(1)", "random() has 1 arguments, and needs 2", NULL },
        { "9223372036854775808", "out of the range of 64-bit", NULL },
        { "99999999999999999999", "out of the range of 64-bit", NULL },
        { "'abc", "the quote at the end", NULL },
        { "1 ? 2", "means nothing", NULL },
        { "1a", "behind a number", NULL },
        { "case 1 end", "WHEN", NULL },
        { "jwt(key, 1)", "there is no secret \"key\"", "[secrets]" },
        { "1 is 2", "NULL, TRUE or FALSE", NULL },
        { "sqrt", "nothing defines \"sqrt\"", "sqrt(" },
    };
    struct ctx *ctx = *state;
    struct bench bench = new_bench(ctx);

    assert_true(load_world_define(ctx, bench.scenario.world, "user", "1"));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct load_template *template;
        bool is_quoted = strchr(cases[i].expression, '\'') != NULL;

        error_clear(ctx);
        /* An open quote hides the closing bracket of ${}, so that one is compiled by \set. */
        if (is_quoted)
            assert_false(
                load_world_assign(ctx, bench.scenario.world, "x", cases[i].expression, "x.ini:7"));
        else
            assert_false(load_world_template(ctx, bench.scenario.world,
                arena_printf(ctx->arena, "${%s}", cases[i].expression), "x.ini:7", &template));
        assert_error(ctx, ERR_INPUT, cases[i].message);
        assert_error(ctx, ERR_INPUT, "x.ini:7: ");
        if (cases[i].hint && (!ctx->error.hint || !strstr(ctx->error.hint, cases[i].hint)))
            fail_msg("%s: %s", cases[i].expression, ctx->error.hint ? ctx->error.hint : "no hint");
    }
}

/* However deep and long, it is refused rather than crash. */
static void
no_expression_is_too_deep(void **state)
{
    static const char *const parts[] = { "(", "-", "~", "not ", "case when ", "abs(" };
    struct ctx *ctx = *state;
    struct bench bench = new_bench(ctx);

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct buffer text = { .arena = ctx->arena };

        for (int j = 0; j < 100000; j++)
            buffer_add(&text, parts[i]);
        buffer_add(&text, "1");
        assert_false(
            load_world_assign(ctx, bench.scenario.world, "x", buffer_text(&text), "x.ini:1"));
        assert_error(ctx, ERR_INPUT, "nested too deeply");
    }
}

/* So often each number from 1 to count came. */
static void
draw(struct ctx *ctx, struct bench *bench, const char *expression, size_t count, size_t draws,
    double *ret)
{
    const struct load_template *template;
    struct buffer buffer = { .arena = ctx->arena };

    if (!bench->scope)
        bench->scope = load_scope_new(ctx->arena, &bench->scenario, 3, 42);
    assert_true(load_world_template(ctx, bench->scenario.world,
        arena_printf(ctx->arena, "${%s}", expression), "x:1", &template));
    for (size_t i = 0; i < count; i++)
        ret[i] = 0;
    for (size_t i = 0; i < draws; i++) {
        int64_t number;

        buffer.length = 0;
        assert_true(load_template_write(template, bench->scope, &buffer));
        assert_true(text_to_int64(buffer_text(&buffer), &number));
        assert_in_range(number, 1, count);
        ret[number - 1]++;
    }
}

/*
 * Pearson's chi-square; its mean is count - 1 and its standard deviation sqrt(2 (count - 1)): seven of them are
 * beyond any chance, and the seed is fixed.
 */
static void
assert_fits(const char *what, const double *seen, const double *shares, size_t count, size_t draws)
{
    double sum = 0;
    double freedom = (double)count - 1;

    for (size_t i = 0; i < count; i++) {
        double wanted = shares[i] * (double)draws;

        assert_true(wanted > 5);
        sum += (seen[i] - wanted) * (seen[i] - wanted) / wanted;
    }
    if (sum > freedom + 7 * sqrt(2 * freedom))
        fail_msg("%s: chi-square is %g with %g degrees of freedom", what, sum, freedom);
}

enum { RANGE = 20, DRAWS = 100000 };

static double
normal(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static void
random_numbers_follow_their_formulas(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = new_bench(ctx);
    double seen[RANGE];
    double shares[RANGE];
    double sum = 0;

    for (int i = 0; i < RANGE; i++)
        shares[i] = 1.0 / RANGE;
    draw(ctx, &bench, "random(1, 20)", RANGE, DRAWS, seen);
    assert_fits("random", seen, shares, RANGE, DRAWS);

    /* f(x) = exp(-parameter * (x - min) / (max - min + 1)) / (1 - exp(-parameter)) */
    for (int i = 0; i < RANGE; i++)
        shares[i] = (exp(-4.0 * i / RANGE) - exp(-4.0 * (i + 1) / RANGE)) / (1 - exp(-4.0));
    draw(ctx, &bench, "random_exponential(1, 20, 4.0)", RANGE, DRAWS, seen);
    assert_fits("random_exponential", seen, shares, RANGE, DRAWS);

    /* PHI(2.0 * parameter * (x - mu) / (max - min + 1)) / (2.0 * PHI(parameter) - 1) */
    for (int i = 0; i < RANGE; i++)
        shares[i] = (normal(5.0 * ((double)(i + 1) / RANGE - 0.5)) -
                        normal(5.0 * ((double)i / RANGE - 0.5))) /
                    (2 * normal(2.5) - 1);
    draw(ctx, &bench, "random_gaussian(1, 20, 2.5)", RANGE, DRAWS, seen);
    assert_fits("random_gaussian", seen, shares, RANGE, DRAWS);

    for (int i = 0; i < RANGE; i++)
        sum += pow(i + 1, -1.3);
    for (int i = 0; i < RANGE; i++)
        shares[i] = pow(i + 1, -1.3) / sum;
    draw(ctx, &bench, "random_zipfian(1, 20, 1.3)", RANGE, DRAWS, seen);
    assert_fits("random_zipfian", seen, shares, RANGE, DRAWS);
}

static void
hashes_are_those_of_their_authors(void **state)
{
    /* By Python, from the published constants. */
    static const struct {
        const char *expression;
        const char *result;
    } cases[] = {
        { "hash_fnv1a(10, 5432)", "-7793829335365542153" },
        { "hash_murmur2(10, 5432)", "-5817877081768721676" },
        { "hash(10, 5432)", "-5817877081768721676" },
    };
    struct ctx *ctx = *state;
    struct bench bench = new_bench(ctx);

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(evaluate(ctx, &bench, cases[i].expression), cases[i].result);
}

static void
assignments_go_in_order(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = new_bench(ctx);
    struct load_world *world = bench.scenario.world;
    struct load_step step = { .name = "a", .assignment_count = 3 };
    struct load_step other = { .name = "b", .first_assignment = 3, .assignment_count = 1 };
    struct buffer buffer = { .arena = ctx->arena };

    assert_true(load_world_define(ctx, world, "size", "5"));
    assert_true(load_world_assign(ctx, world, "x", ":size * 2", "x:1"));
    assert_true(load_world_assign(ctx, world, "y", ":x + 1", "x:2"));
    assert_true(load_world_assign(ctx, world, "size", "100", "x:3"));
    assert_true(load_world_assign(ctx, world, "y", ":y / 0", "x:4"));
    assert_int_equal(load_world_assignments(world), 4);

    const struct load_template *y = load_world_variable(ctx->arena, world, "y");
    struct load_scope *scope = load_scope_new(ctx->arena, &bench.scenario, 0, 1);

    load_scope_begin(scope, &step);
    assert_true(load_template_write(y, scope, &buffer));
    assert_string_equal(buffer_text(&buffer), "11");
    load_scope_begin(scope, &step);
    buffer.length = 0;
    assert_true(load_template_write(y, scope, &buffer));
    assert_string_equal(buffer_text(&buffer), "201");
    /* A step whose assignment has no value sends nothing. */
    load_scope_begin(scope, &other);
    assert_false(load_template_write(y, scope, &buffer));
    assert_string_equal(load_scope_problem(scope), "division by zero");
    load_scope_renew(scope);
    load_scope_begin(scope, &step);
    buffer.length = 0;
    assert_true(load_template_write(y, scope, &buffer));
    assert_string_equal(buffer_text(&buffer), "11");
    assert_null(load_world_variable(ctx->arena, world, "z"));
}

static void
the_same_seed_gives_the_same_numbers(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = new_bench(ctx);
    struct load_scope *one = load_scope_new(ctx->arena, &bench.scenario, 5, 9);
    struct load_scope *same = load_scope_new(ctx->arena, &bench.scenario, 5, 9);
    struct load_scope *next = load_scope_new(ctx->arena, &bench.scenario, 6, 9);
    struct load_scope *seed = load_scope_new(ctx->arena, &bench.scenario, 5, 10);
    int equal_next = 0;
    int equal_seed = 0;

    for (int i = 0; i < 1000; i++) {
        double number = load_scope_random(one);

        assert_true(number >= 0 && number < 1);
        assert_true(number == load_scope_random(same));
        equal_next += number == load_scope_random(next);
        equal_seed += number == load_scope_random(seed);
    }
    assert_int_equal(equal_next, 0);
    assert_int_equal(equal_seed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(arithmetic_is_that_of_the_documentation),
        test_with_ctx(what_has_no_result_is_told),
        test_with_ctx(what_cannot_be_read_is_refused_with_its_place),
        test_with_ctx(no_expression_is_too_deep),
        test_with_ctx(random_numbers_follow_their_formulas),
        test_with_ctx(hashes_are_those_of_their_authors),
        test_with_ctx(assignments_go_in_order),
        test_with_ctx(the_same_seed_gives_the_same_numbers),
    };

    return cmocka_run_group_tests_name("load_expression", tests, NULL, NULL);
}
