/*
 * From readings to samples: the columns that are metrics as they are, and what follows from two
 * readings (rates, ratios, means), never across a gap and never negative.
 */
#pragma once

#include "monitor/monitor.h"

/* Fills server->samples (its arena is set) from its readings and its host's facts. */
void derive_samples(struct watched *server);

/* What is derived, for the documentation. */
extern const struct metric derived_metrics[];
extern const char *const derived_labels[]; /* their names, with commas */
extern const size_t derived_metric_count;

/* A statement between two readings of its counters. */
struct statement_rate {
    int64_t query_id;
    int64_t user_id;
    int64_t database_id;
    bool is_new; /* first seen: its counts belong to the time between */
    int64_t calls;
    double seconds; /* total execution time */
    double mean_seconds;
    int64_t rows;
    int64_t blocks_hit;
    int64_t blocks_read;
    double share; /* of the time of all statements between */
};
struct statement_rates {
    double span_s;   /* 0: no two readings to compare */
    const char *gap; /* reset, eviction …: what is not counted, for people; or NULL */
    struct statement_rate *items; /* most seconds first */
    size_t count;
};
void derive_statements(
    struct arena *arena, const struct watched *server, struct statement_rates *ret);

/* Text of statements by query id; asked once for each that matters and kept, bounded. NULL: not yet known. */
const char *statement_text(const struct watched *server, int64_t query_id);
