#include <math.h>

#include "monitor/history_part.h"

/* Items of one kind: ticks, or slots of time. */
struct source {
    const struct history *history;
    const struct history_server *server;
    bool is_of_ticks;
    int64_t first;
    int64_t until; /* behind the last */
};

static int64_t
now_of(const struct history *history, const struct history_server *server)
{
    return history_tick(history, server, server->next_tick - 1)->at_us;
}

/* Ticks if they know everything after from_us, else slots; and which of them are after that time. */
static struct source
source_of(const struct history *history, const struct history_server *server, int64_t from_us)
{
    struct source source = { .history = history,
        .server = server,
        .first = server->first_tick,
        .until = server->next_tick };
    int64_t now_us = now_of(history, server);

    if (server->first_tick == 0 ||
        history_tick(history, server, server->first_tick)->at_us <= from_us) {
        source.is_of_ticks = true;
        while (source.first < source.until &&
               history_tick(history, server, source.first)->at_us <= from_us)
            source.first++;
        return source;
    }

    int64_t step = history_step_us;
    int64_t oldest = (now_us - history_reach_us) / step;

    source.first = (from_us + step - 1) / step;
    if (source.first < oldest)
        source.first = oldest;
    source.until = now_us / step + 1;
    return source;
}

static struct slot
item_of(const struct source *source, const struct history_series *series, int64_t number)
{
    if (source->is_of_ticks) {
        float value = ring_tick(&series->ticks, number);

        return (struct slot){ .mean = value, .count = isnan(value) ? 0U : 1U };
    }
    return ring_slot(&series->slots, number);
}

static int64_t
covered_by(const struct source *source, int64_t number, int64_t from_us, int64_t now_us)
{
    int64_t end, begin;

    if (source->is_of_ticks) {
        const struct tick *tick = history_tick(source->history, source->server, number);

        end = tick->at_us;
        begin = end - tick->covers_us;
    } else {
        begin = number * history_step_us;
        end = begin + history_step_us;
    }
    if (begin < from_us)
        begin = from_us;
    if (end > now_us)
        end = now_us;
    return end > begin ? end - begin : 0;
}

bool
history_span(const struct history *history, const char *server, const char *metric,
    const char *labels, int64_t span_us, struct history_span *ret)
{
    const struct history_server *place = history_find_server(history, server);
    const struct history_series *series = place ? history_find_series(place, metric, labels) : NULL;
    double sum = 0;
    int64_t covered = 0;

    *ret = (struct history_span){ 0 };
    if (!series || span_us <= 0)
        return false;

    int64_t now_us = now_of(history, place), from_us = now_us - span_us;
    struct source source = source_of(history, place, from_us);

    for (int64_t i = source.first; i < source.until; i++) {
        struct slot item = item_of(&source, series, i);

        if (item.count == 0)
            continue;
        sum += (double)item.mean * item.count;
        ret->count += item.count;
        ret->last = source.is_of_ticks ? (double)item.mean : series->last;
        covered += covered_by(&source, i, from_us, now_us);
    }
    if (ret->count == 0)
        return false;
    ret->mean = sum / (double)ret->count;
    ret->covered = fmin((double)covered / (double)span_us, 1);
    return true;
}

/* A point of the chart: the items it is the mean of; none: a gap. */
struct point {
    int64_t at_us;
    int64_t first;
    int64_t until;
};
struct axis {
    VEC(struct point) points;
};

static int64_t
time_of(const struct source *source, int64_t number)
{
    if (source->is_of_ticks)
        return history_tick(source->history, source->server, number)->at_us;
    return number * history_step_us;
}

static void
add_each(struct arena *arena, const struct source *source, struct axis *axis)
{
    for (int64_t i = source->first; i < source->until; i++) {
        int64_t at_us = time_of(source, i);

        if (source->is_of_ticks && i > source->first &&
            history_tick(source->history, source->server, i)->is_after_gap) {
            int64_t before = time_of(source, i - 1);

            VEC_PUSH(arena, &axis->points,
                (struct point){ .at_us = before + (at_us - before) / 2, .first = i, .until = i });
        }
        VEC_PUSH(arena, &axis->points, (struct point){ at_us, i, i + 1 });
    }
}

/* Equal spans from the first item's time on, as many as allowed. */
static void
add_spans(struct arena *arena, const struct source *source, size_t most, struct axis *axis)
{
    int64_t begin = time_of(source, source->first);
    int64_t last = time_of(source, source->until - 1);
    int64_t step = source->is_of_ticks ? 1000000 : history_step_us;
    int64_t width = ((last - begin) / (int64_t)most / step + 1) * step;
    int64_t item = source->first;

    begin -= begin % step;
    if ((last - begin) / width >= (int64_t)most)
        width += step;
    for (int64_t at = begin; at <= last; at += width) {
        struct point point = { .at_us = at, .first = item };

        while (item < source->until && time_of(source, item) < at + width)
            item++;
        point.until = item;
        VEC_PUSH(arena, &axis->points, point);
    }
}

static double
value_of(
    const struct source *source, const struct history_series *series, const struct point *point)
{
    double sum = 0;
    int64_t count = 0;

    for (int64_t i = point->first; i < point->until; i++) {
        struct slot item = item_of(source, series, i);

        if (item.count > 0)
            sum += (double)item.mean * item.count;
        count += item.count;
    }
    return count > 0 ? sum / (double)count : NAN;
}

size_t
history_points(const struct history *history, struct arena *arena,
    const struct history_question *question, struct history_points **ret)
{
    const struct history_server *place = history_find_server(history, question->server);
    const struct history_metric *found = place ? map_get(&place->metrics, question->metric) : NULL;
    VEC(struct history_points) all = { 0 };
    struct axis axis = { 0 };
    int64_t *at;

    *ret = NULL;
    if (!found || !found->first || question->most_points == 0)
        return 0;

    /* The tick at that very time counts. */
    struct source source = source_of(history, place, question->from_wall_us - 1);

    add_each(arena, &source, &axis);
    if (axis.points.count > question->most_points) {
        axis.points.count = 0;
        add_spans(arena, &source, question->most_points, &axis);
    }
    at = ARENA_ARRAY(arena, int64_t, axis.points.count);
    for (size_t i = 0; i < axis.points.count; i++)
        at[i] = axis.points.items[i].at_us / 1000000;
    for (const struct history_series *series = found->first; series; series = series->next) {
        struct history_points points = { .labels = arena_strdup(arena, series->labels),
            .at = at,
            .values = ARENA_ARRAY(arena, double, axis.points.count),
            .count = axis.points.count };

        for (size_t i = 0; i < axis.points.count; i++)
            points.values[i] = value_of(&source, series, &axis.points.items[i]);
        VEC_PUSH(arena, &all, points);
    }
    *ret = all.items;
    return all.count;
}
