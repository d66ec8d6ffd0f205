#include "monitor/notify/message.h"

#include "base/clock.h"

enum { MOST_TITLE = 200, MOST_MEMBER = 1000, MOST_OTHERS = 20 };

const struct field notice_fields[] = {
    FIELD(struct notice, id),
    FIELD(struct notice, rule),
    FIELD(struct notice, summary),
    FIELD(struct notice, severity),
    FIELD(struct notice, server),
    FIELD(struct notice, owner),
    FIELD(struct notice, labels),
    FIELD(struct notice, value),
    FIELD(struct notice, cause),
    FIELD(struct notice, next),
    FIELD(struct notice, rank),
    FIELD(struct notice, since_wall_us),
    FIELD(struct notice, fired_wall_us),
    FIELD(struct notice, resolved_wall_us),
};
const size_t notice_field_count = COUNT_OF(notice_fields);

/* Names of a SQL_ASCII database can be any bytes. */
static const char *
utf8(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text ? text : "");

    if (!text_is_utf8(copy))
        for (char *at = copy; *at; at++)
            if ((unsigned char)*at >= 0x80)
                *at = '?';
    return copy;
}

void
notice_from_alert(struct arena *arena, const struct alert *alert, struct notice *ret)
{
    *ret = (struct notice){
        .id = utf8(arena, alert->id),
        .rule = utf8(arena, alert->rule->name),
        .summary = utf8(arena, alert->rule->summary),
        .severity = alert_severity_name(alert->rule->severity),
        .server = utf8(arena, alert->server),
        .owner = utf8(arena, alert->owner),
        .labels = utf8(arena, alert->labels),
        .value = utf8(arena, alert_value_text(arena, alert)),
        .cause = utf8(arena, alert->cause),
        .next = utf8(arena, alert->rule->next),
        .rank = alert->rule->severity,
        .since_wall_us = alert->since_wall_us,
        .fired_wall_us = alert->fired_wall_us ? alert->fired_wall_us : alert->since_wall_us,
        .resolved_wall_us = alert->state == ALERT_RESOLVED ? alert->resolved_wall_us : 0,
    };
}

void
notice_copy(struct arena *arena, const struct notice *notice, struct notice *ret)
{
    struct notice copy = *notice;

    for (size_t i = 0; i < notice_field_count; i++)
        if (notice_fields[i].type == FIELD_TEXT) {
            const char **member = (const char **)((char *)&copy + notice_fields[i].offset);

            *member = arena_strdup(arena, *member ? *member : "");
        }
    *ret = copy;
}

/* The bytes of the character that begins here; the text is UTF-8. */
static size_t
character_length(const char *at)
{
    unsigned char first = (unsigned char)*at;

    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Control characters, C1 ones too, and those that turn the reading direction (U+202A-E, U+2066-9). */
static bool
is_mischief(const char *at)
{
    const unsigned char *c = (const unsigned char *)at;

    if (c[0] < 0x20 || c[0] == 0x7f)
        return true;
    if (c[0] == 0xc2)
        return c[1] < 0xa0;
    if (c[0] != 0xe2)
        return false;
    return (c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
           (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

const char *
message_clean(struct arena *arena, const char *text)
{
    const char *good = utf8(arena, text);
    struct buffer clean = { .arena = arena };

    for (const char *at = good; *at;) {
        size_t length = character_length(at);

        if (is_mischief(at))
            buffer_add(&clean, " ");
        else
            buffer_append(&clean, at, length);
        at += length;
    }
    return buffer_text(&clean);
}

size_t
message_fit_bytes(const char *text, size_t most)
{
    size_t length = 0;

    while (text[length] && length + character_length(text + length) <= most)
        length += character_length(text + length);
    return length;
}

size_t
message_fit_utf16(const char *text, size_t most)
{
    size_t length = 0;
    size_t units = 0;

    while (text[length]) {
        size_t bytes = character_length(text + length);

        units += bytes == 4 ? 2 : 1;
        if (units > most)
            break;
        length += bytes;
    }
    return length;
}

/* Clean and of a bounded length. */
static const char *
shown(struct arena *arena, const char *text, size_t most)
{
    const char *clean = message_clean(arena, text);
    size_t fits = message_fit_bytes(clean, most);

    return clean[fits] ? arena_printf(arena, "%.*s…", (int)fits, clean) : clean;
}

bool
message_is_firing(const struct message *message)
{
    if (message->other_count > 0)
        return true;
    for (size_t i = 0; i < message->news_count; i++)
        if (message->news[i]->resolved_wall_us == 0)
            return true;
    return false;
}

static size_t
count_firing(const struct message *message)
{
    size_t count = 0;

    for (size_t i = 0; i < message->news_count; i++)
        count += message->news[i]->resolved_wall_us == 0;
    return count;
}

const char *
message_title(struct arena *arena, const struct message *message)
{
    size_t firing = count_firing(message);
    size_t resolved = message->news_count - firing;
    const struct notice *first = message->news[0];
    struct buffer title = { .arena = arena };

    if (message->is_test)
        buffer_add(&title, "[TEST] ");
    else if (firing > 0 && resolved > 0)
        buffer_printf(&title, "[FIRING: %zu, resolved: %zu] ", firing, resolved);
    else if (message->news_count > 1)
        buffer_printf(
            &title, "[%s: %zu] ", firing > 0 ? "FIRING" : "RESOLVED", message->news_count);
    else
        buffer_printf(&title, "[%s] ", firing > 0 ? "FIRING" : "RESOLVED");
    buffer_printf(&title, "%s: ", message->server ? message->server : "several servers");
    if (firing > 0)
        buffer_printf(&title, "%s: ", first->severity);
    buffer_add(&title, first->summary);
    if (message->news_count > 1)
        buffer_printf(&title, " and %zu more", message->news_count - 1);
    return shown(arena, buffer_text(&title), MOST_TITLE);
}

static void
add_line(struct buffer *out, const char *name, const char *text)
{
    if (!text_is_empty(text))
        buffer_printf(out, "%s: %s\n", name, shown(out->arena, text, MOST_MEMBER));
}

static void
add_notice(struct buffer *out, const struct message *message, const struct notice *notice)
{
    struct arena *arena = out->arena;
    bool is_over = notice->resolved_wall_us != 0;
    int64_t end_us = is_over ? notice->resolved_wall_us : message->now_wall_us;
    int64_t lasted_us = end_us - notice->since_wall_us;

    buffer_printf(out, "%s %s: %s\n",
        is_over                                    ? "RESOLVED"
        : text_equal(notice->severity, "critical") ? "CRITICAL"
        : text_equal(notice->severity, "warning")  ? "WARNING"
                                                   : "INFO",
        shown(arena, notice->server, MOST_TITLE), shown(arena, notice->summary, MOST_TITLE));
    add_line(out, is_over ? "over, value now" : "value", notice->value);
    add_line(out, "of", notice->labels);
    buffer_printf(out, "since: %s (%s)\n", clock_text(arena, notice->since_wall_us),
        text_from_us(arena, lasted_us < 0 ? 0 : lasted_us));
    if (is_over) {
        buffer_printf(out, "until: %s\n", clock_text(arena, notice->resolved_wall_us));
        return;
    }
    add_line(out, "likely cause", notice->cause);
    add_line(out, "next", notice->next);
    buffer_printf(
        out, "playbook: docs/monitoring_playbook.md#%s\n", shown(arena, notice->rule, MOST_TITLE));
}

static void
add_others(struct buffer *out, const struct message *message)
{
    size_t count = message->other_count < MOST_OTHERS ? message->other_count : MOST_OTHERS;

    if (count == 0)
        return;
    buffer_printf(out, "Still firing, told before: %zu\n", message->other_count);
    for (size_t i = 0; i < count; i++) {
        const struct notice *other = message->others[i];

        buffer_printf(out, "- %s: %s: %s\n", shown(out->arena, other->server, MOST_TITLE),
            shown(out->arena, other->summary, MOST_TITLE),
            shown(out->arena, other->value, MOST_TITLE));
    }
    if (count < message->other_count)
        buffer_printf(out, "- and %zu more\n", message->other_count - count);
    buffer_add(out, "\n");
}

const char *
message_text(struct arena *arena, const struct message *message)
{
    struct buffer out = { .arena = arena };

    if (message->is_test)
        buffer_add(&out, "This is a test of the way alerts take; nothing is wrong.\n\n");
    for (size_t i = 0; i < message->news_count; i++) {
        add_notice(&out, message, message->news[i]);
        buffer_add(&out, "\n");
    }
    add_others(&out, message);
    if (message->page_url)
        add_line(&out, "page", message->page_url);
    return buffer_text(&out);
}
