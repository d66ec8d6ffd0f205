#include <ctype.h>

#include "migrate/eval/eval_private.h"

static const char *const enums[] = { "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", NULL };
static const char *const text_enums[] = { "StrEnum", NULL };

bool
eval_is_enum(const struct class_def *def)
{
    return class_is(def, enums);
}

static void
add_bases(struct eval *e, const struct py_node *node, struct class_def *def)
{
    const struct py_node *bases = py_child(node, PY_FIELD_SUPERCLASSES);

    for (const struct py_node *child = bases ? bases->first : NULL; child; child = child->next) {
        bool is_keyword = child->kind == PY_KEYWORD_ARGUMENT;
        struct value value =
            eval_expression(e, is_keyword ? py_child(child, PY_FIELD_VALUE) : child);
        const char *name = child->kind == PY_IDENTIFIER ? eval_name(e, child) : "?";

        if (is_keyword)
            continue;
        if (value.kind == VALUE_CLASS && !def->base)
            def->base = value.class_def;
        if (value.kind == VALUE_NAME && text_starts_with(value.path, "builtins."))
            value.path += strlen("builtins.");
        text_list_add(e->keep, &def->bases, value.path ? value.path : name);
    }
}

/* enum.auto(): 1, 2, …, or the name in lower case. */
static void
number_member(
    struct eval *e, const struct class_def *def, struct class_member *member, int64_t *number)
{
    struct value *value = &member->value;

    if (value->kind == VALUE_INTEGER)
        *number = value->integer;
    if (value->kind != VALUE_CALL || !text_ends_with(value->call->path, ".auto"))
        return;
    if (class_is(def, text_enums)) {
        char *text = arena_strdup(e->keep, member->name);

        for (char *c = text; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        *value = (struct value){ .kind = VALUE_TEXT, .text = text };
    } else {
        *value = value_integer(++*number);
    }
}

/* In the order of the assignments, which the names' map does not keep. */
static void
add_member(struct eval *e, const struct py_node *target, struct class_def *def)
{
    const char *name;
    const struct value *value;

    if (!target || target->kind != PY_IDENTIFIER)
        return;
    name = eval_name(e, target);
    value = map_get(&e->scope->names, name);
    if (!value)
        return;
    for (size_t i = 0; i < def->members.count; i++)
        if (strcmp(def->members.items[i].name, name) == 0) {
            def->members.items[i].value = *value;
            return;
        }
    eval_work(e, def->members.count / 4);
    VEC_PUSH(e->arena, &def->members, (struct class_member){ .name = name, .value = *value });
}

static void
add_members_of(struct eval *e, const struct py_node *statement, struct class_def *def)
{
    const struct py_node *node = statement;

    if (node->kind == PY_EXPRESSION_STATEMENT)
        node = node->first;
    if (node && node->kind == PY_DECORATED)
        node = py_child(node, PY_FIELD_DEFINITION);
    if (!node)
        return;
    if (node->kind == PY_FUNCTION || node->kind == PY_CLASS)
        add_member(e, py_child(node, PY_FIELD_NAME), def);
    for (; node && node->kind == PY_ASSIGNMENT; node = py_child(node, PY_FIELD_RIGHT))
        add_member(e, py_child(node, PY_FIELD_LEFT), def);
}

void
eval_class(struct eval *e, const struct py_node *node)
{
    struct class_def *def = ARENA_NEW(e->arena, struct class_def);
    const struct py_node *name = py_child(node, PY_FIELD_NAME);
    const struct py_node *body = py_child(node, PY_FIELD_BODY);
    struct scope *outer = e->scope;
    struct value value = { .kind = VALUE_CLASS, .class_def = def, .node = node };
    int64_t number = 0;

    if (!name || !body)
        return;
    def->name = eval_name(e, name);
    add_bases(e, node, def);
    e->scope = eval_scope_new(e, outer);
    e->scope->is_class = true;
    for (const struct py_node *child = body->first; child; child = child->next) {
        eval_statement(e, child);
        add_members_of(e, child, def);
    }
    e->scope = outer;
    if (eval_is_enum(def))
        for (size_t i = 0; i < def->members.count; i++)
            number_member(e, def, &def->members.items[i], &number);
    eval_assign(e, def->name, &value);
}

static struct value
enum_member(
    struct eval *e, const struct class_def *def, const char *name, const struct value *value)
{
    struct value member = {
        .kind = VALUE_NAME,
        .path = eval_join(e, def->name, ".", name),
        .class_def = def,
    };

    member.items.items = arena_memdup(e->arena, value, sizeof(*value));
    member.items.count = 1;
    member.items.capacity = 1;
    return member;
}

/* Of an enum's member: its value is the only item. */
static bool
member_attribute(const struct value *object, const char *name, struct value *ret)
{
    if (strcmp(name, "value") == 0) {
        *ret = object->items.items[0];
        eval_refresh(ret);
        return true;
    }
    if (strcmp(name, "name") == 0) {
        *ret = (struct value){
            .kind = VALUE_TEXT,
            .text = strrchr(object->path, '.') + 1,
        };
        return true;
    }
    return false;
}

/* A method gets the object in front of its arguments. */
static struct value
bind_method(struct eval *e, const struct value *object, const struct value *member)
{
    const struct function *function = member->function;
    struct value class_value = { .kind = VALUE_CLASS, .class_def = object->class_def };

    if (function->is_static || (object->kind == VALUE_CLASS && !function->is_class_method))
        return *member;
    if (function->is_class_method)
        return eval_function_with(e, function, &class_value);

    struct value bound = eval_function_with(e, function, object);
    struct call call = { .path = function->name };

    return function->is_property ? eval_call_function(e, bound.function, &call, member->node)
                                 : bound;
}

/* An instance that nobody gave values of its own, as far as that is seen. */
static bool
is_plain(const struct value *instance)
{
    const struct class_def *def = instance->class_def;

    for (; def->base; def = def->base)
        if (class_member(def, "__init__") || def->bases.count > 1)
            return false;
    return def->bases.count == 0 && !class_member(def, "__init__") &&
           instance->call->arguments.count + instance->call->keywords.count == 0;
}

bool
eval_class_attribute(
    struct eval *e, const struct value *object, const char *name, struct value *ret)
{
    const struct class_def *def = object->class_def;
    const struct value *member = class_member(def, name);
    bool is_enum_member = object->kind == VALUE_NAME && object->items.count == 1;

    if (is_enum_member && member_attribute(object, name, ret))
        return true;
    if (member && member->kind == VALUE_FUNCTION) {
        *ret = bind_method(e, object, member);
        return true;
    }
    if (object->kind == VALUE_CLASS && strcmp(name, "__name__") == 0) {
        *ret = (struct value){ .kind = VALUE_TEXT, .text = def->name };
        return true;
    }
    if (object->kind == VALUE_CLASS && member && eval_is_enum(def) && name[0] != '_') {
        *ret = enum_member(e, def, name, member);
        return true;
    }
    if (object->kind == VALUE_CLASS && strcmp(name, "__members__") == 0 && eval_is_enum(def)) {
        *ret = eval_list_new(e, VALUE_DICT, 0);
        for (size_t i = 0; i < def->members.count; i++) {
            const struct class_member *one = &def->members.items[i];
            struct value key = { .kind = VALUE_TEXT, .text = one->name };
            struct value value = enum_member(e, def, one->name, &one->value);

            eval_dict_set(e, ret, &key, &value);
        }
        return true;
    }
    if (object->kind == VALUE_CLASS && member) {
        *ret = *member;
        eval_refresh(ret);
        return true;
    }
    if (object->kind == VALUE_CALL && member && is_plain(object)) {
        *ret = *member;
        eval_refresh(ret);
        return true;
    }
    if (object->kind != VALUE_CLASS)
        return false;

    /* What the base class or its metaclass gives: User.__table__. */
    *ret = (struct value){ .kind = VALUE_NAME, .path = eval_join(e, def->name, ".", name) };
    return true;
}

/* Status("active") is the member with that value. */
static bool
find_member(
    struct eval *e, const struct value *class_value, const struct call *call, struct value *ret)
{
    const struct class_def *def = class_value->class_def;
    const struct value *wanted = call_argument(call, 0, "value");

    for (size_t i = 0; wanted && i < def->members.count; i++)
        if (value_compare(&def->members.items[i].value, wanted) == ANSWER_YES)
            return eval_class_attribute(e, class_value, def->members.items[i].name, ret);
    return false;
}

struct value
eval_class_call(
    struct eval *e, const struct value *class_value, struct call *call, const struct py_node *node)
{
    const struct class_def *def = class_value->class_def;
    const struct value *start = class_member(def, "__init__");
    struct value instance = { .kind = VALUE_CALL, .call = call, .class_def = def };
    struct value member;

    if (eval_is_enum(def) && find_member(e, class_value, call, &member))
        return member;
    call->path = def->name;
    instance.path = eval_join(e, def->name, "", "()");
    if (start && start->kind == VALUE_FUNCTION) {
        struct value bound = eval_function_with(e, start->function, &instance);

        (void)eval_call_function(e, bound.function, call, node);
    }
    return instance;
}
