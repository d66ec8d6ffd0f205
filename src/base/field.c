#include "base/field.h"

#include <assert.h>
#include <inttypes.h>

static bool
is_choice(const struct field *field, const char *text)
{
    for (size_t i = 0; field->choices[i]; i++)
        if (strcmp(field->choices[i], text) == 0)
            return true;
    return false;
}

static bool
refuse(struct ctx *ctx, const struct field *field, const char *text, const char *wanted)
{
    if (field->secret)
        return error_set(ctx, ERR_INPUT, "invalid value for %s: expected %s", field->name, wanted);
    return error_set(
        ctx, ERR_INPUT, "invalid value for %s: \"%s\" (expected %s)", field->name, text, wanted);
}

static bool
parse_bool(const char *text, bool *ret)
{
    static const char *const words[][2] = {
        { "true", "false" },
        { "on", "off" },
        { "yes", "no" },
        { "1", "0" },
        { "t", "f" },
    };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        for (int j = 0; j < 2; j++) {
            if (strcasecmp(text, words[i][j]) != 0)
                continue;
            *ret = j == 0;
            return true;
        }
    }
    return false;
}

static bool
parse_int64(const struct field *field, const char *text, int64_t *ret)
{
    switch (field->unit) {
    case UNIT_BYTES:
        return text_to_bytes(text, ret);
    case UNIT_US:
        return text_to_us(text, ret);
    case UNIT_NONE:
        break;
    }
    return text_to_int64(text, ret);
}

static const char *
wanted(const struct field *field)
{
    switch (field->unit) {
    case UNIT_BYTES:
        return "a size such as 64MB";
    case UNIT_US:
        return "a time such as 250ms, 30s, 5m or 1h";
    case UNIT_NONE:
        break;
    }
    switch (field->type) {
    case FIELD_BOOL:
        return "on or off";
    case FIELD_DOUBLE:
        return "a number";
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_UINT32:
        return "a whole number in range";
    case FIELD_TEXT:
    case FIELD_TEXT_LIST:
        break;
    }
    return "a text";
}

/* Whole numbers of 64 bits or fewer. */
static bool
parse_integer(const struct field *field, const char *text, void *member)
{
    int64_t number;

    if (!parse_int64(field, text, &number))
        return false;
    if (field->type == FIELD_INT32) {
        if (number < INT32_MIN || number > INT32_MAX)
            return false;
        *(int32_t *)member = (int32_t)number;
    } else if (field->type == FIELD_UINT32) {
        if (number < 0 || number > UINT32_MAX)
            return false;
        *(uint32_t *)member = (uint32_t)number;
    } else {
        *(int64_t *)member = number;
    }
    return true;
}

bool
field_parse(struct ctx *ctx, const struct field *field, const char *text, void *object)
{
    void *member = (char *)object + field->offset;
    bool is_good = true;

    if (field->choices && !is_choice(field, text)) {
        struct text_list names = { 0 };

        for (size_t i = 0; field->choices[i]; i++)
            text_list_add(ctx->arena, &names, field->choices[i]);
        return refuse(ctx, field, text, text_list_join(ctx->arena, &names, ", "));
    }
    switch (field->type) {
    case FIELD_BOOL:
        is_good = parse_bool(text, member);
        break;
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_UINT32:
        is_good = parse_integer(field, text, member);
        break;
    case FIELD_DOUBLE:
        is_good = text_to_double(text, member);
        break;
    case FIELD_TEXT:
        *(const char **)member = arena_strdup(ctx->arena, text);
        break;
    case FIELD_TEXT_LIST:
        text_list_add(ctx->arena, member, arena_strdup(ctx->arena, text));
        break;
    }
    if (!is_good)
        return refuse(ctx, field, text, wanted(field));
    return true;
}

void
field_set_defaults(struct ctx *ctx, const struct field *fields, size_t count, void *object)
{
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].standard)
            continue;

        bool is_good = field_parse(ctx, &fields[i], fields[i].standard, object);

        assert(is_good);
        (void)is_good;
    }
}

const char *
field_text(struct arena *arena, const struct field *field, const void *object)
{
    const void *member = (const char *)object + field->offset;

    switch (field->type) {
    case FIELD_BOOL:
        return *(const bool *)member ? "true" : "false";
    case FIELD_INT32:
        return arena_printf(arena, "%" PRId32, *(const int32_t *)member);
    case FIELD_INT64:
        return arena_printf(arena, "%" PRId64, *(const int64_t *)member);
    case FIELD_UINT32:
        return arena_printf(arena, "%" PRIu32, *(const uint32_t *)member);
    case FIELD_DOUBLE:
        return arena_printf(arena, "%.17g", *(const double *)member);
    case FIELD_TEXT:
        return *(const char *const *)member;
    case FIELD_TEXT_LIST:
        return text_list_join(arena, member, ",");
    }
    return NULL;
}

const char *
field_show(struct arena *arena, const struct field *field, const void *object)
{
    const void *member = (const char *)object + field->offset;
    const char *text;

    if (field->type == FIELD_INT64 && field->unit == UNIT_BYTES)
        return text_from_bytes(arena, *(const int64_t *)member);
    if (field->type == FIELD_INT64 && field->unit == UNIT_US)
        return text_from_us(arena, *(const int64_t *)member);
    if (field->type == FIELD_INT64 || field->type == FIELD_INT32) {
        int64_t number =
            field->type == FIELD_INT32 ? *(const int32_t *)member : *(const int64_t *)member;

        return text_from_count(arena, number);
    }
    if (field->type == FIELD_BOOL)
        return *(const bool *)member ? "yes" : "no";
    if (field->type == FIELD_DOUBLE)
        return arena_printf(arena, "%.3g", *(const double *)member);
    text = field_text(arena, field, object);
    return text ? text : "";
}
