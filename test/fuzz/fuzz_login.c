/*
 * Any bytes as a log-in without TLS, in pieces of either side, and as SCRAM's messages: no crash, no
 * leak; what the server is sent and what is left for it are the client's last bytes, unchanged. The first
 * byte of each piece says how long it is and who sends it.
 */
#include <assert.h>
#include <string.h>

#include "queries/proxy/login.h"
#include "queries/proxy/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
exchange(struct ctx *ctx, const char *text, size_t length)
{
    static const char verifier_text[] =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    static const char first_text[] = "n,,n=,r=abc";
    struct scram_verifier verifier, other;
    struct scram_server server = { .verifier = &verifier, .nonce = "DEF" };
    struct scram_client client = { .verifier = &verifier, .nonce = "abc" };
    unsigned char key[SHA256_SIZE] = { 0 };
    const char *answer;
    bool is_good = scram_read_verifier(ctx->arena, verifier_text, &verifier);

    assert(is_good);
    (void)!scram_read_verifier(ctx->arena, arena_strndup(ctx->arena, text, length), &other);
    (void)!scram_binding_flag(text, length);
    for (int is_plus = 0; is_plus < 2; is_plus++) {
        server.is_plus = is_plus == 1;
        server.binding.length = is_plus ? SHA256_SIZE : 0;
        (void)!scram_server_first(ctx, &server, text, length, &answer);
    }
    server.is_plus = false;
    server.binding.length = 0;
    is_good = scram_server_first(ctx, &server, first_text, sizeof(first_text) - 1, &answer);
    assert(is_good);
    if (scram_server_key(ctx, &server, text, length, key))
        (void)!scram_server_final(ctx->arena, &server);
    (void)!scram_client_first(ctx->arena, &client);
    client.messages = "";
    (void)!scram_client_final(ctx, &client, text, length, key, &answer);
    /* Nobody finds the signature by chance. */
    is_good = scram_client_trusts(ctx, &client, text, length);
    assert(!is_good);
}

struct session {
    struct login *login;
    struct buffer to_client;
    struct buffer to_server;
    struct buffer from_client;
};

/* Steps are taken as the owner would, who has no TLS. */
static bool
take(struct session *session, enum login_step step)
{
    while (step == LOGIN_CONNECT)
        step = login_connected(session->login);
    assert(step != LOGIN_TLS_CLIENT && step != LOGIN_TLS_SERVER);
    return step == LOGIN_MORE;
}

static void
check(struct session *session, bool is_done)
{
    size_t left, sent = session->to_server.length;
    const char *rest = login_rest(session->login, true, &left);
    const struct buffer *all = &session->from_client;

    if (!is_done)
        return;
    assert(sent + left <= all->length && sent > 0);
    assert(memcmp(all->data + all->length - left - sent, session->to_server.data, sent) == 0);
    assert(left == 0 || memcmp(all->data + all->length - left, rest, left) == 0);
}

static void
log_in(struct ctx *ctx, const uint8_t *data, size_t size)
{
    struct login_rules *rules;
    struct session session = { .to_client.arena = ctx->arena,
        .to_server.arena = ctx->arena,
        .from_client.arena = ctx->arena };
    bool is_open = login_rules_new(
        ctx, &(struct proxy_options){ .host = "h", .server_ssl_mode = "disable" }, &rules);
    enum login_step step = LOGIN_MORE;

    assert(is_open);
    session.login = login_new(rules,
        (struct login_buffers){ .to_client = &session.to_client, .to_server = &session.to_server });
    while (is_open && size > 0) {
        size_t length = *data >> 1;
        bool is_client = *data & 1;

        data++;
        size--;
        if (length > size)
            length = size;
        if (is_client)
            buffer_append(&session.from_client, data, length);
        step = is_client ? login_client_bytes(session.login, data, length)
                         : login_server_bytes(session.login, data, length);
        is_open = take(&session, step);
        data += length;
        size -= length;
    }
    check(&session, step == LOGIN_DONE);
    login_free(session.login);
    login_rules_free(rules);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    exchange(&ctx, (const char *)data, size);
    log_in(&ctx, data, size);
    return 0;
}
