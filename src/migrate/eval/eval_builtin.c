#include "migrate/eval/eval_private.h"

/* A function whose result is known if its arguments are; false: the result is not known. */
typedef bool (*known_call)(struct eval *e, const struct call *call, struct value *ret);

static const struct value *
first(const struct call *call)
{
    return call_argument(call, 0, NULL);
}

/* What is made from something unknown stands for it: set(names), list(names), sorted(names). */
static bool
same_collection(const struct value *from, struct value *ret)
{
    if (!from || !from->path || from->kind == VALUE_TEXT || from->kind == VALUE_CLASS)
        return false;
    *ret = *from;
    ret->kind = VALUE_UNKNOWN;
    ret->text = "what it is made from is not known";
    return true;
}

static bool
make_list(struct eval *e, const struct call *call, enum value_kind kind, struct value *ret)
{
    struct value items = { .kind = VALUE_TUPLE };

    if (first(call) && !eval_iterate(e, first(call), &items))
        return same_collection(first(call), ret);
    *ret = eval_list_new(e, kind, items.items.count);
    for (size_t i = 0; i < items.items.count; i++)
        eval_list_push(e, ret, &items.items.items[i]);
    return true;
}

static bool
known_list(struct eval *e, const struct call *call, struct value *ret)
{
    return make_list(e, call, VALUE_LIST, ret);
}

static bool
known_tuple(struct eval *e, const struct call *call, struct value *ret)
{
    return make_list(e, call, VALUE_TUPLE, ret);
}

static bool
known_set(struct eval *e, const struct call *call, struct value *ret)
{
    struct value items;

    if (!make_list(e, call, VALUE_TUPLE, &items) || items.kind != VALUE_TUPLE) {
        *ret = items;
        return first(call) && same_collection(first(call), ret);
    }
    *ret = eval_list_new(e, VALUE_LIST, items.items.count);
    for (size_t i = 0; i < items.items.count; i++)
        eval_set_add(e, ret, &items.items.items[i]);
    return true;
}

static bool
known_dict(struct eval *e, const struct call *call, struct value *ret)
{
    struct value pairs = { .kind = VALUE_TUPLE };
    const struct value *from = first(call);

    *ret = eval_list_new(e, VALUE_DICT, 0);
    if (from && from->kind == VALUE_DICT) {
        for (size_t i = 0; i < from->pairs.count; i++)
            eval_dict_set(e, ret, &from->pairs.items[i].key, &from->pairs.items[i].value);
    } else if (from && !eval_iterate(e, from, &pairs)) {
        return false;
    }
    for (size_t i = 0; i < pairs.items.count; i++) {
        struct value pair;

        if (!eval_iterate(e, &pairs.items.items[i], &pair) || pair.items.count != 2)
            return false;
        eval_dict_set(e, ret, &pair.items.items[0], &pair.items.items[1]);
    }
    for (size_t i = 0; i < call->keywords.count; i++) {
        struct value key = { .kind = VALUE_TEXT, .text = call->keywords.items[i].name };

        eval_dict_set(e, ret, &key, &call->keywords.items[i].value);
    }
    return true;
}

static bool
known_range(struct eval *e, const struct call *call, struct value *ret)
{
    int64_t part[3] = { 0, 0, 1 };
    size_t count = call->arguments.count;

    if (count == 0 || count > 3)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (call->arguments.items[i].kind != VALUE_INTEGER)
            return false;
        part[count == 1 ? 1 : i] = call->arguments.items[i].integer;
    }
    *ret = eval_list_new(e, VALUE_TUPLE, 0);
    if (part[2] == 0)
        return false;
    for (int64_t i = part[0]; part[2] > 0 ? i < part[1] : i > part[1];) {
        struct value number = value_integer(i);

        if (ret->items.count + 1 >= EVAL_ITEMS_MAX || !eval_work(e, 1))
            return false;
        VEC_PUSH(e->arena, &ret->items, number);
        if (__builtin_add_overflow(i, part[2], &i))
            break;
    }
    return true;
}

static bool
known_enumerate(struct eval *e, const struct call *call, struct value *ret)
{
    const struct value *start = call_argument(call, 1, "start");
    struct value items;
    int64_t number = 0;

    if (start && start->kind != VALUE_INTEGER)
        return false;
    if (start)
        number = start->integer;
    if (!first(call) || !eval_iterate(e, first(call), &items))
        return false;
    *ret = eval_list_new(e, VALUE_LIST, items.items.count);
    for (size_t i = 0; i < items.items.count; i++) {
        struct value pair = eval_list_new(e, VALUE_TUPLE, 2);

        VEC_PUSH(e->arena, &pair.items, value_integer((int64_t)((uint64_t)number + i)));
        VEC_PUSH(e->arena, &pair.items, items.items.items[i]);
        eval_list_push(e, ret, &pair);
    }
    return true;
}

static bool
known_zip(struct eval *e, const struct call *call, struct value *ret)
{
    size_t width = call->arguments.count;
    struct value *lists = ARENA_ARRAY(e->arena, struct value, width + 1);
    size_t count = SIZE_MAX;

    for (size_t i = 0; i < width; i++) {
        if (!eval_iterate(e, &call->arguments.items[i], &lists[i]))
            return false;
        if (lists[i].items.count < count)
            count = lists[i].items.count;
    }
    *ret = eval_list_new(e, VALUE_LIST, 0);
    for (size_t i = 0; width > 0 && i < count && eval_work(e, width); i++) {
        struct value row = eval_list_new(e, VALUE_TUPLE, width);

        for (size_t j = 0; j < width; j++)
            VEC_PUSH(e->arena, &row.items, lists[j].items.items[i]);
        eval_list_push(e, ret, &row);
    }
    return true;
}

static bool
known_len(struct eval *e, const struct call *call, struct value *ret)
{
    struct value items;

    if (!first(call))
        return false;
    if (first(call)->kind == VALUE_TEXT && !eval_is_path(first(call))) {
        *ret = value_integer((int64_t)eval_text_count(first(call)->text));
        return true;
    }
    if (eval_iterate(e, first(call), &items)) {
        *ret = value_integer((int64_t)items.items.count);
        return true;
    }
    /* How many there are is not known, but whether there are any may be a question. */
    *ret = value_unknown("how many there are is not known");
    ret->test = first(call)->test;
    return true;
}

static int
order_of(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_TEXT)
        return strcmp(a->text, b->text);
    return a->integer < b->integer ? -1 : a->integer > b->integer;
}

static int
order_for_qsort(const void *a, const void *b)
{
    return order_of(a, b);
}

/* Texts or integers only, and without a key. */
static bool
is_sortable(const struct value *items)
{
    for (size_t i = 0; i < items->items.count; i++) {
        enum value_kind kind = items->items.items[i].kind;

        if ((kind != VALUE_TEXT && kind != VALUE_INTEGER) || kind != items->items.items[0].kind)
            return false;
    }
    return true;
}

static void
reverse(struct value *list)
{
    for (size_t i = 0, j = list->items.count; i + 1 < j; i++) {
        struct value item = list->items.items[i];

        list->items.items[i] = list->items.items[--j];
        list->items.items[j] = item;
    }
}

static bool
known_sorted(struct eval *e, const struct call *call, struct value *ret)
{
    const struct value *reversed = call_argument(call, SIZE_MAX, "reverse");

    if (!make_list(e, call, VALUE_LIST, ret) || ret->kind != VALUE_LIST)
        return ret->kind == VALUE_UNKNOWN && same_collection(first(call), ret);
    if (call_argument(call, SIZE_MAX, "key") || !is_sortable(ret) ||
        (reversed && reversed->kind != VALUE_BOOL) || !eval_work(e, ret->items.count))
        return false;
    if (ret->items.count > 1)
        qsort(ret->items.items, ret->items.count, sizeof(ret->items.items[0]), order_for_qsort);
    if (reversed && reversed->integer)
        reverse(ret);
    return true;
}

static bool
known_reversed(struct eval *e, const struct call *call, struct value *ret)
{
    if (!first(call) || !make_list(e, call, VALUE_LIST, ret) || ret->kind != VALUE_LIST)
        return false;
    reverse(ret);
    return true;
}

static bool
known_extreme(struct eval *e, const struct call *call, int sign, struct value *ret)
{
    struct value items = { .kind = VALUE_TUPLE };

    if (call->keywords.count > 0 || call->arguments.count == 0)
        return false;
    if (call->arguments.count == 1) {
        if (!eval_iterate(e, first(call), &items))
            return false;
    } else {
        items.items.items = call->arguments.items;
        items.items.count = call->arguments.count;
    }
    if (items.items.count == 0 || !is_sortable(&items))
        return false;
    *ret = items.items.items[0];
    for (size_t i = 1; i < items.items.count; i++)
        if (order_of(&items.items.items[i], ret) * sign > 0)
            *ret = items.items.items[i];
    return true;
}

static bool
known_min(struct eval *e, const struct call *call, struct value *ret)
{
    return known_extreme(e, call, -1, ret);
}

static bool
known_max(struct eval *e, const struct call *call, struct value *ret)
{
    return known_extreme(e, call, 1, ret);
}

static bool
known_sum(struct eval *e, const struct call *call, struct value *ret)
{
    struct value items;

    if (call->arguments.count != 1 || !eval_iterate(e, first(call), &items))
        return false;
    *ret = value_integer(0);
    for (size_t i = 0; i < items.items.count; i++)
        *ret = eval_binary_of(e, ret, "+", &items.items.items[i]);
    return true;
}

static bool
known_str(struct eval *e, const struct call *call, struct value *ret)
{
    struct buffer buffer = { .arena = e->arena };

    if (!first(call)) {
        *ret = (struct value){ .kind = VALUE_TEXT, .text = "" };
        return true;
    }
    eval_format_value(e, &buffer, first(call), 's', "");
    *ret = eval_text_from(e, &buffer);
    ret->is_assumed = first(call)->is_assumed;
    return true;
}

static bool
known_repr(struct eval *e, const struct call *call, struct value *ret)
{
    struct buffer buffer = { .arena = e->arena };

    if (!first(call) || !value_repr(&buffer, first(call), 0))
        return false;
    *ret = eval_text_from(e, &buffer);
    return true;
}

static bool
known_int(struct eval *e, const struct call *call, struct value *ret)
{
    const struct value *from = first(call);
    int64_t number;

    (void)e;
    if (call->arguments.count != 1)
        return false;
    if (from->kind == VALUE_INTEGER || from->kind == VALUE_BOOL) {
        *ret = value_integer(from->integer);
        return true;
    }
    if (from->kind != VALUE_TEXT || !text_to_int64(from->text, &number))
        return false;
    *ret = value_integer(number);
    return true;
}

static bool
known_bool(struct eval *e, const struct call *call, struct value *ret)
{
    enum answer answer = first(call) ? value_truth(first(call)) : ANSWER_NO;

    (void)e;
    if (answer == ANSWER_UNKNOWN) {
        *ret = value_unknown("it depends on what is not known");
        ret->test = first(call)->test;
        return true;
    }
    *ret = value_bool(answer == ANSWER_YES);
    ret->is_assumed = first(call) && first(call)->is_assumed;
    return true;
}

/* any() and all() of a list; those of a generator are asked of its elements. */
static bool
known_any(struct eval *e, const struct call *call, struct value *ret)
{
    bool is_all = text_ends_with(call->path, ".all");
    bool is_known = true;
    struct value items;

    if (!first(call) || !eval_iterate(e, first(call), &items))
        return false;
    for (size_t i = 0; i < items.items.count; i++) {
        enum answer answer = value_truth(&items.items.items[i]);

        if (answer == (is_all ? ANSWER_NO : ANSWER_YES)) {
            *ret = value_bool(!is_all);
            return true;
        }
        is_known &= answer != ANSWER_UNKNOWN;
    }
    *ret = value_bool(is_all);
    return is_known;
}

static bool
known_isinstance(struct eval *e, const struct call *call, struct value *ret)
{
    static const struct {
        const char *path;
        enum value_kind kind;
    } types[] = {
        { "builtins.str", VALUE_TEXT },
        { "builtins.int", VALUE_INTEGER },
        { "builtins.bool", VALUE_BOOL },
        { "builtins.float", VALUE_FLOAT },
        { "builtins.list", VALUE_LIST },
        { "builtins.tuple", VALUE_TUPLE },
        { "builtins.dict", VALUE_DICT },
    };
    const struct value *value = first(call);
    const struct value *type = call_argument(call, 1, NULL);

    (void)e;
    if (!type || type->kind != VALUE_NAME || value->kind == VALUE_UNKNOWN ||
        value->kind == VALUE_NAME || value->kind == VALUE_CALL)
        return false;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (strcmp(types[i].path, type->path) != 0)
            continue;
        *ret = value_bool(value->kind == types[i].kind ||
                          (types[i].kind == VALUE_TEXT && value->kind == VALUE_TEMPLATE) ||
                          (types[i].kind == VALUE_INTEGER && value->kind == VALUE_BOOL));
        return !eval_is_path(value);
    }
    return false;
}

static bool
known_getattr(struct eval *e, const struct call *call, struct value *ret)
{
    const struct value *object = first(call);
    const struct value *name = call_argument(call, 1, NULL);

    if (!name)
        return false;
    if (name->kind != VALUE_TEXT) {
        if (object->path && text_starts_with(object->path, "alembic.op"))
            eval_note(e, NOTE_CANNOT_KNOW, name->node,
                "which operation of %s is meant is not known", object->path);
        return false;
    }
    *ret = eval_attribute_of(e, object, name->text, NULL);
    return call->arguments.count == 2 || ret->kind != VALUE_UNKNOWN;
}

/* next(iterator, None): the first of what is known, else perhaps a question. */
static bool
known_next(struct eval *e, const struct call *call, struct value *ret)
{
    const struct value *other = call_argument(call, 1, NULL);
    struct value items;

    if (!first(call))
        return false;
    if (eval_iterate(e, first(call), &items)) {
        if (items.items.count == 0 && !other)
            return false;
        *ret = items.items.count > 0 ? items.items.items[0] : *other;
        return true;
    }
    *ret = eval_element(e, first(call));
    if (other && other->kind == VALUE_NONE)
        ret->test = first(call)->test;
    return true;
}

static bool
apply(struct eval *e, const struct value *function, const struct value *item, struct value *ret)
{
    struct call *call = ARENA_NEW(e->arena, struct call);

    if (function->kind != VALUE_FUNCTION && function->kind != VALUE_NAME)
        return false;
    call->path = function->path ? function->path : "";
    VEC_PUSH(e->arena, &call->arguments, *item);
    *ret = eval_call_value(e, function, call, function->node);
    return true;
}

static bool
known_map(struct eval *e, const struct call *call, struct value *ret)
{
    struct value items;

    if (call->arguments.count != 2 || !eval_iterate(e, &call->arguments.items[1], &items))
        return false;
    *ret = eval_list_new(e, VALUE_LIST, items.items.count);
    for (size_t i = 0; i < items.items.count && eval_work(e, 1); i++) {
        struct value one;

        if (!apply(e, first(call), &items.items.items[i], &one))
            return false;
        eval_list_push(e, ret, &one);
    }
    return true;
}

static bool
known_filter(struct eval *e, const struct call *call, struct value *ret)
{
    struct value items;

    if (call->arguments.count != 2 || !eval_iterate(e, &call->arguments.items[1], &items))
        return false;
    *ret = eval_list_new(e, VALUE_LIST, items.items.count);
    for (size_t i = 0; i < items.items.count && eval_work(e, 1); i++) {
        struct value one = items.items.items[i];

        if (first(call)->kind != VALUE_NONE && !apply(e, first(call), &items.items.items[i], &one))
            return false;
        if (value_truth(&one) == ANSWER_UNKNOWN)
            return false;
        if (value_is_true(&one))
            eval_list_push(e, ret, &items.items.items[i]);
    }
    return true;
}

static bool
known_abs(struct eval *e, const struct call *call, struct value *ret)
{
    (void)e;
    if (!first(call) || first(call)->kind != VALUE_INTEGER || first(call)->integer == INT64_MIN)
        return false;
    *ret = value_integer(first(call)->integer < 0 ? -first(call)->integer : first(call)->integer);
    return true;
}

static bool
known_dedent(struct eval *e, const struct call *call, struct value *ret)
{
    if (!first(call))
        return false;
    *ret = eval_dedent(e, first(call));
    return true;
}

static bool
known_cleandoc(struct eval *e, const struct call *call, struct value *ret)
{
    if (!first(call))
        return false;
    *ret = eval_cleandoc(e, first(call));
    return true;
}

static bool
known_partial(struct eval *e, const struct call *call, struct value *ret)
{
    const struct value *target = first(call);
    struct function *function;

    if (target && target->path && strncmp(target->path, "alembic.op", 10) == 0)
        eval_note(
            e, NOTE_CANNOT_KNOW, target->node, "partial() of %s is not followed", target->path);
    if (!target || target->kind != VALUE_FUNCTION || call->has_unknown_arguments)
        return false;
    function = arena_memdup(e->arena, target->function, sizeof(*function));
    memset(&function->first, 0, sizeof(function->first));
    memset(&function->keywords, 0, sizeof(function->keywords));
    for (size_t i = 0; i < target->function->first.count; i++)
        VEC_PUSH(e->arena, &function->first, target->function->first.items[i]);
    for (size_t i = 1; i < call->arguments.count; i++)
        VEC_PUSH(e->arena, &function->first, call->arguments.items[i]);
    for (size_t i = 0; i < target->function->keywords.count; i++)
        VEC_PUSH(e->arena, &function->keywords, target->function->keywords.items[i]);
    for (size_t i = 0; i < call->keywords.count; i++)
        VEC_PUSH(e->arena, &function->keywords, call->keywords.items[i]);
    *ret = (struct value){ .kind = VALUE_FUNCTION, .function = function, .node = target->node };
    return true;
}

static bool
known_getenv(struct eval *e, const struct call *call, struct value *ret)
{
    const struct value *name = call_argument(call, 0, "key");
    const struct py_node *node = name ? name->node : NULL;

    eval_note(e, NOTE_ENVIRONMENT, node, "%s",
        name && name->kind == VALUE_TEXT ? name->text : "os.environ");
    *ret = value_unknown("it is an environment variable");
    return true;
}

static bool
known_import(struct eval *e, const struct call *call, struct value *ret)
{
    const struct value *name = first(call);

    if (!name || name->kind != VALUE_TEXT)
        return false;
    if (!eval_is_library(name->text))
        eval_note(e, NOTE_APPLICATION, name->node, "%s", name->text);
    *ret = (struct value){ .kind = VALUE_NAME, .path = name->text };
    return true;
}

/* What runs text as code is followed by nobody. */
static bool
known_exec(struct eval *e, const struct call *call, struct value *ret)
{
    eval_note(e, NOTE_CANNOT_KNOW, first(call) ? first(call)->node : NULL,
        "%s() runs code that is made at run time", call->path + strlen("builtins."));
    *ret = value_unknown("the result of code that is made at run time");
    return true;
}

/* "builtins" as paths of names that are not defined: those without a function are only names. */
static const struct {
    const char *path;
    known_call run;
} calls[] = {
    { "builtins.len", known_len },
    { "builtins.str", known_str },
    { "builtins.int", known_int },
    { "builtins.bool", known_bool },
    { "builtins.list", known_list },
    { "builtins.tuple", known_tuple },
    { "builtins.dict", known_dict },
    { "builtins.set", known_set },
    { "builtins.frozenset", known_set },
    { "builtins.range", known_range },
    { "builtins.enumerate", known_enumerate },
    { "builtins.zip", known_zip },
    { "builtins.sorted", known_sorted },
    { "builtins.reversed", known_reversed },
    { "builtins.min", known_min },
    { "builtins.max", known_max },
    { "builtins.sum", known_sum },
    { "builtins.any", known_any },
    { "builtins.all", known_any },
    { "builtins.isinstance", known_isinstance },
    { "builtins.getattr", known_getattr },
    { "builtins.next", known_next },
    { "builtins.iter", known_list },
    { "builtins.map", known_map },
    { "builtins.filter", known_filter },
    { "builtins.abs", known_abs },
    { "builtins.repr", known_repr },
    { "builtins.exec", known_exec },
    { "builtins.eval", known_exec },
    { "builtins.__import__", known_import },
    { "builtins.print", NULL },
    { "builtins.open", NULL },
    { "builtins.float", NULL },
    { "builtins.type", NULL },
    { "builtins.super", NULL },
    { "builtins.object", NULL },
    { "builtins.callable", NULL },
    { "builtins.hasattr", NULL },
    { "builtins.setattr", NULL },
    { "builtins.chr", NULL },
    { "builtins.ord", NULL },
    { "builtins.hex", NULL },
    { "builtins.round", NULL },
    { "builtins.bytes", NULL },
    { "builtins.id", NULL },
    { "builtins.vars", NULL },
    { "builtins.globals", NULL },
    { "builtins.locals", NULL },
    { "builtins.input", NULL },
    { "builtins.issubclass", NULL },
    { "builtins.property", NULL },
    { "builtins.staticmethod", NULL },
    { "builtins.classmethod", NULL },
    { "builtins.Exception", NULL },
    { "builtins.BaseException", NULL },
    { "builtins.ValueError", NULL },
    { "builtins.TypeError", NULL },
    { "builtins.KeyError", NULL },
    { "builtins.RuntimeError", NULL },
    { "builtins.ImportError", NULL },
    { "builtins.ModuleNotFoundError", NULL },
    { "builtins.NotImplementedError", NULL },
    { "builtins.NotImplemented", NULL },
    { "builtins.AttributeError", NULL },
    { "builtins.AssertionError", NULL },
    { "builtins.OSError", NULL },
    { "textwrap.dedent", known_dedent },
    { "inspect.cleandoc", known_cleandoc },
    { "functools.partial", known_partial },
    { "os.getenv", known_getenv },
    { "os.environ.get", known_getenv },
    { "os.environ.pop", known_getenv },
    { "importlib.import_module", known_import },
};

bool
eval_is_builtin(const char *name)
{
    const size_t skip = strlen("builtins.");

    for (size_t i = 0; i < COUNT_OF(calls); i++)
        if (text_starts_with(calls[i].path, "builtins.") && strcmp(calls[i].path + skip, name) == 0)
            return true;
    return false;
}

/* Alembic's own questions about how it runs. */
static bool
alembic_call(const struct call *call, struct value *ret)
{
    if (text_ends_with(call->path, ".is_offline_mode") &&
        text_starts_with(call->path, "alembic.")) {
        *ret = value_bool(false);
        ret->is_assumed = true;
        return true;
    }
    if (text_ends_with(call->path, ".url.get_backend_name")) {
        *ret = (struct value){ .kind = VALUE_TEXT, .text = "postgresql", .is_assumed = true };
        return true;
    }
    return false;
}

bool
eval_known_call(
    struct eval *e, const struct call *call, const struct py_node *node, struct value *ret)
{
    char start = call->path[0];

    if (start == 'a' || start == 's')
        return alembic_call(call, ret);
    if (eval_path_call(e, call, node, ret))
        return true;
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        if (strcmp(calls[i].path, call->path) != 0)
            continue;
        if (!calls[i].run || (call->has_unknown_arguments && calls[i].run != known_exec) ||
            !calls[i].run(e, call, ret))
            *ret = value_unknown("the result of a function whose arguments are not known");
        return strcmp(call->path, "builtins.open") != 0;
    }
    return false;
}
