/*
 * What all workers have counted, in memory that they share: requests by endpoint and variant, latencies,
 * statements; gauges of each worker; and which WAL position a user's last write had.
 */
#pragma once

#include "base/text.h"
#include "db/pool/pool.h"
#include "replyx/endpoint.h"

struct tally;

enum { TALLY_MOST_WORKERS = 64 };

/* Anonymous shared memory: made before the workers are. */
bool tally_new(struct ctx *ctx, int32_t workers, struct tally **ret) MUST_CHECK;
void tally_free(struct tally *tally);

struct tally_request {
    const struct endpoint *endpoint; /* NULL: no route */
    const struct variant *variant;   /* NULL: none was chosen */
    int status;
    int64_t elapsed_us;
    int32_t statements;
};
void tally_add(struct tally *tally, const struct tally_request *request);

/* How a comparison of two variants ended: "equal", "different", "failed", "dropped" under load. */
enum tally_shadow {
    TALLY_SHADOW_EQUAL,
    TALLY_SHADOW_DIFFERENT,
    TALLY_SHADOW_FAILED,
    TALLY_SHADOW_DROPPED,
    TALLY_SHADOWS
};
void tally_add_shadow(struct tally *tally, const struct endpoint *endpoint, enum tally_shadow what);

/* A worker's gauges, replaced each second; number 0 … workers - 1. */
struct tally_worker {
    int32_t connections;
    int32_t under_way;
    struct pool_statistics web;
    struct pool_statistics background;
};
void tally_set_worker(struct tally *tally, int32_t number, const struct tally_worker *worker);

/* A user has written up to this position; and what to wait for when the user reads. */
void tally_wrote(struct tally *tally, int64_t user, uint64_t position);
uint64_t tally_position(const struct tally *tally, int64_t user);

/*
 * As Prometheus reads it. What the guard of "pgmend flags rollout" needs, by route and variant:
 * replyx_requests_total{route,variant,status="2xx"}, replyx_request_duration_seconds (histogram),
 * replyx_request_log_seconds_sum and replyx_request_log_seconds_squares (sums of ln(seconds) and of its
 * square over requests that were answered 2xx), replyx_request_statements_total.
 */
void tally_print(const struct tally *tally, struct buffer *ret);
