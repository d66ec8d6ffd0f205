/* The user's ini file with our database in it. */
#include "migrate/history/ini.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "migrate/alembic/parts.h"

struct copy {
    struct ctx *ctx;
    const struct alembic *alembic;
    const struct address *address;
    const char *section;       /* Alembic's */
    struct buffer settings;    /* that stand in the section instead of the user's */
    struct text_list replaced; /* their names */
    const char *here;          /* what %(here)s stands for, escaped */
    struct buffer text;
    bool is_main;     /* the line is in the section */
    bool is_replaced; /* the line belongs to a setting that is ours */
};

static const char *
escaped(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };

    for (; *text; text++)
        buffer_append(&buffer, *text == '%' ? "%%" : text, *text == '%' ? 2 : 1);
    return buffer_text(&buffer);
}

static void
set(struct copy *copy, const char *name, const char *value)
{
    text_list_add(copy->ctx->arena, &copy->replaced, name);
    if (value)
        buffer_printf(&copy->settings, "%s = %s\n", name, escaped(copy->ctx->arena, value));
}

/* The whole path: the ini file stands elsewhere now. */
static const char *
whole_path(struct arena *arena, const char *path)
{
    char *found = realpath(path, NULL);
    const char *whole = found ? arena_strdup(arena, found) : path;

    free(found);
    return whole;
}

/* Alembic 1.8 cuts at commas and blanks unless it is told otherwise, so it always is. */
static bool
set_locations(struct copy *copy)
{
    static const struct {
        const char *name;
        const char *between;
    } separators[] = { { "os", ":" }, { ";", ";" }, { "space", " " } };
    struct ctx *ctx = copy->ctx;
    const struct text_list *locations = &copy->alembic->environment->locations;
    const char *versions = copy->alembic->versions;
    struct text_list folders = { 0 };

    if (versions)
        text_list_add(ctx->arena, &folders, whole_path(ctx->arena, versions));
    for (size_t i = 0; !versions && i < locations->count; i++)
        text_list_add(ctx->arena, &folders, whole_path(ctx->arena, locations->items[i]));
    for (size_t i = 0; i < COUNT_OF(separators); i++) {
        bool is_inside = false;

        for (size_t j = 0; j < folders.count; j++)
            is_inside |= strstr(folders.items[j], separators[i].between) != NULL;
        if (is_inside)
            continue;
        set(copy, "version_locations", text_list_join(ctx->arena, &folders, separators[i].between));
        set(copy, "version_path_separator", separators[i].name);
        set(copy, "path_separator", NULL);
        return true;
    }
    return error_set(ctx, ERR_INPUT,
        "the version folders' names hold a colon, a semicolon and a blank: Alembic cannot be given "
        "them together");
}

static bool
set_all(struct copy *copy)
{
    struct ctx *ctx = copy->ctx;
    const struct alembic *alembic = copy->alembic;
    const struct environment *environment = alembic->environment;
    const char *script;
    struct ini ini;

    set(copy, "sqlalchemy.url", alembic_url(ctx, copy->address, alembic_url_like(ctx, alembic)));
    if (alembic->options.plain_env) {
        if (!alembic_write_plain(ctx, alembic, &script))
            return false;
        set(copy, "script_location", script);
        return set_locations(copy);
    }
    if (environment->ini) {
        if (!ini_read(ctx, environment->ini, copy->section, &ini))
            return false;
        script = map_get(&ini.values, "script_location");
        /* "package:folder" is found by Python. */
        if (!script || !strchr(script, ':'))
            set(copy, "script_location", whole_path(ctx->arena, environment->script));
    } else {
        set(copy, "script_location", whole_path(ctx->arena, environment->script));
    }
    return (!alembic->versions && environment->ini) || set_locations(copy);
}

/* %(here)s is the folder of the file that Alembic reads, and that is another one now. */
static void
add_with_here(struct copy *copy, const char *line, size_t length)
{
    static const char name[] = "%(here)s";
    const char *end = line + length;

    while (line < end) {
        const char *found = memmem(line, (size_t)(end - line), name, strlen(name));

        if (!found || (found > line && found[-1] == '%')) {
            size_t count = found ? (size_t)(found - line) + strlen(name) : (size_t)(end - line);

            buffer_append(&copy->text, line, count);
            line += count;
            continue;
        }
        buffer_append(&copy->text, line, (size_t)(found - line));
        buffer_add(&copy->text, copy->here);
        line = found + strlen(name);
    }
}

static const char *
trimmed(struct arena *arena, const char *text, size_t length)
{
    while (length > 0 && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    return arena_strndup(arena, text, length);
}

static void
take_section(struct copy *copy, const char *line, size_t length)
{
    const char *end = memchr(line, ']', length);
    const char *name =
        end ? arena_strndup(copy->ctx->arena, line + 1, (size_t)(end - line) - 1) : "";

    copy->is_replaced = false;
    copy->is_main = strcmp(name, copy->section) == 0;
    buffer_append(&copy->text, line, length);
    buffer_add(&copy->text, "\n");
    if (copy->is_main)
        buffer_add(&copy->text, buffer_text(&copy->settings));
}

/* Wherever the file names a database, it is ours: no other may be touched. */
static bool
take_url(struct copy *copy, const char *name, const char *value)
{
    struct arena *arena = copy->ctx->arena;

    if (!alembic_is_url(value) && strcmp(name, "sqlalchemy.url") != 0)
        return false;
    buffer_printf(&copy->text, "%s = %s\n", name,
        escaped(arena, alembic_url(copy->ctx, copy->address, value)));
    return true;
}

static void
take_line(struct copy *copy, const char *line, size_t length)
{
    struct arena *arena = copy->ctx->arena;
    size_t name_length = 0;

    if (length > 0 && *line == '[') {
        take_section(copy, line, length);
        return;
    }
    if (length > 0 && !isspace((unsigned char)*line) && !strchr("#;", *line)) {
        while (name_length < length && !strchr("=:", line[name_length]))
            name_length++;

        char *name = arena_strdup(arena, trimmed(arena, line, name_length));
        const char *value = name_length < length
                                ? trimmed(arena, line + name_length + 1, length - name_length - 1)
                                : "";

        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        copy->is_replaced =
            (copy->is_main && text_list_has(&copy->replaced, name)) || take_url(copy, name, value);
    }
    if (copy->is_replaced)
        return;
    add_with_here(copy, line, length);
    buffer_add(&copy->text, "\n");
}

/* Without a file of the user's: what env.py's usual logging.config.fileConfig() wants. */
static const char logging[] = "[loggers]\nkeys = root\n[handlers]\nkeys = console\n"
                              "[formatters]\nkeys = generic\n"
                              "[logger_root]\nlevel = WARN\nhandlers = console\nqualname =\n"
                              "[handler_console]\nclass = StreamHandler\nargs = (sys.stderr,)\n"
                              "level = NOTSET\nformatter = generic\n"
                              "[formatter_generic]\nformat = %(levelname)s %(message)s\n";

static bool
copy_file(struct copy *copy)
{
    struct arena *arena = copy->ctx->arena;
    const char *path = copy->alembic->environment->ini, *text;
    const char *whole = whole_path(arena, path);
    const char *slash = strrchr(whole, '/');
    size_t length;

    copy->here = escaped(arena, slash ? arena_strndup(arena, whole, (size_t)(slash - whole)) : ".");
    if (!file_read(copy->ctx, path, &text, &length))
        return false;
    for (const char *end = text + length; text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line = newline ? (size_t)(newline - text) : (size_t)(end - text);

        take_line(copy, text, line);
        text += newline ? line + 1 : line;
    }
    return true;
}

bool
alembic_write_ini(struct ctx *ctx, const struct alembic *alembic, const struct address *address,
    const char **ret_path)
{
    const char *section = alembic->options.section;
    struct copy copy = {
        .ctx = ctx,
        .alembic = alembic,
        .address = address,
        .section = section ? section : "alembic",
        .settings = { .arena = ctx->arena },
        .text = { .arena = ctx->arena },
    };

    if (!set_all(&copy))
        return false;
    if (!alembic->environment->ini) {
        buffer_printf(&copy.text, "[%s]\n%s%s", copy.section, buffer_text(&copy.settings), logging);
    } else if (!copy_file(&copy)) {
        return false;
    }
    *ret_path = file_join(ctx->arena, alembic->work.path, "alembic.ini");
    return file_write(ctx, *ret_path, buffer_text(&copy.text), copy.text.length, 0600);
}
