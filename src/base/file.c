#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void
close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void
close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

const char *
file_join(struct arena *arena, const char *folder, const char *name)
{
    if (text_ends_with(folder, "/"))
        return arena_printf(arena, "%s%s", folder, name);
    return arena_printf(arena, "%s/%s", folder, name);
}

static const char *
folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

bool
file_read_most(
    struct ctx *ctx, const char *path, size_t most, const char **ret_data, size_t *ret_length)
{
    int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC);
    struct buffer buffer = { .arena = ctx->arena };
    struct stat info;

    if (fd < 0 || fstat(fd, &info) < 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    if (S_ISDIR(info.st_mode))
        return error_set(ctx, ERR_IO, "could not read \"%s\": it is a folder", path);
    for (;;) {
        char chunk[64 * 1024];
        ssize_t got = read(fd, chunk, sizeof(chunk));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(ctx, "could not read \"%s\"", path);
        if (got == 0)
            break;
        buffer_append(&buffer, chunk, (size_t)got);
        if (buffer.length > most)
            return error_set(ctx, ERR_INPUT, "\"%s\" is larger than %s", path,
                text_from_bytes(ctx->arena, (int64_t)most));
    }
    *ret_data = buffer_text(&buffer);
    *ret_length = buffer.length;
    return true;
}

bool
file_read(struct ctx *ctx, const char *path, const char **ret_data, size_t *ret_length)
{
    return file_read_most(ctx, path, SIZE_MAX, ret_data, ret_length);
}

static bool
write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, data, length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        data += done;
        length -= (size_t)done;
    }
    return true;
}

bool
file_sync(struct ctx *ctx, const char *path)
{
    int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return error_set_errno(ctx, "could not flush \"%s\" to disk", path);
    return true;
}

bool
file_rename(struct ctx *ctx, const char *from, const char *to)
{
    if (rename(from, to) < 0)
        return error_set_errno(ctx, "could not rename \"%s\" to \"%s\"", from, to);
    return file_sync(ctx, folder_of(ctx->arena, to));
}

/* A device or a pipe is written to as it is: a file in its place would take it from everybody. */
static bool
write_through(struct ctx *ctx, const char *path, const void *data, size_t length)
{
    int fd CLEANUP(close_fd) = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    if (!write_all(fd, data, length))
        return error_set_errno(ctx, "could not write \"%s\"", path);
    return true;
}

static bool
replace(struct ctx *ctx, const char *path, const void *data, size_t length, int mode)
{
    const char *temporary = arena_printf(ctx->arena, "%s.%d.tmp", path, (int)getpid());
    int fd CLEANUP(close_fd) =
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);

    if (fd < 0)
        return error_set_errno(ctx, "could not create \"%s\"", temporary);
    if (!write_all(fd, data, length) || fsync(fd) < 0) {
        error_set_errno(ctx, "could not write \"%s\"", path);
        unlink(temporary);
        return false;
    }
    if (!file_rename(ctx, temporary, path)) {
        unlink(temporary);
        return false;
    }
    return true;
}

/* A link is not followed: what stands behind its name may be somebody else's. */
bool
file_write(struct ctx *ctx, const char *path, const void *data, size_t length, int mode)
{
    struct stat info;

    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
        return write_through(ctx, path, data, length);
    return replace(ctx, path, data, length, mode);
}

bool
file_append_line(struct ctx *ctx, const char *path, const char *line)
{
    int fd CLEANUP(close_fd) =
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    const char *whole = arena_printf(ctx->arena, "%s\n", line);

    if (fd < 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    if (!write_all(fd, whole, strlen(whole)) || fsync(fd) < 0)
        return error_set_errno(ctx, "could not write \"%s\"", path);
    return file_sync(ctx, folder_of(ctx->arena, path));
}

bool
file_make_folder(struct ctx *ctx, const char *path)
{
    struct stat info;

    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return true;
        return error_set(ctx, ERR_IO, "\"%s\" is in the way: it is not a folder", path);
    }

    const char *above = folder_of(ctx->arena, path);

    if (!text_equal(above, path) && !file_make_folder(ctx, above))
        return false;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set_errno(ctx, "could not create the folder \"%s\"", path);
    return true;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

bool
file_remove(struct ctx *ctx, const char *path)
{
    struct stat info;

    if (lstat(path, &info) < 0) {
        if (errno == ENOENT)
            return true;
        return error_set_errno(ctx, "could not look at \"%s\"", path);
    }
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        return error_set_errno(ctx, "could not remove \"%s\"", path);
    return true;
}

static int
compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

bool
file_list(struct ctx *ctx, const char *path, struct text_list *ret)
{
    struct text_list names = { 0 };
    DIR *folder CLEANUP(close_folder) = opendir(path);

    *ret = names;
    if (!folder && errno == ENOENT)
        return true;
    if (!folder)
        return error_set_errno(ctx, "could not open the folder \"%s\"", path);
    for (;;) {
        errno = 0;

        const struct dirent *entry = readdir(folder);

        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            text_list_add(ctx->arena, &names, arena_strdup(ctx->arena, entry->d_name));
    }
    if (errno)
        return error_set_errno(ctx, "could not read the folder \"%s\"", path);
    if (names.count > 1)
        qsort(names.items, names.count, sizeof(names.items[0]), compare_names);
    *ret = names;
    return true;
}

bool
file_exists(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0;
}

bool
file_check_place(struct ctx *ctx, const char *path)
{
    struct stat info;

    if (!path)
        return true;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return error_set(ctx, ERR_IO, "\"%s\" is a folder", path);
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return true;
    if (faccessat(AT_FDCWD, folder_of(ctx->arena, path), W_OK | X_OK, AT_EACCESS) != 0)
        return error_set_errno(ctx, "no file can be made at \"%s\"", path);
    return true;
}

bool
file_size(struct ctx *ctx, const char *path, int64_t *ret_bytes)
{
    struct stat info;

    if (lstat(path, &info) < 0)
        return error_set_errno(ctx, "could not look at \"%s\"", path);
    if (!S_ISDIR(info.st_mode)) {
        *ret_bytes = info.st_size;
        return true;
    }

    struct text_list names;
    int64_t total = 0;

    if (!file_list(ctx, path, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        int64_t bytes;

        if (!file_size(ctx, file_join(ctx->arena, path, names.items[i]), &bytes))
            return false;
        total += bytes;
    }
    *ret_bytes = total;
    return true;
}

bool
file_free_bytes(struct ctx *ctx, const char *path, int64_t *ret_bytes)
{
    struct statvfs info;

    if (statvfs(path, &info) < 0)
        return error_set_errno(ctx, "could not see the free space of \"%s\"", path);
    *ret_bytes = (int64_t)(info.f_bavail * info.f_frsize);
    return true;
}
