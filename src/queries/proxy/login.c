/* From the first byte of a session to its authentication. */
#include <string.h>
#include <sys/socket.h>

#include "queries/proxy/login_state.h"

enum {
    TLS_HANDSHAKE = 0x16,       /* the first byte of a connection that begins with TLS */
    MOST_START = 10000 + 4,     /* as the server's MAX_STARTUP_PACKET_LENGTH */
    MOST_MESSAGE = 1024 * 1024, /* of the authentication; the server's own limit is 64 kB */
    MOST_WAITING = 1024 * 1024, /* of a client that talks before it may */
};

struct login *
login_new(struct login_rules *rules, struct login_buffers buffers)
{
    struct arena *arena = arena_new();
    struct login *login = ARENA_NEW(arena, struct login);

    login->ctx.arena = arena;
    login->rules = rules;
    login->buffers = buffers;
    login->client.stream.longest = MOST_START;
    login->server.stream = (struct wire_stream){ .longest = MOST_MESSAGE, .has_start = true };
    return login;
}

void
login_free(struct login *login)
{
    if (!login)
        return;
    explicit_bzero(login->key, sizeof(login->key));
    wire_free(&login->client.stream);
    wire_free(&login->server.stream);
    arena_free(login->ctx.arena);
}

enum login_step
login_refuse(struct login *login, const char *sqlstate, const char *message, const char *hint)
{
    wire_add_error(login->buffers.to_client, sqlstate, message, hint);
    login->buffers.to_server->length = 0;
    login->state = STATE_REFUSED;
    return LOGIN_REFUSED;
}

enum login_step
login_refuse_error(struct login *login, const char *sqlstate)
{
    const struct error *error = &login->ctx.error;

    return login_refuse(login, sqlstate, error->message, error->hint);
}

/* ---- the client's start ---- */

static enum login_step
begin_tls(struct login *login)
{
    size_t left;

    if (login->has_asked_tls || login->client.has_tls)
        return login_refuse(login, "08P01", "TLS was asked for a second time", NULL);
    login->has_asked_tls = true;
    /* What came in the open before TLS could be somebody else's: CVE-2021-23214. */
    if (wire_left(&login->client.stream, &left))
        return login_refuse(login, "08P01", "received unencrypted data after SSL request",
            "This could be an error of the client, or somebody in the middle of the connection.");
    buffer_append(login->buffers.to_client, login->rules->client_tls ? "S" : "N", 1);
    if (!login->rules->client_tls)
        return LOGIN_MORE;
    login->state = STATE_TLS_CLIENT;
    return LOGIN_TLS_CLIENT;
}

static enum login_step
decline_gss(struct login *login)
{
    size_t left;

    if (login->has_asked_gss || login->client.has_tls)
        return login_refuse(login, "08P01", "GSS encryption was asked for out of turn", NULL);
    login->has_asked_gss = true;
    if (wire_left(&login->client.stream, &left))
        return login_refuse(login, "08P01",
            "received unencrypted data after GSSAPI encryption request",
            "This could be an error of the client, or somebody in the middle of the connection.");
    buffer_append(login->buffers.to_client, "N", 1);
    return LOGIN_MORE;
}

static enum login_step
begin_session(
    struct login *login, const struct wire_message *message, const struct wire_start *start)
{
    const char *user = wire_start_value(start, "user");

    login->start = arena_memdup(login->ctx.arena, message->bytes, message->size);
    login->start_size = message->size;
    login->user = user ? user : "";
    login->client.stream.longest = MOST_MESSAGE;
    login->wants_tls = login->rules->server_tls && login->rules->mode >= MODE_PREFER;
    login->state = STATE_CONNECT;
    return LOGIN_CONNECT;
}

static enum login_step
read_start(struct login *login)
{
    struct wire_message message;
    struct wire_start start;
    bool is_whole;

    if (!wire_next(&login->ctx, &login->client.stream, &message, &is_whole))
        return login_refuse(login, "08P01", "invalid length of startup packet", NULL);
    if (!is_whole)
        return LOGIN_MORE;
    if (!wire_read_start(&login->ctx, &message, &start))
        return login_refuse_error(
            login, strstr(login->ctx.error.message, "protocol") ? "0A000" : "08P01");
    switch (start.kind) {
    case WIRE_START_TLS:
        login->client.stream.has_start = false;
        return begin_tls(login);
    case WIRE_START_GSS:
        login->client.stream.has_start = false;
        return decline_gss(login);
    case WIRE_START_CANCEL:
        buffer_append(login->buffers.to_server, message.bytes, message.size);
        login->state = STATE_CANCEL;
        return LOGIN_CANCEL;
    case WIRE_START_SESSION:
        break;
    }
    return begin_session(login, &message, &start);
}

bool
login_is_direct(struct login *login, int client_socket)
{
    unsigned char first;
    size_t left;

    if (!login->rules->client_tls || login->state != STATE_START || login->has_asked_tls ||
        login->has_asked_gss || wire_left(&login->client.stream, &left) ||
        recv(client_socket, &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1 || first != TLS_HANDSHAKE)
        return false;
    login->is_direct = true;
    login->state = STATE_TLS_CLIENT;
    return true;
}

/* ---- the server's side of the start ---- */

static void
send_start(struct login *login)
{
    buffer_append(login->buffers.to_server, login->start, login->start_size);
    login->state = STATE_LOGIN;
}

enum login_step
login_connected(struct login *login)
{
    static const unsigned char ask[] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };

    if (login->state != STATE_CONNECT)
        return LOGIN_REFUSED;
    if (login->wants_tls) {
        buffer_append(login->buffers.to_server, ask, sizeof(ask));
        login->state = STATE_TLS_ANSWER;
    } else {
        send_start(login);
    }
    return LOGIN_MORE;
}

/* Once more with or without TLS, as sslmode's allow and prefer have it; nothing has reached the client. */
static bool
can_retry(const struct login *login)
{
    return !login->is_retry && !login->has_passed && login->rules->server_tls &&
           (login->rules->mode == MODE_ALLOW ||
               (login->rules->mode == MODE_PREFER && login->wants_tls));
}

static enum login_step
retry(struct login *login)
{
    login->is_retry = true;
    login->wants_tls = !login->wants_tls;
    login->server.has_tls = false;
    login->server.binding.length = 0;
    login->server.stream.length = 0;
    login->server.stream.taken = 0;
    login->buffers.to_server->length = 0;
    login->state = STATE_CONNECT;
    return LOGIN_CONNECT;
}

static enum login_step
read_tls_answer(struct login *login)
{
    size_t left;
    const char *bytes = wire_left(&login->server.stream, &left);

    if (!bytes)
        return LOGIN_MORE;
    switch (*bytes) {
    case 'S':
        wire_drop(&login->server.stream, 1);
        if (left > 1)
            return login_refuse(login, "08P01", "received unencrypted data after SSL response",
                "This could be an error of the server, or somebody in the middle of the connection.");
        login->state = STATE_TLS_SERVER;
        return LOGIN_TLS_SERVER;
    case 'N':
        wire_drop(&login->server.stream, 1);
        if (login->rules->mode >= MODE_REQUIRE)
            return login_refuse(login, "08001",
                "the server does not support TLS, and it was required",
                "Set ssl = on at the server, or give the proxy a URL without sslmode=require.");
        send_start(login);
        return LOGIN_MORE;
    case 'E': /* it could not even begin; what follows is read as a message */
        login->state = STATE_LOGIN;
        return LOGIN_MORE;
    default:
        return login_refuse(login, "08P01", "what answers is not a PostgreSQL server", NULL);
    }
}

enum login_step
login_tls_begun(struct login *login, bool is_client, struct tls *tls)
{
    struct login_side *side = is_client ? &login->client : &login->server;

    if (login->state != (is_client ? STATE_TLS_CLIENT : STATE_TLS_SERVER))
        return LOGIN_REFUSED;
    side->has_tls = true;
    side->binding.length = tls_end_point(tls, side->binding.bytes, sizeof(side->binding.bytes));
    if (!is_client) {
        send_start(login);
        return LOGIN_MORE;
    }
    login->state = STATE_START;
    /* Without the name another protocol's client could be led here. */
    if (login->is_direct && !tls_has_protocol(tls))
        return login_refuse(login, "08P01",
            "received direct SSL connection request without ALPN protocol negotiation extension",
            NULL);
    return LOGIN_MORE;
}

enum login_step
login_tls_failed(struct login *login, bool is_client, const char *why)
{
    if (login->state == STATE_REFUSED)
        return LOGIN_REFUSED;
    if (!is_client && can_retry(login))
        return retry(login);
    return login_refuse(login, "08001",
        arena_printf(login->ctx.arena, "could not begin TLS with the %s: %s",
            is_client ? "client" : "server", why),
        NULL);
}

/* ---- messages ---- */

/* A server that cannot fork says why in the manner of protocol 2: the letter, then a text. */
static enum login_step
pass_old_error(struct login *login)
{
    size_t left;
    const char *bytes = wire_left(&login->server.stream, &left);
    char *text;

    if (!bytes || *bytes != 'E')
        return login_refuse(login, "08P01", "what answers is not a PostgreSQL server", NULL);
    text = arena_strndup(login->ctx.arena, bytes + 1, strnlen(bytes + 1, left - 1));
    text[strcspn(text, "\n")] = '\0';
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
    return login_refuse(login, "08006", text_is_utf8(text) ? text : "the server refuses", NULL);
}

static bool
is_error(const struct wire_stream *stream)
{
    size_t left;
    const char *bytes = wire_left(stream, &left);

    return bytes && *bytes == 'E';
}

static enum login_step
read_server(struct login *login, bool *ret_moved)
{
    struct wire_message message;

    if (is_error(&login->server.stream) && can_retry(login))
        return retry(login);
    if (!wire_next(&login->ctx, &login->server.stream, &message, ret_moved))
        return pass_old_error(login);
    return *ret_moved ? login_server_message(login, &message) : LOGIN_MORE;
}

static enum login_step
read_client(struct login *login, bool *ret_moved)
{
    struct wire_message message;

    if (!wire_next(&login->ctx, &login->client.stream, &message, ret_moved))
        return login_refuse(login, "08P01", "invalid message length", NULL);
    return *ret_moved ? login_client_message(login, &message) : LOGIN_MORE;
}

static enum login_step
authenticate(struct login *login)
{
    enum login_step step = LOGIN_MORE;
    bool has_moved = true;

    while (step == LOGIN_MORE && has_moved) {
        has_moved = false;
        step = read_server(login, &has_moved);
        if (step == LOGIN_MORE && login->is_clients_turn && login->state == STATE_LOGIN) {
            bool client_moved = false;

            step = read_client(login, &client_moved);
            has_moved |= client_moved;
        }
    }
    return step;
}

static enum login_step
go_on(struct login *login)
{
    enum login_step step = LOGIN_MORE;
    enum login_state before;

    do {
        before = login->state;
        switch (login->state) {
        case STATE_START:
            step = read_start(login);
            break;
        case STATE_TLS_ANSWER:
            step = read_tls_answer(login);
            break;
        case STATE_LOGIN:
            step = authenticate(login);
            break;
        case STATE_TLS_CLIENT:
        case STATE_CONNECT:
        case STATE_TLS_SERVER:
            break;
        case STATE_DONE:
            return LOGIN_DONE;
        case STATE_REFUSED:
            return LOGIN_REFUSED;
        case STATE_CANCEL:
            return LOGIN_CANCEL;
        }
    } while (step == LOGIN_MORE && login->state != before);
    return step;
}

enum login_step
login_client_bytes(struct login *login, const void *data, size_t length)
{
    size_t left;

    wire_feed(&login->client.stream, data, length);
    if (login->state == STATE_TLS_CLIENT)
        return login_refuse(login, "08P01", "received unencrypted data after SSL request", NULL);
    wire_left(&login->client.stream, &left);
    if (left > MOST_WAITING && login->state != STATE_DONE)
        return login_refuse(login, "08P01", "too much was sent before the authentication", NULL);
    return go_on(login);
}

enum login_step
login_server_bytes(struct login *login, const void *data, size_t length)
{
    wire_feed(&login->server.stream, data, length);
    if (login->state == STATE_TLS_SERVER)
        return login_refuse(login, "08P01", "received unencrypted data after SSL response", NULL);
    return go_on(login);
}

const char *
login_start(const struct login *login, size_t *ret_length)
{
    enum { HEAD = 8 }; /* the length and the version */

    *ret_length = login->start ? login->start_size - HEAD : 0;
    return login->start ? login->start + HEAD : NULL;
}

const char *
login_rest(const struct login *login, bool of_client, size_t *ret_length)
{
    return wire_left(of_client ? &login->client.stream : &login->server.stream, ret_length);
}
