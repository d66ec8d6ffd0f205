/* Functions by what they are about; function.c puts them together. */
#pragma once

#include "load/scenario/world_part.h"

struct load_functions {
    const struct load_function *items;
    size_t count;
};
extern const struct load_functions load_operators;
extern const struct load_functions load_math_functions;
extern const struct load_functions load_random_functions;
extern const struct load_functions load_text_functions;

static inline bool
give_integer(struct load_value *ret, int64_t integer)
{
    *ret = (struct load_value){ .kind = VALUE_INTEGER, .integer = integer };
    return true;
}

static inline bool
give_real(struct load_value *ret, double real)
{
    *ret = (struct load_value){ .kind = VALUE_REAL, .real = real };
    return true;
}

static inline bool
give_truth(struct load_value *ret, bool truth)
{
    *ret = (struct load_value){ .kind = VALUE_TRUTH, .truth = truth };
    return true;
}

static inline bool
want_integer(struct load_scope *scope, const struct load_value *value, int64_t *ret)
{
    const char *problem;

    return load_value_integer(value, ret, &problem) || load_problem(scope, problem);
}

static inline bool
want_real(struct load_scope *scope, const struct load_value *value, double *ret)
{
    const char *problem;

    return load_value_real(value, ret, &problem) || load_problem(scope, problem);
}
