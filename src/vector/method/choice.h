/*
 * What is installed: the ways to search that won, for which tenants, and what was measured. Stands
 * in the database as JSON, in pgmend.value under the name "vector:<schema>.<table>.<column>".
 */
#pragma once

#include "db/db.h"
#include "vector/method/method.h"

/* Tenants that have a way of their own: those with an approximate index of their own. */
struct vector_special {
    struct text_list tenants; /* values as text */
    struct vector_method method;
};

struct vector_expectation {
    const char *bucket;
    int64_t least_rows;
    int64_t most_rows;
    struct vector_measure measure;
};

struct vector_choice {
    struct vector_target target;
    struct vector_method base; /* for all tenants that are not special */
    VEC(struct vector_special) specials;
    VEC(struct vector_expectation) expected;
    double recall;           /* asked for: mean */
    double recall_worst;     /* and in the worst bucket */
    const char *why;         /* sentences: why it won */
    const char *retune;      /* sentences: when to tune again */
    const char *text_column; /* stored tsvector, or NULL: none is stored */
    double vector_weight;    /* of hybrid search; below 0: reciprocal rank fusion */
    const char *chosen_at;
    int64_t largest_rows; /* of a tenant when it was planned; 0: unknown */
    bool was_measured;    /* false: nobody tuned, exact search is the safe choice */
};

json_t *vector_choice_to_json(const struct vector_choice *choice);
bool vector_choice_from_json(struct ctx *ctx, const json_t *json, struct vector_choice *ret)
    MUST_CHECK;

/* "vector:public.knowledge_embeddings.embedding" */
const char *vector_choice_key(struct arena *arena, const struct vector_target *target);

/* Exact search over the column as it is: what is right without any measurement. */
void vector_choice_exact(
    struct arena *arena, const struct vector_target *target, struct vector_choice *ret);

/* The one that is installed for this column; *ret_found false: none. */
bool vector_choice_load(struct ctx *ctx, struct db *db, const struct vector_target *target,
    struct vector_choice *ret, bool *ret_found) MUST_CHECK;

/* The method for a tenant. */
const struct vector_method *vector_choice_method(
    const struct vector_choice *choice, const char *tenant);
