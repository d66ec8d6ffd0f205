/* Digests and random bytes, by OpenSSL. */
#pragma once

#include "base/ctx.h"

enum { SHA256_HEX_SIZE = 65 };

/* Sixty-four hexadecimal digits, in the arena. */
const char *sha256_of(struct arena *arena, const void *data, size_t length);

/*
 * Thirty-two hexadecimal digits, for names that others made this way, never for safety. NULL where
 * OpenSSL's configuration forbids MD5.
 */
const char *md5_of(struct arena *arena, const void *data, size_t length);

bool sha256_of_file(struct ctx *ctx, const char *path, const char **ret_hex) MUST_CHECK;

/* count random bytes as hexadecimal digits, in the arena. */
const char *random_hex(struct arena *arena, size_t count);

/* Whether two secrets are the same; how long that takes does not depend on where they differ. */
bool secret_equal(const char *a, const char *b);
