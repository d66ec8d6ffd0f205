/* Constraints and indexes. */
#include "base/json.h"
#include "catalog/ddl_part.h"

static void
add_index_statistics(const struct ddl *ddl, const char *index, const char *number, const char *to)
{
    ddl_add(ddl, "ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s", index, number, to);
}

void
ddl_add_index_statistics(
    const struct ddl *ddl, const struct sql_schema_indexes *index, const char *from)
{
    const char *name = db_qualified(ddl->arena, index->schema, index->name);
    json_t *old CLEANUP(json_release) = from ? json_loads(from, 0, NULL) : NULL;
    json_t *new CLEANUP(json_release) =
        index->statistics ? json_loads(index->statistics, 0, NULL) : NULL;
    const char *number;
    json_t *target;

    json_object_foreach(old, number, target) if (!json_object_get(new, number))
        add_index_statistics(ddl, name, number, "-1");
    json_object_foreach(
        new, number, target) if (json_get_int(old, number, -1) != json_integer_value(target))
        add_index_statistics(ddl, name, number,
            arena_printf(ddl->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(target)));
}

/* What is not in the definition, with what the table says of the index: CLUSTER ON. */
static void
add_index_extras(const struct ddl *ddl, const struct sql_schema_indexes *index)
{
    const struct sql_schema_tables *table =
        schema_find_table(ddl->schema, index->schema, index->table_name);
    const char *name = db_qualified(ddl->arena, index->schema, index->name);

    /* The definition of a constraint does not tell the options of its index. */
    if (index->constraint_name && index->options)
        ddl_add(ddl, "ALTER INDEX %s SET (%s)", name, ddl_options_text(ddl->arena, index->options));
    if (index->tablespace)
        ddl_add(
            ddl, "ALTER INDEX %s SET TABLESPACE %s", name, db_ident(ddl->arena, index->tablespace));
    ddl_add_index_statistics(ddl, index, NULL);
    if (table && text_equal(table->clustered_on, index->name))
        ddl_add(ddl, "%s CLUSTER ON %s",
            ddl_alter_table(ddl->arena, ddl->schema, index->schema, index->table_name),
            db_ident(ddl->arena, index->name));
    if (table && text_equal(table->replica_identity, index->name))
        ddl_add_replica_identity(ddl, table);
    if (index->comment)
        ddl_add_comment(ddl, SCHEMA_indexes, index);
}

/* The index of a partitioned table is told as ON ONLY, which would leave out its partitions. */
static const char *
index_text(struct arena *arena, const struct sql_schema_indexes *index)
{
    static const char only[] = " ON ONLY ";
    const char *start = arena_printf(arena, "CREATE %sINDEX %s", index->is_unique ? "UNIQUE " : "",
        db_ident(arena, index->name));
    size_t length = strlen(start);

    if (!text_starts_with(index->definition, start) ||
        !text_starts_with(index->definition + length, only))
        return index->definition;
    return arena_printf(arena, "%s ON %s", start, index->definition + length + strlen(only));
}

void
ddl_add_index(const struct ddl *ddl, const struct sql_schema_indexes *index)
{
    if (index->constraint_name)
        return;
    ddl_add(ddl, "%s", index_text(ddl->arena, index));
    add_index_extras(ddl, index);
}

void
ddl_add_constraint(const struct ddl *ddl, const struct sql_schema_constraints *constraint)
{
    const char *name = db_ident(ddl->arena, constraint->name);
    const struct sql_schema_indexes *index =
        constraint->index_name
            ? schema_find_index(ddl->schema, constraint->schema, constraint->index_name)
            : NULL;

    if (constraint->is_domain)
        ddl_add(ddl, "ALTER DOMAIN %s ADD CONSTRAINT %s %s",
            db_qualified(ddl->arena, constraint->schema, constraint->table_name), name,
            constraint->definition);
    else
        ddl_add(ddl, "%s ADD CONSTRAINT %s %s",
            ddl_alter_table(ddl->arena, ddl->schema, constraint->schema, constraint->table_name),
            name, constraint->definition);
    if (constraint->comment)
        ddl_add_comment(ddl, SCHEMA_constraints, constraint);
    if (index)
        add_index_extras(ddl, index);
}
