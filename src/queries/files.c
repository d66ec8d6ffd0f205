#include "queries/files.h"

#include <glob.h>
#include <sys/stat.h>

#include "base/file.h"
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

/* What a trace that was killed has left beside the file that is not there. */
static bool
refuse_missing(struct ctx *ctx, const char *path)
{
    struct buffer pattern = { .arena = ctx->arena };
    glob_t found = { 0 };

    for (const char *at = path; *at; at++)
        buffer_printf(&pattern, strchr("*?[\\", *at) ? "\\%c" : "%c", *at);
    buffer_add(&pattern, ".??????");
    error_set(ctx, ERR_INPUT, "\"%s\" is not there", path);
    if (glob(buffer_text(&pattern), 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (trace_file_is(found.gl_pathv[i])) {
                error_hint(ctx, "\"%s\" was left by a trace that was killed, and can be read.",
                    found.gl_pathv[i]);
                break;
            }
    globfree(&found);
    return false;
}

/* JSON over several lines, as findings and plans are written, is no log: a line of that is whole. */
static bool
is_document(const char *path)
{
    struct stat status;
    char start[3] = "";
    FILE *file;

    /* Of a pipe nothing may be read before its time. */
    if (text_equal(path, "-") || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    file = fopen(path, "re");
    if (!file)
        return false;
    if (!fgets(start, sizeof(start), file))
        start[0] = '\0';
    fclose(file);
    return text_equal(start, "{\n");
}

static bool
refuse_document(struct ctx *ctx, const char *path)
{
    error_set(ctx, ERR_INPUT, "%s is neither a trace nor a log: it is a JSON document", path);
    return error_hint(ctx, "Findings are for: pgmend queries rewrite %s", path);
}

static bool
read_all(struct ctx *ctx, const struct text_list *paths, struct log_reader *reader,
    const struct query_files_options *options, struct query_files *ret)
{
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];

        if (!text_equal(path, "-") && !file_exists(path))
            return refuse_missing(ctx, path);
        if (is_document(path))
            return refuse_document(ctx, path);

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
