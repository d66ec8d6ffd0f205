#include "migrate/history/env.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "migrate/history/ini.h"

static const char ini_name[] = "alembic.ini";

static bool
is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool
is_same(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* "a/b/" → "a/b"; the file system's own "/" stays. */
static const char *
without_slash(struct arena *arena, const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    return arena_strndup(arena, path, length);
}

static const char *
folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

/* The folder above, as "a" → "."; "." → "..". */
static const char *
above(struct arena *arena, const char *folder)
{
    const char *slash = strrchr(folder, '/');
    const char *last = slash ? slash + 1 : folder;

    if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return strcmp(folder, ".") == 0 ? ".." : file_join(arena, folder, "..");
    return folder_of(arena, folder);
}

/* "package.inner:folder/…" is a folder inside a Python package, which must be below the ini's. */
static bool
find_in_package(struct ctx *ctx, const char *here, const char *text, const char **ret)
{
    size_t length = strcspn(text, ":");
    char *package = arena_strndup(ctx->arena, text, length);
    char *inner = arena_strdup(ctx->arena, text + length + 1);

    for (char *c = package; *c; c++)
        if (*c == '.')
            *c = '/';
    for (char *c = inner; *c; c++)
        if (*c == ':')
            *c = '/';
    *ret = file_join(ctx->arena, file_join(ctx->arena, here, package), inner);
    if (is_folder(*ret))
        return true;
    error_set(ctx, ERR_INPUT, "\"%s\" is a folder inside a Python package that is not in \"%s\"",
        text, here);
    return error_hint(ctx, "Name the versions folder itself.");
}

/* Without "." in the middle and doubled slashes: annotations name files as git does. */
static const char *
clean_path(struct arena *arena, const char *path)
{
    struct buffer clean = { .arena = arena };

    while (*path) {
        bool is_start = clean.length == 0 || clean.data[clean.length - 1] == '/';

        if (is_start && path[0] == '.' && path[1] == '/' && path[2])
            path += 2;
        else if (is_start && path[0] == '/' && clean.length > 0)
            path++;
        else
            buffer_append(&clean, path++, 1);
    }
    while (text_ends_with(buffer_text(&clean), "/.") && clean.length > 2)
        clean.data[clean.length -= 2] = '\0';
    return buffer_text(&clean);
}

/*
 * Alembic takes relative folders from the working folder, which nearly always is the ini's: we
 * look there first, so that it does not matter where we are started.
 */
static bool
find_folder(struct ctx *ctx, const char *here, const char *text, const char **ret)
{
    const char *path;

    text = without_slash(ctx->arena, text);
    if (*text != '/' && strchr(text, ':'))
        return find_in_package(ctx, here, text, ret);
    while (text_starts_with(text, "./") && text[2])
        text += 2;
    path = strcmp(here, ".") == 0 || *text == '/' ? text : file_join(ctx->arena, here, text);
    /* %(here)s has put the folder in front already. */
    if (!is_folder(path) && is_folder(text))
        path = text;
    *ret = clean_path(ctx->arena, path);
    return true;
}

struct separator {
    const char *name;
    const char *characters;
};

static const struct separator separators[] = {
    { "space", " " },
    { "newline", "\n" },
    { "os", ":" },
    { ":", ":" },
    { ";", ";" },
};

/* Without a setting: the older Alembic's commas and spaces. */
static bool
find_separator(struct ctx *ctx, const struct ini *ini, const char **ret)
{
    const char *name;

    *ret = ", \n";
    if (!ini_get(ctx, ini, "path_separator", &name) ||
        (!name && !ini_get(ctx, ini, "version_path_separator", &name)))
        return false;
    if (!name)
        return true;
    for (size_t i = 0; i < COUNT_OF(separators); i++)
        if (strcmp(separators[i].name, name) == 0) {
            *ret = separators[i].characters;
            return true;
        }
    return error_set(ctx, ERR_INPUT,
        "'%s' is not a valid value for version_path_separator; expected 'space', 'newline', 'os', "
        "':', ';'",
        name);
}

static bool
add_location(struct ctx *ctx, const char *here, const char *text, struct environment *ret)
{
    const char *folder;

    if (!find_folder(ctx, here, text, &folder))
        return false;
    /* Alembic leaves out those that are not there. */
    if (is_folder(folder))
        text_list_add(ctx->arena, &ret->locations, folder);
    return true;
}

static bool
read_locations(struct ctx *ctx, const struct ini *ini, const char *here, struct environment *ret)
{
    const char *text, *separator;

    if (!ini_get(ctx, ini, "version_locations", &text))
        return false;
    if (text_is_empty(text)) {
        text_list_add(ctx->arena, &ret->locations,
            clean_path(ctx->arena, file_join(ctx->arena, ret->script, "versions")));
        return true;
    }
    if (!find_separator(ctx, ini, &separator))
        return false;
    while (*text) {
        size_t length = strcspn(text, separator);
        const char *start = text, *end = text + length;

        text = *end ? end + 1 : end;
        while (start < end && strchr(" \t\r\n", *start))
            start++;
        while (end > start && strchr(" \t\r\n", end[-1]))
            end--;
        if (start < end &&
            !add_location(ctx, here, arena_strndup(ctx->arena, start, (size_t)(end - start)), ret))
            return false;
    }
    return true;
}

static void
read_script(struct ctx *ctx, const char *here, struct environment *ret)
{
    struct text_list folders = { 0 };

    ret->env = file_join(ctx->arena, ret->script, "env.py");
    if (!file_exists(ret->env)) {
        ret->env = NULL;
        return;
    }
    text_list_add(ctx->arena, &folders, here);
    text_list_add(ctx->arena, &folders, file_join(ctx->arena, here, "src"));
    text_list_add(ctx->arena, &folders, above(ctx->arena, ret->script));
    text_list_add(ctx->arena, &folders, above(ctx->arena, here));
    environment_read_script(ctx, ret->env, &folders, ret);
}

static bool
no_section(struct ctx *ctx, const char *path, const char *section, const struct ini *ini)
{
    error_set(ctx, ERR_INPUT, "%s has no section [%s]", path, section);
    return error_hint(ctx, "Its sections are: %s.",
        ini->sections.count > 0 ? text_list_join(ctx->arena, &ini->sections, ", ") : "none");
}

static bool
read_ini(struct ctx *ctx, const char *path, const char *section, struct environment *ret)
{
    const char *script, *recursive, *here;
    struct ini ini;

    if (!section)
        section = "alembic";
    if (!ini_read(ctx, path, section, &ini))
        return false;
    if (!ini.has_section)
        return no_section(ctx, path, section, &ini);
    ret->ini = path;
    here = folder_of(ctx->arena, path);
    if (!ini_get(ctx, &ini, "script_location", &script) ||
        !ini_get(ctx, &ini, "recursive_version_locations", &recursive))
        return error_wrap(ctx, "%s", path);
    if (text_is_empty(script)) {
        error_set(
            ctx, ERR_INPUT, "%s: no 'script_location' key found in section [%s]", path, section);
        return error_hint(ctx, "It names the folder with env.py; --section chooses another one.");
    }
    if (!find_folder(ctx, here, script, &ret->script))
        return error_wrap(ctx, "%s", path);
    if (!is_folder(ret->script))
        return error_set(
            ctx, ERR_INPUT, "%s: the script_location \"%s\" does not exist", path, ret->script);
    ret->is_recursive = recursive && strcmp(recursive, "true") == 0;
    if (!read_locations(ctx, &ini, here, ret))
        return error_wrap(ctx, "%s", path);
    if (ret->locations.count == 0 || !is_folder(ret->locations.items[0]))
        return error_set(ctx, ERR_INPUT, "%s: there is no versions folder, looked for \"%s\"", path,
            ret->locations.count > 0 ? ret->locations.items[0] : "version_locations");
    read_script(ctx, here, ret);
    return true;
}

/* From the working folder up. */
static bool
find_upwards(struct ctx *ctx, const char **ret)
{
    const char *folder = ".";

    for (int i = 0; i < PATH_MAX / 2; i++) {
        const char *path = i == 0 ? ini_name : file_join(ctx->arena, folder, ini_name);

        if (file_exists(path)) {
            *ret = path;
            return true;
        }
        if (is_same(folder, "/"))
            break;
        folder = i == 0 ? ".." : file_join(ctx->arena, folder, "..");
    }
    error_set(ctx, ERR_NOT_FOUND, "there is no alembic.ini in this folder or above it");
    return error_hint(ctx, "Name an alembic.ini, its folder, or a versions folder.");
}

/* An alembic.ini one level below; *ret stays NULL if there is none. */
static bool
find_below(struct ctx *ctx, const char *folder, const char **ret)
{
    struct text_list names = { 0 };

    *ret = NULL;
    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path =
            file_join(ctx->arena, file_join(ctx->arena, folder, names.items[i]), ini_name);

        if (!file_exists(path))
            continue;
        if (*ret) {
            error_set(
                ctx, ERR_INPUT, "\"%s\" holds several: \"%s\" and \"%s\"", folder, *ret, path);
            return error_hint(ctx, "Name one of them.");
        }
        *ret = path;
    }
    return true;
}

/* Whether a file says "revision = …" at the beginning of a line, as revisions do. */
static bool
is_revision(const char *path)
{
    enum { ENOUGH = 64 * 1024 };
    char text[ENOUGH];
    FILE *file = fopen(path, "re");
    size_t length;

    if (!file)
        return false;
    length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    for (const char *at = strstr(text, "revision"); at; at = strstr(at + 1, "revision"))
        if ((at == text || at[-1] == '\n') && strspn(at + 8, " :=") > 0)
            return true;
    return false;
}

static bool
is_versions_folder(struct ctx *ctx, const char *folder)
{
    struct text_list names = { 0 };
    struct stat info;

    if (!file_list(ctx, folder, &names))
        error_clear(ctx);
    for (size_t i = 0; i < names.count; i++) {
        const char *path = file_join(ctx->arena, folder, names.items[i]);

        if (text_ends_with(names.items[i], ".py") && stat(path, &info) == 0 &&
            S_ISREG(info.st_mode) && is_revision(path))
            return true;
    }
    return false;
}

/*
 * The ini up to three levels above that means this script folder. What it says of other locations
 * counts unless the user named a versions folder, which is then the only one.
 */
static bool
read_ini_above(struct ctx *ctx, bool is_versions, const char *section, struct environment *ret)
{
    enum { MOST_LEVELS = 3 };
    const char *folder = ret->script, *path = NULL;
    struct environment found = *ret;
    bool is_one;

    for (int i = 0; !path && i < MOST_LEVELS; i++) {
        folder = above(ctx->arena, folder);
        path = file_join(ctx->arena, folder, ini_name);
        if (!file_exists(path))
            path = NULL;
    }
    found.locations = (struct text_list){ 0 };
    if (!path || !read_ini(ctx, path, section, &found) || !is_same(found.script, ret->script)) {
        error_clear(ctx);
        return false;
    }
    is_one =
        found.locations.count == 1 && is_same(found.locations.items[0], ret->locations.items[0]);
    if (is_versions || is_one)
        found.locations = ret->locations;
    found.is_recursive = found.is_recursive && (!is_versions || is_one);
    *ret = found;
    return true;
}

static bool
no_alembic(struct ctx *ctx, const char *folder)
{
    error_set(ctx, ERR_INPUT,
        "\"%s\" is no Alembic folder: no alembic.ini in it or one level below, no env.py, no "
        "versions folder, no file with \"revision = ...\"",
        folder);
    return error_hint(ctx, "Name an alembic.ini, its folder, or a versions folder.");
}

static bool
read_folder(struct ctx *ctx, const char *folder, const char *section, struct environment *ret)
{
    const char *ini = file_join(ctx->arena, folder, ini_name);
    const char *versions = file_join(ctx->arena, folder, "versions");
    const char *slash = strrchr(folder, '/');
    bool is_versions = strcmp(slash ? slash + 1 : folder, "versions") == 0;

    if (file_exists(ini))
        return read_ini(ctx, ini, section, ret);
    if (is_folder(versions) || file_exists(file_join(ctx->arena, folder, "env.py"))) {
        ret->script = folder;
        text_list_add(ctx->arena, &ret->locations, versions);
        is_versions = false;
    } else if (is_versions || is_versions_folder(ctx, folder)) {
        const char *script = above(ctx->arena, folder);

        text_list_add(ctx->arena, &ret->locations, folder);
        if (file_exists(file_join(ctx->arena, script, "env.py")))
            ret->script = script;
        is_versions = true;
    } else {
        if (!find_below(ctx, folder, &ini))
            return false;
        return ini ? read_ini(ctx, ini, section, ret) : no_alembic(ctx, folder);
    }
    if (ret->script && read_ini_above(ctx, is_versions, section, ret))
        return true;
    if (!is_folder(ret->locations.items[0]))
        return error_set(
            ctx, ERR_INPUT, "there is no versions folder, looked for \"%s\"", versions);
    if (ret->script)
        read_script(ctx, above(ctx->arena, ret->script), ret);
    return true;
}

bool
environment_find(struct ctx *ctx, const char *operand, const char *section, struct environment *ret)
{
    struct stat info;

    *ret = (struct environment){ .version_table = "alembic_version" };
    if (!operand) {
        if (!find_upwards(ctx, &operand))
            return false;
        return read_ini(ctx, operand, section, ret);
    }
    operand = without_slash(ctx->arena, operand);
    if (stat(operand, &info) < 0) {
        error_set_errno(ctx, "could not look at \"%s\"", operand);
        ctx->error.kind = ERR_NOT_FOUND;
        return error_hint(ctx, "Name an alembic.ini, its folder, or a versions folder.");
    }
    if (S_ISDIR(info.st_mode))
        return read_folder(ctx, operand, section, ret);
    if (S_ISREG(info.st_mode) && text_ends_with(operand, ".ini"))
        return read_ini(ctx, operand, section, ret);
    error_set(ctx, ERR_INPUT, "\"%s\" is neither a folder nor an alembic.ini", operand);
    return error_hint(ctx, "Name an alembic.ini, its folder, or a versions folder.");
}
