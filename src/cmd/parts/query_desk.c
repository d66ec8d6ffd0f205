#include "cmd/parts/query_desk.h"

#include <stdatomic.h>

#include "base/log.h"

struct query_desk {
    struct query_desk_options options;
    struct arena *arena;
    struct templates *templates;
    struct detect *detect;
    struct trace_writer *writer; /* NULL: none */
    _Atomic uint64_t statements;
};

bool
query_desk_open(struct ctx *ctx, const struct query_desk_options *options, struct query_desk **ret)
{
    struct query_desk *desk = ARENA_NEW(ctx->arena, struct query_desk);
    const struct trace_file_options file = {
        .keeps_values = options->keeps_values,
        .most_bytes = options->most_bytes,
        .source = options->source,
    };

    desk->options = *options;
    if (options->output && !trace_writer_open(ctx, options->output, &file, &desk->writer))
        return false;
    if (desk->writer)
        log_info("The statements are written to %s, which becomes %s at the end.",
            trace_writer_path(desk->writer), options->output);
    desk->arena = arena_new();
    desk->templates = templates_new(desk->arena);
    desk->detect = detect_new(desk->arena, &options->detect);
    *ret = desk;
    return true;
}

void
query_desk_cleanup(struct query_desk **desk)
{
    if (!*desk)
        return;
    trace_writer_discard((*desk)->writer);
    detect_free((*desk)->detect);
    templates_free((*desk)->templates);
    arena_free((*desk)->arena);
    *desk = NULL;
}

struct templates *
query_desk_templates(struct query_desk *desk)
{
    return desk->templates;
}

/* The file can be written no more: that is told once. */
static void
tell_broken(struct ctx *ctx)
{
    log_warn("%s: no more is written into it; the traffic and the search for findings go on",
        ctx->error.message);
    error_clear(ctx);
}

bool
query_desk_take(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct query_desk *desk = data;

    detect_take(desk->detect, statement);
    atomic_fetch_add_explicit(&desk->statements, 1, memory_order_relaxed);
    if (desk->writer && !trace_writer_statement(ctx, desk->writer, statement))
        tell_broken(ctx);
    return true;
}

void
query_desk_tick(struct ctx *ctx, struct query_desk *desk)
{
    if (desk->writer && !trace_writer_tick(ctx, desk->writer))
        tell_broken(ctx);
}

void
query_desk_end_session(void *data, uint64_t session)
{
    struct query_desk *desk = data;

    detect_end_session(desk->detect, session);
}

void
query_desk_set_span(struct query_desk *desk, int64_t span_us)
{
    detect_set_span(desk->detect, span_us);
}

uint64_t
query_desk_statements(const struct query_desk *desk)
{
    return atomic_load_explicit(&desk->statements, memory_order_relaxed);
}

bool
query_desk_finish(
    struct ctx *ctx, struct query_desk *desk, int64_t lost, struct query_findings *ret)
{
    struct trace_writer *writer = desk->writer;

    detect_finish(desk->detect, ret);
    ret->source = desk->options.source;
    ret->lost = lost;
    desk->writer = NULL;
    return !writer || trace_writer_close(ctx, writer, lost);
}
