/*
 * The log-in without sockets: messages go in, what is sent to either side comes out. Expectations are
 * the message formats of PostgreSQL's documentation; real clients and servers are in test/nplus1/tls.py.
 */
#include "support/test.h"

#include "queries/proxy/login.h"

/* A literal with its NULs, without the last one. */
#define BYTES(text) (text), sizeof(text) - 1

#define ASK_TLS     "\0\0\0\x08\x04\xd2\x16\x2f"
#define ASK_GSS     "\0\0\0\x08\x04\xd2\x16\x30"
#define SESSION     "\0\0\0\x1e\0\x03\0\0user\0ann\0database\0db\0\0"
#define OK          "R\0\0\0\x08\0\0\0\0"
#define READY       "Z\0\0\0\x05I"
#define SASL_BOTH   "R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
#define SASL_PLAIN  "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"

struct session {
    struct login_rules *rules;
    struct login *login;
    struct buffer to_client;
    struct buffer to_server;
};

static struct session *
session_with(struct ctx *ctx, const struct proxy_options *options)
{
    struct session *session = ARENA_NEW(ctx->arena, struct session);

    session->to_client.arena = ctx->arena;
    session->to_server.arena = ctx->arena;
    assert_true(login_rules_new(ctx, options, &session->rules));
    session->login =
        login_new(session->rules, (struct login_buffers){ .to_client = &session->to_client,
                                      .to_server = &session->to_server });
    return session;
}

static struct session *
session_new(struct ctx *ctx, const char *mode)
{
    return session_with(
        ctx, &(struct proxy_options){ .host = "127.0.0.1", .server_ssl_mode = mode });
}

static void
session_free(struct session *session)
{
    login_free(session->login);
    login_rules_free(session->rules);
}

/* What was to be sent is exactly this, and is sent. */
static void
assert_sent(struct buffer *buffer, const char *bytes, size_t length)
{
    assert_int_equal(buffer->length, length);
    if (length > 0)
        assert_memory_equal(buffer->data, bytes, length);
    buffer->length = 0;
}

static bool
holds(const struct buffer *buffer, const char *text)
{
    return memmem(buffer->data, buffer->length, text, strlen(text)) != NULL;
}

/* An ErrorResponse with this SQLSTATE and text. */
static void
assert_refused(struct session *session, const char *sqlstate, const char *text)
{
    assert_true(session->to_client.length > 5);
    assert_int_equal(session->to_client.data[0], 'E');
    if (!holds(&session->to_client, sqlstate) || !holds(&session->to_client, text))
        fail_msg("no %s or \"%s\"", sqlstate, text);
    assert_int_equal(session->to_server.length, 0);
    session->to_client.length = 0;
}

/* ---- messages pass ---- */

static void
a_start_passes_unchanged_wherever_its_bytes_end(void **state)
{
    struct ctx *ctx = *state;
    const size_t size = sizeof(SESSION) - 1;

    for (size_t cut = 0; cut < size; cut++) {
        struct session *session = session_new(ctx, "disable");
        size_t length;
        const char *start;

        assert_int_equal(login_client_bytes(session->login, SESSION, cut), LOGIN_MORE);
        assert_null(login_start(session->login, &length));
        assert_int_equal(
            login_client_bytes(session->login, &SESSION[cut], size - cut), LOGIN_CONNECT);
        start = login_start(session->login, &length);
        assert_int_equal(length, size - 8);
        assert_memory_equal(start, &SESSION[8], length);
        assert_int_equal(session->to_server.length, 0);
        assert_int_equal(login_connected(session->login), LOGIN_MORE);
        assert_sent(&session->to_server, BYTES(SESSION));
        assert_int_equal(login_server_bytes(session->login, BYTES(OK)), LOGIN_DONE);
        assert_sent(&session->to_client, BYTES(OK));
        session_free(session);
    }
}

static struct session *
session_at_login(struct ctx *ctx)
{
    struct session *session = session_new(ctx, "disable");

    assert_int_equal(login_client_bytes(session->login, BYTES(SESSION)), LOGIN_CONNECT);
    assert_int_equal(login_connected(session->login), LOGIN_MORE);
    assert_sent(&session->to_server, BYTES(SESSION));
    return session;
}

static void
questions_and_answers_pass_in_turn(void **state)
{
    static const char md5[] = "R\0\0\0\x0c\0\0\0\x05salt", answer[] = "p\0\0\0\x08md5x";
    static const char version[] = "v\0\0\0\x0c\0\0\0\0\0\0\0\0", notice[] = "N\0\0\0\x05";
    struct session *session = session_at_login(*state);
    size_t length;

    /* Talk that comes early waits, byte for byte. */
    assert_int_equal(login_client_bytes(session->login, BYTES(answer)), LOGIN_MORE);
    assert_int_equal(session->to_server.length, 0);
    assert_int_equal(login_server_bytes(session->login, BYTES(version)), LOGIN_MORE);
    assert_sent(&session->to_client, BYTES(version));
    assert_int_equal(login_server_bytes(session->login, notice, sizeof(notice)), LOGIN_MORE);
    assert_sent(&session->to_client, notice, sizeof(notice));
    assert_int_equal(login_server_bytes(session->login, BYTES(md5)), LOGIN_MORE);
    assert_sent(&session->to_client, BYTES(md5));
    assert_sent(&session->to_server, BYTES(answer));
    /* What follows belongs to the traffic, on either side. */
    assert_int_equal(login_client_bytes(session->login, BYTES("Q\0\0\0\x05")), LOGIN_MORE);
    assert_int_equal(login_server_bytes(session->login, BYTES(OK READY)), LOGIN_DONE);
    assert_sent(&session->to_client, BYTES(OK));
    assert_memory_equal(login_rest(session->login, false, &length), READY, sizeof(READY) - 1);
    assert_int_equal(length, sizeof(READY) - 1);
    assert_memory_equal(login_rest(session->login, true, &length), "Q\0\0\0\x05", 5);
    assert_int_equal(length, 5);
    session_free(session);
}

static void
an_error_of_the_server_passes_and_ends_it(void **state)
{
    static const char error[] = "E\0\0\0\x10"
                                "C28P01\0Mno\0";
    struct session *session = session_at_login(*state);

    assert_int_equal(login_server_bytes(session->login, error, sizeof(error)), LOGIN_REFUSED);
    assert_sent(&session->to_client, error, sizeof(error));
    assert_int_equal(login_server_bytes(session->login, BYTES(OK)), LOGIN_REFUSED);
    assert_int_equal(session->to_client.length, 0);
    session_free(session);
}

static void
a_server_that_cannot_fork_is_understood(void **state)
{
    static const char error[] = "Ecould not fork new process for connection: no memory\n";
    struct session *session = session_at_login(*state);

    assert_int_equal(login_server_bytes(session->login, error, sizeof(error)), LOGIN_REFUSED);
    assert_refused(session, "08006", "could not fork new process");
    session_free(session);
}

static void
a_client_without_tls_is_not_offered_plus(void **state)
{
    struct session *session = session_at_login(*state);

    assert_int_equal(login_server_bytes(session->login, BYTES(SASL_BOTH)), LOGIN_MORE);
    assert_sent(&session->to_client, BYTES(SASL_PLAIN));
    session_free(session);
}

static void
other_ways_to_authenticate_pass(void **state)
{
    static const char gss[] = "R\0\0\0\x08\0\0\0\x07", more[] = "R\0\0\0\x0a\0\0\0\x08"
                                                                "ab";
    static const char token[] = "p\0\0\0\x07tok";
    struct session *session = session_at_login(*state);

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            assert_int_equal(login_server_bytes(session->login, BYTES(gss)), LOGIN_MORE);
        else
            assert_int_equal(login_server_bytes(session->login, BYTES(more)), LOGIN_MORE);
        session->to_client.length = 0;
        assert_int_equal(login_client_bytes(session->login, BYTES(token)), LOGIN_MORE);
        assert_sent(&session->to_server, BYTES(token));
    }
    assert_int_equal(login_server_bytes(session->login, BYTES(OK)), LOGIN_DONE);
    session_free(session);
}

/* ---- before the start ---- */

static void
encryption_that_is_not_there_is_declined(void **state)
{
    struct session *session = session_new(*state, "disable");

    assert_int_equal(login_client_bytes(session->login, BYTES(ASK_GSS)), LOGIN_MORE);
    assert_sent(&session->to_client, BYTES("N"));
    assert_int_equal(login_client_bytes(session->login, BYTES(ASK_TLS)), LOGIN_MORE);
    assert_sent(&session->to_client, BYTES("N"));
    assert_int_equal(login_client_bytes(session->login, BYTES(SESSION)), LOGIN_CONNECT);
    session_free(session);
}

static void
a_cancel_request_is_for_a_connection_of_its_own(void **state)
{
    static const char short_key[] = "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07KEY!";
    static const char long_key[] = "\0\0\0\x1c\x04\xd2\x16\x2e\0\0\0\x07KEY of sixteen b";
    struct session *session = session_new(*state, "disable");

    assert_int_equal(login_client_bytes(session->login, BYTES(short_key)), LOGIN_CANCEL);
    assert_sent(&session->to_server, BYTES(short_key));
    session_free(session);
    /* Protocol 3.2 has longer ones. */
    session = session_new(*state, "disable");
    assert_int_equal(login_client_bytes(session->login, BYTES(long_key)), LOGIN_CANCEL);
    assert_sent(&session->to_server, BYTES(long_key));
    session_free(session);
}

static void
what_cannot_be_a_start_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *sqlstate;
        const char *text;
    } cases[] = {
        { BYTES("GET / HTTP/1.1\r\n\r\n"), "08P01", "invalid length" },
        { BYTES("\0\0\0\x03"), "08P01", "invalid length" },
        { BYTES("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"), "08P01", "invalid length" },
        { BYTES("\0\0\0\x08\0\x02\0\0"), "0A000", "protocol 2.0" },
        { BYTES("\0\0\0\x0d\0\x03\0\0user\0"), "08P01", "breaks off" },
        { BYTES(ASK_GSS ASK_GSS), "08P01", "unencrypted data after GSSAPI" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct session *session = session_new(ctx, "disable");

        assert_int_equal(
            login_client_bytes(session->login, cases[i].bytes, cases[i].length), LOGIN_REFUSED);
        assert_refused(session, cases[i].sqlstate, cases[i].text);
        session_free(session);
    }
}

/* What stands before the handshake could be somebody else's (CVE-2021-23214). */
static void
nothing_may_come_before_tls(void **state)
{
    struct session *session = session_new(*state, "disable");

    assert_int_equal(login_client_bytes(session->login, BYTES(ASK_TLS SESSION)), LOGIN_REFUSED);
    assert_refused(session, "08P01", "unencrypted data after SSL request");
    session_free(session);
}

static void
encryption_is_asked_for_once(void **state)
{
    struct session *session = session_new(*state, "disable");

    assert_int_equal(login_client_bytes(session->login, BYTES(ASK_TLS)), LOGIN_MORE);
    session->to_client.length = 0;
    assert_int_equal(login_client_bytes(session->login, BYTES(ASK_TLS)), LOGIN_REFUSED);
    assert_refused(session, "08P01", "second time");
    session_free(session);
}

/* ---- TLS with the server ---- */

static struct session *
session_asking(struct ctx *ctx, const char *mode)
{
    struct session *session = session_new(ctx, mode);

    assert_non_null(login_server_tls(session->rules));
    assert_int_equal(login_client_bytes(session->login, BYTES(SESSION)), LOGIN_CONNECT);
    assert_int_equal(login_connected(session->login), LOGIN_MORE);
    assert_sent(&session->to_server, BYTES(ASK_TLS));
    return session;
}

static void
the_modes_are_those_of_libpq(void **state)
{
    struct ctx *ctx = *state;
    struct session *session = session_asking(ctx, NULL);

    assert_int_equal(login_server_bytes(session->login, BYTES("N")), LOGIN_MORE);
    assert_sent(&session->to_server, BYTES(SESSION));
    session_free(session);

    session = session_asking(ctx, "require");
    assert_int_equal(login_server_bytes(session->login, BYTES("N")), LOGIN_REFUSED);
    assert_refused(session, "08001", "the server does not support TLS");
    session_free(session);

    session = session_asking(ctx, "prefer");
    assert_int_equal(login_server_bytes(session->login, BYTES("S")), LOGIN_TLS_SERVER);
    assert_int_equal(login_tls_failed(session->login, false, "why"), LOGIN_CONNECT);
    assert_int_equal(login_connected(session->login), LOGIN_MORE);
    assert_sent(&session->to_server, BYTES(SESSION));
    session_free(session);

    session = session_asking(ctx, "require");
    assert_int_equal(login_server_bytes(session->login, BYTES("S")), LOGIN_TLS_SERVER);
    assert_int_equal(login_tls_failed(session->login, false, "why so"), LOGIN_REFUSED);
    assert_refused(session, "08001", "why so");
    session_free(session);
}

static void
allow_tries_tls_when_it_is_refused_without(void **state)
{
    static const char error[] = "E\0\0\0\x10"
                                "C28000\0Mno\0";
    struct session *session = session_new(*state, "allow");

    assert_int_equal(login_client_bytes(session->login, BYTES(SESSION)), LOGIN_CONNECT);
    assert_int_equal(login_connected(session->login), LOGIN_MORE);
    assert_sent(&session->to_server, BYTES(SESSION));
    assert_int_equal(login_server_bytes(session->login, error, sizeof(error)), LOGIN_CONNECT);
    assert_int_equal(session->to_client.length, 0);
    assert_int_equal(login_connected(session->login), LOGIN_MORE);
    assert_sent(&session->to_server, BYTES(ASK_TLS));
    assert_int_equal(login_server_bytes(session->login, BYTES("N")), LOGIN_MORE);
    assert_sent(&session->to_server, BYTES(SESSION));
    /* Once, not for ever. */
    assert_int_equal(login_server_bytes(session->login, error, sizeof(error)), LOGIN_REFUSED);
    assert_sent(&session->to_client, error, sizeof(error));
    session_free(session);
}

static void
a_server_that_talks_before_tls_is_refused(void **state)
{
    struct session *session = session_asking(*state, "prefer");

    assert_int_equal(login_server_bytes(session->login, BYTES("S" OK)), LOGIN_REFUSED);
    assert_refused(session, "08P01", "unencrypted data after SSL response");
    session_free(session);

    session = session_asking(*state, "prefer");
    assert_int_equal(
        login_server_bytes(session->login, BYTES("HTTP/1.1 400 Bad Request\r\n")), LOGIN_REFUSED);
    assert_refused(session, "08P01", "not a PostgreSQL server");
    session_free(session);
}

static void
a_socket_of_the_file_system_needs_no_tls(void **state)
{
    struct session *session = session_with(
        *state, &(struct proxy_options){ .host = "/run/postgresql", .server_ssl_mode = "require" });

    assert_null(login_server_tls(session->rules));
    session_free(session);
}

/* ---- what is configured ---- */

static void
assert_no_rules(
    struct ctx *ctx, const struct proxy_options *options, enum error_kind kind, const char *text)
{
    struct login_rules *rules;

    error_clear(ctx);
    assert_false(login_rules_new(ctx, options, &rules));
    assert_error(ctx, kind, text);
}

static void
wrong_options_are_refused_at_the_start(void **state)
{
    struct ctx *ctx = *state;

    assert_no_rules(ctx, &(struct proxy_options){ .host = "h", .server_ssl_mode = "always" },
        ERR_CONFIG, "\"always\" is no sslmode");
    assert_no_rules(ctx, &(struct proxy_options){ .host = "h", .server_ssl_mode = "verify-full" },
        ERR_CONFIG, "sslmode=verify-full needs");
    assert_no_rules(ctx,
        &(struct proxy_options){ .host = "h", .server_ca_file = "/nowhere/ca.pem" }, ERR_CONFIG,
        "/nowhere/ca.pem");
    assert_no_rules(ctx, &(struct proxy_options){ .host = "h", .certificate_file = "/nowhere/c" },
        ERR_CONFIG, "both");
    assert_no_rules(ctx, &(struct proxy_options){ .host = "h", .verifier_file = "/nowhere/v" },
        ERR_IO, "/nowhere/v");
}

static void
verifier_files_are_read_line_by_line_and_not_shown(void **state)
{
    static const char good[] = "# the application\n\n; and others\n"
                               "\"ann\" \"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                               "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                               "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\"\r\n";
    static const struct {
        const char *line;
        const char *text;
    } wrong[] = {
        { "ann SCRAM-SHA-256$4096:secret\n", "line 5: this is not" },
        { "\"bob\"\n", "line 5: this is not" },
        { "\"bob\" \"secret\n", "line 5: this is not" },
        { "\"bob\" \"secret\"", "line 5: what stands for \"bob\"" },
        { "\"b\"\"b\" \"md5secretsecret\"", "line 5: what stands for \"b\"b\"" },
    };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "verifiers");
    struct proxy_options options = { .host = "h", .verifier_file = path };
    struct login_rules *rules;

    assert_true(file_write(ctx, path, good, sizeof(good) - 1, 0600));
    assert_true(login_rules_new(ctx, &options, &rules));
    login_rules_free(rules);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *text = arena_printf(ctx->arena, "%s%s", good, wrong[i].line);

        assert_true(file_write(ctx, path, text, strlen(text), 0600));
        assert_no_rules(ctx, &options, ERR_CONFIG, wrong[i].text);
        assert_null(strstr(ctx->error.message, "secret"));
    }
    assert_true(file_write(ctx, path, good, sizeof(good) - 1, 0644));
    assert_no_rules(ctx, &options, ERR_CONFIG, "can be read by others");
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_start_passes_unchanged_wherever_its_bytes_end),
        test_with_ctx(questions_and_answers_pass_in_turn),
        test_with_ctx(an_error_of_the_server_passes_and_ends_it),
        test_with_ctx(a_server_that_cannot_fork_is_understood),
        test_with_ctx(a_client_without_tls_is_not_offered_plus),
        test_with_ctx(other_ways_to_authenticate_pass),
        test_with_ctx(encryption_that_is_not_there_is_declined),
        test_with_ctx(a_cancel_request_is_for_a_connection_of_its_own),
        test_with_ctx(what_cannot_be_a_start_is_refused),
        test_with_ctx(nothing_may_come_before_tls),
        test_with_ctx(encryption_is_asked_for_once),
        test_with_ctx(the_modes_are_those_of_libpq),
        test_with_ctx(allow_tries_tls_when_it_is_refused_without),
        test_with_ctx(a_server_that_talks_before_tls_is_refused),
        test_with_ctx(a_socket_of_the_file_system_needs_no_tls),
        test_with_ctx(wrong_options_are_refused_at_the_start),
        test_with_ctx(verifier_files_are_read_line_by_line_and_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
