#include "workload/expression.h"

#include <ctype.h>
#include <math.h>

#include "base/text.h"

enum { MAX_DEPTH = 50, MAX_ARGUMENTS = 8 };

struct reader {
    struct ctx *ctx;
    const char *at;
    const struct script_variables *variables;
    int depth;
};

struct number {
    double value;
    bool is_whole; /* pgbench's integer: division cuts off */
};

struct function {
    const char *name;
    size_t least_arguments;
    bool (*call)(struct number *arguments, size_t count, struct number *ret);
};

static bool read_sum(struct reader *reader, struct number *ret);

static bool
middle(struct number *arguments, size_t count, struct number *ret)
{
    (void)count;
    ret->is_whole = true;
    ret->value = floor((arguments[0].value + arguments[1].value) / 2);
    return true;
}

static bool
absolute(struct number *arguments, size_t count, struct number *ret)
{
    (void)count;
    *ret = arguments[0];
    ret->value = fabs(ret->value);
    return true;
}

static bool
whole(struct number *arguments, size_t count, struct number *ret)
{
    (void)count;
    *ret = (struct number){ .value = trunc(arguments[0].value), .is_whole = true };
    return true;
}

static bool
real(struct number *arguments, size_t count, struct number *ret)
{
    (void)count;
    *ret = (struct number){ .value = arguments[0].value };
    return true;
}

static bool
least(struct number *arguments, size_t count, struct number *ret)
{
    *ret = arguments[0];
    for (size_t i = 1; i < count; i++)
        if (arguments[i].value < ret->value)
            *ret = arguments[i];
    return true;
}

static bool
greatest(struct number *arguments, size_t count, struct number *ret)
{
    *ret = arguments[0];
    for (size_t i = 1; i < count; i++)
        if (arguments[i].value > ret->value)
            *ret = arguments[i];
    return true;
}

static bool
square_root(struct number *arguments, size_t count, struct number *ret)
{
    (void)count;
    *ret = (struct number){ .value = sqrt(arguments[0].value) };
    return arguments[0].value >= 0;
}

static bool
remainder_of(struct number *arguments, size_t count, struct number *ret)
{
    (void)count;
    *ret =
        (struct number){ .value = fmod(arguments[0].value, arguments[1].value), .is_whole = true };
    return arguments[1].value < 0 || arguments[1].value > 0;
}

static const struct function functions[] = {
    { "random", 2, middle },
    { "random_zipfian", 2, middle },
    { "random_gaussian", 2, middle },
    { "random_exponential", 2, middle },
    { "abs", 1, absolute },
    { "int", 1, whole },
    { "double", 1, real },
    { "least", 1, least },
    { "greatest", 1, greatest },
    { "sqrt", 1, square_root },
    { "mod", 2, remainder_of },
};

const struct script_variable *
script_variable_find(const struct script_variables *variables, const char *name, size_t length)
{
    for (size_t i = variables->count; i-- > 0;) {
        const struct script_variable *variable = &variables->items[i];

        if (strlen(variable->name) == length && strncmp(variable->name, name, length) == 0)
            return variable;
    }
    return NULL;
}

static bool
refuse(struct reader *reader)
{
    return error_set(reader->ctx, ERR_INPUT, "cannot evaluate \"%s\" here", reader->at);
}

static void
skip_blanks(struct reader *reader)
{
    while (isspace((unsigned char)*reader->at))
        reader->at++;
}

static bool
take(struct reader *reader, char sign)
{
    skip_blanks(reader);
    if (*reader->at != sign)
        return false;
    reader->at++;
    return true;
}

static bool
read_variable(struct reader *reader, struct number *ret)
{
    const char *start = reader->at;

    while (isalnum((unsigned char)*reader->at) || *reader->at == '_')
        reader->at++;

    const struct script_variable *variable =
        script_variable_find(reader->variables, start, (size_t)(reader->at - start));

    if (!variable || !variable->value)
        return error_set(reader->ctx, ERR_INPUT, "variable \":%.*s\" has no value",
            (int)(reader->at - start), start);
    ret->is_whole = !strpbrk(variable->value, ".eE");
    if (!text_to_double(variable->value, &ret->value))
        return error_set(reader->ctx, ERR_INPUT, "variable \":%s\" is not a number: \"%s\"",
            variable->name, variable->value);
    return true;
}

static bool
read_call(struct reader *reader, struct number *ret)
{
    struct number arguments[MAX_ARGUMENTS];
    const char *start = reader->at;
    size_t count = 0;

    while (isalnum((unsigned char)*reader->at) || *reader->at == '_')
        reader->at++;

    size_t length = (size_t)(reader->at - start);

    if (length == 0 || !take(reader, '('))
        return refuse(reader);
    do {
        if (count == MAX_ARGUMENTS || !read_sum(reader, &arguments[count++]))
            return refuse(reader);
    } while (take(reader, ','));
    if (!take(reader, ')'))
        return refuse(reader);
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        if (strlen(functions[i].name) == length && strncmp(functions[i].name, start, length) == 0 &&
            count >= functions[i].least_arguments && functions[i].call(arguments, count, ret))
            return true;
    return error_set(reader->ctx, ERR_INPUT, "cannot evaluate %.*s() here", (int)length, start);
}

static bool
read_literal(struct reader *reader, struct number *ret)
{
    char *end;

    ret->value = strtod(reader->at, &end);
    if (end == reader->at)
        return refuse(reader);
    ret->is_whole = true;
    for (const char *at = reader->at; at < end; at++)
        if (strchr(".eE", *at))
            ret->is_whole = false;
    reader->at = end;
    return true;
}

static bool
read_factor(struct reader *reader, struct number *ret)
{
    bool is_good;

    if (++reader->depth > MAX_DEPTH)
        return refuse(reader);
    if (take(reader, '-')) {
        is_good = read_factor(reader, ret);
        ret->value = -ret->value;
    } else if (take(reader, '(')) {
        is_good = read_sum(reader, ret) && (take(reader, ')') || refuse(reader));
    } else if (take(reader, ':')) {
        is_good = read_variable(reader, ret);
    } else if (isdigit((unsigned char)*reader->at) || *reader->at == '.') {
        is_good = read_literal(reader, ret);
    } else {
        is_good = read_call(reader, ret);
    }
    reader->depth--;
    return is_good;
}

static bool
read_product(struct reader *reader, struct number *ret)
{
    if (!read_factor(reader, ret))
        return false;
    for (;;) {
        struct number right = { 0 };
        char sign;

        skip_blanks(reader);
        sign = *reader->at;
        if (sign == '\0' || !strchr("*/%", sign))
            return true;
        reader->at++;
        if (!read_factor(reader, &right))
            return false;
        if (sign != '*' && !(right.value < 0 || right.value > 0))
            return error_set(reader->ctx, ERR_INPUT, "division by zero");
        ret->is_whole = ret->is_whole && right.is_whole;
        ret->value = sign == '*'   ? ret->value * right.value
                     : sign == '/' ? ret->value / right.value
                                   : fmod(ret->value, right.value);
        if (ret->is_whole)
            ret->value = trunc(ret->value);
    }
}

static bool
read_sum(struct reader *reader, struct number *ret)
{
    if (!read_product(reader, ret))
        return false;
    for (;;) {
        struct number right = { 0 };
        bool is_minus = take(reader, '-');

        if (!is_minus && !take(reader, '+'))
            return true;
        if (!read_product(reader, &right))
            return false;
        ret->is_whole = ret->is_whole && right.is_whole;
        ret->value += is_minus ? -right.value : right.value;
    }
}

bool
expression_evaluate(struct ctx *ctx, const char *text, const struct script_variables *variables,
    const char **ret_value)
{
    struct reader reader = { .ctx = ctx, .at = text, .variables = variables };
    struct number number = { 0 };

    if (!read_sum(&reader, &number))
        return false;
    skip_blanks(&reader);
    if (*reader.at)
        return refuse(&reader);
    *ret_value = arena_printf(ctx->arena, number.is_whole ? "%.0f" : "%.17g", number.value);
    return true;
}
