#include "migrate/eval/eval_private.h"

/* The arguments of one call on their way to the parameters. */
struct binding {
    const struct function *function;
    const struct call *call;
    size_t at; /* next positional one, those given beforehand first */
    bool is_keyword_only;
    struct text_list taken; /* keywords */
};

static size_t
positional_count(const struct binding *binding)
{
    return binding->function->first.count + binding->call->arguments.count;
}

static const struct value *
positional(const struct binding *binding, size_t n)
{
    size_t before = binding->function->first.count;

    return n < before ? &binding->function->first.items[n]
                      : &binding->call->arguments.items[n - before];
}

static const struct value *
find_keyword(const struct keyword *items, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].name, name) == 0)
            return &items[i].value;
    return NULL;
}

static void
bind_name(struct eval *e, struct binding *binding, const struct py_node *node)
{
    const struct function *function = binding->function;
    const struct value *value = NULL;
    struct value copy;
    const char *name;

    if (!node || node->kind != PY_IDENTIFIER)
        return;
    name = eval_name(e, node);
    if (!binding->is_keyword_only && binding->at < positional_count(binding))
        value = positional(binding, binding->at++);
    if (!value)
        value = find_keyword(binding->call->keywords.items, binding->call->keywords.count, name);
    if (!value)
        value = find_keyword(function->keywords.items, function->keywords.count, name);
    if (value)
        text_list_add(e->arena, &binding->taken, name);
    else if (!binding->call->has_unknown_arguments)
        value = find_keyword(function->defaults.items, function->defaults.count, name);
    copy = value ? *value : value_unknown("the argument is not known");
    eval_refresh(&copy);
    eval_assign(e, name, &copy);
}

static void
bind_rest(struct eval *e, struct binding *binding, const struct py_node *target)
{
    struct value rest = eval_list_new(e, VALUE_TUPLE, 0);

    for (; binding->at < positional_count(binding); binding->at++)
        VEC_PUSH(e->arena, &rest.items, *positional(binding, binding->at));
    if (binding->call->has_unknown_arguments)
        rest = value_unknown("the arguments are not known");
    if (target)
        eval_assign_target(e, target, &rest);
}

static void
add_rest(struct eval *e, const struct binding *binding, const struct keyword *items, size_t count,
    struct value *dict)
{
    for (size_t i = 0; i < count; i++) {
        struct value key = { .kind = VALUE_TEXT, .text = items[i].name };

        if (!text_list_has(&binding->taken, items[i].name))
            eval_dict_set(e, dict, &key, &items[i].value);
    }
}

static void
bind_keywords(struct eval *e, const struct binding *binding, const struct py_node *target)
{
    const struct function *function = binding->function;
    struct value rest = eval_list_new(e, VALUE_DICT, 0);

    add_rest(e, binding, function->keywords.items, function->keywords.count, &rest);
    add_rest(e, binding, binding->call->keywords.items, binding->call->keywords.count, &rest);
    if (binding->call->has_unknown_arguments)
        rest = value_unknown("the arguments are not known");
    if (target)
        eval_assign_target(e, target, &rest);
}

static void
bind_parameter(struct eval *e, struct binding *binding, const struct py_node *node)
{
    switch ((int)node->kind) {
    case PY_IDENTIFIER:
        bind_name(e, binding, node);
        break;
    case PY_DEFAULT_PARAMETER:
    case PY_TYPED_DEFAULT_PARAMETER:
        bind_name(e, binding, py_child(node, PY_FIELD_NAME));
        break;
    case PY_TYPED_PARAMETER:
        if (node->first)
            bind_parameter(e, binding, node->first);
        break;
    case PY_LIST_SPLAT_PATTERN:
        bind_rest(e, binding, node->first);
        binding->is_keyword_only = true;
        break;
    case PY_DICTIONARY_SPLAT_PATTERN:
        bind_keywords(e, binding, node->first);
        break;
    case PY_KEYWORD_SEPARATOR:
        binding->is_keyword_only = true;
        break;
    default:
        break;
    }
}

void
eval_bind(struct eval *e, const struct function *function, const struct call *call)
{
    struct binding binding = { .function = function, .call = call };
    const struct py_node *parameters = py_child(function->node, PY_FIELD_PARAMETERS);

    for (const struct py_node *node = parameters ? parameters->first : NULL; node;
         node = node->next)
        bind_parameter(e, &binding, node);
}

static bool
has_yield(const struct py_node *node, unsigned depth)
{
    for (const struct py_node *child = node->first; child; child = child->next) {
        if (child->kind == PY_YIELD)
            return true;
        if (child->kind != PY_FUNCTION && child->kind != PY_LAMBDA && child->kind != PY_CLASS &&
            depth < EVAL_DEPTH_MAX && has_yield(child, depth + 1))
            return true;
    }
    return false;
}

/* Default values are those at the time of the definition. */
static struct function *
function_new(struct eval *e, const struct py_node *node)
{
    struct function *function = ARENA_NEW(e->arena, struct function);
    const struct py_node *parameters = py_child(node, PY_FIELD_PARAMETERS);

    function->node = node;
    function->scope = e->scope;
    for (const struct py_node *child = parameters ? parameters->first : NULL; child;
         child = child->next) {
        const struct py_node *name = py_child(child, PY_FIELD_NAME);
        const struct py_node *value = py_child(child, PY_FIELD_VALUE);
        struct keyword given;

        if (!name || !value)
            continue;
        given.name = eval_name(e, name);
        given.value = eval_expression(e, value);
        VEC_PUSH(e->arena, &function->defaults, given);
    }
    return function;
}

struct value
eval_function_new(struct eval *e, const struct py_node *node)
{
    struct function *function = function_new(e, node);
    const struct py_node *name = py_child(node, PY_FIELD_NAME);
    const struct py_node *body = py_child(node, PY_FIELD_BODY);

    function->name = name ? eval_name(e, name) : "";
    function->yields = body && has_yield(body, 0);
    return (struct value){ .kind = VALUE_FUNCTION, .function = function, .node = node };
}

struct value
eval_lambda(struct eval *e, const struct py_node *node)
{
    struct function *function = function_new(e, node);

    function->name = "lambda";
    return (struct value){ .kind = VALUE_FUNCTION, .function = function, .node = node };
}

struct value
eval_function_with(struct eval *e, const struct function *function, const struct value *first)
{
    struct function *bound = arena_memdup(e->arena, function, sizeof(*function));

    memset(&bound->first, 0, sizeof(bound->first));
    VEC_PUSH(e->arena, &bound->first, *first);
    for (size_t i = 0; i < function->first.count; i++)
        VEC_PUSH(e->arena, &bound->first, function->first.items[i]);
    return (struct value){ .kind = VALUE_FUNCTION, .function = bound, .node = function->node };
}
