#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "migrate/squash/place.h"

enum { MOST_DEPTH = 32 };

bool
place_is_revision(const char *path, bool is_recursive)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (slash && !is_recursive)
        return false;
    if (text_ends_with(name, ".pyc") || text_ends_with(name, ".pyo"))
        return true;
    return text_ends_with(name, ".py") && !text_starts_with(name, ".#") &&
           !text_starts_with(name, "__init__");
}

static bool
read_link(struct ctx *ctx, const char *path, struct tree_file *ret)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    const char *text;

    if (length < 0)
        return error_set_errno(ctx, "could not read the link \"%s\"", path);
    target[length] = '\0';
    text = arena_printf(ctx->arena, "link:%s", target);
    ret->sha256 = sha256_of(ctx->arena, text, strlen(text));
    ret->is_link = true;
    return true;
}

static bool read_folder(
    struct ctx *ctx, const char *folder, const char *below, int depth, struct tree *tree);

/* below: the path of it from the top. */
static bool
read_one(struct ctx *ctx, const char *path, const char *below, int depth, struct tree *tree)
{
    struct tree_file file = { .path = below };
    struct stat info;

    if (lstat(path, &info) != 0)
        return error_set_errno(ctx, "could not look at \"%s\"", path);
    if (S_ISDIR(info.st_mode))
        return read_folder(ctx, path, below, depth + 1, tree);
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode))
        return error_set(
            ctx, ERR_UNSUPPORTED, "\"%s\" is neither a file nor a folder nor a link", path);
    if (S_ISLNK(info.st_mode) ? !read_link(ctx, path, &file)
                              : !sha256_of_file(ctx, path, &file.sha256))
        return false;
    VEC_PUSH(ctx->arena, tree, file);
    return true;
}

static bool
read_folder(struct ctx *ctx, const char *folder, const char *below, int depth, struct tree *tree)
{
    struct text_list names;

    if (depth > MOST_DEPTH)
        return error_set(ctx, ERR_UNSUPPORTED, "\"%s\" is nested too deep", folder);
    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];

        if (strcmp(name, "__pycache__") == 0)
            continue;
        if (!text_is_utf8(name))
            return error_set(
                ctx, ERR_UNSUPPORTED, "the name of a file in \"%s\" is not UTF-8", folder);
        if (!read_one(ctx, file_join(ctx->arena, folder, name),
                *below ? file_join(ctx->arena, below, name) : name, depth, tree))
            return false;
    }
    return true;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

void
place_tree_sort(struct tree *tree)
{
    if (tree->count > 1)
        qsort(tree->items, tree->count, sizeof(tree->items[0]), by_path);
}

bool
place_tree_read(struct ctx *ctx, const char *folder, struct tree *ret)
{
    *ret = (struct tree){ 0 };
    if (!read_folder(ctx, folder, "", 0, ret))
        return false;
    place_tree_sort(ret);
    return true;
}

bool
place_tree_equal(const struct tree *a, const struct tree *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].path, b->items[i].path) != 0 ||
            strcmp(a->items[i].sha256, b->items[i].sha256) != 0)
            return false;
    return true;
}

void
place_tree_compare(
    struct arena *arena, const struct tree *wanted, const struct tree *found, struct text_list *ret)
{
    size_t i = 0, j = 0;

    while (i < wanted->count || j < found->count) {
        const struct tree_file *left = i < wanted->count ? &wanted->items[i] : NULL;
        const struct tree_file *right = j < found->count ? &found->items[j] : NULL;
        int order = left && right ? strcmp(left->path, right->path) : 0;

        if (left && (!right || order < 0))
            text_list_add(arena, ret, arena_printf(arena, "%s is gone", left->path));
        else if (right && (!left || order > 0))
            text_list_add(arena, ret, arena_printf(arena, "%s was added", right->path));
        else if (left && right && strcmp(left->sha256, right->sha256) != 0)
            text_list_add(arena, ret, arena_printf(arena, "%s was changed", left->path));
        i += left && order <= 0;
        j += right && order >= 0;
    }
}
