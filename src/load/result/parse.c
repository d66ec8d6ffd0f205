#include "load/result/parse.h"

#include <math.h>

enum { MOST_TEXTS = 10000 };
/* Numbers up to this can be added by the thousand without leaving 64 bits. */
#define MOST_NUMBER (INT64_C(1) << 53)

bool
load_parse_refuse(const struct load_reading *reading, const char *key, const char *what)
{
    error_set(reading->ctx, ERR_INPUT, "%s: it is not the result of a load run: \"%s%s%s\" %s",
        reading->path, reading->where, *reading->where ? "." : "", key, what);
    return error_hint(reading->ctx, "pgmend load run SCENARIO --output FILE writes one.");
}

bool
load_parse_number(
    const struct load_reading *reading, const json_t *value, const char *key, int64_t *ret)
{
    if (!json_is_integer(value))
        return load_parse_refuse(reading, key, "is not a whole number");
    *ret = json_integer_value(value);
    if (*ret < -1 || *ret > MOST_NUMBER)
        return load_parse_refuse(reading, key, "is out of range");
    return true;
}

static bool
read_double(const struct load_reading *reading, const json_t *value, const char *key, double *ret)
{
    if (!json_is_number(value) && !json_is_null(value))
        return load_parse_refuse(reading, key, "is not a number");
    *ret = json_is_null(value) ? NAN : json_number_value(value);
    return true;
}

/* Names are shown on terminals, which obey such characters. */
static bool
has_control(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
            return true;
    return false;
}

static bool
read_text(
    const struct load_reading *reading, const json_t *value, const char *key, const char **ret)
{
    *ret = NULL;
    if (json_is_null(value))
        return true;
    if (!json_is_string(value))
        return load_parse_refuse(reading, key, "is not text");
    if (has_control(json_string_value(value)))
        return load_parse_refuse(reading, key, "holds control characters");
    *ret = arena_strdup(reading->ctx->arena, json_string_value(value));
    return true;
}

bool
load_parse_texts(
    const struct load_reading *reading, const json_t *value, const char *key, struct text_list *ret)
{
    const json_t *item;
    size_t i;

    *ret = (struct text_list){ 0 };
    if (!json_is_array(value) || json_array_size(value) > MOST_TEXTS)
        return load_parse_refuse(reading, key, "is not a list of texts");
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item))
            return load_parse_refuse(reading, key, "is not a list of texts");
        text_list_add(
            reading->ctx->arena, ret, arena_strdup(reading->ctx->arena, json_string_value(item)));
    }
    return true;
}

static bool
read_field(const struct load_reading *reading, const json_t *value, const struct field *field,
    char *object)
{
    void *member = object + field->offset;
    int64_t number;

    if (!value)
        return load_parse_refuse(reading, field->name, "is missing");
    switch (field->type) {
    case FIELD_BOOL:
        if (!json_is_boolean(value))
            return load_parse_refuse(reading, field->name, "is neither true nor false");
        *(bool *)member = json_is_true(value);
        return true;
    case FIELD_INT32:
        if (!load_parse_number(reading, value, field->name, &number))
            return false;
        if (number > INT32_MAX)
            return load_parse_refuse(reading, field->name, "is out of range");
        *(int32_t *)member = (int32_t)number;
        return true;
    case FIELD_INT64:
        return load_parse_number(reading, value, field->name, member);
    case FIELD_DOUBLE:
        return read_double(reading, value, field->name, member);
    case FIELD_TEXT:
        return read_text(reading, value, field->name, member);
    case FIELD_TEXT_LIST:
        return load_parse_texts(reading, value, field->name, member);
    case FIELD_UINT32:
        break;
    }
    return load_parse_refuse(reading, field->name, "is of a kind that no result has");
}

bool
load_parse_fields(const struct load_reading *reading, const json_t *json,
    const struct load_fields *fields, void *object)
{
    if (!json_is_object(json))
        return load_parse_refuse(reading, "", "is not an object");
    for (size_t i = 0; i < fields->count; i++)
        if (!read_field(
                reading, json_object_get(json, fields->items[i].name), &fields->items[i], object))
            return false;
    return true;
}

/* The next "cell:count" of *text; false when it is none. */
static bool
next_cell(const char **text, int64_t before, int64_t *ret_cell, uint32_t *ret_count)
{
    char *end;
    unsigned long long cell;
    unsigned long long count;

    if (**text < '0' || **text > '9')
        return false;
    cell = strtoull(*text, &end, 10);
    if (*end != ':' || end[1] < '0' || end[1] > '9' || cell >= HISTOGRAM_CELLS ||
        (int64_t)cell <= before)
        return false;
    count = strtoull(end + 1, &end, 10);
    if (count == 0 || count > UINT32_MAX || (*end != ' ' && *end != '\0'))
        return false;
    *ret_cell = (int64_t)cell;
    *ret_count = (uint32_t)count;
    *text = *end == ' ' ? end + 1 : end;
    return true;
}

static bool
read_cells(const struct load_reading *reading, const json_t *json, const char *key,
    struct histogram *histogram)
{
    const char *text = json_string_value(json_object_get(json, "cells"));
    int64_t sum = histogram->unplaced;
    int64_t first = -1;
    int64_t cell = -1;
    uint32_t count;

    if (!text)
        return load_parse_refuse(reading, key, "has no cells");
    while (*text) {
        if (!next_cell(&text, cell, &cell, &count))
            return load_parse_refuse(reading, key, "has cells that are none");
        histogram->cells[cell] = count;
        first = first < 0 ? cell : first;
        sum += count;
    }
    if (sum != histogram->count)
        return load_parse_refuse(reading, key, "counts more or less than its cells");
    if (first >= 0 && ((size_t)first != histogram_cell(histogram->min_us) ||
                          (size_t)cell != histogram_cell(histogram->max_us)))
        return load_parse_refuse(reading, key, "has another least or most than its cells");
    return true;
}

bool
load_parse_histogram(const struct load_reading *reading, const json_t *above, const char *key,
    struct histogram **ret)
{
    const json_t *json = json_object_get(above, key);
    struct histogram *histogram = histogram_new(reading->ctx->arena);

    if (!json_is_object(json))
        return load_parse_refuse(reading, key, "is missing");
    if (!load_parse_fields(reading, json, &load_histogram_fields, histogram))
        return false;
    if (histogram->count < 0 || histogram->unplaced < 0 || histogram->min_us < 0 ||
        histogram->max_us < histogram->min_us || histogram->sum_us < 0 ||
        (histogram->count == 0 && histogram->max_us > 0))
        return load_parse_refuse(reading, key, "is out of range");
    *ret = histogram;
    return read_cells(reading, json, key, histogram);
}

bool
load_parse_outcomes(const struct load_reading *reading, const json_t *above, int64_t *ret)
{
    const json_t *json = json_object_get(above, "outcomes");

    for (size_t i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        const json_t *value = json_object_get(json, load_outcome_names[i]);

        if (!json_is_integer(value))
            return load_parse_refuse(reading, "outcomes", "does not tell all outcomes");
        if (!load_parse_number(reading, value, "outcomes", &ret[i]))
            return false;
        if (ret[i] < 0)
            return load_parse_refuse(reading, "outcomes", "is out of range");
    }
    return true;
}

bool
load_parse_sparse(const struct load_reading *reading, const json_t *json, struct load_sparse *ret)
{
    const char *text = json_string_value(json);
    size_t most;
    int64_t cell = -1;

    if (!text)
        return load_parse_refuse(reading, "slices", "is not a list of texts");
    most = *text != '\0';
    for (const char *at = text; *at; at++)
        most += *at == ' ';
    *ret = (struct load_sparse){
        .cells = ARENA_ARRAY(reading->ctx->arena, uint32_t, most),
        .counts = ARENA_ARRAY(reading->ctx->arena, uint32_t, most),
    };
    while (*text) {
        if (!next_cell(&text, cell, &cell, &ret->counts[ret->count]))
            return load_parse_refuse(reading, "slices", "has cells that are none");
        ret->cells[ret->count++] = (uint32_t)cell;
    }
    return true;
}
