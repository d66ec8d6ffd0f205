/* Columns of tables. */
#include "base/json.h"
#include "catalog/ddl_part.h"

const char *
ddl_identity_text(const struct ddl *ddl, const struct sql_schema_columns *column)
{
    const struct sql_schema_sequences *sequence =
        schema_identity_sequence(ddl->arena, ddl->schema, column);
    const char *kind = text_equal(column->identity, "always") ? "ALWAYS" : "BY DEFAULT";

    if (!sequence)
        return arena_printf(ddl->arena, "GENERATED %s AS IDENTITY", kind);
    return arena_printf(ddl->arena, "GENERATED %s AS IDENTITY (SEQUENCE NAME %s%s)", kind,
        db_qualified(ddl->arena, sequence->schema, sequence->name),
        ddl_sequence_text(ddl->arena, sequence, false));
}

/* The NOT NULL of a column that has a name of its own (18+), or NULL. */
static const char *
not_null_name(const struct ddl *ddl, const struct sql_schema_columns *column)
{
    struct schema_span span =
        schema_constraints_of(ddl->schema, column->schema, column->table_name);
    const char *key = NULL;

    for (size_t i = span.first; i < span.first + span.count; i++) {
        const struct sql_schema_constraints *constraint = &ddl->schema->constraints.items[i];

        if (!text_equal(constraint->kind, "not null"))
            continue;
        if (!key) {
            json_t *names CLEANUP(json_release) = json_pack("[s]", column->name);

            key = json_text(ddl->arena, names);
        }
        if (text_equal(constraint->columns, key))
            return constraint->name;
    }
    return NULL;
}

static void
add_not_null(const struct ddl *ddl, struct buffer *text, const struct sql_schema_columns *column)
{
    const char *name = not_null_name(ddl, column);

    /* A NOT NULL with a name is a constraint that comes later. */
    if (!name)
        buffer_add(text, " NOT NULL");
}

const char *
ddl_column_text(const struct ddl *ddl, const struct sql_schema_columns *column)
{
    struct buffer text = { .arena = ddl->arena };

    buffer_printf(&text, "%s %s", db_ident(ddl->arena, column->name), column->type);
    if (column->compression)
        buffer_printf(&text, " COMPRESSION %s", column->compression);
    if (column->foreign_options)
        buffer_printf(&text, " OPTIONS (%s)", column->foreign_options);
    if (column->collation)
        buffer_printf(&text, " COLLATE %s", column->collation);
    if (column->generated)
        buffer_printf(&text, " GENERATED ALWAYS AS (%s) %s", column->generated,
            column->is_virtual ? "VIRTUAL" : "STORED");
    if (column->default_text)
        buffer_printf(&text, " DEFAULT %s", column->default_text);
    if (column->identity)
        buffer_printf(&text, " %s", ddl_identity_text(ddl, column));
    if (column->is_not_null)
        add_not_null(ddl, &text, column);
    return buffer_text(&text);
}

const char *
ddl_alter_column(const struct ddl *ddl, const struct sql_schema_columns *column, bool is_only)
{
    const char *alter =
        ddl_alter_table(ddl->arena, ddl->schema, column->schema, column->table_name);
    const char *name = db_ident(ddl->arena, column->name);

    if (is_only && text_starts_with(alter, "ALTER TABLE "))
        return arena_printf(ddl->arena, "ALTER TABLE ONLY %s ALTER COLUMN %s",
            alter + strlen("ALTER TABLE "), name);
    return arena_printf(ddl->arena, "%s ALTER COLUMN %s", alter, name);
}

/* The storage that a column of the type has when nothing is said: only DEFAULT of 16 tells it. */
static void
add_storage(const struct ddl *ddl, const struct sql_schema_columns *column, const char *alter)
{
    if (column->storage)
        ddl_add(ddl, "%s SET STORAGE %s", alter, column->storage);
}

/* What a partition or child has of a column otherwise than what it got from above. */
static void
add_own_definition(const struct ddl *ddl, const struct sql_schema_columns *column,
    const struct sql_schema_columns *inherited, const char *alter)
{
    if (column->default_text && !text_equal(column->default_text, inherited->default_text))
        ddl_add(ddl, "%s SET DEFAULT %s", alter, column->default_text);
    else if (!column->default_text && inherited->default_text)
        ddl_add(ddl, "%s DROP DEFAULT", alter);
    if (column->is_not_null && !inherited->is_not_null)
        ddl_add(ddl, "%s SET NOT NULL", alter);
    if (column->identity && schema_identity_sequence(ddl->arena, ddl->schema, column))
        ddl_add(ddl, "%s ADD %s", alter, ddl_identity_text(ddl, column));
    if (column->compression && !text_equal(column->compression, inherited->compression))
        ddl_add(ddl, "%s SET COMPRESSION %s", alter, column->compression);
}

void
ddl_add_column_extras(const struct ddl *ddl, const struct sql_schema_columns *column,
    const struct sql_schema_columns *inherited)
{
    const char *alter = ddl_alter_column(ddl, column, true);

    if (inherited)
        add_own_definition(ddl, column, inherited, alter);
    if (!inherited || !text_equal(column->storage, inherited->storage))
        add_storage(ddl, column, alter);
    if (column->statistics)
        ddl_add(ddl, "%s SET STATISTICS %s", alter, column->statistics);
    if (column->options)
        ddl_add(ddl, "%s SET (%s)", alter, ddl_options_text(ddl->arena, column->options));
    if (column->comment)
        ddl_add_comment(ddl, SCHEMA_columns, column);
    if (ddl->with_rights)
        ddl_add_rights(ddl, SCHEMA_columns, column);
}

void
ddl_add_column(const struct ddl *ddl, const struct sql_schema_columns *column)
{
    const struct sql_schema_sequences *sequence = NULL;

    ddl_add(ddl, "%s ADD COLUMN %s",
        ddl_alter_table(ddl->arena, ddl->schema, column->schema, column->table_name),
        ddl_column_text(ddl, column));
    if (column->identity)
        sequence = schema_identity_sequence(ddl->arena, ddl->schema, column);
    if (sequence)
        ddl_add_sequence_extras(ddl, sequence);
    else if (column->default_text)
        ddl_add_owned_sequences(ddl, schema_identity(ddl->arena, SCHEMA_columns, column));
    ddl_add_column_extras(ddl, column, NULL);
}
