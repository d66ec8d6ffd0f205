/* One thread, one epoll set, a heap of answers that are due. */
#include "delay_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MOST = 4096, EVENTS = 256, MOST_CONNECTIONS = 16384 };
static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Query-Count: 3\r\n\r\nok";

struct connection {
    int socket;
    size_t length;
    char request[REQUEST_MOST];
};

struct due {
    int64_t at_ns;
    int64_t received_ns;
    size_t path;
    int socket;
    uint32_t generation; /* the socket's number may be another connection's by then */
};

struct delay_server {
    pthread_t thread;
    int epoll;
    int listener;
    int wake;
    uint16_t port;
    uint64_t random;
    struct connection *connections[MOST_CONNECTIONS]; /* by socket */
    uint32_t generations[MOST_CONNECTIONS];
    struct due *heap;
    size_t heap_count;
    size_t heap_capacity;
    struct delay_answer *answers;
    size_t answer_capacity;
    struct delay_log log;
    int64_t first_ns;
    int64_t stall_after_ns;
    int64_t stall_ns;
    bool is_stopped;
};

static int64_t
wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* In (0, 1]: a number by which one may divide, and of which there is a logarithm. */
static double
uniform(struct delay_server *server)
{
    uint64_t x = server->random;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    server->random = x;
    return (double)((x >> 11) + 1) / 9007199254740992.0;
}

/* Box and Muller's. */
static double
normal(struct delay_server *server)
{
    double radius = sqrt(-2 * log(uniform(server)));

    return radius * cos(2 * M_PI * uniform(server));
}

static double
draw_us(struct delay_server *server, const char *path)
{
    double a = 0;
    double b = 0;
    double c = 0;

    if (sscanf(path, "/fixed/%lf", &a) == 1)
        return a;
    if (sscanf(path, "/uniform/%lf/%lf", &a, &b) == 2)
        return a + (b - a) * uniform(server);
    if (sscanf(path, "/exponential/%lf", &a) == 1)
        return -a * log(uniform(server));
    if (sscanf(path, "/lognormal/%lf/%lf", &a, &b) == 2)
        return a * exp(b * normal(server));
    if (sscanf(path, "/bimodal/%lf/%lf/%lf", &a, &b, &c) == 3)
        return (uniform(server) <= c ? b : a) * (0.8 + 0.4 * uniform(server));
    return 0;
}

static size_t
path_index(struct delay_log *log, const char *path)
{
    size_t i;

    for (i = 0; i < log->path_count; i++) {
        if (strcmp(log->paths[i], path) == 0)
            return i;
    }
    if (log->path_count == DELAY_PATHS)
        return DELAY_PATHS - 1;
    snprintf(log->paths[i], DELAY_PATH_BYTES, "%s", path);
    return log->path_count++;
}

static void
heap_push(struct delay_server *server, const struct due *due)
{
    size_t at = server->heap_count++;

    if (server->heap_count > server->heap_capacity) {
        server->heap_capacity = server->heap_capacity * 2 + 256;
        server->heap = realloc(server->heap, server->heap_capacity * sizeof(*server->heap));
    }
    for (; at > 0 && server->heap[(at - 1) / 2].at_ns > due->at_ns; at = (at - 1) / 2)
        server->heap[at] = server->heap[(at - 1) / 2];
    server->heap[at] = *due;
}

static struct due
heap_pop(struct delay_server *server)
{
    struct due first = server->heap[0];
    struct due last = server->heap[--server->heap_count];
    size_t count = server->heap_count;
    size_t at = 0;

    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && server->heap[child + 1].at_ns < server->heap[child].at_ns)
            child++;
        if (server->heap[child].at_ns >= last.at_ns)
            break;
        server->heap[at] = server->heap[child];
        at = child;
    }
    server->heap[at] = last;
    return first;
}

static void
connection_close(struct delay_server *server, struct connection *connection)
{
    server->generations[connection->socket]++;
    server->connections[connection->socket] = NULL;
    close(connection->socket);
    free(connection);
}

static void
accept_all(struct delay_server *server)
{
    static const int one = 1;
    int socket;

    while ((socket = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof(*connection));
        struct epoll_event event = { .events = EPOLLIN, .data.fd = socket };

        if (!connection || socket >= MOST_CONNECTIONS) {
            free(connection);
            close(socket);
            continue;
        }
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
        connection->socket = socket;
        server->connections[socket] = connection;
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, socket, &event);
    }
}

/* When the kernel took the last of these bytes in. */
static ssize_t
receive(struct connection *connection, int64_t *ret_ns)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr aligned;
    } control;
    struct iovec piece = { .iov_base = connection->request + connection->length,
        .iov_len = REQUEST_MOST - 1 - connection->length };
    struct msghdr message = { .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control) };
    ssize_t got = recvmsg(connection->socket, &message, 0);
    struct timespec stamp;

    *ret_ns = wall_ns();
    for (struct cmsghdr *one = got > 0 ? CMSG_FIRSTHDR(&message) : NULL; one;
         one = CMSG_NXTHDR(&message, one)) {
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&stamp, CMSG_DATA(one), sizeof(stamp));
            *ret_ns = stamp.tv_sec * INT64_C(1000000000) + stamp.tv_nsec;
        }
    }
    return got;
}

static void
take_request(struct delay_server *server, struct connection *connection, int64_t received_ns)
{
    char *path = strchr(connection->request, ' ');
    char *end = path ? strchr(path + 1, ' ') : NULL;
    struct due due = { .received_ns = received_ns,
        .socket = connection->socket,
        .generation = server->generations[connection->socket] };

    if (!end) {
        connection_close(server, connection);
        return;
    }
    *end = '\0';
    due.path = path_index(&server->log, path + 1);
    due.at_ns = received_ns + (int64_t)(draw_us(server, path + 1) * 1000);
    heap_push(server, &due);
    connection->length = 0;
    if (server->first_ns == 0)
        server->first_ns = received_ns;
}

static void
readable(struct delay_server *server, int socket)
{
    struct connection *connection = server->connections[socket];
    int64_t received_ns;
    ssize_t got;

    if (!connection)
        return;
    got = receive(connection, &received_ns);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || connection->length + (size_t)got >= REQUEST_MOST - 1) {
        connection_close(server, connection);
        return;
    }
    connection->length += (size_t)got;
    connection->request[connection->length] = '\0';
    if (strstr(connection->request, "\r\n\r\n"))
        take_request(server, connection, received_ns);
}

static void
note(struct delay_server *server, const struct due *due, int64_t now_ns)
{
    struct delay_log *log = &server->log;

    if (log->count == server->answer_capacity) {
        server->answer_capacity = server->answer_capacity * 2 + 4096;
        server->answers =
            realloc(server->answers, server->answer_capacity * sizeof(*server->answers));
    }
    server->answers[log->count++] = (struct delay_answer){ .path = due->path,
        .received_us = due->received_ns / 1000,
        .took_us = (now_ns - due->received_ns + 500) / 1000 };
    if ((now_ns - due->at_ns) / 1000 > log->held_us)
        log->held_us = (now_ns - due->at_ns) / 1000;
}

static void
answer_due(struct delay_server *server)
{
    while (server->heap_count > 0) {
        int64_t now_ns = wall_ns();
        struct due due;

        if (server->heap[0].at_ns > now_ns)
            return;
        due = heap_pop(server);
        if (server->generations[due.socket] != due.generation)
            continue;
        /* Noted before it is written: whom the answer wakes may take this thread's processor. */
        note(server, &due, now_ns);
        if (send(due.socket, ANSWER, sizeof(ANSWER) - 1, MSG_NOSIGNAL) < 0)
            server->log.count--;
    }
}

static void
stall_once(struct delay_server *server)
{
    struct timespec length = { .tv_sec = server->stall_ns / 1000000000,
        .tv_nsec = server->stall_ns % 1000000000 };

    if (server->stall_ns == 0 || server->first_ns == 0 ||
        wall_ns() < server->first_ns + server->stall_after_ns)
        return;
    server->log.stall_from_us = wall_ns() / 1000;
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &length, &length) == EINTR) {
    }
    server->log.stall_to_us = wall_ns() / 1000;
    server->stall_ns = 0;
}

static void *
serve(void *data)
{
    struct delay_server *server = data;
    struct epoll_event events[EVENTS];

    /* Else the kernel rounds waits up by 50 us. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    while (!__atomic_load_n(&server->is_stopped, __ATOMIC_ACQUIRE)) {
        int64_t wait_ns = 20000000;
        struct timespec wait;
        int count;

        if (server->heap_count > 0 && server->heap[0].at_ns - wall_ns() < wait_ns)
            wait_ns = server->heap[0].at_ns - wall_ns();
        wait = (struct timespec){ .tv_nsec = wait_ns > 0 ? wait_ns : 0 };
        count = epoll_pwait2(server->epoll, events, EVENTS, &wait, NULL);
        stall_once(server);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == server->listener)
                accept_all(server);
            else if (events[i].data.fd != server->wake)
                readable(server, events[i].data.fd);
        }
        answer_due(server);
    }
    return NULL;
}

static bool
listen_on(struct delay_server *server, uint16_t port)
{
    static const int one = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
    };
    socklen_t length = sizeof(address);
    struct epoll_event event = { .events = EPOLLIN };

    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->listener < 0 || server->epoll < 0 || server->wake < 0)
        return false;
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(server->listener, 4096) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) < 0)
        return false;
    server->port = ntohs(address.sin_port);
    event.data.fd = server->listener;
    epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event);
    event.data.fd = server->wake;
    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->wake, &event) == 0;
}

struct delay_server *
delay_server_start(uint16_t port, uint64_t seed)
{
    struct delay_server *server = calloc(1, sizeof(*server));

    if (!server)
        return NULL;
    server->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    server->is_stopped = true;
    if (!listen_on(server, port)) {
        delay_server_free(server);
        return NULL;
    }
    server->is_stopped = false;
    if ((errno = pthread_create(&server->thread, NULL, serve, server)) != 0) {
        server->is_stopped = true;
        delay_server_free(server);
        return NULL;
    }
    return server;
}

uint16_t
delay_server_port(const struct delay_server *server)
{
    return server->port;
}

void
delay_server_stall(struct delay_server *server, int64_t after_us, int64_t length_us)
{
    server->stall_after_ns = after_us * 1000;
    server->stall_ns = length_us * 1000;
}

const struct delay_log *
delay_server_stop(struct delay_server *server)
{
    if (!server->is_stopped) {
        __atomic_store_n(&server->is_stopped, true, __ATOMIC_RELEASE);
        eventfd_write(server->wake, 1);
        pthread_join(server->thread, NULL);
    }
    server->log.items = server->answers;
    return &server->log;
}

void
delay_server_free(struct delay_server *server)
{
    if (!server)
        return;
    delay_server_stop(server);
    for (int i = 0; i < MOST_CONNECTIONS; i++) {
        if (server->connections[i])
            connection_close(server, server->connections[i]);
    }
    close(server->listener);
    close(server->epoll);
    close(server->wake);
    free(server->heap);
    free(server->answers);
    free(server);
}

int64_t
delay_quantile_us(const int64_t *sorted, size_t count, double share, int ranks)
{
    int64_t rank = (int64_t)ceil(share * (double)count - 1e-9) - 1 + ranks;

    if (count == 0)
        return 0;
    if (rank < 0)
        rank = 0;
    return sorted[rank < (int64_t)count ? rank : (int64_t)count - 1];
}
