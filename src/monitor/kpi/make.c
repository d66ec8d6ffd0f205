#include <math.h>

#include "base/clock.h"
#include "monitor/kpi/parts.h"

#define WEEK_US         604800e6
#define LEAST_SPAN_WEEK (1 / 7.0) /* what changed within minutes says nothing of a week */

double
kpi_trend(const struct kpi_points *points)
{
    double mean_x = 0;
    double mean_y = 0;
    double above = 0;
    double below = 0;
    double least = 0;
    double most = 0;

    if (points->count < 2)
        return NAN;
    for (size_t i = 0; i < points->count; i++) {
        double x = (double)(points->items[i].at_us - points->items[0].at_us) / WEEK_US;

        least = fmin(least, x);
        most = fmax(most, x);
        mean_x += x;
        mean_y += points->items[i].value;
    }
    if (most - least < LEAST_SPAN_WEEK)
        return NAN;
    mean_x /= (double)points->count;
    mean_y /= (double)points->count;
    for (size_t i = 0; i < points->count; i++) {
        double x = (double)(points->items[i].at_us - points->items[0].at_us) / WEEK_US - mean_x;

        above += x * (points->items[i].value - mean_y);
        below += x * x;
    }
    return below > 0 && isfinite(above / below) ? above / below : NAN;
}

static int
compare_points(const void *a, const void *b)
{
    const struct kpi_point *left = a;
    const struct kpi_point *right = b;

    return (left->at_us > right->at_us) - (left->at_us < right->at_us);
}

static void
take_told(struct arena *arena, const char *name, const struct kpi_sources *sources,
    struct kpi_points *points)
{
    for (size_t i = 0; i < sources->values.count; i++) {
        const struct sql_monitor_kpi_values *told = &sources->values.items[i];

        if (!text_equal(told->name, name))
            continue;

        const char *source = arena_printf(
            arena, "recorded by %s for %s", told->recorded_by, clock_text(arena, told->at));

        if (!text_is_empty(told->note))
            source = arena_printf(arena, "%s: %s", source, told->note);

        struct kpi_point point = { told->at, told->value, source };

        VEC_PUSH(arena, points, point);
    }
}

/* The oldest value before the first change, and the newest of all. */
static void
take_points(struct kpi *kpi, const struct kpi_points *points, int64_t first_change_us)
{
    if (points->count == 0)
        return;

    const struct kpi_point *oldest = &points->items[0];
    const struct kpi_point *newest = &points->items[points->count - 1];

    kpi->now = newest->value;
    kpi->now_wall_us = newest->at_us;
    kpi->source = newest->source;
    kpi->value_count = (int64_t)points->count;
    kpi->trend = kpi_trend(points);
    if (first_change_us == 0 || oldest->at_us < first_change_us) {
        kpi->before = oldest->value;
        kpi->before_wall_us = oldest->at_us;
        kpi->before_source = oldest->source;
    }
}

/* The date that lies days and months after a time; a day that the month lacks is of the next one. */
static const char *
date_after(struct arena *arena, int64_t wall_us, int days, int months)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm parts;
    char text[32];

    gmtime_r(&seconds, &parts);
    parts.tm_mday += days;
    parts.tm_mon += months;
    seconds = timegm(&parts);
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d", &parts);
    return arena_strdup(arena, text);
}

static const char *
deadline_of(struct arena *arena, const struct kpi_goal *goal, int64_t first_change_us)
{
    if (goal->deadline_days == 0 && goal->deadline_months == 0)
        return NULL;
    if (first_change_us == 0)
        return goal->deadline_days ? arena_printf(arena, "week %d", goal->deadline_days / 7)
                                   : arena_printf(arena, "month %d", goal->deadline_months);
    return date_after(arena, first_change_us, goal->deadline_days, goal->deadline_months);
}

static enum kpi_state
state_of(struct arena *arena, const struct kpi *kpi)
{
    const char *today = date_after(arena, clock_wall_us(), 0, 0);
    double distance = kpi->less_is_better ? kpi->target - kpi->now : kpi->now - kpi->target;

    if (isnan(kpi->now) || isnan(kpi->target))
        return KPI_UNKNOWN;
    if (distance > 0 || (kpi->target_is_inclusive && distance >= 0))
        return KPI_MET;
    /* "week 2" is no date yet; dates compare as text. */
    return kpi->deadline && kpi->deadline[0] <= '9' && strcmp(today, kpi->deadline) > 0 ? KPI_LATE
                                                                                        : KPI_OPEN;
}

/* What people have changed of a goal, or all of one that is their own. */
static void
take_definition(struct kpi *kpi, const struct sql_monitor_kpi_definitions *row)
{
    if (row->title)
        kpi->title = row->title;
    if (row->unit)
        kpi->unit = row->unit;
    if (row->less_is_better)
        kpi->less_is_better = text_equal(row->less_is_better, "true");
    if (!isnan(row->target))
        kpi->target = row->target;
    if (row->deadline)
        kpi->deadline = row->deadline;
}

static const struct sql_monitor_kpi_definitions *
definition_of(const struct kpi_sources *sources, const char *name)
{
    for (size_t i = 0; i < sources->definitions.count; i++)
        if (text_equal(sources->definitions.items[i].name, name))
            return &sources->definitions.items[i];
    return NULL;
}

static void
add_kpi(struct arena *arena, const struct kpi_sources *sources, struct kpi kpi, struct kpis *ret)
{
    const struct kpi_goal *goal = kpi_goal_find(kpi.name);
    const struct sql_monitor_kpi_definitions *row = definition_of(sources, kpi.name);
    struct kpi_points points = { 0 };

    if (row)
        take_definition(&kpi, row);
    take_told(arena, kpi.name, sources, &points);
    if (goal)
        kpi_measure(arena, goal, sources, &points);
    if (points.count > 0)
        qsort(points.items, points.count, sizeof(points.items[0]), compare_points);
    take_points(&kpi, &points, sources->first_change_wall_us);
    if (!kpi.source && sources->grant)
        kpi.source = arena_printf(
            arena, "not known: this role may not read all of schema pgmend; %s", sources->grant);
    if (!kpi.source)
        kpi.source = arena_printf(arena, "not known yet: %s",
            goal && goal->how ? goal->how
                              : arena_printf(arena, "pgmend kpi record %s VALUE", kpi.name));
    kpi.state = state_of(arena, &kpi);
    VEC_PUSH(arena, ret, kpi);
}

void
kpi_make(struct arena *arena, const struct kpi_sources *sources, struct kpis *ret)
{
    *ret = (struct kpis){ .grant = sources->grant };
    for (size_t i = 0; i < kpi_goal_count; i++) {
        const struct kpi_goal *goal = &kpi_goals[i];
        struct kpi kpi = {
            .name = goal->name,
            .title = goal->title,
            .group = goal->group,
            .unit = goal->unit,
            .less_is_better = goal->less_is_better,
            .target_is_inclusive = goal->target_is_inclusive,
            .planned = goal->planned,
            .before = NAN,
            .now = NAN,
            .target = goal->target,
            .trend = NAN,
            .deadline = deadline_of(arena, goal, sources->first_change_wall_us),
        };

        add_kpi(arena, sources, kpi, ret);
    }
    for (size_t i = 0; i < sources->definitions.count; i++) {
        const char *name = sources->definitions.items[i].name;
        struct kpi kpi = {
            .name = name,
            .title = name,
            .group = "own",
            .unit = "",
            .target_is_inclusive = true,
            .before = NAN,
            .now = NAN,
            .target = NAN,
            .trend = NAN,
        };

        if (!kpi_goal_find(name))
            add_kpi(arena, sources, kpi, ret);
    }
}
