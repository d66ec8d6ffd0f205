/* Statements that were prepared, portals, and the values of both. */
#include <string.h>

#include "queries/trace/follow_part.h"

/* What a session remembers; more is forgotten, that which was used longest ago first. */
enum { MOST_TEXTS = 300, MOST_PORTALS = 64 };

/* ---- values ---- */

struct traced_value
follow_value(struct follow *follow, struct arena *arena, const struct follow_bytes *bytes)
{
    struct traced_value value = { 0 };
    const char *text = bytes->data;
    size_t length = bytes->length;

    if (!bytes->is_whole) {
        /* Its end is not known: it is like no other. */
        uint64_t number[2] = { 0, follow->unlike++ };

        value.hash = value_hash(&follow->key, (const char *)number, sizeof(number));
        value.is_opaque = true;
        return value;
    }
    if (bytes->is_binary)
        value.is_opaque = !value_from_binary(
            follow->scratch, bytes->type, bytes->data, bytes->length, &text, &length);
    value.hash = value_hash(&follow->key, text, length);
    if (follow->options.keeps_values && !value.is_opaque)
        value.text = arena_strndup(arena, text, length);
    return value;
}

struct traced_value *
follow_copy_values(const struct traced_value *values, size_t count)
{
    size_t size = sizeof(*values) * count;
    struct traced_value *copy;
    char *at;

    for (size_t i = 0; i < count; i++)
        size += values[i].text ? strlen(values[i].text) + 1 : 0;
    copy = follow_alloc(size);
    at = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = values[i];
        if (!values[i].text)
            continue;
        copy[i].text = memcpy(at, values[i].text, strlen(values[i].text) + 1);
        at += strlen(at) + 1;
    }
    return copy;
}

/* ---- texts ---- */

static void
take_constants(struct follow *follow, struct follow_text *text, const char *sql,
    const struct literals *literals)
{
    struct traced_value *values =
        ARENA_ARRAY(follow->scratch, struct traced_value, literals->count);

    for (size_t i = 0; i < literals->count; i++) {
        const char *constant = literal_text(follow->scratch, sql, &literals->items[i]);

        values[i].hash = value_hash(&follow->key, constant, strlen(constant));
        values[i].text = follow->options.keeps_values ? constant : NULL;
    }
    text->constants = follow_copy_values(values, literals->count);
    text->constant_count = literals->count;
}

static const char *
copy_or_null(const char *text)
{
    return text ? follow_copy_text(text, strlen(text)) : NULL;
}

struct follow_text *
follow_text_new(struct follow *follow, const char *sql, size_t length, bool is_cut)
{
    struct follow_text *text = follow_alloc(sizeof(*text));
    struct literals literals = { 0 };
    struct traced_tag tag;

    text->uses = 1;
    text->template =
        templates_find(follow->templates, sql, length, is_cut, follow->scratch, &literals);
    if (literals.count > 0)
        take_constants(follow, text, sql, &literals);
    if (follow->options.keeps_values)
        text->sql = follow_copy_text(sql, length);
    traced_tag_read(follow->scratch, sql, length, &tag);
    text->tag.route = copy_or_null(tag.route);
    text->tag.request = copy_or_null(tag.request);
    text->tag.framework = copy_or_null(tag.framework);
    return text;
}

struct follow_text *
follow_text_use(struct follow_text *text)
{
    if (text)
        text->uses++;
    return text;
}

static void
free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

void
follow_text_drop(struct follow_text *text)
{
    if (!text || --text->uses > 0)
        return;
    free(text->name);
    free(text->sql);
    free(text->constants);
    free(text->types);
    free(text->columns);
    free_text(text->tag.route);
    free_text(text->tag.request);
    free_text(text->tag.framework);
    free(text);
}

struct follow_text *
follow_text_find(struct follow_session *session, const char *name)
{
    for (struct follow_text **link = &session->texts; *link; link = &(*link)->next) {
        struct follow_text *text = *link;

        if (strcmp(text->name, name) != 0)
            continue;
        *link = text->next;
        text->next = session->texts;
        session->texts = text;
        return text;
    }
    return NULL;
}

static void
forget_text(struct follow_session *session, struct follow_text **link)
{
    struct follow_text *text = *link;

    *link = text->next;
    session->text_count--;
    follow_text_drop(text);
}

void
follow_text_forget(struct follow_session *session, const char *name)
{
    while (!name && session->texts)
        forget_text(session, &session->texts);
    if (name && follow_text_find(session, name))
        forget_text(session, &session->texts);
}

void
follow_text_keep(struct follow_session *session, struct follow_text *text, const char *name)
{
    follow_text_forget(session, name);
    text->name = follow_copy_text(name, strlen(name));
    text->next = session->texts;
    session->texts = text;
    if (++session->text_count > MOST_TEXTS) {
        struct follow_text **last = &session->texts;

        while ((*last)->next)
            last = &(*last)->next;
        forget_text(session, last);
    }
}

/* ---- portals ---- */

void
follow_portal_drop(struct follow_portal *portal)
{
    if (!portal || --portal->uses > 0)
        return;
    follow_text_drop(portal->text);
    free(portal->name);
    free(portal->values);
    free(portal->formats);
    free(portal);
}

struct follow_portal *
follow_portal_find(struct follow_session *session, const char *name)
{
    struct follow_portal *portal = session->portals;

    while (portal && strcmp(portal->name, name) != 0)
        portal = portal->next;
    return portal;
}

void
follow_portal_forget(struct follow_session *session, const char *name)
{
    struct follow_portal **link = &session->portals;

    while (*link) {
        struct follow_portal *portal = *link;

        if (name && strcmp(portal->name, name) != 0) {
            link = &portal->next;
            continue;
        }
        *link = portal->next;
        session->portal_count--;
        follow_portal_drop(portal);
    }
}

void
follow_portal_keep(struct follow_session *session, struct follow_portal *portal)
{
    follow_portal_forget(session, portal->name);
    portal->next = session->portals;
    session->portals = portal;
    if (++session->portal_count > MOST_PORTALS) {
        struct follow_portal *last = session->portals;

        while (last->next)
            last = last->next;
        follow_portal_forget(session, last->name);
    }
}
