#include "migrate/eval/eval_private.h"

/* A method of a list or dict: the result, or false when it is not known. */
typedef bool (*list_method)(
    struct eval *e, struct value *self, const struct call *call, struct value *ret);

bool
eval_list_touch(struct eval *e, struct value *value)
{
    if (!value->box)
        return false;
    if (value->box->branches < e->branches)
        value->box->unknown = "it is changed under a condition that is not known";
    return !value->box->unknown;
}

/* A copy of the contents, which the host may hold, before they change in their places. */
static void
renew(struct eval *e, struct value *self)
{
    struct box *box = self->box;

    eval_work(e, 1 + box->items.count / 4 + box->pairs.count / 4);
    if (box->items.count > 0)
        box->items.items = arena_memdup(
            e->arena, box->items.items, box->items.capacity * sizeof(box->items.items[0]));
    if (box->pairs.count > 0)
        box->pairs.items = arena_memdup(
            e->arena, box->pairs.items, box->pairs.capacity * sizeof(box->pairs.items[0]));
}

static bool
list_append(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    *ret = value_none();
    if (call->arguments.count == 1 && eval_list_touch(e, self))
        eval_list_push(e, self, &call->arguments.items[0]);
    return true;
}

/* Of a set. */
static bool
list_add(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    *ret = value_none();
    if (call->arguments.count == 1 && eval_list_touch(e, self))
        eval_set_add(e, self, &call->arguments.items[0]);
    return true;
}

static bool
list_extend(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    struct value more;

    *ret = value_none();
    if (call->arguments.count != 1 || !eval_list_touch(e, self))
        return true;
    if (!eval_iterate(e, &call->arguments.items[0], &more)) {
        self->box->unknown = "it is extended by what is not known";
        return true;
    }
    for (size_t i = 0; i < more.items.count; i++)
        eval_list_push(e, self, &more.items.items[i]);
    return true;
}

static bool
list_insert(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    *ret = value_none();
    if (call->arguments.count != 2 || !eval_list_touch(e, self))
        return true;

    const struct value *at = &call->arguments.items[0];
    struct box *box = self->box;

    if (at->kind != VALUE_INTEGER || at->integer < 0) {
        box->unknown = "something is inserted where it is not known";
        return true;
    }
    renew(e, self);
    eval_list_push(e, self, &call->arguments.items[1]);
    if (box->items.count == 0)
        return true;

    size_t last = box->items.count - 1;
    size_t place = (uint64_t)at->integer < last ? (size_t)at->integer : last;
    struct value item = box->items.items[last];

    memmove(&box->items.items[place + 1], &box->items.items[place],
        (last - place) * sizeof(box->items.items[0]));
    box->items.items[place] = item;
    return true;
}

static bool
list_pop(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    *ret = value_unknown("what is taken from a list");
    if (!eval_list_touch(e, self))
        return true;

    struct box *box = self->box;
    const struct value *at = call_argument(call, 0, NULL);
    size_t count = box->items.count;
    int64_t place = (int64_t)count - 1;

    if (at && at->kind == VALUE_INTEGER)
        place = at->integer < 0 ? at->integer + (int64_t)count : at->integer;
    if ((at && at->kind != VALUE_INTEGER) || place < 0 || place >= (int64_t)count) {
        box->unknown = "something is taken from it that is not known";
        return true;
    }
    renew(e, self);
    *ret = box->items.items[place];
    memmove(&box->items.items[place], &box->items.items[place + 1],
        (count - (size_t)place - 1) * sizeof(box->items.items[0]));
    box->items.count--;
    return true;
}

static bool
list_remove(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    *ret = value_none();
    if (call->arguments.count != 1 || !eval_list_touch(e, self))
        return true;

    struct box *box = self->box;

    for (size_t i = 0; i < box->items.count; i++) {
        enum answer answer = value_compare(&box->items.items[i], &call->arguments.items[0]);

        if (answer == ANSWER_NO)
            continue;
        if (answer == ANSWER_UNKNOWN)
            break;
        renew(e, self);
        memmove(&box->items.items[i], &box->items.items[i + 1],
            (box->items.count - i - 1) * sizeof(box->items.items[0]));
        box->items.count--;
        return true;
    }
    box->unknown = "something is removed that is not known";
    return true;
}

static bool
list_reverse(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    *ret = value_none();
    if (!eval_list_touch(e, self))
        return true;
    renew(e, self);

    struct value *items = self->box->items.items;

    for (size_t i = 0, j = self->box->items.count; i + 1 < j; i++) {
        struct value item = items[i];

        items[i] = items[--j];
        items[j] = item;
    }
    return true;
}

/* What changes the contents in a way that is not followed. */
static bool
list_change(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    *ret = value_unknown("what a list gives when it is changed");
    if (eval_list_touch(e, self))
        self->box->unknown = "it is changed in a way that is not followed";
    return true;
}

static bool
list_copy(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    *ret = eval_list_new(e, self->kind, self->items.count);
    for (size_t i = 0; i < self->items.count; i++)
        eval_list_push(e, ret, &self->items.items[i]);
    for (size_t i = 0; i < self->pairs.count; i++)
        eval_dict_set(e, ret, &self->pairs.items[i].key, &self->pairs.items[i].value);
    return true;
}

static bool
list_clear(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    *ret = value_none();
    if (eval_list_touch(e, self)) {
        memset(&self->box->items, 0, sizeof(self->box->items));
        memset(&self->box->pairs, 0, sizeof(self->box->pairs));
    }
    return true;
}

static bool
list_index(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    *ret = value_unknown("the place of something in a list");
    for (size_t i = 0; call->arguments.count == 1 && i < self->items.count; i++) {
        enum answer answer = value_compare(&self->items.items[i], &call->arguments.items[0]);

        if (answer == ANSWER_YES)
            *ret = value_integer((int64_t)i);
        if (answer != ANSWER_NO || !eval_work(e, 1))
            break;
    }
    return true;
}

static bool
dict_keys(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    return eval_iterate(e, self, ret);
}

static bool
dict_values(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    *ret = eval_list_new(e, VALUE_LIST, self->pairs.count);
    for (size_t i = 0; i < self->pairs.count; i++)
        eval_list_push(e, ret, &self->pairs.items[i].value);
    return true;
}

static bool
dict_items(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    (void)call;
    *ret = eval_list_new(e, VALUE_LIST, self->pairs.count);
    for (size_t i = 0; i < self->pairs.count; i++) {
        struct value pair = eval_list_new(e, VALUE_TUPLE, 2);

        VEC_PUSH(e->arena, &pair.items, self->pairs.items[i].key);
        VEC_PUSH(e->arena, &pair.items, self->pairs.items[i].value);
        eval_list_push(e, ret, &pair);
    }
    return true;
}

/* Whether a key is surely not there: every other one is known to differ. */
static bool
is_surely_missing(const struct value *self, const struct value *key)
{
    for (size_t i = 0; i < self->pairs.count; i++)
        if (value_compare(&self->pairs.items[i].key, key) != ANSWER_NO)
            return false;
    return true;
}

static bool
dict_get(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    const struct value *key = call_argument(call, 0, NULL);
    const struct value *other = call_argument(call, 1, "default");
    const struct value *found = key ? eval_dict_get(self, key) : NULL;

    (void)e;
    if (found)
        *ret = *found;
    else if (key && is_surely_missing(self, key))
        *ret = other ? *other : value_none();
    else
        *ret = value_unknown("the dict may or may not have this key");
    eval_refresh(ret);
    return true;
}

static bool
dict_setdefault(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    if (!dict_get(e, self, call, ret) || call->arguments.count == 0)
        return true;
    if (!eval_dict_get(self, &call->arguments.items[0]) && eval_list_touch(e, self))
        eval_dict_set(e, self, &call->arguments.items[0], ret);
    return true;
}

static bool
dict_update(struct eval *e, struct value *self, const struct call *call, struct value *ret)
{
    *ret = value_none();
    if (!eval_list_touch(e, self))
        return true;
    for (size_t i = 0; i < call->arguments.count; i++) {
        const struct value *other = &call->arguments.items[i];

        if (other->kind != VALUE_DICT) {
            self->box->unknown = "it is updated by what is not known";
            return true;
        }
        for (size_t j = 0; j < other->pairs.count; j++)
            eval_dict_set(e, self, &other->pairs.items[j].key, &other->pairs.items[j].value);
    }
    for (size_t i = 0; i < call->keywords.count; i++) {
        struct value key = { .kind = VALUE_TEXT, .text = call->keywords.items[i].name };

        eval_dict_set(e, self, &key, &call->keywords.items[i].value);
    }
    if (call->has_unknown_arguments)
        self->box->unknown = "it is updated by what is not known";
    return true;
}

static const struct {
    const char *name;
    enum value_kind kind;
    list_method run;
} methods[] = {
    { "append", VALUE_LIST, list_append },
    { "add", VALUE_LIST, list_add },
    { "extend", VALUE_LIST, list_extend },
    { "insert", VALUE_LIST, list_insert },
    { "pop", VALUE_LIST, list_pop },
    { "remove", VALUE_LIST, list_remove },
    { "reverse", VALUE_LIST, list_reverse },
    { "clear", VALUE_LIST, list_clear },
    { "copy", VALUE_LIST, list_copy },
    { "index", VALUE_LIST, list_index },
    { "index", VALUE_TUPLE, list_index },
    { "sort", VALUE_LIST, list_change },
    { "update", VALUE_LIST, list_extend },
    { "discard", VALUE_LIST, list_change },
    { "keys", VALUE_DICT, dict_keys },
    { "values", VALUE_DICT, dict_values },
    { "items", VALUE_DICT, dict_items },
    { "get", VALUE_DICT, dict_get },
    { "setdefault", VALUE_DICT, dict_setdefault },
    { "update", VALUE_DICT, dict_update },
    { "copy", VALUE_DICT, list_copy },
    { "clear", VALUE_DICT, list_clear },
    { "pop", VALUE_DICT, list_change },
    { "popitem", VALUE_DICT, list_change },
};

bool
eval_list_method(struct eval *e, struct value *self, const char *name, const struct call *call,
    struct value *ret)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (methods[i].kind == self->kind && strcmp(methods[i].name, name) == 0)
            return methods[i].run(e, self, call, ret);
    return false;
}
