/*
 * TLS between two ends of a pair of sockets that never block. Certificates are made with OpenSSL's own
 * functions, and their digests are computed from what stands in the file.
 */
#include "support/test.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/tls.h"

/* ---- certificates ---- */

struct certificate {
    const char *certificate_file;
    const char *key_file;
    X509 *certificate;
};

static void
write_pem(const char *path, X509 *certificate, EVP_PKEY *key)
{
    BIO *file = BIO_new_file(path, "w");

    assert_non_null(file);
    if (certificate)
        assert_int_equal(PEM_write_bio_X509(file, certificate), 1);
    else
        assert_int_equal(PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    BIO_free(file);
}

static void
add_names(X509 *certificate, const char *names)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Signed by itself, with this digest (NULL: Ed25519, which has none). */
static struct certificate
certificate_new(struct ctx *ctx, const char *folder, const char *name, const EVP_MD *digest)
{
    EVP_PKEY *key = digest ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    struct certificate made = {
        .certificate_file = arena_printf(ctx->arena, "%s/%s.crt", folder, name),
        .key_file = arena_printf(ctx->arena, "%s/%s.key", folder, name),
        .certificate = certificate,
    };

    assert_non_null(key);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_ASC, (const unsigned char *)"db.example", -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_set_pubkey(certificate, key);
    add_names(certificate, "DNS:db.example,DNS:*.wild.example,IP:127.0.0.1");
    assert_true(X509_sign(certificate, key, digest) > 0);
    write_pem(made.certificate_file, certificate, NULL);
    write_pem(made.key_file, NULL, key);
    EVP_PKEY_free(key);
    return made;
}

/* ---- pairs ---- */

struct pair {
    int sockets[2];
    struct tls_context *contexts[2];
    struct tls *ends[2]; /* the server's, the client's */
};

enum { SERVER, CLIENT };

static void
pair_open(struct ctx *ctx, struct pair *pair, const struct tls_options *server,
    const struct tls_options *client, const char *host)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->sockets), 0);
    assert_true(tls_context_new(ctx, server, &pair->contexts[SERVER]));
    assert_true(tls_context_new(ctx, client, &pair->contexts[CLIENT]));
    assert_true(
        tls_new(ctx, pair->contexts[SERVER], pair->sockets[SERVER], NULL, &pair->ends[SERVER]));
    assert_true(
        tls_new(ctx, pair->contexts[CLIENT], pair->sockets[CLIENT], host, &pair->ends[CLIENT]));
}

static void
pair_close(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        tls_free(pair->ends[i]);
        tls_context_free(pair->contexts[i]);
        if (pair->sockets[i] >= 0)
            close(pair->sockets[i]);
    }
}

static bool
waits(enum tls_state state)
{
    return state == TLS_WANT_READ || state == TLS_WANT_WRITE;
}

/* Both sides in turn, until neither has anything to do; the states they end with. */
static void
shake_hands(struct ctx *ctx, struct pair *pair, enum tls_state ret[2])
{
    ret[SERVER] = ret[CLIENT] = TLS_WANT_READ;
    for (int i = 0; i < 100 && (waits(ret[SERVER]) || waits(ret[CLIENT])); i++)
        for (int end = 0; end < 2; end++)
            if (waits(ret[end]))
                ret[end] = tls_handshake(ctx, pair->ends[end]);
}

static void
assert_hands(struct ctx *ctx, struct pair *pair)
{
    enum tls_state states[2];

    shake_hands(ctx, pair, states);
    if (states[SERVER] != TLS_DONE || states[CLIENT] != TLS_DONE)
        fail_msg("%d, %d: %s", (int)states[SERVER], (int)states[CLIENT],
            ctx->error.message ? ctx->error.message : "");
}

static struct tls_options
server_with(const struct certificate *certificate)
{
    return (struct tls_options){
        .is_server = true,
        .certificate_file = certificate->certificate_file,
        .key_file = certificate->key_file,
        .protocol = "postgresql",
    };
}

/* ---- what passes ---- */

static void
bytes_arrive_though_sockets_take_few(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct certificate own = certificate_new(ctx, folder, "own", EVP_sha256());
    const struct tls_options server = server_with(&own), client = { .protocol = "postgresql" };
    const size_t size = 3000000;
    unsigned char *sent = arena_alloc(ctx->arena, size), *got = arena_alloc(ctx->arena, size);
    const int small = 4096;
    struct pair pair;
    size_t put = 0, had = 0, waited = 0;

    for (size_t i = 0; i < size; i++)
        sent[i] = (unsigned char)(i * 2654435761U >> 13);
    pair_open(ctx, &pair, &server, &client, "db.example");
    for (int i = 0; i < 2; i++)
        setsockopt(pair.sockets[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    assert_hands(ctx, &pair);
    while (had < size) {
        size_t count;
        enum tls_state now = tls_write(ctx, pair.ends[CLIENT], sent + put, size - put, &count);

        put += count;
        assert_true(now == TLS_DONE || now == TLS_WANT_WRITE);
        waited += now == TLS_WANT_WRITE;
        while (
            (now = tls_read(ctx, pair.ends[SERVER], got + had, size - had, &count)) == TLS_DONE &&
            count > 0 && had + count < size)
            had += count;
        had += now == TLS_DONE ? count : 0;
        assert_true(now == TLS_DONE || now == TLS_WANT_READ);
    }
    assert_int_equal(put, size);
    assert_true(waited > 0);
    assert_memory_equal(got, sent, size);
    pair_close(&pair);
    X509_free(own.certificate);
    assert_true(file_remove(ctx, folder));
}

static void
a_record_may_be_read_in_parts_and_ends_are_told(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct certificate own = certificate_new(ctx, folder, "own", EVP_sha256());
    const struct tls_options server = server_with(&own), client = { 0 };
    struct pair pair;
    char got[4];
    size_t count;

    pair_open(ctx, &pair, &server, &client, NULL);
    assert_hands(ctx, &pair);
    assert_int_equal(tls_write(ctx, pair.ends[CLIENT], "abcdefgh", 8, &count), TLS_DONE);
    assert_int_equal(count, 8);
    assert_int_equal(tls_read(ctx, pair.ends[SERVER], got, 4, &count), TLS_DONE);
    assert_int_equal(tls_read(ctx, pair.ends[SERVER], got, 4, &count), TLS_DONE);
    assert_memory_equal(got, "efgh", 4);
    assert_int_equal(tls_read(ctx, pair.ends[SERVER], got, 4, &count), TLS_WANT_READ);
    tls_end(pair.ends[CLIENT]);
    assert_int_equal(tls_read(ctx, pair.ends[SERVER], got, 4, &count), TLS_ENDED);
    pair_close(&pair);
    X509_free(own.certificate);
    assert_true(file_remove(ctx, folder));
}

/* SIGPIPE has its default here: it would end the test. */
static void
a_lost_connection_is_an_error_and_no_signal(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct certificate own = certificate_new(ctx, folder, "own", EVP_sha256());
    const struct tls_options server = server_with(&own), client = { 0 };
    struct pair pair;
    char got[4];
    size_t count;

    signal(SIGPIPE, SIG_DFL);
    pair_open(ctx, &pair, &server, &client, NULL);
    assert_hands(ctx, &pair);
    close(pair.sockets[CLIENT]);
    pair.sockets[CLIENT] = -1;
    assert_int_equal(tls_write(ctx, pair.ends[SERVER], "abcd", 4, &count), TLS_FAILED);
    assert_error(ctx, ERR_CONNECTION, "TLS");
    assert_int_equal(tls_read(ctx, pair.ends[SERVER], got, 4, &count), TLS_FAILED);
    tls_end(pair.ends[SERVER]);
    pair_close(&pair);
    X509_free(own.certificate);
    assert_true(file_remove(ctx, folder));
}

static void
what_is_no_tls_is_an_error(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct certificate own = certificate_new(ctx, folder, "own", EVP_sha256());
    const struct tls_options server = server_with(&own), client = { 0 };
    struct pair pair;

    pair_open(ctx, &pair, &server, &client, NULL);
    assert_int_equal(write(pair.sockets[CLIENT], "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_int_equal(tls_handshake(ctx, pair.ends[SERVER]), TLS_FAILED);
    assert_error(ctx, ERR_CONNECTION, "TLS: ");
    tls_end(pair.ends[SERVER]);
    pair_close(&pair);
    X509_free(own.certificate);
    assert_true(file_remove(ctx, folder));
}

/* ---- who is who ---- */

static void
names_and_authorities_are_checked_as_asked(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct certificate own = certificate_new(ctx, folder, "own", EVP_sha256());
    struct certificate other = certificate_new(ctx, folder, "other", EVP_sha256());
    const struct {
        const char *host;
        const char *ca_file;
        bool checks_name;
        const char *error; /* NULL: accepted */
    } cases[] = {
        { "db.example", own.certificate_file, true, NULL },
        { "a.wild.example", own.certificate_file, true, NULL },
        { "127.0.0.1", own.certificate_file, true, NULL },
        { "elsewhere.example", own.certificate_file, true, "hostname mismatch" },
        { "wild.example", own.certificate_file, true, "hostname mismatch" },
        { "127.0.0.2", own.certificate_file, true, "IP address mismatch" },
        { "elsewhere.example", own.certificate_file, false, NULL },
        { "db.example", other.certificate_file, true, "certificate is not accepted" },
        { "db.example", other.certificate_file, false, "certificate is not accepted" },
        { "elsewhere.example", NULL, false, NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct tls_options server = server_with(&own);
        const struct tls_options client = { .ca_file = cases[i].ca_file,
            .checks_name = cases[i].checks_name };
        enum tls_state states[2];
        struct pair pair;

        error_clear(ctx);
        pair_open(ctx, &pair, &server, &client, cases[i].host);
        states[CLIENT] = TLS_WANT_READ;
        for (int turn = 0; turn < 100 && waits(states[CLIENT]); turn++) {
            states[SERVER] = tls_handshake(ctx, pair.ends[SERVER]);
            error_clear(ctx);
            states[CLIENT] = tls_handshake(ctx, pair.ends[CLIENT]);
        }
        if (states[CLIENT] != (cases[i].error ? TLS_FAILED : TLS_DONE))
            fail_msg("case %zu: %d %s", i, (int)states[CLIENT], ctx->error.message);
        if (cases[i].error)
            assert_error(ctx, ERR_CONNECTION, cases[i].error);
        pair_close(&pair);
    }
    X509_free(own.certificate);
    X509_free(other.certificate);
    assert_true(file_remove(ctx, folder));
}

static void
protocols_must_agree_if_they_are_named(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct certificate own = certificate_new(ctx, folder, "own", EVP_sha256());
    const struct {
        const char *name;
        bool is_accepted;
        bool is_agreed;
    } cases[] = { { "postgresql", true, true }, { "http/1.1", false, false },
        { NULL, true, false } };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct tls_options server = server_with(&own), client = { .protocol = cases[i].name };
        enum tls_state states[2];
        struct pair pair;

        pair_open(ctx, &pair, &server, &client, NULL);
        shake_hands(ctx, &pair, states);
        assert_int_equal(states[SERVER] == TLS_DONE, cases[i].is_accepted);
        assert_int_equal(tls_has_protocol(pair.ends[SERVER]), cases[i].is_agreed);
        assert_int_equal(tls_has_protocol(pair.ends[CLIENT]), cases[i].is_agreed);
        pair_close(&pair);
    }
    X509_free(own.certificate);
    assert_true(file_remove(ctx, folder));
}

/* A client that can do no more than TLS 1.1, though it would take any cipher. */
static void
old_versions_are_refused(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct certificate own = certificate_new(ctx, folder, "own", EVP_sha256());
    const struct tls_options server = server_with(&own), none = { 0 };
    SSL_CTX *old = SSL_CTX_new(TLS_client_method());
    SSL *client = NULL;
    enum tls_state now = TLS_WANT_READ;
    struct pair pair;

    SSL_CTX_set_cipher_list(old, "ALL:@SECLEVEL=0");
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    client = SSL_new(old);
    pair_open(ctx, &pair, &server, &none, NULL);
    SSL_set_fd(client, pair.sockets[CLIENT]);
    for (int i = 0; i < 100 && waits(now); i++) {
        SSL_connect(client);
        now = tls_handshake(ctx, pair.ends[SERVER]);
    }
    assert_int_equal(now, TLS_FAILED);
    assert_error(ctx, ERR_CONNECTION, "unsupported protocol");
    SSL_free(client);
    SSL_CTX_free(old);
    ERR_clear_error();
    pair_close(&pair);
    X509_free(own.certificate);
    assert_true(file_remove(ctx, folder));
}

/* RFC 5929, section 4.1: by the digest of the signature, but SHA-256 for MD5 and SHA-1. */
static void
the_end_point_is_the_certificates_digest(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const struct {
        const EVP_MD *signed_with;
        const EVP_MD *expected; /* NULL: it has none */
    } cases[] = {
        { EVP_sha256(), EVP_sha256() },
        { EVP_sha384(), EVP_sha384() },
        { EVP_sha512(), EVP_sha512() },
        { EVP_sha1(), EVP_sha256() },
        { NULL, NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct certificate own = certificate_new(ctx, folder, "own", cases[i].signed_with);
        const struct tls_options server = server_with(&own), client = { 0 };
        unsigned char expected[EVP_MAX_MD_SIZE], found[EVP_MAX_MD_SIZE];
        unsigned int length = 0;
        struct pair pair;

        if (cases[i].expected)
            assert_int_equal(X509_digest(own.certificate, cases[i].expected, expected, &length), 1);
        pair_open(ctx, &pair, &server, &client, NULL);
        assert_hands(ctx, &pair);
        for (int end = 0; end < 2; end++) {
            assert_int_equal(tls_end_point(pair.ends[end], found, sizeof(found)), length);
            assert_memory_equal(found, expected, length);
            if (length > 0)
                assert_int_equal(tls_end_point(pair.ends[end], found, length - 1), 0);
        }
        pair_close(&pair);
        X509_free(own.certificate);
    }
    assert_true(file_remove(ctx, folder));
}

static void
files_that_cannot_be_used_are_named(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct certificate own = certificate_new(ctx, folder, "own", EVP_sha256());
    struct certificate other = certificate_new(ctx, folder, "other", EVP_sha256());
    const struct {
        struct tls_options options;
        const char *error;
    } cases[] = {
        { { .is_server = true, .certificate_file = "/nowhere/c", .key_file = own.key_file },
            "certificate \"/nowhere/c\": No such file" },
        { { .is_server = true, .certificate_file = own.key_file, .key_file = own.key_file },
            "certificate" },
        { { .is_server = true, .certificate_file = own.certificate_file, .key_file = "/nowhere/k" },
            "key \"/nowhere/k\": No such file" },
        { { .is_server = true,
              .certificate_file = own.certificate_file,
              .key_file = other.key_file },
            other.key_file },
        { { .ca_file = "/nowhere/ca" }, "\"/nowhere/ca\"" },
        { { .ca_file = own.key_file }, own.key_file },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tls_context *context;

        error_clear(ctx);
        assert_false(tls_context_new(ctx, &cases[i].options, &context));
        assert_error(ctx, ERR_CONFIG, cases[i].error);
    }
    X509_free(own.certificate);
    X509_free(other.certificate);
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(bytes_arrive_though_sockets_take_few),
        test_with_ctx(a_record_may_be_read_in_parts_and_ends_are_told),
        test_with_ctx(a_lost_connection_is_an_error_and_no_signal),
        test_with_ctx(what_is_no_tls_is_an_error),
        test_with_ctx(names_and_authorities_are_checked_as_asked),
        test_with_ctx(protocols_must_agree_if_they_are_named),
        test_with_ctx(old_versions_are_refused),
        test_with_ctx(the_end_point_is_the_certificates_digest),
        test_with_ctx(files_that_cannot_be_used_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
