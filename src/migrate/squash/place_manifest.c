#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "migrate/squash/place.h"

/* The folder above, as the user would write it; "." when the path has none. */
static const char *
above(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

bool
place_find_paths(struct ctx *ctx, const char *folder, struct place_paths *ret)
{
    struct arena *arena = ctx->arena;
    char real[PATH_MAX];
    struct stat info;
    const char *slash, *name;

    if (!realpath(folder, real) || stat(real, &info) != 0)
        return error_set_errno(ctx, "could not look at \"%s\"", folder);
    if (!S_ISDIR(info.st_mode))
        return error_set(ctx, ERR_INPUT, "\"%s\" is no folder", folder);
    slash = strrchr(real, '/');
    if (!slash || !slash[1])
        return error_set(ctx, ERR_UNSUPPORTED, "\"%s\" cannot be a version folder", folder);
    *ret = (struct place_paths){
        .folder = arena_strdup(arena, real),
        .name = arena_strdup(arena, slash + 1),
        .parent = above(arena, arena_strdup(arena, real)),
    };
    ret->fresh = arena_printf(arena, "%s.pgmend-new", ret->folder);
    ret->plan = arena_printf(arena, "%s.json", ret->fresh);
    ret->trash = arena_printf(arena, "%s.pgmend-old", ret->folder);
    ret->root = file_join(arena, ret->parent, "versions_archive");

    /* A link or "." does not tell where the archive will be. */
    slash = strrchr(folder, '/');
    name = slash ? slash + 1 : folder;
    if (lstat(folder, &info) == 0 && S_ISDIR(info.st_mode) && strcmp(name, ret->name) == 0) {
        ret->shown = folder;
        ret->archive =
            slash ? file_join(arena, above(arena, folder), "versions_archive") : "versions_archive";
    } else {
        ret->shown = ret->folder;
        ret->archive = ret->root;
    }
    return true;
}

const char *
place_manifest_path(struct arena *arena, const struct place_paths *paths, const char *archive)
{
    return arena_printf(arena, "%s/%s.json", paths->root, archive);
}

static json_t *
tree_to_json(const struct tree *tree)
{
    json_t *json = json_object();

    for (size_t i = 0; i < tree->count; i++)
        json_object_set_new(json, tree->items[i].path, json_string(tree->items[i].sha256));
    return json;
}

bool
place_manifest_write(struct ctx *ctx, const char *path, const struct place_manifest *manifest)
{
    json_t *json CLEANUP(json_release) =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I}", "schema_version", 1, "pgmend",
            manifest->version, "created", manifest->created, "head", manifest->head, "folder",
            manifest->folder, "archive", manifest->archive, "inode", (json_int_t)manifest->inode);
    json_t *generated = json_array();

    for (size_t i = 0; i < manifest->generated.count; i++)
        json_array_append_new(generated, json_string(manifest->generated.items[i]));
    json_object_set_new(json, "generated", generated);
    json_object_set_new(json, "new_files", tree_to_json(&manifest->new));
    json_object_set_new(json, "old_files", tree_to_json(&manifest->old));
    return json_write_file(ctx, path, json);
}

static bool
tree_from_json(struct ctx *ctx, json_t *json, struct tree *ret)
{
    const char *path;
    json_t *value;

    *ret = (struct tree){ 0 };
    json_object_foreach(json, path, value)
    {
        const struct tree_file file = {
            .path = arena_strdup(ctx->arena, path),
            .sha256 =
                arena_strdup(ctx->arena, json_is_string(value) ? json_string_value(value) : ""),
        };

        VEC_PUSH(ctx->arena, ret, file);
    }
    place_tree_sort(ret);
    return json_is_object(json);
}

/* A name that stays in its folder. */
static bool
is_plain_name(const char *name)
{
    return name && *name && *name != '.' && !strchr(name, '/');
}

bool
place_manifest_read(struct ctx *ctx, const char *path, struct place_manifest *ret)
{
    json_t *json CLEANUP(json_release) = NULL;
    const json_t *generated;
    const json_t *name;
    size_t i;

    *ret = (struct place_manifest){ 0 };
    if (!json_read_file(ctx, path, &json))
        return false;
    ret->head = json_get_text(ctx->arena, json, "head", NULL);
    ret->folder = json_get_text(ctx->arena, json, "folder", NULL);
    ret->archive = json_get_text(ctx->arena, json, "archive", NULL);
    ret->created = json_get_text(ctx->arena, json, "created", "");
    ret->version = json_get_text(ctx->arena, json, "pgmend", "");
    ret->inode = json_get_int(json, "inode", 0);
    if (!ret->head || !ret->folder || !is_plain_name(ret->archive) ||
        !tree_from_json(ctx, json_object_get(json, "old_files"), &ret->old) ||
        !tree_from_json(ctx, json_object_get(json, "new_files"), &ret->new))
        return error_set(ctx, ERR_INPUT, "\"%s\" is no manifest of a consolidation", path);
    generated = json_object_get(json, "generated");
    json_array_foreach(generated, i, name) if (json_is_string(name)) text_list_add(
        ctx->arena, &ret->generated, arena_strdup(ctx->arena, json_string_value(name)));
    return true;
}

bool
place_list_manifests(struct ctx *ctx, const struct place_paths *paths, struct text_list *ret)
{
    static const char suffix[] = ".json";
    struct text_list names;

    *ret = (struct text_list){ 0 };
    if (!file_list(ctx, paths->root, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = file_join(ctx->arena, paths->root, names.items[i]);
        struct place_manifest manifest;

        if (!text_ends_with(names.items[i], suffix))
            continue;
        if (!place_manifest_read(ctx, path, &manifest)) {
            /* Other files may lie there, and those of another version folder. */
            if (ctx->error.kind != ERR_INPUT)
                return false;
            error_clear(ctx);
            continue;
        }
        if (strcmp(manifest.folder, paths->name) != 0 ||
            strcmp(place_manifest_path(ctx->arena, paths, manifest.archive), path) != 0)
            continue;
        text_list_add(ctx->arena, ret, manifest.archive);
    }
    return true;
}
