/* Random numbers of a user, by the formulas in pgbench's documentation. */
#include <math.h>

#include "load/scenario/function_part.h"

enum shape { UNIFORM, EXPONENTIAL, GAUSSIAN, ZIPFIAN };

static bool
exponential(
    struct load_scope *scope, int64_t low, double span, double shape, struct load_value *ret)
{
    if (!(shape > 0))
        return load_problem(scope, "the parameter of random_exponential() has to be above 0");

    double cut = exp(-shape);
    double uniform = 1 - load_scope_random(scope);
    double share = -log(cut + (1 - cut) * uniform) / shape;

    return give_integer(ret, low + (int64_t)(span * share));
}

static bool
gaussian(struct load_scope *scope, int64_t low, double span, double shape, struct load_value *ret)
{
    double deviation;

    if (!(shape >= 2))
        return load_problem(scope, "the parameter of random_gaussian() has to be 2 or more");
    /* Box and Muller 1958; what lies outside is drawn again. */
    do {
        double radius = sqrt(-2 * log(1 - load_scope_random(scope)));

        deviation = radius * sin(2 * M_PI * (1 - load_scope_random(scope)));
    } while (deviation < -shape || deviation >= shape);
    return give_integer(ret, low + (int64_t)(span * (deviation + shape) / (shape * 2)));
}

static bool
zipfian(struct load_scope *scope, int64_t low, int64_t high, double shape, struct load_value *ret)
{
    if (!(shape >= 1.001 && shape <= 1000))
        return load_problem(
            scope, "the parameter of random_zipfian() has to be from 1.001 to 1000");
    return give_integer(
        ret, low - 1 + (int64_t)load_scope_zipf(scope, (uint64_t)(high - low) + 1, shape));
}

static bool
draw(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    enum shape shape = (enum shape)node->function->detail;
    double parameter = 0;
    int64_t span;
    int64_t high;
    int64_t low;

    if (!want_integer(scope, &args[0], &low) || !want_integer(scope, &args[1], &high) ||
        (shape != UNIFORM && !want_real(scope, &args[2], &parameter)))
        return false;
    if (low > high)
        return load_problem(scope, "a random number is drawn of an empty range");
    if (__builtin_sub_overflow(high, low, &span) || span == INT64_MAX)
        return load_problem(scope, "a random number is drawn of too large a range");
    switch (shape) {
    case UNIFORM:
        return give_integer(ret, load_scope_range(scope, low, high));
    case EXPONENTIAL:
        return exponential(scope, low, (double)span + 1, parameter, ret);
    case GAUSSIAN:
        return gaussian(scope, low, (double)span + 1, parameter, ret);
    case ZIPFIAN:
        return zipfian(scope, low, high, parameter, ret);
    }
    return false;
}

static const struct load_function functions[] = {
    { .name = "random", .least = 2, .most = 2, .detail = UNIFORM, .call = draw },
    { .name = "random_exponential", .least = 3, .most = 3, .detail = EXPONENTIAL, .call = draw },
    { .name = "random_gaussian", .least = 3, .most = 3, .detail = GAUSSIAN, .call = draw },
    { .name = "random_zipfian", .least = 3, .most = 3, .detail = ZIPFIAN, .call = draw },
};
const struct load_functions load_random_functions = { functions, COUNT_OF(functions) };
