#include "staging/statistics_extended.h"

#include <inttypes.h>

#include "base/map.h"
#include "db/ident.h"
#include "sql.h"

/* Source: statistics/statistics.h and the serializers beside it, PostgreSQL 14 to 18. */
enum {
    HEADER = 12,                /* magic number, kind, items */
    ITEM_HEAD_DISTINCT = 8 + 4, /* a double, the number of columns as int32 */
    ITEM_HEAD_DEPENDENCY = 8 + 2,
    FIRST_USER_OID = 16384,
    KEYS_MOST = 16,
};
#define MAGIC_DISTINCT   0xA352BFA4U
#define MAGIC_DEPENDENCY 0xB4549A2CU
#define MAGIC_COMMON     0xE1A651C2U

struct bytes {
    uint8_t *data;
    size_t length;
};

static bool
from_hex(struct arena *arena, const char *hex, struct bytes *ret)
{
    ret->length = strlen(hex) / 2;
    ret->data = arena_alloc(arena, ret->length + 1);
    for (size_t i = 0; i < ret->length; i++) {
        int high = text_hex_value(hex[2 * i]);
        int low = text_hex_value(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret->data[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static const char *
to_hex(struct arena *arena, const struct bytes *bytes)
{
    char *hex = arena_alloc(arena, bytes->length * 2 + 1);

    for (size_t i = 0; i < bytes->length; i++) {
        hex[2 * i] = "0123456789abcdef"[bytes->data[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[bytes->data[i] & 15];
    }
    return hex;
}

static uint32_t
get32(const struct bytes *bytes, size_t at)
{
    uint32_t value = 0;

    if (at + sizeof(value) <= bytes->length)
        memcpy(&value, bytes->data + at, sizeof(value));
    return value;
}

static size_t
read_keys(const char *text, int16_t keys[KEYS_MOST])
{
    size_t count = 0;
    char *end = NULL;

    for (long key = strtol(text, &end, 10); end != text && count < KEYS_MOST;
         key = strtol(text, &end, 10)) {
        keys[count++] = (int16_t)key;
        text = end;
    }
    return count;
}

/* Numbers of columns become those of the copy: a dump closes the gaps that dropped columns left. */
struct renumber {
    int16_t old[KEYS_MOST];
    int16_t now[KEYS_MOST];
    size_t count;
};

static void
renumber_at(const struct renumber *renumber, struct bytes *bytes, size_t at)
{
    int16_t key;

    memcpy(&key, bytes->data + at, sizeof(key));
    for (size_t i = 0; i < renumber->count; i++) {
        if (renumber->old[i] != key)
            continue;
        memcpy(bytes->data + at, &renumber->now[i], sizeof(key));
        return;
    }
}

/* False when the bytes are not what they should be: another machine's byte order, or a newer form. */
static bool
renumber_items(const struct renumber *renumber, struct bytes *bytes, uint32_t magic)
{
    size_t head = magic == MAGIC_DISTINCT ? ITEM_HEAD_DISTINCT : ITEM_HEAD_DEPENDENCY;
    size_t at = HEADER;

    if (get32(bytes, 0) != magic)
        return false;
    for (uint32_t i = 0; i < get32(bytes, 8); i++) {
        uint32_t columns = 0;

        if (at + head > bytes->length)
            return false;
        memcpy(&columns, bytes->data + at + 8, head - 8);
        at += head;
        if (columns > KEYS_MOST || at + columns * sizeof(int16_t) > bytes->length)
            return false;
        for (uint32_t j = 0; j < columns; j++, at += sizeof(int16_t))
            renumber_at(renumber, bytes, at);
    }
    return true;
}

/* Lists of common groups hold numbers of types, which are the same everywhere only for built-in ones. */
static bool
has_builtin_types(const struct bytes *bytes)
{
    int16_t dimensions = 0;

    if (get32(bytes, 0) != MAGIC_COMMON || bytes->length < HEADER + sizeof(dimensions))
        return false;
    memcpy(&dimensions, bytes->data + HEADER, sizeof(dimensions));
    for (int16_t i = 0; i < dimensions; i++) {
        uint32_t type = get32(bytes, HEADER + sizeof(dimensions) + (size_t)i * sizeof(type));

        if (type == 0 || type >= FIRST_USER_OID)
            return false;
    }
    return true;
}

struct extended {
    struct ctx *ctx;
    struct db *db;
    struct map common; /* "schema.name t" → hexadecimal */
    struct map here;   /* "schema.name" → struct sql_staging_statistics_ext_objects */
    size_t lost;
    const char *lost_name;
};

static const char *
common_key(struct arena *arena, const char *schema, const char *name, bool inherited)
{
    return arena_printf(arena, "%s %s", db_qualified(arena, schema, name), inherited ? "t" : "f");
}

static bool
read_both(struct extended *extended, struct db *from)
{
    struct ctx *ctx = extended->ctx;
    struct sql_staging_statistics_ext_objects_rows here;
    struct sql_staging_statistics_common_groups_rows common;
    const char *may_read;

    if (!sql_staging_statistics_ext_objects(ctx, extended->db, &here) ||
        !db_value(ctx, from,
            "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_statistic_ext_data', 'SELECT')::text",
            NULL, 0, &may_read))
        return false;
    for (size_t i = 0; i < here.count; i++)
        map_set(&extended->here, db_qualified(ctx->arena, here.items[i].schema, here.items[i].name),
            &here.items[i]);
    if (!text_equal(may_read, "true"))
        return true;
    if (!sql_staging_statistics_common_groups(ctx, from, &common))
        return false;
    for (size_t i = 0; i < common.count; i++)
        map_set(&extended->common,
            common_key(ctx->arena, common.items[i].schema, common.items[i].name,
                common.items[i].inherited),
            arena_strdup(ctx->arena, common.items[i].common));
    return true;
}

static const char *
value_of(struct arena *arena, const struct bytes *bytes, const char *type)
{
    return arena_printf(
        arena, "pg_catalog.decode('%s', 'hex')::pg_catalog.%s", to_hex(arena, bytes), type);
}

/*
 * The casts that it needs are ours and of this database alone, so the statement cannot stand in src/sql, where
 * all are checked on any server.
 */
static bool
put(struct extended *extended, uint32_t id, bool inherited, const char *const values[3])
{
    struct arena *arena = extended->ctx->arena;
    bool has_kinds = db_major(extended->db) >= 15;

    return db_exec(extended->ctx, extended->db,
               arena_printf(arena,
                   "DELETE FROM pg_catalog.pg_statistic_ext_data WHERE stxoid = %" PRIu32 "%s", id,
                   has_kinds ? (inherited ? " AND stxdinherit" : " AND NOT stxdinherit") : "")) &&
           db_exec(extended->ctx, extended->db,
               arena_printf(arena,
                   "INSERT INTO pg_catalog.pg_statistic_ext_data"
                   " (stxoid%s, stxdndistinct, stxddependencies, stxdmcv)"
                   " VALUES (%" PRIu32 "%s, %s, %s, %s)",
                   has_kinds ? ", stxdinherit" : "", id,
                   has_kinds ? (inherited ? ", true" : ", false") : "",
                   values[0] ? values[0] : "NULL", values[1] ? values[1] : "NULL",
                   values[2] ? values[2] : "NULL"));
}

static void
lose(struct extended *extended, const struct sql_staging_statistics_extended *from)
{
    if (extended->lost++ == 0)
        extended->lost_name = db_qualified(extended->ctx->arena, from->schema, from->name);
}

static bool
carry_one(struct extended *extended, const struct sql_staging_statistics_extended *from)
{
    struct arena *arena = extended->ctx->arena;
    const struct sql_staging_statistics_ext_objects *here =
        map_get(&extended->here, db_qualified(arena, from->schema, from->name));
    const char *common =
        map_get(&extended->common, common_key(arena, from->schema, from->name, from->inherited));
    struct renumber renumber = { .count = 0 };
    struct bytes bytes;
    const char *values[3] = { NULL, NULL, NULL };

    if (!here)
        return true; /* the table is not there: that has been told */
    renumber.count = read_keys(from->keys, renumber.old);
    if (read_keys(here->keys, renumber.now) != renumber.count) {
        lose(extended, from);
        return true;
    }
    if (from->n_distinct && from_hex(arena, from->n_distinct, &bytes) &&
        renumber_items(&renumber, &bytes, MAGIC_DISTINCT))
        values[0] = value_of(arena, &bytes, "pg_ndistinct");
    if (from->dependencies && from_hex(arena, from->dependencies, &bytes) &&
        renumber_items(&renumber, &bytes, MAGIC_DEPENDENCY))
        values[1] = value_of(arena, &bytes, "pg_dependencies");
    if (common && from_hex(arena, common, &bytes) && has_builtin_types(&bytes))
        values[2] = value_of(arena, &bytes, "pg_mcv_list");
    if ((from->n_distinct && !values[0]) || (from->dependencies && !values[1]) ||
        (from->has_common && !values[2]) || from->has_expressions)
        lose(extended, from);
    return put(extended, here->id, from->inherited, values);
}

static bool
make_casts(struct extended *extended)
{
    static const char *const types[] = { "pg_ndistinct", "pg_dependencies", "pg_mcv_list" };

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct arena *arena = extended->ctx->arena;

        if (!db_exec(extended->ctx, extended->db,
                arena_printf(
                    arena, "DROP CAST IF EXISTS (pg_catalog.bytea AS pg_catalog.%s)", types[i])) ||
            !db_exec(extended->ctx, extended->db,
                arena_printf(arena,
                    "CREATE CAST (pg_catalog.bytea AS pg_catalog.%s) WITHOUT FUNCTION", types[i])))
            return false;
    }
    return true;
}

bool
statistics_carry_extended(
    struct ctx *ctx, struct db *from, struct db *db, struct text_list *ret_notes)
{
    struct sql_staging_statistics_extended_rows rows;
    struct extended extended = {
        .ctx = ctx, .db = db, .common = { .arena = ctx->arena }, .here = { .arena = ctx->arena }
    };

    if (!sql_staging_statistics_extended(ctx, from, &rows))
        return false;
    if (rows.count == 0)
        return true;
    if (!read_both(&extended, from) || !make_casts(&extended))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        if (!carry_one(&extended, &rows.items[i]))
            return false;
    if (extended.lost > 0)
        text_list_add(ctx->arena, ret_notes,
            arena_printf(ctx->arena,
                "of %zu extended statistics (%s%s) lists of common groups or statistics of "
                "expressions could not be carried: only a superuser may read them, and not all "
                "have the same form elsewhere",
                extended.lost, extended.lost_name, extended.lost > 1 ? ", …" : ""));
    return true;
}
