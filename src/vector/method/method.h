/*
 * Ways to search: what has to be there (columns, indexes, settings) and the statement that
 * searches. The same text is measured on the staging copy, planned for the live database and put
 * into the installed functions, so what was measured is what runs.
 */
#pragma once

#include "vector/vector.h"

/*
 * exact: by an index on tenant and filters, every distance computed; bits: the nearest by Hamming
 * distance from a covering index, the best of them computed exactly; hnsw and ivfflat: pgvector's
 * approximate indexes.
 */
#define VECTOR_FAMILIES(X)   \
    X(FAMILY_SCAN, "scan")   \
    X(FAMILY_EXACT, "exact") \
    X(FAMILY_BITS, "bits")   \
    X(FAMILY_HNSW, "hnsw")   \
    X(FAMILY_IVFFLAT, "ivfflat")
#define FAMILY_ENUM(family, name) family,
enum vector_family { VECTOR_FAMILIES(FAMILY_ENUM) FAMILY_COUNT };
#undef FAMILY_ENUM

/* What the distance is computed from, or the index is built on. */
#define VECTOR_ELEMENTS(X)           \
    X(ELEMENT_COLUMN, "column")      \
    X(ELEMENT_PLAIN, "plain vector") \
    X(ELEMENT_HALF, "halfvec")       \
    X(ELEMENT_BIT, "bit")
#define ELEMENT_ENUM(element, name) element,
enum vector_element { VECTOR_ELEMENTS(ELEMENT_ENUM) ELEMENT_COUNT };
#undef ELEMENT_ENUM

/* Over which rows an approximate index stands. */
#define VECTOR_SCOPES(X)             \
    X(SCOPE_GLOBAL, "global")        \
    X(SCOPE_TENANT, "partial")       \
    X(SCOPE_HASH, "hash partitions") \
    X(SCOPE_LIST, "list partitions")
#define SCOPE_ENUM(scope, name) scope,
enum vector_scope { VECTOR_SCOPES(SCOPE_ENUM) SCOPE_COUNT };
#undef SCOPE_ENUM

#define VECTOR_ITERATIONS(X)          \
    X(ITERATE_OFF, "off")             \
    X(ITERATE_STRICT, "strict_order") \
    X(ITERATE_RELAXED, "relaxed_order")
#define ITERATE_ENUM(iteration, name) iteration,
enum vector_iteration { VECTOR_ITERATIONS(ITERATE_ENUM) ITERATE_COUNT };
#undef ITERATE_ENUM

struct vector_method {
    enum vector_family family;
    enum vector_element element;
    enum vector_scope scope;
    enum vector_iteration iteration;
    bool with_btree;    /* an index on tenant and filters stands beside the approximate one */
    int32_t candidates; /* K: rows that are ranked again by the exact distance; 0: none */
    int32_t m;          /* hnsw, and */
    int32_t ef_construction;
    int32_t ef_search;
    int32_t lists; /* ivfflat, and */
    int32_t probes;
    int32_t partitions; /* of SCOPE_HASH */
};

/* "bits, 100 ranked again", "hnsw halfvec, partial, ef 200 relaxed": no two methods the same. */
const char *vector_method_name(struct arena *arena, const struct vector_method *method);

/* Whether they need the same columns and indexes and differ in query settings only. */
bool vector_method_same_build(const struct vector_method *a, const struct vector_method *b);

json_t *vector_method_to_json(const struct vector_method *method);
bool vector_method_from_json(struct ctx *ctx, const json_t *json, struct vector_method *ret)
    MUST_CHECK;

/*
 * Why a method cannot be used for a target (the metric, the dimensions, the version of pgvector,
 * no tenant), as a sentence without its full stop; NULL: it can.
 */
const char *vector_method_problem(
    struct arena *arena, const struct vector_target *target, const struct vector_method *method);

/* A column that a method needs beside the ones of the table, kept true by a trigger. */
struct vector_extra_column {
    const char *name;       /* "embedding_bits" */
    const char *type;       /* "public.halfvec(1536)", "bit(1536)": SQL, types qualified */
    const char *storage;    /* "PLAIN", or NULL for the type's own */
    const char *expression; /* SQL over columns prefixed by "NEW." when is_new, else bare */
};

struct vector_extra_index {
    const char *name;       /* at most 63 bytes, of this table only */
    const char *definition; /* what follows the table in CREATE INDEX: "USING btree (…)" */
    const char *settings;   /* for building it: "maintenance_work_mem=…", or NULL */
};

/* What has to be there. */
struct vector_parts {
    VEC(struct vector_extra_column) columns;
    VEC(struct vector_extra_index) indexes;
    struct text_list settings; /* "hnsw.ef_search=200", …: around each search */
};

/*
 * A name that PostgreSQL does not cut: a longer one would be cut at the end, where the difference
 * is, so it gets a digest of the whole instead.
 */
const char *vector_fitting_name(struct arena *arena, const char *name);

/*
 * The parts of a method for a target; tenant: the value as text for SCOPE_TENANT, else NULL.
 * row_prefix is "" or "NEW.": what stands before the columns in expressions.
 */
void vector_method_parts(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const char *tenant, const char *row_prefix,
    struct vector_parts *ret);

/*
 * The search as a SELECT of (key, distance), nearest first. Each of the arguments is SQL: "$1", a
 * quoted literal, the name of a function's argument; filters: one a filter of the target, NULL for
 * one that is left out. selected: what is selected beside; SQL over alias t, as "t.id", without an
 * output column named distance, for that is the last one. Distance is the exact one whenever the
 * method ranks again or is exact; more candidates than K are ranked again when more rows than
 * target->limit are asked for, in proportion. Rows without a vector are never found. Everything is
 * schema-qualified, operators too, so it means the same under any search_path.
 */
struct vector_search {
    const char *tenant; /* NULL when the target has none */
    const char *vector; /* an expression of the target's type */
    const char *limit;
    const char *const *filters; /* NULL: all are left out */
    const char *selected;       /* "t.id", or "t.id, t.chunk_text, …" */
    const char *condition;      /* one more, over alias t, or NULL */
};
const char *vector_search_sql(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const struct vector_search *search);

/* Memory that building takes, in bytes: for maintenance_work_mem. Source: pgvector's README. */
int64_t vector_build_memory(
    const struct vector_target *target, const struct vector_method *method, int64_t rows);

/* round(sqrt(rows)), at least 1 and at most 32,768: the plan's own choice of lists. */
int32_t vector_plan_lists(int64_t rows);
