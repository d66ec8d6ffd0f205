#include "monitor/source/source.h"

#include <math.h>

#include "base/clock.h"
#include "base/text.h"
#include "monitor/collect/derive.h"
#include "monitor/source/source_part.h"

enum { INTERVAL_US = 15000000, TIMEOUT_US = 5000000, STATUS_OK = 200 };

#define KEPT(name, help)               \
    {                                  \
        name, METRIC_GAUGE, help, true \
    }
#define TOTAL(name, help)                 \
    {                                     \
        name, METRIC_COUNTER, help, false \
    }

static const struct metric up_metric =
    KEPT("pgmend_application_up", "Whether the application's metrics could be read");
static const struct metric requests_metric =
    TOTAL("pgmend_application_requests_total", "Requests, as the application counts them");
static const struct metric errors_metric =
    TOTAL("pgmend_application_errors_total", "Requests that failed on the side of the application");
static const struct metric rate_metric =
    KEPT("pgmend_application_requests_rate", "Requests a second");
static const struct metric ratio_metric =
    KEPT("pgmend_application_error_ratio", "Share of the requests that failed");
static const struct metric p95_metric = KEPT("pgmend_application_p95_seconds",
    "Duration that 95 % of the requests of the last minute stayed below");
static const struct metric statements_metric =
    KEPT("pgmend_statements_per_request", "Statements that a request ran on average");

/* Texts are made new, also where they come from what is thrown away. */
static void
copy_error(struct source_seat *seat, const struct error *error)
{
    const char *message = arena_strdup(seat->arena, error->message ? error->message : "");
    const char *hint = error->hint ? arena_strdup(seat->arena, error->hint) : NULL;

    arena_reset(seat->error_arena);
    seat->source.error = (struct error){
        .kind = error->kind,
        .message = arena_strdup(seat->error_arena, message),
        .hint = hint ? arena_strdup(seat->error_arena, hint) : NULL,
    };
}

static void
begin_samples(struct source_seat *seat, bool is_up)
{
    struct source *source = &seat->source;
    const char *labels[] = { source->setup->name };

    source->is_known = true;
    source->is_up = is_up;
    source->at_us = clock_us();
    source->at_wall_us = clock_wall_us();
    arena_reset(source->samples.arena);
    source->samples = (struct samples){ .arena = source->samples.arena };
    sample_add(&source->samples, &up_metric, source_labels, labels, is_up);
}

void
source_is_up(struct source_seat *seat)
{
    seat->source.error = (struct error){ 0 };
    seat->source.down_since_wall_us = 0;
    begin_samples(seat, true);
}

void
source_is_down(struct source_seat *seat, const struct error *error)
{
    copy_error(seat, error);
    begin_samples(seat, false);
    seat->source.requests_rate = NAN;
    seat->source.error_ratio = NAN;
    seat->source.p95_seconds = NAN;
    seat->source.statements_per_request = NAN;
    if (seat->source.down_since_wall_us == 0)
        seat->source.down_since_wall_us = seat->source.at_wall_us;
}

static void
add_rates(struct source_seat *seat)
{
    struct source *source = &seat->source;
    const char *labels[] = { source->setup->name };
    const struct {
        const struct metric *metric;
        double value;
    } rows[] = {
        { &requests_metric, seat->last.requests },
        { &errors_metric, seat->last.errors },
        { &rate_metric, source->requests_rate },
        { &ratio_metric, source->error_ratio },
        { &p95_metric, source->p95_seconds },
        { &statements_metric, source->statements_per_request },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        sample_add(&source->samples, rows[i].metric, source_labels, labels, rows[i].value);
}

static void
take_page(struct source_seat *seat, const struct http_result *result)
{
    struct ctx ctx = { .arena = seat->arena };
    struct samples page = { .arena = seat->arena };

    arena_reset(seat->arena);
    if (!result->is_answered) {
        error_set(&ctx, ERR_CONNECTION, "%s", result->error ? result->error : "no answer");
    } else if (result->status != STATUS_OK) {
        error_set(&ctx, ERR_SERVER, "the page of metrics answers with status %d", result->status);
    } else if (metric_parse(&ctx, result->body, result->length, &page)) {
        source_is_up(seat);
        page_read(&page, seat->source.at_us, &seat->last);
        page_note(&seat->looks, &seat->last, &seat->source);
        add_rates(seat);
        return;
    }
    source_is_down(seat, &ctx.error);
}

static void
page_came(void *data, const struct http_result *result)
{
    struct source_seat *seat = data;

    seat->is_asked = false;
    take_page(seat, result);
    arena_reset(seat->arena);
}

static void
page_ask(struct source_seat *seat)
{
    static const struct http_header headers[] = { { "Accept",
        "text/plain;version=0.0.4;q=0.9,*/*;q=0.1" } };
    const struct http_call call = {
        .method = "GET",
        .url = seat->source.setup->url,
        .headers = headers,
        .header_count = COUNT_OF(headers),
    };
    struct ctx ctx = { .arena = seat->arena };

    if (seat->is_asked)
        return;
    seat->is_asked = true;
    if (http_client_call(&ctx, seat->sources->monitor->client, &call, page_came, seat))
        return;
    seat->is_asked = false;
    source_is_down(seat, &ctx.error);
}

static void
ask_all(void *data)
{
    struct sources *sources = data;
    int64_t now = clock_us();
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < sources->count; i++) {
        struct source_seat *seat = &sources->seats[i];
        int64_t interval = seat->source.setup->interval_us;

        if (interval == 0)
            interval = sources->options.interval_us;
        if (seat->due_us <= now) {
            seat->due_us = now + interval;
            if (seat->source.is_pooler)
                pooler_ask(seat);
            else
                page_ask(seat);
        }
        next = seat->due_us < next ? seat->due_us : next;
    }
    loop_timer_set(sources->timer, next - now);
}

bool
sources_new(struct ctx *ctx, struct monitor *monitor, const struct sources_options *options,
    struct sources **ret)
{
    struct sources *sources = ARENA_NEW(ctx->arena, struct sources);
    const struct setup *setup = monitor->setup;

    sources->monitor = monitor;
    sources->options = *options;
    if (sources->options.interval_us == 0)
        sources->options.interval_us = INTERVAL_US;
    if (sources->options.timeout_us == 0)
        sources->options.timeout_us = TIMEOUT_US;
    sources->count = setup->applications.count;
    sources->seats = ARENA_ARRAY(ctx->arena, struct source_seat, sources->count);
    for (size_t i = 0; i < sources->count; i++) {
        const struct setup_application *application = &setup->applications.items[i];

        sources->seats[i] = (struct source_seat){
            .source = {
                .setup = application,
                .is_pooler = text_starts_with(application->url, "postgres"),
                .requests_rate = NAN,
                .error_ratio = NAN,
                .p95_seconds = NAN,
                .statements_per_request = NAN,
                .samples.arena = arena_new(),
            },
            .sources = sources,
            .statement_rate = NAN,
            .arena = arena_new(),
            .error_arena = arena_new(),
        };
    }
    sources->timer = loop_timer_new(monitor->loop, ask_all, sources);
    *ret = sources;
    return true;
}

void
sources_start(struct sources *sources)
{
    if (sources->count > 0)
        loop_timer_set(sources->timer, 0);
}

void
sources_free(struct sources *sources)
{
    if (!sources)
        return;
    loop_timer_free(sources->timer);
    for (size_t i = 0; i < sources->count; i++) {
        evented_close(sources->seats[i].evented);
        arena_free(sources->seats[i].source.samples.arena);
        arena_free(sources->seats[i].arena);
        arena_free(sources->seats[i].error_arena);
    }
}

size_t
sources_count(const struct sources *sources)
{
    return sources->count;
}

const struct source *
sources_at(const struct sources *sources, size_t index)
{
    return &sources->seats[index].source;
}

static bool
belongs(const struct source_seat *seat, const struct watched *server)
{
    const char *name = seat->source.setup->server;

    return !name || text_equal(name, server->name);
}

/* Labels are copied: those of the source go with its next answer. */
static void
add_samples(const struct source *source, struct samples *samples)
{
    for (size_t i = 0; i < source->samples.count; i++) {
        const struct sample *sample = &source->samples.items[i];
        const char *labels[METRIC_LABELS] = { NULL };

        for (size_t label = 0; label < METRIC_LABELS && sample->label_names[label]; label++)
            labels[label] = arena_strdup(samples->arena, sample->labels[label]);
        sample_add(samples, sample->metric, sample->label_names, labels, sample->value);
    }
}

/* Calls a second on the server; read when there is a new reading, else what it was. */
static double
statement_rate(struct source_seat *seat, const struct watched *server)
{
    struct statement_rates rates = { 0 };
    int64_t calls = 0;

    if (!server->now[COLLECT_STATEMENT].is_fresh)
        return seat->statement_rate;
    derive_statements(server->samples.arena, server, &rates);
    for (size_t i = 0; i < rates.count; i++)
        calls += rates.items[i].calls;
    seat->statement_rate = rates.span_s > 0 ? (double)calls / rates.span_s : NAN;
    return seat->statement_rate;
}

/*
 * An application that does not count its statements: the server does, for all of its clients. So it
 * says something only about the one application that is known to use that server.
 */
static void
add_statements(struct sources *sources, struct watched *server)
{
    struct source_seat *only = NULL;

    for (size_t i = 0; i < sources->count; i++) {
        struct source_seat *seat = &sources->seats[i];

        if (seat->source.is_pooler || !belongs(seat, server))
            continue;
        if (only)
            return;
        only = seat;
    }
    if (!only || !isnan(only->source.statements_per_request) ||
        (!only->source.setup->server && sources->monitor->servers.count > 1))
        return;

    double rate = statement_rate(only, server);
    const char *labels[] = { only->source.setup->name };

    if (only->source.requests_rate > 0)
        sample_add(&server->samples, &statements_metric, source_labels, labels,
            rate / only->source.requests_rate);
}

void
sources_add_samples(struct sources *sources, struct watched *server)
{
    struct buffer silent = { .arena = server->samples.arena };

    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = &sources->seats[i].source;

        if (!belongs(&sources->seats[i], server))
            continue;
        add_samples(source, &server->samples);
        if (source->is_known && !source->is_up)
            buffer_printf(&silent, "%s%s: %s.", silent.length > 0 ? " " : "", source->setup->name,
                source->error.message ? source->error.message : "no answer");
    }
    server->silent = silent.length > 0 ? buffer_text(&silent) : NULL;
    if (server->is_up)
        add_statements(sources, server);
}
