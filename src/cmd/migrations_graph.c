#include "base/term.h"
#include "cli/command.h"
#include "cli/out.h"
#include "migrate/graph/graph_draw.h"

struct options {
    const char *format;
    const char *section;
    uint32_t jobs;
};

static const char *const formats[] = { "text", "dot", "mermaid", NULL };

static const struct field options[] = {
    FIELD(struct options, format, .arg = "FORMAT", .standard = "text", .choices = formats,
        .help = "how it is drawn: text, dot (Graphviz) or mermaid"),
    FIELD(struct options, section, .arg = "NAME",
        .help = "section of alembic.ini, as of alembic --name (default: alembic)"),
    FIELD(struct options, jobs, .arg = "N", .standard = "0",
        .help = "threads that read files (0: one a processor)"),
};

static const char *
count_text(struct arena *arena, size_t count, const char *what)
{
    return arena_printf(arena, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

static void
print_summary(struct ctx *ctx, struct run *run, const struct graph *graph)
{
    size_t merges = 0;

    for (size_t i = 0; i < graph->count; i++)
        merges += graph->nodes[i].is_merge_point;
    fprintf(run->out, "\n%s: %s, %s, %s.\n", count_text(ctx->arena, graph->count, "revision"),
        count_text(ctx->arena, graph->heads.count, "head"),
        count_text(ctx->arena, graph->bases.count, "base"),
        count_text(ctx->arena, merges, "merge"));
    for (size_t i = 0; i < graph->problems.count; i++) {
        const struct graph_problem *problem = &graph->problems.items[i];

        out_mark_line(run->out,
            problem->is_fatal_1_8 || problem->is_fatal_1_19 ? MARK_FAIL : MARK_WARN, "%s: %s",
            graph->nodes[problem->revision].revision->file, problem->alembic);
    }
    if (graph->is_broken_1_8 != graph->is_broken_1_19)
        fprintf(run->out, "Alembic 1.8 %s this folder, Alembic 1.19 %s.\n",
            graph->is_broken_1_8 ? "refuses" : "loads",
            graph->is_broken_1_19 ? "refuses it" : "loads it");
    else if (graph->is_broken_1_8)
        fputs("Alembic cannot load this folder.\n", run->out);
}

static void
print_text(struct ctx *ctx, struct run *run, const struct graph *graph)
{
    size_t width = term_is_terminal(run->out) ? (size_t)term_width(run->out) : 0;

    fputs(graph_text(ctx->arena, graph, width), run->out);
    print_summary(ctx, run, graph);
    out_next(run->out, "pgmend migrations analyze");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const char *folder = run->operands.count > 0 ? run->operands.items[0] : NULL;
    struct environment environment;
    struct history history;
    struct graph graph;

    if (!environment_find(ctx, folder, opts->section, &environment) ||
        !history_read(ctx, &environment, opts->jobs, NULL, &history) ||
        !graph_build(ctx, &history, &graph))
        return false;
    if (run->global->json) {
        json_t *document CLEANUP(json_release) = graph_json(&graph);

        out_json(run->out, document);
    } else if (text_equal(opts->format, "dot")) {
        fputs(graph_dot(ctx->arena, &graph), run->out);
    } else if (text_equal(opts->format, "mermaid")) {
        fputs(graph_mermaid(ctx->arena, &graph), run->out);
    } else {
        print_text(ctx, run, &graph);
    }
    history_free(&history);
    return true;
}

const struct command cmd_migrations_graph = {
    .path = "migrations graph",
    .summary = "draw the graph of an Alembic history, with heads, merges and trouble marked",
    .details =
        "The files are read, never run. Newest first: what stands above comes after what stands "
        "below, in the order in which \"alembic upgrade heads\" applies it; * is a revision, ! one "
        "that something is wrong with. Revisions that Alembic cannot apply are listed at the end.\n\n"
        "DIR is a folder with alembic.ini, an alembic.ini, or a versions folder; without it the "
        "nearest alembic.ini from here up is taken.",
    .operands = "[DIR]",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend migrations graph\n"
                "pgmend migrations graph migrations/versions --format mermaid\n",
    .next = "pgmend migrations analyze",
    .run = run,
};
