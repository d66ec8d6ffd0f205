#include "cmd/parts/arm_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "http/client.h"
#include "monitor/metric/metric.h"

struct place {
    struct arm_metrics *metrics;
    const char *url;
    bool has_last;
    bool has_now;
    struct guard_reading last;
    struct guard_reading now;
    const char *problem; /* in the context of the look */
};

struct arm_metrics {
    struct arm_metrics_options options;
    struct loop *loop;
    struct http_client *client;
    struct place *places;
    size_t count;
    size_t waiting;
    struct ctx *ctx; /* of the look that is under way */
};

bool
arm_metrics_open(
    struct ctx *ctx, const struct arm_metrics_options *options, struct arm_metrics **ret)
{
    /* Applications stand behind private addresses as a rule, and who runs this names them himself. */
    const struct http_client_options wanted = {
        .allow_private = true,
        .timeout_us = options->timeout_us,
    };
    struct arm_metrics *metrics = ARENA_NEW(ctx->arena, struct arm_metrics);

    metrics->options = *options;
    metrics->count = options->urls->count;
    metrics->places = ARENA_ARRAY(ctx->arena, struct place, metrics->count);
    for (size_t i = 0; i < metrics->count; i++) {
        metrics->places[i].metrics = metrics;
        metrics->places[i].url = options->urls->items[i];
    }
    if (!loop_new(ctx, &metrics->loop))
        return false;
    if (!http_client_new(ctx, metrics->loop, &wanted, &metrics->client)) {
        loop_free(metrics->loop);
        return false;
    }
    *ret = metrics;
    return true;
}

void
arm_metrics_close(struct arm_metrics *metrics)
{
    if (!metrics)
        return;
    http_client_free(metrics->client);
    loop_free(metrics->loop);
}

static const char *
label_of(const struct sample *sample, const char *name)
{
    for (size_t i = 0; i < METRIC_LABELS && sample->label_names[i]; i++)
        if (text_equal(sample->label_names[i], name))
            return sample->labels[i];
    return "";
}

/* Buckets come in their order; an edge that is not there yet is added. */
static void
take_bucket(struct guard_reading *reading, enum guard_arm arm, const struct sample *sample)
{
    const char *text = label_of(sample, "le");
    double edge = strcmp(text, "+Inf") == 0 ? INFINITY : strtod(text, NULL);
    size_t at = 0;

    while (at < reading->bucket_count && reading->edges[at] < edge)
        at++;
    if (at == reading->bucket_count) {
        if (at == GUARD_MOST_BUCKETS)
            return;
        reading->edges[reading->bucket_count++] = edge;
    }
    reading->arms[arm].buckets[at] += sample->value;
}

static void
take_sample(struct guard_reading *reading, enum guard_arm arm, const struct sample *sample)
{
    struct guard_counts *counts = &reading->arms[arm];
    const char *name = sample->metric->name;

    if (text_equal(name, "replyx_requests_total")) {
        counts->requests += sample->value;
        if (text_starts_with(label_of(sample, "status"), "5"))
            counts->errors += sample->value;
    } else if (text_equal(name, "replyx_request_duration_seconds_bucket")) {
        take_bucket(reading, arm, sample);
    } else if (text_equal(name, "replyx_request_log_seconds_count")) {
        counts->logs.count += sample->value;
    } else if (text_equal(name, "replyx_request_log_seconds_sum")) {
        counts->logs.sum += sample->value;
    } else if (text_equal(name, "replyx_request_log_seconds_squares")) {
        counts->logs.squares += sample->value;
    }
}

static void
read_samples(struct place *place, const struct samples *samples)
{
    const struct arm_metrics_options *options = &place->metrics->options;

    place->now = (struct guard_reading){ 0 };
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->items[i];

        if (!text_equal(label_of(sample, "route"), options->route))
            continue;
        for (int arm = 0; arm < GUARD_ARMS; arm++)
            if (text_equal(label_of(sample, "variant"), options->variants[arm]))
                take_sample(&place->now, (enum guard_arm)arm, sample);
    }
}

static void
answered(void *data, const struct http_result *result)
{
    struct place *place = data;
    struct ctx *ctx = place->metrics->ctx;
    struct samples samples = { .arena = ctx->arena };

    if (--place->metrics->waiting == 0)
        loop_stop(place->metrics->loop);
    if (!result->is_answered) {
        place->problem = arena_strdup(ctx->arena, result->error);
    } else if (result->status != 200) {
        place->problem = arena_printf(ctx->arena, "it answered %d", result->status);
    } else if (!metric_parse(ctx, result->body, result->length, &samples)) {
        place->problem = ctx->error.message;
        error_clear(ctx);
    } else {
        read_samples(place, &samples);
        place->has_now = true;
    }
}

/* Counters only grow; the sum of logarithms may be of either sign. */
static bool
went_back(const struct guard_reading *last, const struct guard_reading *now)
{
    for (int arm = 0; arm < GUARD_ARMS; arm++)
        if (now->arms[arm].requests < last->arms[arm].requests ||
            now->arms[arm].errors < last->arms[arm].errors ||
            now->arms[arm].logs.count < last->arms[arm].logs.count)
            return true;
    return false;
}

static void
add_delta(
    struct guard_reading *sum, const struct guard_reading *last, const struct guard_reading *now)
{
    if (sum->bucket_count == 0) {
        sum->bucket_count = now->bucket_count;
        memcpy(sum->edges, now->edges, sizeof(sum->edges));
    }
    for (int arm = 0; arm < GUARD_ARMS; arm++) {
        struct guard_counts *into = &sum->arms[arm];
        const struct guard_counts *from = &last->arms[arm];
        const struct guard_counts *to = &now->arms[arm];

        into->requests += to->requests - from->requests;
        into->errors += to->errors - from->errors;
        into->logs.count += to->logs.count - from->logs.count;
        into->logs.sum += to->logs.sum - from->logs.sum;
        into->logs.squares += to->logs.squares - from->logs.squares;
        for (size_t i = 0; i < now->bucket_count; i++)
            into->buckets[i] += to->buckets[i] - from->buckets[i];
    }
}

static void
take_place(struct ctx *ctx, struct place *place, struct arm_look *ret)
{
    if (!place->has_now) {
        if (place->problem)
            ret->problem = arena_printf(
                ctx->arena, "%s: %s", http_url_shown(ctx->arena, place->url), place->problem);
        return;
    }
    ret->answered++;
    if (place->has_last && went_back(&place->last, &place->now))
        ret->gaps++;
    else if (place->has_last)
        add_delta(&ret->delta, &place->last, &place->now);
    place->last = place->now;
    place->has_last = true;
}

bool
arm_metrics_look(struct ctx *ctx, struct arm_metrics *metrics, struct arm_look *ret)
{
    *ret = (struct arm_look){ 0 };
    metrics->ctx = ctx;
    metrics->waiting = metrics->count;
    for (size_t i = 0; i < metrics->count; i++) {
        struct place *place = &metrics->places[i];
        const struct http_call call = { .method = "GET", .url = place->url };

        place->has_now = false;
        place->problem = NULL;
        if (!http_client_call(ctx, metrics->client, &call, answered, place))
            return false;
    }
    loop_run(metrics->loop);
    if (interrupt_signal())
        return interrupt_error(ctx, interrupt_signal());
    for (size_t i = 0; i < metrics->count; i++)
        take_place(ctx, &metrics->places[i], ret);
    return true;
}

void
arm_metrics_restart(struct arm_metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++)
        metrics->places[i].has_last = false;
}
