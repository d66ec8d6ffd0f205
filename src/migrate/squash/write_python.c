#include "migrate/squash/write_python.h"

#include <ctype.h>

#include "catalog/reparse.h"

enum { LINE_WIDTH = 100, STEP = 4 };

struct py *
py_leaf(struct arena *arena, const char *text)
{
    struct py *node = ARENA_NEW(arena, struct py);

    node->text = text;
    return node;
}

static struct py *
string_node(struct arena *arena, const char *text)
{
    struct py *node = py_leaf(arena, py_literal(arena, text));

    node->value = text;
    return node;
}

struct py *
py_call(struct arena *arena, const char *function)
{
    struct py *node = py_leaf(arena, function);

    node->open = '(';
    return node;
}

struct py *
py_sequence(struct arena *arena)
{
    struct py *node = py_leaf(arena, "");

    node->open = '[';
    return node;
}

void
py_add(struct arena *arena, struct py *call, const char *name, struct py *argument)
{
    if (name) {
        argument->text = arena_printf(arena, "%s=%s", name, argument->text);
        /* A text with a name in front is not cut. */
        argument->value = NULL;
    }
    VEC_PUSH(arena, &call->args, argument);
}

void
py_add_string(struct arena *arena, struct py *call, const char *name, const char *text)
{
    py_add(arena, call, name, string_node(arena, text));
}

/* ---- literals ---- */

/* Control bytes as Python writes them; false: the byte stands for itself. */
static bool
add_control(struct buffer *out, unsigned char byte)
{
    if (byte == '\n')
        buffer_add(out, "\\n");
    else if (byte == '\r')
        buffer_add(out, "\\r");
    else if (byte == '\t')
        buffer_add(out, "\\t");
    else if (byte < ' ' || byte == 0x7f)
        buffer_printf(out, "\\x%02x", byte);
    else
        return false;
    return true;
}

const char *
py_literal(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };
    char quote = strchr(text, '"') && !strchr(text, '\'') ? '\'' : '"';

    buffer_append(&out, &quote, 1);
    for (; *text; text++) {
        if (add_control(&out, (unsigned char)*text))
            continue;
        if (*text == quote || *text == '\\')
            buffer_add(&out, "\\");
        buffer_append(&out, text, 1);
    }
    buffer_append(&out, &quote, 1);
    return buffer_text(&out);
}

/* What stands between triple quotes; ret_is_raw: behind an r. */
static const char *
triple_quoted(struct arena *arena, const char *text, bool *ret_is_raw)
{
    struct buffer out = { .arena = arena };
    bool has_control = false;

    for (const char *at = text; *at; at++)
        has_control |= ((unsigned char)*at < ' ' && *at != '\n' && *at != '\t') || *at == 0x7f;
    *ret_is_raw = strchr(text, '\\') && !has_control && !strstr(text, "\"\"\"");
    if (*ret_is_raw || (!strchr(text, '\\') && !has_control && !strstr(text, "\"\"\"")))
        return text;
    for (; *text; text++) {
        if (*text != '\n' && *text != '\t' && add_control(&out, (unsigned char)*text))
            continue;
        if (*text == '\\' || text_starts_with(text, "\"\"\""))
            buffer_add(&out, "\\");
        buffer_append(&out, text, 1);
    }
    return buffer_text(&out);
}

/* ---- calls ---- */

static void
write_flat(struct buffer *out, const struct py *node)
{
    buffer_add(out, node->text);
    if (!node->open)
        return;
    buffer_append(out, &node->open, 1);
    for (size_t i = 0; i < node->args.count; i++) {
        buffer_add(out, i > 0 ? ", " : "");
        write_flat(out, node->args.items[i]);
    }
    buffer_add(out, node->open == '(' ? ")" : "]");
}

/* A long text as several literals side by side, cut behind blanks. */
static void
write_pieces(struct buffer *out, const struct py *node, size_t indent)
{
    const char *text = node->value;
    size_t room = LINE_WIDTH > indent + 24 ? LINE_WIDTH - indent - 4 : 24;

    while (*text) {
        size_t length = strlen(text), cut = length;

        if (length > room) {
            for (cut = room; cut > room / 2 && text[cut - 1] != ' '; cut--)
                ;
            if (text[cut - 1] != ' ')
                for (cut = room; text[cut] && text[cut - 1] != ' '; cut++)
                    ;
        }
        buffer_add(out, py_literal(out->arena, arena_strndup(out->arena, text, cut)));
        text += cut;
        if (*text)
            buffer_printf(out, "\n%*s", (int)indent, "");
    }
}

static void
write_node(struct buffer *out, const struct py *node, size_t indent, size_t behind)
{
    struct buffer flat = { .arena = out->arena };

    write_flat(&flat, node);
    if (!node->is_spread && indent + text_width(buffer_text(&flat)) + behind <= LINE_WIDTH) {
        buffer_add(out, buffer_text(&flat));
        return;
    }
    if (!node->open && node->value) {
        write_pieces(out, node, indent);
        return;
    }
    if (!node->open || node->args.count == 0) {
        buffer_add(out, buffer_text(&flat));
        return;
    }
    buffer_printf(out, "%s%c", node->text, node->open);
    for (size_t i = 0; i < node->args.count; i++) {
        buffer_printf(out, "\n%*s", (int)(indent + STEP), "");
        write_node(out, node->args.items[i], indent + STEP, 1);
        /* Literals side by side as the only argument look better without a comma. */
        if (node->args.count > 1 || node->args.items[i]->open || !node->args.items[i]->value)
            buffer_add(out, ",");
    }
    buffer_printf(out, "\n%*s%c", (int)indent, "", node->open == '(' ? ')' : ']');
}

void
py_write(struct buffer *out, const struct py *node, size_t indent)
{
    write_node(out, node, indent, 0);
}

/* ---- SQL in sa.text() ---- */

static bool
is_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' || (byte & 0x80);
}

/*
 * SQLAlchemy 1.4 and 2.0 take ":word" for a parameter where neither a word, a colon nor a
 * backslash stands before it and no colon behind it; then they take the backslash of "\:word"
 * away where no colon stands behind.
 */
const char *
py_escape_sql(struct arena *arena, const char *sql)
{
    struct buffer out = { .arena = arena };

    sql = sql_reparsable(arena, sql);
    for (const char *at = sql; *at; at++) {
        const char *end = at + 1;
        char before = '\0';
        bool is_beyond = false;

        if (at > sql)
            before = at[-1];
        if (*at == ':') {
            for (; is_word(*end); end++)
                is_beyond |= (*end & 0x80) != 0;
            /* Which of those count as letters only Python knows. */
            if (*end == ':' && is_beyond && before != ':')
                return NULL;
            if (*end != ':' && (before == '\\' || (end > at + 1 && before != ':' &&
                                                      (!is_word(before) || (before & 0x80)))))
                buffer_add(&out, "\\");
        }
        buffer_append(&out, at, 1);
    }
    return buffer_text(&out);
}

static const char *
skip_dollar(const char *text)
{
    const char *end = text + 1;
    size_t length;

    if (!isdigit((unsigned char)*end))
        while (is_word(*end) && *end != '$')
            end++;
    if (*end != '$')
        return text + 1;
    length = (size_t)(end + 1 - text);
    for (end++; *end; end++)
        if (strncmp(end, text, length) == 0)
            return end + length;
    return end;
}

const char *
py_skip_sql(const char *text)
{
    char quote = *text;
    bool has_escapes = false;

    if (quote == '$')
        return skip_dollar(text);
    if ((quote == 'E' || quote == 'e') && text[1] == '\'') {
        has_escapes = true;
        quote = *++text;
    } else if (is_word(quote)) {
        while (is_word(*text))
            text++;
        return text;
    }
    if (quote != '\'' && quote != '"')
        return text + 1;
    for (text++; *text; text++) {
        if (*text == quote && text[1] != quote)
            return text + 1;
        /* The second of two quotes, or what a backslash stands before. */
        if (*text == quote || (has_escapes && *text == '\\' && text[1]))
            text++;
    }
    return text;
}

/* Whether every line can be moved to the right without changing what it says. */
static bool
can_be_indented(const char *sql)
{
    while (*sql) {
        const char *end = py_skip_sql(sql);

        if (end > sql + 1 && memchr(sql, '\n', (size_t)(end - sql)))
            return false;
        sql = end;
    }
    return true;
}

static void
add_lines(struct buffer *out, const char *text, size_t indent)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        if (length > 0)
            buffer_printf(out, "%*s", (int)indent, "");
        buffer_append(out, text, length);
        buffer_add(out, "\n");
        text += length + (text[length] == '\n');
    }
}

static const char *
double_percents(struct arena *arena, const char *sql)
{
    struct buffer out = { .arena = arena };

    for (; *sql; sql++)
        buffer_append(&out, *sql == '%' ? "%%" : sql, *sql == '%' ? 2 : 1);
    return buffer_text(&out);
}

const char *
py_execute(struct arena *arena, const char *sql, bool *ret_needs_sa)
{
    struct buffer out = { .arena = arena };
    const char *escaped = py_escape_sql(arena, sql);
    const char *head = escaped ? "op.execute(" : "op.execute(sa.DDL(";
    const char *tail = escaped ? ")" : "))";
    size_t indent = 2 * STEP;
    bool is_raw;

    *ret_needs_sa |= !escaped;
    if (!escaped)
        escaped = double_percents(arena, sql_reparsable(arena, sql));
    if (!strchr(escaped, '\n')) {
        const char *literal = py_literal(arena, escaped);

        if (STEP + strlen(head) + text_width(literal) + strlen(tail) <= LINE_WIDTH)
            return arena_printf(arena, "    %s%s%s", head, literal, tail);
    }
    buffer_printf(&out, "    %s\n", head);
    if (!can_be_indented(sql))
        indent = 0;
    escaped = triple_quoted(arena, escaped, &is_raw);
    buffer_printf(&out, "        %s\"\"\"\n", is_raw ? "r" : "");
    add_lines(&out, escaped, indent);
    buffer_printf(&out, "%*s\"\"\"\n    %s", (int)indent, "", tail);
    return buffer_text(&out);
}
