#include "migrate/eval/eval_private.h"

enum { WIDTH_MAX = 1000 };

/* Of a format specification: "{:>10,.2f}", "%05d". */
struct spec {
    char fill;
    char align; /* '<', '>', '^', '=' or 0 */
    bool has_comma;
    size_t width;
    size_t precision; /* SIZE_MAX: none */
    char type;
};

static const char hole[] = { VALUE_HOLE, '\0' };

static const char *
read_width(const char *text, size_t *ret)
{
    size_t width = 0;

    while (*text >= '0' && *text <= '9' && width <= WIDTH_MAX)
        width = width * 10 + (size_t)(*text++ - '0');
    *ret = width;
    return text;
}

/* Source: "Format Specification Mini-Language" of the library reference, without signs and '#'. */
static bool
parse_spec(const char *text, struct spec *ret)
{
    *ret = (struct spec){ .fill = ' ', .precision = SIZE_MAX };
    if (text[0] && text[1] && strchr("<>^=", text[1])) {
        ret->fill = text[0];
        ret->align = text[1];
        text += 2;
    } else if (text[0] && strchr("<>^=", text[0])) {
        ret->align = *text++;
    }
    if (*text == '0' && !ret->align) {
        ret->fill = '0';
        ret->align = '=';
        text++;
    }
    text = read_width(text, &ret->width);
    if (*text == ',') {
        ret->has_comma = true;
        text++;
    }
    if (*text == '.')
        text = read_width(text + 1, &ret->precision);
    if (*text && strchr("sdfFxXo", *text))
        ret->type = *text++;
    return *text == '\0' && ret->width <= WIDTH_MAX && !ret->has_comma;
}

static void
pad(struct buffer *buffer, const struct spec *spec, const char *text, bool is_number)
{
    size_t count = eval_text_count(text);
    size_t missing = spec->width > count ? spec->width - count : 0;
    char usual = '<';
    char align = spec->align;
    size_t left = 0;

    if (is_number)
        usual = '>';
    if (!align)
        align = usual;
    if (align == '>' || align == '=')
        left = missing;
    else if (align == '^')
        left = missing / 2;
    if (align == '=' && *text == '-')
        buffer_append(buffer, text++, 1);
    for (size_t i = 0; i < left; i++)
        buffer_append(buffer, &spec->fill, 1);
    buffer_add(buffer, text);
    for (size_t i = left; i < missing; i++)
        buffer_append(buffer, &spec->fill, 1);
}

static const char *
integer_text(struct arena *arena, long long number, char type)
{
    unsigned long long positive = (unsigned long long)number;

    if (type == 'd' || type == 0)
        return arena_printf(arena, "%lld", number);
    if (number < 0)
        return NULL;
    switch (type) {
    case 'x':
        return arena_printf(arena, "%llx", positive);
    case 'X':
        return arena_printf(arena, "%llX", positive);
    case 'o':
        return arena_printf(arena, "%llo", positive);
    default:
        return NULL;
    }
}

static const char *
number_text(struct arena *arena, const struct value *value, const struct spec *spec)
{
    enum { PRECISION_USUAL = 6, PRECISION_MAX = 30 };
    bool is_integer = value->kind != VALUE_FLOAT;
    size_t precision = spec->precision == SIZE_MAX ? PRECISION_USUAL : spec->precision;

    if (spec->type == 'f' || spec->type == 'F')
        return precision > PRECISION_MAX
                   ? NULL
                   : arena_printf(arena, "%.*f", (int)precision,
                         is_integer ? (double)value->integer : strtod(value->text, NULL));
    if (!is_integer || spec->precision != SIZE_MAX)
        return NULL;
    return integer_text(arena, (long long)value->integer, spec->type);
}

void
eval_format_value(struct eval *e, struct buffer *buffer, const struct value *value, char conversion,
    const char *spec)
{
    struct spec parsed;
    struct buffer piece = { .arena = e->arena };
    bool is_number =
        value->kind == VALUE_INTEGER || value->kind == VALUE_FLOAT || value->kind == VALUE_BOOL;
    const char *text = NULL;

    if (conversion == 'r' ? !value_repr(&piece, value, 0) : !value_str(&piece, value)) {
        buffer_add(
            buffer, value->kind == VALUE_TEMPLATE && !conversion && !*spec ? value->text : hole);
        return;
    }
    if (!*spec) {
        buffer_append(buffer, piece.data ? piece.data : "", piece.length);
        return;
    }
    if (!parse_spec(spec, &parsed)) {
        buffer_add(buffer, hole);
        return;
    }
    if (is_number && !conversion && (parsed.type || parsed.precision != SIZE_MAX))
        text = number_text(e->arena, value, &parsed);
    else if (!parsed.type || parsed.type == 's')
        text = buffer_text(&piece);
    if (text && parsed.precision != SIZE_MAX && !is_number)
        text = arena_strndup(e->arena, text, eval_text_offset(text, parsed.precision));
    if (!text) {
        buffer_add(buffer, hole);
        return;
    }
    pad(buffer, &parsed, text, is_number);
}

/* "{}", "{0}", "{name}"; "{x.y}" and "{x[0]}" of a given value. */
static struct value
field_value(struct eval *e, const struct call *call, const char *name, size_t *next)
{
    size_t length = strcspn(name, ".[");
    const struct value *found = NULL;

    if (length == 0)
        found = call_argument(call, (*next)++, NULL);
    else if (name[0] >= '0' && name[0] <= '9')
        found = call_argument(call, (size_t)strtoul(name, NULL, 10), NULL);
    else
        found = call_argument(call, SIZE_MAX, eval_word(e, name, length));
    if (!found)
        return value_unknown("it is not given to format()");
    if (!name[length])
        return *found;
    if (name[length] == '.' && !strpbrk(name + length + 1, ".["))
        return eval_attribute_of(
            e, found, eval_word(e, name + length + 1, strlen(name + length + 1)), NULL);
    return value_unknown("a part of what is given to format()");
}

/* One replacement field, from behind the brace to the closing one. */
static void
append_field(
    struct eval *e, struct buffer *buffer, const struct call *call, const char *field, size_t *next)
{
    char conversion = 0;
    const char *spec = "";
    size_t length = strcspn(field, "!:");
    struct value value = field_value(e, call, arena_strndup(e->arena, field, length), next);

    if (field[length] == '!' && field[length + 1]) {
        conversion = field[length + 1];
        length += 2;
    }
    if (field[length] == ':')
        spec = field + length + 1;
    if (strpbrk(spec, "{}"))
        value = value_unknown("its format is not constant");
    eval_format_value(e, buffer, &value, conversion, spec);
}

/* Behind the brace that closes this one, or NULL: a specification may hold fields of its own. */
static const char *
end_of_field(const char *text)
{
    int depth = 0;

    do {
        if (*text == '{')
            depth++;
        else if (*text == '}')
            depth--;
        else if (*text == '\0')
            return NULL;
        text++;
    } while (depth > 0);
    return depth == 0 ? text : NULL;
}

struct value
eval_format_method(struct eval *e, const struct value *self, const struct call *call)
{
    struct buffer buffer = { .arena = e->arena };
    size_t next = 0;

    for (const char *text = self->text; *text;) {
        size_t length = strcspn(text, "{}");

        buffer_append(&buffer, text, length);
        text += length;
        if (!*text)
            break;
        if (text[1] == text[0]) {
            buffer_append(&buffer, text, 1);
            text += 2;
            continue;
        }

        const char *end = end_of_field(text);

        if (!end)
            return value_unknown("its format is wrong");
        append_field(
            e, &buffer, call, arena_strndup(e->arena, text + 1, (size_t)(end - text) - 2), &next);
        if (buffer.length > EVAL_TEXT_MAX || !eval_work(e, 1))
            return value_unknown("the text is too long");
        text = end;
    }
    return eval_text_from(e, &buffer);
}

/* What one % stands for; *next counts those without a name. */
static struct value
percent_value(const struct value *values, const char *name, size_t *next)
{
    struct value key = { .kind = VALUE_TEXT, .text = name };

    if (name) {
        const struct value *found = values->kind == VALUE_DICT ? eval_dict_get(values, &key) : NULL;

        return found ? *found : value_unknown("it is not given to %");
    }
    if (values->kind == VALUE_TUPLE) {
        size_t at = (*next)++;

        return at < values->items.count ? values->items.items[at]
                                        : value_unknown("it is not given to %");
    }
    return (*next)++ == 0 ? *values : value_unknown("it is not given to %");
}

/* The same in the language of format(): texts go to the right here. */
static const char *
percent_spec(struct eval *e, const char *text, size_t length, char letter)
{
    bool is_left = length > 0 && text[0] == '-';
    bool is_text = letter == 's' || letter == 'r';
    char type[2] = { letter, '\0' };

    if (letter == 'i')
        type[0] = 'd';
    if (is_text && length == 0)
        return "";
    return arena_printf(e->arena, "%s%.*s%s", is_left ? "<" : (is_text ? ">" : ""),
        (int)length - is_left, text + is_left, is_text ? "" : type);
}

/* Source: "printf-style String Formatting" of the library reference. */
struct value
eval_percent(struct eval *e, const struct value *format, const struct value *values)
{
    struct buffer buffer = { .arena = e->arena };
    size_t next = 0;

    for (const char *text = format->text; *text;) {
        size_t length = strcspn(text, "%");
        const char *name = NULL;

        buffer_append(&buffer, text, length);
        text += length;
        if (!*text)
            break;
        text++;
        if (*text == '%') {
            buffer_append(&buffer, text++, 1);
            continue;
        }
        if (*text == '(') {
            length = strcspn(text + 1, ")");
            name = arena_strndup(e->arena, text + 1, length);
            text += length + 1 + (text[length + 1] == ')');
        }
        length = strspn(text, "-0123456789.");

        char letter = text[length];
        struct value value = percent_value(values, name, &next);

        if (!letter || !strchr("sdirfxX", letter) || length > 8)
            return value_unknown("its format is not followed");
        eval_format_value(
            e, &buffer, &value, letter == 'r' ? 'r' : 0, percent_spec(e, text, length, letter));
        if (buffer.length > EVAL_TEXT_MAX || !eval_work(e, 1))
            return value_unknown("the text is too long");
        text += length + 1;
    }
    return eval_text_from(e, &buffer);
}
