/* What a world and its scopes are made of. */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "load/scenario/expression.h"
#include "load/scenario/scope.h"
#include "load/scenario/world.h"

struct load_variable {
    const char *name;
    struct load_value constant; /* while nothing assigns to it */
    bool is_assigned;
    bool is_used; /* an expression names it */
    size_t index; /* of the scope's cells, when something assigns to it */
};

struct load_assignment {
    const struct load_variable *variable;
    const struct load_node *expression;
    const char *where;
};

struct load_slot {
    const char *name;
    const char *problem; /* what is said when it is empty */
};

enum load_pick { PICK_UNIFORM, PICK_ZIPF, PICK_OWN, PICK_IN_TURN };

/* Rows from which one is drawn. Of a range nothing is kept but its ends. */
struct load_table {
    const char *name;
    size_t index; /* of the scope's rows */
    struct text_list columns;
    bool has_columns; /* they are known: the values have been read */
    const char **cells;
    size_t rows;
    bool is_range;
    int64_t low;
    enum load_pick pick;
    double zipf;
    /* Only rows whose column is equal to an expression: they stand together. */
    const struct load_node *match;
    size_t match_column;
    struct map parts;    /* struct load_part, by the value */
    size_t next;         /* in turn */
    const char *problem; /* what is said when there is no row */
};

struct load_part {
    size_t first;
    size_t count;
    size_t next; /* in turn */
};

struct load_secret {
    const char *name;
    const char *text; /* NULL: it has no file */
    size_t length;
    const char *problem;
};

/* A problem and where the expression stands, as one text: made once, as it may come again and again. */
struct load_reason {
    const char *place;
    const char *problem;
    const char *text;
};

/* A name that nothing defines. */
struct load_missing {
    const char *name;
    const char *place;
};

enum { SCRATCH_BYTES = 32768, MOST_VECTOR = 4096 };

struct load_world {
    struct arena *arena;
    VEC(struct load_variable *) variables;
    VEC(struct load_assignment) assignments;
    VEC(struct load_slot) slots;
    VEC(struct load_table *) tables;
    VEC(struct load_secret) secrets;
    VEC(struct load_reason) reasons;
    /* While it gathers, names that nothing defines are noted here and taken for constants. */
    VEC(struct load_missing) missing;
    bool gathers;
    size_t assigned;   /* variables that something assigns to */
    VEC(size_t) used;  /* slots that were named since the caller emptied it */
    int64_t unique;    /* the next number of "unique" */
    int64_t started_s; /* since 1970: tokens are issued then */
    int64_t seed;      /* of hashes: pgbench's default_seed */
    char *scratch;     /* text that a function has just made: SCRATCH_BYTES */
};

/* A text that is kept for a user. */
struct load_cell {
    char *data;
    uint32_t length;
    uint32_t capacity;
};

struct load_scope {
    struct load_world *world;
    struct arena *arena;
    uint64_t random[2];
    uint32_t number;
    uint32_t person; /* how many had the connection before */
    uint32_t users;  /* in all: the next person's rows are those behind all of these */
    const char *problem;
    const char *place;  /* of the expression with the problem: "FILE:LINE", or NULL */
    const char *broken; /* why an assignment of this request failed: nothing of it can be sent */
    bool is_missing;    /* the problem is that there is no value, not that an expression is wrong */
    struct load_value *variables;
    struct load_cell *texts; /* of variables */
    size_t *rows;            /* of each table: 1 + the row drawn for this request; 0: none yet */
    struct load_cell *slots;
    bool *filled;           /* slots that hold something */
    struct load_cell token; /* the last one that jwt() made */
    struct load_cell subject;
    size_t token_secret;
};

struct load_variable *load_world_find(const struct load_world *world, const char *name);
struct load_table *load_world_table(const struct load_world *world, const char *name);

/* Notes a name that nothing defines, if the world gathers them; then what is compiled can go on. */
bool load_world_miss(struct load_world *world, const char *name, const char *place);

/* An empty table; ERR_INPUT when the name is taken. */
bool load_world_add_table(struct ctx *ctx, struct load_world *world, const char *name,
    const char *where, struct load_table **ret) MUST_CHECK;

/* How values are written into what surrounds them. */
enum load_dress {
    DRESS_NONE,
    DRESS_PATH,   /* percent-encoded */
    DRESS_HEADER, /* control characters are refused */
    DRESS_JSON,   /* what stands in quotes, and numbers */
};
bool load_template_compile(struct ctx *ctx, struct load_world *world, const char *text,
    const char *where, enum load_dress dress, const struct load_template **ret) MUST_CHECK;

/* The row of the table that this request of the user has. False: there is none. */
bool load_table_row(struct load_table *table, struct load_scope *scope, size_t *ret);

/* A whole number from low to high, each as likely. */
int64_t load_scope_range(struct load_scope *scope, int64_t low, int64_t high);
void load_scope_seed(struct load_scope *scope, uint64_t seed);
/* From 1 to count, k with a probability in proportion to k^-s; s from 0.01 to 1000. */
uint64_t load_scope_zipf(struct load_scope *scope, uint64_t count, double s);
void load_cell_set(struct arena *arena, struct load_cell *cell, const char *data, size_t length);

/* A name and where it stands: nothing of this name there must be yet. */
bool load_name_check(struct ctx *ctx, const char *name, const char *where) MUST_CHECK;
