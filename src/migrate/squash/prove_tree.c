/* The digest of a folder of revisions, which other programs can check. */
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "migrate/squash/prove.h"

enum { DEEPEST = 16 };

static int
compare_texts(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* The paths of the Python files below folder/within, from the folder on. */
static bool
collect(struct ctx *ctx, const char *folder, const char *within, int depth, struct text_list *ret)
{
    struct text_list names = { 0 };

    if (!file_list(ctx, within ? file_join(ctx->arena, folder, within) : folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = within ? file_join(ctx->arena, within, names.items[i]) : names.items[i];
        struct stat found;

        if (stat(file_join(ctx->arena, folder, name), &found) < 0)
            continue;
        if (S_ISREG(found.st_mode) && text_ends_with(name, ".py"))
            text_list_add(ctx->arena, ret, name);
        else if (S_ISDIR(found.st_mode) && depth < DEEPEST &&
                 !collect(ctx, folder, name, depth + 1, ret))
            return false;
    }
    return true;
}

bool
prove_tree(struct ctx *ctx, const char *folder, const char **ret)
{
    struct text_list paths = { 0 };
    struct buffer lines = { .arena = ctx->arena };

    if (!file_exists(folder))
        return error_set(ctx, ERR_NOT_FOUND, "there is no folder %s", folder);
    if (!collect(ctx, folder, NULL, 0, &paths))
        return error_wrap(ctx, "reading %s", folder);
    if (paths.count > 0)
        qsort(paths.items, paths.count, sizeof(paths.items[0]), compare_texts);
    for (size_t i = 0; i < paths.count; i++) {
        const char *digest;

        if (!sha256_of_file(ctx, file_join(ctx->arena, folder, paths.items[i]), &digest))
            return error_wrap(ctx, "reading %s", folder);
        buffer_printf(&lines, "%s  %s\n", digest, paths.items[i]);
    }
    *ret = sha256_of(ctx->arena, buffer_text(&lines), lines.length);
    return true;
}
