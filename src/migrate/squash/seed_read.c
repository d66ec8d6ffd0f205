/* The rows of one table as SQL literals that give the same values again. */
#include "base/json.h"
#include "db/ident.h"
#include "migrate/squash/seed.h"

/* SIZE_MAX if it is not written. */
static size_t
find_column(const struct seed_table *table, const char *name)
{
    for (size_t i = 0; i < table->columns.count; i++)
        if (text_equal(table->columns.items[i], name))
            return i;
    return SIZE_MAX;
}

bool
seed_find_columns(
    struct ctx *ctx, const struct seed_table *table, const char *json, struct seed_places *ret)
{
    json_t *names CLEANUP(json_release) = json ? json_loads(json, 0, NULL) : NULL;
    const json_t *name;
    size_t i;

    *ret = (struct seed_places){ 0 };
    json_array_foreach(names, i, name)
    {
        size_t place = find_column(table, json_string_value(name));

        if (place == SIZE_MAX)
            return false;
        VEC_PUSH(ctx->arena, ret, place);
    }
    return ret->count > 0;
}

const struct sql_schema_constraints *
seed_key(const struct schema *schema, const struct seed_table *table)
{
    for (size_t i = 0; i < schema->constraints.count; i++) {
        const struct sql_schema_constraints *constraint = &schema->constraints.items[i];

        if (!constraint->is_domain && text_equal(constraint->kind, "primary key") &&
            text_equal(constraint->schema, table->schema) &&
            text_equal(constraint->table_name, table->name))
            return constraint;
    }
    return NULL;
}

/*
 * The expression that gives the literal of a column. Floating point numbers stay in quotes, where
 * -0 and NaN keep what they are; money is written as a number, for its text depends on the locale
 * of whoever reads it; the rest is the type's own text form, which is not always that of a cast.
 */
static const char *
literal_of(struct arena *arena, const struct sql_schema_columns *column)
{
    const char *name = db_ident(arena, column->name);
    const char *type = column->type;

    if (text_equal(type, "boolean") || text_equal(type, "smallint") ||
        text_equal(type, "integer") || text_equal(type, "bigint"))
        return arena_printf(arena, "coalesce(t.%s::pg_catalog.text, 'NULL')", name);
    if (text_equal(type, "numeric") || (text_starts_with(type, "numeric(") && !strchr(type, '[')))
        return arena_printf(arena,
            "CASE WHEN t.%s::pg_catalog.text OPERATOR(pg_catalog.~) '^-?[0-9.]+$' "
            "THEN t.%s::pg_catalog.text ELSE pg_catalog.format('%%L', t.%s) END",
            name, name, name);
    if (text_equal(type, "money"))
        return arena_printf(arena,
            "coalesce(pg_catalog.format('%%L::numeric::money', t.%s::pg_catalog.numeric), 'NULL')",
            name);
    return arena_printf(arena, "pg_catalog.format('%%L', t.%s)", name);
}

static void
add_columns(
    struct arena *arena, const struct schema *schema, struct seed_table *table, struct buffer *sql)
{
    for (size_t i = 0; i < schema->columns.count; i++) {
        const struct sql_schema_columns *column = &schema->columns.items[i];

        if (!text_equal(column->schema, table->schema) ||
            !text_equal(column->table_name, table->name) || column->generated)
            continue;
        text_list_add(arena, &table->columns, column->name);
        table->has_identity_always |= text_equal(column->identity, "always");
        buffer_add(sql, table->columns.count > 1 ? ", " : "SELECT ");
        buffer_add(sql, literal_of(arena, column));
    }
}

/* By the primary key, and where there is none (or it is no column that is written) by the text. */
static void
add_order(struct ctx *ctx, const struct schema *schema, const struct seed_table *table,
    struct buffer *sql)
{
    const struct sql_schema_constraints *key = seed_key(schema, table);
    struct seed_places places = { 0 };

    buffer_add(sql, " ORDER BY ");
    if (key && seed_find_columns(ctx, table, key->columns, &places))
        for (size_t i = 0; i < places.count; i++)
            buffer_printf(
                sql, "t.%s, ", db_ident(ctx->arena, table->columns.items[places.items[i]]));
    buffer_add(sql, "(ROW(t.*))::pg_catalog.text COLLATE pg_catalog.\"C\"");
}

bool
seed_read(struct ctx *ctx, struct db *db, const struct schema *schema, struct seed_table *table)
{
    struct buffer sql = { .arena = ctx->arena };
    struct result result;

    add_columns(ctx->arena, schema, table, &sql);
    if (table->columns.count == 0)
        return true;
    buffer_printf(&sql, " FROM ONLY %s t", db_qualified(ctx->arena, table->schema, table->name));
    add_order(ctx, schema, table, &sql);
    if (!db_query(ctx, db, buffer_text(&sql), NULL, 0, &result))
        return false;
    table->rows = result.rows;
    table->cells.items = result.cells;
    table->cells.count = result.rows * result.columns;
    table->cells.capacity = table->cells.count;
    return true;
}
