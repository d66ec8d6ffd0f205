#include "migrate/graph/graph_draw.h"

static const char *const kind_names[] = {
    [GRAPH_DUPLICATE_ID] = "duplicate-id",
    [GRAPH_MISSING_PARENT] = "missing-parent",
    [GRAPH_MISSING_DEPENDENCY] = "missing-dependency",
    [GRAPH_SELF_LOOP] = "self-loop",
    [GRAPH_CYCLE] = "cycle",
    [GRAPH_BAD_ID] = "bad-id",
    [GRAPH_AMBIGUOUS] = "ambiguous",
    [GRAPH_NO_ID] = "no-id",
    [GRAPH_EMPTY_PARENT] = "empty-parent",
};

static json_t *
text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *
id_of(const struct graph *graph, size_t node)
{
    return text_or_null(graph->nodes[node].revision->id);
}

static json_t *
ids(const struct graph *graph, const size_t *items, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, id_of(graph, items[i]));
    return array;
}

static bool
is_real_head(const struct node *node)
{
    return node->is_real_head;
}

static bool
is_real_base(const struct node *node)
{
    return node->is_real_base;
}

static bool
is_branch_point(const struct node *node)
{
    return node->is_branch_point && !node->is_shadowed;
}

static bool
is_merge_point(const struct node *node)
{
    return node->is_merge_point && !node->is_shadowed;
}

static json_t *
ids_where(const struct graph *graph, bool (*fits)(const struct node *node))
{
    json_t *array = json_array();

    for (size_t i = 0; i < graph->count; i++)
        if (graph->nodes[i].revision->id && fits(&graph->nodes[i]))
            json_array_append_new(array, id_of(graph, i));
    return array;
}

static json_t *
texts(const char *const *items, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(items[i]));
    return array;
}

static json_t *
revision_json(const struct graph *graph, const struct node *node)
{
    const struct revision *revision = node->revision;
    json_t *object = json_object();

    json_object_set_new(object, "id", text_or_null(revision->id));
    json_object_set_new(object, "file", json_string(revision->file));
    json_object_set_new(object, "message", text_or_null(revision->message));
    json_object_set_new(object, "down_revision", texts(revision->down.items, revision->down.count));
    json_object_set_new(
        object, "depends_on", ids(graph, node->dependencies.items, node->dependencies.count));
    json_object_set_new(object, "labels", texts(node->labels.items, node->labels.count));
    json_object_set_new(object, "position",
        node->position == SIZE_MAX ? json_null() : json_integer((json_int_t)node->position));
    json_object_set_new(object, "is_shadowed", json_boolean(node->is_shadowed));
    json_object_set_new(object, "failure", text_or_null(revision->failure));
    json_object_set_new(object, "unknown", text_or_null(revision->unknown));
    return object;
}

static json_t *
problem_json(const struct graph *graph, const struct graph_problem *problem)
{
    json_t *object = json_object();

    json_object_set_new(object, "kind", json_string(kind_names[problem->kind]));
    json_object_set_new(object, "id", text_or_null(problem->id));
    json_object_set_new(object, "revision", id_of(graph, problem->revision));
    json_object_set_new(
        object, "file", json_string(graph->nodes[problem->revision].revision->file));
    json_object_set_new(object, "message", text_or_null(problem->alembic));
    json_object_set_new(object, "stops_alembic_1_8", json_boolean(problem->is_fatal_1_8));
    json_object_set_new(object, "stops_alembic_1_19", json_boolean(problem->is_fatal_1_19));
    json_object_set_new(
        object, "revisions", ids(graph, problem->revisions.items, problem->revisions.count));
    return object;
}

json_t *
graph_json(const struct graph *graph)
{
    json_t *object = json_object();
    json_t *revisions = json_array(), *problems = json_array();

    for (size_t i = 0; i < graph->count; i++)
        json_array_append_new(revisions, revision_json(graph, &graph->nodes[i]));
    for (size_t i = 0; i < graph->problems.count; i++)
        json_array_append_new(problems, problem_json(graph, &graph->problems.items[i]));
    json_object_set_new(object, "heads", ids(graph, graph->heads.items, graph->heads.count));
    json_object_set_new(object, "real_heads", ids_where(graph, is_real_head));
    json_object_set_new(object, "bases", ids(graph, graph->bases.items, graph->bases.count));
    json_object_set_new(object, "real_bases", ids_where(graph, is_real_base));
    json_object_set_new(object, "branch_points", ids_where(graph, is_branch_point));
    json_object_set_new(object, "merge_points", ids_where(graph, is_merge_point));
    json_object_set_new(object, "order", ids(graph, graph->order.items, graph->order.count));
    json_object_set_new(
        object, "order_alembic_1_8", ids(graph, graph->order_1_8.items, graph->order_1_8.count));
    json_object_set_new(object, "loads_in_alembic_1_8", json_boolean(!graph->is_broken_1_8));
    json_object_set_new(object, "loads_in_alembic_1_19", json_boolean(!graph->is_broken_1_19));
    json_object_set_new(object, "problems", problems);
    json_object_set_new(object, "revisions", revisions);
    return object;
}
