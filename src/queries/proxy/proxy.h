/*
 * A proxy between clients and one server that changes nothing: protocol 3 in every form, one client,
 * one server connection. Messages that are not known pass untouched. What passes is copied into a ring
 * for who traces it.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "event/loop.h"
#include "queries/proxy/record.h"

struct proxy;

struct proxy_options {
    const char
        *listen;      /* "127.0.0.1:6432", ":6432", or the folder of a socket "/run/pgmend:6432" */
    const char *host; /* of the server: address, name, or folder of its socket */
    const char *port;
    const char *server_ssl_mode; /* as libpq's sslmode: disable … verify-full; NULL: prefer */
    const char *server_ca_file;
    const char
        *certificate_file; /* for clients; NULL: TLS is refused as a server without it does */
    const char *key_file;
    const char
        *verifier_file; /* lines "user" "SCRAM-SHA-256$…": the proxy ends SCRAM itself; or NULL */
    int32_t most_connections;   /* 0: 2,000 */
    int32_t kept_bytes;         /* of a message that go into the ring; 0: 16 kB */
    int64_t connect_timeout_us; /* 0: 10 s */
    struct record_ring *ring;   /* NULL: nothing is traced */
};

struct proxy_counts {
    uint64_t accepted;
    uint64_t refused; /* by the server or here, before they were a session */
    uint64_t open;
    uint64_t bytes_to_server;
    uint64_t bytes_to_client;
    uint64_t messages;
    uint64_t lost; /* records that did not fit into the ring */
};

/* ERR_USAGE for an address that cannot be read or is the server's, ERR_IO when it cannot be bound. */
bool proxy_start(struct ctx *ctx, struct loop *loop, const struct proxy_options *options,
    struct proxy **ret) MUST_CHECK;
/* Ends all connections at once: clients see the end of theirs. */
void proxy_stop(struct proxy *proxy);
/* Lets nobody in any more; done when the last one has gone. */
void proxy_drain(struct proxy *proxy, loop_callback *done, void *data);
const char *proxy_address(const struct proxy *proxy);
struct proxy_counts proxy_counts(const struct proxy *proxy);
