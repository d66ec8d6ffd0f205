#include "staging/schema_load_lines.h"

#include <ctype.h>

struct scan {
    char *text; /* being blanked */
    size_t at;
    size_t statement; /* where the statement began */
};

static bool
is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

/* Behind the end of a quoted thing; of an open one, the end of the text. */
static void
skip_quoted(struct scan *scan, char quote, bool has_backslash)
{
    const char *text = scan->text;

    for (scan->at++; text[scan->at]; scan->at++) {
        bool is_escaped = (has_backslash && text[scan->at] == '\\' && text[scan->at + 1]) ||
                          (text[scan->at] == quote && text[scan->at + 1] == quote);

        if (is_escaped)
            scan->at++;
        else if (text[scan->at] == quote)
            break;
    }
    scan->at += text[scan->at] == quote;
}

static void
skip_comment(struct scan *scan)
{
    const char *text = scan->text;
    size_t depth = 0;

    if (text[scan->at] == '-') {
        scan->at += strcspn(text + scan->at, "\n");
        return;
    }
    while (text[scan->at]) {
        if (text_starts_with(text + scan->at, "/*")) {
            depth++;
            scan->at += 2;
        } else if (text_starts_with(text + scan->at, "*/")) {
            scan->at += 2;
            if (--depth == 0)
                return;
        } else {
            scan->at++;
        }
    }
}

/* $tag$ … $tag$; a dollar that begins no tag is one character. */
static void
skip_dollar(struct scan *scan)
{
    char *start = scan->text + scan->at;
    size_t length = 1;

    if (isdigit((unsigned char)start[1])) {
        scan->at++;
        return;
    }
    while (is_name_char(start[length]) && start[length] != '$')
        length++;
    if (start[length] != '$') {
        scan->at++;
        return;
    }
    length++;

    const char *end = start + length;

    while ((end = strchr(end, '$')) && strncmp(end, start, length) != 0)
        end++;
    scan->at = end ? (size_t)(end - scan->text) + length : scan->at + strlen(start);
}

static void
blank_line(struct scan *scan)
{
    while (scan->text[scan->at] && scan->text[scan->at] != '\n')
        scan->text[scan->at++] = ' ';
}

/* Whether a statement is COPY … FROM stdin: words in any case, blanks between. */
static bool
is_copy_in(const char *statement, size_t length)
{
    const char *end = statement + length;
    size_t at = strspn(statement, " \t\r\n");

    if (at + 5 >= length || strncasecmp(statement + at, "copy", 4) != 0 ||
        is_name_char(statement[at + 4]))
        return false;
    for (const char *c = statement + at; c + 9 < end; c++) {
        if (strncasecmp(c, "from", 4) != 0 || !isspace((unsigned char)c[4]))
            continue;
        c += 4 + strspn(c + 4, " \t\r\n");
        if (c + 5 <= end && strncasecmp(c, "stdin", 5) == 0)
            return true;
    }
    return false;
}

static void
end_statement(struct scan *scan)
{
    bool is_copy = is_copy_in(scan->text + scan->statement, scan->at - scan->statement);

    scan->at++;
    if (is_copy) {
        blank_line(scan);
        while (scan->text[scan->at]) {
            bool is_last = text_starts_with(scan->text + scan->at, "\n\\.");

            scan->at++;
            blank_line(scan);
            if (is_last)
                break;
        }
    }
    scan->statement = scan->at;
}

static void
step(struct scan *scan)
{
    const char *text = scan->text + scan->at;

    if (*text == '\'') {
        bool is_escape = scan->at > 0 && (text[-1] == 'e' || text[-1] == 'E') &&
                         (scan->at < 2 || !is_name_char(text[-2]));

        skip_quoted(scan, '\'', is_escape);
    } else if (*text == '"') {
        skip_quoted(scan, '"', false);
    } else if (text_starts_with(text, "--") || text_starts_with(text, "/*")) {
        size_t start = scan->at;

        skip_comment(scan);
        /* A comment in front of COPY is not part of it. */
        if (strspn(scan->text + scan->statement, " \t\r\n") + scan->statement == start)
            scan->statement = scan->at;
    } else if (*text == '$' && (scan->at == 0 || !is_name_char(text[-1]))) {
        skip_dollar(scan);
    } else if (*text == '\\') {
        blank_line(scan);
    } else if (*text == ';') {
        end_statement(scan);
    } else {
        scan->at++;
    }
}

const char *
schema_load_only_sql(struct arena *arena, const char *text)
{
    struct scan scan = { .text = arena_strdup(arena, text) };

    while (scan.text[scan.at])
        step(&scan);
    return scan.text;
}
