/* The messages of the authentication: passed on, or answered where TLS on both sides forbids that. */
#include <string.h>

#include "base/base64.h"
#include "queries/proxy/login_state.h"

enum {
    AUTH_OK = 0,
    AUTH_SASL = 10,
    AUTH_SASL_CONTINUE = 11,
    AUTH_SASL_FINAL = 12,
    NONCE_SIZE = 18, /* as PostgreSQL's */
};

static const char SCRAM[] = "SCRAM-SHA-256";
static const char PLUS[] = "SCRAM-SHA-256-PLUS";

static enum login_step
pass_to_client(struct login *login, const struct wire_message *message)
{
    buffer_append(login->buffers.to_client, message->bytes, message->size);
    login->has_passed = true;
    return LOGIN_MORE;
}

/* ---- messages that are made here ---- */

static void
add_number(struct buffer *buffer, size_t number)
{
    const unsigned char bytes[] = { (unsigned char)(number >> 24), (unsigned char)(number >> 16),
        (unsigned char)(number >> 8), (unsigned char)number };

    buffer_append(buffer, bytes, sizeof(bytes));
}

static void
add_sasl(struct buffer *buffer, uint32_t code, const void *data, size_t length)
{
    buffer_append(buffer, "R", 1);
    add_number(buffer, 4 + 4 + length);
    add_number(buffer, code);
    buffer_append(buffer, data, length);
}

static void
send_first(struct buffer *buffer, const char *mechanism, const char *text)
{
    size_t length = strlen(text);

    buffer_append(buffer, "p", 1);
    add_number(buffer, 4 + strlen(mechanism) + 1 + 4 + length);
    buffer_append(buffer, mechanism, strlen(mechanism) + 1);
    add_number(buffer, length);
    buffer_append(buffer, text, length);
}

static void
send_final(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, "p", 1);
    add_number(buffer, 4 + strlen(text));
    buffer_append(buffer, text, strlen(text));
}

/* The mechanisms' names, each with its NUL, and the NUL that ends them. */
static void
offer(struct login *login, const char *const *names, size_t count)
{
    struct buffer list = { .arena = login->ctx.arena };

    for (size_t i = 0; i < count; i++)
        buffer_append(&list, names[i], strlen(names[i]) + 1);
    buffer_append(&list, "", 1);
    add_sasl(login->buffers.to_client, AUTH_SASL, list.data, list.length);
    login->has_passed = true;
}

/* ---- SCRAM that passes ---- */

static bool
has_same_certificate(const struct login *login)
{
    const struct scram_binding *a = &login->client.binding, *b = &login->server.binding;

    return a->length > 0 && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* A client without TLS does not know what to make of PLUS, and the server would not miss it. */
static enum login_step
pass_without_plus(struct login *login, const struct text_list *names)
{
    struct text_list kept = { 0 };

    for (size_t i = 0; i < names->count; i++)
        if (!text_ends_with(names->items[i], "-PLUS"))
            text_list_add(login->ctx.arena, &kept, names->items[i]);
    if (kept.count == 0)
        return login_refuse(login, "28000",
            "the server wants channel binding, which needs TLS from the client to the proxy",
            "Give the proxy a certificate and let the client use sslmode=require.");
    offer(login, kept.items, kept.count);
    return LOGIN_MORE;
}

static enum login_step
refuse_binding(struct login *login)
{
    struct arena *arena = login->ctx.arena;
    const char *file = login->rules->verifier_file;
    const char *message =
        "channel binding is not possible through this proxy, which has another certificate than the server";

    if (file)
        message = arena_printf(arena, "%s, and no verifier of the user \"%s\" in its file", message,
            text_is_utf8(login->user) ? login->user : "?");
    return login_refuse(login, "28000", message,
        arena_printf(arena,
            "One of three: %s; or give the proxy the server's own certificate and key; or let the "
            "client connect with channel_binding=disable.",
            file ? "add the user's pg_authid.rolpassword to the proxy's file of verifiers"
                 : "give the proxy a file of verifiers (--verifiers)"));
}

/* ---- SCRAM that is ended here ---- */

static enum login_step
end_scram(struct login *login, const struct scram_verifier *verifier)
{
    static const char *const names[] = { PLUS, SCRAM };
    struct arena *arena = login->ctx.arena;
    unsigned char random[2][NONCE_SIZE];
    bool has_plus = login->client.binding.length > 0;

    random_bytes(random, sizeof(random));
    login->as_server = (struct scram_server){
        .verifier = verifier,
        .binding = login->client.binding,
        .nonce = base64url_encode(arena, random[0], NONCE_SIZE),
    };
    login->as_client = (struct scram_client){
        .verifier = verifier,
        .binding = login->server.binding,
        .nonce = base64url_encode(arena, random[1], NONCE_SIZE),
    };
    if (!login->server_has_plus)
        login->as_client.binding.length = 0;
    login->scram = SCRAM_FIRST;
    offer(login, has_plus ? names : names + 1, has_plus ? 2 : 1);
    return LOGIN_MORE;
}

/* The client's fault, but for one case: what the proxy was given is not what the server has. */
static enum login_step
refuse_scram(struct login *login)
{
    const char *sqlstate = "08P01";

    if (login->ctx.error.kind == ERR_IDENTITY)
        sqlstate = "28000";
    if (login->ctx.error.kind == ERR_UNSUPPORTED)
        sqlstate = "0A000";
    if (login->ctx.error.kind == ERR_CONFLICT) {
        sqlstate = "28000";
        error_set(&login->ctx, ERR_CONFLICT,
            "the proxy's verifier of the user \"%s\" is not the one that the server has",
            text_is_utf8(login->user) ? login->user : "?");
        error_hint(&login->ctx,
            "Copy the user's pg_authid.rolpassword to the proxy's file of verifiers again, and start the proxy anew.");
    }
    return login_refuse_error(login, sqlstate);
}

struct sasl_first {
    const char *mechanism;
    const char *data;
    size_t length;
};

static bool
read_first(const struct wire_message *message, struct sasl_first *ret)
{
    size_t at = 0;

    ret->mechanism = wire_read_text(message, &at);
    if (!ret->mechanism || message->length - at < 4)
        return false;
    ret->length = wire_read_number(message, &at, 4);
    ret->data = message->body + at;
    return ret->length == message->length - at;
}

static enum login_step
take_first(struct login *login, const struct wire_message *message)
{
    struct sasl_first first;
    const char *answer;

    if (message->type != 'p' || !read_first(message, &first))
        return login_refuse(login, "08P01", "expected SASL response", NULL);
    login->as_server.is_plus = strcmp(first.mechanism, PLUS) == 0;
    if (!(login->as_server.is_plus && login->as_server.binding.length > 0) &&
        strcmp(first.mechanism, SCRAM) != 0)
        return login_refuse(
            login, "08P01", "client selected an invalid SASL authentication mechanism", NULL);
    if (!scram_server_first(&login->ctx, &login->as_server, first.data, first.length, &answer))
        return refuse_scram(login);
    add_sasl(login->buffers.to_client, AUTH_SASL_CONTINUE, answer, strlen(answer));
    login->scram = SCRAM_FINAL;
    return LOGIN_MORE;
}

/* The key is in the proof; whether it is the right one is the server's to say, in its own words. */
static enum login_step
take_final(struct login *login, const struct wire_message *message)
{
    if (message->type != 'p')
        return login_refuse(login, "08P01", "expected SASL response", NULL);
    if (!scram_server_key(
            &login->ctx, &login->as_server, message->body, message->length, login->key))
        return refuse_scram(login);
    send_first(login->buffers.to_server, login->as_client.binding.length > 0 ? PLUS : SCRAM,
        scram_client_first(login->ctx.arena, &login->as_client));
    login->scram = SCRAM_ASKED;
    login->is_clients_turn = false;
    return LOGIN_MORE;
}

static enum login_step
answer_server(struct login *login, const char *data, size_t length)
{
    const char *answer;

    if (!scram_client_final(&login->ctx, &login->as_client, data, length, login->key, &answer))
        return refuse_scram(login);
    explicit_bzero(login->key, sizeof(login->key));
    send_final(login->buffers.to_server, answer);
    login->scram = SCRAM_SENT;
    return LOGIN_MORE;
}

static enum login_step
end_exchange(struct login *login, const char *data, size_t length)
{
    const char *last;

    if (!scram_client_trusts(&login->ctx, &login->as_client, data, length))
        return refuse_scram(login);
    last = scram_server_final(login->ctx.arena, &login->as_server);
    add_sasl(login->buffers.to_client, AUTH_SASL_FINAL, last, strlen(last));
    login->scram = SCRAM_OVER;
    return LOGIN_MORE;
}

/* ---- both sides ---- */

static enum login_step
take_mechanisms(struct login *login, const struct wire_message *message)
{
    struct text_list names = { 0 };
    const struct scram_verifier *verifier = map_get(&login->rules->verifiers, login->user);
    size_t at = 4;

    for (const char *name = wire_read_text(message, &at); name && *name;
         name = wire_read_text(message, &at))
        text_list_add(login->ctx.arena, &names, name);
    login->server_has_plus = text_list_has(&names, PLUS);
    login->is_clients_turn = true;
    if (!login->client.has_tls && login->server_has_plus)
        return pass_without_plus(login, &names);
    if (!login->client.has_tls || !login->server.has_tls || has_same_certificate(login))
        return pass_to_client(login, message);
    if (verifier && text_list_has(&names, SCRAM))
        return end_scram(login, verifier);
    login->scram = login->server_has_plus ? SCRAM_GUARDED : SCRAM_PASSES;
    return pass_to_client(login, message);
}

static enum login_step
take_authentication(struct login *login, const struct wire_message *message)
{
    size_t at = 0;
    uint32_t code = wire_read_number(message, &at, 4);

    if (message->length < 4)
        return login_refuse(login, "08P01", "what answers is not a PostgreSQL server", NULL);
    switch (code) {
    case AUTH_OK:
        if (login->scram >= SCRAM_FIRST && login->scram < SCRAM_OVER)
            return login_refuse(login, "08P01", "the server lets in without an end of SCRAM", NULL);
        pass_to_client(login, message);
        login->state = STATE_DONE;
        return LOGIN_DONE;
    case AUTH_SASL:
        return take_mechanisms(login, message);
    case AUTH_SASL_CONTINUE:
        if (login->scram == SCRAM_ASKED)
            return answer_server(login, message->body + at, message->length - at);
        break;
    case AUTH_SASL_FINAL:
        if (login->scram == SCRAM_SENT)
            return end_exchange(login, message->body + at, message->length - at);
        return pass_to_client(login, message);
    default:
        break;
    }
    if (login->scram >= SCRAM_FIRST)
        return login_refuse(login, "08P01", "the server's authentication is out of order", NULL);
    login->is_clients_turn = true;
    return pass_to_client(login, message);
}

enum login_step
login_server_message(struct login *login, const struct wire_message *message)
{
    switch (message->type) {
    case 'R':
        return take_authentication(login, message);
    case 'E':
        pass_to_client(login, message);
        login->state = STATE_REFUSED;
        return LOGIN_REFUSED;
    default:
        return pass_to_client(login, message);
    }
}

enum login_step
login_client_message(struct login *login, const struct wire_message *message)
{
    struct sasl_first first;

    if (login->scram == SCRAM_FIRST)
        return take_first(login, message);
    if (login->scram == SCRAM_FINAL)
        return take_final(login, message);
    if (login->scram == SCRAM_GUARDED) {
        if (message->type == 'p' && read_first(message, &first) &&
            (strcmp(first.mechanism, PLUS) == 0 ||
                (strcmp(first.mechanism, SCRAM) == 0 &&
                    scram_binding_flag(first.data, first.length) == 'y')))
            return refuse_binding(login);
        login->scram = SCRAM_PASSES;
    }
    login->is_clients_turn = false;
    buffer_append(login->buffers.to_server, message->bytes, message->size);
    return LOGIN_MORE;
}
