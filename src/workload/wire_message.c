/* Messages that are read or made here. */
#include <arpa/inet.h>
#include <string.h>

#include "workload/wire.h"

enum {
    VERSION_MAJOR = 3,
    CODE_CANCEL = 80877102,
    CODE_TLS = 80877103,
    CODE_GSS = 80877104,
};

const char *
wire_read_text(const struct wire_message *message, size_t *at)
{
    const char *text = message->body + *at;
    const char *end = *at < message->length ? memchr(text, '\0', message->length - *at) : NULL;

    if (!end) {
        *at = message->length;
        return NULL;
    }
    *at += (size_t)(end - text) + 1;
    return text;
}

uint32_t
wire_read_number(const struct wire_message *message, size_t *at, size_t size)
{
    uint32_t number = 0;

    if (*at > message->length || message->length - *at < size) {
        *at = message->length;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        number = number << 8 | (unsigned char)message->body[*at + i];
    *at += size;
    return number;
}

void
wire_read_error(struct arena *arena, const struct wire_message *message, struct wire_error *ret)
{
    const struct {
        char code;
        const char **ret;
    } fields[] = {
        { 'S', &ret->severity },
        { 'V', &ret->severity }, /* the same, never translated: it comes after the other */
        { 'C', &ret->sqlstate },
        { 'M', &ret->message },
        { 'D', &ret->detail },
        { 'H', &ret->hint },
        { 'P', &ret->position },
        { 's', &ret->schema },
        { 't', &ret->table },
        { 'n', &ret->constraint },
    };
    size_t at = 0;

    *ret = (struct wire_error){ 0 };
    while (at < message->length && message->body[at]) {
        char code = message->body[at++];
        const char *text = wire_read_text(message, &at);

        for (size_t i = 0; text && i < COUNT_OF(fields); i++)
            if (fields[i].code == code)
                *fields[i].ret = arena_strdup(arena, text);
    }
}

bool
wire_read_start(struct ctx *ctx, const struct wire_message *message, struct wire_start *ret)
{
    size_t at = 0;
    uint32_t code = wire_read_number(message, &at, 4);

    *ret = (struct wire_start){ .kind = WIRE_START_SESSION, .minor = code & 0xffff };
    switch (code) {
    case CODE_CANCEL:
        ret->kind = WIRE_START_CANCEL;
        ret->pid = wire_read_number(message, &at, 4);
        if (message->length - at == 4)
            ret->key = wire_read_number(message, &at, 4);
        return true;
    case CODE_TLS:
        ret->kind = WIRE_START_TLS;
        return true;
    case CODE_GSS:
        ret->kind = WIRE_START_GSS;
        return true;
    default:
        break;
    }
    if (code >> 16 != VERSION_MAJOR)
        return error_set(
            ctx, ERR_INPUT, "protocol %u.%u is not spoken here", code >> 16, code & 0xffff);
    while (at < message->length && message->body[at]) {
        const char *name = wire_read_text(message, &at);
        const char *value = wire_read_text(message, &at);

        if (!name || !value)
            return error_set(ctx, ERR_INPUT, "a start-up message breaks off");
        text_list_add(ctx->arena, &ret->names, arena_strdup(ctx->arena, name));
        text_list_add(ctx->arena, &ret->values, arena_strdup(ctx->arena, value));
    }
    return true;
}

const char *
wire_start_value(const struct wire_start *start, const char *name)
{
    for (size_t i = 0; i < start->names.count; i++)
        if (strcmp(start->names.items[i], name) == 0)
            return start->values.items[i];
    return NULL;
}

static void
add_number(struct buffer *buffer, uint32_t number)
{
    uint32_t bytes = htonl(number);

    buffer_append(buffer, &bytes, sizeof(bytes));
}

static void
add_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text) + 1);
}

/* The place of a message's length, which end_message() fills in. */
static size_t
begin_message(struct buffer *buffer, char type)
{
    size_t at;

    buffer_append(buffer, &type, 1);
    at = buffer->length;
    add_number(buffer, 0);
    return at;
}

static void
end_message(struct buffer *buffer, size_t at)
{
    uint32_t length = htonl((uint32_t)(buffer->length - at));

    memcpy(buffer->data + at, &length, sizeof(length));
}

void
wire_add_authentication(struct buffer *buffer, uint32_t kind)
{
    size_t at = begin_message(buffer, 'R');

    add_number(buffer, kind);
    end_message(buffer, at);
}

void
wire_add_parameter(struct buffer *buffer, const char *name, const char *value)
{
    size_t at = begin_message(buffer, 'S');

    add_text(buffer, name);
    add_text(buffer, value);
    end_message(buffer, at);
}

void
wire_add_key(struct buffer *buffer, uint32_t pid, uint32_t key)
{
    size_t at = begin_message(buffer, 'K');

    add_number(buffer, pid);
    add_number(buffer, key);
    end_message(buffer, at);
}

void
wire_add_ready(struct buffer *buffer, char status)
{
    size_t at = begin_message(buffer, 'Z');

    buffer_append(buffer, &status, 1);
    end_message(buffer, at);
}

static void
add_field(struct buffer *buffer, char code, const char *text)
{
    if (!text)
        return;
    buffer_append(buffer, &code, 1);
    add_text(buffer, text);
}

void
wire_add_error(struct buffer *buffer, const char *sqlstate, const char *message, const char *hint)
{
    size_t at = begin_message(buffer, 'E');

    add_field(buffer, 'S', "FATAL");
    add_field(buffer, 'V', "FATAL");
    add_field(buffer, 'C', sqlstate);
    add_field(buffer, 'M', message);
    add_field(buffer, 'H', hint);
    buffer_append(buffer, "", 1);
    end_message(buffer, at);
}

void
wire_add_version(struct buffer *buffer, const struct text_list *unknown)
{
    size_t at = begin_message(buffer, 'v');

    add_number(buffer, 0);
    add_number(buffer, (uint32_t)unknown->count);
    for (size_t i = 0; i < unknown->count; i++)
        add_text(buffer, unknown->items[i]);
    end_message(buffer, at);
}
