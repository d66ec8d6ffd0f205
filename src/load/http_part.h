/* What the files of the HTTP load share. */
#pragma once

#include <netdb.h>

#include "load/http.h"

enum { LOAD_HTTP_MOST_HEAD = 2048 };

enum load_http_phase {
    LOAD_HTTP_UNOPENED,
    LOAD_HTTP_CONNECTING,
    LOAD_HTTP_IDLE,
    LOAD_HTTP_ASKING, /* sent, in part or as a whole */
};

struct load_http_connection {
    struct load_http *load;
    struct loop_watch *watch;
    int socket;
    enum load_http_phase phase;
    const struct load_http_request *request;
    size_t sent;
    int64_t intended_us; /* when the request should have been sent */
    int64_t left;        /* of the body; -1: the head is not complete */
    int status;
    bool is_last;    /* the server closes after this answer */
    bool is_in_line; /* it stands among the idle ones, whatever it is now */
    int32_t statements;
    size_t head_length;
    char head[LOAD_HTTP_MOST_HEAD];
};

struct load_http {
    const struct load_http_options *options;
    struct load_http_result *result;
    struct loop *loop;
    struct loop_timer *timer;
    struct addrinfo *address;
    struct load_http_connection *connections;
    struct load_http_connection **idle; /* a ring, so that each has its turn */
    size_t idle_start;
    size_t idle_count;
    size_t tried;       /* connections whose first opening has ended */
    size_t opening;     /* connections that the server has not accepted yet */
    size_t unopened;    /* connections that are to be opened */
    int64_t checked_us; /* when answers that do not come were last looked for */
    int64_t begun_us;   /* of the schedule; 0: connections are being opened */
    int64_t counted_us; /* what was due before it is warm-up */
    int64_t end_us;
    int64_t due;     /* requests that were due so far */
    int64_t waiting; /* due, and no connection was free */
    uint64_t random;
};

/* http_connection.c */
/* False: there is no socket to be had. */
bool load_http_connect(struct load_http_connection *connection);
/* Sends a request on an idle connection. */
void load_http_ask(struct load_http_connection *connection, int64_t intended_us);
void load_http_close(struct load_http_connection *connection);

/* http.c: told by a connection. */
void load_http_opened(struct load_http_connection *connection);
void load_http_answered(struct load_http_connection *connection);
void load_http_lost(struct load_http_connection *connection);
