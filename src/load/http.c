/*
 * The schedule of the HTTP load. What is due is sent on the connection that has been idle for longest;
 * when none is free it waits, and its latency goes on counting.
 */
#include "load/http.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "load/http_part.h"

enum {
    TICK_US = 1000,
    CHECK_US = 1000000,
    STANDARD_LIMIT_US = 60000000,
    DRAIN_US = 5000000,
    MOST_OPENING = 200, /* at once: more than the queue of a listening socket are refused */
};

static int64_t
cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void
put_idle(struct load_http *load, struct load_http_connection *connection)
{
    size_t size = (size_t)load->options->connections;

    if (connection->is_in_line)
        return;
    connection->is_in_line = true;
    load->idle[(load->idle_start + load->idle_count++) % size] = connection;
}

static struct load_http_connection *
take_idle(struct load_http *load)
{
    size_t size = (size_t)load->options->connections;
    struct load_http_connection *connection;

    /* Those that the server has closed meanwhile are passed over. */
    while (load->idle_count > 0) {
        connection = load->idle[load->idle_start];
        load->idle_start = (load->idle_start + 1) % size;
        load->idle_count--;
        connection->is_in_line = false;
        if (connection->phase == LOAD_HTTP_IDLE)
            return connection;
    }
    return NULL;
}

static int64_t
due_at(const struct load_http *load, int64_t number)
{
    return load->begun_us + (int64_t)((double)number * 1e6 / load->options->rate);
}

/* Sends what is due and finds a connection; what does not is first in line for the next free one. */
static void
send_due(struct load_http *load)
{
    while (load->waiting > 0) {
        struct load_http_connection *connection = take_idle(load);

        if (!connection)
            return;
        load->waiting--;
        load_http_ask(connection, due_at(load, load->due - load->waiting - 1));
    }
}

static void
open_more(struct load_http *load)
{
    for (int32_t i = 0; load->unopened > 0 && i < load->options->connections; i++) {
        struct load_http_connection *connection = &load->connections[i];

        if (load->opening >= MOST_OPENING)
            return;
        if (connection->phase != LOAD_HTTP_UNOPENED)
            continue;
        /* Without a socket to be had it is tried again with the next tick. */
        if (!load_http_connect(connection)) {
            load->result->broken++;
            return;
        }
        load->unopened--;
        load->opening++;
    }
}

static void
begin(struct load_http *load)
{
    load->begun_us = clock_us();
    load->counted_us = load->begun_us + load->options->warm_up_us;
    load->end_us = load->counted_us + load->options->duration_us;
    load->result->cpu_us = cpu_us();
    if (load->options->rate > 0)
        return;
    for (struct load_http_connection *next = take_idle(load); next; next = take_idle(load))
        load_http_ask(next, clock_us());
}

static void
reopen(struct load_http_connection *connection)
{
    load_http_close(connection);
    connection->load->unopened++;
}

/* Answers that do not come: their connections are of no more use. */
static void
give_up(struct load_http *load, int64_t now_us)
{
    int64_t limit_us = load->options->limit_us ? load->options->limit_us : STANDARD_LIMIT_US;

    if (now_us - load->checked_us < CHECK_US)
        return;
    load->checked_us = now_us;
    for (int32_t i = 0; i < load->options->connections; i++) {
        struct load_http_connection *connection = &load->connections[i];

        if (connection->phase != LOAD_HTTP_ASKING || now_us - connection->intended_us < limit_us)
            continue;
        load->result->unanswered++;
        reopen(connection);
    }
}

static void
follow_schedule(struct load_http *load, int64_t now_us)
{
    int64_t due = (int64_t)((double)(now_us - load->begun_us) * load->options->rate / 1e6) + 1;

    for (; load->due < due; load->due++, load->waiting++) {
        if (due_at(load, load->due) >= load->counted_us)
            histogram_record(load->result->lag, now_us - due_at(load, load->due));
    }
    send_due(load);
}

/*
 * What was due in time is waited for a while: the slowest answers would be missing otherwise. A closed
 * loop has no such debt.
 */
static bool
is_over(const struct load_http *load, int64_t now_us)
{
    if (!load->begun_us || now_us < load->end_us)
        return false;
    if (load->options->rate <= 0 || now_us >= load->end_us + DRAIN_US)
        return true;
    for (int32_t i = 0; i < load->options->connections; i++) {
        if (load->connections[i].phase == LOAD_HTTP_ASKING)
            return false;
    }
    /* What waits for a connection when none is asking waits for a server that is gone. */
    return true;
}

static void
tick(void *data)
{
    struct load_http *load = data;
    int64_t now_us = clock_us();

    open_more(load);
    if (!load->begun_us && load->tried >= (size_t)load->options->connections)
        begin(load);
    if (is_over(load, now_us)) {
        loop_stop(load->loop);
        return;
    }
    if (load->begun_us && now_us < load->end_us && load->options->rate > 0)
        follow_schedule(load, now_us);
    give_up(load, now_us);
    loop_timer_set(load->timer, TICK_US);
}

void
load_http_opened(struct load_http_connection *connection)
{
    struct load_http *load = connection->load;

    load->tried++;
    load->opening--;
    if (load->begun_us && load->options->rate <= 0)
        load_http_ask(connection, clock_us());
    else
        put_idle(load, connection);
}

/* Opened again with the next tick: the server may have been started anew. */
void
load_http_lost(struct load_http_connection *connection)
{
    struct load_http *load = connection->load;

    load->result->broken++;
    if (connection->phase == LOAD_HTTP_CONNECTING) {
        load->tried++;
        load->opening--;
    }
    reopen(connection);
}

static void
count(struct load_http *load, const struct load_http_connection *connection, int64_t now_us)
{
    struct load_http_result *result = load->result;
    int64_t elapsed_us = now_us - connection->intended_us;

    if (connection->intended_us < load->counted_us)
        return;
    if (now_us > load->end_us && load->options->rate <= 0)
        return;
    if (connection->status < 400) {
        histogram_record(result->good, elapsed_us);
        result->late += now_us > load->end_us;
        result->statements += connection->statements;
    } else if (connection->status == 429 || connection->status == 503) {
        histogram_record(result->refused, elapsed_us);
    } else {
        result->failed++;
    }
}

void
load_http_answered(struct load_http_connection *connection)
{
    struct load_http *load = connection->load;
    int64_t now_us = clock_us();

    count(load, connection, now_us);
    if (connection->is_last) {
        reopen(connection);
        return;
    }
    connection->phase = LOAD_HTTP_IDLE;
    if (load->options->rate <= 0) {
        load_http_ask(connection, now_us);
        return;
    }
    put_idle(load, connection);
    send_due(load);
}

static bool
find_address(struct ctx *ctx, const struct load_http_options *options, struct addrinfo **ret)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
    int status;

    if (!text_starts_with(options->host, "127.") && !text_equal(options->host, "::1")) {
        error_set(ctx, ERR_USAGE, "%s is not this machine", options->host);
        return error_hint(ctx, "Load is sent to 127.0.0.1 or ::1 only.");
    }
    status = getaddrinfo(options->host, options->port, &hints, ret);
    if (status != 0)
        return error_set(ctx, ERR_USAGE, "no address: %s:%s: %s", options->host, options->port,
            gai_strerror(status));
    return true;
}

static void
finish(struct load_http *load)
{
    struct load_http_result *result = load->result;
    int64_t now_us = clock_us();

    if (load->begun_us) {
        result->elapsed_us = (now_us < load->end_us ? now_us : load->end_us) - load->counted_us;
        result->cpu_us = cpu_us() - result->cpu_us;
    }
    result->unanswered += load->waiting;
    for (int32_t i = 0; i < load->options->connections; i++) {
        struct load_http_connection *connection = &load->connections[i];

        result->unanswered +=
            connection->phase == LOAD_HTTP_ASKING && connection->intended_us >= load->counted_us;
        result->open +=
            connection->phase == LOAD_HTTP_ASKING || connection->phase == LOAD_HTTP_IDLE;
        load_http_close(connection);
    }
}

static bool
check(struct ctx *ctx, const struct load_http_options *options)
{
    if (options->connections < 1 || options->connections > LOAD_HTTP_MOST_CONNECTIONS)
        return error_set(ctx, ERR_USAGE, "%d connections: 1 to %d are possible",
            options->connections, LOAD_HTTP_MOST_CONNECTIONS);
    if (options->request_count == 0)
        return error_set(ctx, ERR_USAGE, "there is no request to send");
    return true;
}

bool
load_http_run(
    struct ctx *ctx, const struct load_http_options *options, struct load_http_result *ret)
{
    struct loop *loop CLEANUP(loop_cleanup) = NULL;
    struct load_http load = { .options = options, .result = ret };

    *ret = (struct load_http_result){
        .good = histogram_new(ctx->arena),
        .refused = histogram_new(ctx->arena),
        .lag = histogram_new(ctx->arena),
    };
    if (!check(ctx, options) || !loop_new(ctx, &loop) || !find_address(ctx, options, &load.address))
        return false;
    load.loop = loop;
    load.random = options->seed * 2 + 1;
    load.connections =
        ARENA_ARRAY(ctx->arena, struct load_http_connection, (size_t)options->connections);
    load.idle =
        ARENA_ARRAY(ctx->arena, struct load_http_connection *, (size_t)options->connections);
    for (int32_t i = 0; i < options->connections; i++)
        load.connections[i] = (struct load_http_connection){ .load = &load, .socket = -1 };
    load.unopened = (size_t)options->connections;
    load.timer = loop_timer_new(loop, tick, &load);
    loop_timer_set(load.timer, 0);
    loop_run(loop);
    finish(&load);
    loop_timer_free(load.timer);
    freeaddrinfo(load.address);
    return true;
}
