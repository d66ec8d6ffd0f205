/*
 * A loop as one statement: from the parent's and the children's templates the batched SQL, and the
 * proof that it gives each key what the loop gives. Mechanical where a proof by rules exists; what the
 * rules do not know is not written.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "base/vec.h"
#include "db/db.h"
#include "queries/finding.h"

#define REWRITE_FORMS(X)                                                                           \
    X(REWRITE_ANY, "any", "child with = ANY($1), answers sorted out by key in the application")    \
    X(REWRITE_LATERAL, "lateral", "unnest of the keys, the child once for each, in one statement") \
    X(REWRITE_JOINED, "joined", "parent and children in one statement")                            \
    X(REWRITE_GROUPED, "grouped", "one pass that groups by key")

#define REWRITE_ENUM(form, name, meaning) form,
enum rewrite_form { REWRITE_FORMS(REWRITE_ENUM) REWRITE_FORM_COUNT };
#undef REWRITE_ENUM

const char *rewrite_form_name(enum rewrite_form form);

/* A child as it is to be batched. Slots: which of its $n are the key, which stay as they are. */
struct rewrite_child {
    const char *sql; /* with $1 … $n */
    const struct query_slot *slots;
    size_t slot_count;
};

/* What a statement gives, as the server says. */
struct rewrite_column {
    const char *name;
    uint32_t type;
    const char *type_name; /* as in a cast */
};

struct rewrite_input {
    const char *parent_sql; /* NULL: a loop without one; only forms by keys */
    const struct query_slot *parent_slots;
    size_t parent_slot_count;
    int32_t key_column; /* of the parent's result, from 0 */
    const struct rewrite_child *children;
    size_t child_count;
};

/* What a $n stands for. */
struct rewrite_param {
    int32_t child; /* of the input, from 0; -1: the parent's */
    size_t slot;   /* of the child or parent, from 0 */
    const char *type_name;
    const char *text; /* the example of the slot; NULL: not known */
};

/*
 * A batched statement. Its result: by LATERAL, JOINED and GROUPED the column "key_ord" (place of the key in
 * $1, from 1; JOINED: number of the parent's row), by ANY the column "key"; JOINED: then the parent's
 * columns; then the columns of the children, each child's after a boolean "has_N" (N: of the child, from
 * 1; ANY: none), which is false where the child gave no row. Several children with many rows stand side by
 * side: the first row of each, the second of each. Rows of a key are in the child's own order.
 */
struct rewrite {
    enum rewrite_form form;
    const char *sql;              /* $1: the keys as an array (not JOINED); then params */
    const char *key_type;         /* of the array's elements; NULL: JOINED */
    struct rewrite_param *params; /* $2 … (JOINED: $1 …) */
    size_t param_count;
    struct rewrite_column *columns;
    size_t column_count;
    size_t child;    /* REWRITE_ANY, REWRITE_GROUPED: of which child, from 0 */
    const char *why; /* by which rule it is the same */
};

/*
 * A statement of the loop as it is to be compared with: constants with a known text put in again, so that
 * "interval $1" is SQL; the rest is $1 … in the order of params.
 */
struct rewrite_loop {
    const char *sql;
    struct rewrite_param *params;
    size_t param_count;
    struct rewrite_column *columns;
    size_t column_count;
    bool is_ordered; /* it has an ORDER BY of its own */
};

struct rewrites {
    struct rewrite *items;
    size_t count;
    size_t capacity;
    VEC(const char *)
    refused; /* "any: the child has LIMIT": forms that are not possible, and why */
    struct rewrite_loop parent;    /* sql is NULL: none */
    struct rewrite_loop *children; /* as many as the input has */
};

/*
 * A constant of a child that is the value of a parent's parameter by chance or because the application takes both from
 * one: the text does not tell. Left in the SQL it would be right for the traced value only, and the proof's loop would be
 * wrong in the same way. Compared with a column of the same name it becomes the parent's parameter; with another
 * column, a parameter of its own, which is right in either case. notes: a sentence for each.
 */
void rewrite_share_values(struct arena *arena, const struct rewrite_input *input,
    struct query_slot *slots, size_t child, struct text_list *notes);

/*
 * All forms that the rules allow. Asks the server for types and functions only, in transactions of its own
 * that are read-only: db must not be in one. ERR_UNSUPPORTED, with the reason, when none is possible: a child
 * that writes, volatile functions, FOR UPDATE …
 *
 * Constants of the children (SLOT_CONSTANT with a text, not is_bound) stand in the SQL as they were;
 * those of the parent stay parameters, because they are what one request differs in from another.
 */
bool rewrite_write(struct ctx *ctx, struct db *db, const struct rewrite_input *input,
    struct rewrites *ret) MUST_CHECK;
