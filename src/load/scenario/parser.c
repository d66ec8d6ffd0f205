#include "load/scenario/parser.h"

#include <strings.h>

bool
parser_refuse(struct parser *parser, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    const char *why = arena_vprintf(parser->ctx->arena, format, args);

    va_end(args);
    return error_set(
        parser->ctx, ERR_INPUT, "%s: expression \"%s\": %s", parser->where, parser->text, why);
}

bool
parser_enter(struct parser *parser)
{
    if (++parser->depth > MOST_DEPTH)
        return parser_refuse(parser, "it is nested too deeply");
    if (parser->nodes > MOST_NODES)
        return parser_refuse(parser, "it is too long");
    return true;
}

bool
parser_advance(struct parser *parser)
{
    const char *problem = NULL;

    if (load_token_next(parser->ctx->arena, &parser->cursor, &parser->token, &problem))
        return true;
    parser_refuse(parser, "%s: \"%s\"", problem, parser->token.at);
    return error_hint(
        parser->ctx, "Texts stand in single quotes; names are letters, digits and \"_\".");
}

bool
parser_unexpected(struct parser *parser, const char *wanted)
{
    if (parser->token.kind == TOKEN_END)
        return parser_refuse(parser, "it ends where there should be %s", wanted);
    return parser_refuse(
        parser, "\"%s\" stands where there should be %s", parser->token.at, wanted);
}

bool
parser_is_sign(const struct parser *parser, const char *sign)
{
    return parser->token.kind == TOKEN_SIGN && strcmp(parser->token.text, sign) == 0;
}

bool
parser_is_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_WORD && strcasecmp(parser->token.text, word) == 0;
}

bool
parser_take_sign(struct parser *parser, const char *sign)
{
    if (!parser_is_sign(parser, sign))
        return parser_unexpected(parser, arena_printf(parser->ctx->arena, "\"%s\"", sign));
    return parser_advance(parser);
}

struct load_node *
parser_node(struct parser *parser, enum node_kind kind)
{
    struct load_node *node = ARENA_NEW(parser->world->arena, struct load_node);

    node->kind = kind;
    parser->nodes++;
    return node;
}

const struct load_node *
parser_constant(struct parser *parser, struct load_value value)
{
    struct load_node *node = parser_node(parser, NODE_CONSTANT);

    node->constant = value;
    return node;
}

const struct load_node *
parser_call(struct parser *parser, const struct load_function *function,
    const struct load_node *left, const struct load_node *right)
{
    struct load_node *node = parser_node(parser, NODE_CALL);
    const struct load_node **args = ARENA_ARRAY(parser->world->arena, const struct load_node *, 2);

    args[0] = left;
    args[1] = right;
    node->function = function;
    node->args = args;
    node->arg_count = right ? 2 : 1;
    return node;
}
