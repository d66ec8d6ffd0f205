#include <ctype.h>

#include "migrate/squash/write_private.h"

/* A type by its server's name, and how SQLAlchemy calls it. */
struct type_name {
    const char *server;
    const char *call;      /* "sa.String" */
    const char *modifiers; /* names of its numbers, by commas; "": it may have none */
    const char *fixed;     /* a further argument, or NULL */
};

static const struct type_name names[] = {
    { "smallint", "sa.SmallInteger", "", NULL },
    { "integer", "sa.Integer", "", NULL },
    { "bigint", "sa.BigInteger", "", NULL },
    { "numeric", "sa.Numeric", "precision,scale", NULL },
    { "real", "sa.REAL", "", NULL },
    { "double precision", "postgresql.DOUBLE_PRECISION", "", NULL },
    { "boolean", "sa.Boolean", "", NULL },
    { "text", "sa.Text", "", NULL },
    { "character varying", "sa.String", "length", NULL },
    { "character", "sa.CHAR", "length", NULL },
    { "bytea", "sa.LargeBinary", "", NULL },
    { "date", "sa.Date", "", NULL },
    { "timestamp without time zone", "postgresql.TIMESTAMP", "precision", NULL },
    { "timestamp with time zone", "postgresql.TIMESTAMP", "precision", "timezone=True" },
    { "time without time zone", "postgresql.TIME", "precision", NULL },
    { "time with time zone", "postgresql.TIME", "precision", "timezone=True" },
    { "interval", "postgresql.INTERVAL", "precision", NULL },
    { "uuid", "postgresql.UUID", "", NULL },
    { "json", "postgresql.JSON", "", NULL },
    { "jsonb", "postgresql.JSONB", "", NULL },
    { "inet", "postgresql.INET", "", NULL },
    { "cidr", "postgresql.CIDR", "", NULL },
    { "macaddr", "postgresql.MACADDR", "", NULL },
    { "money", "postgresql.MONEY", "", NULL },
    { "oid", "postgresql.OID", "", NULL },
    { "bit", "postgresql.BIT", "length", NULL },
    { "bit varying", "postgresql.BIT", "length", "varying=True" },
    { "tsvector", "postgresql.TSVECTOR", "", NULL },
    { "int4range", "postgresql.INT4RANGE", "", NULL },
    { "int8range", "postgresql.INT8RANGE", "", NULL },
    { "numrange", "postgresql.NUMRANGE", "", NULL },
    { "daterange", "postgresql.DATERANGE", "", NULL },
    { "tsrange", "postgresql.TSRANGE", "", NULL },
    { "tstzrange", "postgresql.TSTZRANGE", "", NULL },
};

/* "timestamp(3) with time zone" → its name without the numbers, and these. */
static const char *
split_type(struct arena *arena, const char *type, const char **ret_numbers)
{
    const char *open = strchr(type, '('), *close = open ? strchr(open, ')') : NULL;

    *ret_numbers = NULL;
    if (!close)
        return type;
    *ret_numbers = arena_strndup(arena, open + 1, (size_t)(close - open - 1));
    return arena_printf(arena, "%.*s%s", (int)(open - type), type, close + 1);
}

/* Adds "precision=10, scale=2" of "10,2"; false when there are more numbers than names. */
static bool
add_numbers(struct arena *arena, struct py *call, const char *words, const char *numbers)
{
    while (*numbers) {
        size_t length = strcspn(numbers, ","), word = strcspn(words, ",");

        if (word == 0 || length == 0)
            return false;
        py_add(arena, call, arena_strndup(arena, words, word),
            py_leaf(arena, arena_strndup(arena, numbers, length)));
        numbers += length + (numbers[length] == ',');
        words += word + (words[word] == ',');
    }
    return true;
}

/* Without a precision these have a name that says more to people. */
static struct py *
plain_time(struct arena *arena, const char *name)
{
    const char *type = text_starts_with(name, "timestamp") ? "sa.DateTime" : "sa.Time";
    struct py *call;

    if (!text_starts_with(name, "time"))
        return NULL;
    call = py_call(arena, type);
    if (text_ends_with(name, " with time zone"))
        py_add(arena, call, "timezone", py_leaf(arena, "True"));
    return call;
}

static struct py *
array_type(struct writing *writing, const char *type)
{
    struct arena *arena = writing->arena;
    struct py *element =
        write_type(writing, arena_strndup(arena, type, strlen(type) - strlen("[]")));
    struct py *call = py_call(arena, "postgresql.ARRAY");

    if (!element)
        return NULL;
    writing->uses_postgresql = true;
    py_add(arena, call, NULL, element);
    return call;
}

/* An enum of the user: its labels are in CREATE TYPE, so the column needs only the name. */
static struct py *
enum_type(struct writing *writing, const char *type)
{
    struct arena *arena = writing->arena;
    const char *at = type;
    const char *schema = schema_next_name(arena, &at);
    const char *name = *at ? schema_next_name(arena, &at) : NULL;
    struct py *call = py_call(arena, "postgresql.ENUM");

    if (!name || *at || !write_is_plain_name(name) || !write_is_plain_name(schema))
        return NULL;
    for (size_t i = 0; i < writing->schema->types.count; i++) {
        const struct sql_schema_types *found = &writing->schema->types.items[i];

        if (!text_equal(found->kind, "enum") || !text_equal(found->schema, schema) ||
            !text_equal(found->name, name))
            continue;
        py_add_string(arena, call, "name", name);
        if (write_schema_name(writing, schema))
            py_add_string(arena, call, "schema", schema);
        py_add(arena, call, "create_type", py_leaf(arena, "False"));
        writing->uses_postgresql = true;
        return call;
    }
    return NULL;
}

struct py *
write_type(struct writing *writing, const char *type)
{
    struct arena *arena = writing->arena;
    const char *numbers, *name;
    struct py *call;

    if (text_ends_with(type, "[]"))
        return array_type(writing, type);
    name = split_type(arena, type, &numbers);
    call = numbers ? NULL : plain_time(arena, name);
    if (call)
        return call;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!text_equal(names[i].server, name))
            continue;
        call = py_call(arena, names[i].call);
        if (numbers && !add_numbers(arena, call, names[i].modifiers, numbers))
            return NULL;
        if (names[i].fixed)
            py_add(arena, call, NULL, py_leaf(arena, names[i].fixed));
        writing->uses_postgresql |= text_starts_with(names[i].call, "postgresql");
        return call;
    }
    return enum_type(writing, type);
}
