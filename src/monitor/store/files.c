#include "monitor/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "monitor/store/files_part.h"

static const int64_t USUAL_BYTES = INT64_C(1) << 30;
static const int64_t USUAL_FILE_BYTES = INT64_C(64) << 20;
static const int64_t SYNC_US = 1000000; /* many servers' ticks share a flush */
enum { LEAST_FILES = 4 };               /* so that removing the oldest leaves most of it */

static const char *
name_of(struct arena *arena, const char *day, int32_t part)
{
    if (part == 1)
        return arena_printf(arena, "monitor-%s.jsonl", day);
    return arena_printf(arena, "monitor-%s-%04d.jsonl", day, part);
}

static const char *
path_now(struct arena *arena, const struct output_files *files)
{
    return file_join(arena, files->options.folder, name_of(arena, files->day, files->part));
}

static void
close_file(struct output_files *files)
{
    if (files->fd >= 0)
        close(files->fd);
    files->fd = -1;
}

/* Two that write into one folder would each remove the other's files. */
static bool
lock_folder(struct ctx *ctx, struct output_files *files)
{
    const char *path = files->options.folder;

    if (files->folder >= 0)
        return true;
    if (!file_make_folder(ctx, path))
        return false;
    files->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->folder < 0)
        return error_set_errno(ctx, "could not open folder \"%s\"", path);
    if (flock(files->folder, LOCK_EX | LOCK_NB) == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "another monitor writes into folder \"%s\"", path);
    close(files->folder);
    files->folder = -1;
    return error_hint(ctx, "Give each its own --output-dir.");
}

/* Opens the newest part of that day, or the one behind it when that is full. */
static bool
open_file(struct ctx *ctx, struct output_files *files, const char *day)
{
    struct files_names names;
    int32_t part = 1;
    struct stat info;
    const char *path;

    close_file(files);
    if (!lock_folder(ctx, files) || !files_list(ctx, files->options.folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (text_equal(names.items[i].day, day))
            part = names.items[i].part +
                   (names.items[i].bytes >= files->options.most_file_bytes ? 1 : 0);
    memcpy(files->day, day, sizeof(files->day));
    files->part = part;
    path = path_now(ctx->arena, files);
    files->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (files->fd < 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    if (!files_cut_torn(ctx, path) || !file_sync(ctx, files->options.folder))
        return false;
    if (fstat(files->fd, &info) < 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    files->length = info.st_size;
    files->is_torn = false;
    arena_reset(files->known);
    files->statements = (struct map){ .arena = files->known };
    return files_make_room(ctx, files, name_of(ctx->arena, files->day, files->part));
}

/* Somebody removed the file, or its folder. */
static bool
is_gone(struct output_files *files)
{
    struct stat info;

    if (files->fd >= 0 && fstat(files->fd, &info) == 0 && info.st_nlink > 0)
        return false;
    if (files->folder >= 0 && (fstat(files->folder, &info) < 0 || info.st_nlink == 0)) {
        close(files->folder);
        files->folder = -1;
    }
    return true;
}

static bool
prepare(struct ctx *ctx, struct output_files *files, int64_t wall_us)
{
    char day[sizeof(files->day)];

    memcpy(day, clock_text(ctx->arena, wall_us), sizeof(day) - 1);
    day[sizeof(day) - 1] = '\0';
    if (is_gone(files) || strcmp(day, files->day) != 0 ||
        files->length >= files->options.most_file_bytes)
        return open_file(ctx, files, day);
    return true;
}

/* All of it or nothing: what a full disk took of a line is cut again. */
static bool
append(struct ctx *ctx, struct output_files *files, const char *line)
{
    const char *text = arena_printf(ctx->arena, "%s\n", line);
    int64_t length = (int64_t)strlen(text), done = 0;

    if (files->is_torn && ftruncate(files->fd, files->length) < 0)
        return error_set_errno(
            ctx, "could not cut the torn line of \"%s\"", path_now(ctx->arena, files));
    files->is_torn = false;
    while (done < length) {
        ssize_t got = write(files->fd, text + done, (size_t)(length - done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            error_set_errno(ctx, "could not write \"%s\"", path_now(ctx->arena, files));
            files->is_torn = done > 0 && ftruncate(files->fd, files->length) < 0;
            return false;
        }
        done += got;
    }
    files->length += length;
    files->total += length;
    return true;
}

static bool
sync_file(struct ctx *ctx, struct output_files *files)
{
    if (files->fd < 0 || fdatasync(files->fd) == 0)
        return true;
    error_set_errno(ctx, "could not flush \"%s\" to disk", path_now(ctx->arena, files));
    close_file(files);
    return false;
}

static bool
put(struct ctx *ctx, struct output_files *files, const char *line, int64_t wall_us)
{
    if (files->lost > 0 && !append(ctx, files, files_lost_line(ctx->arena, files, wall_us)))
        return false;
    files->lost = 0;
    if (!append(ctx, files, line))
        return false;
    if (files->total > files->options.most_bytes &&
        !files_make_room(ctx, files, name_of(ctx->arena, files->day, files->part)))
        return false;
    if (clock_us() - files->synced_us < SYNC_US)
        return true;
    files->synced_us = clock_us();
    return sync_file(ctx, files);
}

/* Makes the line only when there is a file for it, because that decides which texts it has. */
static void
write_line(struct output_files *files, const struct watched *server, const struct alert *alert,
    int64_t wall_us)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    if (prepare(&ctx, files, wall_us) && put(&ctx, files,
                                             server ? files_tick_line(arena, files, server)
                                                    : files_alert_line(arena, alert, wall_us),
                                             wall_us)) {
        files->error[0] = '\0';
        return;
    }
    if (files->lost++ == 0)
        files->lost_since_wall_us = wall_us;
    /* Texts of statements that were in the lost line have not been told. */
    arena_reset(files->known);
    files->statements = (struct map){ .arena = files->known };
    snprintf(files->error, sizeof(files->error), "%s", ctx.error.message);
}

void
output_files_tick(struct output_files *files, const struct watched *server)
{
    write_line(files, server, NULL, server->at_wall_us);
}

void
output_files_alert(struct output_files *files, const struct alert *alert)
{
    write_line(files, NULL, alert, clock_wall_us());
}

const char *
output_files_error(const struct output_files *files)
{
    return files->error[0] ? files->error : NULL;
}

static bool
can_write(struct ctx *ctx, const struct output_files *files)
{
    if (faccessat(files->folder, ".", W_OK, AT_EACCESS) == 0)
        return true;
    return error_set_errno(ctx, "could not write into folder \"%s\"", files->options.folder);
}

static bool
cut_newest(struct ctx *ctx, const struct output_files *files)
{
    struct files_names names;

    if (!files_list(ctx, files->options.folder, &names))
        return false;
    return names.count == 0 || files_cut_torn(ctx, file_join(ctx->arena, files->options.folder,
                                                       names.items[names.count - 1].name));
}

bool
output_files_open(
    struct ctx *ctx, const struct output_files_options *options, struct output_files **ret)
{
    struct arena *arena = arena_new();
    struct output_files *files = ARENA_NEW(arena, struct output_files);

    *ret = NULL;
    files->arena = arena;
    files->known = arena_new();
    files->options = *options;
    files->options.folder = arena_strdup(arena, options->folder);
    if (files->options.most_bytes <= 0)
        files->options.most_bytes = USUAL_BYTES;
    if (files->options.most_file_bytes <= 0)
        files->options.most_file_bytes = USUAL_FILE_BYTES;
    if (files->options.most_file_bytes > files->options.most_bytes / LEAST_FILES)
        files->options.most_file_bytes = files->options.most_bytes / LEAST_FILES;
    files->fd = files->folder = -1;
    if (lock_folder(ctx, files) && can_write(ctx, files) && cut_newest(ctx, files)) {
        *ret = files;
        return true;
    }
    output_files_close(files);
    return error_wrap(ctx, "opening the folder for files");
}

void
output_files_close(struct output_files *files)
{
    if (!files)
        return;
    if (files->fd >= 0)
        fdatasync(files->fd);
    close_file(files);
    if (files->folder >= 0)
        close(files->folder);
    arena_free(files->known);
    arena_free(files->arena);
}
