#include "base/json.h"

#include <math.h>

#include "base/file.h"
#include "base/memory.h"

void
json_guard_memory(void)
{
    json_set_alloc_funcs(memory_alloc, free);
}

json_t *
json_number(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

void
json_release(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

static json_t *
text_or_null(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();

    /* Text that is not UTF-8 (a SQL_ASCII database) must not lose the whole document. */
    return json ? json : json_string("(not UTF-8)");
}

static json_t *
list_of(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, text_or_null(list->items[i]));
    return array;
}

static json_t *
value_of(const struct field *field, const void *member)
{
    switch (field->type) {
    case FIELD_BOOL:
        return json_boolean(*(const bool *)member);
    case FIELD_INT32:
        return json_integer(*(const int32_t *)member);
    case FIELD_INT64:
        return json_integer(*(const int64_t *)member);
    case FIELD_UINT32:
        return json_integer(*(const uint32_t *)member);
    case FIELD_DOUBLE:
        /* JSON has no NaN and no infinity; jansson would leave out the member. */
        return json_number(*(const double *)member);
    case FIELD_TEXT:
        return text_or_null(*(const char *const *)member);
    case FIELD_TEXT_LIST:
        return list_of(member);
    }
    return json_null();
}

json_t *
json_from_fields(const struct field *fields, size_t count, const void *object)
{
    json_t *json = json_object();

    for (size_t i = 0; i < count; i++) {
        const void *member = (const char *)object + fields[i].offset;

        if (!fields[i].secret)
            json_object_set_new(json, fields[i].name, value_of(&fields[i], member));
    }
    return json;
}

bool
json_parse(struct ctx *ctx, const char *name, const char *text, json_t **ret)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

    if (!json)
        return error_set(
            ctx, ERR_INPUT, "%s:%d:%d: %s", name, error.line, error.column, error.text);
    *ret = json;
    return true;
}

bool
json_read_file(struct ctx *ctx, const char *path, json_t **ret)
{
    const char *text;
    size_t length;

    if (!file_read(ctx, path, &text, &length))
        return false;
    if (strlen(text) != length)
        return error_set(ctx, ERR_INPUT, "%s: is not JSON: it holds a NUL byte", path);
    return json_parse(ctx, path, text, ret);
}

bool
json_write_file(struct ctx *ctx, const char *path, const json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    if (!text)
        return error_set(ctx, ERR_FAILED, "could not write JSON to \"%s\"", path);

    const char *line = arena_printf(ctx->arena, "%s\n", text);

    free(text);
    return file_write(ctx, path, line, strlen(line), 0600);
}

const char *
json_text(struct arena *arena, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    const char *copy = arena_strdup(arena, text ? text : "null");

    free(text);
    return copy;
}

const char *
json_get_text(struct arena *arena, const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? arena_strdup(arena, text) : otherwise;
}

int64_t
json_get_int(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

double
json_get_double(const json_t *object, const char *key, double otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : otherwise;
}

bool
json_get_bool(const json_t *object, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}
