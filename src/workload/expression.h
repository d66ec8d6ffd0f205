/*
 * The expressions of pgbench's \set, evaluated to one representative number: a random function
 * gives the middle of its range, so that the same script always gives the same statement.
 */
#pragma once

#include "base/ctx.h"

struct script_variable {
    const char *name;
    const char *value; /* NULL: known only while the script runs (\gset) */
};

struct script_variables {
    struct script_variable *items;
    size_t count;
    size_t capacity;
};

/* The last one of that name wins; NULL if there is none. */
const struct script_variable *script_variable_find(
    const struct script_variables *variables, const char *name, size_t length);

/* ERR_INPUT when the expression uses something that is not known here. */
bool expression_evaluate(struct ctx *ctx, const char *text,
    const struct script_variables *variables, const char **ret_value) MUST_CHECK;
