/* Tables and views with what belongs to them. */
#include "catalog/ddl_part.h"

/* How a table comes to its columns. */
enum shape {
    SHAPE_PLAIN,     /* names them all */
    SHAPE_INHERITS,  /* those that are not only inherited */
    SHAPE_PARTITION, /* PARTITION OF: none */
    SHAPE_ATTACHED,  /* all, then it is attached: their order is not the parent's */
    SHAPE_TYPED,     /* those of its type */
};

static bool
has_columns_of(
    const struct ddl *ddl, struct schema_span columns, const struct sql_schema_tables *parent)
{
    struct schema_span above = schema_columns_of(ddl->schema, parent->schema, parent->name);

    if (above.count != columns.count)
        return false;
    for (size_t i = 0; i < columns.count; i++) {
        const struct sql_schema_columns *column = &ddl->schema->columns.items[columns.first + i];

        if (column->is_local ||
            !text_equal(column->name, ddl->schema->columns.items[above.first + i].name))
            return false;
    }
    return true;
}

static enum shape
shape_of(const struct ddl *ddl, const struct sql_schema_tables *table, struct schema_span columns)
{
    const struct sql_schema_tables *parent =
        schema_find_relation(ddl->arena, ddl->schema, table->parent);

    if (table->of_type)
        return SHAPE_TYPED;
    if (table->parent)
        return parent && has_columns_of(ddl, columns, parent) ? SHAPE_PARTITION : SHAPE_ATTACHED;
    return table->inherits ? SHAPE_INHERITS : SHAPE_PLAIN;
}

/* The first of the parents ("public.a, public.b") that has such a column. */
static const struct sql_schema_columns *
inherited_column(const struct ddl *ddl, const struct sql_schema_tables *table,
    const struct sql_schema_columns *column)
{
    const char *parents = table->parent ? table->parent : table->inherits;

    while (parents && *parents) {
        const char *schema_name = schema_next_name(ddl->arena, &parents);
        const char *name = schema_next_name(ddl->arena, &parents);
        const struct sql_schema_columns *found =
            name ? schema_find_column(ddl->schema, schema_name, name, column->name) : NULL;

        if (found)
            return found;
        parents += strspn(parents, ", ");
    }
    return NULL;
}

/* "name WITH OPTIONS …" of a typed table. */
static const char *
typed_column_text(const struct ddl *ddl, const struct sql_schema_columns *column)
{
    struct sql_schema_columns options = *column;
    const char *name = db_ident(ddl->arena, column->name);
    const char *text;

    options.type = "WITH OPTIONS";
    options.collation = NULL;
    options.compression = NULL;
    text = ddl_column_text(ddl, &options);
    return strlen(text) > strlen(name) + strlen(" WITH OPTIONS") ? text : NULL;
}

static const char *
columns_text(const struct ddl *ddl, struct schema_span columns, enum shape shape)
{
    struct text_list texts = { 0 };

    for (size_t i = columns.first; i < columns.first + columns.count; i++) {
        const struct sql_schema_columns *column = &ddl->schema->columns.items[i];
        const char *text = NULL;

        if (shape == SHAPE_TYPED)
            text = typed_column_text(ddl, column);
        else if (shape != SHAPE_PARTITION && (shape != SHAPE_INHERITS || column->is_local))
            text = ddl_column_text(ddl, column);
        if (text)
            text_list_add(ddl->arena, &texts, arena_printf(ddl->arena, "\n    %s", text));
    }
    if (!texts.count)
        return shape == SHAPE_TYPED || shape == SHAPE_PARTITION ? "" : " ()";
    return arena_printf(ddl->arena, " (%s\n)", text_list_join(ddl->arena, &texts, ","));
}

static void
add_storage_options(
    const struct ddl *ddl, struct buffer *text, const struct sql_schema_tables *table)
{
    if (table->access_method)
        buffer_printf(text, " USING %s", db_ident(ddl->arena, table->access_method));
    if (table->options || table->toast_options)
        buffer_printf(text, " WITH (%s%s%s)", table->options ? table->options : "",
            table->options && table->toast_options ? ", " : "",
            table->toast_options ? table->toast_options : "");
    if (table->tablespace)
        buffer_printf(text, " TABLESPACE %s", db_ident(ddl->arena, table->tablespace));
}

/* A table can only be attached when it has the checks of those above already. */
static void
add_inherited_checks(
    const struct ddl *ddl, const struct sql_schema_tables *table, const char *above)
{
    const struct sql_schema_tables *parent;

    while ((parent = schema_find_relation(ddl->arena, ddl->schema, above))) {
        struct schema_span span = schema_constraints_of(ddl->schema, parent->schema, parent->name);

        for (size_t i = span.first; i < span.first + span.count; i++) {
            const struct sql_schema_constraints *check = &ddl->schema->constraints.items[i];

            if (text_equal(check->kind, "check") && !check->is_no_inherit)
                ddl_add(ddl, "ALTER TABLE %s ADD CONSTRAINT %s %s",
                    db_qualified(ddl->arena, table->schema, table->name),
                    db_ident(ddl->arena, check->name), check->definition);
        }
        above = parent->parent;
    }
}

static void
add_create_table(const struct ddl *ddl, const struct sql_schema_tables *table,
    struct schema_span columns, enum shape shape)
{
    struct buffer text = { .arena = ddl->arena };
    bool is_foreign = text_equal(table->kind, "foreign table");

    buffer_printf(&text, "CREATE %sTABLE %s",
        is_foreign                                   ? "FOREIGN "
        : text_equal(table->persistence, "unlogged") ? "UNLOGGED "
                                                     : "",
        db_qualified(ddl->arena, table->schema, table->name));
    if (shape == SHAPE_TYPED)
        buffer_printf(&text, " OF %s", table->of_type);
    if (shape == SHAPE_PARTITION)
        buffer_printf(&text, " PARTITION OF %s", table->parent);
    buffer_add(&text, columns_text(ddl, columns, shape));
    if (shape == SHAPE_INHERITS)
        buffer_printf(&text, " INHERITS (%s)", table->inherits);
    if (shape == SHAPE_PARTITION)
        buffer_printf(&text, " %s", table->bound);
    if (table->partition_key)
        buffer_printf(&text, " PARTITION BY %s", table->partition_key);
    if (is_foreign && table->foreign_server)
        buffer_printf(&text, " SERVER %s", db_ident(ddl->arena, table->foreign_server));
    if (is_foreign && table->foreign_options)
        buffer_printf(&text, " OPTIONS (%s)", table->foreign_options);
    add_storage_options(ddl, &text, table);
    ddl_add(ddl, "%s", buffer_text(&text));
    if (shape != SHAPE_ATTACHED)
        return;
    add_inherited_checks(ddl, table, table->parent);
    ddl_add(ddl, "ALTER TABLE ONLY %s ATTACH PARTITION %s %s", table->parent,
        db_qualified(ddl->arena, table->schema, table->name), table->bound);
}

static void
add_create_view(const struct ddl *ddl, const struct sql_schema_tables *table)
{
    struct buffer text = { .arena = ddl->arena };
    bool is_materialized = text_equal(table->kind, "materialized view");

    buffer_printf(&text, "CREATE %s %s", ddl_word(ddl->arena, SCHEMA_tables, table),
        db_qualified(ddl->arena, table->schema, table->name));
    add_storage_options(ddl, &text, table);
    buffer_printf(&text, " AS\n%s", table->definition);
    if (is_materialized)
        buffer_printf(&text, "\n  WITH %sDATA", table->is_populated ? "" : "NO ");
    ddl_add(ddl, "%s", buffer_text(&text));
}

void
ddl_add_row_security(const struct ddl *ddl, const struct sql_schema_tables *table)
{
    const char *alter = ddl_alter_table(ddl->arena, ddl->schema, table->schema, table->name);

    ddl_add(ddl, "%s %s ROW LEVEL SECURITY", alter, table->row_security ? "ENABLE" : "DISABLE");
}

void
ddl_add_forced_security(const struct ddl *ddl, const struct sql_schema_tables *table)
{
    const char *alter = ddl_alter_table(ddl->arena, ddl->schema, table->schema, table->name);

    ddl_add(ddl, "%s %sFORCE ROW LEVEL SECURITY", alter, table->force_row_security ? "" : "NO ");
}

void
ddl_add_replica_identity(const struct ddl *ddl, const struct sql_schema_tables *table)
{
    const char *alter = ddl_alter_table(ddl->arena, ddl->schema, table->schema, table->name);
    const char *identity = table->replica_identity;

    if (text_equal(identity, "default") || text_equal(identity, "full") ||
        text_equal(identity, "nothing"))
        ddl_add(ddl, "%s REPLICA IDENTITY %s", alter,
            text_equal(identity, "default") ? "DEFAULT"
            : text_equal(identity, "full")  ? "FULL"
                                            : "NOTHING");
    else
        ddl_add(ddl, "%s REPLICA IDENTITY USING INDEX %s", alter, db_ident(ddl->arena, identity));
}

/* Owned sequences come after the table's owner, because both must have the same. */
static void
add_sequences(const struct ddl *ddl, struct schema_span columns)
{
    for (size_t i = columns.first; i < columns.first + columns.count; i++) {
        const struct sql_schema_columns *column = &ddl->schema->columns.items[i];
        const struct sql_schema_sequences *sequence;

        if (!column->identity) {
            ddl_add_owned_sequences(ddl, schema_identity(ddl->arena, SCHEMA_columns, column));
            continue;
        }
        sequence = schema_identity_sequence(ddl->arena, ddl->schema, column);
        if (sequence)
            ddl_add_sequence_extras(ddl, sequence);
    }
}

static void
add_table_parts(const struct ddl *ddl, const struct sql_schema_tables *table)
{
    if (table->row_security)
        ddl_add_row_security(ddl, table);
    if (table->force_row_security)
        ddl_add_forced_security(ddl, table);
    if (text_equal(table->replica_identity, "full") ||
        text_equal(table->replica_identity, "nothing"))
        ddl_add_replica_identity(ddl, table);
}

void
ddl_add_table(const struct ddl *ddl, const struct sql_schema_tables *table)
{
    struct schema_span columns = schema_columns_of(ddl->schema, table->schema, table->name);
    enum shape shape = shape_of(ddl, table, columns);

    if (table->definition)
        add_create_view(ddl, table);
    else
        add_create_table(ddl, table, columns, shape);
    if (ddl->with_owner)
        ddl_add_owner(ddl, SCHEMA_tables, table);
    if (!table->definition)
        add_sequences(ddl, columns);
    add_table_parts(ddl, table);
    if (table->comment)
        ddl_add_comment(ddl, SCHEMA_tables, table);
    if (ddl->with_rights)
        ddl_add_rights(ddl, SCHEMA_tables, table);
    for (size_t i = columns.first; i < columns.first + columns.count; i++) {
        const struct sql_schema_columns *column = &ddl->schema->columns.items[i];
        const struct sql_schema_columns *inherited =
            shape == SHAPE_INHERITS || shape == SHAPE_PARTITION
                ? inherited_column(ddl, table, column)
                : NULL;
        struct sql_schema_columns nothing = { .name = column->name, .type = column->type };

        /* All that a view's column has was added to it later. */
        ddl_add_column_extras(ddl, column, table->definition ? &nothing : inherited);
    }
}
