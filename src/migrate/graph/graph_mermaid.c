#include <string.h>

#include "migrate/graph/graph_draw.h"

/* What Mermaid would take for its own syntax or for HTML becomes an entity code, "#34;". */
static void
put_text(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            buffer_append(out, " ", 1);
        else if (strchr("\"#<>&;`\\[](){}|", *text))
            buffer_printf(out, "#%d;", *text);
        else
            buffer_append(out, text, 1);
    }
}

static const char *
class_of(const struct graph *graph, const struct node *node)
{
    if (graph_trouble(graph, node->revision->index))
        return ":::trouble";
    if (node->is_head)
        return ":::head";
    return node->is_merge_point ? ":::merge" : "";
}

static void
put_node(struct arena *arena, struct buffer *out, const struct graph *graph, size_t index)
{
    const struct node *node = &graph->nodes[index];
    const struct revision *revision = node->revision;
    const char *marks = graph_marks(arena, graph, node);

    buffer_printf(out, "  n%zu[\"", index);
    put_text(out, revision->id ? revision->id : revision->file);
    if (revision->message) {
        buffer_add(out, "<br/>");
        put_text(out, revision->message);
    }
    if (*marks) {
        buffer_add(out, "<br/>");
        put_text(out, marks);
    }
    buffer_printf(out, "\"]%s\n", class_of(graph, node));
}

static void
put_edges(struct buffer *out, const struct node *node)
{
    size_t index = node->revision->index;

    for (size_t i = 0; i < node->parents.count; i++)
        buffer_printf(out, "  n%zu --> n%zu\n", index, node->parents.items[i]);
    for (size_t i = 0; i < node->dependencies.count; i++)
        buffer_printf(out, "  n%zu -. depends on .-> n%zu\n", index, node->dependencies.items[i]);
}

const char *
graph_mermaid(struct arena *arena, const struct graph *graph)
{
    struct buffer out = { .arena = arena };

    buffer_add(&out, "flowchart BT\n");
    for (size_t i = 0; i < graph->count; i++)
        put_node(arena, &out, graph, i);
    for (size_t i = 0; i < graph->count; i++)
        put_edges(&out, &graph->nodes[i]);
    buffer_add(&out, "  classDef head fill:#d0e8d0\n  classDef merge fill:#e0e0f0\n"
                     "  classDef trouble fill:#f8d0d0\n");
    return buffer_text(&out);
}
