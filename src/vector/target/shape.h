/* For this folder only. */
#pragma once

#include "vector/target/target.h"

/* What the statement compares columns of the table with, whether it searches or not. */
void shape_conditions(
    struct ctx *ctx, const char *sql, const char *table, struct vector_shape *ret);
