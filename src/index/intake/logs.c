/* The server's logs as a workload. */
#include <inttypes.h>

#include "base/memory.h"
#include "index/intake/intake_part.h"

struct reading {
    struct gather gather;
    const char *path;
    int64_t first_us;
    int64_t last_us; /* 0: the lines tell no times */
    int64_t failed;
    int64_t without_values;
};

static void
note_time(struct reading *reading, const struct traced_statement *statement)
{
    if (statement->started_us <= 0)
        return;
    if (reading->first_us == 0 || statement->started_us < reading->first_us)
        reading->first_us = statement->started_us;
    if (statement->started_us > reading->last_us)
        reading->last_us = statement->started_us;
}

static bool
take(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    enum { MOST_PARAMS = 65536 };
    struct reading *reading = data;
    char source[512];
    size_t count = statement->param_count < MOST_PARAMS ? statement->param_count : MOST_PARAMS;
    const char **params = NULL;

    (void)ctx;
    if (!statement->sql)
        return true;
    if (statement->is_failed) {
        reading->failed++;
        return true;
    }
    (void)snprintf(source, sizeof(source), "%s:%" PRIu64, reading->path, statement->line);
    if (count > 0) {
        params = calloc(count, sizeof(params[0]));
        if (!params)
            memory_exhausted(0);
        for (size_t i = 0; i < count; i++)
            params[i] = statement->values[i].text;
    }
    note_time(reading, statement);
    reading->without_values += statement->template->param_count > statement->param_count;
    gather_add(&reading->gather, statement->sql,
        &(struct gather_seen){
            .source = source,
            .calls = 1,
            .total_ms = statement->elapsed_us < 0 ? -1 : (double)statement->elapsed_us / 1000,
            .rows = statement->rows < 0 ? -1 : (double)statement->rows,
            .has_constants = true,
            .params = params,
            .param_count = count,
        });
    free(params);
    return true;
}

static void
note(struct ctx *ctx, struct intake *intake, int64_t count, const char *what)
{
    if (count > 0)
        text_list_add(
            ctx->arena, &intake->notes, arena_printf(ctx->arena, "%" PRId64 " %s", count, what));
}

static void
finish(struct ctx *ctx, struct reading *reading, const struct log_counts *counts, size_t files,
    struct intake *ret)
{
    gather_finish(&reading->gather, ret);
    ret->other_databases = counts->other_databases;
    ret->source = arena_printf(ctx->arena, "%zu log file%s", files, files == 1 ? "" : "s");
    if (reading->last_us > reading->first_us)
        ret->span_s = (double)(reading->last_us - reading->first_us) / 1e6;
    note(ctx, ret, counts->broken, "lines of the log are cut off or mixed and were left out.");
    note(ctx, ret, counts->foreign,
        "messages are in another language (lc_messages) and were not understood.");
    note(ctx, ret, counts->without_duration,
        "statements were logged without how long they took (log_min_duration_statement, log_duration).");
    note(ctx, ret, reading->failed, "statements failed and do not count.");
    note(ctx, ret, reading->without_values,
        "statements were logged without the values of their parameters"
        " (log_parameter_max_length, auto_explain.log_parameter_max_length).");
}

static bool
read_all(struct ctx *ctx, struct reading *reading, const struct text_list *paths,
    struct log_reader *reader)
{
    for (size_t i = 0; i < paths->count; i++) {
        const char *slash = strrchr(paths->items[i], '/');

        reading->path = slash ? slash + 1 : paths->items[i];
        if (!log_reader_file(ctx, reader, paths->items[i]))
            return false;
    }
    return log_reader_finish(ctx, reader);
}

bool
intake_logs(struct ctx *ctx, const struct text_list *paths, const struct log_options *options,
    struct intake *ret)
{
    struct reading reading = { 0 };
    struct log_options wanted = *options;
    struct templates *templates = templates_new(ctx->arena);
    struct log_reader *reader;
    bool is_good;

    *ret = (struct intake){ .span_s = -1 };
    wanted.keeps_sql = true;
    wanted.keeps_values = true;
    is_good = log_reader_new(ctx, &wanted, templates, take, &reading, &reader);
    if (is_good) {
        gather_begin(ctx->arena, &reading.gather);
        is_good = read_all(ctx, &reading, paths, reader);
        if (is_good) {
            struct log_counts counts = log_reader_counts(reader);

            finish(ctx, &reading, &counts, paths->count, ret);
        }
        gather_end(&reading.gather);
        log_reader_free(reader);
    }
    templates_free(templates);
    return is_good;
}
