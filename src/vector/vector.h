/*
 * The nouns of vector search: the column that is searched and how, the sizes of its tenants, the
 * questions that are asked. A tenant is whatever the searches filter by with "=": an assistant, a
 * customer. A table without one has a single tenant, whose value is NULL.
 */
#pragma once

#include "base/ctx.h"
#include "base/field.h"
#include "base/json.h"
#include "base/text.h"
#include "base/vec.h"

#define VECTOR_METRICS(X)                             \
    X(METRIC_COSINE, "cosine", "<=>", "cosine_ops")   \
    X(METRIC_L2, "l2", "<->", "l2_ops")               \
    X(METRIC_INNER, "inner product", "<#>", "ip_ops") \
    X(METRIC_L1, "l1", "<+>", "l1_ops")

/* The operators of vector and halfvec; their operator classes are "<type>_<class>". */
#define METRIC_ENUM(metric, name, op, class) metric,
enum vector_metric { VECTOR_METRICS(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

const char *vector_metric_name(enum vector_metric metric);
const char *vector_metric_operator(enum vector_metric metric); /* "<=>" */
const char *vector_metric_class(enum vector_metric metric);    /* "cosine_ops" */
/* False for another operator. */
bool vector_metric_of(const char *operator, enum vector_metric * ret);

/* A condition of the searches besides the tenant: importance >= 5. */
struct vector_filter {
    const char *column;
    const char *type;     /* by format_type() */
    const char *operator; /* one of = <> < <= > >= */
    const char *value;    /* as text, without quotes: the one that is measured with */
};

/* A vector column and how it is searched. Names are raw: db_ident() quotes them. */
struct vector_target {
    const char *schema;
    const char *table;
    uint32_t table_oid;
    const char *key; /* column of the primary key, of one column */
    const char *key_type;
    const char *column;
    const char *type; /* "vector" or "halfvec" */
    int32_t dims;
    enum vector_metric metric;
    const char *tenant; /* column, or NULL */
    const char *tenant_type;
    VEC(struct vector_filter) filters; /* at most three */
    int32_t limit;                     /* rows that a search asks for */

    /* Columns with a meaning to the functions that are installed; NULL: there is none. */
    const char *text; /* the text of a chunk */
    const char
        *text_config; /* "russian", or the name of a regconfig column; see is_config_column */
    bool is_config_column;
    const char *importance;
    const char *doc_type;
    const char *chunk_hash;

    const char *extension_schema;  /* where pgvector's types and operators are */
    const char *extension_version; /* "0.8.0" */
    int32_t extension_number;      /* 800 for 0.8.0 */
    int64_t rows;                  /* estimate of the catalogue; -1: never analysed */
    int64_t table_bytes;           /* heap without TOAST */
    int64_t toast_bytes;
    const char *storage; /* of the column: plain, external, extended, main */
    bool is_toasted;     /* its values stand in the TOAST table */
    bool is_nullable;
    const char *
        found_in; /* where the shape of the search comes from: "pg_stat_statements", "options", … */
};

struct vector_targets {
    struct vector_target *items;
    size_t count;
    size_t capacity;
};

/* Tenants of like size. */
struct vector_bucket {
    const char *name;   /* "1,000-9,999 rows" */
    int64_t least_rows; /* of a tenant in it */
    int64_t most_rows;  /* INT64_MAX in the last one */
    int64_t tenants;
    int64_t rows;
};

struct vector_tenant {
    const char *value; /* as text; NULL: the whole table, of a target without a tenant */
    int64_t rows;
    size_t bucket;
};

/* All tenants, the largest first, and the buckets that are not empty, the smallest first. */
struct vector_sizes {
    VEC(struct vector_tenant) tenants;
    VEC(struct vector_bucket) buckets;
    int64_t rows;      /* counted, with a vector; with null_rows */
    int64_t null_rows; /* whose tenant is NULL: a search with "=" never finds them, and they are
                          of no item in tenants */
};

/* One question. */
struct vector_query {
    const char *tenant; /* as text, or NULL */
    size_t bucket;
    const char *values; /* "[0.1,0.2,…]" */
    const char *source; /* "query_embeddings_cache", "file", "held-out row" */
};

struct vector_queries {
    struct vector_query *items;
    size_t count;
    size_t capacity;
};

/* The right answers to one query: keys as text, nearest first; with those that tie with the last. */
struct vector_answer {
    struct text_list keys;
    size_t due; /* rows that a search should return: the smaller of limit and what there is */
};

struct vector_answers {
    struct vector_answer *items; /* one a query, in their order */
    size_t count;
    size_t capacity;
};

/* A share with its 95 % interval. */
struct vector_interval {
    double value;
    double low;
    double high;
};

/* What a way to search does in one bucket. Times are of one query, in microseconds. */
struct vector_measure {
    int64_t queries;
    struct vector_interval recall; /* mean share of the right answers that were returned */
    double recall_least;           /* of the worst query */
    int64_t short_results; /* queries that returned fewer rows than there are and were asked */
    struct vector_interval cpu_us_p50; /* of the backend */
    struct vector_interval cpu_us_p95;
    struct vector_interval wall_us_p50;
    struct vector_interval wall_us_p95;
};

/* For screens while long work goes on. ratio and left_us below 0: unknown. */
struct vector_observer {
    void (*progress)(void *data, const char *what, double ratio, int64_t left_us);
    void (*note)(void *data, const char *text);
    void *data;
};
void vector_progress(
    const struct vector_observer *observer, const char *what, double ratio, int64_t left_us);
void vector_note(const struct vector_observer *observer, const char *text);

/* The caller owns what the first gives; the second fills from what the first gave (ERR_INPUT). */
json_t *vector_target_to_json(const struct vector_target *target);
bool vector_target_from_json(struct ctx *ctx, const json_t *json, struct vector_target *ret)
    MUST_CHECK;

/* schema.table, quoted. */
const char *vector_table(struct arena *arena, const struct vector_target *target);
