#include "migrate/squash/write_private.h"

/* Whether everything the constraint rests on but its table is there. */
static bool
is_supported(struct writing *writing, const struct sql_schema_tables *table,
    const struct sql_schema_constraints *constraint)
{
    const char *own = link_key(writing->arena, SCHEMA_tables, table);
    const struct text_list *rests =
        links_of(writing->links, link_key(writing->arena, SCHEMA_constraints, constraint));

    for (size_t i = 0; i < rests->count; i++) {
        const char *on = rests->items[i];

        /* has_target() looks for the key of a foreign key. */
        if (!text_equal(on, own) && !text_starts_with(on, "constraints ") &&
            !text_starts_with(on, "indexes ") && !text_starts_with(on, "columns ") &&
            !map_get(&writing->made, on))
            return false;
    }
    return true;
}

/* The same names, in whatever order. */
static bool
same_names(struct arena *arena, const char *a, const char *b)
{
    struct text_list left = { 0 }, right = { 0 };

    if (!a || !b || !write_names(arena, a, &left) || !write_names(arena, b, &right) ||
        left.count != right.count)
        return false;
    for (size_t i = 0; i < left.count; i++)
        if (!text_list_has(&right, left.items[i]))
            return false;
    return true;
}

static bool
is_key(const struct sql_schema_constraints *constraint)
{
    return text_equal(constraint->kind, "primary key") || text_equal(constraint->kind, "unique");
}

/* Whether the key that a foreign key points to is there already, or is made at once with it. */
static bool
has_target(struct writing *writing, const struct sql_schema_tables *table,
    const struct sql_schema_constraints *constraint)
{
    bool is_own = text_equal(constraint->target_schema, table->schema) &&
                  text_equal(constraint->target_table, table->name);
    struct schema_span span =
        schema_constraints_of(writing->schema, constraint->target_schema, constraint->target_table);

    for (size_t i = span.first; i < span.first + span.count; i++) {
        const struct sql_schema_constraints *target = &writing->schema->constraints.items[i];
        const char *key = link_key(writing->arena, SCHEMA_constraints, target);

        if (!is_key(target) ||
            !same_names(writing->arena, target->columns, constraint->target_columns))
            continue;
        if (map_get(&writing->made, key) || (is_own && map_get(&writing->inlined, key)))
            return true;
    }
    return false;
}

/* Nothing but the statement that adds it: no comment, no options of its index. */
static bool
is_one_statement(const struct writing *writing, const struct sql_schema_constraints *constraint)
{
    struct ddl_options options = { .with_rights = true };
    struct text_list statements = { 0 };

    ddl_create(
        writing->arena, writing->schema, SCHEMA_constraints, constraint, &options, &statements);
    return statements.count == 1;
}

bool
write_can_be_inline(struct writing *writing, const struct sql_schema_tables *table,
    const struct sql_schema_constraints *constraint)
{
    const char *key = link_key(writing->arena, SCHEMA_constraints, constraint);

    return !constraint->is_domain && constraint->is_validated && map_get(&writing->position, key) &&
           is_one_statement(writing, constraint) && is_supported(writing, table, constraint) &&
           (!text_equal(constraint->kind, "foreign key") || has_target(writing, table, constraint));
}
