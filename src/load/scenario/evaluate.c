#include "load/scenario/world_part.h"

bool
load_problem(struct load_scope *scope, const char *what)
{
    scope->problem = what;
    scope->is_missing = false;
    return false;
}

static bool
missing(struct load_scope *scope, const char *what)
{
    scope->problem = what;
    scope->is_missing = true;
    return false;
}

static bool
read_column(const struct load_node *node, struct load_scope *scope, struct load_value *ret)
{
    struct load_table *table = node->table;
    size_t row;

    if (!load_table_row(table, scope, &row))
        return scope->problem ? false : missing(scope, table->problem);
    if (table->is_range) {
        *ret = (struct load_value){ .kind = VALUE_INTEGER, .integer = table->low + (int64_t)row };
        return true;
    }

    const char *cell = table->cells[row * table->columns.count + node->index];

    *ret = cell ? load_value_of_text(cell) : (struct load_value){ .kind = VALUE_NULL };
    return true;
}

static bool
read_slot(const struct load_node *node, struct load_scope *scope, struct load_value *ret)
{
    const struct load_cell *cell = &scope->slots[node->index];

    if (!scope->filled[node->index])
        return missing(scope, scope->world->slots.items[node->index].problem);
    *ret = (struct load_value){ .kind = VALUE_TEXT, .length = cell->length, .text = cell->data };
    return true;
}

static bool
choose(const struct load_node *node, struct load_scope *scope, struct load_value *ret)
{
    for (size_t i = 0; i + 1 < node->arg_count; i += 2) {
        struct load_value condition;
        const char *problem;
        bool is_true;

        if (!load_evaluate(node->args[i], scope, &condition))
            return false;
        if (condition.kind == VALUE_NULL)
            continue;
        if (!load_value_truth(&condition, &is_true, &problem))
            return load_problem(scope, problem);
        if (is_true)
            return load_evaluate(node->args[i + 1], scope, ret);
    }
    return load_evaluate(node->args[node->arg_count - 1], scope, ret);
}

static bool
call(const struct load_node *node, struct load_scope *scope, struct load_value *ret)
{
    struct load_value args[FUNCTION_MOST_ARGS];
    bool has_null = false;

    if (node->function->is_lazy)
        return node->function->call(scope, node, NULL, ret);
    for (size_t i = 0; i < node->arg_count; i++) {
        if (!load_evaluate(node->args[i], scope, &args[i]))
            return false;
        has_null |= args[i].kind == VALUE_NULL;
    }
    if (has_null && !node->function->takes_null) {
        *ret = (struct load_value){ .kind = VALUE_NULL };
        return true;
    }
    return node->function->call(scope, node, args, ret);
}

bool
load_evaluate(const struct load_node *node, struct load_scope *scope, struct load_value *ret)
{
    switch (node->kind) {
    case NODE_CONSTANT:
        *ret = node->constant;
        return true;
    case NODE_VARIABLE:
        *ret = node->variable->is_assigned ? scope->variables[node->variable->index]
                                           : node->variable->constant;
        return true;
    case NODE_COLUMN:
        return read_column(node, scope, ret);
    case NODE_SLOT:
        return read_slot(node, scope, ret);
    case NODE_CASE:
        return choose(node, scope, ret);
    case NODE_CALL:
        return call(node, scope, ret);
    }
    return false;
}
