/* Names of revisions as Alembic's command line takes them. */
#include <ctype.h>
#include <string.h>

#include "migrate/history/history.h"

/* (branch@)(symbol)(+n|-n) */
struct symbol {
    const char *branch; /* or NULL */
    const char *name;   /* or NULL */
    int64_t steps;      /* 0: not relative */
};

static bool
cannot_locate(struct ctx *ctx, const char *name)
{
    return error_set(ctx, ERR_NOT_FOUND, "Can't locate revision identified by '%s'", name);
}

static struct symbol
split(struct arena *arena, const char *text)
{
    struct symbol symbol = { 0 };
    const char *at = strchr(text, '@');
    const char *sign;

    if (at) {
        symbol.branch = arena_strndup(arena, text, (size_t)(at - text));
        text = at + 1;
    }
    sign = text + strcspn(text, "+-");
    if (*sign && text_to_int64(*sign == '+' ? sign + 1 : sign, &symbol.steps))
        text = arena_strndup(arena, text, (size_t)(sign - text));
    symbol.name = *text ? text : NULL;
    return symbol;
}

/* The node of a full id, a label, or the beginning of just one id. */
static bool
find_id(struct ctx *ctx, const struct graph *graph, const char *name, size_t *ret)
{
    const struct node *node = map_get(&graph->by_id, name);
    struct text_list fits = { 0 };

    for (size_t i = 0; !node && i < graph->count; i++)
        if (text_list_has(&graph->nodes[i].revision->labels, name) && graph->nodes[i].revision->id)
            node = map_get(&graph->by_id, graph->nodes[i].revision->id);
    for (size_t i = 0; !node && i < graph->count; i++) {
        const char *id = graph->nodes[i].revision->id;

        if (id && !graph->nodes[i].is_shadowed && strlen(id) > 3 && text_starts_with(id, name)) {
            text_list_add(ctx->arena, &fits, id);
            *ret = i;
        }
    }
    if (node) {
        *ret = node->revision->index;
        return true;
    }
    if (fits.count == 1)
        return true;
    cannot_locate(ctx, name);
    if (fits.count > 1) {
        ctx->error.kind = ERR_INPUT;
        return error_hint(ctx, "Several revisions start with it: %s%s.",
            text_list_join(ctx->arena,
                &(struct text_list){
                    .items = fits.items, .count = fits.count < 3 ? fits.count : 3 },
                ", "),
            fits.count > 3 ? ", ..." : "");
    }
    return error_hint(ctx,
        "\"pgmend migrations graph\" shows all; a shortened id has at least four "
        "characters.");
}

/* Whether one comes by down_revision from the other; what depends on it is no part of a branch. */
static bool
comes_from(struct arena *arena, const struct graph *graph, size_t node, size_t start)
{
    bool *is_met = ARENA_ARRAY(arena, bool, graph->count);
    size_t *stack = ARENA_ARRAY(arena, size_t, graph->count);
    size_t depth = 0;

    is_met[node] = true;
    stack[depth++] = node;
    while (depth > 0) {
        const struct node *at = &graph->nodes[stack[--depth]];

        if (at->revision->index == start)
            return true;
        for (size_t i = 0; i < at->parents.count; i++) {
            size_t parent = at->parents.items[i];

            if (!is_met[parent])
                stack[depth++] = parent;
            is_met[parent] = true;
        }
    }
    return false;
}

static bool
is_of_line(struct ctx *ctx, const struct graph *graph, size_t node, size_t other)
{
    return comes_from(ctx->arena, graph, node, other) || comes_from(ctx->arena, graph, other, node);
}

static bool
several(struct ctx *ctx, const char *name)
{
    error_set(ctx, ERR_INPUT, "Multiple head revisions are present for given argument '%s'", name);
    return error_hint(ctx,
        "Specify a specific target revision, or '<branchname>@head' to narrow to "
        "a specific head.");
}

static bool
find_head(struct ctx *ctx, const struct graph *graph, const struct symbol *symbol, size_t *ret)
{
    bool all = strcmp(symbol->name, "heads") == 0;
    size_t branch = 0, found = 0;

    if (symbol->branch && !find_id(ctx, graph, symbol->branch, &branch))
        return false;
    for (size_t i = 0; i < graph->heads.count; i++) {
        size_t head = graph->heads.items[i];

        if ((symbol->branch && !is_of_line(ctx, graph, head, branch)) ||
            (all && !symbol->branch && !graph->nodes[head].is_real_head))
            continue;
        *ret = head;
        found++;
    }
    if (found > 1)
        return several(ctx, symbol->name);
    if (found == 0)
        return cannot_locate(ctx, symbol->name);
    return true;
}

static bool
find_start(struct ctx *ctx, const struct graph *graph, const struct symbol *symbol, size_t *ret)
{
    size_t branch;

    if (strcmp(symbol->name, "base") == 0) {
        *ret = SIZE_MAX;
        return true;
    }
    if (strcmp(symbol->name, "head") == 0 || strcmp(symbol->name, "heads") == 0)
        return find_head(ctx, graph, symbol, ret);
    if (!find_id(ctx, graph, symbol->name, ret))
        return false;
    if (!symbol->branch)
        return true;
    if (!find_id(ctx, graph, symbol->branch, &branch))
        return false;
    if (is_of_line(ctx, graph, *ret, branch))
        return true;
    return error_set(ctx, ERR_INPUT, "Revision %s is not a member of branch '%s'",
        graph->nodes[*ret].revision->id, symbol->branch);
}

/* One step up or down; from SIZE_MAX up to the bases, down to the heads. */
static bool
step(struct ctx *ctx, const struct graph *graph, bool is_up, const size_t *branch, size_t *node)
{
    const struct node *at = *node == SIZE_MAX ? NULL : &graph->nodes[*node];
    const size_t *items = is_up ? (at ? at->children.items : graph->bases.items)
                                : (at ? at->parents.items : graph->heads.items);
    size_t count = is_up ? (at ? at->children.count : graph->bases.count)
                         : (at ? at->parents.count : graph->heads.count);
    size_t found = 0, next = SIZE_MAX;

    for (size_t i = 0; i < count; i++)
        if (!branch || is_of_line(ctx, graph, items[i], *branch)) {
            next = items[i];
            found++;
        }
    if (found > 1)
        return error_set(ctx, ERR_INPUT, "Ambiguous walk");
    if (found == 0 && (is_up || !at))
        return error_set(ctx, ERR_NOT_FOUND, "Walked too far");
    *node = next;
    return true;
}

bool
graph_resolve(struct ctx *ctx, const struct graph *graph, const char *symbol, size_t *ret_node)
{
    struct symbol parts = split(ctx->arena, symbol);
    bool is_up = parts.steps > 0, is_from_end = !parts.name;
    size_t branch = SIZE_MAX, node = SIZE_MAX;

    if (is_from_end && parts.steps == 0)
        return cannot_locate(ctx, symbol);
    if (parts.branch && !find_id(ctx, graph, parts.branch, &branch))
        return false;
    if (!is_from_end && !find_start(ctx, graph, &parts, &node))
        return false;
    for (int64_t left = is_up ? parts.steps : -parts.steps; left > 0; left--) {
        if (node == SIZE_MAX && !is_up && left != -parts.steps)
            return error_set(ctx, ERR_NOT_FOUND, "Walked too far");
        if (node == SIZE_MAX && !is_up && !is_from_end)
            return error_set(ctx, ERR_NOT_FOUND, "Walked too far");
        if (!step(ctx, graph, is_up, parts.branch ? &branch : NULL, &node))
            return error_wrap(ctx, "%s", symbol);
    }
    *ret_node = node;
    return true;
}
