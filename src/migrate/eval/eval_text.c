#include "migrate/eval/eval_private.h"

enum {
    WORD_MAX = 64,   /* shorter texts are kept once for all equal ones */
    BYTES_EACH = 64, /* so many bytes of text are one step of work */
    CODE_POINT_MAX = 0x10ffff,
};

struct literal {
    bool is_raw;
    bool is_format;
    bool is_bytes;
    const char *unknown; /* why the text is not known, or NULL */
};

struct value
eval_text_new(struct eval *e, const char *text, size_t length)
{
    struct value value = { .kind = VALUE_TEXT };

    if (!eval_work(e, length / BYTES_EACH))
        return value_unknown("the analysis stopped");
    if (length > EVAL_TEXT_MAX && length > e->tree->length)
        return value_unknown("the text is too long");
    if (length < WORD_MAX)
        value.text = eval_word(e, text, length);
    else
        value.text = arena_strndup(e->keep, text, length);
    if (memchr(value.text, VALUE_HOLE, length))
        value.kind = VALUE_TEMPLATE;
    return value;
}

struct value
eval_text_from(struct eval *e, struct buffer *buffer)
{
    return eval_text_new(e, buffer_text(buffer), buffer->length);
}

size_t
eval_text_count(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

size_t
eval_text_offset(const char *text, size_t points)
{
    size_t i = 0;

    for (; text[i]; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && points-- == 0)
            break;
    return i;
}

static void
append_code_point(struct buffer *buffer, uint32_t point)
{
    char bytes[4];

    buffer_append(buffer, bytes, text_put_utf8(point, bytes));
}

static size_t
read_digits(const char *text, size_t length, unsigned base, size_t most, uint32_t *ret)
{
    size_t i = 0;

    *ret = 0;
    for (; i < most && i < length; i++) {
        int digit = text_hex_value(text[i]);

        if (digit < 0 || (unsigned)digit >= base)
            break;
        *ret = *ret * base + (unsigned)digit;
    }
    return i;
}

/* \x41, \u0041, \U00000041, \101: returns the bytes read behind the backslash, or 0. */
static size_t
read_number(struct literal *literal, const char *text, size_t length, uint32_t *ret)
{
    static const struct {
        char letter;
        size_t digits;
    } forms[] = { { 'x', 2 }, { 'u', 4 }, { 'U', 8 } };

    if (text[0] >= '0' && text[0] <= '7')
        return read_digits(text, length, 8, 3, ret);
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (text[0] != forms[i].letter || (literal->is_bytes && forms[i].letter != 'x'))
            continue;
        if (read_digits(text + 1, length - 1, 16, forms[i].digits, ret) != forms[i].digits)
            return 0;
        return forms[i].digits + 1;
    }
    return 0;
}

/* What stands behind a backslash; returns its bytes. Source: the language reference, 2.4.1. */
static size_t
append_escape(struct literal *literal, struct buffer *buffer, const char *text, size_t length)
{
    static const char letters[] = "\\'\"abfnrtv";
    static const char meanings[] = "\\'\"\a\b\f\n\r\t\v";
    const char *found = length > 0 && text[0] ? strchr(letters, text[0]) : NULL;
    uint32_t point = 0;
    size_t used;

    if (length == 0) {
        buffer_add(buffer, "\\");
        return 0;
    }
    if (text[0] == '\n')
        return 1;
    if (text[0] == '\r')
        return length > 1 && text[1] == '\n' ? 2 : 1;
    if (found) {
        buffer_append(buffer, &meanings[found - letters], 1);
        return 1;
    }
    if (text[0] == 'N' && length > 1 && text[1] == '{' && !literal->is_bytes) {
        const char *end = memchr(text, '}', length);
        static const char hole = VALUE_HOLE;

        buffer_append(buffer, &hole, 1);
        return end ? (size_t)(end - text) + 1 : 1;
    }
    used = read_number(literal, text, length, &point);
    if (used == 0) {
        buffer_add(buffer, "\\");
        return 0;
    }
    if (point == 0 || point > CODE_POINT_MAX)
        literal->unknown = "the text has a NUL in it";
    else
        append_code_point(buffer, point);
    return used;
}

static void
append_content(struct literal *literal, struct buffer *buffer, const char *text, size_t length)
{
    size_t i = 0;

    while (i < length) {
        size_t start = i;

        while (i < length && text[i] != '\\' && text[i] != '\r' && text[i] != '{' && text[i] != '}')
            i++;
        buffer_append(buffer, text + start, i - start);
        if (i == length)
            break;

        char c = text[i++];

        if (c == '\\' && !literal->is_raw) {
            i += append_escape(literal, buffer, text + i, length - i);
            continue;
        }
        /* Lines of a source file end in a newline, however the file writes it. */
        if (c == '\r') {
            i += i < length && text[i] == '\n';
            c = '\n';
        } else if (literal->is_format && i < length && text[i] == c && c != '\\') {
            i++;
        }
        buffer_append(buffer, &c, 1);
    }
}

static struct literal
literal_of(const struct eval *e, const struct py_node *start)
{
    struct literal literal = { 0 };

    for (uint32_t i = start->start; i < start->end; i++) {
        char c = (char)(e->tree->source[i] | 0x20);

        literal.is_raw |= c == 'r';
        literal.is_format |= c == 'f';
        literal.is_bytes |= c == 'b';
    }
    return literal;
}

/* {x:>{width}} has a specification that is not constant: nothing is known then. */
static void
append_interpolation(struct eval *e, struct buffer *buffer, const struct py_node *node)
{
    const struct py_node *expression = py_child(node, PY_FIELD_EXPRESSION);
    struct value value = eval_expression(e, expression);
    const char *spec = "";
    char conversion = 0;

    for (const struct py_node *child = expression ? expression->next : NULL; child;
         child = child->next) {
        if (child->kind == PY_TYPE_CONVERSION && child->end > child->start + 1)
            conversion = e->tree->source[child->start + 1];
        if (child->kind != PY_FORMAT_SPECIFIER)
            continue;
        spec = eval_word(e, e->tree->source + child->start + 1, child->end - child->start - 1);
        if (child->first)
            value = value_unknown("its format is not constant");
    }
    if (expression) {
        const char *behind = e->tree->source + expression->end;

        /* {x=} writes its own source. */
        behind += strspn(behind, " \t");
        if (*behind == '=' && behind < e->tree->source + node->end)
            value = value_unknown("it writes its own source");
    }
    eval_format_value(e, buffer, &value, conversion, spec);
}

static const char *
append_string(struct eval *e, struct buffer *buffer, const struct py_node *node)
{
    struct literal literal = { 0 };

    for (const struct py_node *child = node->first; child; child = child->next) {
        if (child->kind == PY_STRING_START)
            literal = literal_of(e, child);
        else if (child->kind == PY_STRING_CONTENT)
            append_content(
                &literal, buffer, e->tree->source + child->start, child->end - child->start);
        else if (child->kind == PY_INTERPOLATION)
            append_interpolation(e, buffer, child);
    }
    return literal.unknown;
}

/* One piece of text without anything special: nearly every literal. */
static bool
is_plain(const struct eval *e, const struct py_node *node, const struct py_node **ret_content)
{
    const struct py_node *content = node->first ? node->first->next : NULL;
    const char *text;
    size_t length;

    *ret_content = NULL;
    if (!content || node->first->kind != PY_STRING_START)
        return false;
    if (content->kind == PY_STRING_END)
        return true;
    if (content->kind != PY_STRING_CONTENT || !content->next ||
        content->next->kind != PY_STRING_END)
        return false;
    text = e->tree->source + content->start;
    length = content->end - content->start;
    *ret_content = content;
    return !memchr(text, '\\', length) && !memchr(text, '\r', length) &&
           !literal_of(e, node->first).is_format;
}

struct value
eval_string(struct eval *e, const struct py_node *node)
{
    const struct py_node *content;
    struct buffer buffer = { .arena = e->arena };

    if (is_plain(e, node, &content)) {
        if (!content)
            return (struct value){ .kind = VALUE_TEXT, .text = "" };
        return eval_text_new(e, e->tree->source + content->start, content->end - content->start);
    }

    const char *unknown = append_string(e, &buffer, node);

    return unknown ? value_unknown(unknown) : eval_text_from(e, &buffer);
}

struct value
eval_concatenated(struct eval *e, const struct py_node *node)
{
    struct buffer buffer = { .arena = e->arena };

    for (const struct py_node *child = node->first; child; child = child->next) {
        const char *unknown = child->kind == PY_STRING ? append_string(e, &buffer, child) : NULL;

        if (unknown)
            return value_unknown(unknown);
    }
    return eval_text_from(e, &buffer);
}
