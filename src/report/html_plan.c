#include "base/json.h"
#include "report/html.h"

enum { MOST_DEPTH = 60 };

/* What is shown below a node, when it is there. */
static const char *const details[] = { "Index Cond", "Recheck Cond", "Filter", "Join Filter",
    "Hash Cond", "Merge Cond", "Sort Key", "Presorted Key", "Group Key", "Order By" };

static void
add_indent(struct buffer *page, int depth)
{
    for (int i = 0; i < depth; i++)
        buffer_add(page, "   ");
}

static void
add_detail(struct buffer *page, const char *name, const json_t *value, int depth)
{
    add_indent(page, depth);
    buffer_printf(page, "  %s: ", name);
    if (json_is_string(value))
        buffer_add(page, markup_escape(page->arena, json_string_value(value)));
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *item = json_string_value(json_array_get(value, i));

        buffer_printf(page, "%s%s", i ? ", " : "", markup_escape(page->arena, item ? item : ""));
    }
    buffer_add(page, "\n");
}

static void
add_target(struct buffer *page, const json_t *node)
{
    const char *index = json_string_value(json_object_get(node, "Index Name"));
    const char *relation = json_string_value(json_object_get(node, "Relation Name"));
    const char *alias = json_string_value(json_object_get(node, "Alias"));

    if (index)
        buffer_printf(page, " using <b>%s</b>", markup_escape(page->arena, index));
    if (relation)
        buffer_printf(page, " on %s", markup_escape(page->arena, relation));
    if (relation && alias && strcmp(alias, relation) != 0)
        buffer_printf(page, " %s", markup_escape(page->arena, alias));
}

static void
add_node(struct buffer *page, const json_t *node, int depth)
{
    const char *type = json_string_value(json_object_get(node, "Node Type"));
    const char *name = json_string_value(json_object_get(node, "Subplan Name"));
    const json_t *child;
    size_t i;

    if (depth > MOST_DEPTH)
        return;
    type = type ? type : "?";
    add_indent(page, depth);
    if (name)
        buffer_printf(page, "[%s] ", markup_escape(page->arena, name));
    buffer_printf(page, "%s<span class=\"%s\">%s</span>", depth ? "→ " : "",
        strcmp(type, "Seq Scan") == 0 ? "seq"
        : strstr(type, "Index")       ? "idx"
                                      : "node",
        markup_escape(page->arena, type));
    add_target(page, node);
    buffer_printf(page, "  (cost %.2f, rows %.0f)\n", json_get_double(node, "Total Cost", 0),
        json_get_double(node, "Plan Rows", 0));
    for (i = 0; i < COUNT_OF(details); i++)
        if (json_object_get(node, details[i]))
            add_detail(page, details[i], json_object_get(node, details[i]), depth);
    json_array_foreach(json_object_get(node, "Plans"), i, child) add_node(page, child, depth + 1);
}

void
html_plan(struct ctx *ctx, struct buffer *page, const struct snapshot_plan *plan)
{
    json_t *tree CLEANUP(json_release) = NULL;

    if (!plan) {
        buffer_add(page, "<p class=\"caption\">No plan was kept on this side.</p>");
        return;
    }
    if (!plan->has_plan || !json_parse(ctx, "plan", plan->plan.json, &tree)) {
        buffer_printf(page, "<p class=\"caption\">No plan: %s</p>",
            markup_escape(page->arena, plan->problem ? plan->problem : "it could not be read"));
        return;
    }
    buffer_add(page, "<pre>");
    add_node(page, json_object_get(json_array_get(tree, 0), "Plan"), 0);
    buffer_add(page, "</pre>");
}
