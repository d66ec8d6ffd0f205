#include "load/scenario/value.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

/* Numbers in text have at most so many letters. */
enum { MOST_NUMBER = 63 };

struct load_value
load_value_of_text(const char *text)
{
    struct load_value value = {
        .kind = VALUE_TEXT, .length = (uint32_t)strlen(text), .text = text
    };

    return value;
}

struct load_value
load_value_number(const struct load_value *value)
{
    char text[MOST_NUMBER + 1];
    struct load_value number = { .kind = VALUE_INTEGER };

    if (value->kind != VALUE_TEXT || value->length > MOST_NUMBER || value->length == 0)
        return *value;
    memcpy(text, value->text, value->length);
    text[value->length] = '\0';
    /* "nan" and "infinity" are words here. */
    if (strspn(text, "+-.0123456789eE") != value->length)
        return *value;
    if (text_to_int64(text, &number.integer))
        return number;
    number.kind = VALUE_REAL;
    if (text_to_double(text, &number.real))
        return number;
    return *value;
}

bool
load_value_integer(const struct load_value *value, int64_t *ret, const char **ret_problem)
{
    struct load_value number = load_value_number(value);

    if (number.kind == VALUE_INTEGER) {
        *ret = number.integer;
        return true;
    }
    if (number.kind == VALUE_REAL) {
        double whole = rint(number.real);

        /* -(2^63) is a double; 2^63 - 1 is not. */
        if (!isnan(whole) && whole >= -0x1p63 && whole < 0x1p63) {
            *ret = (int64_t)whole;
            return true;
        }
        *ret_problem = "a double is too large for an integer";
        return false;
    }
    *ret_problem = number.kind == VALUE_TRUTH ? "a boolean stands where a number has to be"
                   : number.kind == VALUE_NULL
                       ? "NULL stands where a number has to be"
                       : "a text that is no number stands where a number has to be";
    return false;
}

bool
load_value_real(const struct load_value *value, double *ret, const char **ret_problem)
{
    struct load_value number = load_value_number(value);
    int64_t integer;

    if (number.kind == VALUE_REAL) {
        *ret = number.real;
        return true;
    }
    if (!load_value_integer(&number, &integer, ret_problem))
        return false;
    *ret = (double)integer;
    return true;
}

bool
load_value_truth(const struct load_value *value, bool *ret, const char **ret_problem)
{
    *ret = value->kind == VALUE_TRUTH && value->truth;
    if (value->kind == VALUE_TRUTH)
        return true;
    *ret_problem = "something else stands where true or false has to be";
    return false;
}

/* "%" PRId64 without what snprintf() costs: ids are most of what is written. */
static void
write_integer(int64_t number, struct buffer *ret)
{
    char digits[20];
    size_t at = sizeof(digits);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        buffer_append(ret, "-", 1);
    buffer_append(ret, digits + at, sizeof(digits) - at);
}

void
load_value_write(const struct load_value *value, struct buffer *ret)
{
    switch (value->kind) {
    case VALUE_NULL:
        return;
    case VALUE_INTEGER:
        write_integer(value->integer, ret);
        return;
    case VALUE_REAL: {
        char text[40];

        (void)snprintf(text, sizeof(text), "%.*g", DBL_DIG, value->real);
        buffer_add(ret, text);
        return;
    }
    case VALUE_TRUTH:
        buffer_add(ret, value->truth ? "true" : "false");
        return;
    case VALUE_TEXT:
        buffer_append(ret, value->text, value->length);
        return;
    }
}
