/* What stands on the copy: columns, indexes and tables of partitions, and what they cost. */
#pragma once

#include "vector/stage/meter.h"
#include "vector/tune/tune.h"

enum { PART_COLUMN, PART_INDEX };

struct built_part {
    int kind;
    const char *name;
    const char *table;      /* quoted */
    const char *definition; /* parts of the same name, table and definition are the same */
    int64_t us;
    int64_t cpu_us; /* -1: cannot be seen */
    int64_t bytes;
};

struct builder {
    struct vector_stage *stage;
    const struct vector_observer *observer;
    struct meter meter;
    int64_t most_memory; /* for one build, in bytes */
    VEC(struct built_part) standing;
    struct vector_target divided; /* a table of partitions; no name: none stands */
    enum vector_scope divided_by;
    double pace[FAMILY_COUNT]; /* how much longer builds take than estimated */
    int64_t rows;              /* of the copy */
    bool is_last;              /* nothing is measured any more: no need to tidy the table */
};

bool builder_open(struct ctx *ctx, struct vector_stage *stage,
    const struct vector_observer *observer, struct builder *ret) MUST_CHECK;
void builder_close(struct builder *builder);

/* Several methods that are to stand side by side. */
struct build_wish {
    const struct vector_method *const *methods;
    size_t count;
    const struct text_list *tenants; /* that get a partial index or a partition, or NULL */
};

/*
 * Makes what the methods need and is not there, removes what they do not need; ret: the cost of
 * all that they need, of parts that stood already too. After a failure some of it may stand.
 */
bool builder_stand(struct ctx *ctx, struct builder *builder, const struct build_wish *wish,
    struct vector_build *ret) MUST_CHECK;

/* Removes everything. */
bool builder_clear(struct ctx *ctx, struct builder *builder) MUST_CHECK;

/* The table that a method searches: the copy itself, or the one of partitions that stands. */
const struct vector_target *builder_target(
    const struct builder *builder, const struct vector_method *method);

/* How long a build will take, by what the builds so far took. */
int64_t builder_estimate_us(const struct builder *builder, const struct vector_method *method,
    const struct text_list *tenants);

/* Runs a statement that may take long, showing what for; 0: nobody knows how long. */
bool builder_run(struct ctx *ctx, struct builder *builder, const char *sql, const char *what,
    int64_t expected_us) MUST_CHECK;

/* A part that methods need, with what is to be known to make it. */
struct wanted_part {
    struct built_part part;
    const struct vector_method *method;
    struct vector_extra_column column;
    const char *settings;
    int64_t expected_us; /* to build it; 0: no time worth telling */
};

struct wanted_parts {
    struct wanted_part *items;
    size_t count;
    size_t capacity;
};
void builder_want(struct ctx *ctx, const struct builder *builder, const struct build_wish *wish,
    struct wanted_parts *ret);

/* Makes a part; fills its cost. Removes one, without making room. */
bool builder_make_part(struct ctx *ctx, struct builder *builder, struct wanted_part *wanted)
    MUST_CHECK;
bool builder_remove_part(struct ctx *ctx, struct builder *builder, const struct built_part *part)
    MUST_CHECK;

/* VACUUM with these options over the copy. */
bool builder_vacuum(struct ctx *ctx, struct builder *builder, const char *options) MUST_CHECK;

/* Makes the table of partitions with its rows, without indexes; drops it. */
bool builder_divide(struct ctx *ctx, struct builder *builder, const struct vector_method *method,
    const struct text_list *tenants) MUST_CHECK;
bool builder_unite(struct ctx *ctx, struct builder *builder) MUST_CHECK;

/* What the table of partitions is called, whether it stands or not. */
void builder_name_divided(struct builder *builder, const struct vector_method *method);

/* A partition's table by its number, as builder_divide() names them. */
const char *builder_partition(struct arena *arena, const struct builder *builder, size_t number);
