#include "monitor/serve/writer.h"

#include <math.h>

static void
begin(struct writer *writer, const char *key)
{
    if (writer->needs_comma)
        buffer_append(&writer->text, ",", 1);
    writer->needs_comma = true;
    if (!key)
        return;
    buffer_append(&writer->text, "\"", 1);
    buffer_add(&writer->text, key);
    buffer_append(&writer->text, "\":", 2);
}

void
writer_open(struct writer *writer, const char *key, char bracket)
{
    begin(writer, key);
    buffer_append(&writer->text, &bracket, 1);
    writer->needs_comma = false;
}

void
writer_close(struct writer *writer, char bracket)
{
    buffer_append(&writer->text, &bracket, 1);
    writer->needs_comma = true;
}

/* Bytes of the UTF-8 sequence at the beginning of the text; 0: it is none. Source: RFC 3629. */
static size_t
sequence_length(const unsigned char *text)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    char copy[5] = "";

    if (length == 1)
        return 1;
    for (size_t i = 0; i < length; i++) {
        if (!text[i])
            return 0;
        copy[i] = (char)text[i];
    }
    return text_is_utf8(copy) ? length : 0;
}

/* "<" and "&" too, so that the text is harmless even where somebody puts it into a page. */
static bool
is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '<' && c != '&';
}

static void
add_text(struct buffer *out, const char *value)
{
    const unsigned char *at = (const unsigned char *)value;

    while (*at) {
        size_t plain = 0;
        size_t length;

        while (is_plain(at[plain]))
            plain++;
        buffer_append(out, at, plain);
        at += plain;
        if (!*at)
            break;
        length = sequence_length(at);
        if (length > 1) {
            buffer_append(out, at, length);
        } else if (length == 0) {
            buffer_add(out, "\\ufffd");
            length = 1;
        } else if (*at == '"' || *at == '\\') {
            buffer_append(out, (const char[]){ '\\', (char)*at }, 2);
        } else {
            buffer_printf(out, "\\u%04x", *at);
        }
        at += length;
    }
}

void
writer_text(struct writer *writer, const char *key, const char *value)
{
    begin(writer, key);
    if (!value) {
        buffer_add(&writer->text, "null");
        return;
    }
    buffer_append(&writer->text, "\"", 1);
    add_text(&writer->text, value);
    buffer_append(&writer->text, "\"", 1);
}

/* Not by buffer_printf(), which leaves a copy in the arena: answers hold 100,000 numbers. */
static void PRINTF_LIKE(2, 3) add_number(struct buffer *out, const char *format, ...)
{
    char text[40];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buffer_append(out, text, (size_t)length);
}

void
writer_number(struct writer *writer, const char *key, double value)
{
    begin(writer, key);
    if (!isfinite(value))
        buffer_append(&writer->text, "null", 4);
    else if (fabs(value) < 1e15 && value == floor(value))
        add_number(&writer->text, "%lld", (long long)value);
    else
        /* Times since 1970 keep their milliseconds. */
        add_number(
            &writer->text, fabs(value) >= 1e6 && fabs(value) < 1e15 ? "%.3f" : "%.6g", value);
}

void
writer_int(struct writer *writer, const char *key, int64_t value)
{
    const int64_t most = INT64_C(1) << 53;

    if (value > most || value < -most) {
        writer_id(writer, key, value);
        return;
    }
    begin(writer, key);
    add_number(&writer->text, "%lld", (long long)value);
}

void
writer_id(struct writer *writer, const char *key, int64_t value)
{
    begin(writer, key);
    add_number(&writer->text, "\"%lld\"", (long long)value);
}

void
writer_bool(struct writer *writer, const char *key, bool value)
{
    begin(writer, key);
    buffer_add(&writer->text, value ? "true" : "false");
}

void
writer_time(struct writer *writer, const char *key, int64_t wall_us)
{
    begin(writer, key);
    if (wall_us == 0)
        buffer_add(&writer->text, "null");
    else
        add_number(&writer->text, "%.3f", (double)wall_us / 1e6);
}

void
writer_json(struct writer *writer, const char *key, json_t *json)
{
    begin(writer, key);
    buffer_add(&writer->text, json ? json_text(writer->text.arena, json) : "null");
    json_decref(json);
}

static void
write_field(struct writer *writer, const struct field *field, const void *object)
{
    const char *member = (const char *)object + field->offset;
    const struct text_list *texts;

    switch (field->type) {
    case FIELD_BOOL:
        writer_bool(writer, field->name, *(const bool *)(const void *)member);
        return;
    case FIELD_INT32:
        writer_int(writer, field->name, *(const int32_t *)(const void *)member);
        return;
    case FIELD_INT64:
        writer_int(writer, field->name, *(const int64_t *)(const void *)member);
        return;
    case FIELD_UINT32:
        writer_int(writer, field->name, *(const uint32_t *)(const void *)member);
        return;
    case FIELD_DOUBLE:
        writer_number(writer, field->name, *(const double *)(const void *)member);
        return;
    case FIELD_TEXT:
        writer_text(writer, field->name, *(const char *const *)(const void *)member);
        return;
    case FIELD_TEXT_LIST:
        texts = (const struct text_list *)(const void *)member;
        writer_open(writer, field->name, '[');
        for (size_t i = 0; i < texts->count; i++)
            writer_text(writer, NULL, texts->items[i]);
        writer_close(writer, ']');
        return;
    }
}

void
writer_fields(struct writer *writer, const struct field *fields, size_t count, const void *object)
{
    for (size_t i = 0; i < count; i++)
        write_field(writer, &fields[i], object);
}
