/* "queries trace --listen": the proxy in this thread, and who follows its records in another. */
#pragma once

#include "cli/command.h"
#include "cmd/parts/query_desk.h"
#include "queries/proxy/proxy.h"
#include "queries/trace/follow.h"

struct query_proxy_options {
    struct proxy_options proxy; /* its ring is made here */
    struct follow_options follow;
    int64_t for_us;       /* 0: until a signal */
    int64_t buffer_bytes; /* of the ring */
};

struct query_proxy_result {
    struct proxy_counts proxy;
    struct follow_counts follow;
    uint64_t lost; /* records that were dropped for want of room */
    int64_t elapsed_us;
};

/* Until the time is over or a signal comes, which is no failure. Clients that are there then lose theirs. */
bool query_proxy_run(struct ctx *ctx, const struct query_proxy_options *options,
    struct query_desk *desk, struct query_proxy_result *ret) MUST_CHECK;
