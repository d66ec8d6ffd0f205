/*
 * Tokens by RFC 7515 and by Python's hmac, hashlib and base64: good ones, and those that forgers send.
 */
#include "support/test.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/file.h"
#include "replyx/jwt.h"

/* What the tokens below were signed with, and the second that they are read in. */
static const char secret_text[] = "a secret of the tests, which is long enough";
static const int64_t now_us = INT64_C(1800000000) * 1000000;

static const struct jwt_secret secret = { secret_text, sizeof(secret_text) - 1 };

struct token {
    const char *name;
    const char *text;
    const char *why; /* it is refused, or NULL */
    int64_t user;
};

/* clang-format off */
static const struct token tokens[] = {
    { "good",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.FV8"
        "bDrBtkub0rcQJ9yUiyB1uiHyhv5lK58wwHp2P2Kw",
        NULL, 17 },
    { "type in small letters",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6Imp3dCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.wtd"
        "VjwhqHOH_Sj8qRzyxIRj5QNpVIAp5NM2XMlv1QJg",
        NULL, 17 },
    { "without a type",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.w53Mjs1SNj64XqkiL94"
        "BEZu60wbEHPerImJyeuq5SuQ",
        NULL, 17 },
    { "times with fractions",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIyMTQ3NDgzNjQ3IiwiZXhwIjoxODAwMDA"
        "wMDAwLjUsImlhdCI6MTc5OTk5OTk5OC41LCJuYmYiOjE4MDAwMDAwMjl9.3VyB3DP7fmKr0LbKtB2u-5"
        "reEq3c0oXALamrNgvg5jM",
        NULL, 2147483647 },
    { "other claims",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJ4IiwiYXVkIjpbInkiXSwic3ViIjoiMTc"
        "iLCJleHAiOjE4MDAwMDAxMDB9.8J9mXtsDLfQEjA-5M5mV1gOO126C_9B2YLJRqX-e7wI",
        NULL, 17 },
    { "no algorithm",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.",
        "another algorithm", 0 },
    { "None",
        "eyJhbGciOiJOb25lIn0.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.c7YS7k_TeXhLPfydNe8P"
        "Y6-TykBsRtnb2OaPGXdjAow",
        "another algorithm", 0 },
    { "RS256",
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.Vx7"
        "naflTyi7M8tbI3prT7i-PePivXKdyD_Dgz6ubyF0",
        "another algorithm", 0 },
    { "HS512",
        "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.Gjm"
        "TU4YEg5ltYY_9MRFUFeIhLKl1By_q1VBMw15eF-_iz5Weq5yRoQQFMliuI6VCroILy5ylpsHH3ps0rm9"
        "zeA",
        "another algorithm", 0 },
    { "algorithm in small letters",
        "eyJhbGciOiJoczI1NiJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.b6eMmadILfXUtRxbXmN"
        "grYymXCUktCxQaAGkX6aj-2A",
        "another algorithm", 0 },
    { "an algorithm that is a list",
        "eyJhbGciOlsiSFMyNTYiXX0.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.NEskQ-NQxS6Qr6SI"
        "5x8Z0vXduS-0iS_oGEBuwr8FD6s",
        "another algorithm", 0 },
    { "two algorithms",
        "eyJhbGciOiJIUzI1NiIsImFsZyI6Im5vbmUifQ.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.i"
        "yu9opArZ3w9NbZSdTSrux5QfPS15k7uadmw3agRwfI",
        "is not a JSON Web Token", 0 },
    { "critical extensions",
        "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.eyJzdWIiOiIxNyIsImV4cCI"
        "6MTgwMDAwMDEwMH0.aNlrhb07Zf1fAn_ZbvJh_3HRYoWRmgG674nIKPoXBMw",
        "extensions", 0 },
    { "another type",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXRSJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.PHl"
        "7qFAMRcOvmmpUPN45SidAxKweA531ArxSCIb3RNU",
        "another type", 0 },
    { "another secret",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.1ry"
        "UAY_sHNW2rouzkXhUZpVo2tfZMQ8AZAzMal0r11E",
        "was not signed here", 0 },
    { "an empty secret",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.IB-"
        "EpOTe3wRaYj8rluOw13fqbhLhj7yVkvAhg_Wbk9E",
        "was not signed here", 0 },
    { "no signature",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.",
        "was not signed here", 0 },
    { "a short signature",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.FV8"
        "bDrBtkub0rcQJ9yUiyB1uiHyhv5lK58wwHp2",
        "was not signed here", 0 },
    { "a padded signature",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.FV8"
        "bDrBtkub0rcQJ9yUiyB1uiHyhv5lK58wwHp2P2Kw=",
        "was not signed here", 0 },
    { "the signature's last bits",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.FV8"
        "bDrBtkub0rcQJ9yUiyB1uiHyhv5lK58wwHp2P2K_",
        "was not signed here", 0 },
    { "another payload",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxOCIsImV4cCI6MTgwMDAwMDEwMH0.FV8"
        "bDrBtkub0rcQJ9yUiyB1uiHyhv5lK58wwHp2P2Kw",
        "was not signed here", 0 },
    { "expired",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDAwMH0.Mxh"
        "bWfGZGirsWZrQtzWgorQ4QobT7pRBZcnuG7a9cqU",
        "has expired", 0 },
    { "no end",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyJ9._UWyIAp8i-BIkYbhXNTYBWU9OZ"
        "iToxbGdi0mTf5wgRk",
        "when it expires", 0 },
    { "an end as text",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6IjE4MDAwMDAxMDAifQ."
        "suO9O3Etc5_GXl4Ao09czEiqLCeix1pkYHUs4Xa-7iU",
        "when it expires", 0 },
    { "an end before 1970",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6LTV9.E45zJiPfkHbn7t"
        "mpYrT3zIvyvci6UP51D0IK4HjQhQs",
        "when it expires", 0 },
    { "not yet",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYmYiOjE4MDAwMDAwMzEsInN1YiI6IjE3IiwiZXh"
        "wIjoxODAwMDAwMTAwfQ.yueLXVt2hPSE1x4l6zYD4pn_ee0wWl30abhEJLz-tAs",
        "future", 0 },
    { "signed tomorrow",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE4MDAwODY0MDAsInN1YiI6IjE3IiwiZXh"
        "wIjoxODAwMDAwMTAwfQ.q1CsbaZleDQYCbZ4JWslcaUZBEpNnNqleuiq0QvJsjk",
        "future", 0 },
    { "a beginning that is none",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYmYiOm51bGwsInN1YiI6IjE3IiwiZXhwIjoxODA"
        "wMDAwMTAwfQ.2bXhCV5akc-zlC-CAPIy2mPxit5KkRNcSTHzr4N8WVk",
        "future", 0 },
    { "no user",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE4MDAwMDAxMDB9.VTGRO9e-e5a0DFcLAT"
        "X5ZybQ0QjehMctyoai1BgL-rQ",
        "does not name a user", 0 },
    { "a user as a number",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOjE3LCJleHAiOjE4MDAwMDAxMDB9.Wq_IAZ"
        "NS_iRdu92DcXi_h3IqY4wI0yU3_01wj6d5SZs",
        "does not name a user", 0 },
    { "user 0",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwIiwiZXhwIjoxODAwMDAwMTAwfQ.GP6g"
        "ikxeuOCs-mNOJtqgNDpWMnUNB3UWvo6j6AnnWbg",
        "does not name a user", 0 },
    { "a user in octal",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMTciLCJleHAiOjE4MDAwMDAxMDB9.-g"
        "y4W652Sj-nEF0wNC22y_o62Va9cDfe6WSfxuyk6e4",
        "does not name a user", 0 },
    { "a negative user",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiItMTciLCJleHAiOjE4MDAwMDAxMDB9.QM"
        "2ZW8EIzMQ64-hEEtQtwXnNzAa6eCWBlCEirg0NCd4",
        "does not name a user", 0 },
    { "a user beyond int4",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIyMTQ3NDgzNjQ4IiwiZXhwIjoxODAwMDA"
        "wMTAwfQ.lYky4XVvadgDi-bWnKp7MDWGDlmBkU34PaMOhNpM8UI",
        "does not name a user", 0 },
    { "a user and more",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyAiLCJleHAiOjE4MDAwMDAxMDB9.M-"
        "71OGXTgZ9qmxk1XOp7dxiKilygtmwHaEVtU7TdKMs",
        "does not name a user", 0 },
    { "a list as payload",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.WyJzdWIiXQ.j2URQNuj-FhMkFWszhaN84a-gXHwUPdX"
        "XrVbNGSotqY",
        "is not a JSON Web Token", 0 },
    { "two users",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsInN1YiI6IjE4IiwiZXhwIjoxODA"
        "wMDAwMTAwfQ.WYwU9Qkv8nZ3rgAat-LlijzSqDm6CSclzNKiG99e4DY",
        "is not a JSON Web Token", 0 },
    { "text as header",
        "SFMyNTY.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.1_QHEv8kW1dhIB2c9UUrIi02BTPlDJf9"
        "KrNXt6T_-Kw",
        "is not a JSON Web Token", 0 },
    { "two parts",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0",
        "is not a JSON Web Token", 0 },
    { "four parts",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImV4cCI6MTgwMDAwMDEwMH0.FV8"
        "bDrBtkub0rcQJ9yUiyB1uiHyhv5lK58wwHp2P2Kw.x",
        "is not a JSON Web Token", 0 },
    { "nothing",
        "",
        "is not a JSON Web Token", 0 },
    { "dots",
        "..",
        "is not a JSON Web Token", 0 },
};
/* clang-format on */

static void
tokens_are_taken_or_refused(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        struct jwt_claims claims = { 0 };
        bool is_good = jwt_verify(ctx, &secret, tokens[i].text, now_us, &claims);

        if (is_good != !tokens[i].why)
            fail_msg("%s: %s", tokens[i].name, is_good ? "taken" : ctx->error.message);
        if (is_good)
            assert_int_equal(claims.user, tokens[i].user);
        else
            assert_error(ctx, ERR_IDENTITY, tokens[i].why);
        error_clear(ctx);
    }
}

/* RFC 7515, appendix A.1: it is not one of ours, but its signature is good. */
static void
the_example_of_the_rfc_is_signed_well(void **state)
{
    static const char key[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
                              "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    static const char token[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    struct ctx *ctx = *state;
    struct jwt_claims claims;
    struct jwt_secret known;
    const unsigned char *bytes;

    assert_true(base64url_decode(ctx->arena, key, strlen(key), &bytes, &known.length));
    known.bytes = (const char *)bytes;
    assert_int_equal(known.length, 64);
    assert_false(jwt_verify(ctx, &known, token, INT64_C(1300819379) * 1000000, &claims));
    assert_error(ctx, ERR_IDENTITY, "does not name a user");
    error_clear(ctx);
    assert_false(jwt_verify(ctx, &known, token, INT64_C(1300819380) * 1000000, &claims));
    assert_error(ctx, ERR_IDENTITY, "has expired");
    error_clear(ctx);
    assert_false(jwt_verify(ctx, &secret, token, INT64_C(1300819379) * 1000000, &claims));
    assert_error(ctx, ERR_IDENTITY, "was not signed here");
}

/* RFC 4231, test cases 2 and 6: a short key, and one longer than a block. */
static void
hmac_is_that_of_the_rfc(void **state)
{
    static const unsigned char second[SHA256_SIZE] = { 0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75,
        0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
        0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43 };
    static const unsigned char sixth[SHA256_SIZE] = { 0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6,
        0x7f, 0x0d, 0x8a, 0x26, 0xaa, 0xcb, 0xf5, 0xb7, 0x7f, 0x8e, 0x0b, 0xc6, 0x21, 0x37, 0x28,
        0xc5, 0x14, 0x05, 0x46, 0x04, 0x0f, 0x0e, 0xe3, 0x7f, 0x54 };
    static const char long_text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    unsigned char found[SHA256_SIZE];
    unsigned char long_key[131];

    (void)state;
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, found);
    assert_memory_equal(found, second, SHA256_SIZE);
    memset(long_key, 0xaa, sizeof(long_key));
    hmac_sha256(long_key, sizeof(long_key), long_text, strlen(long_text), found);
    assert_memory_equal(found, sixth, SHA256_SIZE);
}

static void
what_is_signed_is_what_python_signs(void **state)
{
    struct ctx *ctx = *state;
    struct jwt_claims claims;
    const char *token = jwt_sign(ctx->arena, &secret, 17, now_us, INT64_C(100) * 1000000);

    assert_string_equal(token,
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxNyIsImlhdCI6MTgwMDAwMDAwMCwiZXh"
        "wIjoxODAwMDAwMTAwfQ.k4E-aGYy-wmCCK64dNXArPCoPPBFUrM236QNDYI9Nlc");
    assert_true(jwt_verify(ctx, &secret, token, now_us, &claims));
    assert_int_equal(claims.user, 17);
    assert_true(claims.expires_us == now_us + INT64_C(100) * 1000000);
    assert_false(jwt_verify(ctx, &secret, token, claims.expires_us, &claims));
}

/* RFC 4648, section 10, and what only looks like it. */
static void
base64url_is_strict(void **state)
{
    static const char *const good[][2] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" },
        { "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
        { "\xfb\xff\xfe", "-__-" } };
    static const char *const bad[] = { "Z", "Zg==", "Zh", "Zm9", "Zm9vY", "Zm 9v", "Zm+v", "Zm/v",
        "Zm9v\n", "Zm9v=", "\xd0\x96\xd0\x96" };
    struct ctx *ctx = *state;
    const unsigned char *bytes;
    size_t length;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_string_equal(
            base64url_encode(ctx->arena, good[i][0], strlen(good[i][0])), good[i][1]);
        assert_true(base64url_decode(ctx->arena, good[i][1], strlen(good[i][1]), &bytes, &length));
        assert_int_equal(length, strlen(good[i][0]));
        assert_memory_equal(bytes, good[i][0], length);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(base64url_decode(ctx->arena, bad[i], strlen(bad[i]), &bytes, &length));
    assert_false(base64url_decode(ctx->arena, "Zm\0v", 4, &bytes, &length));
}

static void
a_secret_is_long_and_private(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "secret");
    struct jwt_secret read;

    assert_true(file_write(ctx, path, "0123456789012345678901234567890\n", 32, 0600));
    assert_false(jwt_read_secret(ctx, path, &read));
    assert_error(ctx, ERR_CONFIG, "shorter than 32 bytes");
    assert_null(strstr(ctx->error.message, "0123"));
    error_clear(ctx);
    assert_true(file_write(ctx, path, "01234567890123456789012345678901\n", 33, 0600));
    assert_true(jwt_read_secret(ctx, path, &read));
    assert_int_equal(read.length, 32);
    assert_true(file_write(ctx, path, "01234567890123456789012345678901\n", 33, 0644));
    assert_false(jwt_read_secret(ctx, path, &read));
    assert_error(ctx, ERR_CONFIG, "others than its owner");
    error_clear(ctx);
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(tokens_are_taken_or_refused),
        test_with_ctx(the_example_of_the_rfc_is_signed_well),
        test_with_ctx(hmac_is_that_of_the_rfc),
        test_with_ctx(what_is_signed_is_what_python_signs),
        test_with_ctx(base64url_is_strict),
        test_with_ctx(a_secret_is_long_and_private),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
