/*
 * Alembic does not look for circles: it walks down from the heads and up from the bases, and calls
 * what it does not meet on both walks a cycle. So healthy revisions behind a circle are named too.
 */
#include <string.h>

#include "migrate/graph/graph_build.h"

enum { FROM_HEADS = 1, FROM_BASES = 2, FROM_BOTH = FROM_HEADS | FROM_BASES };

/* What a node follows (down), or what follows it: by down_revision, then by depends_on. */
static size_t
link_count(const struct node *node, bool is_down)
{
    return is_down ? node->parents.count + node->dependencies.count
                   : node->children.count + node->dependents.count;
}

static size_t
link_at(const struct node *node, bool is_down, size_t index)
{
    size_t first = is_down ? node->parents.count : node->children.count;

    if (index < first)
        return is_down ? node->parents.items[index] : node->children.items[index];
    return is_down ? node->dependencies.items[index - first]
                   : node->dependents.items[index - first];
}

struct walk {
    struct building *building;
    unsigned char *met; /* by node: FROM_… */
    size_t *stack;
    size_t depth;
    bool with_dependencies;
};

static void
meet(struct walk *walk, size_t index, unsigned char from)
{
    if (walk->met[index] & from)
        return;
    walk->met[index] |= from;
    walk->stack[walk->depth++] = index;
}

static void
spread(struct walk *walk, unsigned char from)
{
    bool is_down = from == FROM_HEADS;

    while (walk->depth > 0) {
        const struct node *node = &walk->building->graph->nodes[walk->stack[--walk->depth]];
        size_t direct = is_down ? node->parents.count : node->children.count;
        size_t count = walk->with_dependencies ? link_count(node, is_down) : direct;

        for (size_t i = 0; i < count; i++)
            meet(walk, link_at(node, is_down, i), from);
    }
}

/* A hidden file with the same id stands for the id, as for Alembic. */
static void
walk_ends(struct walk *walk, bool *ret_has_heads, bool *ret_has_bases)
{
    const struct building *building = walk->building;
    const struct graph *graph = building->graph;
    bool all = walk->with_dependencies;

    *ret_has_heads = *ret_has_bases = false;
    for (size_t i = 0; i < building->loaded.count; i++) {
        size_t index = building->loaded.items[i];
        const struct node *node = &graph->nodes[index];

        if (all ? node->is_real_head : node->is_head) {
            *ret_has_heads = true;
            meet(walk, index, FROM_HEADS);
        }
    }
    spread(walk, FROM_HEADS);
    for (size_t i = 0; i < building->loaded.count; i++) {
        size_t index = building->loaded.items[i];
        const struct node *node = &graph->nodes[index];

        if (all ? node->is_real_base : node->is_base) {
            *ret_has_bases = true;
            meet(walk, index, FROM_BASES);
        }
    }
    spread(walk, FROM_BASES);
}

static int
by_id(const void *a, const void *b, void *nodes)
{
    const struct node *items = nodes;

    return strcmp(items[*(const size_t *)a].revision->id, items[*(const size_t *)b].revision->id);
}

static struct graph_problem *
report(struct building *building, const char *kind, const struct indexes *left, bool is_fatal)
{
    struct arena *arena = building->ctx->arena;
    const struct node *nodes = building->graph->nodes;
    struct buffer ids = { .arena = arena };

    for (size_t i = 0; i < left->count; i++)
        buffer_printf(&ids, "%s%s", i > 0 ? ", " : "", nodes[left->items[i]].revision->id);

    const struct node *first = &nodes[left->items[0]];
    struct graph_problem *problem =
        graph_problem_add(building, GRAPH_CYCLE, first, first->revision->id, is_fatal);

    problem->alembic = arena_printf(arena, "%s is detected in revisions (%s)", kind, ids.data);
    problem->revisions.items = left->items;
    problem->revisions.count = left->count;
    problem->revisions.capacity = left->capacity;
    return problem;
}

/* Whether there is a cycle. */
static bool
find(struct walk *walk, const char *kind)
{
    struct building *building = walk->building;
    struct arena *arena = building->ctx->arena;
    struct graph *graph = building->graph;
    struct indexes left = { 0 };
    bool has_heads, has_bases;
    unsigned char *by_name;

    memset(walk->met, 0, graph->count);
    walk_ends(walk, &has_heads, &has_bases);
    by_name = ARENA_ARRAY(arena, unsigned char, graph->count + 1);
    for (size_t i = 0; i < building->loaded.count; i++) {
        size_t index = building->loaded.items[i];
        const struct node *node = map_get(&graph->by_id, graph->nodes[index].revision->id);

        by_name[node->revision->index] |= walk->met[index];
    }
    for (size_t i = 0; i < building->mapped.count; i++)
        if (!has_heads || !has_bases || by_name[building->mapped.items[i]] != FROM_BOTH)
            VEC_PUSH(arena, &left, building->mapped.items[i]);
    if (left.count == 0)
        return false;
    if (has_heads && has_bases)
        qsort_r(left.items, left.count, sizeof(left.items[0]), by_id, graph->nodes);
    report(building, kind, &left, true);
    return true;
}

static size_t
count_left(const struct node *node, bool is_down, const bool *is_taken)
{
    size_t count = 0;

    for (size_t i = 0; i < link_count(node, is_down); i++)
        count += !is_taken[link_at(node, is_down, i)];
    return count;
}

/*
 * Takes away nodes that follow none of those left (is_down), or that none of those left follows,
 * again and again. What neither way takes lies on circles or between two.
 */
static void
take_away(struct building *building, bool *is_taken, bool is_down)
{
    struct arena *arena = building->ctx->arena;
    const struct node *nodes = building->graph->nodes;
    size_t *waiting = ARENA_ARRAY(arena, size_t, building->graph->count + 1);
    struct indexes ready = { 0 };

    for (size_t i = 0; i < building->mapped.count; i++) {
        size_t index = building->mapped.items[i];

        waiting[index] = count_left(&nodes[index], is_down, is_taken);
        if (!is_taken[index] && waiting[index] == 0)
            VEC_PUSH(arena, &ready, index);
    }
    for (size_t i = 0; i < ready.count; i++) {
        const struct node *node = &nodes[ready.items[i]];

        is_taken[ready.items[i]] = true;
        for (size_t k = 0; k < link_count(node, !is_down); k++) {
            size_t next = link_at(node, !is_down, k);

            if (!is_taken[next] && --waiting[next] == 0)
                VEC_PUSH(arena, &ready, next);
        }
    }
}

/*
 * Circles that can be come by from heads and bases: Alembic does not see them, loads the folder, and
 * may go round and round when it is to upgrade. Where something else is wrong before, only real
 * circles are told.
 */
static void
find_unnoticed(struct building *building)
{
    struct arena *arena = building->ctx->arena;
    bool *is_taken = ARENA_ARRAY(arena, bool, building->graph->count + 1);
    bool is_told = building->is_broken;
    struct indexes left = { 0 };
    struct graph_problem *problem;

    take_away(building, is_taken, true);
    take_away(building, is_taken, false);
    for (size_t i = 0; i < building->mapped.count; i++)
        if (!is_taken[building->mapped.items[i]])
            VEC_PUSH(arena, &left, building->mapped.items[i]);
    if (left.count == 0)
        return;
    qsort_r(left.items, left.count, sizeof(left.items[0]), by_id, building->graph->nodes);
    problem = report(building, "Cycle", &left, is_told);
    if (!is_told)
        problem->alembic = arena_printf(arena,
            "%s: Alembic does not notice it, and upgrade follows a wrong order or never ends",
            problem->alembic);
}

void
graph_find_cycles(struct building *building)
{
    struct arena *arena = building->ctx->arena;
    size_t count = building->graph->count;
    struct walk walk = {
        .building = building,
        .met = ARENA_ARRAY(arena, unsigned char, count + 1),
        .stack = ARENA_ARRAY(arena, size_t, count + 1),
    };

    if (building->mapped.count == 0)
        return;
    if (!building->is_broken && find(&walk, "Cycle"))
        return;
    walk.with_dependencies = true;
    if (!building->is_broken && find(&walk, "Dependency cycle"))
        return;
    find_unnoticed(building);
}
