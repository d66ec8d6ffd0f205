/* The same bytes as load.c sends, in files. */
#include <errno.h>

#include "base/clock.h"
#include "base/file.h"
#include "data/load.h"
#include "data/show.h"

struct file_sink {
    struct sink sink; /* first, so that one can be taken for the other */
    FILE *file;
    const char *path;
    struct show *show;
    const struct table *table;
    int64_t bytes;
};

static void
close_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

static bool
put_file(struct ctx *ctx, struct sink *sink, const void *data, size_t length)
{
    struct file_sink *file = (struct file_sink *)sink;

    if (fwrite(data, 1, length, file->file) != length)
        return error_set_errno(ctx, "could not write \"%s\"", file->path);
    file->bytes += (int64_t)length;
    show_table(file->show, file->table, file->bytes);
    return true;
}

static bool
save_table(struct ctx *ctx, const char *folder, const struct world *world, struct file_sink *sink,
    struct loaded *ret)
{
    const char *name = arena_printf(ctx->arena, "%s.copy", sink->table->name);
    FILE *file CLEANUP(close_file) = NULL;
    int64_t start_us = clock_us();

    sink->path = file_join(ctx->arena, folder, name);
    file = fopen(sink->path, "wbe");
    if (file == NULL)
        return error_set_errno(ctx, "could not create \"%s\"", sink->path);
    sink->file = file;
    *ret = (struct loaded){ .table = sink->table->name, .rows = sink->table->count(world) };
    if (!table_write(ctx, world, sink->table, &sink->sink, &ret->bytes))
        return false;
    if (fflush(file) != 0)
        return error_set_errno(ctx, "could not write \"%s\"", sink->path);
    ret->seconds = (double)(clock_us() - start_us) / 1e6;
    return true;
}

/* psql's \copy with the same columns as table_copy_sql(). */
static void
add_command(struct buffer *script, const struct table *table)
{
    buffer_printf(script, "\\copy public.%s (", table->name);
    for (size_t i = 0; i < table->column_count; i++)
        buffer_printf(script, "%s\"%s\"", i == 0 ? "" : ", ", table->columns[i].name);
    buffer_printf(script, ") from '%s.copy' with (format binary)\n", table->name);
}

static void
add_sequence(struct buffer *script, const struct table *table)
{
    buffer_printf(script,
        "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('public.%s', 'id'),"
        " GREATEST(max(id), 1), max(id) IS NOT NULL) FROM public.%s;\n",
        table->name, table->name);
}

static bool
save_script(struct ctx *ctx, const char *folder, const struct loading *loading)
{
    struct buffer script = { .arena = ctx->arena };
    const char *path = file_join(ctx->arena, folder, "load.sql");

    buffer_add(&script, "-- Loads the files beside it: cd here, then psql -X -f load.sql\n"
                        "\\set ON_ERROR_STOP on\nBEGIN;\n");
    for (size_t i = 0; i < loading->table_count; i++)
        add_command(&script, loading->tables[i]);
    buffer_add(&script, "\\o /dev/null\n");
    for (size_t i = 0; i < loading->table_count; i++)
        add_sequence(&script, loading->tables[i]);
    buffer_add(&script, "COMMIT;\n");
    for (size_t i = 0; i < loading->table_count; i++)
        buffer_printf(&script, "ANALYZE public.%s;\n", loading->tables[i]->name);
    return file_write(ctx, path, script.data, script.length, 0644);
}

bool
load_files(struct ctx *ctx, const char *folder, const struct world *world,
    const struct loading *loading, struct loaded *ret)
{
    struct show show CLEANUP(show_end) = { 0 };

    show_begin(&show, world, loading);
    if (!file_make_folder(ctx, folder))
        return false;
    for (size_t i = 0; i < loading->table_count; i++) {
        struct file_sink sink = {
            .sink.put = put_file,
            .show = &show,
            .table = loading->tables[i],
        };

        if (!save_table(ctx, folder, world, &sink, &ret[i]))
            return false;
        show_next(&show, world, loading->tables[i]);
    }
    return save_script(ctx, folder, loading);
}
