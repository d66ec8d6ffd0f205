/*
 * What a scenario's expressions can name: constants, variables of \set, columns of values, slots of what was
 * taken. Expressions are those of pgbench (its documentation, "Expressions"): integers, doubles, text in
 * quotes, + - * / %, comparisons, functions such as random(), random_zipfian(), random_exponential().
 */
#pragma once

#include "load/scenario/scenario.h"

struct load_world *load_world_new(struct arena *arena);

/* A constant: -D name=value. Numbers are numbers. ERR_USAGE for a name that is none. */
bool load_world_define(
    struct ctx *ctx, struct load_world *world, const char *name, const char *value) MUST_CHECK;

/*
 * Appends an assignment ("\set name expression"); where is "FILE:LINE", for errors. Names in the expression
 * are :name or name; one that nothing defines is ERR_INPUT. Assignments are evaluated in their order.
 */
bool load_world_assign(struct ctx *ctx, struct load_world *world, const char *name,
    const char *expression, const char *where) MUST_CHECK;
size_t load_world_assignments(const struct load_world *world);

/* What steps may take from answers, by its name: the slot for load_scope_take(), made when it is new. */
size_t load_world_slot(struct load_world *world, const char *name);

/* The text of one variable, constant or slot, or of client_id; NULL: nothing defines it. */
const struct load_template *load_world_variable(
    struct arena *arena, struct load_world *world, const char *name);

/* Text with ${expression} in it. ERR_INPUT that names where. */
bool load_world_template(struct ctx *ctx, struct load_world *world, const char *text,
    const char *where, const struct load_template **ret) MUST_CHECK;
