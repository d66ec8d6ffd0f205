/* Digests and random bytes, by OpenSSL. */
#pragma once

#include "base/ctx.h"

enum { SHA256_HEX_SIZE = 65, SHA256_SIZE = 32 };

/*
 * From now on OpenSSL ends the program when there is no memory (base/memory.h), also for others that use it: its own
 * initialisation goes on with NULL. Before its first use.
 */
void crypto_guard_memory(void);

/* Sixty-four hexadecimal digits, in the arena. */
const char *sha256_of(struct arena *arena, const void *data, size_t length);

/* Its bytes, without taking memory. */
void sha256_bytes(const void *data, size_t length, unsigned char ret[SHA256_SIZE]);

/*
 * Thirty-two hexadecimal digits, for names that others made this way, never for safety. NULL where
 * OpenSSL's configuration forbids MD5.
 */
const char *md5_of(struct arena *arena, const void *data, size_t length);

bool sha256_of_file(struct ctx *ctx, const char *path, const char **ret_hex) MUST_CHECK;

/* HMAC-SHA256; source: RFC 2104. */
void hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
    unsigned char ret[SHA256_SIZE]);

/* Whether so many bytes are the same; how long that takes does not depend on where they differ. */
bool bytes_equal_in_constant_time(const void *a, const void *b, size_t length);

/* count random bytes. */
void random_bytes(void *ret, size_t count);

/* count random bytes as hexadecimal digits, in the arena. */
const char *random_hex(struct arena *arena, size_t count);

/* Whether two secrets are the same; how long that takes does not depend on where they differ. */
bool secret_equal(const char *a, const char *b);
