#include "staging/statistics_dependency.h"

#include <string.h>

#include "db/ident.h"

/* Of statext_dependencies_serialize() in PostgreSQL 14 to 18. */
enum { DEPENDENCY_TYPE = 1, DEPENDENCY_BYTES = 12 + 8 + 2 + 4 };
static const uint32_t dependency_magic = 0xB4549A2C;

static const char *
to_hex(struct arena *arena, int16_t from, int16_t to, double degree)
{
    const uint32_t head[3] = { dependency_magic, DEPENDENCY_TYPE, 1 };
    const int16_t columns[3] = { 2, from, to };
    unsigned char bytes[DEPENDENCY_BYTES];
    struct buffer text = { .arena = arena };

    memcpy(bytes, head, sizeof(head));
    memcpy(bytes + sizeof(head), &degree, sizeof(degree));
    memcpy(bytes + sizeof(head) + sizeof(degree), columns, sizeof(columns));
    for (size_t i = 0; i < sizeof(bytes); i++)
        buffer_printf(&text, "%02x", bytes[i]);
    return buffer_text(&text);
}

static bool
find_column(struct ctx *ctx, struct db *db, const struct statistics_dependency *dependency,
    const char *name, int16_t *ret)
{
    const char *const params[] = { db_qualified(ctx->arena, dependency->schema, dependency->table),
        name };
    const char *text;
    int64_t number;

    if (!db_value(ctx, db,
            "SELECT a.attnum FROM pg_catalog.pg_attribute AS a"
            " WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attname = $2",
            params, COUNT_OF(params), &text))
        return false;
    *ret = 0;
    if (text && text_to_int64(text, &number))
        *ret = (int16_t)number;
    return true;
}

/* Rows of children count for the parent: both kinds are there from 15 on. */
static const char *
insertion(struct ctx *ctx, const struct db *db, const char *id, const char *hex)
{
    const char *value =
        arena_printf(ctx->arena, "pg_catalog.decode('%s', 'hex')::pg_catalog.pg_dependencies", hex);

    if (db_major(db) < 15)
        return arena_printf(ctx->arena,
            "INSERT INTO pg_catalog.pg_statistic_ext_data (stxoid, stxddependencies)"
            " VALUES (%s, %s) ON CONFLICT DO NOTHING",
            id, value);
    return arena_printf(ctx->arena,
        "INSERT INTO pg_catalog.pg_statistic_ext_data (stxoid, stxdinherit, stxddependencies)"
        " VALUES (%s, false, %s), (%s, true, %s)",
        id, value, id, value);
}

bool
statistics_add_dependency(
    struct ctx *ctx, struct db *db, size_t number, const struct statistics_dependency *dependency)
{
    const char *name = db_qualified(
        ctx->arena, dependency->schema, arena_printf(ctx->arena, "pgmend_dependency_%zu", number));
    const char *id = arena_printf(ctx->arena,
        "(SELECT s.oid FROM pg_catalog.pg_statistic_ext AS s"
        " WHERE s.stxname = 'pgmend_dependency_%zu')",
        number);
    int16_t from;
    int16_t to;

    if (!find_column(ctx, db, dependency, dependency->from, &from) ||
        !find_column(ctx, db, dependency, dependency->to, &to))
        return false;
    if (from == 0 || to == 0)
        return true; /* the table is not here: that has been told */
    return db_exec(
               ctx, db, "DROP CAST IF EXISTS (pg_catalog.bytea AS pg_catalog.pg_dependencies)") &&
           db_exec(ctx, db,
               "CREATE CAST (pg_catalog.bytea AS pg_catalog.pg_dependencies) WITHOUT FUNCTION") &&
           db_exec(ctx, db,
               arena_printf(ctx->arena, "CREATE STATISTICS %s (dependencies) ON %s, %s FROM %s",
                   name, db_ident(ctx->arena, dependency->from),
                   db_ident(ctx->arena, dependency->to),
                   db_qualified(ctx->arena, dependency->schema, dependency->table))) &&
           db_exec(
               ctx, db, insertion(ctx, db, id, to_hex(ctx->arena, from, to, dependency->degree)));
}
