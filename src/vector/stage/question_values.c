/* The numbers of a vector. */
#include <ctype.h>
#include <float.h>
#include <math.h>

#include "vector/stage/stage_parts.h"

/* The largest number that halfvec takes: what is rounded to 65504. */
static const double HALF_MOST = 65520;

static bool
refuse(struct vector_reading *reading, const char *why)
{
    reading->why = why;
    return false;
}

static const char *
skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* A number in decimal or with an exponent, as pgvector reads it; not "nan", "inf" or "0x1". */
static bool
read_number(
    struct arena *arena, const char **at, struct vector_reading *reading, double *ret_number)
{
    size_t length = strspn(*at, "+-.0123456789eE");
    const char *text = arena_strndup(arena, *at, length < 64 ? length : 64);
    double most = reading->is_half ? HALF_MOST : (double)FLT_MAX;

    if (isalpha((unsigned char)**at))
        return refuse(reading, "it holds something that is not a finite number");
    if (length == 0 || length >= 64 || !text_to_double(text, ret_number))
        return refuse(reading, "it is not a list of numbers in square brackets");
    if (!isfinite(*ret_number) || fabs(*ret_number) > most)
        return refuse(reading, "a number is too large for the column's type");
    *at += length;
    return true;
}

bool
stage_values_read(
    struct arena *arena, const char *text, struct vector_reading *reading, double *ret)
{
    const char *at = skip_space(text);
    int64_t count = 0;
    bool is_more = true;

    reading->is_zero = true;
    if (*at++ != '[')
        return refuse(reading, "it is not a list of numbers in square brackets");
    while (is_more) {
        double number;

        at = skip_space(at);
        if (!read_number(arena, &at, reading, &number))
            return false;
        if (count < reading->dims)
            ret[count] = number;
        count++;
        reading->is_zero = reading->is_zero && (float)number == 0;
        at = skip_space(at);
        is_more = *at == ',';
        at += is_more;
    }
    if (*at != ']' || *skip_space(at + 1))
        return refuse(reading, "it is not a list of numbers in square brackets");
    if (count != reading->dims)
        return refuse(reading, arena_printf(arena, "it has %lld dimensions and the column %d",
                                   (long long)count, reading->dims));
    return true;
}

static double
length_of(const double *values, int32_t dims)
{
    double sum = 0;

    for (int32_t i = 0; i < dims; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

const char *
stage_values_mix(struct arena *arena, const double *a, const double *b, int32_t dims)
{
    struct buffer text = { .arena = arena };
    double a_length = length_of(a, dims);
    double b_length = length_of(b, dims);
    double *mixed = ARENA_ARRAY(arena, double, (size_t)dims);

    for (int32_t i = 0; i < dims; i++)
        mixed[i] =
            .8 * a[i] / (a_length > 0 ? a_length : 1) + .2 * b[i] / (b_length > 0 ? b_length : 1);

    double length = length_of(mixed, dims);
    double scale = length > 0 ? (a_length > 0 ? a_length : 1) / length : 1;

    for (int32_t i = 0; i < dims; i++)
        buffer_printf(&text, "%c%.6g", i == 0 ? '[' : ',', mixed[i] * scale);
    buffer_add(&text, "]");
    return buffer_text(&text);
}
