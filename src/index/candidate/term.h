/*
 * What a condition of a plan means for the indexes of one relation: the key that could find its rows, and the
 * predicate that could leave the others out.
 */
#pragma once

#include "index/candidate/candidate.h"
#include "index/candidate/explained_plan.h"

struct candidate_term {
    enum candidate_role role;
    const char *method;         /* NULL: no index finds it; it may still be a predicate */
    struct candidate_key *keys; /* one, or those of a row comparison */
    size_t key_count;
    double distinct;  /* values of the (first) key; 0: not known */
    bool is_join;     /* compared with another relation's value */
    bool is_nullness; /* IS NULL */
    const char
        *predicate; /* the condition itself, when it holds constants of the text alone; or NULL */
    double share;   /* of the rows that it leaves; -1: not known */
    const char *extension; /* that has to be installed, or NULL */
    bool is_approximate;
};

struct candidate_terms {
    struct candidate_term *items;
    size_t count;
    size_t capacity;
};

struct candidate_reading {
    struct ctx *ctx;
    const struct facts *facts;
    const struct explained_plan *plan;
    const struct explained_relation *relation;
    bool is_instance; /* constants of the plan may differ from call to call */
};

/* Adds what the condition, not AND nor OR, means for the relation: nothing, one term or two. */
void candidate_terms_read(const struct candidate_reading *reading,
    const struct explained_expr *condition, struct candidate_terms *terms);

/*
 * Reads a side of a condition, or a key of an order, as a key of the relation; false when it is none.
 * *ret_column: the plain column, or NULL. A type without B-tree order is for the caller to see.
 */
bool candidate_key_read(const struct candidate_reading *reading, const struct explained_expr *expr,
    struct candidate_key *ret, const struct fact_column **ret_column);
/* Whether a B-tree can have it as a key; what an expression gives is not known and let pass. */
bool candidate_key_has_btree(const struct fact_column *column);

/* The term of an order by distance; false: operator and type have no such index. */
bool candidate_term_distance(const struct candidate_reading *reading,
    const struct explained_expr *expr, struct candidate_term *ret);

/* Rows that the condition leaves, told from constants; -1: not known. operator: "=", "<>", or "= ANY". */
double candidate_share(struct arena *arena, const struct fact_column *column, const char *operator,
    const char * value);

/* Which index method and class finds an operator. */
struct candidate_operator {
    const char *method;
    const char *opclass; /* NULL: the default */
    const char *extension;
    enum candidate_role role;
    bool is_approximate;
};

/* base_type: of the key; NULL: an expression, told by its text. False: none that is known. */
bool candidate_operator_find(struct arena *arena, const struct facts *facts, const char *operator,
    const struct explained_expr * key, const struct fact_column *column,
    struct candidate_operator *ret);
bool candidate_operator_distance(struct arena *arena, const struct facts *facts,
    const char *operator, const struct fact_column * column, struct candidate_operator *ret);
