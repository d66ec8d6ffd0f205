#include "base/memory.h"
#include "monitor/alert/parts.h"
#include "monitor/metric/fnv.h"

enum {
    MOST_ENTRIES = 500, /* a server; a thousand broken tables are one trouble, not a thousand */
    ABSENT_TICKS = 3,
    MOST_FLAPS = 4,
};
static const int64_t second_us = 1000000;
static const int64_t minute_us = 60 * second_us;

enum verdict
alert_verdict(const struct alert_rule *rule, double value)
{
    if (rule->is_below ? value < rule->threshold : value > rule->threshold)
        return VERDICT_BAD;
    if (rule->is_below ? value >= rule->clear : value <= rule->clear)
        return VERDICT_GOOD;
    return VERDICT_BETWEEN;
}

struct alert_entry *
alert_entry_new(struct alerts *alerts, const char *server, int rule, const char *labels)
{
    struct alert_entry *entry = calloc(1, sizeof(*entry));
    uint64_t sum = fnv_add(fnv_add(FNV_BEGIN, server), alerts->rules[rule].name);

    if (!entry)
        memory_exhausted(0);
    entry->rule = rule;
    entry->alert.rule = &alerts->rules[rule];
    /* No digest of OpenSSL's: its first one costs two megabytes. */
    entry->alert.id = memory_text(
        arena_printf(alerts->scratch, "%016llx", (unsigned long long)fnv_add(sum, labels)));
    entry->alert.server = memory_text(server);
    entry->alert.labels = memory_text(labels);
    return entry;
}

void
alert_entry_free(struct alert_entry *entry)
{
    free((void *)(uintptr_t)entry->alert.id);
    free((void *)(uintptr_t)entry->alert.server);
    free((void *)(uintptr_t)entry->alert.owner);
    free((void *)(uintptr_t)entry->alert.labels);
    free((void *)(uintptr_t)entry->alert.cause);
    free(entry);
}

bool
alert_is_firing(const struct alert_server *state, const char *rule)
{
    for (size_t i = 0; i < state->entries.count; i++) {
        const struct alert *alert = &state->entries.items[i]->alert;

        if (alert->state == ALERT_FIRING && text_equal(alert->rule->name, rule))
            return true;
    }
    return false;
}

/* The live alert of the rule and labels; *ret_flaps: how often it was resolved in the last hour. */
static struct alert_entry *
find_entry(const struct alert_server *state, int rule, const char *labels, int64_t now_wall_us,
    int32_t *ret_flaps)
{
    *ret_flaps = 0;
    for (size_t i = 0; i < state->entries.count; i++) {
        struct alert_entry *entry = state->entries.items[i];

        if (entry->rule != rule || !text_equal(entry->alert.labels, labels))
            continue;
        if (entry->alert.state != ALERT_RESOLVED)
            return entry;
        *ret_flaps += entry->alert.resolved_wall_us > now_wall_us - 60 * minute_us;
    }
    return NULL;
}

static void
remove_entry(struct alert_server *state, size_t at)
{
    alert_entry_free(state->entries.items[at]);
    state->entries.count--;
    memmove(&state->entries.items[at], &state->entries.items[at + 1],
        (state->entries.count - at) * sizeof(state->entries.items[0]));
}

/* How long the value has to be good: as long as it had to be bad, longer when it comes and goes. */
static int64_t
hold_us(const struct alert_entry *entry)
{
    int64_t hold = entry->alert.rule->for_us;
    int32_t flaps = entry->flaps < MOST_FLAPS ? entry->flaps : MOST_FLAPS;

    if (hold > 5 * minute_us)
        hold = 5 * minute_us;
    if (flaps > 0 && hold < minute_us)
        hold = minute_us;
    return hold << flaps;
}

static void
set_owner(struct alert_entry *entry, const struct watched *server)
{
    if (server->setup && server->setup->owner)
        entry->alert.owner = memory_text(server->setup->owner);
}

static void
fire(struct alerts *alerts, const struct alert_tick *tick, struct alert_entry *entry,
    const struct sample *sample)
{
    const char *cause = NULL;

    entry->alert.state = ALERT_FIRING;
    entry->alert.fired_wall_us = tick->server->at_wall_us;
    entry->held_us = 0;
    entry->has_news = true;
    if (entry->alert.rule->cause)
        cause = entry->alert.rule->cause(alerts->scratch, tick->server, sample);
    free((void *)(uintptr_t)entry->alert.cause);
    entry->alert.cause = cause ? memory_text(cause) : NULL;
}

static void
resolve(const struct alert_tick *tick, struct alert_entry *entry)
{
    entry->alert.state = ALERT_RESOLVED;
    entry->alert.resolved_wall_us = tick->server->at_wall_us;
    entry->has_news = true;
}

static void
track_value(struct alert_entry *entry, double value)
{
    struct alert *alert = &entry->alert;
    bool is_worse = alert->rule->is_below ? value < alert->worst : value > alert->worst;

    alert->value = value;
    if (is_worse)
        alert->worst = value;
}

/* The collectors that can be read, as bits. */
static uint64_t
good_collectors(const struct watched *server)
{
    uint64_t good = 0;

    _Static_assert(COLLECTOR_COUNT <= 64, "a bit for each");
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        if (server->now[i].is_known && server->now[i].is_good)
            good |= UINT64_C(1) << i;
    return good;
}

void
alert_track(struct alerts *alerts, const struct alert_tick *tick, int rule,
    const struct sample *sample, double value)
{
    const char *labels = sample_labels(alerts->scratch, sample);
    const struct watched *server = tick->server;
    enum verdict verdict = alert_verdict(&alerts->rules[rule], value);
    int32_t flaps;
    struct alert_entry *entry = find_entry(tick->state, rule, labels, server->at_wall_us, &flaps);

    if (!entry) {
        if (verdict != VERDICT_BAD)
            return;
        if (tick->state->entries.count >= MOST_ENTRIES) {
            tick->state->dropped++;
            return;
        }
        entry = alert_entry_new(alerts, server->name, rule, labels);
        entry->alert.since_wall_us = server->at_wall_us;
        entry->alert.worst = value;
        entry->flaps = flaps;
        set_owner(entry, server);
        VEC_PUSH(alerts->arena, &tick->state->entries, entry);
    }
    entry->is_seen = true;
    entry->good_collectors = good_collectors(server);
    entry->absent = 0;
    entry->absent_us = 0;
    track_value(entry, value);

    bool is_same = entry->is_continuous && entry->last == verdict;
    bool is_wanted =
        entry->alert.state == ALERT_FIRING ? verdict == VERDICT_GOOD : verdict == VERDICT_BAD;

    /* After a restart of ours the trouble seen before counts on, though the time between does not. */
    if (is_wanted && is_same)
        entry->held_us += tick->step_us;
    else if (!is_wanted || entry->is_continuous)
        entry->held_us = 0;
    entry->last = verdict;
    entry->is_continuous = true;
    if (entry->alert.state == ALERT_PENDING && verdict == VERDICT_BAD &&
        entry->held_us >= entry->alert.rule->for_us)
        fire(alerts, tick, entry, sample);
    else if (entry->alert.state == ALERT_FIRING && verdict == VERDICT_GOOD &&
             entry->held_us >= hold_us(entry))
        resolve(tick, entry);
}

/*
 * While a collector cannot be read that could when the series was there, its absence says little for ten
 * minutes.
 */
static bool
is_gone(const struct alert_entry *entry, uint64_t good)
{
    bool is_blind = (entry->good_collectors & ~good) != 0;

    return entry->absent >= ABSENT_TICKS && entry->absent_us >= (is_blind ? 10 * minute_us : 0);
}

void
alert_track_absent(const struct alert_tick *tick)
{
    struct alert_server *state = tick->state;
    uint64_t good = good_collectors(tick->server);

    for (size_t i = 0; i < state->entries.count; i++) {
        struct alert_entry *entry = state->entries.items[i];

        if (entry->alert.state == ALERT_RESOLVED || entry->is_seen)
            continue;
        entry->absent++;
        entry->absent_us += tick->step_us;
        if (entry->alert.state == ALERT_FIRING && is_gone(entry, good) &&
            entry->absent_us >= hold_us(entry))
            resolve(tick, entry);
    }
    for (size_t i = state->entries.count; i-- > 0;) {
        const struct alert_entry *entry = state->entries.items[i];
        bool is_over = entry->is_seen && entry->last != VERDICT_BAD;

        if (entry->alert.state == ALERT_PENDING && (is_over || is_gone(entry, good)))
            remove_entry(state, i);
    }
}

void
alert_track_blind(struct alert_server *state)
{
    for (size_t i = 0; i < state->entries.count; i++)
        if (!state->entries.items[i]->is_seen)
            state->entries.items[i]->is_continuous = false;
}

void
alert_prune(struct alert_server *state, int64_t now_wall_us)
{
    for (size_t i = state->entries.count; i-- > 0;) {
        const struct alert *alert = &state->entries.items[i]->alert;

        if (alert->state == ALERT_RESOLVED &&
            alert->resolved_wall_us < now_wall_us - 24 * 60 * minute_us)
            remove_entry(state, i);
    }
}
