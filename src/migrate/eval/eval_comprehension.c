#include "migrate/eval/eval_private.h"

/* What goes through the clauses of a comprehension. */
struct harvest {
    const struct py_node *node;
    const struct py_node *body;
    struct value result;  /* a list or dict of what is known */
    bool is_unknown;      /* a collection or condition is not known */
    struct value element; /* the last one */
    struct test filter;   /* of the only condition that is not known */
    size_t filters;       /* such conditions */
};

static void
take(struct eval *e, struct harvest *harvest)
{
    if (harvest->body->kind == PY_PAIR) {
        struct value key = eval_expression(e, py_child(harvest->body, PY_FIELD_KEY));
        struct value value = eval_expression(e, py_child(harvest->body, PY_FIELD_VALUE));

        harvest->element = key;
        if (harvest->result.kind == VALUE_DICT)
            eval_dict_set(e, &harvest->result, &key, &value);
        return;
    }
    harvest->element = eval_expression(e, harvest->body);
    if (harvest->result.kind != VALUE_LIST)
        return;
    if (harvest->node->kind == PY_SET_COMPREHENSION)
        eval_set_add(e, &harvest->result, &harvest->element);
    else
        eval_list_push(e, &harvest->result, &harvest->element);
}

static void run_clause(struct eval *e, struct harvest *harvest, const struct py_node *clause);

/* One round for all: whether it runs and how often is not known. */
static void
run_unknown(struct eval *e, struct harvest *harvest, const struct py_node *clause,
    const struct condition *condition)
{
    size_t base = e->guards.count;
    bool was_repeated = e->scene.is_repeated;
    struct changes none = { 0 };
    struct branch branch = eval_branch_enter(e);

    harvest->is_unknown = true;
    eval_guard_push(e, condition, HOLD_BLOCK);
    e->scene.is_repeated |= clause->kind == PY_FOR_IN;
    run_clause(e, harvest, clause->next);
    e->scene.is_repeated = was_repeated;

    struct changes changes = eval_branch_leave(e, branch);

    eval_guard_leave(e, base, 1, HOLD_BLOCK);
    eval_merge(e, &condition->test, &changes, &none);
}

static void
run_for(struct eval *e, struct harvest *harvest, const struct py_node *clause)
{
    const struct py_node *left = py_child(clause, PY_FIELD_LEFT);
    struct value from = eval_expression(e, py_child(clause, PY_FIELD_RIGHT));
    struct value items;

    if (!left)
        return;
    if (!eval_iterate(e, &from, &items)) {
        struct value element = eval_element(e, &from);
        struct condition condition = {
            .text = eval_source(e, "", clause, ""),
            .place = eval_place(e, clause),
        };

        eval_assign_target(e, left, &element);
        run_unknown(e, harvest, clause, &condition);
        return;
    }
    for (size_t i = 0; i < items.items.count && eval_work(e, 1); i++) {
        struct value item = items.items.items[i];

        eval_refresh(&item);
        eval_assign_target(e, left, &item);
        run_clause(e, harvest, clause->next);
    }
}

static void
run_if(struct eval *e, struct harvest *harvest, const struct py_node *clause)
{
    struct truth truth;

    eval_truth(e, clause->first, &truth);
    if (truth.value.kind == VALUE_BOOL) {
        if (truth.value.integer)
            run_clause(e, harvest, clause->next);
        return;
    }
    if (harvest->filters++ == 0)
        harvest->filter = truth.value.test;
    run_unknown(e, harvest, clause, &truth.yes.items[0]);
}

static void
run_clause(struct eval *e, struct harvest *harvest, const struct py_node *clause)
{
    if (!eval_enter(e, harvest->node))
        return;
    if (!clause)
        take(e, harvest);
    else if (clause->kind == PY_FOR_IN)
        run_for(e, harvest, clause);
    else if (clause->kind == PY_IF_CLAUSE)
        run_if(e, harvest, clause);
    eval_leave(e);
}

static void
reap(struct eval *e, const struct py_node *node, struct harvest *ret)
{
    bool is_dict = node->kind == PY_DICTIONARY_COMPREHENSION;
    struct scope *outer = e->scope;

    *ret = (struct harvest){
        .node = node,
        .body = py_child(node, PY_FIELD_BODY),
        .result = eval_list_new(e, is_dict ? VALUE_DICT : VALUE_LIST, 0),
        .element = value_unknown("an element that is not known"),
    };
    if (!ret->body)
        return;
    e->scope = eval_scope_new(e, outer);
    run_clause(e, ret, ret->body->next);
    e->scope = outer;
}

struct value
eval_comprehension(struct eval *e, const struct py_node *node)
{
    struct harvest harvest;
    struct value value;

    reap(e, node, &harvest);
    if (!harvest.is_unknown)
        return harvest.result;
    value = value_unknown("what it is made from is not known");
    if (harvest.element.path && harvest.element.kind != VALUE_TEXT) {
        value.path = eval_join(e, harvest.element.path, "", "*");
        value.call = harvest.element.call;
    }
    /* With a condition the list is empty exactly if no row fits. */
    if (harvest.filters == 1)
        value.test = harvest.filter;
    value.test.is_element = false;
    return value;
}

struct value
eval_any(struct eval *e, const struct py_node *generator, bool is_all)
{
    struct harvest harvest;
    struct value value;

    reap(e, generator, &harvest);
    if (!harvest.is_unknown) {
        bool is_unknown = false;

        for (size_t i = 0; i < harvest.result.items.count; i++) {
            enum answer answer = value_truth(&harvest.result.items.items[i]);

            if (answer == (is_all ? ANSWER_NO : ANSWER_YES))
                return value_bool(!is_all);
            is_unknown |= answer == ANSWER_UNKNOWN;
        }
        if (!is_unknown)
            return value_bool(is_all);
        value = value_unknown("it depends on what is not known");
        if (harvest.result.items.count == 1)
            value.test = harvest.result.items.items[0].test;
        return value;
    }
    value = value_unknown("it depends on the database");
    if (is_all)
        return value;
    if (harvest.filters == 0 && harvest.element.test.is_element)
        value.test = harvest.element.test;
    else if (harvest.filters == 1 && value_is_true(&harvest.element))
        value.test = harvest.filter;
    value.test.is_element = false;
    return value;
}
