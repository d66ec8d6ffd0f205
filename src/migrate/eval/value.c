#include <math.h>

#include "migrate/eval/eval_private.h"

enum {
    REPR_DEPTH_MAX = 20,
    COMPARE_DEPTH_MAX = 20,
    COMPARE_MAX = 500, /* steps of one comparison: lists within lists may hold each other */
    BYTES_EACH = 64,   /* of a text are one step */
};

struct value
value_unknown(const char *why)
{
    return (struct value){ .kind = VALUE_UNKNOWN, .text = why };
}

struct value
value_none(void)
{
    return (struct value){ .kind = VALUE_NONE };
}

struct value
value_bool(bool truth)
{
    return (struct value){ .kind = VALUE_BOOL, .integer = truth };
}

struct value
value_integer(int64_t number)
{
    return (struct value){ .kind = VALUE_INTEGER, .integer = number };
}

bool
value_is_text(const struct value *value)
{
    return value->kind == VALUE_TEXT || value->kind == VALUE_TEMPLATE;
}

static enum answer
answer_of(bool truth)
{
    return truth ? ANSWER_YES : ANSWER_NO;
}

enum answer
value_truth(const struct value *value)
{
    static const char hole[] = { VALUE_HOLE, '\0' };

    switch ((int)value->kind) {
    case VALUE_NONE:
        return ANSWER_NO;
    case VALUE_BOOL:
    case VALUE_INTEGER:
        return answer_of(value->integer != 0);
    case VALUE_FLOAT:
        return answer_of(fpclassify(strtod(value->text, NULL)) != FP_ZERO);
    case VALUE_TEXT:
        return answer_of(value->text[0] != '\0' || eval_is_path(value));
    case VALUE_TEMPLATE:
        return value->text[strspn(value->text, hole)] ? ANSWER_YES : ANSWER_UNKNOWN;
    case VALUE_LIST:
    case VALUE_TUPLE:
        return answer_of(value->items.count > 0);
    case VALUE_DICT:
        return answer_of(value->pairs.count > 0);
    case VALUE_FUNCTION:
    case VALUE_CLASS:
        return ANSWER_YES;
    case VALUE_UNKNOWN:
    case VALUE_NAME:
    case VALUE_CALL:
        break;
    }
    return ANSWER_UNKNOWN;
}

bool
value_is_true(const struct value *value)
{
    return value_truth(value) == ANSWER_YES;
}

bool
value_is_false(const struct value *value)
{
    return value_truth(value) == ANSWER_NO;
}

static bool
is_number(const struct value *value)
{
    return value->kind == VALUE_BOOL || value->kind == VALUE_INTEGER || value->kind == VALUE_FLOAT;
}

static bool
is_opaque(const struct value *value)
{
    return value->kind == VALUE_UNKNOWN || value->kind == VALUE_NAME || value->kind == VALUE_CALL ||
           value->kind == VALUE_TEMPLATE;
}

static double
number_of(const struct value *value)
{
    return value->kind == VALUE_FLOAT ? strtod(value->text, NULL) : (double)value->integer;
}

static enum answer
compare_numbers(const struct value *a, const struct value *b)
{
    if (a->kind != VALUE_FLOAT && b->kind != VALUE_FLOAT)
        return answer_of(a->integer == b->integer);

    double left = number_of(a);
    double right = number_of(b);

    return answer_of(!(left < right) && !(left > right));
}

static enum answer compare(
    const struct value *a, const struct value *b, unsigned depth, size_t *left);

static enum answer
compare_items(const struct value *a, const struct value *b, unsigned depth, size_t *left)
{
    enum answer answer = ANSWER_YES;

    if (a->items.count != b->items.count)
        return ANSWER_NO;
    for (size_t i = 0; i < a->items.count; i++) {
        enum answer one = compare(&a->items.items[i], &b->items.items[i], depth + 1, left);

        if (one == ANSWER_NO)
            return ANSWER_NO;
        if (one == ANSWER_UNKNOWN)
            answer = ANSWER_UNKNOWN;
    }
    return answer;
}

static enum answer
compare_texts(const char *a, const char *b, size_t *left)
{
    size_t most = *left * BYTES_EACH;
    size_t length;

    if (a == b)
        return ANSWER_YES;
    if (a[0] != b[0])
        return ANSWER_NO;
    length = strnlen(a, most);
    if (length == most)
        return ANSWER_UNKNOWN;
    *left -= length / BYTES_EACH;
    return answer_of(strncmp(a, b, length + 1) == 0);
}

static enum answer
compare_opaque(const struct value *a, const struct value *b)
{
    bool is_member = a->kind == VALUE_NAME && b->kind == VALUE_NAME && a->class_def &&
                     a->class_def == b->class_def;

    if (is_member)
        return answer_of(strcmp(a->path, b->path) == 0);
    if (a->kind == VALUE_NAME && b->kind == VALUE_NAME && !a->call && !b->call &&
        strcmp(a->path, b->path) == 0)
        return ANSWER_YES;
    return ANSWER_UNKNOWN;
}

static enum answer
compare(const struct value *a, const struct value *b, unsigned depth, size_t *left)
{
    if (depth > COMPARE_DEPTH_MAX || *left == 0)
        return ANSWER_UNKNOWN;
    (*left)--;
    if (is_opaque(a) || is_opaque(b))
        return compare_opaque(a, b);
    if (is_number(a) && is_number(b))
        return compare_numbers(a, b);
    if (a->kind != b->kind)
        return ANSWER_NO;
    switch ((int)a->kind) {
    case VALUE_NONE:
        return ANSWER_YES;
    case VALUE_TEXT:
        return compare_texts(a->text, b->text, left);
    case VALUE_LIST:
    case VALUE_TUPLE:
        return compare_items(a, b, depth, left);
    case VALUE_FUNCTION:
        return answer_of(a->function == b->function);
    case VALUE_CLASS:
        return answer_of(a->class_def == b->class_def);
    case VALUE_DICT:
        return a->pairs.count == b->pairs.count ? ANSWER_UNKNOWN : ANSWER_NO;
    default:
        return ANSWER_UNKNOWN;
    }
}

enum answer
value_compare(const struct value *a, const struct value *b)
{
    size_t left = COMPARE_MAX;

    return compare(a, b, 0, &left);
}

static void
repr_text(struct buffer *buffer, const char *text)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

    buffer_append(buffer, &quote, 1);
    for (; *text; text++) {
        if (*text == quote || *text == '\\')
            buffer_printf(buffer, "\\%c", *text);
        else if (*text == '\n')
            buffer_add(buffer, "\\n");
        else if (*text == '\t')
            buffer_add(buffer, "\\t");
        else if (*text == '\r')
            buffer_add(buffer, "\\r");
        else
            buffer_append(buffer, text, 1);
    }
    buffer_append(buffer, &quote, 1);
}

static bool
repr_items(struct buffer *buffer, const struct value *value, unsigned depth)
{
    bool is_tuple = value->kind == VALUE_TUPLE;

    buffer_add(buffer, is_tuple ? "(" : "[");
    for (size_t i = 0; i < value->items.count; i++) {
        buffer_add(buffer, i > 0 ? ", " : "");
        if (!value_repr(buffer, &value->items.items[i], depth + 1))
            return false;
    }
    if (is_tuple && value->items.count == 1)
        buffer_add(buffer, ",");
    buffer_add(buffer, is_tuple ? ")" : "]");
    return true;
}

static bool
repr_pairs(struct buffer *buffer, const struct value *value, unsigned depth)
{
    buffer_add(buffer, "{");
    for (size_t i = 0; i < value->pairs.count; i++) {
        buffer_add(buffer, i > 0 ? ", " : "");
        if (!value_repr(buffer, &value->pairs.items[i].key, depth + 1))
            return false;
        buffer_add(buffer, ": ");
        if (!value_repr(buffer, &value->pairs.items[i].value, depth + 1))
            return false;
    }
    buffer_add(buffer, "}");
    return true;
}

bool
value_repr(struct buffer *buffer, const struct value *value, unsigned depth)
{
    if (depth > REPR_DEPTH_MAX || buffer->length > EVAL_TEXT_MAX)
        return false;
    switch ((int)value->kind) {
    case VALUE_NONE:
        buffer_add(buffer, "None");
        return true;
    case VALUE_BOOL:
        buffer_add(buffer, value->integer ? "True" : "False");
        return true;
    case VALUE_INTEGER:
        buffer_printf(buffer, "%lld", (long long)value->integer);
        return true;
    case VALUE_FLOAT:
        buffer_add(buffer, value->text);
        return true;
    case VALUE_TEXT:
        if (eval_is_path(value))
            return false;
        repr_text(buffer, value->text);
        return true;
    case VALUE_LIST:
    case VALUE_TUPLE:
        return repr_items(buffer, value, depth);
    case VALUE_DICT:
        return repr_pairs(buffer, value, depth);
    default:
        return false;
    }
}

bool
value_str(struct buffer *buffer, const struct value *value)
{
    static const char hole = VALUE_HOLE;
    struct buffer piece = { .arena = buffer->arena };

    if (value_is_text(value)) {
        buffer_add(buffer, value->text);
        return value->kind == VALUE_TEXT;
    }

    /* quoted_name, which op.f() gives, is a text; text() and members of an enum print otherwise. */
    if (value->kind == VALUE_CALL && value_known_text(value)) {
        buffer_add(buffer, value_known_text(value));
        return true;
    }
    if (!value_repr(&piece, value, 0)) {
        buffer_append(buffer, &hole, 1);
        return false;
    }
    buffer_add(buffer, buffer_text(&piece));
    return true;
}

bool
class_is(const struct class_def *def, const char *const *names)
{
    for (unsigned depth = 0; def && depth < EVAL_CALLS_MAX; def = def->base, depth++) {
        for (size_t i = 0; i < def->bases.count; i++) {
            const char *dot = strrchr(def->bases.items[i], '.');
            const char *last = dot ? dot + 1 : def->bases.items[i];

            for (const char *const *name = names; *name; name++)
                if (strcmp(last, *name) == 0)
                    return true;
        }
    }
    return false;
}

const struct value *
class_member(const struct class_def *def, const char *name)
{
    for (unsigned depth = 0; def && depth < EVAL_CALLS_MAX; def = def->base, depth++)
        for (size_t i = def->members.count; i > 0; i--)
            if (strcmp(def->members.items[i - 1].name, name) == 0)
                return &def->members.items[i - 1].value;
    return NULL;
}

const struct value *
call_argument(const struct call *call, size_t n, const char *keyword)
{
    if (n < call->arguments.count)
        return &call->arguments.items[n];
    for (size_t i = 0; keyword && i < call->keywords.count; i++)
        if (strcmp(call->keywords.items[i].name, keyword) == 0)
            return &call->keywords.items[i].value;
    return NULL;
}

/* op.f(), batch_op.f(), sa.text(), quoted_name(): what is given to them is the text. */
static bool
gives_text(const char *path)
{
    const char *dot = strrchr(path, '.');
    const char *last = dot ? dot + 1 : path;

    if (strcmp(last, "f") == 0)
        return text_starts_with(path, "alembic.");
    return (strcmp(last, "text") == 0 || strcmp(last, "quoted_name") == 0) &&
           text_starts_with(path, "sqlalchemy.");
}

const char *
value_known_text(const struct value *value)
{
    static const char *const texts[] = { "str", "StrEnum", NULL };

    /* Each round goes one call inwards; the values are a finite tree. */
    while (value && value->kind == VALUE_CALL && value->call && gives_text(value->call->path)) {
        const struct value *inner = call_argument(value->call, 0, "name");

        value = inner ? inner : call_argument(value->call, SIZE_MAX, "text");
    }
    if (!value)
        return NULL;
    if (value->kind == VALUE_TEXT)
        return value->text;
    if (value->kind == VALUE_NAME && value->class_def && value->items.count == 1 &&
        class_is(value->class_def, texts) && value->items.items[0].kind == VALUE_TEXT)
        return value->items.items[0].text;
    return NULL;
}
