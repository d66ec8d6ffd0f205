/* Functions that give text, or depend on who asks. Their text lives in the world until the next one. */
#include <inttypes.h>

#include "base/crypto.h"
#include "load/scenario/function_part.h"

enum { TOKEN_LIFE_S = 24 * 3600, MOST_SUBJECT = 64, MOST_SIGNED = 1024 };
enum who { USER_NUMBER, CLIENT_ID, UNIQUE };

static struct load_value
text_of(const char *text, size_t length)
{
    return (struct load_value){ .kind = VALUE_TEXT, .length = (uint32_t)length, .text = text };
}

static bool
who(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    (void)args;
    switch ((enum who)node->function->detail) {
    case USER_NUMBER:
        return give_integer(ret, (int64_t)scope->number + 1);
    case CLIENT_ID:
        return give_integer(ret, scope->number);
    case UNIQUE:
        return give_integer(ret, scope->world->unique++);
    }
    return false;
}

/* Without padding, into a buffer that has room. Source: RFC 4648, section 5. */
static size_t
put_base64url(char *at, const unsigned char *data, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t put = 0;

    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i < 3 ? length - i : 3;
        uint32_t group = (uint32_t)data[i] << 16;

        if (left > 1)
            group |= (uint32_t)data[i + 1] << 8;
        if (left > 2)
            group |= data[i + 2];
        for (size_t digit = 0; digit <= left; digit++)
            at[put++] = digits[group >> (18 - 6 * digit) & 63];
    }
    return put;
}

/* A value's text on the stack; false: it does not fit. */
static bool
put_text(const struct load_value *value, char *ret, size_t size, size_t *ret_length)
{
    int length = 0;

    switch (value->kind) {
    case VALUE_TEXT:
        if (value->length >= size)
            return false;
        memcpy(ret, value->text, value->length);
        *ret_length = value->length;
        return true;
    case VALUE_INTEGER:
        length = snprintf(ret, size, "%" PRId64, value->integer);
        break;
    case VALUE_REAL:
        length = snprintf(ret, size, "%.15g", value->real);
        break;
    case VALUE_TRUTH:
        length = snprintf(ret, size, "%s", value->truth ? "true" : "false");
        break;
    case VALUE_NULL:
        break;
    }
    *ret_length = (size_t)length;
    return length >= 0 && (size_t)length < size;
}

static size_t
sign_token(const struct load_scope *scope, const struct load_secret *secret, const char *subject,
    size_t length, char *ret)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char signature[SHA256_SIZE];
    char payload[MOST_SUBJECT + 96];
    int64_t now = scope->world->started_s;
    int payload_length = snprintf(payload, sizeof(payload),
        "{\"sub\":\"%.*s\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}", (int)length, subject, now,
        now + TOKEN_LIFE_S);
    size_t put = put_base64url(ret, (const unsigned char *)header, strlen(header));

    ret[put++] = '.';
    put += put_base64url(ret + put, (const unsigned char *)payload, (size_t)payload_length);
    hmac_sha256(secret->text, secret->length, ret, put, signature);
    ret[put++] = '.';
    return put + put_base64url(ret + put, signature, sizeof(signature));
}

/* Signed once a user: the one before is kept until another subject is asked for. */
static bool
token(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    const struct load_secret *secret = &scope->world->secrets.items[node->index];
    char subject[MOST_SUBJECT];
    char signed_text[MOST_SIGNED];
    size_t length;

    if (!secret->text)
        return load_problem(scope, secret->problem);
    if (!put_text(&args[0], subject, sizeof(subject), &length))
        return load_problem(scope, "the subject of a token is longer than 63 bytes");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)subject[i] < ' ' || subject[i] == '"' || subject[i] == '\\')
            return load_problem(
                scope, "the subject of a token holds a quote, a backslash or a control character");
    if (scope->token.length == 0 || scope->token_secret != node->index ||
        scope->subject.length != length || memcmp(scope->subject.data, subject, length) != 0) {
        load_cell_set(scope->arena, &scope->subject, subject, length);
        load_cell_set(scope->arena, &scope->token, signed_text,
            sign_token(scope, secret, subject, length, signed_text));
        scope->token_secret = node->index;
    }
    *ret = text_of(scope->token.data, scope->token.length);
    return true;
}

/* Sixty-four hexadecimal digits of what the arguments are together. */
static bool
keyed_digest(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    static const char digits[] = "0123456789abcdef";
    const struct load_secret *secret = &scope->world->secrets.items[node->index];
    unsigned char digest[SHA256_SIZE];
    char text[MOST_SIGNED];
    size_t length = 0;

    if (!secret->text)
        return load_problem(scope, secret->problem);
    for (size_t i = 0; i < node->arg_count; i++) {
        size_t more;

        if (!put_text(&args[i], text + length, sizeof(text) - length, &more))
            return load_problem(scope, "what hmac() is asked of is longer than 1 kB");
        length += more;
    }
    hmac_sha256(secret->text, secret->length, text, length, digest);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        scope->world->scratch[2 * i] = digits[digest[i] >> 4];
        scope->world->scratch[2 * i + 1] = digits[digest[i] & 15];
    }
    *ret = text_of(scope->world->scratch, sizeof(digest) * 2);
    return true;
}

/* "[0.123,-0.456,…]": uniform from -0.999 to 0.999, of three digits so that it costs little. */
static bool
vector(struct load_scope *scope, const struct load_node *node, const struct load_value *args,
    struct load_value *ret)
{
    char *text = scope->world->scratch;
    size_t length = 0;
    int64_t count;

    (void)node;
    if (!want_integer(scope, &args[0], &count))
        return false;
    if (count < 1 || count > MOST_VECTOR)
        return load_problem(scope, "a vector has 1 to 4096 numbers");
    text[length++] = '[';
    for (int64_t i = 0; i < count; i++) {
        uint32_t number = (uint32_t)(load_scope_random(scope) * 1999);
        uint32_t size = number < 999 ? 999 - number : number - 999;

        if (i > 0)
            text[length++] = ',';
        if (number < 999)
            text[length++] = '-';
        text[length++] = '0';
        text[length++] = '.';
        text[length++] = (char)('0' + size / 100);
        text[length++] = (char)('0' + size / 10 % 10);
        text[length++] = (char)('0' + size % 10);
    }
    text[length++] = ']';
    *ret = text_of(text, length);
    return true;
}

static const struct load_function functions[] = {
    { .name = "client_id", .is_word = true, .detail = CLIENT_ID, .call = who },
    { .name = "hmac",
        .least = 1,
        .most = FUNCTION_MOST_ARGS,
        .takes_secret = true,
        .call = keyed_digest },
    { .name = "jwt", .least = 1, .most = 1, .takes_secret = true, .call = token },
    { .name = "random_vector", .least = 1, .most = 1, .call = vector },
    { .name = "unique", .is_word = true, .detail = UNIQUE, .call = who },
    { .name = "user_number", .is_word = true, .detail = USER_NUMBER, .call = who },
};
const struct load_functions load_text_functions = { functions, COUNT_OF(functions) };
