/* What history's own files share. */
#pragma once

#include "base/map.h"
#include "monitor/history.h"
#include "monitor/history_ring.h"

/* Of a slot, and of all. */
extern const int64_t history_step_us;
extern const int64_t history_reach_us;

struct tick {
    int64_t at_us;     /* wall clock */
    int64_t covers_us; /* time before it that its values stand for */
    bool is_after_gap;
};

/* The slot that is being filled. */
struct open_slot {
    int64_t slot; /* -1: none */
    double sum;
    uint32_t count;
};

struct history_metric {
    const char *name;
    struct history_series *first;
};

struct history_series {
    struct history_series *next; /* of the same metric */
    struct history_metric *metric;
    uint64_t identity; /* of names and values of its labels */
    char *labels;
    size_t labels_room;
    int64_t last_at_us;
    double last;
    struct ring ticks;
    struct ring slots;
    struct open_slot open;
};

struct history_server {
    const char *name;
    struct map metrics;
    VEC(struct history_metric *) metric_list; /* in the order they came */
    VEC(struct history_series *) series;
    VEC(struct history_series *) order; /* of the last tick's samples: the next one's guess */
    struct tick *ticks;                 /* a ring */
    int64_t first_tick;
    int64_t next_tick;
    int32_t slowed;   /* of the last tick */
    int64_t left_out; /* samples of the last tick */
    bool has_no_old;
};

struct history {
    struct arena *arena;
    int64_t interval_us;
    int64_t tick_count; /* of the rings */
    int32_t most_series;
    VEC(struct history_server *) servers;
};

struct history_server *history_find_server(const struct history *history, const char *name);
struct history_series *history_find_series(
    const struct history_server *server, const char *metric, const char *labels);
struct tick *history_tick(
    const struct history *history, const struct history_server *server, int64_t number);
