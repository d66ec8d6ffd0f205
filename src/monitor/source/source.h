/*
 * What is beside the servers: pages of metrics that applications have, and the console of PgBouncer.
 * They are asked at an interval of their own; a server's tick takes what was seen last.
 */
#pragma once

#include "monitor/monitor.h"

struct sources;

/* An application or pooler as it was last seen. Rates are NaN where they are not known. */
struct source {
    const struct setup_application *setup;
    bool is_pooler;
    bool is_known; /* there was an answer, or none in time */
    bool is_up;
    struct error error; /* why it is not up */
    int64_t at_us;      /* of the last answer */
    int64_t at_wall_us;
    int64_t down_since_wall_us;    /* 0: up */
    double requests_rate;          /* a second */
    double error_ratio;            /* of the requests between two answers */
    double p95_seconds;            /* of the last minute */
    double statements_per_request; /* as the application counts them */
    struct samples samples;        /* labels begin with application */
};

struct sources_options {
    int64_t interval_us; /* 0: 15 s */
    int64_t
        timeout_us; /* of a pooler's answer; 0: 5 s. Pages have the time-out of monitor->client */
};

/* One of each of monitor->setup->applications; the monitor, its loop and its client must be there. */
bool sources_new(struct ctx *ctx, struct monitor *monitor, const struct sources_options *options,
    struct sources **ret) MUST_CHECK;
/* Asks all at once, and then every interval. */
void sources_start(struct sources *sources);
/* After http_client_free() of the monitor's client, which may have a request of ours under way. */
void sources_free(struct sources *sources);

size_t sources_count(const struct sources *sources);
const struct source *sources_at(const struct sources *sources, size_t index);

/*
 * Adds samples of the applications that belong to this server (setup_application.server) to those of
 * its tick: pgmend_application_* and pgmend_pooler_*. To be called in each tick before anybody looks at
 * server->samples.
 */
void sources_add_samples(struct sources *sources, struct watched *server);
