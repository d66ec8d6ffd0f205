/* The copy of the history that is mended. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "migrate/squash/repair.h"

enum { DEPTH_MAX = 20 };

static bool
copy_file(struct ctx *ctx, const char *from, const char *to)
{
    const char *data;
    size_t length;

    if (file_exists(to))
        return error_set(
            ctx, ERR_UNSUPPORTED, "two version folders have a file of the same name: \"%s\"", from);
    return file_read(ctx, from, &data, &length) && file_write(ctx, to, data, length, 0644);
}

static bool copy_folder(struct ctx *ctx, const char *from, const char *to, int depth);

static bool
copy_entry(struct ctx *ctx, const char *from, const char *to, const char *name, int depth)
{
    const char *path = file_join(ctx->arena, from, name);
    const char *copy = file_join(ctx->arena, to, name);
    struct stat info;

    if (stat(path, &info) < 0)
        return errno == ENOENT || error_set_errno(ctx, "could not look at \"%s\"", path);
    if (S_ISREG(info.st_mode))
        return copy_file(ctx, path, copy);
    if (!S_ISDIR(info.st_mode) || *name == '.' || text_equal(name, "__pycache__") || depth == 0)
        return true;
    return copy_folder(ctx, path, copy, depth - 1);
}

static bool
copy_folder(struct ctx *ctx, const char *from, const char *to, int depth)
{
    struct text_list names = { 0 };

    if (!file_make_folder(ctx, to) || !file_list(ctx, from, &names))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (!copy_entry(ctx, from, to, names.items[i], depth))
            return false;
    return true;
}

/* "versions" of "/app/migrations/versions/" and of "." */
const char *
repair_folder_name(struct arena *arena, const char *path)
{
    char *resolved = realpath(path, NULL);
    const char *slash = resolved ? strrchr(resolved, '/') : NULL;
    const char *name = arena_strdup(arena, slash && slash[1] ? slash + 1 : "versions");

    free(resolved);
    return name;
}

/* What lies beside the version folder, as files that revisions read, is there by links. */
static bool
link_neighbours(struct ctx *ctx, const char *location, const char *copy, const char *above)
{
    char *resolved = realpath(file_join(ctx->arena, location, ".."), NULL);
    struct text_list names = { 0 };
    bool is_good = true;

    if (!resolved)
        return true;
    is_good = file_list(ctx, resolved, &names);
    for (size_t i = 0; is_good && i < names.count; i++) {
        const char *link = file_join(ctx->arena, above, names.items[i]);

        if (!text_equal(link, copy) &&
            symlink(file_join(ctx->arena, resolved, names.items[i]), link) < 0)
            is_good = error_set_errno(ctx, "could not make the link \"%s\"", link);
    }
    free(resolved);
    return is_good;
}

bool
repair_copy(struct repair *repair)
{
    struct ctx *ctx = repair->ctx;
    const struct text_list *locations = &repair->original->locations;
    const char *above = file_join(ctx->arena, repair->request->alembic->work.path, "repair");

    if (locations->count == 0)
        return error_set(ctx, ERR_INPUT, "the history has no version folder");
    repair->folder =
        file_join(ctx->arena, above, repair_folder_name(ctx->arena, locations->items[0]));
    if (!file_remove(ctx, above) || !file_make_folder(ctx, above))
        return false;
    for (size_t i = 0; i < locations->count; i++)
        if (!copy_folder(ctx, locations->items[i], repair->folder, DEPTH_MAX))
            return false;
    return link_neighbours(ctx, locations->items[0], repair->folder, above);
}
