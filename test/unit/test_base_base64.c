/* base64url against the vectors of RFC 4648, section 10, without padding; and what is not one text for its bytes. */
#include "support/test.h"

#include <string.h>

#include "base/base64.h"

static void
writes_and_reads_the_vectors(void **state)
{
    static const char *const vectors[][2] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" },
        { "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
        { "\xfb\xff\xfe", "-__-" } };
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const char *bytes = vectors[i][0], *text = vectors[i][1];
        const unsigned char *read;
        size_t length;

        assert_string_equal(base64url_encode(arena, bytes, strlen(bytes)), text);
        assert_true(base64url_decode(arena, text, strlen(text), &read, &length));
        assert_int_equal(length, strlen(bytes));
        assert_string_equal((const char *)read, bytes);
    }
}

static void
refuses_every_other_text(void **state)
{
    /* Padding, an impossible length, the plain alphabet's signs, white space, bits that belong to no byte. */
    static const char *const bad[] = { "Zg==", "Z", "Zm9vY", "+/8", "Zm 9", "Zg\n", "Zh", "Zm9",
        "\xc3\xa4" };
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const unsigned char *read;
        size_t length;

        assert_false(base64url_decode(arena, bad[i], strlen(bad[i]), &read, &length));
    }
    /* A NUL within the length is a character like any other. */
    const unsigned char *read;
    size_t length;

    assert_false(base64url_decode(arena, "Zm\0v", 4, &read, &length));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_the_vectors),
        cmocka_unit_test(refuses_every_other_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
