/* Which tables would gain from being partitioned by time, how statements would meet the partitions, what it costs. */
#pragma once

#include "change/partition.h"
#include "workload/workload.h"

/* Below this size one table is vacuumed, indexed and restored in the time that people have for it. */
#define PARTITION_LEAST_BYTES INT64_C(10737418240)
/* Where old rows are to go, dropping a partition is worth it earlier than deleting rows. */
#define PARTITION_LEAST_EXPIRING_BYTES INT64_C(1073741824)

struct partition_statement {
    const char *query;
    double share; /* of all the time of statements that read the table */
};

struct partition_advice {
    const char *schema;
    const char *table;
    const char *qualified;
    const char *key;
    const char *unit; /* "month" or "week" */
    int64_t rows;     /* -1: not known */
    int64_t bytes;
    double correlation;  /* NaN: not known */
    double rows_per_day; /* NaN: counted too shortly */
    int64_t later_bytes; /* in half a year at that rate; -1: not known */
    double
        filtered_share; /* of the time of its statements: those with a condition on the key; NaN: none seen */
    bool is_worth;
    const char *verdict; /* a sentence with the rule */
    VEC(struct partition_statement)
    everywhere;                 /* that would look into each partition, the dearest first */
    struct text_list obstacles; /* problem and remedy by turns */
};

struct partition_advices {
    struct partition_advice *items;
    size_t count;
    size_t capacity;
    const char *no_statements; /* why statements could not be looked at, or NULL */
};

struct partition_question {
    const char *table; /* only this one, or NULL: all above least_bytes */
    const char *key;   /* or NULL: the column of time that rows are appended by */
    const char *unit;  /* or NULL: by how many rows come */
    int64_t least_bytes;
    int64_t keep_us; /* how long rows are kept; 0: for ever */
    struct text_list give_up;
};

bool partition_advise(struct ctx *ctx, struct db *db, const struct partition_question *question,
    struct partition_advices *ret) MUST_CHECK;

/*
 * How a statement of pg_stat_statements meets a table: whether it names it, and whether a WHERE or ON of it has a
 * condition on the column. Names are compared without their schema.
 */
struct partition_use {
    bool is_of_table;
    bool has_key;
};
struct partition_use partition_use_of(
    struct arena *arena, const char *query, const char *table, const char *key);
