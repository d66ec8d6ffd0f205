/* Takes values out of answers: headers at once, members of JSON when the whole body is there. */
#include <inttypes.h>
#include <strings.h>

#include "base/json.h"
#include "base/memory.h"
#include "load/http/http_part.h"

struct load_taking {
    struct load_answer_sink sink; /* first: a sink is cast to its taking */
    const struct load_answer_reader *reader;
    const struct load_step *step;
    struct load_scope *scope;
    char *body;
    size_t length;
    size_t capacity;
    bool wants_body;
    bool is_too_large;
    bool has[]; /* by take */
};

enum load_outcome
load_http_outcome(const struct load_step *step, int status)
{
    for (size_t i = 0; i < step->expected_count; i++) {
        if (step->expected[i] == status)
            return LOAD_GOOD;
    }
    if (status == 429 || status == 503)
        return LOAD_REFUSED;
    return !step->expected && status >= 200 && status < 400 ? LOAD_GOOD : LOAD_FAILED;
}

static bool
is_wanted(const struct load_taking *taking)
{
    return load_http_outcome(taking->step, taking->reader->status) == LOAD_GOOD;
}

static void
take_header(struct load_answer_sink *sink, const char *name, size_t name_length, const char *value,
    size_t length)
{
    struct load_taking *taking = (struct load_taking *)sink;

    for (size_t i = 0; i < taking->step->take_count; i++) {
        const struct load_take *take = &taking->step->takes[i];

        /* Of a header that comes more than once the first one counts. */
        if (!take->header || taking->has[i] || strlen(take->header) != name_length ||
            strncasecmp(take->header, name, name_length) != 0 || !is_wanted(taking))
            continue;
        taking->has[i] = true;
        load_scope_take(taking->scope, take->slot, value, length);
    }
}

static void
take_body(struct load_answer_sink *sink, const char *data, size_t length)
{
    struct load_taking *taking = (struct load_taking *)sink;
    size_t capacity = taking->capacity ? taking->capacity : 4096;

    if (!taking->wants_body || taking->is_too_large || !is_wanted(taking))
        return;
    if (length > LOAD_MOST_TAKEN - taking->length) {
        taking->is_too_large = true;
        return;
    }
    while (capacity < taking->length + length)
        capacity *= 2;
    if (capacity > taking->capacity) {
        taking->body = realloc(taking->body, capacity);
        if (!taking->body)
            memory_exhausted(0);
        taking->capacity = capacity;
    }
    memcpy(taking->body + taking->length, data, length);
    taking->length += length;
}

struct load_taking *
load_taking_begin(
    struct load_answer_reader *reader, const struct load_step *step, struct load_scope *scope)
{
    struct load_taking *taking;

    if (step->take_count == 0)
        return NULL;
    taking = calloc(1, sizeof(*taking) + step->take_count * sizeof(taking->has[0]));
    if (!taking)
        memory_exhausted(0);
    taking->sink = (struct load_answer_sink){ take_header, take_body };
    taking->reader = reader;
    taking->step = step;
    taking->scope = scope;
    for (size_t i = 0; i < step->take_count; i++)
        taking->wants_body = taking->wants_body || !step->takes[i].header;
    reader->sink = &taking->sink;
    return taking;
}

void
load_taking_free(struct load_taking *taking)
{
    if (!taking)
        return;
    free(taking->body);
    free(taking);
}

/* "items.0.id" */
static const json_t *
find(const json_t *json, const char *path)
{
    while (json && *path) {
        size_t length = strcspn(path, ".");

        if (json_is_array(json)) {
            if (length == 0 || length > 9 || strspn(path, "0123456789") != length)
                return NULL;
            json = json_array_get(json, (size_t)strtoul(path, NULL, 10));
        } else {
            json = json_object_getn(json, path, length);
        }
        path += length + (path[length] == '.');
    }
    return json;
}

/* False for null: it is no value that a request could be made of. */
static bool
take_json(struct load_taking *taking, size_t slot, const json_t *json)
{
    char *text;

    if (!json || json_is_null(json))
        return false;
    if (json_is_string(json)) {
        load_scope_take(taking->scope, slot, json_string_value(json), json_string_length(json));
        return true;
    }
    text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        return false;
    load_scope_take(taking->scope, slot, text, strlen(text));
    free(text);
    return true;
}

static const char *
missing(const struct load_taking *taking, const struct load_take *take, struct arena *arena)
{
    if (take->header)
        return arena_printf(arena, "the answer has no header \"%s\"", take->header);
    if (taking->is_too_large)
        return arena_printf(arena, "the answer is larger than %d kB: \"%s\" was not taken",
            LOAD_MOST_TAKEN >> 10, take->path);
    return arena_printf(arena, "the answer has no \"%s\"", take->path);
}

const char *
load_taking_end(struct load_taking *taking, struct arena *arena)
{
    const char *message = NULL;
    json_t *json CLEANUP(json_release) = NULL;

    if (taking->wants_body && !taking->is_too_large && taking->length > 0)
        json = json_loadb(taking->body, taking->length, JSON_DECODE_ANY, NULL);
    if (taking->wants_body && !taking->is_too_large && !json)
        message = "the answer is not JSON: nothing was taken of it";
    for (size_t i = 0; i < taking->step->take_count; i++) {
        const struct load_take *take = &taking->step->takes[i];

        if (!take->header && json)
            taking->has[i] = take_json(taking, take->slot, find(json, take->path));
        if (!taking->has[i] && !message)
            message = missing(taking, take, arena);
    }
    return message;
}
