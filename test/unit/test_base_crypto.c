#include "support/test.h"

#include "base/crypto.h"

/* The examples of FIPS 180-2 and the empty message. */
static void
sha256_gives_the_published_digests(void **state)
{
    static const struct {
        const char *text;
        const char *digest;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *digest = sha256_of(ctx->arena, cases[i].text, strlen(cases[i].text));

        assert_int_equal(strlen(digest) + 1, SHA256_HEX_SIZE);
        assert_string_equal(digest, cases[i].digest);
    }
}

static void
a_file_has_the_digest_of_its_bytes(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "data");
    size_t length = 400000;
    char *data = arena_alloc(ctx->arena, length);
    const char *digest;

    memset(data, 'a', length);
    assert_true(file_write(ctx, path, data, length, 0600));
    assert_true(sha256_of_file(ctx, path, &digest));
    assert_string_equal(digest, sha256_of(ctx->arena, data, length));
    assert_true(file_remove(ctx, folder));
    assert_false(sha256_of_file(ctx, path, &digest));
    assert_error(ctx, ERR_IO, "No such file");
    assert_false(sha256_of_file(ctx, "/", &digest));
    assert_error(ctx, ERR_IO, "could not read");
}

static void
random_digits_differ(void **state)
{
    struct ctx *ctx = *state;
    const char *one = random_hex(ctx->arena, 16);

    assert_int_equal(strlen(one), 32);
    assert_int_equal(strspn(one, "0123456789abcdef"), 32);
    assert_string_not_equal(one, random_hex(ctx->arena, 16));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(sha256_gives_the_published_digests),
        test_with_ctx(a_file_has_the_digest_of_its_bytes),
        test_with_ctx(random_digits_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
