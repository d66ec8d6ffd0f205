#include "migrate/eval/eval_private.h"

enum { FREEZE_DEPTH_MAX = 10 };

static struct box *
box_new(struct eval *e)
{
    struct box *box = ARENA_NEW(e->arena, struct box);

    box->branches = e->branches;
    return box;
}

struct value
eval_list_new(struct eval *e, enum value_kind kind, size_t count)
{
    struct value list = { .kind = kind };

    /* Tuples do not change, so that they need nothing that is shared. */
    if (kind != VALUE_TUPLE)
        list.box = box_new(e);
    if (kind == VALUE_DICT || count == 0)
        return list;
    list.items.items = ARENA_ARRAY(e->arena, struct value, count);
    list.items.capacity = count;
    if (list.box) {
        list.box->items.items = list.items.items;
        list.box->items.capacity = count;
    }
    return list;
}

void
eval_list_push(struct eval *e, struct value *list, const struct value *item)
{
    eval_work(e, 1);
    if (list->items.count >= EVAL_ITEMS_MAX)
        return;
    if (list->box) {
        VEC_PUSH(e->arena, &list->box->items, *item);
        eval_refresh(list);
    } else {
        VEC_PUSH(e->arena, &list->items, *item);
    }
    if (list->items.count == EVAL_ITEMS_MAX) {
        eval_limit(e, item->node, "a list is too long");
        if (list->box)
            list->box->unknown = "the list is too long";
    }
}

void
eval_set_add(struct eval *e, struct value *set, const struct value *item)
{
    eval_work(e, set->items.count / 8);
    for (size_t i = 0; i < set->items.count; i++)
        if (value_compare(&set->items.items[i], item) == ANSWER_YES)
            return;
    eval_list_push(e, set, item);
}

/* Dicts are short; long ones cost work. */
static struct value_pair *
find_pair(const struct value *dict, const struct value *key)
{
    for (size_t i = 0; i < dict->pairs.count; i++)
        if (value_compare(&dict->pairs.items[i].key, key) == ANSWER_YES)
            return &dict->pairs.items[i];
    return NULL;
}

void
eval_dict_set(
    struct eval *e, struct value *dict, const struct value *key, const struct value *value)
{
    eval_refresh(dict);
    if (!dict->box || !eval_work(e, 1 + dict->pairs.count / 8))
        return;

    struct value_pair *pair = find_pair(dict, key);

    if (pair) {
        struct box *box = dict->box;
        size_t place = (size_t)(pair - box->pairs.items);

        /* Somebody may hold the old ones. */
        box->pairs.items = arena_memdup(
            e->arena, box->pairs.items, box->pairs.capacity * sizeof(box->pairs.items[0]));
        box->pairs.items[place].value = *value;
    } else {
        VEC_PUSH(e->arena, &dict->box->pairs, (struct value_pair){ *key, *value });
    }
    eval_refresh(dict);
}

const struct value *
eval_dict_get(const struct value *dict, const struct value *key)
{
    const struct value_pair *pair = find_pair(dict, key);

    return pair ? &pair->value : NULL;
}

void
eval_refresh(struct value *value)
{
    if ((value->kind != VALUE_LIST && value->kind != VALUE_DICT) || !value->box)
        return;
    if (value->box->unknown) {
        *value = (struct value){
            .kind = VALUE_UNKNOWN,
            .text = value->box->unknown,
            .node = value->node,
        };
        return;
    }
    if (value->kind == VALUE_DICT) {
        value->pairs.items = value->box->pairs.items;
        value->pairs.count = value->box->pairs.count;
        value->pairs.capacity = value->box->pairs.capacity;
    } else {
        value->items.items = value->box->items.items;
        value->items.count = value->box->items.count;
        value->items.capacity = value->box->items.capacity;
    }
}

void
eval_freeze(struct eval *e, struct value *value, unsigned depth)
{
    eval_refresh(value);
    if (depth > FREEZE_DEPTH_MAX || (depth > 0 && !eval_work(e, 1)))
        return;
    if (value->kind == VALUE_LIST || value->kind == VALUE_TUPLE)
        for (size_t i = 0; i < value->items.count; i++)
            eval_freeze(e, &value->items.items[i], depth + 1);
    if (value->kind == VALUE_DICT)
        for (size_t i = 0; i < value->pairs.count; i++)
            eval_freeze(e, &value->pairs.items[i].value, depth + 1);
}

static bool
iterate_text(struct eval *e, const struct value *value, struct value *ret)
{
    const char *text = value->text;
    size_t count = eval_text_count(text);

    if (count > EVAL_ITEMS_MAX)
        return false;
    *ret = eval_list_new(e, VALUE_TUPLE, count);
    for (size_t i = 0; i < count && eval_work(e, 1); i++) {
        size_t length = eval_text_offset(text, 1);
        struct value one = { .kind = VALUE_TEXT, .text = eval_word(e, text, length) };

        VEC_PUSH(e->arena, &ret->items, one);
        text += length;
    }
    return true;
}

/* The members of an enum. */
static bool
iterate_class(struct eval *e, const struct value *value, struct value *ret)
{
    const struct class_def *def = value->class_def;

    if (!eval_is_enum(def))
        return false;
    *ret = eval_list_new(e, VALUE_TUPLE, def->members.count);
    for (size_t i = 0; i < def->members.count; i++) {
        struct value member;

        if (eval_class_attribute(e, value, def->members.items[i].name, &member) &&
            member.kind == VALUE_NAME && member.class_def)
            VEC_PUSH(e->arena, &ret->items, member);
    }
    return true;
}

bool
eval_iterate(struct eval *e, const struct value *value, struct value *ret)
{
    switch ((int)value->kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        *ret = *value;
        eval_refresh(ret);
        return ret->kind == VALUE_LIST || ret->kind == VALUE_TUPLE;
    case VALUE_DICT:
        *ret = eval_list_new(e, VALUE_TUPLE, value->pairs.count);
        for (size_t i = 0; i < value->pairs.count; i++)
            VEC_PUSH(e->arena, &ret->items, value->pairs.items[i].key);
        return eval_work(e, value->pairs.count);
    case VALUE_TEXT:
        return !eval_is_path(value) && iterate_text(e, value, ret);
    case VALUE_CLASS:
        return iterate_class(e, value, ret);
    default:
        return false;
    }
}

struct value
eval_element(struct eval *e, const struct value *value)
{
    struct value element = { .kind = VALUE_UNKNOWN, .text = "an element of what is not known" };

    if (!value->path || value->kind == VALUE_TEXT)
        return element;

    size_t length = strlen(value->path);

    /* "…*" is a collection of "…", as comprehensions make them. */
    if (length > 0 && value->path[length - 1] == '*')
        element.path = eval_word(e, value->path, length - 1);
    else
        element.path = eval_join(e, value->path, "", "[]");
    element.call = value->call;
    return element;
}

static bool
get_key(const struct value *key, size_t count, size_t *ret)
{
    if (key->kind != VALUE_INTEGER && key->kind != VALUE_BOOL)
        return false;

    int64_t at = key->integer < 0 ? key->integer + (int64_t)count : key->integer;

    *ret = (size_t)at;
    return at >= 0 && at < (int64_t)count;
}

static struct value
subscript_unknown(struct eval *e, const struct value *object, const struct value *key)
{
    struct value value = { .kind = VALUE_UNKNOWN, .text = object->text };

    if (!value.text || object->kind != VALUE_UNKNOWN)
        value.text = "an element of what is not known";
    if (!object->path || object->kind == VALUE_TEXT)
        return value;
    value.call = object->call;
    if (key->kind == VALUE_TEXT)
        value.path = eval_word(e, arena_printf(e->arena, "%s[%s]", object->path, key->text),
            strlen(object->path) + strlen(key->text) + 2);
    else
        value.path = eval_join(e, object->path, "", "[]");
    return value;
}

struct value
eval_subscript_of(
    struct eval *e, const struct value *object, const struct value *key, const struct py_node *node)
{
    size_t at;
    struct value member;

    if (object->path && strcmp(object->path, "os.environ") == 0) {
        eval_note(
            e, NOTE_ENVIRONMENT, node, "%s", key->kind == VALUE_TEXT ? key->text : "os.environ");
        return value_unknown("it is an environment variable");
    }
    switch ((int)object->kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        if (!get_key(key, object->items.count, &at))
            return value_unknown("the index is not known or out of range");
        member = object->items.items[at];
        eval_refresh(&member);
        return member;
    case VALUE_DICT: {
        const struct value *found = eval_dict_get(object, key);

        eval_work(e, object->pairs.count / 8);
        if (!found)
            return value_unknown("the dict has no such key that is known");
        member = *found;
        eval_refresh(&member);
        return member;
    }
    case VALUE_TEXT:
        if (eval_is_path(object) || !get_key(key, eval_text_count(object->text), &at))
            return value_unknown("the index is not known or out of range");
        return eval_text_new(e, object->text + eval_text_offset(object->text, at),
            eval_text_offset(object->text + eval_text_offset(object->text, at), 1));
    case VALUE_CLASS:
        if (key->kind == VALUE_TEXT && eval_is_enum(object->class_def) &&
            eval_class_attribute(e, object, key->text, &member))
            return member;
        return value_unknown("a class with a subscript");
    default:
        return subscript_unknown(e, object, key);
    }
}

static int64_t
clamp(int64_t number, int64_t count)
{
    if (number < 0)
        number += count;
    if (number < 0)
        return 0;
    return number > count ? count : number;
}

/* From, to and step; false if they are not known. [::-1] is a step of -1 over everything. */
static bool
get_bounds(const struct value part[3], int64_t count, int64_t ret[3])
{
    ret[0] = 0;
    ret[1] = count;
    ret[2] = 1;
    for (int i = 0; i < 3; i++) {
        if (part[i].kind != VALUE_NONE && part[i].kind != VALUE_INTEGER)
            return false;
        if (part[i].kind != VALUE_INTEGER)
            continue;
        ret[i] = part[i].integer;
        if (i < 2)
            ret[i] = clamp(ret[i], count);
        else if (ret[i] > count)
            ret[i] = count + 1;
    }
    return ret[2] > 0 || (ret[2] == -1 && part[0].kind == VALUE_NONE && part[1].kind == VALUE_NONE);
}

static struct value
slice_text(struct eval *e, const char *text, const struct value part[3])
{
    int64_t bounds[3];
    size_t from;
    size_t to;

    if (!get_bounds(part, (int64_t)eval_text_count(text), bounds) || bounds[2] != 1)
        return value_unknown("the bounds of a slice are not known");
    from = eval_text_offset(text, (size_t)bounds[0]);
    to = eval_text_offset(text, (size_t)bounds[1]);
    return eval_text_new(e, text + from, to > from ? to - from : 0);
}

/* Source: the rules of slice.indices() in the library reference. */
struct value
eval_slice_of(struct eval *e, const struct value *object, const struct value part[3])
{
    int64_t count = (int64_t)object->items.count;
    int64_t bounds[3];
    struct value list;

    if (object->kind == VALUE_TEXT && !eval_is_path(object))
        return slice_text(e, object->text, part);
    if (object->kind != VALUE_LIST && object->kind != VALUE_TUPLE)
        return value_unknown("a part of what is not known");
    if (!get_bounds(part, count, bounds))
        return value_unknown("the bounds of a slice are not known");
    list = eval_list_new(e, object->kind, 0);
    for (int64_t i = count - 1; bounds[2] < 0 && i >= 0; i--)
        eval_list_push(e, &list, &object->items.items[i]);
    for (int64_t i = bounds[0]; bounds[2] > 0 && i < bounds[1]; i += bounds[2])
        eval_list_push(e, &list, &object->items.items[i]);
    return list;
}
