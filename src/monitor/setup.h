/*
 * What a monitor is told: servers, sinks, routes, maintenance windows, changed alert rules. Read from
 * an ini file with sections [monitor], [server NAME], [application NAME], [alert RULE], [sink NAME],
 * [route NAME], [maintenance NAME]; a server can also come from the command line.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "base/vec.h"
#include "monitor/host/host.h"

struct setup_server {
    const char *name;   /* NULL: its label */
    const char *db_url; /* NULL: as libpq finds it */
    const char *owner;  /* for routes; NULL */
    enum host_mode host;
    const char *host_root; /* where the machine's / is seen: we are in a container; or NULL */
};

/* Metrics of an application or pooler. */
struct setup_application {
    const char *name;
    const char *url;     /* http(s) of a Prometheus page, or postgresql://…/pgbouncer */
    const char *server;  /* whose page shows it, or NULL: all */
    int64_t interval_us; /* 0: 15 s */
};

enum sink_kind {
    SINK_WEBHOOK,
    SINK_SLACK,
    SINK_TELEGRAM,
    SINK_MAIL,
    SINK_PROGRAM,
    SINK_KIND_COUNT
};

struct setup_sink {
    const char *name;
    enum sink_kind kind;
    const char *url;   /* webhook, slack: https://…; telegram: API; mail: smtp(s)://host:port */
    const char *token; /* read from the file that token_file names, or the environment */
    const char *to;    /* telegram: chat; mail: addresses, comma */
    const char *from;  /* mail */
    const char *user;
    const char *program; /* path; the alert as JSON on its standard input */
    bool allow_private;
    bool sends_resolved;   /* standard: yes */
    int64_t group_wait_us; /* collects what belongs together; standard 10 s */
    int64_t repeat_us;     /* tells again what still fires; 0: never; standard 4 h */
};

/* Who is told of what, and when: a route for "after 15 minutes" is a row with .after_us. */
struct setup_route {
    const char *name;
    const char *severity; /* "critical", "warning", "info", or NULL: any */
    const char *owner;    /* or NULL: any */
    int64_t after_us;     /* how long it has fired unacknowledged before this one is told */
    struct text_list sinks;
};

struct setup_maintenance {
    const char *name;
    struct text_list servers; /* empty: all */
    struct text_list alerts;  /* rule names; empty: all */
    int64_t from_wall_us;     /* once … */
    int64_t until_wall_us;
    const char *weekly; /* … or "Sun 02:00-04:00", "daily 23:30-00:30" UTC */
};

/* A rule of the table changed, or one more that a user defined. Unset numbers are NaN, times -1. */
struct setup_alert {
    const char *name;
    const char *metric; /* for a rule of the user's own */
    bool is_off;
    bool is_below; /* user's own: fires below the threshold */
    double threshold;
    double clear;
    int64_t for_us;
    const char *severity;
    int line;
};

struct setup {
    const char *path;          /* or NULL */
    int64_t interval_us;       /* 0: not told */
    struct text_list warnings; /* "file:line: …", of what is accepted and can have no effect */
    double availability;       /* that the burn-rate alerts are about, such as 0.999; 0: not told */
    VEC(struct setup_server) servers;
    VEC(struct setup_application) applications;
    VEC(struct setup_sink) sinks;
    VEC(struct setup_route) routes;
    VEC(struct setup_maintenance) maintenances;
    VEC(struct setup_alert) alerts;
};

/* ERR_CONFIG with file:line for everything wrong in it. */
bool setup_read(struct ctx *ctx, const char *path, struct setup *ret) MUST_CHECK;

bool setup_has_sink(const struct setup *setup, const char *name);
