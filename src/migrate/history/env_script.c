/* env.py: only what it says literally; nothing is run. */
#include <string.h>

#include "base/file.h"
#include "migrate/history/env.h"

enum { MOST_HOPS = 4, MOST_BYTES = 1024 * 1024 };

struct script {
    struct ctx *ctx;
    struct py_tree tree;
    const char *path;
};

static bool
load(struct ctx *ctx, const char *path, struct script *ret)
{
    const char *text;
    size_t length;
    int64_t size;
    bool is_read = file_size(ctx, path, &size) && size <= MOST_BYTES &&
                   file_read(ctx, path, &text, &length) && text_is_utf8(text) &&
                   python_parse(ctx, text, strlen(text), &ret->tree);

    error_clear(ctx);
    ret->ctx = ctx;
    ret->path = path;
    return is_read;
}

/* The first node, in the order of the text, that fits; depth is bounded by the parser. */
static const struct py_node *
find(const struct script *script, const struct py_node *node,
    bool (*fits)(const struct script *script, const struct py_node *node, const void *what),
    const void *what)
{
    if (fits(script, node, what))
        return node;
    for (const struct py_node *child = node->first; child; child = child->next) {
        const struct py_node *found = find(script, child, fits, what);

        if (found)
            return found;
    }
    return NULL;
}

static bool
is_keyword(const struct script *script, const struct py_node *node, const void *name)
{
    const struct py_node *field =
        node->kind == PY_KEYWORD_ARGUMENT ? py_child(node, PY_FIELD_NAME) : NULL;

    return field && py_is(&script->tree, field, name);
}

static const struct py_node *
keyword_value(const struct script *script, const char *name)
{
    const struct py_node *found = find(script, script->tree.root, is_keyword, name);

    return found ? py_child(found, PY_FIELD_VALUE) : NULL;
}

static bool
is_assignment(const struct script *script, const struct py_node *node, const void *name)
{
    const struct py_node *left = node->kind == PY_ASSIGNMENT ? py_child(node, PY_FIELD_LEFT) : NULL;

    if (left && left->kind == PY_ATTRIBUTE)
        left = py_child(left, PY_FIELD_ATTRIBUTE);
    return left && left->kind == PY_IDENTIFIER && py_is(&script->tree, left, name);
}

static const struct py_node *
assigned_value(const struct script *script, const char *name)
{
    const struct py_node *found = find(script, script->tree.root, is_assignment, name);

    return found ? py_child(found, PY_FIELD_RIGHT) : NULL;
}

/* The text of a plain literal without escapes, or NULL. */
static const char *
literal(const struct script *script, const struct py_node *node)
{
    const char *text = NULL;

    if (!node || node->kind != PY_STRING)
        return NULL;
    for (const struct py_node *part = node->first; part; part = part->next) {
        if (part->kind == PY_INTERPOLATION || (part->kind == PY_STRING_CONTENT && part->first))
            return NULL;
        if (part->kind == PY_STRING_CONTENT)
            text = py_text(script->ctx->arena, &script->tree, part);
    }
    return text ? text : "";
}

static bool
take_naming(const struct script *script, const struct py_node *node, struct naming *ret)
{
    const struct {
        const char *name;
        const char **ret;
    } keys[] = {
        { "ix", &ret->ix },
        { "uq", &ret->uq },
        { "ck", &ret->ck },
        { "fk", &ret->fk },
        { "pk", &ret->pk },
    };

    if (node && node->kind == PY_IDENTIFIER)
        node = assigned_value(script, py_text(script->ctx->arena, &script->tree, node));
    if (!node || node->kind != PY_DICTIONARY)
        return false;
    for (const struct py_node *pair = node->first; pair; pair = pair->next) {
        const struct py_node *key = pair->kind == PY_PAIR ? py_child(pair, PY_FIELD_KEY) : NULL;
        const char *name = literal(script, key);
        const char *value = name ? literal(script, py_child(pair, PY_FIELD_VALUE)) : NULL;

        if (!value)
            ret->is_unknown = true; /* a part that is computed, or a key we do not know */
        for (size_t i = 0; value && i < COUNT_OF(keys); i++)
            if (strcmp(name, keys[i].name) == 0)
                *keys[i].ret = value;
    }
    return true;
}

/* naming_convention=… of a MetaData, or metadata.naming_convention = …; false: there is none. */
static bool
find_naming(const struct script *script, struct naming *ret)
{
    const struct py_node *node = keyword_value(script, "naming_convention");

    if (!node)
        node = assigned_value(script, "naming_convention");
    if (!node)
        return false;
    if (!take_naming(script, node, ret))
        ret->is_unknown = true;
    return true;
}

/* The first name of "Base.metadata", "models.db.Model.metadata", "metadata". */
static const struct py_node *
first_name(const struct py_node *node)
{
    while (node && (node->kind == PY_ATTRIBUTE || node->kind == PY_CALL ||
                       node->kind == PY_SUBSCRIPT || node->kind == PY_LIST))
        node = node->first;
    return node && node->kind == PY_IDENTIFIER ? node : NULL;
}

/* What an import binds to the name: the module, or NULL. */
struct import {
    const char *name;
    const char *module; /* "app.models", ".base"; set when found */
    const char *member; /* of "from module import member"; or NULL */
};

static bool
binds(const struct script *script, const struct py_node *node, struct import *import)
{
    const struct py_node *name = node, *alias = NULL;

    if (node->kind == PY_ALIASED_IMPORT) {
        name = py_child(node, PY_FIELD_NAME);
        alias = py_child(node, PY_FIELD_ALIAS);
    }
    if (!name || name->kind != PY_DOTTED_NAME)
        return false;

    const char *text = py_text(script->ctx->arena, &script->tree, name);
    const char *bound = alias ? py_text(script->ctx->arena, &script->tree, alias)
                              : arena_strndup(script->ctx->arena, text, strcspn(text, "."));

    if (strcmp(bound, import->name) != 0)
        return false;
    import->member = text;
    return true;
}

static bool
is_import(const struct script *script, const struct py_node *node, const void *what)
{
    struct import *import = (struct import *)(uintptr_t)what;
    bool is_from = node->kind == PY_IMPORT_FROM;
    const struct py_node *module = is_from ? py_child(node, PY_FIELD_MODULE_NAME) : NULL;

    if (!is_from && node->kind != PY_IMPORT)
        return false;
    for (const struct py_node *child = node->first; child; child = child->next) {
        if (child == module || !binds(script, child, import))
            continue;
        if (is_from) {
            import->module = module ? py_text(script->ctx->arena, &script->tree, module) : NULL;
        } else {
            import->module = import->member;
            import->member = NULL;
        }
        return import->module != NULL;
    }
    return false;
}

static const char *
folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? arena_strndup(arena, path, (size_t)(slash - path)) : ".";
}

static const char *
module_file(struct arena *arena, const char *folder, const char *module)
{
    char *path = arena_strdup(arena, module);
    const char *file;

    for (char *c = path; *c; c++)
        if (*c == '.')
            *c = '/';
    file = file_join(arena, folder, arena_printf(arena, "%s.py", path));
    if (file_exists(file))
        return file;
    file = file_join(arena, folder, arena_printf(arena, "%s/__init__.py", path));
    return file_exists(file) ? file : NULL;
}

/* The file of a module, relative ones from the folder of the file that imports them. */
static const char *
find_module(struct arena *arena, const struct script *script, const char *module,
    const struct text_list *folders)
{
    const char *folder = folder_of(arena, script->path);

    if (*module == '.') {
        for (module++; *module == '.'; module++)
            folder = folder_of(arena, folder);
        if (!*module)
            return file_join(arena, folder, "__init__.py");
        return module_file(arena, folder, module);
    }
    for (size_t i = 0; i < folders->count; i++) {
        const char *file = module_file(arena, folders->items[i], module);

        if (file)
            return file;
    }
    return NULL;
}

static bool
is_class(const struct script *script, const struct py_node *node, const void *name)
{
    const struct py_node *field = node->kind == PY_CLASS ? py_child(node, PY_FIELD_NAME) : NULL;

    return field && py_is(&script->tree, field, name);
}

/* Where the name comes from: a module's file, "" for this file itself, NULL for what is not here. */
static const char *
origin_of(const struct script *script, const struct text_list *folders, const char **name)
{
    struct arena *arena = script->ctx->arena;
    struct import import = { .name = *name };
    const char *file;

    if (!find(script, script->tree.root, is_import, &import)) {
        bool is_here =
            assigned_value(script, *name) || find(script, script->tree.root, is_class, *name);

        return is_here ? "" : NULL;
    }
    if (import.member) {
        /* "from package import module" */
        const char *inner = text_ends_with(import.module, ".")
                                ? arena_printf(arena, "%s%s", import.module, import.member)
                                : arena_printf(arena, "%s.%s", import.module, import.member);

        file = find_module(arena, script, inner, folders);
        if (file)
            return file;
        *name = import.member;
    }
    return find_module(arena, script, import.module, folders);
}

/*
 * Follows the metadata that Alembic is given through imports. Models may give their Base another
 * metadata; where the way ends without an answer the naming stays unknown.
 */
static void
follow_metadata(const struct script *env, const struct text_list *folders, struct naming *ret)
{
    struct arena *arena = env->ctx->arena;
    const struct py_node *target = assigned_value(env, "target_metadata");
    struct script script = *env;

    if (!target)
        target = keyword_value(env, "target_metadata");
    if (!target || target->kind == PY_NONE)
        return;

    const struct py_node *first = first_name(target);
    const char *name = first ? py_text(arena, &env->tree, first) : NULL;

    ret->is_unknown = true;
    for (int hop = 0; name && hop < MOST_HOPS; hop++) {
        const char *file = origin_of(&script, folders, &name);

        if (file && !*file)
            ret->is_unknown = find_naming(&script, ret) && ret->is_unknown;
        if (!file || !*file || !load(env->ctx, file, &script))
            return;

        struct naming found = { 0 };

        if (find_naming(&script, &found)) {
            *ret = found;
            return;
        }
    }
}

static void
take_text(const struct script *script, const char *name, const char **ret)
{
    const struct py_node *node = keyword_value(script, name);

    if (node && node->kind == PY_IDENTIFIER)
        node = assigned_value(script, py_text(script->ctx->arena, &script->tree, node));

    const char *text = literal(script, node);

    if (text && *text)
        *ret = text;
}

void
environment_read_script(
    struct ctx *ctx, const char *path, const struct text_list *folders, struct environment *ret)
{
    struct script script;

    if (!load(ctx, path, &script)) {
        ret->naming.is_unknown = true;
        return;
    }

    const struct py_node *each = keyword_value(&script, "transaction_per_migration");

    ret->transaction_per_migration = each && each->kind == PY_TRUE;
    ret->sets_lock_timeout = strstr(script.tree.source, "lock_timeout") != NULL;
    take_text(&script, "version_table", &ret->version_table);
    take_text(&script, "version_table_schema", &ret->version_table_schema);
    if (!find_naming(&script, &ret->naming))
        follow_metadata(&script, folders, &ret->naming);
}
