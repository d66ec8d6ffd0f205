/* Watches one server: connects, asks the collectors that are due in one round trip a tick, backs off. */
#pragma once

#include "monitor/monitor.h"

struct watch_options {
    int64_t interval_us;
    int64_t statement_timeout_us;          /* 0: 2 s */
    int64_t lock_timeout_us;               /* 0: 100 ms */
    double most_cost_ratio;                /* 0: 0.01 of one CPU of the server */
    int64_t intervals_us[COLLECTOR_COUNT]; /* 0: the collector's own */
    bool is_once;          /* one tick with all collectors, and a second one for rates */
    loop_callback *ticked; /* after every tick, also of a server that is down; gets data */
    void *data;
};

/*
 * Adds itself to monitor->watches and its server to monitor->servers. False for a URL that cannot be
 * read; setup and the monitor must outlive it.
 */
bool watch_new(struct ctx *ctx, struct monitor *monitor, const struct setup_server *setup,
    const struct watch_options *options, struct watch **ret) MUST_CHECK;
const struct watched *watch_server(const struct watch *watch);
/* Ticks every interval from now on, or soon: those of many servers are spread over the interval. */
void watch_start(struct watch *watch);
/* Takes itself out of the monitor. */
void watch_free(struct watch *watch);
