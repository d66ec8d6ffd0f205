/* Any bytes as Python: no crash, no leak, and a tree whose nodes lie in the text and in each other. */
#include <assert.h>
#include <string.h>

#include "lang/python.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_place(const struct py_tree *tree, const struct py_node *node)
{
    assert(node->start <= node->end && node->end <= tree->length);
    assert(node->line >= 1 && node->line <= node->end_line && node->column >= 1);
    assert(node->kind < PY_KIND_COUNT && node->field < PY_FIELD_COUNT);
    assert(node->column - 1 <= node->start);
    if (node->column - 1 < node->start)
        assert(tree->source[node->start - node->column] == '\n');
}

/* How many nodes there are; at most a thousand levels, or python_parse() had failed. */
static size_t
check_node(const struct py_tree *tree, const struct py_node *node)
{
    size_t count = 1;
    uint32_t end = node->start;

    check_place(tree, node);
    for (const struct py_node *child = node->first; child; child = child->next) {
        assert(child->start >= end && child->end <= node->end);
        end = child->end;
        count += check_node(tree, child);
    }
    return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct py_tree tree;

    if (!python_parse(&ctx, (const char *)data, size, &tree)) {
        assert(ctx.error.kind == ERR_INPUT && ctx.error.message);
        return 0;
    }
    assert(tree.root && tree.root->kind == PY_MODULE && !tree.root->next);
    assert(check_node(&tree, tree.root) == tree.node_count);
    if (tree.error) {
        check_place(&tree, tree.error);
        assert(tree.error->kind == PY_ERROR || tree.error->is_missing);
    }
    for (size_t i = 0; i < tree.comments.count; i++)
        assert(tree.comments.items[i].text[0] == '#');
    return 0;
}
