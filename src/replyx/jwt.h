/*
 * JSON Web Tokens, of one kind only: HS256 with our secret, "sub" a user's number, "exp" always. What
 * else a token may say about how it wants to be read is not listened to. Source: RFC 7515, 7519, 8725.
 */
#pragma once

#include "base/ctx.h"

enum { JWT_LEAST_SECRET = 32, JWT_MOST_LENGTH = 4096 };

struct jwt_secret {
    const char *bytes;
    size_t length;
};

/* At least so many bytes, in a file that nobody else may read. ERR_CONFIG. */
bool jwt_read_secret(struct ctx *ctx, const char *path, struct jwt_secret *ret) MUST_CHECK;

struct jwt_claims {
    int64_t user;
    int64_t expires_us; /* wall clock */
};

/* ERR_IDENTITY, with a reason that tells nothing about the secret. */
bool jwt_verify(struct ctx *ctx, const struct jwt_secret *secret, const char *token,
    int64_t wall_us, struct jwt_claims *ret) MUST_CHECK;

const char *jwt_sign(struct arena *arena, const struct jwt_secret *secret, int64_t user,
    int64_t wall_us, int64_t life_us);
