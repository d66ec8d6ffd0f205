#include "migrate/eval/eval_private.h"

static void forget_targets(struct eval *e, const struct py_node *node, unsigned depth);

/* The names in a target; of x[i] and x.y nothing but x. */
static void
forget_target(struct eval *e, const struct py_node *node, unsigned depth)
{
    if (!node || depth > EVAL_DEPTH_MAX)
        return;
    if (node->kind == PY_IDENTIFIER) {
        eval_forget(e, eval_name(e, node), eval_assigned_in_loop);
        return;
    }
    if (node->kind == PY_ATTRIBUTE)
        return;
    if (node->kind == PY_SUBSCRIPT) {
        forget_target(e, py_child(node, PY_FIELD_VALUE), depth + 1);
        return;
    }
    for (const struct py_node *child = node->first; child; child = child->next)
        forget_target(e, child, depth + 1);
}

/* A list that a method changes: names.append(x). */
static void
forget_changed(struct eval *e, const struct py_node *call)
{
    static const char *const names[] = { "append", "add", "extend", "insert", "pop", "remove",
        "reverse", "clear", "sort", "update", "discard", "setdefault", "popitem" };
    const struct py_node *function = py_child(call, PY_FIELD_FUNCTION);
    const struct py_node *object = function ? py_child(function, PY_FIELD_OBJECT) : NULL;
    const struct py_node *method = function ? py_child(function, PY_FIELD_ATTRIBUTE) : NULL;
    const struct value *slot;

    if (!object || !method || object->kind != PY_IDENTIFIER)
        return;
    slot = eval_lookup(e, eval_name(e, object));
    if (!slot || (slot->kind != VALUE_LIST && slot->kind != VALUE_DICT))
        return;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (py_is(e->tree, method, names[i]))
            eval_forget(e, eval_name(e, object), eval_assigned_in_loop);
}

/* What any round of the loop may have assigned is not known in the one that is walked. */
static void
forget_targets(struct eval *e, const struct py_node *node, unsigned depth)
{
    if (depth > EVAL_DEPTH_MAX || !eval_work(e, 1))
        return;
    switch ((int)node->kind) {
    case PY_FUNCTION:
    case PY_CLASS:
    case PY_LAMBDA:
        return;
    case PY_ASSIGNMENT:
    case PY_AUGMENTED_ASSIGNMENT:
    case PY_FOR:
        forget_target(e, py_child(node, PY_FIELD_LEFT), depth);
        break;
    case PY_NAMED_EXPRESSION:
        forget_target(e, py_child(node, PY_FIELD_NAME), depth);
        break;
    case PY_AS_PATTERN_TARGET:
        forget_target(e, node->first, depth);
        break;
    case PY_CALL:
        forget_changed(e, node);
        break;
    default:
        break;
    }
    for (const struct py_node *child = node->first; child; child = child->next)
        forget_targets(e, child, depth + 1);
}

/* The else of a loop. */
static enum flow
run_else(struct eval *e, const struct py_node *node)
{
    const struct py_node *clause = py_child(node, PY_FIELD_ALTERNATIVE);
    const struct py_node *body = clause ? py_child(clause, PY_FIELD_BODY) : NULL;

    return body ? eval_block(e, body) : FLOW_NEXT;
}

/* One round stands for all, with what is assigned in it unknown before and after. */
static enum flow
run_unknown(struct eval *e, const struct py_node *node, const struct value *element)
{
    const struct py_node *left = py_child(node, PY_FIELD_LEFT);
    const struct py_node *body = py_child(node, PY_FIELD_BODY);
    struct condition condition = { .text = eval_head(e, "", node, body),
        .place = eval_place(e, node) };
    struct conditions rest = { 0 };
    struct changes none = { 0 };
    size_t base = e->guards.count;
    bool was_repeated = e->scene.is_repeated;
    struct rest outer = eval_rest_begin(e);
    struct branch branch = eval_branch_enter(e);
    enum flow flow;

    if (!body)
        return FLOW_NEXT;
    forget_targets(e, body, 0);
    eval_guard_push(e, &condition, HOLD_BLOCK);
    e->guards.items[base].is_loop = true;
    e->scene.is_repeated = true;
    if (element && left)
        eval_assign_target(e, left, element);
    flow = eval_block(e, body);
    e->scene.is_repeated = was_repeated;
    eval_rest_end(e, (struct rest){ 0 });

    struct changes changes = eval_branch_leave(e, branch);

    e->rest = outer;
    eval_guard_leave(e, base, 1, HOLD_LOOP);
    eval_merge(e, &(struct test){ 0 }, &changes, &none);
    if (flow >= FLOW_RETURN) {
        condition.text = arena_printf(e->keep, "not (%s)", condition.text);
        VEC_PUSH(e->arena, &rest, condition);
        eval_guard_rest(e, &rest, flow == FLOW_RETURN ? HOLD_FUNCTION : HOLD_RUN);
    }
    return run_else(e, node);
}

/* One round of a loop that is unrolled. */
static enum flow
run_round(struct eval *e, const struct py_node *body)
{
    size_t base = e->guards.count;
    struct rest outer = eval_rest_begin(e);
    enum flow flow = eval_block(e, body);

    eval_rest_end(e, outer);
    eval_guard_leave(e, base, 0, HOLD_ITERATION);
    return flow;
}

/* Counts rounds of unrolled loops; false: there were too many in this file. */
static bool
count_round(struct eval *e, const struct py_node *node)
{
    if (e->iterations < EVAL_ITERATIONS_MAX) {
        e->iterations++;
        return true;
    }
    eval_limit(e, node, "loops have too many rounds to follow them all");
    return false;
}

/* After the rounds that were followed: the else, and the end of what breaks may have left out. */
static enum flow
end_loop(struct eval *e, const struct py_node *node, size_t base, enum flow flow)
{
    if (flow == FLOW_NEXT || flow == FLOW_CONTINUE)
        flow = run_else(e, node);
    else if (flow == FLOW_BREAK)
        flow = FLOW_NEXT;
    eval_guard_leave(e, base, 0, HOLD_LOOP);
    return flow;
}

enum flow
eval_for(struct eval *e, const struct py_node *node)
{
    const struct py_node *left = py_child(node, PY_FIELD_LEFT);
    const struct py_node *body = py_child(node, PY_FIELD_BODY);
    struct value from = eval_expression(e, py_child(node, PY_FIELD_RIGHT));
    struct value items;
    enum flow flow = FLOW_NEXT;
    size_t base = e->guards.count;

    if (!left || !body)
        return FLOW_NEXT;
    if (!eval_iterate(e, &from, &items)) {
        struct value element = eval_element(e, &from);

        eval_note_result(e, &from, node);
        return run_unknown(e, node, &element);
    }
    for (size_t i = 0; i < items.items.count && flow <= FLOW_CONTINUE && !e->is_stopped; i++) {
        struct value item = items.items.items[i];

        if (!count_round(e, node)) {
            item = value_unknown("the loop has too many rounds");
            eval_guard_leave(e, base, 0, HOLD_LOOP);
            return run_unknown(e, node, &item);
        }
        eval_refresh(&item);
        eval_assign_target(e, left, &item);
        flow = run_round(e, body);
    }
    return end_loop(e, node, base, flow);
}

/* while True: and its like, which only a break ends. */
static bool
is_endless(const struct py_node *condition)
{
    return !condition || condition->kind == PY_TRUE || condition->kind == PY_INTEGER;
}

enum flow
eval_while(struct eval *e, const struct py_node *node)
{
    const struct py_node *condition = py_child(node, PY_FIELD_CONDITION);
    const struct py_node *body = py_child(node, PY_FIELD_BODY);
    size_t base = e->guards.count;
    enum flow flow = FLOW_NEXT;
    struct truth truth;

    if (!body)
        return FLOW_NEXT;
    if (is_endless(condition))
        return run_unknown(e, node, NULL);
    for (;;) {
        eval_truth(e, condition, &truth);
        if (truth.value.kind != VALUE_BOOL || e->is_stopped)
            break;
        if (!truth.value.integer || flow > FLOW_CONTINUE)
            return end_loop(e, node, base, flow);
        if (!count_round(e, node))
            break;
        flow = run_round(e, body);
        if (flow > FLOW_CONTINUE)
            return end_loop(e, node, base, flow);
    }
    eval_guard_leave(e, base, 0, HOLD_LOOP);
    return run_unknown(e, node, NULL);
}
