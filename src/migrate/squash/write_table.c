#include "db/ident.h"
#include "migrate/squash/write_private.h"

/* A table as op.create_table() would say it, as far as it is known. */
struct draft {
    const struct sql_schema_tables *table;
    struct schema_span columns;
    struct schema_span constraints;
    const struct sql_schema_constraints *primary_key; /* if it is said with the table */
    const struct sql_schema_columns *serial;          /* or NULL */
    struct py *call;
};

static bool
is_plain_table(const struct sql_schema_tables *table)
{
    return text_equal(table->kind, "table") && text_equal(table->persistence, "permanent") &&
           !table->access_method && !table->partition_key && !table->parent && !table->inherits &&
           !table->options && !table->toast_options && !table->tablespace &&
           write_is_plain_name(table->schema) && write_is_plain_name(table->name);
}

static bool
is_plain_column(struct writing *writing, const struct sql_schema_columns *column)
{
    return !column->collation && !column->compression && column->is_local && !column->is_virtual &&
           write_is_plain_name(column->name) && write_type(writing, column->type) &&
           (!column->default_text || py_escape_sql(writing->arena, column->default_text)) &&
           (!column->generated || py_escape_sql(writing->arena, column->generated)) &&
           (!column->identity || write_identity(writing, column));
}

/* Adds the constraints of a kind that can be said with their table. */
static void
add_constraints(struct writing *writing, struct draft *draft, const char *kind)
{
    for (size_t i = 0; i < draft->constraints.count; i++) {
        const struct sql_schema_constraints *constraint =
            &writing->schema->constraints.items[draft->constraints.first + i];
        const char *key = link_key(writing->arena, SCHEMA_constraints, constraint);
        struct py *node;

        if (!text_equal(constraint->kind, kind) ||
            !write_can_be_inline(writing, draft->table, constraint))
            continue;
        node = write_constraint(writing, constraint);
        if (!node)
            continue;
        py_add(writing->arena, draft->call, NULL, node);
        map_set(&writing->inlined, key, node);
    }
}

static bool
is_integer(const struct sql_schema_columns *column)
{
    return text_equal(column->type, "integer") || text_equal(column->type, "bigint") ||
           text_equal(column->type, "smallint");
}

/* The only column of the primary key, if that is said with the table. */
static bool
is_only_key(
    struct writing *writing, const struct draft *draft, const struct sql_schema_columns *column)
{
    struct text_list names = { 0 };

    return draft->primary_key && write_names(writing->arena, draft->primary_key->columns, &names) &&
           names.count == 1 && text_equal(names.items[0], column->name);
}

/* Comments with backslashes come out differently where Alembic only prints SQL. */
static bool
has_inline_comment(const char *comment)
{
    return comment && !strchr(comment, '\\');
}

static void
add_column(struct writing *writing, struct draft *draft, const struct sql_schema_columns *column)
{
    struct arena *arena = writing->arena;
    struct py *call = py_call(arena, "sa.Column"), *computed;

    py_add_string(arena, call, NULL, column->name);
    py_add(arena, call, NULL, write_type(writing, column->type));
    if (column->identity) {
        py_add(arena, call, NULL, write_identity(writing, column));
    } else if (column->generated) {
        computed = py_call(arena, "sa.Computed");
        py_add_string(arena, computed, NULL, py_escape_sql(arena, column->generated));
        py_add(arena, computed, "persisted", py_leaf(arena, "True"));
        py_add(arena, call, NULL, computed);
    } else if (column == draft->serial) {
        py_add(arena, call, "autoincrement", py_leaf(arena, "True"));
    } else if (column->default_text) {
        py_add(arena, call, "server_default", write_text(writing, column->default_text));
    } else if (is_integer(column) && is_only_key(writing, draft, column)) {
        py_add(arena, call, "autoincrement", py_leaf(arena, "False"));
    }
    py_add(arena, call, "nullable", py_leaf(arena, column->is_not_null ? "False" : "True"));
    if (has_inline_comment(column->comment))
        py_add_string(arena, call, "comment", column->comment);
    py_add(arena, draft->call, NULL, call);
}

static void
find_serial(struct writing *writing, struct draft *draft)
{
    for (size_t i = 0; i < draft->constraints.count; i++) {
        const struct sql_schema_constraints *constraint =
            &writing->schema->constraints.items[draft->constraints.first + i];

        if (text_equal(constraint->kind, "primary key") &&
            write_can_be_inline(writing, draft->table, constraint) &&
            write_constraint(writing, constraint))
            draft->primary_key = constraint;
    }
    for (size_t i = 0; draft->primary_key && i < draft->columns.count; i++) {
        const struct sql_schema_columns *column =
            &writing->schema->columns.items[draft->columns.first + i];

        if (is_only_key(writing, draft, column) && write_serial_sequence(writing, column))
            draft->serial = column;
    }
}

/* False: op.create_table() cannot say what the table is. */
static bool
draft_table(struct writing *writing, const struct sql_schema_tables *table, struct draft *ret)
{
    const struct schema *schema = writing->schema;

    *ret = (struct draft){ .table = table,
        .columns = schema_columns_of(schema, table->schema, table->name),
        .constraints = schema_constraints_of(schema, table->schema, table->name) };
    if (writing->options->sql_only || !is_plain_table(table) || ret->columns.count == 0)
        return false;
    for (size_t i = 0; i < ret->columns.count; i++)
        if (!is_plain_column(writing, &schema->columns.items[ret->columns.first + i]))
            return false;
    for (size_t i = 0; i < ret->constraints.count; i++)
        if (text_equal(schema->constraints.items[ret->constraints.first + i].kind, "not null"))
            return false;
    find_serial(writing, ret);
    return true;
}

bool
write_makes_sequence(struct writing *writing, const struct sql_schema_sequences *sequence)
{
    bool uses_sa = writing->uses_sa, uses_postgresql = writing->uses_postgresql;
    const struct sql_schema_tables *table =
        schema_find_relation(writing->arena, writing->schema, sequence->owned_by);
    struct draft draft;
    bool is_made;

    if (!table || !map_get(&writing->position, link_key(writing->arena, SCHEMA_tables, table)))
        return false;
    if (draft_table(writing, table, &draft))
        is_made = draft.serial && write_serial_sequence(writing, draft.serial) == sequence;
    else
        is_made = write_has_serial(writing, table, sequence);
    writing->uses_sa = uses_sa;
    writing->uses_postgresql = uses_postgresql;
    return is_made;
}

/* What op.create_table() has said of the statements that follow CREATE TABLE. */
static bool
is_said(struct writing *writing, const struct draft *draft, const char *statement)
{
    const struct sql_schema_sequences *sequence =
        draft->serial ? write_serial_sequence(writing, draft->serial) : NULL;

    if (text_starts_with(statement, "COMMENT ON TABLE "))
        return has_inline_comment(draft->table->comment);
    for (size_t i = 0; i < draft->columns.count; i++) {
        const struct sql_schema_columns *column =
            &writing->schema->columns.items[draft->columns.first + i];
        const char *head = arena_printf(writing->arena, "COMMENT ON COLUMN %s IS ",
            schema_identity(writing->arena, SCHEMA_columns, column));

        if (text_starts_with(statement, head))
            return has_inline_comment(column->comment);
    }
    return sequence && text_starts_with(statement,
                           arena_printf(writing->arena, "ALTER SEQUENCE %s OWNED BY ",
                               schema_identity(writing->arena, SCHEMA_sequences, sequence)));
}

static void
write_rest(struct writing *writing, const struct draft *draft)
{
    struct ddl_options rights = { .with_rights = true };
    struct text_list statements = { 0 };

    ddl_create(writing->arena, writing->schema, SCHEMA_tables, draft->table, &rights, &statements);
    for (size_t i = 1; i < statements.count; i++)
        if (!is_said(writing, draft, statements.items[i]))
            write_statement(writing, statements.items[i]);
}

bool
write_table(struct writing *writing, const struct sql_schema_tables *table)
{
    static const char *const kinds[] = { "primary key", "unique", "check", "foreign key" };
    struct arena *arena = writing->arena;
    bool uses_postgresql = writing->uses_postgresql;
    const char *schema = write_schema_name(writing, table->schema);
    struct py *drop = py_call(arena, "op.drop_table");
    struct draft draft;

    if (!draft_table(writing, table, &draft)) {
        writing->uses_postgresql = uses_postgresql;
        return false;
    }
    draft.call = py_call(arena, "op.create_table");
    draft.call->is_spread = true;
    py_add_string(arena, draft.call, NULL, table->name);
    for (size_t i = 0; i < draft.columns.count; i++)
        add_column(writing, &draft, &writing->schema->columns.items[draft.columns.first + i]);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        add_constraints(writing, &draft, kinds[i]);
    py_add_string(arena, drop, NULL, table->name);
    if (schema) {
        py_add_string(arena, draft.call, "schema", schema);
        py_add_string(arena, drop, "schema", schema);
    }
    if (has_inline_comment(table->comment))
        py_add_string(arena, draft.call, "comment", table->comment);
    writing->uses_sa = true;
    write_up_call(writing, draft.call);
    write_down_call(writing, drop);
    write_rest(writing, &draft);
    return true;
}
