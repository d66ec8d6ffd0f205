#include "migrate/graph/region.h"

/* The last position in the order of these nodes, or the given one if that is later. */
static size_t
last_position(const struct graph *graph, const size_t *items, size_t count, size_t least)
{
    for (size_t i = 0; i < count; i++) {
        size_t position = graph->nodes[items[i]].position;

        if (position != SIZE_MAX && position > least)
            least = position;
    }
    return least;
}

/* Bases follow on nothing: up to the last of them no revision leads to all that come later. */
static size_t
last_base(const struct graph *graph)
{
    size_t last = 0;

    for (size_t i = 0; i < graph->order.count; i++) {
        const struct node *node = &graph->nodes[graph->order.items[i]];

        if (node->parents.count + node->dependencies.count == 0)
            last = i;
    }
    return last;
}

void
regions_find(struct arena *arena, const struct graph *graph, struct regions *ret)
{
    size_t reach = last_base(graph), region = 0;

    *ret = (struct regions){ .graph = graph };
    ret->items = ARENA_ARRAY(arena, size_t, graph->count + 1);
    for (size_t i = 0; i < graph->order.count; i++) {
        size_t index = graph->order.items[i];
        const struct node *node = &graph->nodes[index];
        bool is_cut = reach <= i;

        region += is_cut;
        ret->items[index] = region;
        region += is_cut;
        if (node->children.count + node->dependents.count == 0)
            reach = SIZE_MAX; /* an end: parallel to whatever comes later */
        reach = last_position(graph, node->children.items, node->children.count, reach);
        reach = last_position(graph, node->dependents.items, node->dependents.count, reach);
    }
}

bool
regions_are_parallel(const struct regions *regions, size_t a, size_t b)
{
    if (a == b || regions->items[a] != regions->items[b])
        return false;
    return !graph_is_ancestor(regions->graph, a, b) && !graph_is_ancestor(regions->graph, b, a);
}
