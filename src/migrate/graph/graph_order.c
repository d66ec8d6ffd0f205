/*
 * The order of `alembic upgrade heads`. Alembic walks down from the heads and turns the list round
 * at the end. It keeps a list of lines, follows one as far as it can (until a revision that another
 * line still needs), and then goes on with the first line in the list that comes down to it. Which
 * of several is first is the order in which files were read, then the order in down_revision.
 * Alembic goes through all ancestors at each step; here a revision counts what still stands above
 * it, so that time is linear but for the search for the next line, which the numbers of a tree
 * answer nearly always.
 */
#include "migrate/graph/graph_build.h"

struct line {
    struct line *previous, *next; /* in the order of the list */
    size_t node;
    size_t number;
};

struct sorting {
    struct building *building;
    struct graph_reach *reach;
    struct indexes *needs; /* by node: parents, and dependencies that no ancestor has already */
    struct indexes *above; /* by node: the nodes that need it */
    size_t *waiting;       /* by node: how many of those are not in the list yet */
    bool *is_done;
    struct line **lines; /* by node: the line that stands at it, or NULL */
    struct line *first_line, *last_line;
    size_t line_count;
};

/* Kahn 1962: every node whose ancestors are all there, those before each node in front of it. */
static struct indexes
sort_any(const struct building *building)
{
    struct arena *arena = building->ctx->arena;
    const struct node *nodes = building->graph->nodes;
    size_t *missing = ARENA_ARRAY(arena, size_t, building->graph->count + 1);
    struct indexes sorted = { 0 };

    for (size_t i = 0; i < building->mapped.count; i++) {
        size_t index = building->mapped.items[i];

        missing[index] = nodes[index].parents.count + nodes[index].dependencies.count +
                         building->is_incomplete[index];
        if (missing[index] == 0)
            VEC_PUSH(arena, &sorted, index);
    }
    for (size_t i = 0; i < sorted.count; i++) {
        const struct node *node = &nodes[sorted.items[i]];

        for (size_t k = 0; k < node->children.count; k++)
            if (--missing[node->children.items[k]] == 0)
                VEC_PUSH(arena, &sorted, node->children.items[k]);
        for (size_t k = 0; k < node->dependents.count; k++)
            if (--missing[node->dependents.items[k]] == 0)
                VEC_PUSH(arena, &sorted, node->dependents.items[k]);
    }
    return sorted;
}

/* Up to 64 revisions that several others depend on, a bit each. */
struct dropping {
    size_t nodes[64];
    size_t count;
    uint64_t *bit;     /* by node: its own, or 0 */
    uint64_t *above;   /* by node: what its ancestors by down_revision depend on */
    bool **is_dropped; /* by node and dependency; NULL: none */
};

static void
drop_known(const struct building *building, const struct indexes *sorted, struct dropping *drop)
{
    const struct node *nodes = building->graph->nodes;

    for (size_t i = 0; i < drop->count; i++)
        drop->bit[drop->nodes[i]] = UINT64_C(1) << i;
    for (size_t i = 0; i < sorted->count; i++) {
        size_t index = sorted->items[i];
        const struct node *node = &nodes[index];
        uint64_t known = 0;

        for (size_t k = 0; k < node->parents.count; k++) {
            const struct node *parent = &nodes[node->parents.items[k]];

            known |= drop->above[node->parents.items[k]];
            for (size_t d = 0; d < parent->dependencies.count; d++)
                known |= drop->bit[parent->dependencies.items[d]];
        }
        drop->above[index] = known;
        for (size_t d = 0; known && d < node->dependencies.count; d++) {
            if (!(known & drop->bit[node->dependencies.items[d]]))
                continue;
            if (!drop->is_dropped[index])
                drop->is_dropped[index] =
                    ARENA_ARRAY(building->ctx->arena, bool, node->dependencies.count);
            drop->is_dropped[index][d] = true;
        }
    }
    for (size_t i = 0; i < drop->count; i++)
        drop->bit[drop->nodes[i]] = 0;
    drop->count = 0;
}

/* Which dependencies an ancestor by down_revision has too: Alembic does not follow them again. */
static bool **
find_known(const struct building *building, const struct indexes *sorted)
{
    struct arena *arena = building->ctx->arena;
    const struct node *nodes = building->graph->nodes;
    size_t count = building->graph->count + 1;
    struct dropping drop = {
        .bit = ARENA_ARRAY(arena, uint64_t, count),
        .above = ARENA_ARRAY(arena, uint64_t, count),
        .is_dropped = ARENA_ARRAY(arena, bool *, count),
    };

    for (size_t i = 0; i < sorted->count; i++) {
        if (nodes[sorted->items[i]].dependents.count < 2)
            continue;
        drop.nodes[drop.count++] = sorted->items[i];
        if (drop.count == COUNT_OF(drop.nodes))
            drop_known(building, sorted, &drop);
    }
    if (drop.count > 0)
        drop_known(building, sorted, &drop);
    return drop.is_dropped;
}

static void
add_need(struct sorting *sorting, size_t node, size_t needed)
{
    struct arena *arena = sorting->building->ctx->arena;

    VEC_PUSH(arena, &sorting->needs[node], needed);
    VEC_PUSH(arena, &sorting->above[needed], node);
    sorting->waiting[needed]++;
}

static void
set_needs(struct sorting *sorting, const struct indexes *sorted)
{
    const struct building *building = sorting->building;
    const struct node *nodes = building->graph->nodes;
    bool **is_dropped = find_known(building, sorted);
    size_t *mark = ARENA_ARRAY(building->ctx->arena, size_t, building->graph->count + 1);

    for (size_t i = 0; i < sorted->count; i++) {
        size_t index = sorted->items[i];
        const struct node *node = &nodes[index];

        for (size_t k = 0; k < node->parents.count; k++) {
            mark[node->parents.items[k]] = index + 1;
            add_need(sorting, index, node->parents.items[k]);
        }
        for (size_t k = 0; k < node->dependencies.count; k++)
            if (mark[node->dependencies.items[k]] != index + 1 &&
                !(is_dropped[index] && is_dropped[index][k]))
                add_need(sorting, index, node->dependencies.items[k]);
    }
}

static void
set_reach(const struct sorting *sorting, const struct indexes *sorted)
{
    struct graph_reach *reach = sorting->reach;
    uint32_t *next =
        ARENA_ARRAY(sorting->building->ctx->arena, uint32_t, sorting->building->graph->count + 1);
    uint32_t numbers = 1;

    for (size_t i = sorted->count; i-- > 0;) {
        size_t index = sorted->items[i];

        reach->size[index]++;
        if (sorting->needs[index].count > 0)
            reach->size[sorting->needs[index].items[0]] += reach->size[index];
    }
    for (size_t i = 0; i < sorted->count; i++) {
        size_t index = sorted->items[i];
        const struct indexes *needs = &sorting->needs[index];
        uint32_t *from = needs->count > 0 ? &next[needs->items[0]] : &numbers;

        reach->first[index] = *from;
        *from += reach->size[index];
        next[index] = reach->first[index] + 1;
        reach->level[index] = 1;
        for (size_t k = 0; k < needs->count; k++)
            if (reach->level[needs->items[k]] >= reach->level[index])
                reach->level[index] = reach->level[needs->items[k]] + 1;
    }
}

/* The first line that comes down to the node, found by going up from it. */
static struct line *
search_up(const struct sorting *sorting, size_t node)
{
    struct graph_reach *reach = sorting->reach;
    struct line *first = NULL;
    size_t depth = 0;

    reach->searches++;
    reach->stack[depth++] = node;
    while (depth > 0) {
        const struct indexes *above = &sorting->above[reach->stack[--depth]];

        for (size_t i = 0; i < above->count; i++) {
            size_t next = above->items[i];
            struct line *line = sorting->lines[next];

            if (sorting->is_done[next] || reach->seen[next] == reach->searches)
                continue;
            reach->seen[next] = reach->searches;
            reach->stack[depth++] = next;
            if (line && (!first || line->number < first->number))
                first = line;
        }
    }
    return first;
}

static struct line *
line_above(const struct sorting *sorting, const struct line *current)
{
    for (struct line *line = sorting->first_line; line; line = line->next) {
        if (line == current)
            continue;
        switch (graph_reach_guess(sorting->reach, current->node, line->node)) {
        case REACHED_YES:
            return line;
        case REACHED_NO:
            continue;
        case REACHED_UNKNOWN:
            return search_up(sorting, current->node);
        }
    }
    return NULL;
}

static void
add_line(struct sorting *sorting, size_t node)
{
    struct line *line = ARENA_NEW(sorting->building->ctx->arena, struct line);

    *line = (struct line){
        .previous = sorting->last_line,
        .node = node,
        .number = sorting->line_count++,
    };
    *(line->previous ? &line->previous->next : &sorting->first_line) = line;
    sorting->last_line = line;
    sorting->lines[node] = line;
}

/* Takes the line out; the one before it is next, the first if there is none before it. */
static struct line *
end_line(struct sorting *sorting, const struct line *line)
{
    *(line->previous ? &line->previous->next : &sorting->first_line) = line->next;
    *(line->next ? &line->next->previous : &sorting->last_line) = line->previous;
    return line->previous ? line->previous : sorting->first_line;
}

/* The line stands at a node that nothing above needs any more: puts it into the list. */
static struct line *
take(struct sorting *sorting, struct line *line, struct indexes *taken)
{
    size_t index = line->node;
    const struct indexes *needs = &sorting->needs[index];
    bool is_moved = false;

    taken->items[taken->count++] = index;
    sorting->is_done[index] = true;
    sorting->lines[index] = NULL;
    for (size_t i = 0; i < needs->count; i++) {
        size_t next = needs->items[i];

        sorting->waiting[next]--;
        if (sorting->lines[next])
            continue;
        if (is_moved) {
            add_line(sorting, next);
            continue;
        }
        is_moved = true;
        line->node = next;
        sorting->lines[next] = line;
    }
    return is_moved ? line : end_line(sorting, line);
}

void
graph_set_order(struct building *building)
{
    struct arena *arena = building->ctx->arena;
    struct graph *graph = building->graph;
    struct indexes sorted = sort_any(building);
    struct indexes taken = { .items = ARENA_ARRAY(arena, size_t, sorted.count + 1) };
    size_t room = graph->count + 1;
    struct sorting sorting = {
        .building = building,
        .reach = ARENA_NEW(arena, struct graph_reach),
        .needs = ARENA_ARRAY(arena, struct indexes, room),
        .above = ARENA_ARRAY(arena, struct indexes, room),
        .waiting = ARENA_ARRAY(arena, size_t, room),
        .is_done = ARENA_ARRAY(arena, bool, room),
        .lines = ARENA_ARRAY(arena, struct line *, room),
    };

    *sorting.reach = (struct graph_reach){
        .first = ARENA_ARRAY(arena, uint32_t, room),
        .size = ARENA_ARRAY(arena, uint32_t, room),
        .level = ARENA_ARRAY(arena, uint32_t, room),
        .seen = ARENA_ARRAY(arena, uint32_t, room),
        .stack = ARENA_ARRAY(arena, size_t, room),
    };
    graph->reach = sorting.reach;
    set_needs(&sorting, &sorted);
    set_reach(&sorting, &sorted);
    for (size_t i = 0; i < building->mapped.count; i++) {
        size_t index = building->mapped.items[i];

        if (sorting.reach->level[index] > 0 && sorting.waiting[index] == 0)
            add_line(&sorting, index);
    }
    for (struct line *line = sorting.first_line; line;)
        line = sorting.waiting[line->node] > 0 ? line_above(&sorting, line)
                                               : take(&sorting, line, &taken);
    for (size_t i = taken.count; i-- > 0;) {
        graph->nodes[taken.items[i]].position = graph->order.count;
        VEC_PUSH(arena, &graph->order, taken.items[i]);
    }
}
