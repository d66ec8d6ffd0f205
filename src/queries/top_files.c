#include "queries/top_files.h"

#include "base/text.h"

static bool
read_trace(struct ctx *ctx, const char *path, const struct query_files_options *options,
    struct query_files *ret)
{
    struct trace_summary summary;

    if (!trace_file_read(ctx, path, options->templates, options->sink, options->data, &summary))
        return false;
    ret->traces++;
    ret->lost += summary.lost;
    ret->is_cut = ret->is_cut || summary.is_cut;
    ret->has_wire = ret->has_wire || text_equal(summary.source, "wire");
    return true;
}

static void
tell_ended(const struct query_files_options *options, struct log_reader *reader)
{
    const uint64_t *sessions;
    size_t count = log_reader_ended(reader, &sessions);

    for (size_t i = 0; options->ended && i < count; i++)
        options->ended(options->data, sessions[i]);
}

static bool
read_log(struct ctx *ctx, struct log_reader *reader, const char *path,
    const struct query_files_options *options, struct query_files *ret)
{
    if (!log_reader_file(ctx, reader, path))
        return false;
    ret->logs++;
    ret->log_format = arena_strdup(ctx->arena, log_reader_format(reader));
    tell_ended(options, reader);
    return true;
}

static bool
read_all(struct ctx *ctx, const struct text_list *paths, struct log_reader *reader,
    const struct query_files_options *options, struct query_files *ret)
{
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];
        bool is_good = !text_equal(path, "-") && trace_file_is(path)
                           ? read_trace(ctx, path, options, ret)
                           : read_log(ctx, reader, path, options, ret);

        if (!is_good)
            return false;
    }
    if (ret->logs > 0 && !log_reader_finish(ctx, reader))
        return false;
    ret->log = log_reader_counts(reader);
    tell_ended(options, reader);
    return true;
}

bool
query_files_read(struct ctx *ctx, const struct text_list *paths,
    const struct query_files_options *options, struct query_files *ret)
{
    struct log_reader *reader;

    *ret = (struct query_files){ 0 };
    if (!log_reader_new(
            ctx, &options->log, options->templates, options->sink, options->data, &reader))
        return false;

    bool is_good = read_all(ctx, paths, reader, options, ret);

    log_reader_free(reader);
    return is_good;
}
