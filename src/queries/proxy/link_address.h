/* Where the proxy listens, and where its server is. For this folder only. */
#pragma once

#include <sys/socket.h>

#include "base/ctx.h"

#define LINK_ADDRESSES 8

struct link_address {
    struct sockaddr_storage bytes;
    socklen_t length;
};

struct link_addresses {
    struct link_address items[LINK_ADDRESSES];
    size_t count;
};

struct link_listeners {
    int sockets[LINK_ADDRESSES];
    size_t count;
    char text[256]; /* "127.0.0.1:6432", "/run/pgmend:6432" */
    char path[128]; /* of the socket's file; empty: none */
};

/* The server's, in the order in which they are tried. ERR_CONNECTION when the name is not known. */
bool link_resolve(struct ctx *ctx, const char *host, const char *port, struct link_addresses *ret)
    MUST_CHECK;

/* ERR_USAGE for what is no address, ERR_INPUT for a name that nobody knows, ERR_IO when nobody may listen there. */
bool link_listen(struct ctx *ctx, const char *listen, struct link_listeners *ret) MUST_CHECK;
/* ERR_USAGE when the server is who listens here itself. */
bool link_is_another(struct ctx *ctx, const struct link_addresses *server,
    const struct link_listeners *own) MUST_CHECK;
void link_listeners_close(struct link_listeners *listeners);
