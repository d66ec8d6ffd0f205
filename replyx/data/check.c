#include "data/check.h"

#include "db/ident.h"
#include "sql/sql.h"

/* {users,dialogs}: our names need no quotes. */
static const char *
names_of(struct arena *arena, const struct loading *loading)
{
    struct buffer names = { .arena = arena };

    for (size_t i = 0; i < loading->table_count; i++)
        buffer_printf(&names, "%s%s", i == 0 ? "{" : ",", loading->tables[i]->name);
    buffer_add(&names, "}");
    return buffer_text(&names);
}

/* Types whose binary form is the one that row.c writes. */
static bool
is_type_of(const char *type, enum column_kind kind)
{
    static const char *const types[][4] = {
        [COLUMN_INT4] = { "int4" },
        [COLUMN_FLOAT8] = { "float8" },
        [COLUMN_BOOL] = { "bool" },
        [COLUMN_TEXT] = { "text", "varchar", "json" },
        [COLUMN_TIME] = { "timestamp", "timestamptz" },
        [COLUMN_VECTOR] = { "vector" },
    };

    for (size_t i = 0; i < COUNT_OF(types[kind]) && types[kind][i] != NULL; i++) {
        if (text_equal(types[kind][i], type))
            return true;
    }
    return false;
}

static const struct sql_replyx_columns *
find_column(const struct sql_replyx_columns_rows *rows, const char *table, const char *column)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (text_equal(rows->items[i].relation, table) &&
            (column == NULL || text_equal(rows->items[i].name, column)))
            return &rows->items[i];
    }
    return NULL;
}

static bool
wrong_schema(struct ctx *ctx)
{
    error_state(ctx, "Nothing was changed.");
    return error_hint(
        ctx, "Bring the schema up to date first: alembic -c replyx/alembic.ini upgrade head");
}

static bool
check_table(struct ctx *ctx, const struct table *table, const struct sql_replyx_columns_rows *rows)
{
    if (find_column(rows, table->name, NULL) == NULL) {
        error_set(ctx, ERR_NOT_FOUND, "table \"%s\" does not exist", table->name);
        return wrong_schema(ctx);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        const struct sql_replyx_columns *found = find_column(rows, table->name, column->name);

        if (found == NULL) {
            error_set(
                ctx, ERR_NOT_FOUND, "table \"%s\" has no column \"%s\"", table->name, column->name);
            return wrong_schema(ctx);
        }
        if (!is_type_of(found->type, column->kind)) {
            error_set(ctx, ERR_CONFLICT, "column \"%s\" of table \"%s\" has type %s", column->name,
                table->name, found->type);
            return wrong_schema(ctx);
        }
    }
    return true;
}

static bool
is_filled(const struct table *table, const char *column)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (text_equal(table->columns[i].name, column))
            return true;
    }
    return false;
}

bool
check_columns(struct ctx *ctx, struct db *db, const struct loading *loading)
{
    struct sql_replyx_columns_rows rows;

    if (!sql_replyx_columns(ctx, db, &rows, .tables = names_of(ctx->arena, loading)))
        return false;
    for (size_t i = 0; i < loading->table_count; i++) {
        if (!check_table(ctx, loading->tables[i], &rows))
            return false;
    }
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_replyx_columns *row = &rows.items[i];

        if (row->is_required && !is_filled(table_find(row->relation), row->name)) {
            error_set(ctx, ERR_CONFLICT,
                "column \"%s\" of table \"%s\" needs a value that replyx-data does not know",
                row->name, row->relation);
            return wrong_schema(ctx);
        }
    }
    return true;
}

bool
check_empty(struct ctx *ctx, struct db *db, const struct loading *loading)
{
    for (size_t i = 0; i < loading->table_count; i++) {
        const char *name = db_qualified(ctx->arena, "public", loading->tables[i]->name);
        const char *has_rows;

        if (!db_exec(ctx, db,
                arena_printf(ctx->arena, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", name)))
            return error_wrap(ctx, "table \"%s\"", loading->tables[i]->name);
        if (!db_value(ctx, db, arena_printf(ctx->arena, "SELECT EXISTS (SELECT FROM %s)", name),
                NULL, 0, &has_rows))
            return error_wrap(ctx, "table \"%s\"", loading->tables[i]->name);
        if (!text_equal(has_rows, "t"))
            continue;
        error_set(ctx, ERR_CONFLICT, "table \"%s\" is not empty", loading->tables[i]->name);
        error_state(ctx, "Nothing was changed.");
        return error_hint(ctx, "Load into a new database: createdb NAME, CREATE EXTENSION "
                               "vector, alembic -c replyx/alembic.ini upgrade head.");
    }
    return true;
}

static bool
check_foreign_key(struct ctx *ctx, struct db *db, const struct sql_replyx_foreign_keys *key)
{
    struct arena *arena = ctx->arena;
    const char *attribute = db_ident(arena, key->attribute);
    const char *lost;
    const char *sql = arena_printf(arena,
        "SELECT EXISTS (SELECT FROM %s AS a WHERE a.%s IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM %s AS b WHERE b.%s = a.%s))",
        db_qualified(arena, "public", key->relation), attribute,
        db_qualified(arena, key->other_schema, key->other_relation),
        db_ident(arena, key->other_attribute), attribute);

    if (!db_value(ctx, db, sql, NULL, 0, &lost))
        return error_wrap(ctx, "checking foreign key \"%s\"", key->name);
    if (!text_equal(lost, "t"))
        return true;
    error_set(ctx, ERR_VERIFICATION, "a row of table \"%s\" does not satisfy foreign key \"%s\"",
        key->relation, key->name);
    return error_hint(ctx, "With --only the tables that these refer to must have been filled "
                           "with the same seed and scale.");
}

bool
check_foreign_keys(struct ctx *ctx, struct db *db, const struct loading *loading)
{
    struct sql_replyx_foreign_keys_rows keys;

    if (!sql_replyx_foreign_keys(ctx, db, &keys, .tables = names_of(ctx->arena, loading)))
        return false;
    for (size_t i = 0; i < keys.count; i++) {
        if (!check_foreign_key(ctx, db, &keys.items[i]))
            return false;
    }
    return true;
}
