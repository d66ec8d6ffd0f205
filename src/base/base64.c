#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *
base64url_encode(struct arena *arena, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    char *text = arena_alloc(arena, (length * 4 + 2) / 3 + 1);
    char *at = text;
    uint32_t bits = 0;
    int count = 0;

    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6)
            *at++ = alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0)
        *at = alphabet[bits << (6 - count) & 63];
    return text;
}

bool
base64url_decode(struct arena *arena, const char *text, size_t length,
    const unsigned char **ret_bytes, size_t *ret_length)
{
    unsigned char *bytes = arena_alloc(arena, length * 3 / 4 + 1);
    size_t done = 0;
    uint32_t bits = 0;
    int count = 0;

    if (length % 4 == 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;

        if (!found)
            return false;
        bits = bits << 6 | (uint32_t)(found - alphabet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[done++] = (unsigned char)(bits >> count);
        }
    }
    /* What is left over must be nothing, or two texts would stand for the same bytes. */
    if (bits & ((1U << count) - 1))
        return false;
    *ret_bytes = bytes;
    *ret_length = done;
    return true;
}
