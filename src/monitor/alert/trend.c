/* What the history says of now: when a disk is full, and how a p95 stands to what it was. */

#include <math.h>

#include "monitor/alert/parts.h"

static const int64_t second_us = 1000000;
static const int64_t minute_us = 60 * second_us;
static const int64_t hour_us = 60 * minute_us;

enum { MOST_POINTS = 400, LEAST_POINTS = 10, DISK_STEP_S = 300, QUARTER_S = 900, DAY_S = 86400 };
#define DISK "pgmend_host_disk_used_ratio"

/* Somebody made room: what was before is no trend any more. */
static const float least_fall = 0.05F;

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

/* The first point that counts: of the last six hours, since room was made last. */
static int32_t
first_of_trend(const struct past *past, int64_t now_s)
{
    int32_t first = 0;
    float most = -1;

    for (int32_t i = 0; i < past->count; i++) {
        if (past->values[i] < most - least_fall) {
            first = i;
            most = -1;
        }
        if (now_s - past->at_s[i] > 6 * hour_us / second_us)
            first = i + 1;
        most = past->values[i] > most ? past->values[i] : most;
    }
    return first;
}

/* Seconds until the line through the points reaches 1; NaN when it does not rise. Least squares. */
static double
seconds_to_full(const struct past *past, int64_t now_s)
{
    int32_t first = first_of_trend(past, now_s);
    double n = past->count - first, t = 0, v = 0, tt = 0, tv = 0;

    /* A jump within a few minutes is no trend. */
    if (n < LEAST_POINTS || now_s - past->at_s[first] < 1800)
        return NAN;
    for (int32_t i = first; i < past->count; i++) {
        double at = (double)(past->at_s[i] - now_s);
        double value = (double)past->values[i];

        t += at;
        v += value;
        tt += at * at;
        tv += at * value;
    }

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

static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
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
    return count < least ? NAN : median(values, count);
}

/* The same of what was saved, of which one point stands for a quarter of an hour. */
static double
past_between(const struct past *past, int64_t from, int64_t until)
{
    double values[PAST_POINTS];
    size_t count = 0;

    for (int32_t i = 0; past && i < past->count; i++)
        if (past->at_s[i] >= from && past->at_s[i] < until)
            values[count++] = (double)past->values[i];
    return count < 2 ? NAN : median(values, count);
}

/* That of the same quarter of an hour a day before; else of all that is older than that quarter. */
static double
baseline_of(struct arena *arena, const struct history_points *points, const struct past *past,
    int64_t now_s)
{
    int64_t from = now_s - DAY_S - QUARTER_S, until = now_s - DAY_S + QUARTER_S;
    double value = median_between(arena, points, from, until, 2);

    if (isnan(value))
        value = past_between(past, from, until);
    if (isnan(value))
        value = median_between(arena, points, 0, now_s - QUARTER_S, LEAST_POINTS);
    return isnan(value) ? past_between(past, 0, now_s - QUARTER_S) : value;
}

static void
note_disk(struct alerts *alerts, const struct alert_tick *tick, int64_t now_s)
{
    struct trend *trend = &tick->state->trend;
    const struct sample *disk = sample_find(&tick->server->samples, DISK, NULL);
    struct past *past = disk ? past_of(alerts, trend, DISK, "") : NULL;

    trend->disk_full_s = NAN;
    if (!past)
        return;
    past_note(past, DISK_STEP_S, now_s, disk->value);
    trend->disk_full_s = seconds_to_full(past, now_s);
}

static void
note_baseline(struct alerts *alerts, const struct alert_tick *tick, const struct history *history,
    const struct sample *sample)
{
    struct trend *trend = &tick->state->trend;
    struct arena *arena = alerts->scratch;
    const struct watched *server = tick->server;
    int64_t now_s = server->at_wall_us / second_us;
    const char *labels = sample_labels(arena, sample);
    struct past *past = past_of(alerts, trend, ALERT_P95, labels);
    struct baseline *baseline = map_get(&trend->baselines, labels);
    struct history_points *points, kept = { .count = 0 };
    size_t count = history_points(history, arena,
        &(const struct history_question){
            server->name, ALERT_P95, server->at_wall_us - 25 * hour_us, MOST_POINTS },
        &points);

    if (!baseline) {
        trend->baselines.arena = alerts->arena;
        baseline = ARENA_NEW(alerts->arena, struct baseline);
        map_set(&trend->baselines, arena_strdup(alerts->arena, labels), baseline);
    }
    for (size_t i = 0; i < count; i++)
        if (text_equal(points[i].labels, labels))
            kept = points[i];
    baseline->value = baseline_of(arena, &kept, past, now_s);
    if (past)
        past_note(past, QUARTER_S, now_s, sample->value);
}

static void
look_back(struct alerts *alerts, const struct alert_tick *tick, const struct history *history)
{
    note_disk(alerts, tick, tick->server->at_wall_us / second_us);
    for (size_t i = 0; i < tick->application.count; i++)
        if (text_equal(tick->application.items[i].metric->name, ALERT_P95))
            note_baseline(alerts, tick, history, &tick->application.items[i]);
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
        look_back(alerts, tick, history);
    }
    if (!isnan(state->trend.disk_full_s))
        sample_add(samples, &full_metric, no_labels, NULL,
            state->trend.disk_full_s -
                (double)(server->at_us - state->trend.at_us) / (double)second_us);
    for (size_t i = 0; i < tick->application.count; i++) {
        const struct sample *sample = &tick->application.items[i];

        if (!text_equal(sample->metric->name, ALERT_P95))
            continue;

        const char *labels = sample_labels(alerts->scratch, sample);
        const struct baseline *baseline = map_get(&state->trend.baselines, labels);

        /* An application answers later than we begin. */
        if (!baseline) {
            note_baseline(alerts, tick, history, sample);
            baseline = map_get(&state->trend.baselines, labels);
        }
        if (baseline && baseline->value > 0)
            sample_add(samples, &p95_metric, sample->label_names, sample->labels,
                sample->value / baseline->value);
    }
}
