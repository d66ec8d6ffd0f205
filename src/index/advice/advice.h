/*
 * Advice from beginning to end: the workload, its queries as they can be planned, candidates, the choice, and
 * what is told of it.
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
    size_t most_queries;     /* the heaviest that are looked at for candidates; 0: 500 */
    double least_part;       /* of the workload: what weighs less gives no candidates; 0: 0.0005 */
    struct text_list tables; /* only indexes of these; empty: all */
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
    double share;            /* of the workload's time that the helped queries are */
    struct text_list recipe; /* of a partitioned table: statements in order; else empty */
    struct text_list cautions;
};

struct advice {
    struct facts facts;
    const struct intake *intake;
    VEC(struct index_query) queries; /* those that could be planned and are looked at */
    struct choose_query *weighed;    /* by the same position */
    VEC(const struct index_query *) unexplained;
    size_t light; /* queries that weigh too little to be looked at */
    double total_weight;
    struct index_candidates candidates;
    struct choice choice;
    VEC(struct advice_index) indexes;
    const char *way; /* how costs were asked */
    struct text_list notes;
    double ms_a_unit; /* of planner cost, by this workload; 0: times are not known */
    int64_t us;       /* that it took */
};

bool advice_make(struct ctx *ctx, struct db *db, const struct intake *intake,
    const struct advice_options *options, struct advice *ret) MUST_CHECK;

/* The caller owns it. */
json_t *advice_json(const struct advice *advice);

/* A script for "pgmend index lint", "plan" and "apply": statements with their reasons as comments. */
const char *advice_script(struct arena *arena, const struct advice *advice);
