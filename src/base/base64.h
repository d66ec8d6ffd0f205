/* base64url without padding, strictly: one text for the same bytes. Source: RFC 4648, section 5. */
#pragma once

#include "base/arena.h"

const char *base64url_encode(struct arena *arena, const void *data, size_t length);

/*
 * The bytes, with a NUL behind them that does not count. False for other characters, padding, white
 * space, an impossible length, and bits at the end that belong to no byte.
 */
bool base64url_decode(struct arena *arena, const char *text, size_t length,
    const unsigned char **ret_bytes, size_t *ret_length) MUST_CHECK;
