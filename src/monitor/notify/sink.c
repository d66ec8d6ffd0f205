#include "monitor/notify/sink.h"

enum { MOST_ANSWER = 300 };

const struct sink_kind_row sink_kinds[SINK_KIND_COUNT] = {
    [SINK_WEBHOOK] = { .name = "webhook", .compose = sink_webhook_compose },
    [SINK_SLACK] = { .name = "slack",
        .is_for_people = true,
        .compose = sink_slack_compose,
        .judge = sink_slack_judge },
    [SINK_TELEGRAM] = { .name = "telegram",
        .is_for_people = true,
        .compose = sink_telegram_compose,
        .judge = sink_telegram_judge },
    [SINK_MAIL] = { .name = "mail",
        .is_for_people = true,
        .compose = sink_mail_compose,
        .judge = sink_mail_judge },
    [SINK_PROGRAM] = { .name = "program" },
};

static const char *
without(struct arena *arena, const char *text, const char *secret)
{
    struct buffer out = { .arena = arena };
    const char *at = text;

    if (text_is_empty(secret))
        return text;
    for (const char *hit = strstr(at, secret); hit; hit = strstr(at, secret)) {
        buffer_append(&out, at, (size_t)(hit - at));
        buffer_add(&out, "…");
        at = hit + strlen(secret);
    }
    buffer_add(&out, at);
    return buffer_text(&out);
}

/* What stands behind the host in a URL; the address of a Slack webhook is its own key. */
static const char *
path_of(const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL;
    const char *path = host ? strchr(host + 3, '/') : NULL;

    return path && path[1] ? path : NULL;
}

/* user:password@ of a URL. */
static const char *
login_of(struct arena *arena, const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL;
    size_t length = host ? strcspn(host + 3, "/?#") : 0;
    const char *at = host ? memchr(host + 3, '@', length) : NULL;

    return at ? arena_strndup(arena, host + 3, (size_t)(at - host - 3)) : NULL;
}

const char *
sink_redact(struct arena *arena, const struct setup_sink *sink, const char *text)
{
    const char *clean = message_clean(arena, text ? text : "");

    clean = without(arena, clean, sink->token);
    clean = without(arena, clean, path_of(sink->url));
    clean = without(arena, clean, login_of(arena, sink->url));

    size_t fits = message_fit_bytes(clean, MOST_ANSWER);

    return clean[fits] ? arena_printf(arena, "%.*s…", (int)fits, clean) : clean;
}
