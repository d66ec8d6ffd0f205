/* What a database holds, in the manifest. */
#include "staging/content.h"

static const struct field table_fields[] = {
    FIELD(struct content_table, schema),
    FIELD(struct content_table, name),
    FIELD(struct content_table, rows),
    FIELD(struct content_table, checksum),
};

static const struct field sequence_fields[] = {
    FIELD(struct content_sequence, schema),
    FIELD(struct content_sequence, name),
    FIELD(struct content_sequence, increment),
    FIELD(struct content_sequence, can_cycle),
    FIELD(struct content_sequence, first_value),
    FIELD(struct content_sequence, first_called),
    FIELD(struct content_sequence, last_value),
    FIELD(struct content_sequence, last_called),
};

static const struct field object_fields[] = {
    FIELD(struct content_object, kind),
    FIELD(struct content_object, name),
    FIELD(struct content_object, definition),
};

static json_t *
rows_to_json(const struct field *fields, size_t field_count, const void *items, size_t count,
    size_t item_size)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, json_from_fields(fields, field_count, (const char *)items + i * item_size));
    return array;
}

static json_t *
list_to_json(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

json_t *
content_to_json(const struct content *content)
{
    json_t *json = json_object();

    json_object_set_new(json, "tables",
        rows_to_json(table_fields, COUNT_OF(table_fields), content->tables.items,
            content->tables.count, sizeof(struct content_table)));
    json_object_set_new(json, "sequences",
        rows_to_json(sequence_fields, COUNT_OF(sequence_fields), content->sequences.items,
            content->sequences.count, sizeof(struct content_sequence)));
    json_object_set_new(json, "objects",
        rows_to_json(object_fields, COUNT_OF(object_fields), content->objects.items,
            content->objects.count, sizeof(struct content_object)));
    json_object_set_new(json, "roles", list_to_json(&content->roles));
    json_object_set_new(json, "alembic_version", list_to_json(&content->alembic));
    json_object_set_new(json, "large_objects", json_integer(content->large_objects));
    json_object_set_new(json, "large_object_sum",
        content->large_object_sum ? json_string(content->large_object_sum) : json_null());
    return json;
}

static bool
read_field(struct arena *arena, const json_t *value, const struct field *field, void *member)
{
    bool is_whole = json_is_integer(value);

    switch (field->type) {
    case FIELD_BOOL:
        *(bool *)member = json_is_true(value);
        return json_is_boolean(value);
    case FIELD_INT32:
        *(int32_t *)member = (int32_t)json_integer_value(value);
        return is_whole;
    case FIELD_UINT32:
        *(uint32_t *)member = (uint32_t)json_integer_value(value);
        return is_whole;
    case FIELD_INT64:
        *(int64_t *)member = json_integer_value(value);
        return is_whole;
    case FIELD_TEXT:
        *(const char **)member =
            json_is_string(value) ? arena_strdup(arena, json_string_value(value)) : NULL;
        return json_is_string(value) || json_is_null(value);
    case FIELD_DOUBLE:
    case FIELD_TEXT_LIST:
        break;
    }
    return false;
}

bool
content_read_fields(
    struct ctx *ctx, const json_t *json, const struct field *fields, size_t count, void *object)
{
    for (size_t i = 0; i < count; i++)
        if (!read_field(ctx->arena, json_object_get(json, fields[i].name), &fields[i],
                (char *)object + fields[i].offset))
            return error_set(
                ctx, ERR_INPUT, "\"%s\" is missing or has a wrong type", fields[i].name);
    return true;
}

static bool
list_from_json(struct ctx *ctx, const json_t *json, const char *key, struct text_list *ret)
{
    const json_t *array = json_object_get(json, key);

    if (!json_is_array(array))
        return error_set(ctx, ERR_INPUT, "\"%s\" is missing", key);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));

        if (!text)
            return error_set(ctx, ERR_INPUT, "\"%s\" holds what is no text", key);
        text_list_add(ctx->arena, ret, arena_strdup(ctx->arena, text));
    }
    return true;
}

static bool
tables_from_json(struct ctx *ctx, const json_t *json, struct content *ret)
{
    const json_t *array = json_object_get(json, "tables");

    for (size_t i = 0; i < json_array_size(array); i++) {
        struct content_table table = { 0 };

        if (!content_read_fields(
                ctx, json_array_get(array, i), table_fields, COUNT_OF(table_fields), &table) ||
            !table.schema || !table.name)
            return error_wrap(ctx, "table %zu", i + 1);
        VEC_PUSH(ctx->arena, &ret->tables, table);
    }
    return json_is_array(array) || error_set(ctx, ERR_INPUT, "\"tables\" is missing");
}

static bool
sequences_from_json(struct ctx *ctx, const json_t *json, struct content *ret)
{
    const json_t *array = json_object_get(json, "sequences");

    for (size_t i = 0; i < json_array_size(array); i++) {
        struct content_sequence sequence = { 0 };

        if (!content_read_fields(ctx, json_array_get(array, i), sequence_fields,
                COUNT_OF(sequence_fields), &sequence) ||
            !sequence.schema || !sequence.name)
            return error_wrap(ctx, "sequence %zu", i + 1);
        VEC_PUSH(ctx->arena, &ret->sequences, sequence);
    }
    return json_is_array(array) || error_set(ctx, ERR_INPUT, "\"sequences\" is missing");
}

static bool
objects_from_json(struct ctx *ctx, const json_t *json, struct content *ret)
{
    const json_t *array = json_object_get(json, "objects");

    for (size_t i = 0; i < json_array_size(array); i++) {
        struct content_object object = { 0 };

        if (!content_read_fields(
                ctx, json_array_get(array, i), object_fields, COUNT_OF(object_fields), &object) ||
            !object.kind || !object.name || !object.definition)
            return error_wrap(ctx, "object %zu", i + 1);
        VEC_PUSH(ctx->arena, &ret->objects, object);
    }
    return json_is_array(array) || error_set(ctx, ERR_INPUT, "\"objects\" is missing");
}

bool
content_from_json(struct ctx *ctx, const json_t *json, struct content *ret)
{
    *ret = (struct content){ 0 };
    ret->large_objects = json_get_int(json, "large_objects", 0);
    ret->large_object_sum = json_get_text(ctx->arena, json, "large_object_sum", NULL);
    return tables_from_json(ctx, json, ret) && sequences_from_json(ctx, json, ret) &&
           objects_from_json(ctx, json, ret) && list_from_json(ctx, json, "roles", &ret->roles) &&
           list_from_json(ctx, json, "alembic_version", &ret->alembic);
}
