#include "event/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "base/memory.h"

struct tls_context {
    SSL_CTX *ssl;
    BIO_METHOD *method;
    char *protocol; /* as ALPN has it: a byte of length, then the name */
    size_t protocol_length;
    bool is_server;
    bool checks_name;
};

struct tls {
    SSL *ssl;
    bool is_server;
};

/* ---- the socket: as OpenSSL's own, but a lost connection raises no SIGPIPE ---- */

static int
socket_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static bool
must_wait(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static int
socket_write(BIO *bio, const char *data, size_t size, size_t *ret_count)
{
    ssize_t put = send(socket_of(bio), data, size, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (put < 0) {
        if (must_wait())
            BIO_set_retry_write(bio);
        return 0;
    }
    *ret_count = (size_t)put;
    return 1;
}

static int
socket_read(BIO *bio, char *data, size_t size, size_t *ret_count)
{
    ssize_t got = recv(socket_of(bio), data, size, 0);

    BIO_clear_retry_flags(bio);
    BIO_clear_flags(bio, BIO_FLAGS_IN_EOF);
    if (got <= 0) {
        if (got < 0 && must_wait())
            BIO_set_retry_read(bio);
        else if (got == 0)
            BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        return 0;
    }
    *ret_count = (size_t)got;
    return 1;
}

static long
socket_control(BIO *bio, int command, long number, void *data)
{
    (void)number;
    (void)data;
    switch (command) {
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    case BIO_CTRL_FLUSH:
        return 1;
    default:
        return 0;
    }
}

static BIO_METHOD *
new_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");

    if (!method || !BIO_meth_set_write_ex(method, socket_write) ||
        !BIO_meth_set_read_ex(method, socket_read) || !BIO_meth_set_ctrl(method, socket_control))
        memory_exhausted(0);
    return method;
}

/* ---- contexts ---- */

/* What OpenSSL says of the failure, for people: the first entry is the cause of those behind it. */
static const char *
reason(struct ctx *ctx)
{
    unsigned long code = ERR_peek_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(code))
        text = strerror(ERR_GET_REASON(code));
    return text ? arena_strdup(ctx->arena, text) : "reason unknown";
}

/* Whoever speaks of protocols must speak of ours; who does not, may do without. */
static int
choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_length,
    const unsigned char *offered, unsigned int length, void *data)
{
    const struct tls_context *context = data;
    unsigned char *found = NULL;

    (void)ssl;
    if (SSL_select_next_proto(&found, ret_length, (const unsigned char *)context->protocol,
            (unsigned int)context->protocol_length, offered, length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = found;
    return SSL_TLSEXT_ERR_OK;
}

static bool
set_protocol(struct tls_context *context, const char *protocol)
{
    size_t length = strlen(protocol);

    context->protocol_length = length + 1;
    context->protocol = calloc(1, length + 2);
    if (!context->protocol || length > UINT8_MAX)
        return false;
    context->protocol[0] = (char)length;
    memcpy(context->protocol + 1, protocol, length);
    if (context->is_server)
        SSL_CTX_set_alpn_select_cb(context->ssl, choose_protocol, context);
    else if (SSL_CTX_set_alpn_protos(context->ssl, (const unsigned char *)context->protocol,
                 (unsigned int)context->protocol_length) != 0)
        return false;
    return true;
}

static bool
use_certificate(struct ctx *ctx, SSL_CTX *ssl, const struct tls_options *options)
{
    if (SSL_CTX_use_certificate_chain_file(ssl, options->certificate_file) != 1)
        return error_set(ctx, ERR_CONFIG, "could not use the certificate \"%s\": %s",
            options->certificate_file, reason(ctx));
    if (SSL_CTX_use_PrivateKey_file(ssl, options->key_file, SSL_FILETYPE_PEM) != 1)
        return error_set(
            ctx, ERR_CONFIG, "could not use the key \"%s\": %s", options->key_file, reason(ctx));
    if (SSL_CTX_check_private_key(ssl) != 1)
        return error_set(ctx, ERR_CONFIG, "the key \"%s\" is not that of the certificate \"%s\"",
            options->key_file, options->certificate_file);
    return true;
}

static bool
trust(struct ctx *ctx, SSL_CTX *ssl, const char *file)
{
    if (strcmp(file, "system") == 0) {
        if (SSL_CTX_set_default_verify_paths(ssl) != 1)
            return error_set(
                ctx, ERR_CONFIG, "could not read the system's certificates: %s", reason(ctx));
    } else if (SSL_CTX_load_verify_file(ssl, file) != 1) {
        return error_set(ctx, ERR_CONFIG,
            "could not use the certificates of authorities in \"%s\": %s", file, reason(ctx));
    }
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    return true;
}

static bool
set_up(struct ctx *ctx, struct tls_context *context, const struct tls_options *options)
{
    SSL_CTX *ssl = context->ssl;

    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl, 0);
    /* One call of the kernel for many records, instead of two for each. */
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    if (options->certificate_file && !use_certificate(ctx, ssl, options))
        return false;
    if (options->ca_file && !trust(ctx, ssl, options->ca_file))
        return false;
    if (options->protocol && !set_protocol(context, options->protocol))
        return error_set(
            ctx, ERR_CONFIG, "could not name the protocol \"%s\" in TLS", options->protocol);
    return true;
}

bool
tls_context_new(struct ctx *ctx, const struct tls_options *options, struct tls_context **ret)
{
    struct tls_context *context = calloc(1, sizeof(*context));

    if (!context)
        memory_exhausted(0);
    ERR_clear_error();
    *context = (struct tls_context){
        .ssl = SSL_CTX_new(options->is_server ? TLS_server_method() : TLS_client_method()),
        .method = new_method(),
        .is_server = options->is_server,
        .checks_name = options->checks_name,
    };
    if (!context->ssl)
        memory_exhausted(0);
    if (!set_up(ctx, context, options)) {
        tls_context_free(context);
        return false;
    }
    *ret = context;
    return true;
}

void
tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->method);
    free(context->protocol);
    free(context);
}

/* ---- connections ---- */

static bool
is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* The name stands in the client's first message, and in the certificate if that is checked. */
static bool
set_host(SSL *ssl, const char *host, bool checks_name)
{
    X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);
    union {
        const char *in;
        void *out;
    } name = { .in = host };

    if (is_address(host))
        return !checks_name || X509_VERIFY_PARAM_set1_ip_asc(rules, host) == 1;
    if (SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.out) != 1)
        return false;
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return !checks_name || X509_VERIFY_PARAM_set1_host(rules, host, 0) == 1;
}

bool
tls_new(
    struct ctx *ctx, struct tls_context *context, int socket, const char *host, struct tls **ret)
{
    SSL *ssl = SSL_new(context->ssl);
    BIO *bio = BIO_new(context->method);
    struct tls *tls = calloc(1, sizeof(*tls));

    if (!ssl || !bio || !tls)
        memory_exhausted(0);
    BIO_set_data(bio, (void *)(intptr_t)socket);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    *tls = (struct tls){ .ssl = ssl, .is_server = context->is_server };
    if (context->is_server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    if (!context->is_server && (context->checks_name && !host)) {
        tls_free(tls);
        return error_set(ctx, ERR_INPUT, "a certificate's name cannot be checked without a name");
    }
    if (!context->is_server && host && *host && !set_host(ssl, host, context->checks_name)) {
        tls_free(tls);
        return error_set(
            ctx, ERR_INPUT, "TLS cannot be asked for the host \"%s\": %s", host, reason(ctx));
    }
    *ret = tls;
    return true;
}

void
tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static enum tls_state
failed(struct ctx *ctx, const struct tls *tls, int cause)
{
    long verified = SSL_get_verify_result(tls->ssl);
    bool is_checked = (SSL_get_verify_mode(tls->ssl) & SSL_VERIFY_PEER) != 0;

    if (is_checked && verified != X509_V_OK)
        error_set(ctx, ERR_CONNECTION, "the server's certificate is not accepted: %s",
            X509_verify_cert_error_string(verified));
    else if (ERR_peek_error() == 0 && cause == SSL_ERROR_SYSCALL && errno != 0)
        error_set_errno(ctx, "TLS");
    else if (ERR_peek_error() == 0)
        error_set(ctx, ERR_CONNECTION, "TLS: the other side has gone away");
    else
        error_set(ctx, ERR_CONNECTION, "TLS: %s", reason(ctx));
    ctx->error.kind = ERR_CONNECTION;
    ERR_clear_error();
    return TLS_FAILED;
}

static enum tls_state
state_of(struct ctx *ctx, const struct tls *tls, int result)
{
    int cause = SSL_get_error(tls->ssl, result);

    switch (cause) {
    case SSL_ERROR_NONE:
        return TLS_DONE;
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default:
        return failed(ctx, tls, cause);
    }
}

enum tls_state
tls_handshake(struct ctx *ctx, struct tls *tls)
{
    ERR_clear_error();
    errno = 0;

    int result = SSL_do_handshake(tls->ssl);

    return state_of(ctx, tls, result);
}

enum tls_state
tls_read(struct ctx *ctx, struct tls *tls, void *data, size_t size, size_t *ret_count)
{
    ERR_clear_error();
    errno = 0;
    *ret_count = 0;

    int result = SSL_read_ex(tls->ssl, data, size, ret_count);

    return state_of(ctx, tls, result);
}

enum tls_state
tls_write(struct ctx *ctx, struct tls *tls, const void *data, size_t size, size_t *ret_count)
{
    *ret_count = 0;
    if (size == 0)
        return TLS_DONE;
    ERR_clear_error();
    errno = 0;

    int result = SSL_write_ex(tls->ssl, data, size, ret_count);

    return state_of(ctx, tls, result);
}

void
tls_end(struct tls *tls)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl))
        SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

bool
tls_has_protocol(const struct tls *tls)
{
    const unsigned char *name = NULL;
    unsigned int length = 0;

    SSL_get0_alpn_selected(tls->ssl, &name, &length);
    return length > 0;
}

size_t
tls_end_point(const struct tls *tls, unsigned char *ret, size_t size)
{
    X509 *certificate =
        tls->is_server ? SSL_get_certificate(tls->ssl) : SSL_get0_peer_certificate(tls->ssl);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    int digest;

    if (!certificate || X509_get_signature_info(certificate, &digest, NULL, NULL, NULL) != 1)
        return 0;
    /* RFC 5929, section 4.1: what is weaker than SHA-256 is replaced by it. */
    if (digest == NID_md5 || digest == NID_sha1)
        digest = NID_sha256;

    const EVP_MD *method = EVP_get_digestbynid(digest);

    if (!method || X509_digest(certificate, method, bytes, &length) != 1 || length > size)
        return 0;
    memcpy(ret, bytes, length);
    return length;
}
