#include <inttypes.h>
#include <string.h>

#include "replyx/tally_part.h"

static const char *const class_names[TALLY_CLASSES] = { "2xx", "3xx", "4xx", "5xx", "gone" };

/* A series with its labels: none of them holds what would have to be escaped. */
struct shown {
    const struct tally_series *series;
    const char *route;
    const char *variant;
};

static uint64_t
count_of(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint64_t
count_requests(const struct tally_series *series)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < TALLY_CLASSES; i++)
        sum += count_of(&series->requests[i]);
    return sum;
}

/* What people can ask for is shown before anybody has, so that its name can be looked up. */
static bool
is_offered(size_t endpoint, size_t variant)
{
    return endpoint < endpoint_count && variant > 0 &&
           variant <= endpoints[endpoint]->variant_count &&
           !endpoints[endpoint]->variants[variant - 1].is_hidden;
}

/* Those, and what was asked for at least once. */
static size_t
list_shown(const struct tally *tally, struct shown *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < TALLY_SERIES; i++) {
        size_t endpoint = i / (ENDPOINT_MOST_VARIANTS + 1);
        size_t variant = i % (ENDPOINT_MOST_VARIANTS + 1);
        bool is_known = endpoint < endpoint_count;

        if (count_requests(&tally->series[i]) == 0 && !is_offered(endpoint, variant))
            continue;
        ret[count++] = (struct shown){
            .series = &tally->series[i],
            .route = is_known ? endpoints[endpoint]->name : "none",
            .variant =
                is_known && variant > 0 ? endpoints[endpoint]->variants[variant - 1].name : "none",
        };
    }
    return count;
}

static void
head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
print_requests(struct buffer *out, const struct shown *shown, size_t count)
{
    head(out, "replyx_requests_total", "counter",
        "Requests by route, variant and class of the answer; gone: the client did not wait.");
    for (size_t i = 0; i < count; i++) {
        for (size_t class = 0; class < TALLY_CLASSES; class ++) {
            uint64_t requests = count_of(&shown[i].series->requests[class]);

            if (requests > 0 || class == TALLY_2XX || class == TALLY_5XX)
                buffer_printf(out,
                    "replyx_requests_total{route=\"%s\",variant=\"%s\",status=\"%s\"} %" PRIu64
                    "\n",
                    shown[i].route, shown[i].variant, class_names[class], requests);
        }
    }
}

static void
print_histogram(struct buffer *out, const struct shown *shown)
{
    static const char name[] = "replyx_request_duration_seconds";
    uint64_t sum = 0;

    for (size_t i = 0; i <= TALLY_BUCKETS; i++) {
        sum += count_of(&shown->series->buckets[i]);
        buffer_printf(
            out, "%s_bucket{route=\"%s\",variant=\"%s\",le=\"", name, shown->route, shown->variant);
        if (i < TALLY_BUCKETS)
            buffer_printf(out, "%.10g", (double)tally_bounds_us[i] / 1e6);
        else
            buffer_add(out, "+Inf");
        buffer_printf(out, "\"} %" PRIu64 "\n", sum);
    }
    buffer_printf(out, "%s_sum{route=\"%s\",variant=\"%s\"} %.6f\n", name, shown->route,
        shown->variant, (double)count_of(&shown->series->elapsed_us) / 1e6);
    buffer_printf(out, "%s_count{route=\"%s\",variant=\"%s\"} %" PRIu64 "\n", name, shown->route,
        shown->variant, sum);
}

static void
print_series(struct buffer *out, const struct shown *shown, size_t count)
{
    print_requests(out, shown, count);
    head(out, "replyx_request_duration_seconds", "histogram",
        "From reading a request to its answer.");
    for (size_t i = 0; i < count; i++)
        print_histogram(out, &shown[i]);
    head(out, "replyx_request_log_seconds", "summary",
        "Natural logarithm of the seconds of requests that were answered 2xx.");
    for (size_t i = 0; i < count; i++) {
        buffer_printf(out,
            "replyx_request_log_seconds_sum{route=\"%s\",variant=\"%s\"} %.9g\n"
            "replyx_request_log_seconds_count{route=\"%s\",variant=\"%s\"} %" PRIu64 "\n",
            shown[i].route, shown[i].variant, atomic_load(&shown[i].series->log_sum),
            shown[i].route, shown[i].variant, count_of(&shown[i].series->log_count));
    }
    head(out, "replyx_request_log_seconds_squares", "gauge",
        "Sum of the squares of these logarithms.");
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "replyx_request_log_seconds_squares{route=\"%s\",variant=\"%s\"} %.9g\n",
            shown[i].route, shown[i].variant, atomic_load(&shown[i].series->log_squares));
    head(out, "replyx_request_statements_total", "counter", "SQL statements that requests took.");
    for (size_t i = 0; i < count; i++)
        buffer_printf(out,
            "replyx_request_statements_total{route=\"%s\",variant=\"%s\"} %" PRIu64 "\n",
            shown[i].route, shown[i].variant, count_of(&shown[i].series->statements));
}

/* A gauge or counter of a pool: where it stands in the statistics. */
struct pool_metric {
    const char *name;
    const char *type;
    const char *help;
    size_t offset;
    bool is_wide; /* int64, else int32 */
    bool is_time; /* microseconds, shown as seconds */
};

#define NARROW(member) .offset = offsetof(struct pool_statistics, member)
#define WIDE(member)   .offset = offsetof(struct pool_statistics, member), .is_wide = true

static const struct pool_metric pool_metrics[] = {
    { "size_connections", "gauge", "Connections that stay open.", NARROW(size) },
    { "open_connections", "gauge", "Open connections.", NARROW(open) },
    { "busy_connections", "gauge", "Connections that work.", NARROW(busy) },
    { "overflow_connections", "gauge", "Open connections beyond the size.", NARROW(overflow) },
    { "waiting_requests", "gauge", "Requests that wait for a connection.", NARROW(waiting) },
    { "opened_total", "counter", "Connections that were opened.", WIDE(opened) },
    { "open_failures_total", "counter", "Connections that could not be opened.", WIDE(failed) },
    { "lost_total", "counter", "Connections that were lost.", WIDE(lost) },
    { "recycled_total", "counter", "Connections closed because of their age.", WIDE(recycled) },
    { "pings_total", "counter", "Connections asked whether they live.", WIDE(pinged) },
    { "repeated_total", "counter", "Requests sent again after a lost connection.", WIDE(repeated) },
    { "refused_total", "counter", "Requests refused because the queue was full.", WIDE(refused) },
    { "timeouts_total", "counter", "Requests that waited too long.", WIDE(timed_out) },
    { "dropped_total", "counter", "Requests whose client had gone.", WIDE(dropped) },
    { "cancelled_total", "counter", "Statements that were cancelled.", WIDE(cancelled) },
    { "done_total", "counter", "Requests that were done.", WIDE(done) },
    { "wait_seconds_total", "counter", "Time in the queue.", WIDE(waited_us), .is_time = true },
    { "run_seconds_total", "counter", "Time in the database.", WIDE(ran_us), .is_time = true },
};

static void
print_pool_value(struct buffer *out, const struct pool_metric *metric, int32_t worker,
    const char *pool, const struct pool_statistics *statistics)
{
    const char *at = (const char *)statistics + metric->offset;
    int64_t wide = 0;
    int32_t narrow = 0;

    if (metric->is_wide)
        memcpy(&wide, at, sizeof(wide));
    else
        memcpy(&narrow, at, sizeof(narrow));
    buffer_printf(
        out, "replyx_pool_%s{worker=\"%d\",pool=\"%s\"} ", metric->name, (int)worker, pool);
    if (metric->is_time)
        buffer_printf(out, "%.6f\n", (double)wide / 1e6);
    else
        buffer_printf(out, "%" PRId64 "\n", metric->is_wide ? wide : (int64_t)narrow);
}

static void
print_workers(struct buffer *out, const struct tally *tally)
{
    struct tally_worker *workers = ARENA_ARRAY(out->arena, struct tally_worker, TALLY_MOST_WORKERS);
    bool is_there[TALLY_MOST_WORKERS] = { false };

    for (int32_t i = 0; i < tally->workers; i++)
        is_there[i] = tally_read_worker(tally, i, &workers[i]);
    head(out, "replyx_client_connections", "gauge", "Clients that are connected.");
    for (int32_t i = 0; i < tally->workers; i++) {
        if (is_there[i])
            buffer_printf(out, "replyx_client_connections{worker=\"%d\"} %d\n", (int)i,
                (int)workers[i].connections);
    }
    head(out, "replyx_requests_under_way", "gauge", "Requests that are not answered yet.");
    for (int32_t i = 0; i < tally->workers; i++) {
        if (is_there[i])
            buffer_printf(out, "replyx_requests_under_way{worker=\"%d\"} %d\n", (int)i,
                (int)workers[i].under_way);
    }
    for (size_t m = 0; m < COUNT_OF(pool_metrics); m++) {
        const struct pool_metric *metric = &pool_metrics[m];

        head(out, arena_printf(out->arena, "replyx_pool_%s", metric->name), metric->type,
            metric->help);
        for (int32_t i = 0; i < tally->workers; i++) {
            if (!is_there[i])
                continue;
            print_pool_value(out, metric, i, "web", &workers[i].web);
            print_pool_value(out, metric, i, "background", &workers[i].background);
        }
    }
}

void
tally_print(const struct tally *tally, struct buffer *ret)
{
    struct shown shown[TALLY_SERIES];

    print_series(ret, shown, list_shown(tally, shown));
    tally_print_shadows(tally, ret);
    print_workers(ret, tally);
}
