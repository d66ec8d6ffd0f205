#include "migrate/graph/graph_draw.h"

/* Inside of a quoted text: " and \ are escaped, line ends and control characters are spaces. */
static void
put_text(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append(out, "\\", 1);
        buffer_append(out, (unsigned char)*text < ' ' || *text == 0x7F ? " " : text, 1);
    }
}

static const char *
colour_of(const struct graph *graph, const struct node *node)
{
    if (graph_trouble(graph, node->revision->index))
        return "#f8d0d0";
    if (node->is_head)
        return "#d0e8d0";
    return node->is_merge_point ? "#e0e0f0" : "#ffffff";
}

static void
put_node(struct arena *arena, struct buffer *out, const struct graph *graph, size_t index)
{
    const struct node *node = &graph->nodes[index];
    const struct revision *revision = node->revision;
    const char *marks = graph_marks(arena, graph, node);

    buffer_printf(out, "  n%zu [label=\"", index);
    put_text(out, revision->id ? revision->id : revision->file);
    if (revision->message) {
        buffer_add(out, "\\n");
        put_text(out, revision->message);
    }
    if (*marks) {
        buffer_add(out, "\\n");
        put_text(out, marks);
    }
    buffer_printf(out, "\", fillcolor=\"%s\"];\n", colour_of(graph, node));
}

static void
put_edges(struct buffer *out, const struct node *node)
{
    size_t index = node->revision->index;

    for (size_t i = 0; i < node->parents.count; i++)
        buffer_printf(out, "  n%zu -> n%zu;\n", index, node->parents.items[i]);
    for (size_t i = 0; i < node->dependencies.count; i++)
        buffer_printf(out, "  n%zu -> n%zu [style=dashed, label=\"depends on\"];\n", index,
            node->dependencies.items[i]);
}

const char *
graph_dot(struct arena *arena, const struct graph *graph)
{
    struct buffer out = { .arena = arena };

    buffer_add(&out, "digraph migrations {\n  rankdir=BT;\n"
                     "  node [shape=box, style=filled, fontname=\"monospace\"];\n");
    for (size_t i = 0; i < graph->count; i++)
        put_node(arena, &out, graph, i);
    for (size_t i = 0; i < graph->count; i++)
        put_edges(&out, &graph->nodes[i]);
    buffer_add(&out, "}\n");
    return buffer_text(&out);
}
