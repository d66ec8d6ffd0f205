/* Asking the server how it would do a search, and doing some; for this folder only. */
#pragma once

#include "vector/target/survey_part.h"

/* A search prepared in a read-only transaction of its own. */
struct trial {
    struct surveyed *column;
    const char *sql;                  /* with $1 … */
    bool is_workload;                 /* the very statement of pg_stat_statements */
    size_t count;                     /* parameters */
    const struct vector_shape *shape; /* what they mean; NULL: $1 tenant, $2 vector */
    VEC(struct vector_filter) usual;  /* values of parameters that no filter stands for */
    struct db_transaction transaction;
    bool is_prepared;
};

/* How one tenant is searched. */
struct trial_plan {
    struct explain_plan plan;
    const struct sql_vector_target_indexes *ann; /* the approximate index that is used, or NULL */
    bool has_filter;                             /* rows are dropped behind it */
};

enum { MOST_ASKED = 15 };

/* A tenant that is tried, with a vector to search for. */
struct asked {
    const struct vector_tenant *tenant;
    const char *vector;
    struct trial_plan plan;
};

/*
 * One search of the workload (or the one that the target describes) tried for tenants of all sizes.
 * column is a copy whose target and searches are of that search alone.
 */
struct trying {
    struct surveyed *column;
    struct vector_tenant whole; /* the table as one tenant, for a search without */
    struct asked items[MOST_ASKED];
    size_t count;
    const struct sql_vector_target_indexes *ann; /* the first that a plan uses */
    bool has_filter;
};

/*
 * The statement of the workload when all its parameters are understood, else a search as the
 * target describes it.
 */
bool trial_begin(struct surveyed *column, struct trial *ret) MUST_CHECK;

/* For CLEANUP. */
void trial_end(struct trial *trial);

/* Sets a parameter until the trial ends. */
bool trial_set(struct trial *trial, const char *name, const char *value) MUST_CHECK;

/* Counts as an execution for the server's choice between custom and generic plans. */
bool trial_explain(
    struct trial *trial, const char *tenant, const char *vector, struct trial_plan *ret) MUST_CHECK;

/* The vector of one of the tenant's rows, NULL: it has none that can be searched for. */
bool trial_vector(struct surveyed *column, const char *tenant, int64_t skip, const char **ret)
    MUST_CHECK;

/*
 * Really searches as the plans say (expression: what the index is on), and exactly, and compares by
 * distance, so that ties count as right. In a transaction of its own.
 */
struct trial_answer {
    int64_t rows; /* that came */
    int64_t due;  /* that should have come */
    int64_t right;
};
bool trial_search(struct surveyed *column, const char *expression, const char *tenant,
    const char *vector, struct trial_answer *ret) MUST_CHECK;

/* ---- survey_trying.c ---- */

bool trying_choose(struct trying *trying) MUST_CHECK;
bool trying_plan(struct trying *trying) MUST_CHECK;

/* "tenant 17 (1 200 rows)", "the whole table (…)" */
const char *trying_tenant(struct arena *arena, const struct vector_tenant *tenant);

/* ---- survey_searches.c ---- */

/* Whether a usable approximate index is built for the operator. */
bool survey_has_class(const struct surveyed *column, const char *op);
const struct sql_vector_target_indexes *survey_first_ann(const struct surveyed *column);

void survey_judge_operators(struct surveyed *column);
bool trying_judge_match(struct trying *trying) MUST_CHECK;

/* ---- survey_answers.c ---- */

bool trying_judge_answers(struct trying *trying) MUST_CHECK;
