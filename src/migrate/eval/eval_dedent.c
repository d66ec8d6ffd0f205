#include "migrate/eval/eval_private.h"

static bool
is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr(" \t", line[i]))
            return false;
    return true;
}

static size_t
indent_of(const char *line)
{
    return strspn(line, " \t");
}

/* The white space that all lines that are not blank begin with. */
static size_t
common_indent(const char *text)
{
    const char *first = NULL;
    size_t common = 0;

    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");

        if (!is_blank(line, length)) {
            size_t indent = indent_of(line);
            size_t same = 0;

            while (first && same < common && same < indent && line[same] == first[same])
                same++;
            common = first ? same : indent;
            if (!first)
                first = line;
        }
        line += length + (line[length] == '\n');
    }
    return common;
}

/* Source: textwrap.dedent() as the library reference describes it. */
struct value
eval_dedent(struct eval *e, const struct value *value)
{
    struct buffer buffer = { .arena = e->arena };
    size_t common;

    if (!value_is_text(value))
        return value_unknown("what is dedented is not known");
    common = common_indent(value->text);
    for (const char *line = value->text; *line;) {
        size_t length = strcspn(line, "\n");

        if (!is_blank(line, length))
            buffer_append(&buffer, line + common, length - common);
        line += length;
        if (*line == '\n')
            buffer_append(&buffer, line++, 1);
    }

    struct value result = eval_text_from(e, &buffer);

    result.node = value->node;
    result.file = value->file;
    return result;
}

/* Source: inspect.cleandoc() as the library reference describes it; tabs are left alone. */
struct value
eval_cleandoc(struct eval *e, const struct value *value)
{
    struct buffer buffer = { .arena = e->arena };
    const char *text;
    const char *rest;
    size_t margin = SIZE_MAX;

    if (!value_is_text(value) || strchr(value->text, '\t'))
        return value_unknown("what is cleaned is not known");
    text = value->text + indent_of(value->text);
    rest = text + strcspn(text, "\n");
    for (const char *line = rest; *line;) {
        size_t length = strcspn(++line, "\n");

        if (!is_blank(line, length) && indent_of(line) < margin)
            margin = indent_of(line);
        line += length;
    }
    buffer_append(&buffer, text, (size_t)(rest - text));
    for (const char *line = rest; *line;) {
        size_t length = strcspn(++line, "\n");
        size_t cut = margin == SIZE_MAX ? 0 : (margin < length ? margin : length);

        buffer_add(&buffer, "\n");
        buffer_append(&buffer, line + cut, length - cut);
        line += length;
    }

    const char *start = buffer_text(&buffer);
    size_t length = buffer.length;

    /* Empty lines at both ends go. */
    while (length > 0 && start[length - 1] == '\n')
        length--;
    while (length > 0 && *start == '\n') {
        start++;
        length--;
    }
    return eval_text_new(e, start, length);
}
