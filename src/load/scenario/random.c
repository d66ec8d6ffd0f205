/* A user's random numbers: xoroshiro128** by Blackman and Vigna 2018, seeded by their splitmix64. */
#include <math.h>

#include "load/scenario/world_part.h"

static uint64_t
rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static uint64_t
next_word(struct load_scope *scope)
{
    uint64_t first = scope->random[0];
    uint64_t second = scope->random[1] ^ first;
    uint64_t result = rotate(first * 5, 7) * 9;

    scope->random[0] = rotate(first, 24) ^ second ^ second << 16;
    scope->random[1] = rotate(second, 37);
    return result;
}

double
load_scope_random(struct load_scope *scope)
{
    return (double)(next_word(scope) >> 11) * 0x1p-53;
}

/* Drawn again where it would fall beyond: so all are as likely. */
int64_t
load_scope_range(struct load_scope *scope, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t mask = span;
    uint64_t word;

    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    do {
        word = next_word(scope) >> 1 & mask;
        if (mask >> 63)
            word |= next_word(scope) & UINT64_C(1) << 63;
    } while (word > span);
    return (int64_t)((uint64_t)low + word);
}

/* (x^(1-s) - 1) / (1 - s), and log(x) where s is 1: the integral of x^-s. */
static double
integral(double x, double s)
{
    double logarithm = log(x);
    double exponent = (1 - s) * logarithm;

    return fabs(exponent) > 1e-8 ? expm1(exponent) / (1 - s)
                                 : logarithm * (1 + exponent / 2 * (1 + exponent / 3));
}

static double
inverse(double area, double s)
{
    double exponent = area * (1 - s);

    if (exponent < -1)
        exponent = -1;
    return fabs(exponent) > 1e-8
               ? exp(log1p(exponent) / (1 - s))
               : exp(area * (1 - exponent * (0.5 - exponent * (1.0 / 3 - 0.25 * exponent))));
}

/*
 * Rejection-inversion by Hörmann and Derflinger 1996: for any exponent, and without a table. Large exponents
 * give 1 nearly always, where the sums of this would run out of digits.
 */
uint64_t
load_scope_zipf(struct load_scope *scope, uint64_t count, double s)
{
    if (count <= 1 || s > 60)
        return 1;

    double least = integral(1.5, s) - 1;
    double most = integral((double)count + 0.5, s);
    double sure = 2 - inverse(integral(2.5, s) - pow(2, -s), s);

    for (;;) {
        double area = most + load_scope_random(scope) * (least - most);
        double x = inverse(area, s);
        double k = floor(x + 0.5);

        k = k < 1 ? 1 : k > (double)count ? (double)count : k;
        if (k - x <= sure || area >= integral(k + 0.5, s) - pow(k, -s))
            return (uint64_t)k;
    }
}

void
load_scope_seed(struct load_scope *scope, uint64_t seed)
{
    for (size_t i = 0; i < COUNT_OF(scope->random); i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);

        uint64_t word = seed;

        word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
        scope->random[i] = word ^ word >> 31;
    }
    if (scope->random[0] == 0 && scope->random[1] == 0)
        scope->random[0] = 1;
}
