/* A client on a loop, and other people's servers for it. */
#pragma once

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "event/loop.h"
#include "http/client.h"

/* Other people's servers, in Python; one process for all tests. */
static struct peer {
    pid_t pid;
    int stdin_fd;
    const char *folder;
    int web, web_tls, mail, mail_tls; /* ports */
} peer;

struct fixture {
    struct ctx *ctx;
    struct loop *loop;
    struct http_client *client;
    int pending;
    /* Of the last answer. */
    bool is_answered;
    int status;
    int64_t retry_after_us;
    const char *body;
    size_t length;
    const char *error;
};

static inline int
start_peer(void **state)
{
    static struct ctx ctx;
    int in[2], out[2];
    char line[80] = "";
    const char *script;

    (void)state;
    ctx.arena = arena_new();
    script = test_source(&ctx, "test/unit/http_peer.py");
    peer.folder = test_folder(&ctx);
    assert_int_equal(pipe(in) + pipe(out), 0);
    peer.pid = fork();
    if (peer.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", script, peer.folder, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    peer.stdin_fd = in[1];
    for (size_t at = 0; at + 1 < sizeof(line) && !strchr(line, '\n'); at++) {
        if (read(out[0], line + at, 1) != 1)
            return 1;
    }
    close(out[0]);
    return sscanf(line, "%d %d %d %d", /* NOLINT(cert-err34-c): a bad port fails the test anyway */
               &peer.web, &peer.web_tls, &peer.mail, &peer.mail_tls) == 4
               ? 0
               : 1;
}

static inline int
end_peer(void **state)
{
    struct arena *arena = arena_new();
    struct ctx ctx = { .arena = arena };
    bool is_removed = file_remove(&ctx, peer.folder);

    (void)state;
    close(peer.stdin_fd);
    kill(peer.pid, SIGTERM);
    waitpid(peer.pid, NULL, 0);
    arena_free(arena);
    return is_removed ? 0 : 1;
}

static inline int
fixture_new(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    void *ctx;

    test_ctx_new(&ctx);
    fixture->ctx = ctx;
    *state = fixture;
    return loop_new(ctx, &fixture->loop) ? 0 : 1;
}

static inline int
fixture_free(void **state)
{
    struct fixture *fixture = *state;
    void *ctx = fixture->ctx;

    http_client_free(fixture->client);
    loop_free(fixture->loop);
    test_ctx_free(&ctx);
    free(fixture);
    return 0;
}

static inline void
start_client(struct fixture *fixture, const struct http_client_options *options)
{
    if (!http_client_new(fixture->ctx, fixture->loop, options, &fixture->client))
        fail_msg("%s", fixture->ctx->error.message);
}

static inline void
note_answer(void *data, const struct http_result *result)
{
    struct fixture *fixture = data;
    struct arena *arena = fixture->ctx->arena;

    assert_true(result->is_answered == !result->error);
    fixture->is_answered = result->is_answered;
    fixture->status = result->status;
    fixture->retry_after_us = result->retry_after_us;
    fixture->body = arena_strndup(arena, result->body, result->length);
    fixture->length = result->length;
    fixture->error = result->error ? arena_strdup(arena, result->error) : NULL;
    if (--fixture->pending == 0)
        loop_stop(fixture->loop);
}

static inline void
begin(struct fixture *fixture, const struct http_call *call)
{
    fixture->pending++;
    if (!http_client_call(fixture->ctx, fixture->client, call, note_answer, fixture))
        fail_msg("%s", fixture->ctx->error.message);
    assert_true(fixture->pending > 0); /* not from inside */
}

static inline void
call_and_wait(struct fixture *fixture, const struct http_call *call)
{
    begin(fixture, call);
    loop_run(fixture->loop);
}

static inline const char *
web(struct fixture *fixture, const char *path)
{
    return arena_printf(fixture->ctx->arena, "http://127.0.0.1:%d%s", peer.web, path);
}

static inline void
get(struct fixture *fixture, const char *url)
{
    call_and_wait(fixture, &(struct http_call){ .url = url });
}

static inline json_t *
parse(struct fixture *fixture)
{
    json_t *json;

    if (!json_parse(fixture->ctx, "answer", fixture->body, &json))
        fail_msg("%s: %s", fixture->body, fixture->ctx->error.message);
    return json;
}

static inline const char *
text_of(struct fixture *fixture, const json_t *object, const char *key)
{
    return json_get_text(fixture->ctx->arena, object, key, "(none)");
}

static const struct http_client_options anything = { .allow_private = true,
    .timeout_us = 60000000 };

#define test_with_client(test) cmocka_unit_test_setup_teardown(test, fixture_new, fixture_free)
