/*
 * What is known of the tables that indexes may be built on: sizes, columns with their statistics, how often
 * they are written, and the indexes that are there. Read once, in one snapshot; never changed.
 */
#pragma once

#include "base/map.h"
#include "base/text.h"
#include "db/db.h"

struct fact_column {
    const char *name;
    const char *type;      /* "character varying(255)" */
    const char *base_type; /* of a domain its base; "varchar", "int4", "jsonb", "_text", "vector" */
    char category;       /* typcategory: 'N', 'S', 'D', 'A' array, 'R' range, 'B', 'E' enum, 'U' */
    int16_t number;      /* attnum */
    int16_t type_length; /* bytes; -1: it varies */
    char type_align;     /* 'c', 's', 'i', 'd' */
    bool is_not_null;
    int8_t server_major;  /* whose column it is */
    bool has_statistics;  /* else null_share and distinct are 0 */
    bool has_btree;       /* the type has a default btree operator class */
    bool has_c_collation; /* LIKE 'x%' needs no text_pattern_ops */
    double null_share;
    double distinct; /* values, not the negative ratio of pg_stats; 0: not known */
    double width;    /* bytes on average; without statistics what the planner guesses by the type */
    double correlation; /* NaN: not known */
    /* Most common values as text with their share of rows, the commonest first; and histogram bounds. */
    const char **common;
    const double *common_shares;
    size_t common_count;
    const char **bounds;
    size_t bound_count;
    /* Of arrays and tsvector: the shares of the rows that the commonest elements are in. */
    const double *element_shares;
    size_t element_count;
    double elements_a_row; /* distinct ones on average; 0: not known */
};

/* One key, or included column, of an index that is there. */
struct fact_key {
    const char *text;    /* column, quoted where needed, or expression as the server writes it */
    const char *column;  /* NULL: an expression */
    const char *opclass; /* its name */
    bool is_default_class;
    const char *collation; /* "" the column's own */
    bool is_descending;
    bool is_nulls_first;
};

struct fact_index {
    uint32_t oid;
    const char *schema;
    const char *name;
    const char *method;
    const char *definition; /* what follows the table in CREATE INDEX */
    const struct fact_key *keys;
    size_t key_count;
    const struct fact_key *include;
    size_t include_count;
    const char *predicate;  /* or NULL */
    const char *options;    /* "fillfactor=70", or NULL */
    const char *tablespace; /* or NULL: the database's */
    bool is_unique;
    bool is_primary;
    bool is_exclusion;
    bool is_constraint; /* a constraint needs it, also a foreign key that points to it */
    bool is_replica_identity;
    bool is_clustered;
    bool is_valid;        /* valid, ready and live */
    bool is_partition_of; /* hangs on an index of the partitioned parent */
    int64_t bytes;
    int64_t scans;            /* since the statistics were reset */
    struct text_list columns; /* plain columns in keys, include, expressions and predicate */
};

struct fact_foreign_key {
    const char *name;
    struct text_list columns;
    const char *target;    /* schema.table, quoted */
    double target_deletes; /* rows deleted or whose key may have changed there */
};

struct fact_table {
    uint32_t oid;
    const char *schema;
    const char *name;
    const char *qualified; /* quoted */
    char kind;             /* relkind: r m p f */
    bool is_partition;
    bool is_unlogged;
    bool may_read; /* our role has SELECT on it */
    bool
        is_held; /* somebody locked it exclusively: its indexes are not known, nor could it be planned */
    const char *parent; /* qualified; of a partition or child, or NULL */
    /*
     * reltuples as the planner would scale it to the size now; -1: never analysed. planner_rows is the
     * same, and where that is -1 what the planner guesses by pages and widths. Of a partitioned table
     * sizes, rows and counts are the sum of its partitions'.
     */
    double rows;
    double planner_rows;
    int64_t bytes; /* of the heap alone, now */
    int64_t pages;
    double visible_share; /* relallvisible / relpages */
    int32_t fillfactor;
    /* Since the statistics were reset; n_tup_… */
    double inserts;
    double updates;
    double hot_updates;
    double deletes;
    double sequential_scans;
    const char *analyzed_at; /* or NULL: never */
    struct fact_column *columns;
    size_t column_count;
    struct fact_index *indexes;
    size_t index_count;
    struct fact_foreign_key *foreign_keys;
    size_t foreign_key_count;
};

struct facts {
    struct fact_table *items; /* by schema and name */
    size_t count;
    struct map by_name; /* qualified → struct fact_table */
    int server_version; /* 150020 */
    double stats_age_s; /* since the database's statistics were reset; -1: not known */
    int64_t block_size;
    const char *trgm_schema;   /* of extension pg_trgm; NULL: not installed */
    bool can_have_trgm;        /* its files are on the server */
    const char *vector_schema; /* of pgvector; NULL: not installed */
    const char *gin_schema;    /* of btree_gin; NULL */
    int64_t held;              /* tables that somebody had locked exclusively */
    int64_t unreadable;        /* tables whose statistics our role may not see */
};

/* What is wanted: columns with statistics take most of the time. */
struct facts_options {
    bool has_values;          /* common values and bounds too, not only the numbers */
    struct text_list schemas; /* empty: all but the system's and pgmend */
};

/* db: read-only is enough. 1,000 tables take below a second. */
bool facts_load(struct ctx *ctx, struct db *db, const struct facts_options *options,
    struct facts *ret) MUST_CHECK;

const struct fact_table *facts_table(
    const struct facts *facts, const char *schema, const char *name);
const struct fact_column *facts_column(const struct fact_table *table, const char *name);

/* What an index would weigh. Shared with everything that proposes one. */
struct fact_index_size {
    int64_t bytes;
    double entries;
};
struct index_candidate;
/*
 * Bytes of a candidate once built: entries of the rows that the predicate leaves, keys by their average
 * width, B-tree duplicates stored once with a list of places (PostgreSQL 13 on: posting lists of 6 bytes an
 * entry), GIN by distinct elements. docs/indexes.md says how near it comes, measured.
 */
void facts_index_size(const struct facts *facts, const struct fact_table *table,
    const struct index_candidate *candidate, struct fact_index_size *ret);
