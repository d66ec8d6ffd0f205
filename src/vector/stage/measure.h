/* Asking the questions and taking the time. */
#pragma once

#include "vector/method/method.h"
#include "vector/stage/stage.h"

/* How the CPU time of a server process can be read. */
#define METER_KINDS(X)                                                 \
    X(METER_SCHEDSTAT, "the kernel's schedstat of the server process") \
    X(METER_STATEMENT_LOG, "the server's own log_statement_stats")     \
    X(METER_WALL, "wall time, as the CPU time cannot be seen from here")
#define METER_ENUM(kind, text) kind,
enum meter_kind { METER_KINDS(METER_ENUM) METER_KIND_COUNT };
#undef METER_ENUM

const char *meter_kind_text(enum meter_kind kind);

/* One way to search, ready to be asked; sql has $1 tenant, $2 vector, $3 limit (all as text). */
struct vector_probe {
    const char *name;
    const char *sql;           /* from vector_search_sql(), or a call of an installed function */
    struct text_list settings; /* "hnsw.ef_search=200": for the transaction of the query */
    const char *const *sql_by_tenant; /* NULL, or one statement a query: for partial indexes */
};

/* What one query did. */
struct vector_shot {
    size_t query;
    double recall;
    bool is_short;
    int64_t cpu_us;
    int64_t wall_us;
};

struct vector_shots {
    struct vector_shot *items;
    size_t count;
    size_t capacity;
};

/*
 * Asks each probe the queries [first, first + count) in turn, probes interleaved query by query so
 * that a busy machine is busy for all, in read-only transactions; each query rounds times, of whose
 * times the least is kept. shots: one list a probe, appended to. A statement that fails fails the
 * measurement (ERR names the probe); one over timeout_us counts as that long, with recall 0.
 */
struct vector_measurement {
    struct db *db;
    const struct vector_target *target;
    const struct vector_queries *queries;
    const struct vector_answers *answers;
    const size_t *chosen; /* indexes into queries, or NULL for all */
    size_t chosen_count;
    int32_t rounds;
    int64_t timeout_us;
    enum meter_kind meter; /* out: what was used */
};
bool vector_measure(struct ctx *ctx, struct vector_measurement *measurement,
    const struct vector_probe *probes, size_t probe_count, struct vector_shots *shots) MUST_CHECK;

/* Statistics of the shots of one bucket (all buckets: SIZE_MAX). */
void vector_summarise(struct arena *arena, const struct vector_shots *shots,
    const struct vector_queries *queries, size_t bucket, int32_t limit, struct vector_measure *ret);

/*
 * Wilson's interval of a share of hits in trials, with the trials divided by the design effect of
 * queries whose hits go together. Source: Wilson 1927; Kish 1965.
 */
struct vector_interval vector_share_interval(
    const double *shares, size_t count, int32_t trials_each);

/* A quantile with the interval of the order statistics around it (binomial, 95 %). Sorts values. */
struct vector_interval vector_quantile_interval(double *values, size_t count, double quantile);
