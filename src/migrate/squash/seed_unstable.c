/* Which values of a table are not the same after two runs of one history. */
#include "db/ident.h"
#include "migrate/squash/seed.h"

static int
compare_texts(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

static const char **
sorted_column(struct arena *arena, const struct seed_table *table, size_t column)
{
    const char **values = ARENA_ARRAY(arena, const char *, table->rows);

    for (size_t row = 0; row < table->rows; row++)
        values[row] = seed_row(table, row)[column];
    qsort(values, table->rows, sizeof(values[0]), compare_texts);
    return values;
}

/* Whether a column holds the same values in both, in whatever rows. */
static bool
has_same_values(struct arena *arena, const struct seed_table *table, const struct seed_table *again,
    size_t column)
{
    const char **left = sorted_column(arena, table, column);
    const char **right = sorted_column(arena, again, column);

    for (size_t row = 0; row < table->rows; row++)
        if (!text_equal(left[row], right[row]))
            return false;
    return true;
}

static bool
has_same_cells(const struct seed_table *table, const struct seed_table *again, size_t column)
{
    for (size_t row = 0; row < table->rows; row++)
        if (!text_equal(seed_row(table, row)[column], seed_row(again, row)[column]))
            return false;
    return true;
}

/* Whether other rows find this one by the column, or it finds others: part of a key. */
static bool
is_in_key(struct ctx *ctx, const struct schema *schema, const struct seed_table *table,
    const struct seed_places *key, size_t column)
{
    for (size_t i = 0; i < key->count; i++)
        if (key->items[i] == column)
            return true;
    for (size_t i = 0; i < schema->constraints.count; i++) {
        const struct sql_schema_constraints *constraint = &schema->constraints.items[i];
        struct seed_places places;

        if (!text_equal(constraint->kind, "foreign key") ||
            !text_equal(constraint->schema, table->schema) ||
            !text_equal(constraint->table_name, table->name) ||
            !seed_find_columns(ctx, table, constraint->columns, &places))
            continue;
        for (size_t j = 0; j < places.count; j++)
            if (places.items[j] == column)
                return true;
    }
    return false;
}

bool
seed_compare(struct ctx *ctx, const struct schema *schema, struct seed_table *table,
    const struct seed_table *again, struct text_list *left_out)
{
    const struct sql_schema_constraints *constraint = seed_key(schema, table);
    const char *name = db_qualified(ctx->arena, table->schema, table->name);
    struct seed_places key = { 0 };
    bool has_key = constraint && seed_find_columns(ctx, table, constraint->columns, &key);
    bool is_aligned = has_key;
    struct text_list keys = { 0 };

    if (table->rows != again->rows || table->columns.count != again->columns.count)
        return error_set(ctx, ERR_CONFLICT, "table %s changed while it was read", name);
    for (size_t i = 0; i < key.count && is_aligned; i++)
        is_aligned = has_same_cells(table, again, key.items[i]);
    for (size_t i = 0; i < table->columns.count; i++) {
        if (is_aligned ? has_same_cells(table, again, i)
                       : has_same_values(ctx->arena, table, again, i))
            continue;
        text_list_add(ctx->arena, is_in_key(ctx, schema, table, &key, i) ? &keys : &table->unstable,
            table->columns.items[i]);
    }
    if (keys.count > 0)
        text_list_add(ctx->arena, left_out,
            arena_printf(ctx->arena,
                "the keys of the rows of table %s (%s) are others in each run of the history: the "
                "new one would give every database those of this run",
                name, text_list_join(ctx->arena, &keys, ", ")));
    else if (table->unstable.count == 0)
        text_list_add(ctx->arena, left_out,
            arena_printf(ctx->arena,
                "the rows of table %s are others in each run of the history, and it has no key by "
                "which they could be told apart",
                name));
    return true;
}
