#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "migrate/squash/place.h"

enum { PERMISSIONS = 07777 };

struct building {
    struct ctx *ctx;
    bool is_recursive;
    struct stat model; /* owner and permissions that new revisions get */
    bool has_model;
};

static void
close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/*
 * Owner, group and permissions like those of another file. Who may not give files away keeps them;
 * the group is tried, as members of it may.
 */
static bool
dress(struct ctx *ctx, int fd, const char *path, const struct stat *like)
{
    struct stat now;

    if (fstat(fd, &now) != 0)
        return error_set_errno(ctx, "could not look at \"%s\"", path);
    if (geteuid() == 0 && (now.st_uid != like->st_uid || now.st_gid != like->st_gid)) {
        if (fchown(fd, like->st_uid, like->st_gid) != 0)
            return error_set_errno(ctx, "could not give \"%s\" its owner", path);
    } else if (now.st_gid != like->st_gid && fchown(fd, (uid_t)-1, like->st_gid) != 0 &&
               errno != EPERM) {
        return error_set_errno(ctx, "could not give \"%s\" its group", path);
    }
    if (fchmod(fd, like->st_mode & PERMISSIONS) != 0)
        return error_set_errno(ctx, "could not set the permissions of \"%s\"", path);
    return true;
}

static bool
write_file(struct building *building, const char *path, const char *data, size_t length,
    const struct stat *like)
{
    struct ctx *ctx = building->ctx;
    int fd CLEANUP(close_fd) =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return error_set_errno(ctx, "could not create \"%s\"", path);
    while (length > 0) {
        ssize_t done = write(fd, data, length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set_errno(ctx, "could not write \"%s\"", path);
        data += done;
        length -= (size_t)done;
    }
    if (!dress(ctx, fd, path, like))
        return false;
    /* A kept file keeps its time; a new revision has that of now. */
    if (like != &building->model) {
        const struct timespec times[2] = { like->st_atim, like->st_mtim };

        if (futimens(fd, times) != 0)
            return error_set_errno(ctx, "could not set the time of \"%s\"", path);
    }
    if (fsync(fd) != 0)
        return error_set_errno(ctx, "could not flush \"%s\" to disk", path);
    return true;
}

static bool
copy_link(struct ctx *ctx, const char *from, const char *to, const struct stat *info)
{
    char target[PATH_MAX];
    ssize_t length = readlink(from, target, sizeof(target) - 1);

    if (length < 0)
        return error_set_errno(ctx, "could not read the link \"%s\"", from);
    target[length] = '\0';
    if (symlink(target, to) != 0)
        return error_set_errno(ctx, "could not create the link \"%s\"", to);
    if (geteuid() == 0 && lchown(to, info->st_uid, info->st_gid) != 0)
        return error_set_errno(ctx, "could not give \"%s\" its owner", to);
    return true;
}

/* The folder gets its permissions last: they may forbid to write into it. */
static bool
end_folder(struct building *building, const char *from, const char *to)
{
    struct ctx *ctx = building->ctx;
    int fd CLEANUP(close_fd) = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat like;

    if (fd < 0 || stat(from, &like) != 0)
        return error_set_errno(ctx, "could not open the folder \"%s\"", to);
    if (!dress(ctx, fd, to, &like))
        return false;
    if (fsync(fd) != 0)
        return error_set_errno(ctx, "could not flush \"%s\" to disk", to);
    return true;
}

static bool copy_kept(
    struct building *building, const char *from, const char *to, const char *below);

/* Copies one thing unless it is a revision; below: its path from the top. */
static bool
copy_one(struct building *building, const char *from, const char *to, const char *below)
{
    struct ctx *ctx = building->ctx;
    const char *data;
    struct stat info;
    size_t length;

    if (lstat(from, &info) != 0)
        return error_set_errno(ctx, "could not look at \"%s\"", from);
    if (S_ISDIR(info.st_mode))
        return copy_kept(building, from, to, below);
    if (place_is_revision(below, building->is_recursive)) {
        if (!building->has_model && S_ISREG(info.st_mode))
            building->model = info;
        building->has_model |= S_ISREG(info.st_mode);
        return true;
    }
    if (S_ISLNK(info.st_mode))
        return copy_link(ctx, from, to, &info);
    return file_read(ctx, from, &data, &length) && write_file(building, to, data, length, &info);
}

/* Copies what is no revision; below: "" at the top. A folder of revisions only leaves nothing. */
static bool
copy_kept(struct building *building, const char *from, const char *to, const char *below)
{
    struct ctx *ctx = building->ctx;
    struct text_list names;
    size_t kept = 0;

    if (!file_list(ctx, from, &names))
        return false;
    if (mkdir(to, 0700) != 0)
        return error_set_errno(ctx, "could not create the folder \"%s\"", to);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        const char *target = file_join(ctx->arena, to, name);

        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (strcmp(name, "__pycache__") == 0)
            continue;
        if (!copy_one(building, file_join(ctx->arena, from, name), target,
                *below ? file_join(ctx->arena, below, name) : name))
            return false;
        kept += file_exists(target);
    }
    /* The top one gets the new revisions first. */
    if (!*below)
        return true;
    if (kept == 0 && names.count > 0)
        return rmdir(to) == 0 || error_set_errno(ctx, "could not remove \"%s\"", to);
    return end_folder(building, from, to);
}

bool
place_build(struct ctx *ctx, const struct place_paths *paths, const struct squash_files *files,
    bool is_recursive)
{
    struct building building = { .ctx = ctx, .is_recursive = is_recursive };

    if (stat(paths->folder, &building.model) != 0)
        return error_set_errno(ctx, "could not look at \"%s\"", paths->folder);
    building.model.st_mode = S_IFREG | (building.model.st_mode & 0666);
    if (!copy_kept(&building, paths->folder, paths->fresh, ""))
        return false;
    building.model.st_mode &= ~(mode_t)0111;
    for (size_t i = 0; i < files->count; i++) {
        const struct squash_file *file = &files->items[i];

        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (!write_file(&building, file_join(ctx->arena, paths->fresh, file->name), file->text,
                strlen(file->text), &building.model))
            return false;
    }
    return end_folder(&building, paths->folder, paths->fresh) && file_sync(ctx, paths->parent);
}
