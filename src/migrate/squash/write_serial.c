#include "db/ident.h"
#include "migrate/squash/write_private.h"

/* The largest value of a type of integers. */
static const char *
largest_of(const char *type)
{
    if (text_equal(type, "smallint"))
        return "32767";
    return text_equal(type, "integer") ? "2147483647" : "9223372036854775807";
}

static bool
has_standard_values(const struct sql_schema_sequences *sequence)
{
    return text_equal(sequence->start_value, "1") && text_equal(sequence->increment, "1") &&
           text_equal(sequence->min_value, "1") && text_equal(sequence->cache, "1") &&
           text_equal(sequence->max_value, largest_of(sequence->type)) && !sequence->is_cycle;
}

/* The name that the server gives by itself; longer ones it shortens in its own way. */
static bool
has_standard_name(struct arena *arena, const struct sql_schema_sequences *sequence,
    const struct sql_schema_columns *column)
{
    const char *name = arena_printf(arena, "%s_%s_seq", column->table_name, column->name);

    return strlen(name) < 64 && text_equal(sequence->name, name) &&
           text_equal(sequence->schema, column->schema);
}

const struct sql_schema_sequences *
write_serial_sequence(const struct writing *writing, const struct sql_schema_columns *column)
{
    struct arena *arena = writing->arena;
    const char *name = arena_printf(arena, "%s_%s_seq", column->table_name, column->name);
    const struct sql_schema_sequences *sequence =
        schema_find_sequence(writing->schema, column->schema, name);
    const char *value;

    if (!sequence || sequence->is_identity || !column->default_text || !column->is_not_null ||
        !has_standard_name(arena, sequence, column) || !has_standard_values(sequence) ||
        !text_equal(sequence->persistence, "permanent") ||
        !text_equal(sequence->type, column->type) || sequence->comment || sequence->acl ||
        !text_equal(sequence->owner, writing->runner))
        return NULL;
    value = arena_printf(arena, "nextval(%s::regclass)",
        db_literal(arena, db_qualified(arena, column->schema, name)));
    if (!text_equal(column->default_text, value) ||
        !text_equal(sequence->owned_by, schema_identity(arena, SCHEMA_columns, column)))
        return NULL;
    return sequence;
}

struct py *
write_identity(struct writing *writing, const struct sql_schema_columns *column)
{
    struct arena *arena = writing->arena;
    struct py *call = py_call(arena, "sa.Identity");
    const struct sql_schema_sequences *sequence =
        schema_identity_sequence(arena, writing->schema, column);

    if (!sequence || !has_standard_name(arena, sequence, column) ||
        !text_equal(sequence->type, column->type) || sequence->comment || sequence->acl ||
        !text_equal(sequence->persistence, "permanent"))
        return NULL;
    py_add(arena, call, "always",
        py_leaf(arena, text_equal(column->identity, "always") ? "True" : "False"));
    if (has_standard_values(sequence))
        return call;
    py_add(arena, call, "start", py_leaf(arena, sequence->start_value));
    py_add(arena, call, "increment", py_leaf(arena, sequence->increment));
    py_add(arena, call, "minvalue", py_leaf(arena, sequence->min_value));
    py_add(arena, call, "maxvalue", py_leaf(arena, sequence->max_value));
    py_add(arena, call, "cycle", py_leaf(arena, sequence->is_cycle ? "True" : "False"));
    py_add(arena, call, "cache", py_leaf(arena, sequence->cache));
    return call;
}
