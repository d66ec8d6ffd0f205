#include "migrate/eval/eval_private.h"

/* What the returns of a function come to, the last one being what holds otherwise. */
static struct value
fold(const struct frame *frame)
{
    struct value value;

    if (frame->outcomes.count == 0)
        return value_none();
    value = frame->outcomes.items[frame->outcomes.count - 1].value;
    for (size_t i = frame->outcomes.count - 1; i > 0; i--) {
        const struct outcome *outcome = &frame->outcomes.items[i - 1];
        struct test test = outcome->is_certain ? (struct test){ 0 } : outcome->test;

        /* One row with the name was enough to return here. */
        if (!test.is_negated)
            test.is_element = false;
        value = eval_choose(&test, &outcome->value, &value);
    }
    return value;
}

static struct value
run_body(struct eval *e, const struct function *function, const struct py_node *node)
{
    const struct py_node *body = py_child(function->node, PY_FIELD_BODY);
    size_t told = e->told;
    enum flow flow;

    if (function->node->kind == PY_LAMBDA)
        return eval_expression(e, body);
    flow = body ? eval_block(e, body) : FLOW_NEXT;
    if (function->yields) {
        if (e->told > told)
            eval_note(e, NOTE_CANNOT_KNOW, node,
                "when the operations of the generator %s() run is not known", function->name);
        return value_unknown("what a generator gives");
    }
    if (flow == FLOW_RAISE)
        e->has_raised = true;
    if (flow == FLOW_NEXT) {
        struct outcome end = { .value = value_none(), .is_certain = true };

        VEC_PUSH(e->arena, &e->frame->outcomes, end);
    }
    return fold(e->frame);
}

struct value
eval_call_function(struct eval *e, const struct function *function, const struct call *call,
    const struct py_node *node)
{
    struct scope *caller = e->scope;
    struct frame *outer = e->frame;
    struct frame frame = { .guard_base = e->guards.count };
    struct value value;

    if (e->calls >= EVAL_CALLS_MAX) {
        eval_limit(e, node, "functions call each other too deep");
        return value_unknown("functions call each other too deep");
    }
    e->calls++;
    e->scope = eval_scope_new(e, function->scope);
    e->frame = &frame;
    eval_bind(e, function, call);
    value = run_body(e, function, node);
    eval_guard_leave(e, frame.guard_base, 0, HOLD_FUNCTION);
    e->frame = outer;
    e->scope = caller;
    e->calls--;
    return value;
}
