#include "migrate/eval/eval_private.h"

static bool
is_splat(const struct py_node *node)
{
    return node->kind == PY_LIST_SPLAT || node->kind == PY_LIST_SPLAT_PATTERN;
}

static void
add_all(struct eval *e, struct call *call, const struct py_node *node)
{
    struct value value = eval_expression(e, node);
    struct value items;

    if (!eval_iterate(e, &value, &items)) {
        call->has_unknown_arguments = true;
        return;
    }
    for (size_t i = 0; i < items.items.count; i++) {
        VEC_PUSH(e->arena, &call->arguments, items.items.items[i]);
        eval_refresh(&call->arguments.items[call->arguments.count - 1]);
    }
    eval_work(e, items.items.count);
}

static void
add_all_keywords(struct eval *e, struct call *call, const struct py_node *node)
{
    struct value dict = eval_expression(e, node);

    if (dict.kind != VALUE_DICT) {
        call->has_unknown_arguments = true;
        return;
    }
    for (size_t i = 0; i < dict.pairs.count; i++) {
        const struct value_pair *pair = &dict.pairs.items[i];

        if (pair->key.kind == VALUE_TEXT)
            VEC_PUSH(e->arena, &call->keywords, (struct keyword){ pair->key.text, pair->value });
        else
            call->has_unknown_arguments = true;
    }
    eval_work(e, dict.pairs.count);
}

/* Room for exactly what is written: there are many calls, and few have more than they show. */
static struct call *
call_new(struct eval *e, const struct py_node *node, const struct py_node *arguments)
{
    struct call *call = ARENA_NEW(e->arena, struct call);
    size_t plain = 0;
    size_t named = 0;

    for (const struct py_node *child = arguments->first; child; child = child->next) {
        named += child->kind == PY_KEYWORD_ARGUMENT;
        plain += child->kind != PY_KEYWORD_ARGUMENT;
    }
    call->place = eval_place(e, node);
    if (plain > 0)
        call->arguments.items = ARENA_ARRAY(e->arena, struct value, plain);
    if (named > 0)
        call->keywords.items = ARENA_ARRAY(e->arena, struct keyword, named);
    call->arguments.capacity = plain;
    call->keywords.capacity = named;
    return call;
}

static struct call *
read_arguments(struct eval *e, const struct py_node *node, const struct py_node *arguments)
{
    struct call *call = call_new(e, node, arguments);

    if (arguments->kind == PY_GENERATOR) {
        struct value value = eval_expression(e, arguments);

        call->arguments = (__typeof__(call->arguments)){ 0 };
        VEC_PUSH(e->arena, &call->arguments, value);
        return call;
    }
    for (const struct py_node *child = arguments->first; child; child = child->next) {
        if (is_splat(child)) {
            add_all(e, call, child->first);
        } else if (child->kind == PY_DICTIONARY_SPLAT) {
            add_all_keywords(e, call, child->first);
        } else if (child->kind == PY_KEYWORD_ARGUMENT) {
            const struct py_node *name = py_child(child, PY_FIELD_NAME);
            struct value value = eval_expression(e, py_child(child, PY_FIELD_VALUE));

            if (name)
                VEC_PUSH(e->arena, &call->keywords, (struct keyword){ eval_name(e, name), value });
        } else {
            struct value value = eval_expression(e, child);

            VEC_PUSH(e->arena, &call->arguments, value);
        }
    }
    return call;
}

/* The operations that only look, and those that run SQL, of which the lowering knows more. */
static bool
is_harmless(const char *name)
{
    static const char *const names[] = { "get_bind", "get_context", "f", "execute", "bulk_insert",
        "inline_literal", "batch_alter_table", "run_async", "invoke" };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void
note_loop(struct eval *e, const struct call *call, const struct py_node *node)
{
    const char *dot = strrchr(call->path, '.');
    const struct place *place = &call->place;

    if (is_harmless(dot + 1) || strstr(call->path, "get_bind()"))
        return;
    for (size_t i = e->guards.count; i > 0; i--)
        if (e->guards.items[i - 1].is_loop) {
            place = &e->guards.items[i - 1].condition.place;
            break;
        }
    if (place->line == e->loop_noted)
        return;
    e->loop_noted = place->line;
    eval_note(e, NOTE_CANNOT_KNOW, node, "how often op.%s() runs is not known", dot + 1);
}

static void
tell(struct eval *e, struct call *call, const struct py_node *node)
{
    if (text_starts_with(call->path, "builtins."))
        return;
    for (size_t i = 0; i < call->arguments.count; i++)
        eval_freeze(e, &call->arguments.items[i], 0);
    for (size_t i = 0; i < call->keywords.count; i++)
        eval_freeze(e, &call->keywords.items[i].value, 0);
    if (text_starts_with(call->path, "alembic.op.")) {
        const char *name = call->path + strlen("alembic.op.");

        e->told += strcmp(name, "get_bind") != 0 && strcmp(name, "f") != 0;
        if (e->scene.is_repeated)
            note_loop(e, call, node);
    }
    if (!e->host->call || e->is_stopped)
        return;
    e->scene.conditions = eval_guard_conditions(e);
    e->host->call(e->host->self, &e->scene, call);
}

/* Whether code calls an operation, as far as its names tell. */
static bool
has_operation(struct eval *e, const struct py_node *node, unsigned depth)
{
    if (depth > EVAL_DEPTH_MAX || !eval_work(e, 1))
        return false;
    if (node->kind == PY_CALL) {
        const struct py_node *root = py_child(node, PY_FIELD_FUNCTION);

        while (root && (root->kind == PY_ATTRIBUTE || root->kind == PY_CALL))
            root = py_child(root, root->kind == PY_CALL ? PY_FIELD_FUNCTION : PY_FIELD_OBJECT);

        const struct value *slot =
            root && root->kind == PY_IDENTIFIER ? eval_lookup(e, eval_name(e, root)) : NULL;

        if (slot && slot->path && text_starts_with(slot->path, "alembic.op"))
            return true;
    }
    for (const struct py_node *child = node->first; child; child = child->next)
        if (has_operation(e, child, depth + 1))
            return true;
    return false;
}

/* A function of the file that is handed to somebody else, who may call it or not. */
static void
check_handed(
    struct eval *e, const struct value *value, const char *path, const struct py_node *node)
{
    if (value->kind == VALUE_FUNCTION && has_operation(e, value->function->node, 0))
        eval_note(e, NOTE_CANNOT_KNOW, node, "whether %s() calls %s(), which has operations",
            path ? path : "something unknown", value->function->name);
}

/* connection.run_sync(function, …) and op.run_async() call it at once, with a connection. */
static bool
run_handed(struct eval *e, const struct call *call, const struct py_node *node, struct value *ret)
{
    const struct value *function = call_argument(call, 0, NULL);
    struct call *inner;
    struct value connection = { .kind = VALUE_NAME, .path = "alembic.op.get_bind()" };

    if (!function || function->kind != VALUE_FUNCTION ||
        (!text_ends_with(call->path, ".run_sync") && !text_ends_with(call->path, ".run_async")))
        return false;
    inner = arena_memdup(e->arena, call, sizeof(*call));
    inner->arguments = (__typeof__(inner->arguments)){ 0 };
    VEC_PUSH(e->arena, &inner->arguments, connection);
    for (size_t i = 1; i < call->arguments.count; i++)
        VEC_PUSH(e->arena, &inner->arguments, call->arguments.items[i]);
    *ret = eval_call_function(e, function->function, inner, node);
    return true;
}

/* What an unknown function gets it may change. */
static void
give_away(struct eval *e, struct call *call)
{
    if (eval_is_library(call->path))
        return;
    for (size_t i = 0; i < call->arguments.count; i++) {
        struct value *value = &call->arguments.items[i];

        if ((value->kind == VALUE_LIST || value->kind == VALUE_DICT) && value->box)
            value->box->unknown = "a function of the application may have changed it";
    }
    (void)e;
}

static struct value
call_path(struct eval *e, struct call *call, const struct py_node *node)
{
    struct value value;

    call->is_for_effect = node == e->statement && !eval_is_library(call->path);
    if (run_handed(e, call, node, &value))
        return value;
    if (eval_known_call(e, call, node, &value)) {
        tell(e, call, node);
        return value;
    }
    tell(e, call, node);
    for (size_t i = 0; i < call->arguments.count; i++)
        check_handed(e, &call->arguments.items[i], call->path, node);
    for (size_t i = 0; i < call->keywords.count; i++)
        check_handed(e, &call->keywords.items[i].value, call->path, node);
    give_away(e, call);
    value = (struct value){
        .kind = VALUE_CALL,
        .path = eval_join(e, call->path, "", "()"),
        .call = call,
        .test = eval_test_call(call),
    };
    if (value.test.kind != TEST_NONE)
        eval_note(e, NOTE_NEEDS_SERVER, node, "%s", call->path);
    return value;
}

struct value
eval_call_value(
    struct eval *e, const struct value *callee, struct call *call, const struct py_node *node)
{
    switch ((int)callee->kind) {
    case VALUE_FUNCTION:
        return eval_call_function(e, callee->function, call, node);
    case VALUE_CLASS:
        return eval_class_call(e, callee, call, node);
    case VALUE_NAME:
    case VALUE_CALL:
    case VALUE_UNKNOWN:
        if (!callee->path)
            break;
        call->path = callee->path;
        call->self = callee->call;
        return call_path(e, call, node);
    default:
        break;
    }
    for (size_t i = 0; i < call->arguments.count; i++)
        check_handed(e, &call->arguments.items[i], NULL, node);
    return value_unknown(callee->kind == VALUE_UNKNOWN && callee->text
                             ? callee->text
                             : "the result of a call that is not followed");
}

/* Methods of what is known. */
static bool
call_method(struct eval *e, struct value *object, const char *name, const struct call *call,
    struct value *ret)
{
    if (eval_is_path(object))
        return eval_path_method(e, object, name, call, ret);
    if (value_is_text(object))
        return eval_text_method(e, object, name, call, ret);
    if (object->kind == VALUE_LIST || object->kind == VALUE_DICT || object->kind == VALUE_TUPLE)
        return eval_list_method(e, object, name, call, ret);
    return false;
}

/* column.get("name") of a row, names.keys() of a collection that comes from the database. */
static bool
call_unknown_method(struct eval *e, const struct value *object, const char *name,
    const struct call *call, struct value *ret)
{
    size_t length = object->path ? strlen(object->path) : 0;

    if (object->kind != VALUE_UNKNOWN || length == 0)
        return false;
    if (strcmp(name, "get") == 0 && object->path[length - 1] == ']' && call->arguments.count > 0) {
        *ret = eval_subscript_of(e, object, &call->arguments.items[0], NULL);
        return true;
    }
    if (strcmp(name, "keys") == 0 && object->path[length - 1] == '*') {
        *ret = *object;
        return true;
    }
    return false;
}

static struct value
call_attribute(struct eval *e, const struct py_node *node, const struct py_node *function,
    const struct py_node *arguments)
{
    struct value object = eval_expression(e, py_child(function, PY_FIELD_OBJECT));
    const struct py_node *attribute = py_child(function, PY_FIELD_ATTRIBUTE);
    struct value callee = { 0 };
    struct value result;
    struct call *call;
    const char *name;

    if (!attribute)
        return value_unknown("it is incomplete");
    name = eval_name(e, attribute);
    if (object.kind == VALUE_NAME || object.kind == VALUE_CALL || object.kind == VALUE_CLASS)
        callee = eval_attribute_of(e, &object, name, function);
    call = read_arguments(e, node, arguments);
    call->path = name;
    eval_refresh(&object);
    if (call_method(e, &object, name, call, &result) ||
        call_unknown_method(e, &object, name, call, &result))
        return result;
    if (callee.kind == VALUE_UNKNOWN && !callee.text)
        callee = eval_attribute_of(e, &object, name, function);
    return eval_call_value(e, &callee, call, node);
}

/* any(… for …), where the question is asked of each element. */
static const struct py_node *
generator_of(struct eval *e, const struct py_node *function, const struct py_node *arguments)
{
    const struct py_node *only = arguments->kind == PY_GENERATOR ? arguments : arguments->first;

    if (function->kind != PY_IDENTIFIER || !only ||
        (only->kind != PY_GENERATOR && only->kind != PY_LIST_COMPREHENSION) ||
        (only != arguments && only->next) ||
        (!py_is(e->tree, function, "any") && !py_is(e->tree, function, "all")) ||
        eval_lookup(e, eval_name(e, function)))
        return NULL;
    return only;
}

struct value
eval_call(struct eval *e, const struct py_node *node)
{
    const struct py_node *function = py_child(node, PY_FIELD_FUNCTION);
    const struct py_node *arguments = py_child(node, PY_FIELD_ARGUMENTS);
    const struct py_node *generator;

    if (!function || !arguments)
        return value_unknown("it is incomplete");
    if (function->kind == PY_ATTRIBUTE)
        return call_attribute(e, node, function, arguments);
    generator = generator_of(e, function, arguments);
    if (generator)
        return eval_any(e, generator, py_is(e->tree, function, "all"));

    struct value callee = eval_expression(e, function);
    struct call *call = read_arguments(e, node, arguments);

    call->path = "";
    return eval_call_value(e, &callee, call, node);
}
