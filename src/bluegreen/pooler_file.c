/*
 * The [databases] section of pgbouncer.ini: the one entry is rewritten in host, port and dbname, everything else
 * stays byte by byte. Comments are lines of their own there; values may stand in single quotes.
 */
#include <ctype.h>

#include "bluegreen/bluegreen.h"

struct line {
    const char *text; /* without the end of the line */
    size_t length;
    size_t whole; /* with it */
};

static struct line
next_line(const char *at)
{
    struct line line = { .text = at, .length = strcspn(at, "\n") };

    line.whole = line.length + (at[line.length] == '\n');
    if (line.length > 0 && at[line.length - 1] == '\r')
        line.length--;
    return line;
}

static size_t
blanks(const char *text, size_t length)
{
    size_t i = 0;

    while (i < length && isspace((unsigned char)text[i]))
        i++;
    return i;
}

/* Whether it is the section's head; *ret_inside: that of [databases]. */
static bool
is_section(const struct line *line, bool *ret_inside)
{
    static const char name[] = "[databases]";
    size_t start = blanks(line->text, line->length);

    if (start == line->length || line->text[start] != '[')
        return false;
    *ret_inside = line->length - start >= sizeof(name) - 1 &&
                  strncmp(line->text + start, name, sizeof(name) - 1) == 0;
    return true;
}

/* Where the value begins when the line is of this entry; else 0. */
static size_t
value_of(const struct line *line, const char *name)
{
    size_t at = blanks(line->text, line->length);
    size_t length = strlen(name);
    bool is_quoted = at < line->length && line->text[at] == '"';

    at += is_quoted;
    if (line->length - at < length || strncmp(line->text + at, name, length) != 0)
        return 0;
    at += length;
    if (is_quoted) {
        if (at >= line->length || line->text[at] != '"')
            return 0;
        at++;
    }
    at += blanks(line->text + at, line->length - at);
    return at < line->length && line->text[at] == '=' ? at + 1 : 0;
}

/* The end of "name=value" or "name='it''s'", or of a word that has no value. */
static size_t
end_of_parameter(const char *text, size_t length)
{
    size_t at = 0, word;

    while (at < length && text[at] != '=' && !isspace((unsigned char)text[at]))
        at++;
    word = at;
    at += blanks(text + at, length - at);
    if (at >= length || text[at] != '=')
        return word;
    at++;
    at += blanks(text + at, length - at);
    if (at < length && text[at] == '\'') {
        for (at++; at < length; at++)
            if (text[at] == '\'') {
                if (at + 1 >= length || text[at + 1] != '\'')
                    return at + 1;
                at++;
            }
        return at;
    }
    while (at < length && !isspace((unsigned char)text[at]))
        at++;
    return at;
}

static void
add_value(struct buffer *buffer, const char *name, const char *value)
{
    bool is_plain = *value != '\0';

    for (const char *at = value; *at; at++)
        is_plain = is_plain && *at != '\'' && !isspace((unsigned char)*at);
    buffer_printf(buffer, "%s=", name);
    if (is_plain) {
        buffer_add(buffer, value);
        return;
    }
    buffer_add(buffer, "'");
    for (const char *at = value; *at; at++) {
        if (*at == '\'')
            buffer_add(buffer, "'");
        buffer_append(buffer, at, 1);
    }
    buffer_add(buffer, "'");
}

static bool
is_parameter(const char *text, size_t length, const char *name)
{
    size_t size = strlen(name);

    return length > size && strncmp(text, name, size) == 0 &&
           (text[size] == '=' || isspace((unsigned char)text[size]));
}

static void
rewrite(
    struct buffer *out, const struct line *line, size_t start, const struct bluegreen_entry *entry)
{
    buffer_append(out, line->text, start);
    if (entry->host) {
        buffer_add(out, " ");
        add_value(out, "host", entry->host);
    }
    if (entry->port) {
        buffer_add(out, " ");
        add_value(out, "port", entry->port);
    }
    buffer_add(out, " ");
    add_value(out, "dbname", entry->database);
    for (size_t at = start; at < line->length;) {
        at += blanks(line->text + at, line->length - at);

        size_t length = end_of_parameter(line->text + at, line->length - at);
        const char *text = line->text + at;

        if (length > 0 && !is_parameter(text, length, "host") &&
            !is_parameter(text, length, "port") && !is_parameter(text, length, "dbname")) {
            buffer_add(out, " ");
            buffer_append(out, text, length);
        }
        at += length > 0 ? length : 1;
    }
    buffer_append(out, line->text + line->length, line->whole - line->length);
}

bool
pooler_file_point(struct ctx *ctx, const char *text, const struct bluegreen_entry *entry,
    const char **ret_text, const char **ret_before)
{
    struct buffer out = { .arena = ctx->arena };
    bool is_inside = false;
    size_t count = 0;

    buffer_add(&out, "");
    for (const char *at = text; *at;) {
        struct line line = next_line(at);
        size_t start = 0;

        if (!is_section(&line, &is_inside) && is_inside)
            start = value_of(&line, entry->name);
        if (start > 0) {
            count++;
            *ret_before = arena_strndup(ctx->arena, line.text, line.length);
            rewrite(&out, &line, start, entry);
        } else {
            buffer_append(&out, at, line.whole);
        }
        at += line.whole;
    }
    *ret_text = buffer_text(&out);
    if (count == 1)
        return true;
    if (count > 1)
        return error_set(
            ctx, ERR_INPUT, "[databases] has %zu entries of \"%s\"", count, entry->name);
    error_set(ctx, ERR_INPUT, "[databases] has no entry \"%s\"", entry->name);
    return error_hint(ctx,
        "An entry \"*\" or one of an %%include file is not rewritten: write a "
        "line for \"%s\", or leave --pgbouncer-ini out where both databases are "
        "on one server.",
        entry->name);
}
