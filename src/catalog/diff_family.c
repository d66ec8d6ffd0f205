/* What a table has from its parents when it becomes their child, or keeps when it leaves them. */
#include "catalog/diff_part.h"

bool
diff_changes_family(const struct diff *diff, const char *table)
{
    const struct change *change = table ? diff_find(diff, SCHEMA_tables, table) : NULL;

    return change && change->kind == DIFFERENCE_CHANGED &&
           (change_has(change, "parent") || change_has(change, "inherits"));
}

/* "UNIQUE INDEX … ON … USING btree (a)" from USING on. */
static const char *
using_part(const char *definition)
{
    const char *part = strstr(definition, " USING ");

    return part ? part : definition;
}

static bool
has_constraint(const struct schema *schema, const struct sql_schema_tables *parent,
    const struct sql_schema_constraints *like)
{
    struct schema_span span = schema_constraints_of(schema, parent->schema, parent->name);
    bool is_check = text_equal(like->kind, "check");

    for (size_t i = span.first; i < span.first + span.count; i++) {
        const struct sql_schema_constraints *item = &schema->constraints.items[i];

        if (text_equal(item->definition, like->definition) &&
            (!is_check || text_equal(item->name, like->name)))
            return true;
    }
    return false;
}

static bool
has_index(const struct schema *schema, const struct sql_schema_tables *parent,
    const struct sql_schema_indexes *like)
{
    for (size_t i = 0; i < schema->indexes.count; i++) {
        const struct sql_schema_indexes *item = &schema->indexes.items[i];

        if (text_equal(item->schema, parent->schema) &&
            text_equal(item->table_name, parent->name) &&
            text_equal(using_part(item->definition), using_part(like->definition)))
            return true;
    }
    return false;
}

static bool
has_trigger(const struct schema *schema, const struct sql_schema_tables *parent,
    const struct sql_schema_triggers *like)
{
    for (size_t i = 0; i < schema->triggers.count; i++) {
        const struct sql_schema_triggers *item = &schema->triggers.items[i];

        if (text_equal(item->schema, parent->schema) &&
            text_equal(item->table_name, parent->name) && text_equal(item->name, like->name))
            return true;
    }
    return false;
}

/* Whether a parent has such a thing, which its children then get from it. */
static bool
has_same(const struct schema *schema, const struct sql_schema_tables *parent,
    enum schema_class class, const void *item)
{
    switch ((int)class) {
    case SCHEMA_constraints:
        return has_constraint(schema, parent, item);
    case SCHEMA_indexes:
        return has_index(schema, parent, item);
    case SCHEMA_triggers:
        return parent->partition_key && has_trigger(schema, parent, item);
    default:
        return false;
    }
}

bool
diff_joins_family(const struct diff *diff, const struct change *change)
{
    const struct schema *schema = change->kind == DIFFERENCE_EXTRA ? diff->wanted : diff->found;
    const void *item = change->wanted ? change->wanted : change->found;
    const char *table_name = ddl_member(change->class, item, "table_name");
    const char *schema_name = ddl_member(change->class, item, "schema");
    const struct sql_schema_tables *table;
    const char *parents;

    if (!table_name || change->kind == DIFFERENCE_CHANGED || change->class == SCHEMA_columns ||
        !diff_changes_family(diff, db_qualified(diff->arena, schema_name, table_name)))
        return false;
    table = schema_find_table(schema, schema_name, table_name);
    parents = !table ? NULL : table->parent ? table->parent : table->inherits;
    while (parents && *parents) {
        const char *parent_schema = schema_next_name(diff->arena, &parents);
        const char *parent_name = schema_next_name(diff->arena, &parents);
        const struct sql_schema_tables *parent =
            parent_name ? schema_find_table(schema, parent_schema, parent_name) : NULL;

        if (parent && has_same(schema, parent, change->class, item))
            return true;
        parents += strspn(parents, ", ");
    }
    return false;
}

bool
diff_descends( // NOLINT(misc-no-recursion)
    const struct diff *diff, const struct sql_schema_tables *table, const char *above)
{
    const char *parents = table->parent ? table->parent : table->inherits;

    while (parents && *parents) {
        const char *schema_name = schema_next_name(diff->arena, &parents);
        const char *name = schema_next_name(diff->arena, &parents);
        const struct sql_schema_tables *parent =
            name ? schema_find_table(diff->wanted, schema_name, name) : NULL;

        if (parent && (text_equal(db_qualified(diff->arena, schema_name, name), above) ||
                          diff_descends(diff, parent, above)))
            return true;
        parents += strspn(parents, ", ");
    }
    return false;
}
