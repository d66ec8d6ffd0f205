#include "monitor/single.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

enum { NUMBER_BYTES = 24 };

static bool
refuse(struct ctx *ctx, const char *folder, int fd)
{
    char text[NUMBER_BYTES] = { 0 };
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    long pid = got > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0)
        error_set(
            ctx, ERR_LOCKED, "another monitor, process %ld, keeps its alerts in %s", pid, folder);
    else
        error_set(ctx, ERR_LOCKED, "another monitor keeps its alerts in %s", folder);
    return error_hint(ctx, "End that one, or give this one a folder of its own by --state-dir.");
}

bool
single_take(struct ctx *ctx, const char *folder, struct single *ret)
{
    const char *path = file_join(ctx->arena, folder, "lock");
    char text[NUMBER_BYTES];
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    ret->fd = -1;
    if (fd < 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            refuse(ctx, folder, fd);
        else
            error_set_errno(ctx, "could not lock \"%s\"", path);
        close(fd);
        return false;
    }
    /* The number is only for the message above. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length)
        errno = 0;
    ret->fd = fd;
    return true;
}

void
single_cleanup(struct single *single)
{
    if (single->fd >= 0)
        close(single->fd);
    single->fd = -1;
}
