/* A value of an expression: constants, names, calls, CASE, brackets, and the signs before one. */
#include <strings.h>

#include "load/scenario/parser.h"

static bool
parse_minus(struct parser *parser, const struct load_node **ret)
{
    const struct load_node *right = NULL;

    /* The smallest integer has no positive counterpart. */
    if (parser->token.kind == TOKEN_INTEGER && parser->token.integer == UINT64_C(1) << 63) {
        *ret = parser_constant(
            parser, (struct load_value){ .kind = VALUE_INTEGER, .integer = INT64_MIN });
        return parser_advance(parser);
    }
    if (!parser_value(parser, &right))
        return false;

    const struct load_node *zero =
        parser_constant(parser, (struct load_value){ .kind = VALUE_INTEGER });

    *ret = parser_call(parser, load_operator_find("-"), zero, right);
    return true;
}

/* "~a | b" is "(~a) | b", and "~a + b" is "~(a + b)". */
static bool
parse_complement(struct parser *parser, const struct load_node **ret)
{
    const struct load_node *right;

    if (!parser_sum(parser, &right))
        return false;

    const struct load_node *ones =
        parser_constant(parser, (struct load_value){ .kind = VALUE_INTEGER, .integer = -1 });

    *ret = parser_call(parser, load_operator_find("#"), ones, right);
    return true;
}

static bool
take_word(struct parser *parser, const char *word)
{
    if (!parser_is_word(parser, word))
        return parser_unexpected(parser, word);
    return parser_advance(parser);
}

static bool
parse_case(struct parser *parser, const struct load_node **ret)
{
    struct arena *arena = parser->world->arena;
    struct load_node *node = parser_node(parser, NODE_CASE);
    VEC(const struct load_node *) parts = { 0 };
    const struct load_node *part;

    if (!parser_is_word(parser, "when"))
        return parser_unexpected(parser, "WHEN");
    while (parser_is_word(parser, "when")) {
        if (!parser_advance(parser) || !parser_expression(parser, &part))
            return false;
        VEC_PUSH(arena, &parts, part);
        if (!take_word(parser, "then") || !parser_expression(parser, &part))
            return false;
        VEC_PUSH(arena, &parts, part);
    }
    if (parser_is_word(parser, "else")) {
        if (!parser_advance(parser) || !parser_expression(parser, &part))
            return false;
    } else {
        part = parser_constant(parser, (struct load_value){ .kind = VALUE_NULL });
    }
    VEC_PUSH(arena, &parts, part);
    node->args = parts.items;
    node->arg_count = parts.count;
    *ret = node;
    return take_word(parser, "end");
}

/* The name of a secret, which stands first in the brackets. */
static bool
parse_secret(struct parser *parser, struct load_node *node)
{
    const struct load_world *world = parser->world;

    if (parser->token.kind != TOKEN_WORD)
        return parser_unexpected(parser, "the name of a secret");
    for (size_t i = 0; i < world->secrets.count; i++) {
        if (!text_equal(world->secrets.items[i].name, parser->token.text))
            continue;
        node->index = i;
        if (!parser_advance(parser))
            return false;
        return parser_is_sign(parser, ")") || parser_take_sign(parser, ",");
    }
    parser_refuse(parser, "there is no secret \"%s\"", parser->token.text);
    return error_hint(
        parser->ctx, "Section [secrets] names them: \"%s = FILE\".", parser->token.text);
}

static bool
parse_args(struct parser *parser, struct load_node *node)
{
    const struct load_node **args =
        ARENA_ARRAY(parser->world->arena, const struct load_node *, FUNCTION_MOST_ARGS);

    node->args = args;
    while (!parser_is_sign(parser, ")")) {
        if (node->arg_count == FUNCTION_MOST_ARGS)
            return parser_refuse(parser, "%s() has more than %d arguments", node->function->name,
                FUNCTION_MOST_ARGS);
        if (node->arg_count > 0 && !parser_take_sign(parser, ","))
            return false;
        if (!parser_expression(parser, &args[node->arg_count]))
            return false;
        node->arg_count++;
    }
    return parser_advance(parser);
}

static bool
refuse_function(struct parser *parser, const char *name)
{
    const char *nearest = load_function_nearest(name);

    if (strcasecmp(name, "permute") == 0 || strcasecmp(name, "debug") == 0)
        return parser_refuse(parser, "pgbench's %s() is not known here", name);
    parser_refuse(parser, "there is no function %s()", name);
    return nearest ? error_hint(parser->ctx, "Did you mean %s()?", nearest)
                   : error_hint(parser->ctx, "docs/load.md lists the functions.");
}

static bool
parse_call(struct parser *parser, const char *name, const struct load_node **ret)
{
    struct load_node *node = parser_node(parser, NODE_CALL);

    node->function = load_function_find(name);
    if (!node->function)
        return refuse_function(parser, name);
    if (!parser_advance(parser) || (node->function->takes_secret && !parse_secret(parser, node)) ||
        !parse_args(parser, node))
        return false;
    *ret = node;
    if (node->arg_count >= node->function->least && node->arg_count <= node->function->most)
        return true;
    return node->function->least == node->function->most
               ? parser_refuse(parser, "%s() has %zu arguments, and needs %zu", name,
                     node->arg_count, node->function->least)
               : parser_refuse(parser, "%s() has %zu arguments, and needs %zu to %zu", name,
                     node->arg_count, node->function->least, node->function->most);
}

static bool
parse_word(struct parser *parser, const struct load_node **ret)
{
    const char *word = parser->token.text;
    struct load_value value = { .kind = VALUE_NULL };

    if (!parser_advance(parser))
        return false;
    if (strcasecmp(word, "case") == 0)
        return parse_case(parser, ret);
    if (parser_is_sign(parser, "("))
        return parse_call(parser, word, ret);
    if (strcasecmp(word, "true") == 0 || strcasecmp(word, "false") == 0) {
        value.kind = VALUE_TRUTH;
        value.truth = strcasecmp(word, "true") == 0;
    } else if (strcasecmp(word, "null") != 0) {
        return parser_name(parser, word, ret);
    }
    *ret = parser_constant(parser, value);
    return true;
}

static bool
parse_constant(struct parser *parser, const struct load_node **ret)
{
    const struct token *token = &parser->token;
    struct load_value value = { .kind = VALUE_INTEGER };

    if (token->kind == TOKEN_TEXT) {
        value = load_value_of_text(arena_strdup(parser->world->arena, token->text));
    } else if (token->kind == TOKEN_REAL) {
        value = (struct load_value){ .kind = VALUE_REAL, .real = token->real };
    } else if (token->integer <= INT64_MAX) {
        value.integer = (int64_t)token->integer;
    } else {
        return parser_refuse(
            parser, "the number is out of the range of 64-bit integers: \"%s\"", token->text);
    }
    *ret = parser_constant(parser, value);
    return parser_advance(parser);
}

static bool
parse_sign(struct parser *parser, const struct load_node **ret)
{
    if (parser_is_sign(parser, "-"))
        return parser_advance(parser) && parse_minus(parser, ret);
    if (parser_is_sign(parser, "+"))
        return parser_advance(parser) && parser_value(parser, ret);
    if (parser_is_sign(parser, "~"))
        return parser_advance(parser) && parse_complement(parser, ret);
    if (parser_is_sign(parser, "("))
        return parser_advance(parser) && parser_expression(parser, ret) &&
               parser_take_sign(parser, ")");
    return parser_unexpected(parser, "a value");
}

static bool
parse_what(struct parser *parser, const struct load_node **ret)
{
    const char *name = parser->token.text;

    switch (parser->token.kind) {
    case TOKEN_INTEGER:
    case TOKEN_REAL:
    case TOKEN_TEXT:
        return parse_constant(parser, ret);
    case TOKEN_WORD:
        return parse_word(parser, ret);
    case TOKEN_NAME:
        return parser_advance(parser) && parser_name(parser, name, ret);
    case TOKEN_SIGN:
        return parse_sign(parser, ret);
    case TOKEN_END:
        break;
    }
    return parser_unexpected(parser, "a value");
}

bool
parser_value(struct parser *parser, const struct load_node **ret)
{
    if (!parser_enter(parser) || !parse_what(parser, ret))
        return false;
    parser->depth--;
    return true;
}
