/*
 * A notifier whose sinks are programs that append what they get to files, and alerts made by hand. A
 * small HTTP server in a thread of its own says what the test wants, without any code of ours.
 */
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "monitor/notify/sink.h"

#define PATIENCE_US INT64_C(40000000)

struct bench {
    struct ctx *ctx;
    const char *folder;
    struct loop *loop;
    struct loop_timer *timer;
    struct setup setup;
    struct notifier *notifier;
    bool (*is_there)(struct bench *bench); /* what is waited for */
    size_t wanted;
    const char *sink;
    int64_t until_us;
    bool is_late;
};

static inline const char *
sink_path(struct bench *bench, const char *sink, const char *what)
{
    return arena_printf(bench->ctx->arena, "%s/%s.%s", bench->folder, sink, what);
}

/* A sink of a program that takes nothing as long as there is a file NAME.down. */
static inline struct setup_sink *
add_program(struct bench *bench, const char *name)
{
    const char *path = sink_path(bench, name, "sh");
    const char *script = arena_printf(bench->ctx->arena,
        "#!/bin/sh\nif [ -e %s ]; then echo out of paper >&2; exit 3; fi\n"
        "{ cat; echo; } >>%s\n",
        sink_path(bench, name, "down"), sink_path(bench, name, "out"));
    struct setup_sink sink = {
        .name = name,
        .kind = SINK_PROGRAM,
        .program = path,
        .sends_resolved = true,
        .group_wait_us = 100000,
    };

    assert_true(file_write(bench->ctx, path, script, strlen(script), 0700));
    VEC_PUSH(bench->ctx->arena, &bench->setup.sinks, sink);
    return &bench->setup.sinks.items[bench->setup.sinks.count - 1];
}

static inline void
set_down(struct bench *bench, const char *sink, bool is_down)
{
    const char *path = sink_path(bench, sink, "down");

    if (is_down)
        assert_true(file_write(bench->ctx, path, "", 0, 0600));
    else
        assert_int_equal(unlink(path), 0);
}

static inline void
add_route(struct bench *bench, const char *severity, const char *owner, int64_t after_us,
    const char *sink)
{
    struct setup_route route = { .severity = severity, .owner = owner, .after_us = after_us };

    text_list_add(bench->ctx->arena, &route.sinks, sink);
    VEC_PUSH(bench->ctx->arena, &bench->setup.routes, route);
}

/* The lines that the sink's program has written, each a document. */
static inline size_t
read_lines(struct bench *bench, const char *sink, struct text_list *ret)
{
    const char *path = sink_path(bench, sink, "out");
    const char *text;
    size_t length;

    *ret = (struct text_list){ 0 };
    if (!file_exists(path))
        return 0;
    assert_true(file_read(bench->ctx, path, &text, &length));
    for (const char *at = text; strchr(at, '\n'); at = strchr(at, '\n') + 1)
        text_list_add(
            bench->ctx->arena, ret, arena_strndup(bench->ctx->arena, at, strcspn(at, "\n")));
    return ret->count;
}

static inline void
look_again(void *data)
{
    struct bench *bench = data;

    bench->is_late = clock_us() > bench->until_us;
    if (bench->is_late || bench->is_there(bench))
        loop_stop(bench->loop);
    else
        loop_timer_set(bench->timer, 10000);
}

static inline void
wait_until(struct bench *bench, bool (*is_there)(struct bench *), int64_t wait_us)
{
    bench->is_there = is_there;
    bench->until_us = clock_us() + wait_us;
    loop_timer_set(bench->timer, 0);
    loop_run(bench->loop);
}

static inline bool
has_lines(struct bench *bench)
{
    struct text_list lines;

    return read_lines(bench, bench->sink, &lines) >= bench->wanted;
}

static inline bool
is_never(struct bench *bench)
{
    (void)bench;
    return false;
}

/* Document number count of the sink, from 1; the caller owns it. */
static inline json_t *
wait_for(struct bench *bench, const char *sink, size_t count)
{
    struct text_list lines;
    json_t *json;

    bench->sink = sink;
    bench->wanted = count;
    wait_until(bench, has_lines, PATIENCE_US);
    if (bench->is_late)
        fail_msg("%s was told %zu times, not %zu", sink, read_lines(bench, sink, &lines), count);
    read_lines(bench, sink, &lines);
    assert_true(json_parse(bench->ctx, sink, lines.items[count - 1], &json));
    return json;
}

static inline size_t
count_after(struct bench *bench, const char *sink, int64_t wait_us)
{
    struct text_list lines;

    wait_until(bench, is_never, wait_us);
    return read_lines(bench, sink, &lines);
}

static inline struct sink_state
state_of(struct bench *bench, const char *sink)
{
    struct sink_state *states;
    size_t count = notifier_sinks(bench->notifier, bench->ctx->arena, &states);

    for (size_t i = 0; i < count; i++)
        if (text_equal(states[i].name, sink))
            return states[i];
    fail_msg("there is no sink %s", sink);
    return (struct sink_state){ 0 };
}

static const struct alert_rule busy_rule = {
    .name = "cpu-busy",
    .summary = "CPU of the machine is busy",
    .severity = ALERT_WARNING,
    .metric = "pgmend_host_cpu_busy_ratio",
    .threshold = 0.8,
    .clear = 0.75,
    .unit = "ratio",
    .next = "pgmend top",
};
static const struct alert_rule down_rule = {
    .name = "server-down",
    .summary = "The server does not answer",
    .severity = ALERT_CRITICAL,
    .metric = "pgmend_up",
    .threshold = 1,
    .is_below = true,
    .unit = "count",
    .next = "pgmend doctor",
};

static inline struct alert
alert_of(const char *id, const struct alert_rule *rule, const char *server)
{
    return (struct alert){
        .id = id,
        .rule = rule,
        .server = server,
        .labels = "",
        .state = ALERT_FIRING,
        .value = 0.93,
        .worst = 0.99,
        .since_wall_us = clock_wall_us() - 300000000,
        .fired_wall_us = clock_wall_us(),
    };
}

static inline void
resolve(struct bench *bench, struct alert *alert)
{
    alert->state = ALERT_RESOLVED;
    alert->resolved_wall_us = clock_wall_us();
    notifier_hear(bench->notifier, alert);
}

static inline void
start(struct bench *bench)
{
    const struct notifier_options options = {
        .setup = &bench->setup,
        .page_url = "http://127.0.0.1:9187/",
    };

    assert_true(notifier_new(bench->ctx, bench->loop, &options, &bench->notifier));
}

static inline int
bench_new(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx = ARENA_NEW(arena, struct ctx);
    bench->ctx->arena = arena;
    bench->folder = test_folder(bench->ctx);
    assert_true(loop_new(bench->ctx, &bench->loop));
    bench->timer = loop_timer_new(bench->loop, look_again, bench);
    *state = bench;
    return 0;
}

static inline int
bench_free(void **state)
{
    struct bench *bench = *state;

    notifier_free(bench->notifier);
    loop_timer_free(bench->timer);
    loop_free(bench->loop);
    assert_true(file_remove(bench->ctx, bench->folder));
    arena_free(bench->ctx->arena);
    return 0;
}

#define test_with_bench(test) cmocka_unit_test_setup_teardown(test, bench_new, bench_free)

/* An HTTP server that gives one answer a request; the last one again and again. NULL: hangs. */
struct responder {
    const char *const *answers;
    int fd;
    int port;
    pthread_t thread;
    pthread_mutex_t lock;
    size_t count; /* requests so far */
    int64_t at_us[64];
    char requests[64][16384];
};

static inline size_t
requests_of(struct responder *responder)
{
    size_t count;

    pthread_mutex_lock(&responder->lock);
    count = responder->count;
    pthread_mutex_unlock(&responder->lock);
    return count;
}

/* Reads head and body of a request. */
static inline void
read_request(int fd, char *text, size_t size)
{
    size_t length = 0;

    for (;;) {
        ssize_t got = recv(fd, text + length, size - 1 - length, 0);

        if (got <= 0)
            return;
        length += (size_t)got;
        text[length] = '\0';

        const char *end = strstr(text, "\r\n\r\n");
        const char *size_text = strcasestr(text, "content-length:");

        if (end && length >= (size_t)(end + 4 - text) +
                                 (size_text ? strtoul(size_text + 15, NULL, 10) : 0))
            return;
    }
}

static inline void *
respond(void *data)
{
    struct responder *responder = data;
    size_t which = 0;

    for (;;) {
        int fd = accept4(responder->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&responder->lock);

        size_t number = responder->count < 64 ? responder->count : 63;

        read_request(fd, responder->requests[number], sizeof(responder->requests[0]));
        responder->at_us[number] = clock_us();
        responder->count++;
        pthread_mutex_unlock(&responder->lock);

        const char *answer = responder->answers[which];

        if (responder->answers[which + 1])
            which++;
        if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
            return NULL;
        close(fd);
    }
}

static inline struct responder *
responder_new(const char *const *answers)
{
    struct responder *responder = calloc(1, sizeof(*responder));
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(at);

    responder->answers = answers;
    pthread_mutex_init(&responder->lock, NULL);
    responder->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(responder->fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(responder->fd, 16), 0);
    assert_int_equal(getsockname(responder->fd, (struct sockaddr *)&at, &length), 0);
    responder->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&responder->thread, NULL, respond, responder), 0);
    return responder;
}

static inline void
responder_free(struct responder *responder)
{
    shutdown(responder->fd, SHUT_RDWR);
    pthread_join(responder->thread, NULL);
    close(responder->fd);
    pthread_mutex_destroy(&responder->lock);
    free(responder);
}
