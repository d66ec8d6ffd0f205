/* What a message of the server says about statements. */
#include <ctype.h>
#include <strings.h>

#include "workload/log_part.h"

static struct slice
behind(struct slice slice, size_t length)
{
    return (struct slice){ slice.data + length, slice.length - length };
}

/* "0.123" at the beginning; how many bytes; 0: none. A comma is another language's point. */
static size_t
read_ms(struct slice text, int64_t *ret_us)
{
    int64_t us = 0;
    int64_t unit = 100;
    size_t at = 0;

    while (at < text.length && at < 15 && isdigit((unsigned char)text.data[at]))
        us = us * 10 + (text.data[at++] - '0');
    us *= 1000;
    if (at == 0 || at >= text.length || (text.data[at] != '.' && text.data[at] != ','))
        return 0;
    for (at++; at < text.length && isdigit((unsigned char)text.data[at]); at++, unit /= 10)
        us += (text.data[at] - '0') * unit;
    *ret_us = us;
    return at;
}

/* Blanks, and the no-break ones and wide colons that some languages write. */
static size_t
skip_blanks(struct slice text, size_t at)
{
    while (at < text.length && (text.data[at] == ' ' || (text.data[at] & 0x80)))
        at++;
    return at;
}

/* "0,123" as the server writes milliseconds in each language: with three digits behind the point. */
static size_t
foreign_ms(struct slice text)
{
    int64_t us;
    size_t length = read_ms(text, &us);

    return length > 4 && (text.data[length - 4] == '.' || text.data[length - 4] == ',') ? length
                                                                                        : 0;
}

/*
 * "Dauer: 0,123 ms", "продолжительность: 0.123 мс": it says how long something took, in words that are
 * not known here. The unit need not be "ms".
 */
static bool
is_foreign_duration(struct slice text)
{
    size_t most = text.length < 60 ? text.length : 60;
    const char *colon = text.data ? memmem(text.data, most, "\xef\xbc\x9a", 3) : NULL;
    size_t at;
    size_t digits;

    if (!colon && text.data)
        colon = memchr(text.data, ':', most);
    if (!colon)
        return false;
    at = skip_blanks(text, (size_t)(colon - text.data) + 1);
    digits = foreign_ms(behind(text, at));
    if (digits == 0)
        return false;
    at += digits;
    /* "12.345 MB/s" is no duration; a unit in other letters is one. */
    while (at < text.length && text.data[at] == ' ')
        at++;
    return at < text.length &&
           ((text.data[at] & 0x80) || slice_starts_with(behind(text, at), "ms") ||
               slice_starts_with(behind(text, at), "mili"));
}

/* "execute NAME: …": behind the colon; the name has no blank in it but in "fetch from NAME". */
static bool
read_execute(struct slice text, struct log_message *ret)
{
    const char *end = memmem(text.data, text.length, ": ", 2);

    if (!slice_starts_with(text, "execute ") || !end)
        return false;
    ret->is_portal = true;
    ret->sql = behind(text, (size_t)(end - text.data) + 2);
    if (slice_starts_with(text, "execute fetch from "))
        ret->kind = LOG_MESSAGE_STEP;
    return true;
}

/* Up to the first line that is the plan's: "Seq Scan on t  (cost=0.00.." */
static void
read_text_plan(struct slice text, struct log_message *ret)
{
    static const char parameters[] = "Query Parameters: ";
    const char *at = text.data;
    const char *end = text.data + text.length;
    const char *stop = end;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end;
        size_t length = (size_t)(line_end - at);
        struct slice line = { at, length };

        if (slice_starts_with(line, parameters)) {
            ret->params = behind(line, strlen(parameters));
            stop = stop < at ? stop : at;
            break;
        }
        if (memmem(at, length, "  (cost=", strlen("  (cost="))) {
            stop = at;
            break;
        }
        at = newline ? newline + 1 : end;
    }
    while (stop > text.data && isspace((unsigned char)stop[-1]))
        stop--;
    ret->sql = (struct slice){ text.data, (size_t)(stop - text.data) };
}

/* The value of a member of a plan in JSON. */
static struct slice
json_member(struct slice text, const char *name)
{
    const char *at = memmem(text.data, text.length, name, strlen(name));
    const char *end = text.data + text.length;

    if (!at)
        return (struct slice){ 0 };
    at += strlen(name);
    while (at < end && (*at == ':' || *at == ' '))
        at++;
    if (at >= end || *at != '"')
        return (struct slice){ 0 };
    return log_json_text((char *)(uintptr_t)(at + 1), end);
}

/* "&lt;" and its like back to what they stand for, in place. Source: escape_xml() of PostgreSQL. */
static struct slice
unescape_xml(struct slice text)
{
    static const struct {
        const char *name;
        char byte;
    } entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&#x0d;", '\r' },
        { "&quot;", '"' }, { "&apos;", '\'' } };
    char *out = (char *)(uintptr_t)text.data;
    size_t length = 0;

    for (size_t at = 0; at < text.length;) {
        size_t which = 0;

        while (which < COUNT_OF(entities) &&
               !slice_starts_with(behind(text, at), entities[which].name))
            which++;
        at += which < COUNT_OF(entities) ? strlen(entities[which].name) : 1;
        if (which < COUNT_OF(entities))
            out[length++] = entities[which].byte;
        else
            out[length++] = text.data[at - 1];
    }
    return (struct slice){ text.data, length };
}

/* What stands in an element of a plan in XML. */
static struct slice
xml_element(struct slice text, const char *open, const char *close)
{
    const char *end = text.data + text.length;
    const char *from = memmem(text.data, text.length, open, strlen(open));
    const char *to;

    if (!from)
        return (struct slice){ 0 };
    from += strlen(open);
    to = memmem(from, (size_t)(end - from), close, strlen(close));
    return unescape_xml((struct slice){ from, (size_t)((to ? to : end) - from) });
}

/* YAML writes the text in double quotes, escaped as in JSON; no statement begins with such a quote. */
static void
read_yaml_plan(struct slice text, struct log_message *ret)
{
    static const char parameters[] = "Query Parameters: \"";
    const char *end = text.data + text.length;
    const char *at = memmem(text.data, text.length, parameters, strlen(parameters));

    if (at)
        ret->params = log_json_text((char *)(uintptr_t)(at + strlen(parameters)), end);
    ret->sql = log_json_text((char *)(uintptr_t)(text.data + 1), end);
}

static void
read_plan(struct slice text, struct log_message *ret)
{
    static const char query[] = "Query Text: ";

    ret->kind = LOG_MESSAGE_PLAN;
    while (text.length > 0 && isspace((unsigned char)*text.data))
        text = behind(text, 1);
    if (slice_starts_with(text, "Query Text: \"")) {
        read_yaml_plan(behind(text, strlen(query)), ret);
        return;
    }
    if (slice_starts_with(text, "<explain")) {
        ret->params = xml_element(text, "<Query-Parameters>", "</Query-Parameters>");
        ret->sql = xml_element(text, "<Query-Text>", "</Query-Text>");
        return;
    }
    if (slice_starts_with(text, query)) {
        read_text_plan(behind(text, strlen(query)), ret);
        return;
    }
    ret->params = json_member(text, "\"Query Parameters\"");
    ret->sql = json_member(text, "\"Query Text\"");
    if (ret->sql.length == 0)
        ret->kind = LOG_MESSAGE_OTHER;
}

static void
read_duration(struct slice text, struct log_message *ret)
{
    size_t at = read_ms(text, &ret->elapsed_us);

    text = behind(text, at);
    if (at == 0 || !slice_starts_with(text, " ms")) {
        ret->kind = LOG_MESSAGE_BROKEN;
        return;
    }
    text = behind(text, strlen(" ms"));
    if (text.length == 0) {
        ret->kind = LOG_MESSAGE_DURATION;
        return;
    }
    if (!slice_starts_with(text, "  "))
        return;
    text = behind(text, 2);
    ret->kind = LOG_MESSAGE_BOTH;
    if (slice_starts_with(text, "statement: "))
        ret->sql = behind(text, strlen("statement: "));
    else if (slice_starts_with(text, "parse ") || slice_starts_with(text, "bind "))
        ret->kind = LOG_MESSAGE_STEP;
    else if (slice_starts_with(text, "plan:"))
        read_plan(behind(text, strlen("plan:")), ret);
    else if (!read_execute(text, ret))
        ret->kind = LOG_MESSAGE_OTHER;
}

void
log_message_read(const struct log_record *record, struct log_message *ret)
{
    struct slice text = record->message;

    *ret = (struct log_message){ .kind = LOG_MESSAGE_OTHER, .elapsed_us = -1 };
    if (slice_starts_with(text, "duration: ")) {
        read_duration(behind(text, strlen("duration: ")), ret);
    } else if (slice_starts_with(text, "statement: ")) {
        ret->kind = LOG_MESSAGE_STATEMENT;
        ret->sql = behind(text, strlen("statement: "));
    } else if (slice_starts_with(text, "execute ")) {
        ret->kind = LOG_MESSAGE_STATEMENT;
        if (!read_execute(text, ret))
            ret->kind = LOG_MESSAGE_OTHER;
    } else if (slice_starts_with(text, "connection received") ||
               slice_starts_with(text, "connection authorized")) {
        ret->kind = LOG_MESSAGE_CONNECTED;
    } else if (slice_starts_with(text, "disconnection: ")) {
        ret->kind = LOG_MESSAGE_GONE;
    } else if (is_foreign_duration(text)) {
        ret->kind = LOG_MESSAGE_FOREIGN;
    }
}

struct slice
log_params(struct slice detail)
{
    static const char word[] = "parameters: ";

    /* "parameters:" up to 15, "Parameters:" from 16. */
    if (detail.length <= strlen(word) || strncasecmp(detail.data, word, strlen(word)) != 0)
        return (struct slice){ 0 };
    return behind(detail, strlen(word));
}

bool
log_params_next(
    struct arena *arena, struct slice *params, const char **ret_text, size_t *ret_length)
{
    size_t at = 1;
    char *out;

    while (params->length > 0 && strchr(", ", *params->data))
        *params = behind(*params, 1);
    *ret_text = NULL;
    *ret_length = 0;
    if (params->length < strlen("$1 = x") || params->data[0] != '$')
        return false;
    while (at < params->length && isdigit((unsigned char)params->data[at]))
        at++;
    if (!slice_starts_with(behind(*params, at), " = "))
        return false;
    *params = behind(*params, at + 3);
    if (slice_starts_with(*params, "NULL")) {
        *params = behind(*params, strlen("NULL"));
        return true;
    }
    if (params->length == 0 || *params->data != '\'')
        return false;
    out = arena_alloc(arena, params->length);
    *ret_text = out;
    for (at = 1; at < params->length; at++) {
        if (params->data[at] == '\'') {
            if (at + 1 >= params->length || params->data[at + 1] != '\'')
                break;
            at++;
        }
        out[(*ret_length)++] = params->data[at];
    }
    out[*ret_length] = '\0';
    *params = behind(*params, at < params->length ? at + 1 : at);
    return true;
}
