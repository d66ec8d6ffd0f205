#include "support/test.h"

#include "http/server.h"
#include "test_http_client_support.h"

static void
a_request_says_what_it_was_told_to_say(void **state)
{
    struct fixture *fixture = *state;
    const struct http_header headers[] = { { "Content-Type", "application/json" },
        { "X-Empty", "" }, { "X-Text", "a: b \xc3\xa4" } };

    start_client(fixture, &anything);
    call_and_wait(fixture, &(struct http_call){ .method = "POST",
                               .url = web(fixture, "/echo?a=b"),
                               .headers = headers,
                               .header_count = COUNT_OF(headers),
                               .body = "{\"a\": 1}",
                               .user = "me",
                               .password = "secret" });
    assert_true(fixture->is_answered);
    assert_int_equal(fixture->status, 200);
    assert_int_equal(fixture->retry_after_us, -1);

    json_t *told CLEANUP(json_release) = parse(fixture);
    const json_t *sent = json_object_get(told, "headers");

    assert_string_equal(text_of(fixture, told, "method"), "POST");
    assert_string_equal(text_of(fixture, told, "path"), "/echo?a=b");
    assert_string_equal(text_of(fixture, told, "body"), "{\"a\": 1}");
    assert_string_equal(text_of(fixture, sent, "content-type"), "application/json");
    assert_string_equal(text_of(fixture, sent, "x-empty"), "");
    assert_true(text_starts_with(text_of(fixture, sent, "x-text"), "a: b "));
    assert_string_equal(text_of(fixture, sent, "authorization"), "Basic bWU6c2VjcmV0");
    assert_true(text_starts_with(text_of(fixture, sent, "user-agent"), "pgmend/"));
    assert_null(json_object_get(sent, "expect"));
}

static void
other_methods_go_too(void **state)
{
    struct fixture *fixture = *state;
    static const char *const methods[][2] = { { "PUT", "x" }, { "DELETE", NULL }, { "GET", NULL },
        { "POST", "" } };

    start_client(fixture, &anything);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        call_and_wait(fixture,
            &(struct http_call){
                .method = methods[i][0], .body = methods[i][1], .url = web(fixture, "/echo") });

        json_t *told CLEANUP(json_release) = parse(fixture);

        assert_string_equal(text_of(fixture, told, "method"), methods[i][0]);
        assert_string_equal(text_of(fixture, told, "body"), methods[i][1] ? methods[i][1] : "");
    }
    call_and_wait(fixture, &(struct http_call){ .method = "HEAD", .url = web(fixture, "/big/99") });
    assert_int_equal(fixture->status, 200);
    assert_int_equal(fixture->length, 0);
}

static void
many_at_once_are_told_each(void **state)
{
    struct fixture *fixture = *state;

    start_client(fixture, &anything);
    for (int i = 0; i < 30; i++)
        begin(fixture, &(struct http_call){ .url = web(fixture, "/echo") });
    loop_run(fixture->loop);
    assert_int_equal(fixture->pending, 0);
    assert_true(fixture->is_answered);
}

static void
a_redirect_is_an_answer_like_others(void **state)
{
    struct fixture *fixture = *state;

    start_client(fixture, &anything);
    get(fixture, web(fixture, "/redirect"));
    assert_true(fixture->is_answered);
    assert_int_equal(fixture->status, 302);
    assert_string_equal(fixture->body, "elsewhere");
}

static void
retry_after_is_read_in_both_forms(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *path;
        int status;
        int64_t seconds;
    } cases[] = {
        { "/later/429/7", 429, 7 },
        { "/later/503/0", 503, 0 },
        { "/later/503/soon", 503, -1 },
        { "/later/503/99999999999999999999", 503, 86400 },
        { "/later/503/-5", 503, -1 },
        { "/in/-100", 503, 0 },
        { "/in/1000000", 503, 86400 },
        { "/echo", 200, -1 },
    };

    start_client(fixture, &anything);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t wanted = cases[i].seconds < 0 ? -1 : cases[i].seconds * 1000000;

        get(fixture, web(fixture, cases[i].path));
        assert_int_equal(fixture->status, cases[i].status);
        if (fixture->retry_after_us != wanted)
            fail_msg("%s: %lld", cases[i].path, (long long)fixture->retry_after_us);
    }
    get(fixture, web(fixture, "/in/3600"));
    assert_in_range(fixture->retry_after_us, 3000000000, 3600000000);
}

static void
answers_have_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct http_client_options options = anything;

    options.most_body_bytes = 100000;
    start_client(fixture, &options);
    get(fixture, web(fixture, "/big/100000"));
    assert_true(fixture->is_answered);
    assert_int_equal(fixture->length, 100000);
    get(fixture, web(fixture, "/big/100001"));
    assert_false(fixture->is_answered);
    assert_non_null(strstr(fixture->error, "longer than"));
    get(fixture, web(fixture, "/headers"));
    assert_false(fixture->is_answered);
}

static void
broken_answers_are_no_answers(void **state)
{
    struct fixture *fixture = *state;
    struct http_client_options options = anything;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    options.timeout_us = 300000;
    start_client(fixture, &options);
    get(fixture, web(fixture, "/silence"));
    assert_false(fixture->is_answered);
    assert_non_null(strstr(fixture->error, "no answer within 300 ms"));
    get(fixture, "http://does-not-exist.invalid/");
    assert_false(fixture->is_answered);
    http_client_free(fixture->client);

    start_client(fixture, &anything);
    get(fixture, web(fixture, "/half"));
    assert_false(fixture->is_answered);
    get(fixture, web(fixture, "/garbage"));
    assert_false(fixture->is_answered);
    /* A port that nobody listens on: bound by us, so that nobody else takes it meanwhile. */
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    get(fixture,
        arena_printf(fixture->ctx->arena, "http://127.0.0.1:%d/", ntohs(address.sin_port)));
    assert_false(fixture->is_answered);
    close(fd);
}

static void
count_request(void *data, struct http_request *request)
{
    ++*(int *)data;
    http_answer(request, &(struct http_answer){ .status = 204 });
}

static void
private_addresses_are_not_asked(void **state)
{
    struct fixture *fixture = *state;
    static const char *const hosts[] = { "127.0.0.1", "localhost", "127.1", "2130706433",
        "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "0.0.0.0", "0", "[::1]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[::]", "169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1",
        "100.64.0.1", "[fd00:ec2::254]", "[fe80::1]", "[64:ff9b::7f00:1]", "user@127.0.0.1",
        "example.com@127.0.0.1" };
    static const char *const schemes[] = { "http", "https", "smtp", "smtps" };
    const struct http_route route = { .methods = HTTP_GET, .path = "/*", .handler = count_request };
    int count = 0;
    const struct http_server_options listening = {
        .listen = "127.0.0.1:0", .routes = &route, .route_count = 1, .data = &count
    };
    struct http_server *server;
    struct http_call call = { .mail_from = "a@example.com" };
    const char *port;

    text_list_add(fixture->ctx->arena, &call.mail_to, "b@example.com");
    assert_true(http_server_start(fixture->ctx, fixture->loop, &listening, &server));
    port = strchr(http_server_address(server), ':') + 1;
    setenv("http_proxy", arena_printf(fixture->ctx->arena, "http://127.0.0.1:%s", port), 1);
    start_client(fixture, &(struct http_client_options){ .allow_private = false });
    for (size_t i = 0; i < COUNT_OF(hosts) * COUNT_OF(schemes); i++) {
        call.url =
            arena_printf(fixture->ctx->arena, "%s://%s:%s/x", schemes[i % 4], hosts[i / 4], port);
        call_and_wait(fixture, &call);
        assert_false(fixture->is_answered);
        if (!strstr(fixture->error, "not an address of the public internet"))
            fail_msg("%s: %s", call.url, fixture->error);
        /* It is this address that was looked at, not the proxy's. */
        assert_true(strcmp(hosts[i / 4], "10.0.0.1") != 0 || strstr(fixture->error, "10.0.0.1:"));
    }
    unsetenv("http_proxy");
    http_client_free(fixture->client);
    assert_int_equal(count, 0);

    start_client(fixture, &anything);
    get(fixture, arena_printf(fixture->ctx->arena, "http://localhost:%s/x", port));
    assert_int_equal(fixture->status, 204);
    assert_int_equal(count, 1);
    http_server_stop(server);
}

static void
only_four_schemes_are_known(void **state)
{
    struct fixture *fixture = *state;
    static const char *const urls[] = { "", "x", "/etc/passwd", "file:///etc/passwd",
        "ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/", "ldap://127.0.0.1/",
        "telnet://127.0.0.1", "scp://127.0.0.1/x", "http://", "http:///x", "http://a b/",
        "http://a/\r\nX: y", "http://a:99999/", "://x", "javascript:alert(1)" };

    start_client(fixture, &anything);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        const struct http_call call = { .url = urls[i] };

        if (http_client_call(fixture->ctx, fixture->client, &call, note_answer, fixture))
            fail_msg("%s was taken", urls[i]);
        assert_error(fixture->ctx, ERR_INPUT, "not a URL");
    }
}

static void
headers_keep_to_their_line(void **state)
{
    struct fixture *fixture = *state;
    static const struct http_header bad[] = { { "A", "b\r\nC: d" }, { "A", "b\nC: d" },
        { "A", "b\r" }, { "A\r\nB", "c" }, { "A:", "b" }, { "", "b" }, { "A B", "c" },
        { "A", "\x1b[2J" } };

    start_client(fixture, &anything);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct http_call call = {
            .url = web(fixture, "/echo"), .headers = &bad[i], .header_count = 1
        };

        assert_false(http_client_call(fixture->ctx, fixture->client, &call, note_answer, fixture));
        assert_error(fixture->ctx, ERR_INPUT, "header");
    }
}

static void
certificates_are_looked_at(void **state)
{
    struct fixture *fixture = *state;
    struct http_client_options options = anything;
    const char *url = arena_printf(fixture->ctx->arena, "https://localhost:%d/echo", peer.web_tls);

    start_client(fixture, &anything);
    get(fixture, url);
    assert_false(fixture->is_answered);
    assert_non_null(strstr(fixture->error, "certificate"));
    http_client_free(fixture->client);

    options.ca_file = file_join(fixture->ctx->arena, peer.folder, "cert.pem");
    start_client(fixture, &options);
    get(fixture, url);
    assert_int_equal(fixture->status, 200);
    get(fixture, arena_printf(fixture->ctx->arena, "https://127.0.0.1:%d/echo", peer.web_tls));
    assert_false(fixture->is_answered); /* the certificate is for the name */
}

static void
errors_hold_no_secrets(void **state)
{
    struct fixture *fixture = *state;
    static const char *const urls[] = {
        "http://canary1:canary2@127.0.0.1:1/canary3/bot12345:canary4?canary5=canary6",
        "http://canary1:canary2@canary-free.invalid/canary3?canary5",
        "https://127.0.0.1:1/services/T0CANARY/canary",
        "smtp://canary1:canary2@127.0.0.1:1/",
        "http://127.0.0.1:1/%63anary?x=canary",
    };
    struct http_call call = {
        .user = "canary7", .password = "canary8", .mail_from = "a@b.example"
    };

    text_list_add(fixture->ctx->arena, &call.mail_to, "c@d.example");
    start_client(fixture, &anything);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        call.url = urls[i];
        call_and_wait(fixture, &call);
        assert_false(fixture->is_answered);
        if (strcasestr(fixture->error, "canary") && i != 1)
            fail_msg("%s", fixture->error);
        assert_null(strstr(fixture->error, "canary1"));
        assert_null(strstr(fixture->error, "canary3"));
    }
}

static void
free_client(void *data, const struct http_result *result)
{
    struct fixture *fixture = data;

    (void)result;
    fixture->pending--;
    http_client_free(fixture->client);
    fixture->client = NULL;
    loop_stop(fixture->loop);
}

static void
what_is_under_way_ends_with_the_client(void **state)
{
    struct fixture *fixture = *state;
    const struct http_call silent = { .url = web(fixture, "/silence") };
    const struct http_call nowhere = { .url = "http://name-that-is-asked-for.example.invalid/" };
    const struct http_call quick = { .url = web(fixture, "/echo") };

    start_client(fixture, &anything);
    for (int i = 0; i < 3; i++) {
        begin(fixture, &silent);
        begin(fixture, &nowhere);
    }
    /* One of them ends the client, in its callback; the others are never told. */
    assert_true(http_client_call(fixture->ctx, fixture->client, &quick, free_client, fixture));
    fixture->pending = 100;
    loop_run(fixture->loop);
    while (fixture->client)
        loop_run(fixture->loop);

    start_client(fixture, &anything);
    begin(fixture, &silent);
}

static void
urls_are_shown_without_their_secrets(void **state)
{
    struct fixture *fixture = *state;
    static const char *const pairs[][2] = {
        { "https://example.org/", "https://example.org/" },
        { "https://example.org", "https://example.org" },
        { "https://example.org:8443/alerts/in", "https://example.org:8443/alerts/in" },
        { "https://me:secret@example.org/a", "https://…@example.org/a" },
        { "https://a@b@example.org/a", "https://…@example.org/a" },
        { "https://example.org/a?token=x", "https://example.org/a?…" },
        { "https://example.org?token=x", "https://example.org?…" },
        { "https://example.org/a#x", "https://example.org/a#…" },
        { "https://hooks.slack.com/services/T01ABCDEF/B01ABCDEF/abcdefghijklmnopqrstuvwx",
            "https://hooks.slack.com/services/…/…/…" },
        { "https://api.telegram.org/bot1:x/sendMessage", "https://api.telegram.org/…/sendMessage" },
        { "smtps://mail.example.org:465", "smtps://mail.example.org:465" },
        { "secret", "…" },
        { "", "…" },
        { "://secret", "…" },
        { "mailto:secret", "…" },
    };

    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        assert_string_equal(http_url_shown(fixture->ctx->arena, pairs[i][0]), pairs[i][1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_client(a_request_says_what_it_was_told_to_say),
        test_with_client(other_methods_go_too),
        test_with_client(many_at_once_are_told_each),
        test_with_client(a_redirect_is_an_answer_like_others),
        test_with_client(retry_after_is_read_in_both_forms),
        test_with_client(answers_have_a_limit),
        test_with_client(broken_answers_are_no_answers),
        test_with_client(private_addresses_are_not_asked),
        test_with_client(only_four_schemes_are_known),
        test_with_client(headers_keep_to_their_line),
        test_with_client(certificates_are_looked_at),
        test_with_client(errors_hold_no_secrets),
        test_with_client(what_is_under_way_ends_with_the_client),
        test_with_client(urls_are_shown_without_their_secrets),
    };

    return cmocka_run_group_tests(tests, start_peer, end_peer);
}
