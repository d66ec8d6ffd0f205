/* Numbers as text that is read back as the same number, by integers: printf() takes most of a page's time. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "monitor/metric/metric_part.h"

enum { MOST_DIGITS = 17, SURE_DIGITS = 15 }; /* what a double needs at most, and always holds */

static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
    1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
    1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
    UINT64_C(10000000000000000000) };

static size_t
count_digits(uint64_t number)
{
    size_t count = 1;

    while (count < COUNT_OF(powers) && number >= powers[count])
        count++;
    return count;
}

static size_t
print_digits(char *out, uint64_t number, size_t count)
{
    for (size_t i = count; i-- > 0; number /= 10)
        out[i] = (char)('0' + number % 10);
    return count;
}

/* number over a power of ten, without zeros at the end. */
static size_t
print_decimals(char *out, uint64_t number, size_t decimals)
{
    while (decimals > 0 && number % 10 == 0) {
        number /= 10;
        decimals--;
    }

    uint64_t whole = number / powers[decimals];
    size_t length = print_digits(out, whole, count_digits(whole));

    if (decimals == 0)
        return length;
    out[length++] = '.';
    return length + print_digits(out + length, number % powers[decimals], decimals);
}

/*
 * A number from a thousandth to 2^53, exactly: its bits are an integer over a power of two, which times
 * ten to the power of the decimals fits into 128 bits. Fifteen digits or one more do for what was written
 * with so many; both sides of that division are whole doubles, so it is rounded as reading the text is.
 */
static size_t
print_plain(char *out, double value)
{
    int exponent;
    uint64_t bits = (uint64_t)ldexp(frexp(value, &exponent), 53);
    int shift = 53 - exponent; /* value = bits / 2^shift */
    uint64_t whole = (uint64_t)value;
    size_t decimals = MOST_DIGITS - (whole > 0 ? count_digits(whole) : 0);

    if (whole == 0)
        decimals += value < 0.01 ? 2 : value < 0.1 ? 1 : 0;

    unsigned __int128 scaled = (unsigned __int128)bits * powers[decimals];
    uint64_t digits = (uint64_t)((scaled + ((unsigned __int128)1 << (shift - 1))) >> shift);

    for (size_t cut = MOST_DIGITS - SURE_DIGITS; cut > 0 && cut <= decimals; cut--) {
        uint64_t fewer = (digits + powers[cut] / 2) / powers[cut];

        if (fewer < UINT64_C(1) << DBL_MANT_DIG &&
            (double)fewer / (double)powers[decimals - cut] == value)
            return print_decimals(out, fewer, decimals - cut);
    }
    return print_decimals(out, digits, decimals);
}

size_t
metric_number(char out[METRIC_NUMBER_BYTES], double value)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    double size = fabs(value);
    size_t sign = signbit(value) && value != 0 ? 1 : 0;

    if (isnan(value) || isinf(value))
        return (size_t)snprintf(out, METRIC_NUMBER_BYTES, "%s",
            isnan(value) ? "NaN"
            : value > 0  ? "+Inf"
                         : "-Inf");
    out[0] = '-';
    if (size < exact && size == floor(size))
        return sign + print_digits(out + sign, (uint64_t)size, count_digits((uint64_t)size));
    if (size >= 0.001 && size < exact)
        return sign + print_plain(out + sign, size);

    int length = snprintf(out, METRIC_NUMBER_BYTES, "%.15g", value);

    if (strtod(out, NULL) != value)
        length = snprintf(out, METRIC_NUMBER_BYTES, "%.17g", value);
    return (size_t)length;
}
