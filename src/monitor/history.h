/*
 * What kept metrics (metric.is_kept) were in the last 25 hours, in memory: each tick for two hours,
 * two minutes for the rest, as numbers good to seven digits. Bounded: so many series a server, the
 * rest are counted; a series takes all its room when it is first seen. A time without a value is a
 * gap, never a line between.
 */
#pragma once

#include "monitor/monitor.h"

struct history *history_begin(int64_t interval_us, int32_t most_series);
void history_end(struct history *history);

/* Takes the kept samples of a server's tick. */
void history_add(struct history *history, const struct watched *watched);

struct history_span {
    double mean;
    double last;
    int64_t count;  /* ticks with a value */
    double covered; /* share of the span that had values, 0–1 */
};
/* Over the last span_us before now; false when there is no value in it. labels: sample_labels(). */
bool history_span(const struct history *history, const char *server, const char *metric,
    const char *labels, int64_t span_us, struct history_span *ret);

struct history_points {
    const char *labels;
    int64_t *at;    /* seconds since 1970 */
    double *values; /* NaN: a gap */
    size_t count;
};
struct history_question {
    const char *server;
    const char *metric;
    int64_t from_wall_us;
    size_t most_points;
};
/* Every series of the metric from that time on, at most so many points each. In the arena. */
size_t history_points(const struct history *history, struct arena *arena,
    const struct history_question *question, struct history_points **ret);

/* Names of the metrics that there are of a server. */
void history_metrics(
    const struct history *history, struct arena *arena, const char *server, struct text_list *ret);
int64_t history_left_out(const struct history *history);
