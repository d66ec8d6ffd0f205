#include "migrate/graph/graph_draw.h"

static const char *const trouble_names[] = {
    [GRAPH_DUPLICATE_ID] = "duplicate id",
    [GRAPH_MISSING_PARENT] = "missing parent",
    [GRAPH_MISSING_DEPENDENCY] = "missing dependency",
    [GRAPH_SELF_LOOP] = "follows itself",
    [GRAPH_CYCLE] = "in a cycle",
    [GRAPH_BAD_ID] = "bad id",
    [GRAPH_AMBIGUOUS] = "ambiguous name",
    [GRAPH_NO_ID] = "no revision",
    [GRAPH_EMPTY_PARENT] = "empty down_revision",
};

static bool
is_about(const struct graph_problem *problem, size_t node)
{
    if (problem->revision == node)
        return true;
    for (size_t i = 0; i < problem->revisions.count; i++)
        if (problem->revisions.items[i] == node)
            return true;
    return false;
}

const char *
graph_trouble(const struct graph *graph, size_t node)
{
    enum { ENOUGH = 200 }; /* problems that are looked through: a broken history has few */

    if (graph->nodes[node].revision->failure)
        return "cannot be read";
    for (size_t i = 0; i < graph->problems.count && i < ENOUGH; i++)
        if (is_about(&graph->problems.items[i], node))
            return trouble_names[graph->problems.items[i].kind];
    return NULL;
}

const char *
graph_marks(struct arena *arena, const struct graph *graph, const struct node *node)
{
    struct buffer marks = { .arena = arena };
    const char *trouble = graph_trouble(graph, node->revision->index);
    const struct {
        bool is_set;
        const char *text;
    } signs[] = {
        { node->is_head && node->is_real_head, "head" },
        { node->is_head && !node->is_real_head, "effective head" },
        { node->is_base, "base" },
        { node->is_merge_point, "merge" },
        { node->is_shadowed, "hidden" },
    };

    for (size_t i = 0; i < COUNT_OF(signs); i++)
        if (signs[i].is_set)
            buffer_printf(&marks, "%s[%s]", marks.length > 0 ? " " : "", signs[i].text);
    for (size_t i = 0; i < node->revision->labels.count; i++)
        buffer_printf(
            &marks, "%s[branch: %s]", marks.length > 0 ? " " : "", node->revision->labels.items[i]);
    if (trouble)
        buffer_printf(&marks, "%s[%s]", marks.length > 0 ? " " : "", trouble);
    return buffer_text(&marks);
}
