#include <unistd.h>

#include "base/file.h"
#include "migrate/squash/place.h"

enum { MOST_NAMES = 20 };

static const char *
list_names(struct arena *arena, const struct text_list *names)
{
    struct text_list some = *names;

    if (names->count <= MOST_NAMES)
        return text_list_join(arena, names, ", ");
    some.count = MOST_NAMES;
    return arena_printf(
        arena, "%s and %zu more", text_list_join(arena, &some, ", "), names->count - MOST_NAMES);
}

/* The archived folder must be what was archived, byte for byte. */
static bool
check_archive(struct ctx *ctx, const char *path, const struct place_manifest *manifest)
{
    struct text_list changes = { 0 };
    struct tree tree;

    if (!place_tree_read(ctx, path, &tree))
        return false;
    place_tree_compare(ctx->arena, &manifest->old, &tree, &changes);
    if (changes.count == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "\"%s\" is not what was archived: %s", path,
        list_names(ctx->arena, &changes));
    return error_hint(ctx, "Take the files back from git or a backup.");
}

/* What the folder holds now is going to be dropped: it must be what pgmend put there. */
static bool
check_folder(
    struct ctx *ctx, const struct place_paths *paths, const struct place_manifest *manifest)
{
    struct text_list changes = { 0 };
    struct tree tree;

    if (!place_tree_read(ctx, paths->folder, &tree))
        return false;
    place_tree_compare(ctx->arena, &manifest->new, &tree, &changes);
    if (changes.count == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "\"%s\" is not what the consolidation put there: %s", paths->shown,
        list_names(ctx->arena, &changes));
    return error_hint(
        ctx, "Undoing would lose that. Move new revisions away and put changed files back first.");
}

/* The manifest of an archive, which must be one of this version folder. */
static bool
find_archive(struct ctx *ctx, const struct place_paths *paths, const char *archive,
    struct place_manifest *ret)
{
    struct place_paths found;

    if (!file_exists(archive)) {
        error_set(ctx, ERR_NOT_FOUND, "there is no archive \"%s\"", archive);
        return error_hint(ctx, "Archives lie in \"%s\".", paths->archive);
    }
    if (!place_find_paths(ctx, archive, &found))
        return false;
    if (strcmp(found.parent, paths->root) != 0) {
        error_set(ctx, ERR_INPUT, "\"%s\" is no archive of \"%s\"", archive, paths->shown);
        return error_hint(ctx, "Archives lie in \"%s\".", paths->archive);
    }
    if (!place_manifest_read(ctx, place_manifest_path(ctx->arena, paths, found.name), ret))
        return error_wrap(ctx, "reading what the archive holds");
    if (strcmp(ret->folder, paths->name) == 0 && strcmp(ret->archive, found.name) == 0)
        return true;
    return error_set(
        ctx, ERR_INPUT, "\"%s\" is the archive of another folder, \"%s\"", archive, ret->folder);
}

bool
squash_undo(struct ctx *ctx, const struct environment *environment, const char *archive,
    struct squash_place *ret)
{
    struct place_manifest manifest;
    struct place_paths paths;

    if (environment->locations.count == 0)
        return error_set(ctx, ERR_INPUT, "there is no version folder");
    if (!place_find_paths(ctx, environment->locations.items[0], &paths) ||
        !find_archive(ctx, &paths, archive, &manifest) ||
        !check_archive(ctx, file_join(ctx->arena, paths.root, manifest.archive), &manifest) ||
        !check_folder(ctx, &paths, &manifest) ||
        !place_exchange(ctx, file_join(ctx->arena, paths.root, manifest.archive), paths.folder))
        return error_state(ctx, "Nothing was changed.");
    if (!file_sync(ctx, paths.parent) || !place_finish_undo(ctx, &paths, manifest.archive)) {
        error_wrap(ctx, "removing the consolidated revisions");
        return error_state(ctx,
            "\"%s\" is as it was before the consolidation; the next run removes what is left over.",
            paths.shown);
    }
    *ret = (struct squash_place){ .folder = paths.shown, .archive = archive };
    return true;
}

struct found {
    const char *path;
    const char *created;
};

static int
newest_first(const void *a, const void *b)
{
    return strcmp(((const struct found *)b)->created, ((const struct found *)a)->created);
}

bool
squash_archives(struct ctx *ctx, const struct environment *environment, struct text_list *ret)
{
    struct text_list names;
    struct place_paths paths;
    struct found *found;
    size_t count = 0;

    *ret = (struct text_list){ 0 };
    if (environment->locations.count == 0)
        return true;
    if (!place_find_paths(ctx, environment->locations.items[0], &paths) ||
        !place_list_manifests(ctx, &paths, &names))
        return error_wrap(ctx, "looking for archives");
    found = ARENA_ARRAY(ctx->arena, struct found, names.count + 1);
    for (size_t i = 0; i < names.count; i++) {
        struct place_manifest manifest;

        if (!place_manifest_read(
                ctx, place_manifest_path(ctx->arena, &paths, names.items[i]), &manifest))
            return false;
        if (!file_exists(file_join(ctx->arena, paths.root, names.items[i])))
            continue;
        found[count++] = (struct found){
            .path = file_join(ctx->arena, paths.archive, names.items[i]),
            .created = manifest.created,
        };
    }
    qsort(found, count, sizeof(found[0]), newest_first);
    for (size_t i = 0; i < count; i++)
        text_list_add(ctx->arena, ret, found[i].path);
    return true;
}
