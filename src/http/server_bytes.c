#include "base/memory.h"
#include "http/server_part.h"

enum { LEAST_BYTES = 1024 };

void
http_bytes_add(struct http_bytes *bytes, const void *data, size_t length)
{
    size_t count = http_bytes_count(bytes);

    if (length == 0)
        return;
    if (bytes->capacity - bytes->end < length) {
        size_t capacity = bytes->capacity > LEAST_BYTES ? bytes->capacity : LEAST_BYTES;
        char *new;

        while (capacity < count + length)
            capacity *= 2;
        new = malloc(capacity);
        if (!new)
            memory_exhausted(0);
        if (count > 0)
            memcpy(new, bytes->data + bytes->start, count);
        free(bytes->data);
        *bytes = (struct http_bytes){ .data = new, .end = count, .capacity = capacity };
    }
    memcpy(bytes->data + bytes->end, data, length);
    bytes->end += length;
}

void
http_bytes_drop(struct http_bytes *bytes, size_t length)
{
    bytes->start += length;
    if (bytes->start == bytes->end)
        http_bytes_free(bytes);
}

void
http_bytes_free(struct http_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct http_bytes){ 0 };
}
