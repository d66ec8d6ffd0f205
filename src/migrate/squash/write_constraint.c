#include "db/ident.h"
#include "migrate/squash/write_private.h"

static const char *
joined_idents(struct arena *arena, const struct text_list *names)
{
    struct text_list quoted = { 0 };

    for (size_t i = 0; i < names->count; i++)
        text_list_add(arena, &quoted, db_ident(arena, names->items[i]));
    return text_list_join(arena, &quoted, ", ");
}

/*
 * What the server would say of the constraint if it had nothing but what SQLAlchemy can tell: the
 * same as it does say, or SQLAlchemy cannot.
 */
static const char *
plain_definition(struct arena *arena, const struct sql_schema_constraints *constraint,
    const struct text_list *columns, const struct text_list *targets)
{
    struct buffer text = { .arena = arena };

    if (text_equal(constraint->kind, "primary key"))
        buffer_printf(&text, "PRIMARY KEY (%s)", joined_idents(arena, columns));
    else if (text_equal(constraint->kind, "unique"))
        buffer_printf(&text, "UNIQUE (%s)", joined_idents(arena, columns));
    else if (text_equal(constraint->kind, "check"))
        buffer_printf(&text, "CHECK (%s)", constraint->expression);
    else if (text_equal(constraint->kind, "foreign key"))
        buffer_printf(&text, "FOREIGN KEY (%s) REFERENCES %s(%s)%s%s%s%s%s%s",
            joined_idents(arena, columns),
            db_qualified(arena, constraint->target_schema, constraint->target_table),
            joined_idents(arena, targets), constraint->match ? " MATCH " : "",
            constraint->match ? constraint->match : "", constraint->on_update ? " ON UPDATE " : "",
            constraint->on_update ? constraint->on_update : "",
            constraint->on_delete ? " ON DELETE " : "",
            constraint->on_delete ? constraint->on_delete : "");
    if (constraint->is_deferrable)
        buffer_add(&text, " DEFERRABLE");
    if (constraint->is_deferred)
        buffer_add(&text, " INITIALLY DEFERRED");
    return buffer_text(&text);
}

static bool
all_plain(const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!write_is_plain_name(names->items[i]))
            return false;
    return true;
}

/* Its index is as the server makes it without being told more. */
static bool
has_plain_index(const struct writing *writing, const struct sql_schema_constraints *constraint)
{
    const struct sql_schema_indexes *index;

    if (!constraint->index_name)
        return true;
    index = schema_find_index(writing->schema, constraint->schema, constraint->index_name);
    if (!index)
        return true;
    return text_equal(index->name, constraint->name) && !index->include &&
           !index->nulls_not_distinct && index->is_valid && index->has_plain_keys;
}

static bool
read_names(struct arena *arena, const struct sql_schema_constraints *constraint,
    struct text_list *ret_columns, struct text_list *ret_targets)
{
    if (text_equal(constraint->kind, "check"))
        return true;
    if (!write_names(arena, constraint->columns, ret_columns) || !all_plain(ret_columns))
        return false;
    if (!text_equal(constraint->kind, "foreign key"))
        return true;
    return write_names(arena, constraint->target_columns, ret_targets) && all_plain(ret_targets) &&
           write_is_plain_name(constraint->target_schema) &&
           write_is_plain_name(constraint->target_table);
}

static bool
can_be_said(const struct writing *writing, const struct sql_schema_constraints *constraint,
    struct text_list *ret_columns, struct text_list *ret_targets)
{
    if (constraint->is_domain || !constraint->is_validated || constraint->is_no_inherit ||
        text_equal(constraint->match, "PARTIAL"))
        return false;
    return read_names(writing->arena, constraint, ret_columns, ret_targets) &&
           has_plain_index(writing, constraint) &&
           text_equal(constraint->definition,
               plain_definition(writing->arena, constraint, ret_columns, ret_targets));
}

/* op.f() keeps a naming convention of the application off the name. */
static struct py *
fixed_name(struct arena *arena, const char *name)
{
    struct py *call = py_call(arena, "op.f");

    py_add_string(arena, call, NULL, name);
    return call;
}

static void
add_options(struct arena *arena, struct py *call, const struct sql_schema_constraints *constraint)
{
    if (constraint->on_update)
        py_add_string(arena, call, "onupdate", constraint->on_update);
    if (constraint->on_delete)
        py_add_string(arena, call, "ondelete", constraint->on_delete);
    if (constraint->is_deferrable)
        py_add(arena, call, "deferrable", py_leaf(arena, "True"));
    if (constraint->is_deferred)
        py_add_string(arena, call, "initially", "DEFERRED");
    if (constraint->match)
        py_add_string(arena, call, "match", constraint->match);
}

static void
add_names(struct arena *arena, struct py *call, const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        py_add_string(arena, call, NULL, names->items[i]);
}

/* ["users.id"] */
static struct py *
target_list(struct writing *writing, const struct sql_schema_constraints *constraint,
    const struct text_list *targets)
{
    struct arena *arena = writing->arena;
    struct py *sequence = py_sequence(arena);
    const char *schema = write_schema_name(writing, constraint->target_schema);

    for (size_t i = 0; i < targets->count; i++)
        py_add_string(arena, sequence, NULL,
            arena_printf(arena, "%s%s%s.%s", schema ? schema : "", schema ? "." : "",
                constraint->target_table, targets->items[i]));
    return sequence;
}

/* The statements that make it: the first adds it, others give it a comment and the like. */
static struct text_list
statements_of(const struct writing *writing, const struct sql_schema_constraints *constraint)
{
    struct ddl_options options = { .with_rights = true };
    struct text_list statements = { 0 };

    ddl_create(
        writing->arena, writing->schema, SCHEMA_constraints, constraint, &options, &statements);
    return statements;
}

struct py *
write_constraint(struct writing *writing, const struct sql_schema_constraints *constraint)
{
    struct arena *arena = writing->arena;
    struct text_list columns = { 0 }, targets = { 0 };
    struct py *call = NULL, *sequence;

    if (!can_be_said(writing, constraint, &columns, &targets))
        return NULL;
    if (text_equal(constraint->kind, "primary key")) {
        call = py_call(arena, "sa.PrimaryKeyConstraint");
        add_names(arena, call, &columns);
    } else if (text_equal(constraint->kind, "unique")) {
        call = py_call(arena, "sa.UniqueConstraint");
        add_names(arena, call, &columns);
    } else if (text_equal(constraint->kind, "check")) {
        const char *text = py_escape_sql(arena, constraint->expression);

        if (!text)
            return NULL;
        call = py_call(arena, "sa.CheckConstraint");
        py_add_string(arena, call, NULL, text);
    } else if (text_equal(constraint->kind, "foreign key")) {
        call = py_call(arena, "sa.ForeignKeyConstraint");
        sequence = py_sequence(arena);
        add_names(arena, sequence, &columns);
        py_add(arena, call, NULL, sequence);
        py_add(arena, call, NULL, target_list(writing, constraint, &targets));
    } else {
        return NULL;
    }
    py_add(arena, call, "name", fixed_name(arena, constraint->name));
    add_options(arena, call, constraint);
    return call;
}

static struct py *
name_list(struct arena *arena, const struct text_list *names)
{
    struct py *sequence = py_sequence(arena);

    add_names(arena, sequence, names);
    return sequence;
}

/* A kind of constraint, as Alembic adds and drops it. */
struct operation {
    const char *kind;
    const char *create;
    const char *type;   /* of op.drop_constraint() */
    const char *schema; /* what the schema is called in the first */
};

static const struct operation operations[] = {
    { "primary key", "op.create_primary_key", "primary", "schema" },
    { "unique", "op.create_unique_constraint", "unique", "schema" },
    { "check", "op.create_check_constraint", "check", "schema" },
    { "foreign key", "op.create_foreign_key", "foreignkey", "source_schema" },
};

/* What stands between the table's name and the options; false: it cannot be said. */
static bool
add_subject(struct writing *writing, struct py *call,
    const struct sql_schema_constraints *constraint, const struct text_list *columns,
    const struct text_list *targets)
{
    struct arena *arena = writing->arena;
    struct py *text;

    if (text_equal(constraint->kind, "check")) {
        text = write_text(writing, constraint->expression);
        if (text)
            py_add(arena, call, NULL, text);
        return text != NULL;
    }
    if (text_equal(constraint->kind, "foreign key"))
        py_add_string(arena, call, NULL, constraint->target_table);
    py_add(arena, call, NULL, name_list(arena, columns));
    if (text_equal(constraint->kind, "foreign key"))
        py_add(arena, call, NULL, name_list(arena, targets));
    return true;
}

static void
write_drop(struct writing *writing, const struct sql_schema_constraints *constraint,
    const struct operation *operation)
{
    struct arena *arena = writing->arena;
    struct py *drop = py_call(arena, "op.drop_constraint");
    const struct sql_schema_tables *table =
        schema_find_table(writing->schema, constraint->schema, constraint->table_name);

    /* It goes with its table; only foreign keys in a circle would keep theirs. */
    if (!text_equal(constraint->kind, "foreign key") && table &&
        map_get(&writing->position, link_key(arena, SCHEMA_tables, table)))
        return;
    py_add(arena, drop, NULL, fixed_name(arena, constraint->name));
    py_add_string(arena, drop, NULL, constraint->table_name);
    if (write_schema_name(writing, constraint->schema))
        py_add_string(arena, drop, "schema", constraint->schema);
    py_add_string(arena, drop, "type_", operation->type);
    write_down_call(writing, drop);
}

bool
write_loose_constraint(struct writing *writing, const struct sql_schema_constraints *constraint)
{
    struct arena *arena = writing->arena;
    struct text_list columns = { 0 }, targets = { 0 };
    const struct operation *operation = NULL;
    struct text_list rest;
    struct py *call;

    for (size_t i = 0; i < COUNT_OF(operations); i++)
        if (text_equal(operations[i].kind, constraint->kind))
            operation = &operations[i];
    if (!operation || !write_is_plain_name(constraint->table_name) ||
        !can_be_said(writing, constraint, &columns, &targets) ||
        (text_equal(constraint->kind, "primary key") && constraint->is_deferrable))
        return false;
    call = py_call(arena, operation->create);
    py_add(arena, call, NULL, fixed_name(arena, constraint->name));
    py_add_string(arena, call, NULL, constraint->table_name);
    if (!add_subject(writing, call, constraint, &columns, &targets))
        return false;
    add_options(arena, call, constraint);
    if (write_schema_name(writing, constraint->schema))
        py_add_string(arena, call, operation->schema, constraint->schema);
    if (constraint->target_schema && write_schema_name(writing, constraint->target_schema))
        py_add_string(arena, call, "referent_schema", constraint->target_schema);
    write_up_call(writing, call);
    write_drop(writing, constraint, operation);
    rest = statements_of(writing, constraint);
    for (size_t i = 1; i < rest.count; i++)
        write_statement(writing, rest.items[i]);
    return true;
}
