/*
 * An HTTP/1.1 server on a loop: a table of routes, a request, an answer. What a proxy might read
 * otherwise than we do (a doubled or missing Host, a doubled Content-Length, NUL, odd white space) is
 * refused with 400; that is why requests are read by our own strict parser and not by evhttp, which
 * lets all of it pass. No TLS: a proxy in front ends it.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "event/loop.h"

struct http_server;
struct http_request;

struct http_header {
    const char *name;
    const char *value;
};

enum http_method { HTTP_GET = 1, HTTP_POST = 2, HTTP_PUT = 4, HTTP_DELETE = 8 };
/* As methods of a route: also those that are none of the above (http_request_method() is 0). */
enum { HTTP_EVERY_METHOD = 0xffff };

/* Answers the request, now or later, exactly once: http_answer(), http_fail() or a stream. */
typedef void http_handler(void *data, struct http_request *request);

struct http_route {
    unsigned methods; /* of enum http_method, or-ed; HEAD goes with GET */
    const char *path; /* "/metrics"; one that ends with slash and star takes everything below */
    http_handler *handler;
    bool is_open;            /* answered without the token: health only */
    int64_t most_body_bytes; /* 0: as for the server */
};

struct http_server_options {
    const char *listen; /* "127.0.0.1:9187", "[::1]:0", ":9187" (all), port 0: any free one */
    const struct http_route *routes;
    size_t route_count;
    void *data;               /* for the handlers */
    const char *token;        /* "Authorization: Bearer …" or cookie; NULL: loopback only */
    struct text_list hosts;   /* names that Host may have beside addresses and localhost */
    int64_t idle_timeout_us;  /* 0: 60 s */
    int64_t most_body_bytes;  /* 0: 1 MB */
    int32_t most_connections; /* 0: 200 */
    bool share_port;          /* several processes listen on the same address */
    /*
     * One that listens already, which several processes may do; the server's to close. 0: none, and
     * listen says where.
     */
    int socket;
    /* Handlers see for themselves who asks: no token, any address, any Host, pages of other sites. */
    bool is_public;
};

/* A socket that listens, for options.socket. Errors as http_server_start() has them. */
bool http_server_listen(struct ctx *ctx, const char *address, bool share_port, int *ret_socket)
    MUST_CHECK;

/*
 * Listens. ERR_INPUT for an address that cannot be read, ERR_USAGE when it is not loopback and there
 * is no token, ERR_IO when it cannot be bound (in use).
 */
bool http_server_start(struct ctx *ctx, struct loop *loop,
    const struct http_server_options *options, struct http_server **ret) MUST_CHECK;
/* At once. A request that is answered later than this has nobody to go to, which is fine. */
void http_server_stop(struct http_server *server);
/*
 * Listens no longer, answers what is under way and closes each connection after it; done is called
 * when none is left. Streams go on: end them.
 */
void http_server_drain(struct http_server *server, loop_callback *done, void *data);
/* Whether clients are let in: those who come meanwhile wait, or go to who else has the socket. */
void http_server_accept(struct http_server *server, bool is_accepting);
/* "127.0.0.1:9187" with the port that it got. */
const char *http_server_address(const struct http_server *server);
/* How many clients are connected. */
int32_t http_server_count(const struct http_server *server);

/* Of the request: everything lives until it is answered. */
struct arena *http_request_arena(struct http_request *request);
enum http_method http_request_method(const struct http_request *request);
const char *http_request_path(const struct http_request *request); /* decoded, without the query */
const char *http_request_query(const struct http_request *request, const char *name); /* or NULL */
/* The names in the query, each as often as it is there, from 0; NULL: there are no more. */
const char *http_request_query_name(const struct http_request *request, size_t number);
const char *http_request_header(const struct http_request *request, const char *name); /* or NULL */
/* The last of this name, which the nearest proxy has added; or NULL. */
const char *http_request_last_header(const struct http_request *request, const char *name);
const char *http_request_body(const struct http_request *request, size_t *ret_length);
const char *http_request_client(struct http_request *request); /* address */
/*
 * Whether the client has gone away meanwhile: work that has not begun need not begin. One that only
 * says that it will send no more (half-closed) still waits for its answer, and has not gone.
 */
bool http_request_is_gone(const struct http_request *request);
/*
 * Calls back once from the loop, if the client goes away before the request is answered: what is done
 * for it can be cancelled. The request still has to be answered, for which it may be used until then.
 * NULL: no longer. Not called for one that has gone before.
 */
void http_request_on_gone(struct http_request *request, loop_callback *gone, void *data);

struct http_answer {
    int status;
    const char *type; /* Content-Type */
    const void *body;
    size_t length;
    const struct http_header *headers;
    size_t header_count;
};
/*
 * Every answer also carries nosniff, no-referrer, frame-ancestors 'none' and, for HTML, a Content-
 * Security-Policy that allows nothing but the page's own nonce-less parts, unless headers have one;
 * Cache-Control: no-store, unless headers have one. gzip when it is asked for and the body is over
 * 1 kB is the handler's business (Content-Encoding in headers).
 */
void http_answer(struct http_request *request, const struct http_answer *answer);
/* An error as JSON {"error": {"kind", "message", "hint"}} with the status of its kind. */
void http_fail(struct http_request *request, const struct error *error);

/*
 * Server-sent events: begins, any number of events, until the client or http_stream_end() ends it.
 * closed is called once, from the loop and never from inside of these functions, when the client (or
 * http_server_stop()) ended it; then the stream is no more. Not called after http_stream_end().
 */
struct http_stream;
struct http_stream *http_stream_begin(
    struct http_request *request, loop_callback *closed, void *data);
/* False: the client does not read; the event was dropped (a slow reader never slows the loop). */
bool http_stream_send(struct http_stream *stream, const char *event, const char *data);
void http_stream_end(struct http_stream *stream);
