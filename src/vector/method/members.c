#include "vector/method/members.h"

static bool
is_of_type(const struct field *field, const json_t *member)
{
    switch (field->type) {
    case FIELD_BOOL:
        return json_is_boolean(member);
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_UINT32:
        return json_is_integer(member);
    case FIELD_DOUBLE:
        return json_is_number(member);
    case FIELD_TEXT:
        return json_is_string(member);
    case FIELD_TEXT_LIST:
        break;
    }
    return false;
}

static bool
fits(const struct field *field, json_int_t number)
{
    if (field->type == FIELD_INT32)
        return number >= 0 && number <= INT32_MAX;
    if (field->type == FIELD_UINT32)
        return number >= 0 && number <= UINT32_MAX;
    return number >= 0;
}

static void
set(struct ctx *ctx, const struct field *field, const json_t *member, void *object)
{
    void *place = (char *)object + field->offset;

    switch (field->type) {
    case FIELD_BOOL:
        *(bool *)place = json_is_true(member);
        break;
    case FIELD_INT32:
        *(int32_t *)place = (int32_t)json_integer_value(member);
        break;
    case FIELD_INT64:
        *(int64_t *)place = json_integer_value(member);
        break;
    case FIELD_UINT32:
        *(uint32_t *)place = (uint32_t)json_integer_value(member);
        break;
    case FIELD_DOUBLE:
        *(double *)place = json_number_value(member);
        break;
    case FIELD_TEXT:
        *(const char **)place = arena_strdup(ctx->arena, json_string_value(member));
        break;
    case FIELD_TEXT_LIST:
        break;
    }
}

bool
members_read(
    struct ctx *ctx, const struct field *fields, size_t count, const json_t *json, void *object)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *member = json_object_get(json, fields[i].name);

        if (!member || json_is_null(member))
            continue;
        if (!is_of_type(&fields[i], member))
            return error_set(ctx, ERR_INPUT, "\"%s\" is of the wrong type", fields[i].name);
        if (json_is_integer(member) && fields[i].type != FIELD_DOUBLE &&
            !fits(&fields[i], json_integer_value(member)))
            return error_set(ctx, ERR_INPUT, "\"%s\" is out of range: %" JSON_INTEGER_FORMAT,
                fields[i].name, json_integer_value(member));
        set(ctx, &fields[i], member, object);
    }
    return true;
}
