#include "http/server_message.h"

/* More digits than any body that is allowed. */
enum { MOST_DIGITS = 8 };

/* "1a\r\n": the bytes it takes, 0 if there are too few yet, -1 if it is none. No extensions. */
static int
read_size(struct http_chunks *chunks, const char *data, size_t length)
{
    int64_t size = 0;
    size_t at = 0;

    for (; at < length && text_hex_value(data[at]) >= 0; at++) {
        if (at == MOST_DIGITS)
            return -1;
        size = size * 16 + text_hex_value(data[at]);
    }
    if (at == length)
        return 0;
    if (at == 0 || data[at] != '\r' || (at + 1 < length && data[at + 1] != '\n'))
        return -1;
    if (at + 1 == length)
        return 0;
    chunks->left = size;
    chunks->at = size > 0 ? CHUNK_DATA : CHUNK_LAST;
    return (int)at + 2;
}

/* The CR LF behind a chunk; behind the last one that means that there are no trailers. */
static int
read_end(struct http_chunks *chunks, const char *data, size_t length)
{
    if (data[0] != '\r' || (length > 1 && data[1] != '\n'))
        return -1;
    if (length < 2)
        return 0;
    chunks->at = chunks->at == CHUNK_LAST ? CHUNK_DONE : CHUNK_SIZE;
    return 2;
}

int
http_chunks_read(
    struct http_chunks *chunks, char *data, size_t length, size_t *ret_used, size_t *ret_got)
{
    size_t used = 0, got = 0;

    while (used < length && chunks->at != CHUNK_DONE) {
        size_t rest = length - used;
        int step;

        if (chunks->at == CHUNK_DATA) {
            size_t size = rest < (size_t)chunks->left ? rest : (size_t)chunks->left;

            memmove(data + got, data + used, size);
            got += size;
            used += size;
            chunks->left -= (int64_t)size;
            if (chunks->left == 0)
                chunks->at = CHUNK_END;
            continue;
        }
        step = chunks->at == CHUNK_SIZE ? read_size(chunks, data + used, rest)
                                        : read_end(chunks, data + used, rest);
        if (step < 0)
            return 400;
        if (step == 0)
            break;
        used += (size_t)step;
    }
    *ret_used = used;
    *ret_got = got;
    return 0;
}
