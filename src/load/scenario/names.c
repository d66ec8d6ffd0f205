/* What the names in expressions stand for. */
#include <strings.h>

#include "load/scenario/parser.h"

/* The nearest of them so far. */
struct guess {
    const char *name;
    size_t distance;
};

static void
guess(struct guess *guess, const char *name, const char *wanted)
{
    size_t distance = text_distance(name, wanted);

    if (distance >= guess->distance)
        return;
    guess->distance = distance;
    guess->name = name;
}

/* "users.id" of table users, or "users" when it has one column. */
static bool
is_of_table(const char *name, const struct load_table *table)
{
    size_t length = strlen(table->name);

    return strncmp(name, table->name, length) == 0 && (name[length] == '.' || !name[length]);
}

static bool
refuse_column(struct parser *parser, const struct load_table *table, const char *column)
{
    const char *columns = text_list_join(parser->ctx->arena, &table->columns, ", ");

    if (!*column) {
        parser_refuse(parser, "[values %s] has several columns", table->name);
        return error_hint(parser->ctx, "Name one of them, as in %s.%s. They are: %s.", table->name,
            table->columns.items[0], columns);
    }
    parser_refuse(parser, "[values %s] has no column \"%s\"", table->name, column);
    return error_hint(parser->ctx, "Its columns are: %s.", columns);
}

static bool
take_column(struct parser *parser, struct load_table *table, const char *column,
    const struct load_node **ret)
{
    struct load_node *node = parser_node(parser, NODE_COLUMN);

    node->table = table;
    *ret = node;
    if (!table->has_columns || (!*column && table->columns.count == 1))
        return true;
    while (node->index < table->columns.count &&
           !text_equal(table->columns.items[node->index], column))
        node->index++;
    return node->index < table->columns.count || refuse_column(parser, table, column);
}

/* True: it will be told later, and is a constant until then. */
static bool
refuse_name(struct parser *parser, const char *name)
{
    struct load_world *world = parser->world;
    struct guess best = { .distance = strlen(name) / 3 + 1 };

    for (size_t i = 0; i < world->variables.count; i++)
        guess(&best, world->variables.items[i]->name, name);
    for (size_t i = 0; i < world->slots.count; i++)
        guess(&best, world->slots.items[i].name, name);
    for (size_t i = 0; i < world->tables.count; i++) {
        const struct load_table *table = world->tables.items[i];

        guess(&best, table->name, name);
        for (size_t j = 0; j < table->columns.count; j++)
            guess(&best,
                arena_printf(parser->ctx->arena, "%s.%s", table->name, table->columns.items[j]),
                name);
    }
    if (!best.name && !load_function_find(name) && !strchr(name, '.') &&
        load_world_miss(world, name, parser->where))
        return true;
    parser_refuse(parser, "nothing defines \"%s\"", name);
    if (best.name)
        return error_hint(parser->ctx, "Did you mean \"%s\"?", best.name);
    if (load_function_find(name))
        return error_hint(parser->ctx, "The function is written \"%s(…)\".", name);
    /* -D takes no such name: it is a column. */
    if (strchr(name, '.'))
        return error_hint(parser->ctx,
            "Rows come from a section [values %.*s], which is missing; or see whether it is misspelt.",
            (int)strcspn(name, "."), name);
    return error_hint(parser->ctx, "Give it by -D %s=VALUE, or see whether it is misspelt.", name);
}

static bool
take_function(struct parser *parser, const char *name, const struct load_node **ret)
{
    const struct load_function *function = load_function_find(name);

    /* Words such as user_number, which need no brackets. */
    if (!function || !function->is_word)
        return refuse_name(parser, name) && parser_name(parser, name, ret);

    struct load_node *node = parser_node(parser, NODE_CALL);

    node->function = function;
    *ret = node;
    return true;
}

bool
parser_name(struct parser *parser, const char *name, const struct load_node **ret)
{
    struct load_world *world = parser->world;
    struct load_variable *variable = load_world_find(world, name);
    struct load_node *node;

    if (variable) {
        node = parser_node(parser, NODE_VARIABLE);
        node->variable = variable;
        variable->is_used = true;
        *ret = node;
        return true;
    }
    for (size_t i = 0; i < world->slots.count; i++) {
        if (!text_equal(world->slots.items[i].name, name))
            continue;
        node = parser_node(parser, NODE_SLOT);
        node->index = i;
        VEC_PUSH(world->arena, &world->used, i);
        *ret = node;
        return true;
    }
    for (size_t i = 0; i < world->tables.count; i++) {
        struct load_table *table = world->tables.items[i];

        if (is_of_table(name, table)) {
            size_t length = strlen(table->name);

            return take_column(parser, table, name + length + (name[length] == '.'), ret);
        }
    }
    return take_function(parser, name, ret);
}
