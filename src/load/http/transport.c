/*
 * HTTP for the engine: a connection's life. A GET that crosses with the end of a connection that had been
 * idle is sent once more on a new one, as browsers do; every other request that is lost counts as lost.
 */
#include <errno.h>
#include <strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "load/http/http_part.h"

enum {
    STANDARD_PORTS = 28232, /* 32768 to 60999 */
    SPARE_PORTS = 1000,     /* others connect from them too */
    IDLE_LONG_US = 1000000, /* so long no server leaves a connection but by a timer */
};

static void
lose(struct load_connection *connection, enum load_outcome outcome, const char *message)
{
    load_http_drop(connection);
    load_user_lost(connection->user, outcome, message);
}

static void
lose_by_error(struct load_connection *connection, enum load_outcome outcome, int error)
{
    struct load_http_shared *shared = connection->shared;
    const char *words = strerrordesc_np(error);

    arena_reset(shared->turn);
    lose(connection, outcome,
        arena_printf(shared->turn, "%s: %s", shared->target.text, words ? words : "unknown error"));
}

static bool
can_repeat(const struct load_connection *connection)
{
    return !connection->is_second && connection->is_rested && !connection->reader.has_started &&
           text_equal(connection->step->method, "GET");
}

/* The connection has ended under a request. */
static void
break_off(struct load_connection *connection, int error)
{
    const char *message = "the server closed the connection before it answered";

    if (connection->phase == HTTP_ASKING && can_repeat(connection)) {
        load_http_drop(connection);
        if (load_http_open(connection)) {
            connection->is_second = true;
            connection->phase = HTTP_AGAIN;
            return;
        }
    }
    if (connection->phase == HTTP_IDLE)
        message = "the server closed an idle connection";
    else if (connection->reader.has_started)
        message = "the server closed the connection in the middle of its answer";
    if (error)
        lose_by_error(connection, LOAD_RESET, error);
    else
        lose(connection, LOAD_RESET, message);
}

static void
ask(struct load_connection *connection)
{
    struct load_http_shared *shared = connection->shared;
    const struct load_step *step = connection->step;
    const char *fault = load_http_compose(shared, step, connection->scope);

    if (fault) {
        const struct load_answer answer = {
            .outcome = LOAD_UNSENT,
            .sqlstate = "",
            .message = fault,
            .at_us = clock_us(),
            .statements = -1,
        };

        connection->phase = HTTP_IDLE;
        load_user_answered(connection->user, &answer);
        return;
    }
    load_answer_begin(&connection->reader, text_equal(step->method, "HEAD"), NULL);
    connection->taking = load_taking_begin(&connection->reader, step, connection->scope);
    connection->bytes = 0;
    connection->phase = HTTP_ASKING;
    if (!load_http_put(connection, shared->request.data, shared->request.length))
        break_off(connection, errno);
}

static void
answered(struct load_connection *connection, int64_t at_us)
{
    struct load_http_shared *shared = connection->shared;
    char words[32];
    struct load_answer answer = {
        .outcome = load_http_outcome(connection->step, connection->reader.status),
        .status = connection->reader.status,
        .sqlstate = "",
        .at_us = at_us,
        .bytes = connection->bytes,
        .statements = connection->reader.statements,
        /* What answers before it has read the whole request cannot be asked again. */
        .is_closing = connection->reader.is_closing || connection->unsent,
    };

    if (answer.outcome != LOAD_GOOD) {
        snprintf(words, sizeof(words), "status %d", answer.status);
        answer.message = words;
    } else if (connection->taking) {
        arena_reset(shared->turn);
        answer.message = load_taking_end(connection->taking, shared->turn);
    }
    if (connection->taking || answer.is_closing) {
        load_taking_free(connection->taking);
        connection->taking = NULL;
    }
    connection->idle_us = at_us;
    connection->phase = HTTP_IDLE;
    if (answer.is_closing)
        load_http_drop(connection);
    load_user_answered(connection->user, &answer);
}

/* What came, behind what was kept before. */
static void
take(struct load_connection *connection, size_t length, int64_t at_us, bool has_ended)
{
    struct load_answer_reader *reader = &connection->reader;
    const char *data = connection->shared->inbox;
    size_t used;

    if (connection->phase != HTTP_ASKING) {
        lose(connection, LOAD_GARBAGE, "the server sent bytes that nobody had asked for");
    } else if (!load_answer_read(reader, data, length, &used)) {
        lose(connection, LOAD_GARBAGE, reader->fault);
    } else if (reader->phase != ANSWER_DONE) {
        if (used < length || connection->rest)
            load_http_keep(connection, data + used, length - used);
    } else if (used < length) {
        lose(connection, LOAD_GARBAGE, "the server sent more bytes than its answer has");
    } else {
        if (connection->rest)
            load_http_keep(connection, NULL, 0);
        reader->is_closing = reader->is_closing || has_ended;
        answered(connection, at_us);
    }
}

/* True: there may be more. */
static bool
read_once(struct load_connection *connection, bool has_ended)
{
    size_t before = connection->rest_length;
    int64_t at_us;
    ssize_t count = load_http_get(connection, &at_us);

    if (count < 0 && errno == EINTR)
        return true;
    if (count < 0) {
        if (errno != EAGAIN)
            break_off(connection, errno);
        return false;
    }
    if (count == 0) {
        if (connection->phase == HTTP_ASKING && load_answer_end(&connection->reader))
            answered(connection, at_us);
        else
            break_off(connection, 0);
        return false;
    }
    connection->bytes += count;
    take(connection, before + (size_t)count, at_us, has_ended);
    return has_ended || before + (size_t)count == LOAD_INBOX_SIZE;
}

static void
opened(struct load_connection *connection)
{
    int error = connection->error;
    socklen_t size = sizeof(error);
    bool is_again = connection->phase == HTTP_AGAIN;

    if (!error)
        getsockopt(connection->edge.socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        lose_by_error(connection, is_again ? LOAD_RESET : LOAD_UNCONNECTED, error);
        return;
    }
    if (is_again) {
        ask(connection);
        return;
    }
    connection->phase = HTTP_IDLE;
    connection->idle_us = 0;
    load_user_connected(connection->user);
}

static void
happened(struct edge *edge, unsigned events)
{
    struct load_connection *connection = (struct load_connection *)edge;
    bool has_ended = (events & EDGE_ENDED) != 0;
    int socket = edge->socket;

    if (connection->phase == HTTP_CONNECTING || connection->phase == HTTP_AGAIN) {
        if (!(events & (EDGE_WRITE | EDGE_ENDED)))
            return;
        opened(connection);
    } else if ((events & EDGE_WRITE) && connection->unsent && !load_http_put_rest(connection)) {
        /* The server does not read on; why, it may have answered before it closed. */
        has_ended = true;
    }
    if (!(events & EDGE_READ) && !has_ended)
        return;
    /* What is told may close the connection, and open the next one. */
    while (edge->socket == socket &&
           (connection->phase == HTTP_IDLE || connection->phase == HTTP_ASKING)) {
        if (!read_once(connection, has_ended))
            return;
    }
}

static void
find_ports(struct ctx *ctx, struct load_http_shared *shared)
{
    const char *text;
    size_t length;
    char *end;
    long first, last;

    shared->per_source = STANDARD_PORTS - SPARE_PORTS;
    if (!file_read(ctx, "/proc/sys/net/ipv4/ip_local_port_range", &text, &length)) {
        error_clear(ctx);
        return;
    }
    first = strtol(text, &end, 10);
    last = strtol(end, NULL, 10);
    if (last > first)
        shared->per_source = (uint32_t)(last - first > 2 * SPARE_PORTS ? last - first - SPARE_PORTS
                                                                       : (last - first + 1) / 2);
}

static bool
open_shared(struct ctx *ctx, const struct load_scenario *scenario,
    const struct load_options *options, struct edge_set *edges, void **ret)
{
    const char *text = options->target ? options->target : scenario->target;
    struct load_http_shared *shared = ARENA_NEW(ctx->arena, struct load_http_shared);

    if (!text) {
        error_set(ctx, ERR_USAGE, "nothing says which server to load");
        return error_hint(ctx, "Use --target 127.0.0.1:8000, or target = … in the scenario.");
    }
    if (!load_target_read(ctx, text, &options->allowed, &shared->target))
        return false;
    find_ports(ctx, shared);
    shared->arena = arena_new();
    shared->turn = arena_new();
    shared->edges = edges;
    shared->has_stamps = true;
    shared->request.arena = shared->body.arena = shared->lines.arena = shared->arena;
    buffer_printf(&shared->lines, " HTTP/1.1\r\nHost: %s\r\n", shared->target.text);
    shared->inbox = arena_alloc(shared->arena, LOAD_INBOX_SIZE);
    *ret = shared;
    return true;
}

static void
close_shared(void *data)
{
    struct load_http_shared *shared = data;

    for (struct load_connection *next = shared->connections; next; next = next->next)
        load_http_drop(next);
    arena_free(shared->turn);
    arena_free(shared->arena);
}

static struct load_connection *
add_connection(void *data, struct load_user *user, struct load_scope *scope)
{
    struct load_http_shared *shared = data;
    struct load_connection *connection = ARENA_NEW(shared->arena, struct load_connection);

    *connection = (struct load_connection){
        .edge = { .callback = happened, .socket = -1 },
        .shared = shared,
        .user = user,
        .scope = scope,
        .source =
            (uint16_t)(shared->target.is_loopback && shared->target.address.ss_family == AF_INET
                           ? shared->added / shared->per_source
                           : 0),
        .next = shared->connections,
    };
    shared->connections = connection;
    shared->added++;
    return connection;
}

static bool
connect_to(struct load_connection *connection)
{
    load_http_drop(connection);
    if (!load_http_open(connection))
        return false;
    connection->phase = HTTP_CONNECTING;
    return true;
}

static void
send_step(struct load_connection *connection, const struct load_step *step)
{
    load_scope_begin(connection->scope, step);
    connection->step = step;
    connection->is_second = false;
    connection->is_rested =
        connection->idle_us > 0 && clock_us() - connection->idle_us >= IDLE_LONG_US;
    ask(connection);
}

const struct load_transport load_http_transport = {
    .open = open_shared,
    .close = close_shared,
    .add = add_connection,
    .connect = connect_to,
    .send = send_step,
    .disconnect = load_http_drop,
};
