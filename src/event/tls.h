/*
 * TLS over a socket that never blocks, as either side. The socket stays its owner's. Certificates and
 * names are checked by OpenSSL.
 */
#pragma once

#include "base/ctx.h"

struct tls_context; /* certificates and rules; one for many connections */
struct tls;         /* one connection */

struct tls_options {
    bool is_server;
    const char *certificate_file; /* PEM, with its chain; a server must have one */
    const char *key_file;
    const char *ca_file;  /* clients: whom to trust; NULL: nobody is checked */
    bool checks_name;     /* clients: the certificate must be of the host's name (verify-full) */
    const char *protocol; /* ALPN: "postgresql"; NULL: none */
};

/* ERR_CONFIG with the file that cannot be used. */
bool tls_context_new(struct ctx *ctx, const struct tls_options *options, struct tls_context **ret)
    MUST_CHECK;
void tls_context_free(struct tls_context *context);

/* host: for the name's check and SNI; NULL for a server. */
bool tls_new(struct ctx *ctx, struct tls_context *context, int socket, const char *host,
    struct tls **ret) MUST_CHECK;
void tls_free(struct tls *tls);

enum tls_state {
    TLS_DONE,      /* it was done, as far as ret_count says */
    TLS_WANT_READ, /* wait until the socket can be read, then call again */
    TLS_WANT_WRITE,
    TLS_ENDED,  /* the other side has ended it in order */
    TLS_FAILED, /* error in ctx */
};

/* Until TLS_DONE. */
enum tls_state tls_handshake(struct ctx *ctx, struct tls *tls);
/* Records are read in advance: the socket does not tell of what was read; read until TLS_WANT_READ. */
enum tls_state tls_read(
    struct ctx *ctx, struct tls *tls, void *data, size_t size, size_t *ret_count);
enum tls_state tls_write(
    struct ctx *ctx, struct tls *tls, const void *data, size_t size, size_t *ret_count);
/* Says that there is no more; does not wait. */
void tls_end(struct tls *tls);
/* Whether both sides have agreed on the protocol of the options (ALPN). */
bool tls_has_protocol(const struct tls *tls);
/* The binding of RFC 5929 "tls-server-end-point" of the connection's server certificate; ret_length 0: none. */
size_t tls_end_point(const struct tls *tls, unsigned char *ret, size_t size);
