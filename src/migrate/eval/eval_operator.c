#include "migrate/eval/eval_private.h"

static bool
is_number(const struct value *value)
{
    return value->kind == VALUE_INTEGER || value->kind == VALUE_BOOL || value->kind == VALUE_FLOAT;
}

static double
number_of(const struct value *value)
{
    return value->kind == VALUE_FLOAT ? strtod(value->text, NULL) : (double)value->integer;
}

/* As repr() writes it: the shortest digits that give the same number. */
static struct value
float_new(struct eval *e, double number)
{
    char *text = NULL;

    for (int digits = 1; digits <= 17; digits++) {
        text = arena_printf(e->keep, "%.*g", digits, number);
        if (!(strtod(text, NULL) < number) && !(strtod(text, NULL) > number))
            break;
    }
    if (strpbrk(text, "en"))
        return value_unknown("a number that is too large or too small");
    if (!strchr(text, '.'))
        text = arena_printf(e->keep, "%s.0", text);
    return (struct value){ .kind = VALUE_FLOAT, .text = text };
}

static struct value
add_floats(struct eval *e, double left, const char *sign, double right)
{
    bool is_zero = !(right < 0) && !(right > 0);

    switch (sign[0]) {
    case '+':
        return float_new(e, left + right);
    case '-':
        return float_new(e, left - right);
    case '*':
        return sign[1] ? value_unknown("a power") : float_new(e, left * right);
    case '/':
        return sign[1] || is_zero ? value_unknown("a division") : float_new(e, left / right);
    default:
        return value_unknown("arithmetic that is not followed");
    }
}

static int64_t
floor_divide(int64_t left, int64_t right)
{
    int64_t quotient = left / right;

    return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

static bool
power(int64_t base, int64_t exponent, int64_t *ret)
{
    *ret = 1;
    if (exponent < 0 || exponent > 64)
        return false;
    for (; exponent > 0; exponent--)
        if (__builtin_mul_overflow(*ret, base, ret))
            return false;
    return true;
}

static bool
shift(int64_t number, const char *sign, int64_t by, int64_t *ret)
{
    if (by < 0 || by > 62)
        return false;
    if (sign[0] == '<')
        return !__builtin_mul_overflow(number, (int64_t)1 << by, ret);
    *ret = floor_divide(number, (int64_t)1 << by);
    return true;
}

static bool
calculate(int64_t left, const char *sign, int64_t right, int64_t *ret)
{
    bool is_double = sign[1] != '\0';

    switch (sign[0]) {
    case '+':
        return !__builtin_add_overflow(left, right, ret);
    case '-':
        return !__builtin_sub_overflow(left, right, ret);
    case '*':
        return is_double ? power(left, right, ret) : !__builtin_mul_overflow(left, right, ret);
    case '/':
    case '%':
        if (right == 0 || (left == INT64_MIN && right == -1))
            return false;
        *ret =
            sign[0] == '/' ? floor_divide(left, right) : left - floor_divide(left, right) * right;
        return true;
    case '|':
        *ret = left | right;
        return true;
    case '&':
        *ret = left & right;
        return true;
    case '^':
        *ret = left ^ right;
        return true;
    case '<':
    case '>':
        return shift(left, sign, right, ret);
    default:
        return false;
    }
}

static struct value
add_numbers(struct eval *e, const struct value *left, const char *sign, const struct value *right)
{
    int64_t number;

    if (left->kind == VALUE_FLOAT || right->kind == VALUE_FLOAT || strcmp(sign, "/") == 0)
        return add_floats(e, number_of(left), sign, number_of(right));
    if (!calculate(left->integer, sign, right->integer, &number))
        return value_unknown("a number that is too large");
    return value_integer(number);
}

/* Text and something unknown is text with a hole. */
static struct value
add_texts(struct eval *e, const struct value *left, const struct value *right)
{
    struct buffer buffer = { .arena = e->arena };

    eval_format_value(e, &buffer, left, 0, "");
    eval_format_value(e, &buffer, right, 0, "");
    return eval_text_from(e, &buffer);
}

static struct value
repeat_text(struct eval *e, const struct value *text, int64_t times)
{
    struct buffer buffer = { .arena = e->arena };
    int64_t length = (int64_t)strlen(text->text);

    if (times < 0)
        times = 0;
    if (length > 0 && times > EVAL_TEXT_MAX / length)
        return value_unknown("the text is too long");
    for (; length > 0 && times > 0; times--)
        buffer_append(&buffer, text->text, (size_t)length);
    return eval_text_from(e, &buffer);
}

static bool
is_list(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_TUPLE;
}

static struct value
add_lists(struct eval *e, const struct value *left, const struct value *right)
{
    struct value list = eval_list_new(e, left->kind, left->items.count + right->items.count);

    for (size_t i = 0; i < left->items.count; i++)
        eval_list_push(e, &list, &left->items.items[i]);
    for (size_t i = 0; i < right->items.count; i++)
        eval_list_push(e, &list, &right->items.items[i]);
    return list;
}

static struct value
repeat_list(struct eval *e, const struct value *from, int64_t times)
{
    struct value list = eval_list_new(e, from->kind, 0);

    for (; times > 0 && from->items.count > 0 && !e->is_stopped; times--) {
        for (size_t i = 0; i < from->items.count; i++)
            eval_list_push(e, &list, &from->items.items[i]);
        if (list.kind != from->kind || list.items.count >= EVAL_ITEMS_MAX)
            return value_unknown("the list is too long");
    }
    return list;
}

static enum answer
is_in(const struct value *item, const struct value *list)
{
    enum answer answer = ANSWER_NO;

    for (size_t i = 0; i < list->items.count; i++) {
        enum answer one = value_compare(item, &list->items.items[i]);

        if (one == ANSWER_YES)
            return ANSWER_YES;
        if (one == ANSWER_UNKNOWN)
            answer = ANSWER_UNKNOWN;
    }
    return answer;
}

/* a - b and a & b keep what is not in b, or what is; a | b adds what is not in a. */
static struct value
combine_sets(struct eval *e, const struct value *left, char sign, const struct value *right)
{
    struct value set = eval_list_new(e, VALUE_LIST, left->items.count);
    enum answer wanted = sign == '&' ? ANSWER_YES : ANSWER_NO;

    if (!eval_work(e, left->items.count * right->items.count / 4))
        return value_unknown("the analysis stopped");
    for (size_t i = 0; i < left->items.count; i++) {
        enum answer answer = sign == '|' ? ANSWER_NO : is_in(&left->items.items[i], right);

        if (answer == ANSWER_UNKNOWN)
            return value_unknown("an element of the set is not known");
        if (answer == wanted)
            eval_list_push(e, &set, &left->items.items[i]);
    }
    for (size_t i = 0; sign == '|' && i < right->items.count; i++)
        if (is_in(&right->items.items[i], left) == ANSWER_NO)
            eval_list_push(e, &set, &right->items.items[i]);
    return set;
}

static struct value
combine_dicts(struct eval *e, const struct value *left, const struct value *right)
{
    struct value dict = eval_list_new(e, VALUE_DICT, 0);

    for (size_t i = 0; i < left->pairs.count; i++)
        eval_dict_set(e, &dict, &left->pairs.items[i].key, &left->pairs.items[i].value);
    for (size_t i = 0; i < right->pairs.count; i++)
        eval_dict_set(e, &dict, &right->pairs.items[i].key, &right->pairs.items[i].value);
    return dict;
}

static bool
is_opaque(const struct value *value)
{
    return value->kind == VALUE_UNKNOWN || value->kind == VALUE_NAME || value->kind == VALUE_CALL;
}

/* A text, or what stands for one next to a text. */
static bool
may_be_text(const struct value *value)
{
    return value_is_text(value) || is_opaque(value);
}

static struct value
add(struct eval *e, const struct value *left, const struct value *right)
{
    if ((value_is_text(left) && may_be_text(right)) || (value_is_text(right) && may_be_text(left)))
        return add_texts(e, left, right);
    if (is_list(left) && left->kind == right->kind)
        return add_lists(e, left, right);
    return value_unknown("a sum whose parts are not known");
}

static struct value
multiply(struct eval *e, const struct value *left, const struct value *right)
{
    const struct value *times = left->kind == VALUE_INTEGER ? left : right;
    const struct value *what = times == left ? right : left;

    if (times->kind != VALUE_INTEGER)
        return value_unknown("a product whose parts are not known");
    if (value_is_text(what))
        return repeat_text(e, what, times->integer);
    if (is_list(what))
        return repeat_list(e, what, times->integer);
    return value_unknown("a product whose parts are not known");
}

static struct value
combine(struct eval *e, const struct value *left, char sign, const struct value *right)
{
    if (sign == '+')
        return add(e, left, right);
    if (sign == '*')
        return multiply(e, left, right);
    if (sign == '%' && value_is_text(left))
        return eval_percent(e, left, right);
    if (sign == '/' && (eval_is_path(left) || eval_is_path(right)))
        return eval_path_join(e, left, right);
    if (strchr("-&|", sign) && left->kind == VALUE_LIST && right->kind == VALUE_LIST)
        return combine_sets(e, left, sign, right);
    if (sign == '|' && left->kind == VALUE_DICT && right->kind == VALUE_DICT)
        return combine_dicts(e, left, right);
    return value_unknown("an expression whose parts are not known");
}

struct value
eval_binary_of(
    struct eval *e, const struct value *left, const char *sign, const struct value *right)
{
    struct value value;

    if (is_number(left) && is_number(right))
        value = add_numbers(e, left, sign, right);
    else if (sign[1])
        value = value_unknown("an expression whose parts are not known");
    else
        value = combine(e, left, sign[0], right);
    value.is_assumed |= left->is_assumed || right->is_assumed;
    return value;
}

struct value
eval_binary(struct eval *e, const struct py_node *node)
{
    const struct py_node *sign = py_child(node, PY_FIELD_OPERATOR);
    struct value left = eval_expression(e, py_child(node, PY_FIELD_LEFT));
    struct value right = eval_expression(e, py_child(node, PY_FIELD_RIGHT));

    if (!sign)
        return value_unknown("it is incomplete");
    return eval_binary_of(e, &left, eval_name(e, sign), &right);
}

struct value
eval_unary(struct eval *e, const struct py_node *node)
{
    const struct py_node *sign = py_child(node, PY_FIELD_OPERATOR);
    struct value value = eval_expression(e, py_child(node, PY_FIELD_ARGUMENT));
    struct value zero = value_integer(0);

    if (sign && py_is(e->tree, sign, "-") && value.kind == VALUE_FLOAT)
        return float_new(e, -number_of(&value));
    if (sign && py_is(e->tree, sign, "-") && is_number(&value))
        return eval_binary_of(e, &zero, "-", &value);
    if (sign && py_is(e->tree, sign, "+") && is_number(&value))
        return value;
    return value_unknown("an expression whose parts are not known");
}

static struct value
answer_value(enum answer answer, bool is_negated, bool is_assumed)
{
    struct value value;

    if (answer == ANSWER_UNKNOWN)
        return value_unknown("a comparison whose parts are not known");
    value = value_bool((answer == ANSWER_YES) != is_negated);
    value.is_assumed = is_assumed;
    return value;
}

static enum answer
contains(const struct value *item, const struct value *collection)
{
    struct value keys = { .kind = VALUE_TUPLE };
    enum answer answer = ANSWER_NO;

    if (is_list(collection))
        return is_in(item, collection);
    if (collection->kind == VALUE_TEXT && item->kind == VALUE_TEXT)
        return strstr(collection->text, item->text) ? ANSWER_YES : ANSWER_NO;
    if (collection->kind != VALUE_DICT)
        return ANSWER_UNKNOWN;
    for (size_t i = 0; i < collection->pairs.count; i++) {
        keys.items.items = &collection->pairs.items[i].key;
        keys.items.count = 1;

        enum answer one = is_in(item, &keys);

        if (one == ANSWER_YES)
            return ANSWER_YES;
        if (one == ANSWER_UNKNOWN)
            answer = ANSWER_UNKNOWN;
    }
    return answer;
}

/* A list that is not empty exactly if the test holds: len(x) > 0, x is not None. */
static struct value
test_value(struct test test, bool is_negated)
{
    struct value value = value_unknown("it depends on the database");

    value.test = is_negated ? test_negate(test) : test;
    return value;
}

static struct value
compare_in(const struct value *left, const struct value *right, bool is_negated)
{
    struct test test = eval_test_in(left, right);

    if (test.kind != TEST_NONE)
        return test_value(test, is_negated);
    return answer_value(contains(left, right), is_negated, left->is_assumed || right->is_assumed);
}

static struct value
compare_is(const struct value *left, const struct value *right, bool is_negated)
{
    enum answer answer = value_compare(left, right);

    if (right->kind == VALUE_BOOL && left->test.kind != TEST_NONE)
        return test_value(left->test, is_negated == (right->integer != 0));
    if (right->kind == VALUE_NONE && left->kind == VALUE_UNKNOWN && left->test.kind != TEST_NONE &&
        !left->test.is_element)
        return test_value(left->test, !is_negated);
    if (right->kind == VALUE_NONE && left->kind == VALUE_TEMPLATE)
        answer = ANSWER_NO;
    return answer_value(answer, is_negated, left->is_assumed || right->is_assumed);
}

static struct value
compare_equal(const struct value *left, const struct value *right, bool is_negated)
{
    struct test test = eval_test_equal(left, right);

    if (test.kind != TEST_NONE)
        return test_value(test, is_negated);
    if (right->kind == VALUE_BOOL && left->test.kind != TEST_NONE)
        return test_value(left->test, is_negated == (right->integer != 0));
    return answer_value(
        value_compare(left, right), is_negated, left->is_assumed || right->is_assumed);
}

/* How many rows there are, against 0 or 1. */
static bool
compare_count(
    const struct value *left, const char *sign, const struct value *right, struct value *ret)
{
    static const struct {
        const char *sign;
        int64_t number;
        bool is_negated;
    } forms[] = {
        { ">", 0, false },
        { ">=", 1, false },
        { "!=", 0, false },
        { "==", 0, true },
        { "<", 1, true },
        { "<=", 0, true },
    };

    if (left->kind != VALUE_UNKNOWN || left->test.kind == TEST_NONE || left->test.is_element ||
        right->kind != VALUE_INTEGER)
        return false;
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        if (strcmp(forms[i].sign, sign) == 0 && forms[i].number == right->integer) {
            *ret = test_value(left->test, forms[i].is_negated);
            return true;
        }
    return false;
}

static struct value
compare_order(const struct value *left, const char *sign, const struct value *right)
{
    int order;
    bool is_equal_too = sign[1] == '=';

    if (is_number(left) && is_number(right)) {
        double a = number_of(left);
        double b = number_of(right);

        order = a < b ? -1 : a > b;
    } else if (left->kind == VALUE_TEXT && right->kind == VALUE_TEXT) {
        order = strcmp(left->text, right->text);
    } else {
        return value_unknown("a comparison whose parts are not known");
    }
    if (order == 0)
        return answer_value(
            is_equal_too ? ANSWER_YES : ANSWER_NO, false, left->is_assumed || right->is_assumed);
    return answer_value((order < 0) == (sign[0] == '<') ? ANSWER_YES : ANSWER_NO, false,
        left->is_assumed || right->is_assumed);
}

static struct value
compare(const struct value *left, const char *sign, const struct value *right)
{
    struct value value;

    if (compare_count(left, sign, right, &value))
        return value;
    switch (sign[0]) {
    case 'i':
        if (sign[1] == 'n')
            return compare_in(left, right, false);
        return compare_is(left, right, strchr(sign, 'o') != NULL);
    case 'n':
        return compare_in(left, right, true);
    case '=':
        return compare_equal(left, right, false);
    case '!':
        return compare_equal(left, right, true);
    default:
        if (strcmp(sign, "<>") == 0)
            return compare_equal(left, right, true);
        return compare_order(left, sign, right);
    }
}

static size_t
cost_of(const struct value *value)
{
    size_t length = value_is_text(value) ? strlen(value->text) / 64 : 0;

    return length + value->items.count / 4 + value->pairs.count / 4;
}

/* a < b < c holds when each part does. */
struct value
eval_comparison(struct eval *e, const struct py_node *node)
{
    const struct py_node *child = node->first;
    struct value left = eval_expression(e, child);
    struct value result = value_unknown("it is incomplete");
    size_t count = 0;

    for (child = child ? child->next : NULL; child && child->next; child = child->next->next) {
        struct value right = eval_expression(e, child->next);

        if (!eval_work(e, cost_of(&left) + cost_of(&right)))
            break;

        struct value one = compare(&left, eval_name(e, child), &right);

        if (count++ == 0)
            result = one;
        else if (value_is_false(&one) || value_is_false(&result))
            result = value_bool(false);
        else if (one.kind != VALUE_BOOL || result.kind != VALUE_BOOL)
            result = value_unknown("a comparison whose parts are not known");
        left = right;
    }
    return result;
}

/* As a value: "name or 'default'". The right side runs under the left one's condition. */
struct value
eval_boolean(struct eval *e, const struct py_node *node)
{
    bool is_or = py_is(e->tree, py_child(node, PY_FIELD_OPERATOR), "or");
    struct value left = eval_expression(e, py_child(node, PY_FIELD_LEFT));
    const struct py_node *right = py_child(node, PY_FIELD_RIGHT);
    enum answer answer = value_truth(&left);

    if (answer != ANSWER_UNKNOWN) {
        struct value value = (answer == ANSWER_YES) == is_or ? left : eval_expression(e, right);

        value.is_assumed |= left.is_assumed;
        return value;
    }

    struct condition condition = {
        .text =
            eval_source(e, is_or ? "not (" : "", py_child(node, PY_FIELD_LEFT), is_or ? ")" : ""),
        .place = eval_place(e, node),
        .test = is_or ? test_negate(left.test) : left.test,
    };
    size_t base = e->guards.count;
    struct branch branch = eval_branch_enter(e);

    eval_guard_push(e, &condition, HOLD_BLOCK);

    struct value value = eval_expression(e, right);
    struct changes changes = eval_branch_leave(e, branch);
    struct changes none = { 0 };
    struct value no = value_bool(false);

    eval_guard_leave(e, base, 1, HOLD_BLOCK);
    eval_merge(e, &condition.test, &changes, &none);
    if (!is_or && value_is_false(&value))
        return value_bool(false);
    if (is_or && value_is_true(&value) && value.kind == VALUE_BOOL)
        return value;
    if (!is_or && value_truth(&value) == ANSWER_YES)
        return left;
    return is_or ? value_unknown("it depends on several conditions")
                 : eval_choose(&left.test, &value, &no);
}

struct value
eval_not(struct eval *e, const struct py_node *node)
{
    struct value value = eval_expression(e, py_child(node, PY_FIELD_ARGUMENT));
    enum answer answer = value_truth(&value);

    if (answer == ANSWER_UNKNOWN)
        return test_value(value.test, true);
    return answer_value(answer, true, value.is_assumed);
}
