#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "monitor/store/files_part.h"

static const char START[] = "monitor-";
static const char END[] = ".jsonl";
enum { DAY_LENGTH = 10, CHUNK = 4096 };

static bool
is_day(const char *text)
{
    static const char shape[] = "dddd-dd-dd";

    for (size_t i = 0; i < DAY_LENGTH; i++)
        if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return true;
}

static bool
parse_name(struct arena *arena, const char *name, struct files_name *ret)
{
    const char *day = name + strlen(START), *rest;
    int64_t part = 1;

    if (!text_starts_with(name, START) || !text_ends_with(name, END) || !is_day(day))
        return false;
    rest = day + DAY_LENGTH;
    if (*rest == '-' &&
        (!text_to_int64(arena_strndup(arena, rest + 1, strlen(rest + 1) - strlen(END)), &part) ||
            part < 2 || part > INT32_MAX))
        return false;
    if (*rest != '-' && !text_equal(rest, END))
        return false;
    *ret = (struct files_name){ .name = arena_strdup(arena, name),
        .day = arena_strndup(arena, day, DAY_LENGTH),
        .part = (int32_t)part };
    return true;
}

static int
compare_age(const void *a, const void *b)
{
    const struct files_name *x = a, *y = b;
    int days = strcmp(x->day, y->day);

    return days != 0 ? days : (x->part > y->part) - (x->part < y->part);
}

bool
files_list(struct ctx *ctx, const char *folder, struct files_names *ret)
{
    struct text_list names;

    *ret = (struct files_names){ 0 };
    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        struct files_name name;
        struct stat info;

        if (!parse_name(ctx->arena, names.items[i], &name) ||
            lstat(file_join(ctx->arena, folder, name.name), &info) < 0 || !S_ISREG(info.st_mode))
            continue;
        name.bytes = info.st_size;
        VEC_PUSH(ctx->arena, ret, name);
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), compare_age);
    return true;
}

static void
close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Where the last whole line ends; -1: it could not be read. */
static int64_t
whole_length(int fd, int64_t length)
{
    char chunk[CHUNK];

    while (length > 0) {
        int64_t begin = length > CHUNK ? length - CHUNK : 0;
        ssize_t got = pread(fd, chunk, (size_t)(length - begin), begin);

        if (got != length - begin)
            return -1;
        for (; length > begin; length--)
            if (chunk[length - begin - 1] == '\n')
                return length;
    }
    return 0;
}

bool
files_cut_torn(struct ctx *ctx, const char *path)
{
    int fd CLEANUP(close_fd) = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat info;
    int64_t length;

    if (fd < 0 || fstat(fd, &info) < 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    length = whole_length(fd, info.st_size);
    if (length < 0)
        return error_set_errno(ctx, "could not read \"%s\"", path);
    if (length < info.st_size && ftruncate(fd, length) < 0)
        return error_set_errno(ctx, "could not cut the torn line of \"%s\"", path);
    return true;
}

bool
files_make_room(struct ctx *ctx, struct output_files *files, const char *keep)
{
    struct files_names names;

    if (!files_list(ctx, files->options.folder, &names))
        return false;
    files->total = 0;
    for (size_t i = 0; i < names.count; i++)
        files->total += names.items[i].bytes;
    for (size_t i = 0; i < names.count && files->total > files->options.most_bytes; i++) {
        const struct files_name *name = &names.items[i];
        const char *path = file_join(ctx->arena, files->options.folder, name->name);

        if (text_equal(name->name, keep))
            continue;
        if (unlink(path) < 0 && errno != ENOENT)
            return error_set_errno(ctx, "could not remove \"%s\"", path);
        files->total -= name->bytes;
    }
    return true;
}
