#include <errno.h>

#include "migrate/eval/eval_private.h"

typedef struct value (*expression)(struct eval *e, const struct py_node *node);

static struct value
eval_identifier(struct eval *e, const struct py_node *node)
{
    const char *name = eval_name(e, node);
    const struct value *slot = eval_lookup(e, name);
    struct value value;

    if (slot) {
        value = *slot;
        eval_refresh(&value);
        return value;
    }
    if (strcmp(name, "__file__") == 0)
        return (struct value){ .kind = VALUE_TEXT, .text = eval_own_path(e) };
    if (eval_is_builtin(name))
        return (struct value){ .kind = VALUE_NAME, .path = eval_join(e, "builtins", ".", name) };
    if (e->wildcard && !e->has_unknown_wildcard)
        return (struct value){ .kind = VALUE_NAME, .path = eval_join(e, e->wildcard, ".", name) };
    if (e->has_unknown_wildcard)
        return value_unknown("the name may come from an import of everything");
    return value_unknown("the name is not defined in this file");
}

static struct value
eval_integer(struct eval *e, const struct py_node *node)
{
    char digits[64];
    size_t length = 0;
    char *end;
    int base = 0;

    for (uint32_t i = node->start; i < node->end && length + 1 < sizeof(digits); i++)
        if (e->tree->source[i] != '_')
            digits[length++] = e->tree->source[i];
    digits[length] = '\0';

    const char *start = digits;

    /* 0o17 and 0b11 are no C. */
    if (digits[0] == '0' && (digits[1] | 0x20) == 'o') {
        start += 2;
        base = 8;
    } else if (digits[0] == '0' && (digits[1] | 0x20) == 'b') {
        start += 2;
        base = 2;
    }
    errno = 0;

    long long number = strtoll(start, &end, base);

    if (errno != 0 || *end || end == start)
        return value_unknown("the number is too large");
    return value_integer(number);
}

static struct value
eval_float(struct eval *e, const struct py_node *node)
{
    const char *text = eval_name(e, node);

    if (strpbrk(text, "jJ_"))
        return value_unknown("a number of a kind that is not followed");
    return (struct value){ .kind = VALUE_FLOAT, .text = text };
}

static struct value
eval_true(struct eval *e, const struct py_node *node)
{
    (void)e;
    (void)node;
    return value_bool(true);
}

static struct value
eval_false(struct eval *e, const struct py_node *node)
{
    (void)e;
    (void)node;
    return value_bool(false);
}

static struct value
eval_none(struct eval *e, const struct py_node *node)
{
    (void)e;
    (void)node;
    return value_none();
}

/* [a, *b]: false when b is not known. */
static bool
push_elements(struct eval *e, const struct py_node *node, struct value *list)
{
    bool is_known = true;

    for (const struct py_node *child = node->first; child; child = child->next) {
        bool is_splat = child->kind == PY_LIST_SPLAT || child->kind == PY_LIST_SPLAT_PATTERN;
        struct value value = eval_expression(e, is_splat ? child->first : child);
        struct value items;

        if (!is_splat) {
            eval_list_push(e, list, &value);
        } else if (eval_iterate(e, &value, &items)) {
            for (size_t i = 0; i < items.items.count; i++)
                eval_list_push(e, list, &items.items.items[i]);
        } else {
            is_known = false;
        }
    }
    return is_known;
}

static size_t
count_children(const struct py_node *node)
{
    size_t count = 0;

    for (const struct py_node *child = node->first; child; child = child->next)
        count++;
    return count;
}

static struct value
eval_elements(struct eval *e, const struct py_node *node, enum value_kind kind)
{
    struct value list = eval_list_new(e, kind, count_children(node));

    if (!push_elements(e, node, &list))
        return value_unknown("a part of the list is not known");
    eval_refresh(&list);
    return list;
}

static struct value
eval_list(struct eval *e, const struct py_node *node)
{
    return eval_elements(e, node, VALUE_LIST);
}

static struct value
eval_tuple(struct eval *e, const struct py_node *node)
{
    return eval_elements(e, node, VALUE_TUPLE);
}

static struct value
eval_set(struct eval *e, const struct py_node *node)
{
    struct value all = eval_elements(e, node, VALUE_TUPLE);
    struct value set = eval_list_new(e, VALUE_LIST, all.items.count);

    if (all.kind != VALUE_TUPLE)
        return all;
    for (size_t i = 0; i < all.items.count; i++)
        eval_set_add(e, &set, &all.items.items[i]);
    return set;
}

static struct value
eval_dictionary(struct eval *e, const struct py_node *node)
{
    struct value dict = eval_list_new(e, VALUE_DICT, 0);
    bool is_known = true;

    for (const struct py_node *child = node->first; child; child = child->next) {
        if (child->kind == PY_PAIR) {
            struct value key = eval_expression(e, py_child(child, PY_FIELD_KEY));
            struct value value = eval_expression(e, py_child(child, PY_FIELD_VALUE));

            eval_dict_set(e, &dict, &key, &value);
            continue;
        }

        struct value more = eval_expression(e, child->first);

        is_known &= more.kind == VALUE_DICT;
        for (size_t i = 0; more.kind == VALUE_DICT && i < more.pairs.count; i++)
            eval_dict_set(e, &dict, &more.pairs.items[i].key, &more.pairs.items[i].value);
    }
    return is_known ? dict : value_unknown("a part of the dict is not known");
}

static struct value
eval_parenthesized(struct eval *e, const struct py_node *node)
{
    return eval_expression(e, node->first);
}

/* What has a value that is not known, but parts that may call something. */
static struct value
eval_parts(struct eval *e, const struct py_node *node)
{
    for (const struct py_node *child = node->first; child; child = child->next)
        if (child->kind != PY_OTHER || child->first)
            (void)eval_expression(e, child);
    return value_unknown("an expression that is not followed");
}

static struct value
eval_await(struct eval *e, const struct py_node *node)
{
    return eval_expression(e, node->first);
}

static struct value
eval_walrus(struct eval *e, const struct py_node *node)
{
    struct value value = eval_expression(e, py_child(node, PY_FIELD_VALUE));
    const struct py_node *name = py_child(node, PY_FIELD_NAME);

    if (name)
        eval_assign_target(e, name, &value);
    return value;
}

/* a if condition else b: both are walked when the condition is not known. */
static struct value
eval_conditional(struct eval *e, const struct py_node *node)
{
    const struct py_node *yes = node->first;
    const struct py_node *condition = yes ? yes->next : NULL;
    const struct py_node *no = condition ? condition->next : NULL;
    struct value values[2];
    struct changes changes[2];
    struct truth truth;

    if (!no)
        return value_unknown("it is incomplete");
    eval_truth(e, condition, &truth);
    if (truth.value.kind == VALUE_BOOL) {
        struct value value = eval_expression(e, truth.value.integer ? yes : no);

        value.is_assumed |= truth.value.is_assumed;
        return value;
    }
    for (int i = 0; i < 2; i++) {
        const struct conditions *conditions = i == 0 ? &truth.yes : &truth.no;
        size_t base = e->guards.count;
        struct branch branch = eval_branch_enter(e);

        eval_guard_push_all(e, conditions, HOLD_BLOCK);
        values[i] = eval_expression(e, i == 0 ? yes : no);
        changes[i] = eval_branch_leave(e, branch);
        eval_guard_leave(e, base, conditions->count, HOLD_BLOCK);
    }
    eval_merge(e, &truth.value.test, &changes[0], &changes[1]);
    return eval_choose(&truth.value.test, &values[0], &values[1]);
}

static struct value
eval_attribute(struct eval *e, const struct py_node *node)
{
    struct value object = eval_expression(e, py_child(node, PY_FIELD_OBJECT));
    const struct py_node *name = py_child(node, PY_FIELD_ATTRIBUTE);

    if (!name)
        return value_unknown("it is incomplete");
    return eval_attribute_of(e, &object, eval_name(e, name), node);
}

/* Attributes that are known because the server is PostgreSQL and the run is online. */
static bool
is_assumed(const char *path, struct value *ret)
{
    static const struct {
        const char *end;
        const char *text; /* NULL: False */
    } known[] = {
        { ".dialect.name", "postgresql" },
        { ".engine.name", "postgresql" },
        { ".get_bind().name", "postgresql" },
        { ".as_sql", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (!text_ends_with(path, known[i].end))
            continue;
        if (known[i].text)
            *ret = (struct value){ .kind = VALUE_TEXT, .text = known[i].text };
        else
            *ret = value_bool(false);
        ret->is_assumed = true;
        return true;
    }
    return false;
}

/* What a query or the inspector gave is used, so that there must be a server. */
void
eval_note_result(struct eval *e, const struct value *value, const struct py_node *node)
{
    const char *path = value->path;
    static const char *const ends[] = { "execute()", "exec_driver_sql()", "scalar()", "inspect()",
        "from_engine()", "query()", "scalars()" };

    if (!node || !path || value->kind != VALUE_CALL ||
        (!text_starts_with(path, "alembic.") && !text_starts_with(path, "sqlalchemy.")))
        return;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (text_ends_with(path, ends[i])) {
            eval_note(e, NOTE_NEEDS_SERVER, node, "%s", path);
            return;
        }
}

static struct value
attribute_of_path(
    struct eval *e, const struct value *object, const char *name, const struct py_node *node)
{
    struct value value = {
        .kind = object->kind == VALUE_UNKNOWN ? VALUE_UNKNOWN : VALUE_NAME,
        .path = eval_join(e, object->path, ".", name),
        .call = object->call,
        .text = object->kind == VALUE_UNKNOWN ? object->text : NULL,
    };
    bool is_ours = object->path[0] == 'a' || object->path[0] == 's';
    struct value known;

    eval_note_result(e, object, node);
    if (is_ours && (strcmp(name, "name") == 0 || strcmp(name, "as_sql") == 0) &&
        (text_starts_with(object->path, "alembic.") ||
            text_starts_with(object->path, "sqlalchemy.")) &&
        is_assumed(value.path, &known))
        return known;
    if (strcmp(value.path, "typing.TYPE_CHECKING") == 0)
        return value_bool(false);
    return value;
}

struct value
eval_attribute_of(
    struct eval *e, const struct value *object, const char *name, const struct py_node *node)
{
    struct value value;

    if (object->class_def && eval_class_attribute(e, object, name, &value))
        return value;
    if (eval_is_path(object))
        return eval_path_attribute(e, object, name);
    if (object->path)
        return attribute_of_path(e, object, name, node);
    if (object->kind == VALUE_FUNCTION && strcmp(name, "__name__") == 0 && object->function->name)
        return (struct value){ .kind = VALUE_TEXT, .text = object->function->name };
    if (object->kind == VALUE_UNKNOWN)
        return value_unknown(object->text);
    return value_unknown("an attribute that is not followed");
}

/* The parts of a:b:c are told apart by the colons between them. */
static struct value
eval_slice(struct eval *e, const struct value *object, const struct py_node *slice)
{
    struct value part[3] = { { .kind = VALUE_NONE }, { .kind = VALUE_NONE },
        { .kind = VALUE_NONE } };
    const struct py_node *child = slice->first;
    size_t at = 0;

    for (uint32_t i = slice->start; i < slice->end && at < COUNT_OF(part);) {
        if (child && i == child->start) {
            part[at] = eval_expression(e, child);
            i = child->end > i ? child->end : i + 1;
            child = child->next;
        } else {
            at += e->tree->source[i++] == ':';
        }
    }
    return eval_slice_of(e, object, part);
}

static struct value
eval_subscript(struct eval *e, const struct py_node *node)
{
    struct value object = eval_expression(e, py_child(node, PY_FIELD_VALUE));
    const struct py_node *subscript = py_child(node, PY_FIELD_SUBSCRIPT);

    if (!subscript)
        return value_unknown("it is incomplete");
    if (subscript->kind == PY_SLICE)
        return eval_slice(e, &object, subscript);

    struct value key = eval_expression(e, subscript);

    for (const struct py_node *more = subscript->next; more; more = more->next) {
        (void)eval_expression(e, more);
        key = value_unknown("several subscripts");
    }
    eval_note_result(e, &object, node);
    return eval_subscript_of(e, &object, &key, node);
}

static const expression expressions[PY_KIND_COUNT] = {
    [PY_IDENTIFIER] = eval_identifier,
    [PY_STRING] = eval_string,
    [PY_CONCATENATED_STRING] = eval_concatenated,
    [PY_INTEGER] = eval_integer,
    [PY_FLOAT] = eval_float,
    [PY_TRUE] = eval_true,
    [PY_FALSE] = eval_false,
    [PY_NONE] = eval_none,
    [PY_LIST] = eval_list,
    [PY_TUPLE] = eval_tuple,
    [PY_EXPRESSION_LIST] = eval_tuple,
    [PY_PATTERN_LIST] = eval_tuple,
    [PY_SET] = eval_set,
    [PY_DICTIONARY] = eval_dictionary,
    [PY_PARENTHESIZED] = eval_parenthesized,
    [PY_CALL] = eval_call,
    [PY_ATTRIBUTE] = eval_attribute,
    [PY_SUBSCRIPT] = eval_subscript,
    [PY_BINARY] = eval_binary,
    [PY_UNARY] = eval_unary,
    [PY_COMPARISON] = eval_comparison,
    [PY_BOOLEAN] = eval_boolean,
    [PY_NOT] = eval_not,
    [PY_CONDITIONAL] = eval_conditional,
    [PY_LAMBDA] = eval_lambda,
    [PY_NAMED_EXPRESSION] = eval_walrus,
    [PY_LIST_COMPREHENSION] = eval_comprehension,
    [PY_SET_COMPREHENSION] = eval_comprehension,
    [PY_DICTIONARY_COMPREHENSION] = eval_comprehension,
    [PY_GENERATOR] = eval_comprehension,
    [PY_AWAIT] = eval_await,
};

struct value
eval_expression(struct eval *e, const struct py_node *node)
{
    struct value value;

    if (!node)
        return value_unknown("it is incomplete");
    if (!eval_enter(e, node))
        return value_unknown("the analysis stopped");
    value = expressions[node->kind] ? expressions[node->kind](e, node) : eval_parts(e, node);
    if (!value.node)
        value.node = node;
    eval_leave(e);
    return value;
}
