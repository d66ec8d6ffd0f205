/* What is to be known, and what is wrong, about the vector columns of a database. Reads only. */
#pragma once

#include "finding/finding.h"
#include "vector/target/target.h"

/* One vector column. Shares are of the rows looked at. */
struct vector_facts {
    struct vector_target target;
    struct vector_sizes sizes;
    int64_t looked_at; /* rows that were read for the figures below: all, or a sample */
    int64_t nulls;
    int64_t zeros;      /* vectors of length zero: no cosine */
    int64_t not_finite; /* pgvector refuses them; old versions did not */
    int64_t
        hash_duplicates; /* rows beyond the first with the same chunk hash and tenant; -1: no such column */
    int64_t value_duplicates; /* the same by the vector itself */
    int64_t searches;         /* calls in the workload, with any operator */
    VEC(struct vector_index) indexes;
};

struct vector_index {
    const char *name;
    const char *method; /* hnsw, ivfflat, btree, … */
    const char *opclass;
    const char *definition;
    int64_t bytes;
    int64_t scans;
    bool is_valid;
    int32_t lists;     /* of ivfflat; 0: none */
    bool is_on_vector; /* on the column itself, or an expression over it */
    bool is_planned;   /* a search that was tried is planned by it */
};

struct vector_survey {
    VEC(struct vector_facts) columns;
    const char *pgvector;
    struct findings findings;
    struct text_list notes; /* what could not be looked at, and why */
};

/* The rules of the findings; ends with an id of NULL. */
extern const struct rule vector_rules[];

/*
 * Looks at all vector columns, or at the one that is wished for. The traps are tried, not guessed,
 * where that is possible: the server is asked for the plan of the very statements of the workload
 * as a custom and as a generic plan, for a large and a small tenant.
 */
bool vector_survey(struct ctx *ctx, struct db *db, const struct vector_wish *wish,
    const struct vector_observer *observer, struct vector_survey *ret) MUST_CHECK;

/* The caller owns it. */
json_t *vector_survey_json(const struct vector_survey *survey);
