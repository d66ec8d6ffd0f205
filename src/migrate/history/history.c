#include "migrate/history/history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "migrate/history/source.h"

enum {
    MOST_BYTES = PYTHON_LENGTH_MAX, /* of one file: real ones have a few thousand */
    MOST_DEPTH = 32,                /* of folders below a location */
    FILES_PER_THREAD = 8,           /* fewer are read sooner than a thread starts */
};

struct listing {
    struct ctx *ctx;
    struct history *history;
    bool is_recursive;
    struct map seen; /* real paths */
    size_t read;     /* files so far, in the order of readdir(3) */
    size_t capacity;
};

struct entry {
    const char *name;
    size_t read; /* its place in the order of readdir(3) */
    bool is_link;
};

struct entries {
    struct entry *items;
    size_t count;
    size_t capacity;
};

/* Alembic's filter: (?!\.\#|__init__)(.*\.py)$ */
static bool
is_revision_name(const char *name)
{
    return text_ends_with(name, ".py") && !text_starts_with(name, ".#") &&
           !text_starts_with(name, "__init__");
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void
close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

/* Files that may be revisions, and folders, each sorted by name as Alembic 1.19 does. */
static bool
list_folder(
    struct listing *listing, const char *path, struct entries *files, struct entries *folders)
{
    struct ctx *ctx = listing->ctx;
    DIR *folder CLEANUP(close_folder) = opendir(path);

    if (!folder)
        return error_set_errno(ctx, "could not read the folder \"%s\"", path);
    for (const struct dirent *item = readdir(folder); item; item = readdir(folder)) {
        struct entry entry = {
            .name = item->d_name,
            .read = listing->read,
            .is_link = item->d_type != DT_REG && item->d_type != DT_DIR,
        };
        struct stat info;
        bool is_folder = item->d_type == DT_DIR;

        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        if (entry.is_link && fstatat(dirfd(folder), item->d_name, &info, 0) == 0)
            is_folder = S_ISDIR(info.st_mode);
        if (!is_folder && !is_revision_name(item->d_name)) {
            listing->history->ignored_files++;
            continue;
        }
        entry.name = arena_strdup(ctx->arena, item->d_name);
        if (!is_folder) {
            listing->read++;
            VEC_PUSH(ctx->arena, files, entry);
        } else if (!entry.is_link && strcmp(item->d_name, "__pycache__") != 0) {
            VEC_PUSH(ctx->arena, folders, entry);
        }
    }
    if (files->count > 0)
        qsort(files->items, files->count, sizeof(files->items[0]), by_name);
    if (folders->count > 0)
        qsort(folders->items, folders->count, sizeof(folders->items[0]), by_name);
    return true;
}

/* Whether the file was not met under another name or location: Alembic loads each once. */
static bool
is_new(
    struct listing *listing, const char *folder, const char *real_folder, const struct entry *entry)
{
    struct arena *arena = listing->ctx->arena;
    const char *path = file_join(arena, real_folder, entry->name);
    char real[PATH_MAX];

    if (entry->is_link && realpath(file_join(arena, folder, entry->name), real))
        path = arena_strdup(arena, real);
    if (map_get(&listing->seen, path))
        return false;
    map_set(&listing->seen, path, listing);
    return true;
}

static void
add_file(struct listing *listing, const char *folder, const struct entry *entry)
{
    struct history *history = listing->history;
    struct revision revision = {
        .index = history->count,
        .file = file_join(listing->ctx->arena, folder, entry->name),
        .read_1_8 = entry->read,
    };

    if (history->count == listing->capacity)
        history->items = vec_grow(
            listing->ctx->arena, history->items, &listing->capacity, sizeof(history->items[0]));
    history->items[history->count++] = revision;
}

static bool
list_files(struct listing *listing, const char *folder, unsigned depth)
{
    struct entries files = { 0 }, folders = { 0 };
    char real[PATH_MAX];

    if (!list_folder(listing, folder, &files, &folders))
        return false;
    if (!realpath(folder, real))
        return error_set_errno(listing->ctx, "could not resolve \"%s\"", folder);
    for (size_t i = 0; i < files.count; i++)
        if (is_new(listing, folder, real, &files.items[i]))
            add_file(listing, folder, &files.items[i]);
    for (size_t i = 0; listing->is_recursive && depth < MOST_DEPTH && i < folders.count; i++)
        if (!list_files(
                listing, file_join(listing->ctx->arena, folder, folders.items[i].name), depth + 1))
            return false;
    return true;
}

/* What the threads share. */
struct work {
    struct history *history;
    atomic_size_t next;
    atomic_size_t done;
    const struct history_progress *progress; /* of the thread that waits for the others */
};

struct worker {
    struct work *work;
    struct arena *arena;
    bool is_first;
    pthread_t thread;
};

static void
close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* The bytes of a file, with a NUL behind them; or why there are none. */
static const char *
read_bytes(struct arena *arena, const char *path, const char **ret_data, size_t *ret_length)
{
    /* A pipe that nobody writes to must not hold us. */
    int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    size_t length = 0;

    if (fd < 0 || fstat(fd, &info) < 0)
        return arena_printf(arena, "it cannot be opened: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return "it is no ordinary file";
    if (info.st_size > MOST_BYTES)
        return arena_printf(
            arena, "it is too large for a revision: %s", text_from_bytes(arena, info.st_size));

    char *data = arena_alloc(arena, (size_t)info.st_size + 1);

    while (length < (size_t)info.st_size) {
        ssize_t got = read(fd, data + length, (size_t)info.st_size - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return arena_printf(arena, "it cannot be read: %s", strerror(errno));
        if (got == 0)
            break;
        length += (size_t)got;
    }
    *ret_data = data;
    *ret_length = length;
    return NULL;
}

static bool
read_one(struct ctx *ctx, const struct work *work, struct map *words, struct revision *revision)
{
    const char *data = NULL;
    size_t length = 0;

    revision->failure = read_bytes(ctx->arena, revision->file, &data, &length);
    if (!revision->failure)
        revision->failure =
            source_decode(ctx->arena, data, length, &revision->source, &revision->length);
    if (revision->failure) {
        revision->coverage = COVERAGE_NONE;
        return true;
    }
    return revision_read(ctx, revision, &work->history->environment.naming, words);
}

static void *
run_worker(void *argument)
{
    const struct worker *worker = argument;
    struct work *work = worker->work;
    struct ctx ctx = { .arena = worker->arena };
    struct map words = { .arena = worker->arena };
    size_t total = work->history->count;

    while (!interrupt_signal()) {
        size_t index = atomic_fetch_add(&work->next, 1);

        if (index >= total || !read_one(&ctx, work, &words, &work->history->items[index]))
            break;

        size_t done = atomic_fetch_add(&work->done, 1) + 1;

        if (worker->is_first && work->progress)
            work->progress->show(work->progress->self, done, total);
    }
    return NULL;
}

static unsigned
thread_count(unsigned jobs, size_t files)
{
    enum { MOST_THREADS = 64 };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t useful = (files + FILES_PER_THREAD - 1) / FILES_PER_THREAD;

    if (jobs == 0)
        jobs = processors > 0 ? (unsigned)processors : 1;
    if (jobs > MOST_THREADS)
        jobs = MOST_THREADS;
    if (useful == 0)
        useful = 1;
    return jobs < useful ? jobs : (unsigned)useful;
}

/* The calling thread works too; threads that cannot be had are done without. */
static void
read_files(struct ctx *ctx, struct history *history, unsigned jobs,
    const struct history_progress *progress)
{
    struct work work = { .history = history, .progress = progress };
    unsigned count = thread_count(jobs, history->count), started = 1;
    struct worker *workers = ARENA_ARRAY(ctx->arena, struct worker, count);

    for (unsigned i = 0; i < count; i++) {
        workers[i] = (struct worker){ .work = &work, .arena = arena_new(), .is_first = i == 0 };
        VEC_PUSH(ctx->arena, &history->arenas, workers[i].arena);
    }
    while (started < count &&
           pthread_create(&workers[started].thread, NULL, run_worker, &workers[started]) == 0)
        started++;
    run_worker(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
}

bool
history_read(struct ctx *ctx, const struct environment *environment, unsigned jobs,
    const struct history_progress *progress, struct history *ret)
{
    struct listing listing = {
        .ctx = ctx,
        .history = ret,
        .is_recursive = environment->is_recursive,
        .seen = { .arena = ctx->arena },
    };

    *ret = (struct history){ .environment = *environment };
    for (size_t i = 0; i < environment->locations.count; i++)
        if (!list_files(&listing, environment->locations.items[i], 0))
            return false;
    read_files(ctx, ret, jobs, progress);
    if (interrupt_signal()) {
        history_free(ret);
        return interrupt_error(ctx, interrupt_signal());
    }
    for (size_t i = 0; i < ret->count; i++)
        ret->bytes += ret->items[i].length;
    return true;
}

void
history_free(struct history *history)
{
    for (size_t i = 0; i < history->arenas.count; i++)
        arena_free(history->arenas.items[i]);
    history->arenas.count = 0;
}
