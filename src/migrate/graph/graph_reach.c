#include "migrate/graph/graph_build.h"

enum reached
graph_reach_guess(const struct graph_reach *reach, size_t ancestor, size_t descendant)
{
    uint32_t first = reach->first[ancestor], number = reach->first[descendant];

    if (reach->level[ancestor] == 0 || reach->level[descendant] == 0)
        return REACHED_UNKNOWN;
    if (number > first && number - first < reach->size[ancestor])
        return REACHED_YES;
    return reach->level[ancestor] >= reach->level[descendant] ? REACHED_NO : REACHED_UNKNOWN;
}

/* Puts those of the nodes that were not met on the stack; whether the wanted one is among them. */
static bool
push(struct graph_reach *reach, const size_t *items, size_t count, size_t *depth, size_t wanted)
{
    for (size_t i = 0; i < count; i++) {
        size_t next = items[i];

        if (next == wanted)
            return true;
        if (reach->seen[next] == reach->searches)
            continue;
        reach->seen[next] = reach->searches;

        switch (graph_reach_guess(reach, wanted, next)) {
        case REACHED_YES:
            return true;
        case REACHED_UNKNOWN:
            reach->stack[(*depth)++] = next;
            break;
        case REACHED_NO:
            break;
        }
    }
    return false;
}

bool
graph_is_ancestor(const struct graph *graph, size_t ancestor, size_t descendant)
{
    struct graph_reach *reach = graph->reach;
    size_t depth = 0;

    if (ancestor == descendant)
        return false;
    switch (graph_reach_guess(reach, ancestor, descendant)) {
    case REACHED_YES:
        return true;
    case REACHED_NO:
        return false;
    case REACHED_UNKNOWN:
        break;
    }
    reach->searches++;
    reach->seen[descendant] = reach->searches;
    reach->stack[depth++] = descendant;
    while (depth > 0) {
        const struct node *node = &graph->nodes[reach->stack[--depth]];

        if (push(reach, node->parents.items, node->parents.count, &depth, ancestor) ||
            push(reach, node->dependencies.items, node->dependencies.count, &depth, ancestor))
            return true;
    }
    return false;
}
