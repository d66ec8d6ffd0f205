/* The environment of the user's Alembic: whatever names a database names ours. */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "lang/python.h"
#include "migrate/alembic/parts.h"

enum { MOST_BYTES = 1024 * 1024 };

struct variables {
    struct ctx *ctx;
    const struct alembic *alembic;
    const struct address *address;
    const char *like;
    struct text_list names; /* that are set */
    struct text_list *ret;
    struct text_list *ret_names;
};

static void
set(struct variables *variables, const char *name, const char *value)
{
    struct arena *arena = variables->ctx->arena;

    if (text_list_has(&variables->names, name))
        return;
    text_list_add(arena, &variables->names, name);
    text_list_add(arena, variables->ret, arena_printf(arena, "%s=%s", name, value));
}

/* Where the variable is set, it shows which driver is meant. */
static void
set_url(struct variables *variables, const char *name)
{
    const char *now = getenv(name);
    const char *like = now && alembic_is_url(now) ? now : variables->like;

    if (text_list_has(&variables->names, name))
        return;
    text_list_add(variables->ctx->arena, variables->ret_names, name);
    set(variables, name, alembic_url(variables->ctx, variables->address, like));
}

static bool
ends_with_any(const char *name, const char *const *ends)
{
    for (; *ends; ends++)
        if (text_ends_with(name, *ends))
            return true;
    return false;
}

/* DB_HOST, POSTGRES_PASSWORD, DATABASE_NAME: what such a name stands for; NULL: something else. */
static const char *
part_of(const struct variables *variables, const char *name)
{
    static const char *const starts[] = { "DB_", "POSTGRES_", "PG_", "PSQL_", "DATABASE_", "SQL_",
        "POSTGRESQL_" };
    const struct {
        const char *ends[5];
        const char *value;
    } parts[] = {
        { { "_HOST", "_HOSTNAME", "_SERVER", "_ADDR" }, "127.0.0.1" },
        { { "_PORT" }, arena_printf(variables->ctx->arena, "%u", variables->address->port) },
        { { "_USER", "_USERNAME", "_LOGIN" }, "pgmend" },
        { { "_PASSWORD", "_PASS", "_PWD" }, variables->address->password },
        { { "_NAME", "_DB", "_DATABASE", "_DBNAME" }, variables->address->database },
    };
    bool is_database = false;

    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        const char *found = strstr(name, starts[i]);

        is_database |= found && (found == name || found[-1] == '_');
    }
    for (size_t i = 0; is_database && i < COUNT_OF(parts); i++)
        if (ends_with_any(name, parts[i].ends))
            return parts[i].value;
    return NULL;
}

/* Other services have URLs too, and a database's in their place would break what reads them. */
static bool
is_url_name(const char *name)
{
    static const char *const others[] = { "REDIS", "SENTRY", "AMQP", "RABBIT", "CELERY", "BROKER",
        "KAFKA", "MONGO", "ELASTIC", "HTTP", "S3_", "API_", "BASE_UR", "REDIRECT", "WEBHOOK" };
    const char *now = getenv(name);

    if (!strstr(name, "URL") && !strstr(name, "URI") && !strstr(name, "DSN"))
        return false;
    if (now && *now)
        return alembic_is_url(now) || !strstr(now, "://");
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (strstr(name, others[i]))
            return false;
    return true;
}

static void
set_named(struct variables *variables, const char *name)
{
    const char *part = part_of(variables, name);

    if (is_url_name(name))
        set_url(variables, name);
    else if (part)
        set(variables, name, part);
}

/* The plain text of a literal in capitals, as names of variables are; else NULL. */
static const char *
name_of(struct ctx *ctx, const struct py_tree *tree, const struct py_node *node)
{
    const char *text = NULL;

    if (!node || node->kind != PY_STRING)
        return NULL;
    for (const struct py_node *part = node->first; part; part = part->next)
        if (part->kind == PY_STRING_CONTENT)
            text = py_text(ctx->arena, tree, part);
    if (!text || !isupper((unsigned char)*text) || strlen(text) > 100)
        return NULL;
    return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ? NULL : text;
}

/* os.environ["NAME"], os.environ.get("NAME"), os.getenv("NAME"), config("NAME"), env.str("NAME"). */
static void
read_node(struct variables *variables, const struct py_tree *tree, const struct py_node *node)
{
    const struct py_node *what = NULL, *inside = NULL;
    const char *name = NULL;

    if (node->kind == PY_SUBSCRIPT) {
        what = py_child(node, PY_FIELD_VALUE);
        inside = py_child(node, PY_FIELD_SUBSCRIPT);
    } else if (node->kind == PY_CALL) {
        const struct py_node *arguments = py_child(node, PY_FIELD_ARGUMENTS);

        what = py_child(node, PY_FIELD_FUNCTION);
        inside = arguments ? arguments->first : NULL;
    }
    if (what && inside)
        name = name_of(variables->ctx, tree, inside);
    if (name) {
        const char *text = py_text(variables->ctx->arena, tree, what);

        if (strstr(text, "env") || strstr(text, "config"))
            set_named(variables, name);
    }
    for (const struct py_node *child = node->first; child; child = child->next)
        read_node(variables, tree, child);
}

static void
read_script(struct variables *variables)
{
    struct ctx *ctx = variables->ctx;
    const char *path = variables->alembic->environment->env, *text;
    struct py_tree tree;
    size_t length;
    int64_t size;

    if (!path || variables->alembic->options.plain_env)
        return;
    if (file_size(ctx, path, &size) && size <= MOST_BYTES && file_read(ctx, path, &text, &length) &&
        text_is_utf8(text) && python_parse(ctx, text, strlen(text), &tree))
        read_node(variables, &tree, tree.root);
    error_clear(ctx);
}

/* Variables that name a database now, whoever reads them. */
static void
read_environment(struct variables *variables)
{
    for (char **at = environ; *at; at++) {
        size_t length = strcspn(*at, "=");
        const char *name = arena_strndup(variables->ctx->arena, *at, length);

        if (!(*at)[length])
            continue;
        if (alembic_is_url(*at + length + 1))
            set_url(variables, name);
        else if (part_of(variables, name))
            set_named(variables, name);
    }
}

static void
set_libpq(struct variables *variables)
{
    const struct {
        const char *name;
        const char *value;
    } settings[] = {
        { "PGHOST", "127.0.0.1" },
        { "PGPORT", arena_printf(variables->ctx->arena, "%u", variables->address->port) },
        { "PGUSER", "pgmend" },
        { "PGPASSWORD", variables->address->password },
        { "PGDATABASE", variables->address->database },
        { "PGSSLMODE", "disable" },
        { "PGGSSENCMODE", "disable" },
        { "PGCHANNELBINDING", "prefer" },
        { "PGTARGETSESSIONATTRS", "any" },
        /* Nothing is written beside the user's files, and what is printed comes at once. */
        { "PYTHONDONTWRITEBYTECODE", "1" },
        { "PYTHONUNBUFFERED", "1" },
    };

    for (size_t i = 0; i < COUNT_OF(settings); i++)
        set(variables, settings[i].name, settings[i].value);
}

bool
alembic_variables(struct ctx *ctx, const struct alembic *alembic, const struct address *address,
    struct text_list *ret, struct text_list *ret_names)
{
    static const char *const usual[] = { "DATABASE_URL", "SQLALCHEMY_DATABASE_URI",
        "SQLALCHEMY_DATABASE_URL", "SQLALCHEMY_URL", "POSTGRES_URL" };
    const struct text_list *given = alembic->options.url_envs;
    struct variables variables = {
        .ctx = ctx,
        .alembic = alembic,
        .address = address,
        .like = alembic_url_like(ctx, alembic),
        .ret = ret,
        .ret_names = ret_names,
    };

    *ret = (struct text_list){ 0 };
    *ret_names = (struct text_list){ 0 };
    for (size_t i = 0; i < COUNT_OF(usual); i++)
        set_url(&variables, usual[i]);
    for (size_t i = 0; given && i < given->count; i++) {
        if (!*given->items[i] || strchr(given->items[i], '='))
            return error_set(ctx, ERR_USAGE, "\"%s\" is no name of a variable", given->items[i]);
        set_url(&variables, given->items[i]);
    }
    set_libpq(&variables);
    read_script(&variables);
    read_environment(&variables);
    return true;
}
