/* Numbers with a name: metrics, their samples, the text that Prometheus reads. */
#pragma once

#include "base/arena.h"
#include "base/text.h"

enum metric_kind { METRIC_GAUGE, METRIC_COUNTER };
enum { METRIC_LABELS = 8 };

struct metric {
    const char *name; /* base units; counters of our own end with _total */
    enum metric_kind kind;
    const char *help;
    bool is_kept; /* in the history that page, alerts and store have */
};

/* Of one metric and one set of labels. The label "server" is added where more than one is watched. */
struct sample {
    const struct metric *metric;
    const char *const *label_names; /* NULL-terminated */
    const char *const *labels;      /* as many; samples of one row share them */
    double value;
};

struct samples {
    struct arena *arena;
    struct sample *items;
    size_t count;
    size_t capacity;
};

/* labels: as many as label_names has; NULL is "". Values that are no number (NaN) are left out. */
void sample_add(struct samples *samples, const struct metric *metric,
    const char *const *label_names, const char *const *labels, double value);

/* The first sample of this name whose labels begin with the given ones; NULL if there is none. */
const struct sample *sample_find(
    const struct samples *samples, const char *name, const char *const *labels);

/* "datname=\"replyx\",mode=\"…\"", in a fixed order; "" without labels. */
const char *sample_labels(struct arena *arena, const struct sample *sample);

/*
 * Text format 0.0.4: samples of one metric together, HELP and TYPE once, escaped. server is added as a
 * label unless it is NULL. Samples of several servers are given together.
 */
struct metric_source {
    const char *server;
    const struct samples *samples;
};
void metric_print(struct buffer *out, const struct metric_source *sources, size_t count);

#define METRIC_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The reverse, for metrics of an application or pooler; names that end in keep[] are taken. */
bool metric_parse(struct ctx *ctx, const char *text, size_t length, struct samples *ret) MUST_CHECK;
