#include <float.h>
#include <math.h>

#include "base/file.h"
#include "base/map.h"
#include "vector/judge/judge.h"

/* Gains are 2^grade - 1: beyond this one row would outweigh every other. */
static const double most_grade = 30;

static const char example[] =
    "{\"query\": \"how do I pay\", \"tenant\": 42, \"relevant\": {\"17\": 2, \"12\": 1}}";

struct reader {
    struct ctx *ctx;
    const char *path;
    const struct vector_target *target;
    size_t line;
};

#define line_error(reader, ...) \
    line_error_text((reader), arena_printf((reader)->ctx->arena, __VA_ARGS__))

static bool
line_error_text(struct reader *reader, const char *text)
{
    return error_set(reader->ctx, ERR_INPUT, "%s:%zu: %s", reader->path, reader->line, text);
}

static const char *
kind_of(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a truth value";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

/* A key or a tenant: text or whole number. NULL for anything else. */
static const char *
text_of(struct arena *arena, const json_t *json)
{
    if (json_is_string(json))
        return json_string_value(json);
    if (json_is_integer(json))
        return arena_printf(arena, "%lld", (long long)json_integer_value(json));
    return NULL;
}

static bool
read_text(struct reader *reader, const json_t *json, struct judged_query *ret)
{
    if (!json || json_is_null(json))
        return true;
    if (!json_is_string(json))
        return line_error(reader, "\"query\" is %s, not a text", kind_of(json));
    /* Text of blanks asks nothing. */
    if (json_string_value(json)[strspn(json_string_value(json), " \t\r\n")] != '\0')
        ret->text = arena_strdup(reader->ctx->arena, json_string_value(json));
    return true;
}

/* ---- embedding ---- */

static bool
check_length(struct reader *reader, size_t count)
{
    int32_t dims = reader->target->dims;

    if (count == 0)
        return line_error(reader, "\"embedding\" is empty");
    if (dims > 0 && count != (size_t)dims) {
        line_error(reader, "\"embedding\" has %zu dimensions, column %s.%s has %d", count,
            reader->target->table, reader->target->column, (int)dims);
        return error_hint(
            reader->ctx, "Embed the questions by the same model as the rows of the table.");
    }
    return true;
}

static bool
read_embedding(struct reader *reader, const json_t *json, struct judged_query *ret)
{
    double most = text_equal(reader->target->type, "halfvec") ? 65504.0 : (double)FLT_MAX;
    struct buffer text = { .arena = reader->ctx->arena };
    double sum = 0;

    if (!json || json_is_null(json))
        return true;
    if (!json_is_array(json))
        return line_error(reader, "\"embedding\" is %s, not an array of numbers", kind_of(json));
    if (!check_length(reader, json_array_size(json)))
        return false;
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *item = json_array_get(json, i);
        double number = json_number_value(item);

        if (!json_is_number(item))
            return line_error(
                reader, "dimension %zu of \"embedding\" is %s, not a number", i + 1, kind_of(item));
        if (!isfinite(number) || fabs(number) > most)
            return line_error(reader, "dimension %zu of \"embedding\" is out of the range of %s",
                i + 1, reader->target->type ? reader->target->type : "vector");
        sum += fabs((double)(float)number);
        buffer_printf(&text, "%s%.9g", i == 0 ? "[" : ",", (double)(float)number);
    }
    if (!(sum > 0) && reader->target->metric == METRIC_COSINE)
        return line_error(
            reader, "\"embedding\" has length zero: it has no direction, so no cosine");
    buffer_add(&text, "]");
    ret->values = buffer_text(&text);
    return true;
}

/* ---- tenant ---- */

static bool
read_tenant(struct reader *reader, const json_t *json, struct judged_query *ret)
{
    const char *column = reader->target->tenant;
    bool is_given = json && !json_is_null(json);

    if (is_given && text_is_empty(column)) {
        line_error(reader, "has a \"tenant\", but the searches of table %s have none",
            reader->target->table);
        return error_hint(
            reader->ctx, "Say by --tenant COLUMN what they filter by, or leave \"tenant\" out.");
    }
    if (!is_given && !text_is_empty(column)) {
        line_error(reader, "has no \"tenant\", but the searches filter by %s", column);
        return error_hint(
            reader->ctx, "Name the value of %s that the question is asked for.", column);
    }
    if (!is_given)
        return true;
    ret->tenant = text_of(reader->ctx->arena, json);
    if (!ret->tenant)
        return line_error(reader, "\"tenant\" is %s, not a text or a whole number", kind_of(json));
    ret->tenant = arena_strdup(reader->ctx->arena, ret->tenant);
    return true;
}

/* ---- relevant ---- */

static void
add_relevant(struct reader *reader, const char *key, double grade, struct judged_query *ret)
{
    text_list_add(reader->ctx->arena, &ret->keys, arena_strdup(reader->ctx->arena, key));
    VEC_PUSH(reader->ctx->arena, &ret->grades, grade);
}

static bool
read_grades(struct reader *reader, json_t *json, struct judged_query *ret)
{
    const char *key;
    json_t *item;

    json_object_foreach(json, key, item)
    {
        double grade = json_number_value(item);

        if (!json_is_number(item))
            return line_error(
                reader, "the grade of \"%s\" is %s, not a number", key, kind_of(item));
        if (!(grade >= 0 && grade <= most_grade))
            return line_error(reader, "the grade of \"%s\" is %.6g: it must be from 0 to %.0f", key,
                grade, most_grade);
        /* 0: somebody looked and found it not relevant, as rows that nobody looked at. */
        if (grade > 0)
            add_relevant(reader, key, grade, ret);
    }
    return true;
}

static bool
read_keys(struct reader *reader, const json_t *json, struct judged_query *ret)
{
    struct map seen = { .arena = reader->ctx->arena };

    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *item = json_array_get(json, i);
        const char *key = text_of(reader->ctx->arena, item);

        if (!key)
            return line_error(reader, "\"relevant\" holds %s, not keys of rows", kind_of(item));
        if (map_get(&seen, key))
            return line_error(reader, "\"relevant\" names \"%s\" twice", key);
        map_set(&seen, key, reader);
        add_relevant(reader, key, 1, ret);
    }
    return true;
}

static bool
read_relevant(struct reader *reader, json_t *json, struct judged_query *ret)
{
    bool is_good = false;

    if (json_is_object(json))
        is_good = read_grades(reader, json, ret);
    else if (json_is_array(json))
        is_good = read_keys(reader, json, ret);
    else
        return line_error(reader,
            "\"relevant\" is %s: it must be an object of keys and grades, "
            "or an array of keys",
            json ? kind_of(json) : "missing");
    if (!is_good)
        return false;
    if (ret->keys.count == 0)
        return line_error(reader, "names no relevant row: the question cannot be scored");
    return true;
}

/* ---- lines ---- */

static bool
check_members(struct reader *reader, json_t *json)
{
    static const char *const known[] = { "id", "query", "embedding", "tenant", "relevant" };
    const char *name;
    json_t *item;

    json_object_foreach(json, name, item)
    {
        bool is_known = false;

        for (size_t i = 0; i < COUNT_OF(known); i++)
            is_known = is_known || text_equal(name, known[i]);
        if (!is_known) {
            line_error(reader, "has a member \"%s\" that is not known", name);
            return error_hint(
                reader->ctx, "Known are id, query, embedding, tenant and relevant: %s", example);
        }
    }
    return true;
}

static bool
read_question(struct reader *reader, json_t *json, struct judged_query *ret)
{
    if (!json_is_object(json)) {
        line_error(reader, "is %s, not an object", kind_of(json));
        return error_hint(reader->ctx, "The file holds one JSON object a line: %s", example);
    }
    ret->line = reader->line;
    if (!check_members(reader, json) || !read_text(reader, json_object_get(json, "query"), ret) ||
        !read_embedding(reader, json_object_get(json, "embedding"), ret) ||
        !read_tenant(reader, json_object_get(json, "tenant"), ret) ||
        !read_relevant(reader, json_object_get(json, "relevant"), ret))
        return false;
    if (!ret->text && !ret->values)
        return line_error(reader, "asks nothing: it has neither \"query\" nor \"embedding\"");
    return true;
}

static bool
read_line(struct reader *reader, const char *text, size_t length, struct judged_queries *ret)
{
    json_error_t wrong;
    json_t *json CLEANUP(json_release) = NULL;
    struct judged_query query = { 0 };

    json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &wrong);
    if (!json) {
        error_set(reader->ctx, ERR_INPUT, "%s:%zu:%d: is not JSON: %s", reader->path, reader->line,
            wrong.column, wrong.text);
        return error_hint(reader->ctx, "The file holds one JSON object a line: %s", example);
    }
    if (!read_question(reader, json, &query))
        return false;
    VEC_PUSH(reader->ctx->arena, ret, query);
    return true;
}

static bool
is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

bool
judged_parse(struct ctx *ctx, const char *name, const char *text, size_t length,
    const struct vector_target *target, struct judged_queries *ret)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct reader reader = { .ctx = ctx, .path = name, .target = target };
    const char *end = text + length;

    *ret = (struct judged_queries){ 0 };
    if (text_starts_with(text, byte_order_mark))
        text += sizeof(byte_order_mark) - 1;
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t size = (size_t)((stop ? stop : end) - text);

        reader.line++;
        if (!is_blank(text, size) && !read_line(&reader, text, size, ret))
            return false;
        text += stop ? size + 1 : size;
    }
    if (ret->count > 0)
        return true;
    error_set(ctx, ERR_INPUT, "%s: holds no questions", name);
    return error_hint(ctx, "The file holds one JSON object a line: %s", example);
}

bool
judged_read(struct ctx *ctx, const char *path, const struct vector_target *target,
    struct judged_queries *ret)
{
    const char *text;
    size_t length;

    return file_read(ctx, path, &text, &length) &&
           judged_parse(ctx, path, text, length, target, ret);
}
