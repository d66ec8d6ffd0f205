/* Text with ${expression} in it. */
#include "load/scenario/world_part.h"

/* Either text, or the value of an expression. */
struct piece {
    const char *text;
    size_t length;
    const struct load_node *node;
    enum load_dress dress;
};

struct load_template {
    const struct piece *pieces;
    size_t count;
    const char *where; /* "FILE:LINE"; NULL: a name in a statement, which can only be missing */
};

/* Where the expression ends that begins here: brackets and quotes are counted. NULL: it does not. */
static const char *
end_of(const char *text)
{
    bool is_quoted = false;

    for (const char *c = text; *c; c++) {
        if (*c == '\'')
            is_quoted = !is_quoted;
        else if (*c == '}' && !is_quoted)
            return c;
    }
    return NULL;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* "raw(…)": the value goes out as it is. */
static const char *
without_raw(struct arena *arena, const char *expression, bool *ret_is_raw)
{
    size_t length = strlen(expression);

    while (length > 0 && is_space(expression[length - 1]))
        length--;
    while (is_space(*expression)) {
        expression++;
        length--;
    }
    *ret_is_raw =
        length > 5 && text_starts_with(expression, "raw(") && expression[length - 1] == ')';
    return *ret_is_raw ? arena_strndup(arena, expression + 4, length - 5) : expression;
}

bool
load_template_compile(struct ctx *ctx, struct load_world *world, const char *text,
    const char *where, enum load_dress dress, const struct load_template **ret)
{
    struct load_template *template = ARENA_NEW(world->arena, struct load_template);
    VEC(struct piece) pieces = { 0 };
    struct buffer plain = { .arena = world->arena };

    while (*text) {
        bool is_raw;

        /* "$${" is "${". */
        if (text_starts_with(text, "$${")) {
            buffer_add(&plain, "${");
            text += 3;
            continue;
        }
        if (!text_starts_with(text, "${")) {
            buffer_append(&plain, text++, 1);
            continue;
        }

        const char *end = end_of(text + 2);

        if (!end) {
            error_set(ctx, ERR_INPUT, "%s: the \"}\" of \"${\" is missing", where);
            return error_hint(ctx, "Write \"$${\" where no expression is meant.");
        }
        if (plain.length > 0)
            VEC_PUSH(world->arena, &pieces,
                (struct piece){ .text = buffer_text(&plain), .length = plain.length });
        plain = (struct buffer){ .arena = world->arena };

        const char *expression = without_raw(
            world->arena, arena_strndup(world->arena, text + 2, (size_t)(end - text - 2)), &is_raw);
        struct piece piece = { .dress = is_raw ? DRESS_NONE : dress };

        if (!load_expression_compile(ctx, world, expression, where, &piece.node))
            return false;
        VEC_PUSH(world->arena, &pieces, piece);
        text = end + 1;
    }
    if (plain.length > 0)
        VEC_PUSH(world->arena, &pieces,
            (struct piece){ .text = buffer_text(&plain), .length = plain.length });
    template->pieces = pieces.items;
    template->count = pieces.count;
    template->where = arena_strdup(world->arena, where);
    *ret = template;
    return true;
}

bool
load_world_template(struct ctx *ctx, struct load_world *world, const char *text, const char *where,
    const struct load_template **ret)
{
    return load_template_compile(ctx, world, text, where, DRESS_NONE, ret);
}

static const struct load_template *
template_of_node(struct arena *arena, const struct load_node *node)
{
    struct load_template *template = ARENA_NEW(arena, struct load_template);
    struct piece *piece = ARENA_NEW(arena, struct piece);

    piece->node = node;
    template->pieces = piece;
    template->count = 1;
    return template;
}

const struct load_template *
load_world_variable(struct arena *arena, struct load_world *world, const char *name)
{
    struct load_variable *variable = load_world_find(world, name);
    struct load_node *node = ARENA_NEW(arena, struct load_node);

    if (variable) {
        variable->is_used = true;
        node->kind = NODE_VARIABLE;
        node->variable = variable;
        return template_of_node(arena, node);
    }
    for (size_t i = 0; i < world->slots.count; i++) {
        if (!text_equal(world->slots.items[i].name, name))
            continue;
        VEC_PUSH(world->arena, &world->used, i);
        node->kind = NODE_SLOT;
        node->index = i;
        return template_of_node(arena, node);
    }
    node->kind = NODE_CALL;
    node->function = load_function_find(name);
    return node->function && node->function->is_word ? template_of_node(arena, node) : NULL;
}

static bool
is_safe_in_path(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void
write_encoded(const char *text, size_t length, struct buffer *ret)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        const char code[3] = { '%', digits[byte >> 4], digits[byte & 15] };

        if (is_safe_in_path(text[i]))
            buffer_append(ret, text + i, 1);
        else
            buffer_append(ret, code, sizeof(code));
    }
}

/* As it stands in a text of JSON. */
static void
write_escaped(const char *text, size_t length, struct buffer *ret)
{
    static const char digits[] = "0123456789abcdef";
    size_t start = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        const char code[6] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] };

        if (byte >= ' ' && byte != '"' && byte != '\\')
            continue;
        buffer_append(ret, text + start, i - start);
        start = i + 1;
        buffer_append(ret, code, sizeof(code));
    }
    buffer_append(ret, text + start, length - start);
}

static bool
write_header(struct load_scope *scope, const char *text, size_t length, struct buffer *ret)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return load_problem(scope, "a value that a header should hold has control characters");
    buffer_append(ret, text, length);
    return true;
}

static bool
write_value(const struct piece *piece, struct load_scope *scope, struct buffer *ret)
{
    struct load_value value;

    if (!load_evaluate(piece->node, scope, &value))
        return false;
    if (value.kind != VALUE_TEXT || piece->dress == DRESS_NONE)
        load_value_write(&value, ret);
    else if (piece->dress == DRESS_HEADER)
        return write_header(scope, value.text, value.length, ret);
    else if (piece->dress == DRESS_PATH)
        write_encoded(value.text, value.length, ret);
    else
        write_escaped(value.text, value.length, ret);
    return true;
}

bool
load_template_write(
    const struct load_template *template, struct load_scope *scope, struct buffer *ret)
{
    if (scope->broken) {
        scope->problem = scope->broken;
        return false;
    }
    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->pieces[i];

        if (!piece->node) {
            buffer_append(ret, piece->text, piece->length);
        } else if (!write_value(piece, scope, ret)) {
            scope->place = template->where;
            return false;
        }
    }
    return true;
}
