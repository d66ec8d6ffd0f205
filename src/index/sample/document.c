/* Parts of JSON documents that a column really has. */
#include "base/text.h"
#include "index/sample/sample_part.h"

enum { MOST_VALUE_BYTES = 200 };

static json_t *
read_document(struct ctx *ctx, const char *document)
{
    json_t *ret = NULL;

    if (!json_parse(ctx, "a value", document, &ret))
        error_clear(ctx);
    return ret;
}

static bool
is_plain(const json_t *value)
{
    return json_is_string(value) ? json_string_length(value) <= MOST_VALUE_BYTES
                                 : json_is_number(value) || json_is_boolean(value);
}

/* A key with a text, which is what people mostly search for, or with a number; else the first of all. */
static const char *
first_key(const json_t *object, bool wants_number)
{
    const char *plain = NULL;
    const char *first = NULL;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (is_plain(value) && (wants_number ? json_is_number(value) : json_is_string(value)))
            return key;
        if (is_plain(value) && !plain)
            plain = key;
        first = first ? first : key;
    }
    return plain ? plain : first;
}

const char *
sample_json_key(struct ctx *ctx, const char *document, bool wants_number)
{
    json_t *tree CLEANUP(json_release) = read_document(ctx, document);
    const char *key = json_is_array(tree) ? json_string_value(json_array_get(tree, 0))
                                          : first_key(tree, wants_number);

    return key ? arena_strdup(ctx->arena, key) : NULL;
}

const char *
sample_json_part(struct ctx *ctx, const char *document)
{
    json_t *tree CLEANUP(json_release) = read_document(ctx, document);
    json_t *part CLEANUP(json_release) = NULL;

    if (json_is_array(tree) && json_array_size(tree) > 0) {
        part = json_array();
        json_array_append(part, json_array_get(tree, 0));
    } else if (json_is_object(tree) && json_object_size(tree) > 0) {
        const char *key = first_key(tree, false);

        part = json_object();
        json_object_set(part, key, json_object_get(tree, key));
    }
    return part ? json_text(ctx->arena, part) : NULL;
}

const char *
sample_json_at(
    struct ctx *ctx, const char *document, const struct text_list *keys, bool wants_number)
{
    json_t *tree CLEANUP(json_release) = read_document(ctx, document);
    const json_t *at = tree;

    for (size_t i = 0; at && i < keys->count; i++) {
        const char *key = keys->items[i];
        int64_t place;

        if (*key == '$')
            key = first_key(at, wants_number);
        if (json_is_array(at) && key && text_to_int64(key, &place) && place >= 0)
            at = json_array_get(at, (size_t)place);
        else
            at = key ? json_object_get(at, key) : NULL;
    }
    if (!at || json_is_null(at) || (wants_number && !json_is_number(at)))
        return NULL;
    return json_is_string(at) ? arena_strdup(ctx->arena, json_string_value(at))
                              : json_text(ctx->arena, at);
}
