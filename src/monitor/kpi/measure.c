#include <math.h>

#include "base/clock.h"
#include "monitor/kpi/parts.h"

/* Fewer blocks or calls say nothing. */
#define LEAST_BLOCKS 1000
#define LEAST_CALLS  1

struct counts {
    double of;    /* hits; seconds */
    double all;   /* hits and reads; calls */
    double least; /* of all, to say something */
};

static struct counts
counts_of(enum kpi_measure measure, const struct sql_monitor_kpi_snapshots *row)
{
    if (measure == MEASURE_CACHE_HIT)
        return (struct counts){ row->blocks_hit, row->blocks_hit + row->blocks_read, LEAST_BLOCKS };
    return (struct counts){ row->vector_seconds, row->vector_calls, LEAST_CALLS };
}

/* What was counted between two snapshots; since the counting began where they cannot be compared. */
static void
take_snapshots(struct arena *arena, const struct kpi_goal *goal, const struct kpi_sources *sources,
    struct kpi_points *points)
{
    const struct sql_monitor_kpi_snapshots *before = NULL;

    for (size_t i = 0; i < sources->snapshots.count; i++) {
        const struct sql_monitor_kpi_snapshots *row = &sources->snapshots.items[i];
        struct counts now = counts_of(goal->measure, row);
        struct counts base = { 0 };

        if (before && text_equal(before->reset_at, row->reset_at))
            base = counts_of(goal->measure, before);
        /* Evicted statements took their counts with them. */
        bool is_whole = now.of >= base.of && now.all >= base.all;
        struct kpi_point point = {
            .at_us = row->at,
            .value = (now.of - base.of) / (now.all - base.all),
        };

        if (is_whole && now.all - base.all >= now.least) {
            point.source =
                arena_printf(arena, "measured by pg_stat_statements up to %s (snapshot %s)",
                    clock_text(arena, row->at), row->name);
            VEC_PUSH(arena, points, point);
        }
        before = row;
    }
}

static void
take_stored(struct arena *arena, const struct kpi_goal *goal, const struct kpi_sources *sources,
    struct kpi_points *points)
{
    for (size_t i = 0; i < sources->stored.count; i++) {
        const struct sql_monitor_kpi_stored *row = &sources->stored.items[i];
        struct kpi_point point = { row->at, row->value, NULL };

        if (!text_equal(row->metric, goal->metric))
            continue;
        point.source = arena_printf(arena, "measured by the monitor, mean of %s until %s",
            text_from_us(arena, row->seconds * 1000000), clock_text(arena, row->at));
        VEC_PUSH(arena, points, point);
    }
}

/* What the server itself has counted, when nothing else is known. */
static void
take_database(struct arena *arena, const struct kpi_sources *sources, struct kpi_points *points)
{
    const struct sql_monitor_kpi_database *row = sources->database.items;

    if (sources->database.count == 0 || row->blocks_hit + row->blocks_read < LEAST_BLOCKS)
        return;

    struct kpi_point point = {
        .at_us = row->at,
        .value = row->blocks_hit / (row->blocks_hit + row->blocks_read),
        .source = arena_printf(arena, "measured by pg_stat_database since %s, at %s",
            row->since ? row->since : "the database was made", clock_text(arena, row->at)),
    };

    VEC_PUSH(arena, points, point);
}

void
kpi_measure(struct arena *arena, const struct kpi_goal *goal, const struct kpi_sources *sources,
    struct kpi_points *points)
{
    if (goal->measure != MEASURE_NONE)
        take_snapshots(arena, goal, sources, points);
    if (goal->metric)
        take_stored(arena, goal, sources, points);
    if (goal->measure == MEASURE_CACHE_HIT && points->count == 0)
        take_database(arena, sources, points);
}
