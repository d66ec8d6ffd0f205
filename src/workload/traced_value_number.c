/* numeric and floating point numbers in binary form. */
#include <math.h>
#include <string.h>

#include "workload/traced_value_part.h"

enum {
    GROUP = 10000, /* a digit of numeric */
    GROUP_DIGITS = 4,
    SIGN_PLUS = 0x0000,
    SIGN_MINUS = 0x4000,
    SIGN_NAN = 0xc000,
    SIGN_INFINITE = 0xd000,
    SIGN_MINUS_INFINITE = 0xf000,
    MOST_SCALE = 16383,
    FIXED_FROM = -4, /* powers of ten that are written without an exponent */
    FIXED_TO_SINGLE = 6,
    FIXED_TO_DOUBLE = 15,
    DIGITS_SINGLE = 9, /* enough for any number to be read again */
    DIGITS_DOUBLE = 17,
};

/* The group that stands at a weight; 0 outside of those that were sent. */
static unsigned
group_at(const unsigned char *groups, int32_t count, int32_t weight, int32_t at)
{
    int32_t index = weight - at;

    if (index < 0 || index >= count)
        return 0;
    return (unsigned)(groups[index * 2] << 8 | groups[index * 2 + 1]);
}

static bool
groups_are_digits(const unsigned char *groups, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (group_at(groups, count, 0, -i) >= GROUP)
            return false;
    return true;
}

bool
value_add_numeric(struct buffer *buffer, struct value_bytes *bytes)
{
    int32_t count = (int32_t)value_take_uint(bytes, 2);
    int32_t weight = (int32_t)value_take_int(bytes, 2);
    uint32_t sign = value_take_uint(bytes, 2);
    int32_t scale = (int32_t)value_take_uint(bytes, 2);
    const unsigned char *groups = bytes->data;

    if (bytes->is_damaged || bytes->length != (size_t)count * 2 || scale > MOST_SCALE ||
        !groups_are_digits(groups, count))
        return false;
    bytes->length = 0;
    if (sign == SIGN_NAN || sign == SIGN_INFINITE || sign == SIGN_MINUS_INFINITE) {
        buffer_add(buffer, sign == SIGN_NAN        ? "NaN"
                           : sign == SIGN_INFINITE ? "Infinity"
                                                   : "-Infinity");
        return true;
    }
    if (sign != SIGN_PLUS && sign != SIGN_MINUS)
        return false;
    buffer_printf(buffer, "%s%u", sign == SIGN_MINUS ? "-" : "",
        weight < 0 ? 0 : group_at(groups, count, weight, weight));
    for (int32_t at = weight - 1; at >= 0; at--)
        buffer_printf(buffer, "%04u", group_at(groups, count, weight, at));
    if (scale > 0)
        buffer_add(buffer, ".");
    for (int32_t at = -1; scale > 0; at--, scale -= GROUP_DIGITS) {
        char digits[16];

        snprintf(digits, sizeof(digits), "%04u", group_at(groups, count, weight, at));
        buffer_append(buffer, digits, scale < GROUP_DIGITS ? (size_t)scale : GROUP_DIGITS);
    }
    return true;
}

/* The fewest digits that are read as this very number, as "d.ddde+xx". */
static void
shortest(double number, bool is_single, char *ret, size_t size)
{
    int most = is_single ? DIGITS_SINGLE : DIGITS_DOUBLE;

    for (int digits = 0; digits < most; digits++) {
        snprintf(ret, size, "%.*e", digits, number);
        if (is_single ? strtof(ret, NULL) == (float)number : strtod(ret, NULL) == number)
            break;
    }
}

void
value_add_float(struct buffer *buffer, double number, bool is_single)
{
    char text[64];
    char *mark;
    long power;
    int digits;

    if (isnan(number) || isinf(number)) {
        buffer_add(buffer, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        return;
    }
    shortest(number, is_single, text, sizeof(text));
    mark = strchr(text, 'e');
    power = mark ? strtol(mark + 1, NULL, 10) : 0;
    if (power < FIXED_FROM || power >= (is_single ? FIXED_TO_SINGLE : FIXED_TO_DOUBLE)) {
        buffer_add(buffer, text);
        return;
    }
    /* So many digits stand behind the point when there is no exponent. */
    digits = (int)(mark - text) - (*text == '-') - (strchr(text, '.') ? 2 : 1);
    digits = digits > power ? digits - (int)power : 0;
    buffer_printf(buffer, "%.*f", digits, number);
}
