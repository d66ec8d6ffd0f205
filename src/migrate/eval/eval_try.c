#include "migrate/eval/eval_private.h"

/* except …: the block is the last child, what stands before it are the exceptions. */
static const struct py_node *
handler_block(const struct py_node *handler)
{
    const struct py_node *block = NULL;

    for (const struct py_node *child = handler->first; child; child = child->next)
        if (child->kind == PY_BLOCK)
            block = child;
    return block;
}

/* A raise among its statements: it never goes on. One deeper down may or may not be met. */
static bool
raises(const struct py_node *handler)
{
    const struct py_node *block = handler_block(handler);

    for (const struct py_node *child = block ? block->first : NULL; child; child = child->next)
        if (child->kind == PY_RAISE)
            return true;
    return false;
}

static bool
goes_on(const struct py_node *node)
{
    for (const struct py_node *child = node->first; child; child = child->next)
        if (child->kind == PY_EXCEPT && !raises(child))
            return true;
    return false;
}

/* try: import … with an alternative: libraries of ours are there. */
static bool
imports_libraries(struct eval *e, const struct py_node *body)
{
    for (const struct py_node *child = body->first; child; child = child->next) {
        const struct py_node *name = py_child(child, PY_FIELD_MODULE_NAME);

        if (child->kind == PY_IMPORT)
            name = child->first;
        if ((child->kind != PY_IMPORT && child->kind != PY_IMPORT_FROM) || !name ||
            !eval_is_library(eval_name(e, name)))
            return false;
    }
    return true;
}

/* Names of the body are what they were, or what it made of them, or something on the way. */
static void
forget_changes(struct eval *e, const struct changes *changes)
{
    struct changes unknown = { 0 };

    for (size_t i = 0; i < changes->count; i++) {
        struct change change = changes->items[i];
        const char *path = change.value.path;

        if (change.value.kind == VALUE_FUNCTION || change.value.kind == VALUE_CLASS)
            continue;
        change.value = value_unknown("it is assigned in a try");
        change.value.path = path;
        VEC_PUSH(e->arena, &unknown, change);
    }
    eval_apply(e, &unknown);
}

/* A handler, from where the body may have stopped; its end is merged with what is there. */
static void
run_handler(struct eval *e, const struct py_node *handler, const struct changes *body,
    struct changes *result)
{
    const struct py_node *block = handler_block(handler);
    struct condition condition = { .text = eval_head(e, "", handler, block),
        .place = eval_place(e, handler) };
    size_t base = e->guards.count;
    struct branch branch = eval_branch_enter(e);
    enum flow flow;

    forget_changes(e, body);
    eval_guard_push(e, &condition, HOLD_BLOCK);
    for (const struct py_node *child = handler->first; child && child != block; child = child->next)
        if (child->kind == PY_AS_PATTERN)
            (void)eval_expression(e, child);
    flow = block ? eval_block(e, block) : FLOW_NEXT;

    struct changes changes = eval_branch_leave(e, branch);

    eval_guard_leave(e, base, 1, HOLD_BLOCK);
    if (flow >= FLOW_RETURN) {
        struct conditions rest = { 0 };

        condition.text = arena_printf(e->keep, "not (%s)", condition.text);
        VEC_PUSH(e->arena, &rest, condition);
        if (flow == FLOW_RETURN)
            eval_guard_rest(e, &rest, HOLD_FUNCTION);
        return;
    }

    /* What was and what the handler made, then that as what is merged with the next. */
    branch = eval_branch_enter(e);
    eval_merge(e, &(struct test){ 0 }, result, &changes);
    *result = eval_branch_leave(e, branch);
    if (flow != FLOW_NEXT) {
        eval_rest_enter(e);
        condition.text = arena_printf(e->keep, "not (%s)", condition.text);
        eval_guard_push(e, &condition, flow == FLOW_BREAK ? HOLD_LOOP : HOLD_ITERATION);
        e->guards.items[e->guards.count - 1].is_rest = true;
    }
}

/* What raises in a try with handlers that go on ends no more than the try. */
static enum flow
run_try_body(struct eval *e, const struct py_node *body, bool goes, struct changes *ret)
{
    bool was_in_try = e->scene.in_try;
    size_t base = e->guards.count;
    struct branch branch = eval_branch_enter(e);
    enum flow flow;

    e->scene.in_try |= goes;
    flow = eval_block(e, body);
    e->scene.in_try = was_in_try;
    *ret = eval_branch_leave(e, branch);
    if (goes) {
        size_t kept = base;

        for (size_t i = base; i < e->guards.count; i++)
            if (e->guards.items[i].hold < HOLD_RUN)
                e->guards.items[kept++] = e->guards.items[i];
        e->guards.count = kept;
        e->is_stale = true;
    }
    return goes && flow == FLOW_RAISE ? FLOW_NEXT : flow;
}

static const struct py_node *
child_of(const struct py_node *node, enum py_kind kind)
{
    for (const struct py_node *child = node->first; child; child = child->next)
        if (child->kind == kind)
            return child;
    return NULL;
}

enum flow
eval_try(struct eval *e, const struct py_node *node)
{
    const struct py_node *body = py_child(node, PY_FIELD_BODY);
    const struct py_node *other = child_of(node, PY_ELSE);
    const struct py_node *last = child_of(node, PY_FINALLY);
    bool is_import = body && imports_libraries(e, body);
    struct changes changes;
    enum flow flow;
    enum flow last_flow = FLOW_NEXT;

    if (!body)
        return FLOW_NEXT;
    flow = run_try_body(e, body, !is_import && goes_on(node), &changes);
    for (const struct py_node *child = node->first; child; child = child->next)
        if (child->kind == PY_EXCEPT && !is_import)
            run_handler(e, child, &changes, &changes);
    eval_apply(e, &changes);
    if (e->rest.was_cut)
        eval_rest_enter(e);
    if (flow == FLOW_NEXT && other && py_child(other, PY_FIELD_BODY))
        flow = eval_block(e, py_child(other, PY_FIELD_BODY));
    if (last && handler_block(last))
        last_flow = eval_block(e, handler_block(last));
    return last_flow != FLOW_NEXT ? last_flow : flow;
}
