/* A schema as a file, and as a digest. */
#include <endian.h>

#include "base/crypto.h"
#include "catalog/schema_rows.h"

enum { FILE_VERSION = 1 };

/* NULL if a text is not UTF-8 (a SQL_ASCII database). What is NULL is left out. */
static json_t *
object_of(const struct query *query, const void *item)
{
    json_t *object = json_object();

    for (size_t i = 0; i < query->column_count; i++) {
        const struct field *field = &query->columns[i];
        const char *member = (const char *)item + field->offset;
        json_t *value = NULL;

        if (field->type == FIELD_BOOL) {
            value = json_boolean(*(const bool *)member);
        } else if (field->type == FIELD_INT32) {
            int32_t number;

            memcpy(&number, member, sizeof(number));
            value = json_integer(number);
        } else {
            const char *text = schema_text(query, item, field->name);

            if (!text)
                continue;
            value = json_string(text);
        }
        if (!value || json_object_set_new(object, field->name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static bool
add_rows(json_t *document, const char *name, const struct query *query, struct rows rows)
{
    json_t *array = json_array();

    json_object_set_new(document, name, array);
    for (size_t i = 0; i < rows.count; i++) {
        json_t *object = object_of(query, (const char *)rows.items + i * query->row_size);

        if (!object || json_array_append_new(array, object) != 0)
            return false;
    }
    return true;
}

json_t *
schema_to_json(const struct schema *schema)
{
    json_t *document = json_object();
    struct rows dependencies = { schema->dependencies.items, schema->dependencies.count };
    bool is_good = add_rows(document, "dependencies", &query_schema_dependencies, dependencies);

    for (size_t i = 0; i < SCHEMA_CLASS_COUNT && is_good; i++)
        is_good = add_rows(document, schema_classes[i].name, schema_classes[i].query,
            schema_rows(schema, (enum schema_class)i));
    json_object_set_new(document, "schema_version", json_integer(FILE_VERSION));
    json_object_set_new(document, "server_major", json_integer(schema->server_major));
    if (!is_good || json_object_set_new(document, "database", json_string(schema->database)) != 0 ||
        json_object_set_new(document, "server_version", json_string(schema->server_version)) != 0) {
        json_decref(document);
        return NULL;
    }
    return document;
}

static bool
take_member(struct ctx *ctx, const struct field *field, const json_t *value, void *item)
{
    char *member = (char *)item + field->offset;

    if (field->type == FIELD_BOOL && json_is_boolean(value)) {
        *(bool *)member = json_is_true(value);
    } else if (field->type == FIELD_INT32 && json_is_integer(value)) {
        int32_t number = (int32_t)json_integer_value(value);

        if (number != json_integer_value(value))
            return error_set(ctx, ERR_INPUT, "\"%s\" is too large", field->name);
        memcpy(member, &number, sizeof(number));
    } else if (field->type == FIELD_TEXT && json_is_string(value)) {
        const char *text = arena_strdup(ctx->arena, json_string_value(value));

        memcpy(member, &text, sizeof(text));
    } else if (value && !json_is_null(value)) {
        return error_set(ctx, ERR_INPUT, "\"%s\" is of another type", field->name);
    } else if (field->required) {
        return error_set(ctx, ERR_INPUT, "\"%s\" is missing", field->name);
    }
    return true;
}

static bool
take_object(struct ctx *ctx, const struct query *query, const json_t *object, void *item)
{
    if (!json_is_object(object))
        return error_set(ctx, ERR_INPUT, "is not an object");
    for (size_t i = 0; i < query->column_count; i++)
        if (!take_member(
                ctx, &query->columns[i], json_object_get(object, query->columns[i].name), item))
            return false;
    return true;
}

static bool
take_rows(struct ctx *ctx, const json_t *document, const char *name, const struct query *query,
    struct rows *ret)
{
    const json_t *array = json_object_get(document, name);

    if (!json_is_array(array))
        return error_set(ctx, ERR_INPUT, "\"%s\" is not a list", name);

    size_t count = json_array_size(array);
    char *items = arena_alloc(ctx->arena, query->row_size * count);

    for (size_t i = 0; i < count; i++)
        if (!take_object(ctx, query, json_array_get(array, i), items + i * query->row_size))
            return error_wrap(ctx, "%s[%zu]", name, i);
    ret->items = items;
    ret->count = count;
    return true;
}

static bool
take_class(struct ctx *ctx, const json_t *document, enum schema_class class, struct schema *schema)
{
    const struct schema_class_info *info = &schema_classes[class];
    struct rows rows;
    const void *twice;

    if (!take_rows(ctx, document, info->name, info->query, &rows))
        return false;
    schema_set_rows(schema, class, rows);
    if (!schema_sort(schema, class, &twice))
        return error_set(ctx, ERR_INPUT, "%s %s is there twice", info->word,
            schema_identity(ctx->arena, class, twice));
    return true;
}

static bool
take_document(struct ctx *ctx, const json_t *json, struct schema *schema)
{
    int64_t version = json_get_int(json, "schema_version", 0);
    struct rows rows;

    if (!json_is_object(json) || version < 1)
        return error_set(ctx, ERR_INPUT, "is not a snapshot of a schema");
    if (version > FILE_VERSION)
        return error_set(ctx, ERR_INPUT, "its version is %lld, newer than this pgmend knows (%d)",
            (long long)version, FILE_VERSION);
    schema->database = json_get_text(ctx->arena, json, "database", "");
    schema->server_version = json_get_text(ctx->arena, json, "server_version", "");
    schema->server_major = (int)json_get_int(json, "server_major", 0);
    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        if (!take_class(ctx, json, (enum schema_class)i, schema))
            return false;
    if (!take_rows(ctx, json, "dependencies", &query_schema_dependencies, &rows))
        return false;
    schema->dependencies = (struct sql_schema_dependencies_rows){ rows.items, rows.count };
    return true;
}

bool
schema_from_json(struct ctx *ctx, const json_t *json, struct schema *ret)
{
    *ret = (struct schema){ .database = NULL };
    if (take_document(ctx, json, ret))
        return true;
    error_wrap(ctx, "snapshot of a schema");
    return error_hint(ctx, "Such a file is made by pgmend schema snapshot.");
}

/* Each text with its length in front, so that no two schemas give the same bytes. */
static void
add_item(struct buffer *buffer, const struct query *query, const char *item)
{
    for (size_t i = 0; i < query->column_count; i++) {
        const struct field *field = &query->columns[i];
        const char *text = NULL;

        if (field->type == FIELD_BOOL) {
            buffer_append(buffer, *(const bool *)(item + field->offset) ? "t" : "f", 1);
            continue;
        }
        if (field->type == FIELD_TEXT)
            memcpy(&text, item + field->offset, sizeof(text));
        else
            text = field_text(buffer->arena, field, item);

        uint64_t length = htole64(text ? strlen(text) : UINT64_MAX);

        buffer_append(buffer, &length, sizeof(length));
        if (text)
            buffer_append(buffer, text, strlen(text));
    }
}

const char *
schema_digest(struct arena *arena, const struct schema *schema)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct buffer buffer = { .arena = scratch };

    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++) {
        const struct schema_class_info *info = &schema_classes[i];
        struct rows rows = schema_rows(schema, (enum schema_class)i);

        buffer_printf(&buffer, "%s %zu\n", info->name, rows.count);
        for (size_t row = 0; row < rows.count; row++)
            add_item(&buffer, info->query, (const char *)rows.items + row * info->query->row_size);
    }
    return sha256_of(arena, buffer_text(&buffer), buffer.length);
}
