/* The end of a log that grows, read here or through the server, whichever can be. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "queries/logging/logging.h"
#include "sql.h"

enum {
    PIECE = 1024 * 1024,
    MOST_AT_ONCE = 16 * 1024 * 1024,
    ASK_EVERY_US = 500000,   /* whether the server has gone on to another file */
    FIRST_FILE_US = 3000000, /* until the server has begun the file that it was told to write */
    FIRST_TICK_US = 50000
};

struct logging_tail {
    struct arena *arena;
    const struct logging_plan *plan;
    char *piece;
    const char *path; /* on the server; or here */
    bool is_local;
    int fd;
    ino_t inode;
    int64_t at; /* bytes of the file that were read */
    int64_t asked_us;
    bool is_unknown; /* the server has not begun a file yet */
};

void
logging_tail_close(struct logging_tail *tail)
{
    if (!tail)
        return;
    if (tail->fd >= 0)
        close(tail->fd);
    free(tail->piece);
}

const char *
logging_tail_name(const struct logging_tail *tail)
{
    return tail->path ? tail->path : "the server's log";
}

bool
logging_tail_is_local(const struct logging_tail *tail)
{
    return tail->is_local;
}

/* The file that the server writes now; path NULL: none yet. */
static bool
ask_file(struct ctx *ctx, struct db *db, const struct logging_tail *tail, const char **ret_path,
    int64_t *ret_bytes)
{
    struct sql_queries_logging_file_rows rows;

    *ret_path = NULL;
    *ret_bytes = 0;
    if (!sql_queries_logging_file(ctx, db, &rows, .form = tail->plan->form)) {
        error_wrap(ctx, "asking which file the server logs to");
        if (ctx->error.kind == ERR_CONNECTION)
            return false;
        return error_hint(ctx,
            "The role needs pg_monitor and, to read the file, pg_read_server_files; or give the "
            "file with --log-file where it can be read here.");
    }
    if (rows.count > 0) {
        *ret_path = rows.items[0].path;
        *ret_bytes = rows.items[0].bytes;
    }
    return true;
}

static bool
open_here(struct ctx *ctx, struct logging_tail *tail, const char *path)
{
    struct stat status;

    tail->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (tail->fd < 0 || fstat(tail->fd, &status) != 0)
        return error_set_errno(ctx, "could not open the log %s", path);
    tail->is_local = true;
    tail->path = arena_strdup(tail->arena, path);
    tail->inode = status.st_ino;
    return true;
}

/* The same file seen from here: of the same length, or a little longer by now; bytes 0: not known. */
static bool
is_seen_here(const struct logging_tail *tail, const char *path, int64_t bytes, const char **ret)
{
    struct stat status;
    const char *here = path[0] == '/' || !tail->plan->folder
                           ? path
                           : file_join(tail->arena, tail->plan->folder, path);

    *ret = here;
    return here[0] == '/' && access(here, R_OK) == 0 && stat(here, &status) == 0 &&
           S_ISREG(status.st_mode) && status.st_size >= bytes &&
           (bytes == 0 || status.st_size <= bytes + PIECE);
}

bool
logging_tail_open(struct ctx *ctx, struct db *db, const struct logging_plan *plan,
    struct arena *arena, struct logging_tail **ret)
{
    struct logging_tail *tail = ARENA_NEW(arena, struct logging_tail);
    const char *path;
    const char *here;
    int64_t bytes;

    *ret = tail;
    tail->arena = arena;
    tail->plan = plan;
    tail->fd = -1;
    tail->piece = malloc(PIECE);
    if (!tail->piece)
        memory_exhausted(0);
    if (plan->path) {
        if (!open_here(ctx, tail, plan->path))
            return error_hint(ctx, "Run pgmend as a user who may read it.");
        tail->at = lseek(tail->fd, 0, SEEK_END);
        return true;
    }
    /* What stands in the file already is of an earlier time. */
    for (int64_t end = clock_us() + FIRST_FILE_US;;) {
        if (!ask_file(ctx, db, tail, &path, &bytes))
            return false;
        if (path || clock_us() > end || !clock_sleep_us(FIRST_TICK_US))
            break;
    }
    tail->is_unknown = !path;
    if (!path)
        return true;
    tail->at = bytes;
    if (is_seen_here(tail, path, bytes, &here))
        return open_here(ctx, tail, here);
    tail->path = arena_strdup(arena, path);
    return true;
}

/* Bytes of a file that is open here. */
static bool
read_here(struct ctx *ctx, struct logging_tail *tail, struct log_reader *reader, int64_t *ret_bytes)
{
    while (*ret_bytes < MOST_AT_ONCE) {
        ssize_t count = pread(tail->fd, tail->piece, PIECE, tail->at);

        if (count < 0)
            return error_set_errno(ctx, "could not read %s", tail->path);
        if (count == 0)
            return true;
        tail->at += count;
        *ret_bytes += count;
        if (!log_reader_bytes(ctx, reader, tail->path, tail->piece, (size_t)count))
            return false;
    }
    return true;
}

static bool
read_there(struct ctx *ctx, struct db *db, struct logging_tail *tail, struct log_reader *reader,
    int64_t *ret_bytes)
{
    while (*ret_bytes < MOST_AT_ONCE) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx own = { .arena = arena };
        struct sql_queries_logging_read_rows rows;
        const char *hex;
        size_t length;

        if (!sql_queries_logging_read(
                &own, db, &rows, .path = tail->path, .first = tail->at, .length = PIECE)) {
            error_set(ctx, own.error.kind, "reading %s through the server: %s", tail->path,
                own.error.message);
            if (own.error.kind == ERR_CONNECTION)
                return false;
            return error_hint(ctx, "The role needs pg_read_server_files and EXECUTE on "
                                   "pg_read_binary_file(text, bigint, bigint, boolean); or give "
                                   "the file with --log-file where it can be read here.");
        }
        hex = rows.count > 0 ? rows.items[0].bytes : NULL;
        length = hex ? strlen(hex) / 2 : 0;
        if (length == 0)
            return true;
        for (size_t i = 0; i < length; i++)
            tail->piece[i] =
                (char)(text_hex_value(hex[2 * i]) * 16 + text_hex_value(hex[2 * i + 1]));
        tail->at += (int64_t)length;
        *ret_bytes += (int64_t)length;
        if (!log_reader_bytes(ctx, reader, tail->path, tail->piece, length))
            return false;
    }
    return true;
}

static bool
read_more(struct ctx *ctx, struct db *db, struct logging_tail *tail, struct log_reader *reader,
    int64_t *ret_bytes)
{
    if (tail->is_unknown)
        return true;
    return tail->is_local ? read_here(ctx, tail, reader, ret_bytes)
                          : read_there(ctx, db, tail, reader, ret_bytes);
}

/*
 * A file that was given by its path has been replaced by a new one. Who writes may go on with the old one for a
 * while: it is at its end when there is something in the new one.
 */
static bool
follow_rename(
    struct ctx *ctx, struct logging_tail *tail, struct log_reader *reader, int64_t *ret_bytes)
{
    struct stat status;

    if (stat(tail->plan->path, &status) != 0)
        return true;
    if (status.st_ino == tail->inode) {
        /* Cut to nothing (copytruncate): from its beginning. */
        if (status.st_size < tail->at)
            tail->at = 0;
        return true;
    }
    if (status.st_size == 0 || !read_here(ctx, tail, reader, ret_bytes) || *ret_bytes > 0)
        return status.st_size == 0 || *ret_bytes > 0;
    close(tail->fd);
    tail->at = 0;
    return open_here(ctx, tail, tail->plan->path) && read_here(ctx, tail, reader, ret_bytes);
}

/* The next one to be read: the server may have gone on more than once. */
static bool
find_next(struct ctx *ctx, struct db *db, const struct logging_tail *tail, const char **path,
    int64_t *bytes)
{
    struct sql_queries_logging_next_rows rows;

    if (!tail->path)
        return true;
    if (!sql_queries_logging_next(ctx, db, &rows, .from = tail->path, .now = *path)) {
        if (ctx->error.kind == ERR_CONNECTION)
            return false;
        error_clear(ctx); /* whoever may not list them reads the one that is written */
        return true;
    }
    if (rows.count > 0 && !text_equal(rows.items[0].path, *path)) {
        *path = rows.items[0].path;
        *bytes = 0;
    }
    return true;
}

/* The same name may be begun again: every week, or every day. */
static bool
is_the_same(struct logging_tail *tail, const char *path, int64_t bytes)
{
    if (tail->is_unknown || !tail->path ||
        (!text_equal(tail->path, path) && !text_ends_with(tail->path, path)))
        return false;
    if (bytes < tail->at)
        tail->at = 0;
    return true;
}

/* The server has gone on to another file: first what it wrote into the old one since that was looked at. */
static bool
follow_file(struct ctx *ctx, struct db *db, struct logging_tail *tail, struct log_reader *reader,
    int64_t *ret_bytes)
{
    const char *path;
    const char *here;
    int64_t bytes;

    /* Each question may be a line of the log itself. */
    if (clock_us() - tail->asked_us < ASK_EVERY_US)
        return true;
    tail->asked_us = clock_us();
    if (!ask_file(ctx, db, tail, &path, &bytes))
        return false;
    if (!path)
        return true;
    if (is_the_same(tail, path, bytes))
        return true;
    if (!read_more(ctx, db, tail, reader, ret_bytes) || !find_next(ctx, db, tail, &path, &bytes))
        return false;
    if (*ret_bytes > 0) {
        tail->asked_us = 0;
        return true;
    }
    tail->is_unknown = false;
    tail->at = 0;
    if (tail->fd >= 0)
        close(tail->fd);
    tail->fd = -1;
    tail->is_local = false;
    if (is_seen_here(tail, path, bytes, &here))
        return open_here(ctx, tail, here);
    tail->path = arena_strdup(tail->arena, path);
    return true;
}

bool
logging_tail_read(struct ctx *ctx, struct db *db, struct logging_tail *tail,
    struct log_reader *reader, int64_t *ret_bytes)
{
    *ret_bytes = 0;
    if (!read_more(ctx, db, tail, reader, ret_bytes))
        return false;
    if (*ret_bytes > 0)
        return true;
    if (tail->plan->path)
        return follow_rename(ctx, tail, reader, ret_bytes);
    return follow_file(ctx, db, tail, reader, ret_bytes) &&
           (*ret_bytes > 0 || read_more(ctx, db, tail, reader, ret_bytes));
}
