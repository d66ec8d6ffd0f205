/*
 * A branch label belongs to the revision that has it, to all that come after it by down_revision,
 * and to those before it as long as the line has no fork or merge.
 */
#include "migrate/graph/graph_build.h"

struct spread {
    struct building *building;
    uint32_t *seen; /* by node: number of the last label holder that met it */
    uint32_t holder;
    size_t *stack;
    size_t room; /* how many more labels may be inherited: bounds what thousands of labels cost */
};

static bool
give(struct spread *spread, struct node *node, const struct text_list *labels)
{
    size_t index = node->revision->index;

    if (spread->seen[index] == spread->holder || spread->room < labels->count)
        return false;
    spread->seen[index] = spread->holder;
    spread->room -= labels->count;
    for (size_t i = 0; i < labels->count; i++)
        VEC_PUSH(spread->building->ctx->arena, &node->labels, labels->items[i]);
    return true;
}

/* A fork by depends_on counts too. */
static bool
is_fork(const struct node *node)
{
    size_t others = 0;

    for (size_t i = 0; i < node->dependents.count; i++)
        others += node->children.count == 0 || node->dependents.items[i] != node->children.items[0];
    return node->children.count + others > 1;
}

/* Follows the line below the last revision until it forks or merges. */
static void
give_line(struct spread *spread, struct node *node, const struct text_list *labels)
{
    struct node *nodes = spread->building->graph->nodes;
    size_t steps = spread->building->graph->count;

    while (steps-- > 0 && !is_fork(node) && !node->is_merge_point) {
        give(spread, node, labels);
        if (node->parents.count == 0)
            return;
        node = &nodes[node->parents.items[0]];
    }
}

static void
spread_from(struct spread *spread, struct node *holder)
{
    struct node *nodes = spread->building->graph->nodes;
    const struct text_list *labels = &holder->revision->labels;
    struct node *last = holder;
    size_t depth = 0;

    spread->holder++;
    if (!give(spread, holder, labels))
        return;
    spread->stack[depth++] = holder->revision->index;
    while (depth > 0) {
        last = &nodes[spread->stack[--depth]];
        for (size_t i = 0; i < last->children.count; i++) {
            size_t child = last->children.items[i];

            if (give(spread, &nodes[child], labels))
                spread->stack[depth++] = child;
        }
    }
    give_line(spread, last, labels);
}

void
graph_inherit_labels(struct building *building)
{
    enum { MOST_INHERITED = 1 << 20 };
    struct arena *arena = building->ctx->arena;
    struct graph *graph = building->graph;
    struct spread spread = {
        .building = building,
        .seen = ARENA_ARRAY(arena, uint32_t, graph->count + 1),
        .stack = ARENA_ARRAY(arena, size_t, graph->count + 1),
        .room = MOST_INHERITED,
    };

    for (size_t i = 0; i < building->loaded.count; i++) {
        struct node *node = &graph->nodes[building->loaded.items[i]];

        if (node->revision->labels.count > 0)
            spread_from(&spread, node);
    }
}
