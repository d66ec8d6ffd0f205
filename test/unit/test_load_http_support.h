/*
 * The HTTP transport alone, against a server that the test plays itself: what the engine would be told
 * is noted down, and templates are plain texts.
 */
#pragma once

#include "support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "load/http/http_part.h"

enum { SLOTS = 4, PATIENCE = 300, STEP_US = 100000 };

struct load_user {
    int connected;
    int lost;
    int answers;
    enum load_outcome outcome;
    struct load_answer answer;
    char message[256];
};

struct load_template {
    const char *text;
    bool is_missing;
};

struct load_scope {
    char taken[SLOTS][8192];
    size_t length[SLOTS];
    int begun;
};

struct play {
    struct ctx *ctx;
    struct edge_set *edges;
    struct load_http_shared *shared;
    struct load_user user;
    struct load_scope scope;
    struct load_connection *connection;
    char address[64];
    int listener;
    int peer; /* the server's end */
    char request[1 << 16];
    size_t request_length;
};

void
load_user_connected(struct load_user *user)
{
    user->connected++;
}

static void
note(struct load_user *user, enum load_outcome outcome, const char *message)
{
    user->outcome = outcome;
    snprintf(user->message, sizeof(user->message), "%s", message ? message : "");
}

void
load_user_answered(struct load_user *user, const struct load_answer *answer)
{
    user->answers++;
    user->answer = *answer;
    note(user, answer->outcome, answer->message);
}

void
load_user_lost(struct load_user *user, enum load_outcome outcome, const char *message)
{
    user->lost++;
    note(user, outcome, message);
}

void
load_scope_begin(struct load_scope *scope, const struct load_step *step)
{
    assert_non_null(step);
    scope->begun++;
}

void
load_scope_take(struct load_scope *scope, size_t slot, const char *data, size_t length)
{
    assert_true(slot < SLOTS && length < sizeof(scope->taken[slot]));
    memcpy(scope->taken[slot], data, length);
    scope->taken[slot][length] = '\0';
    scope->length[slot] = length;
}

bool
load_template_write(
    const struct load_template *template, struct load_scope *scope, struct buffer *ret)
{
    (void)scope;
    if (template->is_missing)
        return false;
    buffer_add(ret, template->text);
    return true;
}

#define SCOPE_PROBLEM "\"token\" was not taken"

const char *
load_scope_reason(const struct load_scope *scope)
{
    return scope->begun > 0 ? SCOPE_PROBLEM : NULL;
}

static inline void
play_listen(struct play *play, const char *host)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);

    play->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    assert_int_equal(bind(play->listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(play->listener, 100), 0);
    getsockname(play->listener, (struct sockaddr *)&address, &length);
    snprintf(play->address, sizeof(play->address), "%s:%d", host, ntohs(address.sin_port));
}

static inline void
play_open(struct play *play, struct ctx *ctx)
{
    const struct load_scenario scenario = { .name = "play", .kind = LOAD_HTTP };
    struct load_options options = { .seed = 1 };
    void *shared = NULL;

    *play = (struct play){ .ctx = ctx, .listener = -1, .peer = -1 };
    play_listen(play, "127.0.0.1");
    options.target = play->address;
    assert_true(edge_set_new(ctx, &play->edges));
    assert_true(load_http_transport.open(ctx, &scenario, &options, play->edges, &shared));
    play->shared = shared;
    play->connection = load_http_transport.add(shared, &play->user, &play->scope);
}

static inline void
play_close(struct play *play)
{
    load_http_transport.close(play->shared);
    edge_set_free(play->edges);
    close(play->listener);
    if (play->peer >= 0)
        close(play->peer);
}

/* Until the number grows to what is wanted. */
static inline void
play_until(struct play *play, const int *number, int wanted)
{
    for (int i = 0; i < PATIENCE && *number < wanted; i++)
        edge_wait(play->edges, STEP_US);
    assert_true(*number >= wanted);
}

static inline void
play_accept(struct play *play)
{
    if (play->peer >= 0)
        close(play->peer);
    play->peer = accept(play->listener, NULL, NULL);
    assert_true(play->peer >= 0);
}

static inline void
play_connect(struct play *play)
{
    int connected = play->user.connected;

    assert_true(load_http_transport.connect(play->connection));
    assert_int_equal(play->user.connected, connected); /* never from inside */
    play_until(play, &play->user.connected, connected + 1);
    play_accept(play);
}

/* Reads what has come to the server: a request is sent at once. */
static inline void
play_receive(struct play *play)
{
    ssize_t count = recv(play->peer, play->request, sizeof(play->request) - 1, 0);

    assert_true(count > 0);
    play->request[count] = '\0';
    play->request_length = (size_t)count;
}

/* The server's bytes, in pieces of this size, each seen by the transport alone. */
static inline void
play_answer(struct play *play, const char *data, size_t length, size_t piece)
{
    for (size_t at = 0; at < length; at += piece) {
        size_t size = length - at < piece ? length - at : piece;

        /* What was found to be garbage is closed by the transport. */
        if (send(play->peer, data + at, size, MSG_NOSIGNAL) < 0 || play->user.lost > 0)
            return;
        edge_wait(play->edges, play->user.answers == 0 ? STEP_US : 0);
    }
}
