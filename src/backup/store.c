#include "backup/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/interrupt.h"

#define PARTIAL ".partial-"
#define CHILD   "child"

enum { LONGEST_NAME = 100, CHILD_LIMIT_US = 6000000 };

bool
store_open(struct ctx *ctx, const char *folder, const char **ret_path)
{
    struct stat found;
    char path[PATH_MAX];

    if (!file_make_folder(ctx, folder))
        return error_wrap(ctx, "making the folder for backups");
    if (!realpath(folder, path) || stat(path, &found) < 0)
        return error_set_errno(ctx, "could not look at \"%s\"", folder);
    if (!S_ISDIR(found.st_mode))
        return error_set(ctx, ERR_CONFIG, "\"%s\" is no folder", path);
    if (found.st_mode & (S_IWGRP | S_IWOTH)) {
        error_set(ctx, ERR_CONFIG, "others may write into the backup folder \"%s\"", path);
        return error_hint(ctx, "chmod go-w it, or choose another with --backup-dir.");
    }
    *ret_path = arena_strdup(ctx->arena, path);
    return true;
}

static bool
is_plain(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_';
}

bool
store_check_name(struct ctx *ctx, const char *name)
{
    bool is_good = is_plain(*name) && strlen(name) <= LONGEST_NAME;

    for (const char *at = name; *at; at++)
        is_good &= is_plain(*at) || *at == '-' || *at == '.';
    if (is_good)
        return true;
    error_set(ctx, ERR_USAGE, "\"%s\" cannot be the name of a backup", name);
    return error_hint(ctx,
        "Use letters, digits, '_', '-' and '.', at most %d, not '-' or '.' "
        "first.",
        LONGEST_NAME);
}

const char *
store_make_name(struct arena *arena, const char *database, int64_t wall_us)
{
    struct buffer name = { .arena = arena };
    const char *stamp = clock_text(arena, wall_us);

    for (const char *at = database; *at && name.length < 60; at++)
        buffer_append(&name, is_plain(*at) ? at : "_", 1);
    buffer_add(&name, "-");
    for (const char *at = stamp; *at; at++)
        if (*at != '-' && *at != ':')
            buffer_append(&name, at, 1);
    return buffer_text(&name);
}

bool
store_list(struct ctx *ctx, const char *folder, struct text_list *ret)
{
    struct text_list names = { 0 };

    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        struct stat found;

        if (names.items[i][0] != '.' &&
            lstat(file_join(ctx->arena, folder, names.items[i]), &found) == 0 &&
            S_ISDIR(found.st_mode))
            text_list_add(ctx->arena, ret, names.items[i]);
    }
    return true;
}

/* Locks the folder; -1 when somebody else has it. Children inherit the lock, and that is wanted. */
static int
lock_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool
store_partial_begin(
    struct ctx *ctx, const char *folder, const char *name, struct store_partial *ret)
{
    *ret = (struct store_partial){ .folder = folder, .name = name, .lock_fd = -1 };
    if (file_exists(file_join(ctx->arena, folder, name)))
        return error_set(ctx, ERR_CONFLICT, "there is a backup \"%s\" already", name);
    ret->path = file_join(ctx->arena, folder,
        arena_printf(ctx->arena, PARTIAL "%s-%s", name, random_hex(ctx->arena, 4)));
    if (mkdir(ret->path, 0700) < 0) {
        error_set_errno(ctx, "could not make the folder \"%s\"", ret->path);
        ret->path = NULL;
        return false;
    }
    ret->lock_fd = lock_folder(ret->path);
    if (ret->lock_fd < 0)
        return error_set_errno(ctx, "could not lock the folder \"%s\"", ret->path);
    return true;
}

/* When a process started, in clock ticks since boot; 0 when there is none of this number. */
static long long
start_ticks(struct ctx *ctx, long pid)
{
    const char *stat_text;
    size_t length;

    if (!file_read(ctx, arena_printf(ctx->arena, "/proc/%ld/stat", pid), &stat_text, &length)) {
        error_clear(ctx);
        return 0;
    }

    const char *at = strrchr(stat_text, ')');

    /* The 22nd field; the second ends with the parenthesis. */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at, NULL, 10) : 0;
}

bool
store_partial_note_child(struct ctx *ctx, const struct store_partial *partial, int pid)
{
    const char *text = arena_printf(ctx->arena, "%ld %lld %d %lld\n", (long)getpid(),
        start_ticks(ctx, getpid()), pid, start_ticks(ctx, pid));

    return file_write(ctx, file_join(ctx->arena, partial->path, CHILD), text, strlen(text), 0600);
}

bool
store_partial_finish(struct ctx *ctx, struct store_partial *partial)
{
    if (!file_remove(ctx, file_join(ctx->arena, partial->path, CHILD)) ||
        !file_sync(ctx, partial->path) ||
        !file_rename(ctx, partial->path, file_join(ctx->arena, partial->folder, partial->name)))
        return false;
    close(partial->lock_fd);
    partial->lock_fd = -1;
    partial->path = NULL;
    return true;
}

void
store_partial_drop(struct store_partial *partial)
{
    if (partial->path) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx ctx = { .arena = arena };
        int signal_number = interrupt_take();

        /* What cannot be removed now is removed by the next run. */
        (void)!file_remove(&ctx, partial->path);
        interrupt_put(signal_number);
    }
    if (partial->lock_fd >= 0)
        close(partial->lock_fd);
    *partial = (struct store_partial){ .lock_fd = -1 };
}

/* Whether the process that had this number at that time still lives. */
static bool
is_alive(struct ctx *ctx, long pid, long long started)
{
    return pid > 1 && started != 0 && start_ticks(ctx, pid) == started;
}

/*
 * Ends the pg_dump of a run that was killed; its parallel workers end with it. False when there is
 * nothing to wait for, because the run itself still lives.
 */
static bool
end_orphan(struct ctx *ctx, const char *path)
{
    const char *text;
    const char *name;
    size_t length;
    char *at;

    if (!file_read(ctx, file_join(ctx->arena, path, CHILD), &text, &length)) {
        error_clear(ctx);
        return false;
    }

    long owner = strtol(text, &at, 10);
    long long owner_started = strtoll(at, &at, 10);
    long child = strtol(at, &at, 10);
    long long child_started = strtoll(at, &at, 10);

    if (is_alive(ctx, owner, owner_started))
        return false;
    if (is_alive(ctx, child, child_started) &&
        file_read(ctx, arena_printf(ctx->arena, "/proc/%ld/comm", child), &name, &length) &&
        (text_starts_with(name, "pg_dump") || text_starts_with(name, "pg_restore")))
        kill((pid_t)child, SIGTERM);
    error_clear(ctx);
    return true;
}

static bool
clean_one(struct ctx *ctx, const char *folder, const char *name, struct text_list *ret_notes)
{
    const char *path = file_join(ctx->arena, folder, name);
    int64_t end = clock_us() + CHILD_LIMIT_US;
    int fd = lock_folder(path);

    if (fd < 0 && end_orphan(ctx, path))
        while (fd < 0 && clock_us() < end && clock_sleep_us(50000))
            fd = lock_folder(path);
    if (fd < 0) {
        text_list_add(ctx->arena, ret_notes,
            arena_printf(ctx->arena, "%s is still being written and was left alone", name));
        return true;
    }

    bool is_good = file_remove(ctx, path);

    close(fd);
    if (is_good)
        text_list_add(ctx->arena, ret_notes,
            arena_printf(ctx->arena, "%s, left by an interrupted backup, was removed", name));
    return is_good;
}

bool
store_clean(struct ctx *ctx, const char *folder, struct text_list *ret_notes)
{
    struct text_list names = { 0 };

    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (text_starts_with(names.items[i], PARTIAL) &&
            !clean_one(ctx, folder, names.items[i], ret_notes))
            return error_wrap(ctx, "cleaning up after an interrupted backup");
    return true;
}
