/*
 * Load by HTTP/1.1 over connections that are kept: by a fixed schedule (open loop), where a latency
 * counts from the moment at which the request should have been sent, so that a server that stalls
 * cannot hide it; or each connection as fast as it is answered (closed loop).
 */
#pragma once

#include "base/ctx.h"
#include "event/loop.h"
#include "load/histogram.h"

enum { LOAD_HTTP_MOST_CONNECTIONS = 60000 };

/* A whole request as bytes; which is sent is drawn at random, each as often as any other. */
struct load_http_request {
    const char *bytes;
    size_t length;
};

struct load_http_options {
    const char *host; /* an address of this machine: other ones are refused */
    const char *port;
    int32_t connections;
    double rate; /* requests a second; 0: closed loop */
    int64_t duration_us;
    int64_t warm_up_us; /* before it, not counted */
    int64_t limit_us;   /* for an answer; 0: 60 s. Then the connection is given up */
    const struct load_http_request *requests;
    size_t request_count;
    uint64_t seed;
};

struct load_http_result {
    struct histogram *good;    /* latency of answers 2xx and 3xx */
    struct histogram *refused; /* of answers 429 and 503 */
    struct histogram
        *lag;           /* how late the generator itself looked: its own fault, not the server's */
    int64_t failed;     /* other answers */
    int64_t broken;     /* connections that were lost or could not be opened */
    int64_t late;       /* good answers to the schedule's requests that came after its end */
    int64_t unanswered; /* requests that still waited 5 s after the end, or too long */
    int64_t statements; /* sum of X-Query-Count over good answers */
    int64_t elapsed_us;
    int64_t cpu_us; /* of this process meanwhile */
    int64_t open;   /* connections that were open at the end */
};

/* Runs the load on a loop of its own, until it is over or a signal ends it. */
bool load_http_run(struct ctx *ctx, const struct load_http_options *options,
    struct load_http_result *ret) MUST_CHECK;
