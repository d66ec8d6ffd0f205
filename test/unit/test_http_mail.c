#include "support/test.h"

#include "test_http_client_support.h"

static struct http_call
mail_to(struct fixture *fixture, int port, const char *receiver)
{
    struct http_call call = { .mail_from = "pgmend@example.com", .body = "hello\n" };

    call.url = arena_printf(fixture->ctx->arena, "smtp://localhost:%d", port);
    text_list_add(fixture->ctx->arena, &call.mail_to, receiver);
    return call;
}

/* The last mail that the peer got; what it is a member of is released by the caller. */
static const json_t *
last_mail(struct fixture *fixture, json_t **ret_all)
{
    get(fixture, web(fixture, "/mails"));
    *ret_all = parse(fixture);
    assert_true(json_array_size(*ret_all) > 0);
    return json_array_get(*ret_all, json_array_size(*ret_all) - 1);
}

static void
a_mail_arrives_as_it_was_meant(void **state)
{
    struct fixture *fixture = *state;
    struct http_call call = mail_to(fixture, peer.mail, "dba@example.org");
    static const char subject[] =
        "[critical] Replikation h\xc3\xa4ngt \xe2\x80\x93 \xf0\x9f\x9a\xa8\xf0\x9f\x9a\xa8 "
        "\xd1\x80\xd0\xb5\xd0\xbf\xd0\xbb\xd0\xb8\xd0\xba\xd0\xb0\xd1\x86\xd0\xb8\xd1\x8f "
        "\xd0\xbe\xd1\x82\xd1\x81\xd1\x82\xd0\xb0\xd1\x91\xd1\x82 by 4 GB on replica-2, since 03:14";
    const struct http_header header = { "Subject", subject };
    struct buffer body = { .arena = fixture->ctx->arena };
    json_t *all CLEANUP(json_release) = NULL;
    const json_t *mail, *headers;

    /* Lines that a mail server would take for the end, or find too long. */
    buffer_add(&body, ".\n..\nFrom here\nz\xc3\xa4hlt\n.\r\nQUIT\r\n");
    for (int i = 0; i < 3000; i++)
        buffer_add(&body, "x");
    buffer_add(&body, "\n");
    text_list_add(fixture->ctx->arena, &call.mail_to, "second@example.org");
    call.headers = &header;
    call.header_count = 1;
    call.body = body.data;
    start_client(fixture, &anything);
    call_and_wait(fixture, &call);
    if (!fixture->is_answered)
        fail_msg("%s", fixture->error);
    assert_int_equal(fixture->status, 250);

    mail = last_mail(fixture, &all);
    headers = json_object_get(mail, "headers");
    assert_true(
        text_starts_with(text_of(fixture, mail, "sender"), "MAIL FROM:<pgmend@example.com>"));
    assert_int_equal(json_array_size(json_object_get(mail, "receivers")), 2);
    assert_string_equal(text_of(fixture, headers, "from"), "pgmend@example.com");
    assert_string_equal(text_of(fixture, headers, "to"), "dba@example.org, second@example.org");
    assert_string_equal(text_of(fixture, headers, "subject"), subject);
    assert_non_null(strstr(text_of(fixture, headers, "message-id"), "@example.com>"));
    assert_non_null(strstr(text_of(fixture, headers, "date"), " +0000"));
    assert_string_equal(text_of(fixture, mail, "body"), body.data);
    assert_int_equal(json_array_size(json_object_get(mail, "defects")), 0);
    assert_in_range(json_get_int(mail, "longest", 0), 1, 998);
}

static void
texts_of_every_length_arrive_whole(void **state)
{
    struct fixture *fixture = *state;
    struct http_call call = mail_to(fixture, peer.mail, "dba@example.org");
    static const char text[] =
        "0123456789\xc3\xa4\xc3\xb6\xf0\x9f\x9a\xa8 0123456789\xc3\xa4\xc3\xb6\xf0\x9f\x9a\xa8 "
        "0123456789\xc3\xa4\xc3\xb6\xf0\x9f\x9a\xa8 abcdefghijklmnopqrstuvwxyz0123456789";

    start_client(fixture, &anything);
    for (size_t length = 0; length < sizeof(text); length += 3) {
        json_t *all CLEANUP(json_release) = NULL;
        char *part = arena_strndup(fixture->ctx->arena, text, length);
        struct http_header header = { "Subject", part };
        const json_t *mail;

        if (!text_is_utf8(part))
            continue;
        call.headers = &header;
        call.header_count = 1;
        call.body = part;
        call_and_wait(fixture, &call);
        assert_int_equal(fixture->status, 250);
        mail = last_mail(fixture, &all);
        assert_string_equal(text_of(fixture, json_object_get(mail, "headers"), "subject"), part);
        assert_string_equal(text_of(fixture, mail, "body"), part);
    }
}

static void
addresses_and_headers_keep_to_their_line(void **state)
{
    struct fixture *fixture = *state;
    static const char *const bad[] = { "", "x", "@", "a@", "@b", "a@b\r\nRCPT TO:<c@d>",
        "a@b\nDATA", "a@b>", "<a@b>", "a@b, c@d", "a b@c", "A <a@b>", "a@b\x01", "a@b;c@d" };
    struct http_call call;

    start_client(fixture, &anything);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        call = mail_to(fixture, peer.mail, bad[i]);
        assert_false(http_client_call(fixture->ctx, fixture->client, &call, note_answer, fixture));
        assert_error(fixture->ctx, ERR_INPUT, "receiver 1: what should be a mail address is none");
        call = mail_to(fixture, peer.mail, "a@b");
        call.mail_from = bad[i];
        assert_false(http_client_call(fixture->ctx, fixture->client, &call, note_answer, fixture));
        assert_error(fixture->ctx, ERR_INPUT, "sender: what should be a mail address is none");
    }
    call = mail_to(fixture, peer.mail, "a@b");
    call.mail_to.count = 0;
    assert_false(http_client_call(fixture->ctx, fixture->client, &call, note_answer, fixture));
    assert_error(fixture->ctx, ERR_INPUT, "no receiver");

    const struct http_header headers[] = { { "Subject", "a\r\nBcc: b@c" }, { "Subject", "a\nb" },
        { "Sub\r\nject", "a" } };

    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        call = mail_to(fixture, peer.mail, "a@b");
        call.headers = &headers[i];
        call.header_count = 1;
        assert_false(http_client_call(fixture->ctx, fixture->client, &call, note_answer, fixture));
        assert_error(fixture->ctx, ERR_INPUT, "header");
    }
}

static void
a_no_is_told_with_its_number(void **state)
{
    struct fixture *fixture = *state;
    struct http_call call = mail_to(fixture, peer.mail, "nobody@example.org");

    start_client(fixture, &anything);
    call_and_wait(fixture, &call);
    assert_true(fixture->is_answered);
    assert_int_equal(fixture->status, 550);
    call = mail_to(fixture, peer.mail, "busy@example.org");
    call_and_wait(fixture, &call);
    assert_int_equal(fixture->status, 451);
}

static void
a_password_goes_encrypted_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    struct http_client_options options = anything;
    struct http_call call = mail_to(fixture, peer.mail, "dba@example.org");
    json_t *all CLEANUP(json_release) = NULL;
    const json_t *mail;

    options.ca_file = file_join(fixture->ctx->arena, peer.folder, "cert.pem");
    start_client(fixture, &options);
    call.user = "me";
    call.password = "canary";
    call_and_wait(fixture, &call);
    assert_false(fixture->is_answered);
    assert_null(strstr(fixture->error, "canary"));

    call.url = arena_printf(fixture->ctx->arena, "smtp://localhost:%d", peer.mail_tls);
    call_and_wait(fixture, &call);
    if (!fixture->is_answered)
        fail_msg("%s", fixture->error);
    assert_int_equal(fixture->status, 250);
    mail = last_mail(fixture, &all);
    assert_true(json_get_bool(mail, "secure", false));
    /* "\0me\0canary" in base 64, by Python. */
    assert_string_equal(text_of(fixture, mail, "user"), "AG1lAGNhbmFyeQ==");
    http_client_free(fixture->client);

    /* A certificate that nobody vouches for is not good enough. */
    start_client(fixture, &anything);
    call_and_wait(fixture, &call);
    assert_false(fixture->is_answered);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_client(a_mail_arrives_as_it_was_meant),
        test_with_client(texts_of_every_length_arrive_whole),
        test_with_client(addresses_and_headers_keep_to_their_line),
        test_with_client(a_no_is_told_with_its_number),
        test_with_client(a_password_goes_encrypted_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, start_peer, end_peer);
}
