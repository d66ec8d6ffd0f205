/*
 * A SELECT as the grammar sees it, with the places of its words: what the rules of the rewrite look at.
 * Nothing here asks a server.
 */
#pragma once

#include "base/ctx.h"
#include "base/json.h"
#include "base/text.h"
#include "base/vec.h"
#include "lang/sql.h"

struct shape_name {
    const char *schema; /* "": none was written */
    const char *name;
    bool is_operator;
};

/* One $n in the text. */
struct shape_param {
    int32_t number;
    size_t start;
    size_t end;
    bool is_cast;  /* "::" follows: its type is said there */
    bool is_alone; /* an output, a sort key, an arm of CASE …: nothing around it gives it a type */
    bool is_place; /* a sort or group item: as a number it would be the place of an output */
};

enum shape_rows {
    SHAPE_MANY,
    SHAPE_ONE_AT_MOST, /* LIMIT 1, HAVING */
    SHAPE_ONE,         /* aggregates without GROUP BY */
};

struct shape {
    const char *sql; /* without outer comments and semicolon */
    json_t *root;    /* released by shape_end() */
    const json_t *body;
    struct sql_tokens tokens;
    VEC(struct shape_param) params;
    VEC(struct shape_name) calls;     /* functions and operators anywhere in it */
    VEC(struct shape_name) top_calls; /* functions among the outputs and sort keys themselves */
    VEC(struct shape_name) relations;
    struct text_list ranges; /* names by which FROM and WITH make rows known */
    bool is_ordered;         /* by an ORDER BY of its own */
    bool has_window;         /* OVER among its outputs */
    const char *refusal;     /* why it cannot be batched: "writes"; NULL: nothing known yet */
};

/* A condition "column = $n" that all rows must meet, each part as it is written. */
struct shape_equality {
    size_t start; /* of the whole */
    size_t end;
    const char *column;
};

/* An output of aggregates whose value over no rows is known. */
struct shape_aggregate {
    bool is_null;          /* it is NULL; else */
    const char *otherwise; /* what stands for it: "0" */
    bool is_sum;           /* of floats it depends on the order of the input */
};
struct shape_aggregates {
    struct shape_aggregate *items;
    size_t count;
    size_t capacity;
};

/*
 * Reads one statement. "interval $1", which is no SQL, becomes "$1::interval". ERR_INPUT for what the
 * grammar does not know and for more than one statement.
 */
bool shape_begin(struct ctx *ctx, const char *sql, struct shape *ret) MUST_CHECK;
void shape_end(struct shape *shape); /* for CLEANUP */

/* The text with each $n replaced; texts are of shape->params, in order. */
const char *shape_splice(
    struct arena *arena, const struct shape *shape, const char *const *replacements);

/* Whether the word stands anywhere in it as a name or keyword, quoted or not. */
bool shape_has_word(const struct shape *shape, const char *word);

/* How many rows it can give; is_set: a function among its outputs gives rows. */
enum shape_rows shape_rows_of(const struct shape *shape, bool has_aggregate, bool is_set);

/* The one condition that $number is compared in, when it is in no other place; false: it is not so. */
bool shape_key_equality(
    const struct shape *shape, struct arena *arena, int32_t number, struct shape_equality *ret);

/* The columns that are compared by = with one value each; empty: it reads more than one table. */
void shape_fixed_columns(const struct shape *shape, struct arena *arena, struct text_list *ret);

/* Why rows of several keys cannot be asked for by one condition ("has LIMIT"); NULL: they can. */
const char *shape_why_not_plain(const struct shape *shape, bool has_aggregate);

/* Why its aggregates cannot be grouped by key; NULL, and what each gives over no rows: they can. */
const char *shape_why_not_grouped(
    const struct shape *shape, struct arena *arena, struct shape_aggregates *ret);

/* Behind the word SELECT (and ALL) of the statement itself, and behind its ORDER BY. */
size_t shape_outputs_start(const struct shape *shape);
size_t shape_order_start(const struct shape *shape);
