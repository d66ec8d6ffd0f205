/* Reading an expression: what its files share. */
#pragma once

#include "load/scenario/token.h"
#include "load/scenario/world_part.h"

enum { MOST_DEPTH = 60, MOST_NODES = 2000 };

struct parser {
    struct ctx *ctx;
    struct load_world *world;
    const char *text;
    const char *where;
    const char *cursor;
    struct token token; /* the one that is next */
    int depth;
    int nodes;
};

bool parser_refuse(struct parser *parser, const char *format, ...) PRINTF_LIKE(2, 3);
bool parser_advance(struct parser *parser);
bool parser_unexpected(struct parser *parser, const char *wanted);
bool parser_is_sign(const struct parser *parser, const char *sign);
bool parser_is_word(const struct parser *parser, const char *word);
bool parser_take_sign(struct parser *parser, const char *sign);
/* Each level of brackets and signs goes in and out. */
bool parser_enter(struct parser *parser);

struct load_node *parser_node(struct parser *parser, enum node_kind kind);
const struct load_node *parser_constant(struct parser *parser, struct load_value value);
const struct load_node *parser_call(struct parser *parser, const struct load_function *function,
    const struct load_node *left, const struct load_node *right);

/* The whole language; from sums upwards; one value. */
bool parser_expression(struct parser *parser, const struct load_node **ret);
bool parser_sum(struct parser *parser, const struct load_node **ret);
bool parser_value(struct parser *parser, const struct load_node **ret);
/* A name: of a variable, a column, a slot. */
bool parser_name(struct parser *parser, const char *name, const struct load_node **ret);
