/* What the files repair_guard*.c share. */
#pragma once

#include "migrate/squash/repair.h"

enum fault {
    FAULT_THERE,
    FAULT_MISSING,
    FAULT_PARAMETERS,
    FAULT_TRANSACTION, /* cannot run in one, or must be over before it is used */
    FAULT_OTHER
};

struct guard {
    struct repair *repair;
    struct repair_file *file;
    const struct revision *revision;
    const struct repair_failure *failure;
    const struct py_node *statement;
    const struct py_node *call;  /* the operation */
    const struct py_node *batch; /* batch_alter_table(…) around it, or NULL */
    const char *name;            /* what the message is about, or NULL */
    enum fault fault;
    const char *what; /* was done */
};

/* ---- repair_guard_operation.c: operations of Alembic's ---- */

/* The text of a plain literal, also of op.f("…"), or NULL. */
const char *guard_literal(const struct repair_file *file, const struct py_node *node);

/* What the message is about, else the line: for people. */
const char *guard_about(const struct guard *guard);

/* The table that the operation makes, when it is a plain literal; else NULL. */
const char *guard_new_table(const struct guard *guard);

/* Each of these changes the file, says so in guard->what, and is false when it does not apply. */
bool guard_drop(struct guard *guard);
bool guard_check_first(struct guard *guard);
bool guard_wrap(struct guard *guard);

/* ---- repair_guard_type.c: what an operation needs to be there, and when ---- */

/* A new table whose enum type is there, and the table is not. */
bool guard_is_only_type(const struct guard *guard);
bool guard_enum_there(struct guard *guard);
bool guard_enum_missing(struct guard *guard);
bool guard_extension(struct guard *guard);
bool guard_autocommit(struct guard *guard);

/* ---- repair_guard_text.c: SQL in literals ---- */

bool guard_sql(struct guard *guard);
bool guard_parameters(struct guard *guard);
