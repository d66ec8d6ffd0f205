/* Files that are there completely or not at all. */
#pragma once

#include "base/ctx.h"
#include "base/text.h"

/* The whole file, with a NUL behind it that does not count. */
bool file_read(struct ctx *ctx, const char *path, const char **ret_data, size_t *ret_length)
    MUST_CHECK;

/* The same of at most so many bytes, as a device or a pipe need not have an end; more is ERR_INPUT. */
bool file_read_most(struct ctx *ctx, const char *path, size_t most, const char **ret_data,
    size_t *ret_length) MUST_CHECK;

/*
 * Temporary name in the same folder, fsync, rename, fsync of the folder. A link is replaced, not followed;
 * devices and pipes are written to as they are.
 */
bool file_write(struct ctx *ctx, const char *path, const void *data, size_t length, int mode)
    MUST_CHECK;

/* Appends a line (the newline is added) with one write and fsyncs; makes the file 0600. */
bool file_append_line(struct ctx *ctx, const char *path, const char *line) MUST_CHECK;

/* Makes the folder and those above it, 0700; an existing one is fine. */
bool file_make_folder(struct ctx *ctx, const char *path) MUST_CHECK;

/* fsync of a file or folder by its path. */
bool file_sync(struct ctx *ctx, const char *path) MUST_CHECK;

/* Removes a file, or a folder with all in it; links are not followed. Missing is fine. */
bool file_remove(struct ctx *ctx, const char *path) MUST_CHECK;

/* rename(2) and fsync of the folder. */
bool file_rename(struct ctx *ctx, const char *from, const char *to) MUST_CHECK;

/* Names in the folder, sorted, without "." and ".."; a missing folder gives none. */
bool file_list(struct ctx *ctx, const char *path, struct text_list *ret) MUST_CHECK;

bool file_exists(const char *path);

/*
 * Whether a file can be put there, before long work whose result it shall hold. NULL is fine; what is
 * there stays as it is. ERR_IO.
 */
bool file_check_place(struct ctx *ctx, const char *path) MUST_CHECK;

/* Size in bytes of a file, or of all files below a folder. */
bool file_size(struct ctx *ctx, const char *path, int64_t *ret_bytes) MUST_CHECK;

/* Bytes that an ordinary user can still write to the volume of this path. */
bool file_free_bytes(struct ctx *ctx, const char *path, int64_t *ret_bytes) MUST_CHECK;

/* "a" and "b" → "a/b". */
const char *file_join(struct arena *arena, const char *folder, const char *name);
