#include <ctype.h>

#include "base/interrupt.h"
#include "migrate/eval/eval_private.h"

enum {
    WORD_MAX = 256,
    SOURCE_MAX = 200,    /* bytes of a condition's text */
    NOTES_MAX = 1000,    /* in one file */
    NOTES_BACK = 16,     /* that are looked through for the same one */
    LIMITS_MAX = 3,      /* noted */
    WORK_EACH = 1 << 12, /* between two looks for an interrupt */
};

struct place
eval_place(const struct eval *e, const struct py_node *node)
{
    struct place place = { .file = e->file };

    if (node) {
        place.line = node->line;
        place.column = node->column;
        place.end_line = node->end_line;
    }
    return place;
}

/* Loops that are unrolled would say the same again and again. */
static bool
is_noted(const struct eval *e, const struct note *note)
{
    size_t count = e->notes->count;

    if (count >= NOTES_MAX)
        return true;
    for (size_t i = count; i > 0 && i + NOTES_BACK > count; i--) {
        const struct note *other = &e->notes->items[i - 1];

        if (other->kind == note->kind && other->place.line == note->place.line &&
            other->is_downgrade == note->is_downgrade && strcmp(other->text, note->text) == 0)
            return true;
    }
    return false;
}

void
eval_note(struct eval *e, enum note_kind kind, const struct py_node *node, const char *format, ...)
{
    struct note note = {
        .kind = kind,
        .place = eval_place(e, node),
        .is_downgrade = e->scene.is_downgrade,
        .is_module = e->scene.is_module,
    };
    va_list args;

    if (e->notes->count >= NOTES_MAX)
        return;
    va_start(args, format);
    note.text = arena_vprintf(e->keep, format, args);
    va_end(args);
    if (!is_noted(e, &note))
        VEC_PUSH(e->keep, e->notes, note);
}

void
eval_limit(struct eval *e, const struct py_node *node, const char *what)
{
    if (e->limits++ < LIMITS_MAX)
        eval_note(e, NOTE_LIMIT, node, "%s", what);
}

bool
eval_work(struct eval *e, size_t amount)
{
    size_t before = e->work;

    if (e->is_stopped)
        return false;
    e->work += amount;
    if (e->work > e->work_max) {
        e->is_stopped = true;
        eval_note(e, NOTE_LIMIT, NULL, "there is too much to follow");
        return false;
    }
    if (before / WORK_EACH != e->work / WORK_EACH && interrupt_signal()) {
        e->is_stopped = true;
        e->is_interrupted = true;
        return false;
    }
    return true;
}

bool
eval_enter(struct eval *e, const struct py_node *node)
{
    if (!eval_work(e, 1))
        return false;
    if (e->depth >= EVAL_DEPTH_MAX) {
        eval_limit(e, node, "code is nested too deep");
        return false;
    }
    e->depth++;
    return true;
}

void
eval_leave(struct eval *e)
{
    e->depth--;
}

const char *
eval_word(struct eval *e, const char *text, size_t length)
{
    char copy[WORD_MAX];
    char *word;

    if (length >= sizeof(copy))
        return arena_strndup(e->keep, text, length);
    memcpy(copy, text, length);
    copy[length] = '\0';
    word = map_get(e->words, copy);
    if (!word) {
        word = arena_strndup(e->keep, copy, length);
        map_set(e->words, word, word);
    }
    return word;
}

const char *
eval_name(struct eval *e, const struct py_node *node)
{
    return eval_word(e, e->tree->source + node->start, node->end - node->start);
}

const char *
eval_join(struct eval *e, const char *path, const char *between, const char *name)
{
    const char *const parts[] = { path, between, name };
    char joined[WORD_MAX];
    size_t length = 0;

    /* Paths that grow by themselves are cut: nobody asks for them. */
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        size_t room = sizeof(joined) - 1 - length;
        size_t more = strnlen(parts[i], room);

        memcpy(joined + length, parts[i], more);
        length += more;
    }
    return eval_word(e, joined, length);
}

const char *
eval_source(struct eval *e, const char *before, const struct py_node *node, const char *after)
{
    struct buffer buffer = { .arena = e->keep };
    const char *text = e->tree->source + node->start;
    size_t length = node->end - node->start;
    bool was_blank = false;

    buffer_add(&buffer, before);
    for (size_t i = 0; i < length; i++) {
        bool is_blank = isspace((unsigned char)text[i]) != 0 || text[i] == '\\';

        if (buffer.length >= SOURCE_MAX && ((unsigned char)text[i] & 0xc0) != 0x80) {
            buffer_add(&buffer, "…");
            break;
        }
        if (is_blank && !was_blank)
            buffer_add(&buffer, " ");
        else if (!is_blank)
            buffer_append(&buffer, text + i, 1);
        was_blank = is_blank;
    }
    buffer_add(&buffer, after);
    return buffer_text(&buffer);
}

const char *
eval_head(
    struct eval *e, const char *before, const struct py_node *node, const struct py_node *body)
{
    struct py_node head = *node;

    head.first = NULL;
    if (body && body->start > head.start)
        head.end = body->start;
    while (head.end > head.start && strchr(" \t\r\n:", e->tree->source[head.end - 1]))
        head.end--;
    return eval_source(e, before, &head, "");
}

static const struct py_node *
string_of(const struct py_node *statement)
{
    const struct py_node *first = statement ? statement->first : NULL;

    if (!first || statement->kind != PY_EXPRESSION_STATEMENT || first->next)
        return NULL;
    return first->kind == PY_STRING || first->kind == PY_CONCATENATED_STRING ? first : NULL;
}

/* What does nothing: pass, …, a docstring, return None. */
static bool
does_nothing(const struct py_node *statement)
{
    const struct py_node *first = statement->first;

    switch ((int)statement->kind) {
    case PY_PASS:
    case PY_GLOBAL:
        return true;
    case PY_RETURN:
        return !first || first->kind == PY_NONE;
    case PY_EXPRESSION_STATEMENT:
        return string_of(statement) || (first && !first->next && first->kind == PY_ELLIPSIS);
    default:
        return false;
    }
}

static enum body_kind
body_of(const struct py_node *function)
{
    const struct py_node *body = py_child(function, PY_FIELD_BODY);
    enum body_kind kind = BODY_EMPTY;

    if (function->kind != PY_FUNCTION)
        return BODY_CODE;
    for (const struct py_node *child = body ? body->first : NULL; child; child = child->next) {
        if (does_nothing(child))
            continue;
        if (child->kind != PY_RAISE || kind == BODY_CODE)
            return BODY_CODE;
        kind = BODY_RAISES;
    }
    return kind;
}

/* A function that is called by Alembic; `op` is what some env.py hand in. */
static enum body_kind
run_function(struct eval *e, const char *name, struct place *ret_place)
{
    const struct value *slot = map_get(&e->module->names, name);
    struct value op = { .kind = VALUE_NAME, .path = "alembic.op" };
    struct call call = { .path = name };

    *ret_place = eval_place(e, NULL);
    if (!slot || slot->kind == VALUE_NONE || (slot->kind == VALUE_UNKNOWN && !slot->text))
        return BODY_MISSING;
    *ret_place = eval_place(e, slot->node);
    if (slot->kind != VALUE_FUNCTION) {
        eval_note(e, NOTE_CANNOT_KNOW, slot->node, "%s() is not a function of this file", name);
        return BODY_CODE;
    }

    const struct function *function = slot->function;

    e->guards.count = 0;
    e->is_stale = true;
    e->trail.count = 0;
    e->branches = 0;
    e->rest = (struct rest){ 0 };
    VEC_PUSH(e->arena, &call.keywords, (struct keyword){ "op", op });
    (void)eval_call_function(e, function, &call, function->node);
    e->has_raised = false;
    return body_of(function->node);
}

/* As Alembic names the module that it makes of a file: "1a2b_x.py" is "1a2b_x_py". */
static void
define_module(struct eval *e)
{
    const char *slash = strrchr(e->file, '/');
    char *name = arena_strdup(e->keep, slash ? slash + 1 : e->file);
    struct value value = { .kind = VALUE_TEXT, .text = name };

    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && (unsigned char)*c < 0x80)
            *c = '_';
    eval_assign(e, "__name__", &value);
}

static const char *
docstring_of(struct eval *e)
{
    const struct py_node *string = string_of(e->tree->root->first);
    struct value value;

    if (!string)
        return NULL;
    value = eval_expression(e, string);
    return value.kind == VALUE_TEXT ? value.text : NULL;
}

bool
eval_file(struct ctx *ctx, const char *file, const struct py_tree *tree,
    const struct eval_host *host, struct eval_module *ret_module, struct notes *notes)
{
    struct eval e = {
        .ctx = ctx,
        .arena = host->scratch ? host->scratch : ctx->arena,
        .keep = ctx->arena,
        .tree = tree,
        .file = file,
        .host = host,
        .notes = notes,
        .work_max = EVAL_WORK_MAX + tree->node_count * 2,
        .is_stale = true,
    };

    *ret_module = (struct eval_module){ 0 };
    e.own_words.arena = e.arena;
    e.words = host->words ? host->words : &e.own_words;
    e.module = eval_scope_new(&e, NULL);
    e.scope = e.module;
    e.scene.is_module = true;
    ret_module->names = &e.module->names;
    define_module(&e);
    eval_syntax(&e);
    ret_module->docstring = docstring_of(&e);
    (void)eval_block(&e, tree->root);
    e.scene.is_module = false;
    ret_module->upgrade = run_function(&e, "upgrade", &ret_module->upgrade_place);
    e.scene.is_downgrade = true;
    ret_module->downgrade = run_function(&e, "downgrade", &ret_module->downgrade_place);
    if (e.is_interrupted)
        return interrupt_error(ctx, interrupt_signal());
    return true;
}
