#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "migrate/squash/place.h"

bool
place_archive(struct ctx *ctx, const struct place_paths *paths, const char *archive)
{
    return file_rename(ctx, paths->fresh, file_join(ctx->arena, paths->root, archive)) &&
           file_rename(ctx, paths->plan, place_manifest_path(ctx->arena, paths, archive)) &&
           file_sync(ctx, paths->parent);
}

/* An archive with nothing in it was made for nothing. */
static void
drop_empty_root(const struct place_paths *paths)
{
    (void)rmdir(paths->root);
}

bool
place_discard(struct ctx *ctx, const struct place_paths *paths)
{
    if (!file_remove(ctx, paths->fresh))
        return false;
    drop_empty_root(paths);
    return file_remove(ctx, paths->plan) && file_sync(ctx, paths->parent);
}

/* Only a consolidated folder gets this name, and only after it was found unchanged. */
static bool
empty_trash(struct ctx *ctx, const struct place_paths *paths)
{
    drop_empty_root(paths);
    return file_remove(ctx, paths->trash) && file_sync(ctx, paths->parent);
}

bool
place_finish_undo(struct ctx *ctx, const struct place_paths *paths, const char *archive)
{
    static const char *const beside[] = { "report.md", "report.html", "proof.json" };
    const char *path = file_join(ctx->arena, paths->root, archive);

    if (file_exists(path) && !file_rename(ctx, path, paths->trash))
        return false;
    for (size_t i = 0; i < COUNT_OF(beside); i++)
        if (!file_remove(ctx, arena_printf(ctx->arena, "%s.%s", path, beside[i])))
            return false;
    if (!file_sync(ctx, paths->root) ||
        !file_remove(ctx, place_manifest_path(ctx->arena, paths, archive)))
        return false;
    return empty_trash(ctx, paths);
}

enum side { SIDE_BEFORE, SIDE_AFTER, SIDE_UNKNOWN };

static bool
has_inode(const char *path, int64_t inode)
{
    struct stat info;

    return lstat(path, &info) == 0 && (int64_t)info.st_ino == inode;
}

/*
 * Whether the exchange had been made. Contents tell for certain; where somebody changed files
 * since, the folder's own number does.
 */
static bool
find_side(struct ctx *ctx, const struct place_paths *paths, const struct place_manifest *manifest,
    enum side *ret)
{
    struct tree folder, fresh;

    if (!place_tree_read(ctx, paths->folder, &folder) ||
        !place_tree_read(ctx, paths->fresh, &fresh))
        return false;
    if (place_tree_equal(&fresh, &manifest->old) && place_tree_equal(&folder, &manifest->new))
        *ret = SIDE_AFTER;
    else if (place_tree_equal(&folder, &manifest->old) || has_inode(paths->folder, manifest->inode))
        *ret = SIDE_BEFORE;
    else
        *ret = has_inode(paths->fresh, manifest->inode) ? SIDE_AFTER : SIDE_UNKNOWN;
    return true;
}

static bool
heal_place(struct ctx *ctx, const struct place_paths *paths, struct text_list *notes)
{
    struct place_manifest manifest;
    enum side side;

    if (!place_manifest_read(ctx, paths->plan, &manifest))
        return error_wrap(ctx, "finishing what an interrupted run left");
    if (!file_exists(paths->fresh)) {
        const char *path = file_join(ctx->arena, paths->root, manifest.archive);

        if (file_exists(path))
            return file_rename(ctx, paths->plan,
                       place_manifest_path(ctx->arena, paths, manifest.archive)) &&
                   file_sync(ctx, paths->parent);
        return place_discard(ctx, paths);
    }
    if (!find_side(ctx, paths, &manifest, &side))
        return false;
    if (side == SIDE_UNKNOWN) {
        error_set(ctx, ERR_ATTENTION,
            "an interrupted run left \"%s\", and both it and \"%s\" were changed since",
            paths->fresh, paths->shown);
        return error_hint(ctx,
            "One holds the history before its consolidation, the other the consolidated one. Keep "
            "in \"%s\" what you want, move the other one away, and remove \"%s\".",
            paths->shown, paths->plan);
    }
    if (side == SIDE_BEFORE) {
        text_list_add(ctx->arena, notes,
            "an interrupted run left a new folder that was not yet in place; it was removed");
        return place_discard(ctx, paths);
    }
    text_list_add(ctx->arena, notes,
        arena_printf(ctx->arena,
            "an interrupted run had put the new revisions in place; the old ones were moved to "
            "\"%s/%s\"",
            paths->archive, manifest.archive));
    return place_archive(ctx, paths, manifest.archive);
}

/* An undo that was cut off after its exchange: the archive holds the consolidated folder. */
static bool
heal_undo(struct ctx *ctx, const struct place_paths *paths, struct text_list *notes)
{
    struct text_list archives;
    struct tree folder, archived;

    if (!place_list_manifests(ctx, paths, &archives))
        return false;
    if (archives.count > 0 && !place_tree_read(ctx, paths->folder, &folder))
        return false;
    for (size_t i = 0; i < archives.count; i++) {
        const char *name = archives.items[i];
        const char *path = file_join(ctx->arena, paths->root, name);
        struct place_manifest manifest;

        if (!place_manifest_read(ctx, place_manifest_path(ctx->arena, paths, name), &manifest))
            return false;
        if (!place_tree_equal(&folder, &manifest.old))
            continue;
        if (file_exists(path)) {
            if (!place_tree_read(ctx, path, &archived))
                return false;
            if (!place_tree_equal(&archived, &manifest.new))
                continue;
        }
        text_list_add(ctx->arena, notes,
            "an interrupted undo had put the old revisions back; the rest of it was done now");
        if (!place_finish_undo(ctx, paths, name))
            return false;
    }
    return true;
}

/* What a write of the plan had begun. */
static bool
remove_halves(struct ctx *ctx, const struct place_paths *paths)
{
    const char *start = arena_printf(ctx->arena, "%s.pgmend-new.json.", paths->name);
    struct text_list names;

    if (!file_list(ctx, paths->parent, &names))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (text_starts_with(names.items[i], start) && text_ends_with(names.items[i], ".tmp") &&
            !file_remove(ctx, file_join(ctx->arena, paths->parent, names.items[i])))
            return false;
    return true;
}

bool
place_heal(struct ctx *ctx, const struct place_paths *paths, struct text_list *ret_notes)
{
    if (!remove_halves(ctx, paths))
        return error_wrap(ctx, "removing what an interrupted run left");
    if (file_exists(paths->plan) && !heal_place(ctx, paths, ret_notes))
        return false;
    if (file_exists(paths->fresh)) {
        error_set(ctx, ERR_CONFLICT, "\"%s\" is in the way", paths->fresh);
        return error_hint(ctx,
            "Nothing beside it tells what it is. Move it away, or remove it if it holds nothing "
            "that you need.");
    }
    if (!heal_undo(ctx, paths, ret_notes))
        return false;
    return !file_exists(paths->trash) || empty_trash(ctx, paths);
}
