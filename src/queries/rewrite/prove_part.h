/* What the files of the proof share. */
#pragma once

#include "base/map.h"
#include "queries/rewrite/prove.h"

/* A statement that the server has parsed for the proof. */
struct prove_statement {
    const char *name;
    const char *sql;
    const struct rewrite_param *params; /* what its parameters stand for */
    size_t param_count;
    const char **types; /* of its parameters */
    size_t type_count;
};

/* What SQL promises about the order of a statement's rows, and which of them it gives. */
struct prove_order {
    bool is_ordered;
    bool is_limited;
    const char
        *with_keys; /* the statement with its sort keys as last columns; NULL: not possible */
    const char *without_limit; /* the same, but all rows */
    const size_t *places;      /* of the sort keys among the outputs, from 1 */
    size_t place_count;
    size_t added_count; /* sort keys that were added as columns */
};

struct prove_child {
    size_t number; /* in the input, from 0 */
    struct prove_statement statement;
    struct prove_order order;
    size_t columns; /* of its result */
    const char **names;
    const struct result *nothing; /* what it gives for NULL; NULL: it fails for it */
    int64_t answered;             /* keys for which it gave something else */
};

/* One key, or one row of the parent. */
struct prove_group {
    const char *key;
    const char *tuple;        /* by which rows of the rewrite are known to be its */
    const char *const *row;   /* of the parent; NULL: asked by keys */
    size_t times;             /* how many of them are alike: each answer comes so often, or once */
    struct result *answers;   /* of each child */
    const char *const **args; /* of each child */
    const char *parameters;
};

/* Where in a row of the rewrite a child's answer stands. */
struct prove_place {
    bool has_mark; /* a boolean before it: whether there is a row */
    size_t mark;
    size_t first;
};

struct proving {
    struct ctx *ctx;
    struct db *db;
    const struct rewrite_input *input;
    const struct rewrite *rewrite;
    const struct proof_options *options;
    struct proof *proof;
    struct prove_child *children; /* that the rewrite is about */
    size_t child_count;
    bool has_parent; /* it was prepared */
    struct prove_statement parent;
    size_t parent_columns;
    const char *const *parent_args;
    struct prove_order parent_order;
    struct prove_statement statement;
    const char *parent_refusal; /* why the parent is never run; NULL: it may be */
    const char **parameters;    /* values of the parent's */
    const char ***child_values; /* of slots without an example: what was found in the tables */
    struct prove_place *places; /* of the children */
    size_t group_first;         /* where in the rewrite's result it is told whose row it is */
    size_t group_columns;
    bool is_by_number;           /* by the place of the key */
    struct text_list loop_calls; /* what is timed */
    struct text_list rewrite_calls;
    int64_t started_us;
};

/* Values of all the parent's parameters, the known ones first. */
struct prove_sets {
    const char ***items;
    size_t count;
    size_t capacity;
};

/* ---- prove_safe.c ---- */

/* Why a statement may do more than read ("calls the volatile function f()"); NULL: it only reads. */
bool prove_judge(struct ctx *ctx, struct db *db, const char *sql, const char **ret_why) MUST_CHECK;
/* The loop's statements; not in a transaction. ERR_UNSUPPORTED when it cannot be run. */
bool prove_judge_loop(struct proving *proving) MUST_CHECK;

/* ---- prove_sets.c ---- */

size_t prove_most_keys(const struct proving *proving);
/* Whether loop or rewrite take parameters of the parent. */
bool prove_has_sets(const struct proving *proving);
bool prove_find_sets(struct proving *proving, struct prove_sets *ret) MUST_CHECK;
/* "$1 = 7, $2 = 20"; NULL: it has none. */
const char *prove_parameters_text(struct proving *proving);

/* ---- prove_run.c ---- */

enum { PROVE_BUDGET_US = 30000000 };

bool prove_prepare(struct proving *proving, const char *name, const char *sql,
    struct prove_statement *ret) MUST_CHECK;
/* One more with the parameters of another; its name is NULL when the server does not take it. */
bool prove_prepare_again(struct proving *proving, const char *sql,
    const struct prove_statement *like, struct prove_statement *ret) MUST_CHECK;
/* Takes prepared statements away, by their names as LIKE has them. */
bool prove_forget(struct ctx *ctx, struct db *db, const char *like) MUST_CHECK;
/* EXECUTE with the values as literals. */
const char *prove_call(struct arena *arena, const struct prove_statement *statement,
    const char *const *args, size_t count);
/* Runs it behind a savepoint. *ret_why is NULL, or what the server said against it. */
bool prove_try(struct proving *proving, const char *call, struct result *ret, const char **ret_why)
    MUST_CHECK;
/* The time and blocks of loop and rewrite. */
bool prove_measure(struct proving *proving) MUST_CHECK;

/* ---- prove_order.c ---- */

void prove_order_read(struct arena *arena, const char *sql, const char *const *names, size_t count,
    struct prove_order *ret);

/* ---- prove_compare.c ---- */

/* Cells as one text that no other cells give. */
const char *prove_tuple(struct arena *arena, const char *const *cells, size_t count);
/* Finds the places of the children in the rewrite's columns; ERR_INPUT when they do not fit. */
bool prove_places(struct proving *proving, const struct result *result) MUST_CHECK;
/* Adds what differs to the proof. */
bool prove_compare(struct proving *proving, const struct prove_group *groups, size_t count,
    const struct result *result) MUST_CHECK;
/* Rows that differ in order, or in which of those that tie: whether SQL leaves that open. */
bool prove_is_open(struct proving *proving, const struct prove_child *child,
    const char *const *args, const char *const **rows, size_t count, bool *ret) MUST_CHECK;

/* ---- prove_value.c ---- */

/* The values of a statement's parameters for a key, or for a row of the parent. */
bool prove_fill(struct proving *proving, const struct prove_statement *statement, const char *key,
    const char *const *row, const char **ret) MUST_CHECK;
const struct query_slot *prove_slot(
    const struct proving *proving, const struct rewrite_param *param);
bool prove_is_key(const struct proving *proving, const struct query_slot *slot);
/* Values of parameters that are not known, from the tables. */
bool prove_guess(struct proving *proving) MUST_CHECK;
/* Runs all children for a key. *ret_done is false when one of them fails by itself. */
bool prove_children(struct proving *proving, const char *key, const char *const *row,
    struct prove_group *ret, bool *ret_done) MUST_CHECK;
/* What columns the children have and what they give for NULL, which counts for nothing. */
bool prove_learn(struct proving *proving) MUST_CHECK;
/* Each note once. */
void prove_note(struct proving *proving, const char *text);
void prove_note_failure(struct proving *proving, const char *why);
void prove_add_loop(struct proving *proving, const struct prove_group *group);
bool prove_no_key(struct proving *proving) MUST_CHECK;
void prove_refuse_failing(struct proving *proving, const char *why, const char *parameters);

/* ---- the two ways of asking ---- */

bool prove_keyed(struct proving *proving) MUST_CHECK;
bool prove_joined(struct proving *proving) MUST_CHECK;
