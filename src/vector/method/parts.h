/* What the parts of a method are called; for the files of this folder. */
#pragma once

#include "vector/method/method.h"

enum {
    VERSION_HALFVEC = 700,  /* halfvec, bit operators, binary_quantize(), indexes on L1 */
    VERSION_ITERATION = 800 /* iterative scans */
};

/* The column that the method reads: the target's own, or the one beside it. */
const char *method_column(
    struct arena *arena, const struct vector_target *target, const struct vector_method *method);

/* Of extra columns. */
const char *method_bits_column(struct arena *arena, const struct vector_target *target);

/* schema.halfvec(1536) and the like. */
const char *method_type(struct arena *arena, const struct vector_target *target, const char *type);

/* expression::halfvec(1536), under cosine of the expression brought to length one. */
const char *method_half_of(
    struct arena *arena, const struct vector_target *target, const char *expression);

/* binary_quantize(…)::bit(1536) of an expression. */
const char *method_bits_of(
    struct arena *arena, const struct vector_target *target, const char *expression);
