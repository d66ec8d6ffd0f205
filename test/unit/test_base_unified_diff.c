/* Diffs of two texts, line by line. */
#include "support/test.h"

#include "base/text.h"
#include "base/unified_diff.h"

static const char *
diff(struct ctx *ctx, const char *old_text, const char *new_text)
{
    const struct unified_diff both = { "a/x", "b/x", old_text, new_text };

    return unified_diff(ctx->arena, &both);
}

static void
test_the_same_is_nothing(void **state)
{
    assert_string_equal(diff(*state, "", ""), "");
    assert_string_equal(diff(*state, "a\nb", "a\nb"), "");
}

/* Expected texts are those of GNU diff 3.8, diff -u. */
static void
test_hunks(void **state)
{
    assert_string_equal(diff(*state, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nV\n6\n7\n8\n9\n"),
        "--- a/x\n+++ b/x\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+V\n 6\n 7\n 8\n");
    assert_string_equal(diff(*state, "1\n2\n", "0\n1\n2\n3\n"),
        "--- a/x\n+++ b/x\n@@ -1,2 +1,4 @@\n+0\n 1\n 2\n+3\n");
    assert_string_equal(
        diff(*state, "1\n2\n3\n", "2\n"), "--- a/x\n+++ b/x\n@@ -1,3 +1 @@\n-1\n 2\n-3\n");
    assert_string_equal(diff(*state, "", "1\n2\n"), "--- a/x\n+++ b/x\n@@ -0,0 +1,2 @@\n+1\n+2\n");
    assert_string_equal(diff(*state, "1\n", ""), "--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n-1\n");
}

/* Six lines between two changes are context of both, seven are not. */
static void
test_distance_of_hunks(void **state)
{
    const char *near = diff(*state, "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n");
    const char *far = diff(*state, "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n");

    assert_non_null(strstr(near, "@@ -1,8 +1,8 @@\n"));
    assert_non_null(strstr(far, "@@ -1,4 +1,4 @@\n"));
    assert_non_null(strstr(far, "@@ -6,4 +6,4 @@\n"));
}

static void
test_end_without_line_feed(void **state)
{
    assert_string_equal(diff(*state, "1\n2", "1\n3"),
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+3\n"
        "\\ No newline at end of file\n");
    assert_string_equal(diff(*state, "1", "1\n"),
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n\\ No newline at end of file\n+1\n");
}

static void
test_names(void **state)
{
    struct ctx *ctx = *state;
    const struct unified_diff made = { NULL, "b/a b.py", "", "1\n" };
    const struct unified_diff gone = { "a/\"q\\\n", NULL, "1\n", "" };

    assert_string_equal(
        unified_diff(ctx->arena, &made), "--- /dev/null\n+++ b/a b.py\t\n@@ -0,0 +1 @@\n+1\n");
    assert_string_equal(unified_diff(ctx->arena, &gone),
        "--- \"a/\\\"q\\\\\\n\"\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n");
}

/* What patch(1) does, without its leniency: every number and every line must be right. */
static const char *
patched(struct ctx *ctx, const char *text, const char *patch)
{
    struct buffer out = { .arena = ctx->arena };
    size_t line = 1;

    while (*patch) {
        size_t length = strcspn(patch, "\n") + 1, start = 0, count = 1;

        if (text_starts_with(patch, "@@ -")) {
            char *end;

            start = strtoul(patch + 4, &end, 10);
            count = *end == ',' ? strtoul(end + 1, NULL, 10) : 1;
            for (start += count == 0; line < start; line++) {
                size_t size = strcspn(text, "\n") + 1;

                buffer_append(&out, text, size);
                text += size;
            }
        } else if (*patch == ' ' || (*patch == '-' && !text_starts_with(patch, "--- "))) {
            assert_memory_equal(text, patch + 1, length - 1);
            if (*patch == ' ')
                buffer_append(&out, text, length - 1);
            text += length - 1;
            line++;
        } else if (*patch == '+' && !text_starts_with(patch, "+++ ")) {
            buffer_append(&out, patch + 1, length - 1);
        }
        patch += length;
    }
    buffer_add(&out, text);
    return buffer_text(&out);
}

static const char *
random_lines(struct ctx *ctx, struct test_random *random, size_t count, uint64_t kinds)
{
    struct buffer out = { .arena = ctx->arena };

    while (count-- > 0)
        buffer_printf(&out, "%c\n", (char)('a' + test_random_next(random) % kinds));
    return buffer_text(&out);
}

static size_t
count_changes(const char *patch)
{
    size_t count = 0;

    for (const char *at = patch; (at = strchr(at, '\n')) && at[1]; at++)
        count += (at[1] == '+' || at[1] == '-') && at[2] && at[3] == '\n';
    return count;
}

/* The longest common subsequence by the textbook, of lines with one letter each. */
static size_t
fewest_changes(const char *a, const char *b)
{
    size_t lengths[41][41] = { 0 };
    size_t m = strlen(a) / 2, n = strlen(b) / 2;

    for (size_t i = 1; i <= m; i++)
        for (size_t k = 1; k <= n; k++) {
            size_t above = lengths[i - 1][k], left = lengths[i][k - 1];

            lengths[i][k] = a[2 * (i - 1)] == b[2 * (k - 1)] ? lengths[i - 1][k - 1] + 1
                            : above > left                   ? above
                                                             : left;
        }
    return m + n - 2 * lengths[m][n];
}

static void
test_any_texts(void **state)
{
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();

    for (int i = 0; i < 3000; i++) {
        uint64_t kinds = 2 + test_random_next(&random) % 20;
        const char *a = random_lines(ctx, &random, test_random_next(&random) % 40, kinds);
        const char *b = random_lines(ctx, &random, test_random_next(&random) % 40, kinds);
        const char *patch = diff(ctx, a, b);

        assert_string_equal(patched(ctx, a, patch), b);
        assert_int_equal(count_changes(patch), fewest_changes(a, b));
    }
}

/* Too much has changed to look for the smallest way: one block is right as well. */
static void
test_wholly_different(void **state)
{
    struct ctx *ctx = *state;
    struct buffer a = { .arena = ctx->arena }, b = { .arena = ctx->arena };

    for (int i = 0; i < 3000; i++) {
        buffer_printf(&a, "a%d\n", i);
        buffer_printf(&b, "b%d\n", i);
    }
    assert_string_equal(patched(ctx, buffer_text(&a), diff(ctx, buffer_text(&a), buffer_text(&b))),
        buffer_text(&b));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_the_same_is_nothing),
        test_with_ctx(test_hunks),
        test_with_ctx(test_distance_of_hunks),
        test_with_ctx(test_end_without_line_feed),
        test_with_ctx(test_names),
        test_with_ctx(test_any_texts),
        test_with_ctx(test_wholly_different),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
