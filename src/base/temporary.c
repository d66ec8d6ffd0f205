#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

/* Nobody else begins a name like this. */
#define PREFIX "pgmend-temporary."

/* Between making and locking something is not to be taken for a rest. */
enum { YOUNGEST_REST_SECONDS = 60 };

static const char *
parent(void)
{
    const char *named = getenv("TMPDIR");

    return named && *named == '/' ? named : "/tmp";
}

/* Whether its process is gone: it is ours by name and owner, old enough, and nobody has the lock. */
static bool
is_rest(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool is_rest = fd >= 0 && fstat(fd, &info) == 0 && info.st_uid == geteuid() &&
                   (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode)) &&
                   time(NULL) - info.st_mtime > YOUNGEST_REST_SECONDS &&
                   flock(fd, LOCK_EX | LOCK_NB) == 0;

    if (fd >= 0)
        close(fd);
    return is_rest;
}

/* What cannot be removed now is left to the next one. */
static void
remove_rests(void)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct text_list names;

    if (!file_list(&ctx, parent(), &names))
        return;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = file_join(arena, parent(), names.items[i]);

        if (text_starts_with(names.items[i], PREFIX) && is_rest(path) && !file_remove(&ctx, path))
            error_clear(&ctx);
    }
}

static char *
new_path(struct arena *arena, const char *what)
{
    return arena_printf(arena, "%s/" PREFIX "%s.XXXXXX", parent(), what);
}

bool
temporary_folder(struct ctx *ctx, const char *what, struct temporary *ret)
{
    char *path = new_path(ctx->arena, what);

    *ret = (struct temporary){ .lock = -1 };
    remove_rests();
    if (!mkdtemp(path))
        return error_set_errno(ctx, "could not make a folder in \"%s\"", parent());
    *ret =
        (struct temporary){ .path = path, .lock = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY) };
    if (ret->lock >= 0 && flock(ret->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    error_set_errno(ctx, "could not lock \"%s\"", path);
    temporary_end(ret);
    return false;
}

bool
temporary_file(struct ctx *ctx, const char *what, const char *text, struct temporary *ret)
{
    char *path = new_path(ctx->arena, what);
    int fd;

    *ret = (struct temporary){ .lock = -1 };
    remove_rests();
    fd = mkostemp(path, O_CLOEXEC); /* makes it 0600 */
    if (fd < 0)
        return error_set_errno(ctx, "could not make a file in \"%s\"", parent());
    *ret = (struct temporary){ .path = path, .lock = fd };
    errno = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text))
        return true;
    error_set_errno(ctx, "could not write \"%s\"", path);
    temporary_end(ret);
    return false;
}

void
temporary_end(struct temporary *temporary)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    if (!temporary->path)
        return;
    (void)!file_remove(&ctx, temporary->path);
    if (temporary->lock >= 0)
        close(temporary->lock);
    *temporary = (struct temporary){ .lock = -1 };
}
