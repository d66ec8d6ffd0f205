#include "base/json.h"
#include "monitor/notify/sink.h"

/* Slack's limits: 3,000 characters a section, and a message should stay below 50 blocks. */
enum { MOST_SECTION = 2800, MOST_BLOCKS = 12 };

/* Slack's three characters that are markup: <!channel> would call everybody. */
static const char *
escape(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };

    for (const char *at = text; *at; at++) {
        if (*at == '&')
            buffer_add(&out, "&amp;");
        else if (*at == '<')
            buffer_add(&out, "&lt;");
        else if (*at == '>')
            buffer_add(&out, "&gt;");
        else
            buffer_append(&out, at, 1);
    }
    return buffer_text(&out);
}

static json_t *
section(const char *text)
{
    return json_pack("{s:s, s:{s:s, s:s, s:b}}", "type", "section", "text", "type", "mrkdwn",
        "text", text, "verbatim", 1);
}

/* How much of the text goes into a section: whole lines if possible, never half a character. */
static size_t
section_length(const char *text)
{
    size_t fits = message_fit_bytes(text, MOST_SECTION);

    if (!text[fits])
        return fits;
    for (size_t i = fits; i > 0; i--)
        if (text[i - 1] == '\n')
            return i;
    return fits;
}

bool
sink_slack_compose(struct ctx *ctx, const struct setup_sink *sink, const struct message *message,
    struct http_call *ret)
{
    struct arena *arena = ctx->arena;
    const char *title = escape(arena, message_title(arena, message));
    const char *text = message_text(arena, message);
    json_t *blocks = json_array();
    struct http_header *headers = ARENA_ARRAY(arena, struct http_header, 2);

    json_array_append_new(blocks, section(arena_printf(arena, "*%s*", title)));
    while (*text && json_array_size(blocks) < MOST_BLOCKS) {
        /* Escaping makes it longer, so a line is cut before and looked at after. */
        size_t length = section_length(text);
        const char *part = escape(arena, arena_strndup(arena, text, length));

        while (strlen(part) > MOST_SECTION && length > 1) {
            length = message_fit_bytes(text, length * 3 / 4);
            part = escape(arena, arena_strndup(arena, text, length));
        }
        json_array_append_new(blocks, section(part));
        text += length;
    }
    if (*text)
        json_array_append_new(blocks, section("… cut"));

    json_t *json CLEANUP(json_release) = json_pack("{s:s, s:o}", "text", title, "blocks", blocks);

    if (!text_is_empty(sink->to))
        json_object_set_new(json, "channel", json_string(sink->to));
    headers[0] = (struct http_header){ "Content-Type", "application/json; charset=utf-8" };
    if (!text_is_empty(sink->token))
        headers[1] =
            (struct http_header){ "Authorization", arena_printf(arena, "Bearer %s", sink->token) };
    *ret = (struct http_call){
        .method = "POST",
        .url = sink->url,
        .headers = headers,
        .header_count = text_is_empty(sink->token) ? 1 : 2,
        .body = json_text(arena, json),
    };
    return true;
}

/* chat.postMessage says 200 and {"ok": false, "error": "channel_not_found"}. */
void
sink_slack_judge(struct arena *arena, const struct http_result *result, struct outcome *outcome)
{
    json_t *json CLEANUP(json_release) =
        result->body ? json_loadb(result->body, result->length, 0, NULL) : NULL;

    if (outcome->kind != OUTCOME_SENT || !json_is_false(json_object_get(json, "ok")))
        return;
    outcome->kind = OUTCOME_REFUSED;
    outcome->answer = arena_printf(
        arena, "%d: %s", result->status, json_get_text(arena, json, "error", "not ok"));
}
