/* What a change is in psql: statements that do it, and statements that bring back what was there. */
#include "change/journal.h"
#include "change/setting.h"
#include "cmd/parts/plan_sql.h"
#include "db/ident.h"
#include "sql.h"

enum { FILL_ROWS = 5000 };

static void
add(struct buffer *ret, const char *statement)
{
    size_t length = strlen(statement);

    while (length > 0 && strchr("; \n", statement[length - 1]))
        length--;
    buffer_append(ret, statement, length);
    buffer_add(ret, ";\n");
}

/* ---- filling a column ---- */

/*
 * A statement for each batch, made by a query and run by \gexec, so that each is a transaction of its own. Literals
 * of the key have no type, so that they are read as the column's.
 */
static void
fill(struct arena *arena, const struct change *change, struct buffer *ret)
{
    const char *relation = change_relation(arena, change);
    const char *column = db_ident(arena, change->column);
    const char *key = db_ident(arena, change->key);
    const char *start = arena_printf(arena, "UPDATE ONLY %s SET %s = %s WHERE %s >= ", relation,
        column, change->expression, key);
    const char *until = arena_printf(arena, " AND %s < ", key);
    const char *end =
        arena_printf(arena, " AND %s IS DISTINCT FROM %s", column, change->expression);

    buffer_printf(ret,
        "SELECT %s || quote_literal(b.low)\n"
        "       || CASE WHEN b.high IS NULL THEN '' ELSE %s || quote_literal(b.high) END\n"
        "       || %s\n"
        "  FROM (SELECT r.key AS low, lead(r.key) OVER (ORDER BY r.key) AS high\n"
        "          FROM (SELECT %s AS key, row_number() OVER (ORDER BY %s) AS n FROM ONLY %s) AS r\n"
        "         WHERE r.n %% %d = 1) AS b\n"
        " ORDER BY b.low \\gexec\n",
        db_literal(arena, start), db_literal(arena, until), db_literal(arena, end), key, key,
        relation, FILL_ROWS);
}

/* ---- values that only pgmend reads ---- */

static void
record(struct arena *arena, const struct change *change, struct buffer *ret)
{
    buffer_printf(ret,
        "SELECT to_regclass('pgmend.value') IS NOT NULL AS has_values \\gset\n"
        "\\if :has_values\n"
        "INSERT INTO pgmend.value (name, value, changed_at) VALUES (%s, %s, clock_timestamp())\n"
        "    ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, changed_at = "
        "EXCLUDED.changed_at;\n"
        "\\endif\n",
        db_literal(arena, change->name), db_literal(arena, change->definition));
}

static bool
undo_record(struct ctx *ctx, struct db *db, const struct change *change, struct buffer *ret)
{
    struct sql_change_value_rows rows = { 0 };
    bool is_installed;

    if (!journal_is_installed(ctx, db, &is_installed) ||
        (is_installed && !sql_change_value(ctx, db, &rows, .name = change->name)))
        return false;
    if (rows.count == 1) {
        struct change before = *change;

        before.definition = rows.items[0].value;
        record(ctx->arena, &before, ret);
        return true;
    }
    buffer_printf(ret,
        "SELECT to_regclass('pgmend.value') IS NOT NULL AS has_values \\gset\n"
        "\\if :has_values\n"
        "DELETE FROM pgmend.value WHERE name = %s;\n"
        "\\endif\n",
        db_literal(ctx->arena, change->name));
    return true;
}

/* ---- settings ---- */

/* What is written there now; NULL: nothing. */
static bool
read_written(struct ctx *ctx, struct db *db, const struct change *change, const char **ret)
{
    struct sql_change_setting_table_rows of_table;
    struct sql_change_setting_role_rows of_role;
    struct sql_change_setting_file_rows of_file;

    *ret = NULL;
    if (change->table) {
        if (!sql_change_setting_table(
                ctx, db, &of_table, .table_oid = change->table_oid, .name = change->name))
            return false;
        *ret = of_table.count == 1 ? of_table.items[0].value : NULL;
        return true;
    }
    if (change->role) {
        if (!sql_change_setting_role(ctx, db, &of_role, .role = change->role, .name = change->name))
            return false;
        *ret = of_role.count == 1 ? of_role.items[0].value : NULL;
        return true;
    }
    if (!sql_change_setting_file(ctx, db, &of_file, .name = change->name))
        return false;
    *ret = of_file.count == 1 ? of_file.items[0].value : NULL;
    return true;
}

static void
reload(const struct change *change, struct buffer *ret)
{
    if (!change->table && !change->role)
        buffer_add(ret, "SELECT pg_reload_conf();\n");
}

static bool
undo_setting(struct ctx *ctx, struct db *db, const struct change *change, struct buffer *ret)
{
    const char *written;

    if (!read_written(ctx, db, change, &written))
        return error_wrap(ctx, "reading what is written of %s", change->name);
    add(ret, setting_statement(ctx->arena, change, written));
    reload(change, ret);
    return true;
}

/* ---- functions and triggers ---- */

static bool
undo_function(struct ctx *ctx, struct db *db, const struct change *change, struct buffer *ret)
{
    const char *signature = change_object(ctx->arena, change);
    struct sql_change_function_oid_rows oids;
    struct sql_change_function_now_rows rows;

    if (!sql_change_function_oid(ctx, db, &oids, .signature = signature))
        return error_wrap(ctx, "looking for function %s", signature);
    if (oids.count != 1 || oids.items[0].oid == 0) {
        add(ret, arena_printf(ctx->arena, "DROP FUNCTION IF EXISTS %s", signature));
        return true;
    }
    if (!sql_change_function_now(ctx, db, &rows, .function_oid = oids.items[0].oid))
        return error_wrap(ctx, "reading function %s", signature);
    if (rows.count == 1)
        add(ret, rows.items[0].definition);
    return true;
}

static void
undo_trigger(struct arena *arena, const struct change *change, struct buffer *ret)
{
    static const char word[] = " EXECUTE FUNCTION ";
    const char *function = strstr(change->definition, word);

    add(ret, arena_printf(arena, "DROP TRIGGER IF EXISTS %s ON %s", db_ident(arena, change->name),
                 change_relation(arena, change)));
    if (function)
        add(ret, arena_printf(arena, "DROP FUNCTION IF EXISTS %s", function + sizeof(word) - 1));
}

/* ---- partitions ---- */

/* Which rows go where hangs on what is there at that moment, and its undo moves them back in batches. */
static void
leave_to_apply(struct buffer *ret)
{
    buffer_add(
        ret, "\\warn 'only pgmend apply and pgmend rollback can do this: it is passed over'\n");
}

static void
undo_partition(struct arena *arena, const struct change *change, struct buffer *ret)
{
    const char *name = db_qualified(arena, change->schema, change->name);

    buffer_printf(ret,
        "DO $undo$\n"
        "BEGIN\n"
        "    IF EXISTS (SELECT 1 FROM %s) THEN\n"
        "        RAISE EXCEPTION 'the partition holds rows: it is not dropped';\n"
        "    END IF;\n"
        "    DROP TABLE %s;\n"
        "END $undo$;\n",
        name, name);
}

/* ---- both ways ---- */

bool
plan_sql_do(struct ctx *ctx, struct db *db, const struct change *change, struct buffer *ret)
{
    (void)db;
    if (change_is_of(change, KIND_FILL)) {
        fill(ctx->arena, change, ret);
        return true;
    }
    if (change_is_of(change, KIND_RECORD)) {
        record(ctx->arena, change, ret);
        return true;
    }
    if (change_is_of(change, KIND_PARTITION)) {
        leave_to_apply(ret);
        return true;
    }
    /* An unusable index of this name is in the way. */
    if (change->action == ACTION_REPAIR)
        add(ret, arena_printf(ctx->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s",
                     change_object(ctx->arena, change)));
    add(ret, change->statement);
    if (change_is_of(change, KIND_TRIGGER))
        add(ret, change->definition);
    if (change_is_of(change, KIND_SETTING))
        reload(change, ret);
    return true;
}

bool
plan_sql_undo(struct ctx *ctx, struct db *db, const struct change *change, struct buffer *ret)
{
    struct change own = *change;

    /* A plan that was made by another program need not say it. */
    if (!own.undo)
        change_compose(ctx->arena, &own);
    if (change_is_of(change, KIND_RECORD))
        return undo_record(ctx, db, change, ret);
    if (change_is_of(change, KIND_SETTING))
        return undo_setting(ctx, db, change, ret);
    if (change_is_of(change, KIND_FUNCTION))
        return undo_function(ctx, db, change, ret);
    if (change_is_of(change, KIND_TRIGGER))
        undo_trigger(ctx->arena, change, ret);
    else if (change_is_of(change, KIND_PARTITION))
        leave_to_apply(ret);
    else if (change_is_of(change, KIND_PARTITION_ADD))
        undo_partition(ctx->arena, change, ret);
    else if (!own.undo || text_starts_with(own.undo, "nothing"))
        buffer_printf(ret, "-- %s: nothing to undo\n", change->kind);
    else
        add(ret, own.undo);
    return true;
}
