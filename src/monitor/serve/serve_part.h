/* What the parts of serve/ share. */
#pragma once

#include "monitor/serve/serve.h"
#include "monitor/serve/trend.h"
#include "monitor/serve/writer.h"

struct page_stream;

struct serve {
    struct monitor *monitor;
    struct serve_options options; /* texts are copies */
    const char *page;
    size_t page_length;
    const char *page_policy;
    struct trend **trends; /* as monitor->servers; NULL: not ticked yet */
    size_t trend_count;
    struct page_stream *streams;
    int64_t scrapes;
    double scrape_seconds; /* CPU of the last answer to /metrics */
    struct loop_timer *ping;
};

/* The server that a request names, or the first one; NULL if there is none of that name. */
const struct watched *serve_find(const struct monitor *monitor, const char *name);
struct trend *serve_trend(struct serve *serve, const struct watched *server);

/* state*.c: objects of the page. */
void state_write(
    struct writer *writer, struct serve *serve, const struct watched *server, bool is_whole);
void state_write_summary(
    struct writer *writer, const struct serve *serve, const struct watched *server);
void state_write_alerts(struct writer *writer, const struct serve *serve);
void state_write_statements(
    struct writer *writer, struct serve *serve, const struct watched *server, size_t most);
void state_write_locks(struct writer *writer, const struct watched *server);

/* Handlers; data is struct serve. */
void serve_page(void *data, struct http_request *request);
void serve_series(void *data, struct http_request *request);
void serve_events(void *data, struct http_request *request);
size_t serve_page_count(const struct serve *serve);
void serve_kpi(void *data, struct http_request *request);
void serve_answer_json(struct http_request *request, struct writer *writer);

/* Makes the page once. */
void serve_page_make(struct serve *serve);
void serve_events_end(struct serve *serve);
