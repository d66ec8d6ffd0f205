/* Danger in production: what its files share. */
#pragma once

#include "migrate/rules/rules_example.h"
#include "migrate/rules/rules_step.h"

#define DANGER_ALONE "with op.get_context().autocommit_block():\n    "

/* A table in use in an example. */
#define DANGER_TABLE                                                             \
    "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n" \
    "                sa.Column('a', sa.Integer()), sa.Column('b', sa.String(20)))\n" NEXT

/* A lock on a relation in use that the open transaction holds. */
struct held {
    const struct relation *relation;
    enum lock_mode mode;
    const struct step *step;
    bool is_rewritten;
};

struct later {
    const struct step *step;
    enum verdict verdict;
};

struct danger {
    struct check check;
    struct moment now;
    struct effect effect;    /* of now.step */
    bool is_used;            /* the table it is about */
    bool in_transaction;     /* else each statement is alone */
    VEC(struct held) held;   /* since the transaction began; not by the step itself */
    VEC(struct later) later; /* steps to judge when the revision is over */
    bool has_timeout;        /* lock_timeout is set */
    bool has_told_timeout;   /* once a revision */
    bool has_told_several;   /* once a transaction */
    bool has_told_under;     /* once a transaction */
};

struct look {
    enum step_kind kind;
    void (*look)(struct danger *);
};

/* Calls those that fit the step. */
void danger_look(struct danger *danger, const struct look *looks, size_t count);

/* Each looks at danger->now before it is applied. */
void danger_of_index(struct danger *danger);
void danger_of_constraint(struct danger *danger);
void danger_of_column(struct danger *danger);
void danger_of_change(struct danger *danger);
void danger_of_rows(struct danger *danger);
void danger_of_lock(struct danger *danger);

/* Look at a step that was put off, when the revision is over; danger->now has the model then. */
void danger_of_column_later(struct danger *danger);
void danger_of_change_later(struct danger *danger);

/* When the last revision is over: danger->now has the model, but no step. */
void danger_after_history(struct danger *danger);

/* The strongest lock on the relation that the transaction holds, or NULL. */
const struct held *danger_held(const struct danger *danger, const struct relation *relation);

/* The first ACCESS EXCLUSIVE lock that the transaction holds, or NULL. */
const struct held *danger_exclusive(const struct danger *danger);

/* "users" of danger->now. */
const char *danger_table(const struct danger *danger);
