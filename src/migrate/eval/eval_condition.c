#include "migrate/eval/eval_private.h"

static void
add_condition(struct eval *e, struct conditions *conditions, const char *text,
    const struct py_node *node, struct test test)
{
    struct condition condition = {
        .text = text,
        .place = eval_place(e, node),
        .test = test,
    };

    VEC_PUSH(e->arena, conditions, condition);
}

static void
append(struct eval *e, struct conditions *to, const struct conditions *from)
{
    for (size_t i = 0; i < from->count; i++)
        VEC_PUSH(e->arena, to, from->items[i]);
}

/* What is undecided as a whole: one condition either way. */
static void
set_plain(struct eval *e, const struct py_node *node, struct truth *truth)
{
    struct test no = test_negate(truth->value.test);

    add_condition(e, &truth->yes, eval_source(e, "", node, ""), node, truth->value.test);
    add_condition(e, &truth->no, eval_source(e, "not (", node, ")"), node, no);
}

static void
truth_not(struct eval *e, const struct py_node *node, struct truth *ret)
{
    const struct py_node *argument = py_child(node, PY_FIELD_ARGUMENT);
    struct truth inner;

    eval_truth(e, argument, &inner);
    *ret = (struct truth){ .value = inner.value, .yes = inner.no, .no = inner.yes };
    if (inner.value.kind == VALUE_BOOL)
        ret->value.integer = !inner.value.integer;
    ret->value.test = test_negate(inner.value.test);
    if (ret->yes.count == 1)
        ret->yes.items[0].text = eval_source(e, "", node, "");
}

static struct value
known(bool truth, bool is_assumed)
{
    struct value value = value_bool(truth);

    value.is_assumed = is_assumed;
    return value;
}

/*
 * "a and b" is decided when either is known to be false; where it holds both hold, each a
 * condition of its own. "a or b" is the same with yes and no exchanged.
 */
static void
truth_boolean(struct eval *e, const struct py_node *node, struct truth *ret)
{
    bool is_or = py_is(e->tree, py_child(node, PY_FIELD_OPERATOR), "or");
    struct truth left;
    struct truth right;
    size_t base = e->guards.count;

    eval_truth(e, py_child(node, PY_FIELD_LEFT), &left);

    bool is_known = left.value.kind == VALUE_BOOL;

    *ret = left;
    if (is_known && (left.value.integer != 0) == is_or)
        return;

    struct conditions *before = is_or ? &left.no : &left.yes;
    size_t count = before->count;
    struct branch branch = { 0 };

    if (!is_known) {
        eval_guard_push_all(e, before, HOLD_BLOCK);
        branch = eval_branch_enter(e);
    }
    eval_truth(e, py_child(node, PY_FIELD_RIGHT), &right);
    if (!is_known) {
        struct changes changes = eval_branch_leave(e, branch);
        struct changes none = { 0 };

        eval_merge(e, &(struct test){ 0 }, &changes, &none);
        eval_guard_leave(e, base, count, HOLD_BLOCK);
    }
    *ret = right;
    ret->value.is_assumed |= is_known && left.value.is_assumed;
    if (is_known)
        return;
    if (right.value.kind == VALUE_BOOL) {
        if ((right.value.integer != 0) == is_or)
            return;
        *ret = left;
        return;
    }
    *ret = (struct truth){ .value = value_unknown("it depends on several conditions") };
    if (is_or) {
        append(e, &ret->no, &left.no);
        append(e, &ret->no, &right.no);
        add_condition(e, &ret->yes, eval_source(e, "", node, ""), node, (struct test){ 0 });
    } else {
        append(e, &ret->yes, &left.yes);
        append(e, &ret->yes, &right.yes);
        add_condition(e, &ret->no, eval_source(e, "not (", node, ")"), node, (struct test){ 0 });
    }
}

void
eval_truth(struct eval *e, const struct py_node *node, struct truth *ret)
{
    *ret = (struct truth){ .value = value_unknown("the code is nested too deep") };
    if (!node || !eval_enter(e, node))
        return;
    if (node->kind == PY_NOT) {
        truth_not(e, node, ret);
    } else if (node->kind == PY_BOOLEAN) {
        truth_boolean(e, node, ret);
    } else if (node->kind == PY_PARENTHESIZED && node->first) {
        eval_truth(e, node->first, ret);
    } else {
        struct value value = eval_expression(e, node);
        enum answer answer = value_truth(&value);

        if (answer == ANSWER_UNKNOWN) {
            ret->value = value;
            set_plain(e, node, ret);
        } else {
            ret->value = known(answer == ANSWER_YES, value.is_assumed);
        }
    }
    eval_leave(e);
}
