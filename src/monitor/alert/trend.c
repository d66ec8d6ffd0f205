/* What the history says of now: when a disk is full, and how a p95 stands to what it was. */

#include <math.h>

#include "base/clock.h"
#include "monitor/alert/parts.h"

static const int64_t second_us = 1000000;
static const int64_t minute_us = 60 * second_us;
static const int64_t hour_us = 60 * minute_us;

enum { MOST_POINTS = 400, LEAST_POINTS = 10 };

struct baseline {
    double value; /* NaN: none */
};

static const struct metric full_metric = {
    .name = "pgmend_host_disk_full_in_seconds",
    .help =
        "Until the volume of the data directory is full if it goes on as in the last six hours.",
};
static const struct metric p95_metric = {
    .name = "pgmend_application_p95_to_baseline_ratio",
    .help = "The 95th percentile of the answer time over what it was a day before.",
};

/* Seconds until the line through the points reaches 1; NaN when it does not rise. Least squares. */
static double
seconds_to_full(const struct history_points *points)
{
    double n = 0, t = 0, v = 0, tt = 0, tv = 0;
    int64_t last_at = points->count > 0 ? points->at[points->count - 1] : 0;
    double first = NAN;

    for (size_t i = 0; i < points->count; i++) {
        double at = (double)(points->at[i] - last_at);

        if (isnan(points->values[i]))
            continue;
        if (isnan(first))
            first = at;
        n++;
        t += at;
        v += points->values[i];
        tt += at * at;
        tv += at * points->values[i];
    }
    /* A jump within a few minutes is no trend. */
    if (n < LEAST_POINTS || -first < 1800)
        return NAN;

    double slope = (n * tv - t * v) / (n * tt - t * t);
    double now = (v - slope * t) / n;

    return slope > 0 && now < 1 ? (1 - now) / slope : NAN;
}

static int
compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

/* The median of the values between two times; NaN when there are too few. */
static double
median_between(struct arena *arena, const struct history_points *points, int64_t from,
    int64_t until, size_t least)
{
    double *values = ARENA_ARRAY(arena, double, points->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < points->count; i++)
        if (points->at[i] >= from && points->at[i] < until && !isnan(points->values[i]))
            values[count++] = points->values[i];
    if (count < least)
        return NAN;
    qsort(values, count, sizeof(*values), compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* That of the same quarter of an hour a day before; else of all that is older than that quarter. */
static double
baseline_of(struct arena *arena, const struct history_points *points, int64_t now_s)
{
    int64_t quarter = 900, day = 86400;
    double value = median_between(arena, points, now_s - day - quarter, now_s - day + quarter, 2);

    if (!isnan(value))
        return value;
    return median_between(arena, points, 0, now_s - quarter, LEAST_POINTS);
}

static void
look_back(struct alerts *alerts, struct alert_server *state, const struct watched *server,
    const struct history *history)
{
    struct arena *arena = alerts->scratch;
    struct history_points *points;
    size_t count = history_points(history, arena,
        &(const struct history_question){ server->name, "pgmend_host_disk_used_ratio",
            server->at_wall_us - 6 * hour_us, MOST_POINTS },
        &points);

    state->trend.disk_full_s = count > 0 ? seconds_to_full(&points[0]) : NAN;
    count = history_points(history, arena,
        &(const struct history_question){
            server->name, ALERT_P95, server->at_wall_us - 25 * hour_us, MOST_POINTS },
        &points);
    for (size_t i = 0; i < count; i++) {
        struct baseline *baseline = map_get(&state->trend.baselines, points[i].labels);

        if (!baseline) {
            state->trend.baselines.arena = alerts->arena;
            baseline = ARENA_NEW(alerts->arena, struct baseline);
            map_set(
                &state->trend.baselines, arena_strdup(alerts->arena, points[i].labels), baseline);
        }
        baseline->value = baseline_of(arena, &points[i], server->at_wall_us / second_us);
    }
}

void
trend_samples(struct alerts *alerts, const struct alert_tick *tick, const struct history *history,
    struct samples *samples)
{
    const struct watched *server = tick->server;
    struct alert_server *state = tick->state;
    static const char *const no_labels[] = { NULL };

    if (!history)
        return;
    if (state->trend.at_us == 0 || server->at_us - state->trend.at_us >= minute_us) {
        state->trend.at_us = server->at_us;
        look_back(alerts, state, server, history);
    }
    if (!isnan(state->trend.disk_full_s))
        sample_add(samples, &full_metric, no_labels, NULL,
            state->trend.disk_full_s -
                (double)(server->at_us - state->trend.at_us) / (double)second_us);
    for (size_t i = 0; i < tick->application.count; i++) {
        const struct sample *sample = &tick->application.items[i];

        if (!text_equal(sample->metric->name, ALERT_P95))
            continue;

        const struct baseline *baseline =
            map_get(&state->trend.baselines, sample_labels(alerts->scratch, sample));

        if (baseline && baseline->value > 0)
            sample_add(samples, &p95_metric, sample->label_names, sample->labels,
                sample->value / baseline->value);
    }
}
