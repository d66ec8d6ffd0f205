#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "replyx/embed.h"
#include "replyx/read_vector.h"

/* A list of so many numbers, one of them as given; between: what stands between numbers. */
static const char *
numbers(struct ctx *ctx, int count, int place, const char *number, const char *between)
{
    struct buffer ret = { .arena = ctx->arena };

    buffer_add(&ret, "[");
    for (int i = 0; i < count; i++)
        buffer_printf(&ret, "%s%s", i > 0 ? between : "", i == place ? number : "0.5");
    buffer_add(&ret, "]");
    return buffer_text(&ret);
}

static bool
read_text(struct ctx *ctx, const char *body, struct read_vector *ret)
{
    return read_vector(ctx, body, strlen(body), "embedding", ret);
}

static void
list_is_cut_out(void **state)
{
    struct ctx *ctx = *state;
    const char *list = numbers(ctx, EMBED_DIMENSIONS, 3, "-1.5e-3", " ,\n\t");
    const char *before =
        "{\"text\": \"a \\\"embedding\\\": [1]\", \"x\": {\"embedding\": [[\"]\"]]}, \"embedding\" : ";
    const char *body = arena_printf(ctx->arena, "%s%s, \"limit\": 5}", before, list);
    struct read_vector found;

    assert_true(read_text(ctx, body, &found));
    assert_string_equal(found.vector, list);
    assert_string_equal(found.rest, arena_printf(ctx->arena, "%snull, \"limit\": 5}", before));
    assert_int_equal(found.length, strlen(found.rest));
    assert_string_equal(body + found.cut_at + found.cut_length, found.rest + found.cut_at);
}

static void
body_without_a_list_is_left_alone(void **state)
{
    static const char *const bodies[] = { "", "[]", "{}", "{", "{\"embedding\"",
        "{\"embedding\":", "{\"embedding\": null}", "{\"embedding\": \"[1]\"}",
        "{\"a\": [1, {\"embedding\": [2]}]}", "nonsense", "{\"a\\\"", "{\"a\": \"\\", "{\"a\": [",
        "{\"embeddings\": [1]}", "{1: [2]}", "{\"a\" [1]}" };
    struct ctx *ctx = *state;
    struct read_vector found;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        assert_true(read_text(ctx, bodies[i], &found));
        assert_null(found.vector);
        assert_string_equal(found.rest, bodies[i]);
    }
}

static void
wrong_number_is_named(void **state)
{
    static const char *const wrong[] = { "NaN", "nan", "Infinity", "inf", "0x1", "01", "1.", ".1",
        "+1", "1e", "1e+", "-", "--1", "\"1\"", "null", "true", "[1]", "{}", "1 2", "" };
    struct ctx *ctx = *state;
    struct read_vector found;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *list = numbers(ctx, EMBED_DIMENSIONS, 41, wrong[i], ",");

        assert_false(read_text(ctx, arena_printf(ctx->arena, "{\"embedding\":%s}", list), &found));
        assert_error(ctx, ERR_INPUT, "embedding[41]");
        error_clear(ctx);
    }
}

/* The largest number of four bytes is (2 - 2^-23) × 2^127; half a step more is rounded up out of range. */
static void
range_is_that_of_four_bytes(void **state)
{
    struct ctx *ctx = *state;
    struct read_vector found;

    assert_false(read_text(ctx,
        arena_printf(ctx->arena, "{\"embedding\":%s}",
            numbers(ctx, EMBED_DIMENSIONS, 0, "3.4028236e38", ",")),
        &found));
    assert_error(ctx, ERR_INPUT, "embedding[0] is too large");
    assert_false(read_text(ctx,
        arena_printf(ctx->arena, "{\"embedding\":%s}",
            numbers(ctx, EMBED_DIMENSIONS, 0, "3.4028234e38", ",")),
        &found));
    assert_error(ctx, ERR_INPUT, "has length 3.4e+38");
    assert_true(read_text(ctx,
        arena_printf(
            ctx->arena, "{\"embedding\":%s}", numbers(ctx, EMBED_DIMENSIONS, 0, "1e-400", ",")),
        &found));
}

static void
count_is_checked(void **state)
{
    struct ctx *ctx = *state;
    struct read_vector found;

    assert_false(read_text(ctx, "{\"embedding\":[]}", &found));
    assert_error(ctx, ERR_INPUT, "0 numbers, and needs 1536");
    assert_false(read_text(ctx,
        arena_printf(
            ctx->arena, "{\"embedding\":%s}", numbers(ctx, EMBED_DIMENSIONS + 1, -1, "", ",")),
        &found));
    assert_error(ctx, ERR_INPUT, "more than 1536");
    assert_false(read_text(ctx, "{\"embedding\":[1,2", &found));
    assert_error(ctx, ERR_INPUT, "embedding[1] is followed by");
}

/* Cut off anywhere it is refused or left alone, and nothing beyond its end is read. */
static void
cut_off_anywhere(void **state)
{
    struct ctx *ctx = *state;
    const char *body =
        "{\"a\\u0041\": {\"b\": [1, \"x\\\\\"]}, \"embedding\": [1.5e+3, -0.25 , 7], \"c\": 1}";
    struct read_vector found;

    for (size_t length = 0; length <= strlen(body); length++) {
        char *copy = arena_strndup(ctx->arena, body, length);

        if (!read_vector(ctx, copy, length, "embedding", &found))
            assert_int_equal(ctx->error.kind, ERR_INPUT);
        else
            assert_null(found.vector);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(list_is_cut_out),
        test_with_ctx(body_without_a_list_is_left_alone),
        test_with_ctx(wrong_number_is_named),
        test_with_ctx(range_is_that_of_four_bytes),
        test_with_ctx(count_is_checked),
        test_with_ctx(cut_off_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
