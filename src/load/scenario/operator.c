/* Operators, as pgbench has them: 64-bit integers that do not overflow silently, else doubles. */
#include "load/scenario/function_part.h"

enum sign { ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER, EQUAL, LESS, LESS_EQUAL };
enum bits { BITS_AND, BITS_OR, BITS_XOR, BITS_LEFT, BITS_RIGHT };
enum test { TEST_NULL, TEST_TRUE, TEST_FALSE };

static bool
overflow(struct load_scope *scope)
{
    return load_problem(scope, "the result is out of the range of 64-bit integers");
}

static bool
divide(struct load_scope *scope, int64_t left, int64_t right, bool is_remainder,
    struct load_value *ret)
{
    if (right == 0)
        return load_problem(scope, "division by zero");
    if (right == -1)
        return is_remainder        ? give_integer(ret, 0)
               : left == INT64_MIN ? overflow(scope)
                                   : give_integer(ret, -left);
    return give_integer(ret, is_remainder ? left % right : left / right);
}

static bool
count_integers(
    struct load_scope *scope, enum sign sign, int64_t left, int64_t right, struct load_value *ret)
{
    int64_t result;

    switch (sign) {
    case ADD:
        return __builtin_add_overflow(left, right, &result) ? overflow(scope)
                                                            : give_integer(ret, result);
    case SUBTRACT:
        return __builtin_sub_overflow(left, right, &result) ? overflow(scope)
                                                            : give_integer(ret, result);
    case MULTIPLY:
        return __builtin_mul_overflow(left, right, &result) ? overflow(scope)
                                                            : give_integer(ret, result);
    case DIVIDE:
    case REMAINDER:
        return divide(scope, left, right, sign == REMAINDER, ret);
    case EQUAL:
        return give_truth(ret, left == right);
    case LESS:
        return give_truth(ret, left < right);
    case LESS_EQUAL:
        return give_truth(ret, left <= right);
    }
    return false;
}

/* Division of doubles by zero gives infinity, as it does in pgbench. */
__attribute__((no_sanitize("float-divide-by-zero"))) static bool
count_reals(enum sign sign, double left, double right, struct load_value *ret)
{
    switch (sign) {
    case ADD:
        return give_real(ret, left + right);
    case SUBTRACT:
        return give_real(ret, left - right);
    case MULTIPLY:
        return give_real(ret, left * right);
    case DIVIDE:
        return give_real(ret, left / right);
    case EQUAL:
        return give_truth(ret, !(left < right) && !(left > right) && left <= right);
    case LESS:
        return give_truth(ret, left < right);
    case LESS_EQUAL:
        return give_truth(ret, left <= right);
    case REMAINDER:
        break;
    }
    return false;
}

static int
compare_texts(const struct load_value *left, const struct load_value *right)
{
    uint32_t shorter = left->length < right->length ? left->length : right->length;
    int order = shorter > 0 ? memcmp(left->text, right->text, shorter) : 0;

    return order != 0 ? order : (left->length > right->length) - (left->length < right->length);
}

/* At least one of the two is no number: it equals none, and only with a text it can be put in order. */
static bool
compare_text(
    struct load_scope *scope, enum sign sign, const struct load_value *args, struct load_value *ret)
{
    int order;

    if (args[0].kind != VALUE_TEXT || args[1].kind != VALUE_TEXT)
        return sign == EQUAL ? give_truth(ret, false)
                             : load_problem(scope, "a text is compared with a number");
    order = compare_texts(&args[0], &args[1]);
    return give_truth(ret, sign == EQUAL ? order == 0 : sign == LESS ? order < 0 : order <= 0);
}

/* Arguments may be swapped by the grammar: a > b is b < a. */
static bool
binary(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    enum sign sign = (enum sign)node->function->detail;
    struct load_value left = load_value_number(&args[0]);
    struct load_value right = load_value_number(&args[1]);
    int64_t integers[2];
    double reals[2];

    if (sign >= EQUAL && (left.kind == VALUE_TEXT || right.kind == VALUE_TEXT))
        return compare_text(scope, sign, args, ret);
    if ((left.kind == VALUE_REAL || right.kind == VALUE_REAL) && sign != REMAINDER) {
        if (!want_real(scope, &left, &reals[0]) || !want_real(scope, &right, &reals[1]))
            return false;
        return count_reals(sign, reals[0], reals[1], ret);
    }
    if (!want_integer(scope, &left, &integers[0]) || !want_integer(scope, &right, &integers[1]))
        return false;
    return count_integers(scope, sign, integers[0], integers[1], ret);
}

static bool
differs(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    static const struct load_function equal = { .detail = EQUAL };
    struct load_node other = *node;

    other.function = &equal;
    if (!binary(scope, &other, args, ret))
        return false;
    return give_truth(ret, !ret->truth);
}

static bool
shift(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    int64_t left;
    int64_t right;

    if (!want_integer(scope, &args[0], &left) || !want_integer(scope, &args[1], &right))
        return false;
    switch ((enum bits)node->function->detail) {
    case BITS_AND:
        return give_integer(ret, left & right);
    case BITS_OR:
        return give_integer(ret, left | right);
    case BITS_XOR:
        return give_integer(ret, left ^ right);
    case BITS_LEFT:
    case BITS_RIGHT:
        break;
    }
    if (right < 0 || right > 63)
        return load_problem(scope, "shifted by less than 0 or more than 63 bits");
    if (node->function->detail == BITS_LEFT)
        return give_integer(ret, (int64_t)((uint64_t)left << right));
    return give_integer(ret, left >> right);
}

static bool
negate(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    const char *problem;
    bool truth;

    (void)node;
    if (!load_value_truth(&args[0], &truth, &problem))
        return load_problem(scope, problem);
    return give_truth(ret, !truth);
}

static bool
is_what(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    (void)scope;
    switch ((enum test)node->function->detail) {
    case TEST_NULL:
        return give_truth(ret, args[0].kind == VALUE_NULL);
    case TEST_TRUE:
        return give_truth(ret, args[0].kind == VALUE_TRUTH && args[0].truth);
    case TEST_FALSE:
        return give_truth(ret, args[0].kind == VALUE_TRUTH && !args[0].truth);
    }
    return false;
}

/* AND and OR as in pgbench: the first side that decides, or is NULL, is the end of it. */
static bool
both(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    bool decides = node->function->detail != 0; /* true decides OR, false decides AND */

    (void)args;
    for (size_t i = 0; i < node->arg_count; i++) {
        struct load_value value;
        const char *problem;
        bool truth;

        if (!load_evaluate(node->args[i], scope, &value))
            return false;
        if (value.kind == VALUE_NULL) {
            *ret = value;
            return true;
        }
        if (!load_value_truth(&value, &truth, &problem))
            return load_problem(scope, problem);
        if (truth == decides)
            return give_truth(ret, decides);
    }
    return give_truth(ret, !decides);
}

static const struct load_function operators[] = {
    { .name = "+", .least = 2, .most = 2, .detail = ADD, .call = binary },
    { .name = "-", .least = 2, .most = 2, .detail = SUBTRACT, .call = binary },
    { .name = "*", .least = 2, .most = 2, .detail = MULTIPLY, .call = binary },
    { .name = "/", .least = 2, .most = 2, .detail = DIVIDE, .call = binary },
    { .name = "%", .least = 2, .most = 2, .detail = REMAINDER, .call = binary },
    { .name = "=", .least = 2, .most = 2, .detail = EQUAL, .call = binary },
    { .name = "<", .least = 2, .most = 2, .detail = LESS, .call = binary },
    { .name = "<=", .least = 2, .most = 2, .detail = LESS_EQUAL, .call = binary },
    { .name = "<>", .least = 2, .most = 2, .call = differs },
    { .name = "&", .least = 2, .most = 2, .detail = BITS_AND, .call = shift },
    { .name = "|", .least = 2, .most = 2, .detail = BITS_OR, .call = shift },
    { .name = "#", .least = 2, .most = 2, .detail = BITS_XOR, .call = shift },
    { .name = "<<", .least = 2, .most = 2, .detail = BITS_LEFT, .call = shift },
    { .name = ">>", .least = 2, .most = 2, .detail = BITS_RIGHT, .call = shift },
    { .name = "not", .least = 1, .most = 1, .call = negate },
    { .name = "null",
        .least = 1,
        .most = 1,
        .takes_null = true,
        .detail = TEST_NULL,
        .call = is_what },
    { .name = "true",
        .least = 1,
        .most = 1,
        .takes_null = true,
        .detail = TEST_TRUE,
        .call = is_what },
    { .name = "false",
        .least = 1,
        .most = 1,
        .takes_null = true,
        .detail = TEST_FALSE,
        .call = is_what },
    { .name = "and", .least = 2, .most = 2, .is_lazy = true, .detail = 0, .call = both },
    { .name = "or", .least = 2, .most = 2, .is_lazy = true, .detail = 1, .call = both },
};
const struct load_functions load_operators = { operators, COUNT_OF(operators) };
