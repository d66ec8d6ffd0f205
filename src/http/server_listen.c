#include <errno.h>
#include <unistd.h>

#include "http/address.h"
#include "http/server_part.h"

enum { BACKLOG = 4096 }; /* the kernel has a limit of its own, net.core.somaxconn */

static bool
try_bind(int *ret_socket, const struct sockaddr_storage *address, bool share_port)
{
    int on = 1, off = 0;
    socklen_t size =
        address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (share_port)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, (const struct sockaddr *)address, size) < 0 || listen(fd, BACKLOG) < 0) {
        int reason = errno;

        close(fd);
        errno = reason;
        return false;
    }
    *ret_socket = fd;
    return true;
}

bool
http_server_listen(struct ctx *ctx, const char *address, bool share_port, int *ret_socket)
{
    struct sockaddr_storage parsed;
    bool is_bound, is_used;

    if (!http_address_parse(ctx, address, &parsed))
        return false;
    is_bound = try_bind(ret_socket, &parsed, share_port);
    if (!is_bound && address[0] == ':' && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        struct sockaddr_in v4 = { .sin_family = AF_INET,
            .sin_port = ((const struct sockaddr_in6 *)(const void *)&parsed)->sin6_port };
        struct sockaddr_storage all = { 0 };

        memcpy(&all, &v4, sizeof(v4));
        is_bound = try_bind(ret_socket, &all, share_port);
    }
    if (is_bound)
        return true;
    is_used = errno == EADDRINUSE;
    error_set_errno(ctx, "could not listen on \"%s\"", address);
    return is_used ? error_hint(ctx, "another program listens there: choose another port") : false;
}

const char *
http_socket_address(struct arena *arena, int socket)
{
    struct sockaddr_storage got = { 0 };
    socklen_t size = sizeof(got);

    if (getsockname(socket, (struct sockaddr *)&got, &size) < 0)
        return "an unknown address";
    return http_address_text(arena, (const struct sockaddr *)&got);
}

bool
http_check_address(
    struct ctx *ctx, const struct sockaddr *address, const char *token, bool is_public)
{
    if (token && !*token)
        return error_set(ctx, ERR_USAGE, "the token to listen with is empty");
    if (token || is_public || http_address_is_loopback(address))
        return true;
    error_set(ctx, ERR_USAGE, "without a token only this machine may be listened to, not \"%s\"",
        http_address_text(ctx->arena, address));
    return error_hint(ctx, "give a token (--token-file FILE), or listen on 127.0.0.1");
}
