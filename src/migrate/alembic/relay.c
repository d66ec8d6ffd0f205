/* The relay: a port of this machine that only the Alembic that we started knows the password of. */
#include "db/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/interrupt.h"
#include "migrate/alembic/parts.h"

enum {
    MOST_SESSIONS = 64,
    MOST_WAITING = 1024 * 1024, /* bytes that one side has not taken: then the other must wait */
    CHUNK = 64 * 1024,
    LONGEST_START = 10000, /* as the server has it */
    START_LIMIT_US = 10000000,
    END_LIMIT_US = 2000000,
    NAP_MS = 100,
    RUNNING_NAP_MS = 4,
    RUNNING_US = 2000,
    REAP_NAP_MS = 10,
};

bool
relay_open(struct ctx *ctx, struct relay *relay)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) },
    };
    socklen_t size = sizeof(address);

    relay->address.password = random_hex(ctx->arena, 16);
    relay->address.database = db_name(relay->target);
    relay->address.encoded = alembic_encoded(ctx->arena, relay->address.database);
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (relay->listener < 0 || bind(relay->listener, (const struct sockaddr *)&address, size) < 0 ||
        listen(relay->listener, MOST_SESSIONS) < 0 ||
        getsockname(relay->listener, (struct sockaddr *)&address, &size) < 0)
        return error_set_errno(ctx, "could not listen on 127.0.0.1");
    relay->address.port = ntohs(address.sin_port);
    return true;
}

static size_t
length_of(const struct wire_stream *stream)
{
    size_t length;

    (void)wire_left(stream, &length);
    return length;
}

/* ---- the end of a session ---- */

/*
 * Says good-bye and waits until the server has hung up: what was open is rolled back then, and the
 * database can be dropped.
 */
static void
end_server(struct session *session)
{
    static const char terminate[] = { 'X', 0, 0, 0, 4 };
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    int64_t end = clock_us() + END_LIMIT_US;
    char chunk[CHUNK];
    size_t count;

    if (!session->db)
        return;
    if (session->state == SESSION_OPEN && !wire_track_is_idle(&session->track))
        db_cancel(session->db);
    if (db_relay_write(&ctx, session->db, terminate, sizeof(terminate), &count))
        while (clock_us() < end && db_relay_read(&ctx, session->db, chunk, sizeof(chunk), &count)) {
            struct pollfd fd = { .fd = db_relay_socket(session->db), .events = POLLIN };

            if (count == 0)
                poll(&fd, 1, NAP_MS);
        }
    db_cleanup(&session->db);
}

static void
end_session(struct session *session)
{
    if (session->client >= 0)
        close(session->client);
    session->client = -1;
    end_server(session);
    wire_free(&session->from_client);
    wire_free(&session->from_server);
    wire_free(&session->to_client);
    wire_free(&session->to_server);
    wire_free(&session->held);
    session->state = SESSION_ENDED;
}

void
relay_close(struct relay *relay)
{
    for (size_t i = 0; i < relay->sessions.count; i++)
        end_session(relay->sessions.items[i]);
    relay->sessions.count = 0;
    if (relay->listener >= 0)
        close(relay->listener);
    relay->listener = -1;
}

/* ---- bytes ---- */

static void
accept_client(struct ctx *ctx, struct relay *relay)
{
    int on = 1;
    int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct session *session;

    if (client < 0)
        return;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    session = ARENA_NEW(ctx->arena, struct session);
    session->relay = relay;
    session->client = client;
    session->accepted_us = clock_us();
    session->from_client.longest = LONGEST_START;
    VEC_PUSH(ctx->arena, &relay->sessions, session);
}

/* The client is gone: nobody waits for what the server still does for it. */
static bool
lose_client(struct ctx *ctx, struct session *session)
{
    session->is_last = true;
    wire_free(&session->to_client);
    if (session->state != SESSION_OPEN)
        return true;
    if (!wire_track_is_idle(&session->track))
        db_cancel(session->db);
    return session_lost(ctx, session, "Alembic went away while the statement ran");
}

static bool
write_client(struct ctx *ctx, struct session *session, bool *ret_moved)
{
    size_t length;
    const char *data = wire_left(&session->to_client, &length);
    ssize_t sent;

    if (length == 0)
        return true;
    sent = send(session->client, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (sent < 0)
        return lose_client(ctx, session);
    wire_drop(&session->to_client, (size_t)sent);
    *ret_moved = true;
    return true;
}

static bool
take_client(struct ctx *ctx, struct session *session)
{
    struct wire_message message;
    bool is_whole = true;

    while (!session->is_last) {
        if (!wire_next(ctx, &session->from_client, &message, &is_whole)) {
            /* It does not speak the protocol; no message of ours would be understood. */
            error_clear(ctx);
            return lose_client(ctx, session);
        }
        if (!is_whole)
            return true;
        if (!(session->state == SESSION_OPEN ? session_take_client(ctx, session, &message)
                                             : session_take_start(ctx, session, &message)))
            return false;
    }
    return true;
}

static bool
read_client(struct ctx *ctx, struct session *session, bool *ret_moved)
{
    char chunk[CHUNK];
    ssize_t got;

    if (session->is_last || length_of(&session->to_server) > MOST_WAITING ||
        length_of(&session->to_client) > MOST_WAITING)
        return true;
    got = recv(session->client, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0)
        return lose_client(ctx, session);
    wire_feed(&session->from_client, chunk, (size_t)got);
    *ret_moved = true;
    return take_client(ctx, session);
}

/* The server is gone; the client gets what came before, and then the end of the connection. */
static bool
lose_server(struct ctx *ctx, struct session *session)
{
    const char *why = ctx->error.message;

    error_clear(ctx);
    session->is_last = true;
    return session_lost(ctx, session, why);
}

static bool
write_server(struct ctx *ctx, struct session *session, bool *ret_moved)
{
    size_t length, sent;
    const char *data = wire_left(&session->to_server, &length);

    if (length == 0 || session->is_last)
        return true;
    /* What it said last is still to be read. */
    if (!db_relay_write(ctx, session->db, data, length, &sent)) {
        error_clear(ctx);
        wire_drop(&session->to_server, length);
        return true;
    }
    wire_drop(&session->to_server, sent);
    *ret_moved |= sent > 0;
    return true;
}

static bool
read_server(struct ctx *ctx, struct session *session, bool *ret_moved)
{
    struct wire_message message;
    char chunk[CHUNK];
    size_t got;
    bool is_whole = true;

    if (session->is_last || length_of(&session->to_client) > MOST_WAITING)
        return true;
    if (!db_relay_read(ctx, session->db, chunk, sizeof(chunk), &got))
        return lose_server(ctx, session);
    if (got == 0)
        return true;
    *ret_moved = true;
    wire_feed(&session->from_server, chunk, got);
    while (is_whole) {
        if (!wire_next(ctx, &session->from_server, &message, &is_whole))
            return error_wrap(ctx, "what the server sent");
        if (is_whole && !session_take_server(ctx, session, &message))
            return false;
    }
    return true;
}

bool
relay_settle(struct ctx *ctx, struct session *session)
{
    while (!session->is_last && (session->swallows_ready || length_of(&session->to_server) > 0 ||
                                    length_of(&session->from_server) > 0)) {
        struct pollfd fd = { .fd = db_relay_socket(session->db), .events = POLLIN };
        int signal_number = interrupt_signal();
        bool has_moved = false;

        if (signal_number)
            return interrupt_error(ctx, signal_number);
        if (!write_server(ctx, session, &has_moved) || !read_server(ctx, session, &has_moved))
            return false;
        if (length_of(&session->to_server) > 0)
            fd.events |= POLLOUT;
        if (!has_moved)
            poll(&fd, 1, NAP_MS);
    }
    return true;
}

/* ---- the loop ---- */

static bool
turn(struct ctx *ctx, struct session *session, bool *ret_moved)
{
    bool is_open = session->state == SESSION_OPEN;

    if (!is_open && clock_us() - session->accepted_us > START_LIMIT_US)
        session->is_last = true;
    if ((is_open && !read_server(ctx, session, ret_moved)) || !read_client(ctx, session, ret_moved))
        return false;
    if (session->state == SESSION_OPEN && !write_server(ctx, session, ret_moved))
        return false;
    return write_client(ctx, session, ret_moved);
}

static bool
turn_all(struct ctx *ctx, struct relay *relay, bool *ret_moved)
{
    size_t kept = 0;

    for (size_t i = 0; i < relay->sessions.count; i++) {
        struct session *session = relay->sessions.items[i];

        if (!turn(ctx, session, ret_moved))
            return false;
        if (session->is_last && length_of(&session->to_client) == 0)
            end_session(session);
    }
    for (size_t i = 0; i < relay->sessions.count; i++)
        if (relay->sessions.items[i]->state != SESSION_ENDED)
            relay->sessions.items[kept++] = relay->sessions.items[i];
    relay->sessions.count = kept;
    return true;
}

static bool
tell_running(struct ctx *ctx, struct relay *relay)
{
    if (clock_us() - relay->running_us < RUNNING_US)
        return true;
    for (size_t i = 0; i < relay->sessions.count; i++)
        if (!session_running(ctx, relay->sessions.items[i]))
            return false;
    relay->running_us = clock_us();
    return true;
}

static bool
has_running(const struct relay *relay)
{
    for (size_t i = 0; relay->watcher && relay->watcher->running && i < relay->sessions.count; i++)
        if (relay->sessions.items[i]->state == SESSION_OPEN &&
            wire_track_running(&relay->sessions.items[i]->track))
            return true;
    return false;
}

static void
nap(const struct relay *relay, const struct process *process)
{
    struct pollfd fds[MOST_SESSIONS * 2 + 3];
    nfds_t count = 0;
    int limit_ms = has_running(relay) ? RUNNING_NAP_MS : NAP_MS;

    fds[count++] = (struct pollfd){ .fd = process->stdout_fd, .events = POLLIN };
    fds[count++] = (struct pollfd){ .fd = process->stderr_fd, .events = POLLIN };
    if (process->stderr_fd < 0 && limit_ms > REAP_NAP_MS)
        limit_ms = REAP_NAP_MS;
    if (relay->sessions.count < MOST_SESSIONS)
        fds[count++] = (struct pollfd){ .fd = relay->listener, .events = POLLIN };
    for (size_t i = 0; i < relay->sessions.count; i++) {
        const struct session *session = relay->sessions.items[i];
        size_t to_client = length_of(&session->to_client);
        size_t to_server = length_of(&session->to_server);
        short client = to_client > 0 ? POLLOUT : 0, server = to_server > 0 ? POLLOUT : 0;

        if (to_server <= MOST_WAITING && to_client <= MOST_WAITING && !session->is_last)
            client |= POLLIN;
        if (to_client <= MOST_WAITING)
            server |= POLLIN;
        /* A side that is to wait is not looked at: its hanging up would wake us again and again. */
        fds[count++] = (struct pollfd){ .fd = client ? session->client : -1, .events = client };
        if (session->state == SESSION_OPEN && !session->is_last && server)
            fds[count++] = (struct pollfd){ .fd = db_relay_socket(session->db), .events = server };
    }
    poll(fds, count, limit_ms);
}

bool
relay_step(struct ctx *ctx, struct relay *relay, const struct process *process)
{
    bool has_moved = false;

    if (relay->sessions.count < MOST_SESSIONS)
        accept_client(ctx, relay);
    if (!turn_all(ctx, relay, &has_moved) || !tell_running(ctx, relay))
        return false;
    if (!has_moved)
        nap(relay, process);
    return true;
}
