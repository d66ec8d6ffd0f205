/*
 * The monitor's nouns. A watched server has readings (collect/), from which samples are derived
 * (metric/), which go into the history; alerts look at both, the notifier tells people, the page and
 * /metrics show, files and store keep. Everything runs on one loop in one thread.
 */
#pragma once

#include "base/vec.h"
#include "db/evented.h"
#include "monitor/collect/collect.h"
#include "monitor/host/host.h"
#include "monitor/setup.h"

struct alerts;
struct doctor_facts;
struct history;
struct http_client;
struct http_server;
struct notifier;
struct output_files;
struct serve;
struct store;
struct watch;

/* A server (one database of it) as it was last seen. watch/ fills it; all others read it. */
struct watched {
    const struct setup_server *setup;
    const char *name; /* unique: of the setup, else the label "replyx @ db:5432" */
    const char *database;
    bool is_up;
    struct error error;         /* why it is not up */
    int64_t down_since_wall_us; /* 0: up */
    int major;
    int64_t tick;   /* ticks so far */
    int64_t missed; /* ticks left out: the one before had no end yet, or to save the server */
    int64_t at_us;  /* of this tick: clock_us() */
    int64_t at_wall_us;
    double cost_ratio; /* our share of the server's time (busy time of our session / wall time) */
    int32_t slowed;  /* how often the intervals were doubled to stay in the stated share; 0: not */
    bool is_gap;     /* between this tick and the one before restart, failover, reset or a clock
                           jump: no rate may span it */
    const char *gap; /* which, for people; NULL */
    struct reading now[COLLECTOR_COUNT];
    struct reading before[COLLECTOR_COUNT]; /* the answer before that one, same collector */
    struct host_facts host_now;
    struct host_facts host_before;
    struct samples samples;        /* of now; in an arena of the tick */
    struct statement_texts *texts; /* collect/text.h; made and freed by watch/ */
    const char *silent; /* which applications do not answer, and what came instead; or NULL */
    const struct doctor_facts *facts; /* what a doctor asks besides, or NULL: it was not asked */
};

/* One process' monitor. */
struct monitor {
    struct ctx *ctx; /* for the whole run: grows only with the number of servers */
    struct loop *loop;
    const struct setup *setup;
    VEC(struct watch *) watches;
    VEC(struct watched *) servers; /* same order */
    struct history *history;
    struct alerts *alerts;
    struct notifier *notifier;  /* or NULL: no sinks */
    struct output_files *files; /* or NULL */
    struct store *store;        /* or NULL */
    struct http_client *client; /* or NULL: no applications */
    struct http_server *server; /* or NULL */
    struct serve *serve;        /* or NULL: what the server answers */
    int64_t started_wall_us;
};
