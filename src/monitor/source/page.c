/*
 * Requests, errors and durations in a page of metrics. Names differ from one library to the next; what
 * they have in common is how they end, and the labels for the status.
 */
#include <math.h>

#include "base/text.h"
#include "monitor/source/source_part.h"

static const int64_t minute_us = 60000000;

/* In the order of preference; a name that ends so. */
static const char *const request_names[] = { "http_requests_total", "http_server_requests_total",
    "_requests_total", "http_request_duration_seconds_count", "_request_duration_seconds_count",
    "http_server_requests_seconds_count", NULL };
static const char *const error_names[] = { "_request_errors_total", "_requests_failed_total",
    "_errors_total", NULL };
static const char *const statement_names[] = { "_statements_total", "_db_queries_total",
    "_sql_queries_total", NULL };
static const char *const bucket_names[] = { "http_request_duration_seconds_bucket",
    "_request_duration_seconds_bucket", "http_server_requests_seconds_bucket",
    "_request_latency_seconds_bucket", NULL };
static const char *const summary_names[] = { "http_request_duration_seconds",
    "_request_duration_seconds", "_request_latency_seconds", NULL };
static const char *const status_labels[] = { "status", "code", "status_code", "status_class",
    "http_status_code", "http_response_status_code", NULL };

/* The whole name of the metric that is meant, or NULL. */
static const char *
choose_name(const struct samples *samples, const char *const *ends)
{
    for (; *ends; ends++)
        for (size_t i = 0; i < samples->count; i++)
            if (text_ends_with(samples->items[i].metric->name, *ends))
                return samples->items[i].metric->name;
    return NULL;
}

static const char *
label_of(const struct sample *sample, const char *name)
{
    for (size_t i = 0; i < METRIC_LABELS && sample->label_names[i]; i++)
        if (text_equal(sample->label_names[i], name))
            return sample->labels[i];
    return NULL;
}

static const char *
status_of(const struct sample *sample)
{
    for (size_t i = 0; status_labels[i]; i++) {
        const char *value = label_of(sample, status_labels[i]);

        if (value)
            return value;
    }
    return NULL;
}

/* The sum over all labels; NaN when there is no such metric. */
static double
sum_of(const struct samples *samples, const char *name)
{
    double sum = name ? 0 : NAN;

    for (size_t i = 0; name && i < samples->count; i++)
        if (text_equal(samples->items[i].metric->name, name))
            sum += samples->items[i].value;
    return sum;
}

/* By the status of the requests themselves; else by a counter of errors. */
static double
read_errors(const struct samples *samples, const char *requests)
{
    bool has_status = false;
    double sum = 0;

    for (size_t i = 0; requests && i < samples->count; i++) {
        const struct sample *sample = &samples->items[i];
        const char *status = text_equal(sample->metric->name, requests) ? status_of(sample) : NULL;

        has_status = has_status || status;
        if (status && (*status == '5' || text_equal(status, "error")))
            sum += sample->value;
    }
    return has_status ? sum : sum_of(samples, choose_name(samples, error_names));
}

static void
add_bucket(struct page_look *look, double most, double count)
{
    size_t at = 0;

    while (at < look->bucket_count && look->buckets[at].most < most)
        at++;
    if (at == look->bucket_count || look->buckets[at].most > most) {
        if (look->bucket_count == PAGE_BUCKETS)
            return;
        memmove(&look->buckets[at + 1], &look->buckets[at],
            (look->bucket_count - at) * sizeof(look->buckets[0]));
        look->buckets[at] = (struct page_bucket){ .most = most };
        look->bucket_count++;
    }
    look->buckets[at].count += count;
}

static void
read_buckets(const struct samples *samples, struct page_look *look)
{
    const char *name = choose_name(samples, bucket_names);

    for (size_t i = 0; name && i < samples->count; i++) {
        const struct sample *sample = &samples->items[i];
        const char *text = text_equal(sample->metric->name, name) ? label_of(sample, "le") : NULL;

        if (text)
            add_bucket(look, strtod(text, NULL), sample->value);
    }
}

/* Of several routes the slowest: quantiles cannot be added up. */
static double
read_summary(const struct samples *samples)
{
    double most = NAN;

    for (size_t n = 0; summary_names[n] && isnan(most); n++) {
        for (size_t i = 0; i < samples->count; i++) {
            const struct sample *sample = &samples->items[i];
            const char *quantile = label_of(sample, "quantile");

            if (quantile && text_ends_with(sample->metric->name, summary_names[n]) &&
                strtod(quantile, NULL) == 0.95 && !(sample->value < most))
                most = sample->value;
        }
    }
    return most;
}

void
page_read(const struct samples *samples, int64_t at_us, struct page_look *ret)
{
    const char *requests = choose_name(samples, request_names);

    *ret = (struct page_look){ .at_us = at_us };
    ret->requests = sum_of(samples, requests);
    ret->errors = read_errors(samples, requests);
    ret->statements = sum_of(samples, choose_name(samples, statement_names));
    ret->p95 = read_summary(samples);
    read_buckets(samples, ret);
}

/* In the bucket that the rank falls into, evenly spread; source: histogram_quantile() of Prometheus. */
double
page_quantile(const struct page_look *before, const struct page_look *now, double share)
{
    double counts[PAGE_BUCKETS];
    size_t last = now->bucket_count;

    if (last < 2 || before->bucket_count != last)
        return NAN;
    last--;
    for (size_t i = 0; i <= last; i++)
        counts[i] = now->buckets[i].count - before->buckets[i].count;
    if (!isinf(now->buckets[last].most) || !(counts[last] > 0))
        return NAN;

    double rank = share * counts[last];
    size_t at = 0;

    while (at < last && counts[at] < rank)
        at++;
    if (at == last) /* slower than the last bound: no more is known */
        return now->buckets[last - 1].most;

    double from = at > 0 ? now->buckets[at - 1].most : 0;
    double below = at > 0 ? counts[at - 1] : 0;
    double inside = counts[at] - below;

    return inside > 0 ? from + (now->buckets[at].most - from) * (rank - below) / inside
                      : now->buckets[at].most;
}

static bool
is_less(double now, double before)
{
    return !isnan(now) && !isnan(before) && now < before;
}

/* A counter that went back, or buckets that are others: the application was started anew. */
static bool
is_anew(const struct page_look *before, const struct page_look *now)
{
    if (is_less(now->requests, before->requests) || is_less(now->errors, before->errors) ||
        is_less(now->statements, before->statements) || now->bucket_count != before->bucket_count)
        return true;
    for (size_t i = 0; i < now->bucket_count; i++)
        if (now->buckets[i].most != before->buckets[i].most ||
            now->buckets[i].count < before->buckets[i].count)
            return true;
    return false;
}

static const struct page_look *
look_back(const struct page_looks *looks, size_t steps)
{
    return &looks->items[(looks->next + PAGE_LOOKS - steps) % PAGE_LOOKS];
}

static void
compare(const struct page_looks *looks, const struct page_look *now, struct source *source)
{
    const struct page_look *before = look_back(looks, 1);
    const struct page_look *oldest = before;
    double seconds = (double)(now->at_us - before->at_us) / 1e6;
    double requests = now->requests - before->requests;

    for (size_t steps = 2;
         steps <= looks->count && now->at_us - look_back(looks, steps)->at_us <= minute_us; steps++)
        oldest = look_back(looks, steps);
    if (seconds <= 0)
        return;
    source->requests_rate = requests / seconds;
    if (requests > 0) {
        source->error_ratio = (now->errors - before->errors) / requests;
        source->statements_per_request = (now->statements - before->statements) / requests;
    }
    source->p95_seconds = now->bucket_count > 0 ? page_quantile(oldest, now, 0.95) : now->p95;
}

void
page_note(struct page_looks *looks, const struct page_look *look, struct source *source)
{
    source->requests_rate = NAN;
    source->error_ratio = NAN;
    source->p95_seconds = look->p95;
    source->statements_per_request = NAN;
    if (looks->count > 0 && is_anew(look_back(looks, 1), look))
        looks->count = 0;
    if (looks->count > 0)
        compare(looks, look, source);
    looks->items[looks->next] = *look;
    looks->next = (looks->next + 1) % PAGE_LOOKS;
    if (looks->count < PAGE_LOOKS)
        looks->count++;
}
