#include "cmd/parts/load_files.h"

#include <string.h>

#include "base/file.h"

enum { MOST_FILES = 100 };

bool
load_files_read_all(struct ctx *ctx, const struct text_list *paths, struct load_records *ret)
{
    struct load_record *records;

    if (paths->count > MOST_FILES)
        return error_set(
            ctx, ERR_USAGE, "%zu files are too many: at most %d", paths->count, MOST_FILES);
    records = ARENA_ARRAY(ctx->arena, struct load_record, paths->count + 1);
    for (size_t i = 0; i < paths->count; i++)
        if (!load_record_read(ctx, paths->items[i], &records[i]))
            return false;
    *ret = (struct load_records){ .items = records, .count = paths->count };
    return true;
}

bool
load_files_read(struct ctx *ctx, const char *list, struct load_records *ret)
{
    char *rest = arena_strdup(ctx->arena, list);
    struct text_list paths = { 0 };
    char *part;

    /* A name may hold a comma itself. */
    if (file_exists(list)) {
        text_list_add(ctx->arena, &paths, list);
        return load_files_read_all(ctx, &paths, ret);
    }
    while ((part = strsep(&rest, ",")) != NULL) {
        if (!*part) {
            error_set(ctx, ERR_USAGE, "\"%s\": the name of a file is empty", list);
            return error_hint(
                ctx, "Files of one side are separated by single commas: a1.json,a2.json");
        }
        text_list_add(ctx->arena, &paths, part);
    }
    return load_files_read_all(ctx, &paths, ret);
}
