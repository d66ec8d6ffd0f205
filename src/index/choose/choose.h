/*
 * Which of many indexes to have: Extend (Schlosser, Kossmann, Boissier 2019), which begins with single
 * columns and widens what pays most for its size, then drops and merges; with the cost of keeping them up.
 */
#pragma once

#include "index/sample/query.h"
#include "index/whatif/whatif.h"

/* A query with what it weighs: cost × weight is in milliseconds where times are known, else in planner units. */
struct choose_query {
    const struct index_query *query;
    double weight; /* of one unit of its planner cost, over the whole workload */
    double before; /* its planner cost now: the mean of its instances by their shares */
};

struct choose_options {
    int64_t most_bytes;  /* of what is added; 0: no limit */
    size_t most_indexes; /* 0: no limit */
    double
        most_write_cost; /* share of the writes' cost that may be added, 0.2: 20 %; 0: no limit */
    double
        least_share; /* of a query's cost, and of the workload's, that a step has to save; 0: 0.003 */
    /*
     * Milliseconds of a planner unit where weights are in milliseconds; 0: weights are in planner units
     * (then 0.01 is taken for what was measured in milliseconds).
     */
    double ms_a_unit;
    /*
     * Seconds that the weights cover; the tables' counters are scaled to them. 0: not known, then only what
     * the workload's own INSERT, UPDATE and DELETE statements write is counted.
     */
    double span_s;
    int64_t time_us;      /* after which the best so far is taken; 0: no limit */
    size_t most_width;    /* keys of an index; 0: 6 */
    bool drops_redundant; /* also propose that existing ones go */
    void (*progress)(void *data, const char *phase, double ratio, int64_t elapsed_us);
    void *data;
};

/* A query that a chosen index helps. */
struct choice_help {
    size_t query;  /* position */
    double before; /* planner cost without this index, with all others of the choice */
    double after;
    bool is_last; /* without it the query would be as slow as at the start */
};

struct choice_index {
    const struct index_candidate *candidate;
    int64_t bytes;
    double saved;      /* weighted, of the workload: without it against with it, all others there */
    double write_cost; /* weighted: what keeping it up costs over the same span */
    double lost_hot;   /* updates of the span that are no longer HOT because of it */
    VEC(struct choice_help) helps;
    struct text_list
        instead; /* wider, narrower or other ones that were tried and why they lost; short */
};

/* An index that is there and that the choice makes needless. */
struct choice_drop {
    const struct fact_table *table;
    const struct fact_index *index;
    const char *because; /* "idx_new begins with the same columns", … */
};

struct choice {
    VEC(struct choice_index) indexes; /* the most saved first */
    VEC(struct choice_drop) drops;
    VEC(double) after;   /* planner cost of each query with the whole choice, by position */
    double before_total; /* weighted, as the next */
    double after_total;
    double write_before; /* weighted cost of keeping up the indexes that are there */
    double write_added;
    int64_t bytes;
    int64_t planner_calls;
    int64_t rounds;
    bool is_cut_short; /* by time_us */
    size_t untried;    /* candidates that there was no time for */
    size_t unseen; /* queries that none of their candidates was tried for, for the same reason */
    double unseen_share; /* that they are of before_total */
    VEC(const char *)
    trail; /* a sentence a step: what was added, widened, dropped, merged, for what */
};

/* Costs of the same planning are asked once. */
struct choose_workload {
    const struct choose_query *items;
    size_t count;
};
bool choose_indexes(struct ctx *ctx, struct whatif *whatif, const struct choose_workload *workload,
    struct index_candidates *candidates, const struct choose_options *options, struct choice *ret)
    MUST_CHECK;

/*
 * Weighted cost a span of keeping indexes up: entries that INSERT and non-HOT UPDATE make, in units of the
 * weight's cost. Rows written are what the workload's statements wrote or what the tables' counters say,
 * whichever is more. What an entry costs by method was measured: bench/advisor/write.
 */
struct write_load;
struct write_load_options {
    double ms_a_unit; /* as in choose_options, as the next */
    double span_s;
};
struct write_load *write_load_new(struct arena *arena, const struct facts *facts,
    const struct choose_query *queries, size_t count, const struct write_load_options *options);
double write_load_cost(
    const struct write_load *load, const struct index_candidate *candidate, double *ret_lost_hot);
/* What writing costs now: the entries of the indexes that are there, and the rows themselves. */
double write_load_of_indexes(const struct write_load *load);
double write_load_of_rows(const struct write_load *load);
