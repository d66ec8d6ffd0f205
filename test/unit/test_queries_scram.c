/*
 * The exchange of RFC 7677, section 3 (user "user", password "pencil"), as the server; what the
 * client sends was computed with Python's hashlib and hmac from the same password, salt and count.
 */
#include "support/test.h"

#include "queries/proxy/scram.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define SALT  "W22ZaJ0SNY7soEsUEjb6gQ=="
#define VERIFIER                                                                \
    "SCRAM-SHA-256$4096:" SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static const char SERVER_NONCE[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
static const char CLIENT_FIRST[] = "n,,n=user,r=" NONCE;
static const char CLIENT_FINAL[] = "c=biws,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                   "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

static const unsigned char CLIENT_KEY[SHA256_SIZE] = {
    0xa6,
    0x0f,
    0xc9,
    0x23,
    0xd6,
    0x7e,
    0x86,
    0x44,
    0xa9,
    0x2d,
    0x16,
    0xb9,
    0x6e,
    0xda,
    0x5e,
    0xf4,
    0x65,
    0x6b,
    0x0c,
    0x72,
    0x5c,
    0x48,
    0x43,
    0x74,
    0xbe,
    0x25,
    0x53,
    0x55,
    0x76,
    0x99,
    0x6e,
    0x8b,
};

/* SHA-256 of "certificate". */
static const struct scram_binding BINDING = {
    .bytes = { 0x03, 0xd6, 0x6d, 0xd0, 0x88, 0x35, 0xc1, 0xca, 0x3f, 0x12, 0x8c, 0xce, 0xac, 0xd1,
        0xf3, 0x1a, 0xc9, 0x41, 0x63, 0x09, 0x6b, 0x20, 0xf4, 0x45, 0xae, 0x84, 0x28, 0x5b, 0xc0,
        0x83, 0x2d, 0x72 },
    .length = SHA256_SIZE,
};

static const struct scram_verifier *
verifier_of(struct ctx *ctx)
{
    struct scram_verifier *verifier = ARENA_NEW(ctx->arena, struct scram_verifier);

    assert_true(scram_read_verifier(ctx->arena, VERIFIER, verifier));
    return verifier;
}

static void
verifiers_are_read_and_others_are_not(void **state)
{
    static const char *const wrong[] = {
        "",
        "pencil",
        "md5c9d6ba6c3d5f3a9b0c7b1a9c0a4d7a52",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-256$4096:" SALT,
        "SCRAM-SHA-256$4096:" SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
        "SCRAM-SHA-256$0:" SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:W22Z_J0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:" SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-512$4096:" SALT "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
    };
    struct ctx *ctx = *state;
    const struct scram_verifier *verifier = verifier_of(ctx);

    assert_int_equal(verifier->iterations, 4096);
    assert_string_equal(verifier->salt, SALT);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct scram_verifier other;

        assert_false(scram_read_verifier(ctx->arena, wrong[i], &other));
    }
}

static struct scram_server
server_of(struct ctx *ctx)
{
    return (struct scram_server){ .verifier = verifier_of(ctx), .nonce = SERVER_NONCE };
}

static void
the_exchange_of_the_rfc_is_ours(void **state)
{
    struct ctx *ctx = *state;
    struct scram_server server = server_of(ctx);
    unsigned char key[SHA256_SIZE];
    const char *first;

    assert_true(scram_server_first(ctx, &server, CLIENT_FIRST, sizeof(CLIENT_FIRST) - 1, &first));
    assert_string_equal(first,
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    assert_true(scram_server_key(ctx, &server, CLIENT_FINAL, sizeof(CLIENT_FINAL) - 1, key));
    assert_memory_equal(key, CLIENT_KEY, sizeof(key));
    assert_string_equal(
        scram_server_final(ctx->arena, &server), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

static void
another_proof_gives_another_key(void **state)
{
    struct ctx *ctx = *state;
    struct scram_server server = server_of(ctx);
    char *final = arena_strdup(ctx->arena, CLIENT_FINAL);
    unsigned char key[SHA256_SIZE];
    const char *first;

    strstr(final, "p=")[2] = 'e';
    assert_true(scram_server_first(ctx, &server, CLIENT_FIRST, sizeof(CLIENT_FIRST) - 1, &first));
    assert_true(scram_server_key(ctx, &server, final, strlen(final), key));
    assert_memory_not_equal(key, CLIENT_KEY, sizeof(key));
}

static void
first_messages_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *text;
        bool is_plus;
        bool has_binding;
        enum error_kind kind;
    } cases[] = {
        { "", false, false, ERR_INPUT },
        { "n", false, false, ERR_INPUT },
        { "n,,", false, false, ERR_INPUT },
        { "x,,n=user,r=abc", false, false, ERR_INPUT },
        { "nn,,n=user,r=abc", false, false, ERR_INPUT },
        { "n,a=other,n=user,r=abc", false, false, ERR_UNSUPPORTED },
        { "n,,m=must,n=user,r=abc", false, false, ERR_INPUT },
        { "n,,n=user", false, false, ERR_INPUT },
        { "n,,n=user,r=", false, false, ERR_INPUT },
        { "n,,n=user,r=a\tb", false, false, ERR_INPUT },
        /* A flag that is not that of the mechanism, either way. */
        { "p=tls-server-end-point,,n=,r=abc", false, true, ERR_INPUT },
        { "n,,n=,r=abc", true, true, ERR_INPUT },
        /* It was offered: RFC 5802, section 6, against who takes it out of the list on the way. */
        { "y,,n=,r=abc", false, true, ERR_IDENTITY },
        { "p=tls-unique,,n=,r=abc", true, true, ERR_UNSUPPORTED },
        { "p=tls-server-end-poin,,n=,r=abc", true, true, ERR_UNSUPPORTED },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scram_server server = server_of(ctx);
        const char *first;

        server.is_plus = cases[i].is_plus;
        if (cases[i].has_binding)
            server.binding = BINDING;
        error_clear(ctx);
        if (scram_server_first(ctx, &server, cases[i].text, strlen(cases[i].text), &first))
            fail_msg("\"%s\" was accepted", cases[i].text);
        assert_int_equal(ctx->error.kind, cases[i].kind);
    }
}

static void
last_messages_of_another_exchange_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum error_kind kind;
    } cases[] = {
        { "", ERR_INPUT },
        { "c=biws,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ERR_INPUT },
        { "c=biws,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=short", ERR_INPUT },
        { "c=biws,r=" NONCE "another,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ERR_INPUT },
        /* "y,," and "n,,x": not what was said first. */
        { "c=eSws,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            ERR_IDENTITY },
        { "c=bixreA==,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            ERR_IDENTITY },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scram_server server = server_of(ctx);
        unsigned char key[SHA256_SIZE];
        const char *first;

        error_clear(ctx);
        assert_true(
            scram_server_first(ctx, &server, CLIENT_FIRST, sizeof(CLIENT_FIRST) - 1, &first));
        if (scram_server_key(ctx, &server, cases[i].text, strlen(cases[i].text), key))
            fail_msg("\"%s\" was accepted", cases[i].text);
        assert_int_equal(ctx->error.kind, cases[i].kind);
    }
}

static void
a_client_has_the_key_and_no_password(void **state)
{
    static const struct {
        bool has_binding;
        const char *first;
        const char *final;
        const char *server_final;
    } cases[] = {
        { false, "n,,n=,r=abc", "c=biws,r=abcDEF,p=8g+PFGh2IkcreB8HuvF7g35PO6I1TUiFPUmiAUarPKk=",
            "v=RaXEEiVxwx4bf3kKVSTE+I76wadIjbN/Ev0hMCmj9vI=" },
        { true, "p=tls-server-end-point,,n=,r=abc",
            "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsA9Zt0Ig1wco/EozOrNHzGslBYwlrIPRFroQoW8CDLXI=,"
            "r=abcDEF,p=TGXPDFrJ+9tYmrDjJWrcJHo0Diqoh5M5urV8ujzH2cE=",
            "v=x7EElfLzrDhGjertGMEA2u2BfJ2FBA6cK1cY9SH37Yw=" },
    };
    static const char first[] = "r=abcDEF,s=" SALT ",i=4096";
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scram_client client = { .verifier = verifier_of(ctx), .nonce = "abc" };
        const char *final;

        if (cases[i].has_binding)
            client.binding = BINDING;
        assert_string_equal(scram_client_first(ctx->arena, &client), cases[i].first);
        assert_true(scram_client_final(ctx, &client, first, sizeof(first) - 1, CLIENT_KEY, &final));
        assert_string_equal(final, cases[i].final);
        assert_true(scram_client_trusts(
            ctx, &client, cases[i].server_final, strlen(cases[i].server_final)));
        /* The other case's signature is of other messages. */
        assert_false(scram_client_trusts(
            ctx, &client, cases[1 - i].server_final, strlen(cases[1 - i].server_final)));
    }
}

static void
a_server_with_another_verifier_is_told_from_garbage(void **state)
{
    static const struct {
        const char *text;
        enum error_kind kind;
    } cases[] = {
        { "r=abcDEF,s=QSXCR+Q6sek8bf92QSXCRw==,i=4096", ERR_CONFLICT },
        { "r=abcDEF,s=" SALT ",i=10000", ERR_CONFLICT },
        { "r=abc,s=" SALT ",i=4096", ERR_INPUT },
        { "r=xyzDEF,s=" SALT ",i=4096", ERR_INPUT },
        { "r=abcDEF,i=4096,s=" SALT, ERR_INPUT },
        { "e=other-error", ERR_INPUT },
        { "", ERR_INPUT },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scram_client client = { .verifier = verifier_of(ctx), .nonce = "abc" };
        const char *final;

        error_clear(ctx);
        scram_client_first(ctx->arena, &client);
        if (scram_client_final(
                ctx, &client, cases[i].text, strlen(cases[i].text), CLIENT_KEY, &final))
            fail_msg("\"%s\" was accepted", cases[i].text);
        assert_int_equal(ctx->error.kind, cases[i].kind);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(verifiers_are_read_and_others_are_not),
        test_with_ctx(the_exchange_of_the_rfc_is_ours),
        test_with_ctx(another_proof_gives_another_key),
        test_with_ctx(first_messages_that_cannot_be_are_refused),
        test_with_ctx(last_messages_of_another_exchange_are_refused),
        test_with_ctx(a_client_has_the_key_and_no_password),
        test_with_ctx(a_server_with_another_verifier_is_told_from_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
