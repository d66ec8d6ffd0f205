/* Bytes as a file, for readers that want a path: in memory only, so that a million of them cost no disk. */
#pragma once

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

struct given {
    int fd;
    const char *path;
};

static inline struct given
given_file(struct arena *arena, const void *data, size_t size)
{
    struct given given = { .fd = memfd_create("given", MFD_CLOEXEC) };
    size_t done = 0;

    assert(given.fd >= 0);
    while (done < size) {
        ssize_t written = write(given.fd, (const char *)data + done, size - done);

        assert(written > 0);
        done += (size_t)written;
    }
    given.path = arena_printf(arena, "/proc/self/fd/%d", given.fd);
    return given;
}

static inline void
given_close(struct given *given)
{
    close(given->fd);
}
