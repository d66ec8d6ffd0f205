/* What the client sends; source: "Message Formats" of PostgreSQL's documentation. */
#include <string.h>

#include "lang/sql.h"
#include "queries/trace/follow_part.h"

enum { MOST_PARAMS = 65535, FORMAT_BINARY = 1 };

/* ---- Parse ---- */

static void
take_types(struct follow_text *text, const struct wire_message *message, size_t at)
{
    size_t count = wire_read_number(message, &at, 2);

    if (count == 0 || (message->length - at) / 4 < count)
        return;
    text->types = follow_alloc(sizeof(*text->types) * count);
    text->type_count = count;
    for (size_t i = 0; i < count; i++)
        text->types[i] = wire_read_number(message, &at, 4);
}

static void
take_parse(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    size_t at = 0;
    const char *name = wire_read_text(&message->wire, &at);
    size_t start = at;
    const char *sql = wire_read_text(&message->wire, &at);
    struct follow_text *text;

    if (!name || (!sql && !message->is_cut)) {
        follow->counts.damaged++;
        return;
    }
    if (sql)
        text = follow_text_new(follow, sql, strlen(sql), false);
    else
        text =
            follow_text_new(follow, message->wire.body + start, message->wire.length - start, true);
    if (sql)
        take_types(text, &message->wire, at);
    follow_text_keep(session, text, name);
}

/* ---- Bind ---- */

/* Format codes: none, one for all, or one each. */
struct formats {
    const struct wire_message *message;
    size_t at;
    size_t count;
};

static bool
read_formats(const struct wire_message *message, size_t *at, struct formats *ret)
{
    if (message->length - *at < 2)
        return false;
    ret->message = message;
    ret->count = wire_read_number(message, at, 2);
    ret->at = *at;
    if ((message->length - *at) / 2 < ret->count)
        return false;
    *at += ret->count * 2;
    return true;
}

static bool
format_is_binary(const struct formats *formats, size_t index)
{
    size_t at = formats->at + (formats->count == 1 ? 0 : index) * 2;

    if (formats->count == 0 || (formats->count > 1 && index >= formats->count))
        return false;
    return wire_read_number(formats->message, &at, 2) == FORMAT_BINARY;
}

/* One parameter; what lies behind the end of a message that was cut is not known. */
static struct traced_value
read_param(struct follow *follow, const struct follow_message *message, size_t *at,
    struct follow_bytes *bytes)
{
    uint32_t length;

    bytes->is_whole = false;
    if (message->wire.length - *at < 4) {
        *at = message->wire.length;
        return follow_value(follow, follow->scratch, bytes);
    }
    length = wire_read_number(&message->wire, at, 4);
    if (length == UINT32_MAX)
        return (struct traced_value){ 0 };
    bytes->data = message->wire.body + *at;
    bytes->is_whole = length <= message->wire.length - *at;
    bytes->length = bytes->is_whole ? length : 0;
    *at = bytes->is_whole ? *at + length : message->wire.length;
    return follow_value(follow, follow->scratch, bytes);
}

/* False: the message does not hold what it says, and was not cut. */
static bool
read_params(struct follow *follow, const struct follow_message *message, size_t *at,
    struct follow_portal *portal)
{
    const struct follow_text *text = portal->text;
    struct formats formats;
    struct traced_value *values;
    size_t count;

    if (!read_formats(&message->wire, at, &formats) || message->wire.length - *at < 2)
        return false;
    count = wire_read_number(&message->wire, at, 2);
    values = ARENA_ARRAY(follow->scratch, struct traced_value, count);
    for (size_t i = 0; i < count; i++) {
        struct follow_bytes bytes = {
            .is_binary = format_is_binary(&formats, i),
            .type = text && i < text->type_count ? text->types[i] : 0,
        };

        values[i] = read_param(follow, message, at, &bytes);
    }
    portal->values = follow_copy_values(values, count);
    portal->value_count = count;
    return true;
}

static void
read_result_formats(const struct follow_message *message, size_t at, struct follow_portal *portal)
{
    struct formats formats;

    portal->is_blind = !read_formats(&message->wire, &at, &formats);
    if (portal->is_blind || formats.count == 0)
        return;
    portal->formats = follow_alloc(formats.count);
    portal->format_count = formats.count;
    for (size_t i = 0; i < formats.count; i++)
        portal->formats[i] = format_is_binary(&formats, i);
}

static void
take_bind(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    size_t at = 0;
    const char *name = wire_read_text(&message->wire, &at);
    const char *prepared = wire_read_text(&message->wire, &at);
    struct follow_portal *portal;

    if (!name || !prepared) {
        follow->counts.damaged++;
        return;
    }
    portal = follow_alloc(sizeof(*portal));
    portal->uses = 1;
    portal->name = follow_copy_text(name, strlen(name));
    portal->text = follow_text_use(follow_text_find(session, prepared));
    if (!read_params(follow, message, &at, portal) && !message->is_cut)
        follow->counts.damaged++;
    read_result_formats(message, at, portal);
    follow_portal_keep(session, portal);
}

/* ---- the queue ---- */

static void
push(struct follow *follow, struct follow_session *session, const struct follow_pending *pending)
{
    if (follow_push(session, pending))
        return;
    follow->counts.lost++;
    follow_lose(session);
}

static struct follow_text **
one_text(struct follow_text *text)
{
    struct follow_text **texts = follow_alloc(sizeof(*texts));

    *texts = text;
    return texts;
}

static void
take_describe(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    size_t at = 1;
    const char *name = wire_read_text(&message->wire, &at);
    struct follow_pending pending = { .type = 'D', .at_us = message->at_us };
    struct follow_text *text = NULL;

    if (name) {
        pending.of = *message->wire.body;
        if (pending.of == 'P') {
            const struct follow_portal *portal = follow_portal_find(session, name);

            text = portal ? portal->text : NULL;
        } else {
            text = follow_text_find(session, name);
        }
    }
    if (text) {
        pending.texts = one_text(follow_text_use(text));
        pending.text_count = 1;
    }
    push(follow, session, &pending);
}

static void
take_execute(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    size_t at = 0;
    const char *name = wire_read_text(&message->wire, &at);
    struct follow_pending pending = {
        .type = 'E',
        .at_us = message->at_us,
        .line = message->line,
        .portal = name ? follow_portal_find(session, name) : NULL,
    };

    if (pending.portal)
        pending.portal->uses++;
    push(follow, session, &pending);
}

static void
take_close(struct follow_session *session, const struct follow_message *message)
{
    size_t at = 1;
    const char *name = wire_read_text(&message->wire, &at);

    if (name && *message->wire.body == 'S')
        follow_text_forget(session, name);
    else if (name)
        follow_portal_forget(session, name);
}

/* ---- simple queries ---- */

/* Whether something stands behind a semicolon; not whether that one ends a statement. */
static bool
may_be_several(const char *sql, size_t length)
{
    const char *found = memchr(sql, ';', length);

    while (found) {
        const char *behind = found + 1 + strspn(found + 1, " \t\r\n;");

        if (behind >= sql + length)
            return false;
        if (behind > found)
            return true;
    }
    return false;
}

static void
split(struct follow *follow, struct follow_pending *pending, const char *sql)
{
    struct ctx ctx = { .arena = follow->scratch };
    struct sql_statements statements = { 0 };

    if (!sql_split(&ctx, "query", sql, &statements) || statements.count < 2)
        return;
    pending->texts = follow_alloc(sizeof(struct follow_text *) * statements.count);
    pending->text_count = statements.count;
    for (size_t i = 0; i < statements.count; i++) {
        const char *text = statements.items[i].text;

        pending->texts[i] = follow_text_new(follow, text, strlen(text), false);
    }
}

static void
take_query(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    size_t at = 0;
    const char *sql = wire_read_text(&message->wire, &at);
    struct follow_pending pending = { .type = 'Q', .at_us = message->at_us, .line = message->line };

    if (!sql && !message->is_cut) {
        follow->counts.damaged++;
    } else if (sql && may_be_several(sql, at - 1)) {
        split(follow, &pending, sql);
    }
    if (pending.text_count == 0 && (sql || message->is_cut)) {
        pending.texts =
            one_text(sql ? follow_text_new(follow, sql, at - 1, false)
                         : follow_text_new(follow, message->wire.body, message->wire.length, true));
        pending.text_count = 1;
    }
    push(follow, session, &pending);
    follow_text_forget(session, "");
}

/* While the answers cannot be told, only what will be needed later is remembered. */
static void
take_while_lost(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    if (message->wire.type == 'P')
        take_parse(follow, session, message);
    else if (message->wire.type == 'C')
        take_close(session, message);
}

static void
take_sync(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    struct follow_pending pending = { .type = 'S', .at_us = message->at_us };

    session->is_skipping = false;
    if (!session->is_copying)
        push(follow, session, &pending);
}

void
follow_client(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    struct follow_pending pending = { .type = message->wire.type, .at_us = message->at_us };

    if (session->state != FOLLOW_LIVE) {
        take_while_lost(follow, session, message);
        return;
    }
    if (session->is_skipping && message->wire.type != 'S')
        return;
    switch (message->wire.type) {
    case 'P':
        take_parse(follow, session, message);
        push(follow, session, &pending);
        break;
    case 'B':
        take_bind(follow, session, message);
        push(follow, session, &pending);
        break;
    case 'C':
        take_close(session, message);
        push(follow, session, &pending);
        break;
    case 'D':
        take_describe(follow, session, message);
        break;
    case 'E':
        take_execute(follow, session, message);
        break;
    case 'Q':
        take_query(follow, session, message);
        break;
    case 'F':
        push(follow, session, &pending);
        break;
    case 'S':
        take_sync(follow, session, message);
        break;
    case 'c':
    case 'f':
        session->is_copying = false;
        break;
    default:
        break;
    }
}
