#include "workload/wire.h"

#include <string.h>

#include "base/memory.h"

enum { HEAD = 5, START_HEAD = 4, LONGEST = 0x3fffffff, START_SIZE = 16 * 1024 };

/* Makes room behind the bytes; what was given out is forgotten. */
static void
make_room(struct wire_stream *stream, size_t length)
{
    size_t left = stream->length - stream->taken, capacity = stream->capacity;

    if (stream->taken > 0 && left > 0)
        memmove(stream->data, stream->data + stream->taken, left);
    stream->length = left;
    stream->taken = 0;
    if (capacity - left >= length)
        return;
    if (capacity < START_SIZE)
        capacity = START_SIZE;
    while (capacity - left < length)
        capacity *= 2;

    char *data = realloc(stream->data, capacity);

    if (!data)
        memory_exhausted(capacity);
    stream->data = data;
    stream->capacity = capacity;
}

void
wire_feed(struct wire_stream *stream, const void *data, size_t length)
{
    if (length == 0)
        return;
    if (stream->capacity - stream->length < length)
        make_room(stream, length);
    memcpy(stream->data + stream->length, data, length);
    stream->length += length;
}

const char *
wire_left(const struct wire_stream *stream, size_t *ret_length)
{
    *ret_length = stream->length - stream->taken;
    return *ret_length > 0 ? stream->data + stream->taken : NULL;
}

void
wire_drop(struct wire_stream *stream, size_t length)
{
    stream->taken += length;
    if (stream->taken == stream->length) {
        stream->taken = 0;
        stream->length = 0;
    }
}

static uint32_t
number_at(const char *data)
{
    const unsigned char *bytes = (const unsigned char *)data;

    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool
wire_next(struct ctx *ctx, struct wire_stream *stream, struct wire_message *ret, bool *ret_done)
{
    size_t head = stream->has_start ? HEAD : START_HEAD, left;
    size_t longest = stream->longest ? stream->longest : LONGEST;
    const char *bytes = wire_left(stream, &left);

    *ret_done = false;
    if (left < head)
        return true;

    /* The length counts itself, but not the type. */
    uint32_t length = number_at(bytes + head - 4);

    if (length < 4 || length > longest)
        return error_set(ctx, ERR_INPUT, "a message of %u bytes is not possible here", length);
    if (left < length + head - 4)
        return true;
    *ret = (struct wire_message){
        .type = '\0',
        .body = bytes + head,
        .length = length - 4,
        .bytes = bytes,
        .size = length + head - 4,
    };
    if (stream->has_start)
        ret->type = *bytes;
    stream->has_start = true;
    stream->taken += ret->size;
    *ret_done = true;
    return true;
}

void
wire_free(struct wire_stream *stream)
{
    free(stream->data);
    *stream = (struct wire_stream){ 0 };
}
