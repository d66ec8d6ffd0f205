/* What the monitor answers over HTTP: /metrics, /health, the page, its JSON and its events. */
#pragma once

#include "http/server.h"
#include "monitor/alert/alert.h"

/*
 * The KPI table lives in a database, which nothing here may wait for. get and post answer later, from
 * the loop, by serve_kpi_answer() exactly once.
 */
struct serve_kpi_source {
    void (*get)(void *data, struct http_request *request);
    /* The body is {"name", "value", "at"?, "note"?}, checked; at is microseconds, 0: now. */
    void (*post)(void *data, struct http_request *request, const char *name, double value,
        int64_t at_wall_us, const char *note);
    void *data;
};

struct serve_options {
    const char *listen;
    const char *token; /* or NULL */
    struct text_list hosts;
    int32_t most_series; /* of /metrics; the rest is left out and counted. 0: 20,000 */
    const struct serve_kpi_source *kpi; /* NULL: the page has no KPI table */
};

bool serve_start(struct ctx *ctx, struct monitor *monitor, const struct serve_options *options)
    MUST_CHECK;
/* Tells open pages that a server has ticked, or an alert has changed. */
void serve_ticked(struct monitor *monitor, const struct watched *server);
void serve_alert(struct monitor *monitor, const struct alert *alert);
void serve_stop(struct monitor *monitor);

/* kpi_json() of the table, whose reference is taken; or why there is none. */
void serve_kpi_answer(struct http_request *request, json_t *kpis, const struct error *error);

/* The answer to /metrics, of every server and of ourselves. */
const char *serve_metrics(struct arena *arena, const struct monitor *monitor, int32_t most_series);
