/* What columns of parents and children, and columns beside each other, differ in together. */
#include "base/vec.h"
#include "catalog/diff_part.h"

/* Attributes that ALTER TABLE without ONLY changes in the children too. */
static const char *const inherited[] = { "type", "collation", "default_text", "is_not_null",
    "generated", "storage", "statistics", "identity" };

static bool
is_inherited(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(inherited); i++)
        if (text_equal(inherited[i], name))
            return true;
    return false;
}

struct attribute *
diff_attribute(const struct change *change, const char *name)
{
    for (size_t i = 0; change && i < change->attributes.count; i++)
        if (text_equal(change->attributes.items[i].name, name))
            return &change->attributes.items[i];
    return NULL;
}

struct family {
    const char *parent; /* "public.events" */
    const struct sql_schema_tables *child;
};

struct families {
    struct family *items;
    size_t count;
    size_t capacity;
};

static void
find_families(const struct diff *diff, struct families *ret)
{
    *ret = (struct families){ 0 };
    for (size_t i = 0; i < diff->wanted->tables.count; i++) {
        const struct sql_schema_tables *table = &diff->wanted->tables.items[i];
        const char *parents = table->parent ? table->parent : table->inherits;

        while (parents && *parents) {
            const char *schema_name = schema_next_name(diff->arena, &parents);
            const char *name = schema_next_name(diff->arena, &parents);

            VEC_PUSH(diff->arena, ret,
                ((struct family){
                    .parent = db_qualified(diff->arena, schema_name, name), .child = table }));
            parents += strspn(parents, ", ");
        }
    }
}

static struct change *
child_change(
    const struct diff *diff, const struct sql_schema_tables *child, const struct change *change)
{
    const struct sql_schema_columns *column = change->wanted ? change->wanted : change->found;

    return diff_find(diff, SCHEMA_columns,
        arena_printf(diff->arena, "%s.%s", db_qualified(diff->arena, child->schema, child->name),
            db_ident(diff->arena, column->name)));
}

static const char *
table_of(const struct diff *diff, const struct change *change)
{
    const struct sql_schema_columns *column = change->wanted ? change->wanted : change->found;

    return db_qualified(diff->arena, column->schema, column->table_name);
}

/* Whether all below change in the same way, so that one statement is for all. */
static bool
is_followed(const struct diff *diff, const struct families *families, // NOLINT(misc-no-recursion)
    const struct change *change, const struct attribute *attribute)
{
    const char *table = table_of(diff, change);

    for (size_t i = 0; i < families->count; i++) {
        const struct change *child;
        const struct attribute *same;

        if (!text_equal(families->items[i].parent, table))
            continue;
        child = child_change(diff, families->items[i].child, change);
        same = diff_attribute(child, attribute->name);
        if (!same || !text_equal(same->found, attribute->found) ||
            !text_equal(same->wanted, attribute->wanted) ||
            !is_followed(diff, families, child, same))
            return false;
    }
    return true;
}

static void
take_children(const struct diff *diff, const struct families *families, // NOLINT(misc-no-recursion)
    const struct change *change, const char *name)
{
    const char *table = table_of(diff, change);

    for (size_t i = 0; i < families->count; i++) {
        struct change *child;

        if (!text_equal(families->items[i].parent, table))
            continue;
        child = child_change(diff, families->items[i].child, change);
        if (!child || child->kind != change->kind)
            continue;
        if (!name) {
            if (((const struct sql_schema_columns *)(child->wanted ? child->wanted : child->found))
                    ->is_local)
                continue;
            child->is_told = false;
            child->is_done = true;
            take_children(diff, families, child, NULL);
        } else if (diff_attribute(child, name)) {
            diff_attribute(child, name)->is_inherited = true;
            take_children(diff, families, child, name);
        }
    }
}

static void
drop_taken(struct change *change)
{
    size_t kept = 0;

    for (size_t i = 0; i < change->attributes.count; i++)
        if (!change->attributes.items[i].is_inherited)
            change->attributes.items[kept++] = change->attributes.items[i];
    change->attributes.count = kept;
    if (kept == 0) {
        change->is_told = false;
        change->is_done = true;
    }
}

void
diff_drop_inherited(struct diff *diff)
{
    struct families families;

    find_families(diff, &families);
    if (families.count == 0)
        return;
    for (size_t i = 0; i < diff->changes.count; i++) {
        struct change *change = diff->changes.items[i];

        if (change->class != SCHEMA_columns)
            continue;
        if (change->kind != DIFFERENCE_CHANGED)
            take_children(diff, &families, change, NULL);
        for (size_t j = 0; j < change->attributes.count; j++) {
            struct attribute *attribute = &change->attributes.items[j];

            attribute->is_followed =
                is_inherited(attribute->name) && is_followed(diff, &families, change, attribute);
            if (attribute->is_followed)
                take_children(diff, &families, change, attribute->name);
        }
    }
    for (size_t i = 0; i < diff->changes.count; i++)
        if (diff->changes.items[i]->class == SCHEMA_columns &&
            diff->changes.items[i]->kind == DIFFERENCE_CHANGED)
            drop_taken(diff->changes.items[i]);
}

/* The names of a table's columns that the other schema has too, in their order. */
static const char *
common_columns(const struct diff *diff, const struct schema *schema, const struct schema *other,
    const struct sql_schema_tables *table)
{
    struct schema_span span = schema_columns_of(schema, table->schema, table->name);
    struct text_list names = { 0 };

    for (size_t i = span.first; i < span.first + span.count; i++)
        if (schema_find_column(other, table->schema, table->name, schema->columns.items[i].name))
            text_list_add(
                diff->arena, &names, db_ident(diff->arena, schema->columns.items[i].name));
    return text_list_join(diff->arena, &names, ", ");
}

static bool
has_same_columns(const struct diff *diff, const struct sql_schema_tables *found,
    const struct sql_schema_tables *wanted)
{
    struct schema_span one = schema_columns_of(diff->found, found->schema, found->name);
    struct schema_span other = schema_columns_of(diff->wanted, wanted->schema, wanted->name);

    if (one.count != other.count)
        return false;
    for (size_t i = 0; i < one.count; i++)
        if (!text_equal(diff->found->columns.items[one.first + i].name,
                diff->wanted->columns.items[other.first + i].name))
            return false;
    return true;
}

static void
compare_order(struct diff *diff, const struct sql_schema_tables *found,
    const struct sql_schema_tables *wanted)
{
    const char *is = common_columns(diff, diff->found, diff->wanted, found);
    const char *shall = common_columns(diff, diff->wanted, diff->found, wanted);
    const char *identity = schema_identity(diff->arena, SCHEMA_tables, wanted);
    struct change *change = diff_find(diff, SCHEMA_tables, identity);

    if (text_equal(is, shall))
        return;
    if (!change)
        change = diff_add(diff, SCHEMA_tables, found, wanted);
    VEC_PUSH(diff->arena, &change->attributes,
        ((struct attribute){ .name = "column_order", .found = is, .wanted = shall }));
}

void
diff_compare_order(struct diff *diff)
{
    for (size_t i = 0; i < diff->wanted->tables.count; i++) {
        const struct sql_schema_tables *wanted = &diff->wanted->tables.items[i];
        const struct sql_schema_tables *found =
            schema_find_table(diff->found, wanted->schema, wanted->name);

        if (found && !found->definition && !wanted->definition &&
            !diff_is_left_out(diff, SCHEMA_tables, wanted) &&
            !has_same_columns(diff, found, wanted))
            compare_order(diff, found, wanted);
    }
}
