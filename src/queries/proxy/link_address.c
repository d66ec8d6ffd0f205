#include "queries/proxy/link_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

#define BACKLOG 1024

static bool
socket_path(
    struct ctx *ctx, const char *folder, size_t length, const char *port, struct link_address *ret)
{
    struct sockaddr_un *address = (struct sockaddr_un *)(void *)&ret->bytes;
    int written;

    memset(ret, 0, sizeof(*ret));
    address->sun_family = AF_UNIX;
    written = snprintf(address->sun_path, sizeof(address->sun_path), "%.*s/.s.PGSQL.%s",
        (int)length, folder, port);
    if (written < 0 || (size_t)written >= sizeof(address->sun_path))
        return error_set(ctx, ERR_INPUT,
            "the path of the socket \"%.*s/.s.PGSQL.%s\" is longer than %zu bytes", (int)length,
            folder, port, sizeof(address->sun_path) - 1);
    ret->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)written + 1);
    return true;
}

static int
look_up(const char *host, const char *port, bool is_passive, struct link_addresses *ret)
{
    const struct addrinfo wanted = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = is_passive ? AI_PASSIVE : 0,
    };
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, port, &wanted, &found);

    ret->count = 0;
    if (error)
        return error;
    for (const struct addrinfo *one = found; one && ret->count < LINK_ADDRESSES;
         one = one->ai_next) {
        struct link_address *address = &ret->items[ret->count++];

        memcpy(&address->bytes, one->ai_addr, one->ai_addrlen);
        address->length = one->ai_addrlen;
    }
    freeaddrinfo(found);
    return 0;
}

bool
link_resolve(struct ctx *ctx, const char *host, const char *port, struct link_addresses *ret)
{
    int error;

    if (text_is_empty(host))
        host = "/var/run/postgresql";
    if (text_is_empty(port))
        port = "5432";
    if (host[0] == '/') {
        ret->count = 1;
        return socket_path(ctx, host, strlen(host), port, &ret->items[0]);
    }
    error = look_up(host, port, false, ret);
    if (error)
        return error_set(ctx, ERR_CONNECTION, "could not find the address of the server \"%s\": %s",
            host, gai_strerror(error));
    return true;
}

static bool
add_listener(const struct link_address *address, struct link_listeners *ret)
{
    int family = address->bytes.ss_family;
    int socket_fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    int kept;

    if (socket_fd < 0)
        return false;
    if (family != AF_UNIX)
        setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6) /* 0.0.0.0 has a socket of its own */
        setsockopt(socket_fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(socket_fd, (const struct sockaddr *)&address->bytes, address->length) == 0 &&
        listen(socket_fd, BACKLOG) == 0) {
        ret->sockets[ret->count++] = socket_fd;
        return true;
    }
    kept = errno;
    close(socket_fd);
    errno = kept;
    return false;
}

static in_port_t *
port_of(struct link_address *address)
{
    if (address->bytes.ss_family == AF_INET6)
        return &((struct sockaddr_in6 *)(void *)&address->bytes)->sin6_port;
    return &((struct sockaddr_in *)(void *)&address->bytes)->sin_port;
}

static in_port_t
bound_port(int socket_fd)
{
    struct link_address address = { .length = sizeof(address.bytes) };

    if (getsockname(socket_fd, (struct sockaddr *)&address.bytes, &address.length) < 0)
        return 0;
    return *port_of(&address);
}

/* A file that a process left which is no more is in the way; one that is listened to is not ours. */
static bool
clear_path(struct ctx *ctx, const struct link_address *address, const char *path)
{
    struct stat there;
    int probe;
    bool is_used;

    if (lstat(path, &there) < 0)
        return true;
    if (!S_ISSOCK(there.st_mode))
        return error_set(ctx, ERR_IO, "\"%s\" is there and is no socket", path);
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return error_set_errno(ctx, "could not make a socket");
    is_used = connect(probe, (const struct sockaddr *)&address->bytes, address->length) == 0 ||
              errno == EAGAIN;
    close(probe);
    if (is_used) {
        error_set(ctx, ERR_IO, "somebody else listens at \"%s\"", path);
        return error_hint(ctx, "Choose another folder or port.");
    }
    if (unlink(path) < 0)
        return error_set_errno(ctx, "could not remove the socket \"%s\" that was left", path);
    return true;
}

static bool
listen_at_path(struct ctx *ctx, const char *folder, size_t length, const char *port,
    struct link_listeners *ret)
{
    struct link_address address;
    const char *path = ((const struct sockaddr_un *)(void *)&address.bytes)->sun_path;

    if (!socket_path(ctx, folder, length, port, &address) || !clear_path(ctx, &address, path))
        return false;
    if (!add_listener(&address, ret))
        return error_set_errno(ctx, "could not listen at \"%s\"", path);
    snprintf(ret->path, sizeof(ret->path), "%s", path);
    snprintf(ret->text, sizeof(ret->text), "%.*s:%s", (int)length, folder, port);
    return true;
}

/* All addresses of the name; those of a family that the machine has not are left out. */
static bool
listen_at_name(struct ctx *ctx, const char *host, const char *port, struct link_listeners *ret)
{
    struct link_addresses addresses;
    in_port_t bound = 0;
    int error = look_up(*host ? host : NULL, port, true, &addresses);

    if (error)
        return error_set(
            ctx, ERR_INPUT, "could not find the address \"%s\": %s", host, gai_strerror(error));
    for (size_t i = 0; i < addresses.count; i++) {
        if (bound)
            *port_of(&addresses.items[i]) = bound;
        if (!add_listener(&addresses.items[i], ret)) {
            if (errno == EAFNOSUPPORT || (errno == EADDRNOTAVAIL && i + 1 < addresses.count) ||
                (errno == EADDRNOTAVAIL && ret->count > 0))
                continue;
            return error_set_errno(ctx, "could not listen at %s:%s", host, port);
        }
        bound = bound_port(ret->sockets[ret->count - 1]);
    }
    if (ret->count == 0)
        return error_set_errno(ctx, "could not listen at %s:%s", host, port);
    snprintf(ret->text, sizeof(ret->text), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
        (unsigned)ntohs(bound));
    return true;
}

bool
link_listen(struct ctx *ctx, const char *listen, struct link_listeners *ret)
{
    const char *colon = strrchr(listen, ':');
    int64_t port;
    size_t length;
    bool is_good;

    memset(ret, 0, sizeof(*ret));
    if (!colon || !text_to_int64(colon + 1, &port) || port < 0 || port > 65535) {
        error_set(ctx, ERR_USAGE, "\"%s\" is no address to listen at", listen);
        return error_hint(ctx,
            "Write 127.0.0.1:6432, :6432 (all addresses), [::1]:6432, or the folder of a socket "
            "as /run/pgmend:6432.");
    }
    length = (size_t)(colon - listen);
    if (listen[0] == '/') {
        is_good = listen_at_path(ctx, listen, length, colon + 1, ret);
    } else {
        bool has_brackets = length >= 2 && listen[0] == '[' && listen[length - 1] == ']';

        is_good = listen_at_name(ctx,
            arena_strndup(ctx->arena, listen + has_brackets, length - 2 * (size_t)has_brackets),
            colon + 1, ret);
    }
    if (!is_good)
        link_listeners_close(ret);
    return is_good;
}

/* An address of this machine is one that a socket can be bound to. */
static bool
is_own_address(const struct link_address *address)
{
    struct link_address any = *address;
    int socket_fd = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_own;

    if (socket_fd < 0)
        return false;
    *port_of(&any) = 0;
    is_own = bind(socket_fd, (const struct sockaddr *)&any.bytes, any.length) == 0;
    close(socket_fd);
    return is_own;
}

/* Whether who connects to the address would come to the listening socket. */
static bool
leads_to(struct link_address address, int listener)
{
    struct link_address own = { .length = sizeof(own.bytes) };

    if (getsockname(listener, (struct sockaddr *)&own.bytes, &own.length) < 0 ||
        own.bytes.ss_family != address.bytes.ss_family)
        return false;
    if (own.bytes.ss_family == AF_UNIX)
        return strcmp(((const struct sockaddr_un *)(const void *)&own.bytes)->sun_path,
                   ((const struct sockaddr_un *)(const void *)&address.bytes)->sun_path) == 0;
    if (*port_of(&own) != *port_of(&address))
        return false;
    if (own.bytes.ss_family == AF_INET6) {
        const struct sockaddr_in6 *bound = (const struct sockaddr_in6 *)(const void *)&own.bytes;
        const struct sockaddr_in6 *asked =
            (const struct sockaddr_in6 *)(const void *)&address.bytes;

        return IN6_IS_ADDR_UNSPECIFIED(&bound->sin6_addr)
                   ? is_own_address(&address)
                   : IN6_ARE_ADDR_EQUAL(&bound->sin6_addr, &asked->sin6_addr);
    }

    const struct sockaddr_in *bound = (const struct sockaddr_in *)(const void *)&own.bytes;
    const struct sockaddr_in *asked = (const struct sockaddr_in *)(const void *)&address.bytes;

    return bound->sin_addr.s_addr == INADDR_ANY ? is_own_address(&address)
                                                : bound->sin_addr.s_addr == asked->sin_addr.s_addr;
}

bool
link_is_another(
    struct ctx *ctx, const struct link_addresses *server, const struct link_listeners *own)
{
    for (size_t i = 0; i < server->count; i++)
        for (size_t j = 0; j < own->count; j++)
            if (leads_to(server->items[i], own->sockets[j])) {
                error_set(ctx, ERR_USAGE, "the address to listen at is that of the server");
                return error_hint(ctx, "--listen is where applications connect instead of the "
                                       "server that --db-url names: choose another port.");
            }
    return true;
}

void
link_listeners_close(struct link_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        close(listeners->sockets[i]);
    listeners->count = 0;
    if (listeners->path[0])
        unlink(listeners->path);
    listeners->path[0] = '\0';
}
