/*
 * Indexes that might help, read from the plans that the server makes of the statements: so names are
 * resolved, views and functions followed, and expressions in the server's own wording.
 */
#pragma once

#include "base/text.h"
#include "base/vec.h"
#include "index/facts/facts.h"

/* Why a key stands where it stands. */
#define CANDIDATE_ROLES(X)                                                             \
    X(ROLE_EQUAL, "equality")      /* = a value, or a join that looks up one by one */ \
    X(ROLE_IN, "list")             /* = ANY, IN */                                     \
    X(ROLE_ORDER, "order")         /* ORDER BY, which it saves sorting for */          \
    X(ROLE_GROUP, "grouping")      /* GROUP BY, DISTINCT, merge join */                \
    X(ROLE_RANGE, "range")         /* <, >, BETWEEN, LIKE 'x%' */                      \
    X(ROLE_PATTERN, "pattern")     /* LIKE '%x%', ILIKE, ~, similarity */              \
    X(ROLE_CONTAINS, "contents")   /* @>, ?, &&, @@ */                                 \
    X(ROLE_DISTANCE, "distance")   /* ORDER BY a <-> b LIMIT n */                      \
    X(ROLE_REFERENCE, "reference") /* a foreign key's column */

#define ROLE_ENUM(role, name) role,
enum candidate_role { CANDIDATE_ROLES(ROLE_ENUM) ROLE_COUNT };
#undef ROLE_ENUM

const char *candidate_role_name(enum candidate_role role);

struct candidate_key {
    const char *text;      /* column, quoted where needed, or expression with its parentheses */
    const char *column;    /* NULL: an expression */
    const char *collation; /* quoted, or NULL: the column's own */
    const char *opclass;   /* qualified where it is not of pg_catalog; NULL: the default one */
    bool is_descending;
    bool is_nulls_first; /* as it has to be; written only where it is not the direction's default */
    enum candidate_role role;
};

struct index_candidate {
    const struct fact_table *table;
    const char *method; /* "btree", "gin", "gist", "brin", "hash", "hnsw" */
    struct candidate_key *keys;
    size_t key_count;
    struct text_list include; /* columns */
    const char *predicate;    /* as the server writes it, without parentheses around it; or NULL */
    const char *options;      /* "fastupdate=off", or NULL */
    /* What follows the table in CREATE INDEX; the same text means the same index. */
    const char *definition;
    struct text_list columns;    /* plain columns in keys, include, expressions and predicate */
    struct text_list extensions; /* that it needs and that are not installed: "pg_trgm" */
    bool is_approximate;   /* its answers are not the exact ones: only with a gate for recall */
    bool is_for_reference; /* made for a foreign key alone: no statement asked for it */
    /* Positions, of the queries it was made for, in the list given; rising, each once. */
    VEC(size_t) queries;
};

/* Equal values of the first column have, but for few rows, equal values of the second. */
struct candidate_dependency {
    const struct fact_table *table;
    const char *from;
    const char *to;
    double degree; /* share of the first column's values of which that is so */
};

struct index_candidates {
    struct arena *arena;
    const struct facts *facts;
    struct map by_definition; /* "schema.table " and the definition → struct index_candidate */
    VEC(struct index_candidate *) items;
    VEC(struct candidate_dependency) dependencies;
};

void index_candidates_begin(
    struct arena *arena, const struct facts *facts, struct index_candidates *ret);

/*
 * Adds what might help the query of this position (struct index_query of sample/query.h), seeing the plans
 * that it has. ERR_INPUT never: what is not understood in a plan gives no candidate.
 */
struct index_query;
bool index_candidates_add(struct ctx *ctx, struct index_candidates *candidates,
    const struct index_query *query, size_t position) MUST_CHECK;

/*
 * The same from one plan, the JSON of EXPLAIN (VERBOSE, FORMAT JSON). is_instance: its constants were put in
 * for planning, so no predicate is made of them. ERR_INPUT when it is no JSON.
 */
bool index_candidates_add_plan(struct ctx *ctx, struct index_candidates *candidates,
    const char *plan, size_t position, bool is_instance) MUST_CHECK;

/*
 * Looks into samples of the rows for columns that determine others, and takes the determined ones out of the
 * keys: they narrow nothing. What cannot be read is left as it is.
 */
bool index_candidates_find_dependencies(
    struct ctx *ctx, struct db *db, struct index_candidates *candidates) MUST_CHECK;

/* Whether equal values of the first one's leading column have equal values of the other's keys. */
bool candidate_determines(const struct index_candidates *candidates,
    const struct index_candidate *first, const struct index_candidate *other);

/* Foreign keys whose referencing columns no index begins with. */
void index_candidates_add_references(struct index_candidates *candidates);

/*
 * A wider or narrower relative, made when it is new: for widening, merging and shortening. keys: so many of
 * the first keys of base, and then those of more (NULL: none) that are not among them. NULL when that is no
 * index that could be (too wide, mixed methods).
 */
struct index_candidate *index_candidate_combine(struct index_candidates *candidates,
    const struct index_candidate *base, size_t keys, const struct index_candidate *more);

/* Writes definition and columns from the other members. */
void index_candidate_compose(struct arena *arena, struct index_candidate *candidate);

/* Whether everything that narrow can do a (valid) index that is there can do as well. */
bool index_candidate_is_served(
    const struct index_candidate *candidate, const struct fact_index *there);

/* "CREATE INDEX CONCURRENTLY name ON schema.table …", name free in its schema and among taken. */
const char *index_candidate_statement(
    struct arena *arena, const struct index_candidate *candidate, const char *name);
const char *index_candidate_name(struct arena *arena, const struct facts *facts,
    const struct index_candidate *candidate, const struct text_list *taken);

/* Sentences that say why the keys stand in this order. */
const char *index_candidate_why(struct arena *arena, const struct index_candidate *candidate);
