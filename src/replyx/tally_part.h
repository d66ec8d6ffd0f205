/* The memory that the workers share; nobody outside of the tally's files includes this. */
#pragma once

#include <stdatomic.h>

#include "replyx/tally.h"

enum {
    TALLY_BUCKETS = 15,     /* and one for what took longer */
    TALLY_POSITIONS = 8192, /* users whose numbers share one share the later of their positions */
    TALLY_SERIES = ENDPOINT_MOST_COUNT * (ENDPOINT_MOST_VARIANTS + 1) + 1,
};

/* "2xx", "3xx", "4xx", "5xx", and "gone": the client did not wait for the answer. */
enum tally_class { TALLY_2XX, TALLY_3XX, TALLY_4XX, TALLY_5XX, TALLY_GONE, TALLY_CLASSES };

/* What is counted of one variant of one endpoint. */
struct tally_series {
    atomic_uint_fast64_t requests[TALLY_CLASSES];
    atomic_uint_fast64_t buckets[TALLY_BUCKETS + 1]; /* each alone, not those below it too */
    atomic_uint_fast64_t elapsed_us;
    atomic_uint_fast64_t statements;
    _Atomic double log_sum;
    _Atomic double log_squares;
    atomic_uint_fast64_t log_count;
};

/* Gauges of a worker; written by it alone, read by whoever prints. */
struct tally_gauges {
    atomic_uint_fast32_t turn; /* odd while it is written */
    struct tally_worker values;
};

struct tally {
    int32_t workers;
    struct tally_series series[TALLY_SERIES];
    struct tally_gauges gauges[TALLY_MOST_WORKERS];
    atomic_uint_fast64_t shadows[ENDPOINT_MOST_COUNT][TALLY_SHADOWS];
    atomic_uint_fast64_t positions[TALLY_POSITIONS];
};

/* Upper ends of the buckets; from half a millisecond to ten seconds, with the plan's 200 ms. */
extern const int64_t tally_bounds_us[TALLY_BUCKETS];

/* replyx_shadows_total{route,result}. */
void tally_print_shadows(const struct tally *tally, struct buffer *out);

/* A consistent copy of a worker's gauges; false if it has set none. */
bool tally_read_worker(const struct tally *tally, int32_t number, struct tally_worker *ret);
