/* Expressions, compiled to a tree; evaluating one takes no memory. */
#pragma once

#include "base/ctx.h"
#include "load/scenario/value.h"

struct load_world;
struct load_scope;
struct load_node;
struct load_function;

enum node_kind {
    NODE_CONSTANT,
    NODE_VARIABLE,
    NODE_COLUMN,
    NODE_SLOT,
    NODE_CASE, /* condition, value, condition, value, …, otherwise */
    NODE_CALL,
};

struct load_node {
    enum node_kind kind;
    struct load_value constant;
    const struct load_variable *variable;
    struct load_table *table; /* whose rows may come in turn */
    size_t index;             /* of the column, of the slot, of the secret */
    const struct load_function *function;
    const struct load_node *const *args;
    size_t arg_count;
};

/* where is "FILE:LINE". ERR_INPUT. */
bool load_expression_compile(struct ctx *ctx, struct load_world *world, const char *text,
    const char *where, const struct load_node **ret) MUST_CHECK;

/* False: the scope's problem says why. A text lives until the next call for any scope. */
bool load_evaluate(const struct load_node *node, struct load_scope *scope, struct load_value *ret)
    MUST_CHECK;

enum { FUNCTION_MOST_ARGS = 16 };

/* Operators are functions, too. */
struct load_function {
    const char *name;
    size_t least;
    size_t most;
    /* NULL if one of its arguments is, unless it takes them as they are. */
    bool takes_null;
    /* Evaluates its arguments by itself: AND, OR. */
    bool is_lazy;
    bool is_word;      /* needs no brackets: client_id */
    bool takes_secret; /* before its arguments stands the name of a secret */
    int32_t detail;    /* for functions that share their code */
    bool (*call)(struct load_scope *scope, const struct load_node *node,
        const struct load_value *args, struct load_value *ret);
};
const struct load_function *load_function_find(const char *name);
/* The one most like it, or NULL. */
const char *load_function_nearest(const char *name);
/* Those of the grammar, by their sign: "+", "and", "is null". */
const struct load_function *load_operator_find(const char *sign);

/* A problem that is the expression's own fault. Returns false. */
bool load_problem(struct load_scope *scope, const char *what);
