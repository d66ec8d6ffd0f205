#include "replyx/print.h"

/* A value or a key follows: after anything but an opening bracket or its key comes a comma. */
static void
separate(struct buffer *out)
{
    const char *last = out->length > 0 ? &out->data[out->length - 1] : "[";

    if (*last != '[' && *last != '{' && *last != ':')
        buffer_append(out, ",", 1);
}

void
print_open(struct buffer *out, char bracket)
{
    separate(out);
    buffer_append(out, &bracket, 1);
}

void
print_close(struct buffer *out, char bracket)
{
    buffer_append(out, &bracket, 1);
}

static bool
is_plain(unsigned char byte)
{
    return byte >= ' ' && byte != '"' && byte != '\\';
}

/* As the server does: control characters have a short form or four digits, all else is itself. */
static void
print_escaped(struct buffer *out, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char from[] = "\b\f\n\r\t\"\\";
    static const char to[] = "bfnrt\"\\";
    const char *found = byte ? strchr(from, byte) : NULL;
    char text[6] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] };

    if (found)
        text[1] = to[found - from];
    buffer_append(out, text, found ? 2 : 6);
}

static void
print_string(struct buffer *out, const char *text)
{
    buffer_append(out, "\"", 1);
    while (*text) {
        size_t length = 0;

        while (text[length] && is_plain((unsigned char)text[length]))
            length++;
        buffer_append(out, text, length);
        text += length;
        if (*text)
            print_escaped(out, (unsigned char)*text++);
    }
    buffer_append(out, "\"", 1);
}

void
print_key(struct buffer *out, const char *key)
{
    separate(out);
    print_string(out, key);
    buffer_append(out, ":", 1);
}

void
print_text(struct buffer *out, const char *text)
{
    separate(out);
    if (text)
        print_string(out, text);
    else
        buffer_append(out, "null", 4);
}

void
print_number(struct buffer *out, const char *number)
{
    /* row_to_json() puts what is no JSON number between quotes. */
    bool is_number = !number || strspn(number, "0123456789+-.eE") == strlen(number);

    if (!is_number) {
        print_text(out, number);
        return;
    }
    separate(out);
    buffer_add(out, number ? number : "null");
}

void
print_int(struct buffer *out, int64_t number)
{
    char text[24];
    size_t at = sizeof(text);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        text[--at] = '-';
    separate(out);
    buffer_append(out, text + at, sizeof(text) - at);
}

void
print_bool(struct buffer *out, bool value)
{
    separate(out);
    buffer_add(out, value ? "true" : "false");
}

/* "… 13:30:00+03": the server writes minutes of the zone only where there are some, XML always. */
static bool
has_hours_alone(const char *clock, size_t length)
{
    return length > 3 && (clock[length - 3] == '+' || clock[length - 3] == '-');
}

void
print_time(struct buffer *out, const char *text)
{
    const char *clock = text ? strchr(text, ' ') : NULL;
    const char *era = clock ? strstr(clock, " BC") : NULL;
    size_t length;

    if (!clock) {
        print_text(out, text); /* NULL, or infinity */
        return;
    }
    length = era ? (size_t)(era - clock) : strlen(clock);
    separate(out);
    buffer_append(out, "\"", 1);
    buffer_append(out, text, (size_t)(clock - text));
    buffer_append(out, "T", 1);
    buffer_append(out, clock + 1, length - 1);
    if (has_hours_alone(clock, length))
        buffer_append(out, ":00", 3);
    if (era)
        buffer_add(out, era);
    buffer_append(out, "\"", 1);
}
