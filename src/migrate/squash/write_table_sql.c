#include "db/ident.h"
#include "migrate/squash/write_private.h"

static struct text_list
statements_of(const struct writing *writing, const struct sql_schema_tables *table)
{
    struct ddl_options options = { .with_rights = true };
    struct text_list statements = { 0 };

    ddl_create(writing->arena, writing->schema, SCHEMA_tables, table, &options, &statements);
    return statements;
}

/* Partitions and children get keys from above, so theirs wait until all tables are there. */
static bool
is_single(const struct writing *writing, const struct sql_schema_tables *table)
{
    const char *identity = schema_identity(writing->arena, SCHEMA_tables, table);

    if (!text_equal(table->kind, "table") || table->parent || table->inherits ||
        table->partition_key)
        return false;
    for (size_t i = 0; i < writing->schema->tables.count; i++)
        if (text_equal(writing->schema->tables.items[i].inherits, identity))
            return false;
    return true;
}

/* "id integer DEFAULT nextval(…) NOT NULL", as the statement has it. */
static const char *
long_form(struct arena *arena, const struct sql_schema_columns *column)
{
    return arena_printf(arena, "\n    %s %s DEFAULT %s NOT NULL", db_ident(arena, column->name),
        column->type, column->default_text);
}

static const char *
short_form(struct arena *arena, const struct sql_schema_columns *column)
{
    const char *type = text_equal(column->type, "bigint")     ? "bigserial"
                       : text_equal(column->type, "smallint") ? "smallserial"
                                                              : "serial";

    return arena_printf(arena, "\n    %s %s NOT NULL", db_ident(arena, column->name), type);
}

/* The column as the statement has it, if it can be serial there; or NULL. */
static const char *
find_serial(
    const struct writing *writing, const struct sql_schema_columns *column, const char *statement)
{
    return column->default_text && write_serial_sequence(writing, column)
               ? strstr(statement, long_form(writing->arena, column))
               : NULL;
}

bool
write_has_serial(struct writing *writing, const struct sql_schema_tables *table,
    const struct sql_schema_sequences *sequence)
{
    const struct schema *schema = writing->schema;
    struct schema_span span = schema_columns_of(schema, table->schema, table->name);
    const char *statement;

    if (!is_single(writing, table))
        return false;
    statement = statements_of(writing, table).items[0];
    for (size_t i = span.first; i < span.first + span.count; i++)
        if (find_serial(writing, &schema->columns.items[i], statement) &&
            write_serial_sequence(writing, &schema->columns.items[i]) == sequence)
            return true;
    return false;
}

/* Where the list of columns ends: at its bracket. */
static const char *
find_end(const char *statement)
{
    size_t depth = 0;

    for (const char *at = statement; *at; at = py_skip_sql(at)) {
        depth += *at == '(';
        if (*at == ')' && --depth == 0)
            return at;
    }
    return NULL;
}

/* Marks and tells the constraints that can be made at once, as lines of CREATE TABLE. */
static const char *
inline_lines(struct writing *writing, const struct sql_schema_tables *table)
{
    static const char *const kinds[] = { "primary key", "unique", "check", "foreign key" };
    struct arena *arena = writing->arena;
    struct schema_span span = schema_constraints_of(writing->schema, table->schema, table->name);
    struct buffer lines = { .arena = arena };

    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++)
        for (size_t i = span.first; i < span.first + span.count; i++) {
            const struct sql_schema_constraints *constraint =
                &writing->schema->constraints.items[i];

            if (!text_equal(constraint->kind, kinds[kind]) ||
                !write_can_be_inline(writing, table, constraint))
                continue;
            buffer_printf(&lines, ",\n    CONSTRAINT %s %s", db_ident(arena, constraint->name),
                constraint->definition);
            map_set(&writing->inlined, link_key(arena, SCHEMA_constraints, constraint), writing);
        }
    return buffer_text(&lines);
}

/* Puts serial where it says the same, and keeps who the sequences belong to in mind. */
static const char *
use_serial(struct writing *writing, const struct sql_schema_tables *table, const char *statement,
    struct text_list *ret_owned)
{
    struct arena *arena = writing->arena;
    const struct schema *schema = writing->schema;
    struct schema_span span = schema_columns_of(schema, table->schema, table->name);

    for (size_t i = span.first; i < span.first + span.count; i++) {
        const struct sql_schema_columns *column = &schema->columns.items[i];
        const char *at = find_serial(writing, column, statement);

        if (!at)
            continue;
        text_list_add(arena, ret_owned,
            arena_printf(arena, "ALTER SEQUENCE %s OWNED BY ",
                schema_identity(arena, SCHEMA_sequences, write_serial_sequence(writing, column))));
        statement = arena_printf(arena, "%.*s%s%s", (int)(at - statement), statement,
            short_form(arena, column), at + strlen(long_form(arena, column)));
    }
    return statement;
}

static bool
starts_with_any(const char *statement, const struct text_list *heads)
{
    for (size_t i = 0; i < heads->count; i++)
        if (text_starts_with(statement, heads->items[i]))
            return true;
    return false;
}

bool
write_table_sql(struct writing *writing, const struct sql_schema_tables *table)
{
    struct text_list statements, owned = { 0 };
    const char *statement, *end;
    size_t columns;

    if (!is_single(writing, table))
        return false;
    statements = statements_of(writing, table);
    statement = use_serial(writing, table, statements.items[0], &owned);
    end = find_end(statement);
    /* Its bracket stands on a line of its own, behind the last column. */
    columns = end ? (size_t)(end - statement) : 0;
    if (columns > 1 && statement[columns - 1] == '\n' && statement[columns - 2] != '(')
        statement = arena_printf(writing->arena, "%.*s%s\n%s", (int)(columns - 1), statement,
            inline_lines(writing, table), end);
    write_up_sql(writing, statement);
    write_down_sql(writing, ddl_drop(writing->arena, SCHEMA_tables, table));
    for (size_t i = 1; i < statements.count; i++)
        if (!starts_with_any(statements.items[i], &owned))
            write_statement(writing, statements.items[i]);
    return true;
}
