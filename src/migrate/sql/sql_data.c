/* Statements that read or change rows. */
#include "base/text.h"
#include "migrate/sql/sql_lower.h"

/* Other tables than its own. */
static void
add_others(struct lower *lower, const json_t *node, struct step *step)
{
    const char *own = lower_dotted(lower->ctx->arena, step->object);
    struct text_list all = { 0 };

    tree_tables(lower, node, &all);
    for (size_t i = 0; i < all.count; i++)
        if (!text_equal(all.items[i], own))
            text_list_add(lower->ctx->arena, &step->tables, all.items[i]);
}

static void
lower_change(struct lower *lower, const json_t *node, enum step_kind kind)
{
    const json_t *relation = json_object_get(node, "relation");
    struct step step;

    lower_with(lower, node);
    step = lower_begin(lower, kind);
    step.object = lower_relation(lower, relation);
    step.is_only = !tree_flag(relation, "inh");
    step.has_where = json_object_get(node, "whereClause") != NULL;
    add_others(lower, node, &step);
    lower_end(lower, &step);
}

void
lower_insert(struct lower *lower, const json_t *node)
{
    lower_change(lower, node, STEP_INSERT);
}

void
lower_update(struct lower *lower, const json_t *node)
{
    lower_change(lower, node, STEP_UPDATE);
}

void
lower_delete(struct lower *lower, const json_t *node)
{
    lower_change(lower, node, STEP_DELETE);
}

/* Its condition decides which rows, as a WHERE does. */
void
lower_merge(struct lower *lower, const json_t *node)
{
    lower_change(lower, node, STEP_UPDATE);
    if (lower->steps->count > 0)
        lower->steps->items[lower->steps->count - 1].has_where = true;
}

void
lower_with(struct lower *lower, const json_t *node)
{
    const char *kind;
    const json_t *inner = tree_open(node, &kind);
    const json_t *with = json_object_get(node, "withClause");
    size_t i;
    json_t *item;

    if (!with)
        with = json_object_get(inner, "withClause");
    json_array_foreach(json_object_get(with, "ctes"), i, item)
    {
        const json_t *query = json_object_get(json_object_get(item, "CommonTableExpr"), "ctequery");

        tree_open(query, &kind);
        if (strcmp(kind, "SelectStmt") != 0)
            lower_node(lower, query);
        else
            lower_with(lower, query);
    }
}

static const char *
text_constant(const json_t *constant)
{
    const json_t *inner = json_object_get(constant, "A_Const");
    const char *text = tree_text(json_object_get(inner, "sval"), "sval");

    return text ? text : tree_string(json_object_get(inner, "val"));
}

/* SELECT set_config('name', 'value', is_local) is a SET. */
static bool
lower_set_config(struct lower *lower, const json_t *node)
{
    const json_t *targets = json_object_get(node, "targetList");
    const json_t *target = json_object_get(json_array_get(targets, 0), "ResTarget");
    const json_t *call = json_object_get(json_object_get(target, "val"), "FuncCall");
    const json_t *names = json_object_get(call, "funcname");
    const json_t *arguments = json_object_get(call, "args");
    const char *function = tree_string(json_array_get(names, json_array_size(names) - 1));
    const char *name = text_constant(json_array_get(arguments, 0));
    const char *value = text_constant(json_array_get(arguments, 1));
    const json_t *is_local = json_object_get(json_array_get(arguments, 2), "A_Const");

    if (!function || strcmp(function, "set_config") != 0 || json_array_size(targets) != 1 ||
        !name || !value)
        return false;

    struct step step = lower_begin(lower, STEP_SET);

    step.setting = lower_name(lower, name);
    step.setting_value = text_shown(lower->ctx->arena, value, 0, strlen(value));
    step.is_local = tree_flag(json_object_get(is_local, "boolval"), "boolval");
    lower_end(lower, &step);
    return true;
}

void
lower_select(struct lower *lower, const json_t *node)
{
    const json_t *into = json_object_get(node, "intoClause");
    struct step step;

    if (lower_set_config(lower, node))
        return;
    lower_with(lower, node);
    step = lower_begin(lower, into ? STEP_CREATE_TABLE : STEP_SELECT);
    if (into) {
        step.object = lower_relation(lower, json_object_get(into, "rel"));
        step.is_temporary = tree_is(json_object_get(into, "rel"), "relpersistence", "t");
        step.is_as_select = true;
        step.unknown = "the columns are those of a query";
        step.reach = REACH_TABLE;
    }
    add_others(lower, node, &step);
    lower_end(lower, &step);
}
