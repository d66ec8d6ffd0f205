/* Sinks over HTTP: what becomes of a message by what a server answers. */
#include "support/test.h"

#include "unit/test_monitor_notify_support.h"

#define CANARY "s3cr3t-canary-77"

static struct setup_sink *
add_hook(struct bench *bench, enum sink_kind kind, int port, const char *path)
{
    struct setup_sink sink = {
        .name = "hook",
        .kind = kind,
        .url = arena_printf(bench->ctx->arena, "http://127.0.0.1:%d%s", port, path),
        .allow_private = true,
        .sends_resolved = true,
    };

    VEC_PUSH(bench->ctx->arena, &bench->setup.sinks, sink);
    bench->sink = "hook";
    return &bench->setup.sinks.items[bench->setup.sinks.count - 1];
}

static bool
has_sent(struct bench *bench)
{
    return state_of(bench, "hook").sent >= (int64_t)bench->wanted;
}

static bool
has_answer(struct bench *bench)
{
    return state_of(bench, "hook").last_answer != NULL;
}

static void
hear(struct bench *bench, const char *id)
{
    struct alert down = alert_of(id, &down_rule, "a");

    notifier_hear(bench->notifier, &down);
}

static void
wait_sent(struct bench *bench, size_t count)
{
    bench->wanted = count;
    wait_until(bench, has_sent, PATIENCE_US);
    assert_false(bench->is_late);
}

/* A sink that says "later" is left alone until then. */
static void
test_retry_after(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 429 Too Many\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Down\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        NULL,
    };
    struct bench *bench = *state;
    struct responder *responder = responder_new(answers);

    add_hook(bench, SINK_WEBHOOK, responder->port, "/x");
    start(bench);
    hear(bench, "1");
    wait_until(bench, has_answer, PATIENCE_US);
    assert_string_equal(state_of(bench, "hook").last_error, "429 (asks to wait 3.0 s)");
    /* What comes meanwhile does not wake it. */
    hear(bench, "2");
    wait_sent(bench, 1);
    assert_int_equal(requests_of(responder), 3);
    assert_true(responder->at_us[1] - responder->at_us[0] >= 3000000);
    assert_true(responder->at_us[2] - responder->at_us[1] >= 2000000);
    assert_non_null(strstr(responder->requests[2], "\"truncatedAlerts\":0"));
    assert_int_equal(state_of(bench, "hook").failed, 2);
    assert_int_equal(state_of(bench, "hook").dropped, 0);
    responder_free(responder);
}

/* What may go well later is tried again, each time later than before; also a connection cut off. */
static void
test_back_off(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
        "",
        "garbage\r\n\r\n",
        "HTTP/1.1 204 Fine\r\n\r\n",
        NULL,
    };
    struct bench *bench = *state;
    struct responder *responder = responder_new(answers);

    add_hook(bench, SINK_WEBHOOK, responder->port, "/x");
    start(bench);
    hear(bench, "1");
    wait_sent(bench, 1);
    assert_int_equal(requests_of(responder), 4);
    assert_true(responder->at_us[1] - responder->at_us[0] >= 1000000);
    assert_true(responder->at_us[2] - responder->at_us[1] >= 2000000);
    assert_true(responder->at_us[3] - responder->at_us[2] >= 4000000);
    responder_free(responder);
}

/* What was refused is not tried again, and stands in the way of nothing. */
static void
test_refused(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno_service",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        NULL,
    };
    struct bench *bench = *state;
    struct responder *responder = responder_new(answers);

    add_hook(bench, SINK_WEBHOOK, responder->port, "/x");
    start(bench);
    hear(bench, "1");
    wait_until(bench, has_answer, PATIENCE_US);
    assert_string_equal(state_of(bench, "hook").last_error, "404: no_service");
    assert_int_equal(state_of(bench, "hook").dropped, 1);
    hear(bench, "2");
    hear(bench, "3");
    wait_sent(bench, 1);
    assert_int_equal(requests_of(responder), 3);
    assert_int_equal(state_of(bench, "hook").failed, 2);
    assert_int_equal(state_of(bench, "hook").dropped, 2);
    responder_free(responder);
}

/* Addresses of one's own network are not asked unless that was allowed. */
static void
test_private(void **state)
{
    static const char *const answers[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL };
    struct bench *bench = *state;
    struct responder *responder = responder_new(answers);

    add_hook(bench, SINK_WEBHOOK, responder->port, "/x")->allow_private = false;
    start(bench);
    hear(bench, "1");
    wait_until(bench, has_answer, PATIENCE_US);
    assert_non_null(strstr(state_of(bench, "hook").last_error, "127.0.0.1"));
    assert_non_null(strstr(state_of(bench, "hook").last_error, "private"));
    assert_int_equal(requests_of(responder), 0);
    responder_free(responder);
}

/* Telegram says "later" in its body, and what it says may hold the token of the address. */
static void
test_telegram(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 429 Too Many\r\nContent-Type: application/json\r\n\r\n"
        "{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests: retry after 2\","
        "\"parameters\":{\"retry_after\":2}}",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"ok\":true}",
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n"
        "{\"ok\":false,\"error_code\":401,\"description\":\"bot " CANARY " unknown\\u001b[2J\"}",
        NULL,
    };
    struct bench *bench = *state;
    struct responder *responder = responder_new(answers);
    struct setup_sink *sink = add_hook(bench, SINK_TELEGRAM, responder->port, "");

    sink->token = CANARY;
    sink->to = "-100123";
    start(bench);
    hear(bench, "1");
    wait_sent(bench, 1);
    assert_int_equal(requests_of(responder), 2);
    assert_true(responder->at_us[1] - responder->at_us[0] >= 2000000);
    assert_non_null(strstr(responder->requests[1], "POST /bot" CANARY "/sendMessage HTTP/1.1"));
    assert_non_null(strstr(responder->requests[1], "\"chat_id\":\"-100123\""));
    assert_null(strstr(responder->requests[1], "parse_mode"));
    hear(bench, "2");
    while (state_of(bench, "hook").failed < 2)
        wait_until(bench, is_never, 20000);
    assert_string_equal(state_of(bench, "hook").last_error, "401: bot … unknown [2J");
    responder_free(responder);
}

/* Slack's API says 200 to what it has not done; the address of its webhooks is a secret. */
static void
test_slack(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\n\r\n{\"ok\":false,\"error\":\"channel_not_found\"}",
        "HTTP/1.1 403 No\r\n\r\nsorry, /services/T0/B0/" CANARY " has gone",
        "HTTP/1.1 200 OK\r\n\r\nok",
        NULL,
    };
    struct bench *bench = *state;
    struct responder *responder = responder_new(answers);

    add_hook(bench, SINK_SLACK, responder->port, "/services/T0/B0/" CANARY);
    start(bench);
    hear(bench, "1");
    wait_until(bench, has_answer, PATIENCE_US);
    assert_string_equal(state_of(bench, "hook").last_error, "200: channel_not_found");
    hear(bench, "2");
    while (state_of(bench, "hook").failed < 2)
        wait_until(bench, is_never, 20000);
    assert_string_equal(state_of(bench, "hook").last_error, "403: sorry, … has gone");
    hear(bench, "3");
    wait_sent(bench, 1);
    assert_string_equal(state_of(bench, "hook").last_answer, "200");
    responder_free(responder);
}

/* More groups at once than people want to read become one message; not more than one a second. */
static void
test_flood(void **state)
{
    static const char *const answers[] = { "HTTP/1.1 200 OK\r\n\r\nok", NULL };
    struct bench *bench = *state;
    struct responder *responder = responder_new(answers);

    add_hook(bench, SINK_SLACK, responder->port, "/x")->group_wait_us = 300000;
    start(bench);
    for (int i = 0; i < 120; i++) {
        const char *name = arena_printf(bench->ctx->arena, "server %d", i);
        struct alert down = alert_of(name, &down_rule, name);

        notifier_hear(bench->notifier, &down);
    }
    wait_sent(bench, 3);
    wait_until(bench, is_never, 300000);
    assert_int_equal(requests_of(responder), 3);
    assert_true(responder->at_us[1] - responder->at_us[0] >= 1000000);
    assert_non_null(strstr(responder->requests[0], "several servers"));
    assert_non_null(strstr(responder->requests[0], "and 49 more"));
    responder_free(responder);
}

/* A test goes to every sink at once, whatever waits for them. */
static void
stop(void *data)
{
    struct bench *bench = data;

    loop_stop(bench->loop);
}

static void
test_trial(void **state)
{
    static const char *const answers[] = { "HTTP/1.1 200 OK\r\n\r\nok", NULL };
    struct bench *bench = *state;
    struct responder *responder = responder_new(answers);

    add_program(bench, "one");
    add_hook(bench, SINK_WEBHOOK, responder->port, "/x")->token = CANARY;
    add_hook(bench, SINK_MAIL, 1, "/")->name = "mail";
    start(bench);
    notifier_test(bench->notifier, NULL, stop, bench);
    loop_run(bench->loop);
    assert_string_equal(state_of(bench, "one").last_answer, "exit status 0");
    assert_string_equal(state_of(bench, "hook").last_answer, "200");
    assert_int_equal(state_of(bench, "mail").failed, 1);
    assert_non_null(strstr(responder->requests[0], "Authorization: Bearer " CANARY));
    assert_non_null(strstr(responder->requests[0], "TEST: "));
    notifier_test(bench->notifier, "hook", stop, bench);
    loop_run(bench->loop);
    assert_int_equal(requests_of(responder), 2);
    notifier_test(bench->notifier, "nobody", stop, bench);
    loop_run(bench->loop);
    assert_int_equal(requests_of(responder), 2);
    responder_free(responder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(test_retry_after),
        test_with_bench(test_back_off),
        test_with_bench(test_refused),
        test_with_bench(test_private),
        test_with_bench(test_telegram),
        test_with_bench(test_slack),
        test_with_bench(test_flood),
        test_with_bench(test_trial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
