#include "base/file.h"
#include "base/process.h"
#include "migrate/squash/place.h"

enum { TIMEOUT_US = 60 * 1000000, MOST_NAMES = 20 };

/* Whether a checkout begins in one of the folders above. */
static bool
is_below_checkout(struct arena *arena, const char *folder)
{
    while (*folder == '/') {
        const char *slash = strrchr(folder, '/');

        if (file_exists(file_join(arena, folder, ".git")))
            return true;
        if (slash == folder)
            break;
        folder = arena_strndup(arena, folder, (size_t)(slash - folder));
    }
    return false;
}

/* "?? versions/a.py": what Python caches is no change, and neither is what a killed run left. */
static bool
counts(const char *line)
{
    return strlen(line) > 3 && !strstr(line, "__pycache__/");
}

static bool
read_changes(struct arena *arena, const struct process *git, struct text_list *ret)
{
    const char *end = git->out.data + git->out.length;

    for (const char *at = git->out.data; at && at < end; at += strlen(at) + 1) {
        if (counts(at))
            text_list_add(arena, ret, at + 3);
        /* The name that a renamed file had follows. */
        if ((at[0] == 'R' || at[0] == 'C') && at + strlen(at) + 1 < end)
            at += strlen(at) + 1;
    }
    return ret->count > 0;
}

static bool
refuse(struct ctx *ctx, const struct place_paths *paths, const struct text_list *changes)
{
    struct buffer names = { .arena = ctx->arena };

    for (size_t i = 0; i < changes->count && i < MOST_NAMES; i++)
        buffer_printf(&names, "%s%s", i > 0 ? ", " : "", changes->items[i]);
    if (changes->count > MOST_NAMES)
        buffer_printf(&names, " and %zu more", changes->count - MOST_NAMES);
    error_set(ctx, ERR_CONFLICT, "\"%s\" has changes that are not committed: %s", paths->shown,
        buffer_text(&names));
    error_hint(ctx, "Commit them, so that git has them too; or --allow-local-changes.");
    return error_state(ctx, "Nothing was changed.");
}

bool
place_check_git(struct ctx *ctx, const struct place_paths *paths, struct text_list *ret_notes)
{
    const char *const argv[] = { "git", "-C", paths->parent, "--no-optional-locks", "-c",
        "core.fsmonitor=false", "status", "--porcelain", "-z", "--untracked-files=all", "--",
        paths->folder, NULL };
    const char *const env[] = { "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", NULL };
    const struct process_options options = {
        .argv = argv,
        .env = env,
        .timeout_us = TIMEOUT_US,
    };
    struct text_list changes = { 0 };
    struct process git;

    if (!is_below_checkout(ctx->arena, paths->parent))
        return true;
    if (!process_start(ctx, &options, &git)) {
        error_clear(ctx);
        text_list_add(ctx->arena, ret_notes,
            "git is not installed here: nobody looked for changes that are not committed");
        return true;
    }
    if (!process_wait(ctx, &git))
        return error_wrap(ctx, "asking git for changes that are not committed");
    if (git.status == 0)
        return !read_changes(ctx->arena, &git, &changes) || refuse(ctx, paths, &changes);
    if (strstr(buffer_text(&git.err), "not a git repository"))
        return true;
    error_set(ctx, ERR_CONFLICT, "git cannot tell whether \"%s\" has changes: %.*s", paths->shown,
        (int)strcspn(buffer_text(&git.err), "\n"), buffer_text(&git.err));
    error_hint(ctx, "Put that right, or --allow-local-changes.");
    return error_state(ctx, "Nothing was changed.");
}
