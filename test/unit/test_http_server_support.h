/*
 * A server on a loop, and clients that speak to it by bare sockets in a thread of their own: they
 * block, as real ones do, while the loop runs here.
 */
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "event/loop.h"
#include "http/server.h"

struct fixture {
    struct ctx *ctx;
    struct loop *loop;
    struct http_server *server;
    struct http_request *kept; /* that nobody has answered yet */
    struct http_stream *stream;
    int32_t closed;
};

/* A client's life: says something, perhaps in pieces, and listens until the server closes. */
struct dialog {
    const char *address;
    const char *say;
    size_t length;  /* of what is said; 0: up to its NUL */
    size_t piece;   /* bytes at once; 0: all */
    bool is_silent; /* does not listen: closes after saying it */
    bool is_half;   /* says that it has said all */
    char *heard;
    size_t heard_length;
    bool was_reset;
    int done[2];
};

static inline int
dial(const char *address)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 40 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline void
listen_to_all(struct dialog *dialog, int fd)
{
    size_t capacity = 1024;

    dialog->heard = malloc(capacity);
    for (;;) {
        ssize_t got;

        if (capacity - dialog->heard_length < 2) {
            capacity *= 2;
            dialog->heard = realloc(dialog->heard, capacity);
        }
        got =
            recv(fd, dialog->heard + dialog->heard_length, capacity - dialog->heard_length - 1, 0);
        if (got <= 0) {
            dialog->was_reset = got < 0;
            break;
        }
        dialog->heard_length += (size_t)got;
    }
    dialog->heard[dialog->heard_length] = '\0';
}

static inline void *
hold_dialog(void *data)
{
    struct dialog *dialog = data;
    int fd = dial(dialog->address);
    size_t length = dialog->length ? dialog->length : strlen(dialog->say);
    size_t piece = dialog->piece ? dialog->piece : length;

    for (size_t at = 0; fd >= 0 && at < length; at += piece) {
        size_t size = length - at < piece ? length - at : piece;

        if (send(fd, dialog->say + at, size, MSG_NOSIGNAL) < 0)
            break;
    }
    if (fd >= 0 && dialog->is_half)
        shutdown(fd, SHUT_WR);
    if (fd >= 0 && !dialog->is_silent)
        listen_to_all(dialog, fd);
    if (fd >= 0)
        close(fd);
    if (write(dialog->done[1], "x", 1) < 0)
        abort();
    return NULL;
}

static inline void
dialog_is_over(void *data, bool can_read, bool can_write)
{
    (void)can_read;
    (void)can_write;
    loop_stop(data);
}

/* Runs the loop until the client has heard all; what it heard is freed with the test's arena. */
static inline void
run_dialog(struct fixture *fixture, struct dialog *dialog)
{
    struct loop_watch *watch;
    pthread_t thread;
    char *heard;

    dialog->address = http_server_address(fixture->server);
    assert_int_equal(pipe(dialog->done), 0);
    watch = loop_watch_new(fixture->loop, dialog->done[0], dialog_is_over, fixture->loop);
    loop_watch_set(watch, true, false);
    assert_int_equal(pthread_create(&thread, NULL, hold_dialog, dialog), 0);
    loop_run(fixture->loop);
    pthread_join(thread, NULL);
    loop_watch_free(watch);
    close(dialog->done[0]);
    close(dialog->done[1]);
    heard = dialog->heard;
    dialog->heard = heard ? arena_strndup(fixture->ctx->arena, heard, dialog->heard_length)
                          : arena_strdup(fixture->ctx->arena, "");
    free(heard);
}

/* What the server says to these bytes until it closes. */
static inline const char *
ask(struct fixture *fixture, const char *say)
{
    struct dialog dialog = { .say = say };

    run_dialog(fixture, &dialog);
    if (dialog.was_reset)
        fail_msg("the connection was reset after \"%s\"", dialog.heard);
    return dialog.heard;
}

static inline int
status_of(const char *heard)
{
    return text_starts_with(heard, "HTTP/1.1 ") ? (int)strtol(heard + 9, NULL, 10) : 0;
}

#define assert_has(text, part)                                  \
    do {                                                        \
        const char *text_ = (text);                             \
                                                                \
        if (!strstr(text_, (part)))                             \
            fail_msg("\"%s\" is not in \"%s\"", (part), text_); \
    } while (0)

#define assert_has_not(text, part)                          \
    do {                                                    \
        const char *text_ = (text);                         \
                                                            \
        if (strstr(text_, (part)))                          \
            fail_msg("\"%s\" is in \"%s\"", (part), text_); \
    } while (0)

static inline void
answer_text(struct http_request *request, const char *text)
{
    http_answer(
        request, &(struct http_answer){
                     .status = 200, .type = "text/plain", .body = text, .length = strlen(text) });
}

static inline void
start_server(struct fixture *fixture, const struct http_server_options *options)
{
    struct http_server_options own = *options;

    if (!own.listen)
        own.listen = "127.0.0.1:0";
    own.data = fixture;
    if (!http_server_start(fixture->ctx, fixture->loop, &own, &fixture->server))
        fail_msg("%s", fixture->ctx->error.message);
}

static inline int
fixture_new(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    void *ctx;

    test_ctx_new(&ctx);
    fixture->ctx = ctx;
    if (!loop_new(fixture->ctx, &fixture->loop))
        return 1;
    *state = fixture;
    return 0;
}

static inline int
fixture_free(void **state)
{
    struct fixture *fixture = *state;
    void *ctx = fixture->ctx;

    http_server_stop(fixture->server);
    loop_free(fixture->loop);
    test_ctx_free(&ctx);
    free(fixture);
    return 0;
}

#define test_with_server(test) cmocka_unit_test_setup_teardown(test, fixture_new, fixture_free)
