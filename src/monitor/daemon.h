/*
 * Puts a monitor together: servers, history, alerts, notifier, files, store and page on one loop, and
 * hands every tick from one to the next.
 */
#pragma once

#include "monitor/alert/alert.h"
#include "monitor/serve/serve.h"

struct daemon_options {
    const struct setup *setup;             /* with at least one server */
    int64_t intervals_us[COLLECTOR_COUNT]; /* 0: the collector's own */
    double most_cost_ratio;                /* 0: watch's own */
    bool is_once;           /* two ticks of every server, then it is over: for a report */
    int64_t duration_us;    /* how long it runs; 0: until a signal */
    const char *output_dir; /* or NULL */
    int64_t output_bytes;   /* of all files in it */
    const char *store_url;  /* or NULL: no store */
    const char *view_schema;
    const char *state_file;     /* alerts outlive a restart in it; NULL: they do not */
    const char *page_url;       /* as people reach the page, for notifications; or NULL */
    bool allow_private;         /* applications on private addresses may be asked */
    struct serve_options serve; /* .listen NULL: nothing listens */
    /* Told after each tick and of each alert; either may be NULL. */
    void (*ticked)(void *data, const struct monitor *monitor, const struct watched *server);
    void (*heard)(void *data, const struct alert *alert);
    void *data;
};

/* Everything opened; nothing is asked yet. */
bool daemon_open(struct ctx *ctx, const struct daemon_options *options, struct monitor **ret)
    MUST_CHECK;

/* Until a signal, or the end that the options name. */
bool daemon_run(struct ctx *ctx, struct monitor *monitor) MUST_CHECK;

/* Writes what is left and closes; NULL is allowed. */
void daemon_cleanup(struct monitor **monitor);
