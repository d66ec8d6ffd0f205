/* Changes at single places of a Python file: everything else stays as the user wrote it. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "migrate/squash/repair.h"

enum { MARK_LENGTH = 3 };

bool
repair_open(struct ctx *ctx, const char *path, struct repair_file *ret)
{
    const char *data;
    size_t length;

    *ret = (struct repair_file){ .arena = ctx->arena, .path = path };
    if (!file_read(ctx, path, &data, &length))
        return false;
    ret->has_mark = text_starts_with(data, "\xEF\xBB\xBF");
    ret->text = ret->has_mark ? data + MARK_LENGTH : data;
    ret->length = length - (ret->has_mark ? MARK_LENGTH : 0);
    if (strlen(ret->text) != ret->length || !text_is_utf8(ret->text))
        return error_set(ctx, ERR_INPUT, "%s is no UTF-8 text: it has to be mended by hand",
            strrchr(path, '/') ? strrchr(path, '/') + 1 : path);

    const char *end = strchr(ret->text, '\n');

    ret->newline = end && end > ret->text && end[-1] == '\r' ? "\r\n" : "\n";
    return python_parse(ctx, ret->text, ret->length, &ret->tree);
}

bool
repair_replace(struct repair_file *file, size_t start, size_t end, const char *text)
{
    for (size_t i = 0; i < file->edits.count; i++) {
        const struct repair_edit *edit = &file->edits.items[i];

        if (start < edit->end && edit->start < end)
            return false;
    }
    VEC_PUSH(file->arena, &file->edits,
        (struct repair_edit){ .start = start, .end = end, .text = text });
    return true;
}

static int
by_start(const void *a, const void *b)
{
    const struct repair_edit *left = *(const struct repair_edit *const *)a;
    const struct repair_edit *right = *(const struct repair_edit *const *)b;

    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    if (left->end != right->end)
        return left->end < right->end ? -1 : 1;
    return left < right ? -1 : left > right; /* as they were noted */
}

bool
repair_save(struct ctx *ctx, struct repair_file *file)
{
    struct buffer out = { .arena = ctx->arena };
    const struct repair_edit **sorted =
        ARENA_ARRAY(ctx->arena, const struct repair_edit *, file->edits.count + 1);
    size_t at = 0;

    for (size_t i = 0; i < file->edits.count; i++)
        sorted[i] = &file->edits.items[i];
    qsort(sorted, file->edits.count, sizeof(sorted[0]), by_start);
    if (file->has_mark)
        buffer_append(&out, "\xEF\xBB\xBF", MARK_LENGTH);
    for (size_t i = 0; i < file->edits.count; i++) {
        buffer_append(&out, file->text + at, sorted[i]->start - at);
        buffer_add(&out, sorted[i]->text);
        at = sorted[i]->end;
    }
    buffer_append(&out, file->text + at, file->length - at);
    return file_write(ctx, file->path, buffer_text(&out), out.length, 0644);
}

const char *
repair_text(const struct repair_file *file, const struct py_node *node)
{
    return py_text(file->arena, &file->tree, node);
}

static bool
is_statement(enum py_kind kind)
{
    static const enum py_kind kinds[] = { PY_EXPRESSION_STATEMENT, PY_RETURN, PY_ASSERT, PY_RAISE,
        PY_DELETE, PY_IF, PY_FOR, PY_WHILE, PY_TRY, PY_WITH, PY_FUNCTION };

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

static const struct py_node *
find_statement(const struct py_node *node, uint32_t line)
{
    const struct py_node *found = is_statement(node->kind) ? node : NULL;

    for (const struct py_node *child = node->first; child; child = child->next) {
        const struct py_node *inner =
            line >= child->line && line <= child->end_line ? find_statement(child, line) : NULL;

        if (inner)
            return inner;
    }
    return found;
}

const struct py_node *
repair_statement(const struct repair_file *file, uint32_t line)
{
    return find_statement(file->tree.root, line);
}

static size_t
line_start(const struct repair_file *file, size_t at)
{
    while (at > 0 && file->text[at - 1] != '\n')
        at--;
    return at;
}

/* Whether the place lies within a string, whose text must not be moved. */
static bool
is_in_string(const struct py_node *node, size_t at)
{
    if (node->kind == PY_STRING)
        return at > node->start && at < node->end;
    for (const struct py_node *child = node->first; child; child = child->next)
        if (at > child->start && at < child->end && is_in_string(child, at))
            return true;
    return false;
}

static bool
is_blank(const char *text, size_t length)
{
    return strspn(text, " \t") >= length;
}

/* One level of indentation, as the file's first function has it. */
static const char *
unit_of(const struct repair_file *file)
{
    for (const struct py_node *node = file->tree.root->first; node; node = node->next) {
        const struct py_node *body =
            node->kind == PY_FUNCTION ? py_child(node, PY_FIELD_BODY) : NULL;
        const struct py_node *first = body ? body->first : NULL;
        size_t start = first ? line_start(file, first->start) : 0;

        if (first && first->line > node->line && is_blank(file->text + start, first->start - start))
            return arena_strndup(file->arena, file->text + start, first->start - start);
    }
    return "    ";
}

static bool
mentions(const struct repair_file *file, const struct py_node *node, const char *name)
{
    if (node->kind == PY_IDENTIFIER && py_is(&file->tree, node, name))
        return true;
    for (const struct py_node *child = node->first; child; child = child->next)
        if (mentions(file, child, name))
            return true;
    return false;
}

/* The last statement behind this one that uses the name it assigns, or the statement itself. */
static const struct py_node *
last_use(const struct repair_file *file, const struct py_node *statement)
{
    const struct py_node *assignment =
        statement->kind == PY_EXPRESSION_STATEMENT ? statement->first : NULL;
    const struct py_node *left = assignment && assignment->kind == PY_ASSIGNMENT
                                     ? py_child(assignment, PY_FIELD_LEFT)
                                     : NULL;
    const struct py_node *last = statement;

    if (left && left->kind == PY_IDENTIFIER)
        for (const struct py_node *node = statement->next; node; node = node->next)
            if (mentions(file, node, repair_text(file, left)))
                last = node;
    return last;
}

/* Moves the lines of a statement behind its first one to the right. */
static void
indent_rest(struct repair_file *file, const struct py_node *root, size_t start, size_t end,
    const char *unit)
{
    for (size_t at = start; at < end; at++) {
        size_t length = strcspn(file->text + at + 1, "\r\n");

        if (file->text[at] != '\n' || at + 1 >= end || is_blank(file->text + at + 1, length) ||
            is_in_string(root, at + 1))
            continue;
        (void)repair_replace(file, at + 1, at + 1, unit);
    }
}

bool
repair_wrap(struct repair_file *file, const struct py_node *statement, const char *header)
{
    const struct py_node *last = last_use(file, statement);
    size_t start = line_start(file, statement->start);
    size_t tail = strcspn(file->text + last->end, "#\r\n");
    const char *unit = unit_of(file);

    if (!is_blank(file->text + start, statement->start - start) ||
        !is_blank(file->text + last->end, tail))
        return false;

    const char *indent = arena_strndup(file->arena, file->text + start, statement->start - start);

    if (!repair_replace(file, statement->start, statement->start,
            arena_printf(file->arena, "%s:%s%s%s", header, file->newline, indent, unit)))
        return false;
    indent_rest(file, file->tree.root, statement->start, last->end, unit);
    return true;
}

bool
repair_before(struct repair_file *file, const struct py_node *statement, const char *text)
{
    size_t start = line_start(file, statement->start);

    if (!is_blank(file->text + start, statement->start - start))
        return false;
    return repair_replace(file, start, start,
        arena_printf(file->arena, "%.*s%s%s", (int)(statement->start - start), file->text + start,
            text, file->newline));
}

/* "import a.b as c", "import a", "from a import b as c": the name that means module, or NULL. */
static const char *
imported_as(const struct repair_file *file, const struct py_node *import, const char *module)
{
    const struct py_node *from = py_child(import, PY_FIELD_MODULE_NAME);
    const char *prefix = from ? arena_printf(file->arena, "%s.", repair_text(file, from)) : "";

    for (const struct py_node *node = import->first; node; node = node->next) {
        const struct py_node *name =
            node->kind == PY_ALIASED_IMPORT ? py_child(node, PY_FIELD_NAME) : node;

        if (node == from ||
            !text_equal(module, arena_printf(file->arena, "%s%s", prefix, repair_text(file, name))))
            continue;
        return repair_text(
            file, node->kind == PY_ALIASED_IMPORT ? py_child(node, PY_FIELD_ALIAS) : node);
    }
    return NULL;
}

static bool
is_import(const struct py_node *node)
{
    return node->kind == PY_IMPORT || node->kind == PY_IMPORT_FROM;
}

static const char *
find_import(const struct repair_file *file, const char *module)
{
    for (const struct py_node *node = file->tree.root->first; node; node = node->next) {
        const char *name = is_import(node) ? imported_as(file, node, module) : NULL;

        if (name)
            return name;
    }
    return NULL;
}

/* "from sqlalchemy.dialects import postgresql", "import sqlalchemy as sa" */
static const char *
import_text(const struct repair_file *file, const char *module, const char *name)
{
    const char *dot = strrchr(module, '.');

    if (dot && text_equal(dot + 1, name))
        return arena_printf(file->arena, "from %.*s import %s", (int)(dot - module), module, name);
    return arena_printf(file->arena, "import %s as %s", module, name);
}

/* Where a new import goes: behind the last one, else behind the docstring. */
static size_t
import_place(const struct repair_file *file)
{
    const struct py_node *after = NULL;

    for (const struct py_node *node = file->tree.root->first; node; node = node->next)
        if (is_import(node) || node->kind == PY_FUTURE_IMPORT ||
            (node == file->tree.root->first && node->kind == PY_EXPRESSION_STATEMENT &&
                node->first && node->first->kind == PY_STRING))
            after = node;
    if (!after)
        return 0;

    size_t end = after->end + strcspn(file->text + after->end, "\n");

    return end < file->length ? end + 1 : end;
}

const char *
repair_module(struct repair_file *file, const char *module, const char *name)
{
    const char *known = find_import(file, module);

    if (known)
        return known;

    const char *text =
        arena_printf(file->arena, "%s%s", import_text(file, module, name), file->newline);

    for (size_t i = 0; i < file->edits.count; i++)
        if (text_equal(file->edits.items[i].text, text))
            return name;
    (void)repair_replace(file, import_place(file), import_place(file), text);
    return name;
}

const char *
repair_op(const struct repair_file *file)
{
    const char *name = find_import(file, "alembic.op");

    return name ? name : "op";
}

static const struct py_node *
find_assignment(const struct repair_file *file, const char *name)
{
    const struct py_node *found = NULL;

    for (const struct py_node *node = file->tree.root->first; node; node = node->next) {
        const struct py_node *assignment =
            node->kind == PY_EXPRESSION_STATEMENT ? node->first : NULL;
        const struct py_node *left = assignment && assignment->kind == PY_ASSIGNMENT
                                         ? py_child(assignment, PY_FIELD_LEFT)
                                         : NULL;

        if (left && py_is(&file->tree, left, name))
            found = assignment;
    }
    return found;
}

/* A comment behind a placeholder says what is no longer so. */
static size_t
end_with_comment(const struct repair_file *file, const struct py_node *value)
{
    size_t blank = strspn(file->text + value->end, " \t");

    if (file->text[value->end + blank] != '#' || !py_is(&file->tree, value, "None"))
        return value->end;
    return value->end + strcspn(file->text + value->end, "\r\n");
}

bool
repair_assign(struct repair_file *file, const char *name, const char *value)
{
    const struct py_node *assignment = find_assignment(file, name);
    const struct py_node *right = assignment ? py_child(assignment, PY_FIELD_RIGHT) : NULL;

    if (right)
        return repair_replace(file, right->start, end_with_comment(file, right), value);

    const struct py_node *above = find_assignment(file, "down_revision");

    above = above ? above : find_assignment(file, "revision");
    if (!above)
        return false;
    return repair_replace(file, above->end, above->end,
        arena_printf(file->arena, "%s%s = %s", file->newline, name, value));
}

const char *
repair_callee(const struct repair_file *file, const struct py_node *call)
{
    const struct py_node *function = call ? py_child(call, PY_FIELD_FUNCTION) : NULL;

    if (function && function->kind == PY_ATTRIBUTE)
        function = py_child(function, PY_FIELD_ATTRIBUTE);
    return function && function->kind == PY_IDENTIFIER ? repair_text(file, function) : NULL;
}

const struct py_node *
repair_argument(
    const struct repair_file *file, const struct py_node *call, size_t n, const char *keyword)
{
    const struct py_node *arguments = py_child(call, PY_FIELD_ARGUMENTS);
    size_t at = 0;

    for (const struct py_node *node = arguments ? arguments->first : NULL; node;
         node = node->next) {
        const struct py_node *name =
            node->kind == PY_KEYWORD_ARGUMENT ? py_child(node, PY_FIELD_NAME) : NULL;

        if (name && keyword && py_is(&file->tree, name, keyword))
            return py_child(node, PY_FIELD_VALUE);
        if (!name && at++ == n)
            return node;
    }
    return NULL;
}
