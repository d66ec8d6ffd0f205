#include "staging/statistics_files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sql.h"

enum {
    BLOCK = 8192,
    SEGMENT_BLOCKS = 131072, /* of 1 GB */
    KEPT_BLOCKS = 64,        /* more than an empty index of any method has */
};

/* Source: storage/bufpage.h, access/nbtree.h and access/brin_page.h of PostgreSQL 14 to 18. */
enum {
    PAGE_HEADER = 24,
    BTREE_SPECIAL = BLOCK - 16,
    BTREE_LEAF = 1,
    BTREE_ROOT = 2,
    BTREE_PIVOT = 0x2000, /* INDEX_ALT_TID_MASK: the tuple's address is a block below */
    BTREE_FILL = 70,      /* per cent of an inner page */
    BRIN_LAST_MAP_PAGE = PAGE_HEADER + 12,
    BRIN_PAGES_PER_RANGE = PAGE_HEADER + 8,
    BRIN_MAP_ITEMS = 1360, /* ranges on a page of the range map */
};

static void
put16(uint8_t *page, size_t at, uint16_t value)
{
    memcpy(page + at, &value, sizeof(value));
}

static void
put32(uint8_t *page, size_t at, uint32_t value)
{
    memcpy(page + at, &value, sizeof(value));
}

static uint32_t
get32(const uint8_t *page, size_t at)
{
    uint32_t value;

    memcpy(&value, page + at, sizeof(value));
    return value;
}

/* How many levels a B-tree of so many blocks has above its leaves. */
static uint32_t
btree_height(int64_t blocks, double width)
{
    double tuple = 8 * ceil((8 + width) / 8) + 4;
    double fan_out = floor((BTREE_SPECIAL - PAGE_HEADER) / tuple * BTREE_FILL / 100);
    double pages = (double)(blocks - 1);
    uint32_t height = 0;

    /* Three tuples are the least that fit on a page. */
    if (!(fan_out >= 3))
        fan_out = 3;
    while (pages > 1) {
        pages = ceil(pages / fan_out);
        height++;
    }
    return height;
}

/* An inner page with one tuple that points to the block below, or an empty leaf. */
static void
compose_btree_page(uint8_t *page, uint32_t level, bool is_root, uint32_t below)
{
    const uint16_t tuple = BTREE_SPECIAL - 8;

    memset(page, 0, BLOCK);
    put16(page, 12, PAGE_HEADER + (level > 0 ? 4 : 0));
    put16(page, 14, level > 0 ? tuple : BTREE_SPECIAL);
    put16(page, 16, BTREE_SPECIAL);
    put16(page, 18, BLOCK | 4); /* size and layout version */
    put32(page, BTREE_SPECIAL + 8, level);
    put16(page, BTREE_SPECIAL + 12,
        (uint16_t)((level == 0 ? BTREE_LEAF : 0) | (is_root ? BTREE_ROOT : 0)));
    if (level == 0)
        return;
    put32(page, PAGE_HEADER, (uint32_t)tuple | 1U << 15 | 8U << 17); /* offset, in use, length */
    put16(page, tuple, (uint16_t)(below >> 16));
    put16(page, (size_t)tuple + 2, (uint16_t)below);
    put16(page, (size_t)tuple + 6, 8 | BTREE_PIVOT);
}

static bool
put_page(struct ctx *ctx, int fd, const char *path, const uint8_t *page, uint32_t block)
{
    return pwrite(fd, page, BLOCK, (off_t)block * BLOCK) == BLOCK ||
           error_set_errno(ctx, "could not write \"%s\"", path);
}

/* Root, …, leaf in the blocks 1, 2, …; the meta page in block 0 points to the first. */
static bool
put_btree(struct ctx *ctx, int fd, const char *path, uint8_t *meta, uint32_t height)
{
    uint8_t page[BLOCK];

    for (uint32_t i = 0; i <= height; i++) {
        compose_btree_page(page, height - i, i == 0, i + 2);
        if (!put_page(ctx, fd, path, page, i + 1))
            return false;
    }
    put32(meta, PAGE_HEADER + 8, 1); /* root, its level, and the same for the fast root */
    put32(meta, PAGE_HEADER + 12, height);
    put32(meta, PAGE_HEADER + 16, 1);
    put32(meta, PAGE_HEADER + 20, height);
    return put_page(ctx, fd, path, meta, 0);
}

static bool
put_brin(struct ctx *ctx, int fd, const char *path, uint8_t *meta, int64_t table_blocks)
{
    uint32_t range = get32(meta, BRIN_PAGES_PER_RANGE);
    int64_t ranges = range > 0 ? (table_blocks + range - 1) / range : 0;

    put32(meta, BRIN_LAST_MAP_PAGE, (uint32_t)((ranges + BRIN_MAP_ITEMS - 1) / BRIN_MAP_ITEMS));
    return put_page(ctx, fd, path, meta, 0);
}

static const char *
segment_path(struct arena *arena, const char *path, int64_t segment)
{
    return segment == 0 ? path : arena_printf(arena, "%s.%" PRId64, path, segment);
}

/* Opens a file below the data folder; a new one belongs to the server's account, as like does. */
static bool
open_file(struct ctx *ctx, const char *path, int flags, int like, int *ret)
{
    struct stat info;

    *ret = open(path, flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*ret < 0)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    if (like < 0 || geteuid() != 0)
        return true;
    if (fstat(like, &info) == 0 && fchown(*ret, info.st_uid, info.st_gid) == 0)
        return true;
    error_set_errno(ctx, "could not give \"%s\" to the server", path);
    close(*ret);
    return false;
}

/* The first segment is open as fd; the others are made. */
static bool
set_length(struct ctx *ctx, int fd, const char *path, int64_t blocks)
{
    int64_t last = blocks / SEGMENT_BLOCKS;

    for (int64_t i = 0; i <= last; i++) {
        int64_t length = i < last ? SEGMENT_BLOCKS : blocks % SEGMENT_BLOCKS;
        const char *name = segment_path(ctx->arena, path, i);
        int segment = fd;
        bool is_good;

        if (i > 0 && length == 0)
            break;
        if (i > 0 && !open_file(ctx, name, O_CREAT, fd, &segment))
            return false;
        is_good = ftruncate(segment, (off_t)length * BLOCK) == 0;
        if (!is_good)
            error_set_errno(ctx, "could not make \"%s\" longer", name);
        if (i > 0)
            close(segment);
        if (!is_good)
            return false;
    }
    return true;
}

/* Copies the pages that an index has when it is empty; *ret_blocks of them. */
static bool
copy_pages(
    struct ctx *ctx, int from, int to, const char *path, uint8_t *ret_meta, int64_t *ret_blocks)
{
    uint8_t page[BLOCK];

    memset(ret_meta, 0, BLOCK);
    for (*ret_blocks = 0; *ret_blocks < KEPT_BLOCKS; (*ret_blocks)++) {
        if (pread(from, page, BLOCK, (off_t)(*ret_blocks * BLOCK)) != BLOCK)
            break;
        if (!put_page(ctx, to, path, page, (uint32_t)*ret_blocks))
            return false;
        if (*ret_blocks == 0)
            memcpy(ret_meta, page, BLOCK);
    }
    return true;
}

static bool
fill_file(struct ctx *ctx, int old, int fd, const char *path, const struct relation_file *file)
{
    uint8_t meta[BLOCK];
    uint32_t height = btree_height(file->blocks, file->width);
    int64_t kept = 0;

    if (!file->is_index)
        return set_length(ctx, fd, path, file->blocks);
    if (!copy_pages(ctx, old, fd, path, meta, &kept))
        return false;
    if (kept > 0 && text_equal(file->method, "btree") && file->blocks > 1) {
        if (kept < height + 2)
            kept = height + 2;
        if (!put_btree(ctx, fd, path, meta, height))
            return false;
    }
    if (kept > 0 && text_equal(file->method, "brin") && file->parent_blocks > 0 &&
        !put_brin(ctx, fd, path, meta, file->parent_blocks))
        return false;
    return set_length(ctx, fd, path, file->blocks > kept ? file->blocks : kept);
}

bool
relation_file_make(struct ctx *ctx, struct private_server *server, const struct relation_file *file,
    uint32_t *ret_number)
{
    const char *old_path = file_join(ctx->arena, private_server_data(server), file->path);
    const char *slash = strrchr(old_path, '/');
    uint32_t number = private_server_new_file(server);
    const char *path =
        arena_printf(ctx->arena, "%.*s/%" PRIu32, (int)(slash - old_path), old_path, number);
    int old = -1;
    int fd = -1;
    bool is_good = open_file(ctx, old_path, 0, -1, &old) &&
                   open_file(ctx, path, O_CREAT | O_EXCL, old, &fd) &&
                   fill_file(ctx, old, fd, path, file);

    if (old >= 0)
        close(old);
    if (fd >= 0)
        close(fd);
    *ret_number = number;
    return is_good;
}

bool
relation_files_point(
    struct ctx *ctx, struct db *db, const uint32_t *relations, const uint32_t *files, size_t count)
{
    struct buffer rows = { .arena = ctx->arena };

    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        buffer_printf(&rows, "%c{\"id\":%" PRIu32 ",\"file\":%" PRIu32 "}", i == 0 ? '[' : ',',
            relations[i], files[i]);
    buffer_add(&rows, "]");
    return sql_staging_statistics_swap_files(ctx, db, .rows = buffer_text(&rows));
}

bool
relation_files_replace(struct ctx *ctx, struct private_server *server, struct db *db,
    const struct relation_file *files, size_t count)
{
    uint32_t *relations = ARENA_ARRAY(ctx->arena, uint32_t, count + 1);
    uint32_t *numbers = ARENA_ARRAY(ctx->arena, uint32_t, count + 1);

    if (!db_exec(ctx, db, "CHECKPOINT"))
        return false;
    for (size_t i = 0; i < count; i++) {
        relations[i] = files[i].id;
        if (!relation_file_make(ctx, server, &files[i], &numbers[i]))
            return false;
    }
    return relation_files_point(ctx, db, relations, numbers, count);
}

bool
relation_file_extend(
    struct ctx *ctx, const struct private_server *server, const struct relation_file *file)
{
    const char *path = file_join(ctx->arena, private_server_data(server), file->path);
    struct stat info;
    int fd;
    bool is_good;

    if (!open_file(ctx, path, 0, -1, &fd))
        return false;
    is_good = fstat(fd, &info) < 0 || info.st_size / BLOCK >= file->blocks ||
              set_length(ctx, fd, path, file->blocks);
    close(fd);
    return is_good;
}

uint32_t
relation_file_number(const char *path)
{
    const char *slash = strrchr(path, '/');

    return (uint32_t)strtoul(slash ? slash + 1 : path, NULL, 10);
}
