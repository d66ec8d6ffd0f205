#include "http/client.h"

#include "base/log.h"
#include "base/memory.h"
#include "http/client_part.h"

enum { STANDARD_TIMEOUT_US = 10 * 1000 * 1000, STANDARD_BODY = 4 * 1024 * 1024 };

/* One that libcurl wants to have watched. */
struct client_socket {
    struct http_client *client;
    struct client_socket *next;
    struct client_socket **link;
    struct loop_watch *watch;
    curl_socket_t socket;
};

static void
free_call(struct client_call *call)
{
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    if (call->easy) {
        curl_multi_remove_handle(call->client->multi, call->easy);
        curl_easy_cleanup(call->easy);
    }
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->receivers);
    arena_free(call->arena); /* which it lives in itself */
}

static void
free_socket(struct client_socket *socket)
{
    *socket->link = socket->next;
    if (socket->next)
        socket->next->link = socket->link;
    loop_watch_free(socket->watch);
    free(socket);
}

static void
free_client(struct http_client *client)
{
    while (client->calls)
        free_call(client->calls);
    if (client->multi)
        curl_multi_cleanup(client->multi);
    for (struct client_socket *at = client->sockets, *next; at; at = next) {
        next = at->next;
        free_socket(at);
    }
    loop_timer_free(client->timer);
    arena_free(client->arena); /* which it lives in itself */
    curl_global_cleanup();
}

static void
tell(struct client_call *call, CURLcode code)
{
    struct http_result result = { .retry_after_us = -1 };

    client_call_judge(call, code, &result);
    call->done(call->data, &result);
}

/* Tells of what has ended meanwhile. The client may be freed by who is told. */
static void
take_ended(struct http_client *client)
{
    CURLMsg *message;
    int left;

    if (client->is_telling)
        return;
    client->is_telling = true;
    while (!client->is_freed && (message = curl_multi_info_read(client->multi, &left))) {
        struct client_call *call = NULL;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        tell(call, code);
        free_call(call);
    }
    client->is_telling = false;
    if (client->is_freed)
        free_client(client);
}

static void
act(struct http_client *client, curl_socket_t socket, int what)
{
    int running;

    if (curl_multi_socket_action(client->multi, socket, what, &running) != CURLM_OK)
        log_debug("libcurl could not go on with a socket");
    take_ended(client);
}

static void
time_is_up(void *data)
{
    act(data, CURL_SOCKET_TIMEOUT, 0);
}

static void
socket_is_ready(void *data, bool can_read, bool can_write)
{
    struct client_socket *socket = data;

    act(socket->client, socket->socket,
        (can_read ? CURL_CSELECT_IN : 0) | (can_write ? CURL_CSELECT_OUT : 0));
}

/* libcurl's word for it: which socket it waits for, and how. */
static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
    struct http_client *client = data;
    struct client_socket *socket = assigned;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket)
            free_socket(socket);
        return 0;
    }
    if (!socket) {
        socket = calloc(1, sizeof(*socket));
        if (!socket)
            memory_exhausted(0);
        socket->client = client;
        socket->socket = fd;
        socket->watch = loop_watch_new(client->loop, fd, socket_is_ready, socket);
        socket->next = client->sockets;
        socket->link = &client->sockets;
        if (socket->next)
            socket->next->link = &socket->next;
        client->sockets = socket;
        curl_multi_assign(client->multi, fd, socket);
    }
    loop_watch_set(socket->watch, what & CURL_POLL_IN, what & CURL_POLL_OUT);
    return 0;
}

static int
set_timer(CURLM *multi, long ms, void *data)
{
    struct http_client *client = data;

    (void)multi;
    if (ms < 0)
        loop_timer_stop(client->timer);
    else
        loop_timer_set(client->timer, (int64_t)ms * 1000);
    return 0;
}

bool
http_client_new(struct ctx *ctx, struct loop *loop, const struct http_client_options *options,
    struct http_client **ret)
{
    struct arena *arena;
    struct http_client *client;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(ctx, ERR_FAILED, "could not start libcurl");
    arena = arena_new();
    client = ARENA_NEW(arena, struct http_client);
    client->arena = arena;
    client->loop = loop;
    client->options = *options;
    if (options->ca_file)
        client->options.ca_file = arena_strdup(arena, options->ca_file);
    if (options->timeout_us <= 0)
        client->options.timeout_us = STANDARD_TIMEOUT_US;
    if (options->most_body_bytes <= 0)
        client->options.most_body_bytes = STANDARD_BODY;
    client->timer = loop_timer_new(loop, time_is_up, client);
    client->multi = curl_multi_init();
    if (!client->multi) {
        free_client(client);
        return error_set(ctx, ERR_FAILED, "could not start libcurl");
    }
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    *ret = client;
    return true;
}

void
http_client_free(struct http_client *client)
{
    if (!client)
        return;
    client->is_freed = true;
    if (!client->is_telling)
        free_client(client);
}

bool
http_client_call(struct ctx *ctx, struct http_client *client, const struct http_call *given,
    http_done *done, void *data)
{
    struct arena *arena = arena_new();
    struct client_call *call = ARENA_NEW(arena, struct client_call);

    call->arena = arena;
    call->body.arena = arena;
    call->client = client;
    call->done = done;
    call->data = data;
    call->next = client->calls;
    call->link = &client->calls;
    if (call->next)
        call->next->link = &call->next;
    client->calls = call;
    if (!client_call_prepare(ctx, call, given)) {
        free_call(call);
        return false;
    }
    /* It begins by the timer that libcurl sets now, so never from inside of this function. */
    if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
        free_call(call);
        return error_set(ctx, ERR_FAILED, "could not begin a request");
    }
    return true;
}
