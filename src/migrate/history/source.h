/* Bytes of a Python file as UTF-8 text. */
#pragma once

#include "base/arena.h"

/*
 * data: with a NUL behind it, as file_read() gives it. Without a byte order mark and, by the file's own
 * encoding declaration (PEP 263), from Latin-1. Text that is UTF-8 already is not copied. Returns why it is
 * no text, or NULL.
 */
const char *source_decode(struct arena *arena, const char *data, size_t length,
    const char **ret_text, size_t *ret_length);
