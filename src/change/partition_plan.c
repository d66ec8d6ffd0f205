/* What a plan of partitions is made of. */
#include "change/judge.h"
#include "change/kind_partition.h"
#include "change/partition.h"
#include "db/ident.h"

/* An index of a number and a time: 24 bytes and a pointer, pages 90 % full. */
enum { MOST_DEFAULT_ROWS = 1000000, INDEX_ROW_BYTES = 36 };

static const char *
wish_text(struct ctx *ctx, const struct partition_wish *wish)
{
    json_t *names = json_array();

    for (size_t i = 0; i < wish->give_up.count; i++)
        json_array_append_new(names, json_string(wish->give_up.items[i]));

    json_t *json CLEANUP(json_release) =
        json_pack("{s:i, s:o}", "ahead", (int)wish->ahead, "give_up", names);

    return json_text(ctx->arena, json);
}

/* Where the old rows end: the beginning of a period that is far enough ahead. */
static bool
find_bound(struct ctx *ctx, struct db *db, const struct partition_wish *wish, uint32_t table_oid,
    const char **ret)
{
    struct sql_change_partition_facts_rows facts;
    struct sql_change_partition_periods_rows rows;

    *ret = "";
    if (!sql_change_partition_facts(ctx, db, &facts, .table_oid = table_oid, .key = wish->key))
        return false;
    if (facts.count != 1 || !facts.items[0].key_type)
        return true;
    if (!sql_change_partition_periods(ctx, db, &rows, .unit = wish->unit, .start = NULL,
            .least_days = PARTITION_LEAST_DAYS, .count = 1, .key_type = facts.items[0].key_type))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0].lower;
    return true;
}

bool
partition_change(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct change *ret)
{
    struct sql_change_table_now table;
    struct partition made;
    bool is_good;

    *ret = (struct change){
        .kind = KIND_PARTITION,
        .schema = wish->schema,
        .table = wish->table,
        .name = wish->table,
        .column = wish->key,
        .type = wish->unit,
        .definition = wish_text(ctx, wish),
    };
    if (!work_find_table(ctx, db, ret, &table, &is_good))
        return false;
    if (!is_good)
        return true;
    ret->table_oid = table.oid;
    ret->table_rows = (int64_t)table.rows;
    ret->bytes = table.rows > 0 ? (int64_t)table.rows * INDEX_ROW_BYTES : 0;
    ret->wal_bytes = ret->bytes;
    if (!find_bound(ctx, db, wish, table.oid, &ret->expression) ||
        !partition_compose(ctx, db, ret, &made, &is_good))
        return false;
    if (is_good)
        ret->statement = partition_text(ctx->arena, &made);
    return true;
}

bool
partition_obstacles(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct text_list *ret)
{
    struct sql_change_partition_now_rows now;
    struct sql_change_partition_obstacles_rows rows;
    json_t *json CLEANUP(json_release) = NULL;

    *ret = (struct text_list){ 0 };
    if (!sql_change_partition_now(ctx, db, &now, .schema = wish->schema, .name = wish->table))
        return false;
    if (now.count != 1)
        return true;
    if (!json_parse(ctx, "wish", wish_text(ctx, wish), &json) ||
        !sql_change_partition_obstacles(ctx, db, &rows, .table_oid = now.items[0].oid,
            .key = wish->key, .give_up = json_text(ctx->arena, json_object_get(json, "give_up"))))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        text_list_add(ctx->arena, ret, rows.items[i].problem);
        text_list_add(ctx->arena, ret, rows.items[i].remedy);
    }
    return true;
}

/* Month or week, by the name of the last partition. */
static const char *
unit_of(const char *name)
{
    size_t length = strlen(name);

    if (length < 8 || name[length - 8] != 'y')
        return NULL;
    return name[length - 3] == 'm' ? "month" : name[length - 3] == 'w' ? "week" : NULL;
}

static bool
count_default(struct ctx *ctx, struct db *db, struct partition_state *state)
{
    const char *count;

    return db_value(ctx, db,
               arena_printf(ctx->arena,
                   "SELECT pg_catalog.count(*) FROM (SELECT 1 FROM %s LIMIT %d) AS x",
                   state->default_name, (int)MOST_DEFAULT_ROWS),
               NULL, 0, &count) &&
           (text_to_int64(count, &state->default_rows) ||
               error_set(ctx, ERR_FAILED, "the server's count is not a number"));
}

static bool
look_at(struct ctx *ctx, struct db *db, const char *schema, const char *table,
    struct partition_state *ret)
{
    struct sql_change_partition_now_rows now;
    struct sql_change_partition_of_rows parts;

    *ret = (struct partition_state){ 0 };
    if (!sql_change_partition_now(ctx, db, &now, .schema = schema, .name = table))
        return false;
    if (now.count != 1 || !now.items[0].key)
        return true;
    if (!sql_change_partition_of(ctx, db, &parts, .table_oid = now.items[0].oid))
        return false;
    ret->oid = now.items[0].oid;
    ret->key = now.items[0].key;
    ret->partitions = (int64_t)parts.count;
    for (size_t i = 0; i < parts.count; i++) {
        const struct sql_change_partition_of *part = &parts.items[i];

        ret->ahead += part->is_ahead;
        if (part->is_default)
            ret->default_name = db_qualified(ctx->arena, part->schema, part->name);
        if (part->upper) {
            ret->end = part->upper;
            ret->unit = unit_of(part->name);
        }
    }
    return !ret->default_name || count_default(ctx, db, ret);
}

bool
partition_look(struct ctx *ctx, struct db *db, const char *schema, const char *table,
    struct partition_state *ret)
{
    bool is_good = partition_use_utc(ctx, db) && look_at(ctx, db, schema, table, ret);

    partition_end_utc(db);
    return is_good;
}

static bool
add_periods(struct ctx *ctx, struct db *db, const struct partition_wish *wish,
    const struct partition_state *state, struct plan *ret)
{
    struct sql_change_partition_now_rows now;
    struct sql_change_partition_periods_rows rows;
    struct arena *arena = ctx->arena;

    if (!sql_change_partition_now(ctx, db, &now, .schema = wish->schema, .name = wish->table) ||
        !sql_change_partition_periods(ctx, db, &rows, .unit = wish->unit, .start = state->end,
            .least_days = 0, .count = wish->ahead - state->ahead,
            .key_type = now.items[0].key_type))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct change change = {
            .kind = KIND_PARTITION_ADD,
            .schema = wish->schema,
            .table = wish->table,
            .table_oid = state->oid,
            .name = partition_name(arena, wish->table, rows.items[i].suffix),
            .definition = arena_printf(arena, "FOR VALUES FROM (%s) TO (%s)",
                db_literal(arena, rows.items[i].lower), db_literal(arena, rows.items[i].upper)),
            .reason = "the period after the last one",
            .action = ACTION_CREATE,
        };

        VEC_PUSH(arena, ret, change);
    }
    return true;
}

bool
partition_extend(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct plan *ret)
{
    struct partition_state state;
    struct partition_wish used = *wish;
    bool is_good;

    if (!partition_look(ctx, db, wish->schema, wish->table, &state))
        return false;
    used.unit = wish->unit ? wish->unit : state.unit;
    if (!state.oid)
        return error_set(ctx, ERR_NOT_FOUND, "%s is not partitioned by ranges of one column",
            db_qualified(ctx->arena, wish->schema, wish->table));
    if (!state.end || !used.unit) {
        error_set(ctx, ERR_UNSUPPORTED,
            "the partitions of %s do not end in one that was made by pgmend",
            db_qualified(ctx->arena, wish->schema, wish->table));
        return error_hint(
            ctx, "Give --by month or --by week when its last range ends where one begins.");
    }
    if (state.ahead >= wish->ahead)
        return true;
    is_good = partition_use_utc(ctx, db) && add_periods(ctx, db, &used, &state, ret);
    partition_end_utc(db);
    return is_good;
}
