/* What the files of the server share. */
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include "http/date.h"
#include "http/server.h"
#include "http/server_message.h"

struct http_connection;

/* Bytes that come or go; without memory while there are none. */
struct http_bytes {
    char *data;
    size_t start;
    size_t end;
    size_t capacity;
};

enum http_phase {
    PHASE_IDLE,   /* between two requests */
    PHASE_HEAD,   /* some of a request is there */
    PHASE_BODY,   /* its head is */
    PHASE_WORK,   /* a handler has it */
    PHASE_ANSWER, /* what it said goes out */
    PHASE_STREAM, /* events go out */
    PHASE_LINGER, /* all is said; what still comes is thrown away, so that the last words arrive */
};

struct http_connection {
    struct http_server *server;
    struct http_connection *older;
    struct http_connection *newer;
    struct loop_watch *watch;
    int socket;
    enum http_phase phase;
    bool is_last;   /* no request after this one */
    bool is_eof;    /* the client says no more */
    bool is_probed; /* since then it was asked whether it listens */
    bool is_ended;  /* freed as soon as nobody works on it */
    uint32_t busy;  /* how many are at work on it */
    size_t scanned;
    int64_t since_us;     /* when this phase, or what waits to be sent, began */
    int64_t moved;        /* bytes since then */
    int64_t moved_before; /* as it was when the stream was last looked at */
    int64_t thrown;       /* bytes read for nothing */
    struct http_chunks chunks;
    struct http_bytes in;
    struct http_bytes out;
    struct http_request *request; /* not answered yet */
    struct http_stream *stream;
};

struct http_request {
    struct arena *arena;
    struct loop *loop;
    struct http_connection *connection; /* NULL: gone */
    struct http_handler_of {
        http_handler *call;
        void *data;
    } handler;
    loop_callback *gone;
    void *gone_data;
    int64_t most_body_bytes;
    struct buffer body;
    struct http_head head; /* last, because it is large */
};

struct http_stream {
    struct http_connection *connection; /* NULL: gone, and closed is about to be called */
    struct loop *loop;
    struct loop_timer *ending;
    loop_callback *closed;
    void *data;
};

struct http_server {
    struct http_server_options options;
    struct arena *arena;
    struct loop *loop;
    struct loop_watch *listener;
    struct loop_timer *sweep;
    int socket;
    bool is_paused; /* no descriptor was left to accept with */
    bool is_sweeping;
    bool is_draining;
    loop_callback *drained;
    void *drained_data;
    /* In the order in which they began to wait for a request, or were accepted. */
    struct http_connection *newest;
    struct http_connection *oldest;
    int32_t count;
    const char *address;
    const char *cookie;       /* its name */
    const char *cookie_value; /* what stands for the token in it; NULL: no token */
    time_t date_second;
    char date[HTTP_DATE_SIZE];
};

/* server_connection.c */
void http_connection_new(struct http_server *server, int socket);
/* Closes it; its request is answered into the void, its stream ends. */
void http_connection_end(struct http_connection *connection);
/* Does what can be done now: reads on, hands over, writes. May free it. */
void http_connection_go_on(struct http_connection *connection);
/* Sends as much of both as goes now and keeps the rest; false when the connection is lost. */
bool http_connection_send(struct http_connection *connection, const struct iovec *parts, int count);
/* Called now and then: ends it if it is too slow, or nobody needs it any more. */
void http_connection_check(struct http_connection *connection, int64_t now_us);

/* server.c: the connection is one of the server's from here on, or again the newest. */
void http_server_keep(struct http_server *server, struct http_connection *connection);
void http_server_renew(struct http_server *server, struct http_connection *connection);
void http_server_forget(struct http_server *server, struct http_connection *connection);

/* server_listen.c: the address that the socket listens on, in the arena. */
const char *http_socket_address(struct arena *arena, int socket);
/* ERR_USAGE unless it is loopback or there is something that asks who is there. */
bool http_check_address(
    struct ctx *ctx, const struct sockaddr *address, const char *token, bool is_public) MUST_CHECK;

/* server_guard.c: 0, or the status to refuse it with; 303 is the redirect after a login. */
int http_guard(const struct http_server *server, struct http_request *request, bool is_open,
    const char **ret_why);

/* server_route.c: judges the request and finds who answers it; 0, or it is answered already. */
bool http_route(struct http_request *request);

/* server_answer.c */
struct http_request *http_request_new(struct http_connection *connection);
void http_request_free(struct http_request *request);
/* An error that we found ourselves; the header is one to add, or NULL. */
void http_refuse(
    struct http_request *request, int status, const char *why, const struct http_header *header);
void http_answer_head(struct http_request *request, const struct http_answer *answer,
    bool has_length, struct buffer *ret);

/* server_stream.c */
void http_stream_lost(struct http_stream *stream, bool at_once);
void http_stream_check(struct http_stream *stream, int64_t now_us);

/* server_bytes.c */
void http_bytes_add(struct http_bytes *bytes, const void *data, size_t length);
void http_bytes_drop(struct http_bytes *bytes, size_t length);
void http_bytes_free(struct http_bytes *bytes);
static inline size_t
http_bytes_count(const struct http_bytes *bytes)
{
    return bytes->end - bytes->start;
}
