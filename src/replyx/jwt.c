#include "replyx/jwt.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/json.h"
#include "replyx/secret_file.h"

/* By how much the clock of who signed may be ahead of ours. */
enum { LEEWAY_S = 30 };

/* The three parts of a token. */
struct parts {
    const char *header;
    size_t header_length;
    const char *payload;
    size_t payload_length;
    const char *signature;
    size_t signature_length;
    size_t signed_length; /* header, dot, payload */
};

bool
jwt_read_secret(struct ctx *ctx, const char *path, struct jwt_secret *ret)
{
    if (!secret_file_read(ctx, path, "secret of the tokens", JWT_LEAST_SECRET, &ret->bytes))
        return false;
    ret->length = strlen(ret->bytes);
    return true;
}

static bool
refuse(struct ctx *ctx, const char *why)
{
    return error_set(ctx, ERR_IDENTITY, "the token %s", why);
}

static bool
split(const char *token, struct parts *ret)
{
    const char *first = strchr(token, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;

    if (!second || strchr(second + 1, '.'))
        return false;
    *ret = (struct parts){
        .header = token,
        .header_length = (size_t)(first - token),
        .payload = first + 1,
        .payload_length = (size_t)(second - first - 1),
        .signature = second + 1,
        .signature_length = strlen(second + 1),
        .signed_length = (size_t)(second - token),
    };
    return true;
}

/* A part as a JSON object; the caller owns it. */
static json_t *
read_object(struct ctx *ctx, const char *text, size_t length)
{
    const unsigned char *bytes;
    size_t count;
    json_t *json;

    if (!base64url_decode(ctx->arena, text, length, &bytes, &count))
        return NULL;
    json = json_loadb((const char *)bytes, count, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

/*
 * The header is not asked which algorithm to use, only whether it claims the one that we have; the
 * signature is compared before anything of the payload is believed.
 */
static bool
check_header(struct ctx *ctx, const struct parts *parts)
{
    json_t *header CLEANUP(json_release) = read_object(ctx, parts->header, parts->header_length);
    const char *type;

    if (!header)
        return refuse(ctx, "is not a JSON Web Token");
    if (!text_equal(json_string_value(json_object_get(header, "alg")), "HS256"))
        return refuse(ctx, "is signed by another algorithm than HS256");
    if (json_object_get(header, "crit"))
        return refuse(ctx, "demands extensions that are not known here");
    type = json_string_value(json_object_get(header, "typ"));
    if (json_object_get(header, "typ") && (!type || strcasecmp(type, "JWT") != 0))
        return refuse(ctx, "is of another type than JWT");
    return true;
}

static bool
check_signature(struct ctx *ctx, const struct jwt_secret *secret, const struct parts *parts)
{
    unsigned char wanted[SHA256_SIZE];
    const unsigned char *given;
    size_t length;

    hmac_sha256(secret->bytes, secret->length, parts->header, parts->signed_length, wanted);
    if (!base64url_decode(ctx->arena, parts->signature, parts->signature_length, &given, &length) ||
        length != SHA256_SIZE || !bytes_equal_in_constant_time(given, wanted, SHA256_SIZE))
        return refuse(ctx, "was not signed here");
    return true;
}

/* Seconds since 1970, which may have a fraction; false if it is none. */
static bool
read_seconds(const json_t *payload, const char *name, double *ret)
{
    const json_t *value = json_object_get(payload, name);

    *ret = json_number_value(value);
    return json_is_number(value) && *ret >= 0 && *ret < 1e11;
}

static bool
check_times(struct ctx *ctx, const json_t *payload, int64_t wall_us, struct jwt_claims *ret)
{
    static const char *const starts[] = { "nbf", "iat" };
    double now = (double)wall_us / 1e6;
    double seconds;

    if (!read_seconds(payload, "exp", &seconds))
        return refuse(ctx, "does not say when it expires");
    if (seconds <= now)
        return refuse(ctx, "has expired");
    ret->expires_us = (int64_t)(seconds * 1e6);
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        if (!json_object_get(payload, starts[i]))
            continue;
        if (!read_seconds(payload, starts[i], &seconds) || seconds > now + LEEWAY_S)
            return refuse(ctx, "is of the future");
    }
    return true;
}

static bool
read_user(struct ctx *ctx, const json_t *payload, int64_t *ret)
{
    const char *subject = json_string_value(json_object_get(payload, "sub"));

    if (!subject || strspn(subject, "0123456789") != strlen(subject) || *subject == '0' ||
        !text_to_int64(subject, ret) || *ret < 1 || *ret > INT32_MAX)
        return refuse(ctx, "does not name a user");
    return true;
}

bool
jwt_verify(struct ctx *ctx, const struct jwt_secret *secret, const char *token, int64_t wall_us,
    struct jwt_claims *ret)
{
    struct parts parts;

    if (strlen(token) > JWT_MOST_LENGTH || !split(token, &parts))
        return refuse(ctx, "is not a JSON Web Token");
    if (!check_header(ctx, &parts) || !check_signature(ctx, secret, &parts))
        return false;

    json_t *payload CLEANUP(json_release) = read_object(ctx, parts.payload, parts.payload_length);

    if (!payload)
        return refuse(ctx, "is not a JSON Web Token");
    return check_times(ctx, payload, wall_us, ret) && read_user(ctx, payload, &ret->user);
}

const char *
jwt_sign(struct arena *arena, const struct jwt_secret *secret, int64_t user, int64_t wall_us,
    int64_t life_us)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char signature[SHA256_SIZE];
    int64_t now = wall_us / 1000000;
    const char *payload =
        arena_printf(arena, "{\"sub\":\"%" PRId64 "\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}",
            user, now, now + (life_us + 999999) / 1000000);
    const char *text = arena_printf(arena, "%s.%s", base64url_encode(arena, header, strlen(header)),
        base64url_encode(arena, payload, strlen(payload)));

    hmac_sha256(secret->bytes, secret->length, text, strlen(text), signature);
    return arena_printf(
        arena, "%s.%s", text, base64url_encode(arena, signature, sizeof(signature)));
}
