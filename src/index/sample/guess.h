/* What operators and functions say of a $n beside them. Only for this folder. */
#pragma once

#include "index/sample/scope.h"

/* Without casts and collations. */
const json_t *guess_bare(const json_t *node);
/* A constant's text; NULL: it is none. */
const char *guess_constant(const json_t *node);

/* What column op $n makes of the $n; kind: of the tree's A_Expr. */
enum sample_role guess_role(const char *op, const char *kind);

/* The type of a bare $n beside another operand, where the server often cannot tell; NULL: it can. */
const char *guess_operand(const char *op, const struct scope *scope, const json_t *other);
/* The same for an argument of a function, from 0. */
const char *guess_argument(const char *function, size_t argument);

/* Functions whose result is like one of their count arguments: lower(x), date_trunc('day', x). */
bool guess_keeps_value(const char *function, size_t count, size_t *ret_argument);
bool guess_is_similarity(const char *function);
