#include "migrate/squash/version_table.h"

#include "db/ident.h"
#include "sql.h"

bool
version_table_read(struct ctx *ctx, struct db *db, const char *schema, const char *name,
    struct text_list *ret, bool *ret_is_there)
{
    struct sql_squash_version_table_rows tables;
    struct result rows;

    *ret = (struct text_list){ 0 };
    *ret_is_there = false;
    if (!sql_squash_version_table(ctx, db, &tables, .name = name, .schema = schema ? schema : ""))
        return error_wrap(ctx, "looking for Alembic's version table");
    if (tables.count == 0)
        return true;

    const char *table = db_qualified(ctx->arena, tables.items[0].schema, name);

    if (!tables.items[0].may_read) {
        error_set(ctx, ERR_RIGHTS, "role \"%s\" may not read %s of %s", db_user(db), table,
            db_label(ctx->arena, db));
        return error_hint(ctx, "GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON %s TO %s;",
            db_ident(ctx->arena, tables.items[0].schema), db_ident(ctx->arena, db_user(db)), table,
            db_ident(ctx->arena, db_user(db)));
    }
    if (!db_query(ctx, db,
            arena_printf(ctx->arena,
                "SELECT version_num::pg_catalog.text FROM %s WHERE version_num IS NOT NULL "
                "ORDER BY version_num::pg_catalog.text COLLATE pg_catalog.\"C\"",
                table),
            NULL, 0, &rows)) {
        if (text_equal(ctx->error.sqlstate, "42703"))
            error_hint(ctx, "%s is not Alembic's: it has no column version_num.", table);
        return error_wrap(ctx, "reading %s of %s", table, db_label(ctx->arena, db));
    }
    for (size_t i = 0; i < rows.rows; i++)
        text_list_add(ctx->arena, ret, result_cell(&rows, i, 0));
    *ret_is_there = true;
    return true;
}
