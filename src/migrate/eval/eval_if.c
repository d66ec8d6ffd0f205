#include "migrate/eval/eval_private.h"

static enum hold
hold_of(enum flow flow)
{
    switch (flow) {
    case FLOW_CONTINUE:
        return HOLD_ITERATION;
    case FLOW_BREAK:
        return HOLD_LOOP;
    case FLOW_RETURN:
        return HOLD_FUNCTION;
    case FLOW_RAISE:
        return HOLD_RUN;
    case FLOW_NEXT:
        break;
    }
    return HOLD_BLOCK;
}

/* What follows runs only if the branch that leaves was not taken. */
static void
leave_rest(struct eval *e, enum flow flow, const struct conditions *other)
{
    if (flow == FLOW_CONTINUE || flow == FLOW_BREAK)
        eval_rest_enter(e);
    eval_guard_rest(e, other, hold_of(flow));
}

static enum flow run_chain(
    struct eval *e, const struct py_node *clause, const struct py_node *alternative);

/* else: …, elif …: …, or nothing. */
static enum flow
run_alternative(struct eval *e, const struct py_node *alternative)
{
    const struct py_node *body;

    if (!alternative)
        return FLOW_NEXT;
    if (alternative->kind == PY_ELIF)
        return run_chain(e, alternative, alternative->next);
    body = py_child(alternative, PY_FIELD_BODY);
    return body ? eval_block(e, body) : FLOW_NEXT;
}

/* How a block ends as far as its last statement tells. */
static enum flow
end_of(const struct py_node *block)
{
    const struct py_node *last = block ? block->first : NULL;

    while (last && last->next)
        last = last->next;
    if (!last)
        return FLOW_NEXT;
    switch ((int)last->kind) {
    case PY_RETURN:
        return FLOW_RETURN;
    case PY_RAISE:
        return FLOW_RAISE;
    case PY_BREAK:
        return FLOW_BREAK;
    case PY_CONTINUE:
        return FLOW_CONTINUE;
    default:
        return FLOW_NEXT;
    }
}

static enum flow
run_known(struct eval *e, const struct truth *truth, const struct py_node *clause,
    const struct py_node *alternative)
{
    const struct py_node *condition = py_child(clause, PY_FIELD_CONDITION);
    const struct py_node *body = py_child(clause, PY_FIELD_CONSEQUENCE);
    bool is_true = truth->value.integer != 0;
    size_t base = e->guards.count;
    struct condition assumed = { .place = eval_place(e, condition), .is_assumed = true };
    enum flow flow;

    if (!truth->value.is_assumed)
        return is_true ? (body ? eval_block(e, body) : FLOW_NEXT) : run_alternative(e, alternative);
    assumed.text =
        is_true ? eval_source(e, "", condition, "") : eval_source(e, "not (", condition, ")");
    eval_guard_push(e, &assumed, HOLD_BLOCK);
    flow = is_true ? (body ? eval_block(e, body) : FLOW_NEXT) : run_alternative(e, alternative);
    eval_guard_leave(e, base, 1, HOLD_BLOCK);

    /* On another server what follows would not run. */
    if (!is_true && flow == FLOW_NEXT && end_of(body) != FLOW_NEXT) {
        eval_guard_push(e, &assumed, hold_of(end_of(body)));
        e->guards.items[e->guards.count - 1].is_rest = true;
    }
    return flow;
}

/* The branch that leaves less decides how it goes on: the other is a rest of its own. */
static enum flow
join_flows(struct eval *e, const struct truth *truth, const enum flow flow[2])
{
    if (flow[0] == flow[1])
        return flow[0];

    int stronger = flow[0] > flow[1] ? 0 : 1;

    leave_rest(e, flow[stronger], stronger == 0 ? &truth->no : &truth->yes);
    return flow[1 - stronger];
}

static enum flow
run_chain(struct eval *e, const struct py_node *clause, const struct py_node *alternative)
{
    const struct py_node *body = py_child(clause, PY_FIELD_CONSEQUENCE);
    struct changes changes[2];
    struct truth truth;
    enum flow flow[2];

    /* Every elif is one level: it stands in the else of what is before it. */
    if (!eval_enter(e, clause))
        return FLOW_NEXT;
    eval_truth(e, py_child(clause, PY_FIELD_CONDITION), &truth);
    if (truth.value.kind == VALUE_BOOL) {
        flow[0] = run_known(e, &truth, clause, alternative);
        eval_leave(e);
        return flow[0];
    }
    for (int i = 0; i < 2; i++) {
        const struct conditions *conditions = i == 0 ? &truth.yes : &truth.no;
        size_t base = e->guards.count;
        struct branch branch = eval_branch_enter(e);

        eval_guard_push_all(e, conditions, HOLD_BLOCK);
        if (i == 0)
            flow[i] = body ? eval_block(e, body) : FLOW_NEXT;
        else
            flow[i] = run_alternative(e, alternative);
        changes[i] = eval_branch_leave(e, branch);
        eval_guard_leave(
            e, base, conditions->count, flow[i] >= FLOW_RETURN ? HOLD_RUN : HOLD_BLOCK);
    }
    eval_leave(e);

    /* A branch that leaves the function has no say in what the names are afterwards. */
    if (flow[0] >= FLOW_RETURN && flow[1] < FLOW_RETURN)
        eval_apply(e, &changes[1]);
    else if (flow[1] >= FLOW_RETURN && flow[0] < FLOW_RETURN)
        eval_apply(e, &changes[0]);
    else
        eval_merge(e, &truth.value.test, &changes[0], &changes[1]);
    if (e->rest.was_cut)
        eval_rest_enter(e);
    return join_flows(e, &truth, flow);
}

enum flow
eval_if(struct eval *e, const struct py_node *node)
{
    const struct py_node *alternative = py_child(node, PY_FIELD_ALTERNATIVE);

    return run_chain(e, node, alternative);
}
