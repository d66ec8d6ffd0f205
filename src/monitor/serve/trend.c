#include "monitor/serve/trend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

size_t
trend_kept(const struct trend *trend)
{
    return trend->slots < TREND_SLOTS ? (size_t)trend->slots : TREND_SLOTS;
}

size_t
trend_slot_at(const struct trend *trend, size_t number)
{
    return (size_t)(trend->slots - (int64_t)trend_kept(trend) + (int64_t)number) % TREND_SLOTS;
}

static struct trend_item *
find(struct trend *trend, const struct statement_rate *rate)
{
    for (size_t i = 0; i < trend->count; i++)
        if (trend->items[i].query_id == rate->query_id &&
            trend->items[i].database_id == rate->database_id)
            return &trend->items[i];
    return NULL;
}

static double
seconds_of(const struct trend *trend, const struct trend_item *item)
{
    double sum = 0;

    for (size_t i = 0; i < trend_kept(trend); i++) {
        double seconds = (double)item->slots[trend_slot_at(trend, i)].seconds;

        sum += isnan(seconds) ? 0 : seconds;
    }
    return sum;
}

/* A free place, or that of the statement that took least; NULL: all took more than this one. */
static struct trend_item *
make_room(struct trend *trend, const struct statement_rate *rate)
{
    struct trend_item *least = NULL;
    double least_seconds = rate->seconds;

    if (trend->count < TREND_STATEMENTS)
        return &trend->items[trend->count++];
    for (size_t i = 0; i < trend->count; i++) {
        double seconds = seconds_of(trend, &trend->items[i]);

        if (seconds < least_seconds) {
            least = &trend->items[i];
            least_seconds = seconds;
        }
    }
    return least;
}

static void
start_item(struct trend_item *item, const struct statement_rate *rate)
{
    *item = (struct trend_item){
        .query_id = rate->query_id,
        .database_id = rate->database_id,
        .is_new = rate->is_new,
    };
    for (size_t i = 0; i < TREND_SLOTS; i++)
        item->slots[i].seconds = NAN;
}

/* The same statement of several users is one line. */
static void
add_rate(struct trend_slot *slot, const struct statement_rate *rate)
{
    slot->seconds = (isnan(slot->seconds) ? 0 : slot->seconds) + (float)rate->seconds;
    slot->calls += (float)rate->calls;
    slot->rows += (float)rate->rows;
    slot->hit += (float)rate->blocks_hit;
    slot->read += (float)rate->blocks_read;
}

static void
begin_slot(struct trend *trend, size_t slot, bool is_gap)
{
    for (size_t i = 0; i < trend->count; i++)
        trend->items[i].slots[slot] = (struct trend_slot){ .seconds = is_gap ? NAN : 0 };
}

void
trend_add(struct trend *trend, const struct watched *server)
{
    const struct reading *reading = &server->now[COLLECT_STATEMENT];
    struct arena *arena CLEANUP(arena_cleanup) = NULL;
    struct statement_rates rates = { 0 };
    size_t slot = (size_t)trend->slots % TREND_SLOTS;

    if (!reading->is_good || reading->at_us == trend->read_at_us)
        return;
    arena = arena_new();
    derive_statements(arena, server, &rates);
    trend->read_at_us = reading->at_us;
    trend->slots++;
    trend->spans[slot] = (float)rates.span_s;
    trend->seconds[slot] = 0;
    snprintf(trend->gap, sizeof(trend->gap), "%s", rates.gap ? rates.gap : "");
    begin_slot(trend, slot, rates.span_s <= 0);
    for (size_t i = 0; i < rates.count && rates.span_s > 0; i++) {
        const struct statement_rate *rate = &rates.items[i];
        struct trend_item *item = find(trend, rate);

        trend->seconds[slot] += (float)rate->seconds;
        if (!item && i < TREND_STATEMENTS && rate->calls > 0) {
            item = make_room(trend, rate);
            if (item)
                start_item(item, rate);
        }
        if (item)
            add_rate(&item->slots[slot], rate);
    }
}

static int
compare_sums(const void *a, const void *b)
{
    double mine = ((const struct trend_sum *)a)->seconds;
    double other = ((const struct trend_sum *)b)->seconds;

    return (mine < other) - (mine > other);
}

size_t
trend_sums(const struct trend *trend, struct arena *arena, struct trend_sum **ret,
    double *ret_span_s, double *ret_seconds)
{
    struct trend_sum *sums = ARENA_ARRAY(arena, struct trend_sum, trend->count + 1);

    *ret_span_s = 0;
    *ret_seconds = 0;
    for (size_t s = 0; s < trend_kept(trend); s++) {
        *ret_span_s += (double)trend->spans[trend_slot_at(trend, s)];
        *ret_seconds += (double)trend->seconds[trend_slot_at(trend, s)];
    }
    for (size_t i = 0; i < trend->count; i++) {
        sums[i].item = &trend->items[i];
        for (size_t s = 0; s < trend_kept(trend); s++) {
            const struct trend_slot *slot = &trend->items[i].slots[trend_slot_at(trend, s)];

            if (isnan(slot->seconds))
                continue;
            sums[i].seconds += (double)slot->seconds;
            sums[i].calls += (double)slot->calls;
            sums[i].rows += (double)slot->rows;
            sums[i].hit += (double)slot->hit;
            sums[i].read += (double)slot->read;
        }
    }
    qsort(sums, trend->count, sizeof(sums[0]), compare_sums);
    *ret = sums;
    return trend->count;
}
