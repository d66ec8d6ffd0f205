#include "migrate/eval/eval_private.h"

/* Modules of the standard library that migrations import; others count as the application's. */
static const char *const libraries[] = { "__future__", "abc", "alembic", "argparse", "ast",
    "asyncio", "base64", "binascii", "bisect", "calendar", "codecs", "collections", "concurrent",
    "configparser", "contextlib", "copy", "csv", "ctypes", "dataclasses", "datetime", "decimal",
    "difflib", "email", "enum", "errno", "fnmatch", "fractions", "functools", "gc", "getpass",
    "glob", "gzip", "hashlib", "heapq", "hmac", "html", "http", "importlib", "inspect", "io",
    "ipaddress", "itertools", "json", "keyword", "locale", "logging", "math", "mimetypes",
    "multiprocessing", "numbers", "operator", "os", "pathlib", "pickle", "pkgutil", "platform",
    "pprint", "queue", "random", "re", "secrets", "shlex", "shutil", "signal", "socket",
    "sqlalchemy", "sqlite3", "ssl", "statistics", "string", "struct", "subprocess", "sys",
    "tempfile", "textwrap", "threading", "time", "timeit", "traceback", "types", "typing",
    "unicodedata", "unittest", "urllib", "uuid", "warnings", "weakref", "xml", "zipfile", "zlib",
    "zoneinfo" };

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool
eval_is_library(const char *module)
{
    char root[64];
    const char *key = root;
    size_t length = strcspn(module, ".");

    if (length == 0 || length >= sizeof(root))
        return false;
    memcpy(root, module, length);
    root[length] = '\0';
    return bsearch(&key, libraries, COUNT_OF(libraries), sizeof(libraries[0]), compare_names);
}

/* "a . b" is "a.b". */
static const char *
dotted(struct eval *e, const struct py_node *node)
{
    char text[256];
    size_t length = 0;

    for (uint32_t i = node->start; i < node->end; i++) {
        char c = e->tree->source[i];

        if (c == ' ' || c == '\t' || c == '\\' || c == '\r' || c == '\n')
            continue;
        if (length == sizeof(text))
            return eval_word(e, e->tree->source + node->start, node->end - node->start);
        text[length++] = c;
    }
    return eval_word(e, text, length);
}

static void
note_module(struct eval *e, const char *module, const struct py_node *node)
{
    if (!eval_is_library(module))
        eval_note(e, NOTE_APPLICATION, node, "%s", module);
}

static void
bind_path(struct eval *e, const char *name, const char *path)
{
    struct value value = { .kind = VALUE_NAME, .path = path };

    if (strcmp(path, "typing.TYPE_CHECKING") == 0)
        value = value_bool(false);
    eval_assign(e, name, &value);
}

void
eval_import(struct eval *e, const struct py_node *node)
{
    for (const struct py_node *child = node->first; child; child = child->next) {
        const struct py_node *name = child;
        const struct py_node *alias = NULL;

        if (child->kind == PY_ALIASED_IMPORT) {
            name = py_child(child, PY_FIELD_NAME);
            alias = py_child(child, PY_FIELD_ALIAS);
        }
        if (!name)
            continue;

        const char *path = dotted(e, name);
        const char *root = eval_word(e, path, strcspn(path, "."));

        note_module(e, path, node);
        if (alias)
            bind_path(e, eval_name(e, alias), path);
        else
            bind_path(e, root, root);
    }
}

static void
import_all(struct eval *e, const char *module)
{
    if ((e->wildcard && strcmp(e->wildcard, module) != 0) || !eval_is_library(module))
        e->has_unknown_wildcard = true;
    e->wildcard = module;
}

void
eval_import_from(struct eval *e, const struct py_node *node)
{
    const struct py_node *from = py_child(node, PY_FIELD_MODULE_NAME);
    const char *module = from ? dotted(e, from) : "";

    note_module(e, module, node);
    for (const struct py_node *child = from ? from->next : NULL; child; child = child->next) {
        const struct py_node *name = child;
        const struct py_node *alias = child;

        if (child->kind == PY_WILDCARD_IMPORT) {
            import_all(e, module);
            continue;
        }
        if (child->kind == PY_ALIASED_IMPORT) {
            name = py_child(child, PY_FIELD_NAME);
            alias = py_child(child, PY_FIELD_ALIAS);
        }
        if (name && alias)
            bind_path(e, dotted(e, alias), eval_join(e, module, ".", dotted(e, name)));
    }
}
