#include "catalog/find.h"

#include "db/ident.h"

/* The first two members of a row: its schema, and its name or that of the table it belongs to. */
static int
compare_names(const char *const *item, const char *schema_name, const char *name)
{
    int order = strcmp(item[0], schema_name);

    return order ? order : strcmp(item[1], name);
}

/* The rows of a class, sorted by schema and a name, whose both are these. */
static struct schema_span
find_span(const struct rows *rows, size_t size, const char *schema_name, const char *name)
{
    const char *items = rows->items;
    size_t low = 0, high = rows->count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_names((const void *)(items + middle * size), schema_name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < rows->count; end++)
        if (compare_names((const void *)(items + end * size), schema_name, name) != 0)
            break;
    return (struct schema_span){ .first = low, .count = end - low };
}

static struct schema_span
find_in(
    const struct schema *schema, enum schema_class class, const char *schema_name, const char *name)
{
    struct rows rows = schema_rows(schema, class);

    return find_span(&rows, schema_classes[class].query->row_size, schema_name, name);
}

const struct sql_schema_tables *
schema_find_table(const struct schema *schema, const char *schema_name, const char *name)
{
    struct schema_span span = find_in(schema, SCHEMA_tables, schema_name, name);

    return span.count ? &schema->tables.items[span.first] : NULL;
}

const char *
schema_next_name(struct arena *arena, const char **text)
{
    struct buffer name = { .arena = arena };
    const char *at = *text;

    if (!*at)
        return NULL;
    if (*at == '"') {
        for (at++; *at && (*at != '"' || at[1] == '"'); at++) {
            at += *at == '"';
            buffer_append(&name, at, 1);
        }
        at += *at == '"';
    } else {
        for (; *at && !strchr(".,", *at); at++)
            buffer_append(&name, at, 1);
    }
    at += *at == '.';
    *text = at;
    return buffer_text(&name);
}

struct schema_place
schema_place_of(struct arena *arena, const char *identity)
{
    struct schema_place place = { 0 };

    if (!identity)
        return place;
    place.schema = schema_next_name(arena, &identity);
    place.name = schema_next_name(arena, &identity);
    place.column = schema_next_name(arena, &identity);
    return place;
}

const struct sql_schema_tables *
schema_find_relation(struct arena *arena, const struct schema *schema, const char *identity)
{
    struct schema_place place = schema_place_of(arena, identity);

    return place.name ? schema_find_table(schema, place.schema, place.name) : NULL;
}

struct schema_span
schema_columns_of(const struct schema *schema, const char *schema_name, const char *table_name)
{
    return find_in(schema, SCHEMA_columns, schema_name, table_name);
}

const struct sql_schema_columns *
schema_find_column(
    const struct schema *schema, const char *schema_name, const char *table_name, const char *name)
{
    struct schema_span span = schema_columns_of(schema, schema_name, table_name);

    for (size_t i = span.first; i < span.first + span.count; i++)
        if (text_equal(schema->columns.items[i].name, name))
            return &schema->columns.items[i];
    return NULL;
}

struct schema_span
schema_constraints_of(const struct schema *schema, const char *schema_name, const char *table_name)
{
    return find_in(schema, SCHEMA_constraints, schema_name, table_name);
}

const struct sql_schema_indexes *
schema_find_index(const struct schema *schema, const char *schema_name, const char *name)
{
    size_t low = 0, high = schema->indexes.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct sql_schema_indexes *index = &schema->indexes.items[middle];
        int order = strcmp(index->schema, schema_name);

        order = order ? order : strcmp(index->name, name);
        if (order == 0)
            return index;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct sql_schema_sequences *
schema_find_sequence(const struct schema *schema, const char *schema_name, const char *name)
{
    struct schema_span span = find_in(schema, SCHEMA_sequences, schema_name, name);

    return span.count ? &schema->sequences.items[span.first] : NULL;
}

const struct sql_schema_sequences *
schema_identity_sequence(
    struct arena *arena, const struct schema *schema, const struct sql_schema_columns *column)
{
    const char *identity = schema_identity(arena, SCHEMA_columns, column);

    for (size_t i = 0; i < schema->sequences.count; i++) {
        const struct sql_schema_sequences *sequence = &schema->sequences.items[i];

        if (sequence->is_identity && text_equal(sequence->owned_by, identity))
            return sequence;
    }
    return NULL;
}

struct schema_span
schema_dependencies_of(const struct schema *schema, const char *class, const char *identity)
{
    struct rows rows = { schema->dependencies.items, schema->dependencies.count };

    return find_span(&rows, sizeof(struct sql_schema_dependencies), class, identity);
}
