#include "cmd/parts/changed_files.h"

#include "base/file.h"
#include "base/process.h"

enum { TIMEOUT_US = 60 * 1000000 };

/* Adds the NUL-separated names that git prints, which are relative to the folder. */
static bool
run_git(struct ctx *ctx, const char *folder, const char *const *argv, struct text_list *files)
{
    struct process_options options = { .argv = argv, .timeout_us = TIMEOUT_US };
    struct process git;

    if (!process_run(ctx, &options, &git)) {
        error_wrap(ctx, "asking git for the changed files");
        return error_hint(ctx, "Name the files instead: pgmend migrations analyze DIR FILE.py ...");
    }
    for (size_t at = 0; at < git.out.length; at += strlen(git.out.data + at) + 1)
        text_list_add(ctx->arena, files, file_join(ctx->arena, folder, git.out.data + at));
    return true;
}

bool
changed_files(
    struct ctx *ctx, const struct text_list *folders, const char *base, struct text_list *ret)
{
    if (*base == '-')
        return error_set(ctx, ERR_USAGE, "--base \"%s\" is no revision of git", base);
    for (size_t i = 0; i < folders->count; i++) {
        const char *folder = folders->items[i];
        const char *const new[] = { "git", "-C", folder, "-c", "core.fsmonitor=false", "ls-files",
            "--others", "--exclude-standard", "-z", "--", ".", NULL };
        const char *const tracked[] = { "git", "-C", folder, "-c", "core.fsmonitor=false", "diff",
            "--no-ext-diff", "--no-textconv", "--name-only", "--relative", "-z", "--diff-filter=d",
            "--merge-base", base, "--", ".", NULL };

        /* Outside a checkout the first one says so; diff would compare folders. */
        if (!run_git(ctx, folder, new, ret) || !run_git(ctx, folder, tracked, ret))
            return false;
    }
    return true;
}
