/*
 * What the statements that take most of the time did in the last readings: the share bars and
 * sparklines of the page. Fixed size: so many statements, so many readings; a statement that leaves
 * the top is forgotten when another one needs its place.
 */
#pragma once

#include "monitor/collect/derive.h"

enum { TREND_SLOTS = 60, TREND_STATEMENTS = 64 };

/* Between two readings. */
struct trend_slot {
    float seconds; /* NaN: not known, the statement was not followed then */
    float calls;
    float rows;
    float hit;
    float read;
};

struct trend_item {
    int64_t query_id;
    int64_t database_id;
    bool is_new;
    struct trend_slot slots[TREND_SLOTS];
};

struct trend {
    int64_t read_at_us;         /* the reading that was taken last */
    int64_t slots;              /* so far; the newest is (slots - 1) % TREND_SLOTS */
    float spans[TREND_SLOTS];   /* seconds; 0: a gap */
    float seconds[TREND_SLOTS]; /* of all statements */
    char gap[160];              /* why the newest slot leaves something out; or empty */
    struct trend_item items[TREND_STATEMENTS];
    size_t count;
};

/* Takes the reading of this tick, if there is a new one. */
void trend_add(struct trend *trend, const struct watched *server);

/* A statement over all slots that are kept. */
struct trend_sum {
    const struct trend_item *item;
    double seconds;
    double calls;
    double rows;
    double hit;
    double read;
};
/* Most seconds first, at most so many; the span and the seconds of all statements in it. */
size_t trend_sums(const struct trend *trend, struct arena *arena, struct trend_sum **ret,
    double *ret_span_s, double *ret_seconds);
/* 0 is the oldest slot that is kept; NULL is not returned. */
size_t trend_kept(const struct trend *trend);
size_t trend_slot_at(const struct trend *trend, size_t number);
