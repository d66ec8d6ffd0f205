#include <assert.h>
#include <string.h>

#include "migrate/graph/graph_build.h"

struct graph_problem *
graph_problem_add(struct building *building, enum graph_problem_kind kind, const struct node *node,
    const char *id, bool is_fatal)
{
    struct graph *graph = building->graph;
    struct graph_problem problem = {
        .kind = kind,
        .is_fatal_1_8 = is_fatal && building->is_1_8,
        .is_fatal_1_19 = is_fatal && !building->is_1_8,
        .revision = node->revision->index,
        .id = id,
    };

    building->is_broken |= is_fatal;
    VEC_PUSH(building->ctx->arena, &graph->problems, problem);
    return &graph->problems.items[graph->problems.count - 1];
}

static bool
cannot_be_loaded(const struct revision *revision)
{
    if (revision->failure)
        return true;
    for (size_t i = 0; i < revision->notes.count; i++)
        if (revision->notes.items[i].kind == NOTE_SYNTAX)
            return true;
    return false;
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Python's name of the module that Alembic makes of a file. */
static const char *
module_name(struct arena *arena, const char *file)
{
    char *name = arena_strdup(arena, base_name(file));

    for (char *c = name; *c; c++)
        if (!(*c & 0x80) &&
            !strchr("_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", *c))
            *c = '_';
    return name;
}

static void
check_characters(struct building *building, const struct node *node)
{
    const char *illegal = building->is_1_8 ? "+-@" : "+-:@";
    const char *id = node->revision->id;
    struct buffer found = { .arena = building->ctx->arena };

    for (const char *c = illegal; *c; c++)
        if (strchr(id, *c))
            buffer_printf(&found, "%s%c", found.length > 0 ? ", " : "", *c);
    if (found.length > 0)
        graph_problem_add(building, GRAPH_BAD_ID, node, id, true)->alembic =
            arena_printf(building->ctx->arena,
                "Character(s) '%s' not allowed in revision identifier '%s'", found.data, id);
}

static void
check_self_loop(struct building *building, const struct node *node)
{
    const struct revision *revision = node->revision;
    const char *kind = NULL;

    if (text_list_has(&revision->down, revision->id))
        kind = "Self-loop";
    else if (text_list_has(&revision->depends_on, revision->id))
        kind = "Dependency self-loop";
    if (!kind)
        return;
    building->is_incomplete[revision->index] = true;

    struct graph_problem *problem =
        graph_problem_add(building, GRAPH_SELF_LOOP, node, revision->id, true);

    problem->alembic =
        arena_printf(building->ctx->arena, "%s is detected in revisions (%s)", kind, revision->id);
    VEC_PUSH(building->ctx->arena, &problem->revisions, revision->index);
}

/* What Alembic finds out when it imports a file; false: there is no id to know it by. */
static bool
check_file(struct building *building, const struct node *node)
{
    struct arena *arena = building->ctx->arena;
    const struct revision *revision = node->revision;

    building->is_broken |= cannot_be_loaded(revision);
    if (!revision->id && (revision->unknown || revision->failure)) {
        building->has_unknown_id = true;
        return false;
    }
    if (!revision->id) {
        graph_problem_add(building, GRAPH_NO_ID, node, NULL, true)->alembic = arena_printf(arena,
            "Could not determine revision id from filename %s. Be sure the 'revision' variable is "
            "declared inside the script (please see 'Upgrading from Alembic 0.1 to 0.2' in the "
            "documentation).",
            base_name(revision->file));
        return false;
    }
    if (revision->is_down_missing)
        graph_problem_add(building, GRAPH_NO_ID, node, revision->id, true)->alembic =
            arena_printf(arena, "module '%s' has no attribute 'down_revision'",
                module_name(arena, revision->file));
    building->is_incomplete[revision->index] =
        revision->is_down_missing || revision->is_down_unknown;
    check_self_loop(building, node);
    check_characters(building, node);
    return true;
}

static void
load(struct building *building, struct node *node, size_t *rank)
{
    struct arena *arena = building->ctx->arena;
    struct graph *graph = building->graph;
    size_t index = node->revision->index;

    if (!check_file(building, node))
        return;

    const char *id = node->revision->id;
    struct node *earlier = map_get(&graph->by_id, id);

    if (earlier) {
        size_t first = earlier->revision->index;
        struct graph_problem *problem =
            graph_problem_add(building, GRAPH_DUPLICATE_ID, node, id, false);

        problem->alembic = arena_printf(arena, "Revision %s is present more than once", id);
        VEC_PUSH(arena, &problem->revisions, first);
        VEC_PUSH(arena, &problem->revisions, index);
        earlier->is_shadowed = true;
        rank[index] = rank[first];
        assert(building->mapped.items);
        building->mapped.items[rank[index]] = index;
    } else {
        rank[index] = building->mapped.count;
        VEC_PUSH(arena, &building->mapped, index);
    }
    map_set(&graph->by_id, id, node);
    map_set(&building->names, id, node);
    VEC_PUSH(arena, &building->loaded, index);
    node->is_head = node->is_real_head = true;
    node->is_base = node->revision->down.count == 0 && !node->revision->is_down_missing &&
                    !node->revision->is_down_unknown;
    node->is_real_base = node->is_base && node->revision->depends_on.count == 0;
}

static void
name_labels(struct building *building, struct node *node)
{
    const struct text_list *labels = &node->revision->labels;

    for (size_t i = 0; i < labels->count; i++) {
        const struct node *holder = map_get(&building->names, labels->items[i]);

        if (holder)
            graph_problem_add(building, GRAPH_AMBIGUOUS, node, labels->items[i], true)->alembic =
                arena_printf(building->ctx->arena,
                    "Branch name '%s' in revision %s already used by revision %s", labels->items[i],
                    node->revision->id, holder->revision->id);
        else
            map_set(&building->names, labels->items[i], node);
    }
}

/* How many ids begin with the text, as Alembic counts when a user types a shortened one. */
static size_t
count_partial(const struct building *building, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < building->mapped.count; i++) {
        const char *id = building->graph->nodes[building->mapped.items[i]].revision->id;

        count += strlen(id) > 3 && text_starts_with(id, text);
    }
    return count;
}

/* Files do not get shortened ids resolved: only the command line does. */
static void
add_missing(
    struct building *building, struct node *node, enum graph_problem_kind kind, const char *id)
{
    enum { MOST_EXPLAINED = 100 }; /* of the search through all ids */
    struct arena *arena = building->ctx->arena;
    bool is_explained = building->graph->problems.count < MOST_EXPLAINED && *id;
    size_t fits = is_explained ? count_partial(building, id) : 0;
    const char *text = arena_printf(
        arena, "Revision %s referenced from %s is not present", id, node->revision->id);

    building->is_incomplete[node->revision->index] = true;
    if (fits > 0)
        text = arena_printf(arena,
            "%s (%zu %s with it, but only the command line takes shortened ids)", text, fits,
            fits == 1 ? "id begins" : "ids begin");
    graph_problem_add(
        building, fits > 1 ? GRAPH_AMBIGUOUS : kind, node, id, !building->has_unknown_id)
        ->alembic = text;
}

/* Whether the link is new; mark holds the last node that each was linked to. */
static bool
is_first(size_t *mark, size_t from, size_t to)
{
    if (mark[to] == from + 1)
        return false;
    mark[to] = from + 1;
    return true;
}

static void
link_dependencies(struct building *building, struct node *node, size_t *mark)
{
    struct arena *arena = building->ctx->arena;
    const struct text_list *wanted = &node->revision->depends_on;
    size_t index = node->revision->index;

    if (wanted->count == 1 && !*wanted->items[0])
        return;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct node *named = map_get(&building->names, wanted->items[i]);

        if (!named) {
            add_missing(building, node, GRAPH_MISSING_DEPENDENCY, wanted->items[i]);
            continue;
        }

        struct node *found = map_get(&building->graph->by_id, named->revision->id);

        if (!is_first(mark, index, found->revision->index))
            continue;
        VEC_PUSH(arena, &node->dependencies, found->revision->index);
        if (node->is_shadowed)
            continue;
        VEC_PUSH(arena, &found->dependents, index);
        found->is_real_head = false;
    }
}

static void
link_parents(struct building *building, struct node *node, size_t *mark)
{
    struct arena *arena = building->ctx->arena;
    const struct text_list *wanted = &node->revision->down;
    size_t index = node->revision->index;

    node->is_merge_point = wanted->count > 1;
    for (size_t i = 0; i < wanted->count; i++) {
        struct node *found = map_get(&building->graph->by_id, wanted->items[i]);

        if (!found) {
            add_missing(building, node, GRAPH_MISSING_PARENT, wanted->items[i]);
            continue;
        }
        if (found == node || !is_first(mark, index, found->revision->index))
            continue;
        VEC_PUSH(arena, &node->parents, found->revision->index);
        if (node->is_shadowed)
            continue;
        VEC_PUSH(arena, &found->children, index);
        found->is_head = found->is_real_head = false;
    }
}

static void
check_empty_parent(struct building *building, const struct node *node)
{
    if (node->revision->is_down_empty_text)
        graph_problem_add(building, GRAPH_EMPTY_PARENT, node, "", !building->is_1_8)->alembic =
            arena_printf(building->ctx->arena, "Revision  referenced from %s is not present",
                node->revision->id);
}

/* Parents of ids that count first: Alembic stumbles over a hidden file's parent only later. */
static void
link_nodes(struct building *building)
{
    struct arena *arena = building->ctx->arena;
    struct graph *graph = building->graph;
    size_t *parent_mark = ARENA_ARRAY(arena, size_t, graph->count + 1);
    size_t *dependency_mark = ARENA_ARRAY(arena, size_t, graph->count + 1);

    for (size_t i = 0; i < building->loaded.count; i++)
        name_labels(building, &graph->nodes[building->loaded.items[i]]);
    for (size_t i = 0; i < building->loaded.count; i++)
        link_dependencies(building, &graph->nodes[building->loaded.items[i]], dependency_mark);
    for (size_t i = 0; i < building->mapped.count; i++) {
        check_empty_parent(building, &graph->nodes[building->mapped.items[i]]);
        link_parents(building, &graph->nodes[building->mapped.items[i]], parent_mark);
    }
    for (size_t i = 0; i < building->loaded.count; i++)
        if (graph->nodes[building->loaded.items[i]].is_shadowed)
            link_parents(building, &graph->nodes[building->loaded.items[i]], parent_mark);
}

static void
set_ends(struct building *building)
{
    struct arena *arena = building->ctx->arena;
    struct graph *graph = building->graph;

    for (size_t i = 0; i < building->loaded.count; i++) {
        size_t index = building->loaded.items[i];
        struct node *node = &graph->nodes[index];

        node->is_branch_point = node->children.count > 1;
        if (node->is_head)
            VEC_PUSH(arena, &graph->heads, index);
        if (node->is_base)
            VEC_PUSH(arena, &graph->bases, index);
    }
}

/* What the given version makes of the files, read in this order. */
static void
build(struct building *building, const size_t *reading)
{
    struct arena *arena = building->ctx->arena;
    struct graph *graph = building->graph;
    size_t *rank;

    graph->count = building->history->count;
    graph->nodes = ARENA_ARRAY(arena, struct node, graph->count + 1);
    graph->by_id.arena = building->names.arena = arena;
    rank = ARENA_ARRAY(arena, size_t, graph->count + 1);
    building->is_incomplete = ARENA_ARRAY(arena, bool, graph->count + 1);
    for (size_t i = 0; i < graph->count; i++) {
        graph->nodes[i].revision = &building->history->items[i];
        graph->nodes[i].position = SIZE_MAX;
    }
    for (size_t i = 0; i < graph->count; i++)
        load(building, &graph->nodes[reading[i]], rank);
    link_nodes(building);
    set_ends(building);
    graph_find_cycles(building);
    graph_set_order(building);
    graph_inherit_labels(building);
}

static int
by_reading(const void *a, const void *b, void *history)
{
    const struct revision *items = ((const struct history *)history)->items;
    size_t first = *(const size_t *)a, second = *(const size_t *)b;
    size_t left = items[first].read_1_8, right = items[second].read_1_8;

    if (left == right)
        return (first > second) - (first < second);
    return left < right ? -1 : 1;
}

/* "kind revision id": two versions' problems with this text are one, as are their cycles. */
static const char *
problem_key(struct arena *arena, const struct graph_problem *problem)
{
    if (problem->kind == GRAPH_CYCLE)
        return "cycle";
    return arena_printf(
        arena, "%d %zu %s", (int)problem->kind, problem->revision, problem->id ? problem->id : "");
}

/* Adds to the newer version's problems what the older one says. */
static void
merge_problems(struct ctx *ctx, struct graph *graph, const struct graph *older)
{
    struct map known = { .arena = ctx->arena };
    size_t count = graph->problems.count;

    for (size_t i = 0; i < older->problems.count; i++)
        map_set(
            &known, problem_key(ctx->arena, &older->problems.items[i]), &older->problems.items[i]);
    for (size_t i = 0; i < count; i++) {
        struct graph_problem *problem = &graph->problems.items[i];
        const char *key = problem_key(ctx->arena, problem);
        const struct graph_problem *same = map_get(&known, key);

        if (!same)
            continue;
        problem->is_fatal_1_8 = same->is_fatal_1_8;
        map_set(&known, key, NULL);
    }
    for (size_t i = 0; i < older->problems.count; i++)
        if (map_get(&known, problem_key(ctx->arena, &older->problems.items[i])) ==
                &older->problems.items[i] &&
            older->problems.items[i].kind != GRAPH_DUPLICATE_ID)
            VEC_PUSH(ctx->arena, &graph->problems, older->problems.items[i]);
}

bool
graph_build(struct ctx *ctx, const struct history *history, struct graph *ret)
{
    struct graph older = { 0 };
    struct building newest = { .ctx = ctx, .history = history, .graph = ret };
    struct building oldest = { .ctx = ctx, .history = history, .graph = &older, .is_1_8 = true };
    size_t *reading = ARENA_ARRAY(ctx->arena, size_t, history->count + 1);

    *ret = (struct graph){ 0 };
    for (size_t i = 0; i < history->count; i++)
        reading[i] = i;
    build(&newest, reading);
    qsort_r(reading, history->count, sizeof(reading[0]), by_reading, (void *)(uintptr_t)history);
    build(&oldest, reading);
    merge_problems(ctx, ret, &older);
    ret->order_1_8.items = older.order.items;
    ret->order_1_8.count = older.order.count;
    ret->order_1_8.capacity = older.order.capacity;
    ret->is_broken_1_8 = oldest.is_broken;
    ret->is_broken_1_19 = newest.is_broken;
    return true;
}
