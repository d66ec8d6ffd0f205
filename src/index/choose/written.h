/* How many rows of each table the workload writes, and which columns it sets. */
#pragma once

#include "index/choose/choose.h"

/* The columns that one kind of UPDATE sets. */
struct written_set {
    struct text_list columns;
    double rows;
    bool is_hot; /* no index that is there has one of them */
};

/* Rows over the span of the weights. */
struct written_table {
    const struct fact_table *table;
    double inserts;
    double updates;
    double hot_updates;
    VEC(struct written_set) sets;
};

struct written;

/* span_s: see choose_options; statements that cannot be read count for nothing. */
const struct written *written_new(struct arena *arena, const struct facts *facts,
    const struct choose_query *queries, size_t count, double span_s);

/* NULL: nothing is written to it. */
const struct written_table *written_table(
    const struct written *written, const struct fact_table *table);

/* Updates that could no longer be HOT if an index had these columns. */
double written_lost_hot(const struct written_table *table, const struct text_list *columns);
