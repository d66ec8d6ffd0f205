#include "monitor/history.h"

#include <math.h>

#include "monitor/history_part.h"
#include "monitor/metric/fnv.h"

static const int64_t FULL_TICKS_US = 7200000000;
static const int64_t REUSE_US = 86400000000; /* a series unseen for so long makes room */
enum { MOST_TICKS = 7200, LEAST_TICKS = 120, MOST_SLOWED = 16 };
const int64_t history_step_us = 120000000;
const int64_t history_reach_us = 90000000000;

struct history *
history_begin(int64_t interval_us, int32_t most_series)
{
    struct arena *arena = arena_new();
    struct history *history = ARENA_NEW(arena, struct history);
    int64_t ticks;

    history->arena = arena;
    history->interval_us = interval_us > 0 ? interval_us : 1;
    history->most_series = most_series;
    ticks = FULL_TICKS_US / history->interval_us + 1;
    if (ticks > MOST_TICKS)
        ticks = MOST_TICKS;
    history->tick_count = ticks < LEAST_TICKS ? LEAST_TICKS : ticks;
    return history;
}

void
history_end(struct history *history)
{
    if (history)
        arena_free(history->arena);
}

struct history_server *
history_find_server(const struct history *history, const char *name)
{
    for (size_t i = 0; i < history->servers.count; i++)
        if (strcmp(history->servers.items[i]->name, name) == 0)
            return history->servers.items[i];
    return NULL;
}

struct history_series *
history_find_series(const struct history_server *server, const char *metric, const char *labels)
{
    const struct history_metric *found = map_get(&server->metrics, metric);

    for (struct history_series *series = found ? found->first : NULL; series; series = series->next)
        if (strcmp(series->labels, labels ? labels : "") == 0)
            return series;
    return NULL;
}

struct tick *
history_tick(const struct history *history, const struct history_server *server, int64_t number)
{
    return &server->ticks[number % history->tick_count];
}

static struct history_server *
add_server(struct history *history, const char *name)
{
    struct history_server *server = ARENA_NEW(history->arena, struct history_server);

    server->name = arena_strdup(history->arena, name);
    server->metrics.arena = history->arena;
    server->ticks = ARENA_ARRAY(history->arena, struct tick, (size_t)history->tick_count);
    VEC_PUSH(history->arena, &history->servers, server);
    return server;
}

/* The clock was set back: what stands after now was never. */
static void
forget_future(struct history *history, struct history_server *server, int64_t at_us)
{
    int64_t oldest = server->next_tick - history->tick_count;

    if (server->next_tick == 0 ||
        history_tick(history, server, server->next_tick - 1)->at_us < at_us)
        return;
    while (server->next_tick > 0 && server->next_tick > oldest &&
           history_tick(history, server, server->next_tick - 1)->at_us >= at_us)
        server->next_tick--;
    if (server->first_tick < oldest)
        server->first_tick = oldest;
    if (server->first_tick > server->next_tick)
        server->first_tick = server->next_tick;
    for (size_t i = 0; i < server->series.count; i++) {
        struct history_series *series = server->series.items[i];

        ring_rewind(&series->ticks, server->next_tick - 1);
        ring_rewind(&series->slots, at_us / history_step_us);
        series->open.slot = -1;
        if (series->last_at_us > at_us)
            series->last_at_us = at_us;
    }
}

/* The time between two ticks, of which one may have been the last of a slower kind. */
static int64_t
usual_us(
    const struct history *history, struct history_server *server, const struct watched *watched)
{
    int32_t slowed = watched->slowed > 0 ? watched->slowed : 0;
    int32_t slower = slowed > server->slowed ? slowed : server->slowed;

    server->slowed = slowed;
    return history->interval_us << (slower < MOST_SLOWED ? slower : MOST_SLOWED);
}

static void
add_tick(struct history *history, struct history_server *server, const struct watched *watched)
{
    int64_t at_us = watched->at_wall_us;
    int64_t usual = usual_us(history, server, watched);
    struct tick tick = { .at_us = at_us, .covers_us = usual };

    forget_future(history, server, at_us);
    if (server->next_tick > server->first_tick) {
        int64_t since = at_us - history_tick(history, server, server->next_tick - 1)->at_us;

        /* Ticks come a little late; one that was left out is a gap. */
        tick.is_after_gap = since > usual * 2 - usual / 4;
        if (!tick.is_after_gap)
            tick.covers_us = since;
    }
    *history_tick(history, server, server->next_tick++) = tick;
    if (server->first_tick < server->next_tick - history->tick_count)
        server->first_tick = server->next_tick - history->tick_count;
}

/* Tells sets of labels apart without making their text. */
static uint64_t
identity_of(const struct sample *sample)
{
    uint64_t sum = FNV_BEGIN;

    for (size_t i = 0; sample->label_names && i < METRIC_LABELS && sample->label_names[i]; i++) {
        sum = fnv_add(sum, sample->label_names[i]);
        sum = fnv_add(sum, sample->labels[i] ? sample->labels[i] : "");
    }
    return sum;
}

static void
unlink_series(struct history_series *series)
{
    struct history_series **at = &series->metric->first;

    while (*at != series)
        at = &(*at)->next;
    *at = series->next;
}

/* One that nobody has seen for a day, emptied; or NULL. Looks in vain only once a tick. */
static struct history_series *
take_old(struct history_server *server, int64_t now_us)
{
    struct history_series *oldest = NULL;

    for (size_t i = 0; !server->has_no_old && i < server->series.count; i++)
        if (!oldest || server->series.items[i]->last_at_us < oldest->last_at_us)
            oldest = server->series.items[i];
    if (!oldest || now_us - oldest->last_at_us < REUSE_US) {
        server->has_no_old = true;
        return NULL;
    }
    unlink_series(oldest);
    ring_clear(&oldest->ticks);
    ring_clear(&oldest->slots);
    return oldest;
}

static struct history_series *
new_series(struct history *history, struct history_server *server)
{
    struct history_series *series = ARENA_NEW(history->arena, struct history_series);

    ring_init_ticks(&series->ticks, history->arena, history->tick_count);
    /* The newest is being filled: one more. */
    ring_init_slots(&series->slots, history->arena, history_reach_us / history_step_us + 1);
    VEC_PUSH(history->arena, &server->series, series);
    return series;
}

static struct history_metric *
get_metric(struct history *history, struct history_server *server, const char *name)
{
    struct history_metric *metric = map_get(&server->metrics, name);

    if (metric)
        return metric;
    metric = ARENA_NEW(history->arena, struct history_metric);
    metric->name = arena_strdup(history->arena, name);
    map_set(&server->metrics, metric->name, metric);
    VEC_PUSH(history->arena, &server->metric_list, metric);
    return metric;
}

static struct history_series *
add_series(struct history *history, struct history_server *server, const struct watched *watched,
    const struct sample *sample)
{
    struct history_series *series;
    const char *labels;

    if (server->series.count < (size_t)history->most_series)
        series = new_series(history, server);
    else
        series = take_old(server, watched->at_wall_us);
    if (!series)
        return NULL;
    labels = sample_labels(watched->samples.arena, sample);
    if (strlen(labels) + 1 > series->labels_room) {
        series->labels = arena_strdup(history->arena, labels);
        series->labels_room = strlen(labels) + 1;
    } else {
        memcpy(series->labels, labels, strlen(labels) + 1);
    }
    series->identity = identity_of(sample);
    series->metric = get_metric(history, server, sample->metric->name);
    series->next = series->metric->first;
    series->metric->first = series;
    series->open.slot = -1;
    return series;
}

static struct history_series *
series_of(struct history *history, struct history_server *server, const struct watched *watched,
    const struct sample *sample, size_t place)
{
    const uint64_t identity = identity_of(sample);
    const char *name = sample->metric->name;
    struct history_series *series = place < server->order.count ? server->order.items[place] : NULL;
    const struct history_metric *metric;

    if (series && series->identity == identity && strcmp(series->metric->name, name) == 0)
        return series;
    metric = map_get(&server->metrics, name);
    for (series = metric ? metric->first : NULL; series; series = series->next)
        if (series->identity == identity)
            return series;
    return add_series(history, server, watched, sample);
}

/* What the slot had before the clock was set back counts on. */
static struct open_slot
reopen(const struct ring *ring, int64_t number)
{
    struct slot slot = ring_slot(ring, number);

    return (struct open_slot){
        .slot = number, .sum = (double)slot.mean * slot.count, .count = slot.count
    };
}

static void
add_value(const struct history *history, const struct history_server *server,
    struct history_series *series, double value)
{
    int64_t at_us = history_tick(history, server, server->next_tick - 1)->at_us;
    int64_t number = at_us / history_step_us;
    struct open_slot *open = &series->open;

    series->last = value;
    series->last_at_us = at_us;
    ring_put_tick(&series->ticks, server->next_tick - 1, (float)value);
    if (open->slot != number)
        *open = reopen(&series->slots, number);
    open->sum += value;
    open->count++;
    ring_put_slot(&series->slots, number,
        (struct slot){ .mean = (float)(open->sum / open->count), .count = open->count });
}

void
history_add(struct history *history, const struct watched *watched)
{
    struct history_server *server = history_find_server(history, watched->name);
    size_t place = 0;

    if (!server)
        server = add_server(history, watched->name);
    add_tick(history, server, watched);
    server->left_out = 0;
    server->has_no_old = false;
    for (size_t i = 0; i < watched->samples.count; i++) {
        const struct sample *sample = &watched->samples.items[i];
        struct history_series *series;

        if (!sample->metric->is_kept || !isfinite(sample->value))
            continue;
        series = series_of(history, server, watched, sample, place);
        if (!series) {
            server->left_out++;
            continue;
        }
        if (place < server->order.count)
            server->order.items[place] = series;
        else
            VEC_PUSH(history->arena, &server->order, series);
        place++;
        add_value(history, server, series, sample->value);
    }
}

void
history_metrics(
    const struct history *history, struct arena *arena, const char *server, struct text_list *ret)
{
    const struct history_server *found = history_find_server(history, server);

    *ret = (struct text_list){ 0 };
    for (size_t i = 0; found && i < found->metric_list.count; i++)
        if (found->metric_list.items[i]->first)
            text_list_add(arena, ret, found->metric_list.items[i]->name);
}

int64_t
history_left_out(const struct history *history)
{
    int64_t count = 0;

    for (size_t i = 0; i < history->servers.count; i++)
        count += history->servers.items[i]->left_out;
    return count;
}
