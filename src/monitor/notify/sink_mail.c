#include "base/crypto.h"
#include "monitor/notify/sink.h"

/* "a@example.org, b@example.org" → a list; the client looks whether they are addresses. */
static void
split_addresses(struct arena *arena, const char *text, struct text_list *ret)
{
    const char *at = text ? text : "";

    for (at += strspn(at, ", "); *at; at += strspn(at, ", ")) {
        size_t length = strcspn(at, ", ");

        text_list_add(arena, ret, arena_strndup(arena, at, length));
        at += length;
    }
}

bool
sink_mail_compose(struct ctx *ctx, const struct setup_sink *sink, const struct message *message,
    struct http_call *ret)
{
    struct arena *arena = ctx->arena;
    const char *server = message->server ? message->server : "";
    struct http_header *headers = ARENA_ARRAY(arena, struct http_header, 4);
    struct text_list to = { 0 };
    size_t count = 0;

    split_addresses(arena, sink->to, &to);
    if (to.count == 0 || text_is_empty(sink->from))
        return error_set(ctx, ERR_CONFIG, "a mail sink needs addresses (from, to)");
    headers[count++] =
        (struct http_header){ "From", arena_printf(arena, "pgmend <%s>", sink->from) };
    headers[count++] = (struct http_header){ "Subject", message_title(arena, message) };
    /* Mails about one server become a thread. */
    headers[count++] = (struct http_header){ "References",
        arena_printf(arena, "<%.32s.server@pgmend>", sha256_of(arena, server, strlen(server))) };
    headers[count++] = (struct http_header){ "Auto-Submitted", "auto-generated" };
    *ret = (struct http_call){
        .method = "POST",
        .url = sink->url,
        .headers = headers,
        .header_count = count,
        .body = message_text(arena, message),
        .user = text_is_empty(sink->user) ? NULL : sink->user,
        .password = text_is_empty(sink->token) ? NULL : sink->token,
        .mail_from = sink->from,
        .mail_to = to,
    };
    return true;
}

/* RFC 5321: 4yz may go well another time, 5yz will not. */
void
sink_mail_judge(struct arena *arena, const struct http_result *result, struct outcome *outcome)
{
    (void)arena;
    if (result->status >= 400 && result->status < 500)
        outcome->kind = OUTCOME_LATER;
    else if (result->status >= 500)
        outcome->kind = OUTCOME_REFUSED;
}
