#include "migrate/history/revision.h"

#include <ctype.h>
#include <string.h>

static const char *const coverage_names[] = {
    [COVERAGE_FULL] = "full",
    [COVERAGE_PARTIAL] = "partial",
    [COVERAGE_NONE] = "none",
};

const char *
coverage_name(enum coverage coverage)
{
    return coverage_names[coverage];
}

/* The last assignment to a name at the top level of the file, or NULL. */
static const struct py_node *
find_assignment(const struct py_tree *tree, const char *name)
{
    const struct py_node *found = NULL;

    for (const struct py_node *line = tree->root->first; line; line = line->next) {
        const struct py_node *inner = line->kind == PY_EXPRESSION_STATEMENT ? line->first : NULL;
        const struct py_node *left =
            inner && inner->kind == PY_ASSIGNMENT ? py_child(inner, PY_FIELD_LEFT) : NULL;

        if (left && left->kind == PY_IDENTIFIER && py_is(tree, left, name))
            found = inner;
    }
    return found;
}

static struct place
place_of(const struct revision *revision, const struct py_node *node)
{
    struct place place = { .file = revision->file };

    if (!node)
        return (struct place){ 0 };
    place.line = node->line;
    place.column = node->column;
    place.end_line = node->end_line;
    return place;
}

/* Whether the value is None, a text, or a collection of texts, which are then in the list. */
static bool
take_texts(struct ctx *ctx, const struct value *value, struct text_list *ret)
{
    const char *text = value_known_text(value);

    if (value->kind == VALUE_NONE)
        return true;
    if (text) {
        text_list_add(ctx->arena, ret, arena_strdup(ctx->arena, text));
        return true;
    }
    if (value->kind != VALUE_TUPLE && value->kind != VALUE_LIST)
        return false;
    if (value->items.count == 1 && value->items.items[0].kind == VALUE_NONE)
        return true;
    for (size_t i = 0; i < value->items.count; i++) {
        text = value_known_text(&value->items.items[i]);
        if (!text)
            return false;
        text_list_add(ctx->arena, ret, arena_strdup(ctx->arena, text));
    }
    return true;
}

static void
set_unknown(struct ctx *ctx, struct revision *revision, const char *name, const struct value *value)
{
    const char *why = value->kind == VALUE_UNKNOWN && value->text ? value->text
                      : value->path                               ? value->path
                                                                  : "it is no text";

    if (!revision->unknown)
        revision->unknown = arena_printf(ctx->arena, "%s: %s", name, why);
}

/* "0123abcd.py": files of Alembic 0.1 have their id in the name only. */
static const char *
id_from_name(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    size_t length = strspn(name, "0123456789abcdef");

    if (length == 0 || strcmp(name + length, ".py") != 0)
        return NULL;
    return arena_strndup(arena, name, length);
}

static void
take_id(struct ctx *ctx, struct revision *revision, const struct py_tree *tree,
    const struct eval_module *module)
{
    const struct value *value = map_get(module->names, "revision");
    const char *text = value ? value_known_text(value) : NULL;

    if (text)
        revision->id = arena_strdup(ctx->arena, text);
    else if (value)
        set_unknown(ctx, revision, "revision", value);
    else if (tree->error)
        revision->unknown = "revision: the file is not valid Python";
    else
        revision->id = id_from_name(ctx->arena, revision->file);
    revision->id_place = place_of(revision, find_assignment(tree, "revision"));
}

static void
take_down(struct ctx *ctx, struct revision *revision, const struct py_tree *tree,
    const struct eval_module *module)
{
    const struct value *value = map_get(module->names, "down_revision");
    const char *text = value ? value_known_text(value) : NULL;

    revision->down_place = place_of(revision, find_assignment(tree, "down_revision"));
    if (!value) {
        revision->is_down_missing = !tree->error;
        revision->is_down_unknown = tree->error != NULL;
    } else if (text && !*text) {
        revision->is_down_empty_text = true;
    } else if (!take_texts(ctx, value, &revision->down)) {
        revision->down.count = 0;
        revision->is_down_unknown = true;
        set_unknown(ctx, revision, "down_revision", value);
    }
}

static void
take_names(struct ctx *ctx, struct revision *revision, const struct py_tree *tree,
    const struct eval_module *module)
{
    const struct value *depends = map_get(module->names, "depends_on");
    const struct value *labels = map_get(module->names, "branch_labels");

    take_id(ctx, revision, tree, module);
    take_down(ctx, revision, tree, module);
    revision->depends_place = place_of(revision, find_assignment(tree, "depends_on"));
    if (depends && !take_texts(ctx, depends, &revision->depends_on))
        set_unknown(ctx, revision, "depends_on", depends);
    if (labels && !take_texts(ctx, labels, &revision->labels))
        set_unknown(ctx, revision, "branch_labels", labels);
}

/* The line without spaces around it. */
static const char *
trim(struct arena *arena, const char *start, const char *end)
{
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    return arena_strndup(arena, start, (size_t)(end - start));
}

static void
take_docstring(struct ctx *ctx, struct revision *revision, const char *text)
{
    const struct {
        const char *name;
        const char **ret;
    } parts[] = {
        { "Revision ID:", &revision->doc_id },
        { "Revises:", &revision->doc_revises },
        { "Create Date:", &revision->doc_created },
    };

    while (text && *text) {
        const char *end = text + strcspn(text, "\r\n");
        const char *line = trim(ctx->arena, text, end);
        bool is_part = false;

        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            if (!text_starts_with(line, parts[i].name))
                continue;
            is_part = true;
            if (!*parts[i].ret)
                *parts[i].ret = trim(ctx->arena, line + strlen(parts[i].name), line + strlen(line));
        }
        if (!is_part && *line && !revision->message && !revision->doc_id)
            revision->message = line;
        text = *end ? end + 1 : end;
    }
}

/* Words of people who left the real parent for later. */
static const char *const placeholder_words[] = { "replace", "update", "change me", "change this",
    "change to", "todo", "fixme", "xxx", "actual", "placeholder", "should be", "fill in",
    "set this", "set to", "adjust" };

static bool
is_placeholder(const char *comment)
{
    for (size_t i = 0; i < COUNT_OF(placeholder_words); i++)
        if (strcasestr(comment, placeholder_words[i]))
            return true;
    return false;
}

static void
find_placeholder(struct revision *revision, const struct py_tree *tree)
{
    if (revision->down.count > 0 || revision->is_down_unknown || revision->down_place.line == 0)
        return;
    for (size_t i = 0; i < tree->comments.count; i++) {
        const struct py_comment *comment = &tree->comments.items[i];

        if (comment->line >= revision->down_place.line &&
            comment->line <= revision->down_place.end_line && is_placeholder(comment->text))
            revision->is_down_placeholder = true;
    }
}

/* "rule-a, rule-b -- reason" up to the end of the line. */
static void
add_ignores(
    struct ctx *ctx, struct revision *revision, const char *text, const char *end, uint32_t line)
{
    const char *reason_start = memmem(text, (size_t)(end - text), "--", 2);
    const char *rules_end = reason_start ? reason_start : end;
    const char *reason = reason_start ? trim(ctx->arena, reason_start + 2, end) : NULL;

    while (text < rules_end) {
        const char *word = text;

        while (text < rules_end && (isalnum((unsigned char)*text) || *text == '-'))
            text++;
        if (text > word) {
            struct ignore ignore = {
                .rule = arena_strndup(ctx->arena, word, (size_t)(text - word)),
                .line = line,
                .reason = reason,
            };

            VEC_PUSH(ctx->arena, &revision->ignores, ignore);
        } else {
            text++;
        }
    }
}

/* The sign that starts the comment in front of "pgmend:", or NULL. */
static const char *
comment_start(const char *line, const char *at)
{
    while (at > line && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    if (at > line && at[-1] == '#')
        return at - 1;
    return at - line >= 2 && at[-1] == '-' && at[-2] == '-' ? at - 2 : NULL;
}

static void
read_ignore(
    struct ctx *ctx, struct revision *revision, const char *line, const char *at, uint32_t number)
{
    static const char all[] = "ignore-file", one[] = "ignore";
    const char *end = line + strcspn(line, "\r\n");
    const char *start = comment_start(line, at);

    if (!start)
        return;
    while (start > line && (start[-1] == ' ' || start[-1] == '\t'))
        start--;
    at += strlen("pgmend:");
    while (*at == ' ' || *at == '\t')
        at++;
    if (text_starts_with(at, all))
        add_ignores(ctx, revision, at + strlen(all), end, 0);
    else if (text_starts_with(at, one))
        add_ignores(ctx, revision, at + strlen(one), end, start == line ? number + 1 : number);
}

/* Comments of Python, and of SQL inside of strings. A comment alone on its line is for the next. */
static void
find_ignores(struct ctx *ctx, struct revision *revision)
{
    const char *line = revision->source, *seen = revision->source;
    uint32_t number = 1;

    for (const char *at = strstr(seen, "pgmend:"); at; at = strstr(at + 1, "pgmend:")) {
        for (const char *c = seen; c < at; c++)
            if (*c == '\n') {
                number++;
                line = c + 1;
            }
        seen = at;
        read_ignore(ctx, revision, line, at, number);
    }
}

static bool
has_unknown(const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        if (steps->items[i].unknown || steps->items[i].kind == STEP_UNKNOWN)
            return true;
    return false;
}

static enum coverage
find_coverage(const struct revision *revision)
{
    if (revision->failure)
        return COVERAGE_NONE;
    if (revision->unknown || has_unknown(&revision->upgrade) || has_unknown(&revision->downgrade))
        return COVERAGE_PARTIAL;
    for (size_t i = 0; i < revision->notes.count; i++) {
        enum note_kind kind = revision->notes.items[i].kind;

        if (kind == NOTE_CANNOT_KNOW || kind == NOTE_SYNTAX || kind == NOTE_LIMIT)
            return COVERAGE_PARTIAL;
    }
    return COVERAGE_FULL;
}

/* The folder of a path, for files that the migration reads. */
static const char *
folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? arena_strndup(arena, path, (size_t)(slash - path)) : ".";
}

static bool
is_interrupted(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED;
}

static bool
read_tree(struct ctx *ctx, struct revision *revision, const struct naming *naming,
    const struct py_tree *tree, struct map *words, struct arena *scratch)
{
    struct lowering lowering = {
        .ctx = ctx,
        .revision = revision,
        .naming = naming,
        .folder = folder_of(ctx->arena, revision->file),
        .scratch = scratch,
    };
    struct eval_host host = lowering_host(&lowering);
    struct eval_module module = { 0 };

    host.scratch = scratch;
    host.words = words;
    if (!eval_file(ctx, revision->file, tree, &host, &module, &revision->notes))
        return false;
    lowering_end(&lowering);
    take_names(ctx, revision, tree, &module);
    take_docstring(ctx, revision, module.docstring);
    find_placeholder(revision, tree);
    find_ignores(ctx, revision);
    revision->upgrade_body = module.upgrade;
    revision->downgrade_body = module.downgrade;
    revision->upgrade_place = module.upgrade_place;
    revision->downgrade_place = module.downgrade_place;
    return true;
}

bool
revision_read(
    struct ctx *ctx, struct revision *revision, const struct naming *naming, struct map *words)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct ctx parsing = { .arena = scratch };
    struct py_tree tree;

    if (python_parse(&parsing, revision->source, revision->length, &tree)) {
        if (!read_tree(ctx, revision, naming, &tree, words, scratch))
            return false;
    } else if (is_interrupted(&parsing)) {
        return error_set(ctx, parsing.error.kind, "%s", parsing.error.message);
    } else {
        revision->failure = arena_strdup(ctx->arena, parsing.error.message);
    }
    revision->coverage = find_coverage(revision);
    return true;
}
