#include <math.h>

#include "base/clock.h"
#include "monitor/alert/parts.h"

/* What a metric is to us, looked up once a tick: pointers of another tick's pages mean nothing. */
struct metric_slot {
    const struct metric *metric;
    int first;           /* rule; -1: none */
    bool is_application; /* what burn rates and baselines are made of */
};

enum { METRIC_SLOTS = 512 };
struct metric_slots {
    struct metric_slot items[METRIC_SLOTS];
    struct metric_slot spare; /* when all are taken */
};

const char *
alert_severity_name(enum alert_severity severity)
{
#define ALERT_NAME(id, name) [id] = (name),
    static const char *const names[] = { ALERT_SEVERITIES(ALERT_NAME) };
#undef ALERT_NAME

    return names[severity];
}

bool
alerts_new(struct ctx *ctx, const struct setup *setup, struct alerts **ret)
{
    struct arena *arena = arena_new();
    struct alerts *alerts = ARENA_NEW(arena, struct alerts);

    alerts->arena = arena;
    alerts->scratch = arena_new();
    alerts->setup = setup;
    alerts->slo = setup->availability > 0 ? setup->availability : 0.999;
    if (!alert_rules_build(ctx, alerts)) {
        alerts_free(alerts);
        return false;
    }
    alerts->quiet_window = ARENA_ARRAY(arena, const char *, setup->maintenances.count + 1);
    for (size_t i = 0; i < setup->maintenances.count; i++)
        alerts->quiet_window[i] =
            arena_printf(arena, "maintenance %s", setup->maintenances.items[i].name);
    *ret = alerts;
    return true;
}

void
alerts_free(struct alerts *alerts)
{
    if (!alerts)
        return;
    for (size_t i = 0; i < alerts->servers.count; i++) {
        struct alert_server *state = alerts->servers.items[i];

        for (size_t j = 0; j < state->entries.count; j++)
            alert_entry_free(state->entries.items[j]);
    }
    arena_free(alerts->scratch);
    arena_free(alerts->arena);
}

void
alerts_listen(struct alerts *alerts, alert_listener *listener, void *data)
{
    if (alerts->listener_count == ALERT_LISTENERS)
        return;
    alerts->listeners[alerts->listener_count].hear = listener;
    alerts->listeners[alerts->listener_count].data = data;
    alerts->listener_count++;
}

struct alert_server *
alert_server_of(struct alerts *alerts, const char *name)
{
    for (size_t i = 0; i < alerts->servers.count; i++)
        if (text_equal(alerts->servers.items[i]->name, name))
            return alerts->servers.items[i];

    struct alert_server *state = ARENA_NEW(alerts->arena, struct alert_server);

    state->name = arena_strdup(alerts->arena, name);
    state->burn.requests_before = NAN;
    state->burn.errors_before = NAN;
    state->trend.disk_full_s = NAN;
    VEC_PUSH(alerts->arena, &alerts->servers, state);
    return state;
}

static struct metric_slot
look_up(const struct alerts *alerts, const struct metric *metric)
{
    const struct alert_chain *chain = map_get(&alerts->by_metric, metric->name);

    return (struct metric_slot){
        .metric = metric,
        .first = chain ? chain->first : -1,
        .is_application = text_starts_with(metric->name, ALERT_APPLICATION),
    };
}

/* Samples of a collector's rows follow each other metric by metric, so names are looked up once each. */
static const struct metric_slot *
slot_of(const struct alerts *alerts, struct metric_slots *slots, const struct metric *metric)
{
    size_t at = ((uintptr_t)metric >> 4) % METRIC_SLOTS;

    for (size_t i = 0; i < METRIC_SLOTS; i++, at = (at + 1) % METRIC_SLOTS) {
        struct metric_slot *slot = &slots->items[at];

        if (!slot->metric)
            *slot = look_up(alerts, metric);
        if (slot->metric == metric)
            return slot;
    }
    slots->spare = look_up(alerts, metric);
    return &slots->spare;
}

/* The traffic of another database or application, where both name it by their first label. */
static bool
is_of_another(const struct sample *sample, const struct sample *other)
{
    const char *name = sample->label_names ? sample->label_names[0] : NULL;

    for (size_t i = 0; name && other->label_names && other->label_names[i]; i++)
        if (text_equal(other->label_names[i], name))
            return !text_equal(other->labels[i], sample->labels[0]);
    return false;
}

/* The sum of the metric's samples: whether there is enough going on for the rule. */
static bool
has_traffic(
    const struct alert_rule *rule, const struct samples *samples, const struct sample *sample)
{
    double sum = 0;
    bool is_found = false;

    if (!rule->traffic_metric)
        return true;
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *other = &samples->items[i];

        if (!text_equal(other->metric->name, rule->traffic_metric))
            continue;
        if (is_of_another(sample, other))
            continue;
        sum += other->value;
        is_found = true;
    }
    return is_found && sum >= rule->traffic_least;
}

static double
value_of(struct alerts *alerts, const struct alert_rule *rule, const struct alert_tick *tick,
    const struct history *history, const struct sample *sample)
{
    struct history_span span;
    int64_t span_us = rule->span_us;

    /* Of fewer ticks than three the last one is as good. */
    if (span_us < 3 * tick->state->step_us || !history)
        return sample->value;

    const char *labels = sample_labels(alerts->scratch, sample);

    if (!history_span(history, tick->server->name, rule->metric, labels, span_us, &span))
        return sample->value;
    return span.mean;
}

static bool
has_entry(const struct alert_server *state, int rule)
{
    for (size_t i = 0; i < state->entries.count; i++)
        if (state->entries.items[i]->rule == rule &&
            state->entries.items[i]->alert.state != ALERT_RESOLVED)
            return true;
    return false;
}

/* Also gathers the samples of applications. */
static void
judge_samples(struct alerts *alerts, struct alert_tick *tick, const struct history *history,
    const struct samples *samples)
{
    struct metric_slots *slots = ARENA_NEW(alerts->scratch, struct metric_slots);

    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->items[i];
        const struct metric_slot *slot = slot_of(alerts, slots, sample->metric);

        if (slot->is_application)
            VEC_PUSH(alerts->scratch, &tick->application, *sample);
        for (int rule = slot->first; rule >= 0; rule = alerts->next_of_metric[rule]) {
            const struct alert_rule *row = &alerts->rules[rule];
            double value = value_of(alerts, row, tick, history, sample);

            if (isnan(value) ||
                (alert_verdict(row, value) != VERDICT_BAD && !has_entry(tick->state, rule)) ||
                !has_traffic(row, &tick->server->samples, sample))
                continue;
            alert_track(alerts, tick, rule, sample, value);
        }
    }
}

/* What was between two ticks is not known after a gap, or when one came much later than usual. */
static int64_t
step_of(const struct alert_server *state, const struct watched *server)
{
    int64_t step = server->at_us - state->at_us;

    if (state->at_us == 0 || step < 0 || server->is_gap ||
        (state->step_us > 0 && step > 4 * state->step_us + 5000000))
        return 0;
    return step;
}

/* Whether the setup names an application of this server, though it may not have answered yet. */
static bool
has_application(const struct alerts *alerts, const struct watched *server)
{
    for (size_t i = 0; i < alerts->setup->applications.count; i++) {
        const struct setup_application *application = &alerts->setup->applications.items[i];

        if (text_starts_with(application->url, "http") &&
            (!application->server || text_equal(application->server, server->name)))
            return true;
    }
    return false;
}

void
alerts_judge(struct alerts *alerts, const struct watched *server, const struct history *history)
{
    static const struct metric up = { .name = "pgmend_up" };
    static const char *const no_labels[] = { NULL };
    struct alert_server *state = alert_server_of(alerts, server->name);
    struct alert_tick tick = {
        .server = server,
        .state = state,
        .step_us = step_of(state, server),
        .has_application = has_application(alerts, server),
        .application.arena = alerts->scratch,
    };
    bool is_blind = !server->is_up || server->is_gap;
    struct samples own = { .arena = alerts->scratch };

    arena_reset(alerts->scratch);
    for (size_t i = 0; i < state->entries.count; i++)
        state->entries.items[i]->is_seen = false;
    if (!server->is_up || !sample_find(&server->samples, up.name, (const char *[]){ NULL }))
        sample_add(&own, &up, no_labels, NULL, server->is_up);
    if (!is_blind) {
        judge_samples(alerts, &tick, history, &server->samples);
        burn_count(&state->burn, alerts->arena, &tick);
        burn_samples(&state->burn, alerts->slo, &own);
        trend_samples(alerts, &tick, history, &own);
    } else {
        state->burn.requests_before = NAN;
    }
    judge_samples(alerts, &tick, history, &own);
    if (is_blind)
        alert_track_blind(state);
    else
        alert_track_absent(&tick);
    if (server->at_us > state->at_us && state->at_us > 0)
        state->step_us = server->at_us - state->at_us;
    state->at_us = server->at_us;
    alert_tell(alerts, &tick);
    alert_prune(state, server->at_wall_us);
}

void
alerts_judge_own(struct alerts *alerts, const struct samples *samples, const char *trouble,
    int64_t at_us, int64_t at_wall_us)
{
    struct watched server = {
        .name = ALERT_OWN_SERVER,
        .is_up = true,
        .error.message = trouble,
        .at_us = at_us,
        .at_wall_us = at_wall_us,
        .samples = *samples,
    };

    alerts_judge(alerts, &server, NULL);
}

/* Firing ones first, then pending, then resolved; of those the worst and the oldest, but the newest of
 * the resolved. */
static int
compare(const void *left, const void *right)
{
    static const int order[] = { [ALERT_FIRING] = 0, [ALERT_PENDING] = 1, [ALERT_RESOLVED] = 2 };
    const struct alert *a = *(const struct alert *const *)left;
    const struct alert *b = *(const struct alert *const *)right;

    if (a->state != b->state)
        return order[a->state] - order[b->state];
    if (a->state == ALERT_RESOLVED && a->resolved_wall_us != b->resolved_wall_us)
        return a->resolved_wall_us < b->resolved_wall_us ? 1 : -1;
    if (a->rule->severity != b->rule->severity)
        return a->rule->severity < b->rule->severity ? 1 : -1;
    if (a->since_wall_us != b->since_wall_us)
        return a->since_wall_us > b->since_wall_us ? 1 : -1;
    return strcmp(a->id, b->id);
}

size_t
alerts_list(const struct alerts *alerts, struct arena *arena, const struct alert ***ret)
{
    size_t count = 0;

    for (size_t i = 0; i < alerts->servers.count; i++)
        count += alerts->servers.items[i]->entries.count;

    const struct alert **items = ARENA_ARRAY(arena, const struct alert *, count + 1);

    count = 0;
    for (size_t i = 0; i < alerts->servers.count; i++)
        for (size_t j = 0; j < alerts->servers.items[i]->entries.count; j++)
            items[count++] = &alerts->servers.items[i]->entries.items[j]->alert;
    qsort(items, count, sizeof(struct alert *), compare);
    *ret = items;
    return count;
}
