/*
 * Reads expressions with pgbench's precedence, lowest first: OR; AND; NOT; IS, ISNULL, NOTNULL; comparisons (one);
 * | # & << >> ~; + -; * / %; unary minus.
 */
#include "load/scenario/expression.h"

#include "load/scenario/parser.h"

/* A binary operator by its sign. */
struct binary {
    const char *sign;
    const char *function;
    bool is_swapped; /* a > b is b < a */
};

static const struct binary *
find_binary(const struct parser *parser, const struct binary *binaries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parser_is_sign(parser, binaries[i].sign))
            return &binaries[i];
    return NULL;
}

static const struct load_node *
new_binary(struct parser *parser, const struct binary *binary, const struct load_node *left,
    const struct load_node *right)
{
    return parser_call(parser, load_operator_find(binary->function),
        binary->is_swapped ? right : left, binary->is_swapped ? left : right);
}

static const struct binary products[] = { { "*", "*", false }, { "/", "/", false },
    { "%", "%", false } };
static const struct binary sums[] = { { "+", "+", false }, { "-", "-", false } };
static const struct binary bits[] = { { "|", "|", false }, { "#", "#", false }, { "&", "&", false },
    { "<<", "<<", false }, { ">>", ">>", false } };
static const struct binary comparisons[] = { { "<", "<", false }, { ">", "<", true },
    { "=", "=", false }, { "<=", "<=", false }, { ">=", "<=", true }, { "<>", "<>", false },
    { "!=", "<>", false } };

static const struct {
    const struct binary *items;
    size_t count;
} levels[] = { { bits, COUNT_OF(bits) }, { sums, COUNT_OF(sums) },
    { products, COUNT_OF(products) } };

/* One of the levels whose operators go from left to right; behind the last come signs before a value. */
static bool
parse_level(struct parser *parser, size_t level, const struct load_node **ret)
{
    const struct binary *binary;

    if (level == COUNT_OF(levels))
        return parser_value(parser, ret);
    if (!parse_level(parser, level + 1, ret))
        return false;
    while ((binary = find_binary(parser, levels[level].items, levels[level].count))) {
        const struct load_node *right;

        if (!parser_advance(parser) || !parse_level(parser, level + 1, &right))
            return false;
        *ret = new_binary(parser, binary, *ret, right);
    }
    return parser->nodes <= MOST_NODES || parser_refuse(parser, "it is too long");
}

static bool
parse_comparison(struct parser *parser, const struct load_node **ret)
{
    const struct binary *binary;
    const struct load_node *right;

    if (!parse_level(parser, 0, ret))
        return false;
    binary = find_binary(parser, comparisons, COUNT_OF(comparisons));
    if (!binary)
        return true;
    if (!parser_advance(parser) || !parse_level(parser, 0, &right))
        return false;
    *ret = new_binary(parser, binary, *ret, right);
    if (find_binary(parser, comparisons, COUNT_OF(comparisons)))
        return parser_unexpected(parser, "the end: comparisons in a row need parentheses");
    return true;
}

/* IS [NOT] NULL, TRUE, FALSE; ISNULL; NOTNULL. */
static bool
parse_is(struct parser *parser, const struct load_node **ret)
{
    const char *what = "null";
    bool is_negated;

    if (!parse_comparison(parser, ret))
        return false;
    is_negated = parser_is_word(parser, "notnull");
    if (!is_negated && !parser_is_word(parser, "isnull") && !parser_is_word(parser, "is"))
        return true;
    if (parser_is_word(parser, "is")) {
        if (!parser_advance(parser))
            return false;
        if (parser_is_word(parser, "not")) {
            is_negated = true;
            if (!parser_advance(parser))
                return false;
        }
        if (!parser_is_word(parser, "null") && !parser_is_word(parser, "true") &&
            !parser_is_word(parser, "false"))
            return parser_unexpected(parser, "NULL, TRUE or FALSE");
        what = parser->token.text;
    }
    *ret = parser_call(parser, load_operator_find(what), *ret, NULL);
    if (is_negated)
        *ret = parser_call(parser, load_operator_find("not"), *ret, NULL);
    return parser_advance(parser);
}

static bool
parse_not(struct parser *parser, const struct load_node **ret)
{
    const struct load_node *what;

    if (!parser_is_word(parser, "not"))
        return parse_is(parser, ret);
    if (!parser_enter(parser))
        return false;
    if (!parser_advance(parser) || !parse_not(parser, &what))
        return false;
    parser->depth--;
    *ret = parser_call(parser, load_operator_find("not"), what, NULL);
    return true;
}

static bool
parse_and(struct parser *parser, const struct load_node **ret)
{
    if (!parse_not(parser, ret))
        return false;
    while (parser_is_word(parser, "and")) {
        const struct load_node *right;

        if (!parser_advance(parser) || !parse_not(parser, &right))
            return false;
        *ret = parser_call(parser, load_operator_find("and"), *ret, right);
    }
    return true;
}

bool
parser_sum(struct parser *parser, const struct load_node **ret)
{
    return parse_level(parser, 1, ret);
}

bool
parser_expression(struct parser *parser, const struct load_node **ret)
{
    if (!parser_enter(parser))
        return false;
    if (!parse_and(parser, ret))
        return false;
    while (parser_is_word(parser, "or")) {
        const struct load_node *right;

        if (!parser_advance(parser) || !parse_and(parser, &right))
            return false;
        *ret = parser_call(parser, load_operator_find("or"), *ret, right);
    }
    parser->depth--;
    return true;
}

bool
load_expression_compile(struct ctx *ctx, struct load_world *world, const char *text,
    const char *where, const struct load_node **ret)
{
    struct parser parser = { .ctx = ctx, .world = world, .text = text, .where = where };

    parser.cursor = text;
    if (!parser_advance(&parser) || !parser_expression(&parser, ret))
        return false;
    return parser.token.kind == TOKEN_END || parser_unexpected(&parser, "an operator, or the end");
}
