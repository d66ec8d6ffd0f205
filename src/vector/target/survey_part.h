/* The survey on its way; for this folder only. */
#pragma once

#include "db/explain.h"
#include "vector/target/find.h"
#include "vector/target/survey.h"

#define SURVEY_RULES(X)      \
    X(RULE_OPERATOR)         \
    X(RULE_EXPRESSION)       \
    X(RULE_NOT_MATCHED)      \
    X(RULE_SHORT)            \
    X(RULE_RECALL)           \
    X(RULE_FLIP)             \
    X(RULE_GENERIC)          \
    X(RULE_ITERATIVE)        \
    X(RULE_EF_SEARCH)        \
    X(RULE_TENANT_INDEX)     \
    X(RULE_SMALL_TENANTS)    \
    X(RULE_TOASTED)          \
    X(RULE_LISTS)            \
    X(RULE_INVALID)          \
    X(RULE_UNUSED)           \
    X(RULE_BUILD_MEMORY)     \
    X(RULE_PARALLEL_BUILD)   \
    X(RULE_VACUUM_BUG)       \
    X(RULE_NULL_VECTORS)     \
    X(RULE_ZERO_VECTORS)     \
    X(RULE_NOT_FINITE)       \
    X(RULE_NULL_TENANT)      \
    X(RULE_HASH_DUPLICATES)  \
    X(RULE_VALUE_DUPLICATES) \
    X(RULE_DIMENSIONS)       \
    X(RULE_KEY)              \
    X(RULE_STATISTICS)
#define SURVEY_RULE_ENUM(rule) rule,
enum survey_rule { SURVEY_RULES(SURVEY_RULE_ENUM) RULE_COUNT };
#undef SURVEY_RULE_ENUM

/* A column that is being looked at. */
struct surveyed {
    struct ctx *ctx;
    struct db *db;
    const struct vector_observer *observer;
    struct vector_survey *survey;
    struct found_column found;
    struct vector_facts *facts;
    struct sql_vector_survey_table table;
    int64_t dims_kinds; /* different numbers of dimensions in the rows looked at */
    int64_t dims_least;
    int64_t dims_most;
    size_t first_finding; /* of this column in the survey */
    int64_t hash_rows;    /* that hash_duplicates are of */
};

/* A finding about the column, or about an index of it. */
struct finding *survey_add(struct surveyed *column, enum survey_rule rule, const char *object,
    const char *format, ...) PRINTF_LIKE(4, 5);
void survey_evidence(
    struct surveyed *column, struct finding *finding, const char *name, const char *value);
void survey_number(
    struct surveyed *column, struct finding *finding, const char *name, int64_t number);

/*
 * After a failure: true when the survey can go on without what failed (too slow, refused by the
 * server), which is noted then.
 */
bool survey_goes_on(struct surveyed *column, const char *what) MUST_CHECK;

/* Whether the rule has fired for this column: one search that falls into a trap is told, not all. */
bool survey_is_told(const struct surveyed *column, enum survey_rule rule);

/* "shop.chunks.embedding" */
const char *survey_name(const struct surveyed *column);

/* Whether it is an approximate index over the column itself or a cast of it. */
bool survey_is_ann(const struct sql_vector_target_indexes *index);

/* ---- survey_rows.c: what is in the rows ---- */

bool survey_rows(struct surveyed *column) MUST_CHECK;
void survey_judge_rows(struct surveyed *column);

/* ---- survey_indexes.c: what the catalogue tells of the indexes ---- */

void survey_judge_indexes(struct surveyed *column);
void survey_judge_use(struct surveyed *column);
void survey_judge_version(struct surveyed *column);

/* ---- survey_plans.c: what the planner does ---- */

bool survey_judge_plans(struct surveyed *column) MUST_CHECK;
