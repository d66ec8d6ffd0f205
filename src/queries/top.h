/*
 * Which statements cost most: from the counters of pg_stat_statements, since their reset or between
 * two readings, or from statements as they were executed, one by one. What a source does not tell is
 * left open, never guessed.
 */
#pragma once

#include "base/vec.h"
#include "queries/finding.h"
#include "workload/statement.h"
#include "workload/workload.h"

enum query_order {
    BY_TOTAL,
    BY_CALLS,
    BY_MEAN,
    BY_P95,
    BY_ROWS,
    BY_BUFFERS,
    QUERY_ORDER_COUNT,
};

/* "total", …; in the order of the enum, NULL-terminated: choices of an option. */
extern const char *const query_order_names[];

/* Statements of one fingerprint, whoever ran them. */
struct ranked_query {
    const char
        *fingerprint;  /* of the grammar, else "q" and the server's query id, or the template's */
    const char *query; /* with $n for constants */
    int64_t calls;
    double total_ms; /* -1: not known, as the next ones */
    double mean_ms;
    double p95_ms;
    double share; /* of the time of all statements, 0 … 1 */
    int64_t rows;
    int64_t blocks_hit;
    int64_t blocks_read;
    const char *mark;               /* "N+1 ×12 of 1f2e3d4c"; NULL: nothing is known against it */
    const char *parent_fingerprint; /* of the mark; NULL: none */
    double variance;                /* of its times, in ms²; -1: not known */
    double max_ms;
    bool is_part; /* an unknown part of its calls is lost: its entry was evicted in between */
};

struct query_ranking {
    struct ranked_query *items;
    size_t count;
    size_t capacity;
    int64_t calls; /* of all statements, as the next one */
    double total_ms;
    bool has_estimated_p95; /* by mean and standard deviation, not measured */
    bool has_blocks;
    int64_t own;    /* entries left out: proofs of "queries rewrite" */
    int64_t nested; /* entries left out: run by functions, whose time is in that of their caller */
    int64_t vanished; /* entries of the first reading that were gone in the second */
    int64_t untimed;  /* executions without a time, which the calls hold and the times do not */
};

/*
 * What was called between the readings (before NULL: since the counters' reset), with the suspects of
 * N+1 marked. Points into both readings.
 */
void query_ranking_count(struct arena *arena, const struct workload *before,
    const struct workload *after, struct query_ranking *ret);

/* The same of statements that come one by one; its memory grows with their kinds only. */
struct query_tally;

struct query_tally *query_tally_new(struct arena *arena);
void query_tally_add(struct query_tally *tally, const struct traced_statement *statement);
/* findings: what the detector found in the same statements, to be marked; may be NULL. */
void query_tally_rank(
    struct query_tally *tally, const struct query_findings *findings, struct query_ranking *ret);

/* The costliest first; what is not known comes last. */
void query_ranking_sort(struct query_ranking *ranking, enum query_order order);
