#include "migrate/eval/eval_private.h"

struct scope *
eval_scope_new(struct eval *e, struct scope *outer)
{
    struct scope *scope = ARENA_NEW(e->arena, struct scope);

    scope->names.arena = e->arena;
    scope->outer = outer;
    return scope;
}

static bool
is_unbound(const struct value *slot)
{
    return slot->kind == VALUE_UNKNOWN && !slot->text;
}

struct value *
eval_lookup(const struct eval *e, const char *name)
{
    for (struct scope *scope = e->scope; scope; scope = scope->outer) {
        struct value *slot = map_get(&scope->names, name);

        /* What a class body assigns is seen by that body only, not by functions within. */
        if (slot && !is_unbound(slot) && (!scope->is_class || scope == e->scope))
            return slot;
    }
    return NULL;
}

static struct scope *
scope_of(const struct eval *e, const char *name)
{
    struct scope *scope = e->scope;

    if (scope->globals.count > 0 && text_list_has(&scope->globals, name))
        return e->module;
    if (scope->nonlocals.count > 0 && text_list_has(&scope->nonlocals, name))
        for (struct scope *outer = scope->outer; outer; outer = outer->outer)
            if (map_get(&outer->names, name))
                return outer;
    return scope;
}

static void
set_slot(struct eval *e, struct value *slot, const struct value *value)
{
    if (e->branches > 0)
        VEC_PUSH(e->arena, &e->trail, (struct change){ slot, *slot });
    *slot = *value;
}

void
eval_assign(struct eval *e, const char *name, const struct value *value)
{
    struct scope *scope = scope_of(e, name);
    struct value *slot = map_get(&scope->names, name);

    if (!slot) {
        slot = ARENA_NEW(e->arena, struct value);
        map_set(&scope->names, name, slot);
    }
    set_slot(e, slot, value);
}

void
eval_forget(struct eval *e, const char *name, const char *why)
{
    struct value *slot = eval_lookup(e, name);
    struct value unknown = value_unknown(why);

    if (!slot || slot->kind == VALUE_FUNCTION || slot->kind == VALUE_CLASS)
        return;
    if ((slot->kind == VALUE_LIST || slot->kind == VALUE_DICT) && slot->box)
        slot->box->unknown = why;
    if (slot->kind == VALUE_NAME || slot->kind == VALUE_CALL)
        unknown.path = slot->path;
    set_slot(e, slot, &unknown);
}

static void
assign_attribute(struct eval *e, const struct py_node *target)
{
    /* Attributes of what is not in the file do not matter; those of instances are not followed. */
    (void)eval_expression(e, py_child(target, PY_FIELD_OBJECT));
}

static void
assign_subscript(struct eval *e, const struct py_node *target, const struct value *value)
{
    struct value object = eval_expression(e, py_child(target, PY_FIELD_VALUE));
    const struct py_node *subscript = py_child(target, PY_FIELD_SUBSCRIPT);
    struct value key = { 0 };

    if (subscript && subscript->kind != PY_SLICE)
        key = eval_expression(e, subscript);
    if ((object.kind != VALUE_DICT && object.kind != VALUE_LIST) || !eval_list_touch(e, &object))
        return;
    if (object.kind == VALUE_DICT && key.kind != VALUE_UNKNOWN)
        eval_dict_set(e, &object, &key, value);
    else
        object.box->unknown = "one of its elements is assigned";
}

/* a, *b, c = value */
static void
assign_pattern(struct eval *e, const struct py_node *target, const struct value *value)
{
    size_t targets = 0;
    size_t at = 0;
    struct value items;
    bool is_known = eval_iterate(e, value, &items);

    for (const struct py_node *child = target->first; child; child = child->next)
        targets++;
    for (const struct py_node *child = target->first; child; child = child->next) {
        struct value one = value_unknown("a part of what is not known");

        if (!is_known) {
            one = eval_element(e, value);
        } else if (child->kind == PY_LIST_SPLAT_PATTERN || child->kind == PY_LIST_SPLAT) {
            size_t rest = items.items.count + 1 > targets ? items.items.count + 1 - targets : 0;

            one = eval_list_new(e, VALUE_LIST, rest);
            for (; rest > 0 && at < items.items.count; rest--)
                eval_list_push(e, &one, &items.items.items[at++]);
        } else if (at < items.items.count) {
            one = items.items.items[at++];
            eval_refresh(&one);
        }
        eval_assign_target(e, child, &one);
    }
}

void
eval_assign_target(struct eval *e, const struct py_node *target, const struct value *value)
{
    /* Patterns nest as deep as the parser allows; each level comes through here. */
    if (!eval_enter(e, target))
        return;
    switch ((int)target->kind) {
    case PY_IDENTIFIER:
        eval_assign(e, eval_name(e, target), value);
        break;
    case PY_PATTERN_LIST:
    case PY_TUPLE_PATTERN:
    case PY_LIST_PATTERN:
    case PY_TUPLE:
    case PY_LIST:
    case PY_EXPRESSION_LIST:
        assign_pattern(e, target, value);
        break;
    case PY_ATTRIBUTE:
        assign_attribute(e, target);
        break;
    case PY_SUBSCRIPT:
        assign_subscript(e, target, value);
        break;
    default:
        /* *rest, (a), as_pattern_target: what they hold is the target. */
        if (target->first)
            eval_assign_target(e, target->first, value);
    }
    eval_leave(e);
}

struct branch
eval_branch_enter(struct eval *e)
{
    return (struct branch){ .mark = e->trail.count, .level = ++e->branches };
}

/* Undoes from the last to the first; the values at the end of the branch are what is returned. */
struct changes
eval_branch_leave(struct eval *e, struct branch branch)
{
    struct changes changes = { 0 };
    size_t count = e->trail.count - branch.mark;

    e->branches = branch.level - 1;
    if (e->rest.is_open && e->rest.branch.level > branch.level) {
        e->rest.is_open = false;
        e->rest.was_cut = true;
    }
    if (count == 0)
        return changes;
    eval_work(e, count / 2);
    changes.items = ARENA_ARRAY(e->arena, struct change, count);
    changes.capacity = count;
    while (e->trail.count > branch.mark) {
        struct change *change = &e->trail.items[--e->trail.count];

        changes.items[changes.count++] = (struct change){ change->slot, *change->slot };
        *change->slot = change->value;
    }
    return changes;
}

void
eval_rest_enter(struct eval *e)
{
    e->rest.was_cut = false;
    if (e->rest.is_open)
        return;
    e->rest.is_open = true;
    e->rest.branch = eval_branch_enter(e);
}

struct rest
eval_rest_begin(struct eval *e)
{
    struct rest outer = e->rest;

    e->rest = (struct rest){ 0 };
    return outer;
}

void
eval_rest_end(struct eval *e, struct rest outer)
{
    struct changes none = { 0 };

    if (e->rest.is_open) {
        struct rest rest = e->rest;

        e->rest = (struct rest){ 0 };

        struct changes changes = eval_branch_leave(e, rest.branch);

        eval_merge(e, &(struct test){ 0 }, &changes, &none);
    }
    e->rest = outer;
}

/*
 * A slot that was assigned several times is in the changes several times, its last value first
 * (it was undone first), so that going backwards the last value wins.
 */
void
eval_apply(struct eval *e, const struct changes *changes)
{
    for (size_t i = changes->count; i > 0; i--)
        set_slot(e, changes->items[i - 1].slot, &changes->items[i - 1].value);
}

static struct value
merge_values(const struct test *test, const struct value *yes, const struct value *no)
{
    /* Where it is used it was bound, or Python would stop. */
    if (is_unbound(yes))
        return *no;
    if (is_unbound(no))
        return *yes;
    return eval_choose(test, yes, no);
}

static struct value *
slot_of(const struct changes *yes, const struct changes *no, size_t i)
{
    return i < yes->count ? yes->items[i].slot : no->items[i - yes->count].slot;
}

/* The values of every slot that either branch has changed, with the changes of one applied. */
static struct value *
values_after(struct eval *e, const struct changes *yes, const struct changes *no, bool is_yes)
{
    size_t count = yes->count + no->count;
    const struct changes *changes = is_yes ? yes : no;
    struct value *before = ARENA_ARRAY(e->arena, struct value, count);
    struct value *after = ARENA_ARRAY(e->arena, struct value, count);

    for (size_t i = 0; i < count; i++)
        before[i] = *slot_of(yes, no, i);
    for (size_t i = changes->count; i > 0; i--)
        *changes->items[i - 1].slot = changes->items[i - 1].value;
    for (size_t i = 0; i < count; i++)
        after[i] = *slot_of(yes, no, i);
    for (size_t i = 0; i < count; i++)
        *slot_of(yes, no, i) = before[i];
    return after;
}

void
eval_merge(
    struct eval *e, const struct test *test, const struct changes *yes, const struct changes *no)
{
    size_t count = yes->count + no->count;

    if (count == 0)
        return;

    const struct value *a = values_after(e, yes, no, true);
    const struct value *b = values_after(e, yes, no, false);

    eval_work(e, count);
    for (size_t i = 0; i < count; i++) {
        struct value merged = merge_values(test, &a[i], &b[i]);

        set_slot(e, slot_of(yes, no, i), &merged);
    }
}
