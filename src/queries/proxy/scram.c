#include "queries/proxy/scram.h"

#include "base/base64.h"
#include "base/text.h"

static const char BINDING_NAME[] = "tls-server-end-point";

/* Standard base64 is base64url with two other letters and padding. */
static void
replace(char *text, size_t length, char old, char new)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == old)
            text[i] = new;
}

static const char *
encode(struct arena *arena, const void *data, size_t length)
{
    const char *url = base64url_encode(arena, data, length);
    char *text = arena_printf(arena, "%s%s", url,
        length % 3 == 0   ? ""
        : length % 3 == 1 ? "=="
                          : "=");

    replace(text, strlen(text), '-', '+');
    replace(text, strlen(text), '_', '/');
    return text;
}

static bool
decode(struct arena *arena, const char *text, const unsigned char **ret, size_t *ret_length)
{
    char *url = arena_strdup(arena, text);
    size_t length = strlen(url);

    if (length % 4 != 0 || strpbrk(text, "-_"))
        return false;
    for (int padding = 0; padding < 2 && length > 0 && url[length - 1] == '='; padding++)
        length--;
    replace(url, length, '+', '-');
    replace(url, length, '/', '_');
    return base64url_decode(arena, url, length, ret, ret_length);
}

static bool
decode_key(struct arena *arena, const char *text, unsigned char ret[SHA256_SIZE])
{
    const unsigned char *bytes;
    size_t length;

    if (!decode(arena, text, &bytes, &length) || length != SHA256_SIZE)
        return false;
    memcpy(ret, bytes, SHA256_SIZE);
    return true;
}

static bool
read_iterations(const char *text, uint32_t *ret)
{
    int64_t number;

    if (!text_to_int64(text, &number) || number < 1 || number > INT32_MAX)
        return false;
    *ret = (uint32_t)number;
    return true;
}

bool
scram_read_verifier(struct arena *arena, const char *text, struct scram_verifier *ret)
{
    static const char name[] = "SCRAM-SHA-256$";
    const unsigned char *salt;
    size_t length;

    if (strncmp(text, name, sizeof(name) - 1) != 0)
        return false;

    char *iterations = arena_strdup(arena, text + sizeof(name) - 1);
    char *colon = strchr(iterations, ':');
    char *dollar = colon ? strchr(colon, '$') : NULL;
    char *second = dollar ? strchr(dollar, ':') : NULL;

    if (!second)
        return false;
    *colon = '\0';
    *dollar = '\0';
    *second = '\0';
    ret->salt = colon + 1;
    return read_iterations(iterations, &ret->iterations) &&
           decode(arena, ret->salt, &salt, &length) && length > 0 &&
           decode_key(arena, dollar + 1, ret->stored_key) &&
           decode_key(arena, second + 1, ret->server_key);
}

/* ---- the messages: "a=…,b=…" ---- */

char
scram_binding_flag(const char *client_first, size_t length)
{
    if (length > 0 && (*client_first == 'n' || *client_first == 'y' || *client_first == 'p'))
        return *client_first;
    return '\0';
}

/* A copy that is a C string; NULL when it holds a NUL or other characters that cannot be in a message. */
static const char *
message_text(struct arena *arena, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)data[i] < ' ' || data[i] == 0x7f)
            return NULL;
    return arena_strndup(arena, data, length);
}

/* The value of the attribute that must stand at *at, which moves behind its comma. */
static const char *
attribute(struct arena *arena, const char **at, char name)
{
    if (!*at || (*at)[0] != name || (*at)[1] != '=')
        return NULL;

    const char *value = *at + 2;
    size_t length = strcspn(value, ",");

    *at = value[length] ? value + length + 1 : NULL;
    return arena_strndup(arena, value, length);
}

static bool
wrong_message(struct ctx *ctx, const char *what)
{
    return error_set(ctx, ERR_INPUT, "malformed SCRAM message (%s)", what);
}

static void
signature(const void *key, const char *messages, unsigned char ret[SHA256_SIZE])
{
    hmac_sha256(key, SHA256_SIZE, messages, strlen(messages), ret);
}

static void
exclusive_or(
    unsigned char ret[SHA256_SIZE], const unsigned char *a, const unsigned char b[SHA256_SIZE])
{
    for (size_t i = 0; i < SHA256_SIZE; i++)
        ret[i] = a[i] ^ b[i];
}

/* The base64 of the header and the certificate's hash: what is bound to. */
static const char *
binding_value(struct arena *arena, const char *header, const struct scram_binding *binding)
{
    struct buffer bytes = { .arena = arena };

    buffer_add(&bytes, header);
    if (*header == 'p')
        buffer_append(&bytes, binding->bytes, binding->length);
    return encode(arena, bytes.data, bytes.length);
}

/* ---- as the server ---- */

/* "n,,", "y,," or "p=tls-server-end-point,,": what the client says of binding. */
static bool
read_header(struct ctx *ctx, struct scram_server *server, const char *text, const char **ret_bare)
{
    const char *comma = strchr(text, ',');
    char flag = scram_binding_flag(text, strlen(text));

    if (!comma || !flag || (flag != 'p' && comma != text + 1))
        return wrong_message(ctx, "no channel binding flag");
    if (comma[1] != ',')
        return error_set(ctx, ERR_UNSUPPORTED,
            "the client uses an authorization identity, which PostgreSQL does not support");
    if ((flag == 'p') != server->is_plus)
        return wrong_message(ctx, "the channel binding flag is not that of the mechanism");
    if (flag == 'y' && server->binding.length > 0)
        return error_set(ctx, ERR_IDENTITY,
            "SCRAM channel binding negotiation error: the client thinks that it was not offered");
    if (flag == 'p' && strncmp(text, "p=", 2) == 0 &&
        !(strncmp(text + 2, BINDING_NAME, sizeof(BINDING_NAME) - 1) == 0 &&
            comma == text + 2 + sizeof(BINDING_NAME) - 1))
        return error_set(
            ctx, ERR_UNSUPPORTED, "only the channel binding %s is supported", BINDING_NAME);
    server->header = arena_strndup(ctx->arena, text, (size_t)(comma + 2 - text));
    *ret_bare = comma + 2;
    return true;
}

bool
scram_server_first(struct ctx *ctx, struct scram_server *server, const char *client_first,
    size_t length, const char **ret)
{
    const char *text = message_text(ctx->arena, client_first, length), *bare = NULL;

    if (!text)
        return wrong_message(ctx, "unprintable characters");
    if (!read_header(ctx, server, text, &bare))
        return false;

    const char *at = bare;
    const char *user = attribute(ctx->arena, &at, 'n');
    const char *nonce = user ? attribute(ctx->arena, &at, 'r') : NULL;

    if (!nonce || !*nonce)
        return wrong_message(ctx, "no user or no nonce");
    server->client_first_bare = bare;
    server->both_nonces = arena_printf(ctx->arena, "%s%s", nonce, server->nonce);
    server->server_first = arena_printf(ctx->arena, "r=%s,s=%s,i=%u", server->both_nonces,
        server->verifier->salt, server->verifier->iterations);
    *ret = server->server_first;
    return true;
}

bool
scram_server_key(struct ctx *ctx, struct scram_server *server, const char *client_final,
    size_t length, unsigned char ret[SHA256_SIZE])
{
    const char *text = message_text(ctx->arena, client_final, length);
    const char *end = text ? strstr(text, ",p=") : NULL, *at = text;
    unsigned char proof[SHA256_SIZE], signed_by_key[SHA256_SIZE];

    if (!end || !decode_key(ctx->arena, end + 3, proof))
        return wrong_message(ctx, "no proof");

    const char *bound = attribute(ctx->arena, &at, 'c');
    const char *nonce = bound ? attribute(ctx->arena, &at, 'r') : NULL;

    if (!nonce)
        return wrong_message(ctx, "no channel binding or no nonce");
    if (!text_equal(nonce, server->both_nonces))
        return wrong_message(ctx, "another nonce");
    if (!text_equal(bound, binding_value(ctx->arena, server->header, &server->binding)))
        return error_set(ctx, ERR_IDENTITY, "SCRAM channel binding check failed");
    server->messages = arena_printf(ctx->arena, "%s,%s,%.*s", server->client_first_bare,
        server->server_first, (int)(end - text), text);
    signature(server->verifier->stored_key, server->messages, signed_by_key);
    exclusive_or(ret, proof, signed_by_key);
    return true;
}

const char *
scram_server_final(struct arena *arena, const struct scram_server *server)
{
    unsigned char signed_by_server[SHA256_SIZE];

    signature(server->verifier->server_key, server->messages, signed_by_server);
    return arena_printf(arena, "v=%s", encode(arena, signed_by_server, SHA256_SIZE));
}

/* ---- as the client ---- */

static const char *
client_header(struct arena *arena, const struct scram_client *client)
{
    return client->binding.length > 0 ? arena_printf(arena, "p=%s,,", BINDING_NAME) : "n,,";
}

const char *
scram_client_first(struct arena *arena, struct scram_client *client)
{
    /* PostgreSQL takes the user of the start-up message and wants this one empty. */
    client->first_bare = arena_printf(arena, "n=,r=%s", client->nonce);
    return arena_printf(arena, "%s%s", client_header(arena, client), client->first_bare);
}

bool
scram_client_final(struct ctx *ctx, struct scram_client *client, const char *server_first,
    size_t length, const unsigned char key[SHA256_SIZE], const char **ret)
{
    const char *text = message_text(ctx->arena, server_first, length), *at = text;
    const char *nonce = text ? attribute(ctx->arena, &at, 'r') : NULL;
    const char *salt = nonce ? attribute(ctx->arena, &at, 's') : NULL;
    const char *count = salt ? attribute(ctx->arena, &at, 'i') : NULL;
    unsigned char stored_key[SHA256_SIZE], proof[SHA256_SIZE];
    uint32_t iterations;

    if (!count || !read_iterations(count, &iterations))
        return wrong_message(ctx, "of the server");
    if (!text_starts_with(nonce, client->nonce) || text_equal(nonce, client->nonce))
        return wrong_message(ctx, "of the server: another nonce");
    if (!text_equal(salt, client->verifier->salt) || iterations != client->verifier->iterations)
        return error_set(ctx, ERR_CONFLICT, "the server has another verifier");

    const char *own = arena_printf(ctx->arena, "c=%s,r=%s",
        binding_value(ctx->arena, client_header(ctx->arena, client), &client->binding), nonce);

    client->messages = arena_printf(ctx->arena, "%s,%s,%s", client->first_bare, text, own);
    sha256_bytes(key, SHA256_SIZE, stored_key);
    signature(stored_key, client->messages, proof);
    exclusive_or(proof, key, proof);
    *ret = arena_printf(ctx->arena, "%s,p=%s", own, encode(ctx->arena, proof, SHA256_SIZE));
    return true;
}

bool
scram_client_trusts(
    struct ctx *ctx, const struct scram_client *client, const char *server_final, size_t length)
{
    const char *text = message_text(ctx->arena, server_final, length), *at = text;
    const char *value = text ? attribute(ctx->arena, &at, 'v') : NULL;
    unsigned char given[SHA256_SIZE], expected[SHA256_SIZE];

    if (!value || !decode_key(ctx->arena, value, given))
        return wrong_message(ctx, "of the server: no signature");
    signature(client->verifier->server_key, client->messages, expected);
    if (!bytes_equal_in_constant_time(given, expected, SHA256_SIZE))
        return error_set(ctx, ERR_CONFLICT, "the server's signature is not that of the verifier");
    return true;
}
