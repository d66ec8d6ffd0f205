#include "base/clock.h"
#include "db/ident.h"
#include "sql.h"
#include "vector/tune/extra.h"

enum { WRITTEN_ROWS = 200, ROUNDS = 3 };

/* A key that is not there yet, for the n-th of the rows, or NULL when the type has no such thing. */
static const char *
new_key(struct arena *arena, const struct vector_target *target)
{
    static const char *const numbers[] = { "integer", "bigint", "numeric" };

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (text_equal(target->key_type, numbers[i]))
            return arena_printf(arena,
                "(SELECT pg_catalog.max(k.%s) FROM %s AS k) OPERATOR(pg_catalog.+) t.pgmend_number",
                db_ident(arena, target->key), vector_table(arena, target));
    if (text_equal(target->key_type, "uuid"))
        return "pg_catalog.gen_random_uuid()";
    if (text_equal(target->key_type, "text") || text_starts_with(target->key_type, "character"))
        return "('pgmend-'::text OPERATOR(pg_catalog.||) t.pgmend_number::text)";
    return NULL;
}

/* Whether a column belongs to the methods that are tried, and not to the table. */
static bool
is_extra(const struct vector_parts *parts, const char *name)
{
    for (size_t i = 0; i < parts->columns.count; i++)
        if (text_equal(parts->columns.items[i].name, name))
            return true;
    return false;
}

static bool
insert_statement(struct ctx *ctx, const struct builder *builder, const struct vector_parts *parts,
    const char **ret)
{
    struct arena *arena = ctx->arena;
    const struct vector_target *target = &builder->stage->target;
    const char *key = new_key(arena, target);
    struct sql_vector_tune_columns_rows rows;
    struct text_list names = { 0 };
    struct text_list values = { 0 };

    *ret = NULL;
    if (!sql_vector_tune_columns(ctx, builder->stage->db, &rows, .table_oid = target->table_oid))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const char *name = db_ident(arena, rows.items[i].name);

        if (is_extra(parts, rows.items[i].name))
            continue;
        text_list_add(arena, &names, name);
        text_list_add(arena, &values,
            text_equal(rows.items[i].name, target->key) ? key : arena_printf(arena, "t.%s", name));
    }
    if (key)
        *ret = arena_printf(arena,
            "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM (SELECT r.*,"
            " pg_catalog.row_number() OVER () AS pgmend_number FROM (SELECT * FROM %s LIMIT %d)"
            " AS r) AS t RETURNING %s::text",
            vector_table(arena, target), text_list_join(arena, &names, ", "),
            text_list_join(arena, &values, ", "), vector_table(arena, target), WRITTEN_ROWS,
            db_ident(arena, target->key));
    return true;
}

/* In the transaction that is undone: the trigger of the live table. */
static bool
add_trigger(struct ctx *ctx, const struct builder *builder, const struct vector_parts *parts)
{
    struct arena *arena = ctx->arena;
    struct db *db = builder->stage->db;
    struct buffer body = { .arena = arena };

    if (parts->columns.count == 0)
        return true;
    for (size_t i = 0; i < parts->columns.count; i++)
        buffer_printf(&body, "NEW.%s := %s; ", db_ident(arena, parts->columns.items[i].name),
            parts->columns.items[i].expression);
    return db_exec(ctx, db,
               arena_printf(arena,
                   "CREATE FUNCTION pg_temp.pgmend_fill() RETURNS trigger LANGUAGE plpgsql AS %s",
                   db_literal(arena,
                       arena_printf(arena, "BEGIN %sRETURN NEW; END", buffer_text(&body))))) &&
           db_exec(ctx, db,
               arena_printf(arena,
                   "CREATE TRIGGER pgmend_fill BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION"
                   " pg_temp.pgmend_fill()",
                   vector_table(arena, &builder->stage->target)));
}

static int64_t
now_us(struct builder *builder, int64_t start_us)
{
    return builder->meter.kind == METER_SCHEDSTAT ? meter_end_us(&builder->meter)
                                                  : clock_us() - start_us;
}

/* The keys that were made up: digits, hexadecimal digits or words of ours, so nothing to quote. */
static const char *
key_list(struct arena *arena, const struct result *inserted)
{
    struct buffer text = { .arena = arena };

    for (size_t row = 0; row < inserted->rows; row++)
        buffer_printf(&text, "%s%s", row > 0 ? "," : "{", result_cell(inserted, row, 0));
    buffer_add(&text, "}");
    return buffer_text(&text);
}

static bool
write_once(struct ctx *ctx, struct builder *builder, const struct vector_parts *parts,
    const char *insert, int64_t *ret_us)
{
    struct db *db = builder->stage->db;
    struct arena *arena = ctx->arena;
    const struct vector_target *target = &builder->stage->target;
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct result inserted;
    struct result deleted;
    const char *params[1];
    int64_t start_us;

    if (!db_begin(ctx, db, NULL, &transaction) || !add_trigger(ctx, builder, parts))
        return false;
    start_us = clock_us();
    meter_start(&builder->meter);
    if (!db_query(ctx, db, insert, NULL, 0, &inserted))
        return false;
    *ret_us = now_us(builder, start_us);
    params[0] = key_list(arena, &inserted);
    start_us = clock_us();
    meter_start(&builder->meter);
    if (inserted.rows > 0 &&
        !db_query(ctx, db,
            arena_printf(arena, "DELETE FROM %s WHERE %s OPERATOR(pg_catalog.=) ANY ($1::%s[])",
                vector_table(arena, target), db_ident(arena, target->key), target->key_type),
            params, 1, &deleted))
        return false;
    *ret_us += now_us(builder, start_us);
    return true;
}

/* What is not the data's fault ends the run; a row that something unique refuses does not. */
static bool
is_grave(const struct ctx *ctx, const struct builder *builder)
{
    return ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED ||
           !db_is_connected(builder->stage->db);
}

bool
extra_write_us(
    struct ctx *ctx, struct builder *builder, const struct vector_method *method, int64_t *ret_us)
{
    struct vector_parts parts = { 0 };
    const char *insert;

    *ret_us = 0;
    if (method)
        vector_method_parts(ctx->arena, &builder->stage->target, method, NULL, "NEW.", &parts);
    if (!insert_statement(ctx, builder, &parts, &insert))
        return false;
    for (int round = 0; insert && round < ROUNDS; round++) {
        int64_t us;

        if (!write_once(ctx, builder, &parts, insert, &us)) {
            if (is_grave(ctx, builder))
                return false;
            error_clear(ctx);
            *ret_us = 0;
            return true;
        }
        if (*ret_us == 0 || us < *ret_us)
            *ret_us = us;
    }
    return true;
}
