#include <math.h>

#include "load/scenario/function_part.h"

enum root { ROOT, LOGARITHM, EXPONENTIAL, REAL };
enum rank { RANK_LEAST, RANK_GREATEST };
enum hash_kind { FNV1A, MURMUR2 };

static bool
absolute(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    struct load_value number = load_value_number(&args[0]);
    int64_t integer;

    (void)node;
    if (number.kind == VALUE_REAL)
        return give_real(ret, fabs(number.real));
    if (!want_integer(scope, &number, &integer))
        return false;
    if (integer == INT64_MIN)
        return load_problem(scope, "the result is out of the range of 64-bit integers");
    return give_integer(ret, integer < 0 ? -integer : integer);
}

static bool
of_real(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    double real;

    if (!want_real(scope, &args[0], &real))
        return false;
    switch ((enum root)node->function->detail) {
    case ROOT:
        return give_real(ret, sqrt(real));
    case LOGARITHM:
        return give_real(ret, log(real));
    case EXPONENTIAL:
        return give_real(ret, exp(real));
    case REAL:
        return give_real(ret, real);
    }
    return false;
}

static bool
to_integer(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    int64_t integer;

    (void)node;
    return want_integer(scope, &args[0], &integer) && give_integer(ret, integer);
}

static bool
pi(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    (void)scope;
    (void)node;
    (void)args;
    return give_real(ret, M_PI);
}

static bool
power(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    double base;
    double exponent;

    (void)node;
    return want_real(scope, &args[0], &base) && want_real(scope, &args[1], &exponent) &&
           give_real(ret, pow(base, exponent));
}

static bool
rank(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    bool is_greatest = node->function->detail == RANK_GREATEST;
    bool has_real = false;
    int64_t integer = 0;
    double real = 0;

    for (size_t i = 0; i < node->arg_count; i++)
        has_real |= load_value_number(&args[i]).kind == VALUE_REAL;
    for (size_t i = 0; i < node->arg_count; i++) {
        int64_t other_integer = 0;
        double other_real = 0;

        if (has_real ? !want_real(scope, &args[i], &other_real)
                     : !want_integer(scope, &args[i], &other_integer))
            return false;
        if (i == 0 || (is_greatest ? other_integer > integer : other_integer < integer))
            integer = other_integer;
        if (i == 0 || (is_greatest ? other_real > real : other_real < real))
            real = other_real;
    }
    return has_real ? give_real(ret, real) : give_integer(ret, integer);
}

/* Source: Fowler, Noll and Vo, FNV-1a, over the eight bytes of the number. */
static int64_t
fnv1a(uint64_t number, uint64_t seed)
{
    uint64_t result = UINT64_C(0xcbf29ce484222325) ^ seed;

    for (int i = 0; i < 8; i++) {
        result ^= number & 0xff;
        result *= UINT64_C(0x100000001b3);
        number >>= 8;
    }
    return (int64_t)result;
}

/* Source: Appleby's MurmurHash2, 64 bits, of one word, as pgbench has it. */
static int64_t
murmur2(uint64_t number, uint64_t seed)
{
    const uint64_t factor = UINT64_C(0xc6a4a7935bd1e995);
    uint64_t result = seed ^ (factor * 8);

    number *= factor;
    number ^= number >> 47;
    number *= factor;
    result ^= number;
    result *= factor;
    result ^= result >> 47;
    result *= factor;
    return (int64_t)(result ^ (result >> 47));
}

static bool
hash(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    int64_t number;
    int64_t seed = scope->world->seed;

    if (!want_integer(scope, &args[0], &number) ||
        (node->arg_count > 1 && !want_integer(scope, &args[1], &seed)))
        return false;
    return give_integer(ret, node->function->detail == FNV1A
                                 ? fnv1a((uint64_t)number, (uint64_t)seed)
                                 : murmur2((uint64_t)number, (uint64_t)seed));
}

static const struct load_function functions[] = {
    { .name = "abs", .least = 1, .most = 1, .call = absolute },
    { .name = "double", .least = 1, .most = 1, .detail = REAL, .call = of_real },
    { .name = "exp", .least = 1, .most = 1, .detail = EXPONENTIAL, .call = of_real },
    { .name = "greatest",
        .least = 1,
        .most = FUNCTION_MOST_ARGS,
        .detail = RANK_GREATEST,
        .call = rank },
    { .name = "hash", .least = 1, .most = 2, .detail = MURMUR2, .call = hash },
    { .name = "hash_fnv1a", .least = 1, .most = 2, .detail = FNV1A, .call = hash },
    { .name = "hash_murmur2", .least = 1, .most = 2, .detail = MURMUR2, .call = hash },
    { .name = "int", .least = 1, .most = 1, .call = to_integer },
    { .name = "least", .least = 1, .most = FUNCTION_MOST_ARGS, .detail = RANK_LEAST, .call = rank },
    { .name = "ln", .least = 1, .most = 1, .detail = LOGARITHM, .call = of_real },
    { .name = "pi", .call = pi },
    { .name = "pow", .least = 2, .most = 2, .call = power },
    { .name = "power", .least = 2, .most = 2, .call = power },
    { .name = "sqrt", .least = 1, .most = 1, .detail = ROOT, .call = of_real },
};
const struct load_functions load_math_functions = { functions, COUNT_OF(functions) };
