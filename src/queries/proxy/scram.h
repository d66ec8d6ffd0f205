/*
 * SCRAM-SHA-256 as either side, without a password: as the server from a stored verifier, and as the
 * client with the key that the other client's proof gives away to who has that verifier. Source: RFC
 * 5802 and RFC 7677; what of it PostgreSQL speaks: "SASL Authentication" in its documentation. For this
 * folder only.
 */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"

enum { SCRAM_BINDING_MOST = 64 };

/* What pg_authid.rolpassword holds. */
struct scram_verifier {
    uint32_t iterations;
    const char *salt; /* base64, as it is sent */
    unsigned char stored_key[SHA256_SIZE];
    unsigned char server_key[SHA256_SIZE];
};

/* "SCRAM-SHA-256$4096:salt$StoredKey:ServerKey"; false when it is something else. */
bool scram_read_verifier(struct arena *arena, const char *text, struct scram_verifier *ret)
    MUST_CHECK;

/* RFC 5929's tls-server-end-point of one connection; length 0: there is none. */
struct scram_binding {
    unsigned char bytes[SCRAM_BINDING_MOST];
    size_t length;
};

/* The first letter of a client's first message: 'n', 'y' (would bind, was not offered to) or 'p'; 0: none of them. */
char scram_binding_flag(const char *client_first, size_t length);

/* ---- as the server ---- */

struct scram_server {
    const struct scram_verifier *verifier;
    struct scram_binding binding; /* of our certificate; length 0: PLUS was not offered */
    bool is_plus;                 /* the mechanism that the client has chosen */
    const char *nonce;            /* ours */
    /* Kept between messages. */
    const char *header;
    const char *client_first_bare;
    const char *server_first;
    const char *both_nonces;
    const char *messages; /* RFC 5802's AuthMessage */
};

/* The client's first message → ours. ERR_INPUT when it is none, or not of the mechanism. */
bool scram_server_first(struct ctx *ctx, struct scram_server *server, const char *client_first,
    size_t length, const char **ret) MUST_CHECK;

/*
 * The client's last message → the key that it has proven. A wrong password gives a wrong key, which is
 * not told from a right one here: the server that the key is for does.
 */
bool scram_server_key(struct ctx *ctx, struct scram_server *server, const char *client_final,
    size_t length, unsigned char ret[SHA256_SIZE]) MUST_CHECK;

/* Our last message, when the client's key was right. */
const char *scram_server_final(struct arena *arena, const struct scram_server *server);

/* ---- as the client ---- */

struct scram_client {
    const struct scram_verifier *verifier; /* which the server is expected to have */
    struct scram_binding binding;          /* of the server's certificate; length 0: no PLUS */
    const char *nonce;                     /* ours */
    /* Kept between messages. */
    const char *first_bare;
    const char *messages;
};

const char *scram_client_first(struct arena *arena, struct scram_client *client);

/* The server's first message → our last. ERR_CONFLICT when the server's verifier is another one. */
bool scram_client_final(struct ctx *ctx, struct scram_client *client, const char *server_first,
    size_t length, const unsigned char key[SHA256_SIZE], const char **ret) MUST_CHECK;

/* Whether the server's last message shows that it has the verifier. */
bool scram_client_trusts(struct ctx *ctx, const struct scram_client *client,
    const char *server_final, size_t length) MUST_CHECK;
