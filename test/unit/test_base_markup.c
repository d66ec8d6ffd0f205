/* HTML of texts of others. */
#include "support/test.h"

#include "base/markup.h"

static const char *
written(struct ctx *ctx, void (*write)(FILE *, const char *), const char *given)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    const char *copy;

    write(out, given);
    fclose(out);
    copy = arena_strdup(ctx->arena, text);
    free(text);
    return copy;
}

static void
test_text_is_no_markup(void **state)
{
    assert_string_equal(written(*state, markup_text, "<a b=\"c\" d='e'>&\x01\x7f\n\t\xc3\xa4"),
        "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\xEF\xBF\xBD\xEF\xBF\xBD\n\t\xc3\xa4");
}

static void
test_prose_has_code(void **state)
{
    assert_string_equal(written(*state, markup_prose, "use `a < b`, not `c`"),
        "use <code>a &lt; b</code>, not <code>c</code>");
    assert_string_equal(written(*state, markup_prose, "a ` alone"), "a ` alone");
    assert_string_equal(written(*state, markup_prose, "`a` and `b"), "<code>a</code> and `b");
}

static void
test_fills_slots_but_not_what_is_filled_in(void **state)
{
    const struct markup_slot slots[] = { { "{{a}}", "1{{b}}" }, { "{{b}}", "2" } };
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    (void)state;
    markup_fill(out, "{{a}} {{b}} {{c}} { {{ {{b}}", slots, COUNT_OF(slots));
    fclose(out);
    assert_string_equal(text, "1{{b}} 2 {{c}} { {{ 2");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_text_is_no_markup),
        test_with_ctx(test_prose_has_code),
        test_with_ctx(test_fills_slots_but_not_what_is_filled_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
