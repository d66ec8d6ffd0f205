#include "cmd/parts/arm_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "http/client.h"
#include "monitor/metric/metric.h"

struct names;

struct place {
    struct arm_metrics *metrics;
    const char *url;
    int64_t seen_us; /* of the last answer */
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
    struct ctx *ctx;     /* of the look that is under way */
    struct names *names; /* what is to be found out, or NULL */
};

/* What there is in the metrics. */
struct names {
    struct text_list routes;
    struct text_list variants; /* of our route */
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
add_name(struct arena *arena, struct text_list *list, const char *name)
{
    enum { MOST_NAMES = 100 };

    if (*name && list->count < MOST_NAMES && !text_list_has(list, name))
        text_list_add(arena, list, arena_strdup(arena, name));
}

static void
take_names(struct arm_metrics *metrics, const struct sample *sample)
{
    struct arena *arena = metrics->ctx->arena;

    if (!text_equal(sample->metric->name, "replyx_requests_total"))
        return;
    add_name(arena, &metrics->names->routes, label_of(sample, "route"));
    if (text_equal(label_of(sample, "route"), metrics->options.route))
        add_name(arena, &metrics->names->variants, label_of(sample, "variant"));
}

static void
read_samples(struct place *place, const struct samples *samples)
{
    const struct arm_metrics_options *options = &place->metrics->options;

    place->now = (struct guard_reading){ 0 };
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->items[i];

        if (place->metrics->names)
            take_names(place->metrics, sample);
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
        ret->missing++;
        ret->problem = arena_printf(ctx->arena, "%s: %s", http_url_shown(ctx->arena, place->url),
            place->problem ? place->problem : "no answer");
        return;
    }
    place->seen_us = clock_us();
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
    ret->seen_us = clock_us();
    for (size_t i = 0; i < metrics->count; i++) {
        take_place(ctx, &metrics->places[i], ret);
        if (metrics->places[i].seen_us < ret->seen_us)
            ret->seen_us = metrics->places[i].seen_us;
    }
    return true;
}

void
arm_metrics_restart(struct arm_metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++) {
        metrics->places[i].has_last = false;
        metrics->places[i].seen_us = clock_us();
    }
}

bool
arm_metrics_check_urls(struct ctx *ctx, const struct text_list *urls)
{
    for (size_t i = 0; i < urls->count; i++) {
        const char *url = urls->items[i];
        bool has_password = strchr(url, '@');

        if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) {
            error_set(ctx, ERR_USAGE, "--metrics \"%s\" is no address of http or https",
                has_password ? http_url_shown(ctx->arena, url) : url);
            return error_hint(ctx, "For instance: --metrics http://127.0.0.1:8000/metrics");
        }
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(url, urls->items[k]) == 0)
                return error_set(ctx, ERR_USAGE,
                    "--metrics %s is given twice: its requests would be counted twice",
                    http_url_shown(ctx->arena, url));
    }
    return true;
}

static const char *
join(struct arena *arena, const struct text_list *names)
{
    return names->count > 0 ? text_list_join(arena, names, ", ") : "none";
}

bool
arm_metrics_try(struct ctx *ctx, struct arm_metrics *metrics, struct text_list *ret_notes)
{
    const struct arm_metrics_options *options = &metrics->options;
    struct names names = { 0 };
    struct arm_look now;
    bool is_good;

    *ret_notes = (struct text_list){ 0 };
    metrics->names = &names;
    is_good = arm_metrics_look(ctx, metrics, &now);
    metrics->names = NULL;
    if (!is_good)
        return false;
    if (now.missing > 0) {
        error_set(ctx, ERR_FAILED, "no metrics from %s", now.problem);
        return error_hint(ctx, "The guard would see nothing of what this process does.");
    }
    if (!text_list_has(&names.routes, options->route)) {
        text_list_add(ctx->arena, ret_notes,
            arena_printf(ctx->arena,
                "no request of route \"%s\" is counted in the metrics yet; routes there: %s (--route)",
                options->route, join(ctx->arena, &names.routes)));
        return true;
    }
    for (int arm = 0; arm < GUARD_ARMS; arm++)
        if (!text_list_has(&names.variants, options->variants[arm]))
            text_list_add(ctx->arena, ret_notes,
                arena_printf(ctx->arena,
                    "no request of variant \"%s\" of route \"%s\" is counted in the metrics yet; "
                    "variants there: %s (%s)",
                    options->variants[arm], options->route, join(ctx->arena, &names.variants),
                    arm == GUARD_CONTROL ? "--control" : "--variant"));
    return true;
}
