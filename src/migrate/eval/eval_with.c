#include "migrate/eval/eval_private.h"

enum { WITH_MAX = 32 }; /* items of one statement */

/* What a with statement has entered. */
struct entered {
    struct value values[WITH_MAX];
    size_t count;
    bool was_in_autocommit;
    bool was_in_savepoint;
    bool was_in_try;
};

static void
enter(struct eval *e, const struct py_node *item, struct entered *entered)
{
    const struct py_node *node = py_child(item, PY_FIELD_VALUE);
    const struct py_node *target = NULL;
    struct value value;

    if (node && node->kind == PY_AS_PATTERN) {
        target = py_child(node, PY_FIELD_ALIAS);
        node = node->first;
    }
    value = eval_expression(e, node);
    if (value.kind == VALUE_CALL && text_ends_with(value.path, ".autocommit_block()"))
        e->scene.in_autocommit = true;
    if (value.kind == VALUE_CALL && e->scene.in_try &&
        text_ends_with(value.path, ".begin_nested()"))
        e->scene.in_savepoint = true;
    if (value.kind == VALUE_CALL && strcmp(value.path, "contextlib.suppress()") == 0)
        e->scene.in_try = true;
    if (target)
        eval_assign_target(e, target, &value);
    if (entered->count < WITH_MAX)
        entered->values[entered->count++] = value;
}

/* In parentheses the items are one tuple to the grammar of some versions. */
static void
enter_all(struct eval *e, const struct py_node *clause, struct entered *entered)
{
    for (const struct py_node *item = clause->first; item; item = item->next)
        if (item->kind == PY_WITH_ITEM)
            enter(e, item, entered);
}

enum flow
eval_with(struct eval *e, const struct py_node *node)
{
    const struct py_node *body = py_child(node, PY_FIELD_BODY);
    struct entered *entered = ARENA_NEW(e->arena, struct entered);
    enum flow flow;

    entered->was_in_autocommit = e->scene.in_autocommit;
    entered->was_in_savepoint = e->scene.in_savepoint;
    entered->was_in_try = e->scene.in_try;
    for (const struct py_node *child = node->first; child; child = child->next)
        if (child->kind == PY_WITH_CLAUSE)
            enter_all(e, child, entered);
    flow = body ? eval_block(e, body) : FLOW_NEXT;
    for (size_t i = entered->count; i > 0; i--) {
        const struct value *value = &entered->values[i - 1];

        if (value->kind != VALUE_CALL || !value->call || !e->host->leave || e->is_stopped)
            continue;
        e->scene.conditions = eval_guard_conditions(e);
        e->host->leave(e->host->self, &e->scene, value->call);
    }
    e->scene.in_autocommit = entered->was_in_autocommit;
    e->scene.in_savepoint = entered->was_in_savepoint;
    e->scene.in_try = entered->was_in_try;
    return flow;
}

/* match: each case may or may not be the one; which is not asked. */
enum flow
eval_match(struct eval *e, const struct py_node *node)
{
    const struct py_node *block = py_child(node, PY_FIELD_BODY);
    struct changes none = { 0 };

    (void)eval_expression(e, py_child(node, PY_FIELD_SUBJECT));
    for (const struct py_node *one = block ? block->first : NULL; one; one = one->next) {
        const struct py_node *body = py_child(one, PY_FIELD_CONSEQUENCE);
        struct conditions conditions = { 0 };
        struct condition condition = { .place = eval_place(e, one) };
        size_t base = e->guards.count;
        struct branch branch = eval_branch_enter(e);
        enum flow flow;

        condition.text = eval_head(e, "match: ", one, body);
        eval_guard_push(e, &condition, HOLD_BLOCK);
        flow = body ? eval_block(e, body) : FLOW_NEXT;

        struct changes changes = eval_branch_leave(e, branch);

        eval_guard_leave(e, base, 1, HOLD_BLOCK);
        eval_merge(e, &(struct test){ 0 }, &changes, &none);
        if (flow >= FLOW_RETURN) {
            condition.text = arena_printf(e->keep, "not (%s)", condition.text);
            VEC_PUSH(e->arena, &conditions, condition);
            eval_guard_rest(e, &conditions, flow == FLOW_RETURN ? HOLD_FUNCTION : HOLD_RUN);
        }
    }
    return FLOW_NEXT;
}
