/* What messages look like: documents, lengths, and texts that want to be more than text. */
#include "support/test.h"

#include "base/json.h"
#include "monitor/notify/sink.h"

static struct notice
notice_of(const char *rule, const char *severity, const char *server, const char *labels)
{
    return (struct notice){
        .id = "id",
        .rule = rule,
        .summary = "CPU of the machine is busy",
        .severity = severity,
        .server = server,
        .owner = "",
        .labels = labels,
        .value = "0.93 (threshold 0.80)",
        .cause = "most time went to one statement",
        .next = "pgmend top",
        .since_wall_us = INT64_C(1795402800000000), /* 2026-11-23T03:00:00Z */
        .fired_wall_us = INT64_C(1795403100000000), /* 03:05 */
    };
}

static const char *
text_at(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text ? text : "(none)";
}

/*
 * The fingerprints and the group key are those that Prometheus Alertmanager 0.25.0 gave to alerts with
 * the same labels.
 */
static void
test_webhook(void **state)
{
    struct ctx *ctx = *state;
    struct notice first = notice_of("cpu-busy", "warning", "a \"b\" \\ <ü>", "datname=\"rep lyx\"");
    struct notice second = notice_of("test", "info", "pgmend", "");
    struct notice *news[] = { &first, &second };
    struct message message = {
        .receiver = "hook",
        .server = "a \"b\" \\ <ü>",
        .page_url = "http://127.0.0.1:9187/",
        .news = news,
        .news_count = 1,
        .now_wall_us = INT64_C(1795403400000000),
    };
    json_t *json CLEANUP(json_release) = NULL;
    static const char *const members[] = { "receiver", "status", "alerts", "groupLabels",
        "commonLabels", "commonAnnotations", "externalURL", "version", "groupKey",
        "truncatedAlerts" };
    static const char *const alert_members[] = { "status", "labels", "annotations", "startsAt",
        "endsAt", "generatorURL", "fingerprint" };

    first.owner = "team";
    assert_true(json_parse(ctx, "document", message_webhook(ctx->arena, &message), &json));
    assert_int_equal(json_object_size(json), COUNT_OF(members));
    for (size_t i = 0; i < COUNT_OF(members); i++)
        assert_non_null(json_object_get(json, members[i]));

    const json_t *alert = json_array_get(json_object_get(json, "alerts"), 0);
    const json_t *labels = json_object_get(alert, "labels");

    assert_int_equal(json_object_size(alert), COUNT_OF(alert_members));
    for (size_t i = 0; i < COUNT_OF(alert_members); i++)
        assert_non_null(json_object_get(alert, alert_members[i]));
    assert_string_equal(text_at(alert, "fingerprint"), "aa29a54b90828818");
    assert_string_equal(text_at(json, "groupKey"), "{}:{server=\"a \\\"b\\\" \\\\ <ü>\"}");
    assert_string_equal(text_at(json, "version"), "4");
    assert_string_equal(text_at(json, "status"), "firing");
    assert_string_equal(text_at(labels, "datname"), "rep lyx");
    assert_string_equal(text_at(alert, "startsAt"), "2026-11-23T03:05:00Z");
    assert_string_equal(text_at(alert, "endsAt"), "0001-01-01T00:00:00Z");
    assert_int_equal(json_object_size(labels), 5);
    json_release(&json);

    message.news_count = 2;
    message.server = NULL;
    assert_true(json_parse(ctx, "document", message_webhook(ctx->arena, &message), &json));
    alert = json_array_get(json_object_get(json, "alerts"), 1);
    assert_string_equal(text_at(alert, "fingerprint"), "e25af65fdb8d7a4f");
    assert_string_equal(text_at(json, "groupKey"), "{}:{}");
    assert_int_equal(json_object_size(json_object_get(json, "commonLabels")), 0);
    assert_string_equal(text_at(json_object_get(json, "commonAnnotations"), "next"), "pgmend top");
}

/* A label's value can hold what parts labels. */
static void
test_labels(void **state)
{
    struct ctx *ctx = *state;
    struct notice notice = notice_of("cpu-busy", "warning", "a",
        "relname=\"x\\\",severity=\\\"critical\\\\\\n\",mode=\"\",server=\"fake\"");
    struct notice *news[] = { &notice };
    struct message message = { .receiver = "hook", .news = news, .news_count = 1 };
    json_t *json CLEANUP(json_release) = NULL;

    assert_true(json_parse(ctx, "document", message_webhook(ctx->arena, &message), &json));

    const json_t *labels = json_object_get(json, "commonLabels");

    assert_string_equal(text_at(labels, "relname"), "x\",severity=\"critical\\\n");
    assert_string_equal(text_at(labels, "severity"), "warning");
    assert_string_equal(text_at(labels, "server"), "a");
    assert_null(json_object_get(labels, "mode"));
}

/* For people: nothing that steers a terminal or turns the writing, and all that has to be said. */
static void
test_text(void **state)
{
    struct ctx *ctx = *state;
    struct notice notice = notice_of("cpu-busy", "critical", "a\x1b[31m\r\nb\xe2\x80\xae", "");
    struct notice *news[] = { &notice };
    struct message message = {
        .receiver = "hook",
        .server = notice.server,
        .page_url = "http://127.0.0.1:9187/",
        .news = news,
        .news_count = 1,
        .now_wall_us = INT64_C(1795403400000000),
    };

    notice.cause = "cut \xff here";
    assert_string_equal(message_title(ctx->arena, &message),
        "[FIRING] a [31m  b : critical: CPU of the machine is busy");
    assert_string_equal(message_text(ctx->arena, &message),
        "CRITICAL a [31m  b : CPU of the machine is busy\n"
        "value: 0.93 (threshold 0.80)\n"
        "since: 2026-11-23T03:00:00Z (10 min 0 s)\n"
        "likely cause: cut ? here\n"
        "next: pgmend top\n"
        "playbook: docs/monitoring_playbook.md#cpu-busy\n"
        "\n"
        "page: http://127.0.0.1:9187/\n");
    notice.resolved_wall_us = INT64_C(1795403400000000);
    assert_string_equal(
        message_title(ctx->arena, &message), "[RESOLVED] a [31m  b : CPU of the machine is busy");
    assert_non_null(strstr(message_text(ctx->arena, &message), "until: 2026-11-23T03:10:00Z\n"));
}

static void
test_slack(void **state)
{
    struct ctx *ctx = *state;
    struct setup_sink sink = { .name = "chat", .kind = SINK_SLACK, .url = "https://example.org/x" };
    struct notice notice = notice_of("cpu-busy", "critical", "<!channel> & <@U1|you>", "");
    struct notice *news[] = { &notice };
    struct message message = { .receiver = "chat", .news = news, .news_count = 1 };
    struct buffer cause = { .arena = ctx->arena };
    struct http_call call;
    json_t *json CLEANUP(json_release) = NULL;

    message.server = notice.server;
    /* Each is five characters when it is escaped. */
    for (int i = 0; i < 900; i++)
        buffer_add(&cause, "&");
    notice.cause = buffer_text(&cause);
    assert_true(sink_slack_compose(ctx, &sink, &message, &call));
    assert_null(strchr(call.body, '<'));
    assert_null(strchr(call.body, '>'));
    assert_true(json_parse(ctx, "slack", call.body, &json));
    assert_string_equal(text_at(json, "text"),
        "[FIRING] &lt;!channel&gt; &amp; &lt;@U1|you&gt;: critical: CPU of the machine is busy");

    const json_t *blocks = json_object_get(json, "blocks");

    assert_in_range(json_array_size(blocks), 3, 50);
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        const json_t *text = json_object_get(json_array_get(blocks, i), "text");

        assert_in_range(strlen(text_at(text, "text")), 1, 3000);
        assert_true(json_is_true(json_object_get(text, "verbatim")));
    }
}

/* 4,096 UTF-16 units, of which a character beyond the first plane takes two. */
static void
test_telegram(void **state)
{
    struct ctx *ctx = *state;
    struct setup_sink sink = { .name = "chat",
        .kind = SINK_TELEGRAM,
        .token = "1:x",
        .to = "7",
        .url = "https://t.example/" };
    struct notice notices[60];
    struct notice *news[60];
    struct message message = { .receiver = "chat", .server = "a", .news = news, .news_count = 60 };
    struct http_call call;
    json_t *json CLEANUP(json_release) = NULL;
    size_t units = 0;

    for (size_t i = 0; i < 60; i++) {
        notices[i] = notice_of("cpu-busy", "critical", "a", "");
        notices[i].cause = "\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5_*[x](y)";
        news[i] = &notices[i];
    }
    assert_true(sink_telegram_compose(ctx, &sink, &message, &call));
    assert_string_equal(call.url, "https://t.example/bot1:x/sendMessage");
    assert_true(json_parse(ctx, "telegram", call.body, &json));

    const char *text = text_at(json, "text");

    assert_true(text_is_utf8(text));
    /* Bytes that begin a character; those of four bytes count twice. */
    for (const char *at = text; *at; at++)
        units += ((unsigned char)*at & 0xc0) != 0x80 ? (unsigned char)*at >= 0xf0 ? 2 : 1 : 0;
    assert_in_range(units, 4095, 4096);
    assert_true(text_ends_with(text, "…"));
    assert_null(json_object_get(json, "parse_mode"));
    sink.token = NULL;
    assert_false(sink_telegram_compose(ctx, &sink, &message, &call));
    assert_error(ctx, ERR_CONFIG, "token");
}

static void
test_redact(void **state)
{
    struct ctx *ctx = *state;
    const struct setup_sink sink = {
        .url = "https://me:pw1@hooks.example.org/services/T/B/abc?key=zz", .token = "tok"
    };
    struct buffer text = { .arena = ctx->arena };

    assert_string_equal(
        sink_redact(ctx->arena, &sink, "tok tok /services/T/B/abc?key=zz me:pw1\n"), "… … … … ");
    for (int i = 0; i < 200; i++)
        buffer_add(&text, "ü");
    assert_in_range(strlen(sink_redact(ctx->arena, &sink, buffer_text(&text))), 300, 303);
    assert_true(text_is_utf8(sink_redact(ctx->arena, &sink, buffer_text(&text))));
    assert_string_equal(sink_redact(ctx->arena, &sink, NULL), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_webhook),
        test_with_ctx(test_labels),
        test_with_ctx(test_text),
        test_with_ctx(test_slack),
        test_with_ctx(test_telegram),
        test_with_ctx(test_redact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
