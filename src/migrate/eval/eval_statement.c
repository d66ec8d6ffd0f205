#include "migrate/eval/eval_private.h"

typedef enum flow (*statement)(struct eval *e, const struct py_node *node);

static struct value assign(struct eval *e, const struct py_node *node);

/* The value, which a = b = value hands on. */
static struct value
right_of(struct eval *e, const struct py_node *node)
{
    const struct py_node *right = py_child(node, PY_FIELD_RIGHT);

    if (right && (right->kind == PY_ASSIGNMENT || right->kind == PY_AUGMENTED_ASSIGNMENT))
        return assign(e, right);
    return eval_expression(e, right);
}

static struct value
assign_augmented(struct eval *e, const struct py_node *node, const struct py_node *left)
{
    const struct py_node *sign = py_child(node, PY_FIELD_OPERATOR);
    struct value before = eval_expression(e, left);
    struct value right = right_of(e, node);
    const char *name = sign ? eval_name(e, sign) : "=";
    struct value value;

    /* += changes a list in its place, for all who have it. */
    if (before.kind == VALUE_LIST && before.box && strcmp(name, "+=") == 0) {
        struct call call = { .path = "extend" };
        struct value none;

        VEC_PUSH(e->arena, &call.arguments, right);
        eval_list_method(e, &before, "extend", &call, &none);
        return before;
    }
    value = eval_binary_of(e, &before, eval_word(e, name, strlen(name) - 1), &right);
    if (!value.node)
        value.node = node;
    eval_assign_target(e, left, &value);
    return value;
}

static struct value
assign(struct eval *e, const struct py_node *node)
{
    const struct py_node *left = py_child(node, PY_FIELD_LEFT);
    struct value value;

    /* Chains of assignments nest to the right. */
    if (!left || !eval_enter(e, node))
        return value_unknown("it is incomplete");
    if (node->kind == PY_AUGMENTED_ASSIGNMENT) {
        value = assign_augmented(e, node, left);
    } else if (!py_child(node, PY_FIELD_RIGHT)) {
        value = value_none(); /* name: type */
    } else {
        value = right_of(e, node);
        eval_assign_target(e, left, &value);
    }
    eval_leave(e);
    return value;
}

static enum flow
run_expression(struct eval *e, const struct py_node *node)
{
    for (const struct py_node *child = node->first; child; child = child->next) {
        if (child->kind == PY_ASSIGNMENT || child->kind == PY_AUGMENTED_ASSIGNMENT)
            (void)assign(e, child);
        else if (child->kind != PY_STRING || child->next) {
            e->statement = child;
            (void)eval_expression(e, child);
        }
    }
    return FLOW_NEXT;
}

static enum flow
run_return(struct eval *e, const struct py_node *node)
{
    struct outcome outcome = { .value = value_none(), .is_certain = true };
    size_t conditions = 0;

    if (node->first)
        outcome.value = eval_expression(e, node->first);
    if (!e->frame)
        return FLOW_RETURN;
    for (size_t i = e->frame->guard_base; i < e->guards.count; i++) {
        const struct guard *guard = &e->guards.items[i];

        if (guard->is_rest || guard->is_loop || guard->condition.is_assumed)
            continue;
        outcome.is_certain = false;
        outcome.test = conditions++ == 0 ? guard->condition.test : (struct test){ 0 };
    }
    VEC_PUSH(e->arena, &e->frame->outcomes, outcome);
    return FLOW_RETURN;
}

static enum flow
run_raise(struct eval *e, const struct py_node *node)
{
    for (const struct py_node *child = node->first; child; child = child->next)
        (void)eval_expression(e, child);
    e->has_raised = false;
    return FLOW_RAISE;
}

static enum flow
run_break(struct eval *e, const struct py_node *node)
{
    (void)e;
    (void)node;
    return FLOW_BREAK;
}

static enum flow
run_continue(struct eval *e, const struct py_node *node)
{
    (void)e;
    (void)node;
    return FLOW_CONTINUE;
}

static enum flow
run_nothing(struct eval *e, const struct py_node *node)
{
    (void)e;
    (void)node;
    return FLOW_NEXT;
}

static enum flow
run_parts(struct eval *e, const struct py_node *node)
{
    for (const struct py_node *child = node->first; child; child = child->next)
        (void)eval_expression(e, child);
    return FLOW_NEXT;
}

static enum flow
run_import(struct eval *e, const struct py_node *node)
{
    eval_import(e, node);
    return FLOW_NEXT;
}

static enum flow
run_import_from(struct eval *e, const struct py_node *node)
{
    eval_import_from(e, node);
    return FLOW_NEXT;
}

static enum flow
run_class(struct eval *e, const struct py_node *node)
{
    eval_class(e, node);
    return FLOW_NEXT;
}

static void
define(struct eval *e, const struct value *function)
{
    eval_assign(e, function->function->name, function);
}

static enum flow
run_function(struct eval *e, const struct py_node *node)
{
    struct value function = eval_function_new(e, node);

    define(e, &function);
    return FLOW_NEXT;
}

/* What decorators of the file make of a function; those that are not known leave it as it is. */
static void
decorate(struct eval *e, const struct value *decorator, struct value *function)
{
    struct function *copy;
    struct call *call;
    struct value made;

    if (decorator->kind == VALUE_FUNCTION) {
        const char *name = function->function->name;

        call = ARENA_NEW(e->arena, struct call);
        call->path = decorator->function->name;
        VEC_PUSH(e->arena, &call->arguments, *function);
        made = eval_call_function(e, decorator->function, call, decorator->node);
        if (made.kind != VALUE_FUNCTION)
            return;
        copy = arena_memdup(e->arena, made.function, sizeof(*copy));
        copy->name = name;
        *function = made;
        function->function = copy;
        return;
    }
    if (decorator->kind != VALUE_NAME)
        return;
    copy = arena_memdup(e->arena, function->function, sizeof(*copy));
    copy->is_static |= strcmp(decorator->path, "builtins.staticmethod") == 0;
    copy->is_class_method |= strcmp(decorator->path, "builtins.classmethod") == 0;
    copy->is_property |= strcmp(decorator->path, "builtins.property") == 0;
    function->function = copy;
}

static enum flow
run_decorated(struct eval *e, const struct py_node *node)
{
    const struct py_node *definition = py_child(node, PY_FIELD_DEFINITION);
    VEC(struct value) decorators = { 0 };
    struct value function;

    for (const struct py_node *child = node->first; child; child = child->next)
        if (child->kind == PY_DECORATOR && child->first) {
            struct value value = eval_expression(e, child->first);

            VEC_PUSH(e->arena, &decorators, value);
        }
    if (!definition || definition->kind != PY_FUNCTION)
        return definition ? eval_statement(e, definition) : FLOW_NEXT;
    function = eval_function_new(e, definition);
    for (size_t i = decorators.count; i > 0; i--)
        decorate(e, &decorators.items[i - 1], &function);
    define(e, &function);
    return FLOW_NEXT;
}

static void
declare(struct eval *e, const struct py_node *node, struct text_list *names)
{
    for (const struct py_node *child = node->first; child; child = child->next)
        text_list_add(e->arena, names, eval_name(e, child));
}

static enum flow
run_global(struct eval *e, const struct py_node *node)
{
    if (e->scope != e->module)
        declare(e, node, &e->scope->globals);
    return FLOW_NEXT;
}

static enum flow
run_nonlocal(struct eval *e, const struct py_node *node)
{
    declare(e, node, &e->scope->nonlocals);
    return FLOW_NEXT;
}

static void
delete_target(struct eval *e, const struct py_node *node)
{
    struct value unbound = { 0 };
    struct value object;

    if (node->kind == PY_IDENTIFIER) {
        eval_assign(e, eval_name(e, node), &unbound);
        return;
    }
    if (node->kind != PY_SUBSCRIPT)
        return;
    object = eval_expression(e, py_child(node, PY_FIELD_VALUE));
    if ((object.kind == VALUE_LIST || object.kind == VALUE_DICT) && eval_list_touch(e, &object))
        object.box->unknown = "one of its elements is deleted";
}

static enum flow
run_delete(struct eval *e, const struct py_node *node)
{
    for (const struct py_node *child = node->first; child; child = child->next) {
        if (child->kind != PY_EXPRESSION_LIST)
            delete_target(e, child);
        for (const struct py_node *one = child->first; one && child->kind == PY_EXPRESSION_LIST;
             one = one->next)
            delete_target(e, one);
    }
    return FLOW_NEXT;
}

static const statement statements[PY_KIND_COUNT] = {
    [PY_EXPRESSION_STATEMENT] = run_expression,
    [PY_RETURN] = run_return,
    [PY_RAISE] = run_raise,
    [PY_BREAK] = run_break,
    [PY_CONTINUE] = run_continue,
    [PY_PASS] = run_nothing,
    [PY_FUTURE_IMPORT] = run_nothing,
    [PY_ERROR] = run_nothing,
    [PY_OTHER] = run_nothing,
    [PY_IMPORT] = run_import,
    [PY_IMPORT_FROM] = run_import_from,
    [PY_FUNCTION] = run_function,
    [PY_CLASS] = run_class,
    [PY_DECORATED] = run_decorated,
    [PY_GLOBAL] = run_global,
    [PY_NONLOCAL] = run_nonlocal,
    [PY_DELETE] = run_delete,
    [PY_ASSERT] = run_parts,
    [PY_PRINT] = run_parts,
    [PY_EXEC] = run_parts,
    [PY_BLOCK] = eval_block,
    [PY_IF] = eval_if,
    [PY_FOR] = eval_for,
    [PY_WHILE] = eval_while,
    [PY_TRY] = eval_try,
    [PY_WITH] = eval_with,
    [PY_MATCH] = eval_match,
};

enum flow
eval_statement(struct eval *e, const struct py_node *node)
{
    enum flow flow;

    if (!eval_enter(e, node))
        return FLOW_NEXT;
    if (statements[node->kind])
        flow = statements[node->kind](e, node);
    else
        flow = run_parts(e, node);
    eval_leave(e);
    if (e->has_raised) {
        e->has_raised = false;
        if (flow == FLOW_NEXT)
            flow = FLOW_RAISE;
    }
    return flow;
}

enum flow
eval_block(struct eval *e, const struct py_node *block)
{
    for (const struct py_node *child = block->first; child && !e->is_stopped; child = child->next) {
        enum flow flow = eval_statement(e, child);

        if (flow != FLOW_NEXT)
            return flow;
    }
    return FLOW_NEXT;
}
