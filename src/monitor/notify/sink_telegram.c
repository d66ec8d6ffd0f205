#include "base/json.h"
#include "monitor/notify/sink.h"

/* The Bot API counts UTF-16 units of the text. */
enum { MOST_UNITS = 4096 };

bool
sink_telegram_compose(struct ctx *ctx, const struct setup_sink *sink, const struct message *message,
    struct http_call *ret)
{
    static const struct http_header headers[] = { { "Content-Type", "application/json" } };
    struct arena *arena = ctx->arena;
    const char *base = text_is_empty(sink->url) ? "https://api.telegram.org" : sink->url;
    int base_length = (int)strlen(base) - text_ends_with(base, "/");
    const char *text = arena_printf(
        arena, "%s\n\n%s", message_title(arena, message), message_text(arena, message));
    size_t fits = message_fit_utf16(text, MOST_UNITS);

    if (text_is_empty(sink->token) || text_is_empty(sink->to))
        return error_set(ctx, ERR_CONFIG, "a Telegram sink needs a token and the chat (to)");
    if (text[fits])
        text = arena_printf(arena, "%.*s…", (int)message_fit_utf16(text, MOST_UNITS - 1), text);

    /* No parse_mode: the text is shown as it is, whatever names hold. */
    json_t *json CLEANUP(json_release) = json_pack(
        "{s:s, s:s, s:b}", "chat_id", sink->to, "text", text, "disable_web_page_preview", 1);

    *ret = (struct http_call){
        .method = "POST",
        .url = arena_printf(arena, "%.*s/bot%s/sendMessage", base_length, base, sink->token),
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .body = json_text(arena, json),
    };
    return true;
}

/* {"ok": false, "error_code": 429, "description": "…", "parameters": {"retry_after": 35}} */
void
sink_telegram_judge(struct arena *arena, const struct http_result *result, struct outcome *outcome)
{
    json_t *json CLEANUP(json_release) =
        result->body ? json_loadb(result->body, result->length, 0, NULL) : NULL;
    const char *why = json_get_text(arena, json, "description", NULL);
    int64_t wait_s = json_get_int(json_object_get(json, "parameters"), "retry_after", -1);

    if (outcome->kind == OUTCOME_SENT && !json_is_true(json_object_get(json, "ok"))) {
        outcome->kind = OUTCOME_REFUSED;
        outcome->answer = arena_printf(arena, "%d: not an answer of Telegram", result->status);
    }
    if (why)
        outcome->answer = arena_printf(arena, "%d: %s", result->status, why);
    if (outcome->kind == OUTCOME_LATER && wait_s >= 0 && wait_s < 1000000)
        outcome->after_us = wait_s * 1000000;
}
