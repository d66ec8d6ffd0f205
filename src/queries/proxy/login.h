/*
 * The part of a session in which bytes are not simply handed on: start-up, TLS, and authentication.
 * link.c moves the bytes; this says what becomes of them. For this folder only.
 */
#pragma once

#include "queries/proxy/proxy.h"
#include "workload/wire.h"

struct login;

enum login_step {
    LOGIN_MORE, /* needs more bytes of either side */
    /* The start-up message is whole: connect to the server now (anew, if it was), then login_connected(). */
    LOGIN_CONNECT,
    LOGIN_TLS_CLIENT, /* 'S' stands in to_client: after it was sent, TLS begins with the client */
    LOGIN_TLS_SERVER, /* the server said 'S': TLS begins with it */
    LOGIN_CANCEL, /* a CancelRequest: what stands in to_server goes over a new connection, nothing comes back */
    LOGIN_DONE,    /* AuthenticationOk has gone to the client: from here on bytes are handed on */
    LOGIN_REFUSED, /* an ErrorResponse stands in to_client: send it, close */
};

/* What it wants to be sent; the owner sends and empties them. */
struct login_buffers {
    struct buffer *to_client;
    struct buffer *to_server;
};

/* Contexts of TLS and verifiers, read once. */
struct login_rules;
bool login_rules_new(struct ctx *ctx, const struct proxy_options *options, struct login_rules **ret)
    MUST_CHECK;
void login_rules_free(struct login_rules *rules);
struct tls_context *login_client_tls(struct login_rules *rules); /* NULL: TLS is refused */
struct tls_context *login_server_tls(struct login_rules *rules); /* NULL: never asked for */

struct login *login_new(struct login_rules *rules, struct login_buffers buffers);
void login_free(struct login *login);

/*
 * Whether the client begins with TLS and without asking, as PostgreSQL 17's sslnegotiation=direct does: the first
 * byte that waits at its socket, which must not have been read, and a certificate to answer with. The owner then
 * begins TLS and calls login_tls_begun().
 */
bool login_is_direct(struct login *login, int client_socket);

/* Bytes that came; all are taken. Those behind the end of the log-in are login_rest_…'s. */
enum login_step login_client_bytes(struct login *login, const void *data, size_t length);
enum login_step login_server_bytes(struct login *login, const void *data, size_t length);
/* The owner has done what LOGIN_CONNECT, LOGIN_TLS_CLIENT, LOGIN_TLS_SERVER asked for. tls: of that side, for the binding. */
struct tls;
enum login_step login_connected(struct login *login);
enum login_step login_tls_begun(struct login *login, bool is_client, struct tls *tls);
/* TLS could not begin with the server (is_client: with the client): LOGIN_CONNECT where the mode allows to go without. */
enum login_step login_tls_failed(struct login *login, bool is_client, const char *why);

/* The start-up message's body ("user\0…\0database\0…\0\0") for RECORD_OPEN; NULL before it came. */
const char *login_start(const struct login *login, size_t *ret_length);
/* After LOGIN_DONE: bytes that came already and belong to the traffic; still to be handed on. */
const char *login_rest(const struct login *login, bool of_client, size_t *ret_length);
