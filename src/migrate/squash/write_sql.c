#include "migrate/squash/write_sql.h"

#include <assert.h>

#include "db/ident.h"

static const struct ddl_options with_rights = { .with_rights = true };

/* Whoever runs Alembic owns what it makes, so that needs no statement. */
void
write_statement(struct writing *writing, const char *statement)
{
    if (!text_starts_with(statement, "ALTER ") ||
        !text_ends_with(statement, arena_printf(writing->arena, " OWNER TO %s",
                                       db_ident(writing->arena, writing->runner))))
        write_up_sql(writing, statement);
}

/* The statements that make an object, from the given one on. */
static void
write_statements(struct writing *writing, enum schema_class class, const void *item, size_t first)
{
    struct text_list statements = { 0 };

    ddl_create(writing->arena, writing->schema, class, item, &with_rights, &statements);
    for (size_t i = first; i < statements.count; i++)
        write_statement(writing, statements.items[i]);
}

static bool
is_of_this_file(struct writing *writing, const struct sql_schema_tables *table)
{
    return table &&
           map_get(&writing->position, link_key(writing->arena, SCHEMA_tables, table)) != NULL;
}

/* Dropping the table of this file drops it too. */
static bool
goes_with_its_table(struct writing *writing, enum schema_class class, const void *item)
{
    const struct sql_schema_sequences *sequence = item;
    const struct sql_schema_constraints *constraint = item;
    const struct sql_schema_indexes *index = item;
    const struct query *query = schema_classes[class].query;
    const char *names[2]; /* the first members of all classes that stand in a table */

    if (class == SCHEMA_sequences)
        return is_of_this_file(
            writing, schema_find_relation(writing->arena, writing->schema, sequence->owned_by));
    if (class != SCHEMA_constraints && class != SCHEMA_indexes && class != SCHEMA_triggers &&
        class != SCHEMA_rules && class != SCHEMA_policies)
        return false;
    /* It was made before the one it belongs to, and has gone with that. */
    if (class == SCHEMA_indexes && index->parent)
        return true;
    /* Foreign keys in a circle would keep their tables. */
    if (class == SCHEMA_constraints && text_equal(constraint->kind, "foreign key"))
        return false;
    assert(query->columns[1].offset == sizeof(names[0]));
    memcpy(names, item, sizeof(names));
    return is_of_this_file(writing, schema_find_table(writing->schema, names[0], names[1]));
}

static void
write_generic(struct writing *writing, enum schema_class class, const void *item)
{
    write_statements(writing, class, item, 0);
    if (!goes_with_its_table(writing, class, item))
        write_down_sql(writing, ddl_drop(writing->arena, class, item));
}

static void
write_one_constraint(struct writing *writing, const struct sql_schema_constraints *constraint)
{
    if (writing->options->sql_only || !write_loose_constraint(writing, constraint))
        write_generic(writing, SCHEMA_constraints, constraint);
}

static void
write_one_index(struct writing *writing, const struct sql_schema_indexes *index)
{
    if (index->constraint_name)
        return;
    if (!writing->options->sql_only && write_index(writing, index))
        write_statements(writing, SCHEMA_indexes, index, 1);
    else
        write_generic(writing, SCHEMA_indexes, index);
}

/* Whether the file has one already: bodies may speak of what comes later. */
static void
write_function(struct writing *writing, const struct sql_schema_functions *function)
{
    static const char setting[] = "SET LOCAL check_function_bodies = off";

    if (!map_get(&writing->here, setting)) {
        write_up_sql(writing, setting);
        map_set(&writing->here, setting, writing);
    }
    write_generic(writing, SCHEMA_functions, function);
}

/* Roles that may not make extensions find them there. */
static void
write_extension(struct writing *writing, const struct sql_schema_extensions *extension)
{
    static const char head[] = "CREATE EXTENSION ";
    struct arena *arena = writing->arena;
    struct text_list statements = { 0 };

    ddl_create(arena, writing->schema, SCHEMA_extensions, extension, &with_rights, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const char *statement = statements.items[i];

        if (text_starts_with(statement, head) &&
            !text_starts_with(statement, "CREATE EXTENSION IF NOT EXISTS "))
            statement =
                arena_printf(arena, "CREATE EXTENSION IF NOT EXISTS %s", statement + strlen(head));
        write_up_sql(writing, statement);
    }
    write_down_sql(writing,
        arena_printf(arena, "DROP EXTENSION IF EXISTS %s", db_ident(arena, extension->name)));
}

static bool
write_by_class(struct writing *writing, enum schema_class class, const void *item)
{
    const struct sql_schema_sequences *sequence = item;
    const struct sql_schema_schemas *schema = item;

    if (class == SCHEMA_tables)
        return write_table(writing, item) || write_table_sql(writing, item);
    if (class == SCHEMA_columns ||
        (class == SCHEMA_sequences &&
            (sequence->is_identity || write_makes_sequence(writing, sequence))))
        return true;
    if (class == SCHEMA_constraints)
        write_one_constraint(writing, item);
    else if (class == SCHEMA_indexes)
        write_one_index(writing, item);
    else if (class == SCHEMA_functions)
        write_function(writing, item);
    else if (class == SCHEMA_extensions)
        write_extension(writing, item);
    else if (class == SCHEMA_schemas && text_equal(schema->name, "public"))
        write_public(writing, item);
    else
        return false;
    return true;
}

void
write_object(struct writing *writing, const struct ddl_ref *ref)
{
    const void *item = schema_item(writing->schema, ref->class, ref->index);
    const char *key = link_key(writing->arena, ref->class, item);

    if (!map_get(&writing->inlined, key) && !write_by_class(writing, ref->class, item))
        write_generic(writing, ref->class, item);
    map_set(&writing->made, key, writing);
    map_set(&writing->here, key, writing);
}
