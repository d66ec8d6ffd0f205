#include "support/test.h"

#include "base/process.h"
#include "base/text.h"

static void
a_buffer_grows_and_is_always_a_c_string(void **state)
{
    struct ctx *ctx = *state;
    struct buffer buffer = { .arena = ctx->arena };

    assert_string_equal(buffer_text(&buffer), "");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&buffer, "%03d", i);
    assert_int_equal(buffer.length, 3000);
    assert_int_equal(strlen(buffer.data), 3000);
    assert_string_equal(buffer.data + 2997, "999");
    buffer_append(&buffer, "a\0b", 3);
    assert_int_equal(buffer.length, 3003);
    assert_memory_equal(buffer.data + 3000, "a\0b", 4);
}

static void
a_list_keeps_order_and_joins(void **state)
{
    struct ctx *ctx = *state;
    struct text_list list = { 0 };

    assert_string_equal(text_list_join(ctx->arena, &list, ", "), "");
    for (int i = 0; i < 20; i++)
        text_list_add(ctx->arena, &list, arena_printf(ctx->arena, "%d", i));
    assert_int_equal(list.count, 20);
    assert_true(text_list_has(&list, "19"));
    assert_false(text_list_has(&list, "20"));
    list.count = 3;
    assert_string_equal(text_list_join(ctx->arena, &list, ", "), "0, 1, 2");
}

static void
texts_are_compared(void **state)
{
    (void)state;
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_equal("a", "a"));
    assert_true(text_starts_with("abc", "ab"));
    assert_true(text_starts_with("abc", ""));
    assert_false(text_starts_with("ab", "abc"));
    assert_true(text_ends_with("abc", "bc"));
    assert_false(text_ends_with("c", "bc"));
    assert_true(text_is_empty(NULL));
    assert_true(text_is_empty(""));
    assert_false(text_is_empty(" "));
}

static void
distance_counts_insertions_deletions_and_changes(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        size_t distance;
    } cases[] = {
        { "", "", 0 },
        { "", "abc", 3 },
        { "index", "index", 0 },
        { "idnex", "index", 2 },
        { "kitten", "sitting", 3 },
        { "unused", "used", 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(text_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
}

static const char *
random_word(struct arena *arena, struct test_random *random)
{
    size_t length = test_random_below(random, 8);
    char *word = arena_alloc(arena, length + 1);

    for (size_t i = 0; i < length; i++)
        word[i] = (char)('a' + test_random_below(random, 3));
    return word;
}

static void
distance_is_a_metric(void **state)
{
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();

    for (int i = 0; i < 500; i++) {
        const char *a = random_word(ctx->arena, &random);
        const char *b = random_word(ctx->arena, &random);
        const char *c = random_word(ctx->arena, &random);

        assert_int_equal(text_distance(a, b) == 0, strcmp(a, b) == 0);
        assert_true(text_distance(a, c) <= text_distance(a, b) + text_distance(b, c));
    }
}

static void
distance_of_long_texts_is_large_and_not_a_crash(void **state)
{
    struct ctx *ctx = *state;
    char *text = arena_alloc(ctx->arena, 5001);

    memset(text, 'x', 5000);
    assert_true(text_distance(text, "index") >= 60);
}

static void
width_counts_terminal_columns(void **state)
{
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        { "", 0 },
        { "abc", 3 },
        { "Привет", 6 },
        { "é", 1 },
        { "e\xCC\x81", 1 }, /* e and a combining accent */
        { "日本", 4 },
        { "🚀", 2 },
        { "\xFF\xFE", 2 },     /* not UTF-8: a column a byte */
        { "a\xD0", 2 },        /* cut in the middle of a character */
        { "\x80\x80\x80", 3 }, /* continuation bytes that continue nothing */
        { "\xF0\x9F", 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (text_width(cases[i].text) != cases[i].width)
            fail_msg("case %zu: %zu instead of %zu", i, text_width(cases[i].text), cases[i].width);
}

static void
sizes_are_written_for_people(void **state)
{
    static const struct {
        int64_t bytes;
        const char *text;
    } cases[] = {
        { 0, "0 bytes" },
        { 1023, "1023 bytes" },
        { 1024, "1.0 kB" },
        { 1536, "1.5 kB" },
        { 10240, "10 kB" },
        { 1048575, "1.0 MB" },
        { -2048, "-2.0 kB" },
        { INT64_C(1) << 40, "1.0 TB" },
        { INT64_MAX, "8192 PB" },
        { INT64_MIN, "-8192 PB" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(text_from_bytes(ctx->arena, cases[i].bytes), cases[i].text);
}

static void
times_are_written_for_people(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        { 0, "0 µs" },
        { 999, "999 µs" },
        { 1500, "1.5 ms" },
        { 250000, "250 ms" },
        { 1000000, "1.0 s" },
        { 61000000, "1 min 1 s" },
        { INT64_C(3600000000), "1 h 0 min" },
        { INT64_C(90000000000), "1 d 1 h" },
        { 999999, "1.0 s" },
        { 59999999, "1 min 0 s" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(text_from_us(ctx->arena, cases[i].us), cases[i].text);
}

static void
counts_are_grouped_by_thousands(void **state)
{
    struct ctx *ctx = *state;

    assert_string_equal(text_from_count(ctx->arena, 0), "0");
    assert_string_equal(text_from_count(ctx->arena, 999), "999");
    assert_string_equal(text_from_count(ctx->arena, 1000), "1 000");
    assert_string_equal(text_from_count(ctx->arena, 1234567), "1 234 567");
    assert_string_equal(text_from_count(ctx->arena, -1234), "-1 234");
    assert_string_equal(text_from_count(ctx->arena, INT64_MIN), "-9 223 372 036 854 775 808");
}

static void
sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } cases[] = {
        { "10", 10 },
        { "64kB", 65536 },
        { "64 KB", 65536 },
        { "1.5GB", 1610612736 },
        { "2T", INT64_C(2199023255552) },
        { "1bytes", 1 },
        { "9007199254740993", INT64_C(9007199254740993) }, /* more digits than a double has */
        { "", -1 },
        { "-1", -1 },
        { "kB", -1 },
        { "10 XB", -1 },
        { "10kB ", -1 },
        { " 10", -1 },
        { ".", -1 },
        { "1e400", -1 },
        { "99999999999999999999", -1 },
        { "9000000TB", -1 },
        { "nan", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t bytes = -1;

        if (text_to_bytes(cases[i].text, &bytes) != (cases[i].bytes >= 0) ||
            bytes != cases[i].bytes)
            fail_msg("\"%s\" is %lld", cases[i].text, (long long)bytes);
    }
}

static void
times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } cases[] = {
        { "5", 5000000 },
        { "0", 0 },
        { "250ms", 250000 },
        { "0.5s", 500000 },
        { "7us", 7 },
        { "5m", 300000000 },
        { "5min", 300000000 },
        { "1h", INT64_C(3600000000) },
        { "2d", INT64_C(172800000000) },
        { "1w", -1 },
        { "-5s", -1 },
        { "s", -1 },
        { "1h30m", -1 },
        { "", -1 },
        { "1e300d", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us = -1;

        if (text_to_us(cases[i].text, &us) != (cases[i].us >= 0) || us != cases[i].us)
            fail_msg("\"%s\" is %lld", cases[i].text, (long long)us);
    }
}

static void
whole_numbers_are_read_whole(void **state)
{
    static const char *const bad[] = { "", "-", "+", " 1", "1 ", "1.0", "0x10", "1e3", "+-1",
        "9223372036854775808", "-9223372036854775809", "abc" };
    int64_t number;

    (void)state;
    assert_true(text_to_int64("9223372036854775807", &number));
    assert_true(number == INT64_MAX);
    assert_true(text_to_int64("-9223372036854775808", &number));
    assert_true(number == INT64_MIN);
    assert_true(text_to_int64("+007", &number));
    assert_int_equal(number, 7);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (text_to_int64(bad[i], &number))
            fail_msg("\"%s\" was accepted", bad[i]);
}

static void
numbers_are_read_whole(void **state)
{
    static const char *const bad[] = { "", " 1", "1 ", "1,5", "abc", "1e999", "--1" };
    double number;

    (void)state;
    assert_true(text_to_double("-2.5e-3", &number));
    assert_true(number == -2.5e-3);
    assert_true(text_to_double(".5", &number));
    assert_true(number == 0.5);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (text_to_double(bad[i], &number))
            fail_msg("\"%s\" was accepted", bad[i]);
}

/* The independent source is the shell itself: what it reads has to be the word. */
static void
a_word_for_a_shell_is_read_back_by_it(void **state)
{
    static const char *const words[] = { "", "plain", "change.plan", "/a/b-c_d.e:f,g@h%i+j=k",
        "we\"ird na'me", "''", "a b", "$HOME", "`id`", "a\\b'c", "~", "#x", "*", "!x", "a;b|c&d>e",
        "\xc3\xa4\xe2\x82\xac", "line\nbreak's \\ end", "\x1b[31mred", "tab\t", "{a,b}", "(x)",
        "\x7f" };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const char *quoted = text_shell(ctx->arena, words[i]);
        const char *command = arena_printf(ctx->arena, "printf '%%s.' %s", quoted);
        const char *const argv[] = { "bash", "-c", command, NULL };
        const struct process_options options = { .argv = argv, .timeout_us = 20000000 };
        struct process process;

        for (const char *at = quoted; *at; at++)
            if ((unsigned char)*at < ' ' || *at == 0x7f)
                fail_msg("word %zu holds a control character", i);
        assert_true(process_run(ctx, &options, &process));
        assert_string_equal(buffer_text(&process.out), arena_printf(ctx->arena, "%s.", words[i]));
    }
    assert_string_equal(text_shell(ctx->arena, "change.plan"), "change.plan");
    assert_string_equal(text_shell(ctx->arena, "a b"), "'a b'");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_buffer_grows_and_is_always_a_c_string),
        test_with_ctx(a_list_keeps_order_and_joins),
        test_with_ctx(texts_are_compared),
        test_with_ctx(distance_counts_insertions_deletions_and_changes),
        test_with_ctx(distance_is_a_metric),
        test_with_ctx(distance_of_long_texts_is_large_and_not_a_crash),
        test_with_ctx(width_counts_terminal_columns),
        test_with_ctx(sizes_are_written_for_people),
        test_with_ctx(times_are_written_for_people),
        test_with_ctx(counts_are_grouped_by_thousands),
        test_with_ctx(sizes_are_read),
        test_with_ctx(times_are_read),
        test_with_ctx(whole_numbers_are_read_whole),
        test_with_ctx(numbers_are_read_whole),
        test_with_ctx(a_word_for_a_shell_is_read_back_by_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
