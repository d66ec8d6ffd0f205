/* Sockets of the HTTP load: opening, sending what the kernel takes, reading with the kernel's time. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "load/http/http_part.h"

enum {
    MOST_SOURCES = 16,      /* 127.0.0.1 to 127.0.0.16 */
    WALL_CHECK_US = 100000, /* the wall clock is slewed at most 0.05 %: 50 us in this time */
};

static void
set(int socket, int level, int name)
{
    int on = 1;

    setsockopt(socket, level, name, &on, sizeof(on));
}

static bool
is_ipv4_loopback(const struct load_http_shared *shared)
{
    return shared->target.is_loopback && shared->target.address.ss_family == AF_INET;
}

/*
 * One address has about 28,000 ports to connect from. On loopback there are more addresses. The port is
 * chosen when it is known where to: it only has to differ from other connections to the same server.
 */
static bool
bind_source(int socket, unsigned source)
{
    struct sockaddr_in address = { .sin_family = AF_INET };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
    set(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    return bind(socket, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

/* The socket, or -1 with errno. *ret_error: of the connection, to be told later. */
static int
begin(const struct load_http_shared *shared, unsigned source, int *ret_error)
{
    const struct sockaddr *address = (const struct sockaddr *)&shared->target.address;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0)
        return -1;
    set(fd, IPPROTO_TCP, TCP_NODELAY);
    if (shared->has_stamps)
        set(fd, SOL_SOCKET, SO_TIMESTAMPNS);
    if ((source > 0 && !bind_source(fd, source)) || connect(fd, address, shared->target.length) < 0)
        error = errno;
    *ret_error = error == EINPROGRESS ? 0 : error;
    if (error != EADDRNOTAVAIL && error != EADDRINUSE)
        return fd;
    close(fd);
    errno = EADDRNOTAVAIL;
    return -1;
}

/* Sources that have no free port are remembered: the kernel looks long for one that is not there. */
static int
begin_anywhere(struct load_connection *connection)
{
    struct load_http_shared *shared = connection->shared;
    int fd;

    if (connection->source < shared->least_source)
        connection->source = shared->least_source;
    fd = begin(shared, connection->source, &connection->error);
    while (fd < 0 && errno == EADDRNOTAVAIL && is_ipv4_loopback(shared) &&
           connection->source + 1 < MOST_SOURCES) {
        shared->least_source = ++connection->source;
        fd = begin(shared, connection->source, &connection->error);
    }
    if (fd < 0 && errno == EADDRNOTAVAIL)
        connection->source = shared->least_source = 0;
    return fd;
}

bool
load_http_open(struct load_connection *connection)
{
    int fd = begin_anywhere(connection);

    if (fd < 0)
        return false;
    if (edge_add(connection->shared->edges, &connection->edge, fd))
        return true;
    close(fd);
    return false;
}

bool
load_http_put(struct load_connection *connection, const char *data, size_t length)
{
    ssize_t sent = send(connection->edge.socket, data, length, MSG_NOSIGNAL);

    if (sent == (ssize_t)length)
        return true;
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    sent = sent < 0 ? 0 : sent;
    connection->unsent_length = length - (size_t)sent;
    connection->unsent_done = 0;
    connection->unsent = malloc(connection->unsent_length);
    if (!connection->unsent)
        memory_exhausted(0);
    memcpy(connection->unsent, data + sent, connection->unsent_length);
    /* What was taken in part ends in EAGAIN when it is tried again: only then there will be an edge. */
    return load_http_put_rest(connection);
}

bool
load_http_put_rest(struct load_connection *connection)
{
    while (connection->unsent_done < connection->unsent_length) {
        ssize_t sent = send(connection->edge.socket, connection->unsent + connection->unsent_done,
            connection->unsent_length - connection->unsent_done, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN;
        connection->unsent_done += (size_t)sent;
    }
    free(connection->unsent);
    connection->unsent = NULL;
    connection->unsent_length = connection->unsent_done = 0;
    return true;
}

/* The kernel's stamp is of the wall clock. */
static int64_t
read_stamp(struct load_http_shared *shared, struct msghdr *message, int64_t now_us)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    struct timespec stamp;
    int64_t at_us;

    if (now_us - shared->wall_checked_us >= WALL_CHECK_US) {
        shared->wall_offset_us = clock_wall_us() - now_us;
        shared->wall_checked_us = now_us;
    }
    if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
        return now_us;
    memcpy(&stamp, CMSG_DATA(control), sizeof(stamp));
    at_us = (int64_t)stamp.tv_sec * 1000000 + stamp.tv_nsec / 1000 - shared->wall_offset_us;
    return at_us < now_us ? at_us : now_us;
}

ssize_t
load_http_get(struct load_connection *connection, int64_t *ret_at_us)
{
    struct load_http_shared *shared = connection->shared;
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec room = { shared->inbox + connection->rest_length,
        LOAD_INBOX_SIZE - connection->rest_length };
    struct msghdr message = { .msg_iov = &room, .msg_iovlen = 1 };
    ssize_t count;

    if (connection->rest_length > 0)
        memcpy(shared->inbox, connection->rest, connection->rest_length);
    if (!shared->has_stamps) {
        count = recv(connection->edge.socket, room.iov_base, room.iov_len, 0);
        *ret_at_us = clock_us();
        return count;
    }
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    count = recvmsg(connection->edge.socket, &message, 0);
    *ret_at_us = clock_us();
    if (count > 0)
        *ret_at_us = read_stamp(shared, &message, *ret_at_us);
    return count;
}

void
load_http_keep(struct load_connection *connection, const char *data, size_t length)
{
    if (length == 0) {
        free(connection->rest);
        connection->rest = NULL;
    } else {
        char *rest = realloc(connection->rest, length);

        if (!rest)
            memory_exhausted(0);
        memcpy(rest, data, length);
        connection->rest = rest;
    }
    connection->rest_length = length;
}

void
load_http_drop(struct load_connection *connection)
{
    if (connection->edge.socket >= 0) {
        int fd = connection->edge.socket;

        edge_remove(connection->shared->edges, &connection->edge);
        close(fd);
        connection->edge.socket = -1;
    }
    free(connection->unsent);
    connection->unsent = NULL;
    connection->unsent_length = connection->unsent_done = 0;
    load_http_keep(connection, NULL, 0);
    load_taking_free(connection->taking);
    connection->taking = NULL;
    connection->phase = HTTP_CLOSED;
}
