/*
 * Any bytes as a token of a user, and as a body with a vector: nobody is let in by a token that we have not
 * signed, and what is cut out of a body leaves the rest byte by byte.
 */
#include <assert.h>
#include <string.h>

#include "replyx/jwt.h"
#include "replyx/read_vector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct jwt_secret secret = { .bytes = "0123456789abcdef0123456789abcdef",
    .length = 32 };

static void
read_token(struct ctx *ctx, const char *token)
{
    struct jwt_claims claims;

    if (!jwt_verify(ctx, &secret, token, 0, &claims)) {
        assert(ctx->error.kind == ERR_IDENTITY && !strstr(ctx->error.message, secret.bytes));
        error_clear(ctx);
        return;
    }
    /* Only the tokens of the corpus are signed with this secret. */
    assert(claims.user > 0 && claims.expires_us > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const char *text = arena_strndup(arena, (const char *)data, size);
    struct read_vector vector = { 0 };

    read_token(&ctx, text);
    if (!read_vector(&ctx, text, size, "embedding", &vector)) {
        assert(ctx.error.kind == ERR_INPUT && ctx.error.message);
        return 0;
    }
    if (vector.vector) {
        assert(vector.vector[0] == '[' && vector.length == strlen(vector.rest));
        assert(vector.cut_at <= vector.length);
        assert(memcmp(vector.rest, text, vector.cut_at > 4 ? vector.cut_at - 4 : 0) == 0);
    }
    return 0;
}
