/*
 * Advice from beginning to end: the workload, its queries as they can be planned, candidates, the
 * choice, and what is told of it.
 */
#pragma once

#include "base/json.h"
#include "index/choose/choose.h"
#include "index/intake/intake.h"

struct advice_options {
    struct choose_options choose;
    enum whatif_way way;
    const char *bin_folder;
    const char *path;        /* search_path of the statements; NULL: the role's own */
    size_t most_queries;     /* the heaviest, that are looked at; 0: 10,000 */
    struct text_list tables; /* only indexes of these, as schema.table or table; empty: all */
    bool wants_references;   /* foreign keys without an index too */
    bool allows_approximate; /* hnsw and ivfflat; else they are only mentioned */
};

struct advice_index {
    const struct choice_index *choice;
    const char *name;
    const char *statement;
    const char *why;         /* why this column order */
    int64_t build_us;        /* estimated */
    const char *lock;        /* that the build takes, and whom it stops */
    double share;            /* of the workload that the helped queries were */
    double saved_share;      /* of the workload that goes away */
    struct text_list recipe; /* of a partitioned table: statements in order; else empty */
    struct text_list cautions;
};

struct advice {
    struct facts facts;
    const struct intake *intake;
    VEC(struct index_query) queries; /* those that could be planned */
    struct choose_query
        *weighed; /* by the same position; weight 0: could not be planned after all */
    VEC(const struct index_query *) unexplained;
    size_t utility; /* statements that read and write no tables */
    size_t light;   /* statements that weigh too little to be looked at */
    struct index_candidates candidates;
    struct choice choice;
    VEC(struct advice_index) indexes;
    const char *way; /* how costs were asked */
    struct text_list notes;
    bool is_in_ms;    /* totals and savings are milliseconds, else planner units */
    double ms_a_unit; /* of planner cost, by this workload; 0 where times are not known */
    int64_t us;       /* that it took */
};

/* db: a read-only session is enough; it is not left in a transaction. */
bool advice_make(struct ctx *ctx, struct db *db, const struct intake *intake,
    const struct advice_options *options, struct advice *ret) MUST_CHECK;

/* The statement of a query in one line, with $n where it can be told. */
const char *advice_query_text(struct arena *arena, const struct index_query *query);

/* The caller owns it. */
json_t *advice_json(struct arena *arena, const struct advice *advice);

/* A script for "pgmend index lint", "plan" and "apply": statements with their reasons. */
const char *advice_script(struct arena *arena, const struct advice *advice);

/* -- for the files of this folder -- */

/* Fills the indexes of an advice whose choice is made. */
bool advice_describe(struct ctx *ctx, struct db *db, struct advice *advice) MUST_CHECK;

/* Planner costs now, and weights; queries that cannot be planned get weight 0 and a problem. */
bool advice_weigh(struct ctx *ctx, struct whatif *whatif, const struct advice_options *options,
    struct advice *advice) MUST_CHECK;
