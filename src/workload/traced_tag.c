#include "workload/traced_tag.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { LONGEST_VALUE = 400, MOST_PAIRS = 32 };

/* A part of a text. */
struct piece {
    const char *start;
    const char *end;
};

static void
trim(struct piece *piece)
{
    while (piece->start < piece->end && isspace((unsigned char)*piece->start))
        piece->start++;
    while (piece->end > piece->start && isspace((unsigned char)piece->end[-1]))
        piece->end--;
}

static bool
piece_is(struct piece piece, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(piece.end - piece.start) == length && memcmp(piece.start, text, length) == 0;
}

/*
 * A value without its quotes, %XX and backslashes; what cannot be shown becomes '?', since anybody who
 * can send a statement can write it.
 */
static const char *
decode(struct arena *arena, struct piece piece, bool is_encoded)
{
    char *text;
    size_t length = 0;

    if (piece.end - piece.start > LONGEST_VALUE)
        piece.end = piece.start + LONGEST_VALUE;
    text = arena_alloc(arena, (size_t)(piece.end - piece.start) + 1);
    for (const char *at = piece.start; at < piece.end; at++) {
        char c = *at;

        if (is_encoded && c == '%' && piece.end - at > 2 && text_hex_value(at[1]) >= 0 &&
            text_hex_value(at[2]) >= 0) {
            c = (char)(text_hex_value(at[1]) << 4 | text_hex_value(at[2]));
            at += 2;
        } else if (is_encoded && c == '\\' && at + 1 < piece.end) {
            c = *++at;
        }
        text[length++] = (char)((unsigned char)c < 0x20 || c == 0x7f ? '?' : c);
    }
    text[length] = '\0';
    if (!text_is_utf8(text))
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)text[i] >= 0x80)
                text[i] = '?';
    return length > 0 ? text : NULL;
}

/* What a comment says, before it is known which of it names the route. */
struct said {
    const char *route;
    const char *controller;
    const char *action;
    const char *job;
    const char *traceparent;
    const char *request;
    const char *framework;
};

static void
take_pair(struct arena *arena, struct piece key, struct piece value, struct said *said)
{
    const struct {
        const char *key;
        const char **ret;
    } known[] = {
        { "route", &said->route },
        { "endpoint", &said->route },
        { "controller", &said->controller },
        { "controller_with_namespace", &said->controller },
        { "action", &said->action },
        { "job", &said->job },
        { "job_class", &said->job },
        { "traceparent", &said->traceparent },
        { "request_id", &said->request },
        { "request", &said->request },
        { "framework", &said->framework },
    };
    bool is_quoted;

    trim(&key);
    trim(&value);
    is_quoted = value.end - value.start >= 2 && *value.start == '\'' && value.end[-1] == '\'';
    if (is_quoted) {
        value.start++;
        value.end--;
    }
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (piece_is(key, known[i].key) && !*known[i].ret)
            *known[i].ret = decode(arena, value, is_quoted);
}

/* Where the pair ends: at a comma that is not inside of quotes. */
static const char *
end_of_pair(const char *at, const char *end)
{
    bool is_quoted = false;

    for (; at < end && (is_quoted || *at != ','); at++) {
        if (is_quoted && *at == '\\' && at + 1 < end)
            at++;
        else if (*at == '\'')
            is_quoted = !is_quoted;
    }
    return at;
}

/* version-traceid-parentid-flags; source: W3C Trace Context. */
static bool
is_traceparent(struct piece piece)
{
    static const size_t dashes[] = { 2, 35, 52 };
    size_t next = 0;

    if (piece.end - piece.start != 55)
        return false;
    for (size_t i = 0; i < 55; i++) {
        if (next < COUNT_OF(dashes) && i == dashes[next]) {
            if (piece.start[i] != '-')
                return false;
            next++;
        } else if (text_hex_value(piece.start[i]) < 0) {
            return false;
        }
    }
    return true;
}

static void
read_comment(struct arena *arena, struct piece comment, struct said *said)
{
    const char *at = comment.start;

    trim(&comment);
    if (is_traceparent(comment)) {
        said->traceparent = decode(arena, comment, false);
        return;
    }
    for (int i = 0; i < MOST_PAIRS && at < comment.end; i++) {
        struct piece pair = { .start = at, .end = end_of_pair(at, comment.end) };
        const char *mark = pair.start;

        while (mark < pair.end && *mark != '=' && *mark != ':')
            mark++;
        if (mark < pair.end)
            take_pair(arena, (struct piece){ pair.start, mark },
                (struct piece){ mark + 1, pair.end }, said);
        at = pair.end + 1;
    }
}

/* The comment that the text ends with. */
static bool
last_comment(struct piece *text, struct piece *ret)
{
    const char *start;

    while (
        text->end > text->start && (isspace((unsigned char)text->end[-1]) || text->end[-1] == ';'))
        text->end--;
    if (text->end - text->start < 4 || memcmp(text->end - 2, "*/", 2) != 0)
        return false;
    for (start = text->end - 4; start >= text->start; start--)
        if (memcmp(start, "/*", 2) == 0) {
            *ret = (struct piece){ start + 2, text->end - 2 };
            text->end = start;
            return true;
        }
    return false;
}

static bool
first_comment(struct piece *text, struct piece *ret)
{
    const char *end;

    while (text->start < text->end && isspace((unsigned char)*text->start))
        text->start++;
    if (text->end - text->start < 4 || memcmp(text->start, "/*", 2) != 0)
        return false;
    end = memmem(text->start + 2, (size_t)(text->end - text->start) - 2, "*/", 2);
    if (!end)
        return false;
    *ret = (struct piece){ text->start + 2, end };
    text->start = end + 2;
    return true;
}

/* The trace's own part of a traceparent: its second field. */
static const char *
trace_of(struct arena *arena, const char *traceparent)
{
    struct piece piece = { traceparent, traceparent + strlen(traceparent) };

    return is_traceparent(piece) ? arena_strndup(arena, traceparent + 3, 32) : traceparent;
}

/* Most statements have none: that is to be cheap, which memmem() is not. */
static bool
may_have_comment(const char *sql, size_t length)
{
    const char *end = sql + length;
    const char *star = sql;

    while ((star = memchr(star, '*', (size_t)(end - star)))) {
        if (star + 1 < end && star[1] == '/')
            return true;
        star++;
    }
    return false;
}

void
traced_tag_read(struct arena *arena, const char *sql, size_t length, struct traced_tag *ret)
{
    struct piece text = { sql, sql + length };
    struct piece comment;
    struct said said = { 0 };

    *ret = (struct traced_tag){ 0 };
    if (!may_have_comment(sql, length))
        return;
    for (int i = 0; i < 4 && last_comment(&text, &comment); i++)
        read_comment(arena, comment, &said);
    for (int i = 0; i < 4 && first_comment(&text, &comment); i++)
        read_comment(arena, comment, &said);
    ret->framework = said.framework;
    ret->request = said.request       ? said.request
                   : said.traceparent ? trace_of(arena, said.traceparent)
                                      : NULL;
    if (said.route)
        ret->route = said.route;
    else if (said.controller && said.action)
        ret->route = arena_printf(arena, "%s#%s", said.controller, said.action);
    else
        ret->route = said.controller ? said.controller : said.action ? said.action : said.job;
}
