#include "monitor/notify/sink.h"

bool
sink_webhook_compose(struct ctx *ctx, const struct setup_sink *sink, const struct message *message,
    struct http_call *ret)
{
    struct http_header *headers = ARENA_ARRAY(ctx->arena, struct http_header, 2);
    size_t count = 0;

    headers[count++] = (struct http_header){ "Content-Type", "application/json" };
    if (!text_is_empty(sink->token))
        headers[count++] = (struct http_header){ "Authorization",
            arena_printf(ctx->arena, "Bearer %s", sink->token) };
    *ret = (struct http_call){
        .method = "POST",
        .url = sink->url,
        .headers = headers,
        .header_count = count,
        .body = message_webhook(ctx->arena, message),
    };
    return true;
}
